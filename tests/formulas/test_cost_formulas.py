"""Data, people, labels, hardware, electricity by the hour: what more of anything does, and what must add up."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import Invalid
from service.formulas.capital import HOURS_PER_YEAR, capital_per_year, capital_recovery_factor, gpus_used_up
from service.formulas.catalog import Formula, formula
from service.formulas.catalog_costs import COSTS
from service.formulas.data import egress, growing_storage
from service.formulas.energy import energy_in_window, interval_cost
from service.formulas.engineering import role_years
from service.formulas.training import energy_kwh

USUAL: dict[str, Any] = {
    "volume_tb": 40.0,
    "months": 18.0,
    "growth_tb_per_month": 6.0,
    "copies": 2.0,
    "above_tb": 50.0,
    "up_to_tb": 180.0,
    "egress_tb_per_month": 120.0,
    "people": 6.0,
    "years": 3.0,
    "part_time": 0.6,
    "ramp_up_years": 1.5,
    "loading": 1.4,
    "labels": 1000.0,
    "labels_per_item": 3.0,
    "reviewed_share": 0.2,
    "minutes_per_label": 4.0,
    "interest": 0.08,
    "capital": 40_000.0,
    "residual": 4_000.0,
    "saved_per_year": 9_000.0,
    "cost_per_year": 11_000.0,
    "gpus": 64.0,
    "hours": 700.0,
    "service_years": 4.0,
    "residual_share": 0.1,
    "busy_share": 0.7,
    "system_factor": 2.0,
    "power_per_gpu_kw": 0.7,
    "server_factor": 1.8,
    "share_of_hours": 0.4,
    "utilisation": 0.75,
    "idle_power_per_gpu_kw": 0.07,
    "idle_hours": 20.0,
    "pue": 1.2,
    "electricity_price": 0.08,
    "power_kw": 1200.0,
    "minutes": 15.0,
    "energy_kwh": 700_000.0,
    "carbon_kg_per_kwh": 0.4,
    "made_kg": 3000.0,
    "service_hours": 30_000.0,
}
LESS_WITH_MORE = {
    "data.growing_storage": "above_tb",
    "data.egress": "above_tb",
    "engineering.role_years": "ramp_up_years",
    "engineering.beyond_salary": "ramp_up_years",
    "capital.recovery_factor": "years",
    "capital.per_year": "residual years",
    "capital.payback": "saved_per_year",
    "capital.cost_per_hour": "busy_share",
    "capital.gpus_used_up": "service_years residual_share busy_share",
    "capital.colocation": "busy_share",
    "carbon.embodied": "service_hours busy_share",
}
"""More of any other argument is more of the result."""
SCALES = [
    ("data.growing_storage", {"volume_tb": 1, "growth_tb_per_month": 1, "above_tb": 1, "up_to_tb": 1}, 1),
    ("data.growing_storage", {"months": 1, "growth_tb_per_month": -1}, 1),
    ("data.egress", {"egress_tb_per_month": 1, "above_tb": 1, "up_to_tb": 1}, 1),
    ("data.egress", {"egress_tb_per_month": -1, "above_tb": -1, "up_to_tb": -1, "months": 1}, 0),
    ("engineering.role_years", {"years": 1, "ramp_up_years": 1}, 1),
    ("engineering.role_years", {"people": 1, "part_time": -1}, 0),
    ("labelling.hours", {"labels": 1, "minutes_per_label": -1}, 0),
    ("capital.per_year", {"capital": 1, "residual": 1}, 1),
    ("capital.payback", {"capital": 1, "saved_per_year": 1}, 0),
    ("capital.gpus_used_up", {"gpus": 1, "hours": -1}, 0),
    ("capital.colocation", {"power_per_gpu_kw": 1, "gpus": -1}, 0),
    ("energy.in_window", {"hours": 1, "idle_hours": 1}, 1),
    ("energy.interval_cost", {"power_kw": 1, "minutes": -1}, 0),
    ("carbon.embodied", {"hours": 1, "service_hours": 1}, 0),
]
"""Arguments that change together as their unit does, and by which power the result does."""
every_cost = pytest.mark.parametrize("one", COSTS, ids=lambda one: one.name)
size = st.floats(0, 1000)


def usual(one: Formula) -> dict[str, Any]:
    return {argument.name: USUAL[argument.name] for argument in one.arguments}


@every_cost
def test_more_of_an_argument_does_what_it_must(one: Formula) -> None:
    less = LESS_WITH_MORE.get(one.id, "").split()
    for argument in one.arguments:
        middle = USUAL[argument.name]
        ends = max(middle / 2, float(argument.minimum)), min(middle * 2, float(argument.maximum))
        made = one.compute({**usual(one), argument.name: np.linspace(*ends, 25)})
        steps = -np.diff(made) if argument.name in less else np.diff(made)
        assert (steps >= 0).all(), argument.name
        assert steps.any(), argument.name


@every_cost
def test_an_array_of_cases_is_every_case(one: Formula) -> None:
    """Zeros, defaults and bounds among them: no branch is taken for all at once."""
    rng = np.random.default_rng(7)
    shares = rng.choice([0.0, 0.25, 1.0, 1.5], (len(one.arguments), 200))
    cases = {
        argument.name: np.clip(shares[place] * USUAL[argument.name], float(argument.minimum), float(argument.maximum))
        for place, argument in enumerate(one.arguments)
    }
    made = np.broadcast_to(one.compute(cases), (200,))
    for place in range(200):
        inputs = {name: Decimal(str(values[place])) for name, values in cases.items()}
        assert float(one.evaluate(inputs)) == pytest.approx(float(made[place]), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("factor", [1e-3, 0.5, 7.0])
@pytest.mark.parametrize(("formula_id", "powers", "power"), SCALES)
def test_a_cost_formula_does_not_depend_on_the_units_it_is_asked_in(
    formula_id: str, powers: dict[str, int], power: int, factor: float
) -> None:
    one = formula(formula_id)
    inputs = usual(one)
    changed = {name: inputs[name] * factor**by for name, by in powers.items()}
    before, after = float(one.compute(inputs)), float(one.compute({**inputs, **changed}))
    assert after == pytest.approx(before * factor**power, rel=1e-9)


@settings(max_examples=50)
@given(volume=size, growth=size, months=st.floats(0.1, 60), above=size, width=size)
def test_a_growing_store_is_the_sum_of_its_months(
    volume: float, growth: float, months: float, above: float, width: float
) -> None:
    times = (np.arange(20_000) + 0.5) * months / 20_000
    stored = np.clip(volume + growth * times, above, above + width) - above
    asked = {"volume_tb": volume, "growth_tb_per_month": growth, "months": months}
    made = growing_storage(**asked, above_tb=above, up_to_tb=above + width)
    assert made == pytest.approx(float(stored.mean() * months), rel=1e-3, abs=1e-3 * (1 + growth * months))


@settings(max_examples=50)
@given(bounds=st.lists(size, max_size=5), volume=size, growth=size, out=size)
def test_tiers_add_up_to_the_whole(bounds: list[float], volume: float, growth: float, out: float) -> None:
    edges = [0.0, *sorted(bounds), None]
    tiers = [{"above_tb": low, "up_to_tb": high} for low, high in pairwise(edges)]
    store = {"volume_tb": volume, "growth_tb_per_month": growth, "months": 24.0}
    traffic = {"egress_tb_per_month": out, "months": 24.0}
    assert sum(growing_storage(**store, **tier) for tier in tiers) == pytest.approx(growing_storage(**store))
    assert sum(egress(**traffic, **tier) for tier in tiers) == pytest.approx(egress(**traffic))


@pytest.mark.parametrize(("ramp", "years"), [(0.0, 2.0), (0.5, 2.0), (2.0, 2.0), (5.0, 2.0), (3.0, 0.0)])
def test_a_role_is_paid_for_as_far_as_it_is_filled(ramp: float, years: float) -> None:
    times = (np.arange(100_000) + 0.5) * years / 100_000
    filled = np.minimum(times / ramp, 1) if ramp else np.ones_like(times)
    assert role_years(people=1, years=years, ramp_up_years=ramp) == pytest.approx(filled.mean() * years, rel=1e-6)


@pytest.mark.parametrize("years", [1.0, 4.0, 7.5])
def test_capital_without_interest_is_the_limit_of_little_interest(years: float) -> None:
    assert capital_recovery_factor(interest=0, years=years) == 1 / years
    assert capital_recovery_factor(interest=1e-7, years=years) == pytest.approx(1 / years, rel=1e-6)


def test_the_payments_of_every_year_repay_the_price_with_interest_and_the_sale() -> None:
    payment = capital_per_year(capital=40_000, residual=4_000, interest=0.08, years=4)
    worth = sum(payment / 1.08**year for year in range(1, 5)) + 4_000 / 1.08**4
    assert worth == pytest.approx(40_000)


def test_runs_that_fill_the_years_of_service_use_up_all_that_is_not_sold_again() -> None:
    hours = HOURS_PER_YEAR * 4 * 0.5
    assert gpus_used_up(gpus=8, hours=hours, service_years=4, residual_share=0.25, busy_share=0.5) == 6


def test_the_windows_of_a_tariff_hold_all_of_the_energy() -> None:
    run = {"power_per_gpu_kw": 0.7, "gpus": 8, "hours": 100, "utilisation": 0.75, "pue": 1.2}
    shares = np.array([0.3, 0.45, 0.25])
    assert energy_in_window(**run, share_of_hours=shares).sum() == pytest.approx(energy_kwh(**run))


def test_hours_and_quarter_hours_are_averaged_by_their_energy() -> None:
    """Two hours at 100 and 40 per MWh, then four quarters at 0: half load in the first, full load after."""
    prices, minutes = np.array([0.1, 0.04, 0, 0, 0, 0]), np.array([60, 60, 15, 15, 15, 15])
    power = np.array([50.0, 100, 100, 100, 100, 100])
    cost = interval_cost(electricity_price=prices, power_kw=power, minutes=minutes).sum()
    assert cost == pytest.approx(9)
    assert cost / (power * minutes / 60).sum() == pytest.approx(0.036)


@pytest.mark.parametrize(
    ("formula_id", "inputs", "words"),
    [
        ("capital.cost_per_hour", {"busy_share": "0"}, "busy_share: must be 0.0001 to 1 1, not 0"),
        ("capital.recovery_factor", {"interest": "1E-40"}, "capital.recovery_factor has no finite result"),
        ("capital.recovery_factor", {"years": "0"}, "years: must be 0.01 to 100 Years, not 0"),
        ("engineering.role_years", {"part_time": "1.2"}, "part_time: must be 0 to 1 1, not 1.2"),
        ("engineering.beyond_salary", {"loading": "0.9"}, "loading: must be 1 or more 1, not 0.9"),
        ("data.egress", {"egres_tb_per_month": "1"}, "did you mean egress_tb_per_month?"),
        ("labelling.labels", {"labels_per_item": "0"}, "labels_per_item: must be 1 or more 1, not 0"),
    ],
)
def test_what_cannot_be_is_named_with_its_limit(formula_id: str, inputs: dict[str, str], words: str) -> None:
    one = formula(formula_id)
    given_ = {name: Decimal(str(value)) for name, value in usual(one).items()}
    with pytest.raises(Invalid) as caught:
        one.evaluate({**given_, **{name: Decimal(value) for name, value in inputs.items()}})
    assert words in str(caught.value)
