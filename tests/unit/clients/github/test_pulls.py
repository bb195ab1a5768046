"""One pull request per branch of ours, into the branch that was named and no other."""

import pytest

from tasks.clients.github import GithubClient, UnknownOutcomeError
from tasks.errors import NotFoundError, PermanentError
from tests.fakes.github import REPOSITORY, FakeGithub

BRANCH = "healflow/inc-1"


@pytest.fixture
def fix(fake: FakeGithub) -> str:
    fake.refs["feature"] = fake.refs["main"]
    fake.commit("feature", {"a": "1"})
    fake.refs[BRANCH] = fake.refs["feature"]
    return fake.commit(BRANCH, {"a": "2"})


def _open(github: GithubClient, base: str = "feature", title: str = "Heal it", body: str = "why") -> int:
    pull = github.pulls.open_or_update(REPOSITORY, head_branch=BRANCH, base_branch=base, title=title, body=body)
    return pull.number


def test_a_pull_request_from_a_branch_of_others_is_not_opened(github: GithubClient, fake: FakeGithub, fix: str) -> None:
    with pytest.raises(PermanentError, match="not a branch of ours"):
        github.pulls.open_or_update(REPOSITORY, head_branch="feature", base_branch="main", title="t", body="b")
    assert fake.writes == []


@pytest.mark.parametrize("gone", ["feature", BRANCH])
def test_a_deleted_branch_opens_nothing_and_falls_back_to_nothing(
    github: GithubClient, fake: FakeGithub, fix: str, gone: str
) -> None:
    del fake.refs[gone]
    with pytest.raises(NotFoundError, match="does not exist any more: no pull request was opened"):
        _open(github)
    assert fake.writes == []


def test_a_fix_without_a_change_is_refused(github: GithubClient, fake: FakeGithub, fix: str) -> None:
    fake.refs[BRANCH] = fake.refs["feature"]
    with pytest.raises(PermanentError, match="No commits between feature and healflow/inc-1"):
        _open(github)
    assert fake.pulls == {}


def test_a_pull_request_of_others_is_neither_closed_nor_edited(
    github: GithubClient, fake: FakeGithub, fix: str
) -> None:
    number = _open(github)
    fake.pulls[number]["head"]["ref"] = "theirs"
    sent = len(fake.writes)
    with pytest.raises(PermanentError, match="left alone"):
        github.pulls.close(REPOSITORY, number)
    with pytest.raises(PermanentError, match="left alone"):
        github.pulls.restore(REPOSITORY, github.pulls.read(REPOSITORY, number))
    assert len(fake.writes) == sent


def test_a_merged_pull_request_is_not_closed(github: GithubClient, fake: FakeGithub, fix: str) -> None:
    number = _open(github)
    fake.pulls[number].update(state="closed", merged=True)
    with pytest.raises(PermanentError, match="revert it by hand"):
        github.pulls.close(REPOSITORY, number)


def test_a_lost_answer_opens_no_second_one(github: GithubClient, fake: FakeGithub, fix: str) -> None:
    fake.fail("POST", ".*/pulls", 502, after=True)
    number = _open(github)
    assert list(fake.pulls) == [number]
    assert len(fake.writes) == 1


def test_one_that_was_not_opened_is_said(github: GithubClient, fake: FakeGithub, fix: str) -> None:
    fake.fail("POST", ".*/pulls", 502)
    with pytest.raises(UnknownOutcomeError):
        _open(github)
    assert fake.pulls == {}
    assert len(fake.writes) == 1


def test_an_existing_one_is_updated_and_not_doubled(github: GithubClient, fake: FakeGithub, fix: str) -> None:
    number = _open(github, base="main")
    assert _open(github, title="Better", body="more") == number
    assert len(fake.pulls) == 1
    known = github.pulls.read(REPOSITORY, number)
    assert (known.title, known.body, known.base_branch) == ("Better", "more", "feature")


def test_the_same_again_writes_nothing(github: GithubClient, fake: FakeGithub, fix: str) -> None:
    _open(github)
    sent = len(fake.writes)
    _open(github)
    assert len(fake.writes) == sent


def test_it_goes_into_the_branch_that_was_named(github: GithubClient, fake: FakeGithub, fix: str) -> None:
    assert github.pulls.read(REPOSITORY, _open(github)).base_branch == "feature"


def test_a_lost_answer_to_an_edit_is_looked_for(github: GithubClient, fake: FakeGithub, fix: str) -> None:
    number = _open(github)
    fake.fail("PATCH", r".*/pulls/\d+", 502, after=True)
    assert _open(github, title="Better") == number
    assert len(fake.writes) == 2


def test_closing_twice_is_fine(github: GithubClient, fake: FakeGithub, fix: str) -> None:
    number = _open(github)
    assert not github.pulls.close(REPOSITORY, number).open
    assert not github.pulls.close(REPOSITORY, number).open
    assert github.pulls.find(REPOSITORY, BRANCH) is None


def test_a_conflict_is_seen(github: GithubClient, fake: FakeGithub, fix: str) -> None:
    number = _open(github)
    assert github.pulls.read(REPOSITORY, number).conflicts is None
    fake.pulls[number]["mergeable"] = False
    assert github.pulls.read(REPOSITORY, number).conflicts is True


def test_the_pull_request_of_a_run_is_found_by_number_and_by_branch(
    github: GithubClient, fake: FakeGithub, fix: str
) -> None:
    number = _open(github)
    commit = fake.refs["main"]
    by_number = fake.run(commit, branch="elsewhere", pull_requests=(number,))
    by_branch = fake.run(commit, branch=BRANCH)
    without = fake.run(commit, branch="elsewhere")
    for run, wanted in ((by_number, number), (by_branch, number), (without, None)):
        found = github.pulls.of_run(github.runs.read(REPOSITORY, str(run)))
        assert (found.number if found else None) == wanted
