import json
from typing import Any

import pytest

from tasks.domain.incident import Ignored, Resolved, Severity, Signal, SignalSource, name_of, open_incident
from tasks.errors import BadInputError
from tasks.intake import parse_github
from tests.unit.intake.payloads import (
    COMMIT,
    DELIVERY,
    NOW,
    check_run,
    local_run,
    pull_request,
    repository,
    workflow_run,
)

PARENT = "workflow_run"


def parse(payload: dict[str, Any] | bytes, event: str = "workflow_run") -> object:
    return parse_github(event, DELIVERY, payload, now=NOW)


def signal(payload: dict[str, Any], event: str = "workflow_run") -> Signal:
    parsed = parse(payload, event)
    assert isinstance(parsed, Signal), parsed
    return parsed


def ignored(payload: dict[str, Any], event: str = "workflow_run") -> str:
    parsed = parse(payload, event)
    assert isinstance(parsed, Ignored), parsed
    return parsed.reason


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"{",
        b"[]",
        b"null",
        b'"workflow_run"',
        b"[" * 200_000,
        b'{"a": ' * 200_000,
        b'{"n": ' + b"9" * 5000 + b"}",
    ],
)
def test_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadInputError) as refusal:
        parse(body)
    assert refusal.value.status_code == 400


@pytest.mark.parametrize(("event", "delivery"), [("", DELIVERY), ("Push\n", DELIVERY), ("push", ""), ("push", "a b")])
def test_headers_that_name_nothing_are_refused(event: str, delivery: str) -> None:
    with pytest.raises(BadInputError) as refusal:
        parse_github(event, delivery, {}, now=NOW)
    assert refusal.value.status_code == 400


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("head_sha", "HEAD; rm -rf /"),
        ("head_sha", "3484a3f"),
        ("head_sha", None),
        ("head_branch", "--upload-pack=touch"),
        ("head_branch", "a b"),
        ("head_branch", "a..b"),
        ("head_branch", "a\nb"),
        ("head_branch", "\u202egnp.exe"),
        ("head_branch", "\ud800"),
        ("head_branch", "x" * 256),
        ("head_branch", ["main"]),
        ("id", -1),
        ("id", True),
        ("id", "12"),
        ("id", 10**40),
        ("run_attempt", 0),
        ("html_url", "javascript:alert(1)"),
        ("html_url", "https://example.org/ <b>"),
        ("path", "../../etc/passwd"),
        ("path", "/etc/passwd"),
        ("updated_at", "yesterday"),
        ("updated_at", "2026-03-01T11:59:00"),
        ("updated_at", "0001-01-01T00:00:00+14:00"),
        ("updated_at", None),
        ("updated_at", "2026-03-01T12:06:00Z"),
        ("conclusion", {"a": 1}),
        ("head_repository", "octo/shop"),
        ("head_repository", {"full_name": "octo/../shop"}),
        ("head_repository", {"full_name": "octo"}),
    ],
)
def test_malformed_field_is_refused_without_echo(field: str, value: object) -> None:
    with pytest.raises(BadInputError) as refusal:
        parse(workflow_run(**{field: value}))
    assert refusal.value.status_code == 422
    assert str(value) not in str(refusal.value) or value in (None, True, 0, -1)
    assert field in str(refusal.value) or "stale" in str(refusal.value)


def test_repository_that_is_no_owner_and_name_is_refused() -> None:
    for name in ("shop", "octo/shop/extra", "octo/..", "-x/shop", "octo/sh op", "octo/shop\n", 7, None):
        payload = workflow_run()
        payload["repository"]["full_name"] = name
        with pytest.raises(BadInputError, match="full_name"):
            parse(payload)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (workflow_run(html_url="healflow-local:runs/1"), "address without owner"),
        (local_run(html_url="https://github.com/octo/shop/actions/runs/1"), "owner without address"),
        (local_run(html_url=""), "owner without address"),
    ],
)
def test_message_with_one_of_the_two_local_marks_is_refused(payload: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadInputError, match="only one of the two") as refusal:
        parse(payload)
    assert refusal.value.status_code == 422, problem


@pytest.mark.parametrize("run_id", ["../escape", ".hidden", "a/b", "", "x" * 65])
def test_local_run_id_that_is_no_folder_name_is_refused(run_id: str) -> None:
    with pytest.raises(BadInputError, match=r"workflow_run\.id"):
        parse(local_run(id=run_id))


@pytest.mark.parametrize(
    "event", ["ping", "push", "pull_request", "workflow_job", "check_suite", "issue_comment", "star"]
)
def test_event_that_reports_no_failure_is_ignored_with_a_reason(event: str) -> None:
    assert ignored({"action": "completed"}, event)


@pytest.mark.parametrize("conclusion", ["success", "cancelled", "skipped", "neutral", "action_required", "stale", None])
def test_run_that_did_not_fail_is_ignored(conclusion: str | None) -> None:
    assert "no failure" in ignored(workflow_run(conclusion=conclusion))


def test_attempt_that_passes_ends_the_failure_of_its_run_and_of_no_other() -> None:
    failed = signal(workflow_run())
    again = parse(workflow_run(conclusion="success", run_attempt=2, updated_at="2026-03-01T12:00:00Z"))
    assert isinstance(again, Resolved)
    assert (again.fingerprint, again.delivery_id) == (name_of(failed), DELIVERY)
    assert again.proof == "attempt 2 of run 1589141559 passed on the same commit"
    assert name_of(signal(workflow_run(run_attempt=3))) == name_of(failed)
    assert name_of(signal(workflow_run(id=1589141560))) != name_of(failed)


def test_run_that_passes_at_once_or_on_this_machine_is_no_end() -> None:
    assert "no failure" in ignored(workflow_run(conclusion="success"))
    assert "no failure" in ignored(local_run(conclusion="success", run_attempt=2))


def test_run_that_goes_on_is_ignored() -> None:
    assert "only a completed one" in ignored(workflow_run() | {"action": "in_progress"})


def test_failure_of_our_own_branch_is_ignored_so_that_no_heal_feeds_on_itself() -> None:
    assert "our own" in ignored(workflow_run(head_branch="healflow/inc-12ab"))


def test_commit_of_a_deleted_repository_is_ignored() -> None:
    assert "no longer exists" in ignored(workflow_run(head_repository=None))


def test_run_on_no_branch_is_ignored() -> None:
    assert "no branch" in ignored(workflow_run(head_branch=None))


@pytest.mark.parametrize("conclusion", ["failure", "timed_out", "startup_failure"])
def test_failed_run_becomes_a_signal(conclusion: str) -> None:
    found = signal(workflow_run(conclusion=conclusion))
    assert (found.repository, found.branch, found.commit) == ("octo/shop", "main", COMMIT)
    assert found.source is SignalSource.GITHUB
    assert found.run is not None
    assert (found.run.run_id, found.run.attempt, found.run.workflow) == ("1589141559", 1, "CI")
    assert found.run.workflow_path == ".github/workflows/ci.yml"
    assert (found.title, found.actor) == ("Add a basket", "mona")
    assert not found.from_fork


def test_bytes_and_object_give_the_same_signal() -> None:
    assert parse(json.dumps(workflow_run()).encode()) == parse(workflow_run())


def test_commit_of_a_fork_is_marked() -> None:
    found = signal(workflow_run(head_repository=repository("mallory/shop", 8), event="pull_request"))
    assert found.from_fork
    assert found.head_repository == "mallory/shop"
    assert found.severity is Severity.MEDIUM


def test_pull_request_names_its_base_in_this_repository_only() -> None:
    listed = [pull_request("upstream-main", into=99), pull_request("develop")]
    assert signal(workflow_run(event="pull_request", pull_requests=listed)).base_branch == "develop"
    assert signal(workflow_run(event="push", pull_requests=listed)).base_branch is None
    assert signal(workflow_run(event="pull_request", pull_requests=[])).base_branch is None


def test_local_run_comes_from_the_pipeline() -> None:
    found = signal(local_run())
    assert found.source is SignalSource.PIPELINE
    assert found.run is not None
    assert found.run.run_id == "20260301-115900-ab12"
    assert signal(local_run(id=17, head_repository=None)).run.run_id == "17"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("branch", "event", "severity"),
    [
        ("main", "push", Severity.HIGH),
        ("main", "pull_request", Severity.MEDIUM),
        ("release/1.2", "push", Severity.MEDIUM),
        ("v2", "push", Severity.MEDIUM),
        ("hotfix-7", "push", Severity.MEDIUM),
        ("reliability", "push", Severity.LOW),
        ("feature/basket", "push", Severity.LOW),
    ],
)
def test_severity_follows_the_branch(branch: str, event: str, severity: Severity) -> None:
    assert signal(workflow_run(head_branch=branch, event=event)).severity is severity


def test_branch_with_shell_metacharacters_is_carried_unchanged() -> None:
    assert signal(workflow_run(head_branch="fix/$(id);`id`&&'x'")).branch == "fix/$(id);`id`&&'x'"


def test_title_is_bounded_and_holds_no_control_characters() -> None:
    found = signal(workflow_run(display_title="Fix\x1b[31m\u202e it\r\n\x00" + "now " * 500 + "\ud800"))
    assert found.title.startswith("Fix[31m it now")
    assert len(found.title) == 200
    assert found.title.isprintable()
    assert open_incident(found, now=NOW).id


def test_title_falls_back_to_the_first_line_of_the_commit() -> None:
    message = {"message": "Add a basket\n\nSigned-off-by: Mona"}
    assert signal(workflow_run(display_title=None, head_commit=message)).title == "Add a basket"


def test_failed_check_of_another_app_becomes_a_signal() -> None:
    found = signal(check_run(), "check_run")
    assert found.run is not None
    assert (found.run.run_id, found.run.workflow, found.base_branch) == ("check-128620228", "linter", "main")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"app": {"slug": "github-actions"}}, "workflow_run"),
        ({"check_suite": {"head_branch": None}}, "no branch"),
        ({"pull_requests": [pull_request(out_of=99)]}, "fork"),
        ({"conclusion": "success"}, "no failure"),
    ],
)
def test_check_run_without_a_failure_of_its_own_is_ignored(changes: dict[str, Any], reason: str) -> None:
    assert reason in ignored(check_run(**changes), "check_run")
