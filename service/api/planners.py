"""Planning beside the API, not in it: goals have a process of their own, for which a few questions wait."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime
from functools import cache
from multiprocessing import get_context
from threading import BoundedSemaphore, Lock
from typing import Final

from service import clock
from service.domain.as_of import AsOf
from service.domain.goal import Goal
from service.domain.plan import StoredPlan
from service.errors import Unavailable
from service.store.store import Store
from service.usecases.plans import new_plan

MOST_WAITING: Final = 8
"""Questions being answered or waiting; each holds one of the server's threads."""
Planning = Callable[[Goal, AsOf, datetime], StoredPlan]
"""Plans and keeps a goal: here, or in a process of its own."""


def planning_here(store: Store) -> Planning:
    """Planning in the thread of whoever asks."""
    return lambda goal, question, now: new_plan(store, goal, question, now=now)


class PlanningProcess:
    """Plans goals in another process, started by the first and again if it dies."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._places, self._lock = BoundedSemaphore(MOST_WAITING), Lock()
        self._pool: ProcessPoolExecutor | None = None

    def __call__(self, goal: Goal, question: AsOf, now: datetime) -> StoredPlan:
        """The plan. Raises what `new_plan` raises, and Unavailable when too many wait or the process dies."""
        if not self._places.acquire(blocking=False):
            raise Unavailable(f"{MOST_WAITING} plans are being made; try again in a moment")
        try:
            return self._running().submit(_planned, self._database_url, goal, question, now).result()
        except BrokenProcessPool:
            self.close()
            raise Unavailable("the process that plans has died, perhaps for lack of memory; try again") from None
        finally:
            self._places.release()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _running(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._pool is None:
                # Not a fork: that would copy locks of other threads as they happen to be.
                self._pool = ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))
            return self._pool


def _planned(database_url: str, goal: Goal, question: AsOf, now: datetime) -> StoredPlan:
    """What runs over there."""
    return new_plan(_opened(database_url), goal, question, now=now)


@cache
def _opened(database_url: str) -> Store:
    """Opened once, for as long as the process lives."""
    return Store.open(database_url, clock.now)
