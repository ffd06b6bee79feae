"""Plans: what to commit to, when to start, whether to buy or to rent."""

from typing import Annotated

from fastapi import Body, Response

from service.api.deps import AsOfDep, PlannerDep
from service.api.planning_examples import BUY_OR_RENT, COMMITMENTS, STARTS
from service.api.wire import answer, door
from service.usecases.plan_questions import BuyOrRentAsked, CommitmentsAsked, StartAsked
from service.usecases.planning import (
    BoughtOrRented,
    PlannedCommitments,
    PlannedStart,
    compare_buy_or_rent,
    plan_commitments,
    plan_start,
)

router = door("plans")


@router.post("/plans/commitments", response_model=PlannedCommitments, summary="Plan commitments")
def commitments(
    planner: PlannerDep, as_of: AsOfDep, asked: Annotated[CommitmentsAsked, Body(openapi_examples=COMMITMENTS)]
) -> Response:
    """The cheapest mix of commitments, spot and on demand for a demand, exactly, and why."""
    return answer(planner(plan_commitments, asked, as_of))


@router.post("/plans/start-times", response_model=PlannedStart, summary="Plan when to run")
def start_times(
    planner: PlannerDep, as_of: AsOfDep, asked: Annotated[StartAsked, Body(openapi_examples=STARTS)]
) -> Response:
    """The cheapest start, hours or blocks before a deadline; where prices are missing nothing runs."""
    return answer(planner(plan_start, asked, as_of))


@router.post("/plans/buy-or-rent", response_model=BoughtOrRented, summary="Compare buying, renting and calling")
def buy_or_rent(
    planner: PlannerDep, as_of: AsOfDep, asked: Annotated[BuyOrRentAsked, Body(openapi_examples=BUY_OR_RENT)]
) -> Response:
    """Break-evens over utilisation and over volume, exactly where the costs cross."""
    return answer(planner(compare_buy_or_rent, asked, as_of))
