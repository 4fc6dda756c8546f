#!/usr/bin/env python3
"""How fast steps log metrics, and what a storm of them costs those who run steps: docs/benchmarks.md.

    POTOK_BIN=build/release/bin python3 tests/bench/tracking.py

Starts a Potok of its own. A chain of short steps is run alone, then while 8 steps log as fast as they can.
"""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from stack import Stack, wait_for  # noqa: E402

STORM = """
import os, sys, time, mlflow
begun = time.monotonic()
count = 0
while not os.path.exists(sys.argv[1]):
    mlflow.log_metric("loss", count, step=count)
    count += 1
print("calls", count, "seconds", time.monotonic() - begun)
"""
BATCH = """
import time, mlflow
begun = time.monotonic()
for start in range(0, 100_000, 1000):
    mlflow.MlflowClient().log_batch(
        os.environ["MLFLOW_RUN_ID"],
        metrics=[mlflow.entities.Metric("loss", step, 1000 + step, step) for step in range(start, start + 1000)])
print("values a second", 100_000 / (time.monotonic() - begun))
""".replace("import time", "import os, time", 1)
CHAIN = 60


def chain_seconds(stack: Stack, name: str) -> float:
    """From the submission of a chain of steps that do nothing to its end, as the client sees it."""
    text = "type: pipeline\njobs:\n"
    for i in range(CHAIN):
        text += f"  s{i}:\n    command: /bin/true\n" + (f"    depends_on: [s{i - 1}]\n" if i else "")
    file = stack.write(f"{name}.yml", text)
    begun = time.monotonic()
    stack.potok("run", file, "-n", name)
    return time.monotonic() - begun


def main():
    stack = Stack()
    try:
        stack.up()
        stack.write("storm.py", STORM)
        stack.write("batch.py", BATCH)
        stack.potok("run", "-n", "batch", "--", "python3", str(stack.path("batch.py")))
        print("one client, batches of 1000:", stack.log("batch").strip())
        for writers in (1, 8):
            stop = stack.path(f"stop{writers}")
            names = [f"storm{writers}-{i}" for i in range(writers)]
            for name in names:
                stack.potok(
                    "run", "-n", name, "--detach", "--", "python3", str(stack.path("storm.py")), str(stop)
                )
            wait_for(lambda: all(stack.status(name) == "Running" for name in names), "all of them log")
            print(f"chain of {CHAIN} steps beside {writers} that log: {chain_seconds(stack, f'beside{writers}'):.3f} s")
            stop.touch()
            for name in names:
                stack.wait(name)
            found = [stack.log(name).split() for name in names]
            print(f"{writers} that log: {sum(float(words[1]) / float(words[3]) for words in found):.0f} calls a second")
        print(f"chain of {CHAIN} steps alone: {chain_seconds(stack, 'alone'):.3f} s")
    finally:
        stack.close()


if __name__ == "__main__":
    main()
