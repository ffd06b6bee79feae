"""Notifications: who is told of which events; telling them, until it worked or is of no use."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import msgspec

from service.domain.canonical import content_id, json_bytes
from service.domain.events import EVENT_TYPES, RecordedEvent
from service.domain.notifications import Delivery, DeliveryRound, DeliveryState, Target, TargetInForce, rest_after
from service.errors import FieldProblem, Invalid
from service.notifying.sending import Message, NotSent
from service.store import events, notifications
from service.store.store import Store
from service.usecases.events import told
from service.usecases.field_problems import invalid

LEASE: Final = timedelta(minutes=2)
"""Longer than any attempt: who is silent for so long has died."""
MOST_AT_ONCE: Final = 200
"""Deliveries tried in one round."""
MOST_ADDRESSES: Final = 50
STATES: Final = ("waiting", "delivered", "dead")
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ADDRESS: Final = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,255}")
_SHOWN: Final = ("budget", "currency", "limit", "spent", "forecast", "crosses_at", "estimate_id", "plan_id")
"""What of an event's data is worth a line for people."""


class Post(Protocol):
    """Whatever can carry a message to a target."""

    def send(self, target: Target, message: Message, now: datetime) -> str:
        """Send it; what the other side said. Raises NotSent."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One message sent on trial."""

    target: str
    sent: bool
    outcome: str


def put_target(store: Store, target: Target, *, now: datetime) -> TargetInForce:
    """Keep a target, or a new version of it; a new one is told of what happens from now on. Raises Invalid."""
    if problems := tuple(_problems(target)):
        raise invalid(problems)
    return store.write(lambda c: notifications.add(c, target, now))


def list_targets(store: Store, now: datetime) -> list[TargetInForce]:
    """Every target in force."""
    return store.read(lambda c: notifications.all_known(c, now))


def get_target(store: Store, name: str, now: datetime) -> TargetInForce:
    """One target. Raises NotFound, naming those there are."""
    return store.read(lambda c: notifications.known(c, name, now))


def try_target(store: Store, post: Post, name: str, *, now: datetime) -> Tried:
    """Send a target a message that says it is a trial; nothing is kept. Raises NotFound."""
    target = get_target(store, name, now).target
    text = f"A trial message for {name}: whoever reads it will be told of events."
    body = json_bytes({"type": "trial", "timestamp": now, "data": {"text": text}})
    made = Message(uid=content_id(body), type="trial", subject=name, text=text, occurred_at=_moment(now), body=body)
    try:
        return Tried(name, sent=True, outcome=post.send(target, made, now))
    except NotSent as error:
        return Tried(name, sent=False, outcome=str(error))


def list_deliveries(store: Store, target: str = "", state: str = "", limit: int = 50) -> list[Delivery]:
    """Deliveries, the newest first; those of a state, `dead` is the dead-letter list. Raises Invalid."""
    if state and state not in STATES:
        raise Invalid.field("state", f"{state[:40]!r} is no state of a delivery; there are {', '.join(STATES)}")
    return store.read(lambda c: notifications.newest(c, target, state, limit))


def replay_delivery(store: Store, delivery_id: int, *, now: datetime) -> Delivery:
    """Have a delivery made again; its receiver knows it by the id it had. Raises NotFound."""
    return store.write(lambda c: notifications.replay(c, delivery_id, now))


def deliver_due(store: Store, post: Post) -> DeliveryRound:
    """Write down what each target is to be told and send what is due; safe beside any number of others doing so.

    At least once: a process that dies between sending and writing that down leaves a delivery that is
    sent again, under the same id.
    """
    targets = {one.target.name: one.target for one in list_targets(store, store.clock())}
    for target in targets.values():
        _write_down(store, target)
    done = DeliveryRound()
    enabled = [name for name, target in targets.items() if target.enabled]
    for _ in range(MOST_AT_ONCE if enabled else 0):
        held = store.write(lambda c: notifications.claim(c, enabled, store.clock(), LEASE))
        if held is None:
            break
        done = _counted(done, _deliver(store, post, targets[held.target], held))
    return done


def message_of(recorded: RecordedEvent) -> Message:
    """An event as it is told: Standard Webhooks' `type`, `timestamp` and `data`, and words for people."""
    one = recorded.event
    body = {"type": one.type, "timestamp": one.occurred_at, "data": told(recorded)}
    return Message(
        uid=recorded.uid,
        type=one.type,
        subject=one.subject,
        text=one.text,
        occurred_at=_moment(one.occurred_at),
        body=json_bytes(body),
        details=tuple(_details(msgspec.json.decode(one.data))),
    )


def _write_down(store: Store, target: Target) -> None:
    """Catch a target up with the log of events."""
    while store.write(lambda c: notifications.write_down(c, target, store.clock())) == notifications.BATCH:
        pass


def _deliver(store: Store, post: Post, target: Target, held: Delivery) -> DeliveryState:
    [recorded] = store.read(lambda c: events.after(c, held.event_id - 1, 1))
    state: DeliveryState = "delivered"
    rest: timedelta | None = timedelta()
    try:
        outcome = post.send(target, message_of(recorded), store.clock())
    except NotSent as error:
        outcome = str(error)
        rest = None if error.for_good else rest_after(held.attempts, held.uid, error.wait)
        state = "dead" if rest is None else "waiting"
    now = store.clock()
    store.write(lambda c: notifications.end(c, held, state, outcome, now, now + (rest or timedelta())))
    return state


def _counted(done: DeliveryRound, state: DeliveryState) -> DeliveryRound:
    match state:
        case "delivered":
            return replace(done, delivered=done.delivered + 1)
        case "waiting":
            return replace(done, failed=done.failed + 1)
        case "dead":
            return replace(done, dead=done.dead + 1)


def _details(data: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(data, Mapping):
        return
    for name in _SHOWN:
        if data.get(name) is not None:
            yield name.replace("_", " "), _short(str(data[name]))


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _short(value: str) -> str:
    """A figure as people read it; anything else as it is."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    return f"{number:,.2f}" if number.is_finite() else value


def _problems(target: Target) -> Iterator[FieldProblem]:
    if len(target.name) > 40 or not _NAME.fullmatch(target.name):
        yield FieldProblem("name", "must be 1 to 40 lower-case letters, digits and hyphens, such as finops-team")
    yield from _address_problems(target)
    for number, one in enumerate(target.types):
        if one not in EVENT_TYPES:
            yield FieldProblem(f"types.{number}", f"is no type of event; there are {', '.join(EVENT_TYPES)}")


def _address_problems(target: Target) -> Iterator[FieldProblem]:
    if target.kind == "mail":
        if target.url is not None:
            yield FieldProblem("url", "is not for mail; give the addresses in to")
        if not 1 <= len(target.to) <= MOST_ADDRESSES:
            yield FieldProblem("to", f"must name 1 to {MOST_ADDRESSES} mail addresses")
        for number, one in enumerate(target.to):
            if not _ADDRESS.fullmatch(one):
                yield FieldProblem(f"to.{number}", f"{one[:80]!r} is not a mail address such as team@example.com")
        return
    if target.to:
        yield FieldProblem("to", f"is for mail; a {target.kind} has a url")
    if target.url is not None:
        yield from _url_problems(target.url)


def _url_problems(url: str) -> Iterator[FieldProblem]:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and url.isascii() and parts.port != 0
    except ValueError:
        usable = False
    if not usable or " " in url:
        yield FieldProblem("url", "must be an https URL")
    elif "@" in parts.netloc or parts.query or parts.fragment:
        yield FieldProblem("url", "must hold no password, query or fragment; keep it in COSTPLAN_TARGET_<NAME>_URL")
