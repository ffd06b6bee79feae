"""What nobody believed: seeing it, and letting through a row, or a whole document, that is true after all."""

from datetime import datetime

from pricing_sources.errors import SourceError
from pricing_sources.observation import Observation
from pricing_sources.source import Document, Source
from service.domain.refreshes import QuarantinedRow, Refresh
from service.errors import Conflict, Invalid
from service.store import documents, log, quarantine, refreshes
from service.store.log import Attempt
from service.store.quarantine import DocumentsRelease, PriceRelease
from service.store.store import Store
from service.usecases.reading import Progress, parsed, reader


def list_quarantine(store: Store, source: str = "", limit: int = 100) -> list[QuarantinedRow]:
    """Rows that could not be believed, newest first."""
    return store.read(lambda c: quarantine.newest(c, source, limit))


def get_quarantined(store: Store, quarantine_id: int) -> QuarantinedRow:
    """One row that could not be believed. Raises NotFound."""
    return store.read(lambda c: quarantine.get(c, quarantine_id))[0]


def release_price(store: Store, source: Source, quarantine_id: int, reason: str, *, now: datetime) -> Refresh:
    """Write a held price to the log, from when its document was read; it is not held back again.

    The document is read once more, so that the price keeps its provenance. Raises NotFound, Conflict
    if it was released before, Invalid without a reason or if the row holds no readable price.
    """
    reason = _stated(reason, "this price is")
    held, fetch_id = store.read(lambda c: quarantine.get(c, quarantine_id))
    if held.released_by is not None:
        raise Conflict(f"row {quarantine_id} was released before, by refresh {held.released_by}")
    if fetch_id is None:
        raise Invalid.field("quarantine_id", "was held back before documents were kept beside it; refresh the source")
    [document] = store.read(lambda c: documents.all_fetched(c, [fetch_id]))
    observation = _price_at(source, document, held)
    attempt = Attempt(info=source.info, trigger="release", scope="release", started_at=now, documents=(document,))

    release = PriceRelease(quarantine_id, observation, reason)
    return store.write(lambda c: log.seal(c, attempt, lambda _: [observation], store.clock(), release))


def release_refresh(
    store: Store, source: Source, refresh_id: int, reason: str, *, progress: Progress = lambda _: None
) -> Refresh:
    """Read the documents of a quarantined refresh once more and seal them, whatever speaks against them as a whole.

    Rows that are not believed one by one are held back as ever. A look at the feed stays one, at the moment it
    was made: a listing ends what it leaves out, and the next look is measured against it; one that a good look
    has overtaken only adds to the past. Raises NotFound, Conflict if it was not quarantined or was released
    before, Invalid without a reason or if no price can be read in its documents.
    """
    reason = _stated(reason, "these prices are")
    refused = store.read(lambda c: refreshes.get(c, refresh_id))
    store.read(lambda c: quarantine.require_refused(c, refused))
    got, confirmed = store.read(lambda c: documents.got_by(c, refresh_id))
    if not got:
        raise Invalid.field("refresh_id", f"refresh {refresh_id} got no document: {refused.error}")
    attempt = Attempt(
        info=source.info,
        trigger="release",
        scope="release" if store.read(lambda c: quarantine.was_overtaken(c, refused)) else refused.scope,
        started_at=refused.started_at,
        documents=got,
        unmodified=confirmed,
        believed=True,
    )
    read, release = reader(store, source, progress), DocumentsRelease(refresh_id, reason)
    try:
        return store.write(lambda c: log.seal(c, attempt, read, store.clock(), release))
    except SourceError as error:
        raise Invalid.field("refresh_id", f"refresh {refresh_id} cannot be released: {error}") from error


def _stated(reason: str, what: str) -> str:
    if not reason.strip():
        raise Invalid.field("reason", f"say in a few words why {what} true")
    return reason.strip()


def _price_at(source: Source, document: Document, held: QuarantinedRow) -> Observation:
    """The price the parser reads where a row was held back."""
    for reading in parsed(source, document):
        if not isinstance(reading, Observation) or reading.locator != held.locator:
            continue
        if held.text.startswith(reading.series.key):
            return reading
    raise Invalid.field(
        "quarantine_id",
        f"no price can be read at {held.locator}: {held.reason}; once the parser is mended, "
        f"costplan reparse {held.source} reads the document again",
    )
