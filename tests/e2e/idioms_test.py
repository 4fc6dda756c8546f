"""What scripts around `az ml job` do, done with `potok`: the exact bytes of standard output, and the exit codes."""

import json
import re
import subprocess
import unittest

from stack import BIN, StackTest

PIPELINE = """
type: pipeline
display_name: two steps
experiment_name: idioms
description: reads and writes
tags: {team: vision, "a b": "x=y"}
properties: {origin: script}
inputs:
  word: hello
  times: 2
outputs:
  said: {type: uri_folder}
settings: {default_compute: azureml:default, force_rerun: true}
jobs:
  say:
    command: for i in $(seq ${{inputs.times}}); do echo ${{inputs.word}} | tee -a ${{outputs.said}}/said.txt; done
    inputs:
      word: ${{parent.inputs.word}}
      times: ${{parent.inputs.times}}
    outputs:
      said: ${{parent.outputs.said}}
  after:
    command: cat ${{inputs.said}}/said.txt
    inputs:
      said: ${{parent.jobs.say.outputs.said}}
"""

# As the official examples' scripts wait for a job.
WAIT = """
set -euo pipefail
run_id=$(potok job create -f "$1" -g group -w workspace --query name -o tsv)
[[ -n "$run_id" ]] || exit 99
running=("Queued" "NotStarted" "Starting" "Preparing" "Running" "Finalizing")
status=$(potok job show -n "$run_id" --query status -o tsv)
while [[ ${running[*]} =~ $status ]]; do
  status=$(potok job show -n "$run_id" --query status -o tsv)
done
echo "$run_id $status"
[[ $status == "Completed" ]]
"""


class IdiomsTest(StackTest):
    UP = ("--agent-cpus=16",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file = cls.stack.write("pipeline.yml", PIPELINE)
        cls.out("job", "create", "-f", cls.file, "-n", "first", "-o", "none")
        cls.stack.wait("first")
        cls.failing = cls.stack.write("failing.yml", "type: command\nexperiment_name: bad\ncommand: echo oh; exit 3\n")
        cls.out("job", "create", "-f", cls.failing, "-n", "second", "-o", "none")
        cls.stack.wait("second")

    @classmethod
    def out(cls, *arguments: str, code: int = 0) -> str:
        done = cls.stack.potok(*arguments, check=False)
        if done.returncode != code:
            raise AssertionError(f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    # job create

    def test_create_prints_the_name_alone(self):
        for name, query in (("made_a", "name"), ("made_b", "[name]"), ("made_c", "@.name")):
            self.assertEqual(self.out("job", "create", "-f", self.file, "-n", name, "--query", query, "-o", "tsv"), f"{name}\n")

    def test_create_makes_a_name_when_it_is_given_none(self):
        name = self.out("job", "create", "--file", self.file, "--query", "name", "--output", "tsv")
        self.assertRegex(name, r"\A[a-z0-9_]+\n\Z")

    def test_create_takes_many_changes_after_each_set(self):
        self.out(
            *("job", "create", "-f", self.file, "-n", self.name, "--query", "name", "-o", "tsv"),
            *("--set", "inputs.word=other", "inputs.times=1", "display_name=Changed name", "--set", "tags.extra=one"),
            *("settings.continue_on_step_failure=false", "-g", "group", "-w", "space"),
        )
        job = self.stack.wait(self.name)
        self.assertEqual(job["inputs"], {"times": "1", "word": "other"})
        self.assertEqual(job["display_name"], "Changed name")
        self.assertEqual(job["tags"], {"team": "vision", "a b": "x=y", "extra": "one"})
        self.assertFalse(job["settings"]["continue_on_step_failure"])
        self.assertEqual(self.stack.log(self.name, "--step", "after"), "other\n")

    def test_create_submits_nothing_when_the_query_is_wrong(self):
        for query in ("[name", "no_function(name)", "length()"):
            self.assertEqual(self.out("job", "create", "-f", self.file, "-n", self.name, "--query", query, code=2), "")
        self.out("job", "show", "-n", self.name, code=1)

    def test_create_streams(self):
        out = self.out("job", "create", "-f", self.file, "-n", self.name, "--stream")
        self.assertTrue(out.startswith(f"RunId: {self.name}\nWeb View: potok+unix:"), out)
        self.assertIn("\nsay | hello\n", out)
        self.assertIn(f"\nExecution Summary\n=================\nRunId: {self.name}\n", out)
        self.assertEqual(self.out("job", "create", "-f", self.failing, "--stream", code=1).count("Failed"), 3)

    def test_create_writes_the_job_to_a_file(self):
        copy = self.stack.path("copy.yml")
        self.out("job", "create", "-f", self.file, "-n", self.name, "--save-as", str(copy), "-o", "none")
        self.assertTrue(copy.read_text().startswith(f"name: {self.name}\n"))

    # Globals

    def test_globals_of_azure_are_taken_by_every_command_and_change_no_output(self):
        plain = self.out("job", "show", "-n", "first")
        for globals_ in (
            ("--only-show-errors",),
            ("--verbose",),
            ("--debug",),
            ("--no-wait",),
            ("-g", "group", "--workspace-name", "space"),
            ("--resource-group=group", "-w=space", "--only-show-errors", "--debug"),
        ):
            self.assertEqual(self.out("job", "show", "-n", "first", *globals_), plain)

    def test_only_show_errors_leaves_warnings_out(self):
        file = self.stack.write(
            "warned.yml", f"type: command\ncommand: ls ${{{{inputs.x}}}}\ninputs: {{x: {{type: uri_folder, path: {self.file}}}}}\n"
        )
        loud = self.stack.potok("job", "create", "-f", file, "-o", "none")
        self.assertIn("declare it as type: uri_file", loud.stderr)
        quiet = self.stack.potok("job", "create", "-f", file, "-o", "none", "--only-show-errors")
        self.assertEqual((quiet.stdout, quiet.stderr), ("", ""))

    def test_output_none_prints_nothing(self):
        self.assertEqual(self.out("job", "show", "-n", "first", "-o", "none"), "")
        self.assertEqual(self.out("job", "list", "-o", "none"), "")

    # job show

    def test_show_prints_exact_words(self):
        for query, words in {
            "status": "Completed\n",
            "name": "first\n",
            "type": "pipeline\n",
            "tags.team": "vision\n",
            "nothing": "",
            "parent_job_name": "",
            "settings.force_rerun": "true\n",
            "settings": "True\tdefault\tNone\tTrue\n",
            "jobs.say.status": "Completed\n",
            "jobs.say.exit_code": "0\n",
            "keys(jobs)": "after\nsay\n",
            "[name, status, settings.force_rerun, parent_job_name]": "first\nCompleted\ntrue\nNone\n",
            "[[name, status], [settings.force_rerun, parent_job_name, jobs, tags.*]]": "first\tCompleted\nTrue\tNone\t\t2\n",
            "{n:name, s:status, f:settings.force_rerun}": "first\tCompleted\tTrue\n",
        }.items():
            with self.subTest(query=query):
                self.assertEqual(self.out("job", "show", "-n", "first", "--query", query, "-o", "tsv"), words)

    def test_show_prints_json_as_az_does(self):
        self.assertEqual(self.out("job", "show", "-n", "first", "--query", "status"), '"Completed"\n')
        self.assertEqual(self.out("job", "show", "-n", "first", "--query", "nothing", "-o", "json"), "")
        self.assertEqual(
            self.out("job", "show", "-n", "first", "--query", "{z:name,a:tags}", "-o", "json"),
            '{\n  "a": {\n    "a b": "x=y",\n    "team": "vision"\n  },\n  "z": "first"\n}\n',
        )
        self.assertEqual(self.out("job", "show", "-n", "first", "--query", "[]", "-o", "json"), "")
        whole = self.out("job", "show", "-n", "first")
        self.assertEqual(whole, json.dumps(json.loads(whole), indent=2, sort_keys=True, ensure_ascii=False) + "\n")

    def test_the_job_has_every_field_that_scripts_ask_for(self):
        job = self.stack.show("first")
        for field in (
            *("name", "display_name", "experiment_name", "status", "type", "inputs", "outputs", "jobs", "settings"),
            *("tags", "properties", "services", "creation_context", "compute", "parent_job_name"),
        ):
            self.assertIn(field, job)
        self.assertEqual(job["compute"], "default")
        self.assertEqual(job["properties"], {"origin": "script"})
        self.assertEqual(set(job["creation_context"]), {"created_at", "created_by", "created_by_type"})
        self.assertRegex(job["creation_context"]["created_at"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00\Z")
        self.assertEqual(job["outputs"]["said"]["type"], "uri_folder")
        one = self.stack.show("second")
        self.assertEqual((one["type"], one["status"], one["exit_code"], one["parent_job_name"]), ("command", "Failed", 3, None))
        self.assertLessEqual({"command", "compute", "environment", "inputs", "outputs", "services"}, one.keys())

    def test_the_studio_endpoint_names_server_and_run(self):
        query = ("job", "show", "-n", "first", "--query", "services.Studio.endpoint", "-o", "tsv")
        self.assertEqual(self.out(*query), f"potok+unix:{self.stack.state}/server.sock/runs/first\n")
        self.stack.environment["POTOK_WEB"] = "https://potok.example/"
        self.addCleanup(self.stack.environment.pop, "POTOK_WEB")
        self.assertEqual(self.out(*query), "https://potok.example/runs/first\n")

    def test_a_step_is_shown_as_a_child_job(self):
        query = ("--query", "[name, status, parent_job_name, type]", "-o", "tsv")
        for name in ("first_say", "first/say"):
            self.assertEqual(self.out("job", "show", "-n", name, *query), "first_say\nCompleted\nfirst\ncommand\n")
        wrong = self.stack.potok("job", "show", "-n", "first/sya", check=False)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("potok job list -p first", wrong.stderr)

    # job list

    def listed(self, *arguments: str, code: int = 0) -> str:
        return self.out("job", "list", *arguments, code=code)

    def test_list_prints_tables_as_az_does(self):
        two = ("--name-prefix", "first", "-o", "table", "--query")
        self.assertEqual(
            self.listed(*two, "[].{Name:name,Status:status}"),
            "Name    Status\n------  ---------\nfirst   Completed\n",
        )
        self.assertEqual(self.listed(*two, "[].{name:name}"), "Name\n------\nfirst\n")
        self.assertEqual(self.listed(*two, "[].name"), "Result\n--------\nfirst\n")
        self.assertEqual(
            self.listed(*two, "[].[name,steps.total]"), "Column1    Column2\n---------  ---------\nfirst      2\n"
        )
        self.assertEqual(self.listed(*two, "[?name=='none']"), "\n")

    def test_list_answers_the_queries_of_scripts(self):
        for query, words in {
            "[].name": "second\nfirst\n",
            "[0].name": "second\n",
            "[-1].name": "first\n",
            "[1:].name": "first\n",
            "[?contains(display_name,'two')].name": "first\n",
            "[?contains(display_name,'two')].name | [0]": "first\n",
            "[?status=='Failed'].name": "second\n",
            "[?status=='Failed' || status=='Completed'].[name,status]": "second\tFailed\nfirst\tCompleted\n",
            "sort_by(@, &name)[].name": "first\nsecond\n",
            "length(@)": "2\n",
            "[?status=='Running']": "",
            "[7].name": "",
            "[].tags.team": "vision\n",
            "[].steps": "0\t0\t1\t0\t1\n0\t2\t0\t0\t2\n",
            "[].{n:name,t:tags,p:parent_job_name}": "second\t\tNone\nfirst\t\tNone\n",
        }.items():
            with self.subTest(query=query):
                self.assertEqual(self.both(query), words)

    def both(self, query: str) -> str:
        """The query over the two jobs that are there before any test."""
        prefix = "[?name=='first' || name=='second'] | "
        return self.listed("--all-results", "--query", prefix + query, "-o", "tsv")

    def test_list_is_cut_after_max_results(self):
        self.assertEqual(self.listed("-r", "1", "--query", "length(@)", "-o", "tsv"), "1\n")
        self.assertEqual(self.listed("--max-results=2", "--query", "length(@)", "-o", "tsv"), "2\n")
        self.listed("-r", "0", code=2)
        self.listed("-r", "many", code=2)

    def test_list_filters_on_the_server(self):
        user = self.stack.show("first")["creation_context"]["created_by"]
        names = ("--query", "[].name", "-o", "tsv")
        for filters, words in {
            ("--tag", "team=vision", "--name-prefix", "first"): "first\n",
            ("--tag", "team=vision", "--tag", "a b=x=y", "--name-prefix", "first"): "first\n",
            ("--tag", "team=sound"): "",
            ("--experiment", "bad", "--status", "Failed", "--name-prefix", "sec"): "second\n",
            ("--experiment-name", "bad", "--status", "completed"): "",
            ("--submitter", user, "--since", "1d", "--name-prefix", "second"): "second\n",
            ("--submitter", user + "x"): "",
            ("--include-archived", "--name-prefix", "first"): "first\n",
            ("--archived-only",): "",
        }.items():
            with self.subTest(filters=filters):
                self.assertEqual(self.listed(*filters, *names), words)

    def test_list_says_what_is_wrong_with_a_filter(self):
        for filters, reason in {
            ("--since", "yesterday"): "--since",
            ("--since", "3"): "as 90s, 2h, 3d",
            ("--tag", "team"): "KEY=VALUE",
            ("--status", "Finished"): "no such state",
            ("--status", "Preparing"): "runs are NotStarted",
            ("-p", "first", "--tag", "a=b"): "--parent-job-name",
        }.items():
            with self.subTest(filters=filters):
                wrong = self.stack.potok("job", "list", *filters, check=False)
                self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
                self.assertIn(reason, wrong.stderr)

    def test_list_of_a_parent_shows_its_steps(self):
        query = ("--query", "[].{name:name,status:status,parent:parent_job_name}", "-o", "tsv")
        self.assertEqual(self.listed("-p", "first", *query), "first_say\tCompleted\tfirst\nfirst_after\tCompleted\tfirst\n")
        self.assertEqual(self.listed("--parent-job-name", "first", "-r", "1", *query), "first_say\tCompleted\tfirst\n")
        self.listed("-p", "nobody", code=1)

    # job stream, download, cancel

    def test_stream_ends_with_the_run_and_its_code(self):
        out = self.out("job", "stream", "-n", "first")
        self.assertTrue(out.startswith("RunId: first\nWeb View: potok+unix:"), out)
        self.assertIn("\nExecution Summary\n=================\nRunId: first\n", out)
        self.assertIn("second  Failed", self.out("job", "stream", "-n", "second", code=1))
        self.out("job", "stream", "-n", "nobody", code=1)

    def test_download_lays_an_output_where_az_does(self):
        self.out("job", "download", "-n", "first", "--output-name", "said", "-p", "got")
        self.assertEqual(self.stack.path("got/named-outputs/said/said.txt").read_text(), "hello\nhello\n")
        self.out("job", "download", "--name", "first", "--all", "--download-path", "all")
        self.assertEqual(self.stack.path("all/named-outputs/said/said.txt").read_text(), "hello\nhello\n")
        self.assertTrue(self.stack.path("all/artifacts").is_dir())
        self.out("job", "download", "-n", "first", "--output-name", "none", code=1)

    def test_a_script_waits_for_a_run_as_the_examples_do(self):
        for file, code, word in ((self.file, 0, "Completed"), (self.failing, 1, "Failed")):
            done = self.script(WAIT, file)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertRegex(done.stdout.decode(), rf"\A[a-z0-9_]+ {word}\n\Z")

    def script(self, text: str, *arguments: str):
        environment = {**self.stack.environment, "PATH": f"{BIN}:/usr/bin:/bin"}
        return subprocess.run(
            ["bash", "-c", text, "bash", *arguments], env=environment, cwd=self.stack.home, capture_output=True, timeout=120
        )

    def test_exit_codes(self):
        self.out("job", "show", "-n", "nobody", code=1)
        self.out("job", "show", code=2)
        self.out("job", "show", "-n", "first", "-o", "xml", code=2)
        self.out("job", "create", "-f", "absent.yml", code=2)
        self.out("job", "show", "-n", "first", "--server", "unix:/nowhere/server.sock", code=3)
        wrong = self.stack.potok("job", "list", "--query", "[].name | sort_by(@)", check=False)
        self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
        self.assertEqual(re.findall(r"^ +\^$", wrong.stderr, re.M), ["            ^"])


if __name__ == "__main__":
    unittest.main()
