"""GitHub's webhook payloads -> Signal. A local pipeline speaks the same language and is told apart by two marks.

One failed run becomes one signal: `workflow_run` tells it, because only that event says which repository the commit
comes from. `workflow_job`, `check_suite` and GitHub Actions' own `check_run` report the same failure with less and are
ignored; a `check_run` of another app is the only word of that app and becomes a signal. A comment may be an answer.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from tasks.domain.comment import CommentCommand
from tasks.domain.incident import Ignored, Resolved, RunRef, Severity, Signal, SignalKind, SignalSource, run_name
from tasks.domain.pipeline import Conclusion
from tasks.errors import BadInputError
from tasks.intake.fields import Fields, clean_text, read_object
from tasks.intake.github_comment import parse_comment
from tasks.intake.verify import check_not_future

LOCAL_OWNER = "local"
"""Owner of the repositories that live on this machine."""
LOCAL_SCHEME = "healflow-local:"
"""Scheme of the addresses of runs on this machine."""
OWN_BRANCH_PREFIX = "healflow/"
"""Branches that hold our fixes; a failure there is never healed again, or a fix could feed on itself."""

_EVENT_NAME = re.compile(r"[a-z_]{1,64}")
_DELIVERY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RELEASE_LIKE = re.compile(r"(?:releases?|rel|hotfix|stable|prod|production|staging|v\d+)(?:\d*|[-/._].*)")
_FAILED = frozenset(conclusion for conclusion in Conclusion if conclusion.failed)


class _Event(NamedTuple):
    """What each parser is given."""

    name: str
    delivery_id: str
    payload: Fields
    now: datetime

    def ignored(self, reason: str) -> Ignored:
        return Ignored(delivery_id=self.delivery_id, event=self.name, reason=reason)


def parse_github(
    event_name: str, delivery_id: str, payload: bytes | Mapping[str, Any], *, now: datetime
) -> Signal | Resolved | CommentCommand | Ignored:
    """Parse one delivery; `event_name` and `delivery_id` are the headers `X-GitHub-Event` and `X-GitHub-Delivery`.

    The signature and the age are checked by the door, with `check_signature` and `check_age`.

    Raises:
        BadInputError: 400 when headers or body cannot be read at all, 422 when a field is missing or malformed;
            the message names the field and repeats nothing of the body.
    """
    if not _EVENT_NAME.fullmatch(event_name):
        raise BadInputError("X-GitHub-Event is missing or no event name")
    if not _DELIVERY_ID.fullmatch(delivery_id):
        raise BadInputError("X-GitHub-Delivery is missing or no delivery id")
    event = _Event(event_name, delivery_id, Fields(read_object(payload)), now)
    parser = _PARSERS.get(event_name)
    if parser is None:
        return event.ignored(_NOT_FAILURES.get(event_name, "this kind of event reports no failure that is healed"))
    return parser(event)


def _parse_workflow_run(event: _Event) -> Signal | Resolved | Ignored:
    if (end := _passed_again(event)) is not None:
        return end
    if reason := _why_not_failed(event.payload, "workflow_run"):
        return event.ignored(reason)
    run = event.payload.within("workflow_run")
    repository = event.payload.within("repository").repository("full_name")
    url = run.url("html_url")
    source = _source(repository, url)
    origin = run.within_or_none("head_repository")
    if origin is None and source is SignalSource.GITHUB:
        return event.ignored("the repository that the commit comes from no longer exists")
    workflow = event.payload.within_or_none("workflow") or run
    of_pull_request = run.text("event").startswith("pull_request")
    reference = RunRef(
        run_id=_run_id(run, source),
        attempt=run.whole_number("run_attempt", default=1),
        workflow=run.text("name") or workflow.text("name") or "workflow",
        workflow_path=workflow.relative_path("path") or run.relative_path("path"),
        url=url,
    )
    return _signal(
        event,
        source=source,
        subject=run,
        run=reference,
        branch=run.branch("head_branch"),
        base_branch=_base_branch(event.payload, run) if of_pull_request else None,
        of_pull_request=of_pull_request,
        head_repository=origin.repository("full_name") if origin else None,
    )


def _passed_again(event: _Event) -> Resolved | None:
    """The end of a failure by a further attempt of the same run, and so on the same commit; `None` for anything else.
    What passes on another commit says nothing of this one."""
    run = event.payload.within("workflow_run")
    attempt = run.whole_number("run_attempt", default=1)
    passed = event.payload.text("action") == "completed" and run.text("conclusion") == Conclusion.SUCCESS
    repository = event.payload.within("repository").repository("full_name")
    if not passed or attempt < 2 or _source(repository, run.url("html_url")) is not SignalSource.GITHUB:
        return None
    resolved_at = run.moment("updated_at")
    check_not_future(resolved_at, now=event.now)
    number = _run_id(run, SignalSource.GITHUB)
    return Resolved(
        delivery_id=event.delivery_id,
        source=SignalSource.GITHUB,
        fingerprint=run_name(repository, number),
        title=_title(run) or run.text("name"),
        resolved_at=resolved_at,
        proof=f"attempt {attempt} of run {number} passed on the same commit",
    )


def _parse_check_run(event: _Event) -> Signal | Ignored:
    if reason := _why_not_failed(event.payload, "check_run"):
        return event.ignored(reason)
    check = event.payload.within("check_run")
    app = check.within_or_none("app")
    if app is not None and app.text("slug") == "github-actions":
        return event.ignored("GitHub Actions reports it as a workflow_run too")
    repository = event.payload.within("repository").repository("full_name")
    url = check.url("details_url") or check.url("html_url")
    reference = RunRef(
        run_id=f"check-{check.whole_number('id')}",
        workflow=check.text("name") or "check",
        url=url,
    )
    pull_requests = check.each("pull_requests")
    if pull_requests and not any(_is_home(event.payload, one.within("head")) for one in pull_requests):
        return event.ignored("the commit comes from a fork")
    return _signal(
        event,
        source=_source(repository, url),
        subject=check,
        run=reference,
        # GitHub sends a null branch, and no pull requests, for the commits of a fork.
        branch=check.within("check_suite").branch("head_branch"),
        base_branch=_base_branch(event.payload, check),
        of_pull_request=bool(pull_requests),
        head_repository=None,
    )


def _signal(
    event: _Event,
    *,
    source: SignalSource,
    subject: Fields,
    run: RunRef,
    branch: str | None,
    base_branch: str | None,
    of_pull_request: bool,
    head_repository: str | None,
) -> Signal | Ignored:
    if branch is None:
        return event.ignored("the commit is on no branch of this repository")
    if branch.startswith(OWN_BRANCH_PREFIX):
        return event.ignored(f"branch {branch} is one of our own; its failure belongs to the incident that made it")
    home = event.payload.within("repository")
    repository = home.repository("full_name")
    default_branch = home.branch("default_branch") or "main"
    from_fork = head_repository is not None and head_repository != repository
    occurred_at = subject.moment("updated_at" if event.name == "workflow_run" else "completed_at")
    check_not_future(occurred_at, now=event.now)
    return Signal(
        source=source,
        kind=SignalKind.CI_RUN,
        delivery_id=event.delivery_id,
        repository=repository,
        branch=branch,
        commit=subject.commit("head_sha"),
        default_branch=default_branch,
        base_branch=base_branch,
        run=run,
        title=_title(subject) or run.workflow,
        actor=_actor(event.payload, subject),
        head_repository=head_repository if from_fork else None,
        severity=_severity(branch, default_branch, of_pull_request=of_pull_request, from_fork=from_fork),
        occurred_at=occurred_at,
    )


def _why_not_failed(payload: Fields, name: str) -> str | None:
    """Why this completed thing is none to heal, `None` when it failed."""
    action = payload.text("action")
    if action != "completed":
        return f"the {name} is {action or 'not completed'}: only a completed one can have failed"
    conclusion = payload.within(name).text("conclusion")
    if conclusion not in _FAILED:
        return f"its conclusion is {clean_text(conclusion, limit=40) or 'not known yet'}, which is no failure"
    return None


def _source(repository: str, url: str) -> SignalSource:
    """Who speaks. Both marks must agree: a message from outside must not pass for a run on this machine, or back."""
    local_owner = repository.lower().startswith(f"{LOCAL_OWNER}/")
    local_url = url.startswith(LOCAL_SCHEME)
    if local_owner != local_url:
        raise BadInputError(
            f"malformed payload: a run on this machine has the owner '{LOCAL_OWNER}' and an address that begins with"
            f" '{LOCAL_SCHEME}'; this one has only one of the two",
            status_code=422,
        )
    return SignalSource.PIPELINE if local_owner else SignalSource.GITHUB


def _run_id(run: Fields, source: SignalSource) -> str:
    """GitHub's number; the local pipeline may use a name, which is safe as the name of a folder."""
    name = run.text("id") if source is SignalSource.PIPELINE and run.is_text("id") else str(run.whole_number("id"))
    if not _RUN_ID.fullmatch(name):
        run.refuse("id", "is no run id")
    return name


def _base_branch(payload: Fields, subject: Fields) -> str | None:
    """The base of the pull request into this repository; GitHub also lists pull requests into its forks."""
    for pull_request in subject.each("pull_requests"):
        base = pull_request.within("base")
        if _is_home(payload, base):
            return base.branch("ref")
    return None


def _is_home(payload: Fields, end: Fields) -> bool:
    """Whether one end of a pull request lies in the repository of the event; numbers, as names can change."""
    repo = end.within_or_none("repo")
    return repo is not None and repo.whole_number("id") == payload.within("repository").whole_number("id")


def _title(subject: Fields) -> str:
    commit = subject.within_or_none("head_commit")
    return subject.text("display_title") or (commit.first_line("message") if commit else "") or subject.text("name")


def _actor(payload: Fields, subject: Fields) -> str:
    for fields, name in ((subject, "triggering_actor"), (subject, "actor"), (payload, "sender")):
        if (person := fields.within_or_none(name)) and (login := person.text("login", limit=100)):
            return login
    return ""


def _severity(branch: str, default_branch: str, *, of_pull_request: bool, from_fork: bool) -> Severity:
    """A pull request's head branch may be called `main`: it is not the default branch of this repository."""
    if of_pull_request:
        return Severity.MEDIUM
    if from_fork:
        return Severity.LOW
    if branch == default_branch:
        return Severity.HIGH
    return Severity.MEDIUM if _RELEASE_LIKE.fullmatch(branch) else Severity.LOW


def _parse_comment(event: _Event) -> CommentCommand | Ignored:
    return parse_comment(event.name, event.delivery_id, event.payload, now=event.now)


_PARSERS: Mapping[str, Callable[[_Event], Signal | Resolved | CommentCommand | Ignored]] = {
    "workflow_run": _parse_workflow_run,
    "check_run": _parse_check_run,
    "issue_comment": _parse_comment,
    "commit_comment": _parse_comment,
}
_NOT_FAILURES: Mapping[str, str] = {
    "ping": "a ping: the webhook is set up",
    "push": "a push is no failure; what runs because of it reports itself",
    "pull_request": "a pull request is no failure; what runs because of it reports itself",
    "workflow_job": "its workflow_run reports it, with the repository that the commit comes from",
    "check_suite": "its check runs and workflow_run report it, each by name",
}
