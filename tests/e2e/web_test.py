"""The HTTP port seen by clients of other makers: a generated TypeScript client, and a browser (tests/web)."""

import os
import pathlib
import subprocess
import unittest

from stack import BIN, StackTest

MADE = pathlib.Path(os.environ["POTOK_WEB_TESTS"])


class WebTest(StackTest):
    def run_tests(self, name: str):
        environment = {
            **self.stack.environment,
            "POTOK_HTTP": (self.stack.state / "http.address").read_text().strip(),
            "POTOK_TOKEN": (self.stack.state / "http.token").read_text().strip(),
            "POTOK_BIN": str(BIN),
        }
        ran = subprocess.run(
            ["node", "--test", f"made/{name}_test.js"],
            cwd=MADE,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertRegex(ran.stdout, r"# pass [1-9]")

    def test_a_generated_typescript_client(self):
        self.run_tests("client")

    def test_the_description_of_the_api(self):
        self.run_tests("openapi")

    def test_the_pages_in_a_browser(self):
        self.run_tests("pages")


if __name__ == "__main__":
    unittest.main()
