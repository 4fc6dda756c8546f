"""Steps whose environment has a conda_file, on a machine that installs its packages: a wheel made here, no index."""

import pathlib
import subprocess
import unittest
import zipfile

from stack import StackTest


def why_no_venv() -> str:
    """Empty where Debian's Python can make one."""
    tried = subprocess.run(["/usr/bin/python3", "-c", "import ensurepip, venv"], capture_output=True, text=True)
    return tried.stderr if tried.returncode != 0 else ""


def make_wheel(folder: pathlib.Path, says: str) -> pathlib.Path:
    """The package `greeting` 1.0, which has a function and a program of the same name."""
    wheel = folder / "greeting-1.0-py3-none-any.whl"
    info = "greeting-1.0.dist-info"
    files = {
        "greeting.py": f"def greeting():\n    print({says!r})\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ngreet = greeting:greeting\n",
    }
    with zipfile.ZipFile(wheel, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
        packed.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"]))
    return wheel


class PythonEnvironments(StackTest):
    UP = (
        *("--agent-flag", "python-environments=build"),
        *("--agent-cpus", "4"),
    )

    @classmethod
    def setUpClass(cls):
        if why_no_venv():
            raise unittest.SkipTest(f"no Python environment can be made here: {why_no_venv()}")
        super().setUpClass()

    def submit(self, text: str, requirement: str, name: str | None = None) -> str:
        name = name or self.name
        self.stack.write("conda.yml", f"dependencies: [{{pip: ['{requirement}']}}]\n")
        self.stack.write(f"{name}.yml", text)
        self.stack.potok("job", "create", "-f", f"{name}.yml", "--name", name)
        return name

    def environments(self) -> list[pathlib.Path]:
        return [pathlib.Path(path) for path in self.stack.state.glob("agents/*/environments/*")]

    def test_an_environment_is_built_once_for_all_that_name_it(self):
        (machine,) = self.stack.json("machine", "list")
        self.assertIn("python", machine["runtimes"])
        wheel = make_wheel(self.stack.home, "hello")
        environment = "environment: {image: any, conda_file: ./conda.yml}"
        two = f"""
type: pipeline
jobs:
  imports: {{command: 'python -c "import greeting; greeting.greeting()"', {environment}}}
  program: {{command: 'greet; which python', {environment}}}
"""
        name = self.submit(two, str(wheel))
        job = self.stack.wait(name)
        logs = {step: self.stack.log(name, "--step", step) for step in ("imports", "program")}
        self.assertEqual("Completed", job["status"], logs)
        (built,) = self.environments()
        for step, shown in job["jobs"].items():
            self.assertEqual(f"python sha256:{built.name}", shown["runtime"])
            self.assertIn("hello\n", logs[step])
        self.assertIn(f"{built}/bin/python", logs["program"])
        said = [log for log in logs.values() if "potok: building the Python environment" in log]
        self.assertEqual(1, len(said), logs)

        # A later run takes it, in a sandbox too.
        made_at = (built / "pyvenv.cfg").stat().st_mtime_ns
        later = self.submit(
            f"command: 'greet; python -c \"import sys; print(sys.prefix)\"'\nisolation: sandbox\n{environment}\n",
            str(wheel),
            self.name + "_later",
        )
        job = self.stack.wait(later)
        log = self.stack.log(later)
        self.assertEqual(("Completed", f"hello\n{built}\n"), (job["status"], log))
        self.assertEqual(f"python sha256:{built.name} in a sandbox", job["runtime"])
        self.assertEqual(made_at, (built / "pyvenv.cfg").stat().st_mtime_ns)

        # Another wheel of the same name is another environment.
        make_wheel(self.stack.home, "good day")
        other = self.submit(f"command: 'greet; true'\n{environment}\n", str(wheel), self.name + "_other")
        self.assertEqual("Completed", self.stack.wait(other)["status"])
        self.assertIn("good day\n", self.stack.log(other))
        self.assertEqual(2, len(self.environments()))

    def test_a_requirement_that_cannot_be_met_is_told_in_pips_words(self):
        before = self.environments()
        name = self.submit(
            "command: 'true'\nenvironment: {image: any, conda_file: ./conda.yml}\n",
            str(self.stack.home / "not-there-2.0-py3-none-any.whl"),
        )
        job = self.stack.wait(name)
        self.assertEqual("Failed", job["status"])
        self.assertIn("could not build the Python environment: python -m pip failed", job["reason"])
        self.assertIn("not-there-2.0-py3-none-any.whl", job["reason"])
        self.assertIn("potok: building the Python environment", self.stack.log(name))
        self.assertEqual(before, self.environments())


if __name__ == "__main__":
    unittest.main()
