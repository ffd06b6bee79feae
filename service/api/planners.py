"""Planning beside the API, not in it: the search has a process of its own, for which a few questions wait."""

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from threading import BoundedSemaphore, Lock
from typing import Final

from service.errors import Unavailable
from service.planning.answering import Answer, Asked, answered

MOST_WAITING: Final = 8
"""Questions being answered or waiting; each holds one of the server's threads."""


class PlanningProcess:
    """Answers goals in another process, started by the first and again if it dies."""

    def __init__(self) -> None:
        self._places, self._lock = BoundedSemaphore(MOST_WAITING), Lock()
        self._pool: ProcessPoolExecutor | None = None

    def __call__(self, asked: Asked) -> Answer:
        """The answer. Raises what the search raises, and Unavailable when too many wait or the process dies."""
        if not self._places.acquire(blocking=False):
            raise Unavailable(f"{MOST_WAITING} plans are being made; try again in a moment")
        try:
            return self._running().submit(answered, asked).result()
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
