"""The calendar of a budget, and when a threshold counts as reached."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from service.domain.budget import ALWAYS, EXCEEDED, Budget, Threshold, period_at, reached
from service.domain.scenario import Scenario
from tests.conftest import day

YEAR = Budget(
    name="run",
    scenario=Scenario(name="run"),
    limit=Decimal(1000),
    start=date(2026, 1, 1),
    end=date(2027, 1, 1),
)
FOUR_FIFTHS = Threshold(of="spent", share=Decimal("0.8"))


def dates(budget: Budget, at: str) -> tuple[str, str]:
    found = period_at(budget, day(at))
    return found.start.isoformat(), found.end.isoformat()


@pytest.mark.parametrize("at", ["2025-07-01", "2026-07-01", "2030-07-01"])
def test_a_budget_that_never_repeats_has_one_period(at: str) -> None:
    assert dates(YEAR, at) == ("2026-01-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00")


def test_a_period_begins_at_midnight_of_its_zone_and_may_hold_a_clock_change() -> None:
    berlin = replace(YEAR, start=date(2026, 3, 1), repeats="month", zone="Europe/Berlin", end=None)
    assert dates(berlin, "2026-03-15") == ("2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00")
    march = period_at(berlin, day("2026-03-15"))
    assert march.end.timestamp() - march.start.timestamp() == timedelta(days=31, hours=-1).total_seconds()


@pytest.mark.parametrize(
    ("repeats", "at", "expected"),
    [
        ("month", "2026-02-28T12:00", ("2026-02-28", "2026-03-31")),
        ("month", "2026-03-31T12:00", ("2026-03-31", "2026-04-30")),
        ("quarter", "2026-08-01", ("2026-07-31", "2026-10-31")),
        ("year", "2027-02-01", ("2027-01-31", "2028-01-31")),
    ],
)
def test_a_repeating_budget_begins_again_on_its_day_or_the_months_last(repeats, at, expected) -> None:
    found = dates(replace(YEAR, start=date(2026, 1, 31), end=None, repeats=repeats), at)
    assert tuple(moment[:10] for moment in found) == expected


def test_the_last_period_of_a_repeating_budget_ends_with_it() -> None:
    short = replace(YEAR, end=date(2026, 3, 10), repeats="month")
    assert dates(short, "2026-03-05")[1][:10] == "2026-03-10"
    assert dates(short, "2026-09-05") == dates(short, "2026-03-05")


def told(spent: str, forecast: str = "0", before=()) -> list[Threshold]:
    budget = replace(YEAR, thresholds=(FOUR_FIFTHS,), hysteresis=Decimal("0.05"))
    return list(reached(budget, SimpleNamespace(spent=Decimal(spent), forecast=Decimal(forecast)), before))


def test_a_threshold_is_reached_at_its_share_and_the_limit_only_above_it() -> None:
    assert told("799.99") == []
    assert told("800") == [FOUR_FIFTHS]
    assert told("1000", "1000") == [FOUR_FIFTHS]
    assert told("1000.01", "1000.01") == [*ALWAYS, FOUR_FIFTHS]


def test_what_was_reached_stays_so_until_it_is_clearly_below() -> None:
    assert told("760", before=[FOUR_FIFTHS]) == [FOUR_FIFTHS]
    assert told("750", before=[FOUR_FIFTHS]) == []
    assert told("960", before=[EXCEEDED]) == [EXCEEDED, FOUR_FIFTHS]
