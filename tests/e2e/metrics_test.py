"""What Prometheus and a load balancer see of a server."""

import http.client
import subprocess
import unittest

from stack import StackTest, wait_for


class MetricsTest(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stack.potok("run", "--", "true")
        cls.stack.potok("run", "--", "false", check=False)

    def address(self) -> str:
        return (self.stack.state / "http.address").read_text().strip()

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.address(), timeout=30)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metrics(self) -> dict[str, float]:
        _, text = self.get("/metrics")
        samples = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    def test_promtool_accepts_the_metrics(self):
        status, text = self.get("/metrics")
        self.assertEqual(status, 200)
        check = subprocess.run(
            ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
        )
        self.assertEqual((check.returncode, check.stdout + check.stderr), (0, ""))

    def test_metrics_count_what_was_run(self):
        def counted():
            metrics = self.metrics()
            values = {
                name: value for name, value in metrics.items() if name.startswith("potok_") and "transitions" in name
            }
            succeeded = sum(value for name, value in values.items() if "ucceeded" in name or "ompleted" in name)
            failed = sum(value for name, value in values.items() if "ailed" in name)
            return (succeeded, failed) == (1, 1)

        wait_for(counted, "one step succeeded and one failed", seconds=30)

    def test_the_process_is_described(self):
        metrics = self.metrics()
        self.assertGreater(metrics["process_resident_memory_bytes"], 1 << 20)
        self.assertGreater(metrics["process_start_time_seconds"], 1e9)
        self.assertGreater(metrics["process_open_fds"], 3)

    def test_healthz_and_readyz_answer_ok(self):
        self.assertEqual(self.get("/healthz"), (200, "ok\n"))
        self.assertEqual(self.get("/readyz"), (200, "ok\n"))

    def test_an_unknown_path_is_not_found(self):
        self.assertEqual(self.get("/nothing")[0], 404)

    def test_foreign_host_names_are_refused(self):
        port = self.address().rpartition(":")[2]
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost@evil.example", ""):
            for path in ("/metrics", "/healthz", "/readyz"):
                with self.subTest(host=host, path=path):
                    self.assertEqual(self.get(path, Host=host)[0], 403)

    def test_loopback_names_are_accepted(self):
        port = self.address().rpartition(":")[2]
        for host in ("localhost", f"localhost:{port}", "127.0.0.1", f"[::1]:{port}"):
            with self.subTest(host=host):
                self.assertEqual(self.get("/healthz", Host=host)[0], 200)


if __name__ == "__main__":
    unittest.main()
