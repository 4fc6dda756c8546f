"""Steps go only where they fit: GPUs by model, memory and share, counted things, disk, memory, labels."""

import unittest

from stack import ENDED, StackTest, wait_for

# Machines beside that of `potok up`, which has an fpga and disk, and no GPU.
AGENTS = {
    "a100": (
        "--gpu=model=NVIDIA A100-SXM4-40GB,memory=40GiB",
        "--gpu=model=NVIDIA A100-SXM4-40GB,memory=40GiB",
        "--label=zone=b",
        "--label=driver=535.104.05",
        "--memory=1GiB",
    ),
    "t4": ("--gpu=model=Tesla T4,memory=16GiB", "--label=zone=a", "--label=driver=470.82.01", "--memory=1GiB"),
    "big": ("--memory=8GiB", "--gpus=0"),
}

SAY = "echo $POTOK_MACHINE gpus:${CUDA_VISIBLE_DEVICES-none}"
# Ends well only if both halves run at the same time.
MEET = "touch {folder}/{me}; for i in $(seq 600); do [ -e {folder}/{other} ] && exec echo $CUDA_VISIBLE_DEVICES; sleep 0.05; done; exit 1"
# Ends well only if no other does the same at the same time, and once it is told to.
ALONE = "mkdir {folder}/alone && until [ -e {folder}/go ]; do sleep 0.02; done && rmdir {folder}/alone"

STORY = """
type: pipeline
jobs:
  model: {{command: ": model; {say}", resources: {{gpus: 1, gpu_model: [A100, H100]}}}}
  both: {{command: ": both; {say}", resources: {{gpus: 2, gpu_memory: 30GiB}}}}
  small: {{command: ": small; {say}", resources: {{gpus: 1, gpu_model: T4, gpu_memory: 10GiB}}}}
  half_1: {{command: "{half_1}", resources: {{gpus: 0.5, gpu_model: t4}}}}
  half_2: {{command: "{half_2}", resources: {{gpus: 0.5, gpu_model: t4}}}}
  fpga_1: {{command: "{say}; {alone}", resources: {{named: {{fpga: 1}}}}}}
  fpga_2: {{command: "{say}; : other; {alone}", resources: {{named: {{fpga: 1}}}}}}
  large: {{command: ": large; {say}", resources: {{memory: 4GiB}}}}
  disk: {{command: ": disk; {say}", resources: {{disk: 5GiB}}}}
  label:
    command: ": label; {say}"
    resources: {{labels: 'gpu.model in (A100, H100) && driver >= 535 && zone != "a" && os == linux'}}
  cheap: {{command: ": cheap; {say}", resources: {{gpus: 0.25, labels: "!(driver >= 535)"}}}}
"""


class ResourcesTest(StackTest):
    UP = (
        "--agent-cpus=4",
        "--agent-memory=1GiB",
        "--agent-flag=gpus=0",
        "--agent-flag=resource=fpga=1",
        "--agent-flag=disk=10GiB",
    )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, flags in AGENTS.items():
            cls.start_agent(name, "--cpus=4", "--disk=1GiB", *flags)
        wait_for(lambda: len(cls.machines()) == 4, "four machines are there")
        (cls.plain,) = set(cls.machines()) - set(AGENTS)

    @classmethod
    def machines(cls) -> dict[str, dict]:
        return {machine["name"]: machine for machine in cls.stack.json("machine", "list")}

    def others_have_ended(self, folder) -> bool:
        steps = self.stack.show(self.name)["jobs"]
        ended = all(step["status"] in ENDED for name, step in steps.items() if not name.startswith("fpga"))
        return ended and (folder / "alone").exists()

    def test_steps_land_only_where_they_fit(self):
        folder = self.stack.path("meeting")
        folder.mkdir()
        folder.chmod(0o777)
        story = STORY.format(
            say=SAY,
            half_1=MEET.format(folder=folder, me="one", other="two"),
            half_2=MEET.format(folder=folder, me="two", other="one"),
            alone=ALONE.format(folder=folder),
        )
        self.stack.potok("job", "create", "-f", self.stack.write("story.yml", story), "-n", self.name)
        # There is room for the second now but for its fpga.
        wait_for(lambda: self.others_have_ended(folder), "only the two that need the fpga are left")
        states = [self.stack.step_status(self.name, step) for step in ("fpga_1", "fpga_2")]
        self.assertEqual(sorted(states), ["Queued", "Running"])
        (folder / "go").touch()
        job = self.stack.wait(self.name)
        self.assertEqual(job["status"], "Completed", {name: step["reason"] for name, step in job["jobs"].items()})
        places = {name: step["machine"] for name, step in job["jobs"].items()}
        expected = {
            "a100": {"model", "both", "label"},
            "t4": {"small", "half_1", "half_2", "cheap"},
            "big": {"large"},
            self.plain: {"fpga_1", "fpga_2", "disk"},
        }
        self.assertEqual(places, {step: machine for machine, steps in expected.items() for step in steps})
        said = {name: self.stack.log(self.name, "--step", name).strip() for name in job["jobs"]}
        self.assertIn(said["model"], {"a100 gpus:0", "a100 gpus:1"})
        self.assertEqual(said["both"], "a100 gpus:0,1")
        self.assertEqual(said["small"], "t4 gpus:0")
        self.assertEqual((said["half_1"], said["half_2"]), ("0", "0"))
        self.assertEqual(said["label"], "a100 gpus:")
        self.assertEqual(said["large"], "big gpus:none")
        self.assertEqual(
            job["jobs"]["model"]["resources"],
            {
                "memory_bytes": 0,
                "cpu_millis": 0,
                "gpus": 1,
                "disk_bytes": 0,
                "named": {},
                "gpu_models": ["A100", "H100"],
                "gpu_memory_bytes": 0,
                "labels": {},
            },
        )
        clone = self.stack.potok("job", "clone", "-n", self.name, "-f", str(self.stack.path("clone.yml")))
        self.assertEqual(clone.returncode, 0)
        again = self.stack.path("clone.yml").read_text()
        self.assertRegex(again, r"gpus: 0\.5")
        self.assertIn("driver >= 535", again)
        self.stack.potok("job", "validate", "-f", str(self.stack.path("clone.yml")))

    def test_what_fits_nowhere_is_refused_with_the_nearest_machine(self):
        for resources, reason in {
            "gpus: 3": r"needs 3 GPUs, 2 are there on a100 \(the nearest of 4 machines\)",
            "gpus: 1, gpu_model: H100": r"needs 1 GPU of H100, 0 are there \(there are .* with .*\) on (a100|t4) \(the nearest",
            "gpus: 0.5, gpu_memory: 80GiB": r"needs 0\.5 GPUs with 80 GiB, 0 are there",
            "named: {fpga: 2}": rf"needs 2 fpga, 1 is there on {self.plain} \(the nearest of 4 machines\)",
            "named: {licence: 1}": r"needs 1 licence, 0 are there on",
            "disk: 20GiB": rf"needs 20 GiB disk, 10 GiB is there on {self.plain}",
            "labels: 'zone == b && driver >= 550'": r"none of 4 machines has the labels that it asks for: on a100, the "
            r"nearest, driver >= 550 is false \(driver is 535\.104\.05\)",
        }.items():
            with self.subTest(resources):
                text = f"type: pipeline\njobs:\n  s: {{command: 'true', resources: {{{resources}}}}}\n"
                file = self.stack.write("never.yml", text)
                create = self.stack.potok("job", "create", "-f", file, "-n", self.name, check=False)
                self.assertNotEqual(create.returncode, 0)
                self.assertRegex(create.stderr, r"jobs\.s: " + reason)
        self.assertNotIn(self.name, self.stack.potok("job", "list", "--all-results").stdout)

    def test_wrong_requests_are_refused_with_their_place(self):
        text = "type: pipeline\njobs:\n  s:\n    command: 'true'\n    resources: {gpus: 1.5, labels: zone = b}\n"
        create = self.stack.potok("job", "create", "-f", self.stack.write("wrong.yml", text), check=False)
        self.assertNotEqual(create.returncode, 0)
        self.assertIn(
            "wrong.yml:5:23: error: node 's': resources: gpus: '1.5' is not a number of GPUs", create.stderr
        )
        self.assertIn("wrong.yml:5:36: error: node 's': resources: labels: column 6: '= b'", create.stderr)

    def test_machines_are_shown_with_what_they_have(self):
        machine = self.machines()["a100"]
        self.assertEqual([gpu["memory_bytes"] for gpu in machine["gpus"]], [40 << 30, 40 << 30])
        self.assertEqual(machine["capacity"]["gpus"], 2)
        self.assertEqual(machine["labels"]["os"], "linux")
        plain = self.machines()[self.plain]
        self.assertEqual(plain["capacity"]["named"], {"fpga": 1})
        self.assertEqual(plain["capacity"]["disk_bytes"], 10 << 30)
        self.assertRegex(self.stack.potok("machine", "list", "-o", "table").stdout, r"fpga 0 of 1")


if __name__ == "__main__":
    unittest.main()
