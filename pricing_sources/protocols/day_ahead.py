"""What the feeds of Europe's day-ahead auction have in common: delivery days, intervals, what may be a price.

The auction of a day is held at noon of the day before, so nothing can be known beyond tomorrow. A
price of zero or below is an ordinary price here: the auction's limits are −500 and 4,000 EUR/MWh
and are raised when they are nearly reached.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from pricing_sources.observation import ElectricitySeries, Observation, Reading, Rejected, Skipped
from pricing_sources.units import Unit

DELIVERY: Final = ZoneInfo("Europe/Brussels")
"""The zone delivery days are counted in, from midnight to midnight: 23 hours in March, 25 in October."""
PLAUSIBLE: Final[Mapping[Unit, tuple[Decimal, Decimal]]] = {Unit.MWH: (Decimal(-600), Decimal(6000))}
"""For prices in euros."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Auction:
    """What all prices of one document share."""

    source: str
    area: str
    """The bidding zone: `DE-LU`, `DK1`; the same name in every feed."""
    currency: str
    published_unit: str
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One delivery interval as a document states it."""

    began: datetime
    resolution: str
    """One of INTERVALS."""
    price: Any
    """As decoded: a Decimal, or None where there is none."""
    locator: str
    note: str = ""


def interval_reading(interval: Interval, auction: Auction) -> Reading:
    """The price of a megawatt-hour in one interval; a missing one is skipped, never zero."""
    price = interval.price
    if price is None:
        return Skipped("no_price", interval.locator)
    text = f"{auction.area} {interval.began.isoformat()}: {price}"[:500]
    if not isinstance(price, Decimal):
        return Rejected(f"{str(price)[:40]!r} where a price was expected", interval.locator, text)
    series = ElectricitySeries(
        source=auction.source,
        area=auction.area,
        sector="all",
        basis="wholesale_day_ahead",
        resolution=interval.resolution,
    )
    if interval.began >= known_until(auction.fetched_at):
        reason = "a delivery whose auction had not been held when the document was fetched"
        return Rejected(reason, interval.locator, text, series.key)
    return Observation(
        series=series,
        amount=price,
        currency=auction.currency,
        unit=Unit.MWH,
        valid_from=interval.began,
        published_amount=str(price),
        published_unit=auction.published_unit,
        locator=interval.locator,
        note=interval.note,
    )


def known_until(moment: datetime) -> datetime:
    """The end of tomorrow's delivery day: no auction reaches further.

    >>> from datetime import UTC
    >>> known_until(datetime(2026, 11, 23, 23, 30, tzinfo=UTC)).isoformat()
    '2026-11-26T00:00:00+01:00'
    """
    day = moment.astimezone(DELIVERY).date() + timedelta(days=2)
    return datetime(day.year, day.month, day.day, tzinfo=DELIVERY)
