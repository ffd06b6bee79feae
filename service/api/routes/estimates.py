"""Estimates: priced scenarios, immutable, named by the hash of their bytes."""

from typing import Annotated, Protocol

import msgspec
from fastapi import Body, Header, Response

from service.api.deps import NowDep, StoreDep
from service.api.examples import ESTIMATES
from service.api.shapes import EstimateAsked, EstimateList, EstimateRecord
from service.api.wire import Limit, Text, answer, door
from service.domain.band import BandSummary
from service.domain.estimate import Estimate
from service.domain.scenario import Scenario
from service.errors import Invalid
from service.store.estimates import StoredEstimate
from service.store.store import Store
from service.usecases.bands import band_of
from service.usecases.estimates import get_estimate, get_scenario, list_estimates, new_estimate
from service.usecases.prices import as_of

router = door("estimates")


@router.post("/estimates", status_code=201, response_model=EstimateRecord, summary="Price a scenario")
def price(store: StoreDep, now: NowDep, asked: Annotated[EstimateAsked, Body(openapi_examples=ESTIMATES)]) -> Response:
    """Price a scenario and keep the answer; the same question at the same as-of is the same estimate."""
    question = as_of(now, asked.valid_at, asked.known_at)
    stored = new_estimate(store, scenario_of(store, asked), question, now=now)
    return answer(record(store, stored), 201, {"Location": f"/api/v1/estimates/{stored.estimate_id}"})


@router.get("/estimates", response_model=EstimateList, summary="List estimates")
def estimates(store: StoreDep, scenario_id: Text = "", limit: Limit = 50, after: Text = "") -> Response:
    """The ledger, newest first; `next_after` leads to the next page."""
    found = tuple(list_estimates(store, scenario_id, limit, after))
    following = found[-1].estimate_id if len(found) == limit else None
    return answer(EstimateList(estimates=found, next_after=following))


@router.get("/estimates/{estimate}", response_model=EstimateRecord, summary="Get one estimate")
def one(store: StoreDep, estimate: str) -> Response:
    """An estimate by id, or an unambiguous start of it; `estimate` holds exactly the bytes its id is the hash of."""
    return answer(record(store, get_estimate(store, estimate)))


@router.get("/estimates/{estimate}/canonical", response_model=Estimate, summary="Get the bytes of an estimate")
def canonical(
    store: StoreDep, estimate: str, if_none_match: Annotated[str, Header(include_in_schema=False)] = ""
) -> Response:
    """Exactly the bytes whose SHA-256 is the estimate's id."""
    stored = get_estimate(store, estimate)
    headers = {"ETag": f'"{stored.estimate_id}"', "Cache-Control": "public, max-age=31536000, immutable"}
    if stored.estimate_id in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(stored.body, media_type="application/json", headers=headers)


class Asks(Protocol):
    """A request that states a scenario or names one."""

    @property
    def scenario(self) -> Scenario | None:
        """The scenario itself."""

    @property
    def scenario_id(self) -> str | None:
        """The name of a kept one."""


def scenario_of(store: Store, asked: Asks) -> Scenario:
    """The scenario a request states or names. Raises Invalid, NotFound."""
    if asked.scenario is not None and asked.scenario_id is None:
        return asked.scenario
    if asked.scenario_id is not None and asked.scenario is None:
        return get_scenario(store, asked.scenario_id).scenario
    raise Invalid.field("scenario", "give either scenario or scenario_id, and not both")


def record(store: Store, stored: StoredEstimate) -> dict[str, object]:
    """The estimate's own bytes, in an envelope that says its name, when it was made and how sure it is."""
    return {
        "estimate_id": stored.estimate_id,
        "scenario_id": stored.scenario_id,
        "created_at": stored.created_at,
        "band": BandSummary.of(band_of(store, stored)),
        "estimate": msgspec.Raw(stored.body),
    }
