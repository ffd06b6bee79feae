"""What is to be priced: five optional parts, one for each formula of the mission."""

from dataclasses import dataclass
from datetime import datetime
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
class Tier:
    """One step of a price list whose price depends on how much is taken; it ends where the next begins."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    price: PriceInput
    """What a TB of this tier costs [currency/TB-Month stored, currency/TB sent; per GB is converted]."""
    above_tb: Decimal = Decimal(0)
    """Where the tier begins [TB stored at once, TB sent in one month]; the first begins at 0."""


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
    flat_licence: PriceInput | None = None
    """A licence that costs the same however large the data is [currency/Licence; a yearly one currency/Year]."""
    licence_years: Decimal | None = None
    """For how long a yearly licence is paid [years]; absent is a licence paid once."""
    licensed_million_tokens: Decimal | None = None
    """Text licensed by its length [1000000 Tokens]."""
    licence_per_million_tokens: PriceInput | None = None
    """What a million of these tokens costs [currency/1000000 Tokens]."""
    growth_tb_per_month: Decimal | None = None
    """What is added to the store, evenly [TB/month]; absent is a store that does not grow."""
    copies: Decimal | None = None
    """How many copies are kept; absent is 1."""
    storage_tiers: tuple[Tier, ...] | None = None
    """Storage prices by how much is stored at once, instead of `storage_costs`."""
    egress_tb_per_month: Decimal | None = None
    """What leaves the provider in one month [TB/month]."""
    egress_price: PriceInput | None = None
    """Price of the traffic [currency/TB; a series per GB is converted]."""
    egress_tiers: tuple[Tier, ...] | None = None
    """Traffic prices by how much leaves in one month, instead of `egress_price`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnHardware:
    """GPUs bought rather than rented: a run pays for the share of their life it takes."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    price_per_gpu: PriceInput
    """Price of one GPU [currency/GPU]."""
    system_factor: FactorInput | None = None
    """Price of a GPU with its share of server and network over that of the GPU; absent is 1: all is in the price."""
    service_years: Decimal
    """Years in service [years]."""
    interest: Decimal = Decimal(0)
    """Interest a year, or the return the capital must earn: 0.08 is 8 % [1/year]."""
    residual_share: Decimal = Decimal(0)
    """What it is sold for at the end, over the price paid, 0 to 1."""
    busy_share: Decimal = Decimal(1)
    """Hours the hardware is in use, by anybody, over hours; the busy hours pay for the idle ones."""
    colocation_price: PriceInput | None = None
    """Rent of its place in a data centre by power [currency/kW-Month]; needs `power_per_gpu_kw`."""


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffWindow:
    """Hours of the week at one price of electricity."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    """What you call it, in small letters: `night`."""
    price: PriceInput
    """Price of electricity in these hours [currency/kWh]."""
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    """Days it begins on."""
    begins: str = "00:00"
    """Wall clock, in whole quarter-hours."""
    ends: str = "24:00"
    """Wall clock, in whole quarter-hours; not after `begins` is on the next day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffHours:
    """Prices of electricity by the hour of the week."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    zone: str
    """IANA time zone of the wall clock: `Europe/Berlin`."""
    windows: tuple[TariffWindow, ...]
    """The first that holds an hour is the one that counts."""
    otherwise: PriceInput
    """Price of electricity in all other hours [currency/kWh]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff(TariffHours):
    """A price of electricity that depends on the hour, counted over the very hours the run takes."""

    starts_at: datetime
    """When the run begins, with an offset, at a whole quarter-hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """GPUs of one kind that run beside those of other kinds, rented or your own."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    """What you call it, in small letters: `h100_spot`."""
    gpus: Decimal
    """How many GPUs of this kind run at once."""
    hours: Decimal | None = None
    """For how long [hours]; absent is the `hours` of the part."""
    gpu_price: PriceInput | None = None
    """Price of a GPU-hour [currency/GPU-Hour]."""
    power_per_gpu_kw: Decimal | None = None
    """Electrical power of one GPU of your own at full load [kW]."""
    electricity_price: PriceInput | None = None
    """Price of electricity [currency/kWh]."""
    electricity_tariff: Tariff | None = None
    """Prices of electricity by the hour, instead of `electricity_price`."""
    pue: FactorInput | None = None
    """Facility power over server power; absent is the `pue` of the part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPart:
    """Formula 2: power per GPU × GPUs × hours × electricity rate, and the hours themselves.

    Give `gpu_price` for rented GPUs (their hour includes electricity), or `power_per_gpu_kw` and
    `electricity_price` for your own; both at once only when `gpu_price` is stated by you. Several kinds of
    GPUs side by side are `machines`, instead of `gpus` or beside them.
    """

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    gpus: Decimal | None = None
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
    electricity_tariff: Tariff | None = None
    """Prices of electricity by the hour, instead of `electricity_price`."""
    own_hardware: OwnHardware | None = None
    """What the GPUs cost if they are yours, instead of `gpu_price`."""
    machines: tuple[Machines, ...] | None = None
    """GPUs of several kinds, instead of `gpus` or beside them."""


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
    new_data_licence: PriceInput | None = None
    """A licence for the new data that costs the same however large it is [currency/Licence]."""
    labels_per_item: Decimal | None = None
    """People who label each item on their own; absent is 1."""
    reviewed_share: Decimal | None = None
    """Share of the items somebody looks at again, 0 to 1, at the price of a label; absent is 0."""
    minutes_per_label: Decimal | None = None
    """Time one label takes [minutes], for labellers who are paid by the hour."""
    labelling_hour_price: PriceInput | None = None
    """What an hour of labelling costs [currency/Person-Hour], instead of `label_price`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """People who do the same work for the same pay."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    """What you call it, in small letters: `research`."""
    people: Decimal
    """How many once the role is filled."""
    salary: PriceInput
    """Salary of full time [currency/Person-Year]; the series says which occupation, area and percentile."""
    part_time: Decimal = Decimal(1)
    """Share of full time each works, 0 to 1."""
    ramp_up_years: Decimal = Decimal(0)
    """Years until the role is filled, evenly [years]; 0 is filled on the first day."""
    years: Decimal | None = None
    """For how long [years]; absent is the `years` of the part."""
    loading: FactorInput | None = None
    """Total compensation over wages; absent is the `loading` of the part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineeringPart:
    """Formula 5: engineers × average annual salary × years; or the same role by role."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    engineers: Decimal | None = None
    """Full-time engineers."""
    average_annual_salary: PriceInput | None = None
    """Salary [currency/Person-Year]."""
    years: Decimal
    """For how long [years]."""
    loading: FactorInput | None = None
    """Total compensation over wages; absent is 1, the published formula."""
    roles: tuple[Role, ...] | None = None
    """Roles of several salaries, instead of `engineers` or beside them."""


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
