"""The first tables; the journal refuses updates and deletions."""

from alembic import op

from tasks.clients.ledger.migrations.append_only import guard, unguard
from tasks.clients.ledger.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = [metadata.tables[name] for name in ("events", "incidents", "journal", "actions", "approvals", "outcomes")]


def upgrade() -> None:
    """Make the tables and the journal's guards."""
    metadata.create_all(op.get_bind(), tables=_TABLES)
    guard("journal", named="the journal")


def downgrade() -> None:
    """Drop all tables."""
    metadata.drop_all(op.get_bind(), tables=_TABLES)
    unguard("journal")
