"""When to run: the cheapest start before a deadline, the cheapest hours of a run that can be suspended.

Prices are constant within a slot, so what a run costs is a straight line between the starts at which one of
its two ends meets the edge of a slot: trying those, by prefix sums, is exact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Literal

import numpy as np

from service.domain.quantities import EXACT, significant
from service.errors import FieldProblem, Invalid
from service.planning.refusals import refuse
from service.planning.slots import TICK, TICKS_PER_HOUR, PriceSlot, Timeline, cost_between, forecast_share, timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAsked:
    """Work to be done between two moments."""

    hours: Decimal
    """Of work [hours]."""
    units: Decimal = Decimal(1)
    """Used while it runs: kW at the meter, or GPUs [units]."""
    earliest: datetime
    deadline: datetime
    prefer: Literal["earliest", "latest"] = "earliest"
    """Of equally cheap plans."""

    @property
    def ticks(self) -> int:
        """Of work [microseconds]."""
        return int((self.hours * TICKS_PER_HOUR).to_integral_value())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPeriod:
    """The run is on from `start` up to `end`."""

    start: datetime
    end: datetime
    cost: Decimal
    """[currency]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPlan:
    """When to run, and what it costs."""

    periods: tuple[RunningPeriod, ...]
    cost: Decimal
    """Starts included [currency]."""
    at_once: Decimal | None
    """Cost of the same hours from `earliest` on without a break; None where prices are missing [currency]."""
    saving: Decimal | None
    starts: int
    forecast_share: Decimal
    """Of the running time at prices nobody has published yet [1]."""
    unpriced_hours: Decimal
    """Of the window, without any price: nothing runs there [hours]."""
    because: tuple[str, ...]


def best_start(slots: Sequence[PriceSlot], run: RunAsked) -> StartPlan:
    """The cheapest unbroken run. Raises Invalid if no stretch with prices is long enough."""
    line, work = line_of(slots, run)
    last = int(line.edges[-1]) - work
    starts = np.unique(np.concatenate([line.edges, line.edges - work, [0, last]]))
    starts = starts[(starts >= 0) & (starts <= last)]
    gaps = line.integral(line.gaps, starts + work) - line.integral(line.gaps, starts)
    starts = starts[gaps == 0]
    if not len(starts):
        raise Invalid.field("hours", f"no stretch of {run.hours} hours has prices throughout; {covered(line)}")
    costs = line.integral(line.prices, starts + work) - line.integral(line.prices, starts)
    ties = np.flatnonzero(costs == costs.min())
    start = int(starts[ties[0] if run.prefer == "earliest" else ties[-1]])
    return plan(line, run, [(start, start + work)])


def cheapest_hours(slots: Sequence[PriceSlot], run: RunAsked) -> StartPlan:
    """The cheapest hours of a run that can be suspended and resumed at no cost. Raises Invalid."""
    line, work = line_of(slots, run)
    enough_priced(line, run, work)
    known = [place for place, slot in enumerate(line.slots) if slot is not None]
    later = run.prefer == "latest"
    known.sort(key=lambda place: (line.prices[place], -place if later else place))
    taken, left = [], work
    for place in known:
        start, end = int(line.edges[place]), int(line.edges[place + 1])
        length = min(end - start, left)
        taken.append((end - length, end) if later else (start, start + length))
        left -= length
        if not left:
            break
    return plan(line, run, taken)


def line_of(slots: Sequence[PriceSlot], run: RunAsked, *lengths: int) -> tuple[Timeline, int]:
    """The window of a run as whole numbers, and its work in steps of them. Raises Invalid."""
    refuse(_problems(run))
    line = timeline(slots, run.earliest, run.deadline, run.ticks, *lengths)
    return line, run.ticks // line.step


def enough_priced(line: Timeline, run: RunAsked, work: int) -> None:
    """Raises Invalid unless as many hours have prices as the run needs."""
    if int((np.diff(line.edges) * (1 - line.gaps)).sum()) < work:
        raise Invalid.field("hours", f"{run.hours} hours are more than have prices; {covered(line)}")


def covered(line: Timeline) -> str:
    """Which part of a window has prices, in words."""
    known = [place for place, slot in enumerate(line.slots) if slot is not None]
    first, last = line.moment(int(line.edges[known[0]])), line.moment(int(line.edges[known[-1] + 1]))
    missing = _hours(line, int((np.diff(line.edges) * line.gaps).sum()))
    return f"prices reach from {first.isoformat()} to {last.isoformat()}, and {missing} hours of the window have none"


def plan(
    line: Timeline,
    run: RunAsked,
    taken: Sequence[tuple[int, int]],
    each_start: Decimal = Decimal(0),
    warm: int = 0,
) -> StartPlan:
    """A plan that runs at these times, each start costing `each_start` and `warm` steps in which nothing is done."""
    merged = list(_merged(taken))
    periods = tuple(
        RunningPeriod(start=line.moment(start), end=line.moment(end), cost=cost_between(line, start, end, run.units))
        for start, end in merged
    )
    cost = EXACT.multiply(each_start, len(merged))
    for period in periods:
        cost = EXACT.add(cost, period.cost)
    at_once = _at_once(line, run, each_start, run.ticks // line.step + warm)
    return StartPlan(
        periods=periods,
        cost=cost,
        at_once=at_once,
        saving=None if at_once is None else EXACT.subtract(at_once, cost),
        starts=len(periods),
        forecast_share=forecast_share(line, merged),
        unpriced_hours=_hours(line, int((np.diff(line.edges) * line.gaps).sum())),
        because=tuple(_because(line, run, periods)),
    )


def _at_once(line: Timeline, run: RunAsked, each_start: Decimal, length: int) -> Decimal | None:
    if length > line.edges[-1] or line.integral(line.gaps, np.array([length]))[0]:
        return None
    return EXACT.add(cost_between(line, 0, length, run.units), each_start)


def _merged(taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same times in order, neighbours joined."""
    current: tuple[int, int] | None = None
    for start, end in sorted(taken):
        if current is not None and current[1] == start:
            current = current[0], end
            continue
        if current is not None:
            yield current
        current = start, end
    if current is not None:
        yield current


def _because(line: Timeline, run: RunAsked, periods: Sequence[RunningPeriod]) -> Iterator[str]:
    known = [slot.price for slot in line.slots if slot is not None]
    yield (
        f"prices between {run.earliest.isoformat()} and {run.deadline.isoformat()} "
        f"range from {min(known)} to {max(known)}"
    )
    for one, other in pairwise(periods):
        yield f"suspended from {one.end.isoformat()} to {other.start.isoformat()}"
    if any(slot is not None and slot.forecast for slot in line.slots):
        yield "some prices of the window are forecasts: the mean of the same hour of past weeks"
    if line.gaps.any():
        yield covered(line)


def _problems(run: RunAsked) -> Iterator[FieldProblem]:
    for name in ("earliest", "deadline"):
        if getattr(run, name).tzinfo is None:
            yield FieldProblem(name, "must carry a UTC offset, for example 2026-03-01T00:00:00Z")
            return
    if run.ticks <= 0:
        yield FieldProblem("hours", "must be above 0")
    elif run.ticks > (run.deadline - run.earliest) // TICK:
        yield FieldProblem("deadline", f"leaves less than {run.hours} hours after {run.earliest.isoformat()}")
    if run.units <= 0:
        yield FieldProblem("units", "must be above 0")


def _hours(line: Timeline, steps: int) -> Decimal:
    return significant(Decimal(steps * line.step) / TICKS_PER_HOUR)
