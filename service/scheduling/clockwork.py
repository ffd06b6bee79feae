"""APScheduler as the clock: it says "now" every so often; what is due, the ledger says."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from pricing_sources.source import Source
from pricing_sources.transport import HttpTransport
from service.errors import ServiceError
from service.scheduling.feeds import transport as transport_of
from service.scheduling.ledger import due
from service.scheduling.worker import run_slot
from service.settings import Settings
from service.store import jobs
from service.store.store import Store
from service.usecases.sources import Feed

TICK: Final = timedelta(seconds=30)
MISSED_TICKS: Final = 3
"""After so many, the clock counts as dead."""
AT_ONCE: Final = 2
"""Feeds refreshed at the same time."""

log = structlog.get_logger()


class Scheduler:
    """Refreshes the feeds of one process; any number of processes may run one over the same database."""

    def __init__(
        self,
        store: Store,
        sources: Sequence[Source],
        settings: Settings,
        clock: Callable[[], datetime],
        *,
        tick_every: timedelta = TICK,
        transport: Callable[[Settings], HttpTransport] = transport_of,
    ) -> None:
        self._store, self._sources, self._settings, self._clock = store, sources, settings, clock
        self._tick_every, self._make_transport = tick_every, transport
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"
        self._running: dict[str, Future[Any]] = {}
        self._ticked_at: datetime | None = None
        self._stopped = threading.Event()
        self._watchdog: threading.Thread | None = None

    def start(self) -> None:
        """Begin to tick; the first tick comes at once."""
        self._transport = self._make_transport(self._settings)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="refresh")
        self._ticked_at = self._clock()
        self._clockwork = self._new_clockwork()
        self._watchdog = threading.Thread(target=self._watch, name="scheduler watchdog", daemon=True)
        self._watchdog.start()

    def stop(self) -> None:
        """Stop ticking; what is being refreshed ends at its next transaction or is left to its lease."""
        self._stopped.set()
        if self._watchdog is None:
            return
        self._watchdog.join()
        self._clockwork.shutdown(wait=False)
        self._transport.close()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def healthy(self) -> bool:
        """True while it ticks."""
        return self._ticked_at is not None and self._clock() - self._ticked_at < self._tick_every * MISSED_TICKS

    def tick(self) -> None:
        """Hand what is due to the pool; a slow download never keeps the clock waiting."""
        now = self._clock()
        try:
            self._store.write(lambda c: jobs.tick(c, self._worker, now))
            feeds = [Feed.of(source.info, self._settings) for source in self._sources]
            slots = due(self._store, feeds, now)
        except ServiceError as error:
            # The database may come back; a dead scheduler would not.
            log.warning("scheduler cannot read the ledger", reason=str(error))
            return
        finally:
            self._ticked_at = now
        for source in self._sources:
            slot = slots.get(source.info.id)
            if slot is not None and not self._busy(source.info.id):
                self._running[source.info.id] = self._pool.submit(self._run, source, slot)

    def _run(self, source: Source, slot: datetime) -> None:
        run_slot(
            self._store,
            source,
            slot,
            self._transport,
            settings=self._settings,
            clock=self._clock,
            worker=self._worker,
        )

    def _busy(self, source_id: str) -> bool:
        future = self._running.get(source_id)
        return future is not None and not future.done()

    def _new_clockwork(self) -> BackgroundScheduler:
        clockwork = BackgroundScheduler(timezone=UTC)
        clockwork.add_job(
            self.tick,
            "interval",
            seconds=self._tick_every.total_seconds(),
            next_run_time=datetime.now(UTC),  # noqa: TID251  the library's own clock, not the product's
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
        clockwork.start()
        return clockwork

    def _watch(self) -> None:
        """Restart the library's scheduler if its thread died: it says nothing when it does."""
        while not self._stopped.wait(self._tick_every.total_seconds()):
            thread = getattr(self._clockwork, "_thread", None)
            if thread is not None and thread.is_alive() and self.healthy():
                continue
            log.error("scheduler died and is started again")
            try:
                self._clockwork.shutdown(wait=False)
            except Exception as error:  # noqa: BLE001  whatever state it died in
                log.warning("the dead scheduler could not be shut down", error=str(error))
            self._clockwork = self._new_clockwork()


def run_forever(store: Store, sources: Sequence[Source], settings: Settings, clock: Callable[[], datetime]) -> None:
    """A scheduler in a process of its own, until SIGTERM or SIGINT."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    scheduler = Scheduler(store, sources, settings, clock)
    scheduler.start()
    log.info("scheduler runs", feeds=len(sources))
    over.wait()
    scheduler.stop()
