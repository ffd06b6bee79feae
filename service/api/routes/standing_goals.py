"""Goals that are watched, and what became of them."""

from typing import Annotated

from fastapi import Body, Response

from service.api.deps import NowDep, PlannerDep, StoreDep
from service.api.examples import STANDING_GOALS
from service.api.plan_shapes import StandingGoalList, StandingGoalRunList
from service.api.wire import Limit, answer, door
from service.domain.standing_goal import StandingGoal, StandingGoalInForce, StandingGoalRun
from service.usecases.standing_goals import (
    list_standing_goal_runs,
    list_standing_goals,
    run_standing_goal,
    watch_goal,
)

router = door("plans")


@router.post("/standing-goals", status_code=201, response_model=StandingGoalInForce, summary="Watch a goal")
def watch(
    store: StoreDep, now: NowDep, standing: Annotated[StandingGoal, Body(openapi_examples=STANDING_GOALS)]
) -> Response:
    """Keep a goal that is planned again whenever prices change; another plan that is best is an event."""
    return answer(watch_goal(store, standing, now=now), 201)


@router.get("/standing-goals", response_model=StandingGoalList, summary="List standing goals")
def standing_goals(store: StoreDep, now: NowDep) -> Response:
    """Every goal that is watched, each in the version in force."""
    return answer(StandingGoalList(standing_goals=tuple(list_standing_goals(store, now))))


@router.get("/standing-goals/{name}/runs", response_model=StandingGoalRunList, summary="List a standing goal's runs")
def runs(store: StoreDep, now: NowDep, name: str, limit: Limit = 50) -> Response:
    """The last run first."""
    return answer(StandingGoalRunList(runs=tuple(list_standing_goal_runs(store, name, limit, now=now))))


@router.post(
    "/standing-goals/{name}/runs", status_code=201, response_model=StandingGoalRun, summary="Plan a standing goal now"
)
def run(planner: PlannerDep, now: NowDep, name: str) -> Response:
    """Plan it outside its turn; what that means is told as ever."""
    return answer(planner(run_standing_goal, name, now, now=now), 201)
