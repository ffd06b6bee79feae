import re
import threading
import time
from datetime import timedelta

import pytest
import time_machine

from service.clock import now
from service.errors import Unavailable
from service.scheduling.clockwork import Scheduler
from service.settings import Settings
from service.store import jobs, refreshes
from service.store.store import Store
from tests.conftest import day
from tests.store.conftest import LineFeed

TICK = timedelta(seconds=0.1)
GRACE = timedelta(seconds=0.2)


class NoTransport:
    def close(self) -> None:
        pass


@pytest.fixture
def live_store(sqlite_url: str):
    opened = Store.open(sqlite_url, now)
    yield opened
    opened.close()


@pytest.fixture
def make():
    """`make(store, *feeds)`: a scheduler that is stopped when the test ends; ask for the store first."""
    made = []

    def _make(store: Store, *feeds: LineFeed) -> Scheduler:
        quick = {"tick_every": TICK, "grace": GRACE, "transport": lambda _: NoTransport()}
        made.append(Scheduler(store, feeds, Settings({}), now, **quick))
        return made[-1]

    yield _make
    for scheduler in made:
        scheduler.stop()


@pytest.fixture
def scheduler(live_store: Store, make, feed: LineFeed) -> Scheduler:
    feed.answer = b"h100 2.50"
    return make(live_store, feed)


@pytest.fixture
def hanging(feed: LineFeed):
    """A feed whose download lasts until the test ends; `hanging.asked` is set once it began."""
    gate, feed.asked = threading.Event(), threading.Event()
    feed.answer, original = b"h100 2.50", feed.fetch

    def fetch(transport, request):
        feed.asked.set()
        gate.wait(10)
        yield from original(transport, request)

    feed.fetch, feed.let_go = fetch, gate.set
    yield feed
    gate.set()


def wait_for(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def wait_for_ticks(scheduler: Scheduler, number: int = 3) -> None:
    """So many ticks more, however busy the machine."""
    for _ in range(number):
        seen = scheduler._ticked_at
        wait_for(lambda seen=seen: scheduler._ticked_at > seen)


def sealed(store: Store) -> list[str]:
    return sorted(one.source for one in store.read(lambda c: refreshes.newest(c)) if one.status == "sealed")


def states(store: Store) -> list[str]:
    return [one.state for one in store.read(lambda c: jobs.runs(c))]


def test_a_running_scheduler_refreshes_what_is_due_and_says_it_lives(live_store: Store, scheduler: Scheduler) -> None:
    assert not scheduler.healthy()
    scheduler.start()
    wait_for(lambda: live_store.read(lambda c: refreshes.newest(c)))
    wait_for(scheduler.healthy)
    assert live_store.read(jobs.last_tick) is not None
    wait_for_ticks(scheduler)
    assert sealed(live_store) == ["nimbus"]


def test_a_feed_that_breaks_does_not_stop_the_others(live_store: Store, make) -> None:
    broken, exiting, good = LineFeed("broken"), LineFeed("exiting"), LineFeed("good")
    broken.answer, good.answer = b"broken now", b"h100 2.50"

    def leave(*_):
        raise SystemExit(3)

    exiting.fetch = leave
    make(live_store, broken, exiting, good).start()
    wait_for(lambda: sorted(states(live_store)) == ["done", "failed", "failed"])
    assert sealed(live_store) == ["good"]


def test_two_schedulers_over_one_database_run_each_slot_once(store: Store, make) -> None:
    feeds = [LineFeed(name) for name in ("one", "two", "three")]
    for feed in feeds:
        feed.answer = b"h100 2.50"
    schedulers = [make(store, *feeds) for _ in range(2)]
    for scheduler in schedulers:
        scheduler.start()
    wait_for(lambda: states(store) == ["done"] * 3)
    for scheduler in schedulers:
        wait_for_ticks(scheduler)
    assert sealed(store) == ["one", "three", "two"]


def test_a_slow_download_keeps_neither_the_clock_nor_another_feed_waiting(live_store: Store, make, hanging) -> None:
    quick = LineFeed("quick")
    quick.answer = b"h100 2.50"
    scheduler = make(live_store, hanging, quick)
    scheduler.start()
    assert hanging.asked.wait(30)
    wait_for(lambda: sealed(live_store) == ["quick"])
    wait_for_ticks(scheduler)
    assert sealed(live_store) == ["quick"]


def test_a_stop_gives_a_running_download_up_within_its_grace_and_nothing_of_it_is_kept(
    live_store: Store, make, hanging
) -> None:
    scheduler = make(live_store, hanging)
    scheduler.start()
    assert hanging.asked.wait(30)
    before = time.monotonic()
    scheduler.stop()
    assert time.monotonic() - before < 2
    [run] = live_store.read(lambda c: jobs.runs(c))
    assert (run.state, run.outcome) == ("failed", "given up: the scheduler stopped")
    hanging.let_go()
    wait_for(lambda: not scheduler._crew._taken)
    assert sealed(live_store) == []
    assert live_store.write(lambda c: jobs.claim(c, run.job, run.slot, "next", now(), timedelta(1))).fence == 2


def test_a_clock_that_was_shut_down_is_started_again(scheduler: Scheduler) -> None:
    scheduler.start()
    wait_for(scheduler.healthy)
    dead = scheduler._clockwork
    dead.shutdown(wait=False)
    wait_for(lambda: scheduler._clockwork is not dead)
    wait_for(scheduler.healthy)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_clock_whose_thread_died_silently_is_started_again(scheduler: Scheduler, monkeypatch) -> None:
    scheduler.start()
    dead = scheduler._clockwork

    def die() -> None:
        raise RuntimeError("the job store raised during a commit")

    # Not only its silence gives it away: a dead thread is noticed before three ticks are missed.
    monkeypatch.setattr(scheduler, "_silent_for", lambda: 0.0)
    monkeypatch.setattr(dead, "_process_jobs", die)
    dead.wakeup()
    wait_for(lambda: scheduler._clockwork is not dead)
    wait_for_ticks(scheduler)


def test_a_wall_clock_set_back_by_a_day_silences_nothing_for_long(scheduler: Scheduler) -> None:
    with time_machine.travel(day("2026-11-20"), tick=True) as wall:
        scheduler.start()
        wait_for(scheduler.healthy)
        wall.shift(timedelta(days=-1))
        wait_for_ticks(scheduler)
        scheduler.stop()


def test_a_scheduler_that_ticks_no_more_is_not_healthy(scheduler: Scheduler, monkeypatch) -> None:
    monkeypatch.setattr(scheduler, "_hand_out", lambda _: time.sleep(1))
    scheduler.start()
    wait_for(lambda: not scheduler.healthy())
    wait_for(scheduler.healthy)


def test_a_scheduler_without_a_thread_left_is_not_healthy(scheduler: Scheduler, monkeypatch) -> None:
    scheduler.start()
    wait_for(scheduler.healthy)
    monkeypatch.setattr(scheduler._crew, "stuck", lambda longest: longest == timedelta(hours=2))
    assert not scheduler.healthy()


@pytest.mark.parametrize("error", [Unavailable("gone"), RuntimeError("nobody expected this")])
def test_a_ledger_that_cannot_be_read_does_not_kill_the_clock(
    live_store: Store, scheduler: Scheduler, monkeypatch, error
) -> None:
    def gone(*_args):
        raise error

    with monkeypatch.context() as database:
        database.setattr("service.scheduling.clockwork.due", gone)
        scheduler.start()
        wait_for_ticks(scheduler)
        assert sealed(live_store) == []
    wait_for(lambda: sealed(live_store) == ["nimbus"])


def test_a_long_host_name_fits_the_ledger(store: Store, make, monkeypatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "a" * 64)
    make(store).tick()
    [name] = store.read(lambda c: c.exec_driver_sql("SELECT worker FROM worker").scalars().all())
    assert re.fullmatch(r"a{48}:\d+:[0-9a-f]{8}", name)


def test_a_scheduler_that_never_started_can_be_stopped(scheduler: Scheduler) -> None:
    scheduler.stop()
    assert not scheduler.healthy()
