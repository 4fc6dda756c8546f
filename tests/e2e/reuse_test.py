"""Unchanged steps are not run again, and every decision explains itself: the digits example run twice, changed, forced,
submitted by two at once."""

import json
import shutil
import threading
import time
import unittest

from stack import ROOT, StackTest, wait_for

TEN = """
type: pipeline
jobs:
""" + "".join(
    f"""
  s{i}:
    type: command
    command: echo {i} >> {{log}}; sleep 0.2; echo {i} > ${{{{outputs.out}}}}
    outputs:
      out: {{type: uri_file}}
"""
    + (
        f"""    inputs:
      before: ${{{{parent.jobs.s{i - 1}.outputs.out}}}}
"""
        if i
        else ""
    )
    for i in range(10)
)


class ReuseTest(StackTest):
    def explain(self, name, *steps):
        out = self.stack.potok("job", "explain", "-n", name, *steps, "-o", "json").stdout
        return {step["step"]: step for step in json.loads(out)}

    def run_file(self, file, name, *more):
        self.stack.potok("run", str(file), "--name", name, *more)
        return self.stack.show(name)["jobs"]

    def reused(self, jobs):
        return {name for name, job in jobs.items() if job["reused_from"]}

    def test_digits_costs_nothing_the_second_time_and_what_changed_the_third(self):
        folder = self.stack.home / "digits"
        shutil.copytree(ROOT / "examples/digits", folder)
        pipeline = folder / "pipeline.yml"
        steps = {"extract", "split", "train_linear", "train_forest", "compare", "report"}
        first = self.run_file(pipeline, "first")
        self.assertEqual(self.reused(first), set())
        for step in self.explain("first").values():
            self.assertEqual(step["reason"], "nothing like it has completed before")

        planned = self.stack.potok("job", "plan", "-f", str(pipeline), "-o", "json").stdout
        self.assertEqual({step["verdict"] for step in json.loads(planned)}, {"reused"})

        began = time.monotonic()
        self.stack.potok("job", "create", "-f", str(pipeline), "-n", "second")
        self.stack.potok("job", "wait", "-n", "second")
        print("second run:", round(time.monotonic() - began, 3), "s")
        second = self.stack.show("second")["jobs"]
        self.assertEqual(self.reused(second), steps)
        self.assertEqual(second["report"]["reused_from"], "first/report")
        self.assertEqual(second["report"]["attempt"], 0)
        # Logs and outputs are readable as its own.
        log = self.stack.potok("job", "logs", "-n", "second", "--step", "report").stdout
        self.assertEqual(log, self.stack.potok("job", "logs", "-n", "first", "--step", "report").stdout)
        self.assertRegex(log, "accuracy")
        self.stack.potok("job", "download", "-n", "second", "--output-name", "report", "-p", "out")
        self.assertTrue((self.stack.home / "out/named-outputs/report/report.md").exists())
        for step in self.explain("second").values():
            self.assertEqual((step["verdict"], step["from"]), ("reused", f"first/{step['step']}"))

        # A comment: its step runs, makes the same bytes, and nothing below runs.
        script = next((folder / "split").rglob("*.py"))
        script.write_text(script.read_text() + "# a comment\n")
        planned = json.loads(self.stack.potok("job", "plan", "-f", str(pipeline), "-o", "json").stdout)
        verdicts = {step["step"]: step["verdict"] for step in planned}
        self.assertEqual(verdicts["extract"], "reused")
        self.assertEqual(verdicts["split"], "runs")
        self.assertEqual(verdicts["report"], "unknown")
        third = self.run_file(pipeline, "third")
        self.assertEqual(self.reused(third), steps - {"split"})
        split = self.explain("third", "split")["split"]
        self.assertEqual(split["verdict"], "runs")
        self.assertEqual([d["field"] for d in split["differences"]], ["code"])
        self.assertEqual(split["differences"][0]["files"], [f"changed {script.relative_to(folder / 'split')}"])
        text = self.stack.potok("job", "explain", "-n", "third").stdout
        self.assertIn(f"code: changed {script.name}", text)
        self.assertIn("5 of 6 steps reused", text)

        # Another value: what reads it runs, and the explanation names it.
        fourth = self.run_file(pipeline, "fourth", "--set", "inputs.trees=10")
        self.assertNotIn("train_forest", self.reused(fourth))
        self.assertIn("train_linear", self.reused(fourth))
        forest = self.explain("fourth", "train_forest")["train_forest"]
        self.assertEqual(
            [(d["field"], d["was"], d["now"]) for d in forest["differences"]], [("input trees", "200", "10")]
        )

        # Forced: all runs; and what it made is taken by the next.
        forced = self.run_file(pipeline, "forced", "--set", "settings.force_rerun=true")
        self.assertEqual(self.reused(forced), set())
        for step in self.explain("forced").values():
            self.assertIn("force_rerun", step["reason"])
        after = self.run_file(pipeline, "after")
        self.assertEqual(after["extract"]["reused_from"], "forced/extract")

    def test_two_that_submit_the_same_at_once_run_each_step_once(self):
        log = self.stack.home / "ten.log"
        file = self.stack.home / "ten.yml"
        file.write_text(TEN.replace("{log}", str(log)))
        done = []

        def submit(name):
            done.append(self.stack.potok("run", str(file), "--name", name))

        users = [threading.Thread(target=submit, args=(name,)) for name in ("ada", "bob")]
        for user in users:
            user.start()
        for user in users:
            user.join()
        self.assertEqual(len(done), 2)
        self.assertEqual(sorted(log.read_text().split()), sorted(str(i) for i in range(10)))
        ada, bob = (self.stack.show(name) for name in ("ada", "bob"))
        self.assertEqual((ada["status"], bob["status"]), ("Completed", "Completed"))
        for i in range(10):
            pair = (ada["jobs"][f"s{i}"], bob["jobs"][f"s{i}"])
            self.assertEqual(sum(1 for job in pair if job["reused_from"]), 1)

    def test_a_server_killed_while_one_waits_for_another_loses_nothing(self):
        log = self.stack.home / "one.log"
        file = self.stack.home / "one.yml"
        file.write_text(
            f"type: command\ncommand: echo ran >> {log}; while [ ! -e {self.stack.home}/go ]; do sleep 0.05; done\n"
        )
        for name in ("waited1", "waited2"):
            self.stack.potok("job", "create", "-f", str(file), "-n", name)
        wait_for(lambda: self.stack.status("waited2") == "NotStarted" and log.exists(), "one runs, one waits")
        self.stack.kill("potok-server")
        (self.stack.home / "go").touch()
        for name in ("waited1", "waited2"):
            self.stack.potok("job", "wait", "-n", name)
        self.assertEqual(log.read_text(), "ran\n")

    def test_another_environment_is_another_step(self):
        file = self.stack.home / "environment.yml"
        text = "type: pipeline\njobs:\n  a:\n    command: echo\n    environment: {image: 'base', conda_file: ./conda.yml}\n"
        file.write_text(text)
        conda = self.stack.home / "conda.yml"
        conda.write_text("name: e\ndependencies: [python=3.10]\n")
        self.run_file(file, "environment1")
        self.assertEqual(self.reused(self.run_file(file, "environment2")), {"a"})
        conda.write_text("name: e\ndependencies: [python=3.11]\n")
        self.assertEqual(self.reused(self.run_file(file, "environment3")), set())
        differences = self.explain("environment3")["a"]["differences"]
        self.assertEqual([difference["field"] for difference in differences], ["environment"])
        self.assertIn("3.11", differences[0]["now"])

    def test_steps_that_are_not_deterministic_always_run(self):
        file = self.stack.home / "random.yml"
        file.write_text(
            "type: pipeline\njobs:\n  a:\n    component:\n      type: command\n      name: a\n"
            "      is_deterministic: false\n      command: echo hello\n"
        )
        for name in ("random1", "random2"):
            jobs = self.run_file(file, name)
            self.assertEqual(self.reused(jobs), set())
        self.assertIn("is_deterministic", self.explain("random2")["a"]["reason"])

    def test_a_result_that_is_too_old_is_not_taken(self):
        file = self.stack.home / "old.yml"
        file.write_text(
            "type: pipeline\njobs:\n  a:\n    type: command\n    command: echo old\n    reuse: {max_age: 1}\n"
        )
        self.run_file(file, "old1")
        ended = time.time()
        while time.time() - ended < 1.2:  # the age itself is what is tested
            time.sleep(0.1)
        self.assertEqual(self.reused(self.run_file(file, "old2")), set())
        self.assertIn("max_age", self.explain("old2")["a"]["reason"])

    def test_what_is_not_there_is_said(self):
        file = self.stack.home / "there.yml"
        file.write_text("type: command\ncommand: echo there\n")
        self.stack.potok("run", str(file), "--name", "there")
        for arguments in (["-n", "nothing"], ["-n", "there", "no_such_step"]):
            done = self.stack.potok("job", "explain", *arguments, check=False)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertRegex(done.stderr, "no run|has no step")


if __name__ == "__main__":
    unittest.main()
