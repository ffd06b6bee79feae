"""A budget's burn-up: what was charged, what prices make of the rest, and when the limit is crossed."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Final

from service.domain.budget import BudgetPeriod, BurnPoint
from service.domain.cost_history import CostPoint
from service.domain.quantities import EXACT, significant
from service.domain.spend import Charge

DIGITS: Final = 15
"""Significant digits of a figure of money that a division made."""
MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnUp:
    """Spending over a period, cumulated."""

    points: tuple[BurnPoint, ...]
    spent: Decimal
    forecast: Decimal
    run_rate: Decimal | None
    crosses_at: datetime | None
    charged_until: datetime | None
    notes: tuple[str, ...]
    lower_bound: bool


def burn_up(
    period: BudgetPeriod, days: Sequence[CostPoint], charges: Sequence[Charge], limit: Decimal, now: datetime
) -> BurnUp:
    """The burn-up of a period whose whole cost each day's prices state; charges are in one currency with it.

    The work goes on evenly, by the clock: a day costs its share of what the whole period would cost at that
    day's prices. A day to come without a price of its own costs what the last priced one does.
    """
    model, notes, lower_bound = _model(period, days, now)
    ends = [*(day.at for day in days[1:]), period.end]
    so_far = min(max(now, period.start), period.end)
    course = _Course(model, _Charged(period, charges, [*ends, so_far]))
    points = tuple(
        BurnPoint(at=end, modelled=model.until(end), actual=course.charged.known(end), forecast=course.until(end))
        for end in ends
    )
    return BurnUp(
        points=points,
        spent=course.until(so_far),
        forecast=course.until(period.end),
        run_rate=course.charged.run_rate(),
        crosses_at=next((point.at for point in points if point.forecast > limit), None),
        charged_until=course.charged.end,
        notes=notes,
        lower_bound=lower_bound,
    )


class _Model:
    """What prices make of the period, cumulated."""

    def __init__(self, period: BudgetPeriod, starts: Sequence[datetime], totals: Sequence[Decimal]) -> None:
        self._starts, self._totals = starts, totals
        self._whole = _micros(period.start, period.end)
        ends = [*starts[1:], period.end]
        spans = zip(starts, ends, totals, strict=True)
        # Amount × time, exactly; only the last step divides.
        self._before = [Decimal(0), *accumulate((total * _micros(*span) for *span, total in spans), EXACT.add)]

    def until(self, moment: datetime) -> Decimal:
        """Cost from the start of the period to a moment in it."""
        day = max(bisect_right(self._starts, moment) - 1, 0)
        begun = EXACT.multiply(self._totals[day], _micros(self._starts[day], moment))
        return significant(EXACT.add(self._before[day], begun) / self._whole, DIGITS)


class _Charged:
    """What was charged in the period, cumulated; a charge falls evenly on its span."""

    def __init__(self, period: BudgetPeriod, charges: Sequence[Charge], moments: Sequence[datetime]) -> None:
        self._period = period
        latest = max((one.charge_until for one in charges), default=None)
        self.end = min(latest, period.end) if latest else None
        self._moments = sorted({period.start, period.end, *moments, *([self.end] if self.end else [])})
        slices = [Decimal(0)] * len(self._moments)
        for one in charges:
            for position, amount in _spread(one, self._moments):
                slices[position] += amount
        self._until = [significant(amount, DIGITS) for amount in accumulate(slices)]

    def known(self, moment: datetime) -> Decimal | None:
        """Charged until a moment; None after what is known."""
        return self.until(moment) if self.end and moment <= self.end else None

    def until(self, moment: datetime) -> Decimal:
        """Charged from the start of the period to one of the moments it was made for."""
        return self._until[bisect_left(self._moments, moment)]

    def run_rate(self) -> Decimal | None:
        """The whole period at the pace of what was charged."""
        if self.end is None:
            return None
        paced = self.until(self.end) * _micros(self._period.start, self._period.end)
        return significant(paced / _micros(self._period.start, self.end), DIGITS)


@dataclass(frozen=True, slots=True)
class _Course:
    """Charged as far as is known, modelled from there."""

    model: _Model
    charged: _Charged

    def until(self, moment: datetime) -> Decimal:
        end = self.charged.end
        if end is None:
            return self.model.until(moment)
        if moment <= end:
            return self.charged.until(moment)
        return self.charged.until(end) + self.model.until(moment) - self.model.until(end)


def _model(period: BudgetPeriod, days: Sequence[CostPoint], now: datetime) -> tuple[_Model, tuple[str, ...], bool]:
    """The model, what is to be said of it, and whether it lacks something."""
    totals: list[Decimal] = []
    held: list[CostPoint] = []
    gaps: dict[str, list[CostPoint]] = {}
    last: CostPoint | None = None
    for day in days:
        if day.at > now and day.lower_bound and last is not None:
            held.append(day)
            totals.append(last.total or Decimal(0))
            continue
        for reason in day.missing:
            gaps.setdefault(reason, []).append(day)
        last = last if day.lower_bound else day
        totals.append(day.total or Decimal(0))
    notes = [f"{_dates(points)}: {reason}" for reason, points in gaps.items()]
    if held and last:
        notes.append(f"{_dates(held)}: no price yet; counted as on {last.at.date()}")
    return _Model(period, [day.at for day in days], totals), tuple(notes), bool(gaps)


def _dates(points: Sequence[CostPoint]) -> str:
    first, last = points[0].at.date(), points[-1].at.date()
    return f"{first}" if len(points) == 1 else f"{len(points)} days from {first} to {last}"


def _spread(charge: Charge, moments: Sequence[datetime]) -> Iterator[tuple[int, Decimal]]:
    """What of a charge falls between each moment and the one before, by the position of the later one."""
    whole = _micros(charge.charge_from, charge.charge_until)
    first = bisect_right(moments, charge.charge_from)
    for position in range(max(first, 1), len(moments)):
        start = max(charge.charge_from, moments[position - 1])
        end = min(charge.charge_until, moments[position])
        if start >= end:
            return
        share = _micros(start, end)
        yield position, charge.amount if share == whole else charge.amount * share / whole


def _micros(start: datetime, end: datetime) -> Decimal:
    return Decimal((end - start) // MICROSECOND)
