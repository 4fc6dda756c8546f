"""Kill any process at any moment: every run still ends, and each result counts once."""

import collections
import pathlib
import unittest

from stack import StackTest, is_alive, wait_for

# Each line is one write(2) to a file opened with O_APPEND, so that lines of many steps never mix.
COMMAND = (
    'note() { printf "%s %s %s %s\\n" "$POTOK_STEP" "$POTOK_ATTEMPT" "$1" "$EPOCHREALTIME" >> "$LEDGER"; }; '
    "note start; sleep 1; note end"
)

Attempt = collections.namedtuple("Attempt", "starts ends")


def pipeline(steps: int, ledger: pathlib.Path) -> str:
    lines = ["type: pipeline", "jobs:"]
    for i in range(steps):
        lines += [
            f"  s{i}:",
            f"    command: '{COMMAND}'",
            f"    environment_variables: {{LEDGER: {ledger}, STEP: s{i}}}",  # equal steps would run once
            "    resources: {cpus: 0.1}",
        ]
    return "\n".join(lines) + "\n"


class Ledger:
    """What the steps themselves say of when they ran."""

    def __init__(self, path: pathlib.Path):
        self.path = path

    def lines(self) -> list[list[str]]:
        text = self.path.read_text() if self.path.exists() else ""
        return [line.split() for line in text.splitlines()]

    def ended(self) -> int:
        return sum(line[2] == "end" for line in self.lines())

    def attempts(self) -> dict[str, dict[int, Attempt]]:
        """By step and attempt."""
        steps = collections.defaultdict(lambda: collections.defaultdict(lambda: Attempt([], [])))
        for step, attempt, what, at in self.lines():
            times = steps[step][int(attempt)]
            (times.starts if what == "start" else times.ends).append(float(at))
        return steps


class KillTest(StackTest):
    UP = ("--agents=2", "--agent-cpus=2")  # 40 steps of 0.1 CPU at a time

    def setUp(self):
        self.stack.up()
        self.ledger = Ledger(self.stack.path(f"{self.name}.ledger"))

    def submit(self, steps: int):
        file = self.stack.write(f"{self.name}.yml", pipeline(steps, self.ledger.path))
        self.stack.potok("job", "create", "-f", file, "-n", self.name)

    def wait_until_ended(self, steps: int):
        wait_for(lambda: self.ledger.ended() >= steps, f"{steps} steps have ended")

    def assert_each_step_counted_once(self, steps: int):
        job = self.stack.wait(self.name, timeout=240)
        self.assertEqual(job["status"], "Completed", job["reason"])
        self.assertEqual(len(job["jobs"]), steps)
        ledger = self.ledger.attempts()
        for step, shown in job["jobs"].items():
            counted = ledger[step][shown["attempt"]]
            self.assertEqual((len(counted.starts), len(counted.ends)), (1, 1), f"{step}: {ledger[step]}")
            self.assert_one_after_another(step, ledger[step])

    def assert_one_after_another(self, step: str, attempts: dict[int, Attempt]):
        last = 0.0
        for number in sorted(attempts):
            starts, ends = attempts[number]
            self.assertEqual(len(starts), 1, f"attempt {number} of {step} started more than once")
            self.assertGreater(starts[0], last, f"attempt {number} of {step} began before the one before it ended")
            last = max(starts + ends)

    def test_server_then_agent(self):
        self.submit(200)
        self.wait_until_ended(20)
        self.stack.kill("potok-server")
        self.wait_until_ended(80)
        self.stack.kill("potok-agent")
        self.assert_each_step_counted_once(200)

    def test_supervisor_and_server_then_up(self):
        self.submit(80)
        self.wait_until_ended(5)
        self.stack.kill_process(wait_for(self.stack.supervisor, "the supervisor runs"))
        self.stack.kill("potok-server")
        self.stack.up()
        self.assert_each_step_counted_once(80)

    def test_all_processes_at_once_then_up(self):
        self.submit(80)
        self.wait_until_ended(5)
        self.stack.kill_process(wait_for(self.stack.supervisor, "the supervisor runs"))
        for program in ("potok-server", "potok-agent", "potok-agent", "postgres"):
            self.stack.kill(program)
        self.stack.up()
        self.assert_each_step_counted_once(80)

    def test_supervisor_alone_leaves_the_rest_running(self):
        self.submit(20)
        server = self.stack.processes("potok-server")
        self.stack.kill_process(wait_for(self.stack.supervisor, "the supervisor runs"))
        self.assert_each_step_counted_once(20)
        self.assertTrue(is_alive(server[0]))
        self.stack.up()
        self.assertEqual(self.stack.processes("potok-server"), server)


if __name__ == "__main__":
    unittest.main()
