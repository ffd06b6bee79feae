"""Every formula by id and version, with its arguments, their units and their limits.

A changed equation is a new version beside the old one, so that old estimates stay reproducible.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from pricing_sources.units import Unit, UnitMismatch, factor
from service.domain.quantities import Quantity, UnitPrice
from service.errors import FieldProblem, Invalid, NotFound
from service.formulas import data, engineering, fine_tuning, inference, training

LARGEST: Final = Decimal(10) ** 18
"""No quantity or price of this world is larger; a number that is, is a slip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One input of a formula: a quantity in `unit`, or a price per `per`."""

    name: str
    description: str
    unit: Unit | None = None
    per: Unit | None = None
    minimum: Decimal = Decimal(0)
    maximum: Decimal = LARGEST
    default: Decimal | None = None

    @property
    def unit_text(self) -> str:
        """`kW`, `currency/kWh` or `currency`."""
        if self.unit is not None:
            return self.unit.value
        return f"currency/{self.per}" if self.per else "currency"


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

    @property
    def name(self) -> str:
        """Id and version, as an estimate cites it: `training.energy@1`."""
        return f"{self.id}@{self.version}"

    @property
    def documentation(self) -> str:
        """Equation, symbols, limits, reference and a worked example."""
        return inspect.getdoc(self.function) or ""

    def evaluate(self, inputs: Mapping[str, Decimal]) -> Decimal:
        """The result for plain numbers in the documented units.

        Raises Invalid naming every argument that is unknown, missing or out of its limits.
        """
        problems = [*self._misnamed(inputs), *self._out_of_limits(inputs)]
        if problems:
            raise Invalid("; ".join(f"{p.field}: {p.message}" for p in problems), problems=tuple(problems))
        result = self.function(**inputs)
        if not isinstance(result, Decimal | int):
            raise TypeError(f"{self.name} made a {type(result).__name__} of decimals")
        return Decimal(result)

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

    def _misnamed(self, inputs: Mapping[str, Decimal]) -> list[FieldProblem]:
        names = [argument.name for argument in self.arguments]
        problems = []
        for name in inputs:
            if name not in names:
                near = get_close_matches(name, names, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
                problems.append(FieldProblem(name, f"is no argument of {self.id}; {hint}"))
        missing = [one for one in self.arguments if one.default is None and one.name not in inputs]
        return problems + [FieldProblem(one.name, f"is missing; give it in {one.unit_text}") for one in missing]

    def _out_of_limits(self, inputs: Mapping[str, Decimal]) -> list[FieldProblem]:
        problems = []
        for argument in self.arguments:
            value = inputs.get(argument.name)
            if value is None or (value.is_finite() and argument.minimum <= value <= argument.maximum):
                continue
            most = f" to {argument.maximum}" if argument.maximum < LARGEST else " or more"
            problems.append(
                FieldProblem(argument.name, f"must be {argument.minimum}{most} {argument.unit_text}, not {value}")
            )
        return problems


def formula(formula_id: str, version: int | None = None) -> Formula:
    """A formula by id, its newest version unless said. Raises NotFound with the nearest ids."""
    versions = [one for one in FORMULAS if one.id == formula_id]
    if version is not None:
        versions = [one for one in versions if one.version == version]
    if versions:
        return max(versions, key=lambda one: one.version)
    ids = sorted({one.id for one in FORMULAS})
    near = get_close_matches(formula_id, ids, n=3, cutoff=0.4) or ids
    wanted = formula_id if version is None else f"{formula_id}@{version}"
    raise NotFound(f"there is no formula {wanted!r}; there are {', '.join(near)}")


def _converted(argument: Argument, value: Quantity | UnitPrice) -> Decimal:
    wanted = argument.per if isinstance(value, UnitPrice) else argument.unit
    if wanted is None:
        given = f"a price per {value.unit}" if isinstance(value, UnitPrice) else f"a quantity in {value.unit}"
        raise UnitMismatch(f"{argument.name} is in {argument.unit_text}; {given} cannot be used for it")
    if isinstance(value, UnitPrice):
        return value.amount * factor(wanted, value.unit)
    return value.amount * factor(value.unit, wanted)


_ONE: Final = Decimal(1)
_NONE: Final = Decimal(0)

_GPUS = Argument(name="gpus", description="GPUs running at once", unit=Unit.GPU)
_HOURS = Argument(name="hours", description="duration", unit=Unit.HOUR)
_MONTHS = Argument(name="months", description="months stored", unit=Unit.MONTH, default=_ONE)
_VOLUME = Argument(name="volume_tb", description="size of the data set", unit=Unit.TB)
_USERS = Argument(name="users", description="people who send queries", unit=Unit.PERSON)
_RATE = Argument(name="queries_per_user_per_day", description="queries one user sends a day", unit=Unit.QUERY)
_DAYS = Argument(name="days", description="for how long", unit=Unit.DAY, default=_ONE)
_ENGINEERS = Argument(name="engineers", description="full-time engineers", unit=Unit.PERSON)
_YEARS = Argument(name="years", description="for how long", unit=Unit.YEAR)
_ENERGY = (
    Argument(name="power_per_gpu_kw", description="power of one GPU at full load", unit=Unit.KW),
    _GPUS,
    _HOURS,
    Argument(
        name="utilisation", description="average over full-load draw", unit=Unit.RATIO, maximum=_ONE, default=_ONE
    ),
    Argument(name="idle_power_per_gpu_kw", description="draw of a waiting GPU", unit=Unit.KW, default=_NONE),
    Argument(name="idle_hours", description="hours spent waiting", unit=Unit.HOUR, default=_NONE),
    Argument(name="server_factor", description="server over GPU power", unit=Unit.RATIO, minimum=_ONE, default=_ONE),
    Argument(name="pue", description="facility over server power", unit=Unit.RATIO, minimum=_ONE, default=_ONE),
)
_PER_MILLION = Unit.TOKENS_1M

FORMULAS: Final[tuple[Formula, ...]] = (
    Formula(
        id="data.cost",
        version=1,
        title="Data: (licensing fees + storage costs) × TB",
        function=data.cost,
        arguments=(
            Argument(name="licensing_fees_per_tb", description="licensing fees", per=Unit.TB),
            Argument(name="storage_costs_per_tb", description="storage costs", per=Unit.TB_MONTH),
            _VOLUME,
            _MONTHS,
        ),
        result_unit="currency",
        mission=1,
    ),
    Formula(
        id="training.energy_cost",
        version=1,
        title="Training energy: power per GPU × GPUs × hours × electricity rate",
        function=training.energy_cost,
        arguments=(*_ENERGY, Argument(name="electricity_price", description="electricity price", per=Unit.KWH)),
        result_unit="currency",
        mission=2,
    ),
    Formula(
        id="inference.cost",
        version=1,
        title="Inference: cost per query × users × queries per day",
        function=inference.cost,
        arguments=(
            Argument(name="cost_per_query", description="cost of one query", per=Unit.QUERY),
            _USERS,
            _RATE,
            _DAYS,
        ),
        result_unit="currency",
        mission=3,
    ),
    Formula(
        id="fine_tuning.cost",
        version=1,
        title="Fine-tuning: training compute + new data + human labelling",
        function=fine_tuning.cost,
        arguments=(
            Argument(name="training_compute", description="GPU-hours × price"),
            Argument(name="new_data", description="new data"),
            Argument(name="human_labelling", description="labels × price per label"),
        ),
        result_unit="currency",
        mission=4,
    ),
    Formula(
        id="engineering.cost",
        version=1,
        title="Engineering: engineers × average annual salary × years",
        function=engineering.cost,
        arguments=(
            _ENGINEERS,
            Argument(name="average_annual_salary", description="salary", per=Unit.PERSON_YEAR),
            _YEARS,
            Argument(
                name="loading", description="compensation over wages", unit=Unit.RATIO, minimum=_ONE, default=_ONE
            ),
        ),
        result_unit="currency",
        mission=5,
    ),
    Formula(
        id="data.storage",
        version=1,
        title="TB-months stored",
        function=data.storage_tb_months,
        arguments=(_VOLUME, _MONTHS),
        result_unit=Unit.TB_MONTH.value,
    ),
    Formula(
        id="training.gpu_hours",
        version=1,
        title="GPU-hours of a run",
        function=training.gpu_hours,
        arguments=(_GPUS, _HOURS),
        result_unit=Unit.GPU_HOUR.value,
    ),
    Formula(
        id="training.energy",
        version=1,
        title="Electrical energy of a run",
        function=training.energy_kwh,
        arguments=_ENERGY,
        result_unit=Unit.KWH.value,
    ),
    Formula(
        id="inference.queries",
        version=1,
        title="Queries to answer",
        function=inference.queries,
        arguments=(_USERS, _RATE, _DAYS),
        result_unit=Unit.QUERY.value,
    ),
    Formula(
        id="inference.tokens",
        version=1,
        title="Tokens of all queries",
        function=inference.millions_of_tokens,
        arguments=(
            Argument(name="queries", description="queries", unit=Unit.QUERY),
            Argument(name="tokens_per_query", description="tokens of one query", unit=Unit.TOKENS),
        ),
        result_unit=_PER_MILLION.value,
    ),
    Formula(
        id="inference.token_cost_per_query",
        version=1,
        title="Cost of one query at token prices",
        function=inference.token_cost_per_query,
        arguments=(
            Argument(name="input_tokens_per_query", description="tokens read", unit=Unit.TOKENS),
            Argument(name="input_token_price", description="price of a million read", per=_PER_MILLION),
            Argument(name="output_tokens_per_query", description="tokens written", unit=Unit.TOKENS),
            Argument(name="output_token_price", description="price of a million written", per=_PER_MILLION),
        ),
        result_unit=f"currency/{Unit.QUERY}",
    ),
    Formula(
        id="engineering.person_years",
        version=1,
        title="Person-years of work",
        function=engineering.person_years,
        arguments=(_ENGINEERS, _YEARS),
        result_unit=Unit.PERSON_YEAR.value,
    ),
)
"""The five of the mission first, then the quantities line items are made of."""
