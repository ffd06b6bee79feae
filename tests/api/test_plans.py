"""Goals over HTTP: planned, found again, and refused with what would have worked."""

import pickle
from dataclasses import replace
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from service.domain.as_of import AsOf
from service.domain.goal import Goal
from service.errors import Infeasible, ServiceError, Unavailable
from service.store.store import Store
from service.usecases.estimates import get_estimate
from service.usecases.placement import plan_fleet
from service.usecases.placement_questions import FleetAsked
from service.usecases.planners import MOST_WAITING, PlanningProcess
from service.usecases.plans import get_plan, list_plans, new_plan
from tests.conftest import TickingClock, day
from tests.usecases.market import learn_market

GOAL = {
    "name": "an ablation",
    "gpu_hours": {"gpus": 16, "hours": 100, "together": 8},
    "accelerators": ["nvidia-h100-sxm-80gb"],
}
FLEET = {
    "load": {"throughput": 24000},
    "offers": [
        {
            "name": "n8",
            "provider": "nimbus",
            "region": "eu-west-1",
            "accelerator": "H100",
            "gpus": 8,
            "throughput": 8000,
            "price": {"series": "market/nimbus/n8/eu-west-1/on_demand"},
        }
    ],
}
AT = {"valid_at": "2026-03-02T00:00:00Z", "known_at": "2026-03-02T00:00:00Z"}


def learned(client: TestClient, clock: TickingClock) -> TestClient:
    now = clock.moment
    learn_market(client.app.state.store, clock)
    clock.set(now)
    return client


def test_a_goal_posted_twice_is_one_plan_whose_picks_are_estimates(empty: TestClient, clock: TickingClock) -> None:
    client = learned(empty, clock)
    made = client.post("/api/v1/plans", json=GOAL, params=AT)
    again = client.post("/api/v1/plans", json=GOAL, params=AT)
    assert (made.status_code, made.json()["plan_id"]) == (201, again.json()["plan_id"])
    assert client.get(made.headers["Location"]).json() == made.json()
    assert [one["plan_id"] for one in client.get("/api/v1/plans").json()["plans"]] == [made.json()["plan_id"]]
    pick = made.json()["plan"]["picks"][0]
    estimate = client.get(f"/api/v1/estimates/{pick['estimate_id']}").json()
    assert pick["cost"] == estimate["estimate"]["total"] == "3200"
    assert [one["attribution"] for one in made.json()["terms"]] == ["Prices by Nimbus"]


def test_a_fleet_posted_twice_is_one_estimate(empty: TestClient, clock: TickingClock) -> None:
    client = learned(empty, clock)
    made = client.post("/api/v1/plans/fleets", json=FLEET, params=AT)
    assert made.status_code == 200
    assert client.post("/api/v1/plans/fleets", json=FLEET, params=AT).json() == made.json()
    found = client.get(f"/api/v1/estimates/{made.json()['estimate_id']}").json()["estimate"]
    assert (found["total"], made.json()["cost"], made.json()["hours"]) == ("35040", "35040", "730")
    assert [one["price_series"] for one in found["line_items"]] == ["market/nimbus/n8/eu-west-1/on_demand"]


def test_a_goal_nothing_meets_is_a_problem_with_what_would_have_to_give(empty: TestClient, clock: TickingClock) -> None:
    refused = learned(empty, clock).post("/api/v1/plans", json={**GOAL, "budget": "10"}, params=AT)
    problem = refused.json()
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert (problem["code"], problem["status"]) == ("infeasible-plan", 422)
    assert [(one["constraint"], one["needs"]) for one in problem["relaxations"]] == [("budget", "3200 USD")]
    assert {"constraint": "budget", "offers": 4} in problem["rejected"]


def test_a_goal_that_cannot_be_meant_names_its_fields(empty: TestClient, clock: TickingClock) -> None:
    wrong = {**GOAL, "gpu_hours": {"gpus": 10**9, "hours": 0}, "confidence": 3}
    problem = learned(empty, clock).post("/api/v1/plans", json=wrong, params=AT).json()
    assert {one["field"] for one in problem["errors"]} >= {"gpu_hours.gpus", "gpu_hours.hours", "confidence"}
    assert empty.get("/api/v1/plans/feedbeef").status_code == 404


def test_what_planning_gives_or_raises_survives_the_way_between_processes(
    empty: TestClient, clock: TickingClock
) -> None:
    seen = []

    def away_and_back(*asked, **more):
        try:
            return pickle.loads(
                pickle.dumps(here(*pickle.loads(pickle.dumps(asked)), **pickle.loads(pickle.dumps(more))))
            )
        except ServiceError as error:
            seen.append(pickle.loads(pickle.dumps(error)))
            raise seen[-1] from None

    client = learned(empty, clock)
    here, client.app.state.planner = client.app.state.planner, away_and_back
    assert client.post("/api/v1/plans", json=GOAL, params=AT).status_code == 201
    refused = client.post("/api/v1/plans", json={**GOAL, "budget": "10"}, params=AT).json()
    assert [one["constraint"] for one in refused["relaxations"]] == ["budget"]
    odd = {**GOAL, "gpu_hours": None, "pretraining": {"llm": "gpt-17", "tokens": 1e9}}
    assert client.post("/api/v1/plans", json=odd, params=AT).json()["errors"][0]["field"] == "llm"
    assert len(seen) == 2


def test_more_questions_than_may_wait_are_refused_and_not_queued() -> None:
    process = PlanningProcess("sqlite://")
    assert all(process._places.acquire(blocking=False) for _ in range(MOST_WAITING))
    with pytest.raises(Unavailable, match="try again"):
        process(list_plans)


def test_goals_are_planned_and_refused_by_another_process(sqlite_url: str, clock: TickingClock) -> None:
    store = Store.open(sqlite_url, clock)
    learn_market(store, clock)
    process, question = PlanningProcess(sqlite_url), AsOf(day("2026-03-02"), day("2026-03-02"))
    goal = TypeAdapter(Goal).validate_python(GOAL)
    try:
        made = process(new_plan, goal, question, now=day("2026-03-02"))
        asked = TypeAdapter(FleetAsked).validate_python(FLEET)
        fleet = process(plan_fleet, asked, question, now=day("2026-03-02"))
        with pytest.raises(Infeasible, match="budget 3200 USD"):
            process(new_plan, replace(goal, budget=Decimal(10)), question, now=day("2026-03-02"))
    finally:
        process.close()
    assert get_plan(store, made.plan_id) == made
    assert get_estimate(store, fleet.estimate_id).estimate.total == fleet.cost
    store.close()
