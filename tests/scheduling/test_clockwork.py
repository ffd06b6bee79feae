import time
from datetime import timedelta

import pytest

from service.clock import now
from service.scheduling.clockwork import Scheduler
from service.settings import Settings
from service.store import jobs, refreshes
from service.store.store import Store
from tests.store.conftest import LineFeed

TICK = timedelta(seconds=0.1)


class NoTransport:
    def close(self) -> None:
        pass


@pytest.fixture
def live_store(sqlite_url: str):
    opened = Store.open(sqlite_url, now)
    yield opened
    opened.close()


@pytest.fixture
def scheduler(live_store: Store, feed: LineFeed):
    feed.answer = b"h100 2.50"
    made = Scheduler(live_store, [feed], Settings({}), now, tick_every=TICK, transport=lambda _: NoTransport())
    yield made
    made.stop()


def wait_for(condition) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_running_scheduler_refreshes_what_is_due_and_says_it_lives(live_store: Store, scheduler: Scheduler) -> None:
    assert not scheduler.healthy()
    scheduler.start()
    wait_for(lambda: live_store.read(lambda c: refreshes.newest(c)))
    assert scheduler.healthy()
    assert live_store.read(jobs.last_tick) is not None
    time.sleep(0.3)
    assert len(live_store.read(lambda c: refreshes.newest(c))) == 1


def test_a_clock_that_died_is_started_again(scheduler: Scheduler) -> None:
    scheduler.start()
    wait_for(scheduler.healthy)
    dead = scheduler._clockwork
    dead.shutdown(wait=False)
    wait_for(lambda: scheduler._clockwork is not dead)
    wait_for(scheduler.healthy)


def test_a_database_that_goes_away_does_not_kill_the_clock(scheduler: Scheduler, monkeypatch) -> None:
    from service.errors import Unavailable

    def gone(*_args, **_more):
        raise Unavailable("gone")

    scheduler.start()
    wait_for(scheduler.healthy)
    monkeypatch.setattr("service.scheduling.clockwork.due", gone)
    time.sleep(0.3)
    assert scheduler.healthy()
