"""Comments and statuses: one of ours, edited; nothing of others is touched."""

import pytest

from tasks.clients.github import GithubClient, UnknownOutcomeError
from tasks.domain.code_host import CommitStatus, StatusState
from tasks.errors import PermanentError
from tests.fakes.github import REPOSITORY, FakeGithub

KEY = "triage"


def _theirs(fake: FakeGithub, body: str) -> int:
    fake.comments[1] = {"id": 1, "issue": 5, "html_url": "", "body": body, "user": {"login": "mallory"}}
    return 1


def test_a_comment_of_others_with_our_marker_is_not_edited(github: GithubClient, fake: FakeGithub) -> None:
    number = _theirs(fake, "<!-- healflow:triage -->\nclick here")
    posted = github.comments.post(REPOSITORY, 5, KEY, "text")
    assert posted.comment_id != number
    assert fake.comments[number]["body"].endswith("click here")


def test_a_comment_without_our_marker_is_not_deleted(github: GithubClient, fake: FakeGithub) -> None:
    number = _theirs(fake, "hello")
    with pytest.raises(PermanentError, match="is not ours"):
        github.comments.restore(REPOSITORY, number, None)
    assert number in fake.comments
    assert fake.writes == []


@pytest.mark.parametrize("key", ["", "a b", "-->", "A", "x" * 65])
def test_a_key_that_could_close_the_marker_is_refused(github: GithubClient, fake: FakeGithub, key: str) -> None:
    with pytest.raises(PermanentError, match="is not a key"):
        github.comments.post(REPOSITORY, 5, key, "text")
    assert fake.comments == {}


def test_a_lost_answer_posts_no_second_comment(github: GithubClient, fake: FakeGithub) -> None:
    fake.fail("POST", ".*/comments", 502, after=True)
    github.comments.post(REPOSITORY, 5, KEY, "text")
    assert len(fake.comments) == 1
    assert len(fake.writes) == 1


def test_a_comment_that_was_not_posted_is_said(github: GithubClient, fake: FakeGithub) -> None:
    fake.fail("POST", ".*/comments", 502)
    with pytest.raises(UnknownOutcomeError):
        github.comments.post(REPOSITORY, 5, KEY, "text")
    assert fake.comments == {}


def test_the_one_comment_is_edited(github: GithubClient, fake: FakeGithub) -> None:
    first = github.comments.post(REPOSITORY, 5, KEY, "one")
    assert first.previous_body is None
    second = github.comments.post(REPOSITORY, 5, KEY, "two")
    assert second.comment_id == first.comment_id
    assert second.previous_body == first.body
    assert [one["body"] for one in fake.comments.values()] == ["<!-- healflow:triage -->\ntwo"]


def test_our_comment_is_found_behind_many_others(github: GithubClient, fake: FakeGithub) -> None:
    for number in range(1, 151):
        fake.comments[number] = {"id": number, "issue": 5, "body": "hi", "user": {"login": "ada"}}
    first = github.comments.post(REPOSITORY, 5, KEY, "one")
    assert github.comments.post(REPOSITORY, 5, KEY, "two").comment_id == first.comment_id


def test_undo_restores_the_text_or_deletes_the_comment(github: GithubClient, fake: FakeGithub) -> None:
    first = github.comments.post(REPOSITORY, 5, KEY, "one")
    second = github.comments.post(REPOSITORY, 5, KEY, "two")
    github.comments.restore(REPOSITORY, second.comment_id, second.previous_body)
    assert fake.comments[first.comment_id]["body"] == first.body
    fake.fail("DELETE", ".*", 502, after=True)
    github.comments.restore(REPOSITORY, first.comment_id, None)
    github.comments.restore(REPOSITORY, first.comment_id, None)
    assert fake.comments == {}


def test_a_long_text_is_cut_to_what_github_takes(github: GithubClient, fake: FakeGithub) -> None:
    github.comments.post(REPOSITORY, 5, KEY, "x" * 70_000)
    assert len(next(iter(fake.comments.values()))["body"]) == 60_000


STATUS = CommitStatus(context="healflow/triage", state=StatusState.FAILURE, description="ci.lint")


def test_a_status_on_a_commit_that_is_gone_is_refused(github: GithubClient, fake: FakeGithub) -> None:
    with pytest.raises(PermanentError, match="No commit found"):
        github.statuses.mark(REPOSITORY, "a" * 40, STATUS)
    assert fake.statuses == {}


def test_a_status_whose_answer_was_lost_is_set_once(github: GithubClient, fake: FakeGithub) -> None:
    fake.fail("POST", ".*/statuses/.*", 502, after=True)
    assert github.statuses.mark(REPOSITORY, fake.refs["main"], STATUS) == STATUS
    assert len(fake.writes) == 1


def test_the_same_status_is_not_set_again(github: GithubClient, fake: FakeGithub) -> None:
    commit = fake.refs["main"]
    github.statuses.mark(REPOSITORY, commit, STATUS)
    github.statuses.mark(REPOSITORY, commit, STATUS)
    assert len(fake.statuses[commit]) == 1


def test_the_newest_status_of_the_context_counts(github: GithubClient, fake: FakeGithub) -> None:
    commit = fake.refs["main"]
    github.statuses.mark(REPOSITORY, commit, STATUS)
    github.statuses.mark(REPOSITORY, commit, STATUS.model_copy(update={"state": StatusState.SUCCESS}))
    github.statuses.mark(REPOSITORY, commit, STATUS.model_copy(update={"context": "other"}))
    newest = github.statuses.newest(REPOSITORY, commit, "healflow/triage")
    assert newest is not None
    assert newest.state is StatusState.SUCCESS
    assert github.statuses.newest(REPOSITORY, commit, "absent") is None


def test_a_long_description_is_cut_to_what_github_takes(github: GithubClient, fake: FakeGithub) -> None:
    commit = fake.refs["main"]
    github.statuses.mark(REPOSITORY, commit, STATUS.model_copy(update={"description": "x" * 500}))
    assert len(fake.statuses[commit][0]["description"]) == 140
