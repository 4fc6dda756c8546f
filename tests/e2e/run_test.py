"""The short way: `potok run`, its exit codes, and what one does with a run that is going on."""

import signal
import time
import unittest

from stack import StackTest, is_alive, wait_for

# Each level notes its process and starts the next in a session of its own; none ends by itself.
TREE = """#!/bin/bash
echo $$ >> "$2"
if [ "$1" -gt 0 ]; then setsid "$0" $(($1 - 1)) "$2" & fi
sleep 1000
"""


class FirstRunTest(StackTest):
    UP = None

    def test_run_brings_the_stack_up_and_up_is_then_quick(self):
        file = self.stack.write("hello.yml", "type: command\ncommand: echo hello from a file\n")
        run = self.stack.potok("run", file, "-n", "first")
        self.assertIn("Completed", run.stdout)
        self.assertEqual(self.stack.log("first"), "hello from a file\n")

        server = self.stack.processes("potok-server")
        began = time.monotonic()
        self.stack.potok("up")
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(self.stack.processes("potok-server"), server)


class RunTest(StackTest):
    UP = ("--agent-cpus=16",)

    def run_one(self, *command: str, options=(), check=True):
        return self.stack.potok("run", "-n", self.name, *options, "--", *command, check=check)

    def start_one(self, *command: str):
        """A run that is going on, not followed by anyone."""
        self.stack.potok("run", "-n", self.name, "--detach", "--", *command)
        self.wait_until_running()

    def wait_until_running(self):
        def running():
            shown = self.stack.potok("job", "show", "-n", self.name, "--query", "status", "-o", "tsv", check=False)
            return shown.stdout.strip() == "Running"

        wait_for(running, f"{self.name} runs")

    # Exit codes and output

    def test_a_command_that_ends_well_gives_0_and_shows_its_output(self):
        run = self.run_one("echo", "good morning")
        self.assertEqual(run.returncode, 0)
        self.assertIn("good morning", run.stdout)
        self.assertEqual(self.stack.log(self.name), "good morning\n")

    def test_a_failing_command_gives_1_and_says_its_exit_code(self):
        run = self.run_one("bash", "-c", "echo to stderr >&2; exit 7", check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn("code 7", run.stdout)
        self.assertIn("to stderr", run.stdout)

    def test_a_command_that_does_not_exist_says_so(self):
        run = self.run_one("no-such-program", check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn("127", run.stdout)

    def test_a_wrong_file_gives_2_and_names_the_line(self):
        file = self.stack.write(
            "wrong.yml", "type: pipeline\njobs:\n  a:\n    command: echo ${{inputs.nothing}}\n"
        )
        run = self.stack.potok("run", file, check=False)
        self.assertEqual(run.returncode, 2)
        self.assertIn("wrong.yml:4", run.stderr)
        self.assertIn("nothing", run.stderr)

    def test_a_file_that_does_not_exist_gives_2(self):
        run = self.stack.potok("run", "absent.yml", check=False)
        self.assertEqual(run.returncode, 2)
        self.assertIn("absent.yml", run.stderr)

    def test_arguments_reach_the_command_as_they_were_typed(self):
        hostile = "a b  'c' \"d\" $HOME `id` $(id) * \\ ; & | # \n ~"
        self.run_one("printf", "%s", hostile)
        self.assertEqual(self.stack.log(self.name), hostile)

    # Data

    def test_input_folder_and_text_go_in_and_output_comes_out(self):
        self.stack.write("in/deep/a.txt", "alpha")
        self.run_one(
            "bash",
            "-c",
            'cat "$1/deep/a.txt" > "$2/out.txt"; echo "$3" >> "$2/out.txt"',
            "-",
            "${{inputs.data}}",
            "${{outputs.result}}",
            "${{inputs.word}}",
            options=("--input", "data=in", "--input", "word=omega", "--output", "result", "--download", "got"),
        )
        got = self.stack.path("got/named-outputs/result/out.txt")
        self.assertEqual(got.read_text(), "alphaomega\n")

    def test_input_file_keeps_its_name(self):
        self.stack.write("single/table.csv", "1,2\n")
        self.run_one("echo", "${{inputs.table}}", options=("--input", "table=single/table.csv"))
        self.assertTrue(self.stack.log(self.name).endswith("/table.csv\n"))

    def test_an_input_path_that_does_not_exist_gives_2(self):
        run = self.run_one("cat", "${{inputs.x}}", options=("--input", "x=./absent"), check=False)
        self.assertEqual(run.returncode, 2)
        self.assertIn("absent", run.stderr)

    # Leaving and canceling

    def test_ctrl_c_leaves_the_run_going_and_says_how_to_cancel(self):
        go_on = self.stack.path("go_on")
        client = self.stack.start(
            "run", "-n", self.name, "--", "bash", "-c", f"until [ -e {go_on} ]; do sleep 0.05; done"
        )
        self.wait_until_running()
        client.send_signal(signal.SIGINT)
        _, stderr = client.communicate(timeout=60)
        self.assertEqual(client.returncode, 130)
        self.assertIn(f"potok job cancel -n {self.name}", stderr.decode())
        self.assertEqual(self.stack.status(self.name), "Running")
        go_on.touch()
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")

    def test_cancel_ends_the_whole_process_tree(self):
        tree = self.stack.write("tree.sh", TREE)
        self.stack.path("tree.sh").chmod(0o755)
        pids_file = self.stack.path("pids")
        self.start_one(tree, "3", str(pids_file))
        pids = wait_for(lambda: self.noted_pids(pids_file, 4), "the whole tree runs")
        self.stack.potok("job", "cancel", "-n", self.name)
        self.assertEqual(self.stack.wait(self.name)["status"], "Canceled")
        self.assertEqual([pid for pid in pids if is_alive(pid)], [])

    def noted_pids(self, file, count: int):
        pids = [int(word) for word in file.read_text().split()] if file.exists() else []
        return pids if len(pids) == count else None

    def test_a_canceled_run_gives_1_to_who_follows_it(self):
        client = self.stack.start("run", "-n", self.name, "--", "sleep", "1000")
        self.wait_until_running()
        self.stack.potok("job", "cancel", "-n", self.name)
        stdout, _ = client.communicate(timeout=60)
        self.assertEqual(client.returncode, 1)
        self.assertIn("Canceled", stdout.decode())

    def test_cancel_of_an_ended_run_is_harmless(self):
        self.run_one("true")
        self.assertEqual(self.stack.potok("job", "cancel", "-n", self.name).returncode, 0)
        self.assertEqual(self.stack.status(self.name), "Completed")

    def test_cancel_of_an_unknown_run_names_it(self):
        cancel = self.stack.potok("job", "cancel", "-n", "never_was", check=False)
        self.assertEqual(cancel.returncode, 1)
        self.assertIn("never_was", cancel.stderr)

    def test_wait_gives_the_end_and_1_when_it_is_too_late(self):
        go_on = self.stack.path("end")
        self.start_one("bash", "-c", f"until [ -e {go_on} ]; do sleep 0.05; done")
        late = self.stack.potok("job", "wait", "-n", self.name, "--timeout", "0.3", check=False)
        self.assertEqual(late.returncode, 1)
        self.assertIn("Running", late.stderr)
        go_on.touch()
        waited = self.stack.potok("job", "wait", "-n", self.name)
        self.assertEqual((waited.returncode, waited.stdout), (0, "Completed\n"))

    # Names and lists

    def test_a_name_is_taken_once(self):
        self.run_one("true")
        again = self.run_one("true", check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn(self.name, again.stderr)
        self.assertIn("choose another name", again.stderr)

    def test_list_filters_by_state_and_experiment(self):
        for name, command in (("listed_good", "true"), ("listed_bad", "false")):
            file = self.stack.write(
                f"{name}.yml", f"type: command\nexperiment_name: listing\ncommand: '{command}'\n"
            )
            self.stack.potok("job", "create", "-f", file, "-n", name)
            self.stack.wait(name)

        def names(*filters: str):
            return [job["name"] for job in self.stack.json("job", "list", "--experiment", "listing", *filters)]

        self.assertEqual(names(), ["listed_bad", "listed_good"])
        self.assertEqual(names("--status", "Failed"), ["listed_bad"])
        self.assertEqual(names("--status", "Failed", "--status", "Completed"), ["listed_bad", "listed_good"])
        self.assertEqual(names("--max-results", "1"), ["listed_bad"])

    # Logs

    def test_logs_follow_a_step_that_runs_and_end_with_it(self):
        go_on = self.stack.path("more")
        self.start_one("bash", "-c", f"echo one; until [ -e {go_on} ]; do sleep 0.05; done; echo two")
        out = self.stack.path("followed.log")
        with open(out, "wb") as file:
            follower = self.stack.start("job", "logs", "-n", self.name, "-f", stdout=file)
        wait_for(lambda: out.read_bytes() == b"one\n", "the first line is there while the step runs")
        go_on.touch()
        follower.communicate(timeout=60)
        self.assertEqual((follower.returncode, out.read_bytes()), (0, b"one\ntwo\n"))

    # The end of a step comes before the last of its log: some of it was missing.
    def test_logs_are_whole_right_after_the_end_of_a_step(self):
        for size in (1, 1000, 300_000):
            self.stack.potok("job", "create", "-f", self.echo_file(size), "-n", f"{self.name}_{size}")
            self.stack.potok("job", "wait", "-n", f"{self.name}_{size}")
            log = self.stack.potok("job", "logs", "-n", f"{self.name}_{size}").stdout
            self.assertEqual(len(log), size)

    def echo_file(self, size: int):
        return self.stack.write(
            f"echo_{size}.yml", f"type: command\ncommand: head -c {size} /dev/zero | tr '\\0' x\n"
        )

    def tail(self) -> str:
        return self.stack.potok("job", "logs", "-n", self.name, "--tail", "2").stdout

    def test_logs_tail_shows_the_last_lines_of_a_step_that_runs(self):
        go_on = self.stack.path("tailed")
        self.start_one("bash", "-c", f"seq 5000; until [ -e {go_on} ]; do sleep 0.05; done")
        last = "4999\n5000\n"
        wait_for(lambda: self.tail() == last, "the last lines are shown")
        go_on.touch()
        self.stack.wait(self.name)
        self.assertEqual(self.tail(), last)

    def test_binary_log_bytes_come_out_unchanged(self):
        every_byte = bytes(range(256)) * 500 + b"no newline at the end"
        self.stack.path("bytes").write_bytes(every_byte)
        self.stack.potok("run", "-n", self.name, "--detach", "--", "cat", str(self.stack.path("bytes")))
        self.stack.wait(self.name)
        out = self.stack.path("bytes.log")
        with open(out, "wb") as file:
            self.stack.start("job", "logs", "-n", self.name, "-f", stdout=file).communicate(timeout=60)
        self.assertEqual(out.read_bytes(), every_byte)


if __name__ == "__main__":
    unittest.main()
