"""Two feeds that price one offer: when they differ, the log says so.

An offer is the same where provider, SKU, region, purchase and tier (of a GPU), or provider, LLM,
meter, tier and condition (of tokens) are the same. A provider's own price for everywhere (`global`) is
one of every region, but of those for which the same feed has a price of their own; in a catalogue of
many providers `global` only says that it names no region. Prices are compared per unit and currency,
never converted.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, and_, func, insert, or_, select, union_all

from pricing_sources.observation import Kind
from service.domain.refreshes import Disagreement
from service.store.in_force import row_in_force
from service.store.tables import OBSERVATIONS, SERIES, disagreement, refresh, terms

TOLERANCE: Final = Decimal("0.005")
"""Feeds round; below half a percent they agree."""
SAME_OFFER: Final = {
    Kind.GPU: ("provider", "sku", "region", "purchase", "tier", "statistic"),
    Kind.LLM_API: ("provider", "llm", "meter", "above_tokens", "condition"),
}
EVERYWHERE: Final = "global"
"""As a region: the provider's price, wherever its machines stand."""


def compare(connection: Connection, kind: Kind, source_id: str, refresh_id: int, now: datetime) -> int:
    """Compare a source's prices in force with every other feed's; store what is new. Returns how many."""
    if kind not in SAME_OFFER:
        return 0
    last = _last_known(connection, source_id)
    found = []
    for row in _pairs(connection, kind, source_id, now):
        key, other_key = sorted((row.key, row.other_key))
        amount, other = (row.amount, row.other_amount) if key == row.key else (row.other_amount, row.amount)
        known = last.get((key, other_key))
        if known == (amount, other) or (known is None and _agree(amount, other)):
            continue
        if known is not None and _agree(*known) and _agree(amount, other):
            continue
        found.append(
            {
                "refresh_id": refresh_id,
                "kind": kind.value,
                "key": key,
                "other_key": other_key,
                "amount": amount,
                "other_amount": other,
                "currency": row.currency,
                "unit": row.unit,
            }
        )
    if found:
        connection.execute(insert(disagreement), found)
    return len(found)


def standing(connection: Connection, key: str = "", source: str = "", limit: int = 100) -> list[Disagreement]:
    """The newest statement about each pair that still disagrees, widest first; of one series or source if given."""
    newest = select(func.max(disagreement.c.disagreement_id)).group_by(disagreement.c.key, disagreement.c.other_key)
    query = (
        select(disagreement, refresh.c.recorded_at)
        .join(refresh, refresh.c.refresh_id == disagreement.c.refresh_id)
        .where(disagreement.c.disagreement_id.in_(newest))
    )
    if key:
        query = query.where(or_(disagreement.c.key == key, disagreement.c.other_key == key))
    if source:
        query = query.where(
            or_(
                disagreement.c.key.startswith(f"{source}/", autoescape=True),
                disagreement.c.other_key.startswith(f"{source}/", autoescape=True),
            )
        )
    found = [_disagreement(row) for row in connection.execute(query) if not _agree(row.amount, row.other_amount)]
    return sorted(found, key=lambda one: -one.share)[:limit]


def _pairs(connection: Connection, kind: Kind, source_id: str, now: datetime) -> list[Row[Any]]:
    """Series of this source beside those of others that name the same offer, with both amounts."""
    ours, theirs = SERIES[kind].alias("ours"), SERIES[kind].alias("theirs")
    beside = [_alike(kind, ours, theirs)]
    if "region" in SAME_OFFER[kind]:
        beside += [_within(kind, ours, theirs, now), _within(kind, theirs, ours, now)]
    # One join of equal columns each, which the index of offers answers: joined by `or`, it could not be used.
    queries = [_beside(kind, ours, theirs, one, now).where(ours.c.source_id == source_id) for one in beside]
    return list(connection.execute(union_all(*queries)))


def _beside(kind: Kind, ours: FromClause, theirs: FromClause, same: ColumnElement[bool], now: datetime) -> Select[Any]:
    log, other_log = OBSERVATIONS[kind].alias("log"), OBSERVATIONS[kind].alias("other_log")
    words, other_words = terms.alias("words"), terms.alias("other_words")
    return (
        select(
            ours.c.key,
            theirs.c.key.label("other_key"),
            log.c.amount,
            other_log.c.amount.label("other_amount"),
            words.c.currency,
            words.c.unit,
        )
        .join_from(ours, theirs, and_(theirs.c.source_id != ours.c.source_id, same))
        .join(log, log.c.observation_id == row_in_force(kind, ours.c.series_id, now))
        .join(other_log, other_log.c.observation_id == row_in_force(kind, theirs.c.series_id, now))
        .join(words, words.c.terms_id == log.c.terms_id)
        .join(other_words, other_words.c.terms_id == other_log.c.terms_id)
        .where(
            log.c.amount.is_not(None),
            other_log.c.amount.is_not(None),
            words.c.unit == other_words.c.unit,
            words.c.currency == other_words.c.currency,
        )
    )


def _alike(kind: Kind, one: FromClause, other: FromClause, *, without: str = "") -> ColumnElement[bool]:
    """The columns that make an offer, but for one, are equal."""
    return and_(*(one.c[name] == other.c[name] for name in SAME_OFFER[kind] if name != without))


def _within(kind: Kind, wide: FromClause, narrow: FromClause, now: datetime) -> ColumnElement[bool]:
    """`narrow` is an offer in one region of what `wide` prices everywhere, but prices nowhere else in that region."""
    own, own_log = SERIES[kind].alias("own"), OBSERVATIONS[kind].alias("own_log")
    apart = (
        select(own.c.series_id)
        .join_from(own, own_log, own_log.c.observation_id == row_in_force(kind, own.c.series_id, now))
        .where(_alike(kind, own, narrow), own.c.source_id == wide.c.source_id, own_log.c.amount.is_not(None))
        .correlate(wide, narrow)
    )
    return and_(
        _alike(kind, wide, narrow, without="region"),
        wide.c.region == EVERYWHERE,
        ~_is_of_a_catalogue(wide),
        narrow.c.region != EVERYWHERE,  # spares a look-up: such offers are alike
        ~apart.exists(),
    )


def _is_of_a_catalogue(series: FromClause) -> ColumnElement[bool]:
    """Its source lists machines of several providers: the key then names the provider, too."""
    return series.c.key.startswith(series.c.source_id + "/" + series.c.provider + "/")


def _last_known(connection: Connection, source_id: str) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    starts = f"{source_id}/"
    rows = connection.execute(
        select(disagreement)
        .where(
            or_(
                disagreement.c.key.startswith(starts, autoescape=True),
                disagreement.c.other_key.startswith(starts, autoescape=True),
            )
        )
        .order_by(disagreement.c.disagreement_id)
    )
    return {(row.key, row.other_key): (row.amount, row.other_amount) for row in rows}


def _agree(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= TOLERANCE * max(abs(one), abs(other))


def _disagreement(row: Row[Any]) -> Disagreement:
    low, high = sorted((row.amount, row.other_amount))
    return Disagreement(
        kind=row.kind,
        series=row.key,
        other_series=row.other_key,
        amount=row.amount,
        other_amount=row.other_amount,
        currency=row.currency or None,
        unit=row.unit,
        share=float((high - low) / high) if high else 0.0,
        recorded_at=row.recorded_at,
        refresh_id=row.refresh_id,
    )
