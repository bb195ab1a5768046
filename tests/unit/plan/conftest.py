"""A repository whose failing commit stands in a scratch worktree, as a draft gets it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.clients.workspace import Workspace
from tasks.domain.diagnosis import Culprit, Diagnosis
from tasks.domain.evidence import Evidence, EvidenceLine, TestHistory
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Incident, RunRef, Signal, SignalKind, SignalSource, open_incident
from tasks.domain.outcome import SimilarIncident
from tasks.domain.pipeline import Conclusion, JobOutcome, StepOutcome
from tasks.domain.plan import Plan
from tasks.domain.vulnerability import ScanReport
from tasks.plan import draft_plan


@dataclass
class Scene:
    """Commits made one after another; the last one fails."""

    root: Path
    workspace: Workspace

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True).stdout

    def commit(self, message: str, files: Mapping[str, str | bytes]) -> str:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def incident(self, *, fork: bool = False) -> Incident:
        signal = Signal(
            source=SignalSource.PIPELINE,
            kind=SignalKind.CI_RUN,
            delivery_id="d1",
            repository="local/shop",
            head_repository="mallory/shop" if fork else None,
            branch="main",
            commit=self.git("rev-parse", "HEAD").strip(),
            run=RunRef(run_id="r1", workflow="CI"),
            title="CI failed",
            occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        return open_incident(signal, now=datetime(2026, 1, 1, tzinfo=UTC))

    def draft(
        self,
        failure_class: FailureClass,
        *lines: str,
        command: str = "python -m pytest",
        culprit: Culprit | None = None,
        good: str | None = None,
        transient: bool = False,
        fork: bool = False,
        similar: tuple[SimilarIncident, ...] = (),
        reruns_so_far: int = 0,
        setup: str | None = None,
        scans: tuple[ScanReport, ...] = (),
        history: TestHistory | None = None,
    ) -> Plan:
        """The plan for the newest commit; checks that repository and checkout are left as they were."""
        incident = self.incident(fork=fork)
        checkout = self.workspace.prepare(self.root, name="scratch", commit=incident.signal.commit)
        status = self.git("status", "--porcelain")
        steps = [StepOutcome(number=1, name="Install", conclusion=Conclusion.SUCCESS, command=setup)] if setup else []
        failed = StepOutcome(number=2, name="Run", conclusion=Conclusion.FAILURE, command=command, exit_code=1)
        job = JobOutcome(key="test", name="test", conclusion=Conclusion.FAILURE, steps=(*steps, failed))
        quoted = tuple(
            EvidenceLine(id=f"E{number}", source="log:test", line_number=number, text=text)
            for number, text in enumerate(lines or ("it failed",), 1)
        )
        evidence = Evidence(
            lines=quoted,
            jobs=(job,),
            changes=self.workspace.changes_between(self.root, good, "HEAD"),
            history=history or TestHistory(last_green_commit=good),
            scans=scans,
        )
        diagnosis = Diagnosis(
            failure_class=failure_class,
            cause="It failed.",
            culprit=culprit,
            evidence_ids=("E1",),
            confidence=0.9,
            transient=transient,
            fingerprint="f1",
        )
        plan = draft_plan(
            incident, evidence, diagnosis, checkout=checkout, similar=similar, reruns_so_far=reruns_so_far
        )
        assert self.workspace.diff(checkout) == ""
        assert self.git("status", "--porcelain") == status
        assert plan.target_state == incident.signal.commit
        return plan


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setenv("RUSTUP_HOME", os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup")))
    monkeypatch.setenv("HOME", str(tmp_path))
    root = tmp_path / "repository"
    root.mkdir()
    made = Scene(root, Workspace(tmp_path / "worktrees"))
    made.git("init", "--quiet", "--initial-branch", "main")
    made.commit("Open the shop", {"README.md": "# Shop\n"})
    return made


@pytest.fixture
def ended() -> Callable[..., SimilarIncident]:
    def build(
        name: str, status: str, *, day: int = 1, incident_id: str = "inc-old", parameters: str = "{}"
    ) -> SimilarIncident:
        return SimilarIncident.model_validate(
            {
                "incident_id": incident_id,
                "status": status,
                "action_names": (name,),
                "plan_parameters": (parameters,),
                "ended_at": datetime(2026, 1, day, tzinfo=UTC),
            }
        )

    return build


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with git alone: no test reaches a registry."""
    folder = tmp_path / "bin"
    folder.mkdir()
    git = shutil.which("git")
    assert git is not None
    (folder / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(folder))
    return folder
