"""Checks: the price of a change, held against a limit, before it is made."""

from datetime import timedelta
from typing import Annotated

from fastapi import Body, Response

from service.api.budget_shapes import CheckAsked
from service.api.deps import FeedsDep, NowDep, StoreDep
from service.api.examples import CHECKS
from service.api.routes.estimates import scenario_of
from service.api.wire import answer, door
from service.domain.gate import GateReport
from service.errors import Invalid
from service.usecases.gate import Baseline, GateRules, check_scenario

router = door("budgets")


@router.post("/checks", response_model=GateReport, summary="Check a scenario against a limit")
def check(
    store: StoreDep, feeds: FeedsDep, now: NowDep, asked: Annotated[CheckAsked, Body(openapi_examples=CHECKS)]
) -> Response:
    """Price a scenario without keeping it: within its limit or not, on fresh prices or not, and why it changed."""
    days = asked.stale_after_days
    rules = GateRules(limit=asked.limit, oldest=timedelta(days=float(days)) if days is not None else None)
    return answer(check_scenario(store, feeds, scenario_of(store, asked), rules, _baseline(asked), now=now))


def _baseline(asked: CheckAsked) -> Baseline | None:
    if asked.against is not None and asked.against_estimate_id is not None:
        raise Invalid.field("against", "give either against or against_estimate_id, and not both")
    if asked.against is not None:
        return Baseline(name=asked.against.name, scenario=asked.against)
    if asked.against_estimate_id is not None:
        return Baseline(name=f"estimate {asked.against_estimate_id[:12]}", estimate_id=asked.against_estimate_id)
    return None
