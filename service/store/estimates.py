"""The ledger: scenarios and estimates, immutable, named by the hash of their bytes."""

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Table, and_, insert, or_, select

from service.domain.canonical import canonical_bytes, content_id
from service.domain.estimate import Estimate
from service.domain.scenario import Scenario
from service.errors import Invalid, NotFound
from service.store.tables import estimate as estimate_table
from service.store.tables import scenario as scenario_table


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScenario:
    """A scenario and its name in the ledger."""

    scenario_id: str
    created_at: datetime
    scenario: Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEstimate:
    """An estimate and its name in the ledger."""

    estimate_id: str
    scenario_id: str
    created_at: datetime
    estimate: Estimate
    body: bytes
    """The canonical bytes the id is the SHA-256 of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateSummary:
    """One line of the ledger."""

    estimate_id: str
    scenario_id: str
    name: str
    created_at: datetime
    valid_at: datetime
    known_at: datetime
    currency: str
    total: Decimal
    lower_bound: bool


def add_scenario(connection: Connection, scenario: Scenario, now: datetime) -> StoredScenario:
    """Keep a scenario; the same one twice is one row."""
    body = canonical_bytes(scenario)
    scenario_id = content_id(body)
    if not _exists(connection, scenario_table, scenario_id):
        connection.execute(
            insert(scenario_table).values(scenario_id=scenario_id, name=scenario.name, created_at=now, body=body)
        )
    return get_scenario(connection, scenario_id)


def add(connection: Connection, estimate: Estimate, now: datetime) -> StoredEstimate:
    """Keep an estimate and its scenario; the same bytes twice are one row."""
    stored = add_scenario(connection, estimate.scenario, now)
    body = canonical_bytes(estimate)
    estimate_id = content_id(body)
    if not _exists(connection, estimate_table, estimate_id):
        connection.execute(
            insert(estimate_table).values(
                estimate_id=estimate_id,
                scenario_id=stored.scenario_id,
                name=estimate.scenario.name,
                created_at=now,
                valid_at=estimate.as_of.valid_at,
                known_at=estimate.as_of.known_at,
                currency=estimate.currency,
                total=estimate.total,
                lower_bound=estimate.lower_bound,
                body=body,
            )
        )
    return get(connection, estimate_id)


def get(connection: Connection, name: str) -> StoredEstimate:
    """An estimate by id or an unambiguous start of it. Raises NotFound, Invalid."""
    row = _by_prefix(connection, estimate_table, name, "estimate")
    return StoredEstimate(
        estimate_id=row.estimate_id,
        scenario_id=row.scenario_id,
        created_at=row.created_at,
        estimate=msgspec.json.decode(row.body, type=Estimate),
        body=row.body,
    )


def newest(connection: Connection, scenario_id: str = "", limit: int = 50, after: str = "") -> list[EstimateSummary]:
    """The ledger, newest first; `after` is the last id of the page before."""
    table = estimate_table
    query = select(*(table.c[spec.name] for spec in fields(EstimateSummary)))
    if scenario_id:
        query = query.where(table.c.scenario_id == scenario_id)
    if after:
        last = connection.execute(select(table.c.created_at).where(table.c.estimate_id == after)).one_or_none()
        if last is None:
            raise Invalid.field("after", "is not an estimate id; take it from the page before")
        query = query.where(_before(table, last.created_at, after))
    rows = connection.execute(query.order_by(table.c.created_at.desc(), table.c.estimate_id.desc()).limit(limit))
    return [EstimateSummary(**row) for row in rows.mappings()]


def get_scenario(connection: Connection, name: str) -> StoredScenario:
    """A scenario by id or an unambiguous start of it. Raises NotFound, Invalid."""
    return _stored_scenario(_by_prefix(connection, scenario_table, name, "scenario"))


def scenarios(connection: Connection, limit: int = 50) -> list[StoredScenario]:
    """Scenarios, newest first."""
    table = scenario_table
    rows = connection.execute(
        select(table).order_by(table.c.created_at.desc(), table.c.scenario_id.desc()).limit(limit)
    )
    return [_stored_scenario(row) for row in rows]


def _stored_scenario(row: Row[Any]) -> StoredScenario:
    return StoredScenario(
        scenario_id=row.scenario_id,
        created_at=row.created_at,
        scenario=msgspec.json.decode(row.body, type=Scenario),
    )


def _before(table: Table, created_at: datetime, last_id: str) -> Any:
    key = table.primary_key.columns[0]
    return or_(table.c.created_at < created_at, and_(table.c.created_at == created_at, key < last_id))


def _exists(connection: Connection, table: Table, wanted: str) -> bool:
    key = table.primary_key.columns[0]
    return connection.scalar(select(key).where(key == wanted)) is not None


def _by_prefix(connection: Connection, table: Table, name: str, noun: str) -> Row[Any]:
    key = table.primary_key.columns[0]
    if len(name) < 4 or not set(name) <= set("0123456789abcdef"):
        raise Invalid.field(noun, f"{name!r} is not an {noun} id; give at least its first 4 hexadecimal digits")
    rows = connection.execute(select(table).where(key.startswith(name)).order_by(key).limit(2)).all()
    if not rows:
        raise NotFound(f"there is no {noun} {name}; see: costplan {noun} ls")
    if len(rows) > 1:
        raise Invalid.field(noun, f"{name!r} begins more than one {noun} id; give more digits")
    return rows[0]
