"""Steps in containers of podman, with an image made here: what they see, how they end, and what is left of them."""

import glob
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from stack import StackTest, pids_of, wait_for


class Engine:
    """podman with a store of its own, and what this machine needs for it to run at all: limits that it may set, and
    no second version of cgroups in its sight."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="potok-podman-", dir="/tmp"))
        self.program = self.folder / "podman"
        settings = self.folder / "containers.conf"
        settings.write_text(
            '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=2048:4096"]\n'
            '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
        )
        podman = f'/usr/bin/podman --root {self.folder}/store --runroot {self.folder}/run "$@"'
        hybrid = os.getuid() == 0 and os.path.ismount("/sys/fs/cgroup/unified")
        inner = f"umount /sys/fs/cgroup/unified; exec {podman}"
        self.program.write_text(
            f"#!/bin/bash\nexport CONTAINERS_CONF={settings}\n"
            + (f"exec unshare -m --propagation private bash -c '{inner}' _ \"$@\"\n" if hybrid else f"exec {podman}\n")
        )
        self.program.chmod(0o755)

    def run(self, *arguments: str, stdin=subprocess.DEVNULL) -> subprocess.CompletedProcess:
        return subprocess.run([self.program, *arguments], stdin=stdin, capture_output=True, text=True, timeout=60)

    def make_image(self, name: str):
        """Of this machine's own files: nothing is fetched."""
        root = self.folder / "root"
        for folder in ("bin", "etc", "tmp", "proc", "dev", "sys", "usr/bin"):
            (root / folder).mkdir(parents=True)
        linked = subprocess.run(["ldd", "/bin/bash"], capture_output=True, text=True, check=True).stdout
        for file in ["/bin/bash", "/bin/busybox", *re.findall(r"(/\S+) \(0x", linked)]:
            target = root / file[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        for tool in ("cat", "ls", "sleep", "touch", "wc", "id", "setsid", "env"):
            (root / "bin" / tool).symlink_to("busybox")
        (root / "etc/only-here").write_text("in the image\n")
        packed = subprocess.run(["tar", "-C", root, "-cf", self.folder / "root.tar", "."], check=True)
        assert packed.returncode == 0
        with open(self.folder / "root.tar", "rb") as tar:
            return self.run("import", "-", name, stdin=tar)

    def close(self):
        self.run("rm", "--all", "--force", "--time=0")
        self.run("rmi", "--all", "--force")
        shutil.rmtree(self.folder, ignore_errors=True)


IMAGE = "localhost/potok-test:1"


class Containers(StackTest):
    engine: Engine

    @classmethod
    def setUpClass(cls):
        for program in ("/usr/bin/podman", "/bin/busybox"):
            if not os.path.exists(program):
                raise unittest.SkipTest(f"there is no {program}")
        cls.engine = Engine()
        cls.addClassCleanup(cls.engine.close)
        made = cls.engine.make_image(IMAGE)
        tried = cls.engine.run("run", "--rm", "--cgroups=disabled", "--pids-limit=0", "--network=host", IMAGE, "ls", "/")
        if tried.returncode != 0:
            raise unittest.SkipTest(f"podman cannot run here: {made.stderr} {tried.stderr}")
        cls.UP = ("--agent-flag", "images=container", "--agent-flag", f"container-engine={cls.engine.program}")
        super().setUpClass()

    def submit(self, text: str, image: str = IMAGE) -> str:
        name = self.name
        self.stack.write(f"{name}.yml", f"environment: {{image: '{image}'}}\n{text}")
        self.stack.potok("job", "create", "-f", f"{name}.yml", "--name", name)
        return name

    def has_machine(self, name: str) -> bool:
        return any(machine["name"] == name for machine in self.stack.json("machine", "list"))

    def assert_nothing_left(self):
        wait_for(lambda: not self.engine.run("ps", "--all", "--quiet").stdout.strip(), "no container is left")

    def test_a_command_beside_a_step_runs_in_its_container(self):
        name = self.submit("command: 'echo own > /tmp/own; echo ready; until [ -e go ]; do sleep 0.1; done'\n")
        wait_for(lambda: "ready" in self.stack.potok("job", "logs", "-n", name).stdout, "it runs")
        look = "cat /etc/only-here /tmp/own; pwd; echo bad >&2; exit 6"
        told = self.stack.potok("job", "exec", name, "--", "bash", "-c", look, check=False)
        self.assertEqual(6, told.returncode, told.stderr)
        self.assertRegex(told.stdout, r"\Ain the image\nown\n/\S+/work\n\Z")
        self.assertIn("bad\n", told.stderr)
        left = self.stack.start("job", "exec", name, "--", "sleep", "86421")
        wait_for(lambda: len(pids_of("86421")) > 1, "a command runs beside it")
        self.assertEqual(0, self.stack.potok("job", "exec", name, "--", "touch", "go").returncode)
        self.assertEqual("Completed", self.stack.wait(name)["status"])
        left.communicate(timeout=60)
        self.assertNotEqual(0, left.returncode)
        wait_for(lambda: not pids_of("86421"), "it ends with the step")
        self.assert_nothing_left()

    def test_a_step_runs_in_its_image_with_its_files(self):
        self.assertIn("container", self.stack.json("machine", "list")[0]["runtimes"])
        self.stack.write("data/in.txt", "given\n")
        name = self.submit(
            """
command: |
  cat /etc/only-here ${{inputs.data}}/in.txt
  if touch ${{inputs.data}}/x; then echo INPUT WRITTEN; fi
  echo "[$LINES_OF]" "[$ODD]" "[${{inputs.text}}]"; ls /home /root /usr/bin/python3
  pwd; echo "home=$HOME path=$PATH"
  cat /etc/only-here > ${{outputs.out}}/made.txt
environment_variables: {LINES_OF: "1\\n2", ODD: "# a 'b' $(c) \\"d\\""}
inputs: {data: {type: uri_folder, path: ./data}, text: 'x; y'}
outputs: {out: {type: uri_folder}}
"""
        )
        job = self.stack.wait(name)
        log = self.stack.log(name)
        self.assertEqual("Completed", job["status"], log)
        self.assertRegex(job["runtime"], rf"^container {IMAGE}@sha256:[0-9a-f]{{64}}$")
        for right in ("in the image\ngiven\n", "[1\n2] [# a 'b' $(c) \"d\"] [x; y]"):
            self.assertIn(right, log)
        self.assertNotIn("INPUT WRITTEN", log)
        self.assertNotIn("/usr/bin/python3\n", log.replace("ls: /usr/bin/python3", ""))
        self.stack.potok("job", "download", "-n", name, "--output-name", "out", "-p", str(self.stack.home / "made"))
        self.assertEqual(
            ["in the image\n"], [found.read_text() for found in (self.stack.home / "made").rglob("made.txt")]
        )
        self.assert_nothing_left()

    def test_a_pool_says_where_images_run(self):
        self.stack.write("pool.yml", "name: default\nimages: host\n")
        self.stack.potok("compute", "create", "-f", "pool.yml")
        self.addCleanup(self.stack.potok, "compute", "delete", "-n", "default", "-y")
        self.assertEqual("host", self.stack.json("compute", "show", "-n", "default")["images"])
        self.assertIn("Images: host", self.stack.potok("compute", "show", "-n", "default", "-o", "table").stdout)
        text = "command: 'cat /etc/only-here 2>/dev/null || echo on the machine'\nreuse: false\n"
        job = self.stack.wait(self.submit(text))
        self.assertEqual(("Completed", "host"), (job["status"], job["runtime"]))
        self.assertIn("on the machine", self.stack.log(self.name))
        # Who asks for the container gets it.
        self.stack.write("asks.yml", f"environment: {{image: '{IMAGE}'}}\nisolation: container\n{text}")
        self.stack.potok("job", "create", "-f", "asks.yml", "--name", self.name + "_asks")
        self.assertIn(f"container {IMAGE}@", self.stack.wait(self.name + "_asks")["runtime"])
        self.stack.potok("compute", "update", "-n", "default", "--set", "images=container")
        self.stack.potok("job", "create", "-f", f"{self.name}.yml", "--name", self.name + "_again")
        self.assertIn(f"container {IMAGE}@", self.stack.wait(self.name + "_again")["runtime"])

    def test_a_pool_that_runs_images_in_containers_needs_a_machine_that_can(self):
        self.start_agent("apart", "--pool=apart")
        wait_for(lambda: self.has_machine("apart"), "the machine is there")
        self.stack.write("apart.yml", "name: apart\nimages: container\n")
        self.stack.potok("compute", "create", "-f", "apart.yml")
        text = f"command: 'true'\ncompute: azureml:apart\nenvironment: {{image: '{IMAGE}'}}\n"
        self.stack.write("refused.yml", text)
        refused = self.stack.potok("job", "create", "-f", "refused.yml", check=False)
        self.assertNotEqual(0, refused.returncode)
        self.assertIn("has an environment with an image, which pool 'apart' runs in a container", refused.stderr)
        self.assertIn("--images=container", refused.stderr)
        wrong = self.stack.potok("compute", "update", "-n", "apart", "--set", "images=podman", check=False)
        self.assertIn("images is container", wrong.stderr)

    def test_its_exit_code_is_told_and_it_may_have_no_network(self):
        name = self.submit("command: 'wc -l < /proc/net/route; exit 9'\nnetwork: none\n")
        job = self.stack.wait(name)
        self.assertEqual(("Failed", 9), (job["status"], job["exit_code"]))
        self.assertIn("1", self.stack.log(name).split())

    def test_a_cancel_ends_all_of_it(self):
        mark = f"88{os.getpid()}"
        name = self.submit(
            f"""
command: |
  (setsid sleep {mark} &)
  trap 'echo TERM came; exit 0' TERM
  echo ready
  while true; do sleep 0.1; done
"""
        )
        wait_for(lambda: pids_of(mark), "it runs")
        wait_for(lambda: "ready" in self.stack.potok("job", "logs", "-n", name).stdout, "the trap is set")
        self.stack.potok("job", "cancel", "-n", name)
        self.assertEqual("Canceled", self.stack.wait(name)["status"])
        wait_for(lambda: not pids_of(mark), "nothing runs")
        self.assertIn("TERM came", self.stack.log(name))
        self.assert_nothing_left()

    def test_it_survives_the_agent(self):
        name = self.submit("command: 'touch waits; until [ -e go ]; do sleep 0.1; done; echo end'\n")
        (waits,) = wait_for(lambda: glob.glob(f"{self.stack.state}/agents/*/attempts/*/*/waits"), "it runs")
        self.stack.kill("potok-agent")
        wait_for(lambda: self.stack.processes("potok-agent"), "there is another agent")
        pathlib.Path(waits).with_name("go").touch()
        job = self.stack.wait(name)
        self.assertEqual("Completed", job["status"])
        self.assertIn("end", self.stack.log(name))
        self.assertIn(f"container {IMAGE}@", job["runtime"])
        self.assert_nothing_left()

    def test_an_image_that_is_not_there_is_told_in_podmans_words(self):
        name = self.submit("command: 'true'\n", "localhost:1/potok-none:3")
        job = self.stack.wait(name)
        self.assertEqual("Failed", job["status"])
        self.assertIn("could not pull the image localhost:1/potok-none:3", job["reason"])
        self.assertIn("connection refused", job["reason"])
        self.assertIn("potok: pulling the image", self.stack.log(name))

    def test_too_much_memory_is_told_as_such(self):
        if not self.stack.json("machine", "list")[0]["isolation"].startswith("cgroup"):
            self.skipTest("memory is not bounded by the kernel here")
        name = self.submit("command: 'x=x; while true; do x=$x$x; done'\nresources: {memory: 256MiB}\n")
        job = self.stack.wait(name)
        self.assertEqual("Failed", job["status"])
        self.assertIn("out of memory: the step asked 256 MiB", job["reason"])
        self.assert_nothing_left()

    def test_a_timeout_ends_it(self):
        mark = f"89{os.getpid()}"
        name = self.submit(f"command: 'sleep {mark}'\ntimeout: 1\n")
        job = self.stack.wait(name)
        self.assertEqual("Failed", job["status"])
        self.assertIn("ran longer than its time limit", job["reason"])
        wait_for(lambda: not pids_of(mark), "nothing runs")
        self.assert_nothing_left()

    def test_a_name_with_shell_characters_is_no_image(self):
        mark = self.stack.home / "marked"
        name = self.submit("command: 'true'\n", f"x; touch {mark}")
        job = self.stack.wait(name)
        self.assertEqual("Failed", job["status"])
        self.assertIn("is no name of an image", job["reason"])
        self.assertFalse(mark.exists())

    def test_what_asks_for_a_container_goes_where_there_are_some(self):
        self.start_agent("plain", "--cpus=64")  # without containers, and with the most room
        wait_for(lambda: self.has_machine("plain"), "the machine is there")
        self.stack.write("plain.yml", "command: 'true'\nresources: {cpus: 60}\n")
        self.stack.potok("job", "create", "-f", "plain.yml", "--name", self.name + "_plain")
        name = self.submit("command: 'true'\nisolation: container\n")
        job = self.stack.wait(name)
        self.assertEqual("Completed", job["status"])
        self.assertNotEqual("plain", job["machine"])
        self.assertIn(f"container {IMAGE}@", job["runtime"])
        plain = self.stack.wait(self.name + "_plain")
        self.assertEqual(("plain", "host"), (plain["machine"], plain["runtime"]))


if __name__ == "__main__":
    unittest.main()
