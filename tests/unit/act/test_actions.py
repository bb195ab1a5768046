"""Actions do what was approved, once, on a branch of their own, and can be taken back without loss."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.act import (
    ACTIONS,
    ActContext,
    apply,
    check_action,
    close_checkout,
    fix_tip,
    merge_action,
    open_checkout,
    preflight,
    undo,
    verify_undone,
)
from tasks.act import patching as patching_module
from tasks.clients.workspace import Workspace
from tasks.domain.incident import Incident, RunRef, Signal, SignalKind, SignalSource, open_incident
from tasks.domain.outcome import ActionStatus
from tasks.domain.plan import Action, Plan, Remedy, Risk, patch_digest
from tasks.errors import ConflictError, PermanentError

PATCH = "--- a/requirements.txt\n+++ b/requirements.txt\n@@ -1 +1,2 @@\n flask\n+PyYAML\n"
SECOND = "--- a/shop.py\n+++ b/shop.py\n@@ -1 +1 @@\n-x=1\n+x = 1\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    root = tmp_path / "repository"
    root.mkdir()
    _git(root, "init", "--quiet", "--initial-branch", "main")
    _commit(root, "requirements.txt", "flask\n")
    _commit(root, "shop.py", "x=1\n")
    return root


def _git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def _commit(root: Path, name: str, text: str) -> str:
    (root / name).write_text(text)
    _git(root, "add", "--all")
    _git(root, "commit", "--quiet", "--message", f"Write {name}")
    return _git(root, "rev-parse", "HEAD").strip()


def _incident(commit: str) -> Incident:
    signal = Signal(
        source=SignalSource.PIPELINE,
        kind=SignalKind.CI_RUN,
        delivery_id="d1",
        repository="local/shop",
        branch="main",
        commit=commit,
        run=RunRef(run_id="r1", workflow="CI"),
        title="CI failed",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return open_incident(signal, now=datetime(2026, 1, 1, tzinfo=UTC))


def _addition(patch: str = PATCH, **more: str) -> Action:
    parameters = {"module": "yaml", "requirement": "PyYAML", "file": "requirements.txt"}
    return Action(
        name=Remedy.ADD_DEPENDENCY,
        target="healflow/x",
        parameters={**parameters, "patch_sha256": patch_digest(patch), **more},
        risk=Risk.MEDIUM,
        summary="Add PyYAML to requirements.txt",
        undo="delete the branch",
        preview=patch,
    )


def _formatting() -> Action:
    return Action(
        name=Remedy.RUN_FORMATTER,
        target="healflow/x",
        parameters={"tool": "ruff format", "patch_sha256": patch_digest(SECOND)},
        risk=Risk.LOW,
        summary="Run ruff format",
        undo="delete the branch",
        preview=SECOND,
    )


def _context(tmp_path: Path, repository: Path, *actions: Action) -> ActContext:
    commit = _git(repository, "rev-parse", "main").strip()
    incident = _incident(commit)
    plan = Plan(
        incident_id=incident.id, playbook="ci.test.collect", rationale="r", actions=actions, target_state=commit
    )
    return ActContext(Workspace(tmp_path / "worktrees"), repository, incident, plan)


def _branches(repository: Path) -> list[str]:
    return _git(repository, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()


def test_an_unknown_action_is_refused() -> None:
    action = _addition().model_copy(update={"name": "run_shell"})
    with pytest.raises(PermanentError, match="is not an action"):
        check_action(action)


@pytest.mark.parametrize("parameters", [{"command": "id"}, {"shell": "x"}])
def test_a_parameter_that_no_schema_names_is_refused(parameters: dict[str, str]) -> None:
    with pytest.raises(PermanentError, match="Extra inputs"):
        check_action(_addition(**parameters))


def test_a_missing_parameter_is_refused() -> None:
    with pytest.raises(PermanentError, match="Field required"):
        check_action(_addition().model_copy(update={"parameters": {}}))


def test_an_action_cannot_understate_its_risk() -> None:
    with pytest.raises(PermanentError, match="at least the risk medium"):
        check_action(_addition().model_copy(update={"risk": Risk.NONE}))


def test_every_remedy_is_in_the_registry() -> None:
    assert set(ACTIONS) == set(Remedy)
    assert all(name == spec.name for name, spec in ACTIONS.items())


def test_a_patch_that_is_not_the_planned_one_is_refused(tmp_path: Path, repository: Path) -> None:
    action = _addition().model_copy(update={"preview": PATCH.replace("PyYAML", "evil")})
    context = _context(tmp_path, repository, action)
    with pytest.raises(PermanentError, match="not the one that was planned"):
        preflight(context, action)
    assert _branches(repository) == ["main"]


def test_a_branch_that_moved_voids_the_plan(tmp_path: Path, repository: Path) -> None:
    action = _addition()
    context = _context(tmp_path, repository, action)
    _commit(repository, "shop.py", "x=2\n")
    with pytest.raises(ConflictError, match="the plan is void"):
        preflight(context, action)
    assert _branches(repository) == ["main"]


def test_a_patch_that_does_not_apply_leaves_nothing_behind(tmp_path: Path, repository: Path) -> None:
    action = _addition(PATCH.replace(" flask", " django"))
    context = _context(tmp_path, repository, action)
    result = apply(context, action, preflight(context, action))
    assert result.status is ActionStatus.FAILED
    assert "does not apply" in result.message
    assert _branches(repository) == ["main"]
    assert len(_git(repository, "worktree", "list").splitlines()) == 1


def test_the_approved_patch_becomes_one_commit_and_the_work_tree_stays(tmp_path: Path, repository: Path) -> None:
    (repository / "requirements.txt").write_text("unsaved\n")
    action = _addition()
    context = _context(tmp_path, repository, action)
    result = apply(context, action, preflight(context, action))
    assert result.status is ActionStatus.APPLIED
    assert _git(repository, "show", f"{context.branch}:requirements.txt") == "flask\nPyYAML\n"
    assert _git(repository, "rev-list", "--count", f"main..{context.branch}").strip() == "1"
    assert f"Healflow-Incident: {context.incident.id}" in _git(repository, "log", "-1", "--format=%B", context.branch)
    assert (repository / "requirements.txt").read_text() == "unsaved\n"


def test_an_action_that_was_interrupted_is_not_taken_twice(tmp_path: Path, repository: Path) -> None:
    action = _addition()
    context = _context(tmp_path, repository, action)
    pre_image = preflight(context, action)
    first = apply(context, action, pre_image)
    assert preflight(context, action) == pre_image
    second = apply(context, action, pre_image)
    assert second.status is ActionStatus.ALREADY_APPLIED
    assert second.post_image == first.post_image
    assert _git(repository, "rev-list", "--count", f"main..{context.branch}").strip() == "1"
    assert undo(context, action, second).status is ActionStatus.UNDONE
    assert verify_undone(context, second)


def test_an_attempt_that_died_before_its_commit_is_finished(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = _addition()
    context = _context(tmp_path, repository, action)
    pre_image = preflight(context, action)

    def die(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(patching_module, "_message", die)
        with pytest.raises(KeyboardInterrupt):
            apply(context, action, pre_image)
    assert apply(context, action, preflight(context, action)).status is ActionStatus.APPLIED
    assert _git(repository, "show", f"{context.branch}:requirements.txt") == "flask\nPyYAML\n"


def test_commits_of_others_on_our_branch_are_not_built_upon(tmp_path: Path, repository: Path) -> None:
    action = _addition()
    context = _context(tmp_path, repository, action)
    pre_image = preflight(context, action)
    _git(repository, "checkout", "--quiet", "-b", context.branch)
    theirs = _commit(repository, "theirs.txt", "x\n")
    _git(repository, "checkout", "--quiet", "main")
    with pytest.raises(ConflictError, match="not of this plan"):
        apply(context, action, pre_image)
    assert fix_tip(context) == theirs


def test_undo_deletes_the_branch_and_is_verified(tmp_path: Path, repository: Path) -> None:
    action = _addition()
    context = _context(tmp_path, repository, action)
    result = apply(context, action, preflight(context, action))
    assert not verify_undone(context, result)
    assert undo(context, action, result).status is ActionStatus.UNDONE
    assert verify_undone(context, result)
    assert undo(context, action, result).status is ActionStatus.UNDONE
    assert _branches(repository) == ["main"]
    assert not (tmp_path / "worktrees" / context.incident.id).exists()


def test_undo_refuses_when_someone_else_moved_the_branch(tmp_path: Path, repository: Path) -> None:
    action = _addition()
    context = _context(tmp_path, repository, action)
    result = apply(context, action, preflight(context, action))
    close_checkout(context)
    _git(repository, "checkout", "--quiet", context.branch)
    theirs = _commit(repository, "theirs.txt", "x\n")
    _git(repository, "checkout", "--quiet", "main")
    with pytest.raises(ConflictError, match="left as it is"):
        undo(context, action, result)
    assert fix_tip(context) == theirs
    assert not verify_undone(context, result)


def test_two_actions_are_undone_in_reverse(tmp_path: Path, repository: Path) -> None:
    actions = (_addition(), _formatting())
    context = _context(tmp_path, repository, *actions)
    results = [apply(context, action, preflight(context, action)) for action in actions]
    assert _git(repository, "rev-list", "--count", f"main..{context.branch}").strip() == "2"
    undo(context, actions[1], results[1])
    assert verify_undone(context, results[1])
    assert not verify_undone(context, results[0])
    undo(context, actions[0], results[0])
    assert verify_undone(context, results[0])


def test_a_checkout_for_verification_is_clean_and_holds_the_fix(tmp_path: Path, repository: Path) -> None:
    action = _addition()
    context = _context(tmp_path, repository, action)
    assert (open_checkout(context) / "requirements.txt").read_text() == "flask\n"
    apply(context, action, preflight(context, action))
    checkout = open_checkout(context)
    (checkout / "debris.txt").write_text("x")
    checkout = open_checkout(context)
    assert (checkout / "requirements.txt").read_text() == "flask\nPyYAML\n"
    assert not (checkout / "debris.txt").exists()


def test_a_fix_is_merged_when_that_was_approved_and_taken_back(tmp_path: Path, repository: Path) -> None:
    action = _addition()
    context = _context(tmp_path, repository, action)
    made = apply(context, action, preflight(context, action))
    merge = merge_action(context, proven_tip=fix_tip(context) or "")
    merged = apply(context, merge, preflight(context, merge))
    assert merged.status is ActionStatus.APPLIED
    assert (repository / "requirements.txt").read_text() == "flask\nPyYAML\n"
    assert not verify_undone(context, merged)
    assert apply(context, merge, preflight(context, merge)).status is ActionStatus.ALREADY_APPLIED
    assert undo(context, merge, merged).status is ActionStatus.UNDONE
    assert verify_undone(context, merged)
    undo(context, action, made)
    assert (repository / "requirements.txt").read_text() == "flask\n"
    assert _branches(repository) == ["main"]


def test_a_resumed_heal_takes_its_own_merge_for_no_foreign_move(tmp_path: Path, repository: Path) -> None:
    action = _addition()
    context = _context(tmp_path, repository, action)
    apply(context, action, preflight(context, action))
    merge = merge_action(context, proven_tip=fix_tip(context) or "")
    apply(context, merge, preflight(context, merge))
    assert apply(context, action, preflight(context, action)).status is ActionStatus.ALREADY_APPLIED


def test_a_merge_under_later_work_is_reverted_and_that_is_seen(tmp_path: Path, repository: Path) -> None:
    action = _addition()
    context = _context(tmp_path, repository, action)
    apply(context, action, preflight(context, action))
    merge = merge_action(context, proven_tip=fix_tip(context) or "")
    merged = apply(context, merge, preflight(context, merge))
    _commit(repository, "shop.py", "x=3\n")
    assert not verify_undone(context, merged)
    undo(context, merge, merged)
    assert verify_undone(context, merged)
    assert (repository / "requirements.txt").read_text() == "flask\n"
    assert (repository / "shop.py").read_text() == "x=3\n"


def test_a_fix_is_not_merged_into_work_it_was_not_proven_with(tmp_path: Path, repository: Path) -> None:
    action = _addition()
    context = _context(tmp_path, repository, action)
    apply(context, action, preflight(context, action))
    merge = merge_action(context, proven_tip=fix_tip(context) or "")
    later = _commit(repository, "shop.py", "x=2\n")
    with pytest.raises(ConflictError, match="merge it yourself"):
        preflight(context, merge)
    assert _git(repository, "rev-parse", "main").strip() == later


def test_uncommitted_work_keeps_the_fix_unmerged(tmp_path: Path, repository: Path) -> None:
    action = _addition()
    context = _context(tmp_path, repository, action)
    apply(context, action, preflight(context, action))
    (repository / "shop.py").write_text("unsaved\n")
    merge = merge_action(context, proven_tip=fix_tip(context) or "")
    result = apply(context, merge, preflight(context, merge))
    assert result.status is ActionStatus.FAILED
    assert "uncommitted work" in result.message
    assert (repository / "shop.py").read_text() == "unsaved\n"


def test_a_report_changes_nothing(tmp_path: Path, repository: Path) -> None:
    action = Action(name=Remedy.REPORT_ONLY, target="x", risk=Risk.NONE, summary="Report", undo="nothing")
    context = _context(tmp_path, repository, action)
    result = apply(context, action, preflight(context, action))
    assert result.status is ActionStatus.APPLIED
    assert undo(context, action, result).status is ActionStatus.UNDONE
    assert verify_undone(context, result)
    assert _branches(repository) == ["main"]


def _bump(bumps: str) -> Action:
    return Action(
        name=Remedy.BUMP_DEPENDENCY,
        target="healflow/x",
        parameters={"bumps": bumps, "patch_sha256": patch_digest(PATCH)},
        risk=Risk.MEDIUM,
        summary="Bump flask from 1.0 to 1.1 in requirements.txt",
        undo="delete the branch",
        preview=PATCH,
    )


@pytest.mark.parametrize(
    "bumps", ["", "[]", "flask", '{"package": "a"}', '[{"package": "a"}]', '[{"package": "", "x": 1}]']
)
def test_a_bump_that_does_not_say_what_is_bumped_is_refused(bumps: str) -> None:
    with pytest.raises(PermanentError, match="are refused"):
        check_action(_bump(bumps))


def test_a_bump_is_applied_and_taken_back(tmp_path: Path, repository: Path) -> None:
    action = _bump('[{"package": "flask", "installed": "1.0", "to": "1.1", "file": "requirements.txt"}]')
    context = _context(tmp_path, repository, action)
    result = apply(context, action, preflight(context, action))
    assert result.status is ActionStatus.APPLIED
    assert "PyYAML" in _git(repository, "show", f"{context.branch}:requirements.txt")
    assert "PyYAML" not in (repository / "requirements.txt").read_text()
    assert verify_undone(context, undo(context, action, result))
    assert _branches(repository) == ["main"]
