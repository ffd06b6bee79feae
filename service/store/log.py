"""Appending to the log: one refresh, sealed in one transaction.

Nothing is overwritten. A price that repeats writes no row; the sealed refresh says it was checked.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, and_, insert, select, update

from pricing_sources.errors import FetchFailed, Quarantined, SourceError
from pricing_sources.observation import Observation, Reading, Rejected, Skipped
from pricing_sources.source import Document, SourceInfo
from service.domain.refreshes import Refresh, Scope, Trigger
from service.store import absences, chapters, disagreements, documents, events, feed_events, quarantine, refreshes
from service.store.evidence import Doubted, Refused, coverage_doubts, require_a_price
from service.store.head import next_refresh
from service.store.novelty import JUMP, append_new, note_in_force, retract_unstaged, take_out_jumps, take_out_repeats
from service.store.quarantine import DocumentsRelease, Held, PriceRelease
from service.store.staging import Stager
from service.store.tables import refresh, source_edition
from service.store.tally import Tally

JUMP_SHARE: Final = 0.2
"""More jumps than this share of a document, and the document as a whole is not believed."""

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
    believed: bool = False
    """A person vouches for the documents: what speaks against them as a whole is waived."""
    fence: Fence | None = None
    """Raises LeaseLost, inside the transaction, if another worker has taken the run over."""

    @property
    def is_second_look(self) -> bool:
        """True for one row that a person released, and for a stored document once more."""
        return self.scope in {"release", "reparse"} and not self.believed

    @property
    def is_listing(self) -> bool:
        """True if the documents are all that is on offer now, so that what is missing is gone."""
        return self.info.snapshot and self.scope in {"feed", "seed"}


def seal(
    connection: Connection,
    attempt: Attempt,
    read: Read,
    now: datetime,
    release: PriceRelease | DocumentsRelease | None = None,
) -> Refresh:
    """Read the documents, append what is new, and seal the refresh, all or nothing.

    `recorded_at` of every new row is the seal; `release` says what held back before this lets through.
    Raises Quarantined if the documents as a whole cannot be believed, SourceError if one cannot be
    read, LeaseLost through the fence.
    """
    refresh_id, recorded_at = next_refresh(connection, now)
    if attempt.fence is not None:
        attempt.fence(connection)
    if isinstance(release, DocumentsRelease):
        quarantine.require_refused(connection, refreshes.get(connection, release.refresh_id))
    _insert_refresh(connection, attempt, refresh_id, recorded_at, status="sealed", error=_incomplete(attempt))
    stager, tally = _staged(connection, attempt, read, refresh_id)
    before = feed_events.ends(connection, tuple(sorted(stager.kinds)))
    added, corrected = _append(connection, stager, attempt, refresh_id, tally)
    if attempt.is_listing:
        _note_listing(connection, attempt, refresh_id, tally)
    newest = stager.newest_period()
    stager.close()
    for kind in sorted(stager.kinds):
        disagreements.compare(connection, kind, attempt.info.id, refresh_id, recorded_at)
    quarantine.add(connection, refresh_id, tally.held)
    if release is not None:
        quarantine.mark_released(connection, release, refresh_id)
    if attempt.chapter:
        chapters.mark_sealed(connection, attempt.info.id, attempt.chapter, refresh_id)
    unchanged = max(0, tally.observed - added - corrected)
    done = _close(
        connection, refresh_id, tally, added=added, corrected=corrected, unchanged=unchanged, newest_period=newest
    )
    events.record(connection, tuple(feed_events.of_refresh(connection, done, before)), recorded_at)
    return done


def record_failure(connection: Connection, attempt: Attempt, error: SourceError, now: datetime) -> Refresh:
    """Write down that a refresh failed; the documents it got are kept, and what was read of them; no price changes."""
    refresh_id, recorded_at = next_refresh(connection, now)
    status = "quarantined" if isinstance(error, Quarantined) else "failed"
    _insert_refresh(connection, attempt, refresh_id, recorded_at, status=status, error=error)
    fetches = [documents.add(connection, refresh_id, document) for document in attempt.documents]
    for url in attempt.unmodified:
        documents.add_unmodified(connection, refresh_id, url, attempt.started_at)
    tally = Tally()
    if isinstance(error, Refused):
        tally = error.tally
        quarantine.add(connection, refresh_id, tally.moved_to(fetches))
    failed = _close(connection, refresh_id, tally)
    events.record(connection, tuple(feed_events.of_refresh(connection, failed, {})), recorded_at)
    return failed


def _staged(connection: Connection, attempt: Attempt, read: Read, refresh_id: int) -> tuple[Stager, Tally]:
    """Keep the documents and stage what they say."""
    stager, tally = Stager(connection, attempt.info.id), Tally()
    stager.open()
    for document in attempt.documents:
        fetch_id = documents.add(connection, refresh_id, document)
        tally.fetches.append(fetch_id)
        stager.add(_observations(read(document), tally, fetch_id), fetch_id)
    for url in attempt.unmodified:
        documents.add_unmodified(connection, refresh_id, url, attempt.started_at)
    # A mended parser may well find that a document held no price at all.
    if attempt.documents and attempt.scope != "reparse":
        require_a_price(attempt.info.id, tally)
    return stager, tally


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
            error=_told(error, refresh_id) if error else None,
        )
    )


def _incomplete(attempt: Attempt) -> FetchFailed | None:
    """What a sealed refresh says of documents that could not be had."""
    if not attempt.missing:
        return None
    asked = len(attempt.documents) + len(attempt.unmodified) + len(attempt.missing)
    return FetchFailed(f"{len(attempt.missing)} of {asked} documents could not be had: {'; '.join(attempt.missing)}")


def _told(error: SourceError, refresh_id: int) -> str:
    if isinstance(error, Doubted):
        return f"{error}; if that is true, say why: costplan quarantine release --refresh {refresh_id} --reason …"
    return str(error)


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


def _append(connection: Connection, stager: Stager, attempt: Attempt, refresh_id: int, tally: Tally) -> tuple[int, int]:
    """Move what is new from the stage to the log; returns how many rows were added and corrected."""
    kinds = sorted(stager.kinds)
    stager.count()
    doubts = _coverage_doubts(connection, attempt, tally)
    for kind in kinds:
        repeated, conflicts = take_out_repeats(connection, kind)
        tally.demote(conflicts, repeated)
        note_in_force(connection, kind)
    # A released price is a jump by definition; a mended parser is measured against what it mends.
    if not attempt.is_second_look:
        doubts += _take_out_jumps(connection, attempt, stager, tally)
    if doubts:
        raise Doubted(f"{attempt.info.id}: {'; '.join(doubts)}", tally)
    restate = not attempt.is_second_look
    counts = [append_new(connection, kind, attempt.info.id, refresh_id, restate=restate) for kind in kinds]
    added, corrected = sum(added for added, _ in counts), sum(corrected for _, corrected in counts)
    if attempt.scope == "reparse":
        read = [document.sha256 for document in attempt.documents]
        corrected += sum(retract_unstaged(connection, kind, refresh_id, read) for kind in attempt.info.kinds)
    return added, corrected


def _coverage_doubts(connection: Connection, attempt: Attempt, tally: Tally) -> list[str]:
    if attempt.believed or attempt.unmodified or attempt.missing or not attempt.documents:
        return []  # nobody counts the prices of what the feed only confirmed, or could not send
    return coverage_doubts(connection, attempt.info.id, attempt.scope, tally.observed)


def _take_out_jumps(connection: Connection, attempt: Attempt, stager: Stager, tally: Tally) -> list[str]:
    """Hold jumps back; returns what so many of them say against the documents as a whole.

    Of documents that a person vouches for, so many are let through; a few are held back as ever.
    """
    jumps: list[Held] = []
    multiples, most = 0, max(3, JUMP_SHARE * stager.staged)
    with connection.begin_nested() as before:
        for kind in sorted(stager.kinds):
            of_kind, others = take_out_jumps(connection, kind)
            jumps += of_kind
            multiples += others
        if attempt.believed and len(jumps) > most:
            before.rollback()
            return []
    tally.demote(jumps)
    return [] if attempt.believed else list(_doubts(len(jumps), multiples, most, stager.staged))


def _doubts(jumps: int, multiples: int, most: float, staged: int) -> Iterator[str]:
    if jumps > most:
        share = f"{jumps} of {staged} prices"
        yield f"{share} are over {JUMP:g} times off their history: the unit or the currency may have changed"
    if multiples > most:
        yield (
            f"{multiples} of {staged} prices are 2, 4 or 8 times what they were, or that part of it: "
            "the prices of machines may have been taken for those of GPUs, or the other way round"
        )


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


def _close(connection: Connection, refresh_id: int, tally: Tally, **more: int | datetime | None) -> Refresh:
    """Fill in the counts of the refresh this transaction inserted; it has not been visible before."""
    connection.execute(
        update(refresh)
        .where(refresh.c.refresh_id == refresh_id)
        .values(
            rows_read=tally.rows_read,
            observed=tally.observed,
            rejected=tally.rejections,
            skipped=msgspec.json.encode(dict(sorted(tally.skipped.items()))).decode(),
            **more,
        )
    )
    return refreshes.get(connection, refresh_id)
