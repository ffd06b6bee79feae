"""A run that can be suspended, at a price: each start costs money, and time in which nothing is done.

Exact by going through time once, keeping for every amount of work done the least cost of having done it,
with the run on and with it off.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from service.domain.scenario import FORBID_UNKNOWN
from service.errors import Invalid
from service.planning.slots import TICK, TICKS_PER_HOUR, WORD, PriceSlot, Timeline, Whole
from service.planning.start_times import RunAsked, StartPlan, enough_priced, line_of, plan

MOST_CELLS: Final = 40_000_000
"""Steps of time × steps of work; two bytes each [steps²]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCost:
    """What every start costs, the first included."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    cost: Decimal = Decimal(0)
    """[currency]"""
    hours: Decimal = Decimal(0)
    """In which the units are paid and nothing is done: loading, restoring, compiling [hours]."""

    @property
    def ticks(self) -> int:
        """The hours in microseconds."""
        return int((self.hours * TICKS_PER_HOUR).to_integral_value())


def cheapest_with_starts(slots: Sequence[PriceSlot], run: RunAsked, start: StartCost) -> StartPlan:
    """The cheapest hours of a run whose every start costs something; of equals the one done first.

    Exact on the longest step that divides all slots, the work and the start. Raises Invalid.
    """
    if start.cost < 0 or not 0 <= start.ticks <= (run.deadline - run.earliest) // TICK:
        raise Invalid.field("start", "must cost 0 or more, and take 0 hours to the whole window")
    line, work = line_of(slots, run, *([start.ticks] if start.ticks else []))
    enough_priced(line, run, work)
    window, warm = int(line.edges[-1]), start.ticks // line.step
    if window * work > MOST_CELLS:
        raise Invalid.field("hours", f"make {window} × {work} steps, over {MOST_CELLS}; use longer slots, or less work")
    grid = _Grid.of(line, run, start)
    ons = _on(grid, work, warm)
    if ons is None:
        raise Invalid.field("hours", f"{run.hours} hours and the starts they need do not fit between the gaps")
    # The units are on from the start's own hours to the end of the work.
    return plan(line, run, ons, start.cost, warm)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Cost of each step, and of a start, in one whole unit."""

    steps: Whole
    gaps: NDArray[np.bool_]
    start: int

    @classmethod
    def of(cls, line: Timeline, run: RunAsked, start: StartCost) -> "_Grid":
        counts = np.diff(line.edges).astype(np.int64)
        # price × units × step / an hour, brought to whole numbers together with what a start costs.
        share = Fraction(run.units) * Fraction(line.step, TICKS_PER_HOUR) / 10**line.decimals
        once = Fraction(start.cost)
        common = share.denominator * once.denominator
        each, whole = [int(price) * int(share * common) for price in line.prices], int(once * common)
        largest = (max(map(abs, each)) + 1) * int(line.edges[-1]) + whole * int(line.edges[-1])
        kind = np.int64 if 8 * largest < WORD else object
        return cls(np.repeat(np.array(each, dtype=kind), counts), np.repeat(line.gaps.astype(bool), counts), whole)


def _on(grid: _Grid, work: int, warm: int) -> list[tuple[int, int]] | None:
    """The stretches in which the units are on, or None where the work cannot be done."""
    count, kind = len(grid.steps), grid.steps.dtype
    paid = np.concatenate([np.zeros(1, kind), np.cumsum(grid.steps)])
    missing = np.concatenate([[0], np.cumsum(grid.gaps)])
    never: Any = int(np.abs(grid.steps).sum()) + grid.start * count + 1
    # By work done: least cost with the run on, and with it off (now, and `warm` steps ago).
    on, off = (np.full(work + 1, never, kind) for _ in range(2))
    off[0] = 0
    offs = deque([off], maxlen=warm + 1)
    started, stopped = (np.zeros((count + 1, work + 1), bool) for _ in range(2))
    best, done_at = never, 0
    for at in range(count):
        ready = on
        if at >= warm and missing[at] == missing[at - warm]:
            begun = np.where(offs[0] < never, offs[0] + (grid.start + paid[at] - paid[at - warm]), never)
            started[at] = begun < on
            ready = np.minimum(begun, on)
        stopped[at + 1] = on < off
        off = np.minimum(on, off)
        offs.append(off)
        on = np.full(work + 1, never, kind)
        if not grid.gaps[at]:
            on[1:] = np.where(ready[:-1] < never, ready[:-1] + grid.steps[at], never)
        if on[work] < best:
            best, done_at = on[work], at + 1
    return None if best >= never else list(_backwards(started, stopped, done_at, work, warm))


def _backwards(
    started: NDArray[np.bool_], stopped: NDArray[np.bool_], end: int, work: int, warm: int
) -> list[tuple[int, int]]:
    """The same decisions, read from the end."""
    found, at, done, finish = [], end, work, end
    while True:
        at, done = at - 1, done - 1
        if not started[at, done]:
            continue
        at -= warm
        found.append((at, finish))
        if not done:
            return found
        while not stopped[at, done]:
            at -= 1
        at -= 1
        finish = at
