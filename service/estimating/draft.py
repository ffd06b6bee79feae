"""One line of an estimate before its price is known, and what it is made with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from pricing_sources.units import Unit
from service.domain.estimate import FormulaInput
from service.domain.scenario import FactorInput, PartName, PriceInput
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


@dataclass(frozen=True, slots=True)
class Known:
    """What a line is made with besides its own numbers."""

    factor: Factors
    pinned: Pinned

    def formula(self, formula_id: str) -> Formula:
        """The pinned version, else the newest."""
        return formula(formula_id, self.pinned.get(formula_id))


def computed(
    part: PartName,
    name: str,
    chosen: Formula,
    inputs: Mapping[str, Decimal],
    unit: Unit,
    price: PriceInput,
    field: str,
    origins: Mapping[str, Origin] | None = None,
) -> Draft:
    """A line of what a formula makes of these inputs; `field` is the price's place within the part."""
    return Draft(
        part=part,
        name=name,
        formula=chosen,
        inputs=stated(inputs, chosen, origins),
        quantity=chosen.evaluate(inputs),
        unit=unit,
        price=price,
        field=f"{part}.{field}",
    )


def stated(
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
