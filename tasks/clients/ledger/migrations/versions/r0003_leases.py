"""Leases: one heal at a time works on one target."""

from alembic import op

from tasks.clients.ledger.tables import leases

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    leases.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop the table."""
    leases.drop(op.get_bind())
