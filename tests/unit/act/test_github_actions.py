"""Actions on GitHub: what must not be written first, then that each is taken once and can be taken back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.act import (
    ActContext,
    apply,
    comment_action,
    preflight,
    pull_request_action,
    status_action,
    undo,
    verify_undone,
)
from tasks.act.taking_back import take_back_results
from tasks.clients.github import UnknownOutcomeError
from tasks.domain.code_host import StatusState
from tasks.domain.outcome import ActionStatus
from tasks.domain.plan import Action, Remedy, Risk
from tasks.errors import ConflictError, PermanentError
from tests.fakes.github import FakeGithub, serving
from tests.unit.act.hosted import BRANCH, Hosted, commit, git
from tests.unit.act.test_actions import _context
from tests.unit.clients.github.conftest import client_of

TEXT = "The job **lint** failed."


@pytest.fixture
def fake() -> Iterator[FakeGithub]:
    with serving() as github:
        github.commit("main", {"readme": "r"})
        yield github


@pytest.fixture
def hosted(fake: FakeGithub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    monkeypatch.setenv("HOME", str(tmp_path))
    with client_of(fake) as client:
        yield Hosted(fake, client, tmp_path)


def rerun(_context: ActContext, hosted: Hosted) -> Action:
    parameters = {"run_id": str(hosted.run_id), "jobs": '["lint"]'}
    return Action(
        name=Remedy.RERUN_FAILED_JOBS,
        target="r",
        parameters=parameters,
        risk=Risk.LOW,
        summary="Re-run",
        undo="nothing",
    )


def pull_request(context: ActContext, hosted: Hosted, *, proven: bool = True, text: str = TEXT) -> Action:
    tip = hosted.workspace.branch_tip(hosted.root, context.branch) or hosted.fix(context)
    return pull_request_action(context, tip=tip, title="Run ruff format", text=text, proven=proven)


def comment(context: ActContext, hosted: Hosted) -> Action:
    return comment_action(context, pull_request=hosted.pull_request, text=TEXT)


def status(context: ActContext, _hosted: Hosted) -> Action:
    return status_action(context, state=StatusState.FAILURE, description="ci.lint: badly formatted")


Make = Callable[[ActContext, Hosted], Action]
ALL = pytest.mark.parametrize("make", [rerun, pull_request, comment, status])


def untouched(hosted: Hosted) -> bool:
    return hosted.fake.writes == []


# ---- refusals: the fake saw no write


@ALL
def test_a_run_that_the_event_calls_a_forks_is_not_acted_on(hosted: Hosted, make: Make) -> None:
    context = hosted.context(incident=hosted.incident(head_repository="mallory/shop"))
    action = make(context, hosted)
    with pytest.raises(PermanentError, match="comes from mallory/shop: it is explained, and never acted on"):
        preflight(context, action)
    assert untouched(hosted)


@ALL
@pytest.mark.parametrize("origin", ["mallory/shop", None])
def test_a_run_that_only_github_knows_to_be_a_forks_is_not_acted_on(
    hosted: Hosted, make: Make, origin: str | None
) -> None:
    hosted.fake.runs[hosted.run_id][0]["head_repository"] = {"full_name": origin} if origin else None
    context = hosted.context()
    action = make(context, hosted)
    with pytest.raises(PermanentError, match="never acted on with our credentials"):
        preflight(context, action)
    assert untouched(hosted)


@ALL
def test_a_run_of_another_commit_voids_the_plan(hosted: Hosted, make: Make) -> None:
    context = hosted.context()
    action = make(context, hosted)
    hosted.fake.runs[hosted.run_id][0]["head_sha"] = "b" * 40
    with pytest.raises(ConflictError, match="the plan of"):
        preflight(context, action)
    assert untouched(hosted)


@ALL
def test_without_a_client_nothing_is_done(hosted: Hosted, make: Make) -> None:
    known = hosted.context()
    context = ActContext(known.workspace, known.repository, known.incident, known.plan)
    action = make(context, hosted)
    with pytest.raises(PermanentError, match="nothing to write to"):
        preflight(context, action)
    assert hosted.fake.requests == []


@pytest.mark.parametrize("make", [rerun, pull_request])
def test_a_failing_branch_that_moved_voids_the_plan(hosted: Hosted, make: Make) -> None:
    context = hosted.context()
    action = make(context, hosted)
    hosted.fake.commit(BRANCH, {"later": "x"})
    with pytest.raises(ConflictError, match="the plan is void: feature was at"):
        preflight(context, action)
    assert untouched(hosted)


@pytest.mark.parametrize("make", [rerun, pull_request])
def test_a_failing_branch_that_was_deleted_voids_the_plan(hosted: Hosted, make: Make) -> None:
    context = hosted.context()
    action = make(context, hosted)
    del hosted.fake.refs[BRANCH]
    with pytest.raises(ConflictError, match="was deleted"):
        preflight(context, action)
    assert untouched(hosted)


def test_a_rerun_of_another_run_is_refused(hosted: Hosted) -> None:
    context = hosted.context()
    action = rerun(context, hosted).model_copy(update={"parameters": {"run_id": "5", "jobs": "[]"}})
    with pytest.raises(PermanentError, match="the plan names run '5'"):
        preflight(context, action)
    assert untouched(hosted)


def test_a_run_that_goes_on_is_not_run_again(hosted: Hosted) -> None:
    hosted.fake.runs[hosted.run_id][0].update(status="in_progress", conclusion=None)
    context = hosted.context()
    with pytest.raises(ConflictError, match="someone runs it again"):
        preflight(context, rerun(context, hosted))
    assert untouched(hosted)


def test_a_rerun_without_the_permission_starts_nothing(hosted: Hosted) -> None:
    hosted.fake.permissions["actions"] = "read"
    context = hosted.context()
    action = rerun(context, hosted)
    with pytest.raises(PermanentError, match="'actions: write'"):
        apply(context, action, preflight(context, action))
    assert len(hosted.fake.runs[hosted.run_id]) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"base": "main"}, "not the branch that failed"),
        ({"head": "healflow/other"}, "not the branch of"),
        ({"tip": "b" * 40}, "no longer at"),
    ],
)
def test_a_pull_request_goes_nowhere_else(hosted: Hosted, change: dict[str, str], told: str) -> None:
    context = hosted.context()
    action = pull_request(context, hosted)
    changed = action.model_copy(update={"parameters": {**action.parameters, **change}})
    with pytest.raises((PermanentError, ConflictError), match=told):
        preflight(context, changed)
    assert untouched(hosted)


@pytest.mark.parametrize("make", [pull_request, comment])
def test_a_text_that_is_not_the_planned_one_is_refused(hosted: Hosted, make: Make) -> None:
    context = hosted.context()
    action = make(context, hosted).model_copy(update={"preview": "other"})
    with pytest.raises(PermanentError, match="is not the one that was planned"):
        preflight(context, action)
    assert untouched(hosted)


def test_a_patch_over_work_of_others_on_our_branch_is_refused(hosted: Hosted) -> None:
    context = hosted.context()
    theirs = hosted.fake.commit(context.branch, {"theirs": "x"})
    action = pull_request(context, hosted)
    result = apply(context, action, preflight(context, action))
    assert result.status is ActionStatus.FAILED
    assert "not ours" in result.message
    assert hosted.fake.refs[context.branch] == theirs
    assert len(hosted.fake.pulls) == 1


def test_a_pull_request_that_is_refused_leaves_no_branch(hosted: Hosted) -> None:
    hosted.fake.permissions["pulls"] = "read"
    context = hosted.context()
    action = pull_request(context, hosted)
    result = apply(context, action, preflight(context, action))
    assert result.status is ActionStatus.FAILED
    assert "pull requests: write" in result.message
    assert set(hosted.fake.refs) == {"main", BRANCH}
    assert undo(context, action, result).status is ActionStatus.UNDONE


def test_a_comment_goes_only_to_the_pull_request_of_the_run(hosted: Hosted) -> None:
    context = hosted.context()
    action = comment_action(context, pull_request=1, text=TEXT)
    with pytest.raises(PermanentError, match="is not of pull request"):
        preflight(context, action)
    assert untouched(hosted)


def test_a_pull_request_of_a_fork_is_not_commented_on(hosted: Hosted) -> None:
    hosted.fake.runs[hosted.run_id][0]["pull_requests"] = [{"number": hosted.pull_request, "base": {"repo": {"id": 1}}}]
    hosted.fake.pulls[hosted.pull_request]["head"]["repo"] = {"full_name": "mallory/shop"}
    context = hosted.context()
    with pytest.raises(PermanentError, match="comes from a fork"):
        preflight(context, comment(context, hosted))
    assert untouched(hosted)


def test_undo_keeps_what_others_put_on_our_branch(hosted: Hosted) -> None:
    context = hosted.context()
    action = pull_request(context, hosted)
    result = apply(context, action, preflight(context, action))
    theirs = hosted.fake.commit(context.branch, {"theirs": "x"})
    with pytest.raises(ConflictError, match="left as it is"):
        undo(context, action, result)
    assert hosted.fake.refs[context.branch] == theirs
    assert not verify_undone(context, result)


def test_undo_of_a_merged_pull_request_is_left_to_a_person(hosted: Hosted) -> None:
    context = hosted.context()
    action = pull_request(context, hosted)
    result = apply(context, action, preflight(context, action))
    opened = next(one for one in hosted.fake.pulls.values() if one["head"]["ref"] == context.branch)
    opened.update(state="closed", merged=True)
    taken = take_back_results(context, (), (result,))
    assert not taken.complete
    assert "revert it by hand" in taken.problem


# ---- what is done, once


def test_failed_jobs_are_run_again_once(hosted: Hosted) -> None:
    context = hosted.context()
    action = rerun(context, hosted)
    pre_image = preflight(context, action)
    first = apply(context, action, pre_image)
    assert first.status is ActionStatus.APPLIED
    assert preflight(context, action) == pre_image
    assert apply(context, action, pre_image).status is ActionStatus.ALREADY_APPLIED
    assert len(hosted.fake.runs[hosted.run_id]) == 2
    assert len(hosted.fake.writes) == 1


def test_a_rerun_whose_answer_was_lost_is_not_repeated(hosted: Hosted) -> None:
    context = hosted.context()
    action = rerun(context, hosted)
    pre_image = preflight(context, action)
    hosted.fake.fail("POST", ".*rerun-failed-jobs", 502)
    with pytest.raises(UnknownOutcomeError):
        apply(context, action, pre_image)
    assert apply(context, action, pre_image).status is ActionStatus.APPLIED
    assert len(hosted.fake.runs[hosted.run_id]) == 2


def test_the_proven_patch_becomes_a_pull_request_into_the_failing_branch(hosted: Hosted) -> None:
    context = hosted.context()
    action = pull_request(context, hosted)
    result = apply(context, action, preflight(context, action))
    assert result.status is ActionStatus.APPLIED
    assert "(proven)" in result.message
    tip = hosted.fake.refs[context.branch]
    assert hosted.fake.file(tip, "shop.py") == b"x = 1\n"
    assert hosted.fake.file(tip, "keep.txt") is None
    assert hosted.fake.commits[tip]["parents"] == [hosted.commit]
    assert f"Healflow-Incident: {context.incident.id}" in hosted.fake.commits[tip]["message"]
    opened = next(one for one in hosted.fake.pulls.values() if one["head"]["ref"] == context.branch)
    assert (opened["base"]["ref"], opened["title"], opened["body"]) == (BRANCH, "Run ruff format", TEXT)
    assert hosted.fake.refs[BRANCH] == hosted.commit


def test_what_is_not_proven_says_so(hosted: Hosted) -> None:
    context = hosted.context()
    action = pull_request(context, hosted, proven=False)
    assert "(not_proven)" in apply(context, action, preflight(context, action)).message


@pytest.mark.parametrize("lost", ["git/refs", "pulls"])
def test_a_pull_request_whose_answer_was_lost_is_not_doubled(hosted: Hosted, lost: str) -> None:
    context = hosted.context()
    action = pull_request(context, hosted)
    hosted.fake.fail("POST", f".*/{lost}", 502, after=True)
    pre_image = preflight(context, action)
    first = apply(context, action, pre_image)
    assert apply(context, action, pre_image).post_image == first.post_image
    assert len(hosted.fake.pulls) == 2


def test_a_pull_request_is_taken_back_whole_and_again_is_fine(hosted: Hosted) -> None:
    context = hosted.context()
    action = pull_request(context, hosted)
    result = apply(context, action, preflight(context, action))
    assert not verify_undone(context, result)
    taken = take_back_results(context, (), (result,))
    assert taken.complete
    assert set(hosted.fake.refs) == {"main", BRANCH}
    assert hosted.fake.pulls[hosted.pull_request]["state"] == "open"
    assert take_back_results(context, (), (result,)).complete


def test_another_text_updates_the_pull_request_and_its_undo_gives_the_earlier_one_back(hosted: Hosted) -> None:
    context = hosted.context()
    action = pull_request(context, hosted)
    first = apply(context, action, preflight(context, action))
    tip = hosted.fake.refs[context.branch]
    again = pull_request(context, hosted, text="More is known now.")
    second = apply(context, again, preflight(context, again))
    assert second.status is ActionStatus.APPLIED
    assert len(hosted.fake.pulls) == 2
    assert hosted.fake.refs[context.branch] == tip
    assert not verify_undone(context, second)
    assert take_back_results(context, (), (first, second)).complete
    assert set(hosted.fake.refs) == {"main", BRANCH}


def test_another_fix_replaces_our_own_earlier_commit(hosted: Hosted) -> None:
    context = hosted.context()
    action = pull_request(context, hosted)
    apply(context, action, preflight(context, action))
    folder = hosted.workspace.prepare(
        hosted.root, name=context.worktree_name, commit=hosted.commit, branch=context.branch
    )
    (folder / "shop.py").write_text("x = 2\n")
    hosted.workspace.commit_all(folder, message="Better", trailers={"Healflow-Incident": "i"})
    hosted.workspace.remove(hosted.root, context.worktree_name)
    again = pull_request(context, hosted)
    result = apply(context, again, preflight(context, again))
    assert result.status is ActionStatus.APPLIED
    assert hosted.fake.file(hosted.fake.refs[context.branch], "shop.py") == b"x = 2\n"
    assert len(hosted.fake.pulls) == 2


def test_the_triage_is_one_comment_that_is_edited_and_taken_back(hosted: Hosted) -> None:
    context = hosted.context()
    first = comment(context, hosted)
    written = apply(context, first, preflight(context, first))
    second = comment_action(context, pull_request=hosted.pull_request, text="More is known now.")
    edited = apply(context, second, preflight(context, second))
    (body,) = [one["body"] for one in hosted.fake.comments.values()]
    assert body.endswith("More is known now.")
    assert not verify_undone(context, edited)
    undo(context, second, edited)
    assert verify_undone(context, edited)
    assert next(iter(hosted.fake.comments.values()))["body"].endswith(TEXT)
    undo(context, first, written)
    assert verify_undone(context, written)
    assert hosted.fake.comments == {}


def test_a_later_triage_survives_the_undo_of_an_earlier_one(hosted: Hosted) -> None:
    context = hosted.context()
    action = comment(context, hosted)
    result = apply(context, action, preflight(context, action))
    later = hosted.client.comments.post("acme/shop", hosted.pull_request, "triage", "Another run failed.")
    assert "left as it is" in undo(context, action, result).message
    assert verify_undone(context, result)
    assert hosted.fake.comments[later.comment_id]["body"] == later.body


def test_the_commit_is_marked_and_the_mark_withdrawn(hosted: Hosted) -> None:
    context = hosted.context()
    action = status(context, hosted)
    result = apply(context, action, preflight(context, action))
    assert [one["state"] for one in hosted.fake.statuses[hosted.commit]] == ["failure"]
    assert not verify_undone(context, result)
    undo(context, action, result)
    assert verify_undone(context, result)
    newest = hosted.fake.statuses[hosted.commit][-1]
    assert (newest["state"], newest["description"]) == ("pending", "Withdrawn by Healflow")


def test_an_earlier_mark_is_restored(hosted: Hosted) -> None:
    context = hosted.context()
    first = status(context, hosted)
    apply(context, first, preflight(context, first))
    second = status_action(context, state=StatusState.SUCCESS, description="healed")
    result = apply(context, second, preflight(context, second))
    undo(context, second, result)
    assert verify_undone(context, result)
    assert hosted.fake.statuses[hosted.commit][-1]["state"] == "failure"


def test_a_run_on_this_machine_is_still_run_again_by_its_verification(hosted: Hosted, tmp_path: Path) -> None:
    action = rerun(hosted.context(), hosted)
    (tmp_path / "local").mkdir()
    git(tmp_path / "local", "init", "--quiet", "--initial-branch", "main")
    commit(tmp_path / "local", {"a": "1"})
    context = _context(tmp_path, tmp_path / "local", action)
    assert apply(context, action, preflight(context, action)).status is ActionStatus.APPLIED
    assert hosted.fake.requests == []
