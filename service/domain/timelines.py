"""How a price went over time: the same rows read with either clock."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from service.domain.price_book import Price, Unpriced

Reading = Literal["known_now", "known_then"]
"""`known_now`: what held at each moment, as we know it today. `known_then`: what we would have said at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the log: what a series cost from `valid_from`, as of the seal that said so."""

    valid_from: datetime
    recorded_at: datetime
    order: int
    """Number of the refresh; of two rows with one `valid_from` the higher counts."""
    change: Literal["observed", "correction", "retracted", "absent"]
    price: Price | Unpriced
    lasts: timedelta | None = None
    """Length of a market interval, whose price ends with it."""


@dataclass(frozen=True, slots=True)
class Course:
    """What was in force when: `values[i]` from `times[i]` until the next; nothing before the first."""

    times: tuple[datetime, ...]
    values: tuple[Price | Unpriced, ...]

    def at(self, moment: datetime) -> Price | Unpriced | None:
        """The value in force at a moment; None before the first."""
        position = bisect_right(self.times, moment)
        return self.values[position - 1] if position else None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Every row of one series that a period needs, by (valid_from, order)."""

    series: str
    entries: tuple[Entry, ...]

    def course(self, reading: Reading) -> Course:
        """What was in force when, in one reading."""
        if reading == "known_now":
            newest = {entry.valid_from: entry for entry in self.entries}
            return _course([(moment, newest[moment]) for moment in sorted(newest)], self.series)
        return _course(list(_overtaking(self.entries)), self.series)


def best_course(courses: Sequence[Course]) -> Course:
    """Of several series that state one thing, the newest statement at each moment; of equals the first."""
    if len(courses) == 1:
        return courses[0]
    times = sorted({moment for course in courses for moment in course.times})
    return Course(tuple(times), tuple(_newest(courses, moment) for moment in times))


def _overtaking(entries: Iterable[Entry]) -> Iterable[tuple[datetime, Entry]]:
    """The rows that came into force as they became known, each from the later of its two clocks."""
    best: Entry | None = None
    arriving = sorted(entries, key=lambda one: (max(one.valid_from, one.recorded_at), one.valid_from, one.order))
    for entry in arriving:
        if best is None or (entry.valid_from, entry.order) >= (best.valid_from, best.order):
            best = entry
            yield max(entry.valid_from, entry.recorded_at), entry


def _course(steps: Sequence[tuple[datetime, Entry]], series: str) -> Course:
    """Steps in order, the last of one moment counting, with a gap wherever a market interval ends before the next."""
    times: list[datetime] = []
    values: list[Price | Unpriced] = []
    for position, (moment, entry) in enumerate(steps):
        if times and times[-1] == moment:
            times.pop()
            values.pop()
        ends = entry.valid_from + entry.lasts if entry.lasts else None
        over = Unpriced(series, f"no price then; the interval before it began at {entry.valid_from.isoformat()}")
        times.append(moment)
        values.append(over if ends and ends <= moment else entry.price)
        following = steps[position + 1][0] if position + 1 < len(steps) else None
        if ends and ends > moment and (following is None or ends < following):
            times.append(ends)
            values.append(over)
    return Course(tuple(times), tuple(values))


def _newest(courses: Sequence[Course], moment: datetime) -> Price | Unpriced:
    there = [value for course in courses if (value := course.at(moment)) is not None]
    priced = [value for value in there if isinstance(value, Price)]
    return max(priced, key=lambda one: one.valid_from) if priced else there[0]
