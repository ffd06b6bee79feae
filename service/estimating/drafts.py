"""What each part of a scenario multiplies: quantities from the formulas, waiting for their prices."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from pricing_sources.units import Unit
from service.domain.estimate import FormulaInput
from service.domain.scenario import (
    DataPart,
    EngineeringPart,
    FineTuningPart,
    InferencePart,
    PriceInput,
    Scenario,
    TrainingPart,
)
from service.estimating.draft import Draft, Factors, Known, Origin, Pinned, computed, stated
from service.estimating.extended_drafts import (
    beside,
    electricity,
    employed,
    grows,
    labelled,
    licence,
    licence_by_length,
    owned,
    sent,
    stored,
)


def drafts(scenario: Scenario, factors: Factors, pinned: Pinned | None = None) -> Iterator[Draft]:
    """Every line of a scenario, in the order of the mission's formulas. Raises NotFound for a version that is not."""
    known = Known(factors, pinned or {})
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


def _data(part: DataPart, known: Known) -> Iterator[Draft]:
    if part.licensing_fees is not None:
        yield Draft(
            part="data",
            name="licensing",
            formula=known.formula("data.cost"),
            inputs=stated({"volume_tb": part.volume_tb}, known.formula("data.cost")),
            quantity=part.volume_tb,
            unit=Unit.TB,
            price=part.licensing_fees,
            field="data.licensing_fees",
        )
    if part.flat_licence is not None:
        yield licence("data", "flat_licence", "data.cost", part.flat_licence, part.licence_years, known)
    if part.licensed_million_tokens is not None and part.licence_per_million_tokens is not None:
        yield licence_by_length(part.licensed_million_tokens, part.licence_per_million_tokens, known)
    if grows(part):
        yield from stored(part, known)
    elif part.storage_costs is not None:
        inputs = {"volume_tb": part.volume_tb, "months": part.months}
        storage = known.formula("data.storage")
        yield computed("data", "storage", storage, inputs, Unit.TB_MONTH, part.storage_costs, "storage_costs")
    if part.transfer_tb is not None and part.transfer_price is not None:
        transfer, inputs = known.formula("data.transfer"), {"transfer_tb": part.transfer_tb}
        yield computed("data", "transfer", transfer, inputs, Unit.TB, part.transfer_price, "transfer_price")
    yield from sent(part, known)


def _training(part: TrainingPart, known: Known) -> Iterator[Draft]:
    if part.gpus is not None:
        yield from _of_one_kind(part, part.gpus, known)
    for number, machines in enumerate(part.machines or ()):
        yield from beside(number, machines, part, known)


def _of_one_kind(part: TrainingPart, gpus: Decimal, known: Known) -> Iterator[Draft]:
    if part.gpu_price is not None:
        rented = known.formula("training.gpu_hours")
        inputs = {"gpus": gpus, "hours": part.hours}
        yield computed("training", "gpu_hours", rented, inputs, Unit.GPU_HOUR, part.gpu_price, "gpu_price")
    if part.own_hardware is not None:
        yield from owned(part, gpus, part.own_hardware, known)
    if part.power_per_gpu_kw is None or (part.electricity_price is None and part.electricity_tariff is None):
        return
    server, pue = known.factor("training.server_factor", part.server_factor), known.factor("training.pue", part.pue)
    energy = {
        "power_per_gpu_kw": part.power_per_gpu_kw,
        "gpus": gpus,
        "hours": part.hours,
        "utilisation": part.utilisation,
        "idle_power_per_gpu_kw": part.idle_power_per_gpu_kw,
        "idle_hours": part.idle_hours,
        "server_factor": server.value,
        "pue": pue.value,
    }
    origins: Mapping[str, Origin] = {"server_factor": server.origin, "pue": pue.origin}
    yield from electricity(part, energy, origins, known)


def _inference(part: InferencePart, known: Known) -> Iterator[Draft]:
    asked = {"users": part.users, "queries_per_user_per_day": part.queries_per_user_per_day, "days": part.days}
    queries = known.formula("inference.queries")
    if part.cost_per_query is not None:
        yield computed("inference", "queries", queries, asked, Unit.QUERY, part.cost_per_query, "cost_per_query")
        return
    number = queries.evaluate(asked)
    for kind, tokens, token_price in (
        ("input", part.input_tokens_per_query, part.input_token_price),
        ("output", part.output_tokens_per_query, part.output_token_price),
    ):
        if tokens is not None and token_price is not None:
            inputs = {"queries": number, "tokens_per_query": tokens}
            yield computed(
                "inference",
                f"{kind}_tokens",
                known.formula("inference.tokens"),
                inputs,
                Unit.TOKENS_1M,
                token_price,
                f"{kind}_token_price",
            )


def _fine_tuning(part: FineTuningPart, known: Known) -> Iterator[Draft]:
    inputs = {"gpus": part.gpus, "hours": part.hours}
    hours = known.formula("training.gpu_hours")
    yield computed("fine_tuning", "training_compute", hours, inputs, Unit.GPU_HOUR, part.gpu_price, "gpu_price")
    if part.new_data_price is not None:
        yield _bought("new_data", part.new_data_tb, Unit.TB, part.new_data_price, "new_data_price", known)
    if part.new_data_licence is not None:
        yield licence("fine_tuning", "new_data_licence", "fine_tuning.cost", part.new_data_licence, None, known)
    simple = part.labels_per_item is None and part.reviewed_share is None
    if simple and part.label_price is not None:
        yield _bought("human_labelling", part.labels, Unit.LABEL, part.label_price, "label_price", known)
    else:
        yield from labelled(part, known)


def _bought(name: str, quantity: Decimal, unit: Unit, price: PriceInput, field: str, known: Known) -> Draft:
    return Draft(
        part="fine_tuning",
        name=name,
        formula=known.formula("fine_tuning.cost"),
        inputs=(FormulaInput(name=name, value=quantity, unit=unit.value, origin="scenario"),),
        quantity=quantity,
        unit=unit,
        price=price,
        field=f"fine_tuning.{field}",
    )


def _engineering(part: EngineeringPart, known: Known) -> Iterator[Draft]:
    if part.engineers is not None and part.average_annual_salary is not None:
        yield from _engineers(part.engineers, part.average_annual_salary, part, known)
    for number, role in enumerate(part.roles or ()):
        yield from employed(number, role, part, known)


def _engineers(engineers: Decimal, salary: PriceInput, part: EngineeringPart, known: Known) -> Iterator[Draft]:
    """Salaries, and what employing costs beyond them: one cost, one line."""
    inputs = {"engineers": engineers, "years": part.years}
    field = "average_annual_salary"
    person_years = known.formula("engineering.person_years")
    yield computed("engineering", "salaries", person_years, inputs, Unit.PERSON_YEAR, salary, field)
    loading = known.factor("engineering.loading", part.loading)
    if loading.value != 1:
        beyond = FormulaInput(name="loading", value=loading.value, unit=Unit.RATIO.value, origin=loading.origin)
        yield Draft(
            part="engineering",
            name="compensation_beyond_salary",
            formula=known.formula("engineering.cost"),
            inputs=(*stated(inputs, person_years), beyond),
            quantity=person_years.evaluate(inputs) * (loading.value - 1),
            unit=Unit.PERSON_YEAR,
            price=salary,
            field=f"engineering.{field}",
        )
