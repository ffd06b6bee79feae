"""Prices that hold for an interval each, on one line of whole numbers.

A slot is a stretch of time between two moments, whatever the clocks of its market did in between: the day
clocks change has 23 or 25 of them, and nothing here notices. Where no slot lies there is a gap, and no
price is made up for it. Times become multiples of the longest step that divides them all, prices multiples
of their last decimal, so that sums are exact and two equal costs are equal.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import pairwise
from math import gcd
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from service.domain.quantities import EXACT, significant, times
from service.errors import Invalid

TICK: Final = timedelta(microseconds=1)
TICKS_PER_HOUR: Final = 3_600_000_000
WORD: Final = 2**62
Whole = NDArray[Any]
"""Whole numbers: int64 where they fit, Python's own where they do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSlot:
    """A price that holds from `start` up to, not including, `end`."""

    start: datetime
    end: datetime
    price: Decimal
    """[currency/unit-hour], the unit being a kW or a GPU."""
    forecast: bool = False
    """True for a price nobody has published yet."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is known of a window, cut wherever something changes."""

    start: datetime
    step: int
    """Of the times below [microseconds]."""
    edges: Whole
    """From 0 to the end of the window, in steps; one more than there are stretches."""
    slots: tuple[PriceSlot | None, ...]
    """What holds in each stretch; None in a gap."""
    prices: Whole
    """By stretch, in units of the last decimal; 0 in a gap."""
    decimals: int

    @property
    def gaps(self) -> Whole:
        """1 for a stretch without a price, else 0."""
        return np.array([int(slot is None) for slot in self.slots])

    def moment(self, at: int) -> datetime:
        """A time of the line as a moment."""
        return self.start + int(at) * self.step * TICK

    def integral(self, values: Whole, at: Whole) -> Whole:
        """The sum of a value of each stretch times its length, from 0 to each `at`."""
        sums = np.concatenate([np.zeros(1, values.dtype), np.cumsum(values * np.diff(self.edges))])
        place = np.clip(np.searchsorted(self.edges, at, side="right") - 1, 0, len(values) - 1)
        whole: Whole = sums[place] + values[place] * (at - self.edges[place])
        return whole


def timeline(slots: Sequence[PriceSlot], start: datetime, end: datetime, *lengths: int) -> Timeline:
    """The slots that touch a window, as whole numbers whose step also divides `lengths` [microseconds].

    Raises Invalid for slots that overlap or end before they begin, or a window without any.
    """
    inside = sorted(_within(slots, start, end), key=lambda slot: slot.start)
    if not inside:
        raise Invalid.field("slots", f"no price between {start.isoformat()} and {end.isoformat()}")
    for one, other in pairwise(inside):
        if one.end > other.start:
            raise Invalid.field("slots", f"two prices at {other.start.isoformat()}; give one an interval")
    cut = list(_cut(inside, start, end))
    ends = [(finish - start) // TICK for finish, _ in cut]
    step = gcd(*ends, *lengths)
    decimals = max(0, *(-int(slot.price.as_tuple().exponent) for slot in inside))
    whole = [0 if slot is None else int(slot.price.scaleb(decimals, EXACT)) for _, slot in cut]
    largest = (max(map(abs, whole)) + 1) * (ends[-1] // step)
    kind = np.int64 if largest < WORD else object
    return Timeline(
        start=start,
        step=step,
        edges=np.array([0, *(one // step for one in ends)], dtype=kind),
        slots=tuple(slot for _, slot in cut),
        prices=np.array(whole, dtype=kind),
        decimals=decimals,
    )


def cost_between(line: Timeline, start: int, end: int, units: Decimal) -> Decimal:
    """What `units` cost from one time of the line to another, slot by slot, exactly."""
    first = bisect_right(line.edges, start) - 1
    total = Decimal(0)
    for place in range(first, len(line.slots)):
        left, right, slot = max(start, int(line.edges[place])), min(end, int(line.edges[place + 1])), line.slots[place]
        if left >= end or slot is None:
            break
        hours = significant(Decimal((right - left) * line.step) / TICKS_PER_HOUR)
        total = EXACT.add(total, times(times(hours, units), slot.price))
    return total


def forecast_share(line: Timeline, stretches: Sequence[tuple[int, int]]) -> Decimal:
    """Share of some stretches of time whose prices nobody has published yet [1]."""
    flags = np.array([int(slot is not None and slot.forecast) for slot in line.slots])
    starts, ends = (np.array(list(side)) for side in zip(*stretches, strict=True))
    foreseen = int((line.integral(flags, ends) - line.integral(flags, starts)).sum())
    return significant(Decimal(foreseen) / int((ends - starts).sum()), 6)


def with_profile(slots: Sequence[PriceSlot], until: datetime, zone: tzinfo) -> tuple[PriceSlot, ...]:
    """The slots, and after their end hour by hour the mean of the same hour of the week, marked as forecast.

    `zone` is the one whose weeks the prices follow. An hour of the week that was never seen stays a gap.
    """
    seen: dict[int, list[Decimal]] = {}
    for slot in slots:
        seen.setdefault(_hour_of_week(slot.start, zone), []).append(slot.price)
    added, start = [], max(slot.end for slot in slots)
    while start < until:
        end = min(start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1), until)
        if known := seen.get(_hour_of_week(start, zone)):
            mean = significant(sum(known, Decimal(0)) / len(known))
            added.append(PriceSlot(start=start, end=end, price=mean, forecast=True))
        start = end
    return (*slots, *added)


def only_within(slots: Sequence[PriceSlot], windows: Sequence[tuple[datetime, datetime]]) -> tuple[PriceSlot, ...]:
    """The parts of the slots that lie in one of the windows, which must not overlap; the rest becomes a gap."""
    return tuple(part for start, end in windows for part in _within(slots, start, end))


def _within(slots: Sequence[PriceSlot], start: datetime, end: datetime) -> Iterator[PriceSlot]:
    for slot in slots:
        if slot.start.tzinfo is None or slot.end.tzinfo is None or slot.start >= slot.end:
            raise Invalid.field("slots", f"the interval from {slot.start} to {slot.end} is none; both need an offset")
        left, right = max(slot.start, start), min(slot.end, end)
        if left < right:
            yield replace(slot, start=left, end=right)


def _cut(inside: Sequence[PriceSlot], start: datetime, end: datetime) -> Iterator[tuple[datetime, PriceSlot | None]]:
    """The end of each stretch with what holds in it."""
    at = start
    for slot in inside:
        if slot.start > at:
            yield slot.start, None
        yield slot.end, slot
        at = slot.end
    if at < end:
        yield end, None


def _hour_of_week(moment: datetime, zone: tzinfo) -> int:
    local = moment.astimezone(zone)
    return local.weekday() * 24 + local.hour
