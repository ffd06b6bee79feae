from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from service.errors import LeaseLost
from service.store import jobs
from service.store.store import Store
from tests.conftest import day

SLOT, NOW, LEASE = day("2026-03-01"), day("2026-03-01T00:01"), timedelta(minutes=2)


def claim(store: Store, worker: str, now=NOW):
    return store.write(lambda c: jobs.claim(c, "refresh:x", SLOT, worker, now, LEASE))


def test_of_eight_workers_exactly_one_gets_the_slot(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda n: claim(store, f"w{n}"), range(8)))
    assert len([one for one in claims if one]) == 1


def test_a_slot_is_taken_over_only_after_its_lease(store: Store) -> None:
    claim(store, "first")
    assert claim(store, "second", NOW + LEASE - timedelta(seconds=1)) is None
    taken = claim(store, "second", NOW + LEASE)
    assert (taken.worker, taken.fence) == ("second", 2)


def test_a_worker_that_was_taken_over_can_neither_renew_nor_finish_nor_pass_the_fence(store: Store) -> None:
    held = claim(store, "first")
    claim(store, "second", NOW + LEASE)
    for late in (
        lambda c: jobs.renew(c, held, NOW, LEASE),
        lambda c: jobs.check_fence(c, held),
        lambda c: jobs.finish(c, held, "done", "", NOW),
    ):
        with pytest.raises(LeaseLost, match="was taken over or given up; nothing was kept"):
            store.write(late)


def test_a_finished_slot_is_closed_for_ever(store: Store) -> None:
    held = claim(store, "first")
    store.write(lambda c: jobs.finish(c, held, "done", "3 added", NOW))
    assert claim(store, "second", NOW + timedelta(days=9)) is None
    [run] = store.read(lambda c: jobs.runs(c, "refresh:x"))
    assert (run.state, run.outcome, run.finished_at) == ("done", "3 added", NOW)


def test_a_failed_slot_rests_longer_each_time_and_is_given_up_in_the_end(store: Store) -> None:
    now = NOW
    for attempt in range(1, jobs.MOST_ATTEMPTS + 1):
        held = claim(store, "w", now)
        assert held.fence == attempt
        store.write(lambda c, held=held, now=now: jobs.finish(c, held, "failed", "no route", now))
        now += jobs.rest(attempt)
        assert claim(store, "w", now - timedelta(seconds=1)) is None
    assert claim(store, "w", now) is None
    assert store.read(lambda c: jobs.open_slots(c, {"refresh:x": SLOT}, now)) == {}
    assert now - NOW > timedelta(days=7)
    assert [jobs.rest(n) for n in (1, 2, 20)] == [timedelta(minutes=15), timedelta(minutes=30), timedelta(days=1)]


def test_what_a_stopping_worker_gives_up_is_free_at_once_and_closed_to_itself(store: Store) -> None:
    held = claim(store, "stopping")
    others = store.write(lambda c: jobs.claim(c, "refresh:y", SLOT, "other", NOW, LEASE))
    assert store.write(lambda c: jobs.release(c, "stopping", NOW)) == 1
    with pytest.raises(LeaseLost):
        store.write(lambda c: jobs.check_fence(c, held))
    store.write(lambda c: jobs.check_fence(c, others))
    taken = claim(store, "second")
    assert (taken.worker, taken.fence) == ("second", 2)


def test_words_no_database_can_hold_do_not_keep_a_slot_open(store: Store) -> None:
    held = claim(store, "w")
    store.write(lambda c: jobs.finish(c, held, "failed", "odd\0 words" + "x" * 9000, NOW))
    [run] = store.read(lambda c: jobs.runs(c, "refresh:x"))
    assert (run.state, run.outcome[:10], len(run.outcome)) == ("failed", "odd wordsx", 2000)


def test_a_worker_silent_for_a_week_is_forgotten_when_another_begins(store: Store) -> None:
    for worker, moment in (("old", NOW), ("new", NOW + timedelta(days=8))):
        store.write(lambda c, w=worker, m=moment: jobs.tick(c, w, m))
    assert store.read(lambda c: c.exec_driver_sql("SELECT worker FROM worker").scalars().all()) == ["new"]


def test_a_heartbeat_is_one_row_per_worker(store: Store) -> None:
    assert store.read(jobs.last_tick) is None
    for minute in (1, 2):
        store.write(lambda c, m=minute: jobs.tick(c, "w", day(f"2026-03-01T00:0{m}")))
    assert store.read(jobs.last_tick) == day("2026-03-01T00:02")
