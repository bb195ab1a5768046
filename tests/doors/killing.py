"""A running `healflow up` whose processes are killed at steps of our choice, and many small failures to heal in it."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import httpx

import tasks.gate
from deployments.cli.answers import answer
from deployments.cli.pipeline import report_failure
from deployments.demo.project import WORKFLOW, DemoRepository
from flows.pipeline import run_in_worktree
from tasks.clients.ledger import EntryKind, Ledger
from tasks.clients.pipeline import RunStore, workflow_run_event
from tasks.domain.approval import Answer
from tasks.domain.incident import Incident, IncidentStatus, Signal, open_incident
from tasks.errors import ConflictError, NotFoundError, TransientError
from tasks.intake import parse_github
from tasks.settings import Settings
from tests.doors.test_up import Up, eventually

PATIENCE_SECONDS = 900.0
"""Only what never comes takes so long."""
SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "HEALFLOW_MAX_ACTIONS_PER_HOUR": "1000",
    "HEALFLOW_MAX_RUNS_PER_INCIDENT": "20",
    "HEALFLOW_RUN_SILENCE_SECONDS": "60",
}
DEFAULT_POLICY = Path(tasks.gate.__file__).parent / "rego"
FOLDER = Path(__file__).parent / "stopping"
PROCESSES = {
    "gateway": "deployments.serve_gateway",
    "server": "-m prefect server start",
    "flows": "deployments.worker",
}
"""What a process of each kind has in its command line."""


@dataclass(frozen=True)
class Moments:
    """Three heals, and the two processes that stand still."""

    before: Incident
    between: Incident
    waiting: Incident
    pids: tuple[int, ...]

    @property
    def incidents(self) -> tuple[Incident, ...]:
        return (self.before, self.between, self.waiting)

    def go_on(self) -> None:
        """Let those that stood still go on, where they still live."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


class Stage:
    """`healflow up`, one repository with a branch for each failure, and the traps."""

    ANY = "any"
    """In a trap: whichever incident comes by first."""

    def __init__(self, folder: Path) -> None:
        self.traps, self.home = folder / "traps", folder / "home"
        self.traps.mkdir()
        self.settings = Settings(home=self.home)
        self.repository = DemoRepository(folder / "shop")
        self.repository.create()
        self.policy = always_asking(folder / "policy")
        set_up = {"STOP_AT": self.traps, "PYTHONPATH": FOLDER, "HEALFLOW_POLICY_DIR": self.policy}
        self.up = Up(self.home, **{name: str(path) for name, path in set_up.items()}, **SETTINGS)
        self.up.read_until("Ctrl-C stops everything")
        self.ledger = Ledger.open(self.settings.ledger_url)
        self._branches = 0

    def start(self) -> None:
        """Everything anew, in the home that there is."""
        assert self.up.process.stdout is not None
        self.up.process.stdout.close()
        self.up.process = self.up.start()
        self.up.read_until("Ctrl-C stops everything")

    # ---- failures

    def break_something(self) -> tuple[Incident, str]:
        """A badly formatted file on a branch of its own: the incident that it will be, and its run, not yet reported."""
        self._branches += 1
        self.repository.git("checkout", "--quiet", "-b", f"change-{self._branches}", "main")
        self.repository.commit("Take coupons", {"shop/coupon.py": f"price = ( {self._branches} )\n"})
        ref = f"change-{self._branches}"
        run = run_in_worktree(self.settings, self.repository.root, WORKFLOW, ref=ref, job_keys=("lint",))
        self.repository.git("checkout", "--quiet", "main")
        now = datetime.now(UTC)
        body = workflow_run_event(RunStore(self.settings.runs_root).read(run.run_id), now=now)
        told = parse_github("workflow_run", "d", body, now=now)
        assert isinstance(told, Signal)
        return open_incident(told, now=now), run.run_id

    def report(self, run_id: str) -> None:
        """Send the event, again and again until it is accepted, as GitHub's redelivery or an operator would."""

        def sent() -> bool:
            with suppress(TransientError):
                report_failure(self.settings, run_id, gateway_url=self.up.holder().gateway_url)
                return True
            return False

        assert eventually(sent, PATIENCE_SECONDS)

    def suspended(self, incident: Incident) -> bool:
        """Whether the run of a heal waits for an answer, with no process left: from then on only the dispatcher wakes
        it.
        """
        with suppress(NotFoundError, httpx.HTTPError):
            run_id = self.ledger.incidents.get(incident.id).flow_run_id
            url = f"{self.up.holder().prefect_url}/api/flow_runs/{run_id}"
            return run_id is not None and httpx.get(url, trust_env=False).json()["state_type"] == "PAUSED"
        return False

    def bring_to_three_moments(self) -> "Moments":
        """One heal stands before its action, one has acted and proven nothing yet, and one waits for an answer."""
        broken = [self.break_something() for _ in range(3)]
        for _, run_id in broken:
            self.report(run_id)
        before, between, waiting = (incident for incident, _ in broken)
        self.wait(lambda: all(self.suspended(incident) for incident, _ in broken))
        traps = [
            self.trap(before.id, "flow", "after actions.pre_image.run_formatter", signal.SIGSTOP),
            self.trap(between.id, "flow", "after actions.result.run_formatter", signal.SIGSTOP),
        ]
        assert self.approve(before)
        assert self.approve(between)
        self.wait(lambda: all(stopped(self.sprung(trap)) for trap in traps))
        return Moments(before, between, waiting, tuple(self.sprung(trap) for trap in traps))

    def approve(self, incident: Incident) -> bool:
        """Say yes to what the incident asks; false when it does not ask by now."""
        with suppress(ConflictError):
            with redirect_stdout(StringIO()):
                answer(self.settings, incident.id, Answer.APPROVE_AND_MERGE, reason="")
            return True
        return False

    def fall_silent(self, incidents: Sequence[Incident]) -> None:
        """As if their last signs of life were given long ago: nobody has to wait for it."""
        long_ago = datetime.now(UTC) - timedelta(days=1)
        for incident in incidents:
            run_id = self.ledger.incidents.get(incident.id).flow_run_id
            assert run_id is not None
            self.ledger.leases.sign(run_id, now=long_ago, seconds=1)

    def answered(self, incident: Incident) -> bool:
        """Whether somebody has said yes or no."""
        return any(question.answer is not None for question in self.ledger.approvals.of_incident(incident.id))

    def heal_all(self, incidents: Sequence[Incident]) -> None:
        """Say yes to each question once its run waits for the answer, until all have ended."""
        open_questions = {incident.id: incident for incident in incidents if not self.answered(incident)}

        def all_ended() -> bool:
            for incident in tuple(open_questions.values()):
                waits = self.status(incident) is IncidentStatus.WAITING and self.suspended(incident)
                if waits and self.approve(incident):
                    del open_questions[incident.id]
            return all(self.status(incident).ended for incident in incidents)

        self.wait(all_ended)

    # ---- traps

    def trap(self, incident_id: str, role: str, step: str, number: signal.Signals) -> Path:
        """Let the process of that role send itself a signal at `before STEP` or `after STEP` of this incident."""
        moment, _, name = step.partition(" ")
        trap = self.traps / f"{incident_id}--{role}--{moment}--{name}"
        trap.write_text(str(int(number)))
        return trap

    def sprung(self, trap: Path) -> int:
        """The process that ran into the trap, 0 while none has."""
        return next((int(found.name.rpartition("--")[2]) for found in self.traps.glob(f"{trap.name}--*")), 0)

    def transactions(self) -> list[tuple[str, set[str]]]:
        """The role of each process and what it wrote into the ledger at once, as often as it did."""
        lines = (line.split() for line in (self.traps / "steps.log").read_text().splitlines())
        return [(role, set(names)) for role, _pid, _incident, *names in lines]

    # ---- processes

    def pid(self, kind: str) -> int:
        """The process of a service, 0 when there is none just now."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                ours = str(self.home).encode() in (process / "environ").read_bytes()
                if ours and PROCESSES[kind] in line and "guard.py" not in line:
                    return int(process.name)
        return 0

    def kill(self, kind: str) -> None:
        """End a service with -9, and nothing below it or beside it."""
        pid = self.pid(kind)
        assert pid, f"no {kind} runs"
        os.kill(pid, signal.SIGKILL)

    def wait(self, holds: Callable[[], bool]) -> None:
        """Until something holds; what the incidents had come to is told when it never does."""
        assert eventually(holds, PATIENCE_SECONDS), self.told()

    def told(self) -> str:
        """All stories, for the message of a test that failed."""
        lines = []
        for stored in self.ledger.incidents.newest(limit=100):
            notes = [f"{entry.kind}" for entry in self.ledger.incidents.journal(stored.incident.id)]
            lines.append(
                f"{stored.incident.id} {stored.incident.status} run {stored.dispatches}: {' '.join(notes)} "
                f"{self.ledger.memory.outcome_of(stored.incident.id)}"
            )
        return "\n".join(lines)

    # ---- what must hold at the end

    def status(self, incident: Incident) -> IncidentStatus:
        """Where it stands; open also before the dispatcher has come to it."""
        try:
            return self.ledger.incidents.get(incident.id).incident.status
        except NotFoundError:
            return IncidentStatus.OPEN

    def check_healed_once(self, incident: Incident) -> None:
        """It is healed and merged, and each effect is there exactly once, in git and in the ledger."""
        journal = self.ledger.incidents.journal(incident.id)
        told = f"{incident.id}\n" + "\n".join(f"{entry.kind} {entry.document[:200]}" for entry in journal)
        outcome = self.ledger.memory.outcome_of(incident.id)
        assert self.status(incident) is IncidentStatus.HEALED, told
        assert outcome is not None
        assert outcome.merged, told
        commits = self.commits_of(incident)
        assert len(commits) == 1, told
        assert self.repository.git("rev-parse", incident.signal.branch).strip() == commits[0], told
        actions = self.ledger.memory.actions_of(incident.id)
        assert [action.name for action in actions] == ["run_formatter", "merge_fix"], told
        assert all(action.result is not None for action in actions), told
        kinds = [entry.kind for entry in journal]
        assert (kinds.count(EntryKind.SIGNAL), kinds.count(EntryKind.OUTCOME)) == (1, 1), told
        assert len(self.ledger.approvals.of_incident(incident.id)) == 1, told

    def commits_of(self, incident: Incident) -> list[str]:
        """Every commit that was ever made for an incident, also those that no branch holds any more."""
        listed = self.repository.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")
        names = [line.split()[0] for line in listed.splitlines() if line.endswith(" commit")]
        text = "\n".join(names)
        said = self.repository.git(
            "log", "--no-walk", "--format=%H %(trailers:key=Healflow-Incident,valueonly,separator=%x20)", *text.split()
        )
        return [line.split()[0] for line in said.splitlines() if incident.id in line]

    def close(self) -> None:
        """End everything, whatever state it is in."""
        if self.up.process.poll() is None:
            self.up.process.kill()
        self.up.process.communicate()
        self.ledger.close()


def always_asking(folder: Path) -> Path:
    """The default policy, under which no remedy earns that nobody is asked, however often it helped."""
    shutil.copytree(DEFAULT_POLICY, folder)
    data = json.loads((folder / "data.json").read_text())
    data["can_be_earned"] = []
    (folder / "data.json").write_text(json.dumps(data))
    return folder


def stopped(pid: int) -> bool:
    """Whether a process has been stopped by a signal."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False
