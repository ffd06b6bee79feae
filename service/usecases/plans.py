"""From a goal to plans: the whole market searched, the picks priced exactly and kept as estimates."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from math import exp, expm1
from typing import Final

from service.domain.as_of import AsOf
from service.domain.canonical import canonical_bytes, content_id
from service.domain.estimate import Estimate
from service.domain.goal import Goal
from service.domain.plan import Pick, Plan, PlanCandidate, PlanSummary, StoredPlan
from service.domain.price_book import Price
from service.domain.quantities import significant
from service.domain.scenario import (
    DataPart,
    EngineeringPart,
    FineTuningPart,
    PriceInput,
    Scenario,
    Spread,
    TrainingPart,
)
from service.errors import Infeasible
from service.estimating.volatility import LOOKBACK, Volatility, measured
from service.planning.answering import Answer, Asked, Chosen, answered, limits_of
from service.planning.by_the_hour import starting_now
from service.planning.configurations import UPPER_DECILE
from service.planning.front import robustness
from service.planning.offering import HOURS_PER_MONTH, HOURS_PER_YEAR, TAKEN_AWAY, has_data
from service.planning.refusals import refuse
from service.store import plans, price_paths, prices
from service.store.plans import MadePlan
from service.store.store import Store
from service.usecases.bands import band_made
from service.usecases.estimates import price_scenario
from service.usecases.goal_checks import goal_problems
from service.usecases.goal_prices import asked_of, own_key

EXACT_TO: Final = 1e-9
"""How far, as a share, the search may be from what a plan costs exactly."""
HOURS_PER_DAY: Final = 24


def new_plan(store: Store, goal: Goal, question: AsOf, *, now: datetime) -> StoredPlan:
    """Answer a goal at one as-of and keep the answer; the same question twice is the same plan.

    Raises Infeasible with what would have to give, Invalid naming every field, NoData before the first refresh.
    """
    made = plan_made(store, goal, question)
    return store.write(lambda c: plans.add(c, made, now))


def plan_made(store: Store, goal: Goal, question: AsOf) -> MadePlan:
    """A plan and the estimates of its picks, before anything is kept. Raises what `new_plan` does."""
    refuse(goal_problems(goal, question.valid_at))
    asked = asked_of(store, goal, question)
    answer = answered(asked)
    priced = [_exact(store, asked, one) for one in answer.chosen]
    sure = robustness(answer.contenders, _price_sd(store, asked, answer), limits_of(asked).deadline_hours)
    plan = Plan(
        goal=goal,
        as_of=asked.as_of,
        currency=goal.currency,
        picks=tuple(_pick(one, estimate) for one, estimate in zip(answer.chosen, priced, strict=True)),
        front=answer.front,
        explanation=replace(answer.explanation, robustness=sure),
        offers=answer.offers,
        configurations=answer.configurations,
        assumptions=tuple(_assumptions(goal, answer)),
    )
    return MadePlan(plan=plan, priced=tuple((estimate, band_made(store, estimate)) for estimate in priced))


def meets(store: Store, goal: Goal, question: AsOf, key: str) -> bool:
    """True if an offer, or hardware of one's own, keeps to everything a goal says, whatever else there is."""
    asked = asked_of(store, goal, question)
    own = tuple(one for one in asked.known.own if one.key == key)
    try:
        answered(replace(asked, market=asked.market.only(key), known=replace(asked.known, own=own)))
    except Infeasible:
        return False
    return True


def get_plan(store: Store, name: str) -> StoredPlan:
    """A plan by id, or an unambiguous start of it. Raises NotFound."""
    return store.read(lambda c: plans.get(c, name))


def list_plans(store: Store, limit: int = 50) -> list[PlanSummary]:
    """Plans, newest first."""
    return store.read(lambda c: plans.newest(c, limit))


def series_shown(plan: Plan) -> list[str]:
    """Every price a plan shows; your own hardware has none of others."""
    why = plan.explanation
    shown = [
        *(one.candidate for one in plan.picks),
        *plan.front,
        *(one.candidate for one in why.binding),
        *([why.runner_up] if why.runner_up else []),
    ]
    steps = [*(one.series for one in why.near_misses), *(one.series for one in why.deadline_curve)]
    return sorted({*(one.series for one in shown), *steps, *(one.becomes for one in why.flips if one.becomes)})


def scenario_of(goal: Goal, one: Chosen, valid_at: datetime) -> Scenario:
    """A pick as what it is: a scenario that anybody can price, compare and bridge."""
    found = one.candidate
    own = next((mine for mine in goal.own if own_key(mine) == found.series), None)
    gpus, hours = significant(found.gpus), significant(found.paid_hours)
    compute: dict[str, TrainingPart | FineTuningPart]
    if own is not None:
        compute = {
            "training": TrainingPart(
                gpus=gpus,
                hours=hours,
                gpu_price=own.gpu_hour,
                power_per_gpu_kw=own.power_kw,
                electricity_price=own.electricity,
                electricity_tariff=starting_now(own.electricity_tariff, valid_at),
                pue=own.pue,
            )
        }
    elif goal.fine_tuning is not None:
        compute = {"fine_tuning": FineTuningPart(gpus=gpus, hours=hours, gpu_price=PriceInput(series=found.series))}
    else:
        compute = {"training": TrainingPart(gpus=gpus, hours=hours, gpu_price=PriceInput(series=found.series))}
    return Scenario(
        name=f"{goal.name}: {found.series}"[:200],
        currency=goal.currency,
        rate_card=goal.rate_card,
        data=_data(goal, found),
        engineering=_staff(goal, found),
        spreads=_spreads(goal, one, next(iter(compute))),
        **compute,  # type: ignore[arg-type]
    )


def _exact(store: Store, asked: Asked, one: Chosen) -> Estimate:
    """The pick's estimate; the search and it must agree, or one of them is wrong."""
    estimate = price_scenario(store, scenario_of(asked.goal, one, asked.as_of.valid_at), asked.as_of)
    apart = abs(float(estimate.total) - one.cost)
    if estimate.lower_bound or apart > EXACT_TO * max(abs(one.cost), 1e-6):
        raise AssertionError(f"{one.candidate.series}: searched at {one.cost}, priced at {estimate.total}")
    return estimate


def _pick(one: Chosen, estimate: Estimate) -> Pick:
    estimate_id = content_id(canonical_bytes(estimate))
    return Pick(names=one.names, estimate_id=estimate_id, cost=estimate.total, candidate=one.candidate)


def _data(goal: Goal, found: PlanCandidate) -> DataPart | None:
    storage, moved = goal.storage, goal.data if _is_moved(goal, found) else None
    if storage is None and moved is None:
        return None
    return DataPart(
        volume_tb=storage.volume_tb if storage else Decimal(0),
        storage_costs=storage.price if storage else None,
        months=significant(found.expected_hours / HOURS_PER_MONTH) if storage else Decimal(1),
        transfer_tb=moved.volume_tb if moved else None,
        transfer_price=moved.egress if moved else None,
    )


def _is_moved(goal: Goal, found: PlanCandidate) -> bool:
    return goal.data is not None and not has_data(goal, found.provider, found.region)


def _staff(goal: Goal, found: PlanCandidate) -> EngineeringPart | None:
    if goal.staff is None:
        return None
    return EngineeringPart(
        engineers=goal.staff.people,
        average_annual_salary=goal.staff.salary,
        years=significant(found.expected_hours / HOURS_PER_YEAR),
        loading=goal.staff.loading,
    )


def _spreads(goal: Goal, one: Chosen, part: str) -> tuple[Spread, ...] | None:
    """How sure the prediction is: of the hours, or of the GPUs that a service takes."""
    found = one.candidate
    bound = found.paid_hours != found.expected_hours
    if not one.spread or (bound and goal.serving is None):
        return None
    name, value = ("gpus", found.gpus) if goal.serving is not None else ("hours", found.paid_hours)
    low, high = (significant(value * exp(sign * UPPER_DECILE * one.spread), 6) for sign in (-1, 1))
    source = "what such predictions were off by when held against published runs"
    return (Spread(input=f"{part}.{name}", distribution="interval", low=low, high=high, source=source),)


def _price_sd(store: Store, asked: Asked, answer: Answer) -> dict[str, float]:
    """How the prices of the contenders move while they are paid, where their past tells."""
    as_of, found = asked.as_of, {}
    days = max(answer.chosen[0].candidate.paid_hours / HOURS_PER_DAY, 1.0)
    book = store.read(lambda c: prices.price_book(c, as_of, [one.series for one in answer.contenders]))
    known = [one for one in book.prices.values() if isinstance(one, Price)]
    paths = store.read(lambda c: price_paths.price_paths(c, known, as_of, LOOKBACK))
    for series, path in paths.items():
        moved = measured(path, as_of.valid_at, days)
        if isinstance(moved, Volatility):
            found[series] = moved.log_sd
    return found


def _assumptions(goal: Goal, answer: Answer) -> Iterator[str]:
    """What the reader of a plan should know that no feed said."""
    yield "failures of hardware are inside the predicted hours; interruptions count where machines are taken away"
    yield "a price is taken to hold, and the machines to be there, as long as they are needed"
    if spread := answer.chosen[0].spread:
        more = f"the mean of all that may come is up to {expm1(spread**2 / 2):.1%} higher"
        yield f"cost and time are the middle of the prediction, as likely more as less; {more}"
    chosen = [one.candidate for one in answer.chosen]
    if goal.serving is None and goal.batch_inference is None:
        yield "a run over several machines takes whole machines, of 8 GPUs where the accelerator's servers have 8"
    if any(one.purchase in TAKEN_AWAY for one in chosen):
        kept = goal.checkpoints
        yield f"a checkpoint stalls a run for {kept.write_hours:.3g} hours, a restart takes {kept.restart_hours:.3g}"
        if goal.interruptions.spot_per_hour is None:
            yield "machines are taken away as often as in the month before, at the middle of the range published"
    if any(one.series.endswith("/median") for one in chosen):
        yield "of a market of hosts the median asked stands for an offer; whether so many are free nobody says"
    if any(one.paid_hours > one.expected_hours for one in chosen):
        yield "a reservation is paid to the end of its term, a capacity block by the day"
    if goal.serving is None and goal.within_hours is None and goal.deadline is None:
        yield "no deadline is given: slow plans count as much as fast ones"
