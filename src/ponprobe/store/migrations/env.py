"""Alembic's entry: migrate on the connection that is handed over, inside its transaction.

``ponprobe.store.migrate`` calls it when a store is opened. With Alembic's own command line, give the database with
``-x url=...``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from ponprobe.store.migrate import VERSION_TABLE
from ponprobe.store.schema import metadata


def run(connection: sa.Connection) -> None:
    """Run what is to be run."""
    context.configure(connection=connection, target_metadata=metadata, version_table=VERSION_TABLE)
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    with sa.create_engine(context.get_x_argument(as_dictionary=True)["url"]).connect() as own:
        run(own)
