"""Loops and sweeps on real machines, and a server that is killed in the middle of each: the same result."""

import json
import subprocess
import unittest

from stack import StackTest, wait_for

INTEGER, NUMBER, BOOLEAN, STRING = "VALUE_TYPE_INTEGER", "VALUE_TYPE_NUMBER", "VALUE_TYPE_BOOLEAN", "VALUE_TYPE_STRING"
FOLDER, MLTABLE = "VALUE_TYPE_URI_FOLDER", "VALUE_TYPE_MLTABLE"
# So that the server can be killed while it runs.
PAUSE = "sleep 0.7; "


def port(name: str, kind: str, text: str | None = None, promoted: str = "") -> dict:
    made = {"name": name, "type": kind}
    if text is not None:
        made["value"] = {"text": text}
    if promoted:
        made["promotedTo"] = promoted
    return made


def step(name: str, command: str, inputs=(), outputs=(), **more) -> dict:
    cheap = {"cpuMillis": 100}
    return {"name": name, "command": command, "inputs": list(inputs), "outputs": list(outputs), "resources": cheap, **more}


DO_WHILE = step(
    "loop",
    "",
    [port("n", INTEGER, "0")],
    [port("next", INTEGER), port("more", BOOLEAN)],
    control={
        "doWhile": {
            "condition": "more",
            "maxIterations": 10,
            "mapping": [{"output": "next", "inputs": ["n"]}],
        },
        "body": [
            step(
                "",
                PAUSE + "next=$((${{inputs.n}} + 1)); echo $next > ${{outputs.next}}; "
                "if [ $next -lt 4 ]; then echo true; else echo false; fi > ${{outputs.more}}",
                [port("n", INTEGER, "${{parent.inputs.n}}")],
                [port("next", INTEGER, promoted="next"), port("more", BOOLEAN, promoted="more")],
            )
        ],
    },
)

FOLDS = step(
    "fold",
    "",
    [port("$items", STRING, json.dumps([{"i": i} for i in range(6)])), port("i", INTEGER)],
    [port("scores", STRING), port("models", MLTABLE, promoted="models")],
    control={
        "parallelFor": {"maxConcurrency": 2},
        "body": [
            step(
                "fit",
                PAUSE + "echo model ${{inputs.i}} > ${{outputs.model}}/weights; echo ${{inputs.i}}.5 > ${{outputs.score}}",
                [port("i", INTEGER, "${{parent.inputs.i}}")],
                [port("model", FOLDER, promoted="models"), port("score", NUMBER, promoted="scores")],
            )
        ],
    },
)

TRIAL = """python3 - <<'END'
import mlflow, os, time
lr = float(os.environ["LR"])
for epoch in range(4):
    mlflow.log_metric("loss", abs(lr - 3) + 1 / (epoch + 1))
    time.sleep(0.3)
END
echo best ${{inputs.lr}} > ${{outputs.best}}"""

SWEEP = step(
    "tune",
    "",
    [port("lr", NUMBER)],
    [port("best", STRING)],
    control={
        "sweep": {
            "algorithm": "grid",
            "space": [{"name": "lr", "type": "choice", "values": ["1", "2", "3", "4", "5", "6", "7", "8"]}],
            "primaryMetric": "loss",
            "maxTotalTrials": 8,
            "maxConcurrentTrials": 4,
            "earlyTermination": {"policy": "bandit", "slackAmount": 1.5, "evaluationInterval": 1},
        },
        "body": [
            step(
                "",
                "export LR=${{inputs.lr}}; " + TRIAL,
                [port("lr", NUMBER, "${{parent.inputs.lr}}")],
                [port("best", STRING, promoted="best")],
            )
        ],
    },
)


class ControlFlowTest(StackTest):
    UP = ("--agent-cpus=2",)

    def setUp(self):
        self.stack.up()

    def submit(self, *steps: dict, outputs=()):
        address = (self.stack.state / "http.address").read_text().strip()
        token = (self.stack.state / "http.token").read_text().strip()
        spec = {"isPipeline": True, "name": self.name, "steps": list(steps), "outputs": list(outputs)}
        request = json.dumps({"requestId": self.name, "spec": spec})
        headers = ["-H", "Content-Type: application/json", "-H", f"Authorization: Bearer {token}"]
        url = f"http://{address}/potok.v1.Runs/Submit"
        command = ["curl", "-sS", "--fail-with-body", *headers, "-d", request, url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def steps(self) -> dict:
        return self.stack.show(self.name)["jobs"]

    def wait_for_step(self, step: str):
        wait_for(lambda: step in self.steps(), f"there is a step {step}")

    def kill_server_when_there_is(self, *steps: str):
        for name in steps:
            self.wait_for_step(name)
            self.stack.kill("potok-server")
            wait_for(lambda: self.stack.processes("potok-server"), "the server is back")

    def completed(self) -> dict:
        job = self.stack.wait(self.name, timeout=180)
        self.assertEqual(job["status"], "Completed", job["reason"])
        return job

    def test_a_loop_stops_on_a_boolean_output_whatever_is_killed(self):
        use = step("use", "echo got ${{inputs.n}}", [port("n", INTEGER, "${{parent.jobs.loop.outputs.next}}")])
        self.submit(DO_WHILE, use)
        self.kill_server_when_there_is("loop[1]", "loop[2]")
        jobs = self.completed()["jobs"]
        self.assertEqual(set(jobs), {"loop", "use", *(f"loop[{i}]" for i in range(4))})
        self.assertEqual(self.stack.log(self.name, "--step", "use").strip(), "got 4")

    def test_folds_are_gathered_in_order_whatever_is_killed(self):
        scores = step("scores", "echo ${{inputs.s}}", [port("s", STRING, "${{parent.jobs.fold.outputs.scores}}")])
        show = step(
            "show",
            "cd ${{inputs.m}}; cat MLTable; cat */weights",
            [port("m", MLTABLE, "${{parent.jobs.fold.outputs.models}}")],
        )
        self.submit(FOLDS, scores, show, outputs=[port("models", MLTABLE)])
        self.kill_server_when_there_is("fold[2]/fit", "fold[4]/fit")
        self.completed()
        self.assertEqual(self.stack.log(self.name, "--step", "scores").strip(), "[0.5,1.5,2.5,3.5,4.5,5.5]")
        lines = ["paths:", *(f"  - folder: ./{i}" for i in range(6)), *(f"model {i}" for i in range(6))]
        self.assertEqual(self.stack.log(self.name, "--step", "show").splitlines(), lines)

    def test_a_sweep_finds_the_best_trial_whatever_is_killed(self):
        use = step("use", "echo ${{inputs.b}}", [port("b", STRING, "${{parent.jobs.tune.outputs.best}}")])
        self.submit(SWEEP, use)
        self.kill_server_when_there_is("tune[4]", "tune[6]")
        jobs = self.completed()["jobs"]
        self.assertEqual(self.stack.log(self.name, "--step", "use").strip(), "best 3")
        stopped = [name for name, shown in jobs.items() if "bandit policy" in (shown.get("reason") or "")]
        self.assertTrue(stopped, jobs)

    def test_what_has_a_higher_priority_runs_first(self):
        ledger = self.stack.path(f"{self.name}.ledger")
        whole = {"cpuMillis": 2000}
        priorities = {"low": -5, "middle": 0, "high": 7, "higher": 8}
        self.submit(
            *(step(name, f"echo {name} >> {ledger}", resources=whole, priority=at) for name, at in priorities.items())
        )
        self.completed()
        self.assertEqual(ledger.read_text().split(), ["higher", "high", "middle", "low"])

    def test_an_attempt_that_failed_is_tried_again(self):
        flaky = step("flaky", 'test "$POTOK_ATTEMPT" = 3', retry={"maxAttempts": 3, "delaySeconds": 0.1})
        clean = step("clean", "echo cleaned", when="all_done", dependsOn=["flaky"])
        last = step("last", "echo last", finalizes=True)
        self.submit(flaky, clean, last)
        self.assertEqual(self.completed()["jobs"]["flaky"]["attempt"], 3)


if __name__ == "__main__":
    unittest.main()
