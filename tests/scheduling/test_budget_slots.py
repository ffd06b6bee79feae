"""Budgets on their schedule: caught up once, never doubled, never lost, whatever the clock does."""

import multiprocessing
import os
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from service.scheduling.ledger import due_budgets
from service.scheduling.worker import run_budget_slot
from service.store import budgets as kept_budgets
from service.store import estimates, jobs
from service.store.store import Store
from service.usecases.budgets import list_budget_runs, put_budget
from service.usecases.events import list_events
from tests.conftest import TickingClock, day
from tests.store.conftest import Learn
from tests.usecases.test_budgets import MARCH

YEAR = replace(MARCH, end=date(2027, 3, 1), schedule="0 7 * * *")


@pytest.fixture
def priced(store: Store, learn: Learn) -> Store:
    learn("h100 2.50 2026-03-01", on="2026-03-01")
    put_budget(store, YEAR, now=day("2026-03-01T12:00"))
    return store


def run_due(store: Store, at: datetime, worker: str = "w") -> int:
    """Run what is due, as a tick does; returns how many budgets were priced."""
    clock = TickingClock(at)
    due = due_budgets(store, at)
    done = [run_budget_slot(store, name, slot, clock=clock, worker=worker) for name, slot in due.items()]
    return sum(run is not None for run in done)


def slots(store: Store) -> list[str]:
    return sorted(run.slot.strftime("%m-%dT%H:%M") for run in list_budget_runs(store, "run"))


def test_a_budget_waits_for_its_first_slot_after_it_was_kept(priced: Store) -> None:
    assert due_budgets(priced, day("2026-03-01T13:00")) == {}
    assert due_budgets(priced, day("2026-03-02T06:59")) == {}
    assert due_budgets(priced, day("2026-03-02T07:00")) == {"run": day("2026-03-02T07:00")}


def test_a_week_asleep_is_one_run_and_the_next_slot_is_its_own(priced: Store) -> None:
    assert run_due(priced, day("2026-03-09T12:00")) == 1
    assert run_due(priced, day("2026-03-09T12:05")) == 0
    assert run_due(priced, day("2026-03-10T07:00")) == 1
    assert slots(priced) == ["03-09T07:00", "03-10T07:00"]


def test_a_budget_changed_while_a_slot_is_missed_still_runs_it(priced: Store) -> None:
    put_budget(priced, replace(YEAR, limit=YEAR.limit + 1), now=day("2026-03-02T08:00"))
    assert run_due(priced, day("2026-03-02T09:00")) == 1


def test_one_that_is_switched_off_rests(priced: Store) -> None:
    put_budget(priced, replace(YEAR, enabled=False), now=day("2026-03-02T06:00"))
    assert due_budgets(priced, day("2026-03-02T09:00")) == {}


@pytest.mark.parametrize(
    ("days", "expected"),
    [(("2026-03-28", "2026-03-31"), 3), (("2026-10-24", "2026-10-27"), 3)],
    ids=["the hour that is skipped", "the hour that comes twice"],
)
def test_a_clock_change_neither_loses_nor_doubles_a_run(priced: Store, days: tuple[str, str], expected: int) -> None:
    berlin = replace(YEAR, name="nightly", zone="Europe/Berlin", schedule="30 2 * * *")
    put_budget(priced, berlin, now=day(days[0]))
    put_budget(priced, replace(YEAR, enabled=False), now=day(days[0]))
    at, ran = day(days[0]) + timedelta(minutes=30), 0
    while at < day(days[1]):
        ran += run_due(priced, at)
        at += timedelta(minutes=30)
    assert ran == expected


def test_a_run_that_fails_is_tried_again_after_a_rest(store: Store, learn: Learn) -> None:
    put_budget(store, YEAR, now=day("2026-03-01T12:00"))
    assert run_due(store, day("2026-03-02T07:00")) == 0
    [failed] = store.read(lambda c: jobs.runs(c))
    assert failed.state == "failed"
    assert "NoData" in failed.outcome
    learn("h100 2.50 2026-03-01", on="2026-03-02T07:10")
    assert run_due(store, day("2026-03-02T07:10")) == 0
    assert run_due(store, day("2026-03-02T07:16")) == 1


def run_in_a_process(url: str, at: datetime, worker: str, *, die: str) -> None:
    """Run what is due; `die` in the middle of the transaction or right after it, as after kill -9."""
    store = Store.open(url, TickingClock(at))
    add_run = kept_budgets.add_run

    def dies(*args, **kwargs):
        done = add_run(*args, **kwargs)
        if die == "before the commit":
            os._exit(9)
        return done

    kept_budgets.add_run = dies
    if die == "after the commit":
        jobs.finish = lambda *_: os._exit(9)
    run_due(store, at, worker)


@pytest.mark.parametrize(("die", "left"), [("before the commit", 0), ("after the commit", 1)])
def test_a_process_killed_in_a_run_leaves_all_of_it_or_nothing_and_the_slot_ends_once(
    priced: Store, die: str, left: int
) -> None:
    url = priced.engine.url.render_as_string(hide_password=False)
    at = day("2026-03-02T07:00")
    put_budget(priced, replace(YEAR, limit=YEAR.limit - 1), now=day("2026-03-01T13:00"))
    killed = multiprocessing.get_context("spawn").Process(
        target=run_in_a_process, args=(url, at, "killed"), kwargs={"die": die}
    )
    killed.start()
    killed.join(60)
    assert killed.exitcode == 9
    assert len(list_budget_runs(priced, "run")) == len(priced.read(lambda c: estimates.newest(c))) == left
    assert len(list_events(priced)) == left
    assert run_due(priced, at + timedelta(minutes=1)) == 0, "its lease is not over"
    assert run_due(priced, at + timedelta(minutes=5)) == 1
    assert due_budgets(priced, at + timedelta(minutes=6)) == {}
    assert slots(priced) == ["03-02T07:00"]
    assert [one.event.type for one in list_events(priced)] == ["budget.forecast_crossing"]
    assert len(priced.read(lambda c: estimates.newest(c))) == 1
