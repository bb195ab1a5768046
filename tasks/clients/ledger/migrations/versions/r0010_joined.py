"""Which incident another one joined."""

from alembic import op
from sqlalchemy import Column, String, inspect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, unless the table was made with it just now."""
    if not any(one["name"] == "joined" for one in inspect(op.get_bind()).get_columns("incidents")):
        op.add_column("incidents", Column("joined", String(32)))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("incidents", "joined")
