"""What a run of a budget has to say."""

from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any

from service.domain.bridge import Bridge
from service.domain.budget import EXCEEDED, FORECAST_CROSSING, Budget, BudgetRun, BudgetStatus, Threshold
from service.domain.canonical import json_bytes
from service.domain.events import Event, EventType


def events_of(
    budget: Budget, status: BudgetStatus, run: BudgetRun, before: Collection[Threshold], moved: Bridge | None
) -> Iterator[Event]:
    """One event for each threshold that was not reached before, and one for an estimate that moved."""
    for threshold in run.reached:
        if threshold not in before:
            yield _reached(budget, status, run, threshold)
    if moved is not None:
        yield _moved(budget, run, moved)


def _reached(budget: Budget, status: BudgetStatus, run: BudgetRun, threshold: Threshold) -> Event:
    kind: EventType = "budget.threshold_reached"
    if threshold == EXCEEDED:
        kind = "budget.exceeded"
        text = f"{budget.name} has spent {_money(run.spent, run)}, more than its limit of {_money(budget.limit, run)}"
    elif threshold == FORECAST_CROSSING:
        kind = "budget.forecast_crossing"
        when = f" on {status.crosses_at.date()}" if status.crosses_at else ""
        text = (
            f"{budget.name} is forecast to cost {_money(run.forecast, run)} and crosses its limit of "
            f"{_money(budget.limit, run)}{when}"
        )
    else:
        figure = run.forecast if threshold.of == "forecast" else run.spent
        verb = "is forecast to cost" if threshold.of == "forecast" else "has spent"
        text = f"{budget.name} {verb} {_money(figure, run)}, {threshold.share:.0%} of its limit or more"
    data = {
        "budget": budget.name,
        "estimate_id": run.estimate_id,
        "period_start": status.period.start,
        "period_end": status.period.end,
        "currency": run.currency,
        "limit": budget.limit,
        "spent": run.spent,
        "forecast": run.forecast,
        "crosses_at": run.crosses_at,
        "of": threshold.of,
        "share": threshold.share,
        "lower_bound": run.lower_bound,
    }
    return _event(kind, budget, run, f"{threshold.of} {threshold.share}", text, data)


def _moved(budget: Budget, run: BudgetRun, moved: Bridge) -> Event:
    change = f"{moved.difference / moved.before:+.1%}" if moved.before else "from nothing"
    text = (
        f"the estimate of {budget.name} moved from {_money(moved.before, run)} to {_money(moved.after, run)} ({change})"
    )
    data = {"budget": budget.name, "estimate_id": run.estimate_id, "bridge": moved}
    return _event("estimate.moved", budget, run, "", text, data)


def _event(kind: EventType, budget: Budget, run: BudgetRun, which: str, text: str, data: dict[str, Any]) -> Event:
    return Event(
        type=kind,
        subject=budget.name,
        key=f"{run.slot.isoformat()} {which}".strip(),
        occurred_at=run.ran_at,
        text=text,
        data=json_bytes(data),
        notify=budget.notify,
    )


def _money(amount: Decimal, run: BudgetRun) -> str:
    return f"{amount:,.2f} {run.currency}"
