"""Running one due slot: claim it, refresh under its lease, write down how it ended."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal, TypeVar

import structlog

from pricing_sources.source import Source
from pricing_sources.transport import Transport
from service.domain.budget import BudgetRun
from service.domain.refreshes import Refresh
from service.domain.standing_goal import StandingGoalRun
from service.errors import LeaseLost, ServiceError
from service.scheduling.ledger import budget_job, goal_job, job_name
from service.settings import Settings
from service.store import jobs
from service.store.jobs import Claim
from service.store.store import Store
from service.usecases.budgets import run_budget
from service.usecases.planners import Planner
from service.usecases.refresh import refresh
from service.usecases.sources import Feed
from service.usecases.standing_goals import run_standing_goal

LEASE: Final = timedelta(minutes=2)
LONGEST: Final = timedelta(hours=2)
"""A run that takes longer hangs: its lease is renewed no more, and another worker may take the slot over."""
Clock = Callable[[], datetime]

State = Literal["done", "failed"]
Ended = tuple[State, str]
"""How a run ended, and what there is to say of it."""
T = TypeVar("T")

_STATES: Final[dict[str, State]] = {"sealed": "done", "failed": "failed", "quarantined": "failed"}

log = structlog.get_logger()


def run_slot(
    store: Store,
    source: Source,
    slot: datetime,
    transport: Transport,
    *,
    settings: Settings,
    clock: Clock,
    worker: str,
    lease: timedelta = LEASE,
) -> Refresh | None:
    """Run one slot unless somebody else has it; None if they have, or if it ended without a record."""
    feed = Feed.of(source.info, settings)

    def read(held: Claim) -> tuple[Refresh, Ended]:
        done = refresh(
            store,
            source,
            transport,
            now=clock(),
            trigger="schedule",
            url=feed.url,
            api_key=settings.source_key(source.info.id),
            fence=partial(jobs.check_fence, held=held),
        )
        return done, (_STATES[done.status], done.error or f"{done.added} added")

    done = run_held(store, job_name(feed), slot, read, clock=clock, worker=worker, lease=lease)
    if done is not None:
        _tell(done)
    return done


def run_budget_slot(store: Store, name: str, slot: datetime, *, clock: Clock, worker: str) -> BudgetRun | None:
    """Price a budget for one slot unless somebody else has it."""

    def priced(held: Claim) -> tuple[BudgetRun, Ended]:
        run = run_budget(store, name, slot, now=clock(), fence=partial(jobs.check_fence, held=held))
        return run, ("done", f"forecast {run.forecast} {run.currency}")

    return run_held(store, budget_job(name), slot, priced, clock=clock, worker=worker)


def run_goal_slot(
    store: Store, name: str, slot: datetime, *, clock: Clock, worker: str, planner: Planner
) -> StandingGoalRun | None:
    """Plan a standing goal for one change of prices unless somebody else has it."""

    def planned(held: Claim) -> tuple[StandingGoalRun, Ended]:
        fence = partial(jobs.check_fence, held=held)
        run = planner(run_standing_goal, name, slot, now=clock(), fence=fence)
        return run, ("done", run.outcome)

    return run_held(store, goal_job(name), slot, planned, clock=clock, worker=worker)


def run_held(
    store: Store,
    job: str,
    slot: datetime,
    work: Callable[[Claim], tuple[T, Ended]],
    *,
    clock: Clock,
    worker: str,
    lease: timedelta = LEASE,
) -> T | None:
    """Do the work of a slot under a lease and write down how it ended; None unless it did end and was ours.

    What the work commits must check the fence of the claim it is given.
    """
    held = store.write(lambda c: jobs.claim(c, job, slot, worker, clock(), lease))
    if held is None:
        return None
    try:
        with _kept(store, held, clock, lease):
            done, (state, outcome) = work(held)
    except LeaseLost as error:
        log.warning("lease lost", job=held.job, slot=held.slot.isoformat(), reason=str(error))
        return None
    # A slot must end in the ledger whatever its code did, and must not take the scheduler with it.
    except BaseException as error:
        log.exception("run broke", job=held.job)
        _end(store, held, "failed", f"{type(error).__name__}: {error}", clock())
        return None
    _end(store, held, state, outcome, clock())
    return done


def _tell(done: Refresh) -> None:
    if done.error:
        event = "feed read in part" if done.status == "sealed" else "feed failed"
        log.warning(event, source=done.source, status=done.status, reason=done.error)
    else:
        log.info("feed read", source=done.source, added=done.added, corrected=done.corrected)


@contextmanager
def _kept(store: Store, held: Claim, clock: Clock, lease: timedelta) -> Iterator[None]:
    """Renew the lease in the background while the work goes on."""
    over = threading.Event()
    give_up_at = time.monotonic() + LONGEST.total_seconds()

    def renew() -> None:
        while not over.wait(lease.total_seconds() / 3) and time.monotonic() < give_up_at:
            try:
                store.write(lambda c: jobs.renew(c, held, clock(), lease))
            except LeaseLost:
                return
            except ServiceError as error:
                log.warning("lease not renewed", job=held.job, reason=str(error))

    thread = threading.Thread(target=renew, name=f"lease {held.job}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _end(store: Store, held: Claim, state: State, outcome: str, now: datetime) -> None:
    try:
        store.write(lambda c: jobs.finish(c, held, state, outcome, now))
    except ServiceError as error:
        log.warning("run not written down", job=held.job, reason=str(error))
