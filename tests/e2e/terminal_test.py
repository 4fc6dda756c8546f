"""What a person sees on a terminal: live screens, colours and widths, names completed from the server."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

from stack import BIN, StackTest, wait_for

SECOND_SCREEN = "\x1b[?1049h"
FIRST_SCREEN = "\x1b[?1049l"
FOOTER = "q: leave"


class Terminal:
    """A program on a pseudo terminal."""

    def __init__(self, stack, *arguments: str, columns: int = 100, rows: int = 30, **environment: str):
        self.keyboard, terminal = pty.openpty()
        self.resize(columns, rows)
        self.program = subprocess.Popen(
            [BIN / "potok", *arguments],
            env={**stack.environment, "TERM": "xterm", **environment},
            cwd=stack.home,
            stdin=terminal,
            stdout=terminal,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.close(terminal)
        self.text = ""

    def resize(self, columns: int, rows: int):
        fcntl.ioctl(self.keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: str):
        os.write(self.keyboard, keys.encode())

    def read_until(self, condition, what: str, seconds: float = 120) -> str:
        """All that was written, once the condition holds for it."""
        deadline = time.monotonic() + seconds
        while not condition(self.text):
            ready, _, _ = select.select([self.keyboard], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"not within {seconds} s: {what}\n{self.text[-3000:]!r}")
            try:
                self.text += os.read(self.keyboard, 65536).decode(errors="replace")
            except OSError:  # the program has ended
                if not condition(self.text):
                    raise AssertionError(f"it ended before: {what}\n{self.text[-3000:]!r}") from None
        return self.text

    def frame(self) -> str:
        """What is on the screen: the last frame that is whole, without colours."""
        whole = [part for part in self.text.split("\x1b[H") if FOOTER in part]
        return re.sub(r"\x1b\[[0-9;]*[mKJ]", "", whole[-1]) if whole else ""

    def columns(self) -> int:
        return max(len(line) for line in self.frame().split("\r\n"))

    def end(self) -> int:
        with contextlib.suppress(OSError):
            while part := os.read(self.keyboard, 65536):
                self.text += part.decode(errors="replace")
        return self.program.wait(timeout=60)

    def close(self):
        self.program.kill()
        self.program.wait()
        os.close(self.keyboard)


class TerminalTest(StackTest):
    UP = ("--agent-cpus=2", "--agent-memory=2GiB")

    def terminal(self, *arguments: str, **options) -> Terminal:
        terminal = Terminal(self.stack, *arguments, **options)
        self.addCleanup(terminal.close)
        return terminal

    def start_run(self, name: str):
        """Two different steps of which one fits at a time, and one that waits for them; they go on until a file is there."""
        go_on = self.stack.path(f"go_on_{name}")
        wait = f"until [ -e {go_on} ]; do sleep 0.05; done"
        file = self.stack.write(
            f"{name}.yml",
            "type: pipeline\njobs:\n"
            + "".join(
                f"  {step}:\n    command: '{wait}; echo {step}'\n    outputs: {{o: {{type: uri_folder}}}}\n"
                "    resources: {memory: 1.5GiB}\n"
                for step in ("one", "two")
            )
            + "  last:\n    command: ls ${{inputs.a}} ${{inputs.b}}\n"
            "    inputs: {a: '${{parent.jobs.one.outputs.o}}', b: '${{parent.jobs.two.outputs.o}}'}\n",
        )
        self.stack.potok("job", "create", "-f", file, "-n", name, "-o", "none")
        self.addCleanup(self.stack.wait, name)
        self.addCleanup(go_on.touch)
        return go_on

    def test_top_of_a_run_follows_it_and_q_leaves(self):
        go_on = self.start_run(self.name)
        top = self.terminal("job", "top", "-n", self.name)
        top.read_until(lambda _: "Running" in top.frame() and "waits: " in top.frame(), "one step runs, one waits")
        self.assertIn(SECOND_SCREEN, top.text)
        self.assertIn("last", top.frame())
        go_on.touch()
        top.read_until(lambda _: f"{self.name}  Completed  3/3" in top.frame(), "the run has ended")
        self.assertIsNone(top.program.poll())
        top.press("q")
        self.assertEqual(top.end(), 0)
        self.assertTrue(top.text.endswith(FIRST_SCREEN))

    def test_top_of_the_cluster_shows_machines_queues_and_steps(self):
        self.start_run(self.name)
        top = self.terminal("job", "top")
        top.read_until(
            lambda _: "1 steps running, 1 queued, 1 not started" in top.frame() and "1 of 1 machines" in top.frame(),
            "the queue is shown",
        )
        self.assertRegex(top.frame(), rf"\n\S+ +{self.name} +(one|two) +(Preparing|Running)")
        top.press("x")
        top.resize(50, 12)
        top.read_until(lambda _: top.columns() <= 50, "it is as narrow as the screen")
        self.assertLessEqual(len(top.frame().split("\r\n")), 12)
        os.killpg(top.program.pid, signal.SIGINT)
        self.assertEqual(top.end(), 0)
        self.assertTrue(top.text.endswith(FIRST_SCREEN))

    def test_top_prints_one_frame_where_there_is_no_terminal(self):
        self.start_run(self.name)
        wait_for(lambda: self.stack.status(self.name) == "Running", "it runs")
        shown = self.stack.potok("job", "top").stdout
        self.assertIn(f"\n{self.name} ", shown)
        self.assertNotIn("\x1b", shown)
        one = self.stack.potok("job", "top", "-n", self.name).stdout
        self.assertTrue(one.startswith(f"{self.name}  Running  0/3  "), one)
        self.assertEqual(self.stack.potok("job", "top", "-n", "nobody", check=False).returncode, 1)

    def test_tables_are_coloured_and_cut_for_people_only(self):
        name = "a_name_that_is_much_too_long_for_a_narrow_terminal"
        file = self.stack.write("quick.yml", "type: command\ncommand: 'true'\n")
        self.stack.potok("job", "create", "-f", file, "-n", name, "-o", "none")
        self.stack.wait(name)
        listing = ("job", "list", "--name-prefix", name)
        narrow = self.terminal(*listing, columns=60)
        self.assertEqual(narrow.end(), 0)
        self.assertIn("\x1b[32mComplet", narrow.text)
        self.assertIn("…", narrow.text)
        lines = re.sub(r"\x1b\[\d*m", "", narrow.text).split("\r\n")
        self.assertLessEqual(max(map(len, lines)), 60)
        for plain in (("--color", "never"), ("-o", "json"), ("-o", "tsv", "--query", "[].name")):
            terminal = self.terminal(*listing, *plain, columns=60)
            self.assertEqual(terminal.end(), 0)
            self.assertNotIn("\x1b", terminal.text)
        quiet = self.terminal(*listing, NO_COLOR="1")
        quiet.end()
        self.assertNotIn("\x1b", quiet.text)
        piped = self.stack.potok(*listing).stdout
        self.assertIn(name, piped)
        self.assertNotIn("\x1b", piped)
        self.assertIn("\x1b[32mCompleted\x1b[0m", self.stack.potok(*listing, "--color=always").stdout)

    def test_bash_completes_names_from_the_server(self):
        file = self.stack.write("named.yml", "type: pipeline\njobs: {first_step: {command: 'true'}, second: {command: 'true'}}\n")
        for name in ("complete_a", "complete_b", "other"):
            self.stack.potok("job", "create", "-f", file, "-n", name, "-o", "none")
        machine = self.stack.json("machine", "list")[0]["name"]
        for line, words in (
            ("job show -n comp", ["complete_a", "complete_b"]),
            ("job list -p oth", ["other"]),
            ("machine show --name=", [machine]),
            ("job logs -n other --step first", ["first_step"]),
        ):
            shown = self.stack.potok("complete", "--", *line.split(" ")).stdout
            found = sorted(row.split("\t")[0].removeprefix("--name=") for row in shown.splitlines())
            self.assertEqual(found, words, line)
        for name in ("complete_a", "complete_b", "other"):
            self.stack.wait(name)


if __name__ == "__main__":
    unittest.main()
