"""Spending over a period, cumulated: charged as far as is known, modelled from there."""

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from service.domain.budget import BudgetPeriod
from service.domain.cost_history import CostPoint
from service.domain.spend import Charge
from service.estimating.burn_up import BurnUp, burn_up
from tests.conftest import day

START = day("2026-03-01")
TEN = BudgetPeriod(start=START, end=START + timedelta(days=10))


def points(*totals: str | None) -> list[CostPoint]:
    return [
        CostPoint(
            at=START + timedelta(days=number),
            total=None if total is None else Decimal(total),
            lower_bound=total is None,
            parts=(),
            missing=("h100: no price",) if total is None else (),
        )
        for number, total in enumerate(totals)
    ]


def charge(first: float, last: float, amount: str) -> Charge:
    begin, end = START + timedelta(days=first), START + timedelta(days=last)
    return Charge(charge_from=begin, charge_until=end, amount=Decimal(amount), currency="USD")


def burn(totals, charges=(), limit="1000", at: float = 4) -> BurnUp:
    return burn_up(TEN, points(*totals), charges, Decimal(limit), START + timedelta(days=at))


def test_the_same_price_every_day_is_spent_evenly_and_ends_at_the_estimate() -> None:
    found = burn(["700"] * 10)
    assert (found.spent, found.forecast, found.crosses_at) == (Decimal(280), Decimal(700), None)
    assert [point.forecast for point in found.points[:3]] == [Decimal(70), Decimal(140), Decimal(210)]
    assert all(point.actual is None for point in found.points)


def test_a_day_costs_its_share_at_its_own_price() -> None:
    found = burn(["1000"] * 5 + ["2000"] * 5, limit="1200", at=5.5)
    assert found.forecast == Decimal(1500)
    assert found.spent == Decimal(600)
    assert found.crosses_at == START + timedelta(days=9)


def test_charges_take_the_place_of_the_model_as_far_as_they_reach() -> None:
    found = burn(["1000"] * 10, [charge(0, 1, "150"), charge(1, 2, "150")])
    assert found.charged_until == START + timedelta(days=2)
    assert [point.actual for point in found.points[:3]] == [Decimal(150), Decimal(300), None]
    assert found.spent == Decimal(300) + Decimal(200)
    assert found.forecast == Decimal(300) + Decimal(800)
    assert found.run_rate == Decimal(1500)
    assert found.crosses_at == TEN.end


def test_a_charge_over_several_days_falls_evenly_on_them_and_only_its_part_in_the_period_counts() -> None:
    found = burn(["1000"] * 10, [charge(-5, 5, "100")])
    assert [point.actual for point in found.points[:5]] == [Decimal(n) for n in (10, 20, 30, 40, 50)]


def test_a_gap_in_the_past_is_no_zero_but_a_lower_bound_and_is_said() -> None:
    found = burn(["1000", None, None, *["1000"] * 7])
    assert found.lower_bound
    assert found.notes == ("2 days from 2026-03-02 to 2026-03-03: h100: no price",)


def test_a_day_to_come_without_a_price_costs_what_the_last_one_does() -> None:
    found = burn(["1000"] * 6 + [None] * 4)
    assert not found.lower_bound
    assert found.forecast == Decimal(1000)
    assert found.notes == ("4 days from 2026-03-07 to 2026-03-10: no price yet; counted as on 2026-03-06",)


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_charges_does_not_matter_and_all_of_them_are_counted(seed: int) -> None:
    random = Random(seed)
    charges = []
    for _ in range(40):
        first = random.uniform(0, 9)
        charges.append(charge(first, random.uniform(first + 0.01, 10), str(random.randint(-50, 500))))
    found = burn(["1"] * 10, [*charges, charge(9, 10, "0")])
    random.shuffle(charges)
    assert burn(["1"] * 10, [*charges, charge(9, 10, "0")]).points == found.points
    assert found.forecast == sum(one.amount for one in charges)


def test_before_and_after_its_period_a_budget_is_unspent_or_done() -> None:
    assert burn(["1000"] * 10, at=-3).spent == 0
    assert burn(["1000"] * 10, at=30).spent == Decimal(1000)
