"""Alembic's entry: runs on the connection the service hands in, or on COSTPLAN_DATABASE_URL from its command line."""

from alembic import context
from sqlalchemy import Connection

from service.clock import now
from service.settings import Settings
from service.store import budget_tables, event_tables, notification_tables, plan_tables  # noqa: F401  part of the schema
from service.store.store import Store
from service.store.tables import metadata
from service.store.types import ExactDecimal, UtcDateTime


def render_item(kind, obj, autogen_context):
    """Write our column types as plain SQLAlchemy ones, so that a migration needs none of our code."""
    if kind == "type" and isinstance(obj, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(obj, ExactDecimal):
        return "sa.Numeric().with_variant(sa.String(80), 'sqlite')"
    return False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        render_item=render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    Store.open(Settings().database_url, now).write(run)
