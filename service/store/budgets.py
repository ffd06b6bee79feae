"""Every version of every budget, and every time one was priced."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, insert, select

from service.domain.budget import Budget, BudgetInForce, BudgetRun, Threshold
from service.domain.canonical import canonical_bytes, json_bytes
from service.domain.estimate import Estimate
from service.domain.events import Event
from service.store import estimates, events
from service.store.budget_tables import budget, budget_run
from service.store.head import next_moment
from service.store.log import Fence
from service.store.versions import Version, Versions

_BUDGETS: Final = Versions(budget, budget.c.budget_id, "budget", "costplan budget put")


def add(connection: Connection, wanted: Budget, now: datetime) -> BudgetInForce:
    """Keep a version of a budget; the version in force said again is no new one."""
    return _in_force(_BUDGETS.add(connection, wanted.name, canonical_bytes(wanted), now))


def known(connection: Connection, name: str, known_at: datetime) -> BudgetInForce:
    """The budget as it was known at a moment. Raises NotFound, naming the budgets there are."""
    return _in_force(_BUDGETS.known(connection, name, known_at))


def versions(connection: Connection, name: str, known_at: datetime) -> list[BudgetInForce]:
    """Every version of a budget known at a moment, oldest first. Raises NotFound if there is none."""
    return [_in_force(one) for one in _BUDGETS.until(connection, name, known_at)]


def all_known(connection: Connection, known_at: datetime) -> list[BudgetInForce]:
    """Every budget, each in the version known at a moment."""
    return [_in_force(one) for one in _BUDGETS.all_known(connection, known_at)]


def first_known(connection: Connection) -> dict[str, datetime]:
    """When each budget was first kept, by name."""
    return _BUDGETS.first_known(connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run before it is written, with the estimate it names and what it has to say."""

    run: BudgetRun
    answer: Estimate
    events: tuple[Event, ...]


def add_run(connection: Connection, made: NewRun, before: Sequence[BudgetRun], fence: Fence | None) -> BudgetRun | None:
    """Write down a run, its estimate and its events, once per slot; None if another run came since `before`.

    Raises what `fence` raises when the right to the slot is lost.
    """
    if fence is not None:
        fence(connection)
    run = replace(made.run, ran_at=next_moment(connection, made.run.ran_at))  # from here on, one at a time
    done = get_run(connection, run.budget, run.slot)
    if done is not None or runs(connection, run.budget, 1) != list(before):
        return done
    estimates.add(connection, made.answer, run.ran_at)
    values = {one.name: getattr(run, one.name) for one in fields(run)}
    connection.execute(insert(budget_run).values(values | {"reached": json_bytes(run.reached).decode()}))
    events.record(connection, made.events, run.ran_at)
    return run


def get_run(connection: Connection, name: str, slot: datetime) -> BudgetRun | None:
    """The run of one slot, if there was one."""
    same = (budget_run.c.budget == name) & (budget_run.c.slot == slot)
    row = connection.execute(select(budget_run).where(same)).one_or_none()
    return _run(row) if row is not None else None


def runs(connection: Connection, name: str, limit: int = 50) -> list[BudgetRun]:
    """The runs of a budget, the last one made first."""
    query = select(budget_run).where(budget_run.c.budget == name)
    rows = connection.execute(query.order_by(budget_run.c.ran_at.desc()).limit(limit))
    return [_run(row) for row in rows]


def _in_force(version: Version) -> BudgetInForce:
    found = msgspec.json.decode(version.body, type=Budget)
    return BudgetInForce(budget_id=version.content_id, recorded_at=version.recorded_at, budget=found)


def _run(row: Row[Any]) -> BudgetRun:
    values = {one.name: getattr(row, one.name) for one in fields(BudgetRun)}
    reached = msgspec.json.decode(row.reached, type=tuple[Threshold, ...])
    return BudgetRun(**values | {"reached": reached})
