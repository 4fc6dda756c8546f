"""A Potok of its own for a test: the real programs, a private PostgreSQL, a folder that is removed at the end."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ["POTOK_BIN"])
ROOT = pathlib.Path(__file__).resolve().parents[2]


def wait_for(condition, what: str, seconds: float = 60):
    """The condition's first true value; fails after a time that is only reached when something is broken."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Stack:
    """`potok up` in a temporary home."""

    def __init__(self, *up_arguments: str):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="potok-e2e-", dir="/tmp"))
        self.environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "POTOK_HOME": str(self.home / "p"),
            "LC_ALL": "C.UTF-8",
        }
        self.up_arguments = up_arguments

    def __enter__(self):
        # PostgreSQL runs as a user of its own when the test is root, and must be able to pass through.
        self.home.chmod(0o755)
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            for log in sorted((self.home / "p" / "logs").glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-4000:]}")
        self.potok("down", check=False)
        shutil.rmtree(self.home, ignore_errors=True)

    def up(self):
        return self.potok("up", *self.up_arguments)

    def potok(self, *arguments: str, check: bool = True, cwd=None, timeout: float = 300):
        result = subprocess.run(
            [BIN / "potok", *arguments],
            env=self.environment,
            cwd=cwd or self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=timeout,
        )
        result.stdout = result.stdout.decode(errors="replace")
        result.stderr = result.stderr.decode(errors="replace")
        if check and result.returncode != 0:
            raise AssertionError(
                f"potok {' '.join(arguments)} ended with {result.returncode}\n{result.stdout}\n{result.stderr}"
            )
        return result

    def start(self, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            [BIN / "potok", *arguments],
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def show(self, name: str) -> dict:
        return json.loads(self.potok("job", "show", "-n", name, "-o", "json").stdout)

    def write(self, name: str, text: str) -> str:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def processes(self, program: str) -> list[int]:
        """Process ids of a program of this stack, by its executable and its home: never another's."""
        found = []
        for folder in pathlib.Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                line = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            name = os.path.basename(line[0].decode(errors="replace"))
            if name == program and any(str(self.home).encode() in part for part in line[1:]):
                found.append(int(folder.name))
        return sorted(found)

    def kill(self, program: str, which: int = 0) -> int:
        pid = wait_for(lambda: self.processes(program), f"{program} runs")[which]
        os.kill(pid, signal.SIGKILL)
        return pid


class StackTest(unittest.TestCase):
    """One stack for all tests of a class; UP are arguments of `potok up`."""

    UP: tuple[str, ...] = ()
    stack: Stack

    @classmethod
    def setUpClass(cls):
        cls.stack = Stack(*cls.UP)
        cls.addClassCleanup(lambda: cls.stack.__exit__(None, None, None))
        cls.stack.__enter__()
        cls.stack.up()
