"""A budget: how much a scenario may cost over a period, when to look at it again, and what to tell."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Final, Literal
from zoneinfo import ZoneInfo

from service.domain.as_of import AsOf
from service.domain.scenario import FORBID_UNKNOWN, Scenario

Repeats = Literal["never", "month", "quarter", "year"]
MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
Measure = Literal["forecast", "spent"]
"""`forecast`: what the whole period will have cost. `spent`: what it has cost so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A share of the limit that is told when it is reached."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    of: Measure
    share: Decimal
    """0.8 is four fifths of the limit."""


FORECAST_CROSSING: Final = Threshold(of="forecast", share=Decimal(1))
EXCEEDED: Final = Threshold(of="spent", share=Decimal(1))
ALWAYS: Final = (FORECAST_CROSSING, EXCEEDED)
"""Told for every budget, whatever else it asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A scenario, spread evenly over a period, against a limit."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    """What you call it."""
    scenario: Scenario
    """The work of one whole period."""
    limit: Decimal
    """What one period may cost."""
    currency: str = "USD"
    """ISO 4217 code of the limit and of every figure of the budget."""
    start: date
    """First day of the period."""
    end: date | None = None
    """Day after the last; of a budget that repeats, day after the last period, never if absent."""
    repeats: Repeats = "never"
    """A budget that repeats begins again every calendar month, quarter or year after `start`."""
    zone: str = "UTC"
    """IANA time zone whose days are meant, for the period and the schedule."""
    schedule: str = "0 7 * * *"
    """Five-field cron expression: when to price it again."""
    thresholds: tuple[Threshold, ...] = (Threshold(of="spent", share=Decimal("0.8")),)
    """Shares to be told of, beside the forecast and the spending crossing the limit itself."""
    hysteresis: Decimal = Decimal("0.02")
    """Share of the limit by which a figure must fall below a threshold before it is told again."""
    moved: Decimal = Decimal("0.01")
    """Share by which the estimate must have moved since it was last told."""
    notify: tuple[str, ...] = ()
    """Names of the notification targets to tell; all of them if none is named."""
    enabled: bool = True
    """False: kept, but no longer priced on its schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetInForce:
    """One version of a budget."""

    budget_id: str
    """SHA-256 of its canonical bytes."""
    recorded_at: datetime
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPeriod:
    """From `start` up to, not including, `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnPoint:
    """Where the spending stands at the end of a day, counted from the start of the period."""

    at: datetime
    modelled: Decimal
    """What the scenario's prices make of it."""
    actual: Decimal | None
    """What was really charged; None after the last charge known, and where none is."""
    forecast: Decimal
    """Charged as far as is known, modelled from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStatus:
    """How a budget stands at one as-of, in its currency."""

    name: str
    budget_id: str
    as_of: AsOf
    period: BudgetPeriod
    currency: str
    limit: Decimal
    spent: Decimal
    """So far: charged as far as is known, modelled from there to now."""
    forecast: Decimal
    """At the end of the period."""
    run_rate: Decimal | None
    """The period's cost if it goes on as it was charged so far; None without charges."""
    crosses_at: datetime | None
    """The end of the first day on which the forecast is above the limit."""
    charged_until: datetime | None
    """End of the last charge imported; None without charges."""
    lower_bound: bool
    """True if something had no price or no exchange rate."""
    notes: tuple[str, ...]
    """What had none, and what was assumed."""
    points: tuple[BurnPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRun:
    """A budget priced once, on schedule or by hand."""

    budget: str
    slot: datetime
    """The moment of the schedule it was run for."""
    ran_at: datetime
    budget_id: str
    estimate_id: str
    told_estimate_id: str
    """The estimate whose move was told last; the next is measured against it."""
    period_start: datetime
    currency: str
    forecast: Decimal
    spent: Decimal
    crosses_at: datetime | None
    lower_bound: bool
    reached: tuple[Threshold, ...]
    """Thresholds that count as reached after this run."""


def period_at(budget: Budget, moment: datetime) -> BudgetPeriod:
    """The period a moment lies in; the first before it began, the last after it ended."""
    zone = ZoneInfo(budget.zone)
    today = moment.astimezone(zone).date()
    periods = list(_periods(budget, today))
    start, end = next(((start, end) for start, end in periods if today < end), periods[-1])
    return BudgetPeriod(start=_midnight(start, zone), end=_midnight(end, zone))


def reached(budget: Budget, status: BudgetStatus, before: Collection[Threshold]) -> Iterator[Threshold]:
    """The thresholds that count as reached; one that was before still is until the figure is clearly below it."""
    for threshold in dict.fromkeys((*ALWAYS, *budget.thresholds)):
        figure = status.forecast if threshold.of == "forecast" else status.spent
        line = threshold.share * budget.limit
        over = figure > line if threshold.share >= 1 else figure >= line
        if over or (threshold in before and figure > line - budget.hysteresis * budget.limit):
            yield threshold


def _periods(budget: Budget, until: date) -> Iterator[tuple[date, date]]:
    """Every period that begins by a day, and at least one."""
    if budget.repeats == "never":
        yield budget.start, budget.end or budget.start + timedelta(days=1)
        return
    number, start = 0, budget.start
    while number == 0 or (start <= until and (budget.end is None or start < budget.end)):
        number += 1
        following = _later(budget.start, number * MONTHS[budget.repeats])
        yield start, min(following, budget.end) if budget.end else following
        start = following


def _later(day: date, months: int) -> date:
    """The same day so many months later; the last of a month too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
