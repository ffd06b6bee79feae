"""Goals that are watched, on both databases: planned when prices changed, told once, and only when it matters."""

import os
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from pricing_sources.documents import exact_json
from service.domain.standing_goal import StandingGoal
from service.errors import Invalid, LeaseLost, NotFound
from service.scheduling.ledger import due_goals, goal_job
from service.scheduling.worker import run_goal_slot
from service.store import jobs
from service.store.store import Store
from service.usecases.events import list_events
from service.usecases.plan_questions import read_goal
from service.usecases.planners import PlanningProcess, planning_here
from service.usecases.plans import get_plan, list_plans
from service.usecases.standing_goals import (
    list_standing_goal_runs,
    list_standing_goals,
    run_standing_goal,
    watch_goal,
)
from tests.conftest import TickingClock, day
from tests.usecases.market import MARKET, learn_market, look_at_market

GOAL = read_goal(
    """
name: an ablation
gpu_hours: {gpus: 16, hours: 100, together: 8}
accelerators: [nvidia-h100-sxm-80gb]
providers: [nimbus, aws]
budget: 6000
"""
)
NIMBUS, AWS = "market/nimbus/n8/eu-west-1/on_demand", "market/aws/p5/us-east-1/on_demand"


@pytest.fixture
def watched(store: Store, clock: TickingClock) -> Store:
    learn_market(store, clock)
    watch_goal(store, StandingGoal(goal=GOAL, hysteresis=Decimal("0.05"), notify=("ops",)), now=day("2026-03-01T01:00"))
    return store


def learned(store: Store, clock: TickingClock, nimbus: str, on: str) -> None:
    learn_market(store, clock, MARKET.replace("8 2.00 USD", f"8 {nimbus} USD"), on=on)


def ran(store: Store, on: str):
    return run_standing_goal(store, "an ablation", day(on), now=day(on))


def test_the_first_plan_is_the_one_told_and_a_small_lead_of_another_is_not(watched: Store, clock) -> None:
    first = ran(watched, "2026-03-02")
    assert (first.flipped, first.plan_id == first.told_plan_id) == (False, True)
    learned(watched, clock, "3.10", on="2026-03-03")
    second = ran(watched, "2026-03-04")
    assert get_plan(watched, second.plan_id).plan.picks[0].candidate.series == AWS
    assert (second.flipped, second.told_plan_id) == (False, first.plan_id)
    assert list_events(watched) == []


def test_another_plan_that_is_clearly_best_is_told_once_with_the_bridge(watched: Store, clock) -> None:
    first = ran(watched, "2026-03-02")
    learned(watched, clock, "3.50", on="2026-03-03")
    flipped, still = ran(watched, "2026-03-04"), ran(watched, "2026-03-05")
    assert (flipped.flipped, still.flipped, still.told_plan_id) == (True, False, flipped.plan_id)
    [told] = list_events(watched)
    assert (told.event.type, told.event.subject, told.event.notify) == ("plan.flipped", "an ablation", ("ops",))
    assert told.event.text == (f"an ablation: best is now {AWS} at 4,800.00 USD; {NIMBUS} would now cost 5,600.00 USD")
    data = exact_json(told.event.data)
    assert (data["before_plan_id"], data["plan_id"]) == (first.plan_id, flipped.plan_id)
    assert (data["bridge"]["before"], data["bridge"]["after"]) == ("3200", "4800")


def test_a_goal_nothing_meets_any_more_is_told_and_so_is_that_it_is_met_again(watched: Store, clock) -> None:
    ran(watched, "2026-03-02")
    learn_market(watched, clock, MARKET.replace("2.00 USD", "9.00 USD").replace(" 3.", " 8."), on="2026-03-03")
    lost, still = ran(watched, "2026-03-04"), ran(watched, "2026-03-05")
    assert (lost.flipped, lost.plan_id, still.flipped) == (True, None, False)
    learned(watched, clock, "2.20", on="2026-03-06")
    assert ran(watched, "2026-03-07").flipped
    texts = [one.event.text for one in reversed(list_events(watched))]
    assert "nothing meets the goal" in texts[0]
    assert f"best is now {NIMBUS} at 3,520.00 USD" in texts[1]


def test_a_plan_that_keeps_to_the_goal_no_more_is_not_the_best_for_being_cheap(watched: Store) -> None:
    ran(watched, "2026-03-02")
    watch_goal(watched, StandingGoal(goal=replace(GOAL, providers=("aws",))), now=day("2026-03-02T01:00"))
    assert ran(watched, "2026-03-03").flipped


def test_a_told_offer_that_breaks_the_budget_is_best_no_more_however_small_the_lead(
    store: Store, clock: TickingClock
) -> None:
    learn_market(store, clock)
    tight = StandingGoal(goal=replace(GOAL, budget=Decimal(4900)), hysteresis=Decimal("0.05"))
    watch_goal(store, tight, now=day("2026-03-01T01:00"))
    ran(store, "2026-03-02")
    learned(store, clock, "3.04", on="2026-03-03")
    assert not ran(store, "2026-03-04").flipped, "dearer than the best, and within the budget"
    learned(store, clock, "3.07", on="2026-03-05")
    assert ran(store, "2026-03-06").outcome == (
        f"an ablation: best is now {AWS} at 4,800.00 USD; {NIMBUS} would now cost 4,912.00 USD, "
        "and keeps to the goal no more"
    )
    assert not ran(store, "2026-03-07").flipped


def test_a_told_offer_that_breaks_another_limit_is_best_no_more_either(watched: Store, clock: TickingClock) -> None:
    ran(watched, "2026-03-02")
    learned(watched, clock, "3.04", on="2026-03-03")
    assert not ran(watched, "2026-03-04").flipped
    goal = replace(GOAL, regions=("us-*",))
    watch_goal(watched, StandingGoal(goal=goal, hysteresis=Decimal("0.05")), now=day("2026-03-04T01:00"))
    assert ran(watched, "2026-03-05").outcome.endswith("keeps to the goal no more")


def test_a_goal_ends_with_its_deadline_which_is_told_once(store: Store, clock: TickingClock) -> None:
    learn_market(store, clock)
    until = StandingGoal(goal=replace(GOAL, deadline=day("2026-03-12")), notify=("ops",))
    watch_goal(store, until, now=day("2026-03-01T01:00"))
    here = planning_here(store)

    def tick(on: str) -> list[str]:
        clock.set(day(on))
        names = due_goals(store, clock())
        for name, slot in names.items():
            assert run_goal_slot(store, name, slot, clock=clock, worker="test", planner=here) is not None
        return list(names)

    assert tick("2026-03-02") == ["an ablation"]
    learned(store, clock, "2.10", on="2026-03-11T20:00")
    assert tick("2026-03-11T23:00") == ["an ablation"], "nothing meets it any more, which is another matter"
    assert tick("2026-03-12") == ["an ablation"]
    learned(store, clock, "2.20", on="2026-03-13")
    assert tick("2026-03-14") == []
    [told, lost] = list_events(store)
    assert (lost.event.type, told.event.type, told.event.notify) == ("plan.flipped", "plan.ended", ("ops",))
    assert told.event.text == (
        "an ablation: has ended: its deadline 2026-03-12T00:00:00+00:00 is past; it is planned no more"
    )
    runs = list_standing_goal_runs(store, "an ablation", now=day("2026-03-14"))
    assert [one.plan_id is None for one in runs] == [True, True, False]
    assert ran(store, "2026-03-15") == runs[0]
    assert len(list_events(store)) == 2
    assert [one.ended for on in ("2026-03-11", "2026-03-12") for one in list_standing_goals(store, day(on))] == [
        False, True,
    ]  # fmt: skip


def test_a_goal_that_ended_is_watched_again_with_another_deadline(store: Store, clock: TickingClock) -> None:
    learn_market(store, clock)
    watch_goal(store, StandingGoal(goal=replace(GOAL, deadline=day("2026-03-12"))), now=day("2026-03-01T01:00"))
    ran(store, "2026-03-02")
    assert ran(store, "2026-03-13").outcome.startswith("has ended")
    later = StandingGoal(goal=replace(GOAL, deadline=day("2026-06-12")))
    watch_goal(store, later, now=day("2026-03-14"))
    assert "best is now" in ran(store, "2026-03-15").outcome


def test_an_offer_that_is_gone_is_best_no_more(watched: Store, clock: TickingClock) -> None:
    ran(watched, "2026-03-02")
    gone = "\n".join(line for line in MARKET.splitlines() if not line.startswith("nimbus"))
    for number in range(3, 9):
        look_at_market(watched, clock, gone, on=f"2026-03-0{number}")
    assert ran(watched, "2026-03-09").outcome.endswith(f"{NIMBUS} is no longer offered")


def test_a_slot_is_planned_once_and_a_run_without_the_right_to_it_leaves_nothing(watched: Store) -> None:
    def taken_over(_connection: object) -> None:
        raise LeaseLost("another worker has it")

    with pytest.raises(LeaseLost):
        run_standing_goal(watched, "an ablation", day("2026-03-02"), now=day("2026-03-02"), fence=taken_over)
    assert list_plans(watched) == []
    assert ran(watched, "2026-03-02") == ran(watched, "2026-03-02")
    assert len(list_standing_goal_runs(watched, "an ablation", now=day("2026-03-03"))) == 1


def test_the_scheduler_plans_it_when_prices_changed_and_only_then(watched: Store, clock: TickingClock) -> None:
    here = planning_here(watched)

    def tick(on: str) -> list[str]:
        clock.set(day(on))
        names = due_goals(watched, clock())
        for name, slot in names.items():
            assert run_goal_slot(watched, name, slot, clock=clock, worker="test", planner=here) is not None
        return list(names)

    assert tick("2026-03-02") == ["an ablation"]
    assert tick("2026-03-02T01:00") == []
    learned(watched, clock, "2.00", on="2026-03-03")
    assert tick("2026-03-03T01:00") == [], "nothing in it was new"
    learned(watched, clock, "2.10", on="2026-03-04")
    assert tick("2026-03-04T01:00") == ["an ablation"]
    watch_goal(watched, StandingGoal(goal=GOAL, enabled=False), now=day("2026-03-05"))
    learned(watched, clock, "2.20", on="2026-03-06")
    assert tick("2026-03-06T01:00") == []


def test_a_process_beside_plans_it_and_one_that_dies_leaves_the_slot_to_be_tried_again(
    watched: Store, clock: TickingClock
) -> None:
    process = PlanningProcess(watched.engine.url.render_as_string(hide_password=False))
    clock.set(day("2026-03-02"))
    job, slot = goal_job("an ablation"), due_goals(watched, clock())["an ablation"]
    on = partial(run_goal_slot, watched, "an ablation", slot, clock=clock, worker="test")
    try:
        assert process(process_of) != os.getpid()
        assert on(planner=lambda *_, **__: process(dies)) is None
        [failed] = watched.read(lambda c: jobs.runs(c, job))
        assert (failed.state, list_plans(watched)) == ("failed", [])
        assert "the process that plans has died" in failed.outcome

        clock.set(clock() + timedelta(hours=1))
        planned = on(planner=process)
        assert planned == list_standing_goal_runs(watched, "an ablation", now=clock())[0]

        stale = partial(jobs.check_fence, held=jobs.Claim(job, slot, 1, "test"))
        with pytest.raises(LeaseLost):
            process(run_standing_goal, "an ablation", clock(), now=clock(), fence=stale)
    finally:
        process.close()
    assert len(list_plans(watched)) == 1


def process_of(_store: Store) -> int:
    return os.getpid()


def dies(_store: Store) -> None:
    os._exit(1)


def test_what_cannot_be_watched_is_named_and_what_is_not_watched_is_said(watched: Store) -> None:
    with pytest.raises(Invalid, match="hysteresis: must be a share"):
        watch_goal(watched, StandingGoal(goal=GOAL, hysteresis=Decimal(2)), now=day("2026-03-02"))
    with pytest.raises(NotFound, match="there are an ablation"):
        run_standing_goal(watched, "another", day("2026-03-02"), now=day("2026-03-02"))
    [held] = list_standing_goals(watched, day("2026-03-02"))
    assert held.standing.goal == GOAL
