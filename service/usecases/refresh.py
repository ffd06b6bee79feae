"""Ask a source, write down what it said."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

from pricing_sources.errors import SourceError
from pricing_sources.source import Document, Excerpting, FetchRequest, Missing, NotModified, Source
from pricing_sources.transport import Transport
from service.domain.refreshes import Refresh, Scope, Trigger
from service.errors import Invalid
from service.store import documents
from service.store.log import Attempt, Fence
from service.store.store import Store
from service.usecases.reading import Progress, record_failure, seal_or_record


def refresh(
    store: Store,
    source: Source,
    transport: Transport,
    *,
    now: datetime,
    trigger: Trigger,
    url: str | None = None,
    api_key: str | None = None,
    fence: Fence | None = None,
    progress: Progress = lambda _: None,
) -> Refresh:
    """Fetch a feed and append what is new; a failure is recorded and changes no price.

    Of several documents those that could be had are read, and the refresh says which could not.
    No transaction is open while the network is asked. Raises LeaseLost through `fence`.
    """
    info = source.info
    scope: Scope = (
        "feed" if store.read(lambda c: documents.last_hashes(c, info.id, "seed", info.parser_version)) else "seed"
    )
    request = FetchRequest(
        url=url or info.url,
        now=now,
        api_key=api_key,
        seed=scope == "seed",
        known={} if scope == "seed" else store.read(lambda c: documents.validators(c, info.id)),
    )
    attempt = Attempt(info=info, trigger=trigger, scope=scope, started_at=now, documents=(), fence=fence)
    fetched: list[Document] = []
    try:
        unmodified, missing = _fetch(source, transport, request, fetched, progress)
    except SourceError as error:
        return record_failure(store, replace(attempt, documents=tuple(fetched)), error)
    attempt = replace(attempt, documents=tuple(fetched), unmodified=unmodified, missing=missing)
    return seal_or_record(store, source, _without_repeats(store, attempt), progress)


def import_saved(
    store: Store,
    source: Source,
    name: str,
    pieces: Iterator[bytes],
    *,
    fetched_at: datetime,
    now: datetime,
    media_type: str = "",
    progress: Progress = lambda _: None,
) -> tuple[Document, Refresh]:
    """Read a saved file; of one too large to be kept, what a fetch would keep of it.

    Returns what is kept, which is empty where a large file is in another shape, and how it ended.
    Raises Invalid if the file claims to have been fetched in the future.
    """
    kept = partial(Document, source_id=source.info.id, url=f"file:{name}", fetched_at=fetched_at, media_type=media_type)
    try:
        document = kept(body=source.excerpt(pieces) if isinstance(source, Excerpting) else b"".join(pieces))
    except SourceError as error:
        return kept(body=b""), record_failure(store, _import(source, now), error)
    return document, import_document(store, source, document, now=now, progress=progress)


def import_document(
    store: Store, source: Source, document: Document, *, now: datetime, progress: Progress = lambda _: None
) -> Refresh:
    """Read a saved document through exactly the path a refresh takes.

    A document that cannot be read is recorded as a failed refresh, like a feed that sent it.
    Raises Invalid if it claims to have been fetched in the future.
    """
    if document.fetched_at > now:
        raise Invalid.field(
            "fetched_at", f"{document.fetched_at.isoformat()} is in the future; give when it was fetched"
        )
    return seal_or_record(store, source, _import(source, now, document), progress)


def _import(source: Source, now: datetime, *documents: Document) -> Attempt:
    return Attempt(info=source.info, trigger="import", scope="import", started_at=now, documents=documents)


def _fetch(
    source: Source, transport: Transport, request: FetchRequest, fetched: list[Document], progress: Progress
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Fill `fetched`; returns the addresses of what did not change, and why what is missing could not be had."""
    unmodified, missing = [], []
    for answer in source.fetch(transport, request):
        match answer:
            case NotModified(url):
                unmodified.append(url)
            case Missing(reason):
                missing.append(reason)
            case Document():
                fetched.append(answer)
                progress(f"fetched {len(fetched)} document{'s' if len(fetched) > 1 else ''}")
    return tuple(unmodified), tuple(missing)


def _without_repeats(store: Store, attempt: Attempt) -> Attempt:
    """The very bytes of last time need no parsing: the feed only confirmed them."""
    hashes = tuple(document.sha256 for document in attempt.documents)
    info = attempt.info
    if not hashes or hashes != store.read(
        lambda c: documents.last_hashes(c, info.id, attempt.scope, info.parser_version)
    ):
        return attempt
    urls = tuple(document.url for document in attempt.documents)
    return replace(attempt, documents=(), unmodified=attempt.unmodified + urls)
