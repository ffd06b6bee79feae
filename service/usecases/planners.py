"""Planning beside the API, not in it: plans have a process of their own, for which a few questions wait."""

import os
import pickle
import signal
import traceback
from collections.abc import Callable
from functools import cache
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import BoundedSemaphore, Lock, Thread
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from service import clock
from service.errors import Invalid, ServiceError, Unavailable
from service.store.store import Store

MOST_WAITING: Final = 8
"""Questions being answered or waiting; each holds one of the server's threads."""
LONGEST: Final = 60.0
"""One answer may take, not counting how long its question waited [s]."""
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
    """Plans in another process, one question after another.

    It is started by the first question, and again if it dies or takes longer than a question may. It ends with
    `close`, and with the process that started it, however that ends.
    """

    def __init__(self, database_url: str, longest: float = LONGEST) -> None:
        self._database_url, self._longest = database_url, longest
        self._places, self._turn, self._lock = BoundedSemaphore(MOST_WAITING), Lock(), Lock()
        self._running: _Running | None = None
        self._closed = False

    def __call__(self, work: Callable[Concatenate[Store, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work`, a function of a module, gives or raises over there.

        Raises Unavailable when too many wait, the process dies or is closed, Invalid for what takes too long.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable(f"{MOST_WAITING} plans are being made; try again in a moment")
        try:
            with self._turn:
                done, answer = self._asked((work, args, kwargs))
        finally:
            self._places.release()
        if not done:
            raise answer
        planned: T = answer
        return planned

    def close(self) -> None:
        """End the process, whatever it is at; no other is started."""
        with self._lock:
            self._closed = True
        self._end()

    def _asked(self, question: tuple[Any, ...]) -> tuple[bool, Any]:
        """True and what was answered, or False and what was raised."""
        line = self._started().line
        try:
            line.send(question)
            if line.poll(self._longest):
                answer: tuple[bool, Any] = line.recv()
                return answer
        except (EOFError, OSError):
            self._end()
            raise Unavailable("the process that plans has died, perhaps for lack of memory; try again") from None
        self._end()
        raise Invalid(f"the plan took longer than {self._longest:g} seconds; ask for less, or ask on the command line")

    def _started(self) -> "_Running":
        with self._lock:
            if self._closed:
                raise Unavailable("the server is stopping; ask again when it is back")
            if self._running is None or not self._running.process.is_alive():
                self._running = _Running(self._database_url)
            return self._running

    def _end(self) -> None:
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.end()


class _Running:
    """The other process, and the line to it."""

    def __init__(self, database_url: str) -> None:
        # Not a fork: that would copy locks of other threads as they happen to be.
        spawning = get_context("spawn")
        self.line, theirs = spawning.Pipe()
        self.process: SpawnProcess = spawning.Process(
            target=_over_there, args=(database_url, theirs), name="planning", daemon=True
        )
        self.process.start()
        # Held by nobody else, so that its end is seen here.
        theirs.close()

    def end(self) -> None:
        """Kill it: what it writes, it writes whole or not at all."""
        self.process.kill()
        self.process.join()


def _over_there(database_url: str, line: Connection) -> None:
    """Answer one question after another, for as long as somebody is there to ask."""
    # What is pressed in a terminal is for the server, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    while True:
        try:
            work, args, kwargs = line.recv()
        except EOFError:
            return
        line.send_bytes(_answered(database_url, work, args, kwargs))


def _answered(database_url: str, work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    try:
        return pickle.dumps((True, work(_opened(database_url), *args, **kwargs)))
    except Exception as error:  # noqa: BLE001  whatever it is, it is for whoever asked
        if not isinstance(error, ServiceError):
            error.add_note(traceback.format_exc())
        return pickle.dumps((False, error))


@cache
def _opened(database_url: str) -> Store:
    """Opened once, for as long as the process lives."""
    return Store.open(database_url, clock.now)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
    os._exit(1)
