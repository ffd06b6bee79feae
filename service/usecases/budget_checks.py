"""What a budget must be before it is kept; every problem is named, not only the first."""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import available_timezones

from pricing_sources.source import Cadence
from service.domain.budget import Budget
from service.errors import FieldProblem, NotFound
from service.usecases.sources import next_slot

LONGEST_NAME: Final = 60
LARGEST_LIMIT: Final = Decimal(10) ** 15
MOST_YEARS: Final = 20
MOST_THRESHOLDS: Final = 20


def budget_problems(budget: Budget, now: datetime) -> Iterator[FieldProblem]:
    """Every field that cannot be kept as it is; the scenario is looked at elsewhere."""
    if not 0 < len(budget.name.strip()) <= LONGEST_NAME:
        yield FieldProblem("name", f"must have 1 to {LONGEST_NAME} characters")
    if not budget.limit.is_finite() or not 0 < budget.limit <= LARGEST_LIMIT:
        yield FieldProblem("limit", f"must be a number above zero, up to {LARGEST_LIMIT:f}, not {budget.limit}")
    if not re.fullmatch(r"[A-Z]{3}", budget.currency):
        yield FieldProblem("currency", f"must be an ISO 4217 code such as USD, not {budget.currency!r}")
    yield from _period_problems(budget)
    yield from _schedule_problems(budget, now)
    if len(budget.thresholds) > MOST_THRESHOLDS:
        yield FieldProblem("thresholds", f"must be at most {MOST_THRESHOLDS}")
    for number, one in enumerate(budget.thresholds):
        if not one.share.is_finite() or not 0 < one.share <= 10:
            yield FieldProblem(
                f"thresholds.{number}.share", f"must be above 0, up to 10 (0.8 is 80 %), not {one.share}"
            )
    for name in ("hysteresis", "moved"):
        share: Decimal = getattr(budget, name)
        if not share.is_finite() or not 0 <= share <= 1:
            yield FieldProblem(name, f"must be a share from 0 to 1, not {share}")


def _period_problems(budget: Budget) -> Iterator[FieldProblem]:
    if budget.end is None and budget.repeats == "never":
        yield FieldProblem("end", "is missing: the day after the period's last; or say that it repeats")
    if budget.end is not None and budget.end <= budget.start:
        yield FieldProblem("end", f"must be after start, {budget.start}")
    if not 1900 <= budget.start.year <= 2900:
        yield FieldProblem("start", f"must be a day one can plan for, not {budget.start}")
    elif budget.repeats == "never" and budget.end is not None and budget.end.year - budget.start.year > MOST_YEARS:
        yield FieldProblem("end", f"must be at most {MOST_YEARS} years after start")


def _schedule_problems(budget: Budget, now: datetime) -> Iterator[FieldProblem]:
    if budget.zone not in available_timezones():
        yield FieldProblem("zone", f"{budget.zone!r} is no IANA time zone; for example Europe/Berlin")
        return
    try:
        next_slot(Cadence(cron=budget.schedule, timezone=budget.zone), now)
    except (ValueError, NotFound) as error:
        yield FieldProblem(
            "schedule", f"{budget.schedule!r} is no five-field cron expression such as 0 7 * * mon: {error}"
        )
