"""Targets in versions; deliveries written down once per event and target, then tried one process at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, Select, and_, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.canonical import canonical_bytes
from service.domain.notifications import Delivery, DeliveryState, Target, TargetInForce
from service.errors import NotFound
from service.store import events
from service.store.event_tables import event
from service.store.notification_tables import delivery, notification_reach, notification_target
from service.store.versions import Version, Versions

BATCH: Final = 500
"""Events written down for a target in one transaction."""
_TARGETS: Final = Versions(notification_target, notification_target.c.target_id, "target", "costplan notify target put")


def add(connection: Connection, wanted: Target, now: datetime) -> TargetInForce:
    """Keep a version of a target; a new one is told of what happens from now on."""
    kept = _in_force(_TARGETS.add(connection, wanted.name, canonical_bytes(wanted), now))
    newest = select(func.coalesce(func.max(event.c.event_id), 0)).scalar_subquery()
    begun = _insert(connection, notification_reach).values(target=wanted.name, event_id=newest)
    connection.execute(begun.on_conflict_do_nothing())
    return kept


def known(connection: Connection, name: str, known_at: datetime) -> TargetInForce:
    """A target as it was known at a moment. Raises NotFound, naming what there is."""
    return _in_force(_TARGETS.known(connection, name, known_at))


def all_known(connection: Connection, known_at: datetime) -> list[TargetInForce]:
    """Every target, each in the version known at a moment."""
    return [_in_force(one) for one in _TARGETS.all_known(connection, known_at)]


def write_down(connection: Connection, target: Target, now: datetime) -> int:
    """Write down a delivery for each event the target has not been given yet and wants; returns events looked at.

    Events become visible in the order of their ids, so none can appear behind the reach.
    """
    mine = notification_reach.c.target == target.name
    connection.execute(update(notification_reach).where(mine).values(target=target.name))  # one process at a time
    reach = connection.execute(select(notification_reach.c.event_id).where(mine)).scalar_one()
    found = events.after(connection, reach, BATCH)
    rows = [
        {
            "event_id": one.event_id,
            "target": target.name,
            "state": "waiting",
            "attempts": 0,
            "due_at": now,
            "created_at": now,
            "outcome": "",
        }
        for one in found
        if target.wants(one.event)
    ]
    if rows:
        connection.execute(_insert(connection, delivery).on_conflict_do_nothing(), rows)
    if found:
        connection.execute(update(notification_reach).where(mine).values(event_id=found[-1].event_id))
    return len(found)


def claim(connection: Connection, targets: Sequence[str], now: datetime, lease: timedelta) -> Delivery | None:
    """Take the delivery that has waited longest; should its process die, it is due again after the lease."""
    waiting = (
        select(delivery.c.delivery_id)
        .where(delivery.c.state == "waiting", delivery.c.due_at <= now, delivery.c.target.in_(targets))
        .order_by(delivery.c.due_at, delivery.c.delivery_id)
        .limit(1)
    )
    if connection.dialect.name == "postgresql":
        waiting = waiting.with_for_update(skip_locked=True)
    found = connection.scalar(waiting)
    if found is None:
        return None
    taken = update(delivery).where(delivery.c.delivery_id == found, delivery.c.state == "waiting")
    connection.execute(taken.values(attempts=delivery.c.attempts + 1, due_at=now + lease))
    return get(connection, found)


def end(
    connection: Connection, held: Delivery, state: DeliveryState, outcome: str, now: datetime, due_at: datetime
) -> None:
    """Write down what an attempt came to, unless the delivery was taken over or asked for anew since."""
    ours = and_(
        delivery.c.delivery_id == held.delivery_id,
        delivery.c.state == "waiting",
        delivery.c.attempts == held.attempts,
    )
    ended_at = None if state == "waiting" else now
    told = outcome.replace("\0", "")[:500]
    connection.execute(update(delivery).where(ours).values(state=state, outcome=told, ended_at=ended_at, due_at=due_at))


def replay(connection: Connection, delivery_id: int, now: datetime) -> Delivery:
    """Have a delivery made again from the first attempt, with the id it had. Raises NotFound."""
    get(connection, delivery_id)
    again = {"state": "waiting", "attempts": 0, "due_at": now, "ended_at": None, "outcome": "asked for again"}
    connection.execute(update(delivery).where(delivery.c.delivery_id == delivery_id).values(again))
    return get(connection, delivery_id)


def get(connection: Connection, delivery_id: int) -> Delivery:
    """One delivery. Raises NotFound."""
    row = connection.execute(_deliveries().where(delivery.c.delivery_id == delivery_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no delivery {delivery_id}; see: costplan notify ls")
    return _delivery(row)


def newest(connection: Connection, target: str = "", state: str = "", limit: int = 50) -> list[Delivery]:
    """The newest deliveries, the last first."""
    query = _deliveries().order_by(delivery.c.delivery_id.desc()).limit(limit)
    if target:
        query = query.where(delivery.c.target == target)
    if state:
        query = query.where(delivery.c.state == state)
    return [_delivery(row) for row in connection.execute(query)]


def _deliveries() -> Select[Any]:
    return select(delivery, event.c.uid, event.c.type).join(event, event.c.event_id == delivery.c.event_id)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**row._mapping)  # noqa: SLF001  the documented way to the columns by name


def _in_force(version: Version) -> TargetInForce:
    found = msgspec.json.decode(version.body, type=Target)
    return TargetInForce(target_id=version.content_id, recorded_at=version.recorded_at, target=found)


def _insert(connection: Connection, table: Any) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
