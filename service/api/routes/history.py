"""Cost over time: estimates asked again, side by side, explained; a scenario over a period."""

from typing import Annotated

from fastapi import Body, Query, Response

from service.api.deps import NowDep, StoreDep
from service.api.examples import BRIDGES, COST_HISTORIES, RERUNS
from service.api.history_shapes import BridgeAsked, CostHistoryAsked, RerunAsked, RerunRecord
from service.api.routes.estimates import record, scenario_of
from service.api.wire import LONGEST_TEXT, Text, answer, door
from service.domain.bridge import Comparison, EstimateBridge, ScenarioBridge
from service.domain.cost_history import CostHistory
from service.usecases.comparisons import bridge_estimates, compare_estimates, explain_scenario, rerun_estimate
from service.usecases.cost_history import Period, cost_history
from service.usecases.prices import as_of

router = door("history")


@router.post("/estimates/{estimate}/reruns", response_model=RerunRecord, summary="Price an estimate's scenario again")
def rerun(
    store: StoreDep, now: NowDep, estimate: str, asked: Annotated[RerunAsked, Body(openapi_examples=RERUNS)]
) -> Response:
    """With the very prices it was made of, or at another as-of; the answer is kept like any other."""
    same_prices = asked.valid_at is None and asked.known_at is None
    question = None if same_prices else as_of(now, asked.valid_at, asked.known_at)
    again = rerun_estimate(store, estimate, question, now=now)
    return answer({"estimate": record(store, again.estimate), "same_bytes": again.same_bytes})


@router.get("/bridges", response_model=EstimateBridge, summary="Explain the difference of two estimates")
def why(store: StoreDep, before: Text, after: Text) -> Response:
    """The difference by cause, in total and line by line; the causes add up to it, to the last digit."""
    return answer(bridge_estimates(store, before, after))


@router.post("/bridges", response_model=ScenarioBridge, summary="Explain why a scenario costs something else")
def why_then(store: StoreDep, now: NowDep, asked: Annotated[BridgeAsked, Body(openapi_examples=BRIDGES)]) -> Response:
    """A scenario priced at two moments, and the difference by cause; nothing is kept."""
    then = asked.reading == "known_then"
    moments = (asked.before, asked.after or now)
    questions = [as_of(now, one, one if then else None) for one in moments]
    return answer(explain_scenario(store, scenario_of(store, asked), *questions))


@router.get("/comparisons", response_model=Comparison, summary="Compare estimates")
def compare(
    store: StoreDep, estimate: Annotated[list[str], Query(description="Two or more ids.", max_length=LONGEST_TEXT)]
) -> Response:
    """Estimates side by side in the currency of the first, with the matrix of their differences."""
    return answer(compare_estimates(store, estimate))


@router.post("/cost-histories", response_model=CostHistory, summary="Price a scenario over a period")
def over_time(
    store: StoreDep, now: NowDep, asked: Annotated[CostHistoryAsked, Body(openapi_examples=COST_HISTORIES)]
) -> Response:
    """Totals and parts at every step, gaps as gaps, and what happened to the prices in between."""
    period = Period(start=asked.start, end=asked.end, step=asked.step, zone=asked.zone)
    known_at = as_of(now, None, asked.known_at).known_at
    return answer(cost_history(store, scenario_of(store, asked), period, asked.reading, known_at))
