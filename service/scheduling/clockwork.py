"""APScheduler as the clock: it says "now" every so often; what is due, the ledger says."""

import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from pricing_sources.source import Source
from pricing_sources.transport import HttpTransport
from service.errors import ServiceError
from service.scheduling.crew import Crew
from service.scheduling.feeds import transport as transport_of
from service.scheduling.ledger import budget_job, due, due_budgets, due_goals, goal_job
from service.scheduling.post import PostOffice
from service.scheduling.worker import LONGEST, run_budget_slot, run_goal_slot, run_slot
from service.settings import Settings
from service.store import jobs
from service.store.store import Store
from service.usecases.agenda import tell_expiring
from service.usecases.notifications import deliver_due
from service.usecases.planners import Planner, planning_here
from service.usecases.sources import Feed, tell_stale

TICK: Final = timedelta(seconds=30)
MISSED_TICKS: Final = 3
"""After so many, the clock counts as dead."""
AT_ONCE: Final = 2
"""Feeds refreshed at the same time."""
WATCH: Final = timedelta(minutes=10)
"""How often to look for what time alone has done."""
GRACE: Final = timedelta(seconds=5)
"""How long a stop waits for running refreshes before it gives their slots up."""
LAST_WORDS: Final = timedelta(seconds=5)
"""How long a stop waits for the tick that has begun, and for the message that is being sent."""

log = structlog.get_logger()


class Scheduler:
    """Refreshes the feeds, prices the budgets, plans the standing goals, tells what happened.

    Any number of processes may run one over the same database.
    """

    def __init__(
        self,
        store: Store,
        sources: Sequence[Source],
        settings: Settings,
        clock: Callable[[], datetime],
        *,
        tick_every: timedelta = TICK,
        grace: timedelta = GRACE,
        transport: Callable[[Settings], HttpTransport] = transport_of,
        post: Callable[[Settings], PostOffice] = PostOffice,
        planner: Planner | None = None,
    ) -> None:
        self._store, self._sources, self._settings, self._clock = store, sources, settings, clock
        self._tick_every, self._grace, self._make_transport = tick_every, grace, transport
        self._make_post, self._planner = post, planner or planning_here(store)
        # A host name may have 64 characters; the ledger's column holds 80.
        self._worker = f"{socket.gethostname()[:48]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._ticking = threading.Lock()
        # Monotonic: a wall clock set back by a day would make a silent scheduler look alive all that day.
        self._ticked_at = time.monotonic()
        self._watched_at = datetime.min.replace(tzinfo=UTC)
        self._stopped = threading.Event()
        self._watchdog: threading.Thread | None = None

    def start(self) -> None:
        """Begin to tick; the first tick comes at once."""
        self._transport = self._make_transport(self._settings)
        self._crew, self._postman = Crew(AT_ONCE), Crew(1)
        self._post = self._make_post(self._settings)
        self._ticked_at = time.monotonic()
        self._clockwork = self._new_clockwork()
        self._watchdog = threading.Thread(target=self._watch, name="scheduler watchdog", daemon=True)
        self._watchdog.start()

    def stop(self) -> None:
        """Stop ticking; what still runs after the grace is given up, for another worker to claim at once.

        Whatever such a run does later, its fence keeps it from committing.
        """
        again = self._stopped.is_set()
        self._stopped.set()
        if self._watchdog is None or again:
            return
        self._watchdog.join()
        self._end_clockwork()
        # A tick that has begun reads the database; it is kept for good, so that no other begins.
        self._ticking.acquire(timeout=LAST_WORDS.total_seconds())
        if not self._crew.dismiss(self._grace):
            self._give_up()
        self._postman.dismiss(LAST_WORDS)  # what it was about to say is said again, under the same id
        self._transport.close()
        self._post.close()

    def healthy(self) -> bool:
        """True while it ticks and a thread is left to run what is due."""
        return self._watchdog is not None and self._silent_for() < self._patience and not self._crew.stuck(LONGEST)

    def tick(self) -> None:
        """Hand what is due to the crew; a slow download never keeps the clock waiting."""
        if not self._ticking.acquire(blocking=False):
            return  # the tick before still waits for the database
        try:
            self._hand_out(self._clock())
        except ServiceError as error:
            # The database may come back; a dead scheduler would not.
            log.warning("scheduler cannot read the ledger", reason=str(error))
        except Exception:
            log.exception("scheduler tick broke")
        finally:
            self._ticked_at = time.monotonic()
            self._ticking.release()

    def _hand_out(self, now: datetime) -> None:
        self._store.write(lambda c: jobs.tick(c, self._worker, now))
        slots = due(self._store, [Feed.of(source.info, self._settings) for source in self._sources], now)
        for source in self._sources:
            if source.info.id in slots:
                self._crew.hand(source.info.id, partial(self._run, source, slots[source.info.id]))
        for name, slot in due_budgets(self._store, now).items():
            self._crew.hand(budget_job(name), partial(self._run_budget, name, slot))
        for name, slot in due_goals(self._store, now).items():
            self._crew.hand(goal_job(name), partial(self._run_goal, name, slot))
        if now >= self._watched_at + WATCH:
            self._watched_at = now
            self._postman.hand("watch", partial(self._watch_out, now))
        self._postman.hand("deliveries", partial(deliver_due, self._store, self._post))

    def _watch_out(self, now: datetime) -> None:
        """Say what time alone has done: feeds that became stale, agreements that end soon."""
        tell_expiring(self._store, now)
        tell_stale(self._store, [Feed.of(source.info, self._settings) for source in self._sources], now)

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

    def _run_budget(self, name: str, slot: datetime) -> None:
        run_budget_slot(self._store, name, slot, clock=self._clock, worker=self._worker)

    def _run_goal(self, name: str, slot: datetime) -> None:
        run_goal_slot(self._store, name, slot, clock=self._clock, worker=self._worker, planner=self._planner)

    def _give_up(self) -> None:
        try:
            slots = self._store.write(lambda c: jobs.release(c, self._worker, self._clock()))
            log.warning("running refreshes given up", slots=slots)
        except ServiceError as error:
            log.warning("slots not given up; their leases will end", reason=str(error))

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

    def _end_clockwork(self) -> None:
        try:
            self._clockwork.shutdown(wait=False)
        except Exception:  # whatever state it died in, it is not used again
            log.exception("the scheduler's clock could not be shut down")

    @property
    def _patience(self) -> float:
        return (self._tick_every * MISSED_TICKS).total_seconds()

    def _silent_for(self) -> float:
        """Seconds since the last tick ended."""
        return time.monotonic() - self._ticked_at

    def _watch(self) -> None:
        """Restart the library's scheduler if its thread died or went silent: it says nothing when it does."""
        begun = time.monotonic()
        while not self._stopped.wait(self._tick_every.total_seconds()):
            thread = getattr(self._clockwork, "_thread", None)
            silent_for = min(self._silent_for(), time.monotonic() - begun)
            if thread is not None and thread.is_alive() and silent_for < self._patience:
                continue
            log.error("scheduler died and is started again", silent_seconds=round(self._silent_for(), 1))
            self._end_clockwork()
            begun = time.monotonic()
            try:
                self._clockwork = self._new_clockwork()
            except Exception:
                log.exception("scheduler not started; tried again soon")


def run_forever(
    store: Store,
    sources: Sequence[Source],
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    grace: timedelta = GRACE,
) -> None:
    """A scheduler in a process of its own, until SIGTERM or SIGINT."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    scheduler = Scheduler(store, sources, settings, clock, grace=grace)
    scheduler.start()
    log.info("scheduler runs", feeds=len(sources))
    over.wait()
    scheduler.stop()
