"""Bookmarks: up to when Prefect and GitHub were read for failures that no webhook told."""

from alembic import op

from tasks.clients.ledger.tables import bookmarks

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    bookmarks.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop the table."""
    bookmarks.drop(op.get_bind())
