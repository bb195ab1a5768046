"""Snoozes: a question that reminds nobody for a while."""

from alembic import op

from tasks.clients.ledger.tables import snoozes

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    snoozes.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop the table."""
    snoozes.drop(op.get_bind())
