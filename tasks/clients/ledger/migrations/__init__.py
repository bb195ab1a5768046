"""Alembic's migrations of the ledger, shipped in the wheel."""
