"""What a refresh did, and how a source stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

Trigger = Literal["schedule", "manual", "import", "start", "backfill", "release", "reparse"]
"""What set a refresh off."""
Scope = Literal["seed", "feed", "import", "chapter", "release", "reparse"]
"""How much was read: the whole history, the current feed, one file, a piece of an archive, a row that a
person released, a stored document once more. Coverage is compared between looks at the feed alone."""
RefreshStatus = Literal["sealed", "failed", "quarantined"]
Freshness = Literal["fresh", "stale", "never", "bundled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """One look at one source: what was checked, when, how it ended, what changed."""

    refresh_id: int
    source: str
    parser_version: int
    trigger: Trigger
    scope: Scope
    started_at: datetime
    recorded_at: datetime
    """The seal: the moment its rows became known."""
    status: RefreshStatus
    rows_read: int
    """observed + rejected + every skipped row."""
    observed: int
    """Rows that are prices; of documents that were quarantined as a whole, rows that would have been."""
    added: int
    corrected: int
    unchanged: int
    rejected: int
    skipped: Mapping[str, int]
    """How many rows were skipped, by named reason."""
    error_code: str | None
    error: str | None
    """Why it failed; of a sealed refresh, which of the feed's documents could not be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedRow:
    """A row that should have been a price and could not be believed."""

    quarantine_id: int
    refresh_id: int
    source: str
    recorded_at: datetime
    locator: str
    reason: str
    text: str
    released_by: int | None
    """The refresh that wrote it to the log after a person released it, or that read its document anew after a
    person released that as a whole; what is still held back then stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Two feeds that state different prices for one offer."""

    kind: str
    series: str
    other_series: str
    amount: Decimal
    other_amount: Decimal
    currency: str | None
    unit: str
    share: float
    """Their distance as a share of the higher one."""
    recorded_at: datetime
    refresh_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """What the log knows of one source."""

    source: str
    series: int
    last_good_at: datetime | None
    """Seal of its newest good look at the feed, or at a saved document of it."""
    newest_period: datetime | None
    """The newest date its prices carry; None where they carry none."""
    last_checked: Refresh | None
    """Its newest refresh, however it ended."""
    quarantined_rows: int
    """Rows its newest look that could be read held back, and nobody has released."""
    refused: bool
    """True if its last look at the feed was not believed as a whole."""
    coverage: float | None
    """Prices read when the feed itself was last asked, over the most of late; None before it was asked at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """How a source stands now: the answer to "can I trust its prices today?"."""

    source: str
    title: str
    publisher: str
    kinds: tuple[str, ...]
    homepage: str
    url: str
    licence: str
    attribution: str
    republish: bool
    cadence: str
    timezone: str
    key_needed: bool
    has_key: bool
    """False where the key it needs is not set, so that nothing is asked."""
    enabled: bool
    series: int
    last_good_at: datetime | None
    newest_period: datetime | None
    """The newest date its prices carry; None where they carry none."""
    next_due_at: datetime | None
    missed_publications: int
    """Since it was last read well, or since its newest period was older than it may be, whichever is longer ago."""
    freshness: Freshness
    last_status: RefreshStatus | None
    last_error: str | None
    refused: bool
    """True if the last look at the feed was not believed as a whole: the prices of the one before stand."""
    quarantined_rows: int
    coverage: float | None
    """Prices read when the feed itself was last asked, over the most of late; saved files do not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPoint:
    """One row of a series' history, as the log holds it."""

    valid_from: datetime
    recorded_at: datetime
    change: Literal["observed", "correction", "retracted", "absent"]
    trigger: Trigger
    """What set off the refresh that wrote it: `backfill` for a past read afterwards, `release`, `reparse`…"""
    amount: str | None
    currency: str | None
    unit: str
    status: str
    vintage: str
    document_sha256: str
    document_url: str
    locator: str
    published_amount: str
    published_unit: str
