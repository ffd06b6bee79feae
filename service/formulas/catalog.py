"""Every formula by id and version, with its arguments, their units and their limits.

A changed equation is a new version beside the old one, so that old estimates stay reproducible.
"""

from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from pricing_sources.units import Unit
from service.errors import NotFound
from service.formulas import data, engineering, fine_tuning, inference, training
from service.formulas.catalog_costs import COSTS
from service.formulas.catalog_serving import SERVING
from service.formulas.catalog_training import TRAINING
from service.formulas.formula import LARGEST, Argument, Formula

__all__ = ["FORMULAS", "LARGEST", "Argument", "Formula", "formula"]


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
        id="data.transfer",
        version=1,
        title="TB moved",
        function=data.transferred_tb,
        arguments=(Argument(name="transfer_tb", description="moved out of where it lies", unit=Unit.TB),),
        result_unit=Unit.TB.value,
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
    *COSTS,
    *TRAINING,
    *SERVING,
)
"""The five of the mission first, then the quantities line items are made of, then what predicts those."""
