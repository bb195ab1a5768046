"""Votes of several people, and the hash-chained audit trail, which refuses updates and deletions."""

from alembic import op

from tasks.clients.ledger.tables import metadata

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = [metadata.tables[name] for name in ("votes", "audit", "audit_head")]
_SQLITE_GUARD = """
CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""
_POSTGRESQL_GUARD = """
CREATE RULE audit_no_{verb} AS ON {verb} TO audit DO INSTEAD NOTHING
"""


def upgrade() -> None:
    """Make the tables and the trail's guards."""
    metadata.create_all(op.get_bind(), tables=_TABLES)
    guard = _SQLITE_GUARD if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL_GUARD
    for verb in ("UPDATE", "DELETE"):
        op.execute(guard.format(verb=verb))


def downgrade() -> None:
    """Drop them."""
    metadata.drop_all(op.get_bind(), tables=_TABLES)
