"""A team takes back what it is guaranteed: a preemptible step saves its work, ends, and runs again later."""

import json
import unittest
import urllib.request

from stack import StackTest, wait_for

# Says that it runs, saves its work when it is told to end, and goes on until it may end.
COMMAND = """
      trap 'echo "saved $POTOK_ATTEMPT" >> {notes}; exit 0' TERM
      echo "start $POTOK_ATTEMPT" >> {notes}
      until [ -e {go_on} ]; do sleep 0.05; done"""


class PreemptionTest(StackTest):
    UP = ("--agents=1", "--agent-cpus=2")

    def http(self, path: str, request: dict) -> str:
        address = (self.stack.state / "http.address").read_text().strip()
        token = (self.stack.state / "http.token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        call = urllib.request.Request(f"http://{address}/{path}", json.dumps(request).encode(), headers)
        with urllib.request.urlopen(call, timeout=60) as answer:
            return answer.read().decode()

    def step(self, run: str) -> dict:
        return self.stack.show(run)["jobs"]["work"]

    def submit_as(self, submitter: str, run: str, gate) -> None:
        step = {
            "name": "work",
            "command": f"until [ -e {gate} ]; do sleep 0.05; done",
            "compute": "soft",
            "resources": {"cpuMillis": 2000},
        }
        spec = {"name": run, "isPipeline": True, "steps": [step]}
        self.http("potok.v1.Runs/Submit", {"requestId": run, "spec": spec, "submitter": submitter})

    def test_a_preemptible_step_ends_for_a_guaranteed_team_and_runs_again(self):
        notes, go_on, gate = (self.stack.path(name) for name in ("notes", "go_on", "gate"))
        self.addCleanup(go_on.touch)
        self.addCleanup(gate.touch)
        self.stack.potok("team", "create", "-n", "vision", "--user", "ann", "--guaranteed-cpus", "2")
        pool = self.stack.json("compute", "create", "-n", "soft", "--tier", "dedicated")
        self.assertEqual(pool["preemption"], "off")
        file = self.stack.write(
            "victim.yml",
            "type: pipeline\njobs:\n  work:\n    compute: azureml:soft\n    reuse: false\n"
            "    queue_settings: {job_tier: spot}\n    resources: {cpus: 2}\n    retry: 1\n"
            f"    command: |{COMMAND.format(notes=notes, go_on=go_on)}\n",
        )
        self.stack.potok("job", "create", "-f", file, "-n", "victim")
        wait_for(lambda: notes.exists(), "the machine is full")
        self.submit_as("ann", "taker", gate)
        # Off until the pool allows it.
        lines = self.stack.json("job", "explain", "-n", "taker", "work")[0]["waiting"]
        self.assertIn("needs 2 CPUs, 0 are free", lines[0])
        self.assertEqual(self.step("victim")["attempt"], 1)
        pool = self.stack.json("compute", "update", "-n", "soft", "--set", "preemption=guaranteed")
        self.assertEqual(pool["preemption"], "guaranteed")
        wait_for(lambda: self.stack.step_status("taker", "work") == "Running", "the team has its machine")
        self.assertEqual(notes.read_text().split("\n"), ["start 1", "saved 1", ""])
        shown = self.stack.potok("job", "show", "-n", "victim", "-o", "table").stdout
        self.assertRegex(shown, r"preempted on \S+ by team vision, which is guaranteed 2 CPUs; runs again")
        gate.touch()
        self.stack.wait("taker")
        wait_for(lambda: "start 2" in notes.read_text(), "it runs again")
        self.assertEqual(self.step("victim")["attempt"], 2)
        go_on.touch()
        self.assertEqual(self.stack.wait("victim")["status"], "Completed")
        self.assertEqual(notes.read_text().split("\n"), ["start 1", "saved 1", "start 2", ""])
        metrics = self.metrics()
        self.assertIn('potok_preemptions_total{pool="soft"} 1', metrics)

    def metrics(self) -> str:
        address = (self.stack.state / "http.address").read_text().strip()
        token = (self.stack.state / "http.token").read_text().strip()
        call = urllib.request.Request(f"http://{address}/metrics", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(call, timeout=60) as answer:
            return answer.read().decode()


if __name__ == "__main__":
    unittest.main()
