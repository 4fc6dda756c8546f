"""The API over HTTP as curl and scripts call it."""

import base64
import http.client
import json
import os
import socket
import stat
import subprocess
import unittest

from stack import StackTest, wait_for

TWO_STEPS = {
    "isPipeline": True,
    "steps": [
        {"name": "first", "command": "echo hello"},
        {"name": "second", "command": "echo waiting; exec sleep 1000", "dependsOn": ["first"]},
    ],
}


class HttpApiTest(StackTest):
    numbers = iter(range(1000))

    def setUp(self):
        self.address = (self.stack.state / "http.address").read_text().strip()
        self.token = (self.stack.state / "http.token").read_text().strip()

    def url(self, method: str) -> str:
        return f"http://{self.address}/potok.v1.{method}"

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **more}

    def curl(self, method: str, request: dict, *arguments: str, token: bool = True) -> subprocess.CompletedProcess:
        headers = ["-H", "Content-Type: application/json"]
        if token:
            headers += ["-H", f"Authorization: Bearer {self.token}"]
        return subprocess.run(
            ["curl", "-sS", "--fail-with-body", *headers, *arguments, "-d", json.dumps(request), self.url(method)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def watch(self, name: str) -> subprocess.Popen:
        """curl, writing a line for each change of the run."""
        headers = [word for key, value in self.headers().items() for word in ("-H", f"{key}: {value}")]
        command = ["curl", "-sSN", *headers, "-d", json.dumps({"name": name}), self.url("Runs/Watch")]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def call(self, method: str, request: dict) -> dict:
        done = self.curl(method, request)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def post(self, path: str, body: bytes | str, headers: dict | None = None, method: str = "POST"):
        """Status, headers and body of the answer to a request as it is given."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, path, body, self.headers() if headers is None else headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def submit(self, spec: dict = TWO_STEPS) -> str:
        number = next(self.numbers)
        return self.call("Runs/Submit", {"requestId": f"{os.getpid()}-{number}", "spec": spec})["name"]

    def test_curl_creates_lists_watches_and_cancels_a_run(self):
        name = self.submit()
        listed = self.call("Runs/List", {})
        self.assertIn(name, [run["name"] for run in listed["runs"]])

        watch = self.watch(name)
        steps = {}
        for line in watch.stdout:
            for step in json.loads(line)["run"].get("steps", []):
                steps[step["name"]] = step["status"]
            if steps.get("second") == "STATUS_RUNNING":
                break
        self.assertEqual(steps["first"], "STATUS_COMPLETED")
        self.call("Runs/Cancel", {"name": name, "reason": "seen enough"})
        last = [json.loads(line) for line in watch.stdout][-1]
        self.assertEqual((last["run"]["status"], last["run"]["reason"]), ("STATUS_CANCELED", "seen enough"))
        self.assertEqual(watch.wait(30), 0)
        watch.stdout.close()

    def test_curl_is_refused_without_the_token(self):
        for method in ("Runs/List", "Runs/Submit", "Runs/Watch", "Runs/Cancel", "Admin/CreateWebLink", "No/Such"):
            refused = self.curl(method, {"name": "x"}, token=False)
            self.assertEqual(refused.returncode, 22, method)
            self.assertIn("http.token", json.loads(refused.stdout)["message"])
        self.assertEqual(self.post("/openapi.json", "", {}, "GET")[0], 401)

    def test_a_refused_request_leaves_the_connection_usable(self):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        self.addCleanup(connection.close)
        for _ in range(3):
            connection.request("POST", "/potok.v1.Runs/List", "{}" * 1000, self.headers(Authorization="Bearer wrong"))
            response = connection.getresponse()
            self.assertEqual(response.status, 401)
            response.read()
            connection.request("POST", "/potok.v1.Runs/List", "{}", self.headers())
            response = connection.getresponse()
            self.assertEqual(response.status, 200)
            response.read()

    def test_the_token_is_for_its_owner_only(self):
        mode = (self.stack.state / "http.token").stat().st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_errors_have_a_code_a_status_and_say_what_to_do(self):
        cases = [
            ("Runs/Get", {"name": "nobody"}, "404", "not_found", "nobody"),
            ("Runs/Get", {"nme": "x"}, "400", "invalid_argument", "nme"),
            ("Runs/List", {"pageSize": -5}, "400", "invalid_argument", "page_size"),
            ("Runs/Watch", {"name": "nobody"}, "404", "not_found", "nobody"),
            ("Runs/Nothing", {}, "404", "unimplemented", "openapi.json"),
            ("Nothing/Get", {}, "404", "unimplemented", "openapi.json"),
            ("Agents/Connect", {}, "505", "unimplemented", "gRPC"),
            ("Runs/Submit", {"requestId": "r", "spec": {"isPipeline": True}}, "400", "invalid_argument", "step"),
        ]
        for method, request, status, code, word in cases:
            with self.subTest(method=method, request=request):
                done = self.curl(method, request, "-w", "\n%{http_code}")
                body, _, got = done.stdout.rpartition("\n")
                error = json.loads(body)
                self.assertEqual((got, error["code"]), (status, code))
                self.assertIn(word, error["message"])

    def test_the_problems_of_a_pipeline_are_details(self):
        steps = [{"name": "a", "command": "echo ${{inputs.x}}"}, {"name": "b", "command": "true", "dependsOn": ["c"]}]
        done = self.curl("Runs/Submit", {"requestId": "r", "spec": {"isPipeline": True, "steps": steps}})
        details = json.loads(done.stdout)["details"]
        self.assertEqual([detail["debug"]["where"] for detail in details], ["jobs.a.command", "jobs.b.depends_on"])
        self.assertTrue(base64.b64decode(details[0]["value"] + "==").startswith(b"\n\x0ejobs.a.command"))

    def test_nothing_is_stored_of_what_is_refused(self):
        before = self.call("Runs/List", {"pageSize": 1000}).get("runs", [])
        self.curl("Runs/Submit", {"requestId": "r", "spec": {"isPipeline": True, "steps": [{"name": "a"}]}})
        self.curl("Runs/Submit", {"requestId": "", "spec": TWO_STEPS})
        self.assertEqual(self.call("Runs/List", {"pageSize": 1000}).get("runs", []), before)

    def test_the_same_request_id_is_the_same_run(self):
        request = {"requestId": "twice", "spec": {"isPipeline": True, "steps": [{"name": "a", "command": "true"}]}}
        self.assertEqual(self.call("Runs/Submit", request), self.call("Runs/Submit", request))

    def test_what_has_no_side_effects_can_be_a_get(self):
        name = self.submit()
        query = f"?encoding=json&message=%7B%22name%22%3A%22{name}%22%7D&connect=v1"
        status, _, body = self.post("/potok.v1.Runs/Get" + query, "", method="GET")
        self.assertEqual((status, json.loads(body)["name"]), (200, name))
        self.assertEqual(self.post("/potok.v1.Runs/Cancel" + query, "", method="GET")[0], 405)
        self.assertEqual(self.post("/potok.v1.Runs/Get?encoding=xml&message=", "", method="GET")[0], 400)
        self.call("Runs/Cancel", {"name": name})

    def test_other_content_types_are_not_taken(self):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/connect+json", "application/grpc"):
            status, headers, _ = self.post("/potok.v1.Runs/List", "{}", self.headers(**{"Content-Type": kind}))
            self.assertEqual(status, 415, kind)
            self.assertIn("application/json", headers["Accept-Post"])

    def test_hostile_bodies_are_refused_and_the_server_lives(self):
        bodies = [b"\xff" * 1000, b"[" * 100_000, b'{"a":' * 100_000, b"\x00", b'{"name":"\xed\xa0\x80"}', b'"', b"1e999999"]
        for path in ("Runs/Get", "Runs/Submit", "Runs/List", "Runs/Watch"):
            for body in bodies:
                self.assertIn(self.post(f"/potok.v1.{path}", body)[0], (400, 404), (path, body[:20]))
        for kind in ("application/proto", "application/connect+proto", "application/connect+json", "application/x-ndjson"):
            for body in bodies + [b"\x00\xff\xff\xff\xff", b"\x01\x00\x00\x00\x00", b"\x00\x00\x00"]:
                path = "/potok.v1.Runs/List" if kind == "application/proto" else "/potok.v1.Runs/Watch"
                status, _, answer = self.post(path, body, self.headers(**{"Content-Type": kind}))
                self.assertTrue(status in (400, 404) or b"error" in answer, (kind, body[:20], status, answer[:200]))
        self.assertEqual(self.post("/healthz", "", method="GET")[0], 200)

    def begin(self, path: str, size: int, body: str = "", token: bool = True) -> tuple[socket.socket, bytes]:
        """A request that says that its body has `size` bytes, sent as far as `body`; the beginning of its answer."""
        line = socket.create_connection(self.address.split(":"), timeout=60)
        self.addCleanup(line.close)
        authorization = f"Authorization: Bearer {self.token}\r\n" if token else ""
        line.sendall(
            f"POST /potok.v1.{path} HTTP/1.1\r\nHost: {self.address}\r\n{authorization}"
            f"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n{body}".encode()
        )
        return line, line.recv(16)

    def test_a_body_beyond_the_limit_is_refused(self):
        self.assertIn(b" 413 ", self.begin("Runs/Submit", 1 << 40)[1])

    def test_a_stranger_cannot_make_the_server_read_much(self):
        self.assertIn(b" 401 ", self.begin("Runs/Submit", 100 << 20, token=False)[1])

    def test_followers_are_limited_and_those_that_go_away_leave_their_places(self):
        name = self.submit()
        body = json.dumps({"name": name})
        watches = [self.begin("Runs/Watch", len(body), body) for _ in range(200)]
        self.assertEqual({answer for _, answer in watches}, {b"HTTP/1.1 200 OK\r"})
        full = self.curl("Runs/Watch", {"name": name})
        self.assertEqual(json.loads(full.stdout)["code"], "resource_exhausted")
        self.call("Runs/List", {})  # which is no follower
        for line, _ in watches:
            line.close()
        follow = {"name": name, "step": "first", "follow": True}
        wait_for(lambda: self.curl("Runs/Logs", follow).returncode == 0, "a follower's place is free")
        self.call("Runs/Cancel", {"name": name})

    def test_a_server_that_stops_does_not_wait_for_followers(self):
        name = self.submit()
        watch = self.watch(name)
        first = json.loads(watch.stdout.readline())
        self.assertEqual(first["run"]["name"], name)
        self.stack.down()
        rest = watch.stdout.read()
        watch.stdout.close()
        watch.wait(30)
        self.assertIn('"code":"unavailable"', rest)
        self.stack.up()
        self.setUp()
        self.call("Runs/Cancel", {"name": name})


if __name__ == "__main__":
    unittest.main()
