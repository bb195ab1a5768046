"""Heals: what one asks about or does, and what it waits for."""

from alembic import op

from tasks.clients.ledger.tables import heals

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    heals.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop the table."""
    heals.drop(op.get_bind())
