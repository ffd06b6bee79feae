"""Opening a database and running retryable transactions on it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError

from pricing_sources.addresses import SECRET_PARAMETER
from service.errors import Invalid, Unavailable

T = TypeVar("T")

ATTEMPTS: Final = 6
RETRY_SECONDS: Final = 0.05
BUSY_TIMEOUT_MS: Final = 10_000
RETRYABLE_SQLSTATES: Final = frozenset({"40001", "40P01"})


@dataclass(frozen=True, slots=True)
class Store:
    """A database; every access is one function run inside one transaction.

    Work may be run again after a serialization failure, a deadlock or a busy file, so it must not
    have effects outside the transaction.
    """

    engine: Engine
    clock: Callable[[], datetime]
    """Stamps seals; the only time the store knows."""

    @classmethod
    def open(cls, url: str, clock: Callable[[], datetime]) -> "Store":
        """Open `url` (`sqlite:///…` or `postgresql://…`) without touching the schema."""
        parsed = _database_url(url)
        if parsed.get_backend_name() == "sqlite":
            return cls(_sqlite_engine(parsed), clock)
        return cls(create_engine(parsed, pool_pre_ping=True), clock)

    @property
    def is_sqlite(self) -> bool:
        """True for an embedded database file."""
        return self.engine.dialect.name == "sqlite"

    @property
    def where(self) -> str:
        """The database's address without its password."""
        url = self.engine.url
        shown = {name: "hidden" if SECRET_PARAMETER.match(name) else value for name, value in url.query.items()}
        return url.set(query=shown).render_as_string(hide_password=True)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a read transaction. Raises Unavailable."""
        return self._run(work, write=False)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction; it commits if `work` returns. Raises Unavailable."""
        return self._run(work, write=True)

    def close(self) -> None:
        """Release every connection."""
        self.engine.dispose()

    def _run(self, work: Callable[[Connection], T], *, write: bool) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.engine.connect().execution_options(write=write) as connection, connection.begin():
                    return work(connection)
            except DBAPIError as error:
                if not _retryable(error) or attempt == ATTEMPTS:
                    raise _explained(error, self.where) from error
                time.sleep(RETRY_SECONDS * 2**attempt)
        raise AssertionError  # pragma: no cover  the loop returns or raises


def _database_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Invalid.field(
            "COSTPLAN_DATABASE_URL", "must be sqlite:///path/to/file.db or postgresql://user@host/database"
        ) from None
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        return parsed
    raise Invalid.field(
        "COSTPLAN_DATABASE_URL", f"{parsed.get_backend_name()} is not supported; use sqlite:/// or postgresql://"
    )


def _sqlite_engine(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        folder = Path(url.database).expanduser().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(
                f"cannot create {folder}: {error.strerror}; set COSTPLAN_DATA_DIR to a writable folder"
            ) from error
        url = url.set(database=str(Path(url.database).expanduser()))
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False})
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _on_sqlite_connect(connection: Any, _record: object) -> None:
    # The driver's own BEGIN is deferred; ours is emitted in _on_sqlite_begin.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _on_sqlite_begin(connection: Connection) -> None:
    # A deferred transaction that reads and then writes fails at once when another writer is ahead of it.
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _retryable(error: DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) in RETRYABLE_SQLSTATES:
        return True
    return getattr(error.orig, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _explained(error: DBAPIError, where: str) -> Exception:
    """Turn a driver's words into ours where a person can do something about them."""
    name = getattr(error.orig, "sqlite_errorname", "")
    known = {
        "SQLITE_FULL": "the disk is full; free some space and try again",
        "SQLITE_READONLY": "the database file or its folder is read-only; make it writable",
        "SQLITE_CANTOPEN": "the file cannot be opened; check COSTPLAN_DATABASE_URL and the folder's permissions",
        "SQLITE_CORRUPT": "the file is damaged; restore it from a backup",
        "SQLITE_NOTADB": "the file is not a SQLite database; check COSTPLAN_DATABASE_URL",
        "SQLITE_IOERR": "the disk reports an error; stop and check it",
        "SQLITE_BUSY": "another process has held the database too long; try again",
        "SQLITE_LOCKED": "another process has held the database too long; try again",
    }
    for prefix, advice in known.items():
        if name.startswith(prefix):
            return Unavailable(f"{where}: {advice}")
    if isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) is None and not name:
        return Unavailable(
            f"{where}: the database cannot be reached; check COSTPLAN_DATABASE_URL and that it is running"
        )
    if getattr(error.orig, "sqlstate", "") in {"53100", "25006", "57P01", "57P03", "53300"}:
        return Unavailable(f"{where}: the database refuses work now ({type(error.orig).__name__}); try again later")
    return error if isinstance(error, DatabaseError) else Unavailable(f"{where}: {type(error.orig).__name__}")
