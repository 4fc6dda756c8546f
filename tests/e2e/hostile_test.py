"""Hostile and oversized input through the real programs: it goes through whole, or is refused with its name and why.

What one room alone decides is tested there: snapshots and trees in tests/common/cas, outputs in tests/agent/artifacts,
names of datastores in tests/server/artifacts, bodies and headers in http_api_test.py.
"""

import atexit
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import shlex
import shutil
import socket
import subprocess
import threading
import unittest
import urllib.parse

from stack import StackTest, wait_for

LARGE = "POTOK_LARGE" in os.environ  # as tests/common/cas/large_test.cc
ENTRIES = 100_000
SPARSE_BYTES = (10 if LARGE else 1) << 30
DISK_BYTES = 2 << 30

CANARY = "canary"  # what a name that is run as a command would make
NAMES = [
    "new\nline",
    "it's \"quoted\" \\ `touch canary` $(touch canary) ${x} ${{inputs.data}}",
    "; touch canary; #",
    "-rf",
    "--help",
    "*",
    "~",
    " leading and trailing ",
    "...",
    "\x01\x1b[31m\x7f",
    "n" * 255,
    "\u20ac" * 85,  # 255 bytes, 85 characters
    "readme",
    "README",
    "caf\u00e9",  # composed (NFC) and decomposed (NFD): two names on a disk
    "cafe\u0301",
    "\U0001f600.txt",
]
COPY = """type: pipeline
inputs:
  data: {type: uri_folder, path: ./data}
  file: {type: uri_file, path: "./$(touch canary) 'x'.txt"}
jobs:
  copy:
    command: >-
      cp -a ${{inputs.data}}/. ${{outputs.copy}} && chmod -R u+w ${{outputs.copy}} &&
      cp -a given ${{outputs.code}} && cat ${{inputs.file}}
    code: ./code
    inputs: {data: "${{parent.inputs.data}}", file: "${{parent.inputs.file}}"}
    outputs: {copy: {type: uri_folder}, code: {type: uri_folder}}
"""
READS = """type: pipeline
inputs:
  data: {type: uri_folder, path: ./data}
jobs:
  read:
    command: ls -A ${{inputs.data}}
    inputs: {data: "${{parent.inputs.data}}"}
"""
CODE = "type: pipeline\njobs:\n  read: {command: ls -A, code: ./code}\n"

# Steps, each with what it does and what its end must say; None: it completes.
BAD_OUTPUTS = {
    "pipe": ("mkfifo ${{outputs.o}}/pipe", "/outputs/o/pipe is neither a file, a folder nor a link"),
    "socket": (
        "cd ${{outputs.o}} && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sock\")'",
        "/outputs/o/sock is neither a file, a folder nor a link",
    ),
    "bytes": (r"touch ${{outputs.o}}/$'bad\xffname'", r"'bad\xffname' cannot be the name of a file"),
    "leaves": ("ln -s /etc/passwd ${{outputs.o}}/link", "/outputs/o/link leads to '/etc/passwd', outside of the folder"),
    "climbs": ("ln -s ../../../x ${{outputs.o}}/link", "/outputs/o/link leads to '../../../x', outside of the folder"),
    "is_link": (
        "rm -r ${{outputs.o}} && ln -s /etc ${{outputs.o}}",
        "/outputs/o leads to /etc, outside of the step's folder",
    ),
    "file_link": ("ln -s /etc/passwd ${{outputs.f}}", "/outputs/f/f leads to /etc/passwd, outside of the step's folder"),
    "text_link": ("ln -s /etc/hostname ${{outputs.t}}", "/outputs/t leads to /etc/hostname, outside of the step's folder"),
    "text_pipe": ("mkfifo ${{outputs.t}}", "/outputs/t is not a regular file"),
    "removed": ("rm -r ${{outputs.o}}", 'the output "o" is missing'),
    "removed_all": ("rm -r $PWD $(dirname ${{outputs.o}})", 'the output "o" is missing'),
    "loops": ("cd ${{outputs.o}} && mkdir a && ln -s self self && ln -s ../a a/up && ln -s nowhere dangling", None),
    "inside": ("mkdir real && echo inside > real/file && rm -r ${{outputs.o}} && ln -s $PWD/real ${{outputs.o}}", None),
}
OUTPUTS = {"o": "uri_folder", "f": "uri_file", "t": "string"}

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


def listing(folder: pathlib.Path) -> dict[str, bytes | None]:
    """What lies at and below a folder: content of files, targets of links, None of folders."""
    found: dict[str, bytes | None] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = b"-> " + os.readlink(path).encode()
        else:
            found[name] = None if path.is_dir() else path.read_bytes()
    return found


def unmount(disk: pathlib.Path):
    subprocess.run(["umount", "-l", disk], capture_output=True, check=False)


class HostileTest(StackTest):
    """One stack; the agent's folder and the store's blobs lie on disks that a test makes as small as it wants."""

    UP = None
    agents: pathlib.Path
    blobs: pathlib.Path
    no_disks = ""  # why there are none

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agents, cls.blobs = cls.stack.state / "agents", cls.stack.state / "blobs"
        for disk in (cls.agents, cls.blobs):
            disk.mkdir(parents=True)
            command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", disk]
            mounted = subprocess.run(command, capture_output=True, text=True, check=False)
            cls.no_disks += mounted.stderr
            if mounted.returncode == 0:
                # Clean-ups go backwards: after `down`, before the stack removes its home. The other for an interrupted test.
                cls.addClassCleanup(unmount, disk)
                atexit.register(unmount, disk)
        cls.addClassCleanup(cls.stack.potok, "down", check=False, timeout=200)
        cls.stack.up_arguments = ("--server-flag", "disk-reserve=0")
        cls.stack.up()

    def folder(self, name: str) -> pathlib.Path:
        """A new folder of this test."""
        path = self.stack.path(f"{self.name}/{name}")
        path.mkdir(parents=True)
        return path

    def file(self, text: str) -> str:
        return self.stack.write(f"{self.name}/job.yml", text)

    def create(self, text: str, check: bool = True) -> subprocess.CompletedProcess:
        return self.stack.potok("job", "create", "-f", self.file(text), "-n", self.name, check=check)

    def complete(self, text: str) -> dict:
        self.create(text)
        job = self.stack.wait(self.name)
        self.assertEqual(job["status"], "Completed", job["reason"])
        return job

    def download(self, *arguments: str) -> pathlib.Path:
        got = self.stack.path(f"{self.name}/got")
        self.stack.potok("job", "download", "-n", self.name, "-p", str(got), *arguments)
        return got / "named-outputs"

    def test_hostile_names_and_empty_things_survive_a_round_trip(self):
        data, code = self.folder("data"), self.folder("code")
        for parent in (data, code / "given"):
            for name in NAMES:
                (parent / "files" / name).parent.mkdir(parents=True, exist_ok=True)
                (parent / "files" / name).write_text(name)
                (parent / "folders" / name / "below").mkdir(parents=True)
            (parent / "empty file").touch()
            (parent / "program").write_text("#!/bin/sh\n")
            (parent / "program").chmod(0o755)
        self.stack.write(f"{self.name}/$(touch canary) 'x'.txt", "the file\n")
        self.complete(COPY)
        self.assertEqual(self.stack.log(self.name), "the file\n")
        got = self.download("--output-name", "copy.copy")
        self.assertEqual(listing(got / "copy"), listing(data))
        self.assertTrue(os.access(got / "copy/program", os.X_OK))
        got = self.download("--output-name", "copy.code")
        self.assertEqual(listing(got / "code/given"), listing(code / "given"))
        self.assertEqual(list(self.stack.home.rglob(CANARY)), [])

    def refused(self, text: str, path: pathlib.Path | bytes, *words: str):
        """Nothing is made of the pipeline, and the message names the path."""
        result = self.create(text, check=False)
        self.assertNotEqual(result.returncode, 0)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual(self.stack.potok("job", "show", "-n", self.name, check=False).returncode, 1)
        os.unlink(path)

    def test_what_cannot_be_stored_is_refused_by_name_before_anything_runs(self):
        for text, folder in ((READS, self.folder("data")), (CODE, self.folder("code"))):
            where = str(folder)
            (folder / "good").write_text("good")
            os.mkfifo(folder / "pipe")
            self.refused(text, folder / "pipe", f"{where}/pipe is neither a file, a folder nor a link", "remove it")
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(str(self.stack.home / "s"))  # its name is short enough to bind
            os.rename(self.stack.home / "s", folder / "sock")
            self.refused(text, folder / "sock", f"{where}/sock is neither a file")
            with contextlib.suppress(PermissionError):
                os.mknod(folder / "zero", 0o600 | 0o020000, os.makedev(1, 5))
                self.refused(text, folder / "zero", f"{where}/zero is neither a file")
            bad = os.fsencode(folder) + b"/bad\xffname"
            pathlib.Path(os.fsdecode(bad)).touch()
            self.refused(text, bad, r"'bad\xffname' cannot be the name of a file: 1 to 255 bytes of UTF-8")
            (folder / "dangling").symlink_to("nowhere")
            self.refused(text, folder / "dangling", f"link {where}/dangling leads nowhere")
            (folder / "self").symlink_to("self")
            self.refused(text, folder / "self", f"{where}/self")
            (folder / "up").symlink_to("..")
            self.refused(text, folder / "up", f"{where}/up")
            self.assertEqual(os.listdir(folder), ["good"])

    def test_links_of_data_are_what_they_lead_to(self):
        data, outside = self.folder("data"), self.folder("outside")
        (outside / "file").write_text("from outside\n")
        (data / "folder").symlink_to(outside)
        (data / "file").symlink_to("../outside/file")
        self.complete(READS.replace("ls -A ${{inputs.data}}", "cat ${{inputs.data}}/file ${{inputs.data}}/folder/file"))
        self.assertEqual(self.stack.log(self.name), "from outside\n" * 2)

    def test_a_file_that_is_written_while_it_is_read_is_refused(self):
        data = self.folder("data")
        stop = threading.Event()
        with open(data / "grows", "wb") as file:
            file.truncate(256 << 20)

            def write():
                while not stop.is_set():
                    file.seek(0, os.SEEK_END)
                    file.write(b"more")
                    file.flush()

            writer = threading.Thread(target=write)
            writer.start()
            try:
                result = self.create(READS, check=False)
            finally:
                stop.set()
                writer.join()
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(f"{data}/grows changed while it was read; try again when nothing writes to it", result.stderr)
        self.complete(READS)

    def test_a_folder_of_a_hundred_thousand_entries(self):
        data = self.folder("data")
        for number in range(ENTRIES // 1000):
            folder = data / str(number)
            folder.mkdir()
            for name in range(999):
                (folder / str(name)).touch()
        (data / "0/0").write_text("not empty")
        self.complete(
            READS.replace("ls -A ${{inputs.data}}", "find ${{inputs.data}} -mindepth 1 | wc -l && cp -r ${{inputs.data}} ${{outputs.copy}}")
            + "    outputs: {copy: {type: uri_folder}}\n"
        )
        self.assertEqual(self.stack.log(self.name), f"{ENTRIES}\n")
        got = self.download("--output-name", "read.copy")
        self.assertEqual(sum(len(folders) + len(files) for _, folders, files in os.walk(got / "copy/data")), ENTRIES)
        shutil.rmtree(data)
        shutil.rmtree(got)

    def test_a_large_file_of_holes_takes_no_disk(self):
        data = self.folder("data")
        with open(data / "holes", "wb") as file:
            file.truncate(SPARSE_BYTES)
            file.seek(-3, os.SEEK_END)
            file.write(b"end")
        before = self.used_bytes()
        self.complete(READS.replace("ls -A ${{inputs.data}}", "stat -c %s ${{inputs.data}}/holes && tail -c 3 ${{inputs.data}}/holes"))
        self.assertEqual(self.stack.log(self.name), f"{SPARSE_BYTES}\nend")
        self.assertLess(self.used_bytes() - before, SPARSE_BYTES // 4)

    def test_what_a_step_leaves_is_kept_or_refused_by_name(self):
        text = "type: pipeline\nsettings: {continue_on_step_failure: true}\njobs:\n"
        for step, (command, _) in BAD_OUTPUTS.items():
            text += f"  {step}:\n    command: {json.dumps(command)}\n    resources: {{cpus: 0.1}}\n    outputs:\n"
            text += "".join(f"      {name}: {{type: {kind}}}\n" for name, kind in OUTPUTS.items() if f"outputs.{name}" in command)
        self.create(text)
        job = self.stack.wait(self.name)
        for step, (_, reason) in BAD_OUTPUTS.items():
            with self.subTest(step):
                shown = job["jobs"][step]
                self.assertEqual(shown["status"], "Failed" if reason else "Completed", shown["reason"])
                self.assertIn(reason or "", shown["reason"] or "")
        got = self.download("--output-name", "loops.o")
        self.assertEqual(
            listing(got / "o"), {"a": None, "self": b"-> self", "a/up": b"-> ../a", "dangling": b"-> nowhere"}
        )
        shutil.rmtree(got)
        self.assertEqual((self.download("--output-name", "inside.o") / "o/file").read_text(), "inside\n")

    def test_a_step_that_removes_its_attempt_hurts_itself_alone(self):
        self.create('type: pipeline\njobs:\n  one: {command: "rm -rf $PWD/../*; echo x > /dev/null"}\n')
        self.assertIn(self.stack.wait(self.name)["status"], ("Completed", "Failed"))
        after = f"{self.name}_after"
        self.stack.potok("run", self.file("type: pipeline\njobs:\n  one: {command: echo alive}\n"), "-n", after)
        self.assertEqual(self.stack.log(after), "alive\n")

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

    def used_bytes(self) -> int:
        """Of the store and the agent."""
        disks = (self.agents, self.blobs)
        return sum(os.lstat(path).st_blocks * 512 for disk in disks for path in disk.rglob("*") if path.is_file())

    def leave(self, disk: pathlib.Path, free_bytes: int):
        """Makes a disk as large as what it holds and a little more."""
        if self.no_disks:
            self.skipTest(f"no disks can be mounted here: {self.no_disks}")
        facts = os.statvfs(disk)
        used = (facts.f_blocks - facts.f_bfree) * facts.f_frsize
        subprocess.run(["mount", "-o", f"remount,size={used + free_bytes}", disk], check=True)

    def step(self, command: str) -> str:
        text = "type: pipeline\njobs:\n  one:\n    outputs: {o: {type: uri_folder}}\n"
        return text + f"    command: {json.dumps(command)}\n"

    def agent_log(self) -> str:
        return next((self.stack.state / "logs").glob("agent-*.log")).read_text()

    def test_a_step_that_fills_the_machines_disk_fails_and_says_so(self):
        self.leave(self.agents, 4 << 20)
        try:
            self.create(self.step("head -c 50M /dev/urandom > ${{outputs.o}}/big"))
            job = self.stack.wait(self.name)
        finally:
            self.leave(self.agents, DISK_BYTES)
        self.assertEqual(job["status"], "Failed")
        self.assertRegex(job["reason"], "exited with code 1; the disk of .*/agents/.* has no room left .*give the machine")

    def test_an_input_that_does_not_fit_on_the_machine_waits_for_room(self):
        self.folder("data").joinpath("big").write_bytes(os.urandom(8 << 20))
        self.leave(self.agents, 2 << 20)
        try:
            self.create(READS)
            wait_for(lambda: "No space left on device" in self.agent_log(), "the agent says that its disk is full")
            self.assertEqual(self.stack.step_status(self.name, "read"), "Preparing")
        finally:
            self.leave(self.agents, DISK_BYTES)
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")
        self.assertEqual(self.stack.log(self.name), "big\n")

    def test_a_full_store_refuses_with_its_reason_and_loses_nothing(self):
        self.create(self.step("head -c 100000 /dev/urandom | tee ${{outputs.o}}/kept | sha256sum"))
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")
        self.folder("data").joinpath("big").write_bytes(os.urandom(8 << 20))
        waits = f"{self.name}_waits"
        self.leave(self.blobs, 2 << 20)
        try:
            refused = self.stack.potok("job", "create", "-f", self.file(READS), check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertRegex(refused.stderr, "cannot upload .*/data.*/blobs/.*: No space left on device")
            file = self.file(self.step("head -c 8M /dev/urandom | tee ${{outputs.o}}/big | sha256sum"))
            self.stack.potok("job", "create", "-f", file, "-n", waits)
            wait_for(lambda: self.stack.step_status(waits, "one") == "Finalizing", "its output waits for room")
            wait_for(lambda: "No space left on device" in self.agent_log(), "the agent says that the store is full")
        finally:
            self.leave(self.blobs, DISK_BYTES)
        self.assertEqual(self.stack.wait(waits)["status"], "Completed")
        for name, file in ((self.name, "kept"), (waits, "big")):
            self.stack.potok("job", "download", "-n", name, "-p", name + "/got", "--output-name", "o")
            got = self.stack.path(f"{name}/got/named-outputs/o/{file}").read_bytes()
            self.assertEqual(self.stack.log(name).split()[0], hashlib.sha256(got).hexdigest())


if __name__ == "__main__":
    unittest.main()
