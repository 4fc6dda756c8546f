"""Starts this machine's processes of a distributed step: python3 potok_ranks COMMAND...

What it needs is in the variables that the agent sets (docs/language.md, "Several machines at once"). Exit code: that of
the first process that failed, or 0; 2 if what was asked for cannot be done.
"""

from __future__ import annotations

import os
import sys

import mpi
import processes
from place import Refused, place_from_environment

EXIT_REFUSED = 2


def main(command: list[str]) -> int:
    try:
        place = place_from_environment(os.environ)
        if place.distribution != "mpi":
            return processes.run(command, place)
        return mpi.launch(command, place) if place.rank == 0 else mpi.serve(command, place)
    except Refused as refused:
        print(f"distributed step: {refused}", file=sys.stderr, flush=True)
        return EXIT_REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
