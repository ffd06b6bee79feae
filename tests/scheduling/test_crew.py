import threading
import time
from datetime import timedelta
from functools import partial

import pytest

from service.scheduling.crew import Crew

SOON = timedelta(seconds=5)


class Work:
    """A run that records what it was given and lasts until it is let go."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.let_go = threading.Event()

    def __call__(self, name: str) -> None:
        self.seen.append(name)
        assert self.let_go.wait(30)


@pytest.fixture
def work():
    made = Work()
    yield made
    made.let_go.set()


def begun(work: Work, number: int) -> None:
    deadline = time.monotonic() + 5
    while len(work.seen) < number:
        assert time.monotonic() < deadline, "it did not begin in time"
        time.sleep(0.005)


def test_no_more_than_its_size_run_at_once_and_the_rest_follow(work: Work) -> None:
    crew = Crew(2)
    for name in ("a", "b", "c"):
        crew.hand(name, partial(work, name))
    begun(work, 2)
    time.sleep(0.05)
    assert work.seen == ["a", "b"]
    work.let_go.set()
    begun(work, 3)
    assert crew.dismiss(SOON)


def test_an_errand_that_waits_or_runs_is_not_taken_twice_but_may_come_again_later(work: Work) -> None:
    crew = Crew(2)
    for _ in range(3):
        crew.hand("a", partial(work, "a"))
    begun(work, 1)
    work.let_go.set()
    time.sleep(0.05)
    crew.hand("a", partial(work, "a"))
    begun(work, 2)
    assert crew.dismiss(SOON)
    assert work.seen == ["a", "a"]


def test_a_run_that_exits_or_breaks_does_not_cost_the_crew_a_thread() -> None:
    seen = []

    def break_or_note(name: str) -> None:
        if name in {"exits", "breaks"}:
            raise SystemExit(3) if name == "exits" else MemoryError
        seen.append(name)

    crew = Crew(1)
    for name in ("exits", "breaks", "good"):
        crew.hand(name, partial(break_or_note, name))
    deadline = time.monotonic() + 5
    while not seen and time.monotonic() < deadline:
        time.sleep(0.005)
    assert seen == ["good"]
    assert crew.dismiss(SOON)


def test_a_dismissed_crew_finishes_what_it_began_and_begins_nothing_more(work: Work) -> None:
    crew = Crew(1)
    for name in ("a", "b"):
        crew.hand(name, partial(work, name))
    begun(work, 1)

    def late_tick() -> None:
        crew.hand("c", partial(work, "c"))
        work.let_go.set()

    threading.Timer(0.1, late_tick).start()
    assert crew.dismiss(timedelta(seconds=1))
    assert work.seen == ["a"]


def test_a_dismissal_waits_no_longer_than_its_grace(work: Work) -> None:
    crew = Crew(1)
    crew.hand("a", partial(work, "a"))
    begun(work, 1)
    before = time.monotonic()
    assert not crew.dismiss(timedelta(seconds=0.1))
    assert time.monotonic() - before < 1


def test_a_crew_is_stuck_only_when_every_thread_is(work: Work) -> None:
    crew = Crew(2)
    crew.hand("a", partial(work, "a"))
    begun(work, 1)
    time.sleep(0.02)
    assert not crew.stuck(timedelta(seconds=0.01))
    crew.hand("b", partial(work, "b"))
    begun(work, 2)
    time.sleep(0.02)
    assert crew.stuck(timedelta(seconds=0.01))
    assert not crew.stuck(timedelta(minutes=1))
