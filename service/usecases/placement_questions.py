"""What people ask of fleets and pipelines: the shapes of their files and requests, prices stated or named."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Final, Literal

from pricing_sources.units import Unit
from service.domain.goal import Goal
from service.domain.quantities import significant
from service.domain.scenario import FORBID_UNKNOWN, PriceInput
from service.errors import FieldProblem, Invalid
from service.planning.fleets import Quota, Work
from service.planning.mixed_fleets import Load
from service.planning.pipelines import DataSet, Reads
from service.usecases.goal_checks import goal_problems
from service.usecases.scenario_files import read_as

MOST_OFFERS: Final = 1_000
MOST_WORKS: Final = 200
MOST_PLACEMENTS: Final = 20_000
"""Works times offers."""
MOST_STAGES: Final = 100
MOST_MOVES: Final = 2_000_000
"""What stages read, times pairs of regions."""
HourUnit = Literal[Unit.GPU_HOUR, Unit.INSTANCE_HOUR]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOfferAsked:
    """Machines of one kind in one place."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    provider: str
    region: str
    accelerator: str
    gpus: Decimal = Decimal(1)
    """In one machine [GPUs]."""
    price: PriceInput
    """[currency/GPU-Hour, or as `unit` says]"""
    unit: HourUnit = Unit.GPU_HOUR
    machines: int | None = None
    """That can be had at once; as many as one likes where absent."""
    throughput: Decimal | None = None
    """Of one machine, in the unit of the load; for a load only."""
    available: Decimal = Decimal(1)
    """Share of the time it can be counted on [1]; for a load only."""
    spot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetAsked:
    """Pieces of work that each run on one offer (`works`), or one load that a mix carries (`load`, `goal`)."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str | None = None
    """What its estimate is called in the ledger; that of the goal, or what it carries, where absent."""
    currency: str = "USD"
    """ISO 4217 code the answer is in."""
    works: tuple[Work, ...] = ()
    load: Load | None = None
    goal: Goal | None = None
    """A service: every offer of the market that can carry it counts, with what is predicted of its machines."""
    offers: tuple[FleetOfferAsked, ...] = ()
    """Yours to state; with a goal beside those of the market."""
    quotas: tuple[Quota, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOfferAsked:
    """One way to run a stage: a `cost` of its own, or `units` at a `price` for its hours."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    region: str
    hours: Decimal = Decimal(0)
    cost: Decimal | None = None
    """Of the whole stage [currency]."""
    units: Decimal = Decimal(1)
    """GPUs, or machines if `unit` says so, at once."""
    price: PriceInput | None = None
    """[currency/GPU-Hour, or as `unit` says]"""
    unit: HourUnit = Unit.GPU_HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class StageAsked:
    """A step of the pipeline."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    offers: tuple[StageOfferAsked, ...] = ()
    goal: Goal | None = None
    """Work: every region of the market that can do it counts with its cheapest offer, called `provider/region`."""
    reads: tuple[Reads, ...] = ()
    """Of data sets, and of stages named before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressAsked:
    """What it costs to move data from one region to another; within a region it is free."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    from_region: str
    """Any region if `*`."""
    to_region: str = "*"
    """Any other region if `*`; the price that names most of a pair is the one that counts."""
    price: PriceInput
    """[currency/GB]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineAsked:
    """Stages in an order in which they could run, what they read, and what moving it costs."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    currency: str = "USD"
    """ISO 4217 code the answer is in."""
    stages: tuple[StageAsked, ...]
    data_sets: tuple[DataSet, ...] = ()
    egress: tuple[EgressAsked, ...] = ()


def load_of(goal: Goal, load: Load) -> Load:
    """What a serving goal asks of a fleet: its rate, and its budget by the hour."""
    if goal.serving is None:
        raise Invalid.field("goal.serving", "is missing")
    budgets = [load.budget_hour] if load.budget_hour is not None else []
    if goal.budget is not None:
        budgets.append(significant(goal.budget / Decimal(goal.serving.hours)))
    rate = significant(goal.serving.output_tokens_per_second)
    return replace(load, throughput=rate, budget_hour=min(budgets, default=None))


def serving_problems(asked: FleetAsked, goal: Goal, valid_at: datetime) -> Iterator[FieldProblem]:
    """A fleet is for a service and counts its machines alone; what else a goal may say has no place in it."""
    yield from (FieldProblem(f"goal.{one.field}", one.message) for one in goal_problems(goal, valid_at))
    if goal.serving is None:
        yield FieldProblem("goal.serving", "is missing: a fleet carries a service; for other work use plan new")
    elif goal.serving.minimum_replicas > 1:
        yield FieldProblem("goal.serving.minimum_replicas", "is for one offer; say in load what must be left")
    if goal.currency != asked.currency:
        yield FieldProblem("goal.currency", f"must be {asked.currency}, as that of the fleet")
    if asked.load is not None and asked.load.throughput:
        yield FieldProblem("load.throughput", "is what goal.serving.output_tokens_per_second says; leave it out")
    if goal.quotas:
        yield FieldProblem("goal.quotas", "are for one offer; name quotas of the fleet, which all its machines share")
    for name in ("data", "storage", "staff", "max_carbon_kg"):
        if getattr(goal, name) is not None:
            yield FieldProblem(f"goal.{name}", "is not counted by a fleet; leave it out")


def read_fleet(text: str) -> FleetAsked:
    """Parse and check a YAML or JSON text. Raises Invalid naming each field that is wrong."""
    return read_as(text, FleetAsked, "fleet", "must be a mapping with offers and works or a load, or with a goal")


def read_pipeline(text: str) -> PipelineAsked:
    """Parse and check a YAML or JSON text. Raises Invalid naming each field that is wrong."""
    return read_as(text, PipelineAsked, "pipeline", "must be a mapping with stages and egress")
