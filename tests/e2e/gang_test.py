"""Steps on several machines at once: two agents, processes that find each other, one that is killed, Open MPI."""

import os
import pathlib
import signal
import unittest

from stack import StackTest, wait_for

# Every process tells rank 0 its rank; rank 0 says who has come. As torch.distributed does, without torch.
MEET = """
import os, pathlib, socket, time
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
master = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
if rank == 0:
    with socket.create_server(master) as listener:
        come = [0]
        while len(come) < size:
            with listener.accept()[0] as peer:
                come.append(int(peer.recv(9)))
    print("came:", *sorted(come), flush=True)
    pathlib.Path(os.environ["AZURE_ML_OUTPUT_model"], "weights").write_text(str(sum(come)))
else:
    while True:
        try:
            with socket.create_connection(master) as peer:
                peer.send(str(rank).encode())
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
"""

PYTORCH = """
type: pipeline
jobs:
  train:
    command: "python meet.py; : ${{{{outputs.model}}}}"
    code: {code}
    outputs: {{model: {{type: uri_folder}}}}
    resources: {{instance_count: 2, cpus: 2}}
    distribution: {{type: pytorch, process_count_per_instance: 2}}
  use:
    command: cat ${{{{inputs.model}}}}/weights
    inputs:
      model: ${{{{parent.jobs.train.outputs.model}}}}
"""

# Each process says that it is there and goes on until it is told that all is well.
WAIT = "echo $$ > {folder}/$(basename $(dirname $POTOK_STEP)).$RANK$OMPI_COMM_WORLD_RANK; until [ -e {folder}/go ]; do sleep 0.05; done"
WAITING = """
type: pipeline
jobs:
  train:
    command: "{wait}"
    environment_variables: {{OMPI_MCA_oob_tcp_if_include: lo, OMPI_MCA_btl_tcp_if_include: lo}}
    resources: {{instance_count: 2, cpus: 2}}
    distribution: {{type: {type}}}
    retry: {{max_attempts: 2}}
"""


class GangTest(StackTest):
    UP = ("--agent-cpus=2", "--agent-memory=1GiB")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_agent("other", "--cpus=2", "--memory=1GiB")
        wait_for(lambda: len(cls.stack.json("machine", "list")) == 2, "two machines are there")

    def create(self, text: str, *arguments: str, check: bool = True):
        return self.stack.potok("job", "create", "-f", self.stack.write("gang.yml", text), "-n", self.name, *arguments, check=check)

    def test_processes_of_two_machines_find_each_other(self):
        code = self.stack.path("code")
        code.mkdir()
        (code / "meet.py").write_text(MEET)
        self.create(PYTORCH.format(code=code))
        job = self.stack.wait(self.name)
        self.assertEqual(job["status"], "Completed", job["jobs"])
        machines = {job["jobs"][f"train[1]/rank{rank}"]["machine"] for rank in (0, 1)}
        self.assertEqual(len(machines), 2)
        self.assertIn("came: 0 1 2 3", self.stack.log(self.name, "--step", "train[1]/rank0"))
        self.assertEqual(self.stack.log(self.name, "--step", "use").strip(), "6")
        explained = self.stack.potok("job", "explain", "-n", self.name).stdout
        self.assertIn("it is one of the 2 members of step 'train'", explained)
        self.assertNotIn("reuse.enabled", explained)

    def folder(self) -> pathlib.Path:
        folder = self.stack.path(f"{self.name}-pids")
        folder.mkdir()
        folder.chmod(0o777)
        return folder

    def pid(self, folder: pathlib.Path, attempt: int, rank: int) -> int:
        def written():
            try:
                return int((folder / f"train[{attempt}].{rank}").read_text())
            except (FileNotFoundError, ValueError):
                return None

        return wait_for(written, f"rank {rank} of attempt {attempt} runs")

    def kill_one_of(self, distribution: str):
        folder = self.folder()
        self.create(WAITING.format(wait=WAIT.format(folder=folder), type=distribution))
        first = [self.pid(folder, 1, rank) for rank in (0, 1)]
        os.kill(first[1], signal.SIGKILL)
        second = [self.pid(folder, 2, rank) for rank in (0, 1)]
        self.assertFalse(set(first) & set(second))
        for pid in first:
            self.assertFalse(pathlib.Path(f"/proc/{pid}").exists(), "it goes on beside the next attempt")
        (folder / "go").touch()
        job = self.stack.wait(self.name)
        self.assertEqual(job["status"], "Completed", job["jobs"])
        self.assertEqual(job["jobs"]["train[2]/rank1"]["status"], "Completed")
        return job

    def test_when_one_is_killed_both_end_and_both_begin_again(self):
        job = self.kill_one_of("pytorch")
        self.assertEqual(job["jobs"]["train[1]/rank1"]["status"], "Failed")
        self.assertEqual(job["jobs"]["train[1]/rank0"]["status"], "Canceled")

    def test_so_do_those_of_mpi(self):
        self.kill_one_of("mpi")

    def test_mpi_has_a_process_for_each_slot(self):
        self.create(
            "type: pipeline\n"
            "jobs:\n"
            "  hello:\n"
            '    command: "echo $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE on $POTOK_MACHINE"\n'
            "    environment_variables: {OMPI_MCA_oob_tcp_if_include: lo}\n"
            "    resources: {instance_count: 2, cpus: 2}\n"
            "    distribution: {type: mpi, process_count_per_instance: 2}\n"
        )
        job = self.stack.wait(self.name)
        log = self.stack.log(self.name, "--step", "hello[1]/rank0")
        self.assertEqual(job["status"], "Completed", log)
        machines = [job["jobs"][f"hello[1]/rank{rank}"]["machine"] for rank in (0, 1)]
        expected = [f"{rank} of 4 on {machines[rank // 2]}" for rank in range(4)]
        self.assertEqual(sorted(line for line in log.splitlines() if " of 4 on " in line), expected)

    def test_more_members_than_fit_are_refused(self):
        refused = self.create("type: pipeline\njobs:\n  a: {command: echo, resources: {instance_count: 3, cpus: 2}}\n", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("jobs.a: runs as 3 members at once; 2 machines together could hold 2", refused.stderr)

    def test_roles_without_a_machine_are_told(self):
        warned = self.create(
            "type: pipeline\njobs:\n  a:\n    command: echo $TF_CONFIG\n    resources: {instance_count: 2}\n"
            "    distribution: {type: tensorflow, worker_count: 2, parameter_server_count: 1}\n"
        )
        self.assertRegex(warned.stderr, r"warning: .*jobs\.a: its workers and parameter servers are not as many")
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")
        self.assertIn('"task": {"type": "ps", "index": 0}', self.stack.log(self.name, "--step", "a[1]/rank1"))


if __name__ == "__main__":
    unittest.main()
