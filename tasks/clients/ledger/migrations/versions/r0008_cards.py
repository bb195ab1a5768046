"""Cards: the outbox of what people are told, one row for each question."""

from alembic import op

from tasks.clients.ledger.tables import cards

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    cards.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop the table."""
    cards.drop(op.get_bind())
