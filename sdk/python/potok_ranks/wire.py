"""What rank 0 and the other members say to each other: one line of JSON each way."""

from __future__ import annotations

import hmac
import json
import socket

# Longer than any command line of a daemon.
LINE_BYTES_MAX = 1 << 20
# For a peer that has connected to say what it wants.
REQUEST_SECONDS = 30.0


def send_request(connection: socket.socket, token: str, words: list[str]) -> None:
    connection.sendall(json.dumps({"token": token, "words": words}).encode() + b"\n")


def receive_request(connection: socket.socket, token: str) -> list[str] | None:
    """The command line that is asked for; None of somebody who does not know the token."""
    connection.settimeout(REQUEST_SECONDS)
    try:
        said = json.loads(_line(connection))
    except (OSError, ValueError):
        return None
    finally:
        connection.settimeout(None)
    if not isinstance(said, dict) or not isinstance(said.get("words"), list):
        return None
    if not token or not hmac.compare_digest(str(said.get("token")).encode(), token.encode()):
        return None
    return [str(word) for word in said["words"]]


def send_exit(connection: socket.socket, code: int) -> None:
    connection.sendall(json.dumps({"exit": code}).encode() + b"\n")


def receive_exit(connection: socket.socket) -> int:
    """ConnectionError if the member went away first."""
    said = _line(connection)
    if not said:
        raise ConnectionError("the member ended without an answer")
    return int(json.loads(said)["exit"])


def _line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and len(line) < LINE_BYTES_MAX:
        part = connection.recv(64 << 10)
        if not part:
            break
        line += part
    return line
