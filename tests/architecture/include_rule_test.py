#!/usr/bin/env python3
"""The dependency rule of ARCHITECTURE.md: who may include whom, what the decision core may not use, how long files are.

    include_rule_test.py ROOT             checks the tree
    include_rule_test.py --self-test      checks that the check catches what it is for
"""

import pathlib
import re
import sys
import tempfile

BASE = ["common/base/"]
PURE = BASE + ["common/pipeline/"]
PROTO = ["potok/v1/", "google/protobuf/"]
GRPC = ["grpcpp/", "grpc/"]
CAS_PROTO = ["build/bazel/", "google/bytestream/", "google/rpc/"]

# Folder -> what its files may include of ours and of libraries, besides the standard library, the system's C headers,
# absl, fmt and the folder itself. The longest folder that matches a file counts.
MAY_INCLUDE = {
    "common/base": ["openssl/"],
    "common/pipeline": BASE,
    "common/runtime": BASE + ["spdlog/"],
    "common/rpc": PURE + PROTO + GRPC,
    "common/cas": PURE + ["common/rpc/"] + CAS_PROTO + GRPC + ["google/protobuf/", "openssl/"],
    "server/domain": PURE + ["server/domain/placement/"],
    "server/domain/placement": PURE,
    "server/journal": PURE + ["server/domain/", "potok/journal/", "google/protobuf/"],
    "server/store": PURE + ["common/runtime/", "server/domain/", "server/journal/"],
    "server/store/postgres": PURE
    + ["common/runtime/", "server/domain/", "server/journal/", "server/store/", "libpq-fe.h", "spdlog/"],
    "server/embedded": BASE + ["common/runtime/", "libpq-fe.h", "spdlog/"],
    "server/artifacts": PURE + ["common/cas/", "common/rpc/", "common/runtime/", "curl/"] + GRPC,
    "server/registry": PURE + ["server/artifacts/", "server/store/", "nlohmann/"],
    "server/logs": BASE + ["common/runtime/", "re2/", "spdlog/"],
    "server/retention": PURE
    + ["common/cas/", "common/runtime/", "server/domain/", "server/store/", "server/logs/", "server/artifacts/", "spdlog/"]
    + ["potok/journal/"]
    + PROTO,
    "server/notify": PURE
    + ["common/runtime/", "server/domain/", "server/store/", "server/artifacts/"]
    + ["curl/", "nlohmann/", "openssl/", "spdlog/", "prometheus/"],
    "server/scheduler": PURE + ["common/runtime/", "server/domain/", "server/store/", "spdlog/", "prometheus/"],
    "server/reuse": PURE + ["server/domain/", "server/store/", "server/artifacts/"],
    "server/tracking": PURE
    + ["common/runtime/", "common/rpc/", "common/cas/", "server/store/", "server/artifacts/", "nlohmann/", "openssl/", "spdlog/"],
    "server/rpc": PURE
    + ["common/runtime/", "common/rpc/", "common/cas/", "server/domain/", "server/store/", "server/scheduler/"]
    + ["server/artifacts/", "server/logs/", "server/notify/", "server/registry/", "server/retention/", "server/reuse/", "server/tracking/"]
    + ["spdlog/", "google/rpc/"]
    + PROTO
    + GRPC,
    "server/rpc/cas": PURE + ["common/cas/", "common/rpc/"] + CAS_PROTO + GRPC + ["google/protobuf/"],
    "server/http": BASE
    + ["server/http/openapi/", "server/tracking/", "common/cas/", "common/runtime/", "common/rpc/", "prometheus/", "httplib.h", "openssl/", "google/protobuf/", "google/rpc/"]
    + GRPC,
    "server/http/openapi": ["google/protobuf/"],
    "server": PURE + ["common/", "server/", "spdlog/", "prometheus/"] + GRPC,
    "agent/domain": PURE,
    "agent/executor": BASE + ["common/runtime/"],
    "agent/exec": PURE
    + ["agent/domain/", "agent/executor/spawn.h", "agent/executor/unique_fd.h", "common/rpc/", "common/runtime/", "spdlog/"]
    + PROTO
    + GRPC,
    "agent/runtime": PURE + ["agent/domain/", "common/runtime/", "spdlog/"],
    "agent/resources": BASE + ["common/runtime/"],
    "agent/artifacts": PURE + ["agent/domain/", "common/cas/", "common/rpc/", "common/runtime/", "spdlog/"] + PROTO + GRPC,
    "agent/link": PURE + ["agent/domain/", "common/rpc/", "common/runtime/", "spdlog/"] + PROTO + GRPC,
    "agent/loop": PURE
    + ["agent/domain/", "agent/exec/execs.h", "agent/executor/executor.h", "agent/resources/machine_probe.h", "agent/resources/gpu_meter.h", "agent/artifacts/transfers.h", "agent/runtime/"]
    + ["agent/link/", "common/runtime/", "common/rpc/", "spdlog/"]
    + PROTO,
    "agent": PURE + ["common/", "agent/", "spdlog/"] + PROTO + GRPC,
    "client/potok_client": PURE + ["common/rpc/", "common/cas/", "common/runtime/", "yaml-cpp/"] + PROTO + GRPC,
    "client/frontend": PURE + ["yaml-cpp/"],
    "client/cli": PURE
    + ["client/", "common/cas/", "common/runtime/", "common/rpc/", "CLI/", "yaml-cpp/", "nlohmann/", "google/protobuf/", "spdlog/"]
    + PROTO,
    "client": PURE + ["client/", "common/"],
}

# The decision core: no clocks, locks, threads, randomness, logs, or iteration in hash order.
DOMAIN = ("server/domain/", "agent/domain/", "common/pipeline/")
BANNED_IN_DOMAIN = re.compile(
    r"absl::Now\b|system_clock|steady_clock|std::mutex|std::thread|flat_hash_|random_device|spdlog|std::rand\b|getenv"
)
# Hash maps for look-up only are the validators' right: they are linear in 100,000 steps by them.
UNORDERED = re.compile(r"unordered_(map|set)")

LINES_MAX = {".h": 300, ".cc": 600}
TEST_LINES_MAX = 1000
OURS = ("common/", "server/", "agent/", "client/", "tests/")
ALWAYS = ("absl/", "fmt/")
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^">]+)[">]', re.M)


def room_of(path: str) -> str | None:
    folders = [folder for folder in MAY_INCLUDE if path.startswith(folder + "/")]
    return max(folders, key=len, default=None)


def is_system(header: str) -> bool:
    """Standard and C headers: no folder, or a folder of the C library and kernel."""
    return "/" not in header and header not in ("libpq-fe.h", "httplib.h") or header.startswith(
        ("sys/", "linux/", "net/", "netinet/", "arpa/", "asm/", "bits/")
    )


def is_allowed(header: str, allowed: list[str]) -> bool:
    if not header.startswith(OURS):
        return header.startswith(tuple(allowed))
    # A room is allowed by its own name, not by that of the room around it; a whole top folder allows all its rooms.
    whole = header.split("/")[0] + "/"
    return header in allowed or whole in allowed or f"{room_of(header)}/" in allowed


def problems_of(path: str, text: str) -> list[str]:
    room = room_of(path)
    if room is None:
        return [f"{path}: the folder is not in the dependency rule; add it to the table and to ARCHITECTURE.md"]
    found = []
    for header in INCLUDE.findall(text):
        own = header.startswith(room + "/") and room_of(header) == room
        if own or is_system(header) or header.startswith(ALWAYS):
            continue
        if not is_allowed(header, MAY_INCLUDE[room]):
            found.append(f"{path}: {room} may not include {header}")
    if path.startswith(DOMAIN):
        for number, line in enumerate(text.splitlines(), 1):
            code = line.split("//")[0]
            hashed = UNORDERED.search(code) and not path.startswith("common/pipeline/")
            if BANNED_IN_DOMAIN.search(code) or hashed:
                found.append(f"{path}:{number}: the decision core is pure and deterministic: {line.strip()}")
    lines = text.count("\n")
    limit = LINES_MAX[pathlib.Path(path).suffix]
    if lines > limit:
        found.append(f"{path}: {lines} lines; {limit} is the hard limit, split it")
    return found


def check(root: pathlib.Path) -> list[str]:
    found = []
    for top in ("common", "server", "agent", "client"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix in LINES_MAX:
                found += problems_of(file.relative_to(root).as_posix(), file.read_text())
    for file in sorted((root / "tests").rglob("*_test.cc")):
        lines = file.read_text().count("\n")
        if lines > TEST_LINES_MAX:
            found.append(f"{file.relative_to(root)}: {lines} lines; {TEST_LINES_MAX} is the hard limit, split it")
    return found


def self_test() -> None:
    bad = {
        "server/domain/a.cc": "#include <libpq-fe.h>\n",
        "server/domain/b.cc": "auto now = absl::Now();\n",
        "server/domain/c.cc": "absl::flat_hash_map<int, int> map;\n",
        "agent/domain/c.cc": "#include <unordered_map>\n",
        "server/rpc/d.cc": '#include "client/cli/main.h"\n',
        "agent/loop/e.cc": '#include "server/domain/state.h"\n',
        "server/scheduler/f.cc": '#include "server/store/postgres/pg_connection.h"\n',
        "server/nowhere.d/g.cc": '#include "client/x.h"\n',
        "client/cli/h.h": "\n" * 301,
    }
    for path, text in bad.items():
        assert problems_of(path, text), f"not caught: {path}: {text!r}"
    good = '#include <vector>\n#include "absl/status/status.h"\n#include "common/base/digest.h"\n// absl::Now is banned\n'
    assert not problems_of("server/domain/good.cc", good)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "server/domain/a.cc"
        file.parent.mkdir(parents=True)
        file.write_text("#include <grpcpp/grpcpp.h>\n")
        assert check(pathlib.Path(folder))


def main() -> int:
    self_test()
    if sys.argv[1] == "--self-test":
        return 0
    found = check(pathlib.Path(sys.argv[1]))
    print("\n".join(found) if found else "the dependency rule holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
