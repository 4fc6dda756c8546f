#!/usr/bin/env python3
"""The runner of parallel steps, as a step runs it: a process of its own, and the files it leaves."""

import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

RUNNER = pathlib.Path(__file__).resolve().parents[2] / "sdk" / "python" / "potok_parallel"
HAS_TABLES = all(importlib.util.find_spec(module) for module in ("pandas", "yaml"))

NAMES = """
import os
def run(mini_batch):
    return [os.path.basename(name) for name in mini_batch]
"""


class ParallelTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="potok-parallel-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.input = self.folder / "input"
        self.input.mkdir()
        self.output = self.folder / "rows.txt"

    def files(self, count: int):
        for number in range(count):
            (self.input / f"{number:03}.txt").write_text(str(number))

    def run_step(self, script: str, *arguments: str, append: bool = True, **settings):
        (self.folder / "entry.py").write_text(textwrap.dedent(script))
        settings = {"entry_script": "entry.py", "max_concurrency_per_instance": 3, **settings}
        command = [sys.executable, RUNNER, "--settings", json.dumps(settings), "--input", str(self.input)]
        if append:
            command += ["--append-to", str(self.output)]
        return subprocess.run(
            [*command, "--", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120, check=False
        )

    def rows(self) -> list[str]:
        return self.output.read_text().splitlines()

    def assert_done(self, result):
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_gives_all_files_and_joins_rows_in_the_order_of_the_files(self):
        self.files(25)
        (self.input / "below").mkdir()
        (self.input / "below" / "z.txt").write_text("deep")
        # The first mini-batches take the longest, so that rows come out of order.
        slow = """
            import os, time
            def run(mini_batch):
                names = [os.path.basename(name) for name in mini_batch]
                while "000.txt" in names and not os.path.exists("others-done"):
                    time.sleep(0.01)
                if "z.txt" in names:
                    open("others-done", "w").close()
                return names
        """
        result = self.run_step(slow, mini_batch_size="4")
        self.assert_done(result)
        self.assertEqual(self.rows(), [f"{number:03}.txt" for number in range(25)] + ["z.txt"])
        self.assertIn("26 files in 7 mini-batches for 3 processes", result.stdout)
        self.assertIn("7 of 7 mini-batches completed, 0 failed (0 of 26 files); 0 retries", result.stdout)

    def test_calls_init_once_for_a_process_and_shutdown_at_its_end(self):
        self.files(6)
        script = """
            import os
            def init():
                open(f"init-{os.getpid()}", "x").close()
            def run(mini_batch):
                assert os.path.exists(f"init-{os.getpid()}")
                return mini_batch
            def shutdown():
                open(f"shutdown-{os.getpid()}", "x").close()
        """
        self.assert_done(self.run_step(script, max_concurrency_per_instance=2))
        begun = {path.name.removeprefix("init-") for path in self.folder.glob("init-*")}
        ended = {path.name.removeprefix("shutdown-") for path in self.folder.glob("shutdown-*")}
        self.assertEqual(begun, ended)
        self.assertIn(len(begun), (1, 2))

    def test_gives_the_script_its_arguments_without_the_switches(self):
        self.files(1)
        script = """
            import argparse, sys
            def init():
                global known, rest
                parser = argparse.ArgumentParser()
                parser.add_argument("--model")
                known, rest = parser.parse_known_args()
            def run(mini_batch):
                return [f"{known.model} {rest} {sys.argv[0]}"]
        """
        result = self.run_step(
            script,
            *("--model", "a model", "--error_threshold", "5", "--allowed_failed_percent=30", "--own", "x"),
            *("--copy_logs_to_parent", "True", "--resource_monitor_interval", "20"),
        )
        self.assert_done(result)
        self.assertEqual(self.rows(), ["a model ['--own', 'x'] entry.py"])

    def test_gives_a_context_to_those_who_take_one(self):
        self.files(2)
        script = """
            def run(mini_batch, mini_batch_context):
                return [f"{mini_batch_context.mini_batch_id} {mini_batch_context.partition_key_value}"]
        """
        self.assert_done(self.run_step(script))
        self.assertEqual(self.rows(), ["0 None", "1 None"])

    def test_imports_what_lies_beside_the_script(self):
        self.files(1)
        (self.folder / "beside.py").write_text("VALUE = 'beside'")
        self.assert_done(self.run_step("import beside\ndef run(mini_batch):\n    return [beside.VALUE]\n"))
        self.assertEqual(self.rows(), ["beside"])

    FAILS_TWICE = """
        import os
        def run(mini_batch):
            if mini_batch[0].endswith("001.txt"):
                tries = len([name for name in os.listdir(".") if name.startswith("try")])
                open(f"try-{tries}", "x").close()
                if tries < 2:
                    raise ValueError("not yet")
            return mini_batch
    """

    def test_tries_a_mini_batch_again(self):
        self.files(3)
        result = self.run_step(self.FAILS_TWICE, max_retries=2, mini_batch_error_threshold=0)
        self.assert_done(result)
        self.assertEqual(len(self.rows()), 3)
        self.assertIn("ValueError: not yet", result.stdout)
        self.assertIn("failed in try 1 of 3, is tried again", result.stdout)
        self.assertIn("2 retries", result.stdout)

    def test_counts_a_mini_batch_as_failed_after_its_last_try(self):
        self.files(3)
        result = self.run_step(self.FAILS_TWICE, max_retries=1)
        self.assert_done(result)  # without a threshold all may fail
        self.assertEqual([pathlib.Path(row).name for row in self.rows()], ["000.txt", "002.txt"])
        self.assertIn("2 of 3 mini-batches completed, 1 failed (1 of 3 files)", result.stdout)

    def test_fails_beyond_a_threshold_and_says_which(self):
        always = "def run(mini_batch):\n    raise ValueError('never')\n"
        self.files(8)
        for settings, arguments, message in (
            ({"mini_batch_error_threshold": 1}, [], "2 mini-batches failed; mini_batch_error_threshold is 1"),
            ({"error_threshold": 3}, [], "4 files failed; error_threshold is 3"),
            ({}, ["--error_threshold", "0"], "2 files failed; error_threshold is 0"),
            ({}, ["--allowed_failed_percent", "40"], "2 of 4 mini-batches failed; --allowed_failed_percent is 40"),
        ):
            with self.subTest(message):
                result = self.run_step(
                    always, *arguments, max_retries=0, mini_batch_size="2", max_concurrency_per_instance=1, **settings
                )
                self.assertEqual(result.returncode, 1, result.stdout)
                self.assertEqual(result.stderr, f"parallel step: {message}\n")
                self.assertIn("did not run", result.stdout)

    def test_counts_rows_that_did_not_come_back(self):
        self.files(4)
        script = "def run(mini_batch):\n    return mini_batch[:1]\n"
        result = self.run_step(script, mini_batch_size="4", max_retries=0)
        self.assert_done(result)
        self.assertIn("run() returned 1 rows for 4", result.stdout)
        self.assertIn("1 failed (3 of 4 files)", result.stdout)
        self.assertEqual(len(self.rows()), 1)

    def test_ends_a_mini_batch_that_takes_too_long(self):
        self.files(3)
        script = """
            import time
            def run(mini_batch):
                while mini_batch[0].endswith("001.txt"):
                    time.sleep(0.01)
                return mini_batch
        """
        result = self.run_step(script, max_retries=1, batch_timeout_seconds=0.3)
        self.assert_done(result)
        self.assertIn("not done after 0.3 s (retry_settings.timeout)", result.stdout)
        self.assertEqual(len(self.rows()), 2)

    def test_goes_on_when_a_process_dies(self):
        self.files(4)
        script = """
            import os, signal
            def run(mini_batch):
                if mini_batch[0].endswith("001.txt"):
                    os.kill(os.getpid(), signal.SIGKILL)
                if mini_batch[0].endswith("002.txt"):
                    os._exit(7)
                return mini_batch
        """
        result = self.run_step(script, max_retries=1)
        self.assert_done(result)
        self.assertIn("its process ended with exit code -9", result.stdout)
        self.assertIn("its process ended with exit code 7", result.stdout)
        self.assertEqual(len(self.rows()), 2)

    def test_refuses_a_script_that_cannot_be_begun(self):
        self.files(1)
        for script, message in (
            ("def init():\n    raise OSError('no model')\ndef run(b):\n    return b\n", "OSError: no model"),
            ("import nothing_of_this_name\n", "ModuleNotFoundError"),
            ("def init():\n    pass\n", "has no function run(mini_batch)"),
            ("import os\ndef init():\n    os._exit(3)\n", "exit code 3"),
        ):
            with self.subTest(message):
                result = self.run_step(script)
                self.assertEqual(result.returncode, 2)
                self.assertIn("entry.py could not be begun", result.stderr)
                self.assertIn(message, result.stderr)

    def test_gives_up_on_an_init_that_does_not_end(self):
        self.files(1)
        script = "import time\ndef init():\n    time.sleep(1000)\ndef run(b):\n    return b\n"
        result = self.run_step(script, "--task_overhead_timeout", "0.3")
        self.assertEqual(result.returncode, 2)
        self.assertIn("has not ended after 0.3 s (--task_overhead_timeout)", result.stderr)

    def test_refuses_what_makes_no_sense(self):
        self.files(1)
        for settings, arguments, message in (
            ({"mini_batch_size": "10kb"}, [], "mini_batch_size: 10kb"),
            ({"mini_batch_size": "0"}, [], "mini_batch_size: 0"),
            ({"partition_keys": ["a"]}, [], "only a table"),
            ({}, ["--error_threshold", "many"], "--error_threshold many: this is no number"),
            ({}, ["--error_threshold"], "--error_threshold has no value"),
        ):
            with self.subTest(message):
                result = self.run_step(NAMES, *arguments, **settings)
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertIn(message, result.stderr)
                self.assertNotIn("Traceback", result.stderr)

    def test_does_nothing_for_an_empty_folder(self):
        result = self.run_step(NAMES)
        self.assert_done(result)
        self.assertEqual(self.rows(), [])
        self.assertIn("0 of 0 mini-batches completed", result.stdout)

    def test_takes_a_single_file_and_appends_nowhere(self):
        self.input.rmdir()
        self.input.write_text("one")
        self.assert_done(self.run_step(NAMES, append=False))
        self.assertFalse(self.output.exists())

    def test_takes_files_with_odd_names(self):
        for name in ("a b.txt", "żółw.txt", "new\nline", "'quote\"", "$(x)"):
            (self.input / name).write_text("x")
        self.assert_done(self.run_step("def run(mini_batch):\n    return [open(n).read() for n in mini_batch]\n"))
        self.assertEqual(self.rows(), ["x"] * 5)

    # Outputs keep links that stay inside: two that lead back were followed to the system's limit of 40, each of them.
    def test_follows_links_but_none_that_leads_back(self):
        self.files(2)
        (self.input / "below").mkdir()
        (self.input / "below/one.txt").write_text("1")
        (self.input / "again").symlink_to("below")
        for name in ("up", "up2"):
            (self.input / "below" / name).symlink_to("..")
            (self.input / f"here{name}").symlink_to(".")
        (self.input / "below/self").symlink_to("self")
        self.assert_done(self.run_step(NAMES))
        self.assertEqual(self.rows(), ["000.txt", "001.txt", "one.txt", "self", "one.txt", "self"])

    @unittest.skipUnless(HAS_TABLES, "needs pandas and PyYAML")
    def test_gives_tables_as_frames(self):
        (self.input / "MLTable").write_text(
            "paths:\n  - pattern: ./*.csv\ntransformations:\n"
            "  - read_delimited: {delimiter: ';', header: all_files_same_headers}\n"
        )
        for part in ("a", "b"):
            lines = [f"{part}{number};{number % 2}" for number in range(10)]
            (self.input / f"{part}.csv").write_text("\n".join(["name;odd", *lines]) + "\n")
        script = """
            def run(mini_batch):
                return mini_batch
        """
        result = self.run_step(script, mini_batch_size="20b")
        self.assert_done(result)
        self.assertEqual(self.rows(), [f"{part}{number} {number % 2}" for part in "ab" for number in range(10)])
        self.assertIn("20 rows in 6 mini-batches", result.stdout)
        by_key = """
            def run(mini_batch, context):
                return [f"{context.partition_key_value['odd']} {len(mini_batch)}"] * len(mini_batch)
        """
        self.assert_done(self.run_step(by_key, partition_keys=["odd"]))
        self.assertEqual(self.rows(), ["0 10"] * 10 + ["1 10"] * 10)
        unknown = self.run_step(by_key, partition_keys=["color"])
        self.assertIn("the table has no column color; it has name, odd", unknown.stderr)

    @unittest.skipUnless(HAS_TABLES, "needs pandas and PyYAML")
    def test_takes_an_mltable_that_only_lists_files_and_refuses_what_it_does_not_know(self):
        (self.input / "a.bin").write_text("x")
        (self.input / "MLTable").write_text("paths:\n  - file: ./a.bin\n")
        self.assert_done(self.run_step(NAMES))
        self.assertEqual(self.rows(), ["a.bin"])
        for text, message in (
            ("paths:\n  - file: ../../etc/passwd\n", "outside of its folder"),
            ("paths:\n  - file: https://x.example/a\n", "which is elsewhere"),
            ("paths:\n  - file: ./a.bin\ntransformations:\n  - read_parquet\n", "read_parquet is not supported"),
        ):
            with self.subTest(message):
                (self.input / "MLTable").write_text(text)
                result = self.run_step(NAMES)
                self.assertEqual(result.returncode, 2)
                self.assertIn(message, result.stderr)


if __name__ == "__main__":
    unittest.main()
