"""What is done on GitHub is done once, and taken back whole."""

from pathlib import Path

import pytest

from tasks.act import apply, comment_action, preflight, status_action, undo, verify_undone
from tasks.act.taking_back import take_back_results
from tasks.clients.github import UnknownOutcomeError
from tasks.domain.code_host import StatusState
from tasks.domain.outcome import ActionStatus
from tests.unit.act.conftest import TEXT, comment, pull_request, rerun, status
from tests.unit.act.hosted import BRANCH, Hosted, commit, git
from tests.unit.act.test_actions import _context


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
