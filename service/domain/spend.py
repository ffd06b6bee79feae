"""What was really charged, as a bill or a cost export says it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Charges of one span, service and currency, added up."""

    charge_from: datetime
    charge_until: datetime
    """Not part of the span."""
    amount: Decimal
    """Credits are negative."""
    currency: str
    provider: str = ""
    service: str = ""
    rows: int = 1
    """Rows of the document that were added up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendImport:
    """One document of charges and what became of its rows."""

    import_id: int
    budget: str
    origin: str
    """Which bill or export it is one edition of; a later edition replaces what it covers."""
    document_sha256: str
    reading: str
    """Which column counted as the cost, and which rows were wanted."""
    recorded_at: datetime
    covers_from: datetime
    covers_until: datetime
    """Charges of the same origin that begin in this span count no longer, unless this import has them."""
    rows_read: int
    rows_kept: int
    rows_left_out: int
    """Rows the filter did not want."""
