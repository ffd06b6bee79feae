"""Plans, immutable, named by the hash of their bytes; each pick is an estimate kept with it."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select

from service.domain.band import Band
from service.domain.canonical import canonical_bytes, content_id
from service.domain.estimate import Estimate
from service.domain.plan import Plan, PlanSummary, StoredPlan
from service.errors import Invalid, NotFound
from service.store import bands
from service.store.plan_tables import plan as plan_table


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePlan:
    """A plan before it is kept, with the estimates of its picks and their bands."""

    plan: Plan
    priced: tuple[tuple[Estimate, Band], ...]


def add(connection: Connection, made: MadePlan, now: datetime) -> StoredPlan:
    """Keep a plan with the estimates of its picks; the same bytes twice are one row."""
    plan = made.plan
    for estimate, band in made.priced:
        bands.add_with_estimate(connection, estimate, band, now)
    body = canonical_bytes(plan)
    plan_id, best = content_id(body), plan.picks[0]
    if connection.scalar(select(plan_table.c.plan_id).where(plan_table.c.plan_id == plan_id)) is None:
        connection.execute(
            insert(plan_table).values(
                plan_id=plan_id,
                name=plan.goal.name,
                created_at=now,
                valid_at=plan.as_of.valid_at,
                known_at=plan.as_of.known_at,
                currency=plan.currency,
                cost=best.cost,
                series=best.candidate.series,
                body=body,
            )
        )
    return get(connection, plan_id)


def get(connection: Connection, name: str) -> StoredPlan:
    """A plan by id or an unambiguous start of it. Raises NotFound, Invalid."""
    if len(name) < 4 or not set(name) <= set("0123456789abcdef"):
        raise Invalid.field("plan", f"{name[:80]!r} is not a plan id; give at least its first 4 hexadecimal digits")
    key = plan_table.c.plan_id
    rows = connection.execute(select(plan_table).where(key.startswith(name)).order_by(key).limit(2)).all()
    if not rows:
        raise NotFound(f"there is no plan {name}; see: costplan plan ls")
    if len(rows) > 1:
        raise Invalid.field("plan", f"{name!r} begins more than one plan id; give more digits")
    return _stored(rows[0])


def newest(connection: Connection, limit: int = 50) -> list[PlanSummary]:
    """Plans, newest first."""
    table = plan_table
    query = select(*(table.c[one.name] for one in fields(PlanSummary)))
    rows = connection.execute(query.order_by(table.c.created_at.desc(), table.c.plan_id.desc()).limit(limit))
    return [PlanSummary(**row) for row in rows.mappings()]


def _stored(row: Row[Any]) -> StoredPlan:
    return StoredPlan(plan_id=row.plan_id, created_at=row.created_at, plan=msgspec.json.decode(row.body, type=Plan))
