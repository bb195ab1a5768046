"""Small git repositories for the tests of the workspace."""

import subprocess
from pathlib import Path

from tasks.clients.workspace import Workspace

FIX = {"Healflow-Incident": "inc-1", "Healflow-Action": "inc-1:1:add_dependency"}
BRANCH = "healflow/inc-1"


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def commit_files(root: Path, message: str, files: dict[str, str]) -> str:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)
    return git(root, "rev-parse", "HEAD").strip()


def make_fix(workspace: Workspace, repository: Path, text: str = "one\n2\nthree\n") -> str:
    """A commit on our branch, as an action makes it; its worktree is removed again."""
    folder = workspace.prepare(repository, name="inc-1", commit=workspace.head(repository, "main"), branch=BRANCH)
    (folder / "a.txt").write_text(text)
    tip = workspace.commit_all(folder, message="Heal it", trailers=FIX)
    workspace.remove(repository, "inc-1")
    return tip
