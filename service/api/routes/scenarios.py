"""Scenarios: what is to be priced."""

from typing import Annotated

from fastapi import Body, Response

from service.api.deps import NowDep, StoreDep
from service.api.examples import SCENARIOS
from service.api.shapes import ScenarioList
from service.api.wire import Limit, answer, door
from service.domain.scenario import Scenario
from service.store.estimates import StoredScenario
from service.usecases.estimates import get_scenario, list_scenarios, new_scenario

router = door("scenarios")


@router.post("/scenarios", status_code=201, response_model=StoredScenario, summary="Keep a scenario")
def keep(store: StoreDep, now: NowDep, scenario: Annotated[Scenario, Body(openapi_examples=SCENARIOS)]) -> Response:
    """Keep a scenario without pricing it; the same one twice has the same id."""
    stored = new_scenario(store, scenario, now=now)
    return answer(stored, 201, {"Location": f"/api/v1/scenarios/{stored.scenario_id}"})


@router.get("/scenarios", response_model=ScenarioList, summary="List scenarios")
def scenarios(store: StoreDep, limit: Limit = 50) -> Response:
    """Scenarios, newest first."""
    return answer(ScenarioList(scenarios=tuple(list_scenarios(store, limit))))


@router.get("/scenarios/{scenario}", response_model=StoredScenario, summary="Get one scenario")
def one(store: StoreDep, scenario: str) -> Response:
    """A scenario by id, or an unambiguous start of it."""
    return answer(get_scenario(store, scenario))
