"""The head of the log: one row whose lock puts everything we learn in one order."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from service.store.tables import log_head


def next_refresh(connection: Connection, now: datetime) -> tuple[int, datetime]:
    """The id and the seal of a new refresh: from here to the commit nobody else can seal."""
    connection.execute(update(log_head).values(refresh_id=log_head.c.refresh_id + 1))
    head = connection.execute(select(log_head)).one()
    return head.refresh_id, _advance(connection, head.recorded_at, now)


def next_moment(connection: Connection, now: datetime) -> datetime:
    """When something that is no refresh became known; later than everything learned before."""
    connection.execute(update(log_head).values(refresh_id=log_head.c.refresh_id))
    head = connection.execute(select(log_head)).one()
    return _advance(connection, head.recorded_at, now)


def _advance(connection: Connection, last: datetime, now: datetime) -> datetime:
    recorded_at = max(now, last + timedelta(microseconds=1))
    connection.execute(update(log_head).values(recorded_at=recorded_at))
    return recorded_at
