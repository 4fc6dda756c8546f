"""Disks that fill up, of a machine and of the store: what a step, an agent and a client say then, and that nothing is lost."""

import atexit
import hashlib
import json
import os
import pathlib
import subprocess
import unittest

from one_job import OneJobTest
from stack import wait_for

DISK_BYTES = 2 << 30
READS = """type: pipeline
inputs:
  data: {type: uri_folder, path: ./data}
jobs:
  read:
    command: ls -A ${{inputs.data}}
    inputs: {data: "${{parent.inputs.data}}"}
"""


def unmount(disk: pathlib.Path):
    subprocess.run(["umount", "-l", disk], capture_output=True, check=False)


class FullDiskTest(OneJobTest):
    """One stack; the agent's folder and the store's blobs lie on disks that a test makes as small as it wants."""

    UP = None
    agents: pathlib.Path
    blobs: pathlib.Path
    no_disks = ""  # why there are none

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agents, cls.blobs = cls.stack.state / "agents", cls.stack.state / "blobs"
        for disk in (cls.agents, cls.blobs):
            disk.mkdir(parents=True)
            command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", disk]
            mounted = subprocess.run(command, capture_output=True, text=True, check=False)
            cls.no_disks += mounted.stderr
            if mounted.returncode == 0:
                # Clean-ups go backwards: after `down`, before the stack removes its home. The other for an interrupted test.
                cls.addClassCleanup(unmount, disk)
                atexit.register(unmount, disk)
        cls.addClassCleanup(cls.stack.potok, "down", check=False, timeout=200)
        cls.stack.up_arguments = ("--server-flag", "disk-reserve=0")
        cls.stack.up()

    def leave(self, disk: pathlib.Path, free_bytes: int):
        """Makes a disk as large as what it holds and a little more."""
        if self.no_disks:
            self.skipTest(f"no disks can be mounted here: {self.no_disks}")
        facts = os.statvfs(disk)
        used = (facts.f_blocks - facts.f_bfree) * facts.f_frsize
        subprocess.run(["mount", "-o", f"remount,size={used + free_bytes}", disk], check=True)

    def step(self, command: str) -> str:
        text = "type: pipeline\njobs:\n  one:\n    outputs: {o: {type: uri_folder}}\n"
        return text + f"    command: {json.dumps(command)}\n"

    def agent_log(self) -> str:
        return next((self.stack.state / "logs").glob("agent-*.log")).read_text()

    def test_a_step_that_fills_the_machines_disk_fails_and_says_so(self):
        self.leave(self.agents, 4 << 20)
        try:
            self.create(self.step("head -c 50M /dev/urandom > ${{outputs.o}}/big"))
            job = self.stack.wait(self.name)
        finally:
            self.leave(self.agents, DISK_BYTES)
        self.assertEqual(job["status"], "Failed")
        self.assertRegex(job["reason"], "exited with code 1; the disk of .*/agents/.* has no room left .*give the machine")

    def test_an_input_that_does_not_fit_on_the_machine_waits_for_room(self):
        self.folder("data").joinpath("big").write_bytes(os.urandom(8 << 20))
        self.leave(self.agents, 2 << 20)
        try:
            self.create(READS)
            wait_for(lambda: "No space left on device" in self.agent_log(), "the agent says that its disk is full")
            self.assertEqual(self.stack.step_status(self.name, "read"), "Preparing")
        finally:
            self.leave(self.agents, DISK_BYTES)
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")
        self.assertEqual(self.stack.log(self.name), "big\n")

    def test_a_full_store_refuses_with_its_reason_and_loses_nothing(self):
        self.create(self.step("head -c 100000 /dev/urandom | tee ${{outputs.o}}/kept | sha256sum"))
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")
        self.folder("data").joinpath("big").write_bytes(os.urandom(8 << 20))
        waits = f"{self.name}_waits"
        self.leave(self.blobs, 2 << 20)
        try:
            refused = self.stack.potok("job", "create", "-f", self.file(READS), check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertRegex(refused.stderr, "cannot upload .*/data.*/blobs/.*: No space left on device")
            file = self.file(self.step("head -c 8M /dev/urandom | tee ${{outputs.o}}/big | sha256sum"))
            self.stack.potok("job", "create", "-f", file, "-n", waits)
            wait_for(lambda: self.stack.step_status(waits, "one") == "Finalizing", "its output waits for room")
            wait_for(lambda: "No space left on device" in self.agent_log(), "the agent says that the store is full")
        finally:
            self.leave(self.blobs, DISK_BYTES)
        self.assertEqual(self.stack.wait(waits)["status"], "Completed")
        for name, file in ((self.name, "kept"), (waits, "big")):
            self.stack.potok("job", "download", "-n", name, "-p", name + "/got", "--output-name", "o")
            got = self.stack.path(f"{name}/got/named-outputs/o/{file}").read_bytes()


if __name__ == "__main__":
    unittest.main()
