"""What went away by itself: a sender's word ends an incident only where nothing can be looked at.

A sender that stops, or forgets, calls well what still fails. Every step can be done again, as in `flows.placing`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from flows.placing import is_told
from tasks.approve import withdrawal
from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.ledger import Ledger
from tasks.domain.cluster import ClusterSnapshot, ObjectRef
from tasks.domain.cluster_cause import ClusterTriage
from tasks.domain.cluster_health import ObjectHealth
from tasks.domain.incident import ClusterTarget, IncidentStatus, Resolved
from tasks.domain.story import Settled
from tasks.errors import PermanentError
from tasks.remember.ending import end_incident
from tasks.remember.record import resolved_outcome
from tasks.remember.story import read_story
from tasks.settings import KubernetesSettings
from tasks.verify.again import Seen, look_again, refs_to_read
from tasks.verify.cluster import read_health_state

BY_WORD = "so its sender says, which is the only proof, for nothing of it can be looked at here"
MAX_TOLD = 3
Read = Callable[[str, Sequence[ObjectRef]], ClusterSnapshot]
"""Reads what a look needs of the cluster of a context, empty for the one that the settings name."""


def read_live(kubernetes: KubernetesSettings) -> Read:
    """Reads it with the account that may only look."""

    def read(context: str, refs: Sequence[ObjectRef]) -> ClusterSnapshot:
        with Cluster.from_settings(kubernetes.in_context(context), read_only=True) as live:
            return read_health_state(live, refs)

    return read


def place_end(ledger: Ledger, end: Resolved, *, now: datetime) -> tuple[str, ...]:
    """Note that a failure is well again, as its sender says, and end the incidents of which nothing is left, unless
    they are to be looked at first or something was done; returns all it concerns."""
    concerned = ledger.members.resolve(end)
    for incident_id in concerned:
        left = ledger.members.count(incident_id, failing_only=True)
        if is_told(left):
            ledger.incidents.note(incident_id, f"well again: {end.title}; {left} are not", at=now)
        if not left:
            _end(ledger, incident_id, end, now)
    return concerned


def _end(ledger: Ledger, incident_id: str, end: Resolved, now: datetime) -> None:
    status = ledger.incidents.get(incident_id).incident.status
    if status.ended or status is IncidentStatus.ACTING:
        left_alone = "it has ended" if status.ended else "the heal is acting and goes on to its proof"
        ledger.incidents.note(incident_id, f"well again: {end.title}; {left_alone}", at=now)
    elif ledger.members.to_look_at(incident_id):
        ledger.incidents.note(incident_id, f"well again, as its sender says: {end.title}; it is looked at", at=now)
    else:
        end_by_itself(ledger, incident_id, Seen(), proof=end.proof, now=now)


def look_at(ledger: Ledger, incident_ids: Sequence[str], read: Read, *, now: datetime) -> dict[str, Seen]:
    """What one look at each of the incidents shows; what stands in one cluster is read at once.

    Raises:
        TransientError: a cluster cannot be reached.
        PermanentError: it cannot be read.
    """
    places = {one: _places(ledger, one) for one in incident_ids}
    found = {one: _found(ledger, one) for one in incident_ids}
    seen = dict.fromkeys(incident_ids, Seen())
    for context in dict.fromkeys(place.context for some in places.values() for place in some):
        here = {one: [place for place in some if place.context == context] for one, some in places.items()}
        here = {one: some for one, some in here.items() if some}
        refs = [ref for one, some in here.items() for ref in refs_to_read(some, found[one])]
        state = read(context, refs)
        for one, some in here.items():
            told = look_again(state, some, found[one], now=now)
            seen[one] = Seen(failing=(*seen[one].failing, *told.failing), well=(*seen[one].well, *told.well))
    return seen


def _places(ledger: Ledger, incident_id: str) -> list[ClusterTarget]:
    members = ledger.members.to_look_at(incident_id)
    return list(dict.fromkeys(one.signal.cluster for one in members if one.signal.cluster is not None))


def _found(ledger: Ledger, incident_id: str) -> ClusterTriage | None:
    """What triage found, where a person is asked about it."""
    kept = ledger.heals.kept(incident_id)
    return Settled.model_validate_json(kept).triage.cluster if kept else None


def told_of(healths: Sequence[ObjectHealth]) -> str:
    """In the operator's words what was seen, bounded."""
    told = [f"{one.ref}: {one.detail}" for one in healths[:MAX_TOLD]]
    return "; ".join([*told, f"and {len(healths) - MAX_TOLD} more"] if len(healths) > MAX_TOLD else told)


def end_by_itself(ledger: Ledger, incident_id: str, seen: Seen, *, proof: str = "", now: datetime) -> bool:
    """End an incident as *resolved* and withdraw its questions, unless something is being done or it had ended. `proof`
    is what its sender saw, where that is more than a word.

    Raises:
        PermanentError: something of it still fails.
    """
    if seen.failing:
        raise PermanentError(f"{incident_id} has not gone away: {told_of(seen.failing)}")
    story = read_story(ledger, incident_id)
    proof = f"it was looked at ({told_of(seen.well)})" if seen.well else proof or BY_WORD
    outcome = resolved_outcome(story.incident, story.diagnosis, proof=proof, now=now)
    withdrawn = withdrawal(ledger, incident_id, reason="it went away by itself", now=now)
    end_incident(ledger, story.incident, outcome, plan=story.plan, withdrawn=withdrawn)
    ended = ledger.memory.outcome_of(incident_id) == outcome
    if ended:
        ledger.members.believe(incident_id, at=now)
    return ended
