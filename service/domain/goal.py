"""What the planner is asked: work, and everything a way to do it has to keep to."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Final, Literal

from service.domain.language_model import LanguageModel
from service.domain.prediction_spec import CacheFormat, Precision, WeightFormat
from service.domain.scenario import FORBID_UNKNOWN, FactorInput, PriceInput, TariffHours

UNSAID: Final = "own"
"""Region of machines of one's own nobody says the place of."""
HOURS_PER_YEAR: Final = 8760
HORIZON_HOURS: Final = 5 * HOURS_PER_YEAR
"""The longest a run takes where no deadline is given: about as long as an accelerator stays in service."""
MOST_HOURS: Final = 10 * HOURS_PER_YEAR
"""The furthest deadline, and the longest a service or GPU-hours may be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainingWork:
    """Train a model from scratch. Give `llm`, `architecture` or `active_parameters`."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    llm: str | None = None
    """Name of a model of the library: `llama-3.1-8b`."""
    architecture: LanguageModel | None = None
    active_parameters: float | None = None
    """Where nothing else is known of it; memory is then not checked layer by layer."""
    tokens: float
    """Trained on."""
    sequence: int = 4096
    batch_tokens: float = 4e6
    """The most a step may train on. It limits how many copies learn at once, each from a sequence at least, and so how
    many accelerators can help: up to 8 share a copy, by its width, and up to 16 times as many a sequence from 16,384
    tokens on."""
    precisions: tuple[Precision, ...] = ("bf16",)
    """Number formats to consider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuningWork:
    """Tune a model. Give `llm` or `architecture`."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    llm: str | None = None
    architecture: LanguageModel | None = None
    method: Literal["full", "lora", "qlora"] = "full"
    tokens: float
    """Of all examples, once."""
    epochs: int = 1
    sequence: int = 4096
    rank: int = 16
    """Of the adapters."""
    batch_sequences: int = 64
    """The most a step may train on, which limits how many accelerators can help, as `batch_tokens` does."""
    packing: float = 0.8
    """Tokens that are not padding."""
    overhead_hours: float = 1.0
    """Loading, evaluation and failed starts, all accelerators waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchInferenceWork:
    """Answer so many requests, whenever. Give `llm` or `architecture`."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    llm: str | None = None
    architecture: LanguageModel | None = None
    requests: float
    input_tokens: float
    """Of a prompt."""
    output_tokens: float
    """Of an answer."""
    start_hours: float = 0.25
    """Until a replica answers: getting the machine, loading the weights; a quarter of an hour is assumed."""
    precisions: tuple[WeightFormat, ...] = ("bf16", "fp8")
    kv_precision: CacheFormat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingWork:
    """Serve at a rate, for a time. Give `llm` or `architecture`."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    llm: str | None = None
    architecture: LanguageModel | None = None
    output_tokens_per_second: float
    """At the peak that is provided for."""
    input_tokens: float
    """Of a prompt."""
    output_tokens: float
    """Of an answer."""
    hours: float = 730.0
    """For how long; a month unless said."""
    time_per_output_token_ms: float | None = None
    """The longest that is allowed."""
    time_to_first_token_ms: float | None = None
    """The longest that is allowed; a queue is not in it."""
    utilisation: float = 0.8
    """How full a replica may be at the peak."""
    minimum_replicas: int = 1
    precisions: tuple[WeightFormat, ...] = ("bf16", "fp8")
    kv_precision: CacheFormat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuHoursWork:
    """So many GPU-hours at once, on accelerators that you name."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    gpus: int
    """At once."""
    hours: float
    """Of work, without interruptions."""
    together: int = 1
    """GPUs that have to sit in one machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuQuota:
    """GPUs a provider grants, or has, at once; `*` stands for any text. The name of your own machines is a provider."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    gpus: float
    provider: str = "*"
    region: str = "*"
    purchase: str = "*"
    accelerator: str = "*"
    """Id in the registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCarbon:
    """How dirty electricity is where a region is; what no entry covers stays unknown."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    kg_per_kwh: float
    provider: str = "*"
    region: str = "*"
    source: str | None = None
    """How you know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """What it takes to go on after an interruption."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    on: bool = True
    write_hours: float = 1 / 60
    """Which a checkpoint stalls the run [hours]; a minute is assumed."""
    restart_hours: float = 0.25
    """From an interruption to the first new step [hours]; a quarter of an hour is assumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruptions:
    """How often machines are taken away. Failures of hardware are inside predicted hours already."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    spot_per_hour: float | None = None
    """Of one spot machine [1/h]; where absent the advisor's figure, and offers it does not know are left out."""
    other_per_hour: float = 0.0
    """Of any other machine [1/h]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlace:
    """Data that has to be where the GPUs are."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    volume_tb: Decimal
    provider: str
    """Where it lies; there, in the same region, nothing has to be moved."""
    region: str = "*"
    egress: PriceInput
    """Of moving it out of where it lies, wherever to, another region of the same provider too [currency/TB; a series
    per GB is converted]. How long that takes is not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageNeed:
    """What has to be kept while the work goes on."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    volume_tb: Decimal
    price: PriceInput
    """[currency/TB-Month; a series per GB-Month is converted]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffNeed:
    """Who works on it as long as it goes on."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    people: Decimal
    salary: PriceInput
    """[currency/Person-Year]"""
    loading: FactorInput | None = None
    """Total compensation over wages; absent is 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMachines:
    """Hardware of your own, which pays its own electricity."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    accelerator: str
    """Id or alias of the registry."""
    gpus: int
    """There are."""
    gpus_per_machine: int = 8
    gpu_hour: PriceInput
    """What an hour of one costs without electricity: capital, building, support [currency/GPU-Hour]."""
    power_kw: Decimal
    """Drawn by one and its share of the server at work [kW]."""
    electricity: PriceInput | None = None
    """[currency/kWh]"""
    electricity_tariff: TariffHours | None = None
    """Instead of `electricity`, by the hour; counted from the moment the prices are of."""
    pue: FactorInput | None = None
    """Facility over machines; absent is 1."""
    region: str = UNSAID
    """Where they stand: a country's ISO code such as `DE`, a group such as `eu`, or your own word; to be said where
    the goal has `regions`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Exactly one piece of work, and its constraints. An empty list does not narrow."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    """What you call it."""
    currency: str = "USD"
    """ISO 4217 code of the budget and of every answer."""
    pretraining: PretrainingWork | None = None
    fine_tuning: FineTuningWork | None = None
    batch_inference: BatchInferenceWork | None = None
    serving: ServingWork | None = None
    gpu_hours: GpuHoursWork | None = None

    deadline: datetime | None = None
    """The moment it has to be done."""
    within_hours: float | None = None
    """Instead of a deadline: hours from the moment the prices are of."""
    budget: Decimal | None = None
    """The most it may cost, as surely as `confidence` says."""
    confidence: float = 0.9
    """How sure deadline and budget have to be kept [1]."""
    regions: tuple[str, ...] = ()
    """Names or patterns (`eu-*`), or a group for residency (`eu`, `us`); they hold for machines of your own, too."""
    providers: tuple[str, ...] = ()
    """Of the market; machines of your own stay."""
    purchases: tuple[str, ...] = ("on_demand", "spot", "low_priority")
    """Terms of the market, patterns allowed: `reserved_*`; a reservation is paid to its end."""
    accelerators: tuple[str, ...] = ()
    """Ids or aliases of the registry, patterns allowed."""
    tiers: tuple[str, ...] = ()
    """Quality tiers of marketplaces: `secure`, `verified`."""
    quotas: tuple[GpuQuota, ...] = ()
    most_gpus: int = 4096
    """At once."""
    carbon: tuple[GridCarbon, ...] = ()
    max_carbon_kg: float | None = None
    """What is not known does not keep to it."""
    greener_within: Decimal = Decimal("0.1")
    """What the greenest plan may cost more than the cheapest [1]."""
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    interruptions: Interruptions = field(default_factory=Interruptions)
    data: DataPlace | None = None
    storage: StorageNeed | None = None
    staff: StaffNeed | None = None
    own: tuple[OwnMachines, ...] = ()
    rate_card: str | None = None
    """Name of the rate card with your own prices."""
