"""Logs: read while they are written, by many, in part, searched, packed, and over the death of the server."""

import pathlib
import random
import re
import subprocess
import time
import unittest

from stack import StackTest, wait_for


class LogsTest(StackTest):
    UP = ("--agent-cpus=16",)

    def start(self, command: str):
        self.submit(f"type: command\ncommand: {command!r}\n")

    def submit(self, text: str):
        file = self.stack.write(f"{self.name}.yml", text)
        self.stack.potok("job", "create", "-f", file, "-n", self.name)

    def follow(self, *arguments: str) -> tuple[subprocess.Popen, pathlib.Path]:
        """A follower, and the file it writes to."""
        self.followers = getattr(self, "followers", 0) + 1
        out = self.stack.path(f"{self.name}.{self.followers}.out")
        with open(out, "wb") as file:
            return self.stack.start("job", "logs", "-n", self.name, "-f", *arguments, stdout=file), out

    def logs(self, *arguments: str, check=True):
        return self.stack.potok("job", "logs", "-n", self.name, *arguments, check=check)

    def waits_for(self, what: str) -> str:
        """A command that waits until the test goes on."""
        return f"until [ -e {self.stack.path(what)} ]; do sleep 0.02; done"

    def stored(self, ending: str) -> list[pathlib.Path]:
        return list(self.stack.state.glob(f"**/step-logs/*/*{ending}"))

    def test_every_one_of_many_readers_gets_every_byte(self):
        data = random.Random(1).randbytes(3_000_000)
        self.stack.path("bytes").write_bytes(data)
        self.start(f"head -c 1000000 bytes; {self.waits_for('go')}; tail -c +1000001 bytes".replace(
            " bytes", f" {self.stack.path('bytes')}"))
        readers = [self.follow() for _ in range(24)]
        wait_for(lambda: all(out.stat().st_size == 1_000_000 for _, out in readers), "all have what was written")
        late = self.follow()
        self.stack.path("go").touch()
        for reader, out in [*readers, late]:
            reader.communicate(timeout=60)
            self.assertEqual(reader.returncode, 0)
            self.assertEqual(out.read_bytes(), data)

    def test_what_a_reader_gets_of_a_packed_log_is_what_was_written(self):
        packed = len(self.stored(".log.zst"))
        data = b"".join(b"line %d of a log that packs well\n" % i for i in range(30000)) + bytes(range(256)) * 2000
        self.stack.path("packed").write_bytes(data)
        self.start(f"cat {self.stack.path('packed')}")
        self.stack.wait(self.name)
        wait_for(lambda: len(self.stored(".log.zst")) > packed, "the log is packed")
        for arguments, part in {
            (): data,
            ("-f",): data,
            ("--offset", "700000", "--end-offset", "700100"): data[700000:700100],
            ("--offset", "-5"): data[-5:],
            ("--lines", "20000:20001"): b"".join(data.splitlines(True)[19999:20001]),
        }.items():
            out = self.stack.path("part")
            with open(out, "wb") as file:
                self.stack.start("job", "logs", "-n", self.name, *arguments, stdout=file).communicate(timeout=60)
            self.assertEqual(out.read_bytes(), part, arguments)
        found = self.logs("--grep", "^line 2999[89] ").stdout
        self.assertEqual(found, "29999:line 29998 of a log that packs well\n30000:line 29999 of a log that packs well\n")

    def test_parts_by_lines_and_times_while_the_step_runs(self):
        self.start(f"seq 1 5000; {self.waits_for('later')}; echo later; {self.waits_for('over')}")
        wait_for(lambda: self.logs("--tail", "1").stdout == "5000\n", "the first lines are there")
        time.sleep(0.3)  # times are precise to 0.1 s
        between = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time() % 1:.6f}"[2:] + "Z"
        self.stack.path("later").touch()
        wait_for(lambda: self.logs("--tail", "1").stdout == "later\n", "the last line is there")
        self.assertEqual(self.logs("--tail", "3").stdout, "4999\n5000\nlater\n")
        self.assertEqual(self.logs("--lines", "10:12").stdout, "10\n11\n12\n")
        self.assertEqual(self.logs("--lines", "5000:").stdout, "5000\nlater\n")
        self.assertEqual(self.logs("--since", "1h").stdout.count("\n"), 5001)
        self.assertEqual(self.logs("--since", between).stdout, "later\n")
        self.assertEqual(self.logs("--until", between).stdout.count("\n"), 5000)
        self.assertRegex(self.logs("--tail", "1", "--timestamps").stdout, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d later\n$")
        self.assertEqual(self.logs("--count", "--grep", "^1").stdout, "1111\n")
        follower, out = self.follow("--tail", "1")
        wait_for(lambda: out.read_bytes() == b"later\n", "the follower begins with the last line")
        self.stack.path("over").touch()
        follower.communicate(timeout=60)
        for wrong, said in {
            ("-f", "--until", "1h"): "follow goes on to the end",
            ("--grep", "ab(c"): "at character 3: missing )",
        }.items():
            refused = self.logs(*wrong, check=False)
            self.assertEqual(refused.returncode, 2)
            self.assertIn(said, refused.stderr)

    def two_steps(self):
        self.submit(
            "type: pipeline\njobs:\n"
            f"  prepare:\n    command: 'echo one; echo an Error; {self.waits_for(self.name)}; echo two'\n"
            "  train:\n    command: 'echo three; echo an error; printf four'\n    depends_on: [prepare]\n"
        )

    def test_a_follower_of_a_run_sees_steps_that_begin_later(self):
        self.two_steps()
        follower, out = self.follow()
        searcher, found = self.follow("--grep", "error", "-i")
        wait_for(lambda: out.read_bytes() == b"prepare | one\nprepare | an Error\n", "the first step's lines are there")
        wait_for(lambda: found.read_bytes() == b"prepare | 2:an Error\n", "what is found is there while the step runs")
        self.stack.path(self.name).touch()
        follower.communicate(timeout=60)
        searcher.communicate(timeout=60)
        self.assertEqual(
            out.read_text(),
            "prepare | one\nprepare | an Error\nprepare | two\ntrain   | three\ntrain   | an error\ntrain   | four\n",
        )
        self.assertEqual(found.read_text(), "prepare | 2:an Error\ntrain   | 2:an error\n")
        self.assertEqual(
            self.logs().stdout, "==> prepare <==\none\nan Error\ntwo\n\n==> train <==\nthree\nan error\nfour\n"
        )
        self.assertEqual(self.logs("--step", "t*").stdout, "==> train <==\nthree\nan error\nfour\n")
        self.assertEqual(self.logs("--grep", "o", "--count").stdout, "prepare: 3\ntrain: 2\n")
        self.assertEqual(self.logs("--grep", "nothing", check=False).returncode, 1)
        unknown = self.logs("--step", "x*", check=False)
        self.assertIn("has no step 'x*'; it has prepare, train", unknown.stderr)

    def test_followers_go_on_where_they_were_when_the_server_was_killed(self):
        self.submit(
            "type: pipeline\njobs:\n"
            f"  a:\n    command: 'i=0; until [ -e {self.stack.path(self.name)} ]; do i=$((i+1)); echo $i; sleep 0.01; done'\n"
            f"  b:\n    command: '{self.waits_for(self.name)}; echo end'\n    depends_on: []\n"
        )
        one, one_out = self.follow("--step", "a")
        all_, all_out = self.follow()
        for _ in range(2):
            before = one_out.stat().st_size
            wait_for(lambda: one_out.stat().st_size > before + 50, "the follower reads")
            old = self.stack.kill("potok-server")
            wait_for(lambda: [pid for pid in self.stack.processes("potok-server") if pid != old], "the server is back")
            killed_at = one_out.stat().st_size
            wait_for(lambda: one_out.stat().st_size > killed_at + 50, "the follower reads on")
        self.stack.path(self.name).touch()
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")
        for follower in (one, all_):
            _, err = follower.communicate(timeout=90)
            self.assertEqual(follower.returncode, 0, err)
            self.assertIn(b"the server is back", err)
        lines = one_out.read_text().split()
        self.assertEqual(lines, [str(i + 1) for i in range(len(lines))])
        self.assertEqual(self.logs("--step", "a").stdout.split(), lines)
        of_all = all_out.read_text().splitlines()
        self.assertEqual([line for line in of_all if line.startswith("a")], [f"a | {line}" for line in lines])
        self.assertEqual([line for line in of_all if line.startswith("b")], ["b | end"])

    def test_a_line_without_end_takes_no_memory_but_that_of_a_piece(self):
        self.start("head -c 100000000 /dev/zero | tr '\\0' x; echo; echo needle")
        reader, out = self.follow("--timestamps")
        reader.communicate(timeout=120)
        self.assertEqual(reader.returncode, 0)
        self.assertEqual(out.stat().st_size, 100_000_001 + len("needle\n") + 2 * len("2026-01-01 00:00:00.0 "))
        self.assertEqual(self.logs("--grep", "^needle", "--count").stdout, "1\n")
        (server,) = self.stack.processes("potok-server")
        peak = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{server}/status").read_text())
        self.assertLess(int(peak[1]), 400_000)


if __name__ == "__main__":
    unittest.main()
