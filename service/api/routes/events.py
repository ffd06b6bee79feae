"""Events: what happened that somebody may want to hear of."""

from typing import Annotated

from fastapi import Query, Response

from service.api.deps import FeedsDep, NowDep, StoreDep
from service.api.event_shapes import EventList
from service.api.wire import LONGEST_TEXT, Limit, Text, answer, door
from service.notifying.calendars import MEDIA_TYPE, calendar_bytes
from service.usecases.agenda import agenda
from service.usecases.events import list_events, told

router = door("events")


@router.get("/events", response_model=EventList, summary="List events")
def events(
    store: StoreDep,
    types: Annotated[
        str, Query(alias="type", max_length=LONGEST_TEXT, description="Only these types, separated by commas.")
    ] = "",
    subject: Text = "",
    after: Annotated[int | None, Query(ge=0, description="Those after this event, in order.")] = None,
    limit: Limit = 50,
) -> Response:
    """The newest, last first; or, to follow along, those after one: `next_after` is where to go on."""
    wanted = tuple(one for one in types.split(",") if one)
    found = list_events(store, wanted, subject, after, limit)
    seen = max((one.event_id for one in found), default=after or 0)
    return answer({"events": [told(one) for one in found], "next_after": seen})


@router.get(
    "/calendar.ics",
    response_class=Response,
    responses={200: {"content": {"text/calendar": {}}}},
    summary="Subscribe to what lies ahead",
)
def calendar(store: StoreDep, feeds: FeedsDep, now: NowDep) -> Response:
    """Refreshes, runs and ends of budgets, announced prices and agreements that end, as iCalendar (RFC 5545)."""
    return Response(calendar_bytes(agenda(store, feeds, now), now), media_type=MEDIA_TYPE)
