"""What happened that somebody may want to hear of."""

from collections.abc import Sequence

import msgspec

from service.domain.events import EVENT_TYPES, RecordedEvent
from service.errors import Invalid
from service.store import events
from service.store.events import Wanted
from service.store.store import Store


def list_events(
    store: Store, types: Sequence[str] = (), subject: str = "", after: int | None = None, limit: int = 50
) -> list[RecordedEvent]:
    """Events: the newest, last first; or those after one, in order. Raises Invalid for a type there is not."""
    for one in types:
        if one not in EVENT_TYPES:
            raise Invalid.field("type", f"{one[:40]!r} is no type of event; there are {', '.join(EVENT_TYPES)}")
    only = Wanted(types=tuple(types), subject=subject)
    if after is None:
        return store.read(lambda c: events.newest(c, limit, only))
    return store.read(lambda c: events.after(c, after, limit, only))


def told(one: RecordedEvent) -> dict[str, object]:
    """An event as every door and every message says it, its data as they were written."""
    return {
        "event_id": one.event_id,
        "uid": one.uid,
        "type": one.event.type,
        "subject": one.event.subject,
        "occurred_at": one.event.occurred_at,
        "recorded_at": one.recorded_at,
        "text": one.event.text,
        "data": msgspec.Raw(one.event.data),
    }
