"""All prices in force at one moment as known at another: a frozen snapshot with citations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from pricing_sources.observation import Kind, Status
from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.quantities import significant


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """How a price is walked back to the bytes it was read from."""

    source: str
    publisher: str
    licence: str
    attribution: str
    document_sha256: str
    document_url: str
    fetched_at: datetime
    locator: str
    reference_url: str = ""
    published_amount: str
    published_unit: str
    republish: bool | None = None
    """False where the figure may be used but not served on to others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What exactly a price buys, in the seller's own words."""

    provider: str
    sku: str
    region: str
    purchase: str
    tier: str = ""
    statistic: str = ""
    accelerator: str = ""
    gpu_count: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One price from the book."""

    series: str
    kind: Kind
    amount: Decimal
    currency: str | None = None
    unit: Unit
    valid_from: datetime
    recorded_at: datetime
    """When we learned it: the moment its refresh was sealed."""
    checked_at: datetime
    """When its source was last confirmed, as known at the book's `known_at`."""
    status: Status
    vintage: str = ""
    note: str = ""
    includes_power: bool = False
    """True for a rented GPU-hour: its electricity is inside."""
    offer: Offer | None = None
    """For a price of compute: who sells what, where and how."""
    citation: Citation


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A price that is not there, and why; never zero."""

    series: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FxRate:
    """`rate` units of `to_currency` buy what one `from_currency` buys."""

    from_currency: str
    to_currency: str
    rate: Decimal
    """Rounded to 12 significant digits; exactly this number multiplies costs."""
    legs: tuple[Price, ...]
    """The published reference rates it was made of: one, or two for a cross through EUR."""


@dataclass(frozen=True, slots=True)
class PriceBook:
    """The answer to every price question an estimate may ask, at one `AsOf`.

    `known_at` is the seal of the newest refresh the book may use, so asking again with the book's
    own `as_of` gives the same book for ever.
    """

    as_of: AsOf
    prices: Mapping[str, Price | Unpriced] = field(default_factory=dict)
    euro_rates: Mapping[str, Price] = field(default_factory=dict)
    """By currency: its reference rate per one EUR in force at `as_of`."""

    def price(self, series: str) -> Price | Unpriced:
        """The price of `series`, or why there is none."""
        return self.prices.get(series) or Unpriced(series, "no such series is recorded")

    def fx_rate(self, from_currency: str, to_currency: str) -> FxRate | Unpriced:
        """The rate from one currency to another, crossed through EUR, never substituted."""
        legs = []
        for currency in (from_currency, to_currency):
            if currency == "EUR":
                continue
            rate = self.euro_rates.get(currency)
            if rate is None:
                return Unpriced(f"fx/EUR/{currency}", f"no reference rate for {currency} on or before that date")
            legs.append(rate)
        per_euro = {leg.series.rsplit("/", 1)[-1]: leg.amount for leg in legs} | {"EUR": Decimal(1)}
        return FxRate(
            from_currency=from_currency,
            to_currency=to_currency,
            rate=significant(per_euro[to_currency] / per_euro[from_currency]),
            legs=tuple(legs),
        )
