"""Runs the migrations on the connection `Database.migrate` hands over, inside its transaction."""

from alembic import context

from qonys.web.state.tables import metadata

# transaction_per_migration stays off: all steps or none
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
