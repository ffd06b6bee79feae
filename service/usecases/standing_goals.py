"""Goals that are watched: kept, planned again when prices changed, told of when another plan is best."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Final

from service.domain.as_of import AsOf
from service.domain.canonical import canonical_bytes, content_id, json_bytes
from service.domain.estimate import Estimate
from service.domain.events import Event, EventType
from service.domain.goal import Goal
from service.domain.plan import Plan, StoredPlan
from service.domain.standing_goal import StandingGoal, StandingGoalInForce, StandingGoalRun
from service.errors import Conflict, FieldProblem, Infeasible
from service.planning.refusals import refuse
from service.store import standing_goals
from service.store.log import Fence
from service.store.standing_goals import NewGoalRun
from service.store.store import Store
from service.usecases.comparisons import explained
from service.usecases.estimates import get_estimate, price_scenario
from service.usecases.goal_checks import goal_problems
from service.usecases.plans import get_plan, meets, plan_made

MOST_RACES: Final = 5
"""Times a run begins anew because another one of the same goal was faster."""


def watch_goal(store: Store, standing: StandingGoal, *, now: datetime) -> StandingGoalInForce:
    """Keep a new version of a goal that is planned whenever prices change. Raises Invalid."""
    refuse(_problems(standing, now))
    return store.write(lambda c: standing_goals.add(c, standing, now))


def list_standing_goals(store: Store, now: datetime) -> list[StandingGoalInForce]:
    """Every goal that is watched, in the version known at a moment."""
    return store.read(lambda c: standing_goals.all_known(c, now))


def list_standing_goal_runs(store: Store, name: str, limit: int = 50, *, now: datetime) -> list[StandingGoalRun]:
    """The newest runs of a standing goal. Raises NotFound."""
    store.read(lambda c: standing_goals.known(c, name, now))
    return store.read(lambda c: standing_goals.runs(c, name, limit))


def run_standing_goal(
    store: Store, name: str, slot: datetime, *, now: datetime, fence: Fence | None = None
) -> StandingGoalRun:
    """Plan a standing goal for one change of prices and tell if another plan is best; a slot that was run stays.

    One that has ended is planned no more: the first run after its deadline says so, and is what every later one gives.
    The plan, its estimates, the run and its events are written together or not at all. Raises NotFound, NoData,
    Invalid where the goal can be meant no more, and what `fence` raises when the right to the slot is lost.
    """
    for _ in range(MOST_RACES):
        held = store.read(lambda c: standing_goals.known(c, name, now))
        last = next(iter(store.read(lambda c: standing_goals.runs(c, name, 1))), None)
        if last is not None and held.ended and last.outcome == _ended(held):
            return last
        new = _planned(store, held, slot, last, now)
        kept = store.write(partial(standing_goals.add_run, new=new, last=last, fence=fence))
        if kept is not None:
            return kept
    raise Conflict(f"{name} is being planned by others again and again; try again")


def _problems(standing: StandingGoal, now: datetime) -> Iterator[FieldProblem]:
    for one in goal_problems(standing.goal, now):
        yield FieldProblem(f"goal.{one.field}", one.message)
    if not standing.hysteresis.is_finite() or not 0 <= standing.hysteresis <= 1:
        yield FieldProblem("hysteresis", f"must be a share from 0 to 1, not {standing.hysteresis}")


def _planned(
    store: Store, held: StandingGoalInForce, slot: datetime, last: StandingGoalRun | None, now: datetime
) -> NewGoalRun:
    """A run that is not written yet, measured against the plan that was told."""
    told = get_plan(store, last.told_plan_id) if last and last.told_plan_id else None
    goal = held.standing.goal
    if held.ended:
        return _over(held, slot, last, now)
    try:
        made = plan_made(store, goal, AsOf(now, now))
    except Infeasible as error:
        return _lost(held, slot, last, now, error)
    plan_id = content_id(canonical_bytes(made.plan))
    if told is None:
        run = _run(held, slot, now, plan_id, plan_id, flipped=False, outcome=f"best is {_best(made.plan)}")
        return NewGoalRun(run=run, made=made, events=())
    best = made.priced[0][0]
    was_lost = last is not None and last.plan_id is None
    again = _told_now(store, told, now)
    keeps = again is not None and _keeps(store, goal, told, made.plan, again, now)
    flips = was_lost or not keeps or _is_better(told, made.plan, again, held.standing.hysteresis)
    if not flips:
        run = _run(held, slot, now, plan_id, told.plan_id, flipped=False, outcome=f"still {_best(told.plan)}")
        return NewGoalRun(run=run, made=made, events=())
    text = _told(told, made.plan, again, keeps=keeps)
    data = {
        "plan_id": plan_id,
        "before_plan_id": told.plan_id,
        "bridge": explained(store, get_estimate(store, told.plan.picks[0].estimate_id).estimate, best),
        "before_now": None if again is None else again.total,
        "now": best.total,
        "currency": made.plan.currency,
    }
    run = _run(held, slot, now, plan_id, plan_id, flipped=True, outcome=text)
    return NewGoalRun(run=run, made=made, events=(_event(held, slot, now, text, data),))


def _over(held: StandingGoalInForce, slot: datetime, last: StandingGoalRun | None, now: datetime) -> NewGoalRun:
    goal, outcome = held.standing.goal, _ended(held)
    told_plan_id = last.told_plan_id if last else None
    run = _run(held, slot, now, None, told_plan_id, flipped=True, outcome=outcome)
    data: dict[str, object] = {"deadline": goal.deadline, "plan_id": told_plan_id}
    event = _event(held, slot, now, f"{goal.name}: {outcome}", data, of="plan.ended")
    return NewGoalRun(run=run, made=None, events=(event,))


def _ended(held: StandingGoalInForce) -> str:
    deadline = held.standing.goal.deadline
    return f"has ended: its deadline {'' if deadline is None else deadline.isoformat()} is past; it is planned no more"


def _lost(
    held: StandingGoalInForce, slot: datetime, last: StandingGoalRun | None, now: datetime, why: Infeasible
) -> NewGoalRun:
    is_news = last is not None and last.plan_id is not None
    data: dict[str, object] = {"infeasible": str(why)}
    events = (_event(held, slot, now, f"{held.standing.goal.name}: {why}", data),) if is_news else ()
    told_plan_id = last.told_plan_id if last else None
    run = _run(held, slot, now, None, told_plan_id, flipped=is_news, outcome=str(why))
    return NewGoalRun(run=run, made=None, events=events)


def _keeps(store: Store, goal: Goal, told: StoredPlan, plan: Plan, again: Estimate, now: datetime) -> bool:
    """True if the offer that was told still keeps to the goal, at what it costs now as surely as the goal asks."""
    series = told.plan.picks[0].candidate.series
    if series == plan.picks[0].candidate.series:
        return True
    within = goal.budget is None or again.currency != goal.currency or again.total <= goal.budget
    return within and meets(store, goal, AsOf(now, now), series)


def _told_now(store: Store, told: StoredPlan, now: datetime) -> Estimate | None:
    """What the plan that was told costs today; None if its offer is gone."""
    before = get_estimate(store, told.plan.picks[0].estimate_id).estimate
    again = price_scenario(store, before.scenario, AsOf(now, now))
    return None if again.lower_bound else again


def _is_better(told: StoredPlan, plan: Plan, again: Estimate | None, hysteresis: Decimal) -> bool:
    """True if another offer is best, and by more than the told one may be dearer before it matters.

    A told plan that is cheaper than the best there is keeps to the goal no more: it would have been found.
    """
    if again is None:
        return True
    best = plan.picks[0]
    moved = best.candidate.series != told.plan.picks[0].candidate.series
    return moved and (best.cost < again.total * (1 - hysteresis) or again.total < best.cost)


def _told(told: StoredPlan, plan: Plan, again: Estimate | None, *, keeps: bool) -> str:
    old = told.plan.picks[0].candidate.series
    then = "is no longer offered" if again is None else f"would now cost {again.total:,.2f} {again.currency}"
    broken = "" if keeps or again is None else ", and keeps to the goal no more"
    return f"{plan.goal.name}: best is now {_best(plan)}; {old} {then}{broken}"


def _best(plan: Plan) -> str:
    best = plan.picks[0]
    return f"{best.candidate.series} at {best.cost:,.2f} {plan.currency}"


def _run(
    held: StandingGoalInForce,
    slot: datetime,
    now: datetime,
    plan_id: str | None,
    told_plan_id: str | None,
    *,
    flipped: bool,
    outcome: str,
) -> StandingGoalRun:
    return StandingGoalRun(
        name=held.standing.goal.name,
        slot=slot,
        ran_at=now,
        standing_goal_id=held.standing_goal_id,
        plan_id=plan_id,
        told_plan_id=told_plan_id,
        flipped=flipped,
        outcome=outcome,
    )


def _event(
    held: StandingGoalInForce,
    slot: datetime,
    now: datetime,
    text: str,
    data: dict[str, object],
    *,
    of: EventType = "plan.flipped",
) -> Event:
    return Event(
        type=of,
        subject=held.standing.goal.name,
        key=slot.isoformat(),
        occurred_at=now,
        text=text,
        data=json_bytes(data),
        notify=held.standing.notify,
    )
