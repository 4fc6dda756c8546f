"""Where data comes from and where it lies: addresses on the web, and a store of artifacts that is another process."""

import hashlib
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request

from stack import BIN, CASES, StackTest, wait_for

WEB = """type: pipeline
inputs:
  table: {{type: uri_file, path: "{url}/files/table%20one.csv?token=geheim"}}
jobs:
  read:
    command: basename ${{{{inputs.table}}}} && sha256sum < ${{{{inputs.table}}}} && echo ${{{{inputs.address}}}}
    inputs:
      table: ${{{{parent.inputs.table}}}}
      address: {{type: uri_file, mode: direct, path: "{url}/handed/over"}}
"""
ONE = """type: pipeline
inputs:
  file: {{type: {type}, path: "{url}"}}
jobs:
  read:
    command: cat ${{{{inputs.file}}}}
    inputs:
      file: ${{{{parent.inputs.file}}}}
"""
BODY = bytes(range(256)) * 40_000


class Source(http.server.BaseHTTPRequestHandler):
    """Serves BODY below /files, with ranges, and ends the first answer in its middle."""

    protocol_version = "HTTP/1.1"
    asked: list[str] = []

    def do_GET(self):
        self.asked.append(self.path)
        self.close_connection = True
        if not self.path.startswith("/files/"):
            self.send_error(404)
            return
        begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if begin else 200)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(len(BODY) - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(BODY) - 1}/{len(BODY)}")
        self.end_headers()
        self.wfile.write(BODY[begin:] if begin else BODY[: len(BODY) // 2])

    def log_message(self, *_):
        pass


class WebInputTest(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        source = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source)
        cls.url = f"http://127.0.0.1:{source.server_address[1]}"
        threading.Thread(target=source.serve_forever, daemon=True).start()
        cls.addClassCleanup(source.server_close)
        cls.addClassCleanup(source.shutdown)

    def test_a_step_reads_a_file_from_the_web_that_was_cut_on_the_way(self):
        file = self.stack.write("web.yml", WEB.format(url=self.url))
        self.stack.potok("run", file, "-n", self.name)
        log = self.stack.log(self.name)
        self.assertEqual(
            log, f"table one.csv\n{hashlib.sha256(BODY).hexdigest()}  -\n{self.url}/handed/over\n"
        )
        self.assertNotIn("/handed/over", Source.asked)
        created = self.stack.potok("job", "create", "-f", file, "-o", "none")
        self.assertIn("The server fetches 1 file from the web first", created.stderr)
        created = self.stack.potok("job", "create", "-f", file, "-o", "none", "--only-show-errors")
        self.assertEqual(created.stderr, "")
        for name in self.stack.state.glob("logs/*.log"):
            self.assertNotIn("geheim", name.read_text(errors="replace"))

    def test_what_is_not_there_is_said_before_anything_runs(self):
        file = self.stack.write("absent.yml", ONE.format(type="uri_file", url=self.url + "/absent?token=geheim"))
        run = self.stack.potok("run", file, "-n", self.name, check=False)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn(f"cannot fetch {self.url}/absent", run.stderr)
        self.assertIn("404", run.stderr)
        self.assertNotIn("geheim", run.stderr)
        self.assertNotEqual(self.stack.potok("job", "show", "-n", self.name, check=False).returncode, 0)

    def test_a_source_that_is_away_is_said_soon(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}/x"
            file = self.stack.write("away.yml", ONE.format(type="uri_file", url=url))
            began = time.monotonic()
            run = self.stack.potok("run", file, "-n", self.name, check=False)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn(f"cannot fetch {url}", run.stderr)
        self.assertLess(time.monotonic() - began, 20)  # the client would go on for half a minute

    def test_a_folder_is_not_on_the_web(self):
        file = self.stack.write("folder.yml", ONE.format(type="uri_folder", url=self.url + "/files/"))
        run = self.stack.potok("run", file, "-n", self.name, check=False)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("uri_file", run.stderr)


class ExternalStoreTest(StackTest):
    """Server, agent and client with a store that is a process of its own."""

    UP = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        stack = cls.stack
        cls.address = f"unix:{stack.path('store.sock')}"
        cls.blobs = stack.path("store-blobs")
        cls.store = cls.start_store()
        cls.addClassCleanup(lambda: cls.stop_store())
        for program in ("potok-server", "potok-agent"):
            stack.write(program, f'#!/bin/sh\nexec {BIN}/{program} "$@" --artifacts={cls.address}\n')
            stack.path(program).chmod(0o755)
        stack.up_arguments = (
            f"--server-binary={stack.path('potok-server')}",
            f"--agent-binary={stack.path('potok-agent')}",
        )
        stack.up()

    @classmethod
    def start_store(cls) -> subprocess.Popen:
        with open(cls.stack.path("store.log"), "ab") as log:
            return subprocess.Popen(
                [BIN / "potok-store", f"--home={cls.blobs}", f"--listen={cls.address}"],
                env=cls.stack.environment,
                stdout=log,
                stderr=log,
            )

    @classmethod
    def stop_store(cls):
        cls.store.send_signal(signal.SIGTERM)
        assert cls.store.wait(timeout=60) == 0

    def blobs_at(self, folder: pathlib.Path) -> int:
        return sum(1 for path in folder.glob("blobs/*/*") if not path.name.endswith("-0"))

    def test_files_and_folders_go_between_steps_through_it(self):
        self.stack.potok("run", str(CASES / "passing_data.yml"), "-n", self.name)
        self.stack.potok("job", "download", "-n", self.name, "--all", "-p", "out")
        out = self.stack.path("out/named-outputs")
        self.assertEqual((out / "result/both.txt").read_text(), "one\ntwo\n")
        self.assertEqual(len([path for path in (out / "copy").rglob("*") if path.is_file()]), 1)
        self.assertGreater(self.blobs_at(self.blobs), 3)
        self.assertFalse((self.stack.state / "blobs").exists())

    def test_local_data_and_code_go_into_it(self):
        self.stack.potok("run", str(CASES / "local_data.yml"), "-n", self.name)
        self.assertEqual(self.stack.status(self.name), "Completed")

    def test_datastores_give_and_take_by_it(self):
        data = self.stack.state / "datastores"
        self.stack.write("p/datastores/workspaceblobstore/given/folder/f.txt", "from a folder\n")
        self.stack.write("p/datastores/workspacefilestore/given.txt", "from a file\n")
        self.stack.potok("run", str(CASES / "datastore_input.yml"), "-n", self.name)
        self.assertEqual(self.stack.log(self.name), "from a folder\nfrom a file\n")
        self.stack.potok("run", str(CASES / "explicit_path.yml"), "-n", self.name + "-out")
        self.assertTrue(any(path.is_file() for path in data.rglob("*") if "given" not in str(path)))

    def test_a_step_ends_once_the_store_is_back(self):
        go = self.stack.path("go")
        file = self.stack.write(
            "late.yml",
            "type: pipeline\njobs:\n  late:\n"
            f"    command: while [ ! -e {go} ]; do sleep 0.05; done; echo late > outputs/late.txt\n",
        )
        self.stack.potok("run", file, "-n", self.name, "--detach")
        wait_for(lambda: self.stack.step_status(self.name, "late") == "Running", "the step runs")
        self.stop_store()
        go.touch()
        try:
            wait_for(lambda: self.stack.step_status(self.name, "late") == "Finalizing", "its output waits")
        finally:
            type(self).store = self.start_store()
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")

    def test_what_the_store_has_lost_is_brought_again(self):
        file = self.stack.write("data.txt", "will be lost " + self.name)
        digest = hashlib.sha256(pathlib.Path(file).read_bytes()).hexdigest()
        pipeline = self.stack.write("lost.yml", ONE.format(type="uri_file", url=file))
        self.stack.potok("run", pipeline, "-n", self.name)
        (blob,) = self.blobs.glob(f"blobs/{digest[:2]}/{digest[2:]}-*")
        os.unlink(blob)
        self.stack.potok("run", pipeline, "-n", self.name + "-again")
        self.assertTrue(blob.exists())  # the client was told, and brought it again

    def test_a_pipeline_whose_files_the_store_does_not_have_is_refused(self):
        lost = {"hash": hashlib.sha256(b"never uploaded").hexdigest(), "sizeBytes": "14"}
        file = {"name": "file", "type": "VALUE_TYPE_URI_FILE", "value": {"artifact": {"digest": lost}}}
        step = {"name": "read", "command": "cat ${{inputs.file}}", "inputs": [file]}
        request = {"requestId": self.name, "spec": {"isPipeline": True, "name": self.name, "steps": [step]}}
        call = urllib.request.Request(
            f"http://{(self.stack.state / 'http.address').read_text().strip()}/potok.v1.Runs/Submit",
            json.dumps(request).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {(self.stack.state / 'http.token').read_text().strip()}",
            },
        )
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(call, timeout=60)
        error = json.loads(refused.exception.read())
        self.assertEqual(error["code"], "failed_precondition")
        self.assertIn("jobs.read.inputs.file: 1 of its files is not in the store", error["message"])
        self.assertEqual(self.stack.potok("job", "show", "-n", self.name, check=False).returncode, 1)


if __name__ == "__main__":
    unittest.main()
