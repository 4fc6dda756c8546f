"""A remote shell for mpirun: python3 remote.py NODE WORD... runs the words in the member of that name (mpi.name_of)."""

from __future__ import annotations

import os
import socket
import sys
import time

import wire
from place import Place, Refused, place_from_environment

# Between two tries to reach a member that does not listen yet.
PAUSE_SECONDS = 0.2


def main(words: list[str]) -> int:
    try:
        place = place_from_environment(os.environ)
        names = [number for number, word in enumerate(words) if word.startswith("potok-node-")]
        if not names:
            raise Refused(f"none of its members is named by: {' '.join(words)}")
        rank = int(words[names[0]].removeprefix("potok-node-"))
        with _connect(place, rank) as connection:
            wire.send_request(connection, place.token, words[names[0] + 1 :])
            return wire.receive_exit(connection)
    except (Refused, OSError, ValueError) as wrong:
        print(f"distributed step: {wrong}", file=sys.stderr, flush=True)
        return 1


def _connect(place: Place, rank: int) -> socket.socket:
    """For as long as it takes: a member that will not come is Potok's to notice, which ends all then."""
    while True:
        try:
            return socket.create_connection((place.nodes[rank], place.port + rank))
        except ConnectionRefusedError:
            time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
