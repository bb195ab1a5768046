"""Actions with their pre-images, outcomes, and what worked before."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, RowMapping, func, insert, select, update

from tasks.clients.ledger.approvals import expire_in
from tasks.clients.ledger.engine import reading, transaction
from tasks.clients.ledger.incidents import EntryKind, append_entry, move
from tasks.clients.ledger.members import count_members, hand_over
from tasks.clients.ledger.tables import actions, incidents, outcomes
from tasks.domain.approval import Approval
from tasks.domain.base import Noun, UtcTime
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.failure_class import FailureClass
from tasks.domain.grouping import Following
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.outcome import ActionResult, Outcome, SimilarIncident, TrackRecord
from tasks.domain.plan import Plan
from tasks.errors import OvertakenError, SupersededError


class StoredAction(Noun):
    """An action that was intended, and its result once there is one."""

    key: str
    incident_id: str
    name: str
    pre_image: str
    intended_at: UtcTime
    result: ActionResult | None = None


class Memory:
    """What was done and what became of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def intend(
        self,
        key: str,
        incident: Incident,
        diagnosis: Diagnosis,
        name: str,
        pre_image: str,
        *,
        at: datetime,
        run_id: str | None = None,
    ) -> StoredAction:
        """Write down what is about to be done; the same key again returns the first intention.

        Raises:
            SupersededError: another flow run than `run_id` handles the incident by now.
        """
        with transaction(self._engine) as connection:
            handled_by = select(incidents.c.flow_run_id).where(incidents.c.id == incident.id)
            current = connection.execute(handled_by).scalar()
            if run_id is not None and current not in (None, run_id):
                raise SupersededError(f"{incident.id} is healed by another run by now: {current}")
            row = connection.execute(select(actions).where(actions.c.key == key)).mappings().first()
            if row is not None:
                return _action(row)
            connection.execute(
                insert(actions).values(
                    key=key,
                    incident_id=incident.id,
                    name=name,
                    failure_class=diagnosis.failure_class,
                    repository=incident.signal.repository,
                    commit=incident.signal.commit,
                    pre_image=pre_image,
                    intended_at=at.isoformat(),
                )
            )
        return StoredAction(key=key, incident_id=incident.id, name=name, pre_image=pre_image, intended_at=at)

    def complete(self, key: str, result: ActionResult, *, at: datetime) -> None:
        """Write down how an intended action ended."""
        with transaction(self._engine) as connection:
            connection.execute(
                update(actions)
                .where(actions.c.key == key)
                .values(result=result.model_dump_json(), completed_at=at.isoformat())
            )

    def action(self, key: str) -> StoredAction | None:
        """One action, `None` when it was never intended."""
        with reading(self._engine) as connection:
            row = connection.execute(select(actions).where(actions.c.key == key)).mappings().first()
        return _action(row) if row is not None else None

    def actions_of(self, incident_id: str) -> tuple[StoredAction, ...]:
        """All actions that were intended for one incident, in order."""
        query = select(actions).where(actions.c.incident_id == incident_id).order_by(actions.c.intended_at)
        with reading(self._engine) as connection:
            return tuple(_action(row) for row in connection.execute(query).mappings())

    def count_actions_since(self, since: datetime) -> int:
        """How many actions were begun since then, over all incidents."""
        query = select(func.count()).select_from(actions).where(actions.c.intended_at >= since.isoformat())
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar() or 0)

    def count_reruns(self, incident: Incident, failure_class: FailureClass, action_name: str) -> int:
        """How often that action was taken for one class on the incident's commit, by other incidents than this one: a
        heal that begins again after a crash goes on with its own.
        """
        query = (
            select(func.count())
            .select_from(actions)
            .where(
                actions.c.repository == incident.signal.repository,
                actions.c.commit == incident.signal.commit,
                actions.c.incident_id != incident.id,
                actions.c.failure_class == failure_class,
                actions.c.name == action_name,
            )
        )
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar() or 0)

    def end(
        self,
        outcome: Outcome,
        *,
        repository: str,
        environment: str,
        plan: Plan | None,
        following: Following | None = None,
        withdrawn: Sequence[Approval] = (),
        members_seen: int | None = None,
    ) -> bool:
        """End an incident: outcome, story, status, the incident of what it left and the silence that its questions are
        withdrawn by at once, so that no crash leaves it half ended. Returns false, and writes nothing, when it had
        ended otherwise, or acts and is to end as *resolved*.

        Written again (by an undo) the outcome replaces the earlier one.

        Raises:
            OvertakenError: the incident has more failures than `members_seen`, and nothing was written.
        """
        with transaction(self._engine) as connection:
            if members_seen is not None and count_members(connection, outcome.incident_id) > members_seen:
                raise OvertakenError(f"further failures joined {outcome.incident_id} while it was to end")
            if not write_end(connection, outcome, repository=repository, environment=environment, plan=plan):
                return False
            if following is not None:
                hand_over(connection, outcome.incident_id, following, at=outcome.ended_at)
            for silence in withdrawn:
                expire_in(connection, silence)
        return True

    def outcome_of(self, incident_id: str) -> Outcome | None:
        """How an incident ended, `None` while it has not."""
        with reading(self._engine) as connection:
            document = connection.execute(
                select(outcomes.c.document).where(outcomes.c.incident_id == incident_id)
            ).scalar()
        return Outcome.model_validate_json(document) if document else None

    def similar(self, fingerprint: str, *, limit: int = 10) -> tuple[SimilarIncident, ...]:
        """Ended incidents with exactly this fingerprint, newest first; what joined another one is no experience."""
        query = (
            select(outcomes)
            .where(outcomes.c.fingerprint == fingerprint, outcomes.c.status != IncidentStatus.JOINED)
            .order_by(outcomes.c.ended_at.desc())
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return tuple(_similar(row) for row in connection.execute(query).mappings())

    def names_taken(self, fingerprint: str) -> tuple[str, ...]:
        """Names of all actions that were taken in ended incidents of exactly this fingerprint, each once."""
        query = select(outcomes.c.action_names).where(outcomes.c.fingerprint == fingerprint)
        with reading(self._engine) as connection:
            found = {name for (names,) in connection.execute(query) for name in json.loads(names)}
        return tuple(sorted(found))

    def track_record(self, failure_class: FailureClass, action_name: str, environment: str) -> TrackRecord:
        """How often one action helped against one class in one environment."""
        query = (
            select(outcomes.c.status, outcomes.c.action_names)
            .where(outcomes.c.failure_class == failure_class, outcomes.c.environment == environment)
            .order_by(outcomes.c.ended_at)
        )
        healed = failed = since = 0
        with reading(self._engine) as connection:
            for status, names in connection.execute(query):
                if action_name not in json.loads(names):
                    continue
                if status == IncidentStatus.HEALED:
                    healed, since = healed + 1, since + 1
                elif status in (IncidentStatus.ESCALATED, IncidentStatus.UNDONE):
                    failed, since = failed + 1, 0
        return TrackRecord(
            failure_class=failure_class,
            action_name=action_name,
            environment=environment,
            healed=healed,
            failed=failed,
            healed_since_failure=since,
        )


def write_end(
    connection: Connection, outcome: Outcome, *, repository: str, environment: str, plan: Plan | None
) -> bool:
    """The end itself within the caller's transaction; false when it had ended otherwise."""
    if not move(connection, outcome.incident_id, outcome.status):
        return False
    values = {
        "fingerprint": outcome.fingerprint,
        "failure_class": outcome.failure_class,
        "repository": repository,
        "environment": environment,
        "action_names": json.dumps(outcome.action_names),
        "status": outcome.status,
        "ended_at": outcome.ended_at.isoformat(),
        "document": outcome.model_dump_json(),
        "plan": plan.model_dump_json() if plan else None,
    }
    changed = connection.execute(update(outcomes).where(outcomes.c.incident_id == outcome.incident_id).values(**values))
    if changed.rowcount == 0:
        connection.execute(insert(outcomes).values(incident_id=outcome.incident_id, **values))
    append_entry(connection, outcome.incident_id, EntryKind.OUTCOME, outcome.model_dump_json(), at=outcome.ended_at)
    return True


def _action(row: RowMapping) -> StoredAction:
    return StoredAction(
        key=row["key"],
        incident_id=row["incident_id"],
        name=row["name"],
        pre_image=row["pre_image"],
        intended_at=datetime.fromisoformat(row["intended_at"]),
        result=ActionResult.model_validate_json(row["result"]) if row["result"] else None,
    )


def _similar(row: RowMapping) -> SimilarIncident:
    plan = Plan.model_validate_json(row["plan"]) if row["plan"] else None
    return SimilarIncident(
        incident_id=row["incident_id"],
        status=IncidentStatus(row["status"]),
        action_names=tuple(json.loads(row["action_names"])),
        plan_parameters=tuple(json.dumps(dict(action.parameters)) for action in plan.actions) if plan else (),
        ended_at=datetime.fromisoformat(row["ended_at"]),
    )
