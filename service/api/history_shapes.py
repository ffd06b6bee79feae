"""The shapes of questions about time: asked again, side by side, over a period."""

from dataclasses import dataclass
from typing import ClassVar

from service.api.shapes import EstimateRecord
from service.api.wire import Moment
from service.domain.scenario import FORBID_UNKNOWN, Scenario
from service.domain.timelines import Reading
from service.usecases.cost_history import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunAsked:
    """At which as-of to price an estimate's scenario again; with its own prices if neither clock is given."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    valid_at: Moment | None = None
    """Prices in force at this moment."""
    known_at: Moment | None = None
    """Using only what was known at this moment; now if only `valid_at` is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunRecord:
    """An estimate asked again."""

    estimate: EstimateRecord
    same_bytes: bool
    """True if the answer is the one it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostHistoryAsked:
    """A scenario, stated or named, and the period to price it over."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    scenario: Scenario | None = None
    """What is to be priced."""
    scenario_id: str | None = None
    """A kept scenario, instead of stating one."""
    start: Moment
    end: Moment
    """Not part of the period."""
    step: Step = "day"
    """`change`: a point wherever a price moved."""
    zone: str = "UTC"
    """IANA time zone whose days, weeks and months are meant."""
    reading: Reading = "known_now"
    """`known_now`: what held at each moment, as we know it today; `known_then`: what we would have said at it."""
    known_at: Moment | None = None
    """Using only what was known at this moment; now unless given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeAsked:
    """A scenario, stated or named, and the two moments its costs are compared at."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    scenario: Scenario | None = None
    """What is to be priced."""
    scenario_id: str | None = None
    """A kept scenario, instead of stating one."""
    before: Moment
    after: Moment | None = None
    """Now unless given."""
    reading: Reading = "known_now"
    """`known_now`: what held at each moment, as we know it today; `known_then`: what we would have said at it."""
