"""How many hours of a run each window of a tariff holds, counted on the clock people there go by."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, get_args
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from service.domain.scenario import Tariff, TariffHours, TariffWindow, Weekday

QUARTERS_OF_A_DAY: Final = 96
QUARTERS_OF_A_WEEK: Final = 7 * QUARTERS_OF_A_DAY
QUARTER: Final = timedelta(minutes=15)
WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
MONDAY: Final = datetime(2024, 1, 1, tzinfo=UTC)

Quarters = npt.NDArray[np.int64]


def hours_by_window(tariff: Tariff, hours: Decimal) -> list[Decimal]:
    """Hours of a run in each window, in their order, and in none of them; together `hours`, exactly.

    A day on which clocks change has 23 or 25 hours, and each of them is counted at its own wall clock.
    """
    whole, rest = divmod(hours * 4, 1)
    windows = windows_from(tariff, tariff.starts_at, int(whole) + 1)
    counts = np.bincount(windows[:-1], minlength=len(tariff.windows) + 1)
    found = [Decimal(int(one)) / 4 for one in counts]
    found[int(windows[-1])] += rest / 4
    return found


def windows_from(tariff: TariffHours, start: datetime, many: int) -> Quarters:
    """Of each of so many quarter-hours from `start` the window that holds it, or how many windows there are."""
    return windows_of_the_week(tariff.windows)[_quarters_of_the_week(start, many, ZoneInfo(tariff.zone))]


def quarter_of(clock: str) -> int:
    """Quarter-hours since midnight of a wall clock. Raises ValueError for what is none.

    >>> quarter_of("06:30"), quarter_of("24:00")
    (26, 96)
    """
    hour, _, minute = clock.partition(":")
    if len(hour) != 2 or len(minute) != 2 or not (hour + minute).isascii() or not (hour + minute).isdigit():
        raise ValueError(clock)
    quarters, rest = divmod(int(hour) * 60 + int(minute), 15)
    if rest or int(minute) >= 60 or quarters > QUARTERS_OF_A_DAY:
        raise ValueError(clock)
    return quarters


def windows_of_the_week(windows: Sequence[TariffWindow]) -> Quarters:
    """By quarter-hour of the week: the first window that holds it, or how many there are."""
    week = np.full(QUARTERS_OF_A_WEEK, len(windows), dtype=np.int64)
    for number in reversed(range(len(windows))):
        one = windows[number]
        begins, ends = quarter_of(one.begins), quarter_of(one.ends)
        long = ends - begins if ends > begins else ends - begins + QUARTERS_OF_A_DAY
        for day in one.days:
            first = WEEKDAYS.index(day) * QUARTERS_OF_A_DAY + begins
            week[np.arange(first, first + long) % QUARTERS_OF_A_WEEK] = number
    return week


def _quarters_of_the_week(start: datetime, many: int, zone: ZoneInfo) -> Quarters:
    """Of each of so many quarter-hours from `start`, which of the week it is on the wall."""
    first = start.astimezone(UTC)
    elapsed = np.arange(many, dtype=np.int64) + (first - MONDAY) // QUARTER
    return (elapsed + _offsets(first, many, zone)) % QUARTERS_OF_A_WEEK


def _offsets(first: datetime, many: int, zone: ZoneInfo) -> Quarters:
    """What the wall is ahead of UTC, in quarter-hours; looked up by the day, and closer on days it changes."""

    def ahead(quarter: int) -> int:
        offset = (first + quarter * QUARTER).astimezone(zone).utcoffset()
        return 0 if offset is None else offset // QUARTER

    offsets = np.empty(many, dtype=np.int64)
    for begin in range(0, many, QUARTERS_OF_A_DAY):
        end = min(begin + QUARTERS_OF_A_DAY, many)
        same = ahead(begin) == ahead(end)
        offsets[begin:end] = ahead(begin) if same else [ahead(one) for one in range(begin, end)]
    return offsets
