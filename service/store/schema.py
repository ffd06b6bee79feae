"""Bringing a database to the revision this code needs, and refusing one that is not there."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from service.errors import SchemaOutdated
from service.store.store import Store

_BESIDE: Final = Path(__file__).parent / "alembic"
"""Where a wheel carries the migrations; in a checkout they stand at the top level."""


def upgrade(store: Store) -> tuple[str | None, str]:
    """Migrate to the newest revision; returns the revisions before and after.

    Run by two replicas at once, the second waits and then finds nothing to do.
    """
    return store.write(_upgrade)


def require_current(store: Store) -> None:
    """Raise SchemaOutdated, saying which command to run, unless the database is at our revision."""
    current, wanted = store.read(_current), head()
    if current == wanted:
        return
    if current is None:
        raise SchemaOutdated(f"{store.where} has no schema yet; run: costplan db upgrade")
    if current in _revisions():
        raise SchemaOutdated(
            f"{store.where} is at revision {current}, this version needs {wanted}; run: costplan db upgrade"
        )
    raise SchemaOutdated(
        f"{store.where} is at revision {current}, which this version does not know; "
        "it was written by a newer version: update llm-cost-planner"
    )


def head() -> str:
    """The newest revision this code knows."""
    revision = ScriptDirectory.from_config(config()).get_current_head()
    if revision is None:
        raise SchemaOutdated("this installation carries no migrations; reinstall llm-cost-planner")
    return revision


def config() -> Config:
    """Alembic's configuration, pointing at our migrations wherever we are installed."""
    folder = _BESIDE if _BESIDE.is_dir() else Path(__file__).parents[2] / "alembic"
    settings = Config()
    settings.set_main_option("script_location", str(folder).replace("%", "%%"))
    return settings


def _upgrade(connection: Connection) -> tuple[str | None, str]:
    if connection.dialect.name == "postgresql":
        # Only to make a second migrator wait; nothing else relies on an advisory lock.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7262656172)")
    before = _current(connection)
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
    return before, head()


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return MigrationContext.configure(connection).get_current_revision()


def _revisions() -> frozenset[str]:
    return frozenset(script.revision for script in ScriptDirectory.from_config(config()).walk_revisions())
