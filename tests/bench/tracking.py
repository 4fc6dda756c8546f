#!/usr/bin/env python3
"""How fast steps log metrics, and what a storm of them costs those who run steps: docs/benchmarks.md.

    POTOK_BIN=build/release/bin python3 tests/bench/tracking.py [ROUNDS]

Starts a Potok of its own. Steps that do nothing are run alone, beside processes that log as fast as they can, and beside
as many that only compute: what those cost is the processor's share, not the scheduler's. All of it in every round.
"""

import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from stack import Stack, wait_for  # noqa: E402

# Logs, or computes, in as many processes until the file is there; prints the calls of a second.
STORM = """
import multiprocessing, os, sys, time, mlflow
run = os.environ["MLFLOW_RUN_ID"]

def work(number):
    client = mlflow.MlflowClient()
    count = 0
    while not os.path.exists(sys.argv[3]):
        if sys.argv[2] == "log":
            client.log_metric(run, f"loss{number}", count, step=count)
        count += 1
    return count

begun = time.monotonic()
with multiprocessing.Pool(int(sys.argv[1])) as pool:
    counts = pool.map(work, range(int(sys.argv[1])))
print(sum(counts) / (time.monotonic() - begun))
"""
BATCH = """
import os, time, mlflow
begun = time.monotonic()
for start in range(0, 100_000, 1000):
    mlflow.MlflowClient().log_batch(
        os.environ["MLFLOW_RUN_ID"],
        metrics=[mlflow.entities.Metric("loss", step, 1000 + step, step) for step in range(start, start + 1000)])
print(f"{100_000 / (time.monotonic() - begun):.0f} values a second")
"""
CHAIN = 60
WIDE = 200  # independent steps, 16 at once
BESIDE = [(0, ""), (1, "log"), (1, "compute"), (8, "log"), (8, "compute")]


class Bench:
    def __init__(self, stack: Stack):
        self.stack = stack
        self.runs = 0

    def rate(self, steps: int, chained: bool) -> float:
        """Steps a second from the submission to the end, as the client sees it."""
        self.runs += 1
        name = f"steps{self.runs}"
        text = "type: pipeline\njobs:\n"
        for i in range(steps):  # the name is in the commands: nothing is reused
            text += f"  s{i}:\n    command: /bin/true {name}-{i}\n    resources: {{cpus: 0.125}}\n"
            text += f"    depends_on: [s{i - 1}]\n" if chained and i else ""
        file = self.stack.write(f"{name}.yml", text)
        begun = time.monotonic()
        self.stack.potok("run", file, "-n", name)
        return steps / (time.monotonic() - begun)

    def rates_beside(self, writers: int, what: str) -> tuple[float, float, float]:
        """Of a chain and of independent steps beside so many, and their calls a second."""
        if not writers:
            return self.rate(CHAIN, True), self.rate(WIDE, False), 0
        self.runs += 1
        name, stop = f"storm{self.runs}", self.stack.path(f"stop{self.runs}")
        command = ("python3", str(self.stack.path("storm.py")), str(writers), what, str(stop))
        self.stack.potok("run", "-n", name, "--detach", "--", *command)
        wait_for(lambda: self.stack.status(name) == "Running", "they begin", 30)
        if what == "log":
            wait_for(lambda: self.stack.json("job", "metrics", "-n", name), "they log")
        chain, wide = self.rate(CHAIN, True), self.rate(WIDE, False)
        stop.touch()
        self.stack.wait(name)
        return chain, wide, float(self.stack.log(name))


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    stack = Stack()
    try:
        stack.up()
        stack.write("storm.py", STORM)
        stack.write("batch.py", BATCH)
        stack.potok("run", "-n", "batch", "--", "python3", str(stack.path("batch.py")))
        print("one client, batches of 1000:", stack.log("batch").strip(), flush=True)
        bench = Bench(stack)
        seen = {beside: [] for beside in BESIDE}
        for _ in range(rounds):
            for beside in BESIDE:
                seen[beside].append(bench.rates_beside(*beside))
        alone = None
        for (writers, what), rates in seen.items():
            chain, wide, calls = (statistics.median(column) for column in zip(*rates, strict=True))
            alone = alone or (chain, wide)
            print(
                f"beside {writers} that {what or '-':8} chain {chain:6.1f} steps/s ({chain / alone[0]:.2f} of alone), "
                f"independent {wide:6.1f} steps/s ({wide / alone[1]:.2f})"
                + (f", {calls:.0f} calls a second" if what == "log" else "")
            )
    finally:
        stack.close()


if __name__ == "__main__":
    main()
