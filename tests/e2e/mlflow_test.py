"""Steps log to MLflow: by the stand-in that Potok ships, and by the real client where a package index has it."""

import json
import os
import pathlib
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
import venv

from stack import StackTest, wait_for

LOGS = """
import os, pathlib, mlflow
with mlflow.start_run():
    mlflow.log_param("lr", 0.1)
    mlflow.log_params({"depth": 3, "kind": "tree"})
    for step in range(5):
        mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
    mlflow.log_metrics({"auc": 0.75, "worst": float("nan")})
    mlflow.set_tag("owner", "ada")
    mlflow.log_text("hello", "notes/a.txt")
    pathlib.Path("b.bin").write_bytes(bytes(range(256)) * 5000)
    mlflow.log_artifact("b.bin")
    with mlflow.start_run(nested=True, run_name="inner"):
        mlflow.log_metric("depth", 2)
print("version", mlflow.__version__, flush=True)
"""
READS = """
import mlflow
from mlflow.tracking import MlflowClient
mlflow.log_metric("seen", 1)
runs = mlflow.search_runs(experiment_names=["readers"], filter_string="metrics.auc > 0.5", output_format="list")
run = runs[0]
print("found", run.info.run_id, run.data.params["lr"], run.data.tags["owner"])
client = MlflowClient()
history = client.get_metric_history(run.info.run_id, "loss")
print("history", [point.value for point in history][:2], len(history))
path = client.download_artifacts(run.info.run_id, "notes")
print("text", open(path + "/a.txt").read())
print("files", sorted(entry.path for entry in client.list_artifacts(run.info.run_id)))
try:
    client.log_metric(run.info.run_id, "forged", 1)
    print("forged it")
except Exception as error:
    print("refused", error)
"""
MODEL = """
import mlflow, mlflow.sklearn, mlflow.pyfunc
from sklearn.linear_model import LinearRegression
mlflow.sklearn.autolog()
model = LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
mlflow.sklearn.save_model(model, "outputs/model")
mlflow.sklearn.log_model(model, "logged")
run = mlflow.active_run().info.run_id
for found in (mlflow.sklearn.load_model("outputs/model"), mlflow.pyfunc.load_model(f"runs:/{run}/logged")):
    print("predicts", round(float(found.predict([[2.0]])[0]), 6))
"""


def pipeline(experiment: str, steps: dict[str, str], python: str = "python3", after: str = "") -> str:
    text = f"type: pipeline\nexperiment_name: {experiment}\njobs:\n"
    for name in steps:
        text += f"  {name}:\n    command: {python} {name}.py\n    code: ./code\n"
        if after and name != after:
            text += f"    inputs: {{after: '${{{{parent.jobs.{after}.outputs.done}}}}'}}\n"
        if name == after:
            text = text.replace(f"{python} {name}.py", f"{python} {name}.py && echo x > ${{{{outputs.done}}}}")
            text += "    outputs: {done: {type: uri_file}}\n"
    return text


class MlflowTest(StackTest):
    def run_steps(self, experiment: str, python: str = "python3", after: str = "", **steps: str):
        for name, code in steps.items():
            self.stack.write(f"{self.name}/code/{name}.py", code)
        file = self.stack.write(f"{self.name}/pipeline.yml", pipeline(experiment, steps, python, after))
        return self.stack.potok("run", file, "-n", self.name, check=False)

    def logged(self, *arguments: str) -> dict:
        """By step, child runs behind a slash."""
        runs = self.stack.json("job", "metrics", "-n", self.name, *arguments)
        return {run["step"] + ("/" + run["name"] if run["is_child"] else ""): run for run in runs}

    def check_logged(self):
        logged = self.logged("train")
        train = logged["train"]
        metrics = {metric["name"]: metric for metric in train["metrics"]}
        self.assertEqual(metrics["loss"]["value"], 0.2)
        self.assertEqual((metrics["loss"]["count"], metrics["loss"]["max"]), (5, 1.0))
        self.assertEqual(metrics["auc"]["value"], 0.75)
        self.assertEqual(metrics["worst"]["value"], "NaN")
        self.assertEqual(train["params"]["lr"], "0.1")
        self.assertEqual(train["params"]["kind"], "tree")
        self.assertEqual(train["tags"]["owner"], "ada")
        self.assertEqual({f["path"]: f["size_bytes"] for f in train["files"]}, {"b.bin": 1280000, "notes/a.txt": 5})
        self.assertEqual(train["status"], "FINISHED")
        self.assertEqual(train["run_id"], self.name + "_train")
        self.assertEqual(logged["train/inner"]["metrics"][0]["name"], "depth")
        self.assertEqual(logged["train/inner"]["tags"]["mlflow.parentRunId"], train["run_id"])
        history = self.stack.json("job", "metrics", "-n", self.name, "train", "--history", "loss")
        self.assertEqual([point["value"] for point in history], [1.0, 0.5, 1 / 3, 0.25, 0.2])

    def check_read(self, log: str):
        self.assertIn(f"found {self.name}_train 0.1 ada", log)
        self.assertIn("history [1.0, 0.5] 5", log)
        self.assertIn("text hello", log)
        self.assertIn("files ['b.bin', 'notes']", log)
        self.assertIn("refused", log)
        self.assertNotIn("forged it", log)

    def test_steps_log_and_read_by_the_stand_in(self):
        result = self.run_steps("readers", train=LOGS, read=READS, after="train")
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
        self.assertIn("version 0+potok.standin", self.stack.log(self.name, "--step", "train"))
        self.check_logged()
        self.check_read(self.stack.log(self.name, "--step", "read"))
        table = self.stack.potok("job", "metrics", "-n", self.name).stdout
        self.assertIn("METRIC", table)
        self.assertIn("loss", table)
        self.assertIn("notes/a.txt", table)

    def test_steps_log_and_read_by_the_real_client(self):
        python = self.python_with_mlflow()
        result = self.run_steps("readers_of_it", python, train=LOGS, read=READS.replace("readers", "readers_of_it"), after="train")
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
        log = self.stack.log(self.name, "--step", "train")
        self.assertIn("version ", log)
        self.assertNotIn("standin", log)
        print("the real mlflow:", log.split("version ")[-1].split()[0], file=sys.stderr)
        self.check_logged()
        self.check_read(self.stack.log(self.name, "--step", "read"))

    def python_with_mlflow(self) -> str:
        """A Python that has the real client: this one, or one made of a package index."""
        has_it = [sys.executable, "-c", "import mlflow; assert 'potok' not in mlflow.__version__"]
        if subprocess.run(has_it, capture_output=True).returncode == 0:
            return sys.executable
        kept = os.environ.get("POTOK_TEST_MLFLOW")
        if kept:
            return kept
        folder = self.stack.path("venv")
        try:
            venv.create(folder, with_pip=True)
        except subprocess.CalledProcessError as error:
            self.skipTest(f"no venv can be made here: {error}")
        pip = [folder / "bin/pip", "install", "-q", "--retries=0", "--timeout=15", "mlflow-skinny"]
        made = subprocess.run(pip, capture_output=True, text=True, timeout=500)
        if made.returncode != 0:
            self.skipTest(f"no package index has mlflow-skinny: {made.stderr[-300:]}")
        return str(folder / "bin/python")

    def test_a_model_is_saved_logged_and_loaded(self):
        result = self.run_steps("models", model=MODEL)
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
        self.assertEqual(self.stack.log(self.name).count("predicts 5.0"), 2)
        self.assertIn("logged/MLmodel", [file["path"] for file in self.logged()["model"]["files"]])

    def test_a_step_of_its_own_server_is_left_alone(self):
        file = self.stack.write(
            "own.yml",
            "type: pipeline\njobs:\n  own:\n    command: env | grep ^MLFLOW | sort\n"
            "    environment_variables: {MLFLOW_TRACKING_URI: 'http://mlflow.example'}\n",
        )
        self.stack.potok("run", file, "-n", self.name)
        self.assertEqual(self.stack.log(self.name), "MLFLOW_TRACKING_URI=http://mlflow.example\n")

    def test_the_token_is_shown_nowhere(self):
        kept = self.stack.path("token")
        file = self.stack.write(
            "token.yml",
            "type: pipeline\njobs:\n  one:\n"
            f"    command: umask 077 && printf %s \"$MLFLOW_TRACKING_TOKEN\" > {kept}\n",
        )
        self.stack.potok("run", file, "-n", self.name)
        token = kept.read_text()
        signature = token.split(".")[1]
        self.assertEqual(len(signature), 64)
        self.assertNotIn(signature, json.dumps(self.stack.show(self.name)))
        for log in (self.stack.state / "logs").glob("*.log"):
            self.assertNotIn(signature, log.read_text(errors="replace"), log)

    def request(self, path: str, token: str, body: dict | None = None):
        address = (self.stack.state / "http.address").read_text().strip()
        request = urllib.request.Request(
            f"http://{address}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def test_who_has_no_token_stays_out(self):
        calls = "/api/2.0/mlflow/runs/"
        for token in ("", "x", "a.b", "." * 100):
            status, error = self.request(calls + "get?run_id=x", token)
            self.assertEqual((status, error["error_code"]), (401, "UNAUTHENTICATED"))
            self.assertEqual(self.request(calls + "log-metric", token, {"run_id": "x"})[0], 401)
        own = (self.stack.state / "http.token").read_text().strip()
        self.assertEqual(self.request("/ajax-api/2.0/mlflow/runs/get?run_id=nobody", own)[0], 404)
        status, error = self.request(calls + "create", own, {"experiment_id": "x"})
        self.assertEqual((status, error["error_code"]), (403, "PERMISSION_DENIED"))

    def test_a_run_that_logged_nothing_says_so(self):
        file = self.stack.write("nothing.yml", "type: pipeline\njobs:\n  one:\n    command: 'true'\n")
        self.stack.potok("run", file, "-n", self.name)
        self.assertIn("Nothing was logged", self.stack.potok("job", "metrics", "-n", self.name).stdout)
        absent = self.stack.potok("job", "metrics", "-n", "nobody", check=False)
        self.assertNotEqual(absent.returncode, 0)
        wrong = self.stack.potok("job", "metrics", "-n", self.name, "two", check=False)
        self.assertIn("two", wrong.stderr)
        wrong = self.stack.potok("job", "metrics", "-n", self.name, "--history", "loss", check=False)
        self.assertIn("has logged no metric 'loss'", wrong.stderr)

    def test_what_is_logged_survives_a_server_that_is_killed(self):
        go = self.stack.path("go-on")
        self.stack.write(
            f"{self.name}/code/train.py",
            "import os, time, mlflow\n"
            "mlflow.log_metric('loss', 2, step=1)\n"
            "print('logged', flush=True)\n"
            f"while not os.path.exists({str(go)!r}): time.sleep(0.05)\n"
            "mlflow.log_metric('loss', 1, step=2)\n",
        )
        file = self.stack.write(f"{self.name}/pipeline.yml", pipeline("kills", {"train": ""}))
        self.stack.potok("run", file, "-n", self.name, "--detach")
        wait_for(lambda: self.logged().get("train", {}).get("metrics"), "the first value is there")
        self.stack.kill("potok-server")
        go.touch()
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")
        history = self.stack.json("job", "metrics", "-n", self.name, "--history", "loss")
        self.assertEqual([point["value"] for point in history], [2.0, 1.0])


if __name__ == "__main__":
    unittest.main()
