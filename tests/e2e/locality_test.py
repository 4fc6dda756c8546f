"""Steps run where their inputs are: two machines, and what had to be fetched."""

import http.client
import unittest

from stack import StackTest, wait_for

LARGE = 64 << 20
# The machine that is chosen is not the fuller one: a step that waits lies on the other.
STORY = """type: pipeline
jobs:
  make:
    command: head -c {large} /dev/urandom > ${{{{outputs.data}}}}/file; mkdir ${{{{outputs.data}}}}/sub; head -c 5000 /dev/urandom > ${{{{outputs.data}}}}/sub/file
    outputs: {{data: {{type: uri_folder}}}}
    resources: {{labels: {{name: {maker}}}}}
  wait:
    command: touch {notes}; until [ -e {go_on} ]; do sleep 0.05; done
    resources: {{labels: {{name: {other}}}}}
  same:
    command: cat ${{{{inputs.data}}}}/file ${{{{inputs.data}}}}/sub/file | sha256sum
    inputs: {{data: "${{{{parent.jobs.make.outputs.data}}}}"}}
    depends_on: [noted]
  elsewhere:
    command: ": there; cat ${{{{inputs.data}}}}/file ${{{{inputs.data}}}}/sub/file | sha256sum"
    inputs: {{data: "${{{{parent.jobs.make.outputs.data}}}}"}}
    resources: {{labels: {{name: {other}}}}}
    depends_on: [same]
  noted:
    command: until [ -e {notes} ]; do sleep 0.05; done
    resources: {{labels: {{name: {maker}}}}}
"""


class LocalityTest(StackTest):
    UP = ("--agents=2", "--agent-cpus=4")

    def fetched(self) -> dict[str, float]:
        connection = http.client.HTTPConnection((self.stack.state / "http.address").read_text().strip(), timeout=60)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        return {
            where: sum(float(line.split()[1]) for line in lines if line.startswith(f'potok_step_input_bytes_total{{from="{where}"}}'))
            for where in ("store", "machine")
        }

    def test_a_step_runs_on_the_machine_that_made_its_input_and_nothing_is_transferred(self):
        other, maker = sorted(machine["name"] for machine in self.stack.json("machine", "list"))
        notes, go_on = self.stack.path("notes"), self.stack.path("go_on")
        self.addCleanup(go_on.touch)
        before = self.fetched()
        text = STORY.format(large=LARGE, maker=maker, other=other, notes=notes, go_on=go_on)
        self.stack.potok("job", "create", "-f", self.stack.write("story.yml", text), "-n", self.name)
        wait_for(lambda: self.stack.step_status(self.name, "same") == "Completed", "the reader has run")
        steps = self.stack.show(self.name)["jobs"]
        same = steps["same"]
        self.assertEqual((steps["make"]["machine"], steps["wait"]["machine"], same["machine"]), (maker, other, maker))
        self.assertEqual((same["usage"]["fetched_bytes"], same["usage"]["found_bytes"]), (0, LARGE + 5000))
        note = f"placed on {maker} for its inputs: it held 64.0 MiB of 64.0 MiB"
        self.assertIn(note, same["resource_notes"])
        self.assertIn(note, self.stack.potok("job", "explain", "-n", self.name).stdout)
        wait_for(lambda: self.stack.step_status(self.name, "elsewhere") == "Completed", "another has run elsewhere")
        elsewhere = self.stack.show(self.name)["jobs"]["elsewhere"]
        self.assertEqual((elsewhere["machine"], elsewhere["usage"]["fetched_bytes"]), (other, LARGE + 5000))
        for machine in (maker, other):
            shown = self.stack.json("machine", "show", "-n", machine)
            self.assertEqual((shown["held_artifacts"], shown["held_bytes"]), (1, LARGE + 5000))
        self.assertIn("Holds 1 artifact of 1 MiB or more, 64.0 MiB in all", self.stack.potok("machine", "show", "-n", maker, "-o", "table").stdout)
        after = self.fetched()
        self.assertEqual({name: after[name] - before[name] for name in after}, {"store": LARGE + 5000, "machine": LARGE + 5000})
        go_on.touch()
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")
        sums = {self.stack.log(self.name, "--step", step).split()[0] for step in ("same", "elsewhere")}
        self.assertEqual(len(sums), 1, "both read the same bytes")
        self.assertIn("found 64.0 MiB on the machine", self.stack.potok("job", "show", "-n", self.name, "-o", "table").stdout)


if __name__ == "__main__":
    unittest.main()
