"""What a scenario cost over a period: points, gaps, and what happened in between."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from service.domain.estimate import PartTotal
from service.domain.price_book import Terms
from service.domain.scenario import Scenario
from service.domain.timelines import Reading

EventKind = Literal["price_change", "announced", "correction", "gap", "priced"]
"""`announced`: known before it held. `correction`: the past was read anew. `gap`, `priced`: offered no more, again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPoint:
    """The cost at one moment; it holds until the next point where the step is `change`."""

    at: datetime
    total: Decimal | None
    """None where no line had a price: a gap, not zero."""
    lower_bound: bool
    """True if a line had no price."""
    parts: tuple[PartTotal, ...]
    missing: tuple[str, ...]
    """Why lines had no price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEvent:
    """One thing that happened to a price the scenario stands on."""

    at: datetime
    """When it began to count, in the reading asked for."""
    kind: EventKind
    series: str
    amount_before: Decimal | None
    amount_after: Decimal | None
    currency: str | None
    unit: str
    valid_from: datetime
    recorded_at: datetime
    document_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostHistory:
    """One scenario over a period, as one reading of the log has it."""

    scenario: Scenario
    currency: str
    start: datetime
    end: datetime
    step: str
    reading: Reading
    known_at: datetime
    """The seal of the newest refresh used; ask again with it and the answer is the same."""
    points: tuple[CostPoint, ...]
    events: tuple[CostEvent, ...]
    terms: tuple[Terms, ...] = ()
    """Of the prices the scenario stands on."""
