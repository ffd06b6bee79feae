"""Who is told of events, and how the telling goes."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal

from service.domain.events import Event, EventType
from service.domain.scenario import FORBID_UNKNOWN

TargetKind = Literal["webhook", "slack", "mail"]
DeliveryState = Literal["waiting", "delivered", "dead"]

WAITS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Rest after each attempt that failed, as Standard Webhooks advises; after the last the delivery is dead."""
JITTER: Final = 0.2
"""Share of a rest by which it may be longer, so that all that failed together is not tried again together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Somebody to tell. What is secret about it stays in the settings, under its name."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    """What you call it; lower-case letters, digits and hyphens."""
    kind: TargetKind
    """`webhook`: signed JSON; `slack`: a message for an incoming webhook; `mail`: by SMTP."""
    url: str | None = None
    """Where to send; if absent, COSTPLAN_TARGET_<NAME>_URL, for an address that is itself a secret."""
    to: tuple[str, ...] = ()
    """Mail addresses."""
    types: tuple[EventType, ...] = ()
    """Types of event to be told of; all of them if none is named."""
    subjects: tuple[str, ...] = ()
    """Budgets, sources, series and plans to be told of; all of them if none is named."""
    enabled: bool = True
    """False: kept, but told nothing."""

    def wants(self, event: Event) -> bool:
        """True if it is to be told of this."""
        named = not event.notify or self.name in event.notify
        typed = not self.types or event.type in self.types
        return self.enabled and named and typed and (not self.subjects or event.subject in self.subjects)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetInForce:
    """One version of a target."""

    target_id: str
    """SHA-256 of its canonical bytes."""
    recorded_at: datetime
    target: Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one target."""

    delivery_id: int
    event_id: int
    uid: str
    """Of the event: what a receiver knows a repetition by."""
    type: EventType
    target: str
    state: DeliveryState
    attempts: int
    due_at: datetime
    """When it is tried next; of one being sent, when it is given up for lost."""
    created_at: datetime
    ended_at: datetime | None
    outcome: str
    """What the last attempt said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRound:
    """What one round of sending came to."""

    delivered: int = 0
    failed: int = 0
    """To be tried again."""
    dead: int = 0


def rest_after(attempts: int, uid: str, asked: timedelta | None = None) -> timedelta | None:
    """How long to wait after so many attempts, at least as long as the receiver `asked`; None: no more are made.

    The jitter depends on the event and the attempt alone, so every process waits the same.
    """
    if attempts > len(WAITS):
        return None
    chance = int.from_bytes(hashlib.sha256(f"{uid} {attempts}".encode()).digest()[:4]) / 2**32
    rest = WAITS[attempts - 1] * (1 + JITTER * chance)
    return rest if asked is None else max(rest, min(asked, WAITS[-1]))
