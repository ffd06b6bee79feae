"""The table of events."""

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text

from service.store.tables import BigId, metadata
from service.store.types import UtcDateTime

event = Table(
    "event",
    metadata,
    Column("event_id", BigId, primary_key=True),
    Column("uid", String(64), nullable=False, unique=True),
    Column("type", String(40), nullable=False),
    Column("subject", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("text", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("notify", Text, nullable=False),
    Index("ix_event_type", "type", "event_id"),
    comment="Written in the transaction that made it happen; what is told to whom is read from here.",
)
