"""Steps in sandboxes, all of an agent or single ones: what they see, how they end, and what is left of them."""

import glob
import os
import pathlib
import subprocess
import unittest

from stack import BIN, StackTest, pids_of, wait_for


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


class SingleSteps(StackTest):
    """Of an agent that runs commands on the machine itself unless a step asks for something else."""

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

    def refuse(self, text: str) -> str:
        self.stack.write("bad.yml", text)
        result = self.stack.potok("job", "create", "-f", "bad.yml", check=False)
        self.assertNotEqual(0, result.returncode)
        return result.stdout + result.stderr

    def test_only_what_asks_for_it_is_apart(self):
        name = self.submit(
            f"""
type: pipeline
jobs:
  open: {{command: 'echo hidden > potok-secret; cp potok-secret ${{{{outputs.out}}}}; pwd; ls {self.stack.state}',
         outputs: {{out: {{type: uri_folder}}}}}}
  apart:
    command: |
      cat ${{{{inputs.made}}}}/potok-secret
      if echo x > ${{{{inputs.made}}}}/potok-secret; then echo INPUT WRITTEN; fi
      find / -name potok-secret -not -path '/proc/*' 2>/dev/null | wc -l
      wc -l < /proc/net/route
    inputs: {{made: {{type: uri_folder, path: '${{{{parent.jobs.open.outputs.out}}}}'}}}}
    isolation: sandbox
    network: none
"""
        )
        job = self.stack.wait(name)
        self.assertEqual("Completed", job["status"])
        steps = {step: job["runtime"] for step, job in job["jobs"].items()}
        self.assertEqual({"open": "host", "apart": "sandbox"}, steps)
        self.assertIn("agents", self.stack.log(name, "--step", "open"))
        log = self.stack.log(name, "--step", "apart")
        self.assertNotIn("INPUT WRITTEN", log)
        self.assertTrue(log.startswith("hidden\n"), log)
        # Its own input, and no file of the step that made it; no routes but perhaps the heading.
        self.assertRegex(log, r"\n1\n[01]\n$")
        self.assertIn("Ran in\n  apart  sandbox\n", self.stack.potok("job", "show", "-n", name, "-o", "table").stdout)

    def test_the_machine_says_what_it_can(self):
        (machine,) = self.stack.json("machine", "list")
        self.assertEqual(["host", "sandbox"], machine["runtimes"])
        shown = self.stack.potok("machine", "show", "-n", machine["name"], "-o", "table").stdout
        self.assertIn("Runs commands as: host, sandbox\n", shown)

    def test_a_result_is_reused_whatever_the_isolation(self):
        step = "command: 'echo made > ${{outputs.out}}/made.txt'\noutputs: {out: {type: uri_folder}}\n"
        job = self.stack.wait(self.submit(step + "isolation: sandbox\n"))
        self.assertEqual(("Completed", "sandbox"), (job["status"], job["runtime"]))
        again = self.stack.wait(self.submit(step, self.name + "_again"))
        self.assertEqual("Completed", again["status"])
        self.assertIn("reused", self.stack.potok("job", "explain", "-n", again["name"]).stdout.lower())

    def test_what_ran_it_is_known_to_the_agent_that_comes_next(self):
        name = self.submit(
            "command: 'touch waits; until [ -e go ]; do sleep 0.02; done; echo end'\nisolation: sandbox\n"
        )
        (waits,) = wait_for(lambda: glob.glob(f"{self.stack.state}/agents/*/attempts/*/*/waits"), "it runs")
        self.stack.kill("potok-agent")
        wait_for(lambda: self.stack.processes("potok-agent"), "there is another agent")
        pathlib.Path(waits).with_name("go").touch()
        job = self.stack.wait(name)
        self.assertEqual(("Completed", "sandbox"), (job["status"], job["runtime"]))

    def test_what_nobody_can_or_knows_is_refused(self):
        said = self.refuse("command: 'true'\nisolation: jail\nnetwork: slow\n")
        self.assertIn("'jail' is no isolation; write sandbox, container, or none", said)
        self.assertIn("'slow' is no network; write none, or host", said)
        self.assertIn("a container needs an image", self.refuse("command: 'true'\nisolation: container\n"))
        said = self.refuse("command: 'true'\nisolation: container\nenvironment: {image: 'python:3.11'}\n")
        self.assertIn("asks for a container, and none of 1 machine can run commands so (container)", said)
        self.assertIn("start an agent there with --images=container", said)


if __name__ == "__main__":
    unittest.main()
