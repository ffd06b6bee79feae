"""Notifications: who is told of events, and how each telling went."""

from typing import Annotated

from fastapi import Body, Path, Query, Request, Response

from service.api.deps import NowDep, StoreDep
from service.api.examples import TARGETS
from service.api.notification_shapes import DeliveryList, TargetList
from service.api.wire import API, Limit, Text, answer, door
from service.domain.notifications import Delivery, Target, TargetInForce
from service.errors import Unavailable
from service.usecases.notifications import (
    Tried,
    get_target,
    list_deliveries,
    list_targets,
    put_target,
    replay_delivery,
    try_target,
)

router = door("notifications", under=f"{API}/notifications")
DeliveryId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.post("/targets", status_code=201, response_model=TargetInForce, summary="Keep a target")
def put(store: StoreDep, now: NowDep, target: Annotated[Target, Body(openapi_examples=TARGETS)]) -> Response:
    """Keep a new version of a target; a new one is told of what happens from now on."""
    where = f"/api/v1/notifications/targets/{target.name}"
    return answer(put_target(store, target, now=now), 201, {"Location": where})


@router.get("/targets", response_model=TargetList, summary="List targets")
def targets(store: StoreDep, now: NowDep) -> Response:
    """Every target in force; what is secret about it stays in the settings."""
    return answer(TargetList(targets=tuple(list_targets(store, now))))


@router.get("/targets/{name}", response_model=TargetInForce, summary="Get one target")
def target(store: StoreDep, now: NowDep, name: str) -> Response:
    """One target."""
    return answer(get_target(store, name, now))


@router.post("/targets/{name}/trial", response_model=Tried, summary="Send a trial message")
def trial(request: Request, store: StoreDep, now: NowDep, name: str) -> Response:
    """Send a message that says it is a trial; the answer says whether it arrived."""
    post = request.app.state.post
    if post is None:
        raise Unavailable(f"this server sends nothing; run: costplan notify target test {name}")
    return answer(try_target(store, post, name, now=now))


@router.get("/deliveries", response_model=DeliveryList, summary="List deliveries")
def deliveries(
    store: StoreDep,
    target: Text = "",
    state: Annotated[str, Query(max_length=20, description="`waiting`, `delivered` or `dead`.")] = "",
    limit: Limit = 50,
) -> Response:
    """The newest first; `dead` is the dead-letter list."""
    return answer(DeliveryList(deliveries=tuple(list_deliveries(store, target, state, limit))))


@router.post("/deliveries/{delivery_id}/replay", response_model=Delivery, summary="Deliver again")
def replay(store: StoreDep, now: NowDep, delivery_id: DeliveryId) -> Response:
    """Make it due again, from the first attempt; its receiver knows it by the id it had."""
    return answer(replay_delivery(store, delivery_id, now=now))
