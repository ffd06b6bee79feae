"""What an estimate's total depends on, input by input: the estimate as a function that takes arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from operator import mul
from typing import Final, Literal

from pricing_sources.units import Unit
from service.domain.canonical import json_bytes
from service.domain.estimate import Estimate, FormulaInput, LineItem
from service.domain.price_book import FxRate, Price
from service.domain.scenario import FactorInput, PartName, Scenario
from service.domain.scenario_places import nearest
from service.estimating.draft import Draft, Factor
from service.estimating.drafts import drafts
from service.estimating.draws import Array
from service.estimating.line_quantities import quantity_of
from service.formulas.catalog import LARGEST, Argument, Formula, formula

Role = Literal["quantity", "factor", "price", "fx"]

DAYS: Final[Mapping[str, float]] = {Unit.HOUR: 1 / 24, Unit.DAY: 1, Unit.MONTH: 365.25 / 12, Unit.YEAR: 365.25}
QUERIES: Final = ("users", "queries_per_user_per_day", "days")
"""What the queries of a token line were made of."""
NO_DURATION: Final = frozenset({"ramp_up_years", "service_years"})
"""Times that are not how long a price is paid."""
AT_ONCE: Final = frozenset({Unit.GPU, Unit.LICENCE})
"""What is bought before it is used, at the price of that day."""
FIELD_OF: Final = {"new_data": "new_data_tb", "human_labelling": "labels"}
"""Lines of fine-tuning name their one input as the line, the scenario by what is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One number the total depends on."""

    name: str
    """Its place in the scenario, or the series it was looked up in."""
    stream: str
    """What its draws are named by: the series, or the two currencies, so that estimates share them."""
    role: Role
    unit: str
    point: Decimal
    series: str | None = None
    days: float = 0.0
    """For how long the longest line pays it; 0 where it is bought at once."""
    least: float = 0.0
    most: float = float(LARGEST)
    neutral: bool = False
    """True for one nobody stated, at the value that leaves the published formula as it is."""
    lines: tuple[LineItem, ...] = ()


@dataclass(frozen=True, slots=True)
class LineAnatomy:
    """Which inputs one line multiplies."""

    line: LineItem
    formula: Formula
    arguments: Mapping[str, tuple[str, ...]]
    """By the formula's argument: the inputs whose product it is."""
    price: str
    per_price: float
    """Price paid over the price input: what a discount leaves."""
    fx: tuple[tuple[str, int], ...]
    """Inputs the exchange rate is made of, and the power each has."""

    @property
    def quantity_inputs(self) -> tuple[object, ...]:
        """What the quantity depends on; lines of which this is the same buy the same quantity."""
        return (self.line.part, self.formula.name, self.line.pricing_quantity, *self.arguments.items())

    @property
    def inputs(self) -> set[str]:
        """Every input of the line."""
        return {
            *(name for names in self.arguments.values() for name in names),
            self.price,
            *(one for one, _ in self.fx),
        }


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Every line and every input of an estimate."""

    lines: tuple[LineAnatomy, ...]
    inputs: Mapping[str, Input]

    def costs(self, values: Mapping[str, Array]) -> dict[PartName, Array | float]:
        """The cost of each part, in the estimate's currency, where these inputs have these values."""
        costs: dict[PartName, Array | float] = {}
        quantities: dict[object, Array | float] = {}
        for one in self.lines:
            named = one.quantity_inputs
            if values.keys().isdisjoint(one.inputs):
                cost: Array | float = float(one.line.cost)
            else:
                if named not in quantities:
                    quantities[named] = self._quantity(one, values)
                cost = quantities[named] * self._unit_cost(one, values)
            costs[one.line.part] = costs.get(one.line.part, 0.0) + cost
        return costs

    def _quantity(self, one: LineAnatomy, values: Mapping[str, Array]) -> Array | float:
        if values.keys().isdisjoint(name for names in one.arguments.values() for name in names):
            return float(one.line.pricing_quantity)
        found: Array | float = quantity_of(
            one.formula, {name: self._product(of, values) for name, of in one.arguments.items()}
        )
        return found

    def _unit_cost(self, one: LineAnatomy, values: Mapping[str, Array]) -> Array | float:
        """What one unit costs in the estimate's currency: price, contract and exchange rate."""
        rate: Array | float = one.per_price * float(one.line.fx_rate)
        for name, power in one.fx:
            if name in values:
                rate = rate * (values[name] / float(self.inputs[name].point)) ** power
        price = self._value(one.price, values)
        return price if isinstance(rate, float) and rate == 1 else price * rate

    def _product(self, names: tuple[str, ...], values: Mapping[str, Array]) -> Array | float:
        return reduce(mul, (self._value(name, values) for name in names))

    def _value(self, name: str, values: Mapping[str, Array]) -> Array | float:
        return values[name] if name in values else float(self.inputs[name].point)


def anatomy(estimate: Estimate, agreed: frozenset[str] = frozenset()) -> Anatomy:
    """Take an estimate apart. `agreed` names the series whose price your rate card fixes, whatever the list says.

    The lines are put in an order of their own, so that theirs does not matter.
    """
    taken = _Taken(estimate, agreed)
    lines = tuple(taken.line(one) for one in sorted(estimate.line_items, key=json_bytes))
    return Anatomy(lines, dict(sorted(taken.inputs.items())))


class _Taken:
    """The inputs met so far."""

    def __init__(self, estimate: Estimate, agreed: frozenset[str]) -> None:
        self.scenario, self.agreed = estimate.scenario, agreed
        self.declared = {spread.input for spread in estimate.scenario.spreads or ()}
        self.fields = {(draft.part, draft.name): draft.field for draft in _every_draft(estimate.scenario)}
        self.fx_rates = {rate.from_currency: rate for rate in estimate.fx_rates}
        self.inputs: dict[str, Input] = {}

    def line(self, line: LineItem) -> LineAnatomy:
        """One line by its inputs."""
        name, _, version = line.formula.partition("@")
        chosen = formula(name, int(version))
        stated = list(self._stated(line, chosen))
        days = sum(float(one.point) * DAYS.get(one.unit, 0) for name, one in stated if name not in NO_DURATION)
        if line.pricing_unit in AT_ONCE:
            days = 0.0
        arguments: dict[str, tuple[str, ...]] = {}
        for argument, one in stated:
            known = replace(one, days=days) if one.series else one
            arguments[argument] = (*arguments.get(argument, ()), self._met(known, line))
        price = self._price(line, days)
        per_price = float(_paid(line)) / float(price.point) if price.point else 1.0
        fx = tuple((self._met(one, line), power) for one, power in self._fx(line, days))
        return LineAnatomy(line, chosen, arguments, self._met(price, line), per_price, fx)

    def _stated(self, line: LineItem, chosen: Formula) -> Iterator[tuple[str, Input]]:
        """Every quantity of a line, under the name the scenario gives it."""
        for one in line.inputs:
            if one.name == "queries" and self.scenario.inference is not None:
                for field in QUERIES:
                    point = getattr(self.scenario.inference, field)
                    known = next(part for part in formula("inference.queries").arguments if part.name == field)
                    neutral = point == known.default
                    yield one.name, _quantity(f"inference.{field}", point, known.unit_text, known, neutral=neutral)
            else:
                yield one.name, self._argument(line, one, chosen)

    def _argument(self, line: LineItem, one: FormulaInput, chosen: Formula) -> Input:
        field = f"{line.name}_per_query" if one.name == "tokens_per_query" else FIELD_OF.get(one.name, one.name)
        within = self.fields.get((line.part, line.name), f"{line.part}.").rpartition(".")[0]
        path, given = nearest(self.scenario, within, field)
        limits = next((known for known in chosen.arguments if known.name == one.name), None)
        found = _quantity(path, one.value, one.unit, limits, neutral=one.origin == "default")
        if not isinstance(given, FactorInput) or given.series is None:
            return found
        name = path if path in self.declared else given.series
        return replace(found, name=name, stream=given.series, role="factor", series=given.series)

    def _price(self, line: LineItem, days: float) -> Input:
        path, series = self.fields.get((line.part, line.name), f"{line.part}.{line.name}"), line.price_series
        fixed = line.contracted_unit_price if series in self.agreed else None
        listed = fixed is None
        point = line.list_unit_price if fixed is None else fixed
        currency = line.list_currency if listed else line.contracted_currency
        name = path if path in self.declared or series is None else series
        unit = f"{currency}/{line.pricing_unit}"
        return Input(name=name, stream=series or path, role="price", unit=unit, point=point, series=series, days=days)

    def _fx(self, line: LineItem, days: float) -> Iterator[tuple[Input, int]]:
        currency = line.contracted_currency or line.list_currency
        rate = self.fx_rates.get(currency)
        if rate is None:
            return
        path = f"fx.{currency}"
        if path in self.declared:
            unit = f"{rate.to_currency}/{currency}"
            stream = f"fx/{currency}/{rate.to_currency}"
            yield Input(name=path, stream=stream, role="fx", unit=unit, point=rate.rate, days=days), 1
            return
        for leg in rate.legs:
            if power := _power(leg, rate):
                unit = f"{leg.currency}/{_base(leg)}"
                stream = f"fx/{_base(leg)}/{leg.currency}"
                yield Input(name=leg.series, stream=stream, role="fx", unit=unit, point=leg.amount,
                            series=leg.series, days=days), power  # fmt: skip

    def _met(self, one: Input, line: LineItem) -> str:
        """Remember an input; what several lines share is one."""
        known = self.inputs.get(one.name, one)
        self.inputs[one.name] = replace(known, days=max(known.days, one.days), lines=(*known.lines, line))
        return one.name


def _every_draft(scenario: Scenario) -> Iterator[Draft]:
    """The drafts, for their names and fields alone; a factor that is given shows all of its lines."""
    return drafts(scenario, lambda _, given: Factor(Decimal(1 if given is None else 2), "default"))


def _quantity(path: str, point: Decimal, unit: str, limits: Argument | None, *, neutral: bool) -> Input:
    least, most = (limits.minimum, limits.maximum) if limits else (Decimal(0), LARGEST)
    return Input(
        name=path,
        stream=path,
        role="quantity",
        unit=unit,
        point=point,
        least=float(least),
        most=float(most),
        neutral=neutral,
    )


def _paid(line: LineItem) -> Decimal:
    return line.list_unit_price if line.contracted_unit_price is None else line.contracted_unit_price


def _base(leg: Price) -> str:
    """The currency a reference rate is quoted against: its series is source / base / quote."""
    return leg.series.split("/")[-2]


def _power(leg: Price, rate: FxRate) -> int:
    """How a leg enters `per_euro[to] / per_euro[from]`; a dollar leg also stands under what is quoted in dollars."""
    power = 0
    for currency, sign in ((rate.to_currency, 1), (rate.from_currency, -1)):
        in_dollars = any(one.currency == currency and _base(one) == "USD" for one in rate.legs)
        if leg.currency == currency or (in_dollars and leg.currency == "USD" and _base(leg) == "EUR"):
            power += sign
    return power
