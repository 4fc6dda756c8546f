"""Hostile and oversized input through the real programs: it goes through whole, or is refused with its name and why.

What one room alone decides is tested there: snapshots and trees in tests/common/cas, outputs in tests/agent/artifacts,
names of datastores in tests/server/artifacts, bodies and headers in http_api_test.py. Paths that lead out of where they
belong are in hostile_paths_test.py, full disks in full_disk_test.py.
"""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import threading
import unittest

from one_job import OneJobTest

LARGE = "POTOK_LARGE" in os.environ  # as tests/common/cas/large_test.cc
ENTRIES = 100_000
SPARSE_BYTES = (10 if LARGE else 1) << 30

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


class HostileTest(OneJobTest):
    UP = ("--server-flag", "disk-reserve=0")

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

    def used_bytes(self) -> int:
        """Of the store and the agent."""
        disks = (self.stack.state / "agents", self.stack.state / "blobs")
        return sum(os.lstat(path).st_blocks * 512 for disk in disks for path in disk.rglob("*") if path.is_file())


if __name__ == "__main__":
    unittest.main()
