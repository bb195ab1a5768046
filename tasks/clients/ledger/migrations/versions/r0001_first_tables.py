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
CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
_POSTGRESQL_TRIGGER = """
CREATE TRIGGER journal_no_{verb} BEFORE {verb} ON journal FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()
"""


_TABLES = [metadata.tables[name] for name in ("events", "incidents", "journal", "actions", "approvals", "outcomes")]


def upgrade() -> None:
    """Make the tables and the journal's guards."""
    metadata.create_all(op.get_bind(), tables=_TABLES)
    if op.get_bind().dialect.name == "sqlite":
        statements = [_SQLITE_GUARD.format(verb=verb) for verb in ("UPDATE", "DELETE")]
    else:
        triggers = [_POSTGRESQL_TRIGGER.format(verb=verb) for verb in ("UPDATE", "DELETE", "TRUNCATE")]
        statements = [_POSTGRESQL_GUARD, *triggers]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    """Drop all tables."""
    metadata.drop_all(op.get_bind(), tables=_TABLES)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION journal_is_append_only()")
