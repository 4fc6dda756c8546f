"""Steps are held to the memory that they asked for, try again with more, and tell what they used."""

import unittest

from stack import StackTest, wait_for

MIB = 1 << 20

# Holds so many MiB for a moment, and uses the CPU.
HOG = """
import sys, time
held = bytearray(b"1") * (int(sys.argv[1]) << 20)
end = time.process_time() + float(sys.argv[2])
while time.process_time() < end:
    pass
time.sleep(0.5)
print("held", len(held))
"""

PIPELINE = """
type: pipeline
jobs:
  hungry:
    command: python3 hog.py 350 0.1
    code: ./src
    resources: {{memory: 256MiB, cpus: 1}}
    retry: {{max_attempts: 3, on: oom, memory_factor: {factor}}}
  neighbour:
    command: python3 hog.py 100 1.0
    code: ./src
    resources: {{memory: 600MiB, cpus: 1}}
"""


class LimitsTest(StackTest):
    # The first agent; the large one comes to it.
    UP = ("--agent-memory=300MiB", "--agent-cpus=4")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stack.write("src/hog.py", HOG)
        cls.start_agent("large", "--memory=1200MiB", "--cpus=4")
        wait_for(lambda: len(cls.machines()) == 2, "both agents are there")

    @classmethod
    def machines(cls):
        return [m for m in cls.stack.json("machine", "list") if m["state"] == "Ready"]

    def test_more_memory_after_it_ran_out(self):
        self.stack.write("grows.yml", PIPELINE.format(factor=2))
        self.stack.potok("job", "create", "-f", "grows.yml", "-n", self.name)
        job = self.stack.wait(self.name)
        self.assertEqual(job["status"], "Completed", job["reason"])
        hungry, neighbour = job["jobs"]["hungry"], job["jobs"]["neighbour"]

        self.assertEqual((hungry["attempt"], hungry["machine"]), (2, "large"))
        self.assertEqual(hungry["requested"]["memory_bytes"], 512 * MIB)
        self.assertIn(
            "attempt 2 asked for 512 MiB memory, since attempt 1 ran out of its 256 MiB", hungry["resource_notes"]
        )
        self.assertGreater(hungry["usage"]["peak_memory_bytes"], 350 * MIB)
        self.assertLessEqual(hungry["usage"]["peak_memory_bytes"], 520 * MIB)

        self.assertEqual(neighbour["attempt"], 1)
        usage = neighbour["usage"]
        self.assertGreater(usage["peak_memory_bytes"], 100 * MIB)
        self.assertLess(usage["peak_memory_bytes"], 300 * MIB)
        self.assertGreater(usage["cpu_seconds"], 0.9)
        self.assertLess(usage["cpu_seconds"], 10)
        self.assertGreater(usage["wall_seconds"], 1.4)
        (advice,) = neighbour["resource_notes"]
        self.assertRegex(advice, r"^asked 600 MiB, peaked at 1\d\d MiB: resources.memory could be \d+ MiB$")

        text = self.stack.potok("job", "show", "-n", self.name, "-o", "table").stdout
        self.assertRegex(text, r"(?m)^  neighbour  peak 1\d\d MiB memory, \d+\.\ds of CPU time")
        self.assertIn("    " + advice, text)
        explained = self.stack.potok("job", "explain", "-n", self.name, "hungry").stdout
        self.assertIn("attempt 2 asked for 512 MiB memory, since attempt 1 ran out of its 256 MiB", explained)

    def test_no_machine_has_more(self):
        self.stack.write(
            "largest.yml",
            """
type: command
command: python3 hog.py 1400 0
code: ./src
resources: {memory: 250MiB}
retry: {max_attempts: 9, memory_factor: 16}
""",
        )
        self.stack.potok("job", "create", "-f", "largest.yml", "-n", self.name)
        job = self.stack.wait(self.name)
        self.assertEqual(job["status"], "Failed")
        # 250 MiB, then all that the large machine has, then no more.
        self.assertEqual(job["requested"]["memory_bytes"], 1200 * MIB)
        self.assertIn("out of memory: the step asked 1.2 GiB", job["reason"])
        self.assertIn("no machine that could hold the step has more than 1.2 GiB", job["reason"])

    def test_wrong_factors_are_refused_with_their_place(self):
        self.stack.write("wrong.yml", PIPELINE.format(factor=17))
        refused = self.stack.potok("job", "create", "-f", "wrong.yml", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertRegex(refused.stderr, r"wrong\.yml:\d+:\d+: .*17 is no factor for memory; write 1 .* to 16")


if __name__ == "__main__":
    unittest.main()
