"""Steps in sandboxes: what they see, how they end, and what is left of them."""

import glob
import os
import pathlib
import subprocess
import unittest

from stack import BIN, StackTest, is_alive, wait_for


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


def why_no_sandbox() -> str:
    """Empty where bubblewrap can make one."""
    try:
        tried = subprocess.run(
            ["bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--dev", "/dev", "true"],
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        return "there is no bwrap"
    return tried.stderr if tried.returncode != 0 else ""


class Sandbox(StackTest):
    UP = ("--agent-flag", "isolation=sandbox")

    @classmethod
    def setUpClass(cls):
        if why_no_sandbox():
            raise unittest.SkipTest(f"no sandbox works on this machine: {why_no_sandbox()}")
        super().setUpClass()

    def submit(self, text: str, name: str | None = None) -> str:
        name = name or self.name
        self.stack.write(f"{name}.yml", text)
        self.stack.potok("job", "create", "-f", f"{name}.yml", "--name", name)
        return name

    def wait_for_word(self, name: str, word: str):
        wait_for(lambda: word in self.stack.potok("job", "logs", "-n", name).stdout, f"{name} says {word}")

    def test_a_step_sees_its_own_files_and_no_others(self):
        victim = self.submit("command: 'echo hidden > potok-secret; echo ready; sleep 600'\n", self.name + "_victim")
        self.wait_for_word(victim, "ready")
        home, state = self.stack.home, self.stack.state
        self.stack.write("data/in.txt", "given\n")
        name = self.submit(
            f"""
command: |
  cat ${{{{inputs.data}}}}/in.txt
  if echo x > ${{{{inputs.data}}}}/in.txt; then echo INPUT WRITTEN; fi
  echo made > ${{{{outputs.out}}}}/made.txt; touch beside; echo own > /tmp/own; echo own > "$TMPDIR/own"
  ls {home} {state} {state}/agents {state}/run {state}/logs {state}/postgres 2>&1 | grep -v 'No such file'
  find / -name potok-secret -not -path '/proc/*' 2>/dev/null
  find / -name '*.sock' 2>/dev/null
  for f in {state}/agents/*/attempts/*/order "$PWD/../order" "$PWD/../state" "$PWD/../log"; do
    if [ -e "$f" ]; then echo "SEEN $f"; fi
  done
  ls -d /proc/[0-9]* | wc -l
  ls /dev | grep nvidia
  exit 3
inputs: {{data: {{type: uri_folder, path: ./data}}}}
outputs: {{out: {{type: uri_folder}}}}
"""
        )
        job = self.stack.wait(name)
        log = self.stack.log(name)
        self.assertEqual(("Failed", 3), (job["status"], job["exit_code"]), log)
        self.assertIn("given", log)
        for wrong in ("INPUT WRITTEN", "hidden", "SEEN", "/potok-secret", ".sock", "nvidia", "server.log"):
            self.assertNotIn(wrong, log)
        self.stack.potok("job", "cancel", "-n", victim)
        self.assertEqual("Canceled", self.stack.wait(victim)["status"])

    def test_outputs_come_out_and_inputs_come_in(self):
        name = self.submit(
            """
type: pipeline
jobs:
  make: {command: 'echo made > ${{outputs.out}}/made.txt', outputs: {out: {type: uri_folder}}}
  take:
    command: 'cat ${{inputs.made}}/made.txt; python3 -c "import json; print(json.dumps(1))"'
    inputs: {made: {type: uri_folder, path: '${{parent.jobs.make.outputs.out}}'}}
"""
        )
        self.assertEqual("Completed", self.stack.wait(name)["status"])
        self.assertEqual("made\n1\n", self.stack.log(name, "--step", "take"))

    def test_a_bomb_is_gone_when_the_step_is_canceled(self):
        mark = f"86{os.getpid()}"
        name = self.submit(
            f"""
command: |
  for i in $(seq 50); do (setsid setsid sleep {mark} &) ; done
  trap 'echo TERM came; exit 0' TERM
  echo ready
  while true; do sleep 0.05; done
"""
        )
        wait_for(lambda: len(pids_of(mark)) >= 50, "the sandbox is full")
        self.wait_for_word(name, "ready")
        self.stack.potok("job", "cancel", "-n", name)
        self.assertEqual("Canceled", self.stack.wait(name)["status"])
        wait_for(lambda: not pids_of(mark), "nothing is left")
        self.assertIn("TERM came", self.stack.log(name))

    def test_orphans_are_gone_when_the_command_has_ended(self):
        mark = f"87{os.getpid()}"
        name = self.submit(f"command: '(setsid sleep {mark} &); echo done'\n")
        self.assertEqual("Completed", self.stack.wait(name)["status"])
        wait_for(lambda: not pids_of(mark), "nothing is left")

    def test_it_survives_the_agent(self):
        name = self.submit("command: 'touch waits; until [ -e go ]; do sleep 0.02; done; echo end'\n")
        (waits,) = wait_for(lambda: glob.glob(f"{self.stack.state}/agents/*/attempts/*/*/waits"), "it runs")
        self.stack.kill("potok-agent")
        wait_for(lambda: self.stack.processes("potok-agent"), "there is another agent")
        pathlib.Path(waits).with_name("go").touch()
        self.assertEqual("Completed", self.stack.wait(name)["status"])
        self.assertIn("end", self.stack.log(name))

    def test_too_much_memory_is_told_as_such(self):
        if not self.stack.json("machine", "list")[0]["isolation"].startswith("cgroup"):
            self.skipTest("memory is not bounded by the kernel here")
        name = self.submit('command: python3 -c "x = bytearray(300 << 20)"\nresources: {memory: 64MiB}\n')
        job = self.stack.wait(name)
        self.assertEqual("Failed", job["status"])
        self.assertIn("out of memory: the step asked 64 MiB", job["reason"])

    def test_a_flag_that_is_no_isolation_is_refused(self):
        tried = subprocess.run(
            [BIN / "potok-agent", "--server=unix:/nowhere", f"--state={self.stack.home}/x", "--isolation=jail"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(2, tried.returncode)
        self.assertIn("--isolation=jail: must be sandbox or none", tried.stderr)


if __name__ == "__main__":
    unittest.main()
