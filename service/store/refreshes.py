"""The refresh log: what was checked, when, how it ended."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, select

from service.domain.price_book import Terms
from service.domain.refreshes import Refresh, SourceRecord
from service.errors import NotFound
from service.store.tables import (
    SERIES,
    document_fetch,
    quarantine,
    quarantine_release,
    refresh,
    refresh_release,
    source_edition,
)

LOOKED: Final = ("feed", "seed", "import")
"""Scopes that read what a feed says now; its past, a released row or a stored document once more say nothing new."""
FETCHED: Final = ("feed", "seed")
"""Scopes in which the feed itself was asked: how much a saved file holds says nothing of what the feed brings."""
LOOKS: Final = 20
"""How many recent looks at a feed its coverage is measured against."""


def newest(connection: Connection, source: str = "", limit: int = 50) -> list[Refresh]:
    """The newest refreshes, of one source or of all."""
    query = select(refresh).order_by(refresh.c.refresh_id.desc()).limit(limit)
    if source:
        query = query.where(refresh.c.source_id == source)
    return [refresh_of(row) for row in connection.execute(query)]


def get(connection: Connection, refresh_id: int) -> Refresh:
    """One refresh. Raises NotFound."""
    row = connection.execute(select(refresh).where(refresh.c.refresh_id == refresh_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no refresh {refresh_id}; see: costplan refreshes ls")
    return refresh_of(row)


def records(connection: Connection) -> Mapping[str, SourceRecord]:
    """How every source stands, in a fixed number of statements."""
    series: dict[str, int] = {}
    for table in SERIES.values():
        for source, number in connection.execute(select(table.c.source_id, func.count()).group_by(table.c.source_id)):
            series[source] = series.get(source, 0) + number
    coverage = _coverage(connection)
    latest = _latest(connection)
    good = last_good(connection)
    held = _held(connection)
    newest = newest_periods(connection)
    seen = _latest(connection, refresh.c.scope.in_(("feed", "seed")))
    return {
        source: SourceRecord(
            source=source,
            series=series.get(source, 0),
            last_good_at=good.get(source),
            newest_period=newest.get(source),
            last_checked=latest[source],
            quarantined_rows=held.get(source, 0),
            refused=source in seen and seen[source].status == "quarantined",
            coverage=coverage.get(source),
        )
        for source in latest
    }


def last_good(connection: Connection) -> Mapping[str, datetime]:
    """When each source was last looked at with success; a look that a person vouched for was one when it was made."""
    good = _latest(
        connection, refresh.c.status == "sealed", refresh.c.scope.in_(LOOKED), refresh.c.trigger != "release"
    )
    found = {source: one.recorded_at for source, one in good.items()}
    vouched = (
        select(refresh.c.source_id, func.max(refresh.c.recorded_at))
        .join(refresh_release, refresh_release.c.refresh_id == refresh.c.refresh_id)
        .where(refresh.c.scope.in_(LOOKED))
        .group_by(refresh.c.source_id)
    )
    for source, looked_at in connection.execute(vouched):
        found[source] = max(looked_at, found.get(source, looked_at))
    return found


def newest_periods(connection: Connection) -> Mapping[str, datetime]:
    """The newest date that a price of each source carries; without the sources whose prices carry none."""
    newest = func.max(refresh.c.newest_period).label("newest")
    known = refresh.c.newest_period.is_not(None)
    rows = connection.execute(select(refresh.c.source_id, newest).where(known).group_by(refresh.c.source_id))
    return {row.source_id: row.newest for row in rows}


def terms(connection: Connection, sources: Collection[str]) -> list[Terms]:
    """On what terms these sources state their figures, in order of their ids."""
    newest_ids = select(func.max(refresh.c.refresh_id)).where(refresh.c.source_id.in_(sources))
    query = (
        select(source_edition)
        .join(refresh, refresh.c.edition_id == source_edition.c.edition_id)
        .where(refresh.c.refresh_id.in_(newest_ids.group_by(refresh.c.source_id)))
        .order_by(source_edition.c.source_id)
    )
    return [
        Terms(
            source=row.source_id,
            publisher=row.publisher,
            licence=row.licence,
            attribution=row.attribution,
            republish=row.republish,
        )
        for row in connection.execute(query)
    ]


def is_whole() -> ColumnElement[bool]:
    """Of a sealed refresh: it read all the feed has; where a document was only confirmed, or not had, only a part."""
    confirmed = select(document_fetch.c.fetch_id).where(
        document_fetch.c.refresh_id == refresh.c.refresh_id, document_fetch.c.sha256.is_(None)
    )
    return and_(~exists(confirmed), refresh.c.error.is_(None))


def refresh_of(row: Row[Any]) -> Refresh:
    """A row as a domain value."""
    return Refresh(
        refresh_id=row.refresh_id,
        source=row.source_id,
        parser_version=row.parser_version,
        trigger=row.trigger,
        scope=row.scope,
        started_at=row.started_at,
        recorded_at=row.recorded_at,
        status=row.status,
        rows_read=row.rows_read,
        observed=row.observed,
        added=row.added,
        corrected=row.corrected,
        unchanged=row.unchanged,
        rejected=row.rejected,
        skipped=msgspec.json.decode(row.skipped, type=dict[str, int]),
        error_code=row.error_code,
        error=row.error,
    )


def _coverage(connection: Connection) -> dict[str, float]:
    """Per source: prices read when it last brought any, over the most of its last LOOKS that read as much of it.

    The whole history is no measure of the days just past: the first look at those is compared with it,
    every later one with the looks before.
    """
    newest_first = func.row_number().over(partition_by=refresh.c.source_id, order_by=refresh.c.refresh_id.desc())
    looks = (
        select(refresh.c.source_id, refresh.c.scope, refresh.c.observed, newest_first.label("place"))
        .where(refresh.c.status == "sealed", refresh.c.scope.in_(FETCHED), refresh.c.observed > 0, is_whole())
        .subquery()
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for row in connection.execute(select(looks).where(looks.c.place <= LOOKS).order_by(looks.c.place)):
        found.setdefault(row.source_id, []).append((row.scope, row.observed))
    return {source: _share(looked) for source, looked in found.items()}


def _share(looked: list[tuple[str, int]]) -> float:
    (scope, last), *_ = looked
    alike = [observed for other, observed in looked if other == scope]
    return last / max(alike if len(alike) > 1 else [observed for _, observed in looked])


def _held(connection: Connection) -> dict[str, int]:
    """Per source: rows its newest look that brought any held back, less those a person has released since."""
    read = _latest(connection, refresh.c.scope.in_(LOOKED), refresh.c.rows_read > 0)
    ids = [one.refresh_id for one in read.values()]
    counted = (
        select(quarantine.c.refresh_id, func.count().label("number"))
        .join(quarantine_release, quarantine_release.c.quarantine_id == quarantine.c.quarantine_id)
        .where(quarantine.c.refresh_id.in_(ids))
        .group_by(quarantine.c.refresh_id)
    )
    released = {row.refresh_id: row.number for row in connection.execute(counted)}
    return {source: one.rejected - released.get(one.refresh_id, 0) for source, one in read.items()}


def _latest(connection: Connection, *only: ColumnElement[bool]) -> dict[str, Refresh]:
    """Per source, the newest refresh of this sort."""
    newest_ids = select(func.max(refresh.c.refresh_id)).where(*only).group_by(refresh.c.source_id)
    rows = connection.execute(select(refresh).where(refresh.c.refresh_id.in_(newest_ids)))
    return {row.source_id: refresh_of(row) for row in rows}
