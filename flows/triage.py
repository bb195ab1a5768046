"""Triage: the read-only half of a heal, from an incident to a plan that nobody has carried out."""

import time

from prefect import flow
from prefect.logging import get_run_logger

from tasks.collect.task import capture_state, collect_evidence
from tasks.diagnose.task import Explained, explain_state, find_cause, known_signatures
from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.incident import Incident
from tasks.domain.outcome import SimilarIncident
from tasks.domain.plan import Plan
from tasks.domain.story import Triage
from tasks.plan.task import draft, draft_for_cluster
from tasks.remember.task import load_incident, recall
from tasks.settings import Settings

LOOK_EVERY_SECONDS = 5.0


@flow(name="triage", flow_run_name="triage-{incident_id}", persist_result=True, result_serializer="json")
def triage(incident_id: str) -> Triage:
    """Collect, diagnose, recall and plan; changes nothing outside the ledger."""
    incident = Incident.model_validate(load_incident(incident_id))
    if incident.signal.cluster is not None:
        return _in_cluster(incident)
    logger = get_run_logger()
    evidence = Evidence.model_validate(collect_evidence(incident, known_signatures()))
    logger.info("Quoted %d lines; %d sources could not be read", len(evidence.lines), len(evidence.unreadable))
    diagnosis = Diagnosis.model_validate(find_cause(incident, evidence))
    _tell(diagnosis)
    similar = tuple(SimilarIncident.model_validate(other) for other in recall(incident, diagnosis))
    plan = Plan.model_validate(draft(incident, evidence, diagnosis, list(similar)))
    logger.info("Plan: %s", plan.rationale)
    return Triage(incident=incident, evidence=evidence, diagnosis=diagnosis, similar=similar, plan=plan)


def _in_cluster(incident: Incident) -> Triage:
    """The same for a failure in a cluster, whose evidence is the state of its objects."""
    snapshot, explained = _looked(incident)
    evidence, diagnosis, cluster = explained.evidence, explained.diagnosis, explained.cluster
    _tell(diagnosis)
    similar = tuple(SimilarIncident.model_validate(other) for other in recall(incident, diagnosis))
    drafted = draft_for_cluster(incident, evidence, diagnosis, cluster.cause, snapshot, list(similar))
    plan = Plan.model_validate(drafted)
    get_run_logger().info("Plan: %s", plan.rationale)
    return Triage(
        incident=incident, evidence=evidence, diagnosis=diagnosis, similar=similar, plan=plan, cluster=cluster
    )


def _looked(incident: Incident) -> tuple[ClusterSnapshot, Explained]:
    """The state and what explains it. What fails now and then may be well at this moment, so while nothing shows it is
    looked at again, within bounds."""
    until = time.monotonic() + Settings().kubernetes.look_again_seconds
    while True:
        snapshot = ClusterSnapshot.model_validate(capture_state(incident))
        get_run_logger().info("Read %d objects and %d logs", len(snapshot.objects), len(snapshot.logs))
        explained = Explained.model_validate(explain_state(incident, snapshot))
        left = until - time.monotonic()
        if explained.cluster.cause is not None or left <= 0:
            return snapshot, explained
        get_run_logger().info("Nothing shows at this moment; looking again, for %.0f s at most", left)
        time.sleep(LOOK_EVERY_SECONDS)


def _tell(diagnosis: Diagnosis) -> None:
    get_run_logger().info(
        "Cause: %s (%s, confidence %.0f%%)", diagnosis.cause, diagnosis.failure_class, diagnosis.confidence * 100
    )
