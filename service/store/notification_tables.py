"""The tables of notifications: who is told, and how each telling goes."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from service.store.tables import BigId, metadata
from service.store.types import UtcDateTime

notification_target = Table(
    "notification_target",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("recorded_at", UtcDateTime, primary_key=True),
    Column("target_id", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    comment="Every version of every target; the newest counts. No secret is in it.",
)

notification_reach = Table(
    "notification_reach",
    metadata,
    Column("target", String(60), primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    comment="Up to which event each target's deliveries are written down.",
)

delivery = Table(
    "delivery",
    metadata,
    Column("delivery_id", BigId, primary_key=True),
    Column("event_id", BigInteger, ForeignKey("event.event_id"), nullable=False),
    Column("target", String(60), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", Text, nullable=False),
    UniqueConstraint("event_id", "target"),
    CheckConstraint("state IN ('waiting', 'delivered', 'dead')", name="state"),
    Index("ix_delivery_due", "state", "due_at"),
    comment="One row per event and target: tried until it is delivered or dead, one process at a time.",
)
