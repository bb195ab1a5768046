"""A Kubernetes API server on loopback that holds a few objects: lists, tables, single objects, logs, discovery."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tasks.clients.kubernetes.kinds import KINDS

Json = dict[str, Any]


class FakeKubernetes:
    """What it holds and what it was asked; `logs` by namespace, pod and whether it is the previous one."""

    def __init__(self) -> None:
        self.objects: list[Json] = []
        self.logs: dict[tuple[str, str, bool], str] = {}
        self.requests: list[tuple[str, str]] = []
        self.away = False
        """Whether it takes calls and ends them without an answer, as an API server that starts again."""
        self.url = ""

    def add(self, kind: str, name: str, namespace: str = "", **rest: Any) -> None:
        metadata = {"name": name, "uid": f"{kind}-{namespace}-{name}", **rest.pop("metadata", {})}
        metadata |= {"namespace": namespace} if namespace else {}
        self.objects.append({"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": metadata, **rest})

    def kubeconfig(self, folder: Path) -> Path:
        path = folder / "kubeconfig"
        named = {"name": "fake"}
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "fake",
                    "clusters": [{**named, "cluster": {"server": self.url}}],
                    "users": [{**named, "user": {"token": "not-a-real-token"}}],
                    "contexts": [{**named, "context": {"cluster": "fake", "user": "fake"}}],
                }
            )
        )
        return path

    def answer(self, path: str, query: dict[str, list[str]], accept: str) -> bytes | None:
        if path == "/version":
            return b'{"gitVersion": "v1.34.4"}'
        versions = sorted({row.api_version for row in KINDS.values()} - {"v1"})
        if path == "/apis":
            groups = [{"preferredVersion": {"groupVersion": v}, "versions": [{"groupVersion": v}]} for v in versions]
            return json.dumps({"groups": groups}).encode()
        for version in ("v1", *versions):
            rows = [row for row in KINDS.values() if row.api_version == version]
            if path == rows[0].root:
                told = [
                    {"name": r.plural, "kind": r.kind, "namespaced": r.namespaced, "verbs": ["get", "list"]}
                    for r in rows
                ]
                return json.dumps({"resources": told}).encode()
        return self._object(path, query, accept)

    def _object(self, path: str, query: dict[str, list[str]], accept: str) -> bytes | None:
        parts = path.strip("/").split("/")
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = rest[1] if rest[:1] == ["namespaces"] and len(rest) > 2 else ""
        plural, *name = rest[2:] if namespace else rest
        if name[1:] == ["log"]:
            text = self.logs.get((namespace, name[0], query.get("previous") == ["true"]))
            tail = int(query.get("tailLines", ["1000000"])[0])
            return None if text is None else "\n".join(text.split("\n")[-tail:]).encode()
        kind = next((row.kind for row in KINDS.values() if row.plural == plural), "")
        found = [
            item
            for item in self.objects
            if item["kind"] == kind and (not namespace or item["metadata"].get("namespace") == namespace)
        ]
        if name:
            return next((json.dumps(i).encode() for i in found if i["metadata"]["name"] == name[0]), None)
        hidden = [part.partition("!=")[2] for part in query.get("fieldSelector", [""])[0].split(",") if "!=" in part]
        found = [item for item in found if item["metadata"].get("namespace") not in hidden]
        return json.dumps(_table(found, query) if "as=Table" in accept else {"kind": "List", "items": found}).encode()


def _table(items: list[Json], query: dict[str, list[str]]) -> Json:
    limit = int(query.get("limit", ["500"])[0])
    return {
        "kind": "Table",
        "metadata": {"remainingItemCount": len(items) - limit} if len(items) > limit else {},
        "columnDefinitions": [{"name": "Name", "priority": 0}, {"name": "Wide", "priority": 1}],
        "rows": [
            {"cells": [i["metadata"]["name"], "wide"], "object": {"metadata": i["metadata"]}} for i in items[:limit]
        ],
    }


@contextmanager
def serving(fake: FakeKubernetes) -> Iterator[FakeKubernetes]:
    class Handler(BaseHTTPRequestHandler):
        def do_any(self) -> None:
            url = urlsplit(self.path)
            fake.requests.append((self.command, url.path))
            if fake.away:
                self.close_connection = True
                return
            told = fake.answer(url.path, parse_qs(url.query), self.headers.get("Accept", ""))
            self.send_response(404 if told is None else 200)
            body = b'{"kind": "Status", "message": "not found"}' if told is None else told
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_any  # noqa: N815  named by http.server

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
