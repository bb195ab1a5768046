"""Proposes a known remedy for an object of a cluster: an incident is opened, and whether anything is done is decided
where it always is, by policy and people."""

from datetime import datetime

from flows.heal_cluster import cluster_signal, open_cluster_incidents
from tasks.clients.ledger import Ledger
from tasks.domain.base import Noun
from tasks.domain.cluster import ClusterSnapshot, ObjectRef
from tasks.domain.cluster_cause import ClusterCause, ClusterExplanation
from tasks.domain.incident import Incident, open_incident
from tasks.domain.plan import Plan, Remedy
from tasks.errors import BadInputError
from tasks.plan.cluster import draft_cluster_plan
from tasks.plan.cluster.in_git import with_manifests
from tasks.plan.gitops import IntoGit
from tasks.settings import Settings


class Proposal(Noun):
    """The incident that was opened or found, and what its heal would plan on the state as it is now."""

    incident: Incident
    cause: ClusterCause
    plan: Plan


def propose_remedy(
    settings: Settings,
    snapshot: ClusterSnapshot,
    found: ClusterExplanation,
    target: ObjectRef,
    *,
    remedy: Remedy | None,
    reason: str,
    now: datetime,
) -> Proposal:
    """Open the incident of what is wrong with the target, or find it in flight; nothing is changed in the cluster.

    `remedy` has to be what the playbook would try there; `None` takes that. `reason` is kept in the incident's journal.

    Raises:
        BadInputError: nothing is wrong with it, no known remedy fits, or another one does.
    """
    cause = _cause_of(found, target)
    ledger = Ledger.shared(settings.ledger_url)
    draft = open_incident(cluster_signal(cause, now=now), now=now)
    similar = ledger.memory.similar(cause.diagnosis.fingerprint)
    told: list[str] = []
    known = with_manifests(settings, snapshot, tell=told.append)
    plan = draft_cluster_plan(
        draft,
        cause,
        known,
        similar=similar,
        bounds=settings.kubernetes.bounds,
        in_git=IntoGit(settings, draft, similar),
    )
    planned = plan.actions[0].name
    if not plan.changes_something:
        why = " ".join([plan.rationale, *told])
        raise BadInputError(f"no known remedy fits {target}: {why} A person has to look; nothing was opened")
    if remedy is not None and remedy != planned:
        raise BadInputError(f"{remedy} does not fit {target}; what fits is {planned}: {plan.rationale}")
    (incident,) = open_cluster_incidents(settings, found.model_copy(update={"causes": (cause,)}), now=now)
    if reason:
        ledger.incidents.note(incident.id, f"proposed over MCP: {planned}, because {reason}", at=now)
    return Proposal(incident=incident, cause=cause, plan=plan)


def _cause_of(found: ClusterExplanation, target: ObjectRef) -> ClusterCause:
    """The gravest cause whose object it is, else the gravest from which it suffers."""

    def same(ref: ObjectRef) -> bool:
        return (ref.kind.lower(), ref.namespace, ref.name) == (target.kind.lower(), target.namespace, target.name)

    cause = next((one for one in found.causes if same(one.target)), None)
    cause = cause or next((one for one in found.causes if any(same(ref) for ref in one.victims)), None)
    if cause is None:
        others = ", ".join(str(one.target) for one in found.causes[:5])
        raise BadInputError(f"nothing wrong was found with {target}" + (f"; it was with {others}" if others else ""))
    return cause
