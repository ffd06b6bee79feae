"""What each part of a scenario multiplies: quantities from the formulas, waiting for their prices."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from pricing_sources.units import Unit
from service.domain.estimate import FormulaInput
from service.domain.scenario import (
    DataPart,
    EngineeringPart,
    FactorInput,
    FineTuningPart,
    InferencePart,
    PartName,
    PriceInput,
    Scenario,
    TrainingPart,
)
from service.formulas.catalog import Formula, formula

Origin = Literal["scenario", "price_book", "default"]


@dataclass(frozen=True, slots=True)
class Factor:
    """A dimensionless input and where it came from."""

    value: Decimal
    origin: Origin


NEUTRAL: Final = Factor(Decimal(1), "default")
"""The factor that leaves the published formula as it is."""

Factors = Callable[[str, FactorInput | None], Factor]
"""Finds the value of a factor, given the field it stands in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One line before its price is known."""

    part: PartName
    name: str
    formula: Formula
    inputs: tuple[FormulaInput, ...]
    quantity: Decimal
    unit: Unit
    price: PriceInput
    field: str
    """Where the price stands in the scenario, for errors."""


def drafts(scenario: Scenario, factors: Factors) -> Iterator[Draft]:
    """Every line of a scenario, in the order of the mission's formulas."""
    if scenario.data is not None:
        yield from _data(scenario.data)
    if scenario.training is not None:
        yield from _training(scenario.training, factors)
    if scenario.inference is not None:
        yield from _inference(scenario.inference)
    if scenario.fine_tuning is not None:
        yield from _fine_tuning(scenario.fine_tuning)
    if scenario.engineering is not None:
        yield from _engineering(scenario.engineering, factors)


def _data(part: DataPart) -> Iterator[Draft]:
    if part.licensing_fees is not None:
        yield Draft(
            part="data",
            name="licensing",
            formula=formula("data.cost", 1),
            inputs=_stated({"volume_tb": part.volume_tb}, "data.cost"),
            quantity=part.volume_tb,
            unit=Unit.TB,
            price=part.licensing_fees,
            field="data.licensing_fees",
        )
    if part.storage_costs is not None:
        inputs = {"volume_tb": part.volume_tb, "months": part.months}
        yield _computed("data", "storage", "data.storage", inputs, Unit.TB_MONTH, part.storage_costs, "storage_costs")


def _training(part: TrainingPart, factors: Factors) -> Iterator[Draft]:
    if part.gpu_price is not None:
        inputs = {"gpus": part.gpus, "hours": part.hours}
        yield _computed(
            "training", "gpu_hours", "training.gpu_hours", inputs, Unit.GPU_HOUR, part.gpu_price, "gpu_price"
        )
    if part.power_per_gpu_kw is None or part.electricity_price is None:
        return
    server, pue = factors("training.server_factor", part.server_factor), factors("training.pue", part.pue)
    energy = {
        "power_per_gpu_kw": part.power_per_gpu_kw,
        "gpus": part.gpus,
        "hours": part.hours,
        "utilisation": part.utilisation,
        "idle_power_per_gpu_kw": part.idle_power_per_gpu_kw,
        "idle_hours": part.idle_hours,
        "server_factor": server.value,
        "pue": pue.value,
    }
    origins: Mapping[str, Origin] = {"server_factor": server.origin, "pue": pue.origin}
    yield _computed(
        "training",
        "electricity",
        "training.energy",
        energy,
        Unit.KWH,
        part.electricity_price,
        "electricity_price",
        origins,
    )


def _inference(part: InferencePart) -> Iterator[Draft]:
    asked = {"users": part.users, "queries_per_user_per_day": part.queries_per_user_per_day, "days": part.days}
    if part.cost_per_query is not None:
        price = part.cost_per_query
        yield _computed("inference", "queries", "inference.queries", asked, Unit.QUERY, price, "cost_per_query")
        return
    queries = formula("inference.queries", 1).evaluate(asked)
    for kind, tokens, token_price in (
        ("input", part.input_tokens_per_query, part.input_token_price),
        ("output", part.output_tokens_per_query, part.output_token_price),
    ):
        if tokens is not None and token_price is not None:
            inputs = {"queries": queries, "tokens_per_query": tokens}
            yield _computed(
                "inference",
                f"{kind}_tokens",
                "inference.tokens",
                inputs,
                Unit.TOKENS_1M,
                token_price,
                f"{kind}_token_price",
            )


def _fine_tuning(part: FineTuningPart) -> Iterator[Draft]:
    inputs = {"gpus": part.gpus, "hours": part.hours}
    yield _computed(
        "fine_tuning", "training_compute", "training.gpu_hours", inputs, Unit.GPU_HOUR, part.gpu_price, "gpu_price"
    )
    for name, quantity, unit, price, field in (
        ("new_data", part.new_data_tb, Unit.TB, part.new_data_price, "new_data_price"),
        ("human_labelling", part.labels, Unit.LABEL, part.label_price, "label_price"),
    ):
        if price is not None:
            yield Draft(
                part="fine_tuning",
                name=name,
                formula=formula("fine_tuning.cost", 1),
                inputs=(FormulaInput(name=name, value=quantity, unit=unit.value, origin="scenario"),),
                quantity=quantity,
                unit=unit,
                price=price,
                field=f"fine_tuning.{field}",
            )


def _engineering(part: EngineeringPart, factors: Factors) -> Iterator[Draft]:
    """Salaries, and what employing costs beyond them: one cost, one line."""
    inputs = {"engineers": part.engineers, "years": part.years}
    salary, field = part.average_annual_salary, "average_annual_salary"
    yield _computed("engineering", "salaries", "engineering.person_years", inputs, Unit.PERSON_YEAR, salary, field)
    loading = factors("engineering.loading", part.loading)
    if loading.value != 1:
        person_years = formula("engineering.person_years", 1).evaluate(inputs)
        known = FormulaInput(name="loading", value=loading.value, unit=Unit.RATIO.value, origin=loading.origin)
        yield Draft(
            part="engineering",
            name="compensation_beyond_salary",
            formula=formula("engineering.cost", 1),
            inputs=(*_stated(inputs, "engineering.person_years"), known),
            quantity=person_years * (loading.value - 1),
            unit=Unit.PERSON_YEAR,
            price=salary,
            field=f"engineering.{field}",
        )


def _computed(
    part: PartName,
    name: str,
    formula_id: str,
    inputs: Mapping[str, Decimal],
    unit: Unit,
    price: PriceInput,
    field: str,
    origins: Mapping[str, Origin] | None = None,
) -> Draft:
    chosen = formula(formula_id, 1)
    return Draft(
        part=part,
        name=name,
        formula=chosen,
        inputs=_stated(inputs, formula_id, origins),
        quantity=chosen.evaluate(inputs),
        unit=unit,
        price=price,
        field=f"{part}.{field}",
    )


def _stated(
    inputs: Mapping[str, Decimal], formula_id: str, origins: Mapping[str, Origin] | None = None
) -> tuple[FormulaInput, ...]:
    """The inputs with their units; one equal to its neutral default counts as left at the default."""
    arguments = {argument.name: argument for argument in formula(formula_id, 1).arguments}
    found = []
    for name, value in inputs.items():
        default = value == arguments[name].default
        origin: Origin = (origins or {}).get(name, "default" if default else "scenario")
        found.append(FormulaInput(name=name, value=value, unit=arguments[name].unit_text, origin=origin))
    return tuple(found)
