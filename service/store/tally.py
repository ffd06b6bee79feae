"""Counting where the rows of a refresh end: prices, rows held back, rows skipped for a named reason."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from service.store.quarantine import Held

QUARANTINE_ROWS: Final = 10_000
"""Rows kept per refresh for a person to look at; all are counted."""


@dataclass(slots=True)
class Tally:
    """What was read from the documents of one refresh."""

    observed: int = 0
    held: list[Held] = field(default_factory=list)
    rejections: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    fetches: list[int] = field(default_factory=list)
    """Of the documents it was read from, in their order."""

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

    def moved_to(self, fetches: Sequence[int]) -> list[Held]:
        """The rows held back, where the same documents stand once more."""
        places = dict(zip(self.fetches, fetches, strict=True))
        return [replace(row, fetch_id=places[row.fetch_id]) for row in self.held]
