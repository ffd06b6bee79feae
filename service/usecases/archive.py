"""The past of a feed: reading its archive back, and reading stored documents again after a parser was mended."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from pricing_sources.errors import SourceError
from pricing_sources.source import Archive, Document, FetchRequest, Missing, NotModified, Source
from pricing_sources.transport import Transport
from service.domain.refreshes import Refresh
from service.errors import Invalid
from service.store import chapters, documents
from service.store.log import Attempt
from service.store.store import Store
from service.usecases.reading import Progress, record_failure, seal_or_record

FAILURES_IN_A_ROW: Final = 3
"""So many chapters that cannot be fetched one after another, and the archive is left for another day."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a long read: which of how many, and how it ended."""

    number: int
    of: int
    name: str
    refresh: Refresh


def backfill(
    store: Store,
    source: Source,
    transport: Transport,
    *,
    now: datetime,
    url: str | None = None,
    api_key: str | None = None,
    since: str = "",
    progress: Progress = lambda _: None,
) -> Iterator[Step]:
    """Read a feed's past: its archive chapter by chapter, oldest first, each sealed on its own.

    Chapters sealed before are not read again, so an interrupted run goes on where it stopped.
    `since` leaves out chapters whose name sorts before it. A feed whose answer is its whole history
    is asked for that. Raises Invalid for a feed that only knows today, FetchFailed and ShapeChanged
    if even the table of contents cannot be read.
    """
    request = FetchRequest(url=url or source.info.url, now=now, api_key=api_key, seed=True)
    if not isinstance(source, Archive):
        if source.info.snapshot:
            raise Invalid.field("source", f"{source.info.id} only says what is on offer now; it keeps no past")
        whole = partial(source.fetch, transport, request)
        yield Step(1, 1, "history", _read_chapter(store, source, whole, _attempt(source, now), progress))
        return
    done = store.read(lambda c: chapters.sealed(c, source.info.id))
    wanted = [one for one in source.chapters(transport, request) if one.name not in done and one.name >= since]
    failures = 0
    for number, chapter in enumerate(wanted, start=1):
        progress(f"{chapter.name} ({number} of {len(wanted)})")
        fetch = partial(source.fetch_chapter, transport, request, chapter)
        attempt = replace(_attempt(source, now), chapter=chapter.name)
        refresh = _read_chapter(store, source, fetch, attempt, progress)
        yield Step(number, len(wanted), chapter.name, refresh)
        failures = 0 if refresh.status == "sealed" else failures + 1
        if failures == FAILURES_IN_A_ROW:
            return


def reparse(store: Store, source: Source, *, now: datetime, progress: Progress = lambda _: None) -> Iterator[Step]:
    """Read every stored document again that only older versions of the parser have read, oldest first.

    What they read wrongly is corrected or retracted as of now; the old reading stays visible to
    whoever asks what was known before.
    """
    info = source.info
    groups = store.read(lambda c: documents.outdated(c, info.id, info.parser_version))
    for number, fetches in enumerate(groups, start=1):
        stored = store.read(partial(documents.all_fetched, fetch_ids=fetches))
        progress(f"{stored[0].url} ({number} of {len(groups)})")
        attempt = Attempt(info=info, trigger="reparse", scope="reparse", started_at=now, documents=stored)
        yield Step(number, len(groups), stored[0].url, seal_or_record(store, source, attempt, progress))


def _attempt(source: Source, now: datetime) -> Attempt:
    return Attempt(info=source.info, trigger="backfill", scope="chapter", started_at=now, documents=())


def _read_chapter(
    store: Store,
    source: Source,
    fetch: Callable[[], Iterator[Document | NotModified | Missing]],
    attempt: Attempt,
    progress: Progress,
) -> Refresh:
    try:
        answers = list(fetch())
    except SourceError as error:
        return record_failure(store, attempt, error)
    fetched = tuple(answer for answer in answers if isinstance(answer, Document))
    missing = tuple(answer.reason for answer in answers if isinstance(answer, Missing))
    return seal_or_record(store, source, replace(attempt, documents=fetched, missing=missing), progress)
