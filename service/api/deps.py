"""What a handler may ask for: the store, the feeds, the time, the question's two clocks, the planner."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query, Request

from service.api.wire import Moment
from service.domain.as_of import AsOf
from service.store.store import Store
from service.usecases.planners import Planner
from service.usecases.prices import as_of
from service.usecases.sources import Feed

# These are coroutines because a plain function would cost each request a second trip through a thread.


async def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


async def _feeds(request: Request) -> Sequence[Feed]:
    feeds: Sequence[Feed] = request.app.state.feeds
    return feeds


async def _now(request: Request) -> datetime:
    clock: Callable[[], datetime] = request.app.state.clock
    return clock()


async def _planner(request: Request) -> Planner:
    planner: Planner = request.app.state.planner
    return planner


StoreDep = Annotated[Store, Depends(_store)]
FeedsDep = Annotated[Sequence[Feed], Depends(_feeds)]
NowDep = Annotated[datetime, Depends(_now)]
PlannerDep = Annotated[Planner, Depends(_planner)]
"""Plans beside the API."""


async def _as_of(
    now: NowDep,
    valid_at: Annotated[Moment | None, Query(description="Prices in force at this moment; now unless given.")] = None,
    known_at: Annotated[
        Moment | None, Query(description="Using only what was known at this moment; now unless given.")
    ] = None,
) -> AsOf:
    return as_of(now, valid_at, known_at)


AsOfDep = Annotated[AsOf, Depends(_as_of)]
"""`valid_at` and `known_at`, both now unless given."""
