import inspect
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_sources.units import Unit, UnitMismatch
from service.domain.quantities import Quantity, UnitPrice
from service.errors import Invalid, NotFound
from service.formulas.catalog import FORMULAS, Formula, formula

MISSION = {
    1: ("data.cost", {"licensing_fees_per_tb": 100, "storage_costs_per_tb": 23, "volume_tb": 5}, 615),
    2: (
        "training.energy_cost",
        {"power_per_gpu_kw": "0.4", "gpus": 2048, "hours": 500, "electricity_price": "0.08"},
        Decimal(32768),
    ),
    3: ("inference.cost", {"cost_per_query": "0.002", "users": 10_000, "queries_per_user_per_day": 5}, 100),
    4: ("fine_tuning.cost", {"training_compute": 1_600, "new_data": 500, "human_labelling": 3_000}, 5_100),
    5: ("engineering.cost", {"engineers": 5, "average_annual_salary": 148_100, "years": 2}, 1_481_000),
}
positive = st.decimals(min_value="0.001", max_value="1000000", places=3)
every_formula = pytest.mark.parametrize("one", FORMULAS, ids=lambda one: one.name)
exact = [one for one in FORMULAS if one.exact and one.id != "token_prices.tiered_price"]
every_exact_formula = pytest.mark.parametrize("one", exact, ids=lambda one: one.name)


NOT_LINEAR = {
    "capital.recovery_factor": ("interest", "years"),
    "capital.per_year": ("interest", "years"),
    "capital.payback": ("saved_per_year",),
    "capital.gpus_used_up": ("service_years",),
    "carbon.embodied": ("service_hours",),
}


def possible(one: Formula, values: list[Decimal]) -> dict[str, Decimal]:
    """The needed arguments, each within its limits."""
    needed = [argument for argument in one.arguments if argument.needed]
    pairs = zip(needed, values, strict=False)
    return {argument.name: min(max(value, argument.minimum), argument.maximum) for argument, value in pairs}


def decimals(values: dict[str, object]) -> dict[str, Decimal]:
    return {name: Decimal(str(value)) for name, value in values.items()}


@pytest.mark.parametrize("number", MISSION)
def test_the_five_formulas_of_the_mission_are_there_and_exact(number: int) -> None:
    formula_id, inputs, expected = MISSION[number]
    one = formula(formula_id, 1)

    assert one.mission == number
    assert one.evaluate(decimals(inputs)) == expected


def test_data_is_licensing_plus_storage_times_tb() -> None:
    assert formula("data.cost").evaluate(
        decimals({"licensing_fees_per_tb": "1.1", "storage_costs_per_tb": "2.2", "volume_tb": 3, "months": 12})
    ) == Decimal("82.5")


def test_llama_65b_closes_to_the_published_energy() -> None:
    """Meta: 1,022,362 GPU-hours x 0.4 kW x PUE 1.1 = 449 MWh (arXiv:2302.13971, table 15)."""
    kwh = formula("training.energy").evaluate(
        decimals({"power_per_gpu_kw": "0.4", "gpus": 1, "hours": 1_022_362, "pue": "1.1"})
    )
    assert round(kwh / 1000) == 450


def test_gpt3_closes_to_the_published_energy() -> None:
    """Patterson et al.: 10,000 V100 x 14.8 days x 330 W x PUE 1.1 = 1,287 MWh (arXiv:2104.10350), to its rounding."""
    kwh = formula("training.energy").evaluate(
        decimals({"power_per_gpu_kw": "0.330", "gpus": 10_000, "hours": "355.2", "pue": "1.1"})
    )
    assert abs(kwh / 1000 - 1287) < 3


@every_formula
def test_every_formula_teaches(one: Formula) -> None:
    page = one.documentation
    for words in (".. math::", "Symbols:", "Limits:", "Reference:", ">>> "):
        assert words in page


@every_exact_formula
def test_the_catalog_and_the_function_agree_on_names_and_defaults(one: Formula) -> None:
    taken = inspect.signature(one.function).parameters
    assert {argument.name: argument.default for argument in one.arguments} == {
        name: None if parameter.default in (parameter.empty, None) else Decimal(parameter.default)
        for name, parameter in taken.items()
    }
    assert {argument.name for argument in one.arguments if argument.needed} == {
        name for name, parameter in taken.items() if parameter.default is parameter.empty
    }
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in taken.values())


@every_exact_formula
@settings(max_examples=25)
@given(values=st.lists(positive, min_size=9, max_size=9), scale=st.integers(2, 9))
def test_a_formula_in_decimal_is_linear_in_each_needed_argument_but_those_that_are_named(
    one: Formula, values: list[Decimal], scale: int
) -> None:
    """A step from the least value that is `scale` times as large changes the result `scale` times as much."""
    inputs = possible(one, values)
    for name in inputs.keys() - set(NOT_LINEAR.get(one.id, ())):
        least = max(next(a.minimum for a in one.arguments if a.name == name), Decimal(0))
        steps = [least, least + (inputs[name] - least) / scale, inputs[name]]
        at = [one.evaluate({**inputs, name: value}) for value in steps]
        assert abs((at[2] - at[0]) - scale * (at[1] - at[0])) <= max(map(abs, at)) * Decimal("1e-20")


@every_exact_formula
@settings(max_examples=25)
@given(values=st.lists(positive, min_size=9, max_size=9))
def test_arrays_floats_and_decimals_agree(one: Formula, values: list[Decimal]) -> None:
    exact = possible(one, values)
    scalar = one.function(**{name: float(value) for name, value in exact.items()})
    array = one.function(**{name: np.full(3, float(value)) for name, value in exact.items()})

    assert np.allclose(array, scalar, rtol=1e-12)
    digits = 1e-9 if one.id in NOT_LINEAR else 1e-12
    assert float(one.evaluate(exact)) == pytest.approx(scalar, rel=digits)


@every_exact_formula
def test_a_neutral_extension_is_the_published_formula(one: Formula) -> None:
    needed = possible(one, [Decimal(7)] * len(one.arguments))
    neutral = {argument.name: argument.default for argument in one.arguments if argument.default is not None}
    assert one.evaluate(needed) == one.evaluate(needed | neutral)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"gpus": 8, "hours": -1}, "hours: must be 0 or more Hours, not -1"),
        ({"gpus": 8}, "hours: is missing; give it in Hours"),
        ({"gpus": 8, "hours": 1, "gpu": 1}, "gpu: is no argument of training.gpu_hours; did you mean gpus?"),
        ({"gpus": "NaN", "hours": 1}, "gpus: must be 0 or more GPUs, not NaN"),
    ],
)
def test_an_impossible_input_is_named_with_what_would_work(inputs: dict[str, object], words: str) -> None:
    with pytest.raises(Invalid) as caught:
        formula("training.gpu_hours").evaluate(decimals(inputs))
    assert words in str(caught.value)


def test_utilisation_over_one_is_refused() -> None:
    inputs = decimals({"power_per_gpu_kw": 1, "gpus": 1, "hours": 1, "utilisation": "1.2"})
    with pytest.raises(Invalid, match="utilisation: must be 0 to 1 1, not"):
        formula("training.energy").evaluate(inputs)


def test_units_are_converted_exactly_or_refused() -> None:
    energy = formula("training.energy_cost")
    inputs = {
        "power_per_gpu_kw": Quantity(Decimal(700), Unit.W),
        "gpus": Quantity(Decimal(8), Unit.GPU),
        "hours": Quantity(Decimal(2), Unit.DAY),
        "electricity_price": UnitPrice(Decimal("82.6"), "USD", Unit.MWH),
    }
    assert energy.evaluate_quantities(inputs) == Decimal("0.7") * 8 * 48 * Decimal("0.0826")
    with pytest.raises(UnitMismatch, match="cannot turn kWh into kW"):
        energy.evaluate_quantities(inputs | {"power_per_gpu_kw": Quantity(Decimal(1), Unit.KWH)})
    with pytest.raises(UnitMismatch, match="a price per kWh cannot be used"):
        energy.evaluate_quantities(inputs | {"hours": UnitPrice(Decimal(1), "USD", Unit.KWH)})


def test_an_unknown_formula_names_the_nearest() -> None:
    with pytest.raises(NotFound, match=r"there is no formula 'training\.energie'; there are training\.energy"):
        formula("training.energie")
    with pytest.raises(NotFound, match=r"'data\.cost@9'"):
        formula("data.cost", 9)


def test_names_are_unique() -> None:
    assert len({one.name for one in FORMULAS}) == len(FORMULAS)
