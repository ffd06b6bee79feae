"""What a formula is: a versioned equation with its arguments, their units and their limits."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any, Final, Literal

import numpy as np

from pricing_sources.units import Unit, UnitMismatch, factor
from service.domain.language_model_library import known_model
from service.domain.quantities import Quantity, UnitPrice, significant
from service.errors import FieldProblem, Invalid, NotFound

LARGEST: Final = Decimal(10) ** 18
"""No quantity or price of this world is larger; a number that is, is a slip."""
SHOWN: Final = 60
"""Characters of a refused value that are repeated to its sender."""

Input = Decimal | str
"""A number in the unit of its argument, the name of a language model, or one of a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One input of a formula: a quantity in `unit` or `symbol`, a price per `per`, a language model, or a choice."""

    name: str
    description: str
    unit: Unit | None = None
    symbol: str | None = None
    """A unit nothing is priced by: FLOP, bytes/s."""
    per: Unit | None = None
    minimum: Decimal = Decimal(0)
    maximum: Decimal = LARGEST
    default: Decimal | None = None
    kind: Literal["number", "llm", "choice"] = "number"
    choices: tuple[str, ...] = ()
    optional: bool = False
    """May be left out although no number stands for it; the description says what holds then."""

    @property
    def unit_text(self) -> str:
        """`kW`, `bytes/s`, `currency/kWh` or `currency`; for what is no number, what it is."""
        if self.kind == "llm":
            return "name of a language model"
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        if self.unit is not None:
            return self.unit.value
        if self.symbol is not None:
            return self.symbol
        return f"currency/{self.per}" if self.per else "currency"

    @property
    def needed(self) -> bool:
        """Has to be given."""
        return self.default is None and not self.optional


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A versioned equation."""

    id: str
    version: int
    title: str
    function: Callable[..., object]
    arguments: tuple[Argument, ...]
    result_unit: str
    mission: int | None = None
    """Its number among the five formulas of the mission."""
    exact: bool = True
    """Computed in Decimal; else in float64, of which 12 significant digits are told."""
    prepare: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """Makes what the function takes (an architecture, a layout) of the plain inputs."""
    read: Callable[[Any], Any] | None = None
    """Which figure of what the function returns is the result; the whole where it is one number."""

    @property
    def name(self) -> str:
        """Id and version, as an estimate cites it: `training.energy@1`."""
        return f"{self.id}@{self.version}"

    @property
    def documentation(self) -> str:
        """Equation, symbols, limits, reference and a worked example."""
        return inspect.getdoc(self.function) or ""

    def evaluate(self, inputs: Mapping[str, Input]) -> Decimal:
        """The result for plain numbers in the documented units.

        Raises Invalid naming every argument that is unknown, missing or out of its limits.
        """
        problems = self._misnamed(inputs)
        values, slips = self._values(inputs)
        if problems or slips:
            problems += slips
            raise Invalid("; ".join(f"{p.field}: {p.message}" for p in problems), problems=tuple(problems))
        if not self.exact:
            return self._in_float64(values)
        try:
            result = self.function(**values)
        except ArithmeticError:
            raise Invalid(f"{self.id} has no finite result for these inputs; is one of them 0?") from None
        if not isinstance(result, Decimal | int):
            raise TypeError(f"{self.name} made a {type(result).__name__} of decimals")
        return Decimal(result)

    def compute(self, inputs: Mapping[str, Any]) -> Any:
        """The result for inputs of any one kind of number, arrays too; nothing is checked."""
        taken = dict(inputs) if self.prepare is None else self.prepare(dict(inputs))
        made = self.function(**taken)
        return made if self.read is None else self.read(made)

    def evaluate_quantities(self, inputs: Mapping[str, Quantity | UnitPrice]) -> Decimal:
        """The result for numbers that carry their units; what can be converted exactly is.

        Raises UnitMismatch where a unit does not measure what the argument is, Invalid as `evaluate` and
        where two prices are in two currencies.
        """
        known = {argument.name: argument for argument in self.arguments}
        prices = [value for value in inputs.values() if isinstance(value, UnitPrice)]
        if len({price.currency for price in prices}) > 1:
            raise Invalid("prices in several currencies; convert them to one first")
        return self.evaluate(
            {name: _converted(known[name], value) if name in known else value.amount for name, value in inputs.items()}
        )

    def _in_float64(self, values: Mapping[str, Any]) -> Decimal:
        inputs = {name: float(one) if isinstance(one, Decimal) else one for name, one in values.items()}
        try:
            with np.errstate(divide="raise", over="raise", invalid="raise"):
                return significant(float(self.compute(inputs)))
        except (ArithmeticError, ValueError):
            raise Invalid(f"{self.id} has no finite result for these inputs; is one of them 0?") from None

    def _misnamed(self, inputs: Mapping[str, Input]) -> list[FieldProblem]:
        names = [argument.name for argument in self.arguments]
        problems = []
        for name in inputs:
            if name not in names:
                near = get_close_matches(name, names, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
                problems.append(FieldProblem(name, f"is no argument of {self.id}; {hint}"))
        missing = [one for one in self.arguments if one.needed and one.name not in inputs]
        return problems + [FieldProblem(one.name, f"is missing; give it in {one.unit_text}") for one in missing]

    def _values(self, inputs: Mapping[str, Input]) -> tuple[dict[str, Any], list[FieldProblem]]:
        """What the inputs mean, and what is wrong with them."""
        values: dict[str, Any] = {}
        problems: list[FieldProblem] = []
        for argument in self.arguments:
            if argument.name in inputs:
                try:
                    values[argument.name] = _meant(argument, inputs[argument.name])
                except _Slip as slip:
                    problems.append(FieldProblem(argument.name, str(slip)))
        return values, problems


class _Slip(Exception):
    """An input that cannot be what its argument is."""


def _meant(argument: Argument, value: Input) -> Any:
    if argument.kind == "llm":
        return _architecture(value)
    if argument.kind == "choice":
        if value not in argument.choices:
            raise _Slip(f"must be {argument.unit_text}, not {str(value)[:SHOWN]}")
        return value
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise _Slip(f"must be a number in {argument.unit_text}, not {value!r:.{SHOWN}}") from None
    if not (number.is_finite() and argument.minimum <= number <= argument.maximum):
        most = f" to {argument.maximum}" if argument.maximum < LARGEST else " or more"
        raise _Slip(f"must be {argument.minimum}{most} {argument.unit_text}, not {value}")
    return number


def _architecture(value: Input) -> Any:
    try:
        return known_model(str(value)).llm
    except (NotFound, Invalid) as problem:
        raise _Slip(str(problem)) from None


def _converted(argument: Argument, value: Quantity | UnitPrice) -> Decimal:
    wanted = argument.per if isinstance(value, UnitPrice) else argument.unit
    if wanted is None:
        given = f"a price per {value.unit}" if isinstance(value, UnitPrice) else f"a quantity in {value.unit}"
        raise UnitMismatch(f"{argument.name} is in {argument.unit_text}; {given} cannot be used for it")
    if isinstance(value, UnitPrice):
        return value.amount * factor(wanted, value.unit)
    return value.amount * factor(value.unit, wanted)
