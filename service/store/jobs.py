"""The job ledger: one row per job and slot, claimed once, held by a lease, fenced by a token."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import Connection, and_, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.errors import LeaseLost
from service.store.tables import job_run, worker

MOST_ATTEMPTS: Final = 14
"""Times one slot may be tried: with the growing rests, over about a week."""
FIRST_REST: Final = timedelta(minutes=15)
LONGEST_REST: Final = timedelta(days=1)
HEARTBEATS_KEPT: Final = timedelta(days=7)
"""A worker silent for longer is forgotten when the next one begins."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one slot of one job, until the lease ends or somebody takes it over."""

    job: str
    slot: datetime
    fence: int
    worker: str


@dataclass(frozen=True, slots=True)
class JobRun:
    """How one slot of one job stands."""

    job: str
    slot: datetime
    state: Literal["running", "done", "failed"]
    fence: int
    worker: str
    claimed_at: datetime
    lease_until: datetime
    finished_at: datetime | None
    outcome: str


def claim(
    connection: Connection, job: str, slot: datetime, worker_name: str, now: datetime, lease: timedelta
) -> Claim | None:
    """Take a slot: nobody has it, or its holder's lease is over, or it failed long enough ago; else None."""
    values = {
        "job": job,
        "slot": slot,
        "state": "running",
        "fence": 1,
        "worker": worker_name,
        "claimed_at": now,
        "lease_until": now + lease,
        "outcome": "",
    }
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    first = dialect.insert(job_run).values(values).on_conflict_do_nothing().returning(job_run.c.fence)
    if connection.execute(first).one_or_none() is not None:
        return Claim(job, slot, 1, worker_name)
    return _take_over(connection, job, slot, worker_name, now, lease)


def renew(connection: Connection, held: Claim, now: datetime, lease: timedelta) -> None:
    """Hold on for another lease. Raises LeaseLost."""
    _only_if_held(connection, held, lease_until=now + lease)


def check_fence(connection: Connection, held: Claim) -> None:
    """Raise LeaseLost, inside the transaction that writes the data, unless the slot is still ours.

    It updates the row rather than reads it: a takeover at the same moment must wait for us or we for it.
    """
    _only_if_held(connection, held, worker=held.worker)


def finish(connection: Connection, held: Claim, state: Literal["done", "failed"], outcome: str, now: datetime) -> None:
    """Say how it ended. A failed slot may be tried again after its rest. Raises LeaseLost."""
    until = now + rest(held.fence) if state == "failed" else now
    told = outcome.replace("\0", "")[:2000]  # PostgreSQL stores no NUL, and the words may be a feed's
    _only_if_held(connection, held, state=state, outcome=told, finished_at=now, lease_until=until)


def release(connection: Connection, worker_name: str, now: datetime) -> int:
    """Give up what a stopping worker still holds, to be claimed by anybody at once; returns how many slots.

    The worker's own late commit is refused by its fence.
    """
    theirs = and_(job_run.c.worker == worker_name, job_run.c.state == "running")
    given_up = {"state": "failed", "outcome": "given up: the scheduler stopped", "finished_at": now, "lease_until": now}
    return connection.execute(update(job_run).where(theirs).values(given_up)).rowcount


def runs(connection: Connection, job: str = "", limit: int = 50) -> list[JobRun]:
    """The newest runs of a job, or of all."""
    query = select(job_run).order_by(job_run.c.slot.desc(), job_run.c.job).limit(limit)
    if job:
        query = query.where(job_run.c.job == job)
    return [JobRun(**row) for row in connection.execute(query).mappings()]


def open_slots(connection: Connection, slots: dict[str, datetime], now: datetime) -> dict[str, datetime]:
    """Of these slots, one per job, those that may be claimed now."""
    rows = connection.execute(
        select(job_run.c.job, job_run.c.slot, job_run.c.state, job_run.c.fence, job_run.c.lease_until).where(
            job_run.c.job.in_(slots), job_run.c.slot.in_(set(slots.values()))
        )
    )
    closed = {
        row.job
        for row in rows
        if row.slot == slots[row.job] and (row.state == "done" or row.lease_until > now or row.fence >= MOST_ATTEMPTS)
    }
    return {job: slot for job, slot in slots.items() if job not in closed}


def rest(attempts: int) -> timedelta:
    """How long a slot that failed so many times is left alone: a quarter of an hour, doubling up to a day."""
    return min(LONGEST_REST, FIRST_REST * (1 << (attempts - 1)))


def tick(connection: Connection, worker_name: str, now: datetime) -> None:
    """The scheduler of this process is alive."""
    mine = worker.c.worker == worker_name
    if connection.execute(update(worker).where(mine).values(ticked_at=now)).rowcount == 0:
        connection.execute(delete(worker).where(worker.c.ticked_at < now - HEARTBEATS_KEPT))
        connection.execute(insert(worker).values(worker=worker_name, started_at=now, ticked_at=now))


def last_tick(connection: Connection) -> datetime | None:
    """When any scheduler was last alive."""
    newest: datetime | None = connection.scalar(select(func.max(worker.c.ticked_at)))
    return newest


def _take_over(
    connection: Connection, job: str, slot: datetime, worker_name: str, now: datetime, lease: timedelta
) -> Claim | None:
    free = and_(
        job_run.c.job == job,
        job_run.c.slot == slot,
        job_run.c.state != "done",
        job_run.c.lease_until <= now,
        job_run.c.fence < MOST_ATTEMPTS,
    )
    taken = connection.execute(
        update(job_run)
        .where(free)
        .values(
            state="running",
            fence=job_run.c.fence + 1,
            worker=worker_name,
            claimed_at=now,
            lease_until=now + lease,
            finished_at=None,
            outcome="",
        )
    )
    if taken.rowcount == 0:
        return None
    same = and_(job_run.c.job == job, job_run.c.slot == slot)
    fence = connection.execute(select(job_run.c.fence).where(same)).scalar_one()
    return Claim(job, slot, fence, worker_name)


def _only_if_held(connection: Connection, held: Claim, **values: object) -> None:
    ours = and_(
        job_run.c.job == held.job,
        job_run.c.slot == held.slot,
        job_run.c.fence == held.fence,
        job_run.c.state == "running",
    )
    if connection.execute(update(job_run).where(ours).values(**values)).rowcount == 0:
        raise LeaseLost(f"{held.job} at {held.slot.isoformat()} was taken over or given up; nothing was kept")
