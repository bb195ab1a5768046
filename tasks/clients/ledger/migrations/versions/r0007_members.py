"""Members: which failures one incident stands for, and what they have in common."""

from alembic import op

from tasks.clients.ledger.tables import group_keys, members

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    members.create(op.get_bind(), checkfirst=True)
    group_keys.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop the tables."""
    group_keys.drop(op.get_bind())
    members.drop(op.get_bind())
