"""When its sender said that a member is well again, beside when that counted."""

from alembic import op
from sqlalchemy import Column, inspect

from tasks.clients.ledger.texts import TIME

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, unless the table was made with it just now; until here the word of the sender was enough."""
    if any(one["name"] == "said_well_at" for one in inspect(op.get_bind()).get_columns("members")):
        return
    op.add_column("members", Column("said_well_at", TIME))
    op.execute("UPDATE members SET said_well_at = resolved_at")


def downgrade() -> None:
    """Drop it."""
    op.drop_column("members", "said_well_at")
