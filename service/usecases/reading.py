"""How a document becomes readings: parsed by its source, screened, and what breaks a parser named."""

from collections.abc import Callable, Iterator

from pricing_sources.errors import ShapeChanged, SourceError
from pricing_sources.observation import Reading
from pricing_sources.screening import screened
from pricing_sources.source import Document, Source
from service.domain.refreshes import Refresh
from service.store import log, quarantine
from service.store.log import Attempt
from service.store.store import Store

Progress = Callable[[str], None]
"""Told, in a few words, what is going on."""


def reader(store: Store, source: Source, progress: Progress) -> Callable[[Document], Iterator[Reading]]:
    """A function that reads a document of `source`, letting through what a person has released."""
    released = store.read(lambda c: quarantine.released_amounts(c, source.info.id))

    def read(document: Document) -> Iterator[Reading]:
        readings = screened(parsed(source, document), source.info.plausible, released)
        for number, reading in enumerate(readings, start=1):
            if number % 10_000 == 0:
                progress(f"read {number} rows")
            yield reading

    return read


def seal_or_record(store: Store, source: Source, attempt: Attempt, progress: Progress) -> Refresh:
    """Append what the documents of an attempt say; one that cannot be read is recorded as a failed refresh."""
    read = reader(store, source, progress)
    try:
        return store.write(lambda c: log.seal(c, attempt, read, store.clock()))
    except SourceError as error:
        return record_failure(store, attempt, error)


def record_failure(store: Store, attempt: Attempt, error: SourceError) -> Refresh:
    """Write down that an attempt failed; no price changes."""
    return store.write(lambda c: log.record_failure(c, attempt, error, store.clock()))


def parsed(source: Source, document: Document) -> Iterator[Reading]:
    """The readings of a document; whatever breaks a parser is a document in another shape."""
    try:
        yield from source.parse(document)
    except SourceError:
        raise
    except Exception as error:
        raise ShapeChanged(f"{source.info.id} cannot read {document.url}: {type(error).__name__}: {error}") from error
