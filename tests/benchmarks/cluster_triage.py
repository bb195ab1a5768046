"""How long a cluster of 5,000 pods with 20 faults is explained, and in how much memory: from a folder, and from an API
server that speaks HTTP and pages, beside `json.loads` of the same bytes. A fault that is missed, or named wrongly, or a
healthy workload that is named, fails the benchmark.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import yaml

from tasks.clients.kubernetes.kinds import KINDS
from tests.benchmarks.large_cluster import LargeCluster, build, write

PEAK = """
def peak():
    for line in open("/proc/self/status"):  # getrusage would count what the parent had before exec
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
"""
MEASURE = (
    PEAK
    + """
import runpy, sys
sys.argv = ["healflow", *sys.argv[1:]]
try:
    runpy.run_module("deployments.main", run_name="__main__")
finally:
    print(peak(), file=sys.stderr)
"""
)
LOADS = (
    PEAK
    + """
import json, pathlib, sys
kept = [json.loads(path.read_bytes()) for path in pathlib.Path(sys.argv[1]).glob("*.json")]
print(peak(), file=sys.stderr)
"""
)


def run() -> None:
    cluster = build()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "state"
        folder.mkdir()
        write(cluster, folder)
        size = sum(path.stat().st_size for path in folder.rglob("*.json")) / 1e6
        print(f"{len(cluster.lists['Pod'])} pods, {len(cluster.expected)} faults, {size:.0f} MB", flush=True)
        _timed("json.loads of the same", [sys.executable, "-c", LOADS, str(folder)])
        told = _timed(
            "triage --snapshot", [sys.executable, "-c", MEASURE, "triage", "--snapshot", str(folder), "--json"]
        )
        _check(cluster, told)
        with ServedCluster(Path(place)) as kubeconfig:
            argv = [sys.executable, "-c", MEASURE, "triage", "--all", "--json"]
            _check(cluster, _timed("triage --all, live", argv, KUBECONFIG=str(kubeconfig)))


def _timed(title: str, argv: list[str], **variables: str) -> str:
    started = time.perf_counter()
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env={**os.environ, **variables})
    seconds = time.perf_counter() - started
    if not done.stderr.strip().splitlines()[-1:] or not done.stderr.split()[-1].isdigit():
        raise SystemExit(f"{title} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    print(f"{title:<24} {seconds:5.2f} s, peak {done.stderr.split()[-1]:>4} MB", flush=True)
    return done.stdout


def _check(cluster: LargeCluster, told: str) -> None:
    causes = json.loads(told)["causes"]
    found = {_name(cause["target"]): cause["diagnosis"]["failure_class"] for cause in causes}
    wrong = {key: (found.get(key), str(value)) for key, value in cluster.expected.items() if found.get(key) != value}
    besides = {key: value for key, value in found.items() if key not in cluster.expected}
    if wrong or besides:
        raise SystemExit(f"wrong (found, expected): {wrong}\nnamed besides: {besides}")
    print(f"{len(cluster.expected)} of {len(cluster.expected)} faults named right, nothing besides", flush=True)


def _name(target: object) -> str:
    if isinstance(target, dict):
        return "/".join(part for part in (target["kind"], target.get("namespace", ""), target["name"]) if part)
    return str(target)


class ServedCluster:
    """The same cluster behind HTTP in a process of its own, and a kubeconfig for it."""

    def __init__(self, place: Path) -> None:
        self._kubeconfig = place / "kubeconfig"

    def __enter__(self) -> Path:
        ours, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()
        server = {"server": f"http://127.0.0.1:{ours.recv()}"}
        named = {"contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}]}
        rest = {"clusters": [{"name": "bench", "cluster": server}], "users": [{"name": "bench", "user": {}}]}
        self._kubeconfig.write_text(yaml.safe_dump({"current-context": "bench", **named, **rest}))
        return self._kubeconfig

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def serve(ready: Connection) -> None:
    """Answers lists in pages and logs, as an API server does, until it is ended."""
    cluster = build()
    kinds = {row.path(): kind for kind, row in KINDS.items()}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = parse_qs(asked.query)
            if asked.path.endswith("/log"):
                parts = asked.path.split("/")
                self._send(cluster.logs.get((parts[4], parts[6]), "").encode())
            elif asked.path == "/apis":
                versions = sorted({row.api_version for row in KINDS.values() if "/" in row.api_version})
                self._json({"groups": [{"versions": [{"groupVersion": one} for one in versions]}]})
            elif asked.path in kinds:
                items = [] if "labelSelector" in query else cluster.lists[kinds[asked.path]]
                start, limit = int(query.get("continue", ["0"])[0]), int(query.get("limit", ["500"])[0])
                more = str(start + limit) if start + limit < len(items) else ""
                self._json({"items": items[start : start + limit], "metadata": {"continue": more}})
            else:
                self._json({"kind": "Status", "code": 404, "reason": "NotFound", "message": "not found"}, 404)

        def _json(self, value: object, code: int = 200) -> None:
            self._send(json.dumps(value).encode(), code)

        def _send(self, body: bytes, code: int = 200) -> None:
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is told."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        ready.send(server.server_port)
        server.serve_forever()
