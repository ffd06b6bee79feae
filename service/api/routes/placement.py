"""Where things run: fleets of work or for a load, pipelines across regions."""

from typing import Annotated

from fastapi import Body, Response

from service.api.deps import AsOfDep, NowDep, PlannerDep
from service.api.planning_examples import FLEETS, PIPELINES
from service.api.wire import answer, door
from service.usecases.placement import PlannedFleet, PlannedPipeline, plan_fleet, plan_pipeline
from service.usecases.placement_questions import FleetAsked, PipelineAsked

router = door("plans")


@router.post("/plans/fleets", response_model=PlannedFleet, summary="Plan a fleet")
def fleets(
    planner: PlannerDep, now: NowDep, as_of: AsOfDep, asked: Annotated[FleetAsked, Body(openapi_examples=FLEETS)]
) -> Response:
    """Which work runs on which offer, or which machines carry a load, at least cost within all limits, and why.

    The answer is an estimate of the ledger, `estimate_id`.
    """
    return answer(planner(plan_fleet, asked, as_of, now=now))


@router.post("/plans/pipelines", response_model=PlannedPipeline, summary="Plan a pipeline across regions")
def pipelines(
    planner: PlannerDep, as_of: AsOfDep, asked: Annotated[PipelineAsked, Body(openapi_examples=PIPELINES)]
) -> Response:
    """Where each stage runs when moving what it reads costs, too."""
    return answer(planner(plan_pipeline, asked, as_of))
