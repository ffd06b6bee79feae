"""Short ways to read a typed or recorded document with a source, and to fetch from a feed over loopback."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pricing_sources.observation import Observation, Reading, Rejected, Skipped
from pricing_sources.source import Document, FetchRequest, Missing, NotModified, Source
from pricing_sources.transport import HttpTransport
from tests.conftest import day

DOCUMENTS = Path(__file__).parents[1] / "documents"
NOW = day("2026-11-01T12:00")


def read(source: Source, body: bytes, now: datetime = NOW) -> list[Reading]:
    document = Document(source_id=source.info.id, url=source.info.url, body=body, fetched_at=now)
    return list(source.parse(document))


def typed(source: Source, name: str) -> bytes:
    return (DOCUMENTS / source.info.id / name).read_bytes()


def prices(readings: Sequence[Reading]) -> dict[str, Observation]:
    """By series key; a key must not stand twice."""
    found = [one for one in readings if isinstance(one, Observation)]
    assert len({one.series.key for one in found}) == len(found)
    return {one.series.key: one for one in found}


def skipped(readings: Sequence[Reading]) -> dict[str, int]:
    """How many rows were skipped for each reason."""
    counts = Counter[str]()
    for one in readings:
        if isinstance(one, Skipped):
            counts[one.reason] += one.rows
    return dict(counts)


def rejected(readings: Sequence[Reading]) -> list[str]:
    return [one.reason for one in readings if isinstance(one, Rejected)]


def fetched(source: Source, url: str, **request: object) -> Iterator[Document | NotModified | Missing]:
    with HttpTransport() as transport:
        yield from source.fetch(transport, FetchRequest(url=url, now=NOW, **request))
