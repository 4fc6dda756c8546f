"""Names that would lead out of where they belong, by every way in: MLflow's API, the HTTP API, the web pages, the command line."""

import contextlib
import hashlib
import http.client
import json
import os
import unittest

from one_job import OneJobTest

# Every way out of a run's files by MLflow's API, as the step itself could try it: prints the HTTP statuses, then what
# the calls of the stand-in say.
ESCAPES = """
import http.client, os, urllib.parse, mlflow
address = urllib.parse.urlsplit(os.environ["MLFLOW_TRACKING_URI"]).netloc
run = os.environ["MLFLOW_RUN_ID"]
root = "/api/2.0/mlflow-artifacts/artifacts"

def ask(method, target):
    connection = http.client.HTTPConnection(address, timeout=30)
    headers = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]}
    connection.request(method, target, b"evil" if method == "PUT" else None, headers)
    return connection.getresponse().status

mlflow.log_text("mine", "mine.txt")
holder = mlflow.get_artifact_uri().rpartition("/")[2]
statuses = set()
for path in PATHS:
    for coded in {urllib.parse.quote(path), urllib.parse.quote(path, safe=""), urllib.parse.quote(path).replace(".", "%2e")}:
        for base in (f"{root}/{holder}/", f"{root}/"):
            statuses |= {ask("GET", base + coded), ask("PUT", base + coded)}
    query = urllib.parse.urlencode({"path": path})
    statuses |= {ask("GET", f"{root}?{query}"), ask("GET", f"/api/2.0/mlflow/artifacts/list?run_id={run}&{query}")}
print(sorted(statuses), [file.path for file in mlflow.MlflowClient().list_artifacts(run)])
for path in ("../up.txt", "a/../../up.txt"):
    for call in (lambda: mlflow.log_text("x", path),
                 lambda: mlflow.artifacts.download_artifacts(run_id=run, artifact_path=path, dst_path="got")):
        try:
            call()
            print("went through", path)
        except mlflow.exceptions.MlflowException as error:
            print("refused")
"""
PATHS = ["../x", "../../../../etc/passwd", "a/../../x", "a//b", "./x", "..", "\x00", "x\x00y", "\\..\\x/..", "//etc/passwd"]

# Parts of a request to Submit that name a file each: what they are replaced by must be refused.
ESCAPING_NAMES = ["../x", "../../../../../../tmp/x", "/etc/x", "a/../../x", "..", "x\x00y"]


class HostilePathsTest(OneJobTest):
    def test_no_path_leaves_a_runs_files_by_mlflow(self):
        self.folder("code")
        self.stack.write(f"{self.name}/code/escapes.py", ESCAPES.replace("PATHS", repr(PATHS)))
        self.complete("type: pipeline\njobs:\n  one: {command: python3 escapes.py, code: ./code}\n")
        answers, *calls = self.stack.log(self.name).splitlines()
        self.assertEqual(answers, "[400] ['mine.txt']")
        self.assertEqual(calls, ["refused"] * 4)

    def call(self, method: str, request: dict) -> tuple[int, dict]:
        connection = http.client.HTTPConnection((self.stack.state / "http.address").read_text().strip(), timeout=60)
        token = (self.stack.state / "http.token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        with contextlib.closing(connection):
            connection.request("POST", f"/potok.v1.{method}", json.dumps(request), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def submission(self, file="f.txt", given="file", output="out", step="read", path="") -> dict:
        """A pipeline that may be submitted, with names of one's own choice in it."""
        digest = {"hash": hashlib.sha256(b"").hexdigest(), "sizeBytes": "0"}
        value = {"artifact": {"digest": digest, "fileName": file}}
        one = {
            "name": step,
            "command": "true",
            "inputs": [{"name": given, "type": "VALUE_TYPE_URI_FILE", "value": value}],
            "outputs": [{"name": output, "type": "VALUE_TYPE_URI_FOLDER", "path": path}],
        }
        return {"requestId": self.name + os.urandom(4).hex(), "spec": {"isPipeline": True, "steps": [one]}}

    def test_no_name_in_a_request_becomes_a_path(self):
        self.complete("type: pipeline\njobs:\n  one: {command: 'true'}\n")
        runs = len(self.call("Runs/List", {})[1]["runs"])
        for part in ("file", "given", "output", "step"):
            for name in ESCAPING_NAMES:
                with self.subTest(part, name=name):
                    status, answer = self.call("Runs/Submit", self.submission(**{part: name}))
                    self.assertEqual((status, answer.get("code")), (400, "invalid_argument"), answer)
        for name in ("../x", "/etc/x", "a/../../x"):
            place = f"azureml://datastores/workspaceblobstore/paths/{name}"
            status, answer = self.call("Runs/Submit", self.submission(path=place))
            self.assertEqual((status, answer.get("code")), (400, "invalid_argument"), answer)
            self.assertIn("jobs.read.outputs.out.path", answer["message"])
        self.assertEqual(len(self.call("Runs/List", {})[1]["runs"]), runs)
        for name in ESCAPING_NAMES:
            self.assertEqual(self.call("Runs/Get", {"name": name})[0], 404)
            self.assertEqual(self.call("Runs/Logs", {"name": self.name, "step": name})[0], 404)

    def test_no_path_leaves_the_web_pages(self):
        for target in ("/../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%00"):
            status, body = self.get(target)
            self.assertIn(status, (400, 404), target)
            self.assertNotIn(b"root:", body)

    def get(self, target: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection((self.stack.state / "http.address").read_text().strip(), timeout=60)
        token = (self.stack.state / "http.token").read_text().strip()
        with contextlib.closing(connection):
            connection.request("GET", target, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def test_no_name_on_the_command_line_becomes_a_path(self):
        self.complete("type: pipeline\njobs:\n  one: {command: echo x > outputs/file}\n")
        evil = self.stack.write(f"{self.name}/evil.yml", "type: pipeline\njobs:\n  one: {command: 'true'}\n")
        for words in (
            ("job", "download", "-n", self.name, "--output-name", "../../x"),
            ("job", "download", "-n", "../../x"),
            ("job", "logs", "-n", self.name, "--step", "../../x"),
            ("job", "show", "-n", "../x"),
            ("job", "create", "-f", evil, "-n", "../x"),
            ("datastore", "upload", "-n", "workspaceblobstore", "-p", evil, "--target", "../../x"),
            ("datastore", "upload", "-n", "../x", "-p", evil, "--target", "x"),
            ("data", "create", "-n", "../x", "-v", "1", "-t", "uri_file", "-p", evil),
            ("data", "create", "-n", "x", "-v", "../1", "-t", "uri_file", "-p", evil),
            ("model", "download", "-n", "../x", "-v", "1", "-p", "got"),
        ):
            result = self.stack.potok(*words, check=False)
            self.assertIn(result.returncode, (1, 2), words)
            self.assertIn("..", result.stderr, words)
        self.assertEqual(list(self.stack.home.glob("**/x")), [])


if __name__ == "__main__":
    unittest.main()
