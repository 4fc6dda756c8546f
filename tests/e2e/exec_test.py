"""Commands beside steps that run: where they run, who may, how they end, and what is left of them."""

import contextlib
import os
import signal
import subprocess
import unittest

from runtimes_test import why_no_sandbox
from stack import BIN, StackTest, pids_of, wait_for
from terminal_test import Terminal


class WaitingSteps(StackTest):
    """What the classes below share; it has no tests."""

    def submit(self, text: str) -> str:
        self.stack.write(f"{self.name}.yml", text)
        self.stack.potok("job", "create", "-f", f"{self.name}.yml", "--name", self.name)
        return self.name

    def wait_for_word(self, name: str, word: str, *step: str):
        wait_for(lambda: word in self.stack.potok("job", "logs", "-n", name, *step).stdout, f"{name} says {word}")

    def exec(self, *words: str, **more) -> subprocess.CompletedProcess:
        return self.stack.potok("job", "exec", *words, check=False, **more)

    def run_waiting(self, more: str = "") -> str:
        """A run of one step that waits until a file is there; equal to no other."""
        name = self.submit(f"command: 'echo ready; until [ -e go ]; do sleep 0.1; done; cat go; : {self.name}'\n{more}")
        self.wait_for_word(name, "ready")
        return name

    def end(self, name: str):
        told = self.exec(name, "--", "touch", "go")
        self.assertEqual(0, told.returncode, told.stderr)
        self.assertEqual("Completed", self.stack.wait(name)["status"])


class Beside(WaitingSteps):
    def test_it_runs_in_the_folder_with_the_environment_and_what_it_writes_is_seen(self):
        name = self.run_waiting("environment_variables: {DEPTH: '3 of 4'}\n")
        told = self.exec("-n", name, "--", "sh", "-c", 'pwd; echo "$DEPTH"; echo "$AZUREML_RUN_ID"; echo bad >&2; exit 7')
        self.assertEqual(7, told.returncode, told.stderr)
        folder, depth, run, *_ = told.stdout.splitlines()
        self.assertRegex(folder, r"/attempts/[^/]+/work$")
        self.assertEqual(["3 of 4", name], [depth, run])
        self.assertEqual("bad\n", told.stderr)
        self.assertEqual(0, self.exec("-n", name, "--", "sh", "-c", "echo from beside > made; mv made go").returncode)
        self.assertEqual("Completed", self.stack.wait(name)["status"])
        self.assertIn("from beside", self.stack.log(name))

    def test_bytes_go_both_ways_whole(self):
        name = self.run_waiting()
        sent = os.urandom(3_000_000)
        copied = subprocess.run(
            [BIN / "potok", "job", "exec", name, "--", "cat"],
            env=self.stack.environment,
            input=sent,
            capture_output=True,
            timeout=120,
        )
        self.assertEqual((0, b""), (copied.returncode, copied.stderr))
        self.assertTrue(sent == copied.stdout)
        # A command that does not read its input does not hold the caller up.
        given = subprocess.run(
            [BIN / "potok", "job", "exec", name, "--", "true"],
            env=self.stack.environment,
            input=sent,
            capture_output=True,
            timeout=120,
        )
        self.assertEqual(0, given.returncode)
        self.end(name)

    def test_a_shell_has_a_terminal_of_the_right_size_that_changes_with_the_callers(self):
        name = self.run_waiting()
        terminal = Terminal(self.stack, "job", "exec", "-n", name, columns=91, rows=33)
        with contextlib.closing(terminal):
            terminal.read_until(lambda text: "it ends with the step" in text, "the machine is named")
            terminal.press("stty size; tty; echo $TERM\n")
            terminal.read_until(lambda text: "33 91" in text and "/dev/pts/" in text and "\nxterm" in text, "its size")
            terminal.resize(120, 40)
            terminal.press("until [ \"$(stty size)\" = '40 120' ]; do sleep 0.1; done; echo re''sized\n")
            terminal.read_until(lambda text: "resized" in text, "its new size")
            terminal.press("sleep 86410\n")
            wait_for(lambda: pids_of("86410"), "what was typed runs")
            terminal.press("\x03")  # is the command's
            wait_for(lambda: not pids_of("86410"), "it is interrupted")
            terminal.press("exit 9\n")
            self.assertEqual(9, terminal.program.wait(60))
        self.end(name)

    def test_it_ends_with_its_caller(self):
        name = self.run_waiting()
        caller = self.stack.start("job", "exec", name, "--", "sh", "-c", "sleep 86411 & trap '' HUP; sleep 86412")
        wait_for(lambda: pids_of("86411") and pids_of("86412"), "it runs")
        caller.send_signal(signal.SIGKILL)
        caller.communicate()
        wait_for(lambda: not pids_of("86411") and not pids_of("86412"), "it is ended, and what it started")
        self.assertEqual("Running", self.stack.status(name))
        self.end(name)

    def test_it_ends_with_the_step_and_leaves_nothing(self):
        name = self.run_waiting()
        caller = self.stack.start("job", "exec", name, "--", "sh", "-c", "trap '' HUP TERM; sleep 86413 & sleep 86414")
        wait_for(lambda: pids_of("86413") and pids_of("86414"), "it runs")
        self.end(name)
        caller.communicate(timeout=60)
        # Either its own end was seen, or it was gone with all of the step.
        self.assertIn(caller.returncode, (1, 137))
        wait_for(lambda: not pids_of("86413") and not pids_of("86414"), "nothing is left")

    def test_ctrl_c_reaches_a_command_without_a_terminal(self):
        name = self.run_waiting()
        caller = self.stack.start("job", "exec", name, "--", "sh", "-c", "trap 'echo caught; exit 5' INT; echo on; sleep 86415 & wait")
        self.assertEqual(b"on\n", caller.stdout.readline())
        caller.send_signal(signal.SIGINT)
        out, err = caller.communicate(timeout=60)
        self.assertEqual((5, b"caught\n"), (caller.returncode, out), err)
        self.end(name)

    def test_what_cannot_be_is_said(self):
        name = self.submit(
            """
type: pipeline
jobs:
  first: {command: 'echo ready; until [ -e go ]; do sleep 0.1; done'}
  second: {command: 'true'}
"""
        )
        self.wait_for_word(name, "ready", "--step", "first")
        cases = [
            (("nobody", "first"), 1, "there is no run 'nobody'"),
            ((name, "third"), 1, "no step 'third'"),
            ((name,), 2, "say which one"),
            ((name, "second"), 1, "has ended"),
            ((name, "first", "--", "no-such-program"), 1, "no-such-program cannot be executed: No such file"),
            ((name, "first", "--", "/etc/passwd"), 1, "cannot be executed: Permission denied"),
            ((name, "first", "--"), 2, 'no command behind "--"'),
            ((name, "first", "more"), 2, "one run and one step"),
            ((), 2, "one run and one step"),
        ]
        wait_for(lambda: self.stack.step_status(name, "second") == "Completed", "the second ends")
        for words, code, text in cases:
            with self.subTest(words=words):
                told = self.exec(*words)
                self.assertIn(text, told.stderr)
                self.assertEqual(code, told.returncode)
        self.exec(name, "first", "--", "touch", "go")
        self.assertEqual("Completed", self.stack.wait(name)["status"])

    def test_only_who_submitted_may(self):
        if os.geteuid() != 0:
            self.skipTest("another user can only be played by root")
        name = self.run_waiting()
        server = self.stack.json("status")["server"]
        other = subprocess.run(
            ["setpriv", "--reuid=nobody", "--inh-caps=+dac_override", "--ambient-caps=+dac_override", BIN / "potok", "job", "exec", "--server", server, name, "--", "id"],
            env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
            capture_output=True,
            text=True,
        )
        self.assertEqual(1, other.returncode, other.stderr)
        self.assertIn("was submitted by root", other.stderr)
        self.assertIn("you are nobody", other.stderr)
        self.end(name)

    def test_the_limits_of_the_step_hold_for_it(self):
        if self.stack.json("machine", "list")[0].get("isolation", "none") == "none":
            self.skipTest("no limits are kept on this machine")
        name = self.run_waiting("resources: {memory: 64MiB}\n")
        told = self.exec(name, "--", "python3", "-c", "x = bytearray(200 << 20); print(len(x))")
        self.assertEqual(137, told.returncode, told.stdout + told.stderr)
        self.assertEqual("Running", self.stack.status(name))
        self.end(name)

    def test_it_works_again_after_the_agent_was_killed(self):
        name = self.run_waiting("environment_variables: {DEPTH: '5'}\n")
        caller = self.stack.start("job", "exec", name, "--", "sh", "-c", "sleep 86416; true")
        wait_for(lambda: pids_of("86416"), "it runs")
        self.stack.kill("potok-agent")
        _, err = caller.communicate(timeout=60)
        self.assertEqual(1, caller.returncode)
        self.assertIn("was lost", err.decode())
        wait_for(lambda: not pids_of("86416"), "it is ended")

        def told():
            again = self.exec(name, "--", "sh", "-c", "echo $DEPTH")
            return again.stdout if again.returncode == 0 else ""

        self.assertEqual("5\n", wait_for(told, "the next agent takes it up"))
        self.end(name)


class InSandboxes(WaitingSteps):
    UP = ("--agent-flag", "isolation=sandbox")

    @classmethod
    def setUpClass(cls):
        if why_no_sandbox():
            raise unittest.SkipTest(f"no sandbox works on this machine: {why_no_sandbox()}")
        super().setUpClass()

    def test_it_sees_what_the_step_sees(self):
        self.submit("command: 'echo own > /tmp/own; echo ready; until [ -e go ]; do sleep 0.1; done'\n")
        self.wait_for_word(self.name, "ready")
        look = f"cat /tmp/own; cat /proc/1/cmdline | tr '\\0' ' ' | cut -c1-20; test -e {self.stack.home}/{self.name}.yml && echo SEEN; grep CapBnd /proc/self/status; grep NoNewPrivs /proc/self/status"
        told = self.exec(self.name, "--", "sh", "-c", look).stdout
        self.assertIn("own\n", told)
        self.assertIn("bwrap", told)
        self.assertNotIn("SEEN", told)
        self.assertRegex(told, r"CapBnd:\s+0+\n")
        self.assertRegex(told, r"NoNewPrivs:\s+1\n")
        terminal = Terminal(self.stack, "job", "exec", self.name)
        with contextlib.closing(terminal):
            terminal.read_until(lambda text: "it ends with the step" in text, "it begins")
            terminal.press("tty\n")
            terminal.read_until(lambda text: "/dev/pts/0" in text, "its own terminal")
            terminal.press("touch go; sleep 86417\n")
            # Either its own end was seen, or it was gone with all of the step.
            self.assertIn(terminal.program.wait(60), (1, 137))
        self.assertEqual("Completed", self.stack.wait(self.name)["status"])


class Denied(WaitingSteps):
    UP = ("--agent-flag", "exec=deny")

    def test_an_agent_may_deny_it(self):
        self.run_waiting()
        told = self.exec(self.name, "--", "id")
        self.assertEqual(1, told.returncode)
        self.assertIn("--exec=deny", told.stderr)
        self.stack.potok("job", "cancel", "-n", self.name)
        self.assertEqual("Canceled", self.stack.wait(self.name)["status"])


if __name__ == "__main__":
    unittest.main()
