"""The user's main job: a real pipeline on real data, from nothing to its report."""

import json
import unittest

from stack import ROOT, StackTest


class DigitsTest(StackTest):
    def test_runs_from_its_files_to_its_report(self):
        run = self.stack.potok("run", str(ROOT / "examples/digits/pipeline.yml"), "--name", "digits1")
        self.assertIn("Completed", run.stdout + run.stderr)

        job = self.stack.show("digits1")
        self.assertEqual(job["status"], "Completed")
        self.assertEqual(
            set(job["jobs"]), {"extract", "split", "train_linear", "train_forest", "compare", "report"}
        )

        log = self.stack.potok("job", "logs", "-n", "digits1", "--step", "report", "-f").stdout
        self.assertRegex(log, r"accuracy 0\.9\d")

        self.stack.potok("job", "download", "-n", "digits1", "--output-name", "report", "-p", "out")
        report = self.stack.home / "out/named-outputs/report"
        self.assertEqual((report / "confusion_matrix.png").read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        self.assertIn("Handwritten digits, \"0\" to \"9\"", (report / "report.md").read_text())

        listed = json.loads(self.stack.potok("job", "list", "-o", "json").stdout)
        self.assertEqual([job["name"] for job in listed], ["digits1"])


if __name__ == "__main__":
    unittest.main()
