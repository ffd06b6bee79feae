"""What is due, computed from the ledger: the newest expected publication nobody has run yet.

A process that restarts more often than the interval still refreshes; after a week down there is one
catch-up run, not a thousand.
"""

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final
from zoneinfo import ZoneInfo

from pricing_sources.source import Cadence
from service.domain.canonical import content_id
from service.store import budgets, jobs, standing_goals
from service.store.store import Store
from service.usecases.budgets import cadence_of
from service.usecases.sources import Feed, next_slot

LOOK_BACK: Final = (timedelta(days=2), timedelta(days=40), timedelta(days=400))
"""How far to look for the slot before now, nearest first; every cadence publishes at least once a year."""
BUDGET: Final = "budget:"
"""What the ledger's names for running budgets begin with."""


def job_name(feed: Feed) -> str:
    """The ledger's name for refreshing a feed."""
    return f"refresh:{feed.info.id}"


def due(store: Store, feeds: Sequence[Feed], now: datetime) -> dict[str, datetime]:
    """The slot each feed should run now, per source id; in one statement."""
    wanted = {job_name(feed): feed.info.cadence for feed in feeds if feed.enabled and feed.has_key}
    free = open_slots(store, wanted, now)
    return {job.removeprefix("refresh:"): slot for job, slot in free.items()}


def due_budgets(store: Store, now: datetime) -> dict[str, datetime]:
    """The slot each budget should run now, by name; none from before it was kept."""
    kept = store.read(budgets.first_known)
    known = store.read(lambda c: budgets.all_known(c, now))
    wanted = {budget_job(one.budget.name): cadence_of(one.budget) for one in known if one.budget.enabled}
    free = open_slots(store, wanted, now)
    slots = {job.removeprefix(BUDGET): slot for job, slot in free.items()}
    return {name: slot for name, slot in slots.items() if slot >= kept[name]}


def due_goals(store: Store, now: datetime) -> dict[str, datetime]:
    """The change of prices each standing goal should be planned for now, by name."""
    known = store.read(lambda c: standing_goals.all_known(c, now))
    names = {goal_job(one.standing.goal.name): one for one in known if one.standing.enabled}
    changed = store.read(lambda c: standing_goals.last_change(c, now)) if names else None
    if changed is None:
        return {}
    # A goal kept after the last change has nothing to compare with yet: it is planned at once, for its own moment.
    # One whose deadline is past has that told, once, for the deadline.
    slots = {job: one.standing.ended_at(now) or max(changed, one.recorded_at) for job, one in names.items()}
    free = store.read(lambda c: jobs.open_slots(c, slots, now))
    return {names[job].standing.goal.name: slot for job, slot in free.items()}


def goal_job(name: str) -> str:
    """The ledger's name for planning a standing goal; its own may be longer than the ledger has room for."""
    return f"goal:{content_id(name.encode())[:32]}"


def budget_job(name: str) -> str:
    """The ledger's name for running a budget."""
    return BUDGET + name


def open_slots(store: Store, cadences: Mapping[str, Cadence], now: datetime) -> dict[str, datetime]:
    """Of each job the newest slot that has come, where it may be run now; in one statement."""
    newest = {job: newest_slot(cadence, job, now) for job, cadence in cadences.items()}
    slots = {job: slot for job, slot in newest.items() if slot is not None}
    return store.read(lambda c: jobs.open_slots(c, slots, now))


def newest_slot(cadence: Cadence, job: str, now: datetime) -> datetime | None:
    """The newest slot whose moment, jitter included, has come."""

    def has_come(slot: datetime) -> bool:
        return slot + jitter(cadence, job, slot) <= now

    for span in LOOK_BACK:
        newest = deque(takewhile(has_come, _slots(cadence, now - span)), maxlen=1)
        if newest:
            return newest[0]
    return None


def jitter(cadence: Cadence, job: str, slot: datetime) -> timedelta:
    """A delay that looks random and is the same in every process."""
    digest = hashlib.sha256(f"{job} {slot.timestamp():.0f}".encode()).digest()
    return cadence.jitter * (int.from_bytes(digest[:4]) / 2**32)


def _slots(cadence: Cadence, after: datetime) -> Iterator[datetime]:
    """Slots after a moment, in UTC, without end.

    Where the end of summer time repeats a local hour, 02:30 means the first of the two; a feed of every
    hour has both.
    """
    hourly = cadence.cron.split()[1].startswith("*")
    zone, slot = ZoneInfo(cadence.timezone), next_slot(cadence, after)
    while True:
        if hourly or slot.astimezone(zone).fold == 0:
            yield slot
        slot = next_slot(cadence, slot)
