"""How prices went over a period: one statement per kind of price, whatever the period holds."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from pricing_sources.observation import INTERVALS, Kind
from service.domain.price_book import Price
from service.domain.timelines import Entry, Reading, Timeline
from service.errors import Invalid, NoData
from service.store.prices import IN_LIMIT, Watermark, joined, last_checked, price_of, watermark
from service.store.tables import OBSERVATIONS, SERIES, fx_series

MOST_ROWS: Final = 400_000
"""Rows one question may load; three years of five-minute prices are 315,000."""

Lines = dict[str, list[Timeline]]


@dataclass(frozen=True, slots=True)
class Span:
    """A period of one reading: every row that can be in force between `start` and `end`."""

    start: datetime
    end: datetime
    reading: Reading
    mark: Watermark
    """The newest refresh that may be used."""
    known_at_start: int
    """The newest refresh that could be used at `start` in this reading; 0 if there was none."""


def span(connection: Connection, start: datetime, end: datetime, reading: Reading, known_at: datetime) -> Span:
    """What a question about a period may use. Raises NoData if nothing was known by `known_at`."""
    mark = watermark(connection, known_at)
    first = mark.refresh_id
    if reading == "known_then":
        try:
            first = watermark(connection, min(start, known_at)).refresh_id
        except NoData:
            first = 0
    return Span(start, end, reading, mark, first)


def timelines(connection: Connection, keys: Collection[str], period: Span) -> dict[str, Timeline]:
    """The rows of these series that can be in force in the period; a series without any is absent."""
    found: dict[str, list[Entry]] = defaultdict(list)
    checked = last_checked(connection, period.mark)
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), IN_LIMIT):
        for kind in Kind:
            only = SERIES[kind].c.key.in_(wanted[start : start + IN_LIMIT])
            for row in _rows(connection, kind, period, only):
                found[row.key].append(_entry(kind, row, checked))
                _not_too_many(sum(map(len, found.values())) if len(found[row.key]) % 1000 == 0 else 0)
    return {key: Timeline(key, tuple(entries)) for key, entries in found.items()}


def fx_timelines(connection: Connection, currencies: Collection[str], period: Span) -> tuple[Lines, Lines]:
    """By currency, every series that states its rate per EUR, and per USD; in key order."""
    checked = last_checked(connection, period.mark)
    only = and_(fx_series.c.base_currency.in_(("EUR", "USD")), fx_series.c.quote_currency.in_(sorted(currencies)))
    entries: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    for row in _rows(connection, Kind.FX, period, only):
        entries[row.base_currency, row.quote_currency, row.key].append(_entry(Kind.FX, row, checked))
    lines: dict[str, Lines] = {"EUR": defaultdict(list), "USD": defaultdict(list)}
    for (base, quote, key), rows in sorted(entries.items()):
        lines[base][quote].append(Timeline(key, tuple(rows)))
    return lines["EUR"], lines["USD"]


def _rows(connection: Connection, kind: Kind, period: Span, only: ColumnElement[bool]) -> Iterator[Row[Any]]:
    log, series = OBSERVATIONS[kind], SERIES[kind]
    inner = log.alias("earlier")
    in_force_at_start = (
        select(func.max(inner.c.valid_from))
        .where(
            inner.c.series_id == series.c.series_id,
            inner.c.valid_from <= period.start,
            inner.c.refresh_id <= period.known_at_start,
        )
        .correlate(series)
        .scalar_subquery()
    )
    query = joined(kind, log.c.refresh_id <= period.mark.refresh_id).add_columns(log.c.refresh_id)
    if kind is Kind.FX:
        query = query.add_columns(fx_series.c.base_currency, fx_series.c.quote_currency)
    query = query.where(only, log.c.valid_from < period.end, _from(log.c.valid_from, in_force_at_start))
    yield from connection.execute(query.order_by(series.c.key, log.c.valid_from, log.c.refresh_id))


def _from(valid_from: Any, earliest: Any) -> ColumnElement[bool]:
    return or_(earliest.is_(None), valid_from >= earliest)


def _entry(kind: Kind, row: Row[Any], checked: dict[str, datetime]) -> Entry:
    price = price_of(kind, row, checked, row.valid_from)
    return Entry(
        valid_from=row.valid_from,
        recorded_at=row.recorded_at,
        order=row.refresh_id,
        change=row.change,
        price=price,
        lasts=INTERVALS[row.resolution] if row.resolution and isinstance(price, Price) else None,
    )


def _not_too_many(rows: int) -> None:
    if rows > MOST_ROWS:
        raise Invalid.field("start", f"the period needs more than {MOST_ROWS} prices; ask for a shorter one")
