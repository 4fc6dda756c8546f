"""Tests of which each makes one job, named as the test, from files in a folder of its own."""

import pathlib
import subprocess

from stack import StackTest


class OneJobTest(StackTest):
    def folder(self, name: str) -> pathlib.Path:
        """A new folder of this test."""
        path = self.stack.path(f"{self.name}/{name}")
        path.mkdir(parents=True)
        return path

    def file(self, text: str) -> str:
        return self.stack.write(f"{self.name}/job.yml", text)

    def create(self, text: str, check: bool = True) -> subprocess.CompletedProcess:
        return self.stack.potok("job", "create", "-f", self.file(text), "-n", self.name, check=check)

    def complete(self, text: str) -> dict:
        self.create(text)
        job = self.stack.wait(self.name)
        self.assertEqual(job["status"], "Completed", job["reason"])
        return job

    def download(self, *arguments: str) -> pathlib.Path:
        got = self.stack.path(f"{self.name}/got")
        self.stack.potok("job", "download", "-n", self.name, "-p", str(got), *arguments)
        return got / "named-outputs"
