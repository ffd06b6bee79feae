"""Budgets: keep one, see how it stands, price it again on its schedule, once per slot."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from pricing_sources.source import Cadence
from service.domain.as_of import AsOf
from service.domain.budget import (
    Budget,
    BudgetInForce,
    BudgetPeriod,
    BudgetRun,
    BudgetStatus,
    Threshold,
    period_at,
    reached,
)
from service.domain.canonical import canonical_bytes, content_id
from service.domain.estimate import Estimate
from service.domain.price_book import Unpriced
from service.domain.quantities import times
from service.domain.spend import Charge
from service.errors import Conflict
from service.estimating.burn_up import burn_up
from service.estimating.history import rate_books
from service.estimating.validation import validate
from service.store import budgets, spend
from service.store.budgets import NewRun
from service.store.log import Fence
from service.store.store import Store
from service.usecases.budget_checks import budget_problems
from service.usecases.budget_events import events_of
from service.usecases.comparisons import explained
from service.usecases.cost_history import Period, cost_history, exchange_rates
from service.usecases.estimates import get_estimate, price_scenario
from service.usecases.field_problems import invalid
from service.usecases.scenario_files import in_currency
from service.usecases.sources import next_slot

MOST_RACES: Final = 5
"""Times a run begins anew because another one of the same budget was faster."""


def put_budget(store: Store, budget: Budget, *, now: datetime) -> BudgetInForce:
    """Keep a new version of a budget; runs made before keep the version they used. Raises Invalid."""
    if problems := tuple(budget_problems(budget, now)):
        raise invalid(problems)
    validate(budget.scenario)
    return store.write(lambda c: budgets.add(c, budget, now))


def list_budgets(store: Store, now: datetime) -> list[BudgetInForce]:
    """Every budget, in the version known at a moment."""
    return store.read(lambda c: budgets.all_known(c, now))


def get_budget(store: Store, name: str, now: datetime) -> BudgetInForce:
    """One budget, in the version known at a moment. Raises NotFound."""
    return store.read(lambda c: budgets.known(c, name, now))


def budget_status(store: Store, name: str, now: datetime) -> BudgetStatus:
    """How a budget stands, with its burn-up. Raises NotFound, NoData."""
    return _status(store, get_budget(store, name, now), now)


def list_budget_runs(store: Store, name: str, limit: int = 50) -> list[BudgetRun]:
    """The newest runs of a budget."""
    return store.read(lambda c: budgets.runs(c, name, limit))


def next_runs(budget: Budget, after: datetime, number: int = 5) -> list[datetime]:
    """The next moments of a budget's schedule, in UTC; clock changes included."""
    cadence, moments = cadence_of(budget), []
    for _ in range(number):
        after = next_slot(cadence, after)
        moments.append(after)
    return moments


def cadence_of(budget: Budget) -> Cadence:
    """A budget's schedule, as the scheduler reads it."""
    return Cadence(cron=budget.schedule, timezone=budget.zone)


def run_budget(store: Store, name: str, slot: datetime, *, now: datetime, fence: Fence | None = None) -> BudgetRun:
    """Price a budget for one slot of its schedule and say what that means; a slot that was run stays as it is.

    The estimate, the run and its events are written together or not at all. Raises NotFound, NoData, and what
    `fence` raises when the right to the slot is lost.
    """
    for _ in range(MOST_RACES):
        before = store.read(lambda c: budgets.runs(c, name, 1))
        made = _priced(store, get_budget(store, name, now), slot, next(iter(before), None), now)
        kept = store.write(partial(budgets.add_run, made=made, before=before, fence=fence))
        if kept is not None:
            return kept
    raise Conflict(f"budget {name} is being run by others again and again; try again")


def _priced(store: Store, held: BudgetInForce, slot: datetime, last: BudgetRun | None, now: datetime) -> NewRun:
    """A run that is not written yet, measured against the one before it."""
    budget = held.budget
    status = _status(store, held, now)
    answer = price_scenario(store, in_currency(budget.scenario, budget.currency), AsOf(now, now))
    told = get_estimate(store, last.told_estimate_id).estimate if last else answer
    bridged = explained(store, told, answer) if _has_moved(told, answer, budget.moved) else None
    estimate_id = content_id(canonical_bytes(answer))
    before = _reached_before(last, status)
    run = BudgetRun(
        budget=budget.name,
        slot=slot,
        ran_at=now,
        budget_id=held.budget_id,
        estimate_id=estimate_id,
        told_estimate_id=last.told_estimate_id if last and not bridged else estimate_id,
        period_start=status.period.start,
        currency=budget.currency,
        forecast=status.forecast,
        spent=status.spent,
        crosses_at=status.crosses_at,
        lower_bound=status.lower_bound,
        reached=tuple(reached(budget, status, before)),
    )
    return NewRun(run=run, answer=answer, events=tuple(events_of(budget, status, run, before, bridged)))


def _reached_before(last: BudgetRun | None, status: BudgetStatus) -> Collection[Threshold]:
    """What counted as reached; a new period begins with nothing."""
    return last.reached if last and last.period_start == status.period.start else ()


def _status(store: Store, held: BudgetInForce, now: datetime) -> BudgetStatus:
    budget = held.budget
    period = period_at(budget, now)
    asked = Period(start=period.start, end=period.end, step="day", zone=budget.zone)
    history = cost_history(store, in_currency(budget.scenario, budget.currency), asked, "known_now", now)
    charges, unconverted = _charges(store, budget, period, now)
    found = burn_up(period, history.points, charges, budget.limit, now)
    return BudgetStatus(
        name=budget.name,
        budget_id=held.budget_id,
        as_of=AsOf(now, history.known_at),
        period=period,
        currency=budget.currency,
        limit=budget.limit,
        spent=found.spent,
        forecast=found.forecast,
        run_rate=found.run_rate,
        crosses_at=found.crosses_at,
        charged_until=found.charged_until,
        lower_bound=found.lower_bound or bool(unconverted),
        notes=(*found.notes, *unconverted),
        points=found.points,
    )


def _charges(store: Store, budget: Budget, period: BudgetPeriod, now: datetime) -> tuple[list[Charge], tuple[str, ...]]:
    """The charges of a period in the budget's currency, each at the rate of its first day, and what had none."""
    found = store.read(lambda c: spend.in_force(c, budget.name, period.start, period.end, now))
    foreign = {one.currency for one in found} - {budget.currency}
    if not foreign:
        return found, ()
    moments = sorted({_paid_at(one, now) for one in found if one.currency in foreign})
    rates = exchange_rates(store, {*foreign, budget.currency}, moments[0], period.end, now)
    books = dict(zip(moments, rate_books(rates, moments), strict=True))
    converted: list[Charge] = []
    missing: dict[str, None] = {}
    for one in found:
        rate = books[_paid_at(one, now)].fx_rate(one.currency, budget.currency) if one.currency in foreign else None
        if isinstance(rate, Unpriced):
            missing[f"charges in {one.currency} are left out: {rate.reason}"] = None
        else:
            amount = one.amount if rate is None else times(one.amount, rate.rate)
            converted.append(replace(one, amount=amount, currency=budget.currency))
    return converted, tuple(missing)


def _paid_at(charge: Charge, now: datetime) -> datetime:
    """The end of a charge's first day: reference rates are published during the day they are for."""
    return min(charge.charge_from + timedelta(days=1), charge.charge_until, now)


def _has_moved(told: Estimate, answer: Estimate, share: Decimal) -> bool:
    return told.total != answer.total and abs(answer.total - told.total) >= share * abs(told.total)
