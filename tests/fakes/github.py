"""A GitHub that behaves, on loopback: what is written can be read again, and what GitHub refuses is refused.

Logs lie on a second host, as on GitHub. Faults are put on top: an answer that is lost after the work was done, a rate
limit, a missing permission. Every request is kept with its headers, so that a test can say what was never sent.
"""

import hashlib
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes import github_routes

TOKEN = "token-of-the-test"
INSTALLATION_TOKEN = "token-of-the-installation"
REPOSITORY = "acme/shop"
Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]


@dataclass
class Request:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Fault:
    """What goes wrong. `after` does the work first and loses the answer."""

    method: str
    path: str
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False
    times: int = 1


@dataclass
class FakeGithub:
    """The state of one repository and the two servers that show it."""

    api_url: str = ""
    log_url: str = ""
    login: str = "healflow-bot"
    default_branch: str = "main"
    protected: set[str] = field(default_factory=lambda: {"main"})
    permissions: dict[str, str] = field(
        default_factory=lambda: dict.fromkeys(("actions", "contents", "pulls", "statuses", "app"), "write")
    )
    blobs: dict[str, bytes] = field(default_factory=dict)
    trees: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    commits: dict[str, dict[str, Any]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    runs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    jobs: dict[tuple[int, int], list[dict[str, Any]]] = field(default_factory=dict)
    annotations: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    logs: dict[int, bytes] = field(default_factory=dict)
    artifacts: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    """What each login may do: `admin`, `write`, `read` or `none`."""
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    log_requests: list[Request] = field(default_factory=list)
    log_status: int = 200
    log_cut_bytes: int = 0
    """How many bytes less than announced the log's host sends."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    _ids: Iterator[int] = field(default_factory=lambda: iter(range(1_000, 10_000_000)))

    @property
    def writes(self) -> list[Request]:
        """Everything but reads."""
        return [request for request in self.requests if request.method not in ("GET", "HEAD")]

    def next_id(self) -> int:
        return next(self._ids)

    # ---- what a test builds

    def commit(self, branch: str, files: Mapping[str, str], *, message: str = "Change") -> str:
        """One commit on a branch with these files on top of what is there."""
        parent = self.refs.get(branch)
        tree = dict(self.trees[self.commits[parent]["tree"]]) if parent else {}
        for name, text in files.items():
            tree[name] = ("100644", self.put_blob(text.encode()))
        made = self.put_commit(
            {
                "tree": self.put_tree(tree),
                "parents": [parent] if parent else [],
                "message": message,
                "author": {
                    "name": "Ada",
                    "date": f"2026-01-01T00:{len(self.commits) // 60:02d}:{len(self.commits) % 60:02d}Z",
                },
            }
        )
        self.refs[branch] = made
        return made

    def put_blob(self, content: bytes) -> str:
        name = hashlib.sha1(b"blob" + content).hexdigest()
        self.blobs[name] = content
        return name

    def put_tree(self, entries: dict[str, tuple[str, str]]) -> str:
        name = hashlib.sha1(json.dumps(sorted(entries.items())).encode()).hexdigest()
        self.trees[name] = entries
        return name

    def put_commit(self, document: dict[str, Any]) -> str:
        name = hashlib.sha1(json.dumps(document, sort_keys=True).encode()).hexdigest()
        self.commits[name] = document
        return name

    def file(self, commit: str, path: str) -> bytes | None:
        """What a file holds at a commit."""
        entry = self.trees[self.commits[commit]["tree"]].get(path)
        return self.blobs[entry[1]] if entry else None

    def run(
        self,
        commit: str,
        *,
        run_id: int | None = None,
        branch: str = "main",
        conclusion: str | None = "failure",
        head_repository: str | None = REPOSITORY,
        minute: int = 0,
        pull_requests: tuple[int, ...] = (),
        workflow_id: int = 7,
    ) -> int:
        """A run, or one more attempt of it when `run_id` is one that exists."""
        number = run_id or self.next_id()
        attempts = self.runs.setdefault(number, [])
        attempts.append(
            {
                "id": number,
                "run_attempt": len(attempts) + 1,
                "name": "CI",
                "path": ".github/workflows/ci.yml",
                "workflow_id": workflow_id,
                "event": "push",
                "head_branch": branch,
                "head_sha": commit,
                "status": "completed" if conclusion else "in_progress",
                "conclusion": conclusion,
                "repository": {"id": 1, "full_name": REPOSITORY},
                "head_repository": {"id": 2, "full_name": head_repository} if head_repository else None,
                "pull_requests": [{"number": one, "base": {"repo": {"id": 1}}} for one in pull_requests],
                "html_url": f"https://github.example/{REPOSITORY}/actions/runs/{number}",
                "run_started_at": f"2026-01-02T10:{minute:02d}:00Z",
                "created_at": f"2026-01-02T10:{minute:02d}:00Z",
                "updated_at": f"2026-01-02T10:{minute:02d}:40Z",
            }
        )
        return number

    def job(
        self,
        run_id: int,
        name: str = "test",
        *,
        conclusion: str | None = "failure",
        log: bytes | None = None,
        steps: tuple[tuple[str, str], ...] = (("Set up job", "success"), ("Run pytest", "failure")),
        attempt: int | None = None,
        annotations: tuple[Mapping[str, Any], ...] = (),
    ) -> int:
        """A job of a run's newest attempt, with its log."""
        number = self.next_id()
        listed = [
            {
                "number": position,
                "name": title,
                "conclusion": ended,
                "started_at": "2026-01-02T10:00:00Z",
                "completed_at": "2026-01-02T10:00:09Z",
            }
            for position, (title, ended) in enumerate(steps, 1)
        ]
        key = (run_id, attempt or len(self.runs[run_id]))
        job = {"id": number, "name": name, "conclusion": conclusion, "steps": listed, "run_id": run_id}
        self.jobs.setdefault(key, []).append(job)
        if log is not None:
            self.logs[number] = log
        self.annotations[number] = [dict(one) for one in annotations]
        return number

    def artifact(self, run_id: int, name: str, content: bytes, *, expired: bool = False) -> int:
        """An artifact of a run, as the bytes of its zip."""
        number = self.next_id()
        self.logs[number] = content
        entry = {"id": number, "name": name, "size_in_bytes": len(content), "expired": expired}
        self.artifacts.setdefault(run_id, []).append(entry)
        return number

    def fail(self, method: str, path: str, status: int, **more: Any) -> None:
        """Let the next matching request fail; `path` is a regular expression for the whole path."""
        self.faults.append(Fault(method, path, status, **more))

    # ---- what answers

    def answer(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
            fault = next((one for one in self.faults if _hits(one, request)), None)
            if fault is not None:
                fault.times -= 1
                if fault.after:
                    self._work(request)
                return fault.status, fault.body if fault.body is not None else {"message": "fault"}, fault.headers
            return self._work(request)

    def _work(self, request: Request) -> Answer:
        token = request.headers.get("authorization", "")
        if (
            token
            and token.rpartition(" ")[2] not in (TOKEN, INSTALLATION_TOKEN)
            and not request.path.startswith("/app")
        ):
            return 401, {"message": "Bad credentials"}
        for route in github_routes.ROUTES:
            match = re.fullmatch(route.path, request.path)
            if match is None or route.method != request.method:
                continue
            if request.method != "GET" and not token:
                return 401, {"message": "Requires authentication"}
            if request.method != "GET" and self.permissions.get(route.needs) != "write":
                return 403, {"message": "Resource not accessible by integration"}
            return route.work(self, request, *(unquote(part) for part in match.groups()))
        return 404, {"message": "Not Found"}

    def answer_log(self, request: Request) -> tuple[int, bytes]:
        with self.lock:
            self.log_requests.append(request)
            number = int(request.path.rpartition("/")[2])
            return (self.log_status, self.logs.get(number, b"") if self.log_status == 200 else b"gone")


def _hits(fault: Fault, request: Request) -> bool:
    return fault.times > 0 and fault.method == request.method and bool(re.fullmatch(fault.path, request.path))


def _handler(work: Callable[[Request], Answer], cut: Callable[[], int]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer takes 40 ms

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = work(Request(self.command, parts.path, query, headers, json.loads(raw) if raw else None))
            status, document = answer[0], answer[1]
            body = (
                document if isinstance(document, bytes) else b"" if document is None else json.dumps(document).encode()
            )
            self.send_response(status)
            for name, value in (answer[2] if len(answer) > 2 else {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            missing = cut()
            self.wfile.write(body[: len(body) - missing])
            if missing:
                self.close_connection = True

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Tests stay quiet."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client may hang up in the middle of a log; anything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving() -> Iterator[FakeGithub]:
    """A GitHub that listens until the block ends."""
    fake = FakeGithub()
    api = _Server(("127.0.0.1", 0), _handler(fake.answer, lambda: 0))
    logs = _Server(("127.0.0.1", 0), _handler(fake.answer_log, lambda: fake.log_cut_bytes))
    fake.api_url = f"http://127.0.0.1:{api.server_address[1]}"
    # Another name for the same machine, so that it is another host than the API's, as on GitHub.
    fake.log_url = f"http://localhost:{logs.server_address[1]}"
    threads = []
    for server in (api, logs):
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        threads.append(thread)
    try:
        yield fake
    finally:
        for server in (api, logs):
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()
