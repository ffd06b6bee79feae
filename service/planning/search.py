"""One run on one offer, exactly: every offer with every configuration, none left out, in pieces a cache holds.

Of offers alike in everything that decides how long the work takes, the cheapest of a configuration is the only one
that can be on the front; so the front, the curve of deadlines and the best of every offer come from one pass that
keeps no more than a row and a column of the whole table.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.domain.market import Floats
from service.errors import Invalid
from service.planning.candidates import (
    BUDGET,
    DEADLINE,
    OFFERED,
    TRIED,
    Limits,
    Offers,
    Rows,
    Timing,
    arrays_of,
    kinds,
    timing,
)
from service.planning.charging import Kind
from service.planning.configurations import Configured

PIECE: Final = 1 << 15
"""Pairs of an offer and a configuration looked at together: a few arrays of them stay in the cache of a core."""


MOST_KEPT: Final = 400_000
"""Kinds of offers times configurations: the cheapest of each is kept, in some hundred bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One offer with one configuration, worked out."""

    offer: int
    configuration: int
    """Numbers in `Offers` and in the list of configurations."""
    cost: float
    cost_high: float
    """As surely as the confidence says."""
    expected: float
    finish: float
    kg: float
    """Not a number where it is not known."""
    machines: float
    gpus: float
    """Paid for."""
    hours: float
    """Paid for."""
    interval: float
    deviation: float

    @property
    def rank(self) -> tuple[float, float, int, int]:
        """What makes one better than another: cost, then finish, then the order of their names."""
        return (self.cost, self.finish, self.offer, self.configuration)


@dataclass(slots=True)
class Found:
    """What one pass over the market leaves."""

    offers: Offers
    configured: Configured
    limits: Limits
    kinds: list[tuple[Kind, Rows]]
    costs: Floats
    """Of the cheapest plan on each offer; infinite where there is none."""
    ways: Rows
    """The configuration of that plan."""
    stages: NDArray[np.int8]
    """How far each offer came: the furthest of `TRIED` one of its configurations failed at, -1 if none was tried."""
    columns: list[Candidate] = field(default_factory=list)
    """The cheapest of each configuration on each kind of machine."""
    late: list[Candidate] = field(default_factory=list)
    """The same for those that miss the deadline and nothing else."""
    relaxed: dict[str, list[Candidate]] = field(default_factory=dict)
    """By constraint: the cheapest and the nearest that fail it alone, of each kind."""
    pairs: int = 0
    """Looked at."""
    kind_of: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    timings: dict[int, Timing] = field(default_factory=dict)

    def best(self, rows: Rows | None = None) -> Candidate | None:
        """The best plan, on all offers or on some."""
        of = np.flatnonzero(self.costs < inf) if rows is None else rows[self.costs[rows] < inf]
        if not len(of):
            return None
        least = self.costs[of].min()
        tied = of[self.costs[of] == least]
        return min((self.at(int(row), int(self.ways[row])) for row in tied), key=lambda one: one.rank)

    def timing_of(self, offer: int) -> Timing:
        """The configurations on the machines of an offer."""
        return self.timings[int(self.kind_of[offer])]

    def at(self, offer: int, configuration: int) -> Candidate:
        """One candidate."""
        of = self.timing_of(offer)
        return candidate(self.offers, of, offer, int(np.searchsorted(of.rows, configuration)))


def candidate(offers: Offers, of: Timing, offer: int, place: int) -> Candidate:
    """An offer with the configuration at a place of a timing."""
    price, fixed = float(offers.prices[offer]), float(offers.fixed[offer])
    return Candidate(
        offer=offer,
        configuration=int(of.rows[place]),
        cost=float(price * of.gpu_hours[place] + (fixed + of.hourly[place])),
        cost_high=float(price * of.gpu_hours_high[place] + (fixed + of.hourly_high[place])),
        expected=float(of.expected[place]),
        finish=float(of.finish[place]),
        kg=float(of.kg[place]),
        machines=float(of.machines[place]),
        gpus=float(of.paid_gpus[place]),
        hours=float(of.paid_hours[place]),
        interval=float(of.interval[place]),
        deviation=float(of.deviation[place]),
    )


def search(offers: Offers, configured: Configured, limits: Limits) -> Found:
    """Look at every pair of an offer and a configuration of its accelerator. Raises Invalid for too many kinds."""
    ways = arrays_of(configured.configurations)
    alike = kinds(offers)
    kept = sum(len(ways[kind.accelerator].rows) for kind, _ in alike if kind.accelerator in ways)
    if kept > MOST_KEPT:
        told = f"with carbon and interruptions they tell {len(alike):,} kinds of offers apart"
        raise Invalid.field("quotas", f"{told}, too many to keep the best of each; name fewer, or fewer accelerators")
    found = Found(
        offers,
        configured,
        limits,
        alike,
        np.full(len(offers), inf),
        np.zeros(len(offers), np.intp),
        np.full(len(offers), -1, np.int8),
        kind_of=np.full(len(offers), -1, np.int32),
    )
    for number, (kind, rows) in enumerate(alike):
        if kind.accelerator in ways:
            found.kind_of[rows] = number
            found.timings[number] = timing(configured.shape, kind, ways[kind.accelerator], limits)
            _look(found, found.timings[number], rows)
    return found


def _look(found: Found, of: Timing, rows: Rows) -> None:
    """All offers of a kind: those nothing rules out with what fits or fails once, the others with what fits."""
    counts, reasons = found.offers.counts[rows], found.offers.reasons[rows]
    free = rows[counts == 0]
    fits = of.take(of.fails == 0)
    if len(of.rows):
        stage = of.failing.max() if (of.fails > 0).all() else BUDGET
        found.stages[free] = stage
    _priced(found, fits, free)
    for fault in np.unique(of.failing[of.fails == 1]):
        failing = of.take((of.fails == 1) & (of.failing == fault))
        _if_only(found, TRIED[fault], failing, free)
    for reason in np.unique(reasons[counts == 1]):
        _if_only(found, OFFERED[reason], fits, rows[(counts == 1) & (reasons == reason)])


def _priced(found: Found, of: Timing, rows: Rows) -> None:
    """The plans on offers of a kind: the best of each offer, the cheapest of each configuration."""
    if not len(rows) or not len(of.rows):
        return
    least, at = np.full(len(of.rows), inf), np.zeros(len(of.rows), np.intp)
    over: list[Candidate] = []
    for piece in _pieces(rows, len(of.rows)):
        costs, high = _costs(found, of, piece)
        if high is not None:
            dear = high > found.limits.budget
            over += _least_of(found, of, piece, np.where(dear, high, inf), np.where(dear, costs, inf))
            costs[dear] = inf
        places = costs.argmin(axis=1)
        found.costs[piece] = costs[np.arange(len(piece)), places]
        found.ways[piece] = of.rows[places]
        lower = costs.min(axis=0) < least
        at[lower] = piece[costs.argmin(axis=0)[lower]]
        least = np.minimum(least, costs.min(axis=0))
        found.pairs += costs.size
    found.columns += [candidate(found.offers, of, int(at[one]), int(one)) for one in np.flatnonzero(least < inf)]
    found.relaxed.setdefault("budget", []).extend(over)


def _if_only(found: Found, constraint: str, of: Timing, rows: Rows) -> None:
    """What a constraint keeps out that would keep every other: the cheapest, and the nearest to keeping it, too."""
    if not len(rows) or not len(of.rows):
        return
    kept = found.relaxed.setdefault(constraint, [])
    for piece in _pieces(rows, len(of.rows)):
        costs, high = _costs(found, of, piece)
        if high is not None:
            costs[high > found.limits.budget] = inf
        found.pairs += costs.size
        misses = np.where(costs < inf, _miss(constraint, of)[None, :], inf)
        kept += _least_of(found, of, piece, misses, costs)
        if constraint == TRIED[DEADLINE]:
            places = costs.argmin(axis=0)
            within = np.flatnonzero(costs.min(axis=0) < inf)
            found.late += [candidate(found.offers, of, int(piece[places[one]]), int(one)) for one in within]


def _miss(constraint: str, of: Timing) -> Floats:
    """By how much a configuration fails a constraint, in that constraint's own measure."""
    measures = {
        **dict.fromkeys(("deadline", "horizon"), of.finish),
        **dict.fromkeys(("quota", "most_gpus", "batch_tokens", "batch_sequences"), of.paid_gpus),
        "carbon": np.nan_to_num(of.kg, nan=inf),
    }
    return measures.get(constraint, of.gpu_hours)


def _costs(found: Found, of: Timing, rows: Rows) -> tuple[Floats, Floats | None]:
    """The arithmetic everything else is about; the second is looked at only where there is a budget."""
    prices, fixed = found.offers.prices[rows, None], found.offers.fixed[rows, None]
    costs = prices * of.gpu_hours
    costs += fixed + of.hourly
    if found.limits.budget == inf:
        return costs, None
    high = prices * of.gpu_hours_high
    high += fixed + of.hourly_high
    return costs, high


def _least_of(found: Found, of: Timing, rows: Rows, *tables: Floats) -> Iterator[Candidate]:
    """The candidates that are least in each table; none where all is infinite."""
    for table in tables:
        row, place = divmod(int(table.argmin()), table.shape[1])
        if table[row, place] < inf:
            yield candidate(found.offers, of, int(rows[row]), place)


def _pieces(rows: Rows, wide: int) -> Iterator[Rows]:
    step = max(PIECE // wide, 1)
    for start in range(0, len(rows), step):
        yield rows[start : start + step]
