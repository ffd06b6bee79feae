"""Electricity of one's own machines whose price depends on the hour, over the very hours a run takes.

A GPU-hour is priced with the mean over a week; what the hours of a run cost more or less than that is worked out once
for every length a run may have, and looked up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import inf
from typing import Final

import numpy as np

from service.domain.market import Floats
from service.domain.scenario import Tariff, TariffHours
from service.estimating.extended_validation import LONGEST_TARIFF
from service.estimating.tariff_hours import QUARTER, QUARTERS_OF_A_WEEK, windows_from, windows_of_the_week

QUARTERS_PER_HOUR: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class ElectricityByHour:
    """What an hour of one GPU costs beside the weekly mean, from the start of a run."""

    beside_mean: Floats
    """What all quarter-hours before one cost together more than the mean [currency/GPU]."""

    @property
    def longest_hours(self) -> float:
        """Of a run; further nobody looks."""
        return (len(self.beside_mean) - 1) / QUARTERS_PER_HOUR

    def cost(self, gpus: Floats, hours: Floats) -> Floats:
        """Of so many GPUs for so long; infinite beyond the longest [currency]."""
        return gpus * np.interp(
            hours * QUARTERS_PER_HOUR, np.arange(len(self.beside_mean)), self.beside_mean, right=inf
        )


def weekly_mean(tariff: TariffHours, prices: Sequence[Decimal]) -> Decimal:
    """The mean price of a quarter-hour; a price for each window and, last, for all other hours [currency/kWh]."""
    counts = np.bincount(windows_of_the_week(tariff.windows), minlength=len(prices))
    return sum((int(many) * price for many, price in zip(counts, prices, strict=True)), Decimal(0)) / QUARTERS_OF_A_WEEK


def electricity_by_hour(
    tariff: TariffHours, prices: Sequence[Decimal], kwh_per_gpu_hour: Decimal, valid_at: datetime
) -> ElectricityByHour:
    """A tariff over the hours of runs that start now; `prices` as for `weekly_mean`."""
    many = int(LONGEST_TARIFF) * QUARTERS_PER_HOUR
    mean = weekly_mean(tariff, prices)
    beside = np.array([float((one - mean) * kwh_per_gpu_hour / QUARTERS_PER_HOUR) for one in prices])
    windows = windows_from(tariff, first_quarter(valid_at), many)
    return ElectricityByHour(np.concatenate([[0.0], np.cumsum(beside[windows])]))


def starting_now(hours: TariffHours | None, valid_at: datetime) -> Tariff | None:
    """The tariff of a run that starts now."""
    if hours is None:
        return None
    return Tariff(zone=hours.zone, windows=hours.windows, otherwise=hours.otherwise, starts_at=first_quarter(valid_at))


def first_quarter(valid_at: datetime) -> datetime:
    """The first whole quarter-hour from a moment on: when a run starts that starts now.

    >>> first_quarter(datetime(2026, 3, 4, 9, 7, tzinfo=UTC)).isoformat()
    '2026-03-04T09:15:00+00:00'
    """
    moment = valid_at.astimezone(UTC)
    return moment + (datetime.min.replace(tzinfo=UTC) - moment) % QUARTER
