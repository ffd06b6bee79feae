"""The shapes of answers about events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.domain.events import EventType


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One event."""

    event_id: int
    """Grows in the order events became visible."""
    uid: str
    """Its name in the world; webhooks carry it as `webhook-id`."""
    type: EventType
    subject: str
    """What it happened to: a budget, a source, a series, a plan."""
    occurred_at: datetime
    recorded_at: datetime
    text: str
    """One sentence."""
    data: Mapping[str, Any]
    """Everything there is to say; of a moved estimate its bridge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventList:
    """Events, and where to go on."""

    events: tuple[EventRecord, ...]
    next_after: int
