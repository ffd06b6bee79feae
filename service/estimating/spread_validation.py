"""What a declared spread must be before a band can be made of it."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from service.domain.scenario import DistributionName, FactorInput, PriceInput, Scenario, Spread
from service.domain.scenario_places import uncertain_inputs
from service.errors import FieldProblem

LARGEST: Final = Decimal(10) ** 15
LARGEST_SD: Final = Decimal(10)
MOST_SPREADS: Final = 100
LONGEST_SOURCE: Final = 500
NEEDS: Final[Mapping[DistributionName, tuple[frozenset[str], frozenset[str]]]] = {
    "triangular": (frozenset({"low", "high"}), frozenset({"mode"})),
    "uniform": (frozenset({"low", "high"}), frozenset()),
    "interval": (frozenset({"low", "high"}), frozenset()),
    "lognormal": (frozenset({"relative_sd"}), frozenset()),
    "fixed": (frozenset(), frozenset()),
}
"""By distribution: what it must have, and what it may have besides."""

Problems = Iterator[FieldProblem]


def spread_problems(scenario: Scenario) -> Problems:
    """Every spread that is not one, and what would work."""
    spreads, values = scenario.spreads or (), _values(scenario)
    if len(spreads) > MOST_SPREADS:
        yield FieldProblem("spreads", f"must be at most {MOST_SPREADS}, not {len(spreads)}")
        return
    seen: set[str] = set()
    for number, spread in enumerate(spreads):
        where = f"spreads.{number}"
        if spread.input in seen:
            yield FieldProblem(f"{where}.input", f"{spread.input!r} has a spread already; give it one")
        seen.add(spread.input)
        if spread.input not in values and not re.fullmatch(r"fx\.[A-Z]{3}", spread.input):
            near = get_close_matches(spread.input, values, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(values))}"
            yield FieldProblem(f"{where}.input", f"{spread.input[:60]!r} is no input of this scenario; {hint}")
            continue
        problems = list(_parameters(where, spread))
        yield from problems or _order(where, spread, values.get(spread.input))


def _values(scenario: Scenario) -> dict[str, Decimal | None]:
    """Every input a spread may name; None for the value of one that is looked up."""
    found: dict[str, Decimal | None] = {}
    for place, one in uncertain_inputs(scenario).items():
        match one:
            case PriceInput(amount=amount):
                found[place] = amount
            case FactorInput(value=value):
                found[place] = value
            case _:
                found[place] = one
    return found


def _parameters(where: str, spread: Spread) -> Problems:
    """Each distribution has its own."""
    needed, allowed = NEEDS[spread.distribution]
    for name in ("low", "mode", "high", "relative_sd"):
        value: Decimal | None = getattr(spread, name)
        if value is None and name in needed:
            yield FieldProblem(f"{where}.{name}", f"is missing; a {spread.distribution} distribution needs it")
        elif value is not None and name not in needed | allowed:
            yield FieldProblem(f"{where}.{name}", f"means nothing for {spread.distribution}; leave it out")
        elif value is not None and not (value.is_finite() and 0 <= value <= LARGEST):
            yield FieldProblem(f"{where}.{name}", f"must be a number from 0 to 1e15, not {str(value)[:40]}")
    if spread.source is not None and len(spread.source) > LONGEST_SOURCE:
        yield FieldProblem(f"{where}.source", f"must have at most {LONGEST_SOURCE} characters")


def _order(where: str, spread: Spread, value: Decimal | None) -> Problems:
    """The numbers are in order, and the input's own value is among them."""
    if spread.relative_sd is not None and not 0 < spread.relative_sd <= LARGEST_SD:
        yield FieldProblem(f"{where}.relative_sd", f"must be more than 0 and at most {LARGEST_SD}; 0.2 is 20 %")
    if spread.low is None or spread.high is None:
        return
    if spread.low >= spread.high:
        yield FieldProblem(f"{where}.high", f"must be more than low, {spread.low}")
    elif spread.mode is not None and not spread.low <= spread.mode <= spread.high:
        yield FieldProblem(f"{where}.mode", f"must be between low and high, {spread.low} and {spread.high}")
    elif value is not None and not spread.low <= value <= spread.high:
        yield FieldProblem(f"{where}.low", f"to high must hold the value itself, {value}, which {spread.input} has")
    elif spread.distribution == "interval" and not spread.low:
        yield FieldProblem(f"{where}.low", "must be more than 0")
