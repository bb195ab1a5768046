"""Drives the heal flow against a real Prefect server: a broken repository, its event, the answers, the restarts."""

import json
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID

from deployments.demo.project import WORKFLOW, DemoRepository
from flows.pipeline import run_in_worktree
from flows.placing import place_signal
from tasks.approve import answer_newest, identify
from tasks.clients.ledger import Ledger
from tasks.clients.pipeline import RunStore, workflow_run_event
from tasks.domain.approval import Answer, ApprovalChannel, IdentityKind, Judgement
from tasks.domain.incident import Incident, Signal, open_incident
from tasks.domain.outcome import Outcome
from tasks.domain.story import Story
from tasks.errors import ConflictError
from tasks.intake import parse_github
from tasks.remember import read_story
from tasks.settings import Settings


class Healing:
    """One repository, one home, and the flow runs of its incidents."""

    def __init__(self, repository: DemoRepository) -> None:
        self.repository = repository
        self.settings = Settings()
        self.ledger = Ledger.shared(self.settings.ledger_url)
        self._runs: dict[str, UUID] = {}
        self._serving = Lock()
        self._deployment: UUID | None = None

    @classmethod
    def in_folder(cls, folder: Path) -> "Healing":
        """A fresh repository whose workflow passes."""
        repository = DemoRepository(folder / "shop")
        repository.create()
        healing = cls(repository)
        healing.run_workflow()
        return healing

    def run_workflow(self, *jobs: str) -> str:
        """Run the workflow on main; returns the run's id."""
        outcome = run_in_worktree(self.settings, self.repository.root, WORKFLOW, ref="main", job_keys=jobs)
        return outcome.run_id

    def break_format(self) -> Incident:
        """Commit a badly formatted file, run the workflow, and open the incident of its failure."""
        self.repository.misformat_a_file()
        return self.open_incident(self.run_workflow("lint"))

    def break_format_beyond_help(self) -> Incident:
        """As `break_format`, but a later step of the job fails too, so that formatting does not make it pass."""
        workflow = (self.repository.root / WORKFLOW).read_text()
        later = "shop tests\n      - name: Look at the moon\n        run: test -e full-moon\n"
        self.repository.commit("Look at the moon", {WORKFLOW: workflow.replace("shop tests\n", later, 1)})
        return self.break_format()

    def break_oddly(self) -> Incident:
        """A failure that no rule knows."""
        workflow = (self.repository.root / WORKFLOW).read_text()
        odd = workflow.replace("ruff format --check shop tests", "echo the moon is not full; exit 3", 1)
        self.repository.commit("Look at the moon", {WORKFLOW: odd})
        return self.open_incident(self.run_workflow("lint"))

    def open_incident(self, run_id: str) -> Incident:
        """The incident of a run alone."""
        return self.ledger.incidents.open(open_incident(self.told(run_id), now=datetime.now(UTC)))

    def place(self, run_id: str) -> Incident:
        """What the gateway and the dispatcher do with a run's event."""
        placed = place_signal(self.ledger, self.told(run_id), settings=self.settings.intake, now=datetime.now(UTC))
        return self.ledger.incidents.get(placed.incident_id).incident

    def told(self, run_id: str) -> Signal:
        """What a run's event says."""
        now = datetime.now(UTC)
        body = workflow_run_event(RunStore(self.settings.runs_root).read(run_id), now=now)
        signal = parse_github("workflow_run", f"delivery-{run_id}", body, now=now)
        assert isinstance(signal, Signal), signal
        return signal

    def start(self, incident: Incident) -> Outcome | None:
        """Begin the heal; `None` when it waits for a person."""
        self.begin(incident)
        return self.go_on(incident)

    def begin(self, incident: Incident) -> None:
        """Make the run, or another for one that was lost, as the dispatcher does; nothing of it is executed."""
        from prefect import get_client

        with get_client(sync_client=True) as client:
            deployment_id = self.serve()
            run = client.create_flow_run_from_deployment(deployment_id, parameters={"incident_id": incident.id})
        self._runs[incident.id] = run.id
        self.ledger.incidents.set_flow_run(incident.id, str(run.id))

    def serve(self) -> UUID:
        """Tell the server of the heal flow, as the worker does; the runs are executed here. It is told once: a server on
        SQLite refuses with 503 what meets another write, and heals begin side by side."""
        from prefect import get_client

        from flows.heal import heal

        with self._serving, get_client(sync_client=True) as client:
            if self._deployment is None:
                flow_id = client.create_flow_from_name(heal.name)
                self._deployment = client.create_deployment(flow_id=flow_id, name="heal")
            return self._deployment

    def _run_of(self, incident: Incident) -> UUID:
        """The run that was begun here, else the one that the dispatcher made."""
        return self._runs.get(incident.id) or UUID(self.ledger.incidents.get(incident.id).flow_run_id)

    def go_on(self, incident: Incident, *, anew: bool = False) -> Outcome | None:
        """Execute the run from its beginning, as a new process would; finished work is not repeated. `anew` is another
        run, as the dispatcher starts one for a run that was lost.
        """
        if anew:
            self.begin(incident)
        from prefect import get_client
        from prefect.exceptions import Pause
        from prefect.flow_engine import run_flow

        from flows.heal import heal

        with get_client(sync_client=True) as client:
            run = client.read_flow_run(self._run_of(incident))
        try:
            result: Any = run_flow(heal, flow_run=run, parameters={"incident_id": incident.id})
        except Pause:
            return None
        return Outcome.model_validate(result)

    def resume(self, incident: Incident, **form: str) -> str:
        """Resume the waiting run with a filled form, as the Prefect UI does; returns the server's verdict."""
        from prefect import get_client

        with get_client(sync_client=True) as client:
            return str(client.resume_flow_run(self._run_of(incident), run_input=form).status.value)

    def force_retry(self, incident: Incident, name: str = "AwaitingRetry") -> None:
        """What *Retry* does in the Prefect UI, whatever state the run is in, or *Change state* with another name; the
        worker's part is `go_on`.
        """
        from prefect import get_client
        from prefect.states import Scheduled

        with get_client(sync_client=True) as client:
            client.set_flow_run_state(self._run_of(incident), Scheduled(name=name), force=True)

    def form(self, incident: Incident) -> str:
        """What the form of the waiting run says, which the Prefect UI shows."""
        from prefect import get_client

        with get_client(sync_client=True) as client:
            run = client.read_flow_run(self._run_of(incident))
            assert run.state is not None
            keys = run.state.state_details.run_input_keyset
            assert keys is not None
            return str(json.loads(client.read_flow_run_input(run.id, keys["description"])))

    def answer(
        self, incident: Incident, answer: Answer, *, at: datetime | None = None, reason: str = "", name: str = "ada"
    ) -> None:
        """Answer in the ledger, as the command line does, and wake the run."""
        judgement = self.say(incident, answer, at=at, reason=reason, name=name)
        if judgement.refusal is not None:
            raise ConflictError(judgement.message)
        self.wake(incident, answer)

    def say(
        self, incident: Incident, answer: Answer, *, at: datetime | None = None, reason: str = "", name: str = "ada"
    ) -> Judgement:
        """Answer in the ledger alone."""
        return answer_newest(
            self.ledger,
            incident.id,
            answer=answer,
            identity=identify(IdentityKind.LOCAL, name, self.settings.approvals.people),
            channel=ApprovalChannel.COMMAND_LINE,
            people=self.settings.approvals.people,
            now=at or datetime.now(UTC),
            reason=reason,
        )

    def wake(self, incident: Incident, answer: Answer) -> None:
        """Resume the run, as the dispatcher does; the answer that counts is the ledger's."""
        assert self.resume(incident, answer="approve" if answer.approves else "reject") == "ACCEPT"

    def story(self, incident: Incident) -> Story:
        """What the ledger tells."""
        return read_story(self.ledger, incident.id)

    def branches(self) -> set[str]:
        """The repository's branches."""
        return set(self.repository.git("branch", "--format=%(refname:short)").split())

    def tip(self) -> str:
        """The commit of main."""
        return self.repository.git("rev-parse", "main").strip()
