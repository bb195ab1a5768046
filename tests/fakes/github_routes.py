"""What the fake GitHub answers, address by address; the refusals are GitHub's own, word for word where they matter."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fakes.github import FakeGithub, Request

HOME = r"/repos/acme/shop"


@dataclass(frozen=True)
class Route:
    """One address. `needs` is the permission that a write takes."""

    method: str
    path: str
    work: Callable[..., Any]
    needs: str = ""


def _not_found() -> Any:
    return 404, {"message": "Not Found"}


def _page(request: Request, items: list[Any]) -> list[Any]:
    size, page = int(request.query.get("per_page", "30")), int(request.query.get("page", "1"))
    return items[(page - 1) * size : page * size]


def _repository(fake: FakeGithub, _request: Request) -> Any:
    return 200, {"id": 1, "full_name": "acme/shop", "default_branch": fake.default_branch}


def _user(fake: FakeGithub, request: Request) -> Any:
    if fake.login.endswith("[bot]"):
        return 403, {"message": "Resource not accessible by integration"}
    return 200, {"login": fake.login}


def _app(_fake: FakeGithub, _request: Request) -> Any:
    return 200, {"id": 7, "slug": "healflow"}


def _make_token(_fake: FakeGithub, _request: Request, _installation: str) -> Any:
    return 201, {"token": "token-of-the-installation", "expires_at": "2999-01-01T00:00:00Z"}


def _run(fake: FakeGithub, _request: Request, number: str) -> Any:
    attempts = fake.runs.get(int(number))
    return (200, attempts[-1]) if attempts else _not_found()


def _attempt(fake: FakeGithub, _request: Request, number: str, attempt: str) -> Any:
    attempts = fake.runs.get(int(number), [])
    return (200, attempts[int(attempt) - 1]) if 0 < int(attempt) <= len(attempts) else _not_found()


def _jobs(fake: FakeGithub, request: Request, number: str, attempt: str) -> Any:
    jobs = fake.jobs.get((int(number), int(attempt)), [])
    return 200, {"total_count": len(jobs), "jobs": _page(request, jobs)}


def _runs_of_commit(fake: FakeGithub, request: Request) -> Any:
    newest = [attempts[-1] for attempts in fake.runs.values()]
    found = [run for run in newest if run["head_sha"] == request.query.get("head_sha", run["head_sha"])]
    found = [run for run in found if run["status"] == request.query.get("status", run["status"])]
    found = [run for run in found if run["created_at"] >= request.query.get("created", "").removeprefix(">=")]
    found.sort(key=lambda run: run["created_at"], reverse=True)
    return 200, {"total_count": len(found), "workflow_runs": _page(request, found)}


def _listed_runs(fake: FakeGithub, request: Request, workflow: str) -> Any:
    newest = [attempts[-1] for attempts in fake.runs.values()]
    status = request.query.get("status")
    found = [
        run
        for run in newest
        if run["workflow_id"] == int(workflow)
        and run["head_branch"] == request.query.get("branch", run["head_branch"])
        and status in (None, run["status"], run["conclusion"])
    ]
    found.sort(key=lambda run: run["created_at"], reverse=True)
    return 200, {"total_count": len(found), "workflow_runs": _page(request, found)}


def _rerun(fake: FakeGithub, _request: Request, number: str) -> Any:
    attempts = fake.runs.get(int(number))
    if not attempts:
        return _not_found()
    if attempts[-1]["status"] != "completed":
        return 403, {"message": "This workflow is already running"}
    again = {**attempts[-1], "run_attempt": len(attempts) + 1, "status": "queued", "conclusion": None}
    attempts.append(again)
    return 201, {}


def _job_log(fake: FakeGithub, _request: Request, job: str) -> Any:
    if int(job) not in fake.logs:
        return 410, {"message": "Server Error: the log has expired"}
    return 302, None, {"Location": f"{fake.log_url}/signed/{job}?sig=abc"}


def _artifacts(fake: FakeGithub, request: Request, number: str) -> Any:
    listed = fake.artifacts.get(int(number), [])
    return 200, {"total_count": len(listed), "artifacts": _page(request, listed)}


def _annotations(fake: FakeGithub, request: Request, job: str) -> Any:
    return 200, _page(request, fake.annotations.get(int(job), []))


def _contents(fake: FakeGithub, request: Request, path: str) -> Any:
    ref = request.query.get("ref", fake.default_branch)
    commit = fake.refs.get(ref, ref)
    content = fake.file(commit, path) if commit in fake.commits else None
    if content is None:
        return _not_found()
    return 200, {"path": path, "encoding": "base64", "content": b64encode(content).decode()}


def _line(fake: FakeGithub, commit: str | None) -> list[str]:
    """A commit and its first parents, newest first."""
    found = []
    while commit is not None:
        found.append(commit)
        parents = fake.commits[commit]["parents"]
        commit = parents[0] if parents else None
    return found


def _compare(fake: FakeGithub, request: Request, base: str, head: str) -> Any:
    if base not in fake.commits or head not in fake.commits:
        return _not_found()
    known = set(_line(fake, base))
    new = [commit for commit in reversed(_line(fake, head)) if commit not in known]
    return 200, {"total_commits": len(new), "commits": [{"sha": one} for one in _page(request, new)]}


def _commit(fake: FakeGithub, _request: Request, commit: str) -> Any:
    found = fake.commits.get(commit)
    if found is None:
        return 422, {"message": f"No commit found for SHA: {commit}"}
    before = fake.trees[fake.commits[found["parents"][0]]["tree"]] if found["parents"] else {}
    after = fake.trees[found["tree"]]
    changed = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    person = found["author"]
    return 200, {
        "sha": commit,
        "commit": {"message": found["message"], "author": person, "committer": person},
        "files": [{"filename": name} for name in changed],
    }


def _git_commit(fake: FakeGithub, _request: Request, commit: str) -> Any:
    found = fake.commits.get(commit)
    if found is None:
        return _not_found()
    parents = [{"sha": one} for one in found["parents"]]
    return 200, {"sha": commit, "message": found["message"], "parents": parents, "tree": {"sha": found["tree"]}}


def _ref(fake: FakeGithub, _request: Request, branch: str) -> Any:
    if branch not in fake.refs:
        return _not_found()
    return 200, {"ref": f"refs/heads/{branch}", "object": {"sha": fake.refs[branch]}}


def _branch(fake: FakeGithub, _request: Request, branch: str) -> Any:
    if branch not in fake.refs:
        return 404, {"message": "Branch not found"}
    return 200, {"name": branch, "protected": branch in fake.protected}


def _make_blob(fake: FakeGithub, request: Request) -> Any:
    return 201, {"sha": fake.put_blob(b64decode(request.body["content"]))}


def _make_tree(fake: FakeGithub, request: Request) -> Any:
    entries = dict(fake.trees[request.body["base_tree"]])
    for one in request.body["tree"]:
        if one["sha"] is None:
            if entries.pop(one["path"], None) is None:
                return 422, {"message": "GitRPC::BadObjectState"}
        else:
            entries[one["path"]] = (one["mode"], one["sha"])
    return 201, {"sha": fake.put_tree(entries)}


def _make_commit(fake: FakeGithub, request: Request) -> Any:
    return 201, {"sha": fake.put_commit(dict(request.body))}


def _make_ref(fake: FakeGithub, request: Request) -> Any:
    branch = request.body["ref"].removeprefix("refs/heads/")
    if branch in fake.refs:
        return 422, {"message": "Reference already exists"}
    if request.body["sha"] not in fake.commits:
        return 422, {"message": "Object does not exist"}
    fake.refs[branch] = request.body["sha"]
    return 201, {"ref": request.body["ref"], "object": {"sha": request.body["sha"]}}


def _move_ref(fake: FakeGithub, request: Request, branch: str) -> Any:
    if branch not in fake.refs:
        return 422, {"message": "Reference does not exist"}
    if not request.body.get("force") and fake.refs[branch] not in _line(fake, request.body["sha"]):
        return 422, {"message": "Update is not a fast forward"}
    fake.refs[branch] = request.body["sha"]
    return 200, {"ref": f"refs/heads/{branch}", "object": {"sha": request.body["sha"]}}


def _delete_ref(fake: FakeGithub, _request: Request, branch: str) -> Any:
    if branch not in fake.refs:
        return 422, {"message": "Reference does not exist"}
    del fake.refs[branch]
    for pull in fake.pulls.values():
        if pull["head"]["ref"] == branch:
            pull["state"] = "closed"
    return 204, None


def _listed_pulls(fake: FakeGithub, request: Request) -> Any:
    head, state = request.query.get("head"), request.query.get("state", "open")
    found = [
        pull
        for pull in fake.pulls.values()
        if state in ("all", pull["state"])
        and (head is None or head == f"{pull['head']['repo']['full_name'].partition('/')[0]}:{pull['head']['ref']}")
    ]
    return 200, _page(request, found)


def _pull(fake: FakeGithub, _request: Request, number: str) -> Any:
    pull = fake.pulls.get(int(number))
    return (200, pull) if pull else _not_found()


def _make_pull(fake: FakeGithub, request: Request) -> Any:
    wanted = request.body
    for role in ("head", "base"):
        if wanted[role] not in fake.refs:
            return 422, {"message": "Validation Failed", "errors": [{"field": role, "code": "invalid"}]}
    if any(pull["head"]["ref"] == wanted["head"] and pull["state"] == "open" for pull in fake.pulls.values()):
        told = f"A pull request already exists for acme:{wanted['head']}."
        return 422, {"message": "Validation Failed", "errors": [{"message": told}]}
    if fake.refs[wanted["head"]] in _line(fake, fake.refs[wanted["base"]]):
        told = f"No commits between {wanted['base']} and {wanted['head']}"
        return 422, {"message": "Validation Failed", "errors": [{"message": told}]}
    number = fake.next_id()
    fake.pulls[number] = {
        "number": number,
        "html_url": f"https://github.example/acme/shop/pull/{number}",
        "title": wanted["title"],
        "body": wanted["body"],
        "state": "open",
        "merged": False,
        "merged_at": None,
        "mergeable": None,
        "head": {"ref": wanted["head"], "sha": fake.refs[wanted["head"]], "repo": {"full_name": "acme/shop"}},
        "base": {"ref": wanted["base"], "sha": fake.refs[wanted["base"]], "repo": {"id": 1}},
    }
    return 201, fake.pulls[number]


def _edit_pull(fake: FakeGithub, request: Request, number: str) -> Any:
    pull = fake.pulls.get(int(number))
    if pull is None:
        return _not_found()
    for name, value in request.body.items():
        if name == "base":
            pull["base"]["ref"] = value
        else:
            pull[name] = value
    return 200, pull


def _permission(fake: FakeGithub, _request: Request, login: str) -> Any:
    permission = fake.people.get(login)
    return (200, {"permission": permission, "user": {"login": login}}) if permission else _not_found()


def _listed_comments(fake: FakeGithub, request: Request, number: str) -> Any:
    found = [one for one in fake.comments.values() if one["issue"] == int(number)]
    return 200, _page(request, found)


def _comments_of_commit(fake: FakeGithub, request: Request, commit: str) -> Any:
    return 200, _page(request, [one for one in fake.comments.values() if one["issue"] == commit])


def _comment_on_commit(fake: FakeGithub, request: Request, commit: str) -> Any:
    if commit not in fake.commits:
        return 422, {"message": f"No commit found for SHA: {commit}"}
    return 201, _new_comment(fake, request, commit)


def _comment(fake: FakeGithub, _request: Request, number: str) -> Any:
    found = fake.comments.get(int(number))
    return (200, found) if found else _not_found()


def _make_comment(fake: FakeGithub, request: Request, issue: str) -> Any:
    return 201, _new_comment(fake, request, int(issue))


def _new_comment(fake: FakeGithub, request: Request, place: int | str) -> dict[str, Any]:
    number = fake.next_id()
    kind = "issues" if isinstance(place, int) else "commit"
    fake.comments[number] = {
        "id": number,
        "issue": place,
        "html_url": f"https://github.example/acme/shop/{kind}/{place}#issuecomment-{number}",
        "body": request.body["body"],
        "user": {"login": fake.login},
    }
    return fake.comments[number]


def _edit_comment(fake: FakeGithub, request: Request, number: str) -> Any:
    found = fake.comments.get(int(number))
    if found is None:
        return _not_found()
    found["body"] = request.body["body"]
    return 200, found


def _delete_comment(fake: FakeGithub, _request: Request, number: str) -> Any:
    return (204, None) if fake.comments.pop(int(number), None) else _not_found()


def _listed_statuses(fake: FakeGithub, request: Request, commit: str) -> Any:
    return 200, _page(request, list(reversed(fake.statuses.get(commit, []))))


def _make_status(fake: FakeGithub, request: Request, commit: str) -> Any:
    if commit not in fake.commits:
        return 422, {"message": f"No commit found for SHA: {commit}"}
    if len(request.body.get("description", "")) > 140:
        return 422, {"message": "Validation Failed", "errors": [{"message": "description is too long"}]}
    made = {"id": fake.next_id(), "target_url": None, "description": None, **request.body}
    fake.statuses.setdefault(commit, []).append(made)
    return 201, made


_ANY, _NUMBER, _SHA = "(.+)", r"(\d+)", "([0-9a-f]{40})"
ROUTES = (
    Route("GET", "/user", _user),
    Route("GET", "/app", _app),
    Route("POST", f"/app/installations/{_NUMBER}/access_tokens", _make_token, "app"),
    Route("GET", HOME, _repository),
    Route("GET", f"{HOME}/actions/runs/{_NUMBER}", _run),
    Route("GET", f"{HOME}/actions/runs/{_NUMBER}/attempts/{_NUMBER}", _attempt),
    Route("GET", f"{HOME}/actions/runs/{_NUMBER}/attempts/{_NUMBER}/jobs", _jobs),
    Route("POST", f"{HOME}/actions/runs/{_NUMBER}/rerun-failed-jobs", _rerun, "actions"),
    Route("GET", f"{HOME}/actions/workflows/{_NUMBER}/runs", _listed_runs),
    Route("GET", f"{HOME}/actions/runs", _runs_of_commit),
    Route("GET", f"{HOME}/actions/jobs/{_NUMBER}/logs", _job_log),
    Route("GET", f"{HOME}/actions/runs/{_NUMBER}/artifacts", _artifacts),
    Route("GET", f"{HOME}/actions/artifacts/{_NUMBER}/zip", _job_log),
    Route("GET", f"{HOME}/check-runs/{_NUMBER}/annotations", _annotations),
    Route("GET", f"{HOME}/contents/{_ANY}", _contents),
    Route("GET", f"{HOME}/compare/{_SHA}\\.\\.\\.{_SHA}", _compare),
    Route("GET", f"{HOME}/commits/{_SHA}/statuses", _listed_statuses),
    Route("GET", f"{HOME}/commits/{_SHA}/comments", _comments_of_commit),
    Route("POST", f"{HOME}/commits/{_SHA}/comments", _comment_on_commit, "contents"),
    Route("GET", f"{HOME}/commits/{_SHA}", _commit),
    Route("GET", f"{HOME}/collaborators/{_ANY}/permission", _permission),
    Route("GET", f"{HOME}/git/commits/{_SHA}", _git_commit),
    Route("GET", f"{HOME}/git/ref/heads/{_ANY}", _ref),
    Route("GET", f"{HOME}/branches/{_ANY}", _branch),
    Route("POST", f"{HOME}/git/blobs", _make_blob, "contents"),
    Route("POST", f"{HOME}/git/trees", _make_tree, "contents"),
    Route("POST", f"{HOME}/git/commits", _make_commit, "contents"),
    Route("POST", f"{HOME}/git/refs", _make_ref, "contents"),
    Route("PATCH", f"{HOME}/git/refs/heads/{_ANY}", _move_ref, "contents"),
    Route("DELETE", f"{HOME}/git/refs/heads/{_ANY}", _delete_ref, "contents"),
    Route("GET", f"{HOME}/pulls", _listed_pulls),
    Route("GET", f"{HOME}/pulls/{_NUMBER}", _pull),
    Route("POST", f"{HOME}/pulls", _make_pull, "pulls"),
    Route("PATCH", f"{HOME}/pulls/{_NUMBER}", _edit_pull, "pulls"),
    Route("GET", f"{HOME}/issues/{_NUMBER}/comments", _listed_comments),
    Route("GET", f"{HOME}/issues/comments/{_NUMBER}", _comment),
    Route("POST", f"{HOME}/issues/{_NUMBER}/comments", _make_comment, "pulls"),
    Route("PATCH", f"{HOME}/issues/comments/{_NUMBER}", _edit_comment, "pulls"),
    Route("DELETE", f"{HOME}/issues/comments/{_NUMBER}", _delete_comment, "pulls"),
    Route("POST", f"{HOME}/statuses/{_SHA}", _make_status, "statuses"),
)
assert all(re.compile(route.path) for route in ROUTES)
