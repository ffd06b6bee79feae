"""What the prices of an estimate did before it, as it could be known then."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, and_, select

from pricing_sources.observation import Kind, Status
from service.domain.as_of import AsOf
from service.domain.band import Percentile, PricePath
from service.domain.price_book import Price
from service.store.in_force import row_in_force
from service.store.prices import IN_LIMIT, Watermark, joined, watermark
from service.store.tables import OBSERVATIONS, SERIES, fx_series, salary_series, terms

PERCENTILES: Final = {"p10": 0.1, "p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9}
"""Statistics of a salary, hourly ones with `hourly_` before them."""


def price_paths(
    connection: Connection, prices: Iterable[Price], as_of: AsOf, lookback: timedelta
) -> dict[str, PricePath]:
    """The past of each of these prices; what was stated in another currency or unit is a gap.

    Of a reference exchange rate it is the longest past any source has of the same two currencies.
    """
    mark = watermark(connection, as_of.known_at)
    by_kind: dict[Kind, dict[str, Price]] = defaultdict(dict)
    for price in prices:
        by_kind[price.kind][price.series] = price
    found: dict[str, PricePath] = {}
    for kind, wanted in by_kind.items():
        stating = _same_rates(connection, wanted) if kind is Kind.FX else {key: [key] for key in wanted}
        keys = sorted({one for several in stating.values() for one in several})
        rows: dict[str, list[Any]] = {}
        for start in range(0, len(keys), IN_LIMIT):
            rows |= _rows(connection, kind, keys[start : start + IN_LIMIT], as_of, lookback, mark)
        for key, several in stating.items():
            longest = max(sorted(several), key=lambda one: (len(rows.get(one, ())), one == key))
            found[key] = _path(longest, wanted[key], rows.get(longest, ()))
    return found


def salary_percentiles(
    connection: Connection, prices: Iterable[Price], as_of: AsOf
) -> dict[str, tuple[Percentile, ...]]:
    """For each that is a salary: the percentiles of its occupation and area by the same source, in force then."""
    salaries = [price for price in prices if price.kind is Kind.SALARY]
    return {price.series: _percentiles(connection, price, as_of) for price in salaries}


def _percentiles(connection: Connection, price: Price, as_of: AsOf) -> tuple[Percentile, ...]:
    own = connection.execute(select(salary_series).where(salary_series.c.key == price.series)).one_or_none()
    if own is None:
        return ()
    prefix = "hourly_" if own.statistic.startswith("hourly_") else ""
    mark = watermark(connection, as_of.known_at)
    newest = row_in_force(Kind.SALARY, salary_series.c.series_id, as_of.valid_at, mark.refresh_id)
    rows = connection.execute(
        joined(Kind.SALARY, OBSERVATIONS[Kind.SALARY].c.observation_id == newest)
        .add_columns(salary_series.c.statistic.label("which"))
        .where(
            salary_series.c.source_id == own.source_id,
            salary_series.c.occupation == own.occupation,
            salary_series.c.area == own.area,
            salary_series.c.statistic.in_([prefix + name for name in PERCENTILES]),
            OBSERVATIONS[Kind.SALARY].c.amount.is_not(None),
        )
        .order_by(salary_series.c.key)
    )
    return tuple(
        Percentile(
            probability=PERCENTILES[row.which.removeprefix(prefix)],
            series=row.key,
            amount=row.amount,
            exact=row.status != Status.LOWER_BOUND,
        )
        for row in rows
        if (row.currency, row.unit) == (price.currency, price.unit)
    )


def _same_rates(connection: Connection, keys: Iterable[str]) -> dict[str, list[str]]:
    """For each series of a rate, every series of the same two currencies."""
    other = fx_series.alias("other")
    same = and_(
        other.c.base_currency == fx_series.c.base_currency, other.c.quote_currency == fx_series.c.quote_currency
    )
    query = select(fx_series.c.key, other.c.key.label("other_key")).join_from(fx_series, other, same)
    found: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(query.where(fx_series.c.key.in_(sorted(keys)))):
        found[row.key].append(row.other_key)
    return found


def _rows(
    connection: Connection, kind: Kind, keys: list[str], as_of: AsOf, lookback: timedelta, mark: Watermark
) -> dict[str, list[Any]]:
    log, series = OBSERVATIONS[kind], SERIES[kind]
    query = (
        select(series.c.key, log.c.valid_from, log.c.amount, terms.c.currency, terms.c.unit)
        .join_from(series, log, log.c.series_id == series.c.series_id)
        .join(terms, terms.c.terms_id == log.c.terms_id)
        .where(
            series.c.key.in_(keys),
            log.c.valid_from >= as_of.valid_at - lookback,
            log.c.valid_from <= as_of.valid_at,
            log.c.refresh_id <= mark.refresh_id,
        )
        .order_by(series.c.key, log.c.valid_from, log.c.refresh_id)
    )
    found: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.key].append(row)
    return found


def _path(series: str, price: Price, rows: Iterable[Any]) -> PricePath:
    """Of several rows with one moment the last was learned last."""
    amounts: dict[datetime, Decimal | None] = {}
    for row in rows:
        same = (row.currency or None, row.unit) == (price.currency, price.unit)
        amounts[row.valid_from] = row.amount if same else None
    return PricePath(series, tuple(amounts), tuple(amounts.values()))
