"""What became of every row of one document: a price, a named reason to skip it, or held back."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pricing_sources.census import census
from pricing_sources.errors import SourceError
from pricing_sources.observation import Observation, Reading, Rejected, Skipped
from pricing_sources.source import Document, Excerpting, Source, Wrapping
from service.domain.refreshes import Refresh, RefreshStatus
from service.store.store import Store
from service.usecases.reading import reader

LOST_SHOWN: Final = 20
"""Places of lost rows that are named; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Rows in and rows out of one document that was read."""

    document: str
    source: str
    refresh_id: int
    status: RefreshStatus
    error: str | None
    rows_in: int | None
    """Rows of what the feed sent, counted in its own shape; None where it has none that can be read."""
    rows_out: int | None
    """Those of them that at least one reading speaks of, and those that an excerpt says it left out."""
    lost: tuple[str, ...]
    """Where the first of the others stand."""
    readings: int
    """What the rows hold: a row may state several prices; one that was left out counts once."""
    prices: int
    skipped: Mapping[str, int]
    """By named reason."""
    held_back: int
    balanced: bool
    """No row is lost, and every reading ended as one of the three."""


def account_for(store: Store, source: Source, document: Document, refresh: Refresh) -> Account:
    """Hold what a refresh wrote down against the document it read, row by row.

    Reads the document once more, which gives the same readings for ever.
    """
    try:
        readings = list(reader(store, source, lambda _: None)(document))
        body = source.unwrapped(document.body) if isinstance(source, Wrapping) else document.body
        counted = census(body, (reading.locator for reading in readings))
        original = source.rows_of_original(document.body) if isinstance(source, Excerpting) else None
    except SourceError:
        return _unread(document, refresh)
    ended = refresh if refresh.status == "sealed" else None
    prices = ended.observed if ended else _count(readings, Observation)
    held_back = ended.rejected if ended else _count(readings, Rejected)
    passed = [one for one in readings if isinstance(one, Skipped)]
    skipped = ended.skipped if ended else _by_reason(passed)
    rows_in = counted.rows + sum(one.left_out for one in passed) if original is None else original
    rows_out = counted.rows - len(counted.lost) + sum(one.left_out for one in passed)
    total = len(readings) - len(passed) + sum(one.rows for one in passed)
    return Account(
        document=document.url,
        source=refresh.source,
        refresh_id=refresh.refresh_id,
        status=refresh.status,
        error=refresh.error,
        rows_in=rows_in,
        rows_out=rows_out,
        lost=counted.lost[:LOST_SHOWN],
        readings=total,
        prices=prices,
        skipped=dict(skipped),
        held_back=held_back,
        balanced=rows_in == rows_out and total == prices + held_back + sum(skipped.values()),
    )


def _by_reason(skipped: list[Skipped]) -> Mapping[str, int]:
    counts = Counter[str]()
    for one in skipped:
        counts[one.reason] += one.rows
    return counts


def _count(readings: list[Reading], kind: type[Reading]) -> int:
    return sum(isinstance(one, kind) for one in readings)


def _unread(document: Document, refresh: Refresh) -> Account:
    """A document that is refused as a whole: no row of it was read, and none is lost."""
    return Account(
        document=document.url,
        source=refresh.source,
        refresh_id=refresh.refresh_id,
        status=refresh.status,
        error=refresh.error,
        rows_in=None,
        rows_out=None,
        lost=(),
        readings=0,
        prices=0,
        skipped={},
        held_back=0,
        balanced=refresh.status != "sealed",
    )
