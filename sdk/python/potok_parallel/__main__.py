"""Runs a parallel step: python3 potok_parallel --settings JSON --input PATH [--append-to PATH] -- ARGUMENTS...

The files of PATH go in mini-batches to run() of the entry script, in processes of their own. Exit code 0: done within
the thresholds; 1: more failed than they allow; 2: what was asked for cannot be done.
"""

from __future__ import annotations

import argparse
import sys
import time

from batches import Batches, split
from pool import Pool, Tally, TooManyFailures
from rows import Rows
from settings import Refused, Settings, settings_from_json, take_switches

EXIT_FAILED = 1
EXIT_REFUSED = 2


def main(words: list[str]) -> int:
    options, settings, arguments = _read_command_line(words)
    try:
        arguments = take_switches(settings, arguments)
        batches = split(options.input, settings)
        return _run(batches, settings, arguments, options.append_to)
    except Refused as refused:
        print(f"parallel step: {refused}", file=sys.stderr, flush=True)
        return EXIT_REFUSED


def _read_command_line(words: list[str]) -> tuple[argparse.Namespace, Settings, list[str]]:
    dashes = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(prog="potok_parallel")
    parser.add_argument("--settings", required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--append-to")
    options = parser.parse_args(words[:dashes])
    return options, settings_from_json(options.settings), words[dashes + 1 :]


def _run(batches: Batches, settings: Settings, arguments: list[str], append_to: str | None) -> int:
    count = len(batches.batches)
    processes = min(settings.workers, count)
    print(f"{batches.items} {batches.unit} in {count} mini-batches for {processes} processes", flush=True)
    began = time.monotonic()
    rows = Rows(append_to)
    pool = Pool(batches, settings, arguments, rows.keep)
    failure = None
    try:
        pool.run()
    except TooManyFailures as too_many:
        failure = too_many
    finally:
        rows.close()
    print(_summary(batches, pool.tally, time.monotonic() - began), flush=True)
    if failure is None:
        return 0
    print(f"parallel step: {failure}", file=sys.stderr, flush=True)
    return EXIT_FAILED


def _summary(batches: Batches, tally: Tally, seconds: float) -> str:
    left = len(batches.batches) - tally.ended
    return (
        f"{tally.completed} of {len(batches.batches)} mini-batches completed, {tally.failed} failed "
        f"({tally.failed_items} of {batches.items} {batches.unit}){f', {left} did not run' if left else ''}; "
        f"{tally.retries} retries, {seconds:.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
