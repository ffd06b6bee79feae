"""Goals answered: the plans of the whole market, kept and explained."""

from typing import Annotated

from fastapi import Body, Response

from service.api.deps import AsOfDep, NowDep, PlannerDep, StoreDep
from service.api.examples import GOALS
from service.api.plan_shapes import PlanList, PlanRecord
from service.api.wire import Limit, answer, door
from service.domain.goal import Goal
from service.domain.plan import StoredPlan
from service.store.store import Store
from service.usecases.plans import get_plan, list_plans, new_plan, series_shown
from service.usecases.sources import terms_of

router = door("plans")


@router.post("/plans", status_code=201, response_model=PlanRecord, summary="Plan a goal")
def plan(
    planner: PlannerDep,
    store: StoreDep,
    now: NowDep,
    as_of: AsOfDep,
    goal: Annotated[Goal, Body(openapi_examples=GOALS)],
) -> Response:
    """Search the whole market for ways to meet a goal; a goal nothing meets is a problem that says what would."""
    stored = planner(new_plan, goal, as_of, now=now)
    return answer(_record(store, stored), 201, {"Location": f"/api/v1/plans/{stored.plan_id}"})


@router.get("/plans", response_model=PlanList, summary="List plans")
def plans(store: StoreDep, limit: Limit = 50) -> Response:
    """The newest first."""
    return answer(PlanList(plans=tuple(list_plans(store, limit))))


@router.get("/plans/{plan}", response_model=PlanRecord, summary="Get one plan")
def one(store: StoreDep, plan: str) -> Response:
    """A plan by id, or an unambiguous start of it; its picks are estimates of the ledger."""
    return answer(_record(store, get_plan(store, plan)))


def _record(store: Store, stored: StoredPlan) -> PlanRecord:
    terms = terms_of(store, series_shown(stored.plan))
    return PlanRecord(plan_id=stored.plan_id, created_at=stored.created_at, terms=terms, plan=stored.plan)
