"""The Prefect task of diagnosis, and the signatures that tell the collecting stage which lines matter."""

from datetime import UTC, datetime

from prefect import task

from tasks.clients.ledger import EntryKind, Ledger
from tasks.diagnose import diagnose, signatures
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.incident import Incident
from tasks.domain.signature import Signature
from tasks.retrying import RETRYING
from tasks.settings import Settings


def known_signatures() -> list[Signature]:
    """The signatures of all rules."""
    return list(signatures())


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
