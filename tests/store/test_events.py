"""The log of events: once each, in the order they become visible."""

from dataclasses import replace

import pytest

from service.domain.events import Event
from service.errors import Invalid
from service.store import events
from service.store.events import Wanted
from service.store.store import Store
from service.usecases.events import list_events
from tests.conftest import day

ONE = Event(
    type="feed.stale", subject="ecb", key="2026-03-01", occurred_at=day("2026-03-01"), text="ecb is stale", data=b"{}"
)
TWO = replace(ONE, key="2026-03-08", notify=("ops",))
OTHER = replace(ONE, type="price.changed", subject="h100")


def record(store: Store, *said: Event) -> None:
    store.write(lambda c: events.record(c, said, day("2026-03-09")))


def keys(found) -> list[str]:
    return [f"{one.event.type} {one.event.key}" for one in found]


def test_an_event_is_written_once_however_often_it_is_said(store: Store) -> None:
    record(store, ONE)
    record(store, ONE, TWO)
    found = list_events(store)
    assert [one.event for one in found] == [TWO, ONE]
    assert found[0].uid == TWO.uid != ONE.uid


def test_a_reader_goes_on_where_it_stopped(store: Store) -> None:
    record(store, ONE, TWO)
    first, second = list_events(store, after=0)
    record(store, OTHER)
    assert [one.event for one in list_events(store, after=second.event_id)] == [OTHER]
    assert list_events(store, after=first.event_id, limit=1) == [second]


def test_only_some_types_or_one_subject_can_be_asked_for(store: Store) -> None:
    record(store, ONE, TWO, OTHER)
    assert [one.event for one in list_events(store, ["price.changed"])] == [OTHER]
    assert [one.event for one in list_events(store, subject="ecb")] == [TWO, ONE]
    found = store.read(lambda c: events.after(c, 0, only=Wanted(types=("feed.stale",), subject="h100")))
    assert found == []


def test_a_type_there_is_not_is_answered_with_those_there_are(store: Store) -> None:
    with pytest.raises(Invalid, match=r"'feed.stael' is no type of event; there are estimate.moved"):
        list_events(store, ["feed.stael"])


def test_what_is_rolled_back_was_never_said(store: Store) -> None:
    def breaks(connection) -> None:
        events.record(connection, [ONE], day("2026-03-09"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(breaks)
    assert list_events(store) == []
