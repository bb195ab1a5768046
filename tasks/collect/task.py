"""The Prefect task of collecting: outside text comes in here, redacted and bounded, and nowhere else."""

from datetime import UTC, datetime
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.github import GithubClient
from tasks.clients.kubernetes.capture import API_SERVER
from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.ledger import EntryKind, Ledger
from tasks.clients.pipeline import RunStore
from tasks.clients.workspace import Workspace
from tasks.collect.ci_run import read_ci_run
from tasks.collect.cluster import read_state
from tasks.collect.delivered import read_alert, read_event_log
from tasks.collect.github_run import read_github_run
from tasks.collect.local_run import LocalRunReader
from tasks.collect.prefect_run import read_prefect_run
from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.evidence import Evidence
from tasks.domain.incident import Incident, SignalSource
from tasks.domain.signature import Signature
from tasks.errors import PermanentError, TransientError
from tasks.retrying import RETRYING
from tasks.settings import Settings


@task(task_run_name="read the state of the cluster", cache_policy=NO_CACHE, **RETRYING)
def capture_state(incident: Incident) -> ClusterSnapshot:
    """The state of the namespace that the incident is about, and of what it stands on, without secrets.

    Raises:
        TransientError: nobody answers there, while the incident is about an object of which nothing is known then.
    """
    target = incident.signal.cluster
    if target is None:
        raise PermanentError("the signal names nothing in a cluster")
    settings = Settings().kubernetes.in_context(target.context)
    with Cluster.from_settings(settings) as cluster:
        namespaces = (target.namespace,) if target.namespace else None
        snapshot = read_state(cluster, namespaces, now=datetime.now(UTC))
    unanswered = next((one.reason for one in snapshot.unreadable if one.source == API_SERVER), None)
    if unanswered is not None and target.name:
        raise TransientError(unanswered)
    return snapshot


MAX_PREFECT_MESSAGES = 20_000
"""Of one flow run; the first come first, and what comes after is not read."""


@task(task_run_name="collect the evidence", persist_result=True, **RETRYING)
def collect_evidence(incident: Incident, signatures: list[Signature]) -> Evidence:
    """All evidence of one incident; sources that cannot be read are listed in it."""
    settings = Settings()
    evidence = _read(settings, incident, signatures)
    Ledger.shared(settings.ledger_url).incidents.write(incident.id, EntryKind.EVIDENCE, evidence, at=datetime.now(UTC))
    return evidence


def _read(settings: Settings, incident: Incident, signatures: list[Signature]) -> Evidence:
    """Through whoever ran it: this machine or GitHub; an alert speaks for itself."""
    source, run = incident.signal.source, incident.signal.run
    if source in (SignalSource.ALERTMANAGER, SignalSource.EVENTS):
        event = Ledger.shared(settings.ledger_url).events.get(incident.signal.delivery_id)
        if source is SignalSource.ALERTMANAGER:
            return read_alert(event.body, incident.signal.fingerprint, elsewhere=incident.signal.elsewhere)
        return read_event_log(event.body, name=run.workflow if run else "event", signatures=signatures)
    if run is None:
        raise PermanentError("the signal names no run whose evidence could be read; the event itself is kept")
    if source is SignalSource.GITHUB:
        with GithubClient.from_settings(settings.github) as client:
            return read_github_run(client, incident.signal.repository, run, signatures)
    if source is SignalSource.PREFECT:
        messages, ended = _prefect_log(run.run_id)
        return read_prefect_run(messages, ended, flow=run.workflow, signatures=signatures)
    if source is not SignalSource.PIPELINE:
        raise PermanentError(f"runs of {source} cannot be read; the event itself is kept")
    reader = LocalRunReader(RunStore(settings.runs_root), Workspace(settings.worktrees_root), run.run_id)
    return read_ci_run(reader, run.run_id, signatures)


def _prefect_log(run_id: str) -> tuple[list[str], str]:
    """The messages of a flow run, its tasks' among them, and that of its last state."""
    import httpx
    from prefect import get_client
    from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
    from prefect.client.schemas.sorting import LogSort
    from prefect.exceptions import ObjectNotFound

    identity, messages = UUID(run_id), list[str]()
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(identity).state
            wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[identity]))
            while len(messages) < MAX_PREFECT_MESSAGES:
                page = client.read_logs(wanted, limit=200, offset=len(messages), sort=LogSort.TIMESTAMP_ASC)
                messages += [entry.message for entry in page]
                if len(page) < 200:
                    break
    except ObjectNotFound as error:
        raise PermanentError(f"the flow run {run_id} is no longer known to Prefect") from error
    except httpx.HTTPError as error:
        raise TransientError(f"the Prefect server does not answer ({type(error).__name__})") from error
    return messages, (state.message or "") if state is not None else ""
