"""What pipelines may be made of: each file of cases/ is run for real and judged by what it wrote."""

import unittest

from stack import CASES, StackTest, wait_for

# Runs that complete: the case, and what it must leave. "log STEP": that step's log, whole. "FILE": a file that
# `job download --all` brings.
COMPLETED = {
    "passing_data": {
        "named-outputs/result/both.txt": "one\ntwo\n",
        "named-outputs/copy/copy": "one\n",
    },
    "local_data": {"log read": "table.csv\n1,2\n3,4\nalpha\nbeta\n"},
    "optional_block": {
        "log with": "begin --rate 0.5 --rows 2 --rounds 2 end\n",
        "log without": "begin --rounds 2 end\n",
    },
    "literals": {"log show": "10 1.0 True False 1e-3 no 1.50 False\n"},
    "concatenated": {"log show": "run_north-3.txt\n"},
    "artifacts_output": {"log second": "hello\n"},
    "azure_variables": {"log show": "azure_variables_show azure_variables weather 0\nsame\n"},
    "environment_variables": {"log show": "a 'quoted' $HOME `id`||unset\n"},
    "code_snapshot": {"log run": "from the snapshot\nlogs\nmain.py\noutputs\n"},
    "components": {"named-outputs/text/text": "shared?\nshared?\n"},
    "primitive_output": {"log use": "the answer is 42\n"},
}

HOSTILE = "it's \"quoted\" $HOME $(touch /tmp/never) `id` ${x} \\ ; & | > < * ? [a] {b,c} ~ # !\n second line\t\u0105 '"


class PipelineTest(StackTest):
    UP = ("--agents=2", "--agent-cpus=8")

    def submit(self, case: str, *arguments: str, check=True):
        file = str(CASES / f"{case}.yml")
        return self.stack.potok("job", "create", "-f", file, "-n", self.name, *arguments, check=check)

    def run_case(self, case: str, *arguments: str) -> dict:
        """The run of the case, once it has ended."""
        self.submit(case, *arguments)
        return self.stack.wait(self.name)

    def complete_case(self, case: str, *arguments: str) -> dict:
        job = self.run_case(case, *arguments)
        self.assertEqual(job["status"], "Completed", job["reason"])
        return job

    def fail_case(self, case: str, *arguments: str) -> dict:
        job = self.run_case(case, *arguments)
        self.assertEqual(job["status"], "Failed")
        return job

    def states(self, job: dict) -> dict[str, str]:
        return {step: shown["status"] for step, shown in job["jobs"].items()}

    def log(self, step: str) -> str:
        return self.stack.log(self.name, "--step", step)

    def download(self, *arguments: str):
        self.stack.potok("job", "download", "-n", self.name, "-p", f"got/{self.name}", *arguments)
        return self.stack.path(f"got/{self.name}")

    def datastore(self, path: str):
        return self.stack.state / "datastores" / path

    # Data

    def test_one_promoted_output_can_be_downloaded_alone(self):
        self.complete_case("passing_data")
        got = self.download("--output-name", "copy")
        files = [path.relative_to(got).as_posix() for path in got.rglob("*") if path.is_file()]
        self.assertEqual(files, ["named-outputs/copy/copy"])

    def test_outputs_with_a_path_lie_in_the_datastore(self):
        self.complete_case("explicit_path")
        folder = self.datastore(f"workspaceblobstore/x/{self.name}_write")
        self.assertEqual((folder / "kept.txt").read_text(), "kept\n")
        self.assertEqual(self.datastore("workspaceblobstore/y/file.txt").read_text(), "single\n")

    def test_inputs_come_from_datastores(self):
        for place, text in (("workspaceblobstore/given/folder/f.txt", "folder\n"), ("workspacefilestore/given.txt", "file\n")):
            self.datastore(place).parent.mkdir(parents=True, exist_ok=True)
            self.datastore(place).write_text(text)
        self.complete_case("datastore_input")
        self.assertEqual(self.log("read"), "folder\nfile\n")

    def test_what_is_written_to_outputs_and_logs_is_kept_without_being_declared(self):
        self.complete_case("default_artifacts")
        artifacts = self.download() / "artifacts"
        self.assertEqual((artifacts / "outputs/world.txt").read_text(), "hello\n")
        self.assertEqual((artifacts / "logs/own.log").read_text(), "lines\n")
        self.assertEqual(list(artifacts.rglob("scratch.txt")), [])

    def test_a_missing_output_fails_the_step_and_names_the_path(self):
        job = self.fail_case("missing_output")
        reason = job["jobs"]["forgetful"]["reason"]
        self.assertIn('"report" is missing', reason)
        self.assertRegex(reason, r"/outputs/report/report\b")

    def test_a_value_full_of_shell_reaches_python_intact(self):
        self.complete_case("hostile_value", "--set", f"inputs.text={HOSTILE}")
        self.assertEqual(self.log("show"), ascii([HOSTILE, "x" + HOSTILE, "y" + HOSTILE]) + "\n")

    # Standalone jobs

    def test_a_standalone_command_job_runs_its_code_on_its_input(self):
        job = self.complete_case("standalone")
        self.assertEqual((job["type"], job["display_name"]), ("command", "alone"))
        self.assertEqual(self.stack.log(self.name), "from the snapshot\n")
        got = self.download("--all")
        self.assertEqual((got / "named-outputs/copy/table.csv").read_text(), "1,2\n3,4\n")

    def test_a_standalone_jobs_run_id_is_its_name(self):
        file = self.stack.write("id.yml", 'type: command\ncommand: echo "$AZUREML_RUN_ID"\n')
        self.stack.potok("job", "create", "-f", file, "-n", self.name)
        self.stack.wait(self.name)
        self.assertEqual(self.stack.log(self.name), f"{self.name}\n")

    # Order and failure

    def test_depends_on_orders_steps_without_data(self):
        ledger = self.stack.path("order")
        self.complete_case("depends_on", "--set", f"inputs.ledger={ledger}")
        self.assertEqual(ledger.read_text().split(), ["first", "second", "third"])

    def test_after_a_failure_what_does_not_need_it_goes_on(self):
        job = self.fail_case("continue_true")
        self.assertEqual(
            self.states(job),
            {
                "bad": "Failed",
                "needs_bad": "Canceled",
                "other": "Completed",
                "needs_other": "Completed",
                "wants_bad": "Completed",
            },
        )
        self.assertEqual(job["jobs"]["bad"]["exit_code"], 3)
        self.assertIn("'bad'", job["jobs"]["needs_bad"]["reason"])

    def test_an_optional_input_from_a_failed_step_has_no_value(self):
        self.fail_case("continue_true")
        self.assertEqual(self.log("wants_bad"), "without\n")

    def test_after_a_failure_all_else_is_canceled_when_the_run_shall_not_go_on(self):
        job = self.fail_case("continue_false", "--set", f"inputs.mark={self.stack.path('mark')}")
        self.assertEqual(self.states(job), {"sibling": "Canceled", "bad": "Failed", "later": "Canceled"})

    def test_a_step_that_takes_too_long_is_ended_and_says_so(self):
        job = self.fail_case("timeout")
        self.assertIn("limits.timeout", job["jobs"]["slow"]["reason"])
        self.assertEqual(self.log("slow"), "begun\n")

    def test_a_step_that_runs_out_of_memory_says_so(self):
        machine = self.stack.json("machine", "list")[0]
        if not machine["isolation"].startswith("cgroup"):
            self.skipTest(f"memory is not bounded by the kernel here: isolation {machine['isolation']}")
        job = self.fail_case("out_of_memory")
        self.assertIn("the step asked 64 MiB (resources.memory)", job["jobs"]["big"]["reason"])

    # Machines

    def test_a_step_that_fits_nowhere_is_refused_at_once_with_the_nearest_miss(self):
        create = self.submit("too_much_memory", check=False)
        self.assertNotEqual(create.returncode, 0)
        self.assertRegex(create.stderr, r"jobs\.huge: needs 900 TiB memory, [\d.]+ GiB is there on .*nearest")
        self.assertNotIn(self.name, self.stack.potok("job", "list", "--all-results").stdout)

    def test_an_unknown_compute_name_works_with_a_warning(self):
        create = self.submit("unknown_compute")
        self.assertRegex(create.stderr, r"warning: .*old-cluster")
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")

    def test_several_instances_share_the_only_machine(self):
        self.submit("several_instances")
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")
        for rank in range(4):
            lines = self.log(f"a[1]/rank{rank}").splitlines()
            self.assertEqual(sorted(lines), [f"rank {2 * rank} of 8", f"rank {2 * rank + 1} of 8"])

    # While it runs

    def test_a_waiting_step_says_what_it_waits_for(self):
        go_on = self.stack.path("go_on")
        file = self.stack.write(
            "waits.yml",
            "type: pipeline\njobs:\n"
            f"  a: {{command: 'until [ -e {go_on} ]; do sleep 0.05; done', resources: {{cpus: 7}}}}\n"
            f"  b: {{command: 'until [ -e {go_on} ]; do sleep 0.06; done', resources: {{cpus: 7}}}}\n"
            "  c: {command: echo, resources: {cpus: 7}}\n",
        )
        self.stack.potok("job", "create", "-f", file, "-n", self.name)

        def waiting():
            step = self.stack.show(self.name)["jobs"]["c"]
            return step["status"] == "Queued" and step["waiting_for"]

        self.assertRegex(wait_for(waiting, "c waits"), r"needs 7 CPUs, [\d.]+ (is|are) free on")
        go_on.touch()
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")


def test_of(case: str, expected: dict[str, str]):
    def test(self):
        self.complete_case(case)
        got = self.download("--all") if any(not what.startswith("log ") for what in expected) else None
        for what, text in expected.items():
            if what.startswith("log "):
                self.assertEqual(self.log(what.removeprefix("log ")), text, what)
            else:
                self.assertEqual((got / what).read_text(), text, what)

    return test


for _case, _expected in COMPLETED.items():
    setattr(PipelineTest, f"test_{_case}", test_of(_case, _expected))


if __name__ == "__main__":
    unittest.main()
