"""Every version of every goal that is watched, and every time one was planned."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, func, insert, select

from service.domain.canonical import canonical_bytes
from service.domain.events import Event
from service.domain.standing_goal import StandingGoal, StandingGoalInForce, StandingGoalRun
from service.store import events, plans
from service.store.head import next_moment
from service.store.log import Fence
from service.store.plan_tables import standing_goal, standing_goal_run
from service.store.plans import MadePlan
from service.store.tables import refresh
from service.store.versions import Version, Versions

_GOALS: Final = Versions(standing_goal, standing_goal.c.standing_goal_id, "standing goal", "costplan plan watch")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGoalRun:
    """A run before it is written, with its plan and what it has to say."""

    run: StandingGoalRun
    made: MadePlan | None
    events: tuple[Event, ...]


def add(connection: Connection, wanted: StandingGoal, now: datetime) -> StandingGoalInForce:
    """Keep a version; the version in force said again is no new one."""
    return _in_force(_GOALS.add(connection, wanted.goal.name, canonical_bytes(wanted), now), now)


def known(connection: Connection, name: str, known_at: datetime) -> StandingGoalInForce:
    """A standing goal as it was known at a moment. Raises NotFound, naming those there are."""
    return _in_force(_GOALS.known(connection, name, known_at), known_at)


def all_known(connection: Connection, known_at: datetime) -> list[StandingGoalInForce]:
    """Every standing goal, each in the version known at a moment."""
    return [_in_force(one, known_at) for one in _GOALS.all_known(connection, known_at)]


def last_change(connection: Connection, now: datetime) -> datetime | None:
    """The seal of the newest refresh that changed a price; None before the first."""
    changed = (refresh.c.status == "sealed") & (refresh.c.added + refresh.c.corrected > 0)
    found: datetime | None = connection.scalar(
        select(func.max(refresh.c.recorded_at)).where(changed, refresh.c.recorded_at <= now)
    )
    return found


def add_run(
    connection: Connection, new: NewGoalRun, last: StandingGoalRun | None, fence: Fence | None
) -> StandingGoalRun | None:
    """Write down a run, its plan and its events, once per slot; None if another run came since `last`.

    Raises what `fence` raises when the right to the slot is lost.
    """
    if fence is not None:
        fence(connection)
    run = replace(new.run, ran_at=next_moment(connection, new.run.ran_at))  # from here on, one at a time
    done = get_run(connection, run.name, run.slot)
    if done is not None or next(iter(runs(connection, run.name, 1)), None) != last:
        return done
    if new.made is not None:
        plans.add(connection, new.made, run.ran_at)
    values = {one.name: getattr(run, one.name) for one in fields(run)}
    connection.execute(insert(standing_goal_run).values(values))
    events.record(connection, new.events, run.ran_at)
    return run


def get_run(connection: Connection, name: str, slot: datetime) -> StandingGoalRun | None:
    """The run of one slot, if there was one."""
    same = (standing_goal_run.c.name == name) & (standing_goal_run.c.slot == slot)
    row = connection.execute(select(standing_goal_run).where(same)).one_or_none()
    return _run(row) if row is not None else None


def runs(connection: Connection, name: str, limit: int = 50) -> list[StandingGoalRun]:
    """The runs of a standing goal, the last one made first."""
    query = select(standing_goal_run).where(standing_goal_run.c.name == name)
    rows = connection.execute(query.order_by(standing_goal_run.c.ran_at.desc()).limit(limit))
    return [_run(row) for row in rows]


def _in_force(version: Version, now: datetime) -> StandingGoalInForce:
    found = msgspec.json.decode(version.body, type=StandingGoal)
    return StandingGoalInForce(
        standing_goal_id=version.content_id,
        recorded_at=version.recorded_at,
        standing=found,
        ended=found.ended_at(now) is not None,
    )


def _run(row: Row[Any]) -> StandingGoalRun:
    return StandingGoalRun(**{one.name: getattr(row, one.name) for one in fields(StandingGoalRun)})
