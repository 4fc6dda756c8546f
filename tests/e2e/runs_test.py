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


class RunsTest(StackTest):
    UP = ("--agent-cpus=16",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stack.write("raw/a.txt", "raw bytes\n")
        cls.stack.write("code/make.sh", 'cat "$1/a.txt"; echo "$2"\n')
        cls.stack.write("net.yml", PIPELINE)

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
        self.assertEqual(self.listed("--text", "DEEP"), ["found_1"])
        self.assertEqual(self.listed("--text", "narrow"), ["found_2"])
        self.assertEqual(self.listed("--name-prefix", "found", "--until", "1h"), [])
        self.assertIn("it has team", self.refused("job", "update", "-n", "found_1", "--remove", "tags.colour"))
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
        self.stack.potok("job", "cancel", "-n", "goes_on")
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


if __name__ == "__main__":
    unittest.main()
