"""The composition root: one server per database file, the right schema, what it owns closed again."""

import os
import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.app import create, create_app
from service.errors import Conflict, Invalid, SchemaOutdated
from service.scheduling.feeds import feeds
from service.settings import Settings
from service.store.store import Store
from service.usecases.sources import Feed
from tests.api.conftest import seed


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> pytest.MonkeyPatch:
    """A migrated database, no scheduler, every feed that needs a network off."""
    monkeypatch.setenv("COSTPLAN_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("COSTPLAN_SCHEDULER", "off")
    for feed in feeds(Settings({})):
        if not feed.info.bundled:
            monkeypatch.setenv(f"COSTPLAN_SOURCE_{feed.info.id.upper()}_ENABLED", "false")
    return monkeypatch


def wait_until_read(client: TestClient, source: str) -> dict:
    """The source's status once it has been read well; what is known after ten seconds if it never was."""
    status = {}
    for _ in range(200):
        status = client.get(f"/api/v1/sources/{source}").json()
        if status["last_good_at"] or status["last_error"]:
            break
        time.sleep(0.05)
    return status


@pytest.mark.usefixtures("environment")
def test_a_server_made_from_its_environment_serves_and_refreshes_the_bundled_prices() -> None:
    with TestClient(create()) as client:
        assert client.get("/readyz").json() == {"status": "ready"}
        assert client.post("/api/v1/refreshes", json={"source": "baseline"}).status_code == 202
        status = wait_until_read(client, "baseline")
        assert (status["freshness"], status["last_error"]) == ("bundled", None)
        assert client.get("/api/v1/prices?source=baseline").json()["prices"]
        assert client.get("/").status_code == 200


def test_a_server_with_a_scheduler_inside_reads_what_is_due_by_itself(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("COSTPLAN_SCHEDULER", "inside")
    with TestClient(create()) as client:
        assert wait_until_read(client, "baseline")["freshness"] == "bundled"
        assert client.get("/readyz").status_code == 200


@pytest.mark.usefixtures("environment")
def test_a_second_server_on_the_same_database_file_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    with TestClient(create()):
        assert (tmp_path / "costplan.db.lock").read_text() == str(os.getpid())
        with pytest.raises(
            Conflict, match=rf"another server \(pid {os.getpid()}\) is already using .*costplan.db; stop"
        ):
            create()
    with TestClient(create()) as client:
        assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_servers_may_share_a_postgres_database(environment: pytest.MonkeyPatch, store: Store) -> None:
    environment.setenv("COSTPLAN_DATABASE_URL", store.engine.url.render_as_string(hide_password=False))
    with TestClient(create()) as first, TestClient(create()) as second:
        assert [one.get("/readyz").status_code for one in (first, second)] == [200, 200]


def test_a_server_refuses_a_database_without_our_schema_and_lets_go_of_it(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("COSTPLAN_DATABASE_URL", f"sqlite:///{tmp_path}/bare.db")
    for _ in range(2):
        with pytest.raises(SchemaOutdated, match="run: costplan db upgrade"):
            create()


def test_a_server_refuses_settings_it_cannot_understand(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("COSTPLAN_PROT", "80")
    with pytest.raises(Invalid, match="COSTPLAN_PROT"):
        create()


def test_the_scheduler_starts_and_stops_with_the_server(sqlite_store: Store, clock) -> None:
    class Recorder:
        def __init__(self) -> None:
            self.seen: list[str] = []

        def start(self) -> None:
            self.seen.append("start")

        def stop(self) -> None:
            self.seen.append("stop")

        def healthy(self) -> bool:
            return self.seen == ["start"]

    scheduler = Recorder()
    with TestClient(create_app(Settings({}), [], sqlite_store, clock, scheduler)) as client:
        assert client.get("/readyz").status_code == 200
    assert scheduler.seen == ["start", "stop"]


def test_a_server_without_a_way_to_ask_feeds_says_which_command_does(sqlite_store: Store, feed, clock) -> None:
    seed(sqlite_store, feed, clock)
    settings = Settings({})
    client = TestClient(create_app(settings, [Feed.of(feed.info, settings)], sqlite_store, clock))
    response = client.post("/api/v1/refreshes", json={"source": "baseline"})
    assert response.status_code == 503
    assert "costplan refresh baseline" in response.json()["detail"]
