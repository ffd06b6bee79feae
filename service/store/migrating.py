"""Bringing a database to the revision this code needs."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from service.store.schema import current, head, migrations
from service.store.store import Store


def upgrade(store: Store) -> tuple[str | None, str]:
    """Migrate to the newest revision; returns the revisions before and after.

    Run by two replicas at once, the second waits and then finds nothing to do.
    """
    return store.write(_upgrade)


def config() -> Config:
    """Alembic's configuration, pointing at our migrations wherever we are installed."""
    settings = Config()
    settings.set_main_option("script_location", str(migrations()).replace("%", "%%"))
    return settings


def _upgrade(connection: Connection) -> tuple[str | None, str]:
    if connection.dialect.name == "postgresql":
        # Only to make a second migrator wait; nothing else relies on an advisory lock.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7262656172)")
    before = current(connection)
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
    return before, head()
