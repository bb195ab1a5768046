"""A repository that stands here and on the fake GitHub with the same commits, and a failed run of it."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tasks.act import ActContext
from tasks.clients.github import GithubClient
from tasks.clients.workspace import Workspace
from tasks.domain.incident import Incident, RunRef, Signal, SignalKind, SignalSource, open_incident
from tasks.domain.plan import Action, Plan, Remedy, Risk
from tests.fakes.github import REPOSITORY, FakeGithub

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BRANCH = "feature"


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def commit(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (root / name).write_text(text)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Change")
    return git(root, "rev-parse", "HEAD").strip()


class Hosted:
    """One failed run on GitHub of the branch `feature`, with a pull request into `main`."""

    def __init__(self, fake: FakeGithub, client: GithubClient, folder: Path) -> None:
        self.fake, self.client = fake, client
        self.root = folder / "clone"
        self.root.mkdir()
        git(self.root, "init", "--quiet", "--initial-branch", BRANCH)
        self.commit = commit(self.root, {"shop.py": "x=1\n", "keep.txt": "k\n"})
        self.publish(self.commit, BRANCH)
        self.run_id = fake.run(self.commit, branch=BRANCH)
        self.pull_request = self._pull_request()
        self.workspace = Workspace(folder / "worktrees")

    def publish(self, name: str, branch: str) -> None:
        """Let GitHub hold a commit under the name that git gave it."""
        tree = {
            path: ("100644", self.fake.put_blob((self.root / path).read_bytes()))
            for path in git(self.root, "ls-files").split()
        }
        document = {
            "tree": self.fake.put_tree(tree),
            "parents": [self.fake.refs["main"]],
            "message": "Change",
            "author": {"name": "Ada", "date": "2026-01-01T00:00:00Z"},
        }
        self.fake.commits[name] = document
        self.fake.refs[branch] = name

    def _pull_request(self) -> int:
        number = self.fake.next_id()
        self.fake.pulls[number] = {
            "number": number,
            "title": "Feature",
            "body": "",
            "state": "open",
            "merged": False,
            "head": {"ref": BRANCH, "sha": self.commit, "repo": {"full_name": REPOSITORY}},
            "base": {"ref": "main", "sha": self.fake.refs["main"], "repo": {"id": 1}},
        }
        return number

    def incident(self, *, head_repository: str | None = None, attempt: int = 1) -> Incident:
        signal = Signal(
            source=SignalSource.GITHUB,
            kind=SignalKind.CI_RUN,
            delivery_id="d1",
            repository=REPOSITORY,
            branch=BRANCH,
            base_branch="main",
            commit=self.commit,
            head_repository=head_repository,
            run=RunRef(run_id=str(self.run_id), attempt=attempt, workflow="CI"),
            title="CI failed",
            occurred_at=NOW,
        )
        return open_incident(signal, now=NOW)

    def context(self, *actions: Action, incident: Incident | None = None) -> ActContext:
        known = incident or self.incident()
        plan = Plan(
            incident_id=known.id,
            playbook="ci.lint",
            rationale="r",
            actions=actions or (report(),),
            target_state=self.commit,
        )
        return ActContext(self.workspace, self.root, known, plan, self.client)

    def fix(self, context: ActContext) -> str:
        """A proven commit on our local branch."""
        folder = self.workspace.prepare(
            self.root, name=context.worktree_name, commit=self.commit, branch=context.branch
        )
        (folder / "shop.py").write_text("x = 1\n")
        (folder / "keep.txt").unlink()
        tip = self.workspace.commit_all(folder, message="Run ruff format", trailers={"Healflow-Incident": "i"})
        self.workspace.remove(self.root, context.worktree_name)
        return tip


def report() -> Action:
    return Action(name=Remedy.REPORT_ONLY, target="x", risk=Risk.NONE, summary="Report", undo="nothing")
