#!/usr/bin/env python3
"""How fast steps log metrics, and what a storm of them costs those who run steps: docs/benchmarks.md.

    POTOK_BIN=build/release/bin python3 tests/bench/tracking.py

Starts a Potok of its own. A chain of short steps is run alone, then while 1 and 8 processes log as fast as they can.
"""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from stack import Stack, wait_for  # noqa: E402

STORM = """
import multiprocessing, os, sys, time, mlflow
run = os.environ["MLFLOW_RUN_ID"]

def log(number):
    client = mlflow.MlflowClient()
    count = 0
    while not os.path.exists(sys.argv[2]):
        client.log_metric(run, f"loss{number}", count, step=count)
        count += 1
    return count

begun = time.monotonic()
with multiprocessing.Pool(int(sys.argv[1])) as pool:
    counts = pool.map(log, range(int(sys.argv[1])))
print("calls", sum(counts), "seconds", time.monotonic() - begun)
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
    text = "type: pipeline\njobs:\n"  # the name is in the commands: nothing is reused
    for i in range(CHAIN):
        text += f"  s{i}:\n    command: /bin/true {name}-{i}\n" + (f"    depends_on: [s{i - 1}]\n" if i else "")
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
            name = f"storm{writers}"
            command = ("python3", str(stack.path("storm.py")), str(writers), str(stop))
            stack.potok("run", "-n", name, "--detach", "--", *command)
            wait_for(lambda: stack.json("job", "metrics", "-n", name), "they log")
            print(f"chain of {CHAIN} steps beside {writers} that log: {chain_seconds(stack, f'beside{writers}'):.3f} s")
            stop.touch()
            stack.wait(name)
            words = stack.log(name).split()
            print(f"{writers} that log: {float(words[1]) / float(words[3]):.0f} calls a second", flush=True)
        print(f"chain of {CHAIN} steps alone: {chain_seconds(stack, 'alone'):.3f} s")
    finally:
        stack.close()


if __name__ == "__main__":
    main()
