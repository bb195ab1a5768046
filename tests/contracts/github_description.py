"""GitHub's official OpenAPI description, cut to the addresses that the client uses, and a mock server of it.

Both come from npm (`@octokit/openapi`, `@stoplight/prism-cli`) into a folder below the user's cache, once.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PACKAGES = ("@octokit/openapi@23.0.2", "@stoplight/prism-cli@5.16.0")
INSTALL_SECONDS, START_SECONDS = 240, 60
_REPOSITORY = "/repos/{owner}/{repo}"
OPERATIONS = (
    ("get", "/user"),
    ("get", "/app"),
    ("get", _REPOSITORY),
    ("get", f"{_REPOSITORY}/actions/runs"),
    ("get", f"{_REPOSITORY}/actions/runs/{{run_id}}"),
    ("get", f"{_REPOSITORY}/actions/runs/{{run_id}}/attempts/{{attempt_number}}"),
    ("get", f"{_REPOSITORY}/actions/runs/{{run_id}}/attempts/{{attempt_number}}/jobs"),
    ("post", f"{_REPOSITORY}/actions/runs/{{run_id}}/rerun-failed-jobs"),
    ("get", f"{_REPOSITORY}/actions/workflows/{{workflow_id}}/runs"),
    ("get", f"{_REPOSITORY}/actions/jobs/{{job_id}}/logs"),
    ("get", f"{_REPOSITORY}/actions/runs/{{run_id}}/artifacts"),
    ("get", f"{_REPOSITORY}/actions/artifacts/{{artifact_id}}/{{archive_format}}"),
    ("get", f"{_REPOSITORY}/check-runs/{{check_run_id}}/annotations"),
    ("get", f"{_REPOSITORY}/contents/{{path}}"),
    ("get", f"{_REPOSITORY}/compare/{{basehead}}"),
    ("get", f"{_REPOSITORY}/commits/{{ref}}"),
    ("get", f"{_REPOSITORY}/commits/{{ref}}/statuses"),
    ("get", f"{_REPOSITORY}/commits/{{commit_sha}}/comments"),
    ("post", f"{_REPOSITORY}/commits/{{commit_sha}}/comments"),
    ("get", f"{_REPOSITORY}/collaborators/{{username}}/permission"),
    ("get", f"{_REPOSITORY}/git/commits/{{commit_sha}}"),
    ("get", f"{_REPOSITORY}/git/ref/{{ref}}"),
    ("get", f"{_REPOSITORY}/branches/{{branch}}"),
    ("post", f"{_REPOSITORY}/git/blobs"),
    ("post", f"{_REPOSITORY}/git/trees"),
    ("post", f"{_REPOSITORY}/git/commits"),
    ("post", f"{_REPOSITORY}/git/refs"),
    ("patch", f"{_REPOSITORY}/git/refs/{{ref}}"),
    ("delete", f"{_REPOSITORY}/git/refs/{{ref}}"),
    ("get", f"{_REPOSITORY}/pulls"),
    ("get", f"{_REPOSITORY}/pulls/{{pull_number}}"),
    ("post", f"{_REPOSITORY}/pulls"),
    ("patch", f"{_REPOSITORY}/pulls/{{pull_number}}"),
    ("get", f"{_REPOSITORY}/issues/{{issue_number}}/comments"),
    ("get", f"{_REPOSITORY}/issues/comments/{{comment_id}}"),
    ("post", f"{_REPOSITORY}/issues/{{issue_number}}/comments"),
    ("patch", f"{_REPOSITORY}/issues/comments/{{comment_id}}"),
    ("delete", f"{_REPOSITORY}/issues/comments/{{comment_id}}"),
    ("post", f"{_REPOSITORY}/statuses/{{sha}}"),
)


class Unavailable(Exception):  # noqa: N818  a reason to skip, not an error
    """The description or the mock server cannot be had here; the message says why."""


def cache_folder() -> Path:
    """Below `XDG_CACHE_HOME`, else `~/.cache`."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "healflow" / "github-contract"


def install(folder: Path) -> Path:
    """Fetch both packages once, and return the whole description.

    Raises:
        Unavailable: there is no node or npm, or npm could not fetch them.
    """
    if missing := [tool for tool in ("node", "npm") if shutil.which(tool) is None]:
        raise Unavailable(f"{' and '.join(missing)} not installed")
    folder.mkdir(parents=True, exist_ok=True)
    versions = "-".join(package.rpartition("@")[2] for package in PACKAGES)
    described = folder / f"description-{versions}.json"
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not described.is_file():
            _fetch(folder)
            whole = folder / "node_modules/@octokit/openapi/generated"
            shutil.copyfile(whole / "api.github.com.json", described)
            shutil.rmtree(whole)  # 380 MB for all of GitHub's products
    return described


def _fetch(folder: Path) -> None:
    (folder / "package.json").write_text('{"name": "healflow-contract", "private": true}\n')
    command = [
        "npm",
        "install",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--no-package-lock",
        "--fetch-retries=0",
        *PACKAGES,
    ]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"npm did not end within {INSTALL_SECONDS} s") from error
    if done.returncode != 0:
        raise Unavailable(f"npm could not fetch the packages: {done.stderr.strip()[-300:]}")


def cut(document: dict[str, Any]) -> dict[str, Any]:
    """The description of our operations alone, with what they refer to."""
    paths: dict[str, Any] = {}
    for method, path in OPERATIONS:
        item = document["paths"][path]
        paths.setdefault(path, {})[method] = item[method]
        paths[path].update({"parameters": item["parameters"]} if "parameters" in item else {})
    components: dict[str, Any] = {}
    waiting: list[Any] = [paths]
    while waiting:
        for reference in _references(waiting.pop()):
            kind, name = reference.removeprefix("#/components/").split("/")
            if name not in components.setdefault(kind, {}):
                components[kind][name] = document["components"][kind][name]
                waiting.append(components[kind][name])
    # A number is an integer and a string too for the mock server, so that "exactly one of them" never holds.
    for parameter in components.get("parameters", {}).values():
        if "oneOf" in parameter.get("schema", {}):
            parameter["schema"]["anyOf"] = parameter["schema"].pop("oneOf")
    return {"openapi": document["openapi"], "info": document["info"], "paths": paths, "components": components}


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str) and reference.startswith("#/components/"):
            yield reference
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mock_server(folder: Path, description: Path, log: Path) -> Iterator[str]:
    """The mock server's address. It refuses requests that are not as described; its answers are GitHub's own examples,
    some of which break GitHub's own description. The process that was started is ended, and no other.

    Raises:
        Unavailable: it does not come up.
    """
    port = free_port()
    program = folder / "node_modules/@stoplight/prism-cli/dist/index.js"
    command = ["node", str(program), "mock", "--host", "127.0.0.1", "--port", str(port), str(description)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        try:
            _await(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unavailable(f"the mock server ended at once: {log.read_text(errors='replace')[-400:]}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
        except OSError:
            continue
        return
    raise Unavailable(f"the mock server did not listen within {START_SECONDS} s")
