"""How every source stands: fresh, stale, never read, and what it held back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from apscheduler.triggers.cron import CronTrigger

from pricing_sources.addresses import redacted
from pricing_sources.source import Cadence, SourceInfo
from service.domain.price_book import Terms
from service.domain.refreshes import Disagreement, Freshness, Refresh, SourceRecord, SourceStatus
from service.errors import NotFound
from service.settings import Settings
from service.store import disagreements, events, feed_events, refreshes
from service.store.store import Store

MOST_SLOTS: Final = 10_000
"""Publications counted before we stop counting how many were missed."""
MOST_HOURS_LOST: Final = 4
"""No clock change repeats more."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A source as this installation is set up to ask it."""

    info: SourceInfo
    url: str
    enabled: bool
    has_key: bool

    @classmethod
    def of(cls, info: SourceInfo, settings: Settings) -> "Feed":
        """A source under the settings in force."""
        return cls(
            info,
            settings.source_url(info.id) or info.url,
            settings.source_enabled(info.id, by_default=info.on_by_default and info.republish),
            info.key_setting is None or settings.source_key(info.id) is not None,
        )


def list_sources(store: Store, feeds: Sequence[Feed], now: datetime) -> list[SourceStatus]:
    """Every source, in a fixed number of statements."""
    records: Mapping[str, SourceRecord] = store.read(refreshes.records)
    return [_status(feed, records.get(feed.info.id), now) for feed in feeds]


def tell_stale(store: Store, feeds: Sequence[Feed], now: datetime) -> int:
    """Raise an event for every feed in use that has become stale, once until it is back; returns how many."""
    good, newest = store.read(refreshes.last_good), store.read(refreshes.newest_periods)
    told = store.read(feed_events.standing)
    found = []
    for feed in feeds:
        last, cadence = good.get(feed.info.id), feed.info.cadence
        if last is None or feed.info.bundled or not (feed.enabled and feed.has_key) or feed.info.id in told:
            continue
        silent, period = missed_publications(cadence, last, now), newest.get(feed.info.id)
        frozen = missed_publications(cadence, last, now, period)
        if silent >= cadence.stale_after:
            found.append(feed_events.stale(feed.info.id, last, silent, now))
        elif period is not None and frozen >= cadence.stale_after:
            found.append(feed_events.frozen(feed.info.id, period, frozen, now))
    if found:
        store.write(lambda c: events.record(c, found, now))
    return len(found)


def list_disagreements(store: Store, series: str = "", source: str = "", limit: int = 100) -> list[Disagreement]:
    """Offers that two feeds price differently, widest apart first; of one series or source if given."""
    return store.read(lambda c: disagreements.standing(c, series, source, limit))


def terms_of(store: Store, series: Iterable[str]) -> tuple[Terms, ...]:
    """On what terms the sources of these series state them, each source once."""
    sources = {key.partition("/")[0] for key in series}
    return tuple(store.read(lambda c: refreshes.terms(c, sources))) if sources else ()


def list_refreshes(store: Store, source: str = "", limit: int = 50) -> list[Refresh]:
    """The newest refreshes."""
    return store.read(lambda c: refreshes.newest(c, source, limit))


def get_refresh(store: Store, refresh_id: int) -> Refresh:
    """One refresh. Raises NotFound."""
    return store.read(lambda c: refreshes.get(c, refresh_id))


def feed_named(feeds: Sequence[Feed], source: str) -> Feed:
    """One feed by source id. Raises NotFound."""
    for feed in feeds:
        if feed.info.id == source:
            return feed
    raise NotFound(f"there is no source {source!r}; there are {', '.join(feed.info.id for feed in feeds)}")


def next_slot(cadence: Cadence, after: datetime) -> datetime:
    """The first expected publication strictly after a moment, in UTC."""
    trigger, start = _trigger(cadence.cron, cadence.timezone), after.astimezone(UTC)
    for hours in range(MOST_HOURS_LOST):
        # In the hour a clock change repeats, the library answers with the hour before: ask a little later.
        found = trigger.get_next_fire_time(None, start + timedelta(hours=hours, seconds=1))
        if found is not None and found > after:
            slot: datetime = found.astimezone(UTC)
            return slot
    raise NotFound(f"the cadence {cadence.cron!r} has no next publication")


@cache
def _trigger(cron: str, timezone: str) -> CronTrigger:
    return CronTrigger.from_crontab(cron, timezone=timezone)


def missed_publications(
    cadence: Cadence, last_good_at: datetime, now: datetime, newest_period: datetime | None = None
) -> int:
    """How many expected publications went by since a source was last read well, or should have told a newer period."""
    since = last_good_at
    if newest_period is not None and cadence.newest_within is not None:
        since = min(since, newest_period + cadence.newest_within)
    missed, slot = 0, next_slot(cadence, since)
    while slot + cadence.jitter < now and missed < MOST_SLOTS:
        missed += 1
        slot = next_slot(cadence, slot)
    return missed


def _status(feed: Feed, record: SourceRecord | None, now: datetime) -> SourceStatus:
    info, cadence = feed.info, feed.info.cadence
    good_at = record.last_good_at if record else None
    newest = record.newest_period if record else None
    missed = missed_publications(cadence, good_at, now, newest) if good_at and not info.bundled else 0
    last = record.last_checked if record else None
    return SourceStatus(
        source=info.id,
        title=info.title,
        publisher=info.publisher,
        kinds=tuple(kind.value for kind in info.kinds),
        homepage=info.homepage,
        url=redacted(feed.url),
        licence=info.licence,
        attribution=info.attribution,
        republish=info.republish,
        cadence=cadence.cron,
        timezone=cadence.timezone,
        key_needed=info.key_setting is not None,
        has_key=feed.has_key,
        enabled=feed.enabled,
        series=record.series if record else 0,
        last_good_at=good_at,
        newest_period=newest,
        next_due_at=None if info.bundled else next_slot(cadence, now),
        missed_publications=missed,
        freshness=_freshness(info, good_at, missed),
        last_status=last.status if last else None,
        last_error=last.error if last else None,
        refused=record.refused if record else False,
        quarantined_rows=record.quarantined_rows if record else 0,
        coverage=record.coverage if record else None,
    )


def _freshness(info: SourceInfo, good_at: datetime | None, missed: int) -> Freshness:
    if good_at is None:
        return "never"
    if info.bundled:
        return "bundled"
    return "stale" if missed >= info.cadence.stale_after else "fresh"
