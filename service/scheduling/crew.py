"""The hands of a scheduler: a few threads that run errands while the clock goes on ticking.

Not a ThreadPoolExecutor: Python waits for its threads before it exits, and a download may take minutes.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from queue import Empty, SimpleQueue

import structlog

Errand = Callable[[], object]
"""Something to do once."""

log = structlog.get_logger()


class Crew:
    """Runs errands in the background, `size` at a time and never two of one name."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._waiting: SimpleQueue[tuple[str, Errand] | None] = SimpleQueue()
        self._taken: set[str] = set()
        self._begun: dict[str, float] = {}
        self._dismissed = False
        self._changed = threading.Condition()
        for number in range(size):
            threading.Thread(target=self._work, name=f"refresh {number}", daemon=True).start()

    def hand(self, name: str, errand: Errand) -> None:
        """Have an errand run, unless one of its name waits or runs already, or the crew is dismissed."""
        with self._changed:
            if not self._dismissed and name not in self._taken:
                self._taken.add(name)
                self._waiting.put((name, errand))

    def stuck(self, longest: timedelta) -> bool:
        """True if every thread has been at one errand for longer than that: nothing will run any more."""
        with self._changed:
            then = time.monotonic() - longest.total_seconds()
            return sum(begun < then for begun in self._begun.values()) == self._size

    def dismiss(self, grace: timedelta) -> bool:
        """Begin nothing more and wait for what runs, at most `grace`; False if something still runs."""
        with self._changed:
            self._dismissed = True
            self._forget_waiting()
            return self._changed.wait_for(lambda: not self._taken, grace.total_seconds())

    def _forget_waiting(self) -> None:
        try:
            while waiting := self._waiting.get_nowait():
                self._taken.discard(waiting[0])
        except Empty:
            for _ in range(self._size):
                self._waiting.put(None)

    def _work(self) -> None:
        while (taken := self._waiting.get()) is not None:
            name, errand = taken
            with self._changed:
                self._begun[name] = time.monotonic()
            try:
                errand()
            # The thread must outlive whatever a run does, an exit included; nobody else can report it.
            except BaseException:
                log.exception("errand not run", name=name)
            finally:
                with self._changed:
                    del self._begun[name]
                    self._taken.discard(name)
                    self._changed.notify_all()
