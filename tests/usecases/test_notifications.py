"""Notifications: every event reaches every target that wants it, at least once, under one id, or ends as dead."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from service.domain.events import Event
from service.domain.notifications import WAITS, Target, rest_after
from service.errors import Invalid, NotFound
from service.scheduling.post import PostOffice
from service.settings import Settings
from service.store import events
from service.store.store import Store
from service.usecases.notifications import (
    LEASE,
    deliver_due,
    get_target,
    list_deliveries,
    list_targets,
    put_target,
    replay_delivery,
    try_target,
)
from tests.conftest import TickingClock, day
from tests.notifying.conftest import Receiver, receiver

__all__ = ["receiver"]
NOON = day("2026-11-02T12:00")
SECRET = {"COSTPLAN_TARGET_OPS_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
PRIVATE = {"COSTPLAN_NOTIFY_PRIVATE_ADDRESSES": "true"}


def target(url: str | None, **more) -> Target:
    return Target(**{"name": "ops", "kind": "webhook", "url": url} | more)


def happens(store: Store, key: str = "1", at: datetime = NOON, **more) -> Event:
    about = {
        "type": "budget.exceeded",
        "subject": "tuning",
        "text": "tuning is over its limit",
        "data": b'{"spent":"9"}',
    }
    event = Event(**about | {"key": key, "occurred_at": at} | more)
    store.write(lambda c: events.record(c, [event], at))
    return event


@pytest.fixture
def at_noon(clock: TickingClock) -> TickingClock:
    clock.set(NOON)
    return clock


@pytest.fixture
def post() -> Iterator[PostOffice]:
    with PostOffice(Settings(SECRET | PRIVATE)) as made:
        yield made


@pytest.fixture
def told(store: Store, receiver: Receiver, at_noon: TickingClock) -> Receiver:
    put_target(store, target(receiver.url), now=NOON)
    return receiver


def states(store: Store) -> list[tuple[str, int]]:
    return [(one.state, one.attempts) for one in list_deliveries(store)]


def test_an_event_is_told_once_whoever_asks_how_often(store: Store, told: Receiver, post: PostOffice) -> None:
    event = happens(store)
    assert deliver_due(store, post).delivered == 1
    assert deliver_due(store, post).delivered == 0
    [sent] = told.events
    assert (sent["type"], sent["data"]["subject"], sent["data"]["data"]) == (
        "budget.exceeded",
        "tuning",
        {"spent": "9"},
    )
    assert told.ids == [f"msg_{event.uid[:32]}"]
    assert states(store) == [("delivered", 1)]


def test_what_happened_before_a_target_was_kept_is_not_told(
    store: Store, receiver: Receiver, at_noon: TickingClock, post: PostOffice
) -> None:
    happens(store, "before")
    put_target(store, target(receiver.url), now=NOON)
    put_target(store, target(receiver.url, subjects=("tuning",)), now=NOON)
    happens(store, "after")
    assert deliver_due(store, post).delivered == 1
    assert [one["data"]["event_id"] for one in receiver.events] == [2]


@pytest.mark.parametrize(
    ("wish", "wanted"),
    [
        ({}, True),
        ({"types": ("budget.exceeded",)}, True),
        ({"types": ("feed.stale",)}, False),
        ({"subjects": ("tuning",)}, True),
        ({"subjects": ("other",)}, False),
        ({"enabled": False}, False),
    ],
)
def test_a_target_is_told_what_it_asked_for(
    store: Store, receiver: Receiver, at_noon: TickingClock, post: PostOffice, wish: dict, wanted: bool
) -> None:
    put_target(store, target(receiver.url, **wish), now=NOON)
    happens(store)
    assert deliver_due(store, post).delivered == len(receiver.got) == int(wanted)


def test_an_event_that_names_its_targets_is_told_to_them_alone(store: Store, told: Receiver, post: PostOffice) -> None:
    happens(store, "1", notify=("finance",))
    happens(store, "2", notify=("finance", "ops"))
    assert deliver_due(store, post).delivered == 1
    assert [one["data"]["event_id"] for one in told.events] == [2]


def test_a_receiver_that_fails_is_asked_again_later_under_the_same_id_until_it_is_dead(
    store: Store, told: Receiver, post: PostOffice, at_noon: TickingClock
) -> None:
    event = happens(store)
    told.answers = [(500, {})] * 20
    moment = NOON
    for attempt, wait in enumerate(WAITS, start=1):
        at_noon.set(moment)
        assert deliver_due(store, post).failed == 1
        assert deliver_due(store, post).failed == 0, "not before its rest is over"
        rest = rest_after(attempt, event.uid)
        assert wait <= rest <= wait * 1.2
        due_at = list_deliveries(store)[0].due_at
        assert rest <= due_at - moment < rest + timedelta(seconds=1)
        moment = due_at
    at_noon.set(moment)
    assert deliver_due(store, post).dead == 1
    [dead] = list_deliveries(store, state="dead")
    assert (dead.attempts, dead.outcome) == (len(WAITS) + 1, "127.0.0.1 answered 500")
    assert len(set(told.ids)) == 1

    told.answers = []
    replay_delivery(store, dead.delivery_id, now=moment)
    assert deliver_due(store, post).delivered == 1
    assert len(set(told.ids)) == 1
    assert states(store) == [("delivered", 1)]


def test_a_receiver_that_is_gone_for_good_is_left_alone(store: Store, told: Receiver, post: PostOffice) -> None:
    happens(store)
    told.answers = [(410, {})]
    assert deliver_due(store, post).dead == 1
    assert states(store) == [("dead", 1)]


def test_a_receiver_is_given_the_time_it_asks_for(
    store: Store, told: Receiver, post: PostOffice, at_noon: TickingClock
) -> None:
    happens(store)
    told.answers = [(429, {"retry-after": "3600"})]
    deliver_due(store, post)
    [waiting] = list_deliveries(store, state="waiting")
    assert waiting.due_at >= NOON + timedelta(hours=1)


def test_one_target_that_fails_keeps_no_other_waiting(
    store: Store, told: Receiver, post: PostOffice, at_noon: TickingClock
) -> None:
    put_target(store, Target(name="broken", kind="slack"), now=NOON)
    happens(store)
    done = deliver_due(store, post)
    assert (done.delivered, done.failed) == (1, 1)
    [waiting] = list_deliveries(store, state="waiting")
    assert waiting.outcome == "the target has no url and COSTPLAN_TARGET_BROKEN_URL is not set"


def test_many_workers_at_once_tell_each_event_once(store: Store, told: Receiver, post: PostOffice) -> None:
    for number in range(12):
        happens(store, str(number))
    crew = [threading.Thread(target=deliver_due, args=(store, post)) for _ in range(4)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    assert sorted(one["data"]["event_id"] for one in told.events) == list(range(1, 13))
    assert {state for state, _ in states(store)} == {"delivered"}


def deliver_in_a_process(url: str, at: datetime, pid: "multiprocessing.Queue[int]") -> None:
    pid.put(os.getpid())
    store = Store.open(url, TickingClock(at))
    with PostOffice(Settings(SECRET | PRIVATE)) as post:
        deliver_due(store, post)


def test_a_process_killed_while_it_sends_loses_nothing_and_says_it_again_under_the_same_id(
    store: Store, told: Receiver, post: PostOffice, at_noon: TickingClock
) -> None:
    event = happens(store)
    spawn = multiprocessing.get_context("spawn")
    pid = spawn.Queue()
    url = store.engine.url.render_as_string(hide_password=False)
    sender = spawn.Process(target=deliver_in_a_process, args=(url, NOON, pid))
    told.upon = lambda: os.kill(number, signal.SIGKILL)  # after the message arrived, before it was answered
    sender.start()
    number = pid.get(timeout=60)
    sender.join(60)
    assert sender.exitcode == -signal.SIGKILL
    assert states(store) == [("waiting", 1)]

    told.upon = lambda: None
    assert deliver_due(store, post).delivered == 0, "its lease is not over"
    at_noon.set(NOON + LEASE + timedelta(seconds=10))
    assert deliver_due(store, post).delivered == 1
    assert told.ids == [f"msg_{event.uid[:32]}"] * 2
    assert states(store) == [("delivered", 2)]


def test_a_slow_worker_that_was_given_up_does_not_undo_what_another_did(
    store: Store, told: Receiver, post: PostOffice, at_noon: TickingClock
) -> None:
    happens(store)

    def meanwhile() -> None:
        told.upon = lambda: None
        at_noon.set(NOON + LEASE + timedelta(seconds=10))
        deliver_due(store, post)
        told.answers = [(500, {})]

    told.upon = meanwhile
    deliver_due(store, post)
    assert states(store) == [("delivered", 2)]


def test_a_trial_is_sent_and_nothing_is_kept(store: Store, told: Receiver, post: PostOffice) -> None:
    assert try_target(store, post, "ops", now=NOON).sent
    assert "webhook-signature" in told.got[0][1]
    told.answers = [(500, {})]
    failed = try_target(store, post, "ops", now=NOON)
    assert (failed.sent, failed.outcome) == (False, "127.0.0.1 answered 500")
    assert list_deliveries(store) == []


def test_a_secret_is_nowhere_but_in_the_signature(store: Store, told: Receiver, caplog) -> None:
    happens(store)
    wrong = PostOffice(Settings({"COSTPLAN_TARGET_OPS_SECRET": "whsec_topsecret"} | PRIVATE))
    assert deliver_due(store, wrong).failed == 1
    [waiting] = list_deliveries(store)
    assert waiting.outcome.startswith("COSTPLAN_TARGET_OPS_SECRET: a secret must")
    assert "topsecret" not in waiting.outcome + caplog.text + repr(list_targets(store, NOON))


def test_without_leave_a_target_on_this_machine_is_not_called(store: Store, told: Receiver) -> None:
    put_target(store, target(told.url.replace("http:", "https:")), now=NOON)
    happens(store)
    with PostOffice(Settings(SECRET)) as careful:
        assert deliver_due(store, careful).failed == 1
    assert "is a private address" in list_deliveries(store)[0].outcome
    assert told.got == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Ops Team"}, "name: must be 1 to 40 lower-case letters"),
        ({"url": "ftp://x.example"}, "url: must be an https URL"),
        ({"url": "https://u:p@x.example/"}, "url: must hold no password"),
        ({"url": "https://x.example/?token=1"}, "url: must hold no password, query"),
        ({"to": ("a@example.com",)}, "to: is for mail"),
        ({"kind": "mail"}, "url: is not for mail"),
        ({"kind": "mail", "url": None}, "to: must name 1 to 50 mail addresses"),
        ({"kind": "mail", "url": None, "to": ("a@b.example\nBcc: c",)}, "is not a mail address"),
    ],
)
def test_a_target_that_cannot_be_meant_is_refused_by_field(sqlite_store: Store, change: dict, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        put_target(sqlite_store, replace(target("https://x.example/hook"), **change), now=NOON)
    assert list_targets(sqlite_store, NOON) == []


def test_what_is_not_there_is_said_with_what_is(sqlite_store: Store) -> None:
    put_target(sqlite_store, target("https://x.example/hook"), now=NOON)
    with pytest.raises(NotFound, match=r"there is no target 'pos'.*there are ops"):
        get_target(sqlite_store, "pos", NOON + timedelta(days=1))
    with pytest.raises(NotFound, match="no delivery 7"):
        replay_delivery(sqlite_store, 7, now=NOON)
    with pytest.raises(Invalid, match="there are waiting, delivered, dead"):
        list_deliveries(sqlite_store, state="lost")


@pytest.fixture
def sqlite_store(sqlite_url: str, clock: TickingClock) -> Iterator[Store]:
    opened = Store.open(sqlite_url, clock)
    yield opened
    opened.close()
