"""Who goes first: runs that are held, moved and started after others; limits."""

import unittest
import urllib.request

from stack import StackTest, wait_for


class OrderTest(StackTest):
    UP = ("--server-flag=pending_runs_per_user=6",)

    def setUp(self):
        machine = self.stack.json("machine", "list")[0]
        self.cpus = machine["capacity"]["cpu_millis"] // 1000

    def pipeline(self, *steps: str, cpus=None, settings="") -> str:
        """Steps that take the whole machine, each until its gate is open; the step 'bad' fails then."""
        lines = ["type: pipeline", f"settings: {{continue_on_step_failure: true{settings}}}", "jobs:"]
        for step in steps:
            gate = self.stack.path(f"{self.name}-{step}.gate")
            lines += [
                f"  {step}:",
                "    reuse: false",
                f"    resources: {{cpus: {cpus or self.cpus}, memory: 16MiB}}",
                f"    command: until [ -e {gate} ]; do sleep 0.02; done; test {step} != bad",
            ]
        return self.stack.write(f"{self.name}-{'-'.join(steps)}.yml", "\n".join(lines) + "\n")

    def open(self, step: str):
        self.stack.write(f"{self.name}-{step}.gate", "")

    def create(self, run: str, *steps: str, options=(), **pipeline) -> str:
        name = f"{self.name}-{run}"
        self.stack.potok("job", "create", "-f", self.pipeline(*steps, **pipeline), "-n", name, *options)
        return name

    def runs(self, name: str, step: str):
        wait_for(lambda: self.stack.step_status(name, step) == "Running", f"{name}/{step} runs")

    def test_a_held_run_starts_nothing_new_until_it_is_released(self):
        held = self.create("held", "a", "b")
        self.runs(held, "a")
        self.stack.potok("job", "hold", "-n", held, "--reason", "the disk is full")
        self.open("a")
        wait_for(lambda: self.stack.step_status(held, "a") == "Completed", "what runs goes on")
        # Another run has the machine now, which a step that is held could have had.
        other = self.create("other", "c")
        self.runs(other, "c")
        self.assertEqual(self.stack.step_status(held, "b"), "Queued")
        shown = self.stack.show(held)
        self.assertEqual(shown["hold"]["reason"], "the disk is full")
        self.assertTrue(shown["hold"]["by"])
        self.assertIn("Held by", self.stack.potok("job", "show", "-n", held, "-o", "table").stdout)
        explained = self.stack.json("job", "explain", "-n", held, "b")
        self.assertIn("the disk is full", explained[0]["waiting"][0])
        self.stack.potok("job", "release", "-n", held)
        self.open("b")
        self.open("c")
        self.assertEqual(self.stack.wait(held)["status"], "Completed")
        self.assertNotIn("hold", self.stack.show(held))
        late = self.stack.potok("job", "hold", "-n", held, check=False)
        self.assertNotEqual(late.returncode, 0)
        self.assertIn("it has ended", late.stderr)

    def test_a_run_that_is_moved_to_a_higher_priority_overtakes(self):
        first = self.create("first", "a", "b")
        self.runs(first, "a")
        second = self.create("second", "c")
        self.stack.potok("job", "move", "-n", second, "--priority", "100")
        self.assertEqual(self.stack.show(second)["moved_priority"], 100)
        self.open("a")
        self.runs(second, "c")
        self.assertEqual(self.stack.step_status(first, "b"), "Queued")
        for step in "bc":
            self.open(step)
        self.stack.wait(first)
        self.stack.wait(second)

    def test_what_cannot_be_moved_there_stays(self):
        run = self.create("run", "a")
        for arguments, said in (
            ((), "give a priority"),
            (("--priority", "1001"), "whole number from -1000 to 1000"),
            (("--priority", "high"), "whole number from -1000 to 1000"),
        ):
            refused = self.stack.potok("job", "move", "-n", run, *arguments, check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(said, refused.stderr)
        self.assertNotIn("moved_priority", self.stack.show(run))
        self.open("a")
        self.stack.wait(run)

    def test_runs_start_after_others(self):
        first = self.create("first", "bad")
        after = self.create("after", "b", options=("--after", first))
        after_ok = self.create("after_ok", "c", options=("--after-ok", first))
        self.assertEqual(self.stack.step_status(after, "b"), "NotStarted")
        self.assertIn("Starts after", self.stack.potok("job", "show", "-n", after, "-o", "table").stdout)
        for step in ("bad", "b", "c"):
            self.open(step)
        self.assertEqual(self.stack.wait(first)["status"], "Failed")
        self.assertEqual(self.stack.wait(after)["status"], "Completed")
        canceled = self.stack.wait(after_ok)
        self.assertEqual(canceled["status"], "Canceled")
        self.assertIn(f"only if the run '{first}' Completed, and that is Failed", canceled["reason"])
        # Both have ended long ago.
        self.stack.kill("potok-server")
        both = self.create("both", "d", options=("--after-ok", after, "--after", first))
        self.open("d")
        self.assertEqual(self.stack.wait(both)["status"], "Completed")
        for run, said in (("nowhere", "there is no run 'nowhere'"), (f"{self.name}-self", "after itself")):
            refused = self.stack.potok(
                *("job", "create", "-f", self.pipeline("a"), "-n", f"{self.name}-self", "--after", run), check=False
            )
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(said, refused.stderr)

    def test_a_run_has_so_many_steps_on_machines_as_it_says(self):
        run = self.create("run", "a", "b", cpus=0.1, settings=", max_running_steps: 1")
        self.runs(run, "a")
        self.assertEqual(self.stack.step_status(run, "b"), "Queued")
        waiting = self.stack.json("job", "explain", "-n", run, "b")[0]["waiting"][0]
        self.assertIn("1 hold machines, as many as its max_running_steps allows", waiting)
        metrics = self.metrics()
        self.assertIn('potok_steps_waiting{reason="run_limit"} 1', metrics)
        self.open("a")
        self.runs(run, "b")
        self.open("b")
        self.assertEqual(self.stack.wait(run)["status"], "Completed")

    def metrics(self) -> str:
        address = (self.stack.state / "http.address").read_text().strip()
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
            return answer.read().decode()

    def test_one_user_has_so_many_runs_that_wait_and_no_more(self):
        runs = [self.create("run0", "a")]
        self.runs(runs[0], "a")
        runs += [self.create(f"run{i}", "a") for i in range(1, 7)]
        refused = self.stack.potok("job", "create", "-f", self.pipeline("a"), check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("allows 6 (--pending_runs_per_user)", refused.stderr)
        self.open("a")
        for run in runs:
            self.assertEqual(self.stack.wait(run)["status"], "Completed")


if __name__ == "__main__":
    unittest.main()
