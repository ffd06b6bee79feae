"""The log of events: written with what made them happen, read in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, Select, select
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.canonical import json_bytes
from service.domain.events import Event, RecordedEvent
from service.store.event_tables import event
from service.store.head import next_moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events are asked for; all of them unless said."""

    types: tuple[str, ...] = ()
    subject: str = ""

    def of(self, query: Select[Any]) -> Select[Any]:
        """The query without the others."""
        if self.types:
            query = query.where(event.c.type.in_(self.types))
        return query.where(event.c.subject == self.subject) if self.subject else query


ANY: Final = Wanted()


def record(connection: Connection, events: Sequence[Event], now: datetime) -> None:
    """Write events down in the caller's transaction; one that is there already is not written twice.

    The head of the log is held until the commit, so that the order of their ids is the order they are seen in.
    """
    if not events:
        return
    recorded_at = next_moment(connection, now)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    rows = [
        {
            "uid": one.uid,
            "type": one.type,
            "subject": one.subject,
            "key": one.key,
            "occurred_at": one.occurred_at,
            "recorded_at": recorded_at,
            "text": one.text,
            "data": one.data,
            "notify": json_bytes(one.notify).decode(),
        }
        for one in events
    ]
    connection.execute(dialect.insert(event).on_conflict_do_nothing(), rows)


def after(connection: Connection, event_id: int, limit: int = 100, only: Wanted = ANY) -> list[RecordedEvent]:
    """Events after one, in order."""
    query = only.of(select(event).where(event.c.event_id > event_id)).order_by(event.c.event_id)
    return [_recorded(row) for row in connection.execute(query.limit(limit))]


def newest(connection: Connection, limit: int = 100, only: Wanted = ANY) -> list[RecordedEvent]:
    """The newest events, the last first."""
    query = only.of(select(event)).order_by(event.c.event_id.desc())
    return [_recorded(row) for row in connection.execute(query.limit(limit))]


def known(connection: Connection, uids: Sequence[str]) -> frozenset[str]:
    """Those of these events that are in the log."""
    return frozenset(connection.scalars(select(event.c.uid).where(event.c.uid.in_(uids))))


def _recorded(row: Row[Any]) -> RecordedEvent:
    return RecordedEvent(
        event_id=row.event_id,
        uid=row.uid,
        recorded_at=row.recorded_at,
        event=Event(
            type=row.type,
            subject=row.subject,
            key=row.key,
            occurred_at=row.occurred_at,
            text=row.text,
            data=row.data,
            notify=msgspec.json.decode(row.notify, type=tuple[str, ...]),
        ),
    )
