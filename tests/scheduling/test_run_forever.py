"""A scheduler in a process of its own, stopped as a container is: by SIGTERM, with a download under way."""

import multiprocessing
import os
import signal
import time
from datetime import timedelta

from service.clock import now
from service.scheduling.clockwork import run_forever
from service.settings import Settings
from service.store import jobs, refreshes
from service.store.store import Store
from tests.store.conftest import LineFeed

GRACE = timedelta(seconds=0.3)


def schedule(url: str, asked) -> None:
    hanging = LineFeed()

    def fetch(*_):
        asked.set()
        time.sleep(60)
        yield

    hanging.fetch = fetch
    store = Store.open(url, now)
    run_forever(store, [hanging], Settings({}), now, grace=GRACE)
    store.close()


def test_sigterm_during_a_download_ends_the_process_in_time_with_its_slot_free(sqlite_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    asked = context.Event()
    process = context.Process(target=schedule, args=(sqlite_url, asked))
    process.start()
    assert asked.wait(20)
    before = time.monotonic()
    os.kill(process.pid, signal.SIGTERM)
    process.join(10)
    assert process.exitcode == 0
    assert time.monotonic() - before < 5

    store = Store.open(sqlite_url, now)
    [run] = store.read(lambda c: jobs.runs(c))
    assert (run.state, run.outcome) == ("failed", "given up: the scheduler stopped")
    assert store.write(lambda c: jobs.claim(c, run.job, run.slot, "next", now(), timedelta(1))) is not None
    assert store.read(lambda c: refreshes.newest(c)) == []
    store.close()
