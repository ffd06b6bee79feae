"""Notifications over the API."""

from fastapi.testclient import TestClient

from service.domain.events import Event
from service.scheduling.post import PostOffice
from service.settings import Settings
from service.store import events
from service.usecases.notifications import deliver_due
from tests.conftest import TickingClock, day
from tests.notifying.conftest import Receiver, receiver

__all__ = ["receiver"]
TARGETS = "/api/v1/notifications/targets"
DELIVERIES = "/api/v1/notifications/deliveries"


def test_targets_are_kept_shown_and_never_with_a_secret(client: TestClient, clock: TickingClock) -> None:
    clock.set(day("2026-03-02"))
    made = client.post(TARGETS, json={"name": "ops", "kind": "slack", "types": ["feed.stale"]})
    assert (made.status_code, made.headers["location"]) == (201, f"{TARGETS}/ops")
    assert client.get(f"{TARGETS}/ops").json()["target"]["url"] is None
    assert [one["target"]["name"] for one in client.get(TARGETS).json()["targets"]] == ["ops"]
    refused = client.post(TARGETS, json={"name": "ops", "kind": "webhook", "url": "https://x.example/?token=abc"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "url")
    assert "abc" not in refused.text


def test_a_delivery_is_listed_and_made_again(client: TestClient, clock: TickingClock, receiver: Receiver) -> None:
    clock.set(day("2026-03-02"))
    store = client.app.state.store
    client.post(TARGETS, json={"name": "ops", "kind": "slack", "url": receiver.url})
    event = Event(
        type="feed.stale", subject="ecb", key="1", occurred_at=day("2026-03-02"), text="ecb is stale", data=b"{}"
    )
    store.write(lambda c: events.record(c, [event], clock()))
    receiver.answers = [(410, {})]
    with PostOffice(Settings({"COSTPLAN_NOTIFY_PRIVATE_ADDRESSES": "true"})) as post:
        deliver_due(store, post)
        [dead] = client.get(DELIVERIES, params={"state": "dead"}).json()["deliveries"]
        again = client.post(f"{DELIVERIES}/{dead['delivery_id']}/replay")
        assert (again.status_code, again.json()["state"]) == (200, "waiting")
        deliver_due(store, post)
    assert [one["state"] for one in client.get(DELIVERIES).json()["deliveries"]] == ["delivered"]
    assert receiver.events[-1]["text"] == "ecb is stale"
    assert client.get(DELIVERIES, params={"state": "lost"}).status_code == 422
    assert client.post(f"{DELIVERIES}/99/replay").status_code == 404


def test_a_server_that_sends_nothing_says_which_command_does(client: TestClient, clock: TickingClock) -> None:
    clock.set(day("2026-03-02"))
    client.post(TARGETS, json={"name": "ops", "kind": "slack"})
    refused = client.post(f"{TARGETS}/ops/trial")
    assert (refused.status_code, refused.json()["detail"]) == (
        503,
        "this server sends nothing; run: costplan notify target test ops",
    )


def test_what_lies_ahead_is_a_calendar_to_subscribe_to(client: TestClient, clock: TickingClock) -> None:
    clock.set(day("2026-03-02"))
    answered = client.get("/api/v1/calendar.ics")
    assert answered.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answered.content.startswith(b"BEGIN:VCALENDAR\r\n")
