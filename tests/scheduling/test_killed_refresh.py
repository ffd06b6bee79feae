"""kill -9 in the middle of a refresh, wherever it strikes: all of it is kept or nothing, and the slot ends once."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, func, select
from typing_extensions import override

from pricing_sources.observation import Reading
from pricing_sources.source import Document
from service.scheduling.worker import LEASE, run_slot
from service.settings import Settings
from service.store import jobs, log
from service.store.store import Store
from service.store.tables import document, gpu_observation, gpu_series, refresh
from tests.conftest import TickingClock, day
from tests.store.conftest import LineFeed

SLOT = day("2026-03-02T06:00")
ROWS = 10_500
WHERE = ("while the document is read", "after its rows are appended", "before the commit", "after the commit")


def killed(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class BigFeed(LineFeed):
    """More rows than are staged at once."""

    def __init__(self, dies: bool = False) -> None:
        super().__init__()
        self.dies = dies
        self.answer = "\n".join(f"gpu{number} 2.50" for number in range(ROWS)).encode()

    @override
    def parse(self, document: Document) -> Iterator[Reading]:
        for number, reading in enumerate(super().parse(document)):
            if self.dies and number == ROWS - 1:
                killed()
            yield reading


def run(store: Store, feed: LineFeed, at: datetime, worker: str) -> object:
    clock = TickingClock(at)
    return run_slot(store, feed, SLOT, None, settings=Settings({}), clock=clock, worker=worker)


def run_until_killed(url: str, where: str) -> None:
    store = Store.open(url, TickingClock(SLOT))
    if where == "after its rows are appended":
        log._close = killed
    if where == "before the commit":
        appended = log._close

        def about_to_commit(*args: object, **more: object) -> object:
            event.listen(store.engine, "commit", killed)
            return appended(*args, **more)

        log._close = about_to_commit
    if where == "after the commit":
        jobs.finish = killed
    run(store, BigFeed(dies=where == "while the document is read"), SLOT, "killed")


def rows(store: Store) -> list[int]:
    tables = (refresh, document, gpu_series, gpu_observation)
    return [store.read(lambda c, t=table: c.scalar(select(func.count()).select_from(t))) for table in tables]


@pytest.mark.parametrize("where", WHERE)
def test_a_refresh_that_is_killed_leaves_all_of_it_or_nothing(store: Store, where: str) -> None:
    url = store.engine.url.render_as_string(hide_password=False)
    process = multiprocessing.get_context("spawn").Process(target=run_until_killed, args=(url, where))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    whole = [1, 1, ROWS, ROWS]
    assert rows(store) == (whole if where == "after the commit" else [0, 0, 0, 0])

    assert run(store, BigFeed(), SLOT + timedelta(seconds=30), "early") is None, "its lease is not over"
    assert run(store, BigFeed(), SLOT + 2 * LEASE, "next") is not None
    assert run(store, BigFeed(), SLOT + 4 * LEASE, "last") is None, "the slot has ended"
    # The look that was sealed before its end was written down is confirmed by another that finds nothing new.
    assert rows(store)[2:] == whole[2:]
    [ended] = store.read(lambda c: jobs.runs(c))
    assert (ended.state, ended.fence, ended.worker) == ("done", 2, "next")
