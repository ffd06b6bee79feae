"""One price as one source stated it: the only thing a feed produces.

A `Series` says *which* price (a stable key without amount, currency or dates); an `Observation` is
one value of one series. Every row of a document ends as an `Observation`, a `Skipped` row with a
named reason, or a `Rejected` row that is kept for a person to look at: nothing is dropped silently.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import ClassVar, Final

import msgspec

from pricing_sources.units import Unit


class Kind(StrEnum):
    """The six families of series; each has its own typed table."""

    GPU = "gpu"
    ELECTRICITY = "electricity"
    SALARY = "salary"
    FX = "fx"
    LLM_API = "llm_api"
    RECORD = "record"


class PricingCategory(StrEnum):
    """How a price is bought (FOCUS PricingCategory)."""

    STANDARD = "standard"
    COMMITTED = "committed"
    DYNAMIC = "dynamic"


class Status(StrEnum):
    """How firm the source calls its own figure."""

    FINAL = "final"
    PRELIMINARY = "preliminary"
    MANUAL = "manual"
    DERIVED = "derived"
    """Computed from other figures of the same document (a ratio, an hourly share of a term price)."""
    LOWER_BOUND = "lower_bound"
    """Top-coded: the true figure is at least this."""


INTERVALS: Final[Mapping[str, timedelta]] = {
    "PT5M": timedelta(minutes=5),
    "PT15M": timedelta(minutes=15),
    "PT30M": timedelta(minutes=30),
    "PT1H": timedelta(hours=1),
}
"""The lengths of a market's intervals, as ISO 8601 durations."""


def key_of(*segments: str) -> str:
    """Join key segments with '/', spelling anything but letters, digits, `. _ + -` as '_'.

    >>> key_of("runpod", "NVIDIA H100 80GB HBM3", "", "secure")
    'runpod/NVIDIA_H100_80GB_HBM3/secure'
    """
    return "/".join(re.sub(r"[^A-Za-z0-9._+-]+", "_", text) for text in segments if text)


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSeries:
    """The price of a GPU-hour (or, where the GPU count is not known, of an instance-hour)."""

    kind: ClassVar[Kind] = Kind.GPU

    source: str
    """Source id: who told us."""
    provider: str
    """Who sells: `azure`, `runpod`."""
    sku: str
    """The provider's own name of the machine or GPU."""
    region: str
    """The provider's own name of the region; `global` where it states none."""
    purchase: str
    """`on_demand`, `spot`, `low_priority`, `reserved_1y`, `reserved_3y`, `savings_plan_1y`…"""
    pricing_category: PricingCategory
    tier: str = ""
    """A quality tier the price depends on (`secure`, `community`), or empty."""
    statistic: str = ""
    """Empty for a price somebody asks; `min`, `p10`, `p25`, `median`, `p75`, `p90`, `max` of a market."""
    accelerator: str = field(default="", compare=False)
    """The accelerator as the feed names it, or as a sourced table maps it; empty where unknown. Feeds rename them."""
    gpu_count: Decimal | None = field(default=None, compare=False)
    """Accelerators per instance; may be a fraction; None where no sourced table has it."""
    gpu_memory_gb: Decimal | None = field(default=None, compare=False)
    includes_power: bool = field(default=True, compare=False)
    """A rented hour contains its electricity, so an estimate must not add it again."""
    resold: bool = field(default=False, compare=False)
    """True where the source lists machines of several providers: its keys then name the provider, too."""

    @property
    def key(self) -> str:
        """The stable key: source / (provider) / sku / region / tier / purchase / statistic."""
        seller = self.provider if self.resold else ""
        return key_of(self.source, seller, self.sku, self.region, self.tier, self.purchase, self.statistic)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricitySeries:
    """The price of electricity for one kind of customer in one area."""

    kind: ClassVar[Kind] = Kind.ELECTRICITY

    source: str
    area: str
    """ISO 3166 code, with subdivision where there is one (`US-CA`), or the zone of a market (`DE-LU`)."""
    sector: str
    """`industrial`, `commercial`, `residential`, `transportation`, `all`."""
    basis: str
    """What the price contains: `retail_average`, `retail_x_vat`, `wholesale_day_ahead`…"""
    resolution: str = ""
    """One of INTERVALS for a market, where each price ends with its interval. Empty: until the next price."""

    def __post_init__(self) -> None:
        """Refuse an interval that nobody could look up."""
        if self.resolution and self.resolution not in INTERVALS:
            raise ValueError(f"resolution must be one of {', '.join(INTERVALS)}, not {self.resolution!r}")

    @property
    def key(self) -> str:
        """The stable key: source / area / sector / basis / resolution."""
        return key_of(self.source, self.area, self.sector, self.basis, self.resolution)


@dataclass(frozen=True, slots=True, kw_only=True)
class SalarySeries:
    """A salary statistic of one occupation in one area."""

    kind: ClassVar[Kind] = Kind.SALARY

    source: str
    occupation: str
    """SOC code, `15-1252`."""
    occupation_title: str = field(default="", compare=False)
    area: str
    """`US`, `US-CA`, a statistical area's code, `US-M-0019100`, or `KEN` where a feed has three letters."""
    area_title: str = field(default="", compare=False)
    statistic: str
    """`mean`, `p10`, `p25`, `median`, `p75`, `p90`; hourly ones carry `hourly_` before it."""

    @property
    def key(self) -> str:
        """The stable key: source / occupation / area / statistic."""
        return key_of(self.source, self.occupation, self.area, self.statistic)


@dataclass(frozen=True, slots=True, kw_only=True)
class FxSeries:
    """A reference exchange rate, as published: `quote_currency` per one `base_currency`."""

    kind: ClassVar[Kind] = Kind.FX

    source: str
    base_currency: str
    quote_currency: str

    @property
    def key(self) -> str:
        """The stable key: source / base / quote."""
        return key_of(self.source, self.base_currency, self.quote_currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSeries:
    """What a provider asks for the tokens, or a request, of one language model."""

    kind: ClassVar[Kind] = Kind.LLM_API

    source: str
    provider: str
    """Who serves it: `openai`, `deepseek`."""
    llm: str
    """The provider's own name of the model: `gpt-4o-mini`."""
    meter: str
    """`input`, `output`, `cache_read`, `cache_write`, `input_audio`, `request`…"""
    above_tokens: int = 0
    """The price holds for a request whose input is longer than this; 0 for the first tier."""
    condition: str = ""
    """What else it depends on: `batch`, `off_peak`; empty for the price everybody pays."""

    @property
    def key(self) -> str:
        """The stable key: source / provider / llm / meter / tier / condition."""
        tier = f"above_{self.above_tokens}" if self.above_tokens else ""
        return key_of(self.source, self.provider, self.llm, self.meter, tier, self.condition)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSeries:
    """Any other dated figure: storage, egress, licensing, labelling, PUE, loading, hardware."""

    kind: ClassVar[Kind] = Kind.RECORD

    source: str
    topic: str
    """`storage`, `egress`, `data_licensing`, `labelling`, `pue`, `loading`, `gpu_power`, `interruption`…"""
    name: str
    """What it is about within the topic: `aws_s3_standard`, `us_private_industry`."""
    variant: str = ""
    """A level or part: `low`, `central`, `high`; empty where there is one."""

    @property
    def key(self) -> str:
        """The stable key: source / topic / name / variant."""
        return key_of(self.source, self.topic, self.name, self.variant)


Series = GpuSeries | ElectricitySeries | SalarySeries | FxSeries | TokenSeries | RecordSeries


class Observation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One value of one series, normalised to `unit`, with the words it was published in.

    Made by the million, hence a struct: a frozen dataclass takes six times as long to make.
    """

    series: Series
    amount: Decimal
    """Price of one `unit`; finite."""
    currency: str | None
    """ISO 4217 code; None only for a RATIO, KW or W figure, which is not money."""
    unit: Unit
    valid_from: datetime
    """When it began to hold; aware."""
    dated: bool = True
    """True if the source states `valid_from`; False if it is only the moment we looked."""
    status: Status = Status.FINAL
    vintage: str = ""
    """Edition of a statistic: `2025`, `2026-Q2`."""
    published_amount: str
    """The figure as the document spells it."""
    published_unit: str
    """The unit as the document (or, where it has none, its documentation) words it."""
    locator: str
    """Where in the document: a JSON pointer, `sheet!cell`, a line number."""
    reference_url: str = ""
    """For a manual record: the page a person read it on."""
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what could never be a price."""
        if not self.amount.is_finite():
            raise ValueError(f"{self.series.key}: amount must be finite, not {self.amount}")
        if self.valid_from.tzinfo is None:
            raise ValueError(f"{self.series.key}: valid_from must carry a time zone")
        if self.currency is not None and not _is_currency(self.currency):
            raise ValueError(f"{self.series.key}: currency must be an ISO 4217 code, not {self.currency!r}")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that is well understood and is not a price we keep (a Windows meter, a blank cell)."""

    reason: str
    """A short slug, counted per document: `windows`, `zero_price`, `not_accelerated`."""
    locator: str
    left_out: int = 0
    """How many rows this speaks of where an excerpt says what it left out; 0 for a row that stands in the document."""

    @property
    def rows(self) -> int:
        """How many rows of what the feed sent this accounts for."""
        return self.left_out or 1


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that should have been a price and cannot be believed; it is kept in quarantine."""

    reason: str
    """A sentence that says what is wrong and what would have been accepted."""
    locator: str
    text: str
    """The row as it stood, shortened to at most 500 characters."""
    key: str = ""
    """Key of the series whose price this would have been, where that much could be read."""


Reading = Observation | Skipped | Rejected


@lru_cache(maxsize=512)
def _is_currency(code: str) -> bool:
    return re.fullmatch(r"[A-Z]{3}", code) is not None
