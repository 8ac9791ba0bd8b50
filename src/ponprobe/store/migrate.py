"""Create the store's tables, or bring them up to date, exactly once however many processes open it at the same time."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from ponprobe.errors import ConfigError, MissingExtra

VERSION_TABLE = "ponprobe_store_version"
HEAD = "0001"
"""The version that this ponprobe works with; a test holds it against the migrations."""
_MIGRATIONS = Path(__file__).with_name("migrations")


def version(connection: sa.Connection) -> str | None:
    """Return the version of a store's tables, ``None`` for an empty database."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    return found


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables to ``HEAD`` inside the caller's transaction, which must keep others out.

    Raises ``ConfigError`` if a newer ponprobe has been here: its tables are left as they are.
    """
    found = version(connection)
    if found == HEAD:
        return
    try:
        from alembic import command  # noqa: PLC0415 - only the first opening after an update needs it
        from alembic.config import Config  # noqa: PLC0415
        from alembic.script import ScriptDirectory  # noqa: PLC0415
    except ImportError as exc:
        raise MissingExtra("creating or upgrading the store of the acceptance process", "workflow") from exc
    config = Config()
    # Alembic reads the value with interpolation of its own, where a percent sign is special
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if found is not None and found not in {
        each.revision for each in ScriptDirectory.from_config(config).walk_revisions()
    }:
        raise ConfigError(
            f"the store has tables of version {found}, which this ponprobe does not know: it knows up to {HEAD}",
            hint="a newer ponprobe has opened this store; update ponprobe here, too",
        )
    command.upgrade(config, HEAD)
