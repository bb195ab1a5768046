"""The commits since the last green run, newest first, with their files."""

import pytest

from tasks.clients.github import GithubClient
from tasks.errors import NotFoundError, PermanentError
from tests.fakes.github import REPOSITORY, FakeGithub


def test_a_commit_that_is_gone_is_said(github: GithubClient, fake: FakeGithub) -> None:
    with pytest.raises(NotFoundError):
        github.changes.between(REPOSITORY, "a" * 40, fake.refs["main"])
    with pytest.raises(PermanentError):
        github.changes.between(REPOSITORY, None, "a" * 40)


def test_a_name_is_no_commit(github: GithubClient, fake: FakeGithub) -> None:
    with pytest.raises(PermanentError, match="full id of a commit"):
        github.changes.between(REPOSITORY, "main", fake.refs["main"])
    assert fake.requests == []


def test_nothing_changed_is_nothing(github: GithubClient, fake: FakeGithub) -> None:
    tip = fake.refs["main"]
    assert github.changes.between(REPOSITORY, tip, tip) == ()


def test_without_a_green_run_the_commit_stands_alone(github: GithubClient, fake: FakeGithub) -> None:
    tip = fake.commit("main", {"a.py": "1"}, message="One\n\nbody")
    (change,) = github.changes.between(REPOSITORY, None, tip)
    assert (change.commit, change.summary, change.files, change.author) == (tip, "One", ("a.py",), "Ada")


def test_commits_come_newest_first_with_their_files(github: GithubClient, fake: FakeGithub) -> None:
    good = fake.refs["main"]
    first = fake.commit("main", {"a.py": "1"}, message="One \x1b[31m")
    second = fake.commit("main", {"b/c.py": "1", "shop.py": "2"}, message="Two")
    found = github.changes.between(REPOSITORY, good, second)
    assert [(change.commit, change.files) for change in found] == [
        (second, ("b/c.py", "shop.py")),
        (first, ("a.py",)),
    ]
    assert found[1].summary == "One  [31m"


def test_of_many_commits_the_newest_are_kept(github: GithubClient, fake: FakeGithub) -> None:
    good = fake.refs["main"]
    commits = [fake.commit("main", {"n": str(number)}) for number in range(105)]
    found = github.changes.between(REPOSITORY, good, commits[-1], limit=12)
    assert [change.commit for change in found] == list(reversed(commits[-12:]))
