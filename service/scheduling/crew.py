"""The hands of a scheduler: a few threads that run slots while the clock goes on ticking.

Not a ThreadPoolExecutor: Python waits for its threads before it exits, and a download may take minutes.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

import structlog

from pricing_sources.source import Source

Errand = tuple[Source, datetime]
"""A source and the slot to run of it."""

log = structlog.get_logger()


class Crew:
    """Runs slots in the background, `size` at a time and never two of one source."""

    def __init__(self, run: Callable[[Source, datetime], object], size: int) -> None:
        self._run, self._size = run, size
        self._waiting: SimpleQueue[Errand | None] = SimpleQueue()
        self._taken: set[str] = set()
        self._begun: dict[str, float] = {}
        self._dismissed = False
        self._changed = threading.Condition()
        for number in range(size):
            threading.Thread(target=self._work, name=f"refresh {number}", daemon=True).start()

    def hand(self, source: Source, slot: datetime) -> None:
        """Have a slot run, unless its source waits or runs already, or the crew is dismissed."""
        with self._changed:
            if not self._dismissed and source.info.id not in self._taken:
                self._taken.add(source.info.id)
                self._waiting.put((source, slot))

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
            while errand := self._waiting.get_nowait():
                self._taken.discard(errand[0].info.id)
        except Empty:
            for _ in range(self._size):
                self._waiting.put(None)

    def _work(self) -> None:
        while (errand := self._waiting.get()) is not None:
            source, slot = errand
            with self._changed:
                self._begun[source.info.id] = time.monotonic()
            try:
                self._run(source, slot)
            # The thread must outlive whatever a run does, an exit included; nobody else can report it.
            except BaseException:
                log.exception("slot not run", source=source.info.id, slot=slot.isoformat())
            finally:
                with self._changed:
                    del self._begun[source.info.id]
                    self._taken.discard(source.info.id)
                    self._changed.notify_all()
