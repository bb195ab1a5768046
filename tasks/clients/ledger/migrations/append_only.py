"""Keeps the database from changing or deleting what a table holds."""

from alembic import op

_SQLITE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{named} is append-only'); END
"""
_POSTGRESQL_FUNCTION = """
CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{named} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
_POSTGRESQL = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()
"""


def guard(table: str, *, named: str) -> None:
    """Refuse every statement that changes, deletes or empties; `named` is what the refusal calls the table."""
    if op.get_bind().dialect.name == "sqlite":
        statements = [_SQLITE.format(table=table, named=named, verb=verb) for verb in ("UPDATE", "DELETE")]
    else:
        triggers = [_POSTGRESQL.format(table=table, verb=verb) for verb in ("UPDATE", "DELETE", "TRUNCATE")]
        statements = [_POSTGRESQL_FUNCTION.format(table=table, named=named), *triggers]
    for statement in statements:
        op.execute(statement)


def unguard(table: str) -> None:
    """Drop what is left of it once the table is gone."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"DROP FUNCTION {table}_is_append_only()")
