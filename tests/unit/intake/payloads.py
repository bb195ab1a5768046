"""Builders of webhook payloads in GitHub's shape."""

from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
COMMIT = "3484a3fb816e0859fd6e1cea078d76385ff50625"


def repository(full_name: str = "octo/shop", number: int = 7) -> dict[str, Any]:
    return {"id": number, "full_name": full_name, "default_branch": "main"}


def pull_request(base: str = "main", *, into: int = 7, out_of: int = 7) -> dict[str, Any]:
    return {
        "number": 12,
        "head": {"ref": "feature", "sha": COMMIT, "repo": {"id": out_of}},
        "base": {"ref": base, "sha": COMMIT, "repo": {"id": into}},
    }


def workflow_run(**changes: Any) -> dict[str, Any]:
    run = {
        "id": 1589141559,
        "run_attempt": 1,
        "name": "CI",
        "path": ".github/workflows/ci.yml@main",
        "event": "push",
        "head_branch": "main",
        "head_sha": COMMIT,
        "status": "completed",
        "conclusion": "failure",
        "display_title": "Add a basket",
        "html_url": "https://github.com/octo/shop/actions/runs/1589141559",
        "updated_at": "2026-03-01T11:59:00Z",
        "head_repository": repository(),
        "pull_requests": [],
        "actor": {"login": "mona"},
    }
    return {
        "action": "completed",
        "workflow_run": run | changes,
        "repository": repository(),
        "sender": {"login": "hubot"},
    }


def local_run(**changes: Any) -> dict[str, Any]:
    payload = workflow_run(html_url="healflow-local:runs/20260301-115900-ab12", id="20260301-115900-ab12")
    payload["repository"] = repository("local/shop")
    payload["workflow_run"]["head_repository"] = repository("local/shop")
    payload["workflow_run"] |= changes
    return payload


def check_run(**changes: Any) -> dict[str, Any]:
    run = {
        "id": 128620228,
        "name": "linter",
        "head_sha": COMMIT,
        "status": "completed",
        "conclusion": "failure",
        "details_url": "https://ci.example.org/1",
        "completed_at": "2026-03-01T11:59:00Z",
        "check_suite": {"head_branch": "feature"},
        "app": {"slug": "example-ci"},
        "pull_requests": [pull_request()],
    }
    return {
        "action": "completed",
        "check_run": run | changes,
        "repository": repository(),
        "sender": {"login": "hubot"},
    }
