"""The table of plans."""

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text

from service.store.tables import metadata
from service.store.types import ExactDecimal, UtcDateTime

plan = Table(
    "plan",
    metadata,
    Column("plan_id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("valid_at", UtcDateTime, nullable=False),
    Column("known_at", UtcDateTime, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("cost", ExactDecimal, nullable=False),
    Column("series", String(300), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_plan_created_at", "created_at", "plan_id"),
    comment="Immutable; the id is the SHA-256 of the body. Its picks are estimates.",
)
