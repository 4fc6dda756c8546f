"""Steps of mini-batches, by the real programs."""

import unittest

from stack import StackTest

JOB = """type: pipeline
inputs:
  files: {type: uri_folder, path: files}
jobs:
  score:
    type: parallel
    mini_batch_size: "3"
    max_concurrency_per_instance: 2
    mini_batch_error_threshold: 0
    retry_settings: {max_retries: 1, timeout: 60}
    input_data: ${{inputs.files}}
    inputs:
      files: ${{parent.inputs.files}}
      offset: 100
    outputs:
      rows: {type: uri_file}
    task:
      type: run_function
      code: src
      entry_script: score.py
      environment: {image: python}
      program_arguments: >-
        --offset ${{inputs.offset}}
        --error_threshold 5 --copy_logs_to_parent True
      append_row_to: ${{outputs.rows}}
  sum:
    command: awk '{ total += $2 } END { print total }' ${{inputs.rows}}
    inputs:
      rows: ${{parent.jobs.score.outputs.rows}}
"""
SCORE = """import argparse, os
def init():
    global offset
    parser = argparse.ArgumentParser()
    parser.add_argument("--offset", type=int)
    known, rest = parser.parse_known_args()
    assert rest == [], rest
    offset = known.offset
def run(mini_batch):
    rows = []
    for path in mini_batch:
        with open(path) as file:
            rows.append(f"{os.path.basename(path)} {int(file.read()) + offset}")
    return rows
"""


class ParallelTest(StackTest):
    def make(self, script: str) -> str:
        for number in range(10):
            self.stack.write(f"files/{number}.txt", str(number))
        self.stack.write("src/score.py", script)
        return self.stack.write("job.yml", JOB)

    def test_files_go_in_mini_batches_and_rows_come_back_in_order(self):
        self.stack.potok("run", self.make(SCORE), "-n", self.name)
        self.assertEqual(self.stack.log(self.name, "--step", "sum"), "1045\n")
        log = self.stack.log(self.name, "--step", "score")
        self.assertIn("10 files in 4 mini-batches for 2 processes", log)
        self.assertIn("4 of 4 mini-batches completed, 0 failed (0 of 10 files); 0 retries", log)
        self.stack.potok("job", "download", "-n", self.name, "--output-name", "score.rows", "-p", "got")
        rows = self.stack.path("got/named-outputs/rows/rows").read_text().splitlines()
        self.assertEqual(rows, [f"{number}.txt {number + 100}" for number in range(10)])

    def test_a_step_fails_beyond_its_threshold_and_its_log_says_which(self):
        script = SCORE.replace("    rows = []", "    raise ValueError('never')")
        self.stack.potok("job", "create", "-f", self.make(script), "-n", self.name)
        self.assertEqual(self.stack.wait(self.name)["status"], "Failed")
        log = self.stack.log(self.name, "--step", "score")
        self.assertIn("ValueError: never", log)
        self.assertIn("parallel step: 1 mini-batches failed; mini_batch_error_threshold is 0", log)


if __name__ == "__main__":
    unittest.main()
