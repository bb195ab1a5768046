"""Only branches of ours are written to, and only from where they were seen."""

from datetime import UTC, datetime

import pytest

from tasks.clients.github import GithubClient, UnknownOutcomeError
from tasks.domain.code_host import FileChange, FileMode
from tasks.errors import ConflictError, NotFoundError, PermanentError
from tests.fakes.github import REPOSITORY, FakeGithub

BRANCH = "healflow/inc-1"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
CHANGES = (
    FileChange(path="shop.py", content=b"x = 1\n"),
    FileChange(path="bin/go", content=b"\xff\x00", mode=FileMode.EXECUTABLE),
    FileChange(path="old.txt", content=None),
)


def _write(github: GithubClient, fake: FakeGithub, branch: str = BRANCH, **more: str) -> str:
    return github.branches.commit_files(
        REPOSITORY, branch=branch, base_commit=fake.refs["main"], changes=CHANGES, message="Heal it", at=NOW, **more
    )


@pytest.mark.parametrize("branch", ["main", "feature", "healflow", "healflow/", "refs/heads/main", "Healflow/x"])
def test_a_branch_of_others_is_never_written_to(github: GithubClient, fake: FakeGithub, branch: str) -> None:
    with pytest.raises(PermanentError, match="only branches healflow/"):
        _write(github, fake, branch)
    assert fake.writes == []


def test_the_default_branch_is_never_written_to_whatever_its_name(github: GithubClient, fake: FakeGithub) -> None:
    fake.default_branch = BRANCH
    with pytest.raises(PermanentError, match="is the default branch"):
        _write(github, fake)
    assert fake.writes == []


def test_a_protected_branch_is_never_written_to(github: GithubClient, fake: FakeGithub) -> None:
    fake.commit(BRANCH, {"a": "b"})
    fake.protected.add(BRANCH)
    with pytest.raises(PermanentError, match="is protected"):
        _write(github, fake)
    with pytest.raises(PermanentError, match="is protected"):
        github.branches.restore(REPOSITORY, BRANCH, expected_tip=fake.refs[BRANCH], to=None)
    assert fake.writes == []


@pytest.mark.parametrize(
    "branch", ["healflow/../main", "healflow/a b", "healflow/x.lock", "healflow/a?b", "healflow/x\n"]
)
def test_a_name_that_could_be_misread_is_refused(github: GithubClient, fake: FakeGithub, branch: str) -> None:
    with pytest.raises(PermanentError, match="is not the name of a branch"):
        _write(github, fake, branch)
    assert fake.writes == []


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", ".git/config", "a/.GIT/x", "", "a//b", "./a", "a/../b"])
def test_a_path_that_leaves_the_repository_is_refused(github: GithubClient, fake: FakeGithub, path: str) -> None:
    with pytest.raises(PermanentError, match="is not a file inside"):
        github.branches.commit_files(
            REPOSITORY,
            branch=BRANCH,
            base_commit=fake.refs["main"],
            changes=(FileChange(path=path, content=b"x"),),
            message="m",
            at=NOW,
        )
    assert fake.writes == []


def test_nothing_to_commit_is_refused(github: GithubClient, fake: FakeGithub) -> None:
    with pytest.raises(PermanentError, match="nothing to commit"):
        github.branches.commit_files(
            REPOSITORY, branch=BRANCH, base_commit=fake.refs["main"], changes=(), message="m", at=NOW
        )
    assert BRANCH not in fake.refs


def test_commits_of_others_on_our_branch_are_kept(github: GithubClient, fake: FakeGithub) -> None:
    theirs = fake.commit(BRANCH, {"a": "theirs"})
    with pytest.raises(ConflictError, match="not ours"):
        _write(github, fake)
    assert fake.refs[BRANCH] == theirs


def test_a_missing_permission_leaves_no_branch_and_names_workflows(github: GithubClient, fake: FakeGithub) -> None:
    fake.permissions["contents"] = "read"
    with pytest.raises(PermanentError, match="contents: write and workflows: write"):
        github.branches.commit_files(
            REPOSITORY,
            branch=BRANCH,
            base_commit=fake.refs["main"],
            changes=(FileChange(path=".github/workflows/ci.yml", content=b"x"),),
            message="m",
            at=NOW,
        )
    assert BRANCH not in fake.refs


def test_a_base_that_is_gone_is_not_found(github: GithubClient, fake: FakeGithub) -> None:
    with pytest.raises(NotFoundError):
        github.branches.commit_files(
            REPOSITORY, branch=BRANCH, base_commit="a" * 40, changes=CHANGES, message="m", at=NOW
        )
    assert BRANCH not in fake.refs


def test_undo_keeps_a_branch_that_moved(github: GithubClient, fake: FakeGithub) -> None:
    tip = _write(github, fake)
    theirs = fake.commit(BRANCH, {"a": "theirs"})
    with pytest.raises(ConflictError, match="left as it is"):
        github.branches.restore(REPOSITORY, BRANCH, expected_tip=tip, to=None)
    assert fake.refs[BRANCH] == theirs


def test_undo_never_touches_a_branch_of_others(github: GithubClient, fake: FakeGithub) -> None:
    tip = fake.refs["main"]
    with pytest.raises(PermanentError, match="only branches healflow/"):
        github.branches.restore(REPOSITORY, "main", expected_tip=tip, to=None)
    assert fake.refs["main"] == tip


def test_the_changes_become_one_commit_on_a_new_branch(github: GithubClient, fake: FakeGithub) -> None:
    base = fake.refs["main"]
    tip = _write(github, fake)
    assert fake.refs == {"main": base, BRANCH: tip}
    assert fake.commits[tip]["parents"] == [base]
    assert fake.commits[tip]["message"] == "Heal it"
    assert fake.file(tip, "shop.py") == b"x = 1\n"
    assert fake.file(tip, "bin/go") == b"\xff\x00"
    assert fake.trees[fake.commits[tip]["tree"]]["bin/go"][0] == "100755"
    assert fake.file(tip, "old.txt") is None


def test_the_same_changes_again_change_nothing(github: GithubClient, fake: FakeGithub) -> None:
    tip = _write(github, fake)
    before = [request.path for request in fake.writes if "/refs" in request.path]
    assert _write(github, fake) == tip
    assert [request.path for request in fake.writes if "/refs" in request.path] == before


def test_an_earlier_commit_of_ours_is_replaced(github: GithubClient, fake: FakeGithub) -> None:
    base, tip = fake.refs["main"], _write(github, fake)
    again = github.branches.commit_files(
        REPOSITORY, branch=BRANCH, base_commit=base, changes=CHANGES[:1], message="Better", at=NOW, expected_tip=tip
    )
    assert fake.refs[BRANCH] == again != tip


@pytest.mark.parametrize("lost", ["git/blobs", "git/trees", "git/commits", "git/refs"])
def test_a_lost_answer_makes_no_second_branch(github: GithubClient, fake: FakeGithub, lost: str) -> None:
    fake.fail("POST", f".*/{lost}", 502, after=True)
    tip = _write(github, fake)
    assert fake.refs[BRANCH] == tip
    assert sum(request.path.endswith("/git/refs") for request in fake.writes) == 1


def test_a_branch_that_could_not_be_made_is_said(github: GithubClient, fake: FakeGithub) -> None:
    fake.fail("POST", ".*/git/refs", 502)
    with pytest.raises(UnknownOutcomeError):
        _write(github, fake)
    assert BRANCH not in fake.refs


def test_undo_deletes_the_branch_once_and_again_is_fine(github: GithubClient, fake: FakeGithub) -> None:
    tip = _write(github, fake)
    fake.fail("DELETE", ".*", 502, after=True)
    github.branches.restore(REPOSITORY, BRANCH, expected_tip=tip, to=None)
    github.branches.restore(REPOSITORY, BRANCH, expected_tip=tip, to=None)
    assert BRANCH not in fake.refs
    assert github.branches.tip(REPOSITORY, BRANCH) is None


def test_undo_sets_a_branch_back(github: GithubClient, fake: FakeGithub) -> None:
    before = fake.refs["main"]
    tip = _write(github, fake)
    github.branches.restore(REPOSITORY, BRANCH, expected_tip=tip, to=before)
    assert fake.refs[BRANCH] == before
