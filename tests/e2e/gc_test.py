"""What is kept and what goes: retention, the collection of garbage, and a store that is full."""

import os
import time
import unittest

from stack import StackTest, wait_for

WRITES = """type: pipeline
settings: {{retention: {retention}}}
jobs:
  write:
    command: head -c {size} /dev/urandom > ${{{{outputs.bytes}}}}/file && echo written
    outputs:
      bytes: {{type: uri_folder}}
"""
READS = """type: pipeline
inputs:
  data: {type: uri_file, path: data.bin}
jobs:
  read:
    command: wc -c < ${{inputs.data}}
    inputs:
      data: ${{parent.inputs.data}}
"""


class Kept(StackTest):
    """A stack whose blobs a test can make look old."""

    UP = ("--server-flag", "disk-reserve=0")

    def run_writer(self, name: str, size: int, retention: str = "1s"):
        file = self.stack.write(f"{name}.yml", WRITES.format(size=size, retention=retention))
        self.stack.potok("job", "create", "-f", file, "-n", name)

    def blobs(self) -> list:
        return [path for path in (self.stack.state / "blobs" / "blobs").glob("*/*") if path.is_file()]

    def age(self):
        """As if nobody had asked for any blob for two days."""
        for path in self.blobs():
            facts = path.stat()
            os.utime(path, ns=(time.time_ns() - 2 * 86_400 * 10**9, facts.st_mtime_ns))

    def collect(self, *arguments: str) -> dict:
        self.age()
        return self.stack.json("gc", *arguments)

    def collect_ended(self) -> dict:
        """A collection that ends a retention, as soon as it has lasted."""
        return wait_for(lambda: (done := self.collect())["runs_ended"] and done, "a retention has ended")


class GcTest(Kept):
    def test_outputs_and_logs_go_when_their_retention_has_ended(self):
        kept = "kept_for_ever"
        self.run_writer(kept, 1000, "forever")
        self.assertEqual(self.stack.wait(kept)["status"], "Completed")
        self.run_writer(self.name, 500_000)
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")
        self.stack.potok("job", "download", "-n", self.name, "--all", "-p", "before")

        def would():
            done = self.collect("--dry-run")
            return done["runs_ended"] and done

        would_free = wait_for(would, "a retention has ended")
        self.assertGreater(would_free["freed_bytes"], 500_000)
        self.assertNotIn("outputs_deleted_at", self.stack.show(self.name))
        done = self.collect()
        self.assertEqual(done["freed_bytes"], would_free["freed_bytes"])
        self.assertEqual(done["freed_logs"], 1)
        job = self.stack.show(self.name)
        self.assertIn("outputs_deleted_at", job)
        self.assertEqual(job["status"], "Completed")
        refused = self.stack.potok("job", "download", "-n", self.name, "--all", "-p", "after", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"the outputs and logs of the run {self.name} are deleted since 20", refused.stderr)
        self.assertFalse(self.stack.path("after").exists())
        logs = self.stack.potok("job", "logs", "-n", self.name, check=False)
        self.assertIn(f"the logs of the run {self.name} are deleted since 20", logs.stderr)
        self.assertEqual(self.stack.log(kept), "written\n")
        self.stack.potok("job", "download", "-n", kept, "--all", "-p", "kept")
        self.assertEqual(self.collect()["freed_bytes"], 0)

    def test_refuses_to_take_what_somebody_may_be_about_to_name(self):
        refused = self.stack.potok("gc", "--unused-for", "5m", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("give at least that", refused.stderr)
        wrong = self.stack.potok("gc", "--unused-for", "soon", check=False)
        self.assertIn("'soon' is no length of time: give one such as 30d", wrong.stderr)


class QuotaTest(Kept):
    UP = ("--server-flag", "artifacts-quota=3MiB", "--server-flag", "disk-reserve=0")

    def test_a_run_whose_outputs_do_not_fit_goes_on_when_bytes_are_freed(self):
        self.run_writer("fills", 2_000_000)
        self.assertEqual(self.stack.wait("fills")["status"], "Completed")
        self.run_writer(self.name, 2_000_001)
        agent_log = next((self.stack.state / "logs").glob("agent-*.log"))
        wait_for(lambda: "of its quota of 3 MiB are used" in agent_log.read_text(), "the store is full")
        self.assertEqual(self.stack.step_status(self.name, "write"), "Finalizing")
        waiting = self.stack.show(self.name)["jobs"]["write"]["waiting_for"]
        self.assertIn("room for its outputs: the store has no room for 1.9 MiB more", waiting)
        self.assertIn("waits: room for its outputs: the", self.stack.potok("job", "show", "-n", self.name, "-o", "table").stdout)

        self.stack.path("data.bin").write_bytes(os.urandom(1_500_000))
        refused = self.stack.potok("job", "create", "-f", self.stack.write("reads.yml", READS), check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("the store has no room for 1.4 MiB more", refused.stderr)
        self.assertIn("`potok gc`", refused.stderr)

        self.assertGreaterEqual(self.collect_ended()["freed_bytes"], 2_000_000)
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")
        self.assertLessEqual(sum(path.stat().st_size for path in self.blobs()), 3 << 20)


if __name__ == "__main__":
    unittest.main()
