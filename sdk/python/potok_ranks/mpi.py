"""Open MPI's mpirun over the members of a step: rank 0 runs it, the others wait for its daemons.

mpirun starts its daemon on another machine by a remote shell. Ours (remote.py) needs no account there: it asks the
member that runs on that machine, which listens while the step runs and knows the step's token.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

import wire
from place import Place, Refused

# A member whose machine is slow to fetch its inputs joins late; nobody waits for one that has failed: Potok ends all.
JOIN_SECONDS = 3600.0


def launch(command: list[str], place: Place) -> int:
    """mpirun, with the command on every machine as often as the step says; its exit code."""
    mpirun = shutil.which("mpirun")
    if mpirun is None:
        raise Refused("there is no mpirun in PATH; install Open MPI (Debian: openmpi-bin) where MPI steps run, or name its folder in --step_path")
    version = subprocess.run([mpirun, "--version"], capture_output=True, text=True, check=False).stdout
    if "Open MPI" not in version:
        raise Refused(f"{mpirun} is not Open MPI's, but: {version.strip().splitlines()[0] if version.strip() else 'silent'}")
    remote = pathlib.Path(__file__).with_name("remote.py")
    slots = ",".join(f"{name_of(rank)}:{place.processes}" for rank in range(len(place.nodes)))
    words = [mpirun, "-np", str(len(place.nodes) * place.processes), "-H", slots, "--bind-to", "none", "-wdir", "/"]
    words += ["--mca", "plm_rsh_agent", f"{sys.executable} {remote}", "--mca", "plm", "rsh", "--mca", "orte_keep_fqdn_hostnames", "1"]
    # Attempts have folders of their own on every machine, and so have their scripts.
    words += ["/bin/sh", "-c", 'cd "$POTOK_WORK" && exec "$@" "$POTOK_SCRIPT"', "sh", *command[:-1]]
    child = subprocess.Popen(words, env=_environment(command))
    _pass_on_sigterm(child)
    return _code(child.wait())


def serve(command: list[str], place: Place) -> int:
    """Waits for rank 0 to ask for its daemon, runs that, and answers with its exit code."""
    with socket.create_server(("", place.port + place.rank), reuse_port=False) as listener:
        deadline = time.monotonic() + JOIN_SECONDS
        while time.monotonic() < deadline:
            listener.settimeout(max(0.1, deadline - time.monotonic()))
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                break
            with connection:
                words = wire.receive_request(connection, place.token)
                if words is None:
                    continue
                return _serve(connection, words, command)
    raise Refused(f"rank 0 did not start its daemon here within {JOIN_SECONDS:.0f} seconds")


def name_of(rank: int) -> str:
    """The name that mpirun knows a member by; rank 0 is where it runs itself."""
    return "localhost" if rank == 0 else f"potok-node-{rank}"


def _environment(command: list[str]) -> dict[str, str]:
    """Of this machine's processes, and of the daemon that starts them."""
    own = {"POTOK_WORK": os.getcwd(), "POTOK_SCRIPT": command[-1]}
    if os.geteuid() == 0:  # the agent's user is not Open MPI's business
        own.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    return {**os.environ, **own}


def _serve(connection: socket.socket, words: list[str], command: list[str]) -> int:
    daemon = subprocess.Popen(["/bin/sh", "-c", " ".join(words)], env=_environment(command), stdin=subprocess.DEVNULL)
    _pass_on_sigterm(daemon)
    code = _code(daemon.wait())
    wire.send_exit(connection, code)
    return code


def _pass_on_sigterm(child: subprocess.Popen[bytes]) -> None:
    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)


def _code(returncode: int) -> int:
    return returncode if returncode >= 0 else 128 - returncode
