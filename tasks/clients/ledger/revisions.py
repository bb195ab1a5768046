"""Revisions of workloads that were seen to serve, so that a roll-back knows what to go back to."""

from datetime import datetime

from sqlalchemy import Engine, RowMapping, insert, select, update

from tasks.clients.ledger.engine import reading, transaction
from tasks.clients.ledger.tables import revisions
from tasks.domain.cluster import ObjectRef
from tasks.domain.rollout import VerifiedRevision


class Revisions:
    """What was verified, by cluster and workload."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record_verified(self, found: VerifiedRevision) -> None:
        """Remember a revision; the same one again (a deploy that changes nothing) renews its time and commit."""
        key = {"context": found.context, "replica_set_uid": found.replica_set_uid}
        values = {
            "kind": found.ref.kind,
            "namespace": found.ref.namespace,
            "name": found.ref.name,
            "revision": found.revision,
            "replica_set": found.replica_set,
            "commit": found.commit,
            "deployed_at": found.deployed_at.isoformat(),
            "verified_at": found.verified_at.isoformat(),
        }
        same = (revisions.c.context == found.context) & (revisions.c.replica_set_uid == found.replica_set_uid)
        with transaction(self._engine) as connection:
            if connection.execute(update(revisions).where(same).values(**values)).rowcount == 0:
                connection.execute(insert(revisions).values(**key, **values))

    def last_verified(self, context: str, ref: ObjectRef) -> VerifiedRevision | None:
        """The newest verified revision of a workload, `None` when none was."""
        return next(iter(self.verified_of(context, ref)), None)

    def verified_of(self, context: str, ref: ObjectRef) -> tuple[VerifiedRevision, ...]:
        """The verified revisions of a workload, the newest first."""
        of_ref = (
            (revisions.c.kind == ref.kind) & (revisions.c.namespace == ref.namespace) & (revisions.c.name == ref.name)
        )
        query = select(revisions).where(revisions.c.context == context, of_ref).order_by(revisions.c.verified_at.desc())
        with reading(self._engine) as connection:
            return tuple(_stored(row) for row in connection.execute(query).mappings())

    def verified_in(self, context: str, namespace: str) -> tuple[VerifiedRevision, ...]:
        """The verified revisions of all workloads of a namespace, the newest first."""
        query = (
            select(revisions)
            .where(revisions.c.context == context, revisions.c.namespace == namespace)
            .order_by(revisions.c.verified_at.desc())
        )
        with reading(self._engine) as connection:
            return tuple(_stored(row) for row in connection.execute(query).mappings())


def _stored(row: RowMapping) -> VerifiedRevision:
    return VerifiedRevision(
        context=row["context"],
        ref=ObjectRef(kind=row["kind"], namespace=row["namespace"], name=row["name"]),
        revision=row["revision"],
        replica_set=row["replica_set"],
        replica_set_uid=row["replica_set_uid"],
        commit=row["commit"],
        deployed_at=datetime.fromisoformat(row["deployed_at"]),
        verified_at=datetime.fromisoformat(row["verified_at"]),
    )
