"""Prices that are known and not yet in force."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, Select, select, true

from pricing_sources.observation import Kind
from service.domain.agenda import Announced
from service.store.tables import OBSERVATIONS, SERIES, terms
from service.store.types import decimal_text


def announced(connection: Connection, now: datetime, limit: int) -> list[Announced]:
    """The next prices to come into force, soonest first; a market's hours of tomorrow are none of them."""
    found = [
        Announced(
            series=row.key,
            valid_from=row.valid_from,
            amount=decimal_text(Decimal(row.amount)),
            currency=row.currency,
            unit=row.unit,
        )
        for kind in Kind
        for row in connection.execute(_ahead(kind, now, limit))
    ]
    found.sort(key=lambda one: (one.valid_from, one.series))
    return found[:limit]


def _ahead(kind: Kind, now: datetime, limit: int) -> Select[tuple[str, datetime, Decimal, str, str]]:
    table, series, later = OBSERVATIONS[kind], SERIES[kind], OBSERVATIONS[kind].alias("later")
    newest_of_date = (
        select(later.c.observation_id)
        .where(later.c.series_id == table.c.series_id, later.c.valid_from == table.c.valid_from)
        .order_by(later.c.refresh_id.desc())
        .limit(1)
        .correlate(table)
        .scalar_subquery()
    )
    return (
        select(series.c.key, table.c.valid_from, table.c.amount, terms.c.currency, terms.c.unit)
        .join(series, series.c.series_id == table.c.series_id)
        .join(terms, terms.c.terms_id == table.c.terms_id)
        .where(
            table.c.valid_from > now,
            table.c.change.in_(("observed", "correction")),
            table.c.observation_id == newest_of_date,
            series.c.resolution == "" if kind is Kind.ELECTRICITY else true(),
        )
        .order_by(table.c.valid_from, series.c.key)
        .limit(limit)
    )
