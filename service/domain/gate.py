"""A gate: may a change of a scenario go through, seen from its budget and from the age of its prices."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from service.domain.as_of import AsOf
from service.domain.bridge import Bridge
from service.domain.price_book import Terms

Verdict = Literal["pass", "over_budget", "stale"]
"""`over_budget` goes before `stale`: whoever is over is so at any price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StalePrice:
    """A price the estimate stands on that should have been looked at since."""

    series: str
    source: str
    last_checked_at: datetime
    missed_publications: int
    newest_period: datetime | None = None
    """The newest date its source tells, where that is what is too old: it was looked at, and stands still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """What a scenario costs, against its limit and against what it was."""

    name: str
    verdict: Verdict
    as_of: AsOf
    currency: str
    total: Decimal
    lower_bound: bool
    """True if a line has no price; then no limit can be shown to hold."""
    unpriced: tuple[str, ...]
    """The lines that have none, and why."""
    limit: Decimal | None
    against: str | None
    """What it is compared with; None if with nothing."""
    bridge: Bridge | None
    """From what it is compared with to this; None where there was nothing."""
    stale: tuple[StalePrice, ...]
    terms: tuple[Terms, ...] = ()
    """Of the prices it stands on."""
