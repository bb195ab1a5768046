"""Revisions: which ones of a workload were seen to serve."""

from alembic import op

from tasks.clients.ledger.tables import revisions

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    revisions.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop the table."""
    revisions.drop(op.get_bind())
