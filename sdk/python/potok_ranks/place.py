"""Which member of a distributed step this machine is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping


class Refused(Exception):
    """What was asked for cannot be done; the message is for the user."""


@dataclass(frozen=True)
class Place:
    distribution: str  # "pytorch", "mpi"
    rank: int  # of this machine
    nodes: tuple[str, ...]  # addresses of all machines, by rank; one address may be there twice
    port: int  # on the machine of rank 0; the machine of rank N may use the N-th after it
    processes: int  # on each machine
    token: str  # a secret of the members


def place_from_environment(environment: Mapping[str, str]) -> Place:
    try:
        return Place(
            distribution=environment["POTOK_DISTRIBUTION"],
            rank=int(environment["POTOK_NODE_RANK"]),
            nodes=tuple(environment["POTOK_NODES"].split(",")),
            port=int(environment["POTOK_NODE_PORT"]),
            processes=int(environment["POTOK_PROCESSES"]),
            token=environment["POTOK_GANG_TOKEN"],
        )
    except (KeyError, ValueError) as wrong:
        raise Refused(f"the agent's variables are missing or wrong: {wrong}") from wrong
