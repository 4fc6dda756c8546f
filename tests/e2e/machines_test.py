"""Machines as people operate them: cordons, drains and labels, and pools by labels and with limits."""

import signal
import unittest

from stack import StackTest, wait_for

# Says that it runs, and waits until it may go on; SIGTERM ends it at once.
COMMAND = 'echo "start $POTOK_ATTEMPT" >> {notes}; until [ -e {go_on} ]; do sleep 0.05; done; echo done'


class MachinesTest(StackTest):
    UP = ("--agents=3", "--agent-cpus=2")

    def setUp(self):
        self.machines = sorted(machine["name"] for machine in self.stack.json("machine", "list"))
        self.notes = self.stack.path(f"{self.name}.notes")
        self.go_on = self.stack.path(f"{self.name}.go_on")
        self.addCleanup(self.stack.potok, "machine", "uncordon", *self.machines)
        self.addCleanup(self.go_on.touch)

    def submit(self, *, keys: str = ""):
        command = COMMAND.format(notes=self.notes, go_on=self.go_on)
        text = f"type: pipeline\njobs:\n  work:\n    command: '{command}'\n    reuse: false\n{keys}"
        self.stack.potok("job", "create", "-f", self.stack.write(f"{self.name}.yml", text), "-n", self.name)

    def step(self, step: str = "work") -> dict:
        return self.stack.show(self.name)["jobs"][step]

    def machine(self, name: str) -> dict:
        return self.stack.json("machine", "show", "-n", name)

    def starts(self, count: int) -> bool:
        return self.notes.exists() and len(self.notes.read_text().splitlines()) == count

    def refused(self, *arguments: str, code: int) -> str:
        result = self.stack.potok(*arguments, check=False)
        self.assertEqual(result.returncode, code, result.stderr)
        return result.stderr

    # Drains and cordons

    def test_a_drain_with_a_deadline_moves_the_step(self):
        self.submit(keys="    retry: {max_attempts: 1}\n")
        wait_for(lambda: self.starts(1), "the step runs")
        first = self.step()["machine"]
        table = self.stack.potok("machine", "drain", first, "--deadline", "1s", "--reason", "a new disk", "--wait")
        self.assertIn("Drained", table.stdout)
        self.assertIn(f"{first}: 1 step left ({self.name}/work)", table.stderr)
        self.assertEqual(self.machine(first)["steps"], [])
        wait_for(lambda: self.starts(2), "the step runs again")
        second = self.step()
        self.assertNotEqual(second["machine"], first)
        self.assertEqual(second["attempt"], 2)
        self.go_on.touch()
        job = self.stack.wait(self.name)
        self.assertEqual(job["status"], "Completed", job)
        cordon = self.machine(first)["cordon"]
        self.assertEqual((cordon["state"], cordon["reason"]), ("draining", "a new disk"))
        self.assertTrue(cordon["by"])
        self.stack.potok("machine", "uncordon", first)
        self.assertEqual(self.machine(first)["cordon"]["state"], "none")

    def test_a_cordon_holds_and_ctrl_c_ends_only_the_waiting(self):
        self.stack.potok("machine", "cordon", *self.machines[1:])
        self.submit()
        wait_for(lambda: self.starts(1), "the step runs")
        self.assertEqual(self.step()["machine"], self.machines[0])
        waiting = self.stack.start("machine", "drain", self.machines[0], "--wait")
        self.assertIn(b"1 step left", waiting.stderr.readline())
        waiting.send_signal(signal.SIGINT)
        self.assertIn(b"the drain stays in force", waiting.communicate(timeout=60)[1])
        self.assertEqual(waiting.returncode, 130)
        self.assertIn("Draining, 1 step", self.stack.potok("machine", "list").stdout)
        self.stack.potok("job", "create", "-f", self.stack.path(f"{self.name}.yml"), "-n", self.name + "_2")
        reason = self.stack.show(self.name + "_2")["jobs"]["work"]
        self.assertEqual(reason["status"], "Queued", reason)
        shown = self.stack.potok("job", "show", "-n", self.name + "_2", "-o", "table").stdout
        self.assertIn(f"2 machines are cordoned, {self.machines[0]} is draining", shown)
        self.stack.potok("machine", "uncordon", self.machines[2], "--reason", "enough")
        wait_for(lambda: self.starts(2), "the second run goes on where it may")
        self.go_on.touch()
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")
        self.assertEqual(self.stack.wait(self.name + "_2")["status"], "Completed")

    # Labels and pools

    def test_labels_outlive_agent_and_server_and_make_pools(self):
        one, two = self.machines[:2]
        self.stack.potok("machine", "label", one, two, "zone=b", "rack=7")
        self.stack.potok("machine", "label", two, "rack-")
        pool = self.stack.write(
            "pool.yml",
            "$schema: https://azuremlschemas.azureedge.net/latest/amlCompute.schema.json\n"
            "name: zone-b\ntype: amlcompute\nsize: STANDARD_D2\nmin_instances: 0\nmax_instances: 4\n"
            "selector: {zone: b}\nlimits: {running_steps: 1}\n",
        )
        created = self.stack.potok("compute", "create", "-f", pool)
        self.assertIn("Kept, without effect here: size, min_instances, max_instances", created.stderr)
        for program in ("potok-agent", "potok-agent", "potok-agent", "potok-server"):
            self.stack.kill(program)
        wait_for(
            lambda: len(self.stack.processes("potok-agent")) == 3 and self.stack.processes("potok-server"),
            "the supervisor started them again",
        )
        self.assertEqual(self.machine(one)["labels"]["rack"], "7")
        self.assertNotIn("rack", self.machine(two)["labels"])
        shown = self.stack.json("compute", "show", "-n", "zone-b")
        self.assertEqual(sorted(shown["machines"]), [one, two])
        self.assertEqual((shown["size"], shown["limits"]), ("STANDARD_D2", {"running_steps": 1}))
        self.assertEqual(shown["selector"], "zone == b")
        self.assertIn("zone-b", self.stack.potok("machine", "list").stdout)
        self.submit(keys="    compute: azureml:zone-b\n")
        wait_for(lambda: self.starts(1), "the step runs")
        self.assertIn(self.step()["machine"], (one, two))
        self.stack.potok("job", "create", "-f", self.stack.path(f"{self.name}.yml"), "-n", self.name + "_2")
        waits = self.stack.potok("job", "show", "-n", self.name + "_2", "-o", "table").stdout
        self.assertIn("pool 'zone-b' is at its limits", waits)
        self.assertIn(f"of {self.name}_2", self.refused("compute", "delete", "-n", "zone-b", code=1))
        self.stack.potok("compute", "update", "-n", "zone-b", "--set", "limits.running_steps=2", "selector=zone in (b, c)")
        wait_for(lambda: self.starts(2), "the second step runs, too")
        self.stack.write("anew.yml", "name: zone-b\nselector: zone in (b, d)\nlimits: {running_steps: 3}\n")
        anew = self.stack.json("compute", "update", "-f", self.stack.path("anew.yml"))
        self.assertEqual((anew["selector"], anew["limits"]), ("zone in (b, d)", {"running_steps": 3}))
        self.go_on.touch()
        self.stack.wait(self.name)
        self.stack.wait(self.name + "_2")
        self.stack.potok("compute", "delete", "-n", "zone-b", "-y")
        self.assertIn("there is no pool 'zone-b'", self.refused("compute", "show", "-n", "zone-b", code=1))

    def test_a_pool_that_spreads_gives_each_machine_a_step(self):
        pool = self.stack.write("spread.yml", "name: wide\nselector: os == linux\nplacement: spread\n")
        self.stack.potok("compute", "create", "-f", pool)
        self.assertEqual(self.stack.json("compute", "show", "-n", "wide")["placement"], "spread")
        self.assertIn("spread", self.stack.potok("compute", "show", "-n", "wide", "-o", "table").stdout)
        command = f"until [ -e {self.go_on} ]; do sleep 0.05; done"
        text = "type: pipeline\njobs:\n" + "".join(
            f"  s{i}: {{command: ': {i}; {command}', reuse: false, compute: azureml:wide, resources: {{cpus: 0.5}}}}\n" for i in range(3)
        )
        self.stack.potok("job", "create", "-f", self.stack.write(f"{self.name}.yml", text), "-n", self.name)
        placed = wait_for(lambda: self.placed(self.name, 3), "three steps are placed")
        self.assertEqual(placed, self.machines)
        self.stack.potok("compute", "update", "-n", "wide", "--set", "placement=pack")
        self.stack.potok("job", "create", "-f", self.stack.path(f"{self.name}.yml"), "-n", self.name + "_2")
        self.assertEqual(len(set(wait_for(lambda: self.placed(self.name + "_2", 3), "three more are placed"))), 1)
        self.go_on.touch()
        self.stack.wait(self.name)
        self.stack.wait(self.name + "_2")
        self.stack.potok("compute", "delete", "-n", "wide", "-y")
        bad = self.stack.write("bad_spread.yml", "name: wide\nplacement: random\n")
        said = self.refused("compute", "create", "-f", bad, code=2)
        self.assertIn("placement is pack (the fullest machine that fits) or spread", said)

    def placed(self, run: str, count: int) -> list[str]:
        """The machines of its steps, if so many have one."""
        machines = sorted(step["machine"] for step in self.stack.show(run)["jobs"].values() if step["machine"])
        return machines if len(machines) == count else []

    def test_the_default_pool_has_limits_of_its_own(self):
        default = self.stack.json("compute", "create", "-n", "default", "--set", "limits.running_steps=1")
        self.assertEqual((default["origin"], len(default["machines"])), ("registered", 3))
        self.submit()
        wait_for(lambda: self.starts(1), "the step runs")
        other = self.stack.path(f"{self.name}.yml").read_text() + "    compute: azureml:cpu-cluster\n"
        second = self.name + "_2"
        self.stack.potok("job", "create", "-f", self.stack.write("second.yml", other), "-n", second)
        waits = wait_for(lambda: self.stack.json("job", "explain", "-n", second)[0]["waiting"], "it waits")
        self.assertIn("pool 'default' is at its limits (1 running step)", waits[0])
        self.assertEqual(self.stack.json("compute", "show", "-n", "default")["running_steps"], 1)
        self.stack.potok("compute", "delete", "-n", "default")
        wait_for(lambda: self.starts(2), "the second step runs, too")
        self.go_on.touch()
        self.stack.wait(self.name)
        self.stack.wait(second)

    # What is wrong

    def test_what_is_wrong_is_said_and_changes_nothing(self):
        one = self.machines[0]
        self.assertIn("no machine is named", self.refused("machine", "cordon", code=2))
        said = self.refused("machine", "cordon", one, "nobody", code=1)
        self.assertIn("no machine is known as 'nobody'; nothing was changed", said)
        self.assertIn("is no length of time", self.refused("machine", "drain", one, "--deadline", "soon", code=2))
        self.assertIn("no label is given", self.refused("machine", "label", one, code=2))
        self.assertIn("is no name for a label", self.refused("machine", "label", one, "a b=c", code=2))
        many = [f"l{i}=x" for i in range(10_000)]
        self.assertIn("carries up to 64 labels, and 10000", self.refused("machine", "label", one, *many, code=2))
        self.assertIn("no machine is named 'nobody'", self.refused("machine", "declare-dead", "nobody", code=1))
        shown = self.machine(one)
        self.assertEqual((shown["cordon"] or {"state": "none"})["state"], "none")
        bad = self.stack.write(
            "bad.yml", "name: p\ntype: amlcompute\nlimits: {cpu: 2, gpus: -1}\nselector: zone =\nselektor: b\n"
        )
        said = self.refused("compute", "create", "-f", bad, code=2)
        self.assertIn("bad.yml:5:", said)
        self.assertIn("bad.yml:4:11: error: selector: ", said)
        self.assertIn("gpus must be a number from 0 to", said)
        self.assertIn("was not registered: 4 error(s)", said)
        self.assertIn("always means the default pool", self.refused("compute", "create", "-n", "serverless", code=2))
        said = self.refused("compute", "create", "-n", "default", "--set", "selector=zone == b", code=2)
        self.assertIn("it takes no selector", said)
        self.assertIn("not registered", self.refused("compute", "delete", "-n", "cpu-cluster", code=1))
        missing = self.stack.write("missing.yml", "name: nowhere\nlimits: {running_steps: 3}\n")
        self.assertIn("there is no pool 'nowhere'", self.refused("compute", "update", "-f", missing, code=1))
        self.assertIn("which pool is to be changed", self.refused("compute", "update", "--tier", "dedicated", code=2))
        self.assertIn("bad.yml was not registered", self.refused("compute", "update", "-f", bad, code=2))
        self.assertIn("nothing is to be changed", self.refused("compute", "update", "-n", "cpu-cluster", code=2))
        names = {pool["name"] for pool in self.stack.json("compute", "list")}
        self.assertLessEqual({"cpu-cluster", "gpu-cluster", "serverless"}, names)


if __name__ == "__main__":
    unittest.main()
