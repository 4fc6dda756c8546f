"""Single processes are killed and come back; the steps do not notice, and nothing is forgotten."""

import os
import signal
import unittest

from stack import StackTest, is_alive, wait_for

# Says that it runs, waits until it may go on, says that it ends.
COMMAND = (
    'echo "start $POTOK_STEP $POTOK_ATTEMPT" >> {notes}; until [ -e {go_on} ]; do sleep 0.05; done; '
    'echo "end $POTOK_STEP $POTOK_ATTEMPT" >> {notes}; echo done'
)


class RestartStory(StackTest):
    """A step that runs while something is killed."""

    UP = ("--agent-cpus=8",)

    def setUp(self):
        self.stack.up()
        self.notes = self.stack.path(f"{self.name}.notes")
        self.go_on = self.stack.path(f"{self.name}.go_on")

    def noted(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []

    def submit(self, *, second_step: bool = False):
        """A step that runs until `go_on` is there, and perhaps one that follows it."""
        command = COMMAND.format(notes=self.notes, go_on=self.go_on)
        text = f"type: pipeline\njobs:\n  first:\n    command: '{command}'\n"
        if second_step:
            text += f"  second:\n    command: '{command}; :'\n    depends_on: [first]\n"
        file = self.stack.write(f"{self.name}.yml", text)
        self.stack.potok("job", "create", "-f", file, "-n", self.name)
        wait_for(lambda: self.noted() == ["start first 1"], "the first step runs")

    def restarted(self, program: str, old: int):
        """Waits until the supervisor has started the program again."""
        wait_for(lambda: [pid for pid in self.stack.processes(program) if pid != old], f"{program} is back")

    def assert_ended_once(self, *, second_step: bool = False):
        job = self.stack.wait(self.name)
        self.assertEqual(job["status"], "Completed", job["reason"])
        self.assertEqual({step["attempt"] for step in job["jobs"].values()}, {1})
        notes = ["start first 1", "end first 1"]
        self.assertEqual(self.noted(), notes + (["start second 1", "end second 1"] if second_step else []))
        self.assertEqual(self.stack.log(self.name, "--step", "first"), "done\n")


class AgentAndServerTest(RestartStory):
    # The agent

    def test_a_step_outlives_its_killed_agent_and_ends_once(self):
        self.submit()
        self.restarted("potok-agent", self.stack.kill("potok-agent"))
        self.go_on.touch()
        self.assert_ended_once()

    def test_a_step_that_ends_while_its_agent_is_away_is_reported_once(self):
        self.submit()
        # A stopped process does nothing, and its supervisor does not start another.
        agent = self.stack.processes("potok-agent")[0]
        os.kill(agent, signal.SIGSTOP)
        try:
            self.go_on.touch()
            wait_for(lambda: "end first 1" in self.noted(), "the step has ended")
        finally:
            os.kill(agent, signal.SIGKILL)
        self.assert_ended_once()

    def test_a_canceled_step_is_ended_by_the_agent_that_comes_after(self):
        self.submit()
        agent = self.stack.processes("potok-agent")[0]
        os.kill(agent, signal.SIGSTOP)
        try:
            self.stack.potok("job", "cancel", "-n", self.name)
        finally:
            os.kill(agent, signal.SIGKILL)
        self.assertEqual(self.stack.wait(self.name)["status"], "Canceled")
        self.assertEqual(self.noted(), ["start first 1"])

    # The server

    def test_a_step_outlives_a_killed_server(self):
        self.submit(second_step=True)
        self.restarted("potok-server", self.stack.kill("potok-server"))
        self.go_on.touch()
        self.assert_ended_once(second_step=True)

    def test_a_step_that_ends_while_the_server_is_away_is_not_lost(self):
        self.submit(second_step=True)
        server = self.stack.processes("potok-server")[0]
        os.kill(server, signal.SIGSTOP)
        try:
            self.go_on.touch()
            wait_for(lambda: "end first 1" in self.noted(), "the step has ended")
        finally:
            os.kill(server, signal.SIGKILL)
        self.assert_ended_once(second_step=True)

    def test_who_follows_a_run_hears_its_end_across_a_killed_server(self):
        self.submit()
        follower = self.stack.start("job", "stream", "-n", self.name)
        self.restarted("potok-server", self.stack.kill("potok-server"))
        self.go_on.touch()
        stdout, stderr = follower.communicate(timeout=120)
        self.assertEqual(follower.returncode, 0, stderr)
        self.assertIn("Completed", stdout.decode())

    # Down and up

    def test_down_and_up_keep_the_history_and_end_what_was_interrupted(self):
        self.stack.potok("run", "-n", "history", "--", "echo", "kept")
        self.submit(second_step=True)
        self.stack.down()
        self.assertEqual(self.stack.processes("potok-server") + self.stack.processes("postgres"), [])
        self.assertEqual(self.stack.potok("job", "list", check=False).returncode, 3)
        self.stack.up()
        listed = {job["name"]: job["status"] for job in self.stack.json("job", "list")}
        self.assertEqual(listed["history"], "Completed")
        self.assertEqual(listed[self.name], "Running")
        self.assertEqual(self.stack.log("history"), "kept\n")
        self.go_on.touch()
        self.assert_ended_once(second_step=True)


class DatabaseTest(RestartStory):
    def test_a_run_completes_although_postgres_is_killed(self):
        self.submit(second_step=True)
        postmaster = wait_for(self.postmaster, "PostgreSQL runs")
        self.stack.kill_process(postmaster)
        self.go_on.touch()
        self.assert_ended_once(second_step=True)
        self.assertNotEqual(self.postmaster(), postmaster)

    def postmaster(self) -> int | None:
        try:
            pid = int((self.stack.state / "postgres/data/postmaster.pid").read_text().split()[0])
        except (OSError, IndexError, ValueError):
            return None
        return pid if is_alive(pid) else None


if __name__ == "__main__":
    unittest.main()
