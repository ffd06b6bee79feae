"""Appending to the log: one refresh, sealed in one transaction.

Nothing is overwritten. A price that repeats writes no row; the sealed refresh says it was checked.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, and_, insert, select, update

from pricing_sources.errors import FetchFailed, Quarantined, SourceError
from pricing_sources.observation import Observation, Reading, Rejected, Skipped
from pricing_sources.source import Document, SourceInfo
from service.domain.refreshes import Refresh, Scope, Trigger
from service.store import absences, chapters, disagreements, documents, events, feed_events, quarantine, refreshes
from service.store.head import next_refresh
from service.store.novelty import JUMP, append_new, note_in_force, retract_unstaged, take_out_jumps, take_out_repeats
from service.store.quarantine import Held, Release
from service.store.staging import Stager
from service.store.tables import refresh, source_edition

JUMP_SHARE: Final = 0.2
"""More jumps than this share of a document, and the document as a whole is not believed."""
QUARANTINE_ROWS: Final = 10_000
"""Rows kept per refresh for a person to look at; all are counted."""

Read = Callable[[Document], Iterable[Reading]]
Fence = Callable[[Connection], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a refresh is about to seal."""

    info: SourceInfo
    trigger: Trigger
    scope: Scope
    started_at: datetime
    documents: tuple[Document, ...]
    unmodified: tuple[str, ...] = ()
    """URLs the feed confirmed with 304."""
    missing: tuple[str, ...] = ()
    """Why other documents of the feed could not be had."""
    chapter: str = ""
    """Name of the piece of the feed's archive that this is."""
    fence: Fence | None = None
    """Raises LeaseLost, inside the transaction, if another worker has taken the run over."""

    @property
    def is_listing(self) -> bool:
        """True if the documents are all that is on offer now, so that what is missing is gone."""
        return self.info.snapshot and self.scope in {"feed", "seed"}


@dataclass(slots=True)
class Tally:
    """What was read from the documents of one refresh."""

    observed: int = 0
    held: list[Held] = field(default_factory=list)
    rejections: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def rows_read(self) -> int:
        """Every row ended as one of the three."""
        return self.observed + self.rejections + self.skipped.total()

    def hold(self, held: Held) -> None:
        """Count a row and keep it, up to a limit."""
        self.rejections += 1
        if len(self.held) < QUARANTINE_ROWS:
            self.held.append(held)

    def demote(self, rows: list[Held], repeated: int = 0) -> None:
        """Rows first counted as prices turned out not to be."""
        self.observed -= len(rows) + repeated
        if repeated:
            self.skipped["repeated"] += repeated
        for row in rows:
            self.hold(row)


def seal(
    connection: Connection, attempt: Attempt, read: Read, now: datetime, release: Release | None = None
) -> Refresh:
    """Read the documents, append what is new, and seal the refresh, all or nothing.

    `recorded_at` of every new row is the seal; `release` says which held row this lets through.
    Raises Quarantined if the documents as a whole cannot be believed, SourceError if one cannot be
    read, LeaseLost through the fence.
    """
    refresh_id, recorded_at = next_refresh(connection, now)
    if attempt.fence is not None:
        attempt.fence(connection)
    tally = Tally()
    _insert_refresh(connection, attempt, refresh_id, recorded_at, status="sealed", error=_incomplete(attempt))
    stager = Stager(connection, attempt.info.id)
    stager.open()
    for document in attempt.documents:
        fetch_id = documents.add(connection, refresh_id, document)
        stager.add(_observations(read(document), tally, fetch_id), fetch_id)
    for url in attempt.unmodified:
        documents.add_unmodified(connection, refresh_id, url, attempt.started_at)
    if attempt.documents:
        _require_evidence(connection, attempt, tally)
    before = feed_events.ends(connection, tuple(sorted(stager.kinds)))
    added, corrected = _append(connection, stager, attempt, refresh_id, tally)
    if attempt.is_listing:
        _note_listing(connection, attempt, refresh_id, tally)
    stager.close()
    for kind in sorted(stager.kinds):
        disagreements.compare(connection, kind, attempt.info.id, refresh_id, recorded_at)
    quarantine.add(connection, refresh_id, tally.held)
    if release is not None:
        quarantine.mark_released(connection, release, refresh_id)
    if attempt.chapter:
        chapters.mark_sealed(connection, attempt.info.id, attempt.chapter, refresh_id)
    done = _close(connection, refresh_id, tally, added, corrected)
    events.record(connection, tuple(feed_events.of_refresh(connection, done, before)), recorded_at)
    return done


def record_failure(connection: Connection, attempt: Attempt, error: SourceError, now: datetime) -> Refresh:
    """Write down that a refresh failed; the documents it got are kept, no price changes."""
    refresh_id, recorded_at = next_refresh(connection, now)
    status = "quarantined" if isinstance(error, Quarantined) else "failed"
    _insert_refresh(connection, attempt, refresh_id, recorded_at, status=status, error=error)
    for document in attempt.documents:
        documents.add(connection, refresh_id, document)
    failed = refreshes.get(connection, refresh_id)
    events.record(connection, tuple(feed_events.of_refresh(connection, failed, {})), recorded_at)
    return failed


def _insert_refresh(
    connection: Connection,
    attempt: Attempt,
    refresh_id: int,
    recorded_at: datetime,
    *,
    status: str,
    error: SourceError | None = None,
) -> None:
    connection.execute(
        insert(refresh).values(
            refresh_id=refresh_id,
            source_id=attempt.info.id,
            edition_id=_edition(connection, attempt.info),
            parser_version=attempt.info.parser_version,
            trigger=attempt.trigger,
            scope=attempt.scope,
            started_at=attempt.started_at,
            recorded_at=recorded_at,
            status=status,
            rows_read=0,
            observed=0,
            added=0,
            corrected=0,
            unchanged=0,
            rejected=0,
            skipped="{}",
            error_code=error.code if error else None,
            error=str(error) if error else None,
        )
    )


def _incomplete(attempt: Attempt) -> FetchFailed | None:
    """What a sealed refresh says of documents that could not be had."""
    if not attempt.missing:
        return None
    asked = len(attempt.documents) + len(attempt.unmodified) + len(attempt.missing)
    return FetchFailed(f"{len(attempt.missing)} of {asked} documents could not be had: {'; '.join(attempt.missing)}")


def _edition(connection: Connection, info: SourceInfo) -> int:
    values = {
        "source_id": info.id,
        "title": info.title,
        "publisher": info.publisher,
        "licence": info.licence,
        "attribution": info.attribution,
        "republish": info.republish,
    }
    same = and_(*(source_edition.c[name] == value for name, value in values.items()))
    found: int | None = connection.scalar(select(source_edition.c.edition_id).where(same))
    if found is None:
        connection.execute(insert(source_edition).values(values))
        found = connection.execute(select(source_edition.c.edition_id).where(same)).scalar_one()
    return found


def _observations(readings: Iterable[Reading], tally: Tally, fetch_id: int) -> Iterator[Observation]:
    for reading in readings:
        match reading:
            case Observation():
                tally.observed += 1
                yield reading
            case Skipped(reason=reason):
                tally.skipped[reason] += reading.rows
            case Rejected():
                tally.hold(Held(reading, fetch_id))


def _require_evidence(connection: Connection, attempt: Attempt, tally: Tally) -> None:
    """HTTP 200 is not success: there must be prices, and about as many as last time."""
    if attempt.scope == "reparse":
        return  # a mended parser may well find that a document held no price at all
    if tally.observed == 0:
        detail = f"; first reason: {tally.held[0].row.reason}" if tally.held else ""
        raise Quarantined(
            f"{attempt.info.id}: not one price in the document ({tally.rejections} rows rejected, "
            f"{tally.skipped.total()} skipped){detail}"
        )
    if attempt.scope not in {"feed", "seed"} or attempt.missing:
        return
    before: int | None = connection.scalar(
        select(refresh.c.observed)
        .where(
            refresh.c.source_id == attempt.info.id,
            refresh.c.status == "sealed",
            refresh.c.scope == attempt.scope,
            refresh.c.observed > 0,
            refresh.c.error.is_(None),  # some of whose documents could not be had is no measure
        )
        .order_by(refresh.c.refresh_id.desc())
        .limit(1)
    )
    if before is not None and tally.observed * 2 < before:
        raise Quarantined(
            f"{attempt.info.id}: only {tally.observed} prices where the last good refresh had {before}; "
            "if that is right, import the saved document instead"
        )


def _append(connection: Connection, stager: Stager, attempt: Attempt, refresh_id: int, tally: Tally) -> tuple[int, int]:
    """Move what is new from the stage to the log; returns how many rows were added and corrected."""
    kinds = sorted(stager.kinds)
    stager.count()
    for kind in kinds:
        repeated, conflicts = take_out_repeats(connection, kind)
        tally.demote(conflicts, repeated)
        note_in_force(connection, kind)
    # A released price is a jump by definition; a mended parser is measured against what it mends.
    is_second_look = attempt.scope in {"release", "reparse"}
    if not is_second_look:
        _take_out_jumps(connection, attempt, stager, tally)
    counts = [append_new(connection, kind, attempt.info.id, refresh_id, restate=not is_second_look) for kind in kinds]
    added, corrected = sum(added for added, _ in counts), sum(corrected for _, corrected in counts)
    if attempt.scope == "reparse":
        read = [document.sha256 for document in attempt.documents]
        corrected += sum(retract_unstaged(connection, kind, refresh_id, read) for kind in attempt.info.kinds)
    return added, corrected


def _take_out_jumps(connection: Connection, attempt: Attempt, stager: Stager, tally: Tally) -> None:
    jumps: list[Held] = []
    multiples = 0
    for kind in sorted(stager.kinds):
        of_kind, others = take_out_jumps(connection, kind)
        jumps += of_kind
        multiples += others
    most = max(3, JUMP_SHARE * stager.staged)
    if len(jumps) > most:
        raise Quarantined(
            f"{attempt.info.id}: {len(jumps)} of {stager.staged} prices are over {JUMP:g} times "
            "off their history: the unit or the currency may have changed"
        )
    if multiples > most:
        raise Quarantined(
            f"{attempt.info.id}: {multiples} of {stager.staged} prices are 2, 4 or 8 times what they were, or that "
            "part of it: the prices of machines may have been taken for those of GPUs, or the other way round"
        )
    tally.demote(jumps)


def _note_listing(connection: Connection, attempt: Attempt, refresh_id: int, tally: Tally) -> None:
    """Offers the feed lists no more, and those it lists again; half a listing says nothing of what is missing."""
    is_whole = not attempt.missing and not (attempt.documents and attempt.unmodified)
    source_id = attempt.info.id
    for kind in attempt.info.kinds:
        if attempt.documents:
            seen_at = max(document.fetched_at for document in attempt.documents)
            held_keys = {held.row.key for held in tally.held if held.row.key}
            absences.note_listed(connection, kind, refresh_id, seen_at)
            if is_whole:
                absences.note_missing(connection, kind, source_id, refresh_id, seen_at, held_keys)
        elif is_whole:
            absences.note_same_listing(connection, kind, source_id, refresh_id)


def _close(connection: Connection, refresh_id: int, tally: Tally, added: int, corrected: int) -> Refresh:
    """Fill in the counts of the refresh this transaction inserted; it has not been visible before."""
    connection.execute(
        update(refresh)
        .where(refresh.c.refresh_id == refresh_id)
        .values(
            rows_read=tally.rows_read,
            observed=tally.observed,
            added=added,
            corrected=corrected,
            unchanged=max(0, tally.observed - added - corrected),
            rejected=tally.rejections,
            skipped=msgspec.json.encode(dict(sorted(tally.skipped.items()))).decode(),
        )
    )
    return refreshes.get(connection, refresh_id)
