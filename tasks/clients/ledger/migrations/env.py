"""Runs the ledger's migrations over the connection that `engine.migrate` hands in."""

from alembic import context

from tasks.clients.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
