"""Three real processes race for the same slots on one database."""

import multiprocessing
from collections import Counter
from datetime import timedelta

from service.store import jobs
from service.store.store import Store
from tests.conftest import TickingClock, day

SLOTS = 20


def race(url: str, name: str, start, results) -> None:
    store = Store.open(url, TickingClock(day("2026-03-01")))
    start.wait()
    for minute in range(SLOTS):
        slot = day("2026-03-01") + timedelta(minutes=minute)
        held = store.write(lambda c, s=slot: jobs.claim(c, "refresh:x", s, name, s, timedelta(minutes=2)))
        if held:
            store.write(lambda c, h=held, s=slot: jobs.finish(c, h, "done", "", s))
            results.put((minute, name))
    results.put(None)
    store.close()


def test_every_slot_runs_exactly_once_whoever_wins_it(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    start, results = context.Event(), context.Queue()
    url = store.engine.url.render_as_string(hide_password=False)
    racers = [context.Process(target=race, args=(url, f"w{n}", start, results)) for n in range(3)]
    for racer in racers:
        racer.start()
    start.set()
    wins, finished = [], 0
    while finished < len(racers):
        result = results.get(timeout=30)
        finished += result is None
        wins += [result] if result else []
    for racer in racers:
        racer.join()
    assert Counter(minute for minute, _ in wins) == dict.fromkeys(range(SLOTS), 1)
