"""The ways to get GPU-hours or answers: bought, rented, reserved, called; and what a year of GPUs costs in each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar, Final

from service.domain.quantities import significant
from service.domain.scenario import FORBID_UNKNOWN
from service.errors import FieldProblem
from service.formulas.capital import capital_per_year
from service.formulas.training import energy_kwh

HOURS_PER_YEAR: Final = Decimal(8760)
MONTHS_PER_YEAR: Final = 12
LEAST_YEARS: Final = Decimal("0.01")
MOST_YEARS: Final = 100
LEAST_INTEREST: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnHardware:
    """Bought GPUs, each with its share of server, network and building."""

    name: str
    capital: Decimal
    """Paid for one GPU and its share of server and network [currency/GPU]."""
    years: Decimal
    """In service [years]."""
    interest: Decimal = Decimal(0)
    """Of the capital [1/year]."""
    residual: Decimal = Decimal(0)
    """What is left of the capital when it is sold [1]."""
    power_kw: Decimal
    """Drawn by one GPU and its share of the server at work [kW]."""
    idle_share: Decimal = Decimal(0)
    """Draw while waiting over draw at work [1]."""
    pue: Decimal = Decimal(1)
    """Facility power over machine power [1]."""
    electricity: Decimal
    """[currency/kWh]"""
    colocation: Decimal = Decimal(0)
    """[currency/kW-month]"""
    support: Decimal = Decimal(0)
    """Spares and support, a year, as a share of the capital [1/year]."""
    people: Decimal = Decimal(0)
    """Who run the fleet, whatever its size [persons]."""
    salary: Decimal = Decimal(0)
    """[currency/person-year]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RentedGpus:
    """GPUs by the hour, electricity included."""

    name: str
    gpu_hour: Decimal
    """Upfront payments spread over the term [currency/GPU-hour]."""
    committed: bool = False
    """True where every hour is paid, used or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenApi:
    """A provider paid by the token."""

    name: str
    input: Decimal
    cached: Decimal
    output: Decimal
    """[currency/million tokens]"""
    monthly: Decimal = Decimal(0)
    """Paid whatever the volume [currency/month]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What one query reads and writes."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    input_tokens: Decimal
    cached_tokens: Decimal = Decimal(0)
    """Of the input tokens, those read from a cache."""
    output_tokens: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """Serving on GPUs of one's own, bought or rented, as many replicas as the volume needs."""

    gpus: OwnHardware | RentedGpus
    gpus_per_replica: Decimal
    queries_per_hour: Decimal
    """Of one replica at full load."""
    mean_over_peak: Decimal = Decimal(1)
    """Mean load over the peak the replicas are provided for [1]."""
    at_least: int = 1
    """Replicas kept without any load."""


def gpu_hour_cost(way: OwnHardware | RentedGpus, utilisation: Decimal, gpus: Decimal = Decimal(1)) -> Decimal:
    """What a used GPU-hour costs [currency/GPU-hour], to 12 digits.

    >>> gpu_hour_cost(RentedGpus(name="reserved", gpu_hour=Decimal("1.20"), committed=True), Decimal("0.5"))
    Decimal('2.4')
    """
    year = year_of(way)
    return significant((year.fixed + year.shared / gpus + year.used * utilisation) / (HOURS_PER_YEAR * utilisation))


@dataclass(frozen=True, slots=True)
class Year:
    """What a year costs, used or not, and what it costs more if used throughout."""

    fixed: Decimal
    """[currency/GPU]"""
    shared: Decimal
    """Once, whatever the number of GPUs [currency]."""
    used: Decimal
    """If used in every hour [currency/GPU]."""


def year_of(way: OwnHardware | RentedGpus) -> Year:
    """A year in one way."""
    none = Decimal(0)
    if isinstance(way, RentedGpus):
        rent = way.gpu_hour * HOURS_PER_YEAR
        return Year(rent, none, none) if way.committed else Year(none, none, rent)
    capital = capital_per_year(
        capital=way.capital, residual=way.residual * way.capital, interest=way.interest, years=way.years
    )
    energy = energy_kwh(power_per_gpu_kw=way.power_kw, gpus=1, hours=HOURS_PER_YEAR, pue=way.pue) * way.electricity
    return Year(
        fixed=significant(capital + _building(way) + energy * way.idle_share),
        shared=way.people * way.salary,
        used=significant(energy * (1 - way.idle_share)),
    )


def running_cost(own: OwnHardware, utilisation: Decimal, gpus: Decimal) -> Decimal:
    """What a year of one bought GPU costs without its capital [currency/GPU]."""
    year = year_of(replace(own, capital=Decimal(0)))
    return year.fixed + own.support * own.capital + year.shared / gpus + year.used * utilisation


def _building(way: OwnHardware) -> Decimal:
    return way.support * way.capital + way.colocation * way.power_kw * MONTHS_PER_YEAR


def problems_of_gpus(way: OwnHardware | RentedGpus, where: str) -> Iterator[FieldProblem]:
    """What of a way to get GPU-hours cannot be meant; `where` begins the name of each field."""
    if isinstance(way, RentedGpus):
        if way.gpu_hour < 0:
            yield FieldProblem(f"{where}.gpu_hour", "must be 0 or more")
        return
    if not LEAST_YEARS <= way.years <= MOST_YEARS:
        yield FieldProblem(f"{where}.years", f"must be {LEAST_YEARS} to {MOST_YEARS}")
    if 0 < way.interest < LEAST_INTEREST:
        yield FieldProblem(f"{where}.interest", f"must be 0, or {LEAST_INTEREST} or more")
    if way.pue < 1:
        yield FieldProblem(f"{where}.pue", "must be 1 or more")
    for name in ("residual", "idle_share", "interest"):
        if not 0 <= getattr(way, name) <= 1:
            yield FieldProblem(f"{where}.{name}", "must be 0 to 1")
    for name in ("capital", "power_kw", "electricity", "colocation", "support", "people", "salary"):
        if getattr(way, name) < 0:
            yield FieldProblem(f"{where}.{name}", "must be 0 or more")
