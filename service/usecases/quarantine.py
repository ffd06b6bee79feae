"""Rows nobody believed: seeing them, and letting one through that is true after all."""

from datetime import datetime

from pricing_sources.observation import Observation
from pricing_sources.source import Document, Source
from service.domain.refreshes import QuarantinedRow, Refresh
from service.errors import Conflict, Invalid
from service.store import documents, log, quarantine
from service.store.log import Attempt
from service.store.quarantine import Release
from service.store.store import Store
from service.usecases.reading import parsed


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
    if not reason.strip():
        raise Invalid.field("reason", "say in a few words why this price is true")
    held, fetch_id = store.read(lambda c: quarantine.get(c, quarantine_id))
    if held.released_by is not None:
        raise Conflict(f"row {quarantine_id} was released before, by refresh {held.released_by}")
    if fetch_id is None:
        raise Invalid.field("quarantine_id", "was held back before documents were kept beside it; refresh the source")
    [document] = store.read(lambda c: documents.all_fetched(c, [fetch_id]))
    observation = _price_at(source, document, held)
    attempt = Attempt(info=source.info, trigger="release", scope="release", started_at=now, documents=(document,))

    release = Release(quarantine_id, observation, reason.strip())
    return store.write(lambda c: log.seal(c, attempt, lambda _: [observation], store.clock(), release))


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
