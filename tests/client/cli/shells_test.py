"""The program `potok` between a person and a shell, without a server: completion by the real shells, manual pages by
the real formatters, profiles in a real file."""

import os
import pathlib
import pty
import re
import select
import subprocess
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ["POTOK_BIN"])


class PotokTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="potok-shells-", dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)
        self.environment = {
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HOME": str(self.home),
            "POTOK_HOME": str(self.home / "p"),
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm",
            **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")},
        }
        self.config = self.home / ".config/potok/config.yml"

    def run_in(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess:
        done = subprocess.run(
            command,
            env={**self.environment, **environment},
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def potok(self, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess:
        return self.run_in(str(BIN / "potok"), *arguments, check=check, **environment)


# What completes to what: the line so far, and all candidates.
LINES = {
    "potok job sh": {"show"},
    "potok machine ": {"list", "show", "cordon", "uncordon", "drain", "label", "declare-dead"},
    "potok job list -o ts": {"tsv"},
    "potok job list -o y": {"yaml", "yamlc"},
    "potok completion ": {"bash", "zsh", "fish"},
    "potok job list --exp": {"--experiment", "--experiment-name"},
    "potok job show --name x --que": {"--query"},
    "potok job list --color never --only": {"--only-show-errors"},
    "potok nothing": set(),
    "potok job show -n ": set(),
    "potok profile use t": {"team", "test"},
}


class CompletionTest(PotokTest):
    def setUp(self):
        super().setUp()
        for name in ("team", "test", "other"):
            self.potok("profile", "add", name, "--server", "unix:/nowhere")
        self.potok("profile", "use", "other")
        (self.home / "pipe.yml").touch()
        (self.home / "pipes").mkdir()

    def bash(self, line: str) -> set[str]:
        """As readline does: the words of the line in COMP_WORDS, '=' a word of its own."""
        words = [word for word in re.split(r"\s+|(=)", line) if word is not None]
        words = [word for i, word in enumerate(words) if word or i + 1 == len(words)]
        script = f"""
            source <(potok completion bash) || exit 3
            complete -p potok >/dev/null || exit 4
            COMP_WORDS=({" ".join(f"'{word}'" for word in words)}) COMP_CWORD={len(words) - 1}
            _potok; printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        return set(self.run_in("bash", "--norc", "-c", script).stdout.split())

    def fish(self, line: str) -> set[str]:
        out = self.run_in("fish", "--no-config", "-c", f"potok completion fish | source; complete -C '{line}'").stdout
        return {row.split("\t")[0] for row in out.splitlines()}

    def test_bash_completes(self):
        for line, words in LINES.items():
            with self.subTest(line=line):
                self.assertEqual(self.bash(line), words)

    def test_bash_completes_files_folders_and_values_behind_an_equals_sign(self):
        self.assertEqual(self.bash("potok run pi"), {"pipe.yml", "pipes"})
        self.assertEqual(self.bash("potok job create -f pi"), {"pipe.yml", "pipes"})
        self.assertEqual(self.bash("potok job download -n x -p pi"), {"pipes"})
        self.assertEqual(self.bash("potok job list --output=js"), {"json", "jsonc"})
        self.assertEqual(self.bash("potok job list --output="), {"table", "json", "jsonc", "yaml", "yamlc", "tsv", "none"})

    def test_fish_completes(self):
        for line, words in LINES.items():
            with self.subTest(line=line):
                self.assertEqual(self.fish(line), words)
        self.assertEqual(self.fish("potok job create -f pipe."), {"pipe.yml"})
        self.assertEqual(self.fish("potok job list --output=ts"), {"--output=tsv"})

    def test_zsh_completes(self):
        """In an interactive zsh on a terminal, since completion needs its line editor."""
        script = self.home / "start.zsh"
        script.write_text(
            "autoload -Uz compinit && compinit -u -D\nsource <(potok completion zsh)\nPS1='> '\n"
            "bindkey '^I' complete-word\nunsetopt beep\n"
            # Said from within the line editor: keys that come before it are the terminal's, not the editor's.
            "zle-line-init() { print -rn -- '<editing>' }\nzle -N zle-line-init\n"
            "said() { print -rn -- \"<$BUFFER>\" }\nzle -N said\nbindkey '^X' said\n"
        )
        shell, terminal = pty.openpty()
        zsh = subprocess.Popen(
            ["zsh", "-f", "-i"],
            env=self.environment,
            cwd=self.home,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        self.addCleanup(os.close, shell)
        self.addCleanup(zsh.wait)
        self.addCleanup(zsh.kill)
        os.write(shell, b"source ./start.zsh\n")
        self.read_until(shell, "<editing>")
        for line, whole in (
            ("potok job sh", "potok job show "),
            ("potok job list -o ts", "potok job list -o tsv "),
            ("potok profile use te", "potok profile use te"),
            ("potok run pipe.", "potok run pipe.yml "),
        ):
            with self.subTest(line=line):
                os.write(shell, b"\x15" + line.encode() + b"\t\x18")  # ^U clears the line, ^X says what it became
                self.assertIn(f"<{whole}>", self.read_until(shell, f"<{line.split()[0]}", ">"))

    def read_until(self, terminal: int, *ends: str) -> str:
        """Reads until all of `ends` came, each behind the one before."""
        text, seen = "", 0
        deadline = time.monotonic() + 120
        for end in ends:
            while end not in text[seen:]:
                ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
                if not ready:
                    raise AssertionError(f"no {end!r} came: {text!r}")
                text += os.read(terminal, 4096).decode(errors="replace")
            seen = text.index(end, seen) + len(end)
        return text

    def test_each_script_has_the_syntax_of_its_shell(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.home / f"potok.{shell}"
            script.write_text(self.potok("completion", shell).stdout)
            self.run_in(shell, "-n", str(script))
        self.assertEqual(self.potok("completion", "csh", check=False).returncode, 2)

    def test_completion_is_silent_and_quick_without_a_server(self):
        began = time.monotonic()
        done = self.potok("complete", "--", "job", "show", "-n", "", POTOK_PROFILE="", POTOK_SERVER="127.0.0.1:1")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("", "", 0))
        self.assertLess(time.monotonic() - began, 30)  # a call would wait for a minute


class ManualTest(PotokTest):
    def setUp(self):
        super().setUp()
        self.potok("man", "man1")
        self.pages = sorted((self.home / "man1").iterdir())

    def commands(self, *above: str):
        """All commands, read off their helps."""
        yield above
        found = re.search(r"\nSubcommands:\n((?:  .*\n)+)", self.potok(*above, "--help").stdout)
        for line in found[1].splitlines() if found else ():
            if word := re.match(r"  ([\w-]+)", line):
                yield from self.commands(*above, word[1])

    def test_there_is_a_page_for_each_command(self):
        names = {"-".join(("potok", *command)) + ".1" for command in self.commands()}
        self.assertGreater(len(names), 20)
        self.assertEqual({page.name for page in self.pages}, names)

    def test_formatters_find_nothing_wrong(self):
        for page in self.pages:
            with self.subTest(page=page.name):
                lint = self.run_in("mandoc", "-Tlint", "-Wwarning", str(page), check=False)
                self.assertEqual(lint.stdout, "")
                groff = self.run_in("groff", "-man", "-Tutf8", "-ww", "-z", str(page))
                self.assertEqual(groff.stderr, "")

    def test_a_page_says_what_the_help_says(self):
        page = self.home / "man1/potok-job-create.1"
        shown = self.run_in("mandoc", "-Tutf8", "-Owidth=200", str(page)).stdout
        shown = re.sub(".\x08", "", shown)
        for text in (
            "potok job create -f FILE [OPTIONS]",
            "--set PATH=VALUE",
            "Changes of the file, as inputs.lr=0.1.",
            "potok job create -f pipeline.yml --set inputs.epochs=3 --stream",
            "--only-show-errors",
        ):
            self.assertIn(text, shown)

    def test_a_folder_that_cannot_be_made_is_named(self):
        (self.home / "file").touch()
        wrong = self.potok("man", "file/man1", check=False)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn(f"{self.home}/file/man1", wrong.stderr)


class ProfileTest(PotokTest):
    def tried(self, *arguments: str, **environment: str) -> str:
        """The address that `job list` tries, where no server is."""
        wrong = self.potok("job", "list", *arguments, check=False, **environment)
        self.assertEqual(wrong.returncode, 3, wrong.stderr)
        return re.search(r"at (\S+) \(from (.+?)\)", wrong.stderr).group(1, 2)

    def test_a_command_goes_where_it_is_told_to(self):
        self.potok("profile", "add", "a", "--server", "unix:/nowhere/a", "--use")
        self.potok("profile", "add", "b", "--server", "unix:/nowhere/b")
        self.potok("profile", "add", "c", "--server", "unix:/nowhere/c")
        variable = {"POTOK_SERVER": "unix:/nowhere/variable"}
        self.assertEqual(self.tried("--server=unix:/nowhere/flag", "--profile", "b", **variable)[0], "unix:/nowhere/flag")
        self.assertEqual(self.tried("--profile", "b", POTOK_PROFILE="c", **variable), ("unix:/nowhere/b", "profile b"))
        self.assertEqual(self.tried(POTOK_PROFILE="c", **variable), ("unix:/nowhere/variable", "POTOK_SERVER"))
        self.assertEqual(self.tried(POTOK_PROFILE="c"), ("unix:/nowhere/c", "profile c"))
        self.assertEqual(self.tried(), ("unix:/nowhere/a", "profile a"))
        self.potok("profile", "use")
        self.assertEqual(self.tried(), (f"unix:{self.home}/p/server.sock", "the embedded stack"))

    def test_profiles_are_kept_shown_changed_and_removed(self):
        self.assertIn("No profiles yet", self.potok("profile", "list").stdout)
        self.potok("profile", "add", "team", "--server", "gpu-1:7461", "-o", "json", "--web", "https://potok.example")
        self.assertEqual(
            self.config.read_text(),
            "# Servers that `potok` knows: potok profile --help\nprofiles:\n  team:\n"
            '    server: "gpu-1:7461"\n    output: json\n    web: "https://potok.example"\n',
        )
        again = self.potok("profile", "add", "team", "--server", "gpu-2:7461", check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("--replace", again.stderr)
        self.potok("profile", "add", "team", "--server", "gpu-2:7461", "--replace", "--use")
        self.assertEqual(
            self.potok("profile", "list", "--query", "[].[name, server, output, used]", "-o", "tsv").stdout,
            "team\tgpu-2:7461\tNone\tTrue\n",
        )
        self.assertEqual(self.potok("profile", "show", "--query", "server", "-o", "tsv").stdout, "gpu-2:7461\n")
        self.potok("profile", "remove", "team")
        self.assertEqual(self.potok("profile", "remove", "team", check=False).returncode, 1)
        self.assertEqual(self.potok("profile", "list", "-o", "json").stdout, "[]\n")

    def test_profiles_that_cannot_be_written_are_as_they_were_and_why_is_said(self):
        self.config.parent.parent.mkdir(parents=True)
        self.config.parent.write_text("a file where the folder should be")
        wrong = self.potok("profile", "add", "a", "--server", "unix:/nowhere/a", check=False)
        self.assertNotEqual(wrong.returncode, 0)
        self.assertIn(f"cannot write {self.config}: Not a directory", wrong.stderr)

    def test_the_server_that_was_configured_without_a_profile_stays(self):
        self.config.parent.mkdir(parents=True)
        self.config.write_text("server: unix:/nowhere/plain\n")
        self.assertEqual(self.tried()[0], "unix:/nowhere/plain")
        self.potok("profile", "add", "a", "--server", "unix:/nowhere/a")
        self.assertEqual(self.tried()[0], "unix:/nowhere/plain")

    def test_the_form_of_the_output_comes_from_the_profile(self):
        self.potok("profile", "add", "a", "--server", "unix:/nowhere/a", "--output", "json", "--use")
        self.assertEqual(self.potok("profile", "list", "--query", "[].name").stdout, '[\n  "a"\n]\n')
        self.assertTrue(self.potok("profile", "list").stdout.startswith("[\n"))
        self.assertTrue(self.potok("profile", "list", "-o", "table").stdout.startswith("   PROFILE"))

    def test_what_is_wrong_in_the_file_is_named_with_its_line(self):
        self.config.parent.mkdir(parents=True)
        for text, line, reason in (
            ("server: x:1\nprofles: {}\n", 2, "profles"),
            ("profiles:\n  a:\n    server: nowhere\n", 2, "HOST:PORT"),
            ("profiles:\n  a:\n    server: x:1\n    colour: red\n", 4, "colour"),
            ("profiles:\n  a: x:1\n", 2, "server: ADDRESS"),
            ("profiles:\n  a: {server: 'x:1'}\n  a: {server: 'x:1'}\n", 3, "another"),
            ("profiles:\n  a:\n    server: x:1\n    output: xml\n", 2, "xml"),
            ("profile: [a]\n", 1, "one text"),
            ("a: b: c\n", 1, ""),
            ("- a\n", 1, "profiles"),
        ):
            with self.subTest(text=text):
                self.config.write_text(text)
                wrong = self.potok("job", "list", check=False)
                self.assertEqual(wrong.returncode, 2, wrong.stderr)
                self.assertIn(f"{self.config}:{line}: ", wrong.stderr)
                self.assertIn(reason, wrong.stderr)
                before = self.config.read_text()
                self.assertNotEqual(self.potok("profile", "add", "b", "--server", "x:1", check=False).returncode, 0)
                self.assertEqual(self.config.read_text(), before)

    def test_a_profile_that_is_not_there_is_an_error_that_names_those_that_are(self):
        self.potok("profile", "add", "a", "--server", "unix:/nowhere/a")
        for arguments, environment in ((("--profile", "b"), {}), ((), {"POTOK_PROFILE": "b"})):
            wrong = self.potok("job", "list", *arguments, check=False, **environment)
            self.assertEqual(wrong.returncode, 2)
            self.assertIn("there are: a", wrong.stderr)
        for name, server in (("-x", "x:1"), ("a b", "x:1"), ("x", "nowhere")):
            self.assertEqual(self.potok("profile", "add", f"--server={server}", "--", name, check=False).returncode, 2)


if __name__ == "__main__":
    unittest.main()
