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
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
_POSTGRESQL_TRIGGER = """
CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
"""


def upgrade() -> None:
    """Make the tables and the trail's guards."""
    metadata.create_all(op.get_bind(), tables=_TABLES)
    if op.get_bind().dialect.name == "sqlite":
        statements = [_SQLITE_GUARD.format(verb=verb) for verb in ("UPDATE", "DELETE")]
    else:
        triggers = [_POSTGRESQL_TRIGGER.format(verb=verb) for verb in ("UPDATE", "DELETE", "TRUNCATE")]
        statements = [_POSTGRESQL_GUARD, *triggers]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    metadata.drop_all(op.get_bind(), tables=_TABLES)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_is_append_only()")
