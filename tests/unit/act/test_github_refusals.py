"""What is refused on GitHub leaves nothing there."""

import pytest

from tasks.act import ActContext, apply, comment_action, preflight, undo, verify_undone
from tasks.act.taking_back import take_back_results
from tasks.domain.outcome import ActionStatus
from tasks.errors import ConflictError, PermanentError
from tests.unit.act.conftest import ALL, TEXT, Make, comment, pull_request, rerun, untouched
from tests.unit.act.hosted import BRANCH, Hosted


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
