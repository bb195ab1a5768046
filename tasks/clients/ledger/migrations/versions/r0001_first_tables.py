"""The first tables; the journal refuses updates and deletions."""

from alembic import op

from tasks.clients.ledger.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQLITE_GUARD = """
CREATE TRIGGER journal_no_{verb} BEFORE {verb} ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
"""
_POSTGRESQL_GUARD = """
CREATE RULE journal_no_{verb} AS ON {verb} TO journal DO INSTEAD NOTHING
"""


_TABLES = [metadata.tables[name] for name in ("events", "incidents", "journal", "actions", "approvals", "outcomes")]


def upgrade() -> None:
    """Make the tables and the journal's guards."""
    metadata.create_all(op.get_bind(), tables=_TABLES)
    guard = _SQLITE_GUARD if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL_GUARD
    for verb in ("UPDATE", "DELETE"):
        op.execute(guard.format(verb=verb))


def downgrade() -> None:
    """Drop all tables."""
    metadata.drop_all(op.get_bind(), tables=_TABLES)
