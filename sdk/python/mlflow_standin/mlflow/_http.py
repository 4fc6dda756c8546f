"""HTTP to the tracking server: one connection, kept, and tries again while the server is away."""

import http.client
import json
import os
import sys
import threading
import time
import urllib.parse
from typing import IO, Any, Dict, Iterator, Optional, Tuple, Union

from mlflow.exceptions import MlflowException

# As MLflow's client: these are worth another try.
_TRY_AGAIN = (408, 429, 500, 502, 503, 504)
_TRIES = 8
_FIRST_PAUSE_SECONDS = 0.25
_PIECE_BYTES = 1 << 20


class Server:
    """The server at `uri`. Thread-safe; survives a fork."""

    def __init__(self, uri: str):
        parts = urllib.parse.urlsplit(uri)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise MlflowException(
                f"Potok's stand-in for MLflow logs to http:// and https:// only, not to '{uri}'; "
                "pip install mlflow has the other ways",
                "INVALID_PARAMETER_VALUE",
            )
        self._parts = parts
        self._lock = threading.Lock()
        self._connection: Optional[http.client.HTTPConnection] = None
        self._process = 0

    def call(self, method: str, path: str, request: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """One call of /api/2.0/mlflow; its answer. Raises MlflowException."""
        body = None
        target = "/api/2.0/mlflow/" + path
        if method == "GET":
            given = {name: value for name, value in (request or {}).items() if value not in (None, "")}
            target += "?" + urllib.parse.urlencode(given)
        else:
            body = json.dumps(request or {}).encode()
        _, answer = self._send(method, target, body, "application/json")
        return json.loads(answer or b"{}")

    def upload(self, path: str, file: IO[bytes]) -> None:
        """Stores the file at this path of the artifacts."""
        self._send("PUT", self._artifact(path), file, "application/octet-stream")

    def download(self, path: str, to: IO[bytes]) -> None:
        self._send("GET", self._artifact(path), None, "", to)

    def list(self, path: str) -> Iterator[Dict[str, Any]]:
        """The entries of a folder of the artifacts."""
        query = urllib.parse.urlencode({"path": path})
        _, answer = self._send("GET", f"/api/2.0/mlflow-artifacts/artifacts?{query}", None, "")
        yield from json.loads(answer)["files"]

    @staticmethod
    def _artifact(path: str) -> str:
        return "/api/2.0/mlflow-artifacts/artifacts/" + urllib.parse.quote(path)

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None or self._process != os.getpid():
            kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(self._parts.hostname, self._parts.port, timeout=120)
            self._process = os.getpid()
        return self._connection

    def _send(
        self, method: str, target: str, body: Union[None, bytes, IO[bytes]], kind: str, to: Optional[IO[bytes]] = None
    ) -> Tuple[int, bytes]:
        pause = _FIRST_PAUSE_SECONDS
        for tries_left in reversed(range(_TRIES)):
            try:
                with self._lock:
                    status, answer = self._try(method, target, body, kind, to)
                if status < 400:
                    return status, answer
                why = _error_of(status, answer)
                if status not in _TRY_AGAIN or not tries_left:
                    raise why
            except (OSError, http.client.HTTPException) as error:
                self._connection = None
                if not tries_left:
                    raise MlflowException(
                        f"the tracking server at {self._parts.netloc} does not answer: {error}", "INTERNAL_ERROR"
                    ) from error
            time.sleep(pause)
            pause = min(pause * 2, 15)
        raise AssertionError("not reached")

    def _try(
        self, method: str, target: str, body: Union[None, bytes, IO[bytes]], kind: str, to: Optional[IO[bytes]]
    ) -> Tuple[int, bytes]:
        headers = {"User-Agent": "potok-mlflow-standin"}
        token = os.environ.get("MLFLOW_TRACKING_TOKEN")
        if token:
            headers["Authorization"] = "Bearer " + token
        if kind:
            headers["Content-Type"] = kind
        if body is not None and not isinstance(body, bytes):
            headers["Content-Length"] = str(body.seek(0, os.SEEK_END))
            body.seek(0)
        connection = self._connect()
        connection.request(method, self._parts.path.rstrip("/") + target, body, headers)
        response = connection.getresponse()
        if to is None or response.status >= 400:
            return response.status, response.read()
        to.seek(0)
        to.truncate()
        for piece in iter(lambda: response.read(_PIECE_BYTES), b""):
            to.write(piece)
        return response.status, b""


def _error_of(status: int, answer: bytes) -> MlflowException:
    try:
        error = json.loads(answer)
        return MlflowException(f"{error['error_code']}: {error['message']}", error["error_code"])
    except (ValueError, KeyError, TypeError):
        text = answer[:200].decode(errors="replace")
        return MlflowException(f"the tracking server answered {status}: {text}", "INTERNAL_ERROR")


_uri: Optional[str] = None
_servers: Dict[str, Server] = {}
_was_noted = False


def tracking_uri() -> str:
    """Where runs are logged; empty: nowhere."""
    return _uri if _uri is not None else os.environ.get("MLFLOW_TRACKING_URI", "")


def set_tracking_uri(uri: str) -> None:
    global _uri
    _uri = str(uri)


def server() -> Optional[Server]:
    """The server that is logged to. Without one nothing is kept, which is said once."""
    uri = tracking_uri()
    if uri:
        if uri not in _servers:
            _servers[uri] = Server(uri)
        return _servers[uri]
    global _was_noted
    if not _was_noted:
        print(
            "Potok's stand-in for MLflow: MLFLOW_TRACKING_URI is not set; what is logged is not kept", file=sys.stderr
        )
        _was_noted = True
    return None


__all__ = ["Server", "server", "set_tracking_uri", "tracking_uri"]
