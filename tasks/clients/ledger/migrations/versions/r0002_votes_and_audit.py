"""Votes of several people, and the hash-chained audit trail, which refuses updates and deletions."""

from alembic import op

from tasks.clients.ledger.migrations.append_only import guard, unguard
from tasks.clients.ledger.tables import metadata

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = [metadata.tables[name] for name in ("votes", "audit", "audit_head")]


def upgrade() -> None:
    """Make the tables and the trail's guards."""
    metadata.create_all(op.get_bind(), tables=_TABLES)
    guard("audit", named="the audit trail")


def downgrade() -> None:
    """Drop them."""
    metadata.drop_all(op.get_bind(), tables=_TABLES)
    unguard("audit")
