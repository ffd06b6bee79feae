"""The shapes of requests and answers that no domain noun has already."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal

from pricing_sources.accelerators import Accelerator
from service.api.desk import ReadWhat, Running
from service.api.wire import Moment, NumberOrName
from service.domain.band import BandSummary
from service.domain.estimate import Estimate
from service.domain.hardware import LabelInUse
from service.domain.price_book import Terms
from service.domain.quantities import plain
from service.domain.rate_card import RateCardInForce
from service.domain.refreshes import Disagreement, QuarantinedRow, Refresh, SeriesPoint, SourceStatus
from service.domain.scenario import FORBID_UNKNOWN, Scenario
from service.formulas.catalog import Formula
from service.store.estimates import EstimateSummary, StoredScenario


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateAsked:
    """A scenario, stated or named, and the two clocks to price it at."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    scenario: Scenario | None = None
    """What is to be priced."""
    scenario_id: str | None = None
    """A kept scenario, instead of stating one."""
    valid_at: Moment | None = None
    """Prices in force at this moment; now unless given."""
    known_at: Moment | None = None
    """Using only what was known at this moment; now unless given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRecord:
    """An estimate with its name in the ledger."""

    estimate_id: str
    """SHA-256 of the canonical bytes of `estimate`."""
    scenario_id: str
    created_at: datetime
    band: BandSummary
    estimate: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateList:
    """A page of the ledger."""

    estimates: tuple[EstimateSummary, ...]
    next_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioList:
    """Scenarios, newest first."""

    scenarios: tuple[StoredScenario, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCardList:
    """Every rate card, each in the version known then."""

    rate_cards: tuple[RateCardInForce, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratorList:
    """The registry of hardware."""

    accelerators: tuple[Accelerator, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareLabels:
    """Labels feeds use for hardware."""

    labels: tuple[LabelInUse, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareLabelUnasked:
    """Whose word on a label is taken back."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    label: str
    """Exactly as the feed words it."""
    memory_gb: Decimal | None = None
    """The memory it stands beside, if any."""
    source: str | None = None
    """The feed that words it so; needed where several do."""
    provider: str | None = None
    """Whose machines; needed where the feed says it of several."""
    everywhere: bool = False
    """Of every feed, now and to come, but those that have a word of their own."""
    reason: str
    """How you know; kept beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareLabelAsked(HardwareLabelUnasked):
    """Which accelerator a label means, as one feed says it of one provider, or wherever it is said."""

    accelerator: str
    """Id in the registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Every row of a series that was known at `known_at`."""

    series: str
    known_at: datetime
    points: tuple[SeriesPoint, ...]
    terms: tuple[Terms, ...]
    """Of the source that states it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceList:
    """Every source."""

    sources: tuple[SourceStatus, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshList:
    """Refreshes, newest first."""

    refreshes: tuple[Refresh, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshAsked:
    """Which source to read now."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    source: str
    """Id of a source."""
    what: ReadWhat = "feed"
    """`feed`: what it says now; `archive`: its past; `stored`: its stored documents, with today's parser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningList:
    """Refreshes in progress."""

    running: tuple[Running, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAsked:
    """Why what was held back is true."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    reason: str
    """Kept beside what is released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisagreementList:
    """Offers that two feeds price differently."""

    disagreements: tuple[Disagreement, ...]
    terms: tuple[Terms, ...]
    """Of every source named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshAccepted:
    """A refresh has been started."""

    source: str
    status_url: str
    """Where its outcome will show."""
    cancel_url: str
    """What to DELETE to have it stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Rows held back, newest first."""

    rows: tuple[QuarantinedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaArgument:
    """One input of a formula."""

    name: str
    description: str
    unit: str
    """`kW`, `currency/kWh` or `currency`."""
    minimum: Decimal
    maximum: Decimal
    default: Decimal | None
    """None where it must be given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaCard:
    """What a formula is."""

    id: str
    version: int
    title: str
    mission: int | None
    """Its number among the five formulas of the mission."""
    arguments: tuple[FormulaArgument, ...]
    result_unit: str
    documentation: str
    """Equation, symbols, limits, reference and a worked example."""

    @classmethod
    def of(cls, formula: Formula) -> "FormulaCard":
        """Everything about a formula that is not code."""
        arguments = tuple(
            FormulaArgument(
                name=one.name,
                description=one.description,
                unit=one.unit_text,
                minimum=plain(one.minimum),
                maximum=plain(one.maximum),
                default=one.default,
            )
            for one in formula.arguments
        )
        return cls(
            id=formula.id,
            version=formula.version,
            title=formula.title,
            mission=formula.mission,
            arguments=arguments,
            result_unit=formula.result_unit,
            documentation=formula.documentation,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaList:
    """Every formula."""

    formulas: tuple[FormulaCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaResult:
    """What a formula gives for some inputs."""

    formula: str
    """Id and version: `training.energy@1`."""
    inputs: Mapping[str, Decimal | str]
    result: Decimal
    result_unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaInputs:
    """Plain numbers for a formula, in its documented units; a language model by its name."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    inputs: Mapping[str, NumberOrName]
    """By the formula's own names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The server's own state."""

    status: Literal["live", "ready"]
