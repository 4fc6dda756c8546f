"""A team shares components, environments, data and models under names and versions."""

import pathlib
import subprocess
import unittest

from stack import BIN, StackTest

TRAIN = """$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: my_train
version: {version}
display_name: Train
type: command
inputs:
  data: {{type: uri_folder}}
  rate: {{type: number, default: 1e-3}}
  label: {{type: string, default: 010}}
outputs:
  model: {{type: uri_folder}}
code: ./src
environment:
  image: python:3.11
  conda_file: ./conda.yml
command: >-
  python3 train.py ${{{{inputs.data}}}} ${{{{inputs.rate}}}} ${{{{inputs.label}}}} ${{{{outputs.model}}}}
"""
SCRIPT = """import pathlib, sys
data, rate, label, model = sys.argv[1:]
rows = (pathlib.Path(data) / "rows.csv").read_text()
(pathlib.Path(model) / "model.txt").write_text(f"{rate} {label} {rows}")
print("trained", rate, label, rows)
"""
PIPELINE = """type: pipeline
inputs:
  rows: {{type: uri_folder, path: "azureml:rows@latest"}}
outputs:
  best: {{type: {model_type}, name: {model}}}
jobs:
  train:
    component: azureml:my_train@latest
    inputs: {{data: "${{{{parent.inputs.rows}}}}"}}
    outputs: {{model: "${{{{parent.outputs.best}}}}"}}
"""


class RegistryTest(StackTest):
    def create(self, kind: str, *arguments: str) -> dict:
        return self.stack.json(kind, "create", *arguments)

    def refused(self, *arguments: str) -> str:
        result = self.stack.potok(*arguments, check=False)
        self.assertNotEqual(result.returncode, 0, result.stdout)
        return result.stderr

    def write_component(self, folder: str, version: str) -> str:
        self.stack.write(f"{folder}/src/train.py", SCRIPT)
        self.stack.write(f"{folder}/src/.amlignore", "*.log\n")
        self.stack.write(f"{folder}/src/noise.log", folder)
        self.stack.write(f"{folder}/conda.yml", "# ours\nname: x\ndependencies: [python=3.11]\n")
        return self.stack.write(f"{folder}/train.yml", TRAIN.format(version=version))

    def create_rows(self, folder: str, text: str) -> dict:
        self.stack.write(f"{folder}/rows/rows.csv", text)
        return self.create("data", "-n", "rows", "-t", "uri_folder", "-p", f"{folder}/rows")

    def test_a_pipeline_is_made_of_what_is_registered_and_pins_it(self):
        file = self.write_component("one", "1")
        component = self.create("component", "-f", file)
        self.assertEqual((component["name"], component["version"]), ("my_train", "1"))
        self.assertEqual(component["creation_context"]["created_by_type"], "User")
        self.assertRegex(component["code"], r"^potok-artifact:[0-9a-f]{64}/\d+\?folder=1")
        self.assertEqual(component["environment"]["conda_file"], {"dependencies": ["python=3.11"], "name": "x"})
        self.assertEqual(self.create_rows("one", "a,b\n")["version"], "1")
        # Nothing of this machine is needed any more.
        for gone in ("one/src/train.py", "one/conda.yml", "one/rows/rows.csv"):
            self.stack.path(gone).unlink()
        pipeline = self.stack.write("p.yml", PIPELINE.format(model="first", model_type="custom_model"))
        name = self.name
        self.stack.potok("job", "create", "-f", pipeline, "-n", name, "-o", "none")
        job = self.stack.wait(name)
        self.assertEqual(job["status"], "Completed", job)
        self.assertEqual(self.stack.log(name, "--step", "train"), "trained 1e-3 010 a,b\n\n")
        self.assertEqual(job["properties"]["asset.inputs.rows"], "azureml:rows:1")
        self.assertEqual(job["jobs"]["train"]["component"], "my_train")

        # The output of that name is a model now.
        model = self.stack.json("model", "show", "-n", "first", "--label", "latest")
        self.assertEqual((model["version"], model["type"], model["made_by"]), ("1", "custom_model", f"{name}/train"))
        made_by = self.stack.json("job", "lineage", "azureml:first:1")["made_by"]
        self.assertEqual([(use["run"], use["step"]) for use in made_by], [(name, "train")])
        used_by = self.stack.json("job", "lineage", "azureml:rows@latest")["used_by"]
        self.assertEqual([use["run"] for use in used_by], [name])
        self.assertIn("'frist' is not registered", self.refused("job", "lineage", "azureml:frist:1"))
        self.stack.potok("model", "download", "-n", "first", "-v", "1", "-p", "got")
        self.assertEqual(self.stack.path("got/first/model.txt").read_text(), "1e-3 010 a,b\n")

        # What is registered later changes nothing of the run that was.
        self.create_rows("two", "c,d\n")
        again = self.stack.show(name)
        self.assertEqual(again["inputs"]["rows"]["path"], job["inputs"]["rows"]["path"])
        other = f"{name}_later"
        self.stack.potok("job", "create", "-f", pipeline, "-n", other, "-o", "none")
        self.assertEqual(self.stack.wait(other)["properties"]["asset.inputs.rows"], "azureml:rows:2")
        self.assertEqual(self.stack.log(other, "--step", "train"), "trained 1e-3 010 c,d\n\n")
        versions = self.stack.json("model", "list", "-n", "first")
        self.assertEqual([version["version"] for version in versions], ["2", "1"])

        # An output of an earlier run is an input of a later one, whole or in part.
        third = self.stack.write(
            "third.yml",
            "type: pipeline\ninputs:\n"
            f"  whole: {{type: uri_folder, path: azureml://jobs/{name}/outputs/best}}\n"
            f"  part: {{type: uri_file, path: 'azureml://jobs/{name}_train/outputs/model/paths/model.txt'}}\n"
            f"  mlflow: {{type: uri_file, path: 'runs:/{name}/train/model.txt'}}\n"
            "jobs:\n  read:\n    command: cat ${{inputs.w}}/model.txt ${{inputs.p}} ${{inputs.m}}\n    inputs:\n"
            "      w: ${{parent.inputs.whole}}\n      p: ${{parent.inputs.part}}\n"
            "      m: ${{parent.inputs.mlflow}}\n",
        )
        wrong = self.refused("job", "create", "-f", third)
        self.assertIn(f"runs:/{name}/train/model.txt", wrong)
        self.assertIn("best", wrong)
        third_text = pathlib.Path(third).read_text().replace(f"runs:/{name}/train", f"runs:/{name}/best")
        self.stack.write("third.yml", third_text)
        self.stack.potok("job", "create", "-f", third, "-n", f"{name}_third", "-o", "none")
        self.assertEqual(self.stack.wait(f"{name}_third")["status"], "Completed")
        self.assertEqual(self.stack.log(f"{name}_third"), "1e-3 010 a,b\n" * 3)

    def test_a_version_never_changes(self):
        self.stack.write("v/src/a.py", "1")
        self.stack.write("v/src/b.py", "1")
        yaml = "name: fixed\nversion: 7\ntype: command\ncode: ./src\ncommand: echo {word}\n"
        file = self.stack.write("v/c.yml", yaml.format(word="one"))
        self.create("component", "-f", file)
        again = self.stack.potok("component", "create", "-f", file)
        self.assertIn("registered already", again.stderr)
        self.stack.write("v/c.yml", yaml.format(word="two"))
        self.stack.write("v/src/b.py", "2")
        said = self.refused("component", "create", "-f", file)
        self.assertIn("component fixed:7 is already registered with other content", said)
        self.assertIn("command: 'echo one' is now 'echo two'", said)
        self.assertIn("b.py differs", said)
        self.assertNotIn("a.py", said)
        next_one = self.create("component", "-f", file, "--version", "8")
        self.assertEqual(next_one["version"], "8")
        self.assertEqual(self.stack.json("component", "show", "-n", "fixed", "-v", "7")["command"], "echo one")

        changed = self.stack.json(
            "component", "update", "-n", "fixed", "-v", "7", "--set", "tags.owner=team", "description=Fixed for ever",
            "--add-label", "prod",
        )
        self.assertEqual((changed["tags"], changed["labels"]), ({"owner": "team"}, ["prod"]))
        self.assertIn("cannot be changed", self.refused("component", "update", "-n", "fixed", "--set", "command=x"))
        self.assertEqual(self.stack.json("component", "show", "-n", "fixed", "-l", "prod")["version"], "7")

        self.stack.potok("component", "archive", "-n", "fixed", "-v", "8")
        self.assertEqual(self.stack.json("component", "show", "-n", "fixed")["version"], "7")
        self.assertEqual([one["version"] for one in self.stack.json("component", "list", "-n", "fixed")], ["7"])
        self.stack.potok("component", "archive", "-n", "fixed")
        self.assertNotIn("fixed", [one["name"] for one in self.stack.json("component", "list")])
        self.assertIn("archived", self.refused("component", "show", "-n", "fixed"))
        self.stack.potok("component", "restore", "-n", "fixed")
        self.assertEqual(self.stack.json("component", "show", "-n", "fixed")["version"], "8")

        # What was downloaded registers as the same.
        self.stack.potok("component", "download", "-n", "fixed", "-v", "8", "-p", "down")
        self.assertEqual(self.stack.path("down/fixed/code/b.py").read_text(), "2")
        same = self.stack.potok("component", "create", "-f", "down/fixed/component.yml")
        self.assertIn("registered already", same.stderr)

    def test_two_who_create_one_version_get_one(self):
        self.stack.write("race/file", "x")
        starts = [
            subprocess.Popen(
                [BIN / "potok", "data", "create", "-n", "race", "-v", "1", "-p", "race/file", "--set", f"type={kind}",
                 "-o", "json"],
                env=self.stack.environment, cwd=self.stack.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
            for kind in ("uri_file", "uri_file", "uri_folder", "uri_file")
        ]
        ends = [(process.communicate(), process.returncode) for process in starts]
        codes = [code for _, code in ends]
        self.assertEqual(codes.count(0), 3, ends)
        self.assertEqual(len(self.stack.json("data", "list", "-n", "race")), 1)

    def test_what_is_wrong_is_said_before_anything_runs(self):
        bad = self.stack.write("bad.yml", "name: bad\ntype: command\ncommand: echo ${{inputs.absent}}\ncode: ./nowhere\n")
        said = self.refused("component", "create", "-f", bad)
        self.assertIn("bad.yml:4:7: error: code './nowhere' does not exist", said)
        self.assertIn("bad", self.refused("component", "show", "-n", "bad"))
        for name in ("../x", "a b", "x" * 300, ""):
            self.assertIn("name", self.refused("data", "create", "-n", name, "-p", "bad.yml"))
        job = self.stack.write("job.yml", "type: pipeline\njobs:\n  a: {component: azureml:my_trian@latest}\n")
        said = self.refused("job", "create", "-f", job)
        self.assertIn("job.yml:3:18: error: node 'a': component 'my_trian' is not registered", said)
        table = self.stack.write("tables/data.csv", "a")
        said = self.refused("data", "create", "-n", "t", "-t", "mltable", "-p", str(pathlib.Path(table).parent))
        self.assertIn("MLTable", said)

    def test_datastores_are_folders_that_take_files(self):
        listed = [one["name"] for one in self.stack.json("datastore", "list")]
        self.assertIn("workspaceblobstore", listed)
        file = self.stack.write("titanic.csv", "Age\n22\n")
        self.assertIn("there is no datastore 'team'", self.refused("datastore", "upload", "-n", "team", "-p", file))
        self.assertEqual(self.create("datastore", "-n", "team")["name"], "team")
        self.stack.potok("datastore", "upload", "-n", "team", "-p", file, "--target", "data/titanic.csv")
        for path in ("../x", "/", "a/../../b"):
            self.refused("datastore", "upload", "-n", "team", "-p", file, "--target", path)
        data = self.create("data", "-n", "titanic", "-t", "uri_file", "-p", "azureml://datastores/team/paths/data/titanic.csv")
        job = self.stack.write(
            "t.yml",
            "type: pipeline\njobs:\n  a:\n    command: cat ${{inputs.t}} && echo 30 > ${{outputs.o}}/r.csv\n    inputs:\n"
            f"      t: {{type: uri_file, path: 'azureml:titanic:{data['version']}'}}\n"
            "    outputs:\n      o: {path: 'azureml://datastores/team/paths/out/${{output_name}}'}\n",
        )
        name = self.name
        self.stack.potok("job", "create", "-f", job, "-n", name, "-o", "none")
        self.assertEqual(self.stack.wait(name)["status"], "Completed")
        self.assertEqual(self.stack.log(name), "Age\n22\n")
        self.stack.potok("datastore", "download", "-n", "team", "--target", "out/o", "-p", "down-data")
        self.assertEqual(self.stack.path("down-data/o/r.csv").read_text(), "30\n")

    def test_environments_are_pinned_by_what_they_are(self):
        self.stack.write("env/conda.yml", "dependencies: [pandas]\n")
        self.create("environment", "-n", "science", "--image", "python:3.11", "--conda-file", "env/conda.yml")
        job = self.stack.write("e.yml", "command: echo x\nenvironment: azureml:science@latest\n")
        name = self.name
        self.stack.potok("job", "create", "-f", job, "-n", name, "-o", "none")
        self.assertEqual(self.stack.wait(name)["environment"], "science:1")
        unknown = self.stack.write("u.yml", "command: echo x\nenvironment: azureml:nowhere:1\n")
        created = self.stack.potok("job", "create", "-f", unknown, "-o", "none")
        self.assertIn("environment 'nowhere' is not registered", created.stderr)

    def test_a_name_that_is_taken_by_other_content_fails_the_step_that_made_it(self):
        self.create("data", "-n", "taken", "-v", "1", "-t", "uri_file", "-p", self.stack.write("taken", "theirs"))
        job = self.stack.write(
            "taken.yml",
            "type: pipeline\njobs:\n  a:\n    command: echo ours > ${{outputs.o}}\n"
            "    outputs: {o: {type: uri_file, name: taken, version: 1}}\n",
        )
        name = self.name
        self.stack.potok("job", "create", "-f", job, "-n", name, "-o", "none")
        job = self.stack.wait(name)
        self.assertEqual(job["status"], "Failed")
        self.assertIn("data taken:1 is already registered with other content", job["jobs"]["a"]["reason"])


if __name__ == "__main__":
    unittest.main()
