"""What lies ahead: refreshes, budgets, announced prices, agreements that end."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaItem:
    """Something that will happen at a known moment."""

    uid: str
    """The same for the same thing, whenever it is asked for."""
    at: datetime
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A price that is known and not yet in force."""

    series: str
    valid_from: datetime
    amount: str
    currency: str
    unit: str
