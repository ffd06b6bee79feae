"""What a scenario must be before it can be priced; every problem is named, not only the first."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from service.domain.scenario import (
    DataPart,
    EngineeringPart,
    FactorInput,
    FineTuningPart,
    InferencePart,
    PriceInput,
    Scenario,
    TrainingPart,
)
from service.domain.scenario_places import inputs_of
from service.errors import FieldProblem, Invalid
from service.estimating.extended_validation import (
    hardware_problems,
    included_problems,
    labelling_problems,
    limit_problems,
    machine_problems,
    role_problems,
    run_problems,
    tariff_problems,
    tier_problems,
)
from service.estimating.spread_validation import spread_problems

LARGEST: Final = Decimal(10) ** 15
LONGEST_NAME: Final = 200
LONGEST_SERIES: Final = 300
MOST_DIGITS: Final = 40
"""More say nothing of the world, and exact products of them grow without end."""
PARTS: Final = ("data", "training", "inference", "fine_tuning", "engineering")

Problems = Iterator[FieldProblem]


def validate(scenario: Scenario) -> None:
    """Raise Invalid naming every field that cannot be priced as given, and what would work."""
    problems = tuple(_problems(scenario))
    if problems:
        raise Invalid("; ".join(f"{problem.field}: {problem.message}" for problem in problems), problems=problems)


def number_problems(where: str, value: Decimal) -> Problems:
    """What is not finite, negative, beyond this world or longer than anybody means."""
    if not value.is_finite() or value < 0 or value > LARGEST:
        yield FieldProblem(where, f"must be a number from 0 to 1e15, not {str(value)[:40]}")
    elif len(format(value, "f")) > MOST_DIGITS:
        yield FieldProblem(where, f"must have at most {MOST_DIGITS} digits")


def _problems(scenario: Scenario) -> Problems:
    if not scenario.name.strip() or len(scenario.name) > LONGEST_NAME:
        yield FieldProblem("name", f"must have 1 to {LONGEST_NAME} characters")
    yield from _currency("currency", scenario.currency)
    if scenario.rate_card is not None and not 0 < len(scenario.rate_card) <= LONGEST_NAME:
        yield FieldProblem("rate_card", f"must have 1 to {LONGEST_NAME} characters")
    parts = [(name, getattr(scenario, name)) for name in PARTS if getattr(scenario, name) is not None]
    if not parts:
        yield FieldProblem("scenario", f"has nothing to price; give at least one of {', '.join(PARTS)}")
    for name, part in parts:
        yield from _inputs(name, part)
        yield from limit_problems(name, part)
        match part:
            case DataPart():
                yield from _data(part)
            case TrainingPart():
                yield from _training(part)
            case InferencePart():
                yield from _inference(part)
            case FineTuningPart():
                yield from _fine_tuning(part)
            case EngineeringPart():
                yield from _engineering(part)
            case _:
                pass
    yield from spread_problems(scenario)


def _inputs(path: str, part: object) -> Problems:
    """Every number is finite, not negative and of this world; every price is stated or looked up."""
    for where, value in inputs_of(part, path):
        match value:
            case Decimal():
                yield from number_problems(where, value)
            case PriceInput():
                yield from _price(where, value)
            case FactorInput():
                yield from _factor(where, value)


def _price(where: str, price: PriceInput) -> Problems:
    if (price.series is None) == (price.amount is None):
        yield FieldProblem(where, "give either a series of the price book or an amount of your own")
    yield from _series(where, price.series)
    if price.amount is not None:
        yield from number_problems(f"{where}.amount", price.amount)
    if price.currency is not None:
        yield from _currency(f"{where}.currency", price.currency)
        if price.series is not None:
            yield FieldProblem(f"{where}.currency", "a series has its own currency; leave this out")


def _factor(where: str, factor: FactorInput) -> Problems:
    if (factor.series is None) == (factor.value is None):
        yield FieldProblem(where, "give either a series of the price book or a value of your own")
    yield from _series(where, factor.series)
    if factor.value is not None:
        yield from number_problems(f"{where}.value", factor.value)


def _series(where: str, key: str | None) -> Problems:
    if key is not None and not 0 < len(key) <= LONGEST_SERIES:
        yield FieldProblem(f"{where}.series", f"must have 1 to {LONGEST_SERIES} characters")


def _currency(where: str, code: str) -> Problems:
    if not re.fullmatch(r"[A-Z]{3}", code):
        yield FieldProblem(where, f"must be an ISO 4217 code such as USD, not {code!r}")


def _data(part: DataPart) -> Problems:
    prices = (part.licensing_fees, part.flat_licence, part.storage_costs, part.storage_tiers)
    if all(
        one is None for one in (*prices, part.transfer_price, part.egress_tb_per_month, part.licence_per_million_tokens)
    ):
        yield FieldProblem("data", "has nothing to price; give licensing_fees, storage_costs or both")
    for name, other in (("transfer_tb", "transfer_price"), ("transfer_price", "transfer_tb")):
        if getattr(part, name) is None and getattr(part, other) is not None:
            yield FieldProblem(f"data.{name}", f"is missing beside {other}")
    yield from tier_problems(part)


def _training(part: TrainingPart) -> Problems:
    power, electricity = part.power_per_gpu_kw is not None, part.electricity_price is not None
    bought = electricity or part.electricity_tariff is not None
    held = part.own_hardware is not None and part.own_hardware.colocation_price is not None
    rented_or_owned = part.gpu_price is not None or part.own_hardware is not None
    if not (rented_or_owned or power or bought or (part.machines and part.gpus is None)):
        yield FieldProblem(
            "training", "has nothing to price; give gpu_price, or power_per_gpu_kw with electricity_price"
        )
    yield from run_problems(part, priced=rented_or_owned or power or bought)
    if power and not (bought or held):
        yield FieldProblem("training.electricity_price", "is missing beside power_per_gpu_kw")
    if (bought or held) and not power:
        beside = "electricity_price" if electricity else "electricity_tariff" if bought else "colocation_price"
        yield FieldProblem("training.power_per_gpu_kw", f"is missing beside {beside}")
    yield from included_problems("training", part)
    if part.utilisation > 1:
        yield FieldProblem("training.utilisation", f"must be 0 to 1, not {part.utilisation}")
    for name in ("server_factor", "pue"):
        yield from _loading(f"training.{name}", getattr(part, name))
    if part.own_hardware is not None:
        yield from _loading("training.own_hardware.system_factor", part.own_hardware.system_factor)
    yield from hardware_problems(part)
    yield from tariff_problems("training", part, part.hours)
    for number, machines in enumerate(part.machines or ()):
        yield from _loading(f"training.machines.{number}.pue", machines.pue)
    yield from machine_problems(part)


def _loading(where: str, factor: FactorInput | None) -> Problems:
    if factor is not None and factor.value is not None and factor.value < 1:
        yield FieldProblem(f"{where}.value", f"must be 1 or more, not {factor.value}")


def _inference(part: InferencePart) -> Problems:
    pairs = (
        ("input_tokens_per_query", "input_token_price"),
        ("output_tokens_per_query", "output_token_price"),
    )
    complete = 0
    for tokens, price in pairs:
        has_tokens, has_price = getattr(part, tokens) is not None, getattr(part, price) is not None
        complete += has_tokens and has_price
        if has_tokens != has_price:
            missing, present = (price, tokens) if has_tokens else (tokens, price)
            yield FieldProblem(f"inference.{missing}", f"is missing beside {present}")
        if part.cost_per_query is not None and (has_tokens or has_price):
            yield FieldProblem(
                f"inference.{tokens}", "give either cost_per_query or the tokens of a query with their prices"
            )
    if part.cost_per_query is None and not complete:
        yield FieldProblem(
            "inference.cost_per_query", "is missing; give it, or the tokens of a query with their prices"
        )


def _fine_tuning(part: FineTuningPart) -> Problems:
    labelled = part.label_price is not None or part.labelling_hour_price is not None
    pairs = (
        ("new_data_tb", "new_data_price", part.new_data_price is not None),
        ("labels", "label_price", labelled),
    )
    for quantity, price, priced in pairs:
        if getattr(part, quantity) > 0 and not priced:
            yield FieldProblem(f"fine_tuning.{price}", f"is missing beside {quantity}")
        if getattr(part, quantity) == 0 and getattr(part, price) is not None:
            yield FieldProblem(f"fine_tuning.{quantity}", f"is missing beside {price}")
    yield from labelling_problems(part)


def _engineering(part: EngineeringPart) -> Problems:
    yield from _loading("engineering.loading", part.loading)
    for number, role in enumerate(part.roles or ()):
        yield from _loading(f"engineering.roles.{number}.loading", role.loading)
    yield from role_problems(part)
