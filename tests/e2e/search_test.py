"""The example that searches: sweeps over folds and a loop until it is good enough, with the server killed in the middle of each."""

import re
import unittest

from stack import ROOT, StackTest, wait_for

TRIALS = {f"folds[{fold}][{trial}]" for fold in range(3) for trial in range(20)}


class SearchTest(StackTest):
    def setUp(self):
        self.stack.up()

    def start(self, name: str):
        file = str(ROOT / "examples/search/pipeline.yml")
        # What was made before would be reused.
        self.stack.potok("job", "create", "-f", file, "-n", name, "-o", "none", "--set", "settings.force_rerun=true")

    def result(self, name: str) -> tuple[str, str]:
        """What was chosen of the sweeps, and what came of the loop."""
        job = self.stack.wait(name, timeout=240)
        self.assertEqual(job["status"], "Completed", job["reason"])
        self.stack.potok("job", "download", "-n", name, "--output-name", "curve", "-p", name)
        curve = next(self.stack.path(name).rglob("curve*"))
        curve = curve if curve.is_file() else next(path for path in curve.rglob("*") if path.is_file())
        return self.stack.log(name, "--step", "choose"), curve.read_text()

    def kill_server_when(self, name: str, condition, what: str):
        wait_for(lambda: condition(self.stack.show(name)["jobs"]), what)
        self.stack.kill("potok-server")
        wait_for(lambda: self.stack.processes("potok-server"), "the server is back")

    def test_the_result_is_the_same_whatever_is_killed(self):
        undisturbed, disturbed = f"{self.name}_a", f"{self.name}_b"
        self.start(undisturbed)
        expected = self.result(undisturbed)
        self.assertRegex(expected[0], r"of 3 folds: degree \d, rate 0\.\d+: loss 0\.0")

        self.start(disturbed)
        for count in (8, 24):
            self.kill_server_when(
                disturbed,
                lambda jobs, count=count: sum(re.search(r"\]\[", job) is not None for job in jobs) >= count,
                f"there are {count} trials",
            )
        for round_ in ("until[1]", "until[2]"):
            self.kill_server_when(disturbed, lambda jobs, round_=round_: round_ in jobs, f"there is {round_}")
        self.assertEqual(self.result(disturbed), expected)

        for name in (undisturbed, disturbed):
            jobs = self.stack.show(name)["jobs"]
            self.assertLessEqual(TRIALS, set(jobs))
            stopped = [job for job in TRIALS if "bandit policy" in (jobs[job].get("reason") or "")]
            self.assertTrue(stopped)
            self.assertLess(len(stopped), len(TRIALS))


if __name__ == "__main__":
    unittest.main()
