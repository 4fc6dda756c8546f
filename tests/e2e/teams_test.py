"""Teams: who is in one, what it may have, whose turn it is, and that a restart changes nothing of it."""

import json
import pwd
import os
import unittest
import urllib.request

from stack import StackTest, wait_for

ME = pwd.getpwuid(os.geteuid()).pw_name


class TeamsTest(StackTest):
    def setUp(self):
        self.cpus = self.stack.json("machine", "list")[0]["capacity"]["cpu_millis"] // 1000

    def tearDown(self):
        for team in self.stack.json("team", "list"):
            if team["name"] != "default":
                self.stack.potok("team", "delete", "-n", team["name"])

    def http(self, path: str, request: dict | None = None) -> str:
        address = (self.stack.state / "http.address").read_text().strip()
        token = (self.stack.state / "http.token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = None if request is None else json.dumps(request).encode()
        call = urllib.request.Request(f"http://{address}/{path}", body, headers)
        with urllib.request.urlopen(call, timeout=60) as answer:
            return answer.read().decode()

    def submit(self, run: str, submitter: str, steps: int, cpus: float, compute: str = "") -> str:
        """A run of any user; each step until the run's gate is open."""
        name = f"{self.name}-{run}"
        gate = self.stack.path(f"{name}.gate")
        step = {
            "command": f"until [ -e {gate} ]; do sleep 0.02; done",
            "compute": compute,
            "resources": {"cpuMillis": int(1000 * cpus), "memoryBytes": 16 << 20},
        }
        spec = {
            "name": name,
            "isPipeline": True,
            "steps": [{"name": f"s{i}", **step} for i in range(steps)],
        }
        self.http("potok.v1.Runs/Submit", {"requestId": name, "spec": spec, "submitter": submitter})
        return name

    def open(self, name: str):
        self.stack.write(f"{name}.gate", "")

    def running(self, name: str) -> int:
        return sum(job["status"] == "Running" for job in self.stack.show(name)["jobs"].values())

    def refused(self, *arguments: str) -> str:
        done = self.stack.potok(*arguments, check=False)
        self.assertNotEqual(done.returncode, 0, arguments)
        return done.stderr

    def test_a_team_gets_its_share_and_never_more_than_its_quota(self):
        eighth = self.cpus / 8
        self.stack.potok("team", "create", "-n", "vision", "--weight", "3", "--user", "ann", "--half-life", "7d")
        self.stack.potok("team", "create", "-n", "speech", "--user", "cyd", "--half-life", "7d")
        blocker = self.submit("blocker", "eve", 1, self.cpus)
        wait_for(lambda: self.running(blocker) == 1, "the machine is full")
        ann = self.submit("ann", "ann", 8, eighth)
        cyd = self.submit("cyd", "cyd", 8, eighth)
        self.open(blocker)
        wait_for(lambda: self.running(ann) + self.running(cyd) == 8, "the machine is full again")
        self.assertEqual((self.running(ann), self.running(cyd)), (6, 2))
        teams = {team["name"]: team for team in self.stack.json("team", "list")}
        self.assertAlmostEqual(teams["vision"]["share"], 0.75, delta=0.01)
        self.assertEqual(teams["vision"]["queued_steps"], 2)
        table = self.stack.potok("team", "list", "-o", "table").stdout
        self.assertRegex(table, r"vision +3 +75\.0%")
        lines = self.stack.json("job", "explain", "-n", ann, "s7")[0]["waiting"]
        self.assertTrue([line for line in lines if "of 2 teams that wait with priority 0" in line], lines)
        # A server that starts again knows all of it.
        before = self.stack.json("team", "show", "-n", "vision")
        self.stack.kill("potok-server")
        wait_for(lambda: self.running(ann) + self.running(cyd) == 8, "the server is back")
        after = self.stack.json("team", "show", "-n", "vision")
        for field in ("weight", "half_life_seconds", "users", "share", "held"):
            self.assertEqual(after[field], before[field])
        self.assertGreater(after["past_share"], 0)
        # Less for vision: what runs goes on, and nothing more begins.
        self.stack.potok("team", "update", "-n", "vision", "--max-cpus", str(eighth))
        self.open(cyd)
        self.stack.wait(cyd)
        self.assertEqual(self.running(ann), 6)
        explained = self.stack.json("job", "explain", "-n", ann, "s7")[0]["waiting"][0]
        self.assertIn(f"team vision has {self.cpus * 6 / 8:g} of {eighth:g} CPUs of its quota in use", explained)
        metrics = wait_for(lambda: self.http("metrics"), "metrics")
        self.assertIn('potok_steps_waiting{reason="quota"} 2', metrics)
        told = json.loads(self.http("potok.v1.Teams/Get", {"name": "vision"}))
        self.assertEqual((told["users"], told["runningSteps"]), (["ann"], "6"))
        self.stack.potok("team", "update", "-n", "vision", "--max-cpus", "none")
        wait_for(lambda: self.running(ann) == 8, "all of them run")
        self.assertIn("has 1 run that has not ended", self.refused("team", "delete", "-n", "vision"))
        self.open(ann)
        self.assertEqual(self.stack.wait(ann)["status"], "Completed")
        self.stack.wait(blocker)

    def test_a_team_has_in_one_pool_what_it_may_have_there(self):
        eighth = self.cpus / 8
        self.stack.potok("compute", "create", "-n", "half")
        self.addCleanup(self.stack.potok, "compute", "delete", "-n", "half")
        team = self.stack.json(
            "team", "create", "-n", "vision", "--user", "ann", "--pool-limits", f"half:cpus={2 * eighth},running_steps=7",
            "--pool-guaranteed", f"half:cpus={eighth}",
        )
        before = team["pools"]
        millis = int(1000 * eighth)
        self.assertEqual(before[0]["pool"], "half")
        self.assertEqual(before[0]["quota"]["cpu_millis"], 2 * millis)
        self.assertEqual(before[0]["guaranteed"]["cpu_millis"], millis)
        ann = self.submit("ann", "ann", 3, eighth, "half")
        other = self.submit("other", "ann", 2, eighth)
        wait_for(lambda: self.running(ann) == 2 and self.running(other) == 2, "all run that may")
        explained = self.stack.json("job", "explain", "-n", ann, "s2")[0]["waiting"][0]
        self.assertIn(f"team vision holds {2 * eighth:g} of its {2 * eighth:g} CPUs in pool half", explained)
        self.assertIn("in pool half", self.stack.potok("job", "show", "-n", ann, "-o", "json").stdout)
        self.assertIn('potok_steps_waiting{reason="quota"} 1', self.http("metrics"))
        held = json.loads(self.http("potok.v1.Teams/Get", {"name": "vision"}))["pools"]
        self.assertEqual({pool["pool"]: pool["runningSteps"] for pool in held}, {"default": "2", "half": "2"})
        shown = self.stack.json("compute", "show", "-n", "half")["teams"]
        self.assertEqual([(team["team"], team["running_steps"]) for team in shown], [("vision", 2)])
        self.assertRegex(self.stack.potok("compute", "show", "-n", "half", "-o", "table").stdout, r"vision +[\d.]+ of ")
        self.stack.kill("potok-server")
        wait_for(lambda: self.running(ann) == 2, "the server is back")
        after = {pool["pool"]: pool for pool in self.stack.json("team", "show", "-n", "vision")["pools"]}["half"]
        self.assertEqual((after["quota"], after["guaranteed"]), (before[0]["quota"], before[0]["guaranteed"]))
        self.assertRegex(self.stack.potok("team", "show", "-n", "vision", "-o", "table").stdout, r"half +[\d.]+ of ")
        self.stack.potok("team", "update", "-n", "vision", "--pool-limits", "half:none")
        wait_for(lambda: self.running(ann) == 3, "without a limit all run")
        self.open(ann)
        self.open(other)
        self.stack.wait(ann)
        self.stack.wait(other)

    def test_a_run_is_not_moved_to_where_its_team_may_never_have_what_it_asks_for(self):
        # The machine is of both pools.
        half = self.stack.write("half.yml", "name: half\nselector: os == linux\n")
        self.stack.potok("compute", "create", "-f", half)
        self.addCleanup(self.stack.potok, "compute", "delete", "-n", "half", "-y")
        self.stack.potok("team", "create", "-n", "vision", "--user", "ann", "--pool-limits", "half:cpus=0.5")
        run = self.submit("large", "ann", 1, 0.75)
        wait_for(lambda: self.running(run) == 1, "it runs")
        self.assertEqual(self.stack.show(run)["team"], "vision")
        self.assertIn("Team vision", self.stack.potok("job", "show", "-n", run, "-o", "table").stdout)
        self.assertIn(
            "jobs.s0: needs 0.75 CPUs in pool half, and the quota of team vision there is 0.5",
            self.refused("job", "move", "-n", run, "--compute", "half"),
        )
        self.assertNotIn("moved_compute", self.stack.show(run))
        self.stack.potok("team", "update", "-n", "vision", "--pool-limits", "half:cpus=1")
        self.stack.potok("job", "move", "-n", run, "--compute", "half")
        self.assertEqual(self.stack.show(run)["moved_compute"], "half")
        self.open(run)
        self.stack.wait(run)

    def test_what_is_no_limit_of_a_pool_is_refused(self):
        unknown = self.refused("team", "create", "-n", "vision", "--user", ME, "--pool-limits", "gpu:gpus=1")
        self.assertIn("; the team was not created", unknown)
        self.stack.potok("team", "create", "-n", "vision", "--user", ME)
        for option, text, said in (
            ("--pool-limits", "gpu:gpus=1", "there is no pool 'gpu'"),
            ("--pool-limits", "gpu:gpus=1", "; the team was not changed"),
            ("--pool-limits", "gpu-cluster:gpus=-1", "--pool-limits 'gpu-cluster:gpus=-1'"),
            ("--pool-limits", "gpu-cluster:memory=4parsecs", "4parsecs"),
            ("--pool-limits", "gpu-cluster:memory=99999999999TiB", "99999999999TiB"),
            ("--pool-limits", "gpu-cluster:disk=1", "'disk' is none of cpus, memory, gpus, running_steps"),
            ("--pool-limits", "gpu-cluster", "it says nothing of the pool"),
            ("--pool-limits", ":gpus=1", "it names no pool"),
            ("--pool-limits", "gpu-cluster:gpus=1,gpus=2", "gpus is there twice"),
            ("--pool-guaranteed", "gpu-cluster:running_steps=1", "'running_steps' is none of"),
        ):
            self.assertIn(said, self.refused("team", "update", "-n", "vision", option, text), text)
        beyond = ("--pool-limits", "cpu-cluster:cpus=1", "--pool-guaranteed", "cpu-cluster:cpus=2")
        self.assertIn("more than its limit of 1 there", self.refused("team", "update", "-n", "vision", *beyond))
        self.assertEqual(self.stack.json("team", "show", "-n", "vision")["pools"], [])
        self.stack.potok("team", "update", "-n", "vision", "--pool-limits", "default:cpus=0.5")
        large = "type: pipeline\njobs:\n  large:\n    resources: {cpus: 1}\n    command: 'true'\n"
        pipeline = self.stack.write("large_in_pool.yml", large)
        self.assertIn(
            "needs 1 CPUs in pool default, and the quota of team vision there is 0.5",
            self.refused("job", "create", "-f", pipeline),
        )

    def test_what_is_no_team_is_refused(self):
        self.stack.potok("team", "create", "-n", "vision", "--user", ME, "--max-running-steps", "4")
        for arguments, said in (
            (("create", "-n", "vision"), "there is a team vision"),
            (("create", "-n", "a/b"), "cannot name a team"),
            (("create", "-n", "speech", "--user", ME), f"{ME} is in team vision"),
            (("update", "-n", "speech", "--weight", "2"), "there is no team 'speech'"),
            (("update", "-n", "vision", "--weight", "-1"), "weight: -1"),
            (("update", "-n", "vision", "--weight", "nan"), "weight: nan"),
            (("update", "-n", "vision", "--weight", "much"), "--weight 'much'"),
            (("update", "-n", "vision", "--half-life", "soon"), "--half-life 'soon'"),
            (("update", "-n", "vision", "--max-gpus", "-3"), "--max-gpus '-3'"),
            (("update", "-n", "vision", "--max-cpus", "1", "--guaranteed-cpus", "2"), "more than its limit of 1"),
            (("update", "-n", "vision", "--remove-user", "eve"), "eve is not in team vision"),
            (("show", "-n", "speech"), "there is no team 'speech'"),
            (("delete", "-n", "default"), "cannot be removed"),
        ):
            self.assertIn(said, self.refused("team", *arguments), arguments)
        team = self.stack.json("team", "show", "-n", "vision")
        self.assertEqual((team["weight"], team["users"], team["quota"]["running_steps"]), (1, [ME], 4))
        self.stack.potok("team", "update", "-n", "vision", "--max-cpus", "0.5")
        pipeline = self.stack.write(
            "large.yml", "type: pipeline\njobs:\n  large:\n    resources: {cpus: 1}\n    command: 'true'\n"
        )
        self.assertIn("the quota of team vision is 0.5", self.refused("job", "create", "-f", pipeline))


if __name__ == "__main__":
    unittest.main()
