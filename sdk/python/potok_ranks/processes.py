"""Several processes of one command, which end together."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from types import FrameType

from place import Place

# Between SIGTERM and SIGKILL for those that are left when one has failed.
GRACE_SECONDS = 5.0


def run(command: list[str], place: Place) -> int:
    """The command once for each local rank, with the variables of torch.distributed."""
    started = [subprocess.Popen(command, env=_environment(place, local), start_new_session=True) for local in range(place.processes)]

    def pass_on(number: int, _frame: FrameType | None) -> None:
        for process in started:
            _signal(process, number)

    signal.signal(signal.SIGTERM, pass_on)
    return _wait(started)


def _environment(place: Place, local: int) -> dict[str, str]:
    rank = place.rank * place.processes + local
    own = {"RANK": str(rank), "LOCAL_RANK": str(local), "AZUREML_PROCESS_NAME": f"rank_{rank}"}
    return {**os.environ, **own}


def _wait(started: list[subprocess.Popen[bytes]]) -> int:
    """The exit code of the first that fails; the others are ended then."""
    left = {process.pid: process for process in started}
    while left:
        pid, status = os.wait()
        process = left.pop(pid, None)
        if process is None:
            continue
        process.returncode = code = os.waitstatus_to_exitcode(status)
        if code != 0:
            _end(list(left.values()))
            return code if code > 0 else 128 - code
    return 0


def _end(left: list[subprocess.Popen[bytes]]) -> None:
    for process in left:
        _signal(process, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    for process in left:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
