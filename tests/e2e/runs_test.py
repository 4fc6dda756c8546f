"""Working with runs that were: describe, archive, find, clone, run again, compare, and where things come from."""

import json
import unittest

from stack import StackTest

PIPELINE = """
type: pipeline
display_name: Wide net
experiment_name: nets
tags: {team: vision}
inputs:
  word: hello
  raw: {type: uri_folder, path: ./raw}
outputs:
  model: {}
jobs:
  prepare:
    code: ./code
    command: bash make.sh ${{inputs.raw}} ${{inputs.word}} > ${{outputs.table}}/table.txt
    inputs:
      raw: ${{parent.inputs.raw}}
      word: ${{parent.inputs.word}}
    outputs:
      table: {type: uri_folder}
  train:
    command: >-
      cat ${{inputs.table}}/table.txt > ${{outputs.model}}/weights.txt &&
      echo same > ${{outputs.model}}/same.txt &&
      test ${{inputs.gate}} = open
    inputs:
      table: ${{parent.jobs.prepare.outputs.table}}
      gate: open
    outputs:
      model: ${{parent.outputs.model}}
"""

PART = """
type: pipeline
name: part
settings: {default_compute: ""}
inputs: {x: {type: number, default: 1}, go: {type: boolean, default: true}}
outputs: {y: {type: number}}
jobs:
  inner:
    command: echo ${{inputs.x}} > ${{outputs.y}}
    inputs: {x: "${{parent.inputs.x}}"}
    outputs: {y: {type: number, path: "${{parent.outputs.y}}"}}
  gate: {type: if_else, condition: "${{parent.inputs.go}}", true_block: "${{parent.jobs.shown}}"}
  shown: {command: echo shown}
"""

# Every kind of step, without files of this machine.
EVERYTHING = """
type: pipeline
experiment_name: everything
inputs: {n: 2}
outputs: {scores: {type: string}}
settings: {on_finalize: tidy}
jobs:
  nested:
    component: ./part.yml
    when: inputs.n > 0
    inputs: {x: "${{parent.inputs.n}}"}
  fit:
    command: echo ${{inputs.lr}} > ${{outputs.score}}; echo m${{inputs.lr}} > ${{outputs.model}}/m
    inputs: {lr: 0.1}
    outputs: {score: {type: number}, model: {type: uri_folder}}
  folds:
    type: parallel_for
    body: ${{parent.jobs.fit}}
    items: [{lr: 1}, {lr: 2}]
    outputs: {score: "${{parent.outputs.scores}}"}
  again:
    component: ./part.yml
    inputs: {x: 1}
  until: {type: do_while, body: again, condition: true, mapping: {y: x}, limits: {max_iteration_count: 2}}
  search:
    type: sweep
    trial:
      command: >-
        python3 -c 'import mlflow; mlflow.log_metric("loss", ${{inputs.a}})' &&
        echo ${{inputs.a}} > ${{outputs.best}}/w
    outputs: {best: {type: uri_folder}}
    search_space: {a: {type: choice, values: [1, 2]}}
    sampling_algorithm: grid
    objective: {goal: minimize, primary_metric: loss}
  batches:
    type: parallel
    inputs: {rows: "${{parent.jobs.search.outputs.best}}"}
    outputs: {got: {type: uri_file}}
    input_data: ${{inputs.rows}}
    task: {type: run_function, code: ./batch, entry_script: b.py, append_row_to: "${{outputs.got}}"}
  use:
    command: ls ${{inputs.m}} ${{inputs.b}} > ${{outputs.o}}/l
    inputs: {m: "${{parent.jobs.folds.outputs.model}}", b: "${{parent.jobs.search.outputs.best}}"}
    outputs: {o: {}}
  cure: {command: echo cure, when: failed(use)}
  tidy: {command: echo tidy}
"""

WHEN = """
type: pipeline
inputs: {go: true}
settings: {on_finalize: last}
jobs:
  maybe: {command: echo, when: inputs.go}
  gate: {type: if_else, condition: true, true_block: "${{parent.jobs.then}}"}
  then: {command: echo}
  last: {command: echo last}
"""


class RunsTest(StackTest):
    UP = ("--agent-cpus=16",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stack.write("raw/a.txt", "raw bytes\n")
        cls.stack.write("code/make.sh", 'cat "$1/a.txt"; echo "$2"\n')
        cls.stack.write("net.yml", PIPELINE)
        cls.stack.write("part.yml", PART)
        cls.stack.write("batch/b.py", "def run(mini_batch):\n    return [str(file) for file in mini_batch]\n")
        cls.stack.write("everything.yml", EVERYTHING)

    def create(self, name: str, *more: str, file: str = "net.yml") -> dict:
        self.stack.potok("job", "create", "-f", file, "-n", name, *more)
        return self.stack.wait(name)

    def listed(self, *filters: str) -> list[str]:
        return [run["name"] for run in self.stack.json("job", "list", *filters)]

    def refused(self, *arguments: str, code: int = 1) -> str:
        result = self.stack.potok(*arguments, check=False)
        self.assertEqual(result.returncode, code, result.stderr)
        return result.stderr

    def test_update_archive_and_find(self):
        self.create("found_1")
        self.create("found_2", "--set", "description=a Narrow one")
        self.stack.potok(
            *("job", "update", "-n", "found_1", "--set", "tags.team=speech", "display_name=Deep net", "properties.k=v"),
            *("experiment_name=deep", "--remove", "properties.nothing"),
            check=False,
        )
        self.assertEqual(self.stack.show("found_1")["display_name"], "Wide net", "a wrong update changes nothing")
        shown = self.stack.json(
            *("job", "update", "-n", "found_1", "--set", "tags.team=speech", "display_name=Deep net", "properties.k=v"),
            "experiment_name=deep",
        )
        self.assertEqual((shown["display_name"], shown["tags"], shown["properties"]["k"]), ("Deep net", {"team": "speech"}, "v"))
        self.assertEqual(self.listed("--tag", "team=speech"), ["found_1"])
        self.assertEqual(self.listed("--experiment", "deep"), ["found_1"])
        self.assertEqual(self.listed("--text", "DEEP NET"), ["found_1"])  # random names have such words
        self.assertEqual(self.listed("--text", "narrow"), ["found_2"])
        self.assertEqual(self.listed("--name-prefix", "found", "--until", "1h"), [])
        self.assertIn("it has team", self.refused("job", "update", "-n", "found_1", "--remove", "tags.colour"))
        self.assertIn(
            "cannot be changed", self.refused("job", "update", "-n", "found_1", "--set", "properties.potok.rerun_of=x", code=2)
        )
        self.assertIn("of a run one can change", self.refused("job", "update", "-n", "found_1", "--set", "status=x", code=2))

        self.stack.potok("job", "archive", "-n", "found_2")
        self.assertEqual(self.listed("--name-prefix", "found"), ["found_1"])
        self.assertEqual(self.listed("--name-prefix", "found", "--archived-only"), ["found_2"])
        self.assertEqual(self.listed("--name-prefix", "found", "--include-archived"), ["found_2", "found_1"])
        self.assertTrue(self.stack.show("found_2")["archived"])
        self.stack.potok("job", "restore", "-n", "found_2")
        self.assertEqual(self.listed("--name-prefix", "found"), ["found_2", "found_1"])

        self.stack.potok("run", "-n", "goes_on", "--detach", "--", "sleep", "1000")
        self.assertIn("has not ended", self.refused("job", "archive", "-n", "goes_on"))
        self.assertEqual(self.stack.json("job", "cancel", "-n", "goes_on")["name"], "goes_on")
        self.stack.wait("goes_on")
        self.stack.potok("job", "archive", "-n", "goes_on")

    def test_children_have_the_names_that_steps_find(self):
        file = self.stack.write("who.yml", "type: pipeline\njobs:\n  who_am:\n    command: echo $AZUREML_RUN_ID\n")
        self.create("a_b", file=file)
        children = self.stack.json("job", "list", "-p", "a_b")
        self.assertEqual([child["name"] for child in children], ["a_b_who_am"])
        self.assertEqual(self.stack.log("a_b", "--step", "who_am").strip(), "a_b_who_am")
        child = self.stack.show("a_b_who_am")
        self.assertEqual((child["status"], child["parent_job_name"]), ("Completed", "a_b"))
        self.assertIn("a_b_who", self.refused("job", "show", "-n", "a_b_who"))

    def test_clone_edit_and_create(self):
        before = self.create("cloned")
        text = self.stack.potok("job", "clone", "-n", "cloned").stdout
        self.assertIn("potok-artifact:", text)
        self.assertNotIn(str(self.stack.home), text, "nothing of this machine is in it")
        self.stack.potok("job", "clone", "-n", "cloned", "-f", "again.yml")
        same = self.create("cloned_same", file="again.yml")
        self.assertEqual(same["properties"]["potok.cloned_from"], "cloned")
        self.assertEqual(same["outputs"]["model"]["path"], before["outputs"]["model"]["path"])
        again = self.stack.potok("job", "clone", "-n", "cloned_same").stdout
        self.assertEqual(again.splitlines()[1:], text.replace('"cloned"', '"cloned_same"').replace(
            "potok.cloned_from: cloned", "potok.cloned_from: cloned_same").splitlines()[1:])

        edited = self.stack.path("again.yml").read_text().replace("test ${{inputs.gate}} = open", "test ${{inputs.gate}} != shut")
        self.stack.path("again.yml").write_text(edited)
        self.assertEqual(self.create("cloned_edited", file="again.yml")["status"], "Completed")

        name = self.stack.json("job", "clone", "-n", "cloned", "--submit", "--set", "inputs.word=goodbye")["name"]
        other = self.stack.wait(name)
        self.assertEqual((other["status"], other["inputs"]["word"]), ("Completed", "goodbye"))
        self.assertNotEqual(other["outputs"]["model"]["path"], before["outputs"]["model"]["path"])
        self.assertIn("no_such", self.refused("job", "clone", "-n", "cloned", "--submit", "--set", "no_such=1", code=2))
        self.refused("job", "clone", "-n", "nobody")
        absent = self.refused("job", "clone", "-n", "cloned", "-f", "no_folder/again.yml")
        self.assertEqual(absent, "potok: no_folder/again.yml cannot be written: No such file or directory\n")

    def test_clone_of_every_kind_of_step(self):
        before = self.create("kinds", file="everything.yml")
        self.assertEqual(before["status"], "Completed", before)
        self.stack.potok("job", "clone", "-n", "kinds", "-f", "kinds.yml")
        text = self.stack.path("kinds.yml").read_text()
        self.assertNotIn(str(self.stack.home), text)
        same = self.create("kinds_same", file="kinds.yml")
        self.assertEqual(same["status"], "Completed")
        diff = self.stack.json("job", "diff", "kinds", "kinds_same")
        self.assertTrue(diff["same"], diff)
        self.assertEqual([step["name"] for step in diff["steps"] if step["definition"]], [])
        name = self.stack.json("job", "clone", "-n", "kinds", "--submit", "--set", "inputs.n=3", "jobs.use.command=false")["name"]
        other = self.stack.wait(name)
        steps = {step: other["jobs"][step]["status"] for step in ("nested/inner", "use", "cure")}
        self.assertEqual(steps, {"nested/inner": "Completed", "use": "Failed", "cure": "Completed"})
        wrong = self.refused("job", "clone", "-n", "kinds", "--submit", "--set", "jobs.serach.compute=x", code=2)
        self.assertIn("there is no node 'serach'; did you mean 'search'?", wrong)

    def test_rerun_from_a_loop_and_a_nested_pipeline(self):
        # A rerun of a loop took the results of its items, so that nothing ran.
        self.create("looped", "--set", "jobs.fit.inputs.lr=0.5", file="everything.yml")
        again = self.stack.wait(self.stack.json("job", "rerun", "-n", "looped", "--from", "folds")["name"])
        reused = {name: step["reused_from"] is not None for name, step in again["jobs"].items()}
        told = {name: reused[name] for name in ("folds[0]", "folds[1]", "search[0]", "nested/inner", "tidy", "batches")}
        self.assertEqual(
            told,
            {"folds[0]": False, "folds[1]": False, "search[0]": True, "nested/inner": True, "tidy": False, "batches": True},
        )
        once_more = self.stack.wait(self.stack.json("job", "rerun", "-n", again["name"], "--from", "tidy")["name"])
        self.assertIsNotNone(once_more["jobs"]["folds[0]"]["reused_from"], "what the rerun ran anew is not forced again")

    def test_rerun_refuses_what_it_cannot_name(self):
        self.create("named", file="everything.yml")
        self.assertIn("made by folds", self.refused("job", "rerun", "-n", "named", "--from", "folds[1]", code=2))
        self.assertIn("did you mean 'folds'?", self.refused("job", "rerun", "-n", "named", "--from", "fodls"))
        for command in (("rerun", "--all"), ("show",), ("wait",), ("cancel",), ("explain",), ("update", "--set", "tags.a=b")):
            refused = self.refused("job", command[0], "-n", "naemd", *command[1:])
            self.assertEqual(refused, "potok: there is no run 'naemd'; did you mean 'named'?\n", command)
        preview = self.stack.potok("job", "rerun", "-n", "named", "--from", "nested", "--dry-run").stdout.splitlines()
        states = {line.split()[0]: line for line in preview}
        self.assertIn("depends on what step 'nested' makes", states["nested/inner"])
        self.assertIn("it is no command", states["folds"])
        self.assertIn("it was told to run again", states["tidy"])
        for name in ("/etc/passwd", "/"):
            shown = self.stack.potok("job", "show", "-n", name, check=False)
            self.assertEqual(shown.returncode, 2)
            self.assertIn(f"'{name}' names no run", shown.stderr)
        wrong = self.stack.potok("job", "plan", "-f", self.stack.write("wrong.yml", "type: pipeline\njob: {}\n"), check=False)
        self.assertEqual(wrong.returncode, 2)
        self.assertRegex(wrong.stderr, r"wrong.yml is not a valid pipeline or job: \d+ error\(s\) in it")
        decided = self.stack.potok("job", "plan", "-f", self.stack.write("when.yml", WHEN)).stdout
        self.assertIn("maybe  not known yet: its `when` is decided while the run goes on: inputs.go", decided)
        self.assertIn("gate   will run: it only decides", decided)
        self.assertIn("last   not known yet: it runs when all others have ended", decided)
        self.assertEqual(self.listed("--name-prefix", "named"), ["named"])

    def test_what_was_deleted_cannot_be_cloned(self):
        self.stack.write("lost/make.sh", "echo lost\n")
        file = self.stack.write("lost.yml", "command: bash make.sh\ncode: ./lost\n")
        self.create("lost", file=file)
        text = self.stack.potok("job", "clone", "-n", "lost").stdout
        code = text.partition("potok-artifact:")[2].partition("/")[0]
        for blob in (self.stack.state / "blobs").rglob(f"{code[2:]}*"):
            blob.unlink()
        before = self.listed()
        self.assertIn("1 of its files is not in the store", self.refused("job", "rerun", "-n", "lost", "--all"))
        self.assertIn("1 of its files is not in the store", self.refused("job", "clone", "-n", "lost", "--submit"))
        self.assertEqual(self.listed(), before)

    def test_rerun_of_what_failed(self):
        failed = self.create("failing", "--set", "jobs.train.inputs.gate=shut", "inputs.word=failing")
        self.assertEqual(failed["status"], "Failed")
        self.assertIn("no such step", self.refused("job", "rerun", "-n", "failing", "--from", "trian"))
        self.assertIn("--failed, --from STEP, --all", self.refused("job", "rerun", "-n", "failing", code=2))
        preview = self.stack.potok("job", "rerun", "-n", "failing", "--failed", "--dry-run").stdout
        self.assertIn("prepare", preview)
        self.assertEqual(self.listed("--name-prefix", "failing"), ["failing"], "a dry run starts nothing")
        again = self.stack.json("job", "rerun", "-n", "failing", "--failed", "--set", "jobs.train.inputs.gate=open")["name"]
        run = self.stack.wait(again)
        self.assertEqual(run["status"], "Completed")
        self.assertEqual(run["properties"]["potok.rerun_of"], "failing")
        self.assertIn("failing", run["jobs"]["prepare"]["reused_from"])
        self.assertIsNone(run["jobs"]["train"]["reused_from"])
        self.assertIn("nothing failed", self.refused("job", "rerun", "-n", again, "--failed"))

        from_train = self.stack.wait(self.stack.json("job", "rerun", "-n", again, "--from", "train")["name"])
        self.assertIsNotNone(from_train["jobs"]["prepare"]["reused_from"])
        self.assertIsNone(from_train["jobs"]["train"]["reused_from"])
        everything = self.stack.wait(self.stack.json("job", "rerun", "-n", again, "--all")["name"])
        self.assertIsNone(everything["jobs"]["prepare"]["reused_from"])
        latest = ("--definition", "latest", "-f", "net.yml")
        renewed = self.stack.wait(self.stack.json("job", "rerun", "-n", "failing", "--failed", *latest)["name"])
        self.assertEqual((renewed["status"], renewed["inputs"]["word"]), ("Completed", "hello"))

    def test_diff_names_fields_outputs_and_files(self):
        self.create("left", "--set", "inputs.word=left")
        self.create("right", "--set", "inputs.word=right")
        diff = self.stack.json("job", "diff", "left", "right")
        self.assertFalse(diff["same"])
        self.assertIn({"field": "inputs.word.value", "a": "left", "b": "right"}, diff["definition"])
        train = next(step for step in diff["steps"] if step["name"] == "train")
        fields = [difference["field"] for difference in train["outputs"]]
        self.assertEqual(fields, ["model", "model/weights.txt"])
        table = self.stack.potok("job", "diff", "left", "right", "-o", "table").stdout
        self.assertIn("model/weights.txt", table)
        self.refused("job", "diff", "left", "right", "--exit-code", "-o", "none", code=1)
        self.stack.potok("job", "diff", "left", "left", "--exit-code")
        self.refused("job", "diff", "left", "nobody")
        self.assertIn("did you mean 'left'?", self.refused("job", "diff", "left", "lfet"))
        self.assertIn("other is required", self.refused("job", "diff", "left", code=2))
        words = self.stack.json("job", "diff", "left", self.create("no_raw", file=self.stack.write("no.yml", "command: echo\n"))["name"])
        self.assertIn({"field": "inputs.raw.type", "a": "uri_folder", "b": ""}, words["definition"])
        self.assertNotIn("inputs.raw.name", [difference["field"] for difference in words["definition"]])

    def test_lineage_over_runs_and_of_a_local_folder(self):
        self.create("maker", "--set", "inputs.word=lineage")
        path = self.stack.show("maker")["outputs"]["model"]["path"].removeprefix("sha256:")
        user = self.stack.write(
            "user.yml",
            "type: pipeline\njobs:\n  read:\n    command: ls ${{inputs.m}} > ${{outputs.o}}/l\n"
            f"    inputs: {{m: {{type: uri_folder, path: 'potok-artifact:{path}?folder=1'}}}}\n    outputs: {{o: {{}}}}\n",
        )
        self.create("user", file=user)
        lineage = self.stack.json("job", "lineage", "maker/train/model")
        self.assertEqual([(use["run"], use["step"]) for use in lineage["made_by"]], [("maker", "train")])
        self.assertEqual([(use["run"], use["step"], use["port"]) for use in lineage["used_by"]], [("user", "read", "m")])
        back = self.stack.json("job", "lineage", "user/read/o")["origins"]
        told = [(node["depth"], node["kind"], node.get("run"), node.get("step")) for node in back]
        self.assertEqual(told[:3], [(0, "step", "user", "read"), (1, "step", "maker", "train"), (2, "step", "maker", "prepare")])
        self.assertIn("code", [kind for _, kind, _, _ in told])
        self.assertIn("data", [kind for _, kind, _, _ in told])
        self.stack.potok("job", "download", "-n", "maker", "--output-name", "model", "-p", "got")
        local = self.stack.json("job", "lineage", "got/named-outputs/model")
        self.assertEqual(json.dumps(local["made_by"]), json.dumps(lineage["made_by"]))
        self.assertIn("maker/prepare/table", self.stack.potok("job", "lineage", "maker/model", "-o", "table").stdout)
        self.assertIn("names no artifact", self.refused("job", "lineage", "no_such_file", code=2))
        self.assertIn("has no step", self.refused("job", "lineage", "maker/trian/model"))
        self.assertIn("it has model", self.refused("job", "lineage", "maker/train/modle"))
        self.assertIn("it has model", self.refused("job", "lineage", "maker/modle"))
        self.assertIn("no run of this server", self.refused("job", "lineage", "net.yml"))
        self.assertIn("no run of this server", self.refused("job", "lineage", f"sha256:{'ab' * 32}/12"))
        self.assertIn("'sha256:abab/12' names no artifact", self.refused("job", "lineage", "sha256:abab/12", code=2))

    def test_lineage_goes_through_loops_and_sweeps(self):
        self.create("woven", "--set", "jobs.fit.inputs.lr=0.7", file="everything.yml")
        back = self.stack.json("job", "lineage", "woven/use/o")["origins"]
        told = [(node["depth"], node.get("port"), node.get("step")) for node in back]
        for origin in ((1, "m", "folds"), (2, "folds[0]", "folds[0]"), (2, "folds[1]", "folds[1]"), (1, "b", "search"), (2, "search[0]", "search[0]")):
            self.assertIn(origin, told)
        self.assertNotIn((2, "search[1]", "search[1]"), told, "only the best trial made it")
        self.assertIn("only files and folders", self.refused("job", "lineage", "woven/scores"))


if __name__ == "__main__":
    unittest.main()
