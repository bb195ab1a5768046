"""A repository on GitHub, to be broken and healed: the fake's API, and git from a folder."""

from datetime import UTC, datetime
from pathlib import Path

from deployments.demo.project import WORKFLOW, DemoRepository
from tasks.domain.incident import Incident, RunRef, Signal, SignalKind, SignalSource, open_incident
from tests.fakes.github import REPOSITORY, FakeGithub
from tests.flows.healing import Healing

TIME = "2026-01-02T03:04:05.1234567Z "
LOG = f"{TIME}##[group]Run ruff format --check shop tests\n{TIME}##[endgroup]\n{TIME}Would reformat: shop/cart.py\n{TIME}1 file would be reformatted, 3 files already formatted\n{TIME}##[error]Process completed with exit code 1.\n"
LOST = f"{TIME}##[error]The hosted runner lost communication with the server. Anything in your workflow that terminates the runner process can cause this.\n"


class HostedHealing(Healing):
    """The demo's shop as `acme/shop`: what is committed here is pushed there at once."""

    def __init__(self, repository: DemoRepository, fake: FakeGithub, remotes: Path) -> None:
        super().__init__(repository)
        self.fake, self.remote = fake, remotes / f"{REPOSITORY}.git"
        self.remote.mkdir(parents=True)
        repository.git("init", "--bare", "--quiet", "--initial-branch", "main", str(self.remote))
        repository.git("--git-dir", str(self.remote), "config", "uploadpack.allowAnySHA1InWant", "true")
        self.push()

    def push(self) -> str:
        """Let GitHub hold what the repository holds."""
        commit = self.tip()
        self.repository.git("push", "--quiet", str(self.remote), "main")
        root, names = self.repository.root, self.repository.git("ls-files", "-z").split("\0")[:-1]
        tree = {name: ("100644", self.fake.put_blob((root / name).read_bytes())) for name in names}
        before = self.fake.refs.get("main")
        self.fake.commits[commit] = {
            "tree": self.fake.put_tree(tree),
            "parents": [before] if before and before != commit else [],
            "message": "Change",
            "author": {"name": "Ada", "date": "2026-01-01T00:00:00Z"},
        }
        self.fake.refs["main"] = commit
        return commit

    def fail_on_github(
        self, log: str = LOG, *, head_repository: str | None = None, pull_request: int | None = None
    ) -> tuple[Incident, int]:
        """A badly formatted file and its failed run, as GitHub reports it."""
        self.repository.misformat_a_file()
        commit = self.push()
        pulls = () if pull_request is None else (pull_request,)
        run_id = self.fake.run(commit, head_repository=head_repository or REPOSITORY, pull_requests=pulls)
        self.fake.runs[run_id][0]["path"] = WORKFLOW
        steps = (("Set up job", "success"), ("Run actions/checkout@v4", "success"), ("Check the format", "failure"))
        self.fake.job(run_id, "lint", log=log.encode(), steps=steps)
        now = datetime.now(UTC)
        signal = Signal(
            source=SignalSource.GITHUB,
            kind=SignalKind.CI_RUN,
            delivery_id=f"delivery-{run_id}",
            repository=REPOSITORY,
            branch="main",
            commit=commit,
            head_repository=head_repository,
            run=RunRef(run_id=str(run_id), workflow="CI", workflow_path=WORKFLOW),
            title="CI failed",
            occurred_at=now,
        )
        return self.ledger.incidents.open(open_incident(signal, now=now)), run_id

    def offered(self) -> list[dict[str, object]]:
        """The pull requests on GitHub."""
        return list(self.fake.pulls.values())
