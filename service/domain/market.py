"""Every offer of the market at one moment, as columns."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Words:
    """A column of words, each word kept once."""

    codes: Codes
    words: tuple[Any, ...]
    """In order; `words[codes]` is the column."""

    @classmethod
    def of(cls, column: Iterable[Any]) -> "Words":
        """A column of values that can be ordered."""
        values = list(column)
        words = sorted(set(values))
        place = {word: number for number, word in enumerate(words)}
        return cls(np.fromiter(map(place.__getitem__, values), np.int32, len(values)), tuple(words))

    def at(self, row: int) -> Any:
        """The word of one row."""
        return self.words[self.codes[row]]

    def column(self) -> tuple[Any, ...]:
        """The word of every row."""
        return tuple(map(self.words.__getitem__, self.codes.tolist()))

    def spread(self, of_each: Iterable[Any], kind: Any = bool) -> NDArray[Any]:
        """A column made of one value for each word."""
        return np.fromiter(of_each, kind, len(self.words))[self.codes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Offers of GPUs in force at one moment as known at another, ordered by key. Every column is one array."""

    keys: tuple[str, ...]
    observations: NDArray[np.int64]
    """Rows of the log."""
    sources: Words
    providers: Words
    skus: Words
    regions: Words
    purchases: Words
    tiers: Words
    statistics: Words
    """Empty for a price somebody asks."""
    labels: Words
    """Accelerators as feeds name them, each with its source, provider and memory in GB as a text, empty if unknown."""
    gpus: Floats
    """In one machine; not a number where nobody knows."""
    prices: Floats
    """Of a GPU-hour, in `currencies`; not a number for a price of a whole machine whose GPUs nobody counted."""
    currencies: Words

    def __len__(self) -> int:
        return len(self.keys)

    def only(self, key: str) -> "Market":
        """The offer of one key alone, if it is there."""
        rows = [row for row, one in enumerate(self.keys) if one == key]

        def some(column: Any) -> Any:
            if isinstance(column, Words):
                return Words(column.codes[rows], column.words)
            return tuple(column[row] for row in rows) if isinstance(column, tuple) else column[rows]

        return Market(**{one.name: some(getattr(self, one.name)) for one in fields(self)})
