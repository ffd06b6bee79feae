"""All prices in force at one moment as known at another: a frozen snapshot with citations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from pricing_sources.observation import Kind, Status
from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.quantities import significant


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """How a price is walked back to the bytes it was read from.

    `republish` is false where the figure may be used but not served on to others, and null where it may be.
    """

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
    """False or null, not true: what kept estimates said before this was known must keep its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Whose figures an answer shows, and on what terms."""

    source: str
    publisher: str
    licence: str
    attribution: str
    republish: bool
    """False where the figures may be used but not served on to others."""

    @classmethod
    def cited(cls, citations: Iterable[Citation]) -> "tuple[Terms, ...]":
        """Those of the prices cited, each source once, in order of their ids."""
        found = {
            one.source: cls(
                source=one.source,
                publisher=one.publisher,
                licence=one.licence,
                attribution=one.attribution,
                republish=one.republish is not False,
            )
            for one in citations
        }
        return tuple(found[source] for source in sorted(found))


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
    dollar_rates: Mapping[str, Price] = field(default_factory=dict)
    """Likewise per one USD, for currencies nobody quotes against the euro."""

    def price(self, series: str) -> Price | Unpriced:
        """The price of `series`, or why there is none."""
        return self.prices.get(series) or Unpriced(series, "no such series is recorded")

    def fx_rate(self, from_currency: str, to_currency: str) -> FxRate | Unpriced:
        """The rate from one currency to another, crossed through EUR (and USD where need be), never substituted."""
        per_euro, legs = {}, []
        for currency in (from_currency, to_currency):
            found = self._per_euro(currency)
            if found is None:
                return Unpriced(f"fx/EUR/{currency}", f"no reference rate for {currency} on or before that date")
            per_euro[currency], used = found
            legs += [leg for leg in used if leg not in legs]
        return FxRate(
            from_currency=from_currency,
            to_currency=to_currency,
            rate=significant(per_euro[to_currency] / per_euro[from_currency]),
            legs=tuple(legs),
        )

    def _per_euro(self, currency: str) -> tuple[Decimal, tuple[Price, ...]] | None:
        """Units of a currency per euro, and the published rates that say so."""
        if currency == "EUR":
            return Decimal(1), ()
        if currency in self.euro_rates:
            return self.euro_rates[currency].amount, (self.euro_rates[currency],)
        per_dollar, dollar = self.dollar_rates.get(currency), self.euro_rates.get("USD")
        if per_dollar is None or dollar is None:
            return None
        return per_dollar.amount * dollar.amount, (per_dollar, dollar)
