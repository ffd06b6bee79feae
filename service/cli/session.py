"""What a command works with, opened only when it needs it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import overload

from pricing_sources.errors import SourceError
from pricing_sources.source import Source
from service import clock
from service.errors import Invalid, NotFound
from service.scheduling.feeds import feeds, source_by_id
from service.settings import Settings
from service.store.schema import require_current
from service.store.store import Store
from service.usecases.sources import Feed


@dataclass(frozen=True, slots=True)
class Session:
    """One command's view of the world."""

    settings: Settings
    store: Store
    feeds: Sequence[Feed]
    now: Callable[[], datetime]


@contextmanager
def session(*, any_schema: bool = False) -> Iterator[Session]:
    """Open the store; refuse an old schema unless the command is about the schema."""
    settings = Settings()
    store = Store.open(settings.database_url, clock.now)
    try:
        if not any_schema:
            require_current(store)
        yield Session(settings, store, feeds(settings), clock.now)
    finally:
        store.close()


@overload
def moment(name: str, text: str) -> datetime: ...
@overload
def moment(name: str, text: str | None) -> datetime | None: ...
def moment(name: str, text: str | None) -> datetime | None:
    """A time given on the command line. Raises Invalid unless it carries an offset."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise Invalid.field(name, f"{text!r} carries no UTC offset; write it as {found.isoformat()}Z if it is UTC")
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid.field(name, f"{text!r} is not a time such as 2026-03-01T00:00:00Z") from None


def source_named(source: str) -> Source:
    """A source by id. Raises NotFound with the nearest ids."""
    try:
        return source_by_id(source)
    except SourceError as error:
        raise NotFound(str(error)) from None
