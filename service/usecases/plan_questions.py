"""What people ask of the planner: the shapes of its files and requests, prices stated or named by their series."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pricing_sources.units import Unit
from service.domain.goal import Goal
from service.domain.scenario import FORBID_UNKNOWN, FactorInput, PriceInput
from service.planning.capacity_blocks import CapacityBlock
from service.planning.commitments import Demand, HeldCommitment
from service.planning.suspending import StartCost
from service.planning.ways import Query
from service.usecases.scenario_files import read_as


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentOffered:
    """A reservation or savings plan for one unit."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    term_hours: Decimal
    """How long it binds [hours]; a year has 8760."""
    upfront: Decimal = Decimal(0)
    """Paid when it is bought [currency/unit]."""
    hourly: PriceInput | None = None
    """Paid every hour of the term, used or not [currency/GPU-Hour, or as `unit` says]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentsAsked:
    """A demand and the ways to meet it."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    currency: str = "USD"
    """ISO 4217 code the answer is in."""
    unit: Literal[Unit.GPU_HOUR, Unit.INSTANCE_HOUR] = Unit.GPU_HOUR
    """What prices are per: the units of the demand are GPUs or machines."""
    demand: Demand
    on_demand: PriceInput
    """[currency/unit-hour]"""
    offered: tuple[CommitmentOffered, ...]
    held: tuple[HeldCommitment, ...] = ()
    """What is bound already, until it expires."""
    spot: PriceInput | None = None
    """[currency/unit-hour]"""
    spot_units: float = 0.0
    """At most so many units run on spot at once."""
    lot: Decimal = Decimal(1)
    """Commitments are sold in multiples of this [units]."""
    beyond: Literal["accrued", "lost"] = "accrued"
    """What of a term that outlasts the period counts: its share of the period, or all of it."""
    purchase_hours: tuple[Decimal, ...] = ()
    """Dates after the start at which commitments can be bought, too [hours]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotStated:
    """A price you state yourself for an interval."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    start: datetime
    end: datetime
    price: Decimal
    """[currency/kWh, or currency/GPU-Hour]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAsked:
    """Work to be done between two moments, and its prices: a series, slots or blocks."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    currency: str = "USD"
    """ISO 4217 code the answer is in; slots and blocks are stated in it."""
    hours: Decimal
    """Of work [hours]."""
    units: Decimal = Decimal(1)
    """Used while it runs: kW at the meter, or GPUs."""
    earliest: datetime
    deadline: datetime
    prefer: Literal["earliest", "latest"] = "earliest"
    """Of equally cheap plans."""
    series: str | None = None
    """Key of a series of electricity or GPU prices."""
    slots: tuple[SlotStated, ...] = ()
    blocks: tuple[CapacityBlock, ...] = ()
    """Reserved blocks of time, each paid whole, instead of prices by the hour."""
    suspendable: bool = False
    """True if the run may stop and go on later."""
    start: StartCost | None = None
    """What every start costs; nothing where absent."""
    profile_weeks: int = 0
    """Where a series ends, go on with the mean of the same hour of so many past weeks, marked as forecast."""
    zone: str = "UTC"
    """IANA time zone whose weeks those prices follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAsked:
    """Bought GPUs, each with its share of server, network and building."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    capital: PriceInput
    """Paid for one GPU and its share of server and network [currency/GPU]."""
    years: Decimal
    interest: Decimal = Decimal(0)
    """Of the capital [1/year]."""
    residual: Decimal = Decimal(0)
    """What is left of the capital at the end, as a share [1]."""
    power_kw: Decimal
    """Drawn by one GPU and its share of the server at work [kW]."""
    idle_share: Decimal = Decimal(0)
    """Draw while waiting over draw at work [1]."""
    pue: FactorInput | None = None
    """Facility power over machine power; absent is 1."""
    electricity: PriceInput
    """[currency/kWh]"""
    colocation: Decimal = Decimal(0)
    """[currency/kW-month]"""
    support: Decimal = Decimal(0)
    """Spares and support a year, as a share of the capital [1/year]."""
    people: Decimal = Decimal(0)
    """Who run the fleet, whatever its size."""
    salary: PriceInput | None = None
    """[currency/Person-Year]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RentAsked:
    """GPUs by the hour."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    gpu_price: PriceInput
    """[currency/GPU-Hour]"""
    committed: bool = False
    """True where every hour is paid, used or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAsked:
    """A provider paid by the token."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    input: PriceInput
    cached: PriceInput | None = None
    """Of input read from a cache; the input price where absent."""
    output: PriceInput
    """[currency/1000000 Tokens]"""
    monthly: Decimal = Decimal(0)
    """Paid whatever the volume [currency/month]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaAsked:
    """One replica that serves, and how much of it is used."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    gpus: Decimal
    queries_per_hour: Decimal
    """At full load."""
    mean_over_peak: Decimal = Decimal(1)
    """Mean load over the peak the replicas are provided for [1]."""
    at_least: int = 1
    """Replicas kept without any load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayAsked:
    """One way: `own`, `rent` or `api`; over volume the first two need a `replica`."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    own: OwnAsked | None = None
    rent: RentAsked | None = None
    api: ApiAsked | None = None
    replica: ReplicaAsked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyOrRentAsked:
    """Ways to compare over utilisation (give `gpus`), over volume (give `query` and `most`), or both."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    currency: str = "USD"
    """ISO 4217 code the answer is in."""
    ways: tuple[WayAsked, ...]
    gpus: Decimal | None = None
    """In the fleet."""
    query: Query | None = None
    """What one query reads and writes."""
    most: Decimal | None = None
    """Queries a month up to which is compared."""


def read_commitments(text: str) -> CommitmentsAsked:
    """Parse and check a YAML or JSON text. Raises Invalid naming each field that is wrong."""
    wanted = "must be a mapping with demand, on_demand and offered"
    return read_as(text, CommitmentsAsked, "commitments", wanted)


def read_start(text: str) -> StartAsked:
    """Parse and check a YAML or JSON text. Raises Invalid naming each field that is wrong."""
    return read_as(text, StartAsked, "start", "must be a mapping with hours, earliest and deadline")


def read_buy_or_rent(text: str) -> BuyOrRentAsked:
    """Parse and check a YAML or JSON text. Raises Invalid naming each field that is wrong."""
    return read_as(text, BuyOrRentAsked, "buy_or_rent", "must be a mapping with ways, and gpus or query")


def read_goal(text: str) -> Goal:
    """Parse and check a YAML or JSON text. Raises Invalid naming each field that is wrong."""
    return read_as(text, Goal, "goal", "must be a mapping with a name and one kind of work, such as pretraining")


def prices_in(value: Any) -> Iterator[PriceInput | FactorInput]:
    """Every price and factor of a question, stated or named."""
    if isinstance(value, PriceInput | FactorInput):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from prices_in(one)
    elif hasattr(value, "__dataclass_fields__"):
        for field in fields(value):
            yield from prices_in(getattr(value, field.name))
