"""Leases of pools: silent machines whose steps are given up soon, and others whose steps are waited for."""

import os
import signal
import unittest

from stack import StackTest, wait_for

COMMAND = 'echo "$POTOK_ATTEMPT" >> {notes}; until [ -e {go_on} ]; do sleep 0.05; done; echo done'


class LeasesTest(StackTest):
    UP = (
        "--server-flag=lease=10s",
        "--server-flag=lease_grace=1s",
        "--server-flag=silent_after=3s",
    )

    def machine(self, name: str) -> dict:
        return self.stack.json("machine", "show", "-n", name)

    def has_lease(self, name: str, lease: str):
        def is_it() -> bool:
            leases = {machine["name"]: machine["lease"] for machine in self.stack.json("machine", "list")}
            return leases.get(name) == lease

        wait_for(is_it, f"the lease of {name} is {lease}")

    def submit(self, compute: str) -> str:
        name = f"{self.name}-{compute}"
        command = COMMAND.format(notes=self.stack.path(f"{name}.notes"), go_on=self.stack.path("go_on"))
        text = f"command: '{command}'\ncompute: azureml:{compute}\nretry: {{max_attempts: 1}}\n"
        self.stack.potok("job", "create", "-f", self.stack.write(f"{name}.yml", text), "-n", name)
        wait_for(lambda: self.notes(name), f"{name} runs")
        return name

    def notes(self, run: str) -> list[str]:
        notes = self.stack.path(f"{run}.notes")
        return notes.read_text().split() if notes.exists() else []

    def put(self, text: str):
        self.stack.potok("compute", "create", "-f", self.stack.write("pool.yml", text))

    def test_steps_of_a_silent_machine_are_given_up_when_the_lease_of_its_pool_is_over(self):
        agents = {name: self.start_agent(name, f"--pool={name}") for name in ("near", "far")}
        self.has_lease("far", "10s")
        runs = {name: self.submit(name) for name in agents}
        # A machine that is connected hears of it at once, and its step goes on.
        self.put("name: far\nlease: never\n")
        self.has_lease("far", "never")
        self.assertEqual(self.stack.json("compute", "show", "-n", "far")["lease"], "never")
        self.assertIn("Lease: never", self.stack.potok("compute", "show", "-n", "far", "-o", "table").stdout)
        self.assertIn("lease never", self.stack.potok("machine", "show", "-n", "far", "-o", "table").stdout)
        for name in ("far", "near"):
            os.kill(agents[name].pid, signal.SIGSTOP)
        wait_for(lambda: self.machine("near")["state"] == "Lost", "the machine with the server's lease is lost")
        self.assertEqual(self.machine("far")["state"], "NotResponding")
        # A server that is started anew knows it, too.
        self.stack.kill("potok-server")
        wait_for(lambda: self.stack.processes("potok-server"), "the server is started again")
        self.assertEqual(self.machine("far")["lease"], "never")
        for agent in agents.values():
            os.kill(agent.pid, signal.SIGCONT)
        self.stack.path("go_on").touch()
        for name, run in runs.items():
            self.assertEqual(self.stack.wait(run)["status"], "Completed", name)
        self.assertEqual(self.notes(runs["far"]), ["1"])
        self.assertEqual(self.notes(runs["near"]), ["1", "2"])

    def test_a_lease_is_changed_and_taken_back(self):
        self.start_agent("own", "--pool=own")
        self.put("name: own\nlease: 1h30m\n")
        self.put("name: wide\nselector: name == own\nlease: 30m\n")
        self.has_lease("own", "1h30m")
        self.stack.potok("compute", "update", "-n", "own", "--set", "lease=2m")
        self.has_lease("own", "30m")
        self.stack.potok("compute", "update", "-n", "wide", "--set", "lease=")
        self.has_lease("own", "2m")
        self.stack.potok("compute", "delete", "-n", "own", "-y")
        self.has_lease("own", "10s")

    def test_what_is_no_lease_is_refused(self):
        for lease in ("banana", "-1m", "0s", "59s", "31d"):
            file = self.stack.write("bad.yml", f"name: bad\nlease: {lease}\n")
            done = self.stack.potok("compute", "create", "-f", file, check=False)
            self.assertNotEqual(done.returncode, 0, lease)
            self.assertIn("bad.yml:2:8: error: lease is how long a machine may be silent", done.stderr)
            self.assertIn(f"from 1m to 30d, such as 30m, 1h30m or 2d, or never (then only a person ends them), but '{lease}'", done.stderr)


if __name__ == "__main__":
    unittest.main()
