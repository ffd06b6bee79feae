"""Budgets over real prices, on both databases: how they stand, when they are run, what charges do to them."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from pricing_sources.documents import exact_json
from service.domain.budget import EXCEEDED, FORECAST_CROSSING, Budget, Threshold
from service.domain.scenario import PriceInput, Scenario, TrainingPart
from service.errors import Conflict, Invalid, LeaseLost, NoData, NotFound
from service.store import budgets as kept_budgets
from service.store import estimates
from service.store.store import Store
from service.usecases.budgets import (
    budget_status,
    get_budget,
    list_budget_runs,
    list_budgets,
    next_runs,
    put_budget,
    run_budget,
)
from service.usecases.events import list_events
from service.usecases.spend import import_spend, list_spend_imports
from service.usecases.spend_files import SpendFormat
from tests.conftest import day
from tests.store.conftest import Learn
from tests.usecases.test_cost_history import H100, learn_rates

FOUR_FIFTHS = Threshold(of="spent", share=Decimal("0.8"))
MARCH = Budget(
    name="run",
    scenario=Scenario(
        name="run", training=TrainingPart(gpus=Decimal(8), hours=Decimal(100), gpu_price=PriceInput(series=H100))
    ),
    limit=Decimal(2000),
    start=date(2026, 3, 1),
    end=date(2026, 3, 11),
    thresholds=(FOUR_FIFTHS,),
)


@pytest.fixture
def priced(store: Store, learn: Learn) -> Store:
    learn("h100 2.50 2026-03-01", on="2026-03-01")
    put_budget(store, MARCH, now=day("2026-03-01T01:00"))
    return store


def charged(store: Store, text: str, on: str = "2026-03-05", origin: str = "bill", **how):
    return import_spend(store, "run", origin, text.encode(), SpendFormat(**how), now=day(on))


def ran(store: Store, on: str):
    return run_budget(store, "run", day(on), now=day(on))


def test_a_budget_follows_the_prices_of_its_days(priced: Store, learn: Learn) -> None:
    before = budget_status(priced, "run", day("2026-03-03"))
    assert (before.forecast, before.spent, before.crosses_at) == (Decimal(2000), Decimal(400), None)
    learn("h100 3.00 2026-03-06", on="2026-03-06")
    after = budget_status(priced, "run", day("2026-03-06T12:00"))
    assert after.forecast == Decimal(2200)
    assert after.crosses_at == day("2026-03-11")


def test_an_announced_price_counts_from_its_day(priced: Store, learn: Learn) -> None:
    learn("h100 5.00 2026-03-09", on="2026-03-02")
    assert budget_status(priced, "run", day("2026-03-03")).forecast == Decimal(2400)


def test_charges_are_set_against_the_forecast_and_a_later_edition_replaces_what_it_covers(priced: Store) -> None:
    charged(priced, "date,amount\n2026-03-01,300\n2026-03-02,300\n")
    assert budget_status(priced, "run", day("2026-03-05")).forecast == Decimal(600) + Decimal(1600)
    charged(priced, "date,amount\n2026-03-02,100\n2026-03-03,100\n", on="2026-03-06")
    charged(priced, "date,amount\n2026-03-03,7\n", on="2026-03-06", origin="another bill")
    status = budget_status(priced, "run", day("2026-03-06T01:00"))
    assert status.forecast == Decimal(507) + Decimal(1400)
    assert status.charged_until == day("2026-03-04")
    assert budget_status(priced, "run", day("2026-03-05")).forecast == Decimal(2200)


def test_the_same_document_counts_once(priced: Store) -> None:
    first = charged(priced, "date,amount\n2026-03-01,300\n")
    assert charged(priced, "date,amount\n2026-03-01,300\n", on="2026-03-06") == first
    assert list_spend_imports(priced, "run") == [first]


def test_charges_in_another_currency_are_converted_at_the_rate_of_their_day(priced: Store, clock) -> None:
    learn_rates(priced, clock, "2026-03-05", "Date, USD,\n2026-03-02, 1.10,\n2026-03-03, 1.20,\n")
    charged(priced, "date,amount,currency\n2026-03-02,100,EUR\n2026-03-03,100,EUR\n", on="2026-03-05")
    assert [point.actual for point in budget_status(priced, "run", day("2026-03-06")).points[1:3]] == [110, 230]


def test_charges_without_a_rate_are_left_out_and_said_so(priced: Store) -> None:
    charged(priced, "date,amount,currency\n2026-03-02,100,EUR\n")
    status = budget_status(priced, "run", day("2026-03-06"))
    assert status.lower_bound
    assert "charges in EUR are left out: no reference rate" in status.notes[0]


def test_a_run_keeps_its_estimate_and_what_was_reached(priced: Store, learn: Learn) -> None:
    first = ran(priced, "2026-03-02")
    assert first.reached == ()
    assert priced.read(lambda c: estimates.get(c, first.estimate_id)).estimate.total == Decimal(2000)
    learn("h100 4.00 2026-03-03", on="2026-03-03")
    second = ran(priced, "2026-03-08T12:00")
    assert second.reached == (FORECAST_CROSSING, EXCEEDED, FOUR_FIFTHS)
    assert second.told_estimate_id == second.estimate_id != first.estimate_id
    assert list_budget_runs(priced, "run") == [second, first]


def test_a_slot_is_run_once_whoever_asks_again(priced: Store) -> None:
    first = ran(priced, "2026-03-02")
    assert run_budget(priced, "run", day("2026-03-02"), now=day("2026-03-04")) == first
    assert list_budget_runs(priced, "run") == [first]


def test_a_run_whose_right_is_lost_leaves_nothing(priced: Store) -> None:
    def lost(_: object) -> None:
        raise LeaseLost("taken over")

    with pytest.raises(LeaseLost):
        run_budget(priced, "run", day("2026-03-02"), now=day("2026-03-02"), fence=lost)
    assert list_budget_runs(priced, "run") == []
    assert priced.read(lambda c: estimates.newest(c)) == []


def test_a_run_overtaken_by_another_is_measured_anew(priced: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    other, add_run = [], kept_budgets.add_run

    def overtaken(connection, made, before, fence):
        if not other:
            other.append(made.run.slot)
            add_run(connection, replace(made, run=replace(made.run, slot=day("2026-03-02T06:00"))), before, None)
        return add_run(connection, made, before, fence)

    monkeypatch.setattr(kept_budgets, "add_run", overtaken)
    ran(priced, "2026-03-02T07:00")
    assert [run.slot.hour for run in list_budget_runs(priced, "run")] == [7, 6]


def test_one_that_is_always_overtaken_gives_up(priced: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_budgets, "add_run", lambda *_, **__: None)
    with pytest.raises(Conflict, match="again and again"):
        ran(priced, "2026-03-02")


def test_versions_of_a_budget_are_kept(priced: Store) -> None:
    run = ran(priced, "2026-03-02")
    put_budget(priced, replace(MARCH, limit=Decimal(1)), now=day("2026-03-03"))
    assert get_budget(priced, "run", day("2026-03-02")).budget_id == run.budget_id
    assert ran(priced, "2026-03-04").budget_id != run.budget_id
    [held] = list_budgets(priced, day("2026-03-05"))
    assert held.budget.limit == 1


def test_before_the_first_price_a_budget_says_what_is_missing(store: Store) -> None:
    put_budget(store, MARCH, now=day("2026-03-01"))
    with pytest.raises(NoData):
        budget_status(store, "run", day("2026-03-02"))


def test_an_unknown_budget_is_answered_with_the_ones_there_are(priced: Store) -> None:
    with pytest.raises(NotFound, match="there are run"):
        budget_status(priced, "ruin", day("2026-03-02"))
    with pytest.raises(NotFound, match="there are run"):
        import_spend(priced, "ruin", "bill", b"date,amount\n2026-03-01,1\n", SpendFormat(), now=day("2026-03-02"))


def test_the_next_runs_follow_the_wall_clock_of_the_zone() -> None:
    berlin = replace(MARCH, zone="Europe/Berlin", schedule="30 2 * * *")
    found = next_runs(berlin, day("2026-03-27T12:00"), 3)
    assert [moment.isoformat() for moment in found] == [
        "2026-03-28T01:30:00+00:00",
        "2026-03-29T01:30:00+00:00",
        "2026-03-30T00:30:00+00:00",
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": " "}, "name: must have 1 to 60"),
        ({"limit": Decimal(0)}, "limit: must be a number above zero"),
        ({"limit": Decimal("NaN")}, "limit: must be a number above zero"),
        ({"currency": "usd"}, "currency: must be an ISO 4217 code"),
        ({"end": None}, "end: is missing"),
        ({"end": date(2026, 3, 1)}, "end: must be after start, 2026-03-01"),
        ({"end": date(2126, 3, 1)}, "end: must be at most 20 years"),
        ({"start": date(1, 1, 1), "end": date(2, 1, 1)}, "start: must be a day one can plan for"),
        ({"zone": "Mars/Base"}, "zone: 'Mars/Base' is no IANA time zone"),
        ({"schedule": "whenever"}, "schedule: 'whenever' is no five-field cron"),
        ({"schedule": "0 7 * * 1"}, "write weekdays as mon, tue"),
        ({"schedule": "0 0 30 2 *"}, "schedule: '0 0 30 2 .' is no five-field cron"),
        ({"thresholds": (Threshold(of="spent", share=Decimal(11)),)}, r"thresholds.0.share: must be above 0, up to 10"),
        ({"hysteresis": Decimal(2)}, "hysteresis: must be a share"),
        ({"moved": Decimal(-1)}, "moved: must be a share"),
        ({"scenario": Scenario(name="empty")}, "scenario: has nothing to price"),
    ],
)
def test_a_budget_that_cannot_be_meant_is_refused_by_field(store: Store, change: dict, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        put_budget(store, replace(MARCH, **change), now=day("2026-03-01"))
    assert list_budgets(store, day("2026-03-02")) == []


def test_a_long_period_is_priced_in_one_pass(priced: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put_budget(priced, replace(MARCH, end=date(2036, 3, 1)), now=day("2026-03-02"))
    reads, read = [], Store.read
    monkeypatch.setattr(Store, "read", lambda self, work: reads.append(work) or read(self, work))
    status = budget_status(priced, "run", day("2026-03-03"))
    assert len(status.points) == (date(2036, 3, 1) - date(2026, 3, 1)) // timedelta(days=1)
    assert len(reads) < 8


def said(store: Store) -> list[tuple[str, str]]:
    return [(one.event.type, one.event.text) for one in list_events(store, after=0)]


def test_a_run_says_what_was_reached_once_and_again_after_it_fell(priced: Store) -> None:
    charged(priced, "date,amount\n2026-03-01,1700\n", on="2026-03-02")
    ran(priced, "2026-03-02T07:00")
    ran(priced, "2026-03-02T08:00")
    assert said(priced) == [
        (
            "budget.forecast_crossing",
            "run is forecast to cost 3,500.00 USD and crosses its limit of 2,000.00 USD on 2026-03-04",
        ),
        ("budget.threshold_reached", "run has spent 1,758.33 USD, 80% of its limit or more"),
    ]
    charged(priced, "date,amount\n2026-03-01,1\n", on="2026-03-02T09:00")
    assert ran(priced, "2026-03-02T10:00").reached == ()
    charged(priced, "date,amount\n2026-03-01,2500\n", on="2026-03-02T11:00")
    ran(priced, "2026-03-02T12:00")
    assert [kind for kind, _ in said(priced)[2:]] == [
        "budget.forecast_crossing",
        "budget.exceeded",
        "budget.threshold_reached",
    ]


def test_an_estimate_that_moved_is_told_with_its_bridge_and_measured_from_there(priced: Store, learn: Learn) -> None:
    put_budget(priced, replace(MARCH, limit=Decimal(9000), notify=("ops",)), now=day("2026-03-01T02:00"))
    first = ran(priced, "2026-03-02")
    for amount, on in (("2.51", "2026-03-03"), ("2.53", "2026-03-04"), ("2.54", "2026-03-05")):
        learn(f"h100 {amount} {on}", on=on)
        ran(priced, f"{on}T12:00")
    [event] = list_events(priced, ["estimate.moved"])
    assert event.event.text == "the estimate of run moved from 2,000.00 USD to 2,024.00 USD (+1.2%)"
    assert event.event.notify == ("ops",)
    data = exact_json(event.event.data)
    assert data["bridge"]["effects"] == [{"cause": "offer_price", "amount": "24"}]
    assert [run.told_estimate_id == first.estimate_id for run in list_budget_runs(priced, "run")] == [
        False,
        False,
        True,
        True,
    ]


def test_a_new_period_begins_with_nothing_reached(priced: Store) -> None:
    put_budget(priced, replace(MARCH, end=None, repeats="month", limit=Decimal(1000)), now=day("2026-03-01T02:00"))
    assert ran(priced, "2026-03-20").reached == (FORECAST_CROSSING, EXCEEDED, FOUR_FIFTHS)
    assert ran(priced, "2026-04-02").reached == (FORECAST_CROSSING,)
    assert [kind for kind, _ in said(priced)].count("budget.forecast_crossing") == 2


def test_a_run_that_leaves_nothing_says_nothing(priced: Store) -> None:
    def lost(_: object) -> None:
        raise LeaseLost("taken over")

    charged(priced, "date,amount\n2026-03-01,2500\n", on="2026-03-02")
    with pytest.raises(LeaseLost):
        run_budget(priced, "run", day("2026-03-02"), now=day("2026-03-02"), fence=lost)
    assert said(priced) == []
