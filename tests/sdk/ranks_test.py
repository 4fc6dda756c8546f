"""The launcher of distributed steps: which processes it starts, and how they end."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

RANKS = pathlib.Path(__file__).resolve().parents[2] / "sdk/python/potok_ranks"
sys.path.insert(0, str(RANKS))

import wire  # noqa: E402  (found by the line above)


def variables(**own: str) -> dict[str, str]:
    return {
        **os.environ,
        "POTOK_DISTRIBUTION": "pytorch",
        "POTOK_NODE_RANK": "1",
        "POTOK_NODES": "127.0.0.1,127.0.0.1",
        "POTOK_NODE_PORT": "20000",
        "POTOK_PROCESSES": "3",
        "POTOK_GANG_TOKEN": "secret",
        **own,
    }


def launch(*command: str, **own: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, RANKS, *command], env=variables(**own), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class ProcessesTest(unittest.TestCase):
    def test_each_process_has_its_ranks(self):
        launched = launch("/bin/sh", "-c", "echo $RANK $LOCAL_RANK $AZUREML_PROCESS_NAME")
        said, _ = launched.communicate()
        self.assertEqual(launched.returncode, 0)
        self.assertEqual(sorted(said.splitlines()), ["3 0 rank_3", "4 1 rank_4", "5 2 rank_5"])

    def test_the_first_that_fails_ends_the_others_and_counts(self):
        launched = launch("/bin/sh", "-c", "if [ $LOCAL_RANK = 1 ]; then exit 7; fi; exec sleep 600")
        launched.communicate()
        self.assertEqual(launched.returncode, 7)

    def test_a_signal_is_told_as_a_shell_would(self):
        launched = launch("/bin/sh", "-c", "kill -KILL $$")
        launched.communicate()
        self.assertEqual(launched.returncode, 128 + signal.SIGKILL)

    def test_sigterm_reaches_all(self):
        with tempfile.TemporaryDirectory() as folder:
            launched = launch("/bin/sh", "-c", f"trap 'touch {folder}/ended.$RANK; exit 1' TERM; touch {folder}/$RANK; while :; do sleep 0.05; done")
            while len(list(pathlib.Path(folder).iterdir())) < 3:
                time.sleep(0.02)
            launched.send_signal(signal.SIGTERM)
            launched.communicate()
            self.assertEqual(len(list(pathlib.Path(folder).glob("ended.*"))), 3)

    def test_missing_variables_are_named(self):
        own = variables()
        del own["POTOK_NODES"]
        refused = subprocess.run([sys.executable, RANKS, "true"], env=own, capture_output=True, text=True, check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("POTOK_NODES", refused.stderr)

    def test_without_mpirun_it_says_what_to_install(self):
        refused = launch("true", POTOK_DISTRIBUTION="mpi", POTOK_NODE_RANK="0", PATH="/nowhere")
        self.assertIn("install Open MPI", refused.communicate()[1])
        self.assertEqual(refused.returncode, 2)


class WireTest(unittest.TestCase):
    def ask(self, token: str, line: bytes | None = None) -> list[str] | None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            if line is None:
                threading.Thread(target=wire.send_request, args=(theirs, token, ["orted", "-x"])).start()
            else:
                theirs.sendall(line)
                theirs.shutdown(socket.SHUT_WR)
            return wire.receive_request(ours, "secret")

    def test_only_who_knows_the_secret_is_served(self):
        self.assertEqual(self.ask("secret"), ["orted", "-x"])
        self.assertIsNone(self.ask("guess"))
        self.assertIsNone(self.ask(""))

    def test_nothing_else_is(self):
        for line in (b"", b"\n", b"{}\n", b"[]\n", b'{"token": "secret"}\n', b"\xff\xfe\n", b"x" * 100):
            self.assertIsNone(self.ask("", line), line)

    def test_a_member_that_goes_away_is_noticed(self):
        ours, theirs = socket.socketpair()
        theirs.close()
        with ours, self.assertRaises(ConnectionError):
            wire.receive_exit(ours)


if __name__ == "__main__":
    unittest.main()
