"""Rows that should have been prices and could not be believed, and those a person released."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select

from pricing_sources.observation import Observation, Rejected
from service.domain.refreshes import QuarantinedRow, Refresh
from service.errors import Conflict, NotFound
from service.store.tables import quarantine, quarantine_release, refresh, refresh_release


@dataclass(frozen=True, slots=True)
class Held:
    """A row held back, and the fetch of the document it stands in."""

    row: Rejected
    fetch_id: int


@dataclass(frozen=True, slots=True)
class PriceRelease:
    """What a person let through: the held row, and the price it turned out to be."""

    quarantine_id: int
    observation: Observation
    reason: str


@dataclass(frozen=True, slots=True)
class DocumentsRelease:
    """What a person let through as a whole: the documents of a refresh that was quarantined."""

    refresh_id: int
    reason: str


def newest(connection: Connection, source: str = "", limit: int = 100) -> list[QuarantinedRow]:
    """Rows held back, newest first."""
    query = _rows().order_by(quarantine.c.quarantine_id.desc()).limit(limit)
    if source:
        query = query.where(refresh.c.source_id == source)
    return [_held_row(row) for row in connection.execute(query)]


def get(connection: Connection, quarantine_id: int) -> tuple[QuarantinedRow, int | None]:
    """One row held back, and the id of its fetch (None for rows older than releasing). Raises NotFound."""
    row = connection.execute(_rows().where(quarantine.c.quarantine_id == quarantine_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no quarantined row {quarantine_id}; see: costplan quarantine ls")
    return _held_row(row), row.fetch_id


def add(connection: Connection, refresh_id: int, rows: Sequence[Held]) -> None:
    """Keep what a refresh held back."""
    if rows:
        connection.execute(
            insert(quarantine),
            [
                {
                    "refresh_id": refresh_id,
                    "locator": held.row.locator,
                    "reason": held.row.reason,
                    "text": held.row.text,
                    "fetch_id": held.fetch_id,
                }
                for held in rows
            ],
        )


def require_refused(connection: Connection, refused: Refresh) -> None:
    """Raise Conflict unless a refresh was quarantined as a whole and nobody has released it yet."""
    number = refused.refresh_id
    if refused.status != "quarantined":
        what = "only one that was quarantined is released; see: costplan refreshes ls"
        raise Conflict(f"refresh {number} is {refused.status}; {what}")
    query = select(refresh_release.c.released_by).where(refresh_release.c.refresh_id == number)
    if released_by := connection.scalar(query):
        raise Conflict(f"refresh {number} was released before, by refresh {released_by}")


def was_overtaken(connection: Connection, refused: Refresh) -> bool:
    """True if the feed has been read well since a look at it was quarantined."""
    since = select(refresh.c.refresh_id).where(
        refresh.c.source_id == refused.source,
        refresh.c.refresh_id > refused.refresh_id,
        refresh.c.status == "sealed",
        refresh.c.scope.in_(("feed", "seed")),
    )
    return connection.scalar(since.limit(1)) is not None


def mark_released(connection: Connection, release: PriceRelease | DocumentsRelease, refresh_id: int) -> None:
    """Say which refresh wrote to the log what was held back, and why a person let it."""
    if isinstance(release, DocumentsRelease):
        values = {"refresh_id": release.refresh_id, "released_by": refresh_id, "reason": release.reason}
        connection.execute(insert(refresh_release).values(values))
        return
    connection.execute(
        insert(quarantine_release).values(
            quarantine_id=release.quarantine_id,
            refresh_id=refresh_id,
            key=release.observation.series.key,
            amount=release.observation.amount,
            reason=release.reason,
        )
    )


def released_amounts(connection: Connection, source_id: str) -> frozenset[tuple[str, Decimal]]:
    """Series key and amount of everything released of one source: it is not held back again."""
    released = quarantine_release
    query = select(released.c.key, released.c.amount).join(refresh, refresh.c.refresh_id == released.c.refresh_id)
    return frozenset((row.key, row.amount) for row in connection.execute(query.where(refresh.c.source_id == source_id)))


def _rows() -> Select[Any]:
    alone, whole = quarantine_release, refresh_release
    released_by = func.coalesce(alone.c.refresh_id, whole.c.released_by)
    return (
        select(quarantine, refresh.c.source_id, refresh.c.recorded_at, released_by.label("released_by"))
        .join(refresh, refresh.c.refresh_id == quarantine.c.refresh_id)
        .outerjoin(alone, alone.c.quarantine_id == quarantine.c.quarantine_id)
        .outerjoin(whole, whole.c.refresh_id == quarantine.c.refresh_id)
    )


def _held_row(row: Row[Any]) -> QuarantinedRow:
    return QuarantinedRow(
        quarantine_id=row.quarantine_id,
        refresh_id=row.refresh_id,
        source=row.source_id,
        recorded_at=row.recorded_at,
        locator=row.locator,
        reason=row.reason,
        text=row.text,
        released_by=row.released_by,
    )
