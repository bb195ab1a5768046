"""The Prefect task of diagnosis, and the signatures that tell the collecting stage which lines matter."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.ledger import EntryKind, Ledger
from tasks.diagnose import diagnose, signatures
from tasks.diagnose.choose import choose_cause, diagnosis_of, evidence_of, found_by_address, triage_of
from tasks.diagnose.cluster import diagnose_cluster
from tasks.diagnose.deploys import deploy_clues
from tasks.domain.base import Noun
from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.cluster_cause import ClusterTriage
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.incident import Incident
from tasks.domain.signature import Signature
from tasks.errors import PermanentError
from tasks.retrying import RETRYING
from tasks.settings import Settings


def known_signatures() -> list[Signature]:
    """The signatures of all rules."""
    return list(signatures())


class Explained(Noun):
    """What the state of a cluster says about one incident."""

    evidence: Evidence
    diagnosis: Diagnosis
    cluster: ClusterTriage


@task(task_run_name="find the cause in the cluster", cache_policy=NO_CACHE, **RETRYING)
def explain_state(incident: Incident, snapshot: ClusterSnapshot) -> Explained:
    """The cause that concerns the incident's target, or *unknown*; evidence and diagnosis are written down."""
    named = incident.signal.cluster
    if named is None:
        raise PermanentError("the signal names nothing in a cluster")
    target = found_by_address(named, snapshot)
    told = deploy_clues(incident.signal)
    found = diagnose_cluster(snapshot, namespace=target.namespace or None, told=told)
    cause = choose_cause(found, target, snapshot)
    explained = Explained(
        evidence=evidence_of(found, cause),
        diagnosis=diagnosis_of(cause, target),
        cluster=triage_of(cause, target, snapshot),
    )
    incidents, now = Ledger.shared(Settings().ledger_url).incidents, datetime.now(UTC)
    incidents.write(incident.id, EntryKind.EVIDENCE, explained.evidence, at=now)
    incidents.write(incident.id, EntryKind.DIAGNOSIS, explained.diagnosis, at=now)
    return explained


@task(task_run_name="find the cause", persist_result=True, **RETRYING)
def find_cause(incident: Incident, evidence: Evidence) -> Diagnosis:
    """The diagnosis, or *unknown*."""
    signal = incident.signal
    workflow = signal.run.workflow if signal.run else signal.title
    diagnosis = diagnose(evidence, repository=signal.repository, workflow=workflow)
    Ledger.shared(Settings().ledger_url).incidents.write(
        incident.id, EntryKind.DIAGNOSIS, diagnosis, at=datetime.now(UTC)
    )
    return diagnosis
