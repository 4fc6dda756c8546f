"""A Potok of its own for a test: the real programs, a private PostgreSQL, a folder that is removed at the end."""

import atexit
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ["POTOK_BIN"])
ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = pathlib.Path(__file__).resolve().parent / "cases"
PROGRAMS = ("potok", "potok-server", "potok-agent", "postgres")
ENDED = {"Completed", "Failed", "Canceled"}
SANITIZER = "Sanitizer: "  # in every report of one


def wait_for(condition, what: str, seconds: float = 90):
    """The condition's first true value; fails after a time that is only reached when something is broken."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and was not waited for does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def pids_of(word: str) -> list[int]:
    """Processes of this machine with the word among their arguments."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if word.encode() in words and is_alive(int(folder.name)):
            found.append(int(folder.name))
    return found


class Stack:
    """`potok up` in a temporary home."""

    def __init__(self, *up_arguments: str):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="potok-e2e-", dir="/tmp"))
        # PostgreSQL runs as a user of its own when the test is root, and must be able to pass through.
        self.home.chmod(0o755)
        self.state = self.home / "p"
        self.environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "POTOK_HOME": str(self.state),
            "LC_ALL": "C.UTF-8",
            **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")},
        }
        self.up_arguments = up_arguments
        # Also when the test is interrupted: SIGTERM then ends it as Ctrl-C does.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        atexit.register(self.close)

    def close(self):
        """Stops and removes all of it, whatever state it is in. May be called again."""
        atexit.unregister(self.close)
        try:
            self.potok("down", check=False, timeout=200)
        finally:
            # `down` leaves running steps to the agent that comes next; here none does.
            for pid in self._processes_at_home():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            found = self._sanitizer_reports()
            shutil.rmtree(self.home, ignore_errors=True)
        if found:
            raise AssertionError(found)

    def _sanitizer_reports(self) -> str:
        """What the programs wrote in the logs, if they were built with a sanitizer and it found something."""
        logs = [log.read_text(errors="replace") for log in (self.state / "logs").glob("*.log")]
        return "\n".join(log[-20000:] for log in logs if SANITIZER in log)

    def up(self):
        return self.potok("up", "--timeout=240", *self.up_arguments, timeout=300)

    def down(self):
        return self.potok("down")

    def potok(self, *arguments: str, check: bool = True, cwd=None, timeout: float = 300):
        """The finished client, its output as text."""
        command = [BIN / "potok", *arguments]
        try:
            result = subprocess.run(
                command,
                env=self.environment,
                cwd=cwd or self.home,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as late:
            raise AssertionError(
                f"potok {' '.join(arguments)} has not ended after {timeout} s\n{late.stdout}\n{late.stderr}"
            ) from None
        result.stdout = result.stdout.decode(errors="replace")
        result.stderr = result.stderr.decode(errors="replace")
        if SANITIZER in result.stderr:
            raise AssertionError(f"potok {' '.join(arguments)}\n{result.stderr}")
        if check and result.returncode != 0:
            raise AssertionError(
                f"potok {' '.join(arguments)} ended with {result.returncode}\n{result.stdout}\n{result.stderr}"
            )
        return result

    def start(self, *arguments: str, stdout=subprocess.PIPE) -> subprocess.Popen:
        """The running client."""
        return subprocess.Popen(
            [BIN / "potok", *arguments],
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )

    def json(self, *arguments: str):
        return json.loads(self.potok(*arguments, "-o", "json").stdout)

    def show(self, name: str) -> dict:
        return self.json("job", "show", "-n", name)

    def status(self, name: str) -> str:
        return self.show(name)["status"]

    def step_status(self, name: str, step: str) -> str:
        return self.show(name)["jobs"][step]["status"]

    def wait(self, name: str, timeout: float = 300) -> dict:
        """The run once it has ended."""
        self.potok("job", "wait", "-n", name, check=False, timeout=timeout)
        job = self.show(name)
        if job["status"] not in ENDED:
            raise AssertionError(f"`potok job wait` returned while the run {name} was {job['status']}")
        return job

    def log(self, name: str, *arguments: str) -> str:
        """The whole log of a step that has ended: followed, since its last bytes may arrive after its end."""
        return self.potok("job", "logs", "-n", name, "-f", *arguments, timeout=60).stdout

    def path(self, name: str) -> pathlib.Path:
        return self.home / name

    def write(self, name: str, text: str) -> str:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def supervisor(self) -> int | None:
        found = [pid for pid, line in self._own_processes("potok") if line[1:2] == [b"supervise"]]
        return found[0] if found else None

    def processes(self, program: str) -> list[int]:
        """Process ids of a program of this stack, by its executable and its home: never another's."""
        return sorted(pid for pid, _ in self._own_processes(program))

    def _own_processes(self, program: str):
        for folder in pathlib.Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                line = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            name = os.path.basename(line[0].decode(errors="replace"))
            if name == program and any(str(self.home).encode() in part for part in line[1:]):
                yield int(folder.name), line

    def kill(self, program: str, which: int = 0) -> int:
        """kill -9, and waits until the process is gone."""
        pid = wait_for(lambda: self.processes(program), f"{program} runs")[which]
        return self.kill_process(pid)

    def kill_process(self, pid: int) -> int:
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not is_alive(pid), f"process {pid} is gone")
        return pid

    def _processes_at_home(self) -> list[int]:
        found = []
        for folder in pathlib.Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and (folder / "cwd").readlink().is_relative_to(self.home):
                    found.append(int(folder.name))
            except OSError:
                continue
        return found + [pid for program in PROGRAMS for pid in self.processes(program)]

    def print_logs(self):
        for log in sorted((self.state / "logs").glob("*.log")):
            print(f"--- {log.name}\n{log.read_text(errors='replace')[-4000:]}", file=sys.stderr)


class StackTest(unittest.TestCase):
    """One stack for all tests of a class; UP are arguments of `potok up`, None: it is not brought up."""

    UP: tuple[str, ...] | None = ()
    stack: Stack

    @classmethod
    def start_agent(cls, name: str, *flags: str) -> subprocess.Popen:
        """One more machine beside that of `potok up`, until the class is done; its log is with those of the stack."""
        with (cls.stack.state / "logs" / f"agent-{name}.log").open("wb") as log:
            agent = subprocess.Popen(
                [
                    BIN / "potok-agent",
                    f"--server=unix:{cls.stack.state}/server.sock",
                    f"--name={name}",
                    f"--state={cls.stack.home}/agents/{name}",
                    "--on-stop=kill",
                    *flags,
                ],
                env=cls.stack.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        cls.addClassCleanup(agent.wait)
        cls.addClassCleanup(agent.terminate)
        return agent

    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(*(cls.UP or ()))
        cls.addClassCleanup(cls.stack.close)
        if cls.UP is not None:
            cls.stack.up()

    def run(self, result=None):
        """With the ends of the programs' logs, when the test failed."""
        result = result if result is not None else self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"\n=== {self.id()} failed", file=sys.stderr)
            self.stack.print_logs()
        return result

    @property
    def name(self) -> str:
        """A run's name that only this test uses."""
        return self._testMethodName.removeprefix("test_")
