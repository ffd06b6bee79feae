"""What a look at a feed has to say, written in the transaction that found it."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from service.errors import LeaseLost
from service.settings import Settings
from service.store.store import Store
from service.usecases.events import list_events
from service.usecases.refresh import refresh
from service.usecases.sources import Feed, tell_stale
from tests.conftest import TickingClock, day
from tests.store.conftest import Learn, LineFeed


@pytest.fixture
def look(store: Store, feed: LineFeed, clock: TickingClock):
    def _look(*lines: str, on: str, **more) -> None:
        clock.set(day(on))
        feed.answer = "\n".join(lines).encode()
        refresh(store, feed, None, now=clock(), trigger="schedule", **more)

    return _look


def told(store: Store) -> list[tuple[str, str]]:
    return [(one.event.type, one.event.text) for one in reversed(list_events(store))]


def data(store: Store) -> dict:
    return json.loads(list_events(store)[0].event.data)  # noqa: TID251  reading as any receiver would


def test_prices_that_moved_are_one_event_with_the_largest_first(store: Store, look) -> None:
    look("h100 2.00", "a100 1.00", "t4 0.50", on="2026-03-01")
    assert told(store) == [], "the first look has nothing to compare with"
    look("h100 1.80", "a100 1.20", "t4 0.501", "b200 4.00", on="2026-03-02")
    assert told(store) == [("price.changed", "nimbus: 2 prices changed, most nimbus/a100/global/on_demand by +20.0%")]
    largest = data(store)["largest"]
    assert [(one["series"], one["before"], one["after"]) for one in largest] == [
        ("nimbus/a100/global/on_demand", "1", "1.2"),
        ("nimbus/h100/global/on_demand", "2", "1.8"),
    ]
    look("h100 1.80", "a100 1.20", "t4 0.501", "b200 4.00", on="2026-03-03")
    assert len(told(store)) == 1


def test_a_saved_document_tells_nothing_that_happened_now(store: Store, learn: Learn) -> None:
    learn("h100 2.00", on="2026-03-01")
    learn("h100 1.00", on="2026-03-02")
    assert told(store) == []


def test_rows_held_back_are_told_once_and_again_when_there_are_more(store: Store, look) -> None:
    look("h100 2.00", on="2026-03-01")
    look("h100 2.00", "a100 ?", on="2026-03-02")
    look("h100 2.00", "a100 ?", on="2026-03-03")
    look("h100 2.00", "a100 ?", "t4 ?", on="2026-03-04")
    assert told(store) == [
        ("price.quarantined", "nimbus: 1 row is held back; see: costplan quarantine ls --source nimbus"),
        ("price.quarantined", "nimbus: 2 rows are held back; see: costplan quarantine ls --source nimbus"),
    ]


def test_a_document_that_is_not_believed_is_told(store: Store, look) -> None:
    look("h100 2.00", "a100 1.00", "t4 1.00", on="2026-03-01")
    look("h100 2.00", "a100 1.00", "t4 1.00", on="2026-03-02")
    look("h100 2.00", on="2026-03-03")
    [(kind, text)] = told(store)
    assert (kind, "the document as a whole is not believed: nimbus: only 1 prices" in text) == (
        "price.quarantined",
        True,
    )


def test_a_feed_goes_stale_once_and_is_back_once(store: Store, look, feed: LineFeed) -> None:
    feeds = [Feed.of(feed.info, Settings({}))]

    def watch(moment: datetime) -> int:
        return tell_stale(store, feeds, moment)

    look("h100 2.00", on="2026-03-01")
    assert watch(day("2026-03-01T12:00")) == 0
    gone = day("2026-03-01") + timedelta(days=feed.info.cadence.stale_after + 1)
    assert [watch(gone), watch(gone), watch(gone + timedelta(days=3))] == [1, 0, 0]
    look("h100 2.00", on="2026-03-20")
    look("h100 2.00", on="2026-03-21")
    assert [kind for kind, _ in told(store)] == ["feed.stale", "feed.recovered"]
    assert watch(day("2026-04-20")) == 1
    assert [kind for kind, _ in told(store)] == ["feed.stale", "feed.recovered", "feed.stale"]


def test_a_feed_that_stands_still_is_told_once_and_is_back_when_it_moves(store: Store, look, feed: LineFeed) -> None:
    feed.info = replace(feed.info, cadence=replace(feed.info.cadence, newest_within=timedelta(days=4)))
    feeds = [Feed.of(feed.info, Settings({}))]
    look("h100 2.00 2026-03-01", on="2026-03-02")
    for number, said in ((5, 0), (6, 1), (7, 0)):
        look("h100 2.00 2026-03-01", f"x{number} -", on=f"2026-03-0{number}")
        assert tell_stale(store, feeds, day(f"2026-03-0{number}T12:00")) == said
    look("h100 2.00 2026-03-07", on="2026-03-09")
    assert told(store) == [
        (
            "feed.stale",
            "nimbus answers, but tells nothing newer than 2026-03-01 00:00Z, 2 publications after more was due",
        ),
        ("feed.recovered", "nimbus moves again; its newest figures were of 2026-03-01 00:00Z"),
    ]
    assert tell_stale(store, feeds, day("2026-03-09T12:00")) == 0


def test_a_feed_that_is_switched_off_or_was_never_read_is_not_stale(store: Store, look, feed: LineFeed) -> None:
    assert tell_stale(store, [Feed.of(feed.info, Settings({}))], day("2026-04-01")) == 0
    look("h100 2.00", on="2026-03-01")
    off = Feed.of(feed.info, Settings({"COSTPLAN_SOURCE_NIMBUS_ENABLED": "false"}))
    assert tell_stale(store, [off], day("2026-04-01")) == 0


def test_a_refresh_that_lost_its_slot_tells_nothing(store: Store, look) -> None:
    def lost(_: object) -> None:
        raise LeaseLost("taken over")

    look("h100 2.00", on="2026-03-01")
    with pytest.raises(LeaseLost):
        look("h100 1.00", on="2026-03-02", fence=lost)
    assert told(store) == []
