import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from pricing_sources.registry import source_by_id
from pricing_sources.source import Cadence, Document, FetchRequest, Missing
from service import clock as wall
from service.scheduling.ledger import due, jitter, newest_slot
from service.scheduling.worker import run_slot
from service.settings import Settings
from service.store import jobs, refreshes
from service.store.store import Store
from service.usecases.refresh import refresh
from service.usecases.sources import Feed, missed_publications
from tests.conftest import day
from tests.store.conftest import Learn, LineFeed

SETTINGS = Settings({})
DAILY = Cadence(cron="0 6 * * *")


def slots(store: Store, feed: LineFeed, now: str) -> dict:
    return due(store, [Feed.of(feed.info, SETTINGS)], day(now))


def run(store: Store, feed: LineFeed, clock, now: str):
    clock.set(day(now))
    found = slots(store, feed, now).get("nimbus")
    if found is None:
        return None
    return run_slot(store, feed, found, None, settings=SETTINGS, clock=clock, worker="w")


def test_a_feed_never_read_is_due_at_once(store: Store, feed: LineFeed) -> None:
    assert slots(store, feed, "2026-03-01T05:00") == {"nimbus": day("2026-02-28T06:00")}


def test_a_slot_that_ran_is_not_due_again_and_the_next_one_is(store: Store, feed: LineFeed, clock) -> None:
    feed.answer = b"h100 2.50"
    assert run(store, feed, clock, "2026-03-01T06:00").status == "sealed"
    assert run(store, feed, clock, "2026-03-02T05:59") is None
    assert run(store, feed, clock, "2026-03-02T06:00").status == "sealed"


def test_a_slot_that_was_read_in_part_is_done_and_says_what_was_missing(store: Store, clock) -> None:
    class InPart(LineFeed):
        def fetch(self, transport: object, request: FetchRequest) -> Iterator[Document | Missing]:
            yield from super().fetch(transport, request)
            yield Missing("https://nimbus.example/more: answered 404")

    feed = InPart()
    feed.answer = b"h100 2.50"
    with capture_logs() as logged:
        assert run(store, feed, clock, "2026-03-01T06:00").status == "sealed"
    [ended] = store.read(lambda c: jobs.runs(c))
    missing = "1 of 2 documents could not be had: https://nimbus.example/more: answered 404"
    assert (ended.state, ended.outcome) == ("done", missing)
    [told] = [one for one in logged if one.get("source") == "nimbus"]
    assert (told["event"], told["log_level"], told["reason"]) == ("feed read in part", "warning", missing)


def test_a_week_down_is_one_catch_up_run(store: Store, feed: LineFeed, clock) -> None:
    feed.answer = b"h100 2.50"
    run(store, feed, clock, "2026-03-01T06:00")
    assert run(store, feed, clock, "2026-03-09T12:00") is not None
    assert run(store, feed, clock, "2026-03-09T12:05") is None
    assert len(store.read(lambda c: jobs.runs(c))) == 2


def test_a_process_that_restarts_every_five_minutes_still_refreshes_daily(store: Store, feed: LineFeed, clock) -> None:
    feed.answer = b"h100 2.50"
    now, ran = day("2026-03-01T06:00"), 0
    while now < day("2026-03-03T06:00"):
        ran += run(store, feed, clock, now.strftime("%Y-%m-%dT%H:%M")) is not None
        now += timedelta(minutes=5)
    assert ran == 2


def test_a_clock_a_day_ahead_for_a_while_runs_no_slot_twice_and_loses_one_at_most(
    store: Store, feed: LineFeed, clock
) -> None:
    feed.answer = b"h100 2.50"
    ran = [
        now
        for now in ("01T06:00", "03T06:00", "02T06:10", "03T06:00", "03T06:10", "04T06:00")
        if run(store, feed, clock, f"2026-03-{now}")
    ]
    assert ran == ["01T06:00", "03T06:00", "02T06:10", "04T06:00"]


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(hours=-1)])
def test_a_clock_that_jumps_back_runs_no_slot_twice(store: Store, feed: LineFeed, clock, jump: timedelta) -> None:
    feed.answer = b"h100 2.50"
    for now in ("2026-03-01T06:00", "2026-03-02T06:00"):
        run(store, feed, clock, now)
    back = (day("2026-03-02T06:30") + jump).strftime("%Y-%m-%dT%H:%M")
    assert run(store, feed, clock, back) is None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-29T01:00", "2026-03-28T01:30"),
        ("2026-03-30T01:00", "2026-03-30T00:30"),
        ("2026-10-25T02:00", "2026-10-25T00:30"),
        ("2026-10-26T02:00", "2026-10-26T01:30"),
    ],
)
def test_a_local_time_keeps_its_hour_across_both_clock_changes(now: str, expected: str) -> None:
    """02:30 in Berlin does not exist on 2026-03-29 and happens twice on 2026-10-25: no slot is lost or doubled."""
    berlin = Cadence(cron="30 2 * * *", timezone="Europe/Berlin")
    found = newest_slot(berlin, "j", day(now))
    assert found == day(expected)


@pytest.mark.parametrize("month", ["2026-03-27", "2026-10-23"])
def test_a_week_with_a_clock_change_has_seven_slots_of_a_daily_feed(month: str) -> None:
    berlin = Cadence(cron="30 2 * * *", timezone="Europe/Berlin")
    moments = [day(month) + timedelta(minutes=15 * n) for n in range(7 * 24 * 4)]
    assert len({newest_slot(berlin, "j", moment) for moment in moments}) == 7 + 1


def test_a_feed_of_every_hour_has_both_hours_of_a_night_that_repeats_one() -> None:
    berlin = Cadence(cron="7 * * * *", timezone="Europe/Berlin")
    moments = [day("2026-10-25T00:10") + timedelta(hours=n) for n in range(3)]
    expected = [day(f"2026-10-25T0{hour}:07") for hour in range(3)]
    assert [newest_slot(berlin, "j", moment) for moment in moments] == expected


def test_every_process_agrees_on_the_jitter_of_a_slot() -> None:
    spread = replace(DAILY, jitter=timedelta(hours=1))
    one = jitter(spread, "refresh:x", day("2026-03-01T06:00"))
    assert one == jitter(spread, "refresh:x", day("2026-03-01T06:00"))
    assert timedelta(0) <= one < timedelta(hours=1)
    assert one != jitter(spread, "refresh:x", day("2026-03-02T06:00"))
    assert newest_slot(spread, "refresh:x", day("2026-03-01T06:00")) == day("2026-02-28T06:00")


def test_a_feed_that_fails_keeps_its_last_good_prices(store: Store, feed: LineFeed, clock, learn: Learn) -> None:
    learn("h100 2.50", on="2026-03-01")
    feed.answer = b"<html>"
    failed = run(store, feed, clock, "2026-03-02T06:00")

    assert failed.status == "failed"
    [entry] = store.read(lambda c: jobs.runs(c))
    assert (entry.state, entry.outcome) == ("failed", failed.error)
    assert store.read(refreshes.records)["nimbus"].last_good_at.date() == day("2026-03-01").date()


def test_a_refresh_that_exits_is_written_down_and_harms_nobody(
    store: Store, feed: LineFeed, clock, monkeypatch
) -> None:
    monkeypatch.setattr(feed, "fetch", lambda *_: (_ for _ in ()).throw(SystemExit(3)))
    assert run(store, feed, clock, "2026-03-02T06:00") is None
    [entry] = store.read(lambda c: jobs.runs(c))
    assert (entry.state, entry.outcome) == ("failed", "SystemExit: 3")


def test_a_worker_that_was_taken_over_mid_download_keeps_nothing(store: Store, feed: LineFeed, clock) -> None:
    feed.answer = b"h100 2.50"
    original = feed.fetch

    def slow(transport, request):
        clock.set(clock() + timedelta(hours=1))
        store.write(lambda c: jobs.claim(c, "refresh:nimbus", day("2026-03-02T06:00"), "rival", clock(), timedelta(1)))
        yield from original(transport, request)

    feed.fetch = slow
    assert run(store, feed, clock, "2026-03-02T06:00") is None
    for table in ("refresh", "document", "document_fetch", "gpu_series", "gpu_observation"):
        assert store.read(lambda c, t=table: c.exec_driver_sql(f"SELECT count(*) FROM {t}").scalar()) == 0, table
    [entry] = store.read(lambda c: jobs.runs(c))
    assert (entry.worker, entry.state) == ("rival", "running")


def test_a_refresh_by_hand_during_a_scheduled_one_stores_each_price_once(store: Store, feed: LineFeed, clock) -> None:
    feed.answer = b"h100 2.50"
    original = feed.fetch

    def meanwhile(transport, request):
        feed.fetch = original
        assert refresh(store, feed, None, now=clock(), trigger="manual").added == 1
        yield from original(transport, request)

    feed.fetch = meanwhile
    scheduled = run(store, feed, clock, "2026-03-02T06:00")
    assert (scheduled.status, scheduled.added) == ("sealed", 0)
    assert store.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM gpu_observation").scalar()) == 1


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_lease_is_held_for_as_long_as_the_download_takes(store: Store, feed: LineFeed, clock) -> None:
    feed.answer = b"h100 2.50"
    original, slot, lease = feed.fetch, day("2026-03-02T06:00"), timedelta(seconds=1.2)
    rivals = []

    def slow(transport, request):
        for _ in range(8):
            time.sleep(0.2)
            rivals.append(store.write(lambda c: jobs.claim(c, "refresh:nimbus", slot, "rival", wall.now(), lease)))
        yield from original(transport, request)

    feed.fetch = slow
    done = run_slot(store, feed, slot, None, settings=SETTINGS, clock=wall.now, worker="w", lease=lease)
    assert done.status == "sealed"
    assert rivals == [None] * 8


def test_a_run_that_hangs_loses_its_lease(store: Store, feed: LineFeed, monkeypatch) -> None:
    monkeypatch.setattr("service.scheduling.worker.LONGEST", timedelta(0))
    slot, lease = day("2026-03-02T06:00"), timedelta(seconds=0.1)

    def hanging(transport, request):
        time.sleep(0.3)
        assert store.write(lambda c: jobs.claim(c, "refresh:nimbus", slot, "rival", wall.now(), timedelta(1)))
        yield from ()

    feed.fetch = hanging
    assert run_slot(store, feed, slot, None, settings=SETTINGS, clock=wall.now, worker="w", lease=lease) is None
    [entry] = store.read(lambda c: jobs.runs(c))
    assert entry.worker == "rival"


def test_a_failed_slot_is_due_again_after_its_rest(store: Store, feed: LineFeed, clock) -> None:
    feed.answer = b"broken now"
    moments = [(day("2026-03-02T06:00") + timedelta(minutes=5 * n)).strftime("%Y-%m-%dT%H:%M") for n in range(24)]
    ran = [moment[11:] for moment in moments if run(store, feed, clock, moment)]
    assert ran == ["06:00", "06:20", "06:55"]  # after rests of 15 and 30 minutes
    feed.answer = b"h100 2.50"
    assert run(store, feed, clock, "2026-03-03T06:00").status == "sealed"


def test_a_disabled_feed_is_not_asked_on_schedule(store: Store, feed: LineFeed) -> None:
    off = Settings({"COSTPLAN_SOURCE_NIMBUS_ENABLED": "false"})
    assert due(store, [Feed.of(feed.info, off)], day("2026-03-01")) == {}


def test_a_bundled_feed_is_looked_at_again_because_a_new_release_may_carry_more(store: Store, feed: LineFeed) -> None:
    bundled = replace(feed.info, bundled=True)
    assert due(store, [Feed.of(bundled, SETTINGS)], day("2026-03-01")) != {}


def test_staleness_counts_missed_publications_not_hours() -> None:
    weekdays = Cadence(cron="15 16 * * mon-fri", timezone="Europe/Berlin")
    friday = day("2026-03-06T15:30")
    assert missed_publications(weekdays, friday, day("2026-03-09T15:00")) == 0
    assert missed_publications(weekdays, friday, day("2026-03-09T15:30")) == 1


def test_a_rate_from_before_easter_is_the_newest_there_is_until_the_day_after_it() -> None:
    cadence = source_by_id("ecb").info.cadence
    thursday, tuesday = day("2026-04-02T14:00"), day("2026-04-07T14:00")
    assert missed_publications(cadence, tuesday, tuesday, thursday) == 0
    assert missed_publications(cadence, day("2026-04-09T15:00"), day("2026-04-09T15:00"), thursday) == 3
