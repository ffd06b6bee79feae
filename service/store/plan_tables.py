"""The tables of plans: those made, the goals that are watched, and every time one was planned."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, LargeBinary, String, Table, Text

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

standing_goal = Table(
    "standing_goal",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("recorded_at", UtcDateTime, primary_key=True),
    Column("standing_goal_id", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    comment="Every version of every goal that is watched; the newest not after known_at counts.",
)

standing_goal_run = Table(
    "standing_goal_run",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("slot", UtcDateTime, primary_key=True),
    Column("ran_at", UtcDateTime, nullable=False),
    Column("standing_goal_id", String(64), nullable=False),
    Column("plan_id", String(64), ForeignKey("plan.plan_id")),
    Column("told_plan_id", String(64), ForeignKey("plan.plan_id")),
    Column("flipped", Boolean, nullable=False),
    Column("outcome", Text, nullable=False),
    comment="A standing goal planned once for a change of prices, and the plan that counts as told since.",
)
