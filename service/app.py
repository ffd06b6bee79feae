"""The composition root of the server: settings, store, feeds, scheduler, and the two doors they stand behind."""

import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Final, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from service import clock as wall_clock
from service.api import openapi
from service.api.desk import Reader, ReadWhat, RefreshDesk
from service.api.edge import Edge
from service.api.problems import headers_of, problem_of, response_of
from service.api.routes import (
    accelerators,
    bands,
    budgets,
    checks,
    documents,
    estimates,
    events,
    formulas,
    health,
    history,
    notifications,
    placement,
    planning,
    plans,
    predictions,
    prices,
    rate_cards,
    scenarios,
    standing_goals,
)
from service.api.routes import sources as source_routes
from service.api.wire import API
from service.domain.refreshes import Refresh
from service.errors import Conflict, ServiceError, Unavailable
from service.scheduling.clockwork import Scheduler
from service.scheduling.feeds import feeds, source_by_id, sources, transport
from service.scheduling.post import PostOffice
from service.settings import Settings
from service.store.schema import require_current
from service.store.store import Store
from service.usecases.archive import backfill, reparse
from service.usecases.notifications import Post
from service.usecases.planners import Planner, PlanningProcess, planning_here
from service.usecases.quarantine import release_price, release_refresh
from service.usecases.reading import Progress
from service.usecases.refresh import refresh
from service.usecases.sources import Feed
from service.web import pages, render
from service.web.visit import Visit

Clock = Callable[[], datetime]
_FOR_PROGRAMS: Final = (API, "/livez", "/readyz", openapi.PATH)
"""Paths whose errors are problems; every other error is a page."""


class Ticking(Protocol):
    """A scheduler, as far as the server cares."""

    def start(self) -> None:
        """Begin to tick."""

    def stop(self) -> None:
        """Stop ticking; what runs is finished or given up."""

    def healthy(self) -> bool:
        """True while it ticks."""


def create() -> FastAPI:
    """The server as its environment describes it: `uvicorn --factory service.app:create`.

    Raises Invalid for settings, Conflict if another server has the database file, SchemaOutdated
    with the command to run, Unavailable if the database cannot be opened.
    """
    settings, clock = Settings(), wall_clock.now
    with ExitStack() as opened:
        store = Store.open(settings.database_url, clock)
        opened.callback(store.close)
        planner = PlanningProcess(settings.database_url)
        opened.callback(planner.close)
        opened.enter_context(only_server(store))
        require_current(store)
        post = PostOffice(settings)
        opened.callback(post.close)
        scheduler = Scheduler(store, sources(), settings, clock, planner=planner) if settings.scheduler_inside else None
        return create_app(
            settings,
            feeds(settings),
            store,
            clock,
            scheduler,
            reader=SourceReader(store, settings, clock),
            post=post,
            planner=planner,
            owned=opened.pop_all(),
        )


def create_app(
    settings: Settings,
    feeds: Sequence[Feed],
    store: Store,
    clock: Clock,
    scheduler: Ticking | None = None,
    *,
    reader: Reader | None = None,
    post: Post | None = None,
    planner: Planner | None = None,
    owned: ExitStack | None = None,
) -> FastAPI:
    """The server over given parts; `owned` is closed when it shuts down."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with owned or ExitStack():
            if scheduler is not None:
                scheduler.start()
            try:
                yield
            finally:
                if scheduler is not None:
                    scheduler.stop()

    app = openapi.Described(
        title="LLM cost planner",
        version=version("llm-cost-planner"),
        description="A ledger of cited estimates over a history of prices.",
        docs_url=None,
        redoc_url=None,
        openapi_url=openapi.PATH,
        lifespan=lifespan,
    )
    app.state.settings, app.state.store, app.state.feeds, app.state.clock = settings, store, feeds, clock
    app.state.scheduler, app.state.desk = scheduler, RefreshDesk(reader)
    app.state.post = post
    app.state.planner = planner or planning_here(store)
    _open_doors(app)
    return app


@contextmanager
def only_server(store: Store) -> Iterator[None]:
    """Hold the lock beside a database file while this server runs; PostgreSQL needs none.

    Raises Conflict naming the process that holds it, Unavailable where no lock can be made.
    """
    database = store.engine.url.database if store.is_sqlite else None
    if not database or database == ":memory:":
        yield
        return
    path = Path(f"{database}.lock")
    try:
        lock = path.open("a+")
    except OSError as error:
        raise Unavailable(f"cannot open {path}: {error.strerror}; make its folder writable") from error
    with lock:
        _take(lock, database)
        yield


@dataclass(frozen=True, slots=True)
class SourceReader:
    """Reads the sources of this installation for whoever asks through the server."""

    store: Store
    settings: Settings
    clock: Clock

    def read(self, source: str, what: ReadWhat, progress: Progress) -> None:
        """Read a source; the outcome is in the refresh log."""
        named, now = source_by_id(source), self.clock()
        url, api_key = self.settings.source_url(source), self.settings.source_key(source)
        if what == "stored":
            _exhaust(reparse(self.store, named, now=now, progress=progress))
            return
        with transport(self.settings) as asked:
            if what == "archive":
                _exhaust(backfill(self.store, named, asked, now=now, url=url, api_key=api_key, progress=progress))
            else:
                refresh(
                    self.store,
                    named,
                    asked,
                    now=now,
                    trigger="manual",
                    url=url,
                    api_key=api_key,
                    progress=progress,
                )

    def release(self, source: str, quarantine_id: int, reason: str) -> Refresh:
        """Let a held price through."""
        return release_price(self.store, source_by_id(source), quarantine_id, reason, now=self.clock())

    def release_refresh(self, source: str, refresh_id: int, reason: str) -> Refresh:
        """Let the documents of a quarantined refresh through."""
        return release_refresh(self.store, source_by_id(source), refresh_id, reason)


def _exhaust(steps: Iterator[object]) -> None:
    for _ in steps:
        pass


def _take(lock: IO[str], database: str) -> None:
    lock.seek(0)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Conflict(
            f"another server (pid {lock.read(20).strip() or 'unknown'}) is already using {database}; "
            "stop it, or set COSTPLAN_DATABASE_URL"
        ) from None
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()


def _open_doors(app: FastAPI) -> None:
    """Hot routes first: they are matched one after another.

    The routes themselves, not their router: including one builds every route of it a second time, which the
    first visitor would wait for.
    """
    for door in (
        health,
        prices,
        estimates,
        bands,
        history,
        plans,
        standing_goals,
        planning,
        placement,
        formulas,
        predictions,
        scenarios,
        rate_cards,
        budgets,
        checks,
        events,
        notifications,
        accelerators,
        source_routes,
        documents,
        pages,
    ):
        app.router.routes.extend(door.router.routes)
    app.mount("/static", StaticFiles(directory=render.HERE / "static"), name="static")
    app.add_middleware(Edge)
    for kind in (ServiceError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    problem = problem_of(request, error)
    if request.url.path.startswith(_FOR_PROGRAMS):
        response = response_of(problem)
    else:
        state = request.app.state
        response = pages.error_page(request, Visit(state.store, state.feeds, state.clock()), problem)
    response.headers.update(headers_of(problem, error))
    return response
