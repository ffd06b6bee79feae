"""What is to be priced: five optional parts, one for each formula of the mission."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

FORBID_UNKNOWN = {"extra": "forbid", "use_attribute_docstrings": True}
"""Read by pydantic at the doors: a misspelt field is an error, not a default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceInput:
    """A price: either stated (`amount`, optionally `currency`) or looked up (`series`)."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    series: str | None = None
    """Key of a series in the price book."""
    amount: Decimal | None = None
    """A price you state yourself, per the unit the field asks for."""
    currency: str | None = None
    """ISO 4217 code of `amount`; the scenario's currency where absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorInput:
    """A dimensionless factor: either stated (`value`) or looked up (`series`)."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    series: str | None = None
    """Key of a series of unit 1 in the price book."""
    value: Decimal | None = None
    """A factor you state yourself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPart:
    """Formula 1: (licensing fees + storage costs) × TB."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    volume_tb: Decimal
    """Size of the data set [TB]."""
    licensing_fees: PriceInput | None = None
    """Licensing fee per TB [currency/TB]."""
    storage_costs: PriceInput | None = None
    """Storage price [currency/TB-Month; a series per GB-Month is converted]."""
    months: Decimal = Decimal(1)
    """How long the data is stored [months]; 1 is the published formula."""
    transfer_tb: Decimal | None = None
    """Moved out of where it lies [TB]."""
    transfer_price: PriceInput | None = None
    """Of moving it out [currency/TB; a series per GB is converted]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPart:
    """Formula 2: power per GPU × GPUs × hours × electricity rate, and the hours themselves.

    Give `gpu_price` for rented GPUs (their hour includes electricity), or `power_per_gpu_kw` and
    `electricity_price` for your own; both at once only when `gpu_price` is stated by you.
    """

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    gpus: Decimal
    """How many GPUs run at once."""
    hours: Decimal
    """For how long [hours]."""
    gpu_price: PriceInput | None = None
    """Price of a GPU-hour [currency/GPU-Hour]."""
    power_per_gpu_kw: Decimal | None = None
    """Electrical power of one GPU at full load [kW]."""
    electricity_price: PriceInput | None = None
    """Price of electricity [currency/kWh]."""
    utilisation: Decimal = Decimal(1)
    """Average draw over full-load draw, 0 to 1; 1 is the published formula."""
    idle_power_per_gpu_kw: Decimal = Decimal(0)
    """Draw of one GPU while it waits [kW]; 0 is the published formula."""
    idle_hours: Decimal = Decimal(0)
    """How long the GPUs wait powered on [hours]."""
    server_factor: FactorInput | None = None
    """Server power over GPU power; absent is 1, the published formula."""
    pue: FactorInput | None = None
    """Facility power over server power; absent is 1, the published formula."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferencePart:
    """Formula 3: cost per query × users × queries per day, for a number of days.

    Give `cost_per_query`, or the tokens of a query with the prices of a million tokens.
    """

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    users: Decimal
    """People who send queries."""
    queries_per_user_per_day: Decimal
    """Queries one of them sends a day."""
    days: Decimal = Decimal(1)
    """For how long [days]; 1 is the published formula."""
    cost_per_query: PriceInput | None = None
    """Cost of one query [currency/Query]."""
    input_tokens_per_query: Decimal | None = None
    """Tokens read per query."""
    input_token_price: PriceInput | None = None
    """Price of a million input tokens [currency/1000000 Tokens]."""
    output_tokens_per_query: Decimal | None = None
    """Tokens written per query."""
    output_token_price: PriceInput | None = None
    """Price of a million output tokens [currency/1000000 Tokens]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuningPart:
    """Formula 4: training compute + new data + human labelling."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    gpus: Decimal
    """How many GPUs run at once."""
    hours: Decimal
    """For how long [hours]."""
    gpu_price: PriceInput
    """Price of a GPU-hour [currency/GPU-Hour]."""
    new_data_tb: Decimal = Decimal(0)
    """New data bought [TB]."""
    new_data_price: PriceInput | None = None
    """Price of the new data [currency/TB]."""
    labels: Decimal = Decimal(0)
    """Human labels."""
    label_price: PriceInput | None = None
    """Price of one label [currency/Label]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineeringPart:
    """Formula 5: engineers × average annual salary × years."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    engineers: Decimal
    """Full-time engineers."""
    average_annual_salary: PriceInput
    """Salary [currency/Person-Year]."""
    years: Decimal
    """For how long [years]."""
    loading: FactorInput | None = None
    """Total compensation over wages; absent is 1, the published formula."""


PartName = Literal["data", "training", "inference", "fine_tuning", "engineering"]

DistributionName = Literal["triangular", "lognormal", "uniform", "interval", "fixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How sure you are of one input; in that input's own unit, prices in their own currency."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    input: str
    """Its place in the scenario: `training.hours`, `training.gpu_price`; `fx.EUR` for the rate of a currency."""
    distribution: DistributionName
    """`triangular`: low, mode, high. `uniform`: low, high. `lognormal`: relative_sd around the input's value.
    `interval`: four times out of five between low and high, half the time above the value. `fixed`: certain."""
    low: Decimal | None = None
    """Least value; the 10th percentile of an `interval`."""
    mode: Decimal | None = None
    """Likeliest value of a `triangular`; the input's own where absent."""
    high: Decimal | None = None
    """Largest value; the 90th percentile of an `interval`."""
    relative_sd: Decimal | None = None
    """Standard deviation over mean: 0.2 is 20 %."""
    source: str | None = None
    """How you know; shown beside the band."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is to be priced. At least one part."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    """What you call it."""
    currency: str = "USD"
    """ISO 4217 code the totals are in."""
    rate_card: str | None = None
    """Name of the rate card with your own prices; list prices where absent."""
    data: DataPart | None = None
    training: TrainingPart | None = None
    inference: InferencePart | None = None
    fine_tuning: FineTuningPart | None = None
    engineering: EngineeringPart | None = None
    spreads: tuple[Spread, ...] | None = None
    """How sure you are of the inputs; what is not named here is measured from prices or held fixed."""
