"""What was really charged: documents of charges, and which of them count."""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, insert, or_, select

from service.domain.spend import Charge, SpendImport
from service.store import documents
from service.store.budget_tables import spend, spend_import
from service.store.head import next_moment


def add(
    connection: Connection, made: SpendImport, charges: Sequence[Charge], body: bytes, now: datetime
) -> SpendImport:
    """Keep a document and its charges; the edition in force said again is no new one.

    The number, the digest and the moment of `made` are given here.
    """
    made = replace(made, document_sha256=documents.keep(connection, body, "text/csv"))
    newest = _newest(connection, made.budget, made.origin)
    if newest and (newest.document_sha256, newest.reading) == (made.document_sha256, made.reading):
        return newest
    values = asdict(made) | {"recorded_at": next_moment(connection, now)}
    del values["import_id"]
    [import_id] = connection.execute(insert(spend_import).values(values).returning(spend_import.c.import_id)).one()
    connection.execute(insert(spend), [asdict(one) | {"import_id": import_id} for one in charges])
    return SpendImport(**values, import_id=import_id)


def in_force(connection: Connection, budget: str, start: datetime, end: datetime, known_at: datetime) -> list[Charge]:
    """The charges of a budget that touch a span, without those a later edition replaced; in order of time."""
    mine, later = spend_import, spend_import.alias("later")
    newer = or_(
        later.c.recorded_at > mine.c.recorded_at,
        and_(later.c.recorded_at == mine.c.recorded_at, later.c.import_id > mine.c.import_id),
    )
    replaced = exists().where(
        later.c.budget == mine.c.budget,
        later.c.origin == mine.c.origin,
        later.c.recorded_at <= known_at,
        later.c.covers_from <= spend.c.charge_from,
        spend.c.charge_from < later.c.covers_until,
        newer,
    )
    query = (
        select(spend)
        .join(mine, mine.c.import_id == spend.c.import_id)
        .where(mine.c.budget == budget, mine.c.recorded_at <= known_at, ~replaced)
        .where(spend.c.charge_from < end, spend.c.charge_until > start)
        .order_by(spend.c.charge_from, spend.c.spend_id)
    )
    return [_charge(row) for row in connection.execute(query)]


def imports(connection: Connection, budget: str, limit: int = 50) -> list[SpendImport]:
    """The newest imports of a budget."""
    query = select(spend_import).where(spend_import.c.budget == budget)
    rows = connection.execute(query.order_by(spend_import.c.import_id.desc()).limit(limit))
    return [SpendImport(**row) for row in rows.mappings()]


def _newest(connection: Connection, budget: str, origin: str) -> SpendImport | None:
    query = select(spend_import).where(spend_import.c.budget == budget, spend_import.c.origin == origin)
    row = connection.execute(query.order_by(spend_import.c.import_id.desc()).limit(1)).mappings().one_or_none()
    return SpendImport(**row) if row is not None else None


def _charge(row: Row[Any]) -> Charge:
    return Charge(**{one.name: getattr(row, one.name) for one in fields(Charge)})
