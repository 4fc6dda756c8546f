"""Files by the stand-in for MLflow, against a tracking server that may say anything."""

import http.server
import json
import os
import pathlib
import sys
import tempfile
import threading
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "sdk/python/mlflow_standin"))
import mlflow  # noqa: E402

ROOT = "/api/2.0/mlflow-artifacts/artifacts/"


class Server(http.server.BaseHTTPRequestHandler):
    """Lists `listed`, gives the bytes "new" for every file but those named "absent", and keeps what is sent."""

    protocol_version = "HTTP/1.1"
    listed: list[dict] = []
    kept: dict[str, bytes] = {}

    def do_GET(self):
        if self.path.startswith(ROOT):
            return self.answer(404, b"{}") if "absent" in self.path else self.answer(200, b"new")
        if "/artifacts/list" in self.path:
            return self.answer(200, json.dumps({"files": self.listed}).encode())
        info = {"run_id": "r", "artifact_uri": "mlflow-artifacts:/holder"}
        return self.answer(200, json.dumps({"run": {"info": info, "data": {}}}).encode())

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.kept[urllib.parse.unquote(self.path.removeprefix(ROOT))] = body
        self.answer(200, b"{}")

    def answer(self, status: int, body: bytes):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class FilesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        cls.client = mlflow.MlflowClient(f"http://127.0.0.1:{server.server_address[1]}")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "mine").write_text("mine")
        (self.folder / "to").mkdir()
        Server.listed = []
        Server.kept = {}

    def refuses(self, words: str, call, *arguments):
        with self.assertRaises(mlflow.exceptions.MlflowException) as refused:
            call(*arguments)
        self.assertIn(words, str(refused.exception))

    def test_downloads_into_the_folder_that_is_named_and_nowhere_else(self):
        to = str(self.folder / "to")
        for path in ("../mine", "a/../../mine", "..", "a//b", "./a"):
            self.refuses("Invalid path", self.client.download_artifacts, "r", path, to)
        for path in ("../mine", "a/../../mine"):
            Server.listed = [{"path": path, "is_dir": False}]
            self.refuses("Invalid path", self.client.download_artifacts, "r", "", to)
        self.assertEqual((self.folder / "mine").read_text(), "mine")
        Server.listed = [{"path": "/abs/olute", "is_dir": False}]
        self.client.download_artifacts("r", "", to)
        self.assertEqual((self.folder / "to/abs/olute").read_text(), "new")

    def test_leaves_what_is_there_when_a_download_fails(self):
        (self.folder / "to/absent").write_text("old")
        with self.assertRaises(mlflow.exceptions.MlflowException):
            self.client.download_artifacts("r", "absent", str(self.folder / "to"))
        self.assertEqual((self.folder / "to/absent").read_text(), "old")
        self.assertEqual(os.listdir(self.folder / "to"), ["absent"])

    def test_refuses_what_is_no_file_before_anything_is_sent(self):
        for name, make in {
            "pipe": os.mkfifo,
            "dangling": lambda path: os.symlink("nowhere", path),
            "loop": lambda path: os.symlink("loop", path),
        }.items():
            path = self.folder / name
            make(path)
            self.refuses(f"/{name}' cannot be logged", self.client.log_artifact, "r", str(path))
            self.refuses(f"/{name}' cannot be logged", self.client.log_artifacts, "r", str(self.folder))
            path.unlink()
        name = os.fsencode(self.folder) + b"/bad\xff"
        pathlib.Path(os.fsdecode(name)).touch()
        self.refuses("its name is not UTF-8", self.client.log_artifacts, "r", str(self.folder))
        os.unlink(name)
        self.assertEqual(Server.kept, {})

    def test_keeps_odd_names(self):
        names = ["new\nline", "a b'\"$(x)", "-rf", "%2e%2e", "caf\u00e9", "cafe\u0301", "?x#y"]
        for name in names:
            (self.folder / "to" / name).write_text(name)
        self.client.log_artifacts("r", str(self.folder / "to"), "below")
        self.assertEqual(Server.kept, {f"holder/below/{name}": name.encode() for name in names})


if __name__ == "__main__":
    unittest.main()
