"""What a look at a feed has to say: prices that moved, rows held back, a feed that is back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Float, ScalarSelect, Select, cast, func, or_, select, true

from pricing_sources.observation import Kind
from service.domain.canonical import json_bytes
from service.domain.events import Event, EventType
from service.domain.refreshes import Refresh
from service.store import refreshes
from service.store.event_tables import event
from service.store.tables import OBSERVATIONS, SERIES, refresh, terms

MOVED: Final = 0.01
"""Share by which a price must have changed to be told."""
MOST_SHOWN: Final = 20
LOOKS_TOLD: Final = frozenset({"schedule", "manual"})
"""A saved document, an archive or a mended parser tells nothing that happened now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A price that changed."""

    series: str
    before: Decimal
    after: Decimal
    currency: str | None
    share: float


def ends(connection: Connection, kinds: tuple[Kind, ...]) -> Mapping[Kind, int]:
    """The last row of each log, to know later which came after."""
    newest = {kind: select(func.max(OBSERVATIONS[kind].c.observation_id)) for kind in kinds}
    return {kind: connection.scalar(query) or 0 for kind, query in newest.items()}


def of_refresh(connection: Connection, done: Refresh, before: Mapping[Kind, int]) -> Iterator[Event]:
    """The events of a look at a feed; `before` is what `ends` said when it began."""
    if done.scope != "feed" or done.trigger not in LOOKS_TOLD:
        return
    if done.status == "sealed":
        yield from _changed(connection, done, before)
        yield from _recovered(connection, done)
    if done.status == "quarantined" or done.rejected > _held_last_time(connection, done):
        yield _held_back(done)


class Told(msgspec.Struct, frozen=True):
    """What was said of a source that was told to be stale."""

    last_good_at: datetime | None = None
    """When it was last read well, if that was it."""
    newest_period: datetime | None = None
    """How old its newest figures were, if that was it."""


def standing(connection: Connection) -> Mapping[str, Told]:
    """The sources last told to be stale, each with what was said then."""
    told = event.c.type.in_(("feed.stale", "feed.recovered"))
    newest = select(func.max(event.c.event_id)).where(told).group_by(event.c.subject)
    rows = connection.execute(select(event.c.subject, event.c.type, event.c.data).where(event.c.event_id.in_(newest)))
    return {row.subject: msgspec.json.decode(row.data, type=Told) for row in rows if row.type == "feed.stale"}


def stale(source: str, last_good_at: datetime, missed: int, now: datetime) -> Event:
    """A feed that has not been read well for too many of its publications: one event until it is back."""
    return Event(
        type="feed.stale",
        subject=source,
        key=last_good_at.isoformat(),
        occurred_at=now,
        text=f"{source} was last read well at {last_good_at:%Y-%m-%d %H:%MZ}, {missed} publications ago",
        data=json_bytes({"source": source, "last_good_at": last_good_at, "missed_publications": missed}),
    )


def frozen(source: str, newest_period: datetime, missed: int, now: datetime) -> Event:
    """A feed that answers, and for too many of its publications with what it said before."""
    return Event(
        type="feed.stale",
        subject=source,
        key=f"newest {newest_period.isoformat()}",
        occurred_at=now,
        text=f"{source} answers, but tells nothing newer than {newest_period:%Y-%m-%d %H:%MZ}, "
        f"{missed} publications after more was due",
        data=json_bytes({"source": source, "newest_period": newest_period, "missed_publications": missed}),
    )


def _changed(connection: Connection, done: Refresh, before: Mapping[Kind, int]) -> Iterator[Event]:
    number, shown = 0, []
    for kind, end in before.items():
        many, largest = _moves(connection, kind, end)
        number += many
        shown += largest
    if not number:
        return
    shown.sort(key=lambda one: (-abs(one.share), one.series))
    most = shown[0]
    text = f"{done.source}: {number} price{'s' if number > 1 else ''} changed, most {most.series} by {most.share:+.1%}"
    yield _event("price.changed", done, text, {"changed": number, "largest": shown[:MOST_SHOWN]})


def _moves(connection: Connection, kind: Kind, end: int) -> tuple[int, list[Move]]:
    """How many prices learned after row `end` differ from the ones before them, and the largest of these moves."""
    rows = connection.execute(_moved(kind, end)).all()
    found = [
        Move(series=row.key, before=row.was, after=row.amount, currency=row.currency or None, share=round(row.share, 6))
        for row in rows
    ]
    return (rows[0].number if rows else 0), found


def _moved(kind: Kind, end: int) -> Select[Any]:
    """Hourly and shorter intervals are left out: a market's price is another one every time."""
    new, series = OBSERVATIONS[kind], SERIES[kind]
    prior = new.alias("prior")
    share = cast(new.c.amount, Float) / cast(prior.c.amount, Float) - 1
    return (
        select(series.c.key, prior.c.amount.label("was"), new.c.amount, terms.c.currency, share.label("share"))
        .add_columns(func.count().over().label("number"))
        .select_from(
            new.join(prior, prior.c.observation_id == _before(kind, end))
            .join(series, series.c.series_id == new.c.series_id)
            .join(terms, terms.c.terms_id == new.c.terms_id)
        )
        .where(
            new.c.observation_id > end,
            new.c.change.in_(("observed", "correction")),
            prior.c.terms_id == new.c.terms_id,
            cast(prior.c.amount, Float) > 0,
            or_(share >= MOVED, share <= -MOVED),
            series.c.resolution == "" if kind is Kind.ELECTRICITY else true(),
        )
        .order_by(func.abs(share).desc(), series.c.key)
        .limit(MOST_SHOWN)
    )


def _before(kind: Kind, end: int) -> ScalarSelect[Any]:
    """Of a new row, the one of its series that was in force before it was learned."""
    new, earlier = OBSERVATIONS[kind], OBSERVATIONS[kind].alias("earlier")
    return (
        select(earlier.c.observation_id)
        .where(
            earlier.c.series_id == new.c.series_id,
            earlier.c.valid_from <= new.c.valid_from,
            earlier.c.observation_id <= end,
        )
        .order_by(earlier.c.valid_from.desc(), earlier.c.refresh_id.desc())
        .limit(1)
        .correlate(new)
        .scalar_subquery()
    )


def _recovered(connection: Connection, done: Refresh) -> Iterator[Event]:
    """A feed that was silent is back when it is read; one that stood still, when it tells something newer."""
    told = standing(connection).get(done.source)
    if told is None:
        return
    if told.newest_period is None:
        text = f"{done.source} is read again; the look before was at {told.last_good_at:%Y-%m-%d %H:%MZ}"
    elif refreshes.newest_periods(connection)[done.source] > told.newest_period:
        text = f"{done.source} moves again; its newest figures were of {told.newest_period:%Y-%m-%d %H:%MZ}"
    else:
        return
    yield _event("feed.recovered", done, text, {"stale_since": told.newest_period or told.last_good_at})


def _held_last_time(connection: Connection, done: Refresh) -> int:
    """Rows the look before held back; what is held back every time is told once."""
    before = (
        select(refresh.c.rejected)
        .where(
            refresh.c.source_id == done.source,
            refresh.c.refresh_id < done.refresh_id,
            refresh.c.status == "sealed",
            refresh.c.scope.in_(("feed", "seed")),
        )
        .order_by(refresh.c.refresh_id.desc())
        .limit(1)
    )
    return connection.scalar(before) or 0


def _held_back(done: Refresh) -> Event:
    if done.status == "quarantined":
        text = f"{done.source}: the document as a whole is not believed: {done.error}"
    else:
        rows = "1 row is" if done.rejected == 1 else f"{done.rejected} rows are"
        text = f"{done.source}: {rows} held back; see: costplan quarantine ls --source {done.source}"
    return _event("price.quarantined", done, text, {"rejected": done.rejected, "error": done.error})


def _event(kind: EventType, done: Refresh, text: str, data: dict[str, Any]) -> Event:
    return Event(
        type=kind,
        subject=done.source,
        key=str(done.refresh_id),
        occurred_at=done.recorded_at,
        text=text,
        data=json_bytes({"source": done.source, "refresh_id": done.refresh_id, **data}),
    )
