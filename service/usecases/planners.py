"""Planning beside the API, not in it: plans have a process of their own, for which a few questions wait."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context
from threading import BoundedSemaphore, Lock
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

from service import clock
from service.errors import Unavailable
from service.store.store import Store

MOST_WAITING: Final = 8
"""Questions being answered or waiting; each holds one of the server's threads."""
P = ParamSpec("P")
T = TypeVar("T")


class Planner(Protocol):
    """Does a use case of planning over a store: here, or in a process of its own."""

    def __call__(self, work: Callable[Concatenate[Store, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` gives, or raises, for these arguments."""


def planning_here(store: Store) -> Planner:
    """Planning in the thread of whoever asks."""

    def planner(work: Callable[Concatenate[Store, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return work(store, *args, **kwargs)

    return planner


class PlanningProcess:
    """Plans in another process, started by the first question and again if it dies."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._places, self._lock = BoundedSemaphore(MOST_WAITING), Lock()
        self._pool: ProcessPoolExecutor | None = None

    def __call__(self, work: Callable[Concatenate[Store, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work`, a function of a module, gives or raises over there.

        Raises Unavailable when too many wait or the process dies.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable(f"{MOST_WAITING} plans are being made; try again in a moment")
        try:
            return self._running().submit(_over_there, self._database_url, work, *args, **kwargs).result()
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


def _over_there(database_url: str, work: Callable[Concatenate[Store, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    return work(_opened(database_url), *args, **kwargs)


@cache
def _opened(database_url: str) -> Store:
    """Opened once, for as long as the process lives."""
    return Store.open(database_url, clock.now)
