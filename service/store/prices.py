"""Asking the log: prices in force at one moment, as known at another."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, FromClause, Row, Select, and_, func, literal, null, or_, select, true

from pricing_sources.observation import INTERVALS, Kind, Status
from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.price_book import Citation, Offer, Price, PriceBook, Unpriced
from service.domain.refreshes import SeriesPoint
from service.errors import NoData, NotFound
from service.store.in_force import row_in_force
from service.store.tables import OBSERVATIONS, SERIES, document_fetch, fx_series, refresh, source_edition, terms

IN_LIMIT: Final = 500
"""Keys asked for in one IN list; SQLite and the planners of both like them short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFilter:
    """What to look for; an empty field does not narrow."""

    kind: Kind | None = None
    source: str = ""
    text: str = ""
    """Part of the series key or of the accelerator, area, occupation or record name; case does not matter."""
    after: str = ""
    """Only keys after this one (the cursor of the page before)."""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Watermark:
    """The newest refresh a question may use."""

    refresh_id: int
    recorded_at: datetime


def watermark(connection: Connection, known_at: datetime) -> Watermark:
    """Resolve `known_at` to the newest seal not after it. Raises NoData before the first."""
    newest = (
        select(refresh.c.refresh_id, refresh.c.recorded_at)
        .where(refresh.c.recorded_at <= known_at, refresh.c.status == "sealed")
        .order_by(refresh.c.refresh_id.desc())
        .limit(1)
    )
    row = connection.execute(newest).one_or_none()
    if row is None:
        first = connection.scalar(select(func.min(refresh.c.recorded_at)).where(refresh.c.status == "sealed"))
        if first is None:
            raise NoData("no prices are recorded yet; run: costplan refresh, or: costplan import SOURCE FILE")
        raise NoData(
            f"nothing was known at {known_at.isoformat()}; the first prices were recorded at {first.isoformat()}"
        )
    return Watermark(row.refresh_id, row.recorded_at)


def price_book(connection: Connection, as_of: AsOf, keys: Collection[str]) -> PriceBook:
    """The book of exactly these series, and every reference rate: one statement per kind of series."""
    mark = watermark(connection, as_of.known_at)
    checked = last_checked(connection, mark)
    found: dict[str, Price | Unpriced] = {}
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), IN_LIMIT):
        chunk = wanted[start : start + IN_LIMIT]
        for kind in Kind:
            only = SERIES[kind].c.key.in_(chunk)
            for row in connection.execute(_in_force(kind, as_of.valid_at, mark).where(only)):
                found[row.key] = price_of(kind, row, checked, as_of.valid_at)
    for key in wanted:
        if key not in found:
            found[key] = Unpriced(key, _why_missing(connection, key, as_of, mark))
    rates = _fx_rates(connection, as_of.valid_at, mark, checked)
    return PriceBook(AsOf(as_of.valid_at, mark.recorded_at), found, rates["EUR"], rates["USD"])


def in_force(connection: Connection, kind: Kind, key: str, valid_at: datetime, mark: Watermark) -> Row[Any] | None:
    """The row of one series in force at `valid_at`, by one statement."""
    return connection.execute(_in_force(kind, valid_at, mark).where(SERIES[kind].c.key == key)).one_or_none()


def search(connection: Connection, as_of: AsOf, wanted: PriceFilter) -> tuple[list[Price], Watermark]:
    """Prices in force that match, in key order, at most `limit`."""
    mark = watermark(connection, as_of.known_at)
    checked = last_checked(connection, mark)
    kinds = [wanted.kind] if wanted.kind else list(Kind)
    prices: list[Price] = []
    for kind in kinds:
        query = _narrowed(_in_force(kind, as_of.valid_at, mark), kind, wanted)
        query = query.where(OBSERVATIONS[kind].c.amount.is_not(None), _not_over(kind, as_of.valid_at))
        query = query.order_by(SERIES[kind].c.key).limit(wanted.limit)
        found = (price_of(kind, row, checked, as_of.valid_at) for row in connection.execute(query))
        prices.extend(price for price in found if isinstance(price, Price))
    return sorted(prices, key=lambda price: price.series)[: wanted.limit], mark


def history(connection: Connection, key: str, known_at: datetime) -> list[SeriesPoint]:
    """Every row of one series known at `known_at`, oldest first: prices, corrections, absences."""
    mark = watermark(connection, known_at)
    for kind in Kind:
        table = OBSERVATIONS[kind]
        query = joined(kind, table.c.refresh_id <= mark.refresh_id).where(SERIES[kind].c.key == key)
        rows = connection.execute(query.order_by(table.c.valid_from, table.c.refresh_id)).all()
        if rows:
            return [_point(row) for row in rows]
    raise NotFound(f"no series is called {key!r}{_nearest(connection, key)}")


def _in_force(kind: Kind, valid_at: datetime, mark: Watermark) -> Select[Any]:
    """One row per series: the newest by (valid_from, refresh_id) within both clocks."""
    newest = row_in_force(kind, SERIES[kind].c.series_id, valid_at, mark.refresh_id)
    return joined(kind, OBSERVATIONS[kind].c.observation_id == newest)


def joined(kind: Kind, condition: Any) -> Select[Any]:
    """The rows of the log that meet a condition, with everything a citation needs."""
    series, log = SERIES[kind], OBSERVATIONS[kind]
    includes_power = series.c.includes_power if kind is Kind.GPU else literal(value=False)
    offer = _OFFER.get(kind, {})
    resolution = series.c.resolution if kind is Kind.ELECTRICITY else literal("")
    source: FromClause = (
        series.join(log, and_(log.c.series_id == series.c.series_id, condition))
        .join(terms, terms.c.terms_id == log.c.terms_id)
        .join(document_fetch, document_fetch.c.fetch_id == log.c.fetch_id)
        .join(refresh, refresh.c.refresh_id == log.c.refresh_id)
        .join(source_edition, source_edition.c.edition_id == refresh.c.edition_id)
    )
    return select(
        series.c.key,
        series.c.source_id,
        includes_power.label("includes_power"),
        resolution.label("resolution"),
        *(series.c[offer[name]].label(name) if name in offer else null().label(name) for name in _OFFER[Kind.GPU]),
        log.c.valid_from,
        log.c.change,
        log.c.amount,
        log.c.locator,
        log.c.published_amount,
        log.c.vintage,
        terms.c.currency,
        terms.c.unit,
        terms.c.published_unit,
        terms.c.status,
        terms.c.reference_url,
        terms.c.note,
        document_fetch.c.sha256,
        document_fetch.c.url,
        document_fetch.c.fetched_at,
        refresh.c.recorded_at,
        refresh.c.trigger,
        source_edition.c.publisher,
        source_edition.c.licence,
        source_edition.c.attribution,
        source_edition.c.republish,
    ).select_from(source)


def last_checked(connection: Connection, mark: Watermark) -> dict[str, datetime]:
    """When each source was last confirmed, as known at the watermark."""
    rows = connection.execute(
        select(refresh.c.source_id, func.max(refresh.c.refresh_id).label("newest"))
        .where(refresh.c.status == "sealed", refresh.c.refresh_id <= mark.refresh_id)
        .group_by(refresh.c.source_id)
        .subquery("newest_of_source")
        .select()
    ).all()
    seals = connection.execute(
        select(refresh.c.refresh_id, refresh.c.recorded_at).where(
            refresh.c.refresh_id.in_([row.newest for row in rows])
        )
    )
    by_id = {row.refresh_id: row.recorded_at for row in seals}
    return {row.source_id: by_id[row.newest] for row in rows}


def _not_over(kind: Kind, valid_at: datetime) -> Any:
    """True for every price but that of a market interval that ended before `valid_at`."""
    if kind is not Kind.ELECTRICITY:
        return true()
    resolution, began = SERIES[kind].c.resolution, OBSERVATIONS[kind].c.valid_from
    running = (and_(resolution == name, began > valid_at - length) for name, length in INTERVALS.items())
    return or_(resolution == "", *running)


def price_of(kind: Kind, row: Row[Any], checked: dict[str, datetime], valid_at: datetime) -> Price | Unpriced:
    """A row of `joined` as a price in force at `valid_at`, or why it is none."""
    if row.amount is None:
        return Unpriced(row.key, f"no longer offered since {row.valid_from.isoformat()}")
    if row.resolution and valid_at >= row.valid_from + INTERVALS[row.resolution]:
        return Unpriced(row.key, f"no price then; the interval before it began at {row.valid_from.isoformat()}")
    return Price(
        series=row.key,
        kind=kind,
        amount=row.amount,
        currency=row.currency or None,
        unit=Unit(row.unit),
        valid_from=row.valid_from,
        recorded_at=row.recorded_at,
        checked_at=checked[row.source_id],
        status=Status(row.status),
        vintage=row.vintage,
        note=row.note,
        includes_power=bool(row.includes_power),
        offer=_offer(kind, row),
        citation=Citation(
            source=row.source_id,
            publisher=row.publisher,
            licence=row.licence,
            attribution=row.attribution,
            document_sha256=row.sha256,
            document_url=row.url,
            fetched_at=row.fetched_at,
            locator=row.locator,
            reference_url=row.reference_url,
            published_amount=row.published_amount,
            published_unit=row.published_unit,
            republish=None if row.republish else False,
        ),
    )


def _offer(kind: Kind, row: Row[Any]) -> Offer | None:
    if kind not in _OFFER:
        return None
    return Offer(
        provider=row.provider,
        sku=row.sku,
        region=row.region or "global",
        purchase=row.purchase,
        tier=row.tier or "",
        statistic=row.statistic or "",
        accelerator=row.accelerator or "",
        gpu_count=row.gpu_count,
    )


def _point(row: Row[Any]) -> SeriesPoint:
    return SeriesPoint(
        valid_from=row.valid_from,
        recorded_at=row.recorded_at,
        change=row.change,
        trigger=row.trigger,
        amount=None if row.amount is None else str(row.amount),
        currency=row.currency or None,
        unit=row.unit,
        status=row.status,
        vintage=row.vintage,
        document_sha256=row.sha256,
        document_url=row.url,
        locator=row.locator,
        published_amount=row.published_amount,
        published_unit=row.published_unit,
    )


def _fx_rates(
    connection: Connection,
    valid_at: datetime,
    mark: Watermark,
    checked: dict[str, datetime],
) -> dict[str, dict[str, Price]]:
    """Per base, EUR and USD, and currency: the newest reference rate, whichever source states it."""
    rates: dict[str, dict[str, Price]] = {"EUR": {}, "USD": {}}
    query = _in_force(Kind.FX, valid_at, mark).add_columns(fx_series.c.base_currency)
    for row in connection.execute(query.where(fx_series.c.base_currency.in_(rates)).order_by(fx_series.c.key)):
        price, known = price_of(Kind.FX, row, checked, valid_at), rates[row.base_currency]
        if not isinstance(price, Price) or price.currency is None:
            continue
        best = known.get(price.currency)
        if best is None or price.valid_from > best.valid_from:
            known[price.currency] = price
    return rates


def _narrowed(query: Select[Any], kind: Kind, wanted: PriceFilter) -> Select[Any]:
    series = SERIES[kind]
    if wanted.source:
        query = query.where(series.c.source_id == wanted.source)
    if wanted.after:
        query = query.where(series.c.key > wanted.after)
    if wanted.text:
        searched = [series.c.key, *(series.c[name] for name in _SEARCHED[kind])]
        text = " ".join(wanted.text.split())
        matches = [column.icontains(text, autoescape=True) for column in searched]
        # A key spells blanks as '_': "H100 SXM" must find "H100_SXM" too.
        matches.append(series.c.key.icontains(text.replace(" ", "_"), autoescape=True))
        query = query.where(_any(matches))
    return query


_OFFER: Final = {
    Kind.GPU: {
        name: name
        for name in ("provider", "sku", "region", "purchase", "tier", "statistic", "accelerator", "gpu_count")
    },
    Kind.LLM_API: {"provider": "provider", "sku": "llm", "purchase": "meter"},
}
"""Columns of a series that say what is on offer."""
_SEARCHED: Final = {
    Kind.GPU: ("accelerator", "sku", "region"),
    Kind.ELECTRICITY: ("area", "sector"),
    Kind.SALARY: ("occupation_title", "area_title"),
    Kind.FX: ("quote_currency",),
    Kind.LLM_API: ("provider", "llm"),
    Kind.RECORD: ("topic", "name"),
}


def _any(conditions: Sequence[Any]) -> Any:
    first, *rest = conditions
    for condition in rest:
        first = first | condition
    return first


def _why_missing(connection: Connection, key: str, as_of: AsOf, mark: Watermark) -> str:
    """Say what is covered, so that the asker can ask something answerable."""
    for kind in Kind:
        log, series = OBSERVATIONS[kind], SERIES[kind]
        covered = connection.execute(
            select(func.min(log.c.valid_from).label("first"))
            .join(series, series.c.series_id == log.c.series_id)
            .where(series.c.key == key, log.c.refresh_id <= mark.refresh_id)
        ).one()
        if covered.first is not None:
            return (
                f"no price at {as_of.valid_at.isoformat()}; the first known then held from {covered.first.isoformat()}"
            )
    return f"no such series was known then{_nearest(connection, key, mark)}"


def _nearest(connection: Connection, key: str, mark: Watermark | None = None) -> str:
    """`; did you mean …`, from keys that share the last words of the one asked for, none learned after the mark."""
    words: Iterable[str] = [word for word in key.split("/")[1:] if word] or [key]
    for word in sorted(words, key=len, reverse=True):
        for kind in Kind:
            log, series = OBSERVATIONS[kind], SERIES[kind]
            alike = select(series.c.key).where(series.c.key.icontains(word, autoescape=True))
            if mark is not None:
                known = (log.c.series_id == series.c.series_id) & (log.c.refresh_id <= mark.refresh_id)
                alike = alike.where(select(log.c.series_id).where(known).exists())
            found = connection.scalars(alike.order_by(series.c.key).limit(3)).all()
            if found:
                return f"; did you mean {' or '.join(found)}?"
    return "; see: costplan prices ls"
