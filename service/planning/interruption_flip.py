"""How much more often machines may be taken away until another offer is the best.

A goal states one figure for all machines it is about, so all their hazards grow together; what the spot advisor says
is said of one machine in one region, and moves alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.domain.goal import Goal
from service.domain.market import Floats
from service.planning.candidates import Arrays, Offers, Rows, Timing, arrays_of, timing
from service.planning.offering import TAKEN_AWAY
from service.planning.search import Candidate, Found

MOST_OFTEN: Final = 1e4
"""Times the interruptions assumed; a flip that needs more is none."""
STEPS: Final = 50
"""Halvings of a flip point: to the last digit of a float."""
LOOKED: Final = 64
"""Places where those that move along are looked at; who is ahead of a run only between two of them is not seen."""
JUMPS: Final = 256
"""Machines more a service of the best may need that are looked at besides."""


def moving_together(goal: Goal, offers: Offers, row: int) -> NDArray[np.bool_]:
    """The offers whose interruptions stand on the same statement as those of one."""
    taken = np.array([one in TAKEN_AWAY for one in offers.purchases])
    alone = taken[row] and goal.interruptions.spot_per_hour is None
    moving: NDArray[np.bool_] = np.arange(len(offers)) == row if alone else taken == taken[row]
    return moving


def interruption_flip(found: Found, best: Candidate, moving: NDArray[np.bool_]) -> tuple[float, Rows]:
    """How many times more often those that move may be interrupted until the best is not, and what then is.

    Infinite if nothing ever is better; no offer where then none meets the goal.
    """
    race = _Race.of(found, best, moving)
    good, bad = 1.0, MOST_OFTEN
    if race.best_still(bad, ()):
        ahead = race.overtaking(bad)
    else:
        good, bad = race.halved(good, bad, ())
        ahead = race.overtaking(good)
    if ahead is not None:
        good, bad = race.halved(*ahead)
    elif bad == MOST_OFTEN:
        return inf, np.zeros(0, np.intp)
    return good, race.winner(bad)


@dataclass(frozen=True, slots=True)
class _Race:
    """The best offer against those that stay as they are and those that move along."""

    found: Found
    best: Candidate
    ways: dict[str, Arrays]
    still: Candidate | None
    rivals: dict[int, Rows]
    """By kind: of those that move along, the offers no other of the kind beats at any length of the run."""

    @classmethod
    def of(cls, found: Found, best: Candidate, moving: NDArray[np.bool_]) -> "_Race":
        planned = (found.costs < inf) & (np.arange(len(found.costs)) != best.offer)
        along = np.flatnonzero(planned & moving)
        by_kind = {int(kind): along[found.kind_of[along] == kind] for kind in np.unique(found.kind_of[along])}
        rivals = {kind: _unbeaten(found.offers, rows) for kind, rows in by_kind.items()}
        ways = arrays_of(found.configured.configurations)
        return cls(found, best, ways, found.best(np.flatnonzero(planned & ~moving)), rivals)

    def best_still(self, times: float, kinds: tuple[int, ...]) -> bool:
        """True while neither what stays as it is nor a rival of some kinds is cheaper."""
        own = self._own(times)
        if own > (inf if self.still is None else self.still.cost):
            return False
        return own < inf and all(own <= self._cost(kind, times) for kind in kinds)

    def overtaking(self, until: float) -> tuple[float, float, tuple[int, ...]] | None:
        """Between which two places kinds of rivals are first seen ahead, and which."""
        before = 1.0
        for times in np.unique(np.append(np.geomspace(1.0, until, LOOKED)[1:], self._jumps(until))):
            if kinds := tuple(self._ahead(float(times))):
                return before, float(times), kinds
            before = float(times)
        return None

    def halved(self, good: float, bad: float, kinds: tuple[int, ...]) -> tuple[float, float]:
        """Where between two places the best stops being so."""
        for _ in range(STEPS):
            middle = (good * bad) ** 0.5
            good, bad = (middle, bad) if self.best_still(middle, kinds) else (good, middle)
        return good, bad

    def winner(self, times: float) -> Rows:
        """The cheapest of the others; none where nothing meets the goal."""
        costs = [] if self.still is None else [(self.still.cost, self.still.offer)]
        for kind, rows in self.rivals.items():
            of = self._timing(kind, times)
            costs += [(least_cost(self.found, row, of), int(row)) for row in rows]
        cost, row = min(costs, default=(inf, -1))
        return np.array([row] if cost < inf else [], np.intp)

    def _jumps(self, until: float) -> Floats:
        """Just after a service of the best needs another machine: only there can others get ahead of it."""
        found, kind = self.found, self.found.kinds[int(self.found.kind_of[self.best.offer])][0]
        lost = kind.hazard * found.limits.checkpoints.restart_hours
        if found.configured.shape != "service" or not lost:
            return np.zeros(0)
        of = self.ways[kind.accelerator]
        in_one = np.maximum(np.floor(kind.gpus / of.gpus), 1)
        machines = np.ceil(of.replicas / in_one)[:, None] + np.arange(JUMPS)
        jumps = np.sort(((machines * in_one[:, None] / of.replicas[:, None] - 1) / lost).ravel()) * (1 + 1e-9)
        within: Floats = jumps[(jumps > 1) & (jumps < until)][:JUMPS]
        return within

    def _ahead(self, times: float) -> Iterator[int]:
        own = self._own(times)
        for kind, rows in self.rivals.items():
            # More interruptions make nothing cheaper: who is dearer without them need not be looked at.
            if self.found.costs[rows].min() < own and self._cost(kind, times) < own:
                yield kind

    def _own(self, times: float) -> float:
        kind = int(self.found.kind_of[self.best.offer])
        return least_cost(self.found, self.best.offer, self._timing(kind, times))

    def _cost(self, kind: int, times: float) -> float:
        of = self._timing(kind, times)
        return min(least_cost(self.found, row, of) for row in self.rivals[kind])

    def _timing(self, number: int, times: float) -> Timing:
        found, kind = self.found, self.found.kinds[number][0]
        more = replace(kind, hazard=kind.hazard * times)
        return timing(found.configured.shape, more, self.ways[kind.accelerator], found.limits)


def least_cost(found: Found, offer: int, of: Timing) -> float:
    """The cheapest an offer can do with another timing; infinite if it cannot."""
    price, fixed = float(found.offers.prices[offer]), float(found.offers.fixed[offer])
    costs: Floats = price * of.gpu_hours + (fixed + of.hourly)
    high = price * of.gpu_hours_high + (fixed + of.hourly_high)
    possible = (of.fails == 0) & (high <= found.limits.budget) & np.isfinite(costs)
    return float(costs[possible].min(initial=inf))


def _unbeaten(offers: Offers, rows: Rows) -> Rows:
    """Offers of a kind that are not dearer than another both by the hour and in what is paid once."""
    kept, least = [], inf
    for row in sorted(rows.tolist(), key=lambda row: (offers.prices[row], offers.fixed[row], row)):
        if offers.fixed[row] < least:
            kept.append(row)
            least = float(offers.fixed[row])
    return np.array(kept, np.intp)
