"""Who is told that a run has ended: webhooks, a program, and both again after the server was killed."""

import hashlib
import hmac
import http.server
import json
import threading
import unittest

from stack import StackTest, wait_for

PIPELINE = """type: pipeline
display_name: wide net
experiment_name: digits
settings: {settings}
jobs:
  good:
    command: echo good
  last:
    command: {command}
"""
SECRET = b"a secret of the team"
# What the server calls for every run: keeps what it was told in a file that is there as a whole or not at all.
COMMAND = """#!/bin/sh
cat > "{told}/$POTOK_RUN.part" && echo "$POTOK_STATUS|$POTOK_EXPERIMENT|$POTOK_SUBMITTER" >> "{told}/$POTOK_RUN.env"
mv "{told}/$POTOK_RUN.part" "{told}/$POTOK_RUN.json"
"""


class Receiver:
    """A webhook that answers `status` and keeps what it hears."""

    def __init__(self):
        self.status = 200
        self.heard: list[tuple[dict, bytes]] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.heard.append((dict(self.headers), body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?token=hidden"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def bodies(self) -> list[dict]:
        return [json.loads(body) for _, body in self.heard]


class NotifyTest(StackTest):
    UP = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.told = cls.stack.path("told")
        cls.told.mkdir()
        command = cls.stack.write("notify.sh", COMMAND.format(told=cls.told))
        cls.stack.path("notify.sh").chmod(0o755)
        secret = cls.stack.write("secret", SECRET.decode() + "\n")
        flags = (f"notify-command={command}", f"notify-secret-file={secret}")
        cls.stack.up_arguments = tuple(word for flag in flags for word in ("--server-flag", flag))
        cls.stack.up()

    def setUp(self):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def create(self, *arguments: str, command: str = "echo last", settings: str = "{}", check: bool = True):
        file = self.stack.write(f"{self.name}.yml", PIPELINE.format(command=command, settings=settings))
        return self.stack.potok("job", "create", "-f", file, "-n", self.name, *arguments, check=check)

    def notification(self, address: str) -> dict:
        found = [one for one in self.stack.show(self.name).get("notifications", []) if one["address"] == address]
        return found[0] if len(found) == 1 else {}

    def wait_for_delivery(self, address: str) -> dict:
        wait_for(lambda: self.notification(address).get("state") == "delivered", f"{address} was told")
        return self.notification(address)

    def shown(self) -> str:
        """The webhook's address without what is secret."""
        return self.receiver.url.split("?")[0]

    def test_a_completed_run_tells_its_webhook_and_the_servers_command(self):
        self.create("--notify", self.receiver.url)
        job = self.stack.wait(self.name)
        self.assertEqual(job["status"], "Completed")
        delivery = self.wait_for_delivery(self.shown())
        self.assertEqual((delivery["receiver"], delivery["tries"]), ("run_webhook", 1))
        (headers, raw), = self.receiver.heard
        body = json.loads(raw)
        self.assertEqual(body["event"], "run.ended")
        self.assertEqual(body["run"], self.name)
        self.assertEqual((body["display_name"], body["experiment"]), ("wide net", "digits"))
        self.assertEqual((body["status"], body["reason"]), ("Completed", None))
        self.assertEqual(body["steps"], {"total": 2, "completed": 2, "failed": 0, "canceled": 0})
        self.assertEqual(body["failed_steps"], [])
        self.assertEqual(body["ended_at"][:19], job["ended_at"][:19])
        self.assertEqual(body["delivery"], headers["Potok-Delivery"])
        self.assertEqual(body["delivery"], delivery["id"])
        signature = hmac.new(SECRET, raw, hashlib.sha256).hexdigest()
        self.assertEqual(headers["Potok-Signature"], f"sha256={signature}")

        command = self.wait_for_delivery(str(self.stack.path("notify.sh")))
        self.assertEqual(command["receiver"], "command")
        told = json.loads((self.told / f"{self.name}.json").read_text())
        self.assertEqual(told["delivery"], command["id"])
        self.assertEqual({**told, "delivery": ""}, {**body, "delivery": ""})
        env = (self.told / f"{self.name}.env").read_text()
        self.assertEqual(env, f"Completed|digits|{job['creation_context']['created_by']}\n")
        text = self.stack.potok("job", "show", "-n", self.name, "-o", "table").stdout
        self.assertIn(f"{self.shown()}  delivered at ", text)
        server_log = (self.stack.state / "logs" / "server.log").read_text()
        self.assertNotIn("token=hidden", server_log)

    def test_a_failed_run_tells_which_steps_failed(self):
        self.create(command="exit 3", settings=f'{{notify: ["{self.receiver.url}"], notify_on: failed}}')
        self.assertEqual(self.stack.wait(self.name)["status"], "Failed")
        self.wait_for_delivery(self.shown())
        body, = self.receiver.bodies()
        self.assertEqual(body["status"], "Failed")
        self.assertTrue(body["reason"])
        self.assertEqual(body["steps"]["failed"], 1)
        self.assertEqual([step["step"] for step in body["failed_steps"]], ["last"])
        self.assertTrue(body["failed_steps"][0]["reason"])
        self.assertIn(self.name, body["text"])

    def test_a_completed_run_tells_nothing_to_who_wants_failures(self):
        self.create("--notify", self.receiver.url, "--notify-on", "failed")
        self.assertEqual(self.stack.wait(self.name)["status"], "Completed")
        self.wait_for_delivery(str(self.stack.path("notify.sh")))
        self.assertEqual(len(self.stack.show(self.name)["notifications"]), 1)
        self.assertEqual(self.receiver.heard, [])

    def test_what_was_not_told_arrives_after_the_server_was_killed(self):
        self.receiver.status = 503
        self.create("--notify", self.receiver.url)
        self.stack.wait(self.name)
        waiting = wait_for(lambda: (one := self.notification(self.shown())).get("tries") and one, "a first try")
        self.assertEqual((waiting["state"], waiting["last_error"]), ("waiting", "it answered 503"))
        self.assertTrue(waiting["next_try_at"])
        self.stack.kill("potok-server")
        self.receiver.status = 200
        wait_for(lambda: self.stack.potok("job", "list", check=False).returncode == 0, "a server again")
        delivery = self.wait_for_delivery(self.shown())
        self.assertGreaterEqual(delivery["tries"], 2)
        self.assertEqual({body["delivery"] for body in self.receiver.bodies()}, {delivery["id"]})

    def test_an_address_that_is_none_is_refused_before_anything_is_done(self):
        for url in ("ftp://me:hidden@host/", "https://me:hidden@:80/?hidden"):
            refused = self.create("--notify", url, check=False)
            self.assertEqual(refused.returncode, 2, refused.stderr)
            self.assertIn("cannot be notified", refused.stderr)
            self.assertNotIn("hidden", refused.stderr)
        refused = self.create(settings="{notify: [hooks.example]}", check=False)
        self.assertIn(f"{self.name}.yml:4:", refused.stderr)
        self.assertIn("settings.notify: 'hooks.example' cannot be notified", refused.stderr)
        many = [word for i in range(11) for word in ("--notify", f"http://host/{i}")]
        self.assertIn("at most 10 addresses, not 11", self.create(*many, check=False).stderr)
        self.assertNotEqual(self.stack.potok("job", "show", "-n", self.name, check=False).returncode, 0)


if __name__ == "__main__":
    unittest.main()
