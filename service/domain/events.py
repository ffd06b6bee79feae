"""What happened that somebody may want to hear of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from service.domain.canonical import content_id

EventType = Literal[
    "estimate.moved",
    "budget.threshold_reached",
    "budget.forecast_crossing",
    "budget.exceeded",
    "feed.stale",
    "feed.recovered",
    "price.quarantined",
    "price.changed",
    "plan.flipped",
    "plan.ended",
    "commitment.expiring",
]
EVENT_TYPES: Final[tuple[EventType, ...]] = get_args(EventType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. The same type, subject and key is the same event, however often it is said."""

    type: EventType
    subject: str
    """What it happened to: the name of a budget, a source, a series, a plan."""
    key: str
    """What tells it from the others of its type and subject: a slot, a refresh."""
    occurred_at: datetime
    text: str
    """One sentence for people."""
    data: bytes
    """Canonical JSON of everything there is to say."""
    notify: tuple[str, ...] = ()
    """Names of the notification targets to tell; all of them if none is named."""

    @property
    def uid(self) -> str:
        """Its name in the world, the same whoever says it."""
        return content_id(f"{self.type}\n{self.subject}\n{self.key}".encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event in the log."""

    event_id: int
    """Grows in the order the events became visible: a reader that has seen one has seen all before it."""
    uid: str
    recorded_at: datetime
    event: Event
