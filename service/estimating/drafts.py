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

Pinned = Mapping[str, int]
"""Formula versions by id, where not the newest is meant: those of an estimate that is asked again."""


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


def drafts(scenario: Scenario, factors: Factors, pinned: Pinned | None = None) -> Iterator[Draft]:
    """Every line of a scenario, in the order of the mission's formulas. Raises NotFound for a version that is not."""
    known = _Known(factors, pinned or {})
    if scenario.data is not None:
        yield from _data(scenario.data, known)
    if scenario.training is not None:
        yield from _training(scenario.training, known)
    if scenario.inference is not None:
        yield from _inference(scenario.inference, known)
    if scenario.fine_tuning is not None:
        yield from _fine_tuning(scenario.fine_tuning, known)
    if scenario.engineering is not None:
        yield from _engineering(scenario.engineering, known)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a line is made with besides its own numbers."""

    factor: Factors
    pinned: Pinned

    def formula(self, formula_id: str) -> Formula:
        """The pinned version, else the newest."""
        return formula(formula_id, self.pinned.get(formula_id))


def _data(part: DataPart, known: _Known) -> Iterator[Draft]:
    if part.licensing_fees is not None:
        yield Draft(
            part="data",
            name="licensing",
            formula=known.formula("data.cost"),
            inputs=_stated({"volume_tb": part.volume_tb}, known.formula("data.cost")),
            quantity=part.volume_tb,
            unit=Unit.TB,
            price=part.licensing_fees,
            field="data.licensing_fees",
        )
    if part.storage_costs is not None:
        inputs = {"volume_tb": part.volume_tb, "months": part.months}
        storage = known.formula("data.storage")
        yield _computed("data", "storage", storage, inputs, Unit.TB_MONTH, part.storage_costs, "storage_costs")
    if part.transfer_tb is not None and part.transfer_price is not None:
        transfer, inputs = known.formula("data.transfer"), {"transfer_tb": part.transfer_tb}
        yield _computed("data", "transfer", transfer, inputs, Unit.TB, part.transfer_price, "transfer_price")


def _training(part: TrainingPart, known: _Known) -> Iterator[Draft]:
    if part.gpu_price is not None:
        inputs = {"gpus": part.gpus, "hours": part.hours}
        hours = known.formula("training.gpu_hours")
        yield _computed("training", "gpu_hours", hours, inputs, Unit.GPU_HOUR, part.gpu_price, "gpu_price")
    if part.power_per_gpu_kw is None or part.electricity_price is None:
        return
    server, pue = known.factor("training.server_factor", part.server_factor), known.factor("training.pue", part.pue)
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
        known.formula("training.energy"),
        energy,
        Unit.KWH,
        part.electricity_price,
        "electricity_price",
        origins,
    )


def _inference(part: InferencePart, known: _Known) -> Iterator[Draft]:
    asked = {"users": part.users, "queries_per_user_per_day": part.queries_per_user_per_day, "days": part.days}
    queries = known.formula("inference.queries")
    if part.cost_per_query is not None:
        yield _computed("inference", "queries", queries, asked, Unit.QUERY, part.cost_per_query, "cost_per_query")
        return
    number = queries.evaluate(asked)
    for kind, tokens, token_price in (
        ("input", part.input_tokens_per_query, part.input_token_price),
        ("output", part.output_tokens_per_query, part.output_token_price),
    ):
        if tokens is not None and token_price is not None:
            inputs = {"queries": number, "tokens_per_query": tokens}
            yield _computed(
                "inference",
                f"{kind}_tokens",
                known.formula("inference.tokens"),
                inputs,
                Unit.TOKENS_1M,
                token_price,
                f"{kind}_token_price",
            )


def _fine_tuning(part: FineTuningPart, known: _Known) -> Iterator[Draft]:
    inputs = {"gpus": part.gpus, "hours": part.hours}
    hours = known.formula("training.gpu_hours")
    yield _computed("fine_tuning", "training_compute", hours, inputs, Unit.GPU_HOUR, part.gpu_price, "gpu_price")
    for name, quantity, unit, price, field in (
        ("new_data", part.new_data_tb, Unit.TB, part.new_data_price, "new_data_price"),
        ("human_labelling", part.labels, Unit.LABEL, part.label_price, "label_price"),
    ):
        if price is not None:
            yield Draft(
                part="fine_tuning",
                name=name,
                formula=known.formula("fine_tuning.cost"),
                inputs=(FormulaInput(name=name, value=quantity, unit=unit.value, origin="scenario"),),
                quantity=quantity,
                unit=unit,
                price=price,
                field=f"fine_tuning.{field}",
            )


def _engineering(part: EngineeringPart, known: _Known) -> Iterator[Draft]:
    """Salaries, and what employing costs beyond them: one cost, one line."""
    inputs = {"engineers": part.engineers, "years": part.years}
    salary, field = part.average_annual_salary, "average_annual_salary"
    person_years = known.formula("engineering.person_years")
    yield _computed("engineering", "salaries", person_years, inputs, Unit.PERSON_YEAR, salary, field)
    loading = known.factor("engineering.loading", part.loading)
    if loading.value != 1:
        beyond = FormulaInput(name="loading", value=loading.value, unit=Unit.RATIO.value, origin=loading.origin)
        yield Draft(
            part="engineering",
            name="compensation_beyond_salary",
            formula=known.formula("engineering.cost"),
            inputs=(*_stated(inputs, person_years), beyond),
            quantity=person_years.evaluate(inputs) * (loading.value - 1),
            unit=Unit.PERSON_YEAR,
            price=salary,
            field=f"engineering.{field}",
        )


def _computed(
    part: PartName,
    name: str,
    chosen: Formula,
    inputs: Mapping[str, Decimal],
    unit: Unit,
    price: PriceInput,
    field: str,
    origins: Mapping[str, Origin] | None = None,
) -> Draft:
    return Draft(
        part=part,
        name=name,
        formula=chosen,
        inputs=_stated(inputs, chosen, origins),
        quantity=chosen.evaluate(inputs),
        unit=unit,
        price=price,
        field=f"{part}.{field}",
    )


def _stated(
    inputs: Mapping[str, Decimal], chosen: Formula, origins: Mapping[str, Origin] | None = None
) -> tuple[FormulaInput, ...]:
    """The inputs with their units; one equal to its neutral default counts as left at the default."""
    arguments = {argument.name: argument for argument in chosen.arguments}
    found = []
    for name, value in inputs.items():
        default = value == arguments[name].default
        origin: Origin = (origins or {}).get(name, "default" if default else "scenario")
        found.append(FormulaInput(name=name, value=value, unit=arguments[name].unit_text, origin=origin))
    return tuple(found)
