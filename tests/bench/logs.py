#!/usr/bin/env python3
"""How soon and how fast a reader has what a step writes: docs/benchmarks.md.

    POTOK_BIN=build/release/bin python3 tests/bench/logs.py [delay] [readers] [bytes] [lines] [packed]

Starts a Potok of its own, runs steps, and follows their logs with `potok job logs -f`.
"""

import os
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from stack import Stack, wait_for  # noqa: E402

# Each line says when it was written, by the clock that all processes of the machine share.
WRITER = """
import os, sys, time
time.sleep(1.0)
for i in range({lines}):
    os.write(1, b'%d\\n' % time.monotonic_ns())
    time.sleep({pause})
"""


def cpu_seconds(stack: Stack, program: str) -> float:
    (pid,) = stack.processes(program)
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(stack: Stack, name: str, *command: str):
    stack.potok("run", "-n", name, "--detach", "--", *command)
    wait_for(lambda: stack.status(name) in ("Running", "Completed"), "the step runs")


def delays(reader) -> list[float]:
    """Milliseconds from the write of each line to its arrival here."""
    found = []
    rest = b""
    while data := os.read(reader.fileno(), 1 << 16):
        now = time.monotonic_ns()
        *lines, rest = (rest + data).split(b"\n")
        found += [(now - int(line)) / 1e6 for line in lines]
    return found


def say_delays(what: str, found: list[float]):
    found.sort()
    at = lambda q: found[min(len(found) - 1, int(q * len(found)))]  # noqa: E731
    print(f"{what}: n={len(found)} p50 {at(0.5):.2f} ms  p99 {at(0.99):.2f} ms  max {found[-1]:.2f} ms", flush=True)


def delay(stack: Stack):
    start(stack, "delay", "python3", "-u", "-c", WRITER.format(lines=400, pause=0.023))
    follower = stack.start("job", "logs", "-n", "delay", "-f")
    before = [cpu_seconds(stack, program) for program in ("potok-server", "potok-agent")]
    say_delays("delay", delays(follower.stdout))
    used = [cpu_seconds(stack, program) - b for program, b in zip(("potok-server", "potok-agent"), before)]
    print(f"  CPU while a line came every 23 ms: server {used[0] / 10.2:.1%}, agent {used[1] / 10.2:.1%}")
    start(stack, "idle", "sleep", "12")
    follower = stack.start("job", "logs", "-n", "idle", "-f")
    time.sleep(1)
    before = [cpu_seconds(stack, program) for program in ("potok-server", "potok-agent")]
    time.sleep(10)
    used = [cpu_seconds(stack, program) - b for program, b in zip(("potok-server", "potok-agent"), before)]
    print(f"  CPU while a silent step is followed: server {used[0] / 10:.2%}, agent {used[1] / 10:.2%}")
    follower.wait()


def readers(stack: Stack):
    start(stack, "readers", "python3", "-u", "-c", WRITER.format(lines=200, pause=0.05))
    followers = [stack.start("job", "logs", "-n", "readers", "-f") for _ in range(64)]
    results: list[list[float]] = [[] for _ in followers]

    def read(i):
        results[i] = delays(followers[i].stdout)

    threads = [threading.Thread(target=read, args=(i,)) for i in range(len(followers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Those that began late got the first lines late: these do not count.
    say_delays("64 readers", [d for result in results for d in result[100:]])
    print(f"  lines per reader: {sorted({len(result) for result in results})}")


def throughput(stack: Stack, what: str, command: str, size: int):
    """From the start of the writer, which says so, to the last byte at the reader."""
    go = stack.path(f"go_{what}")
    start(stack, what, "bash", "-c", f"until [ -e {go} ]; do sleep 0.01; done; {command}")
    follower = stack.start("job", "logs", "-n", what, "-f")
    time.sleep(1)
    begin = time.monotonic()
    cpu = [cpu_seconds(stack, program) for program in ("potok-server", "potok-agent")]
    go.touch()
    got = 0
    while data := os.read(follower.stdout.fileno(), 1 << 20):
        got += len(data)
        end = time.monotonic()
    used = [cpu_seconds(stack, program) - b for program, b in zip(("potok-server", "potok-agent"), cpu)]
    assert got == size, (got, size)
    rate = size / (end - begin)
    print(
        f"{what}: {size >> 20} MiB in {end - begin:.2f} s = {rate / 1e6:.0f} MB/s"
        f"  (CPU: server {used[0]:.2f} s, agent {used[1]:.2f} s)",
        flush=True,
    )
    begin = time.monotonic()
    reader = stack.start("job", "logs", "-n", what)
    while os.read(reader.stdout.fileno(), 1 << 20):
        pass
    reader.wait()
    print(f"  read again: {size / (time.monotonic() - begin) / 1e6:.0f} MB/s", flush=True)
    return rate


# Much as a training writes: times, counters, and numbers of which no two are alike.
TRAINING = """
import random, sys
for i in range({lines}):
    sys.stdout.write('2026-11-27 12:%02d:%02d,%03d INFO trainer: epoch %d step %d loss %.5f lr %.3e %.1f samples/s\\n' % (
        i // 60000 % 60, i // 1000 % 60, i % 1000, i // 20000, i, random.random(), random.random(), 900 + 99 * random.random()))
"""


def seconds_of(stack: Stack, *arguments: str) -> float:
    """Of a command whose output nobody keeps."""
    begin = time.monotonic()
    with open(os.devnull, "wb") as nowhere:
        reader = stack.start("job", "logs", "-n", "packed", *arguments, stdout=nowhere)
    _, err = reader.communicate()
    assert reader.returncode == 0, err
    return time.monotonic() - begin


def packed(stack: Stack):
    start(stack, "packed", "python3", "-c", TRAINING.format(lines=2_000_000))
    stack.potok("job", "logs", "-n", "packed", "-f", "--tail", "1", timeout=300)
    files = lambda ending: list(stack.state.glob(f"step-logs/*/*{ending}"))  # noqa: E731
    wait_for(lambda: not files(".log"), "all is packed")
    file = max(files(".zst"), key=lambda path: path.stat().st_mtime)
    index = file.with_name(file.name.replace(".log.zst", ".index")).stat().st_size
    whole = stack.path("whole.log")
    with open(whole, "wb") as out:
        stack.start("job", "logs", "-n", "packed", stdout=out).communicate()
    size = whole.stat().st_size
    print(f"packed: {size / 1e6:.0f} MB to {file.stat().st_size / 1e6:.0f} MB = 1:{size / file.stat().st_size:.1f}")
    print(f"  index {index} bytes = {index / size:.3%} of the log")
    for what, arguments in {
        "whole": (),
        "search that finds little": ("--grep", "step 1999999 "),
        "count of a pattern that is often there": ("--grep", "loss 0\\.[0-4]", "--count"),
        "last 10 lines": ("--tail", "10"),
        "10 lines in the middle": ("--lines", "1000000:1000010"),
    }.items():
        best = min(seconds_of(stack, *arguments) for _ in range(3))
        print(f"  {what}: {best * 1000:.0f} ms ({size / best / 1e6:.0f} MB/s)", flush=True)
    begin = time.monotonic()
    stack.potok("job", "list")
    print(f"  any command, `job list`: {(time.monotonic() - begin) * 1000:.0f} ms")


def main():
    wanted = sys.argv[1:] or ["delay", "readers", "bytes", "lines", "packed"]
    stack = Stack()
    try:
        stack.up()
        if "delay" in wanted:
            delay(stack)
        if "readers" in wanted:
            readers(stack)
        if "bytes" in wanted:
            count = 8192
            throughput(stack, "bytes", f"dd if=/dev/zero bs=64k count={count} status=none", count << 16)
        if "lines" in wanted:
            count = 5_000_000
            rate = throughput(stack, "lines", f"yes {'x' * 99} | head -n {count}", count * 100)
            print(f"  {rate / 100 / 1e6:.2f} M lines/s")
        if "packed" in wanted:
            packed(stack)
    finally:
        stack.close()


if __name__ == "__main__":
    main()
