"""Your own prices: what you have agreed with a provider, laid over the public book without touching it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import ClassVar, Final

from pricing_sources.observation import key_of
from pricing_sources.units import Unit
from service.domain.price_book import Offer
from service.domain.scenario import FORBID_UNKNOWN

OWN: Final = "rate_card"
"""First segment of the key of a price that only the card has: your own hardware, a private offer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCardEntry:
    """One agreement: a discount on list prices, or a price of its own. `*` and `?` stand for any text."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    provider: str
    """Who sells: `aws`, or a name of your own for your own hardware."""
    sku: str = "*"
    region: str = "*"
    purchase: str = "*"
    """`on_demand`, `spot`, `reserved_1y`…"""
    discount: Decimal | None = None
    """Share off the list price, 0 to 1: 0.25 is a quarter off."""
    unit_price: Decimal | None = None
    """Agreed price of one `unit`, instead of a discount."""
    currency: str | None = None
    """ISO 4217 code of `unit_price`."""
    unit: Unit | None = None
    """What `unit_price` buys: `GPU-Hours`."""
    valid_from: datetime | None = None
    """When the agreement begins; always, if absent."""
    valid_until: datetime | None = None
    """When it ends (exclusive); never, if absent."""
    note: str = ""
    """The contract, a reference, whatever tells you where it is from."""

    def covers(self, offer: Offer, valid_at: datetime) -> bool:
        """True if this entry is about that offer at that moment."""
        pairs = (
            (offer.provider, self.provider),
            (offer.sku, self.sku),
            (offer.region, self.region),
            (offer.purchase, self.purchase),
        )
        return self.is_in_force(valid_at) and all(fnmatchcase(text, pattern) for text, pattern in pairs)

    def is_in_force(self, valid_at: datetime) -> bool:
        """True within its period."""
        began = self.valid_from is None or self.valid_from <= valid_at
        return began and (self.valid_until is None or valid_at < self.valid_until)

    @property
    def own_key(self) -> str | None:
        """Key under which a scenario finds a price that needs no list price; None for any other entry."""
        names = (self.provider, self.sku, self.region, self.purchase)
        if self.unit_price is None or any(set(name) & set("*?[") and name != "*" for name in names) or self.sku == "*":
            return None
        return key_of(OWN, *("" if name == "*" else name for name in names))


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCard:
    """Agreements in order: the first that covers an offer counts."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    """What scenarios call it."""
    entries: tuple[RateCardEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCardInForce:
    """One version of a card, as it was known at the book's `known_at`."""

    rate_card_id: str
    """SHA-256 of its canonical bytes."""
    recorded_at: datetime
    card: RateCard

    def entry_for(self, offer: Offer, valid_at: datetime) -> RateCardEntry | None:
        """The first entry that covers an offer."""
        return next((entry for entry in self.card.entries if entry.covers(offer, valid_at)), None)

    def own_entry(self, key: str, valid_at: datetime) -> RateCardEntry | None:
        """The entry that is the price `key` of its own."""
        return next((one for one in self._own(valid_at) if one.own_key == key), None)

    def _own(self, valid_at: datetime) -> Iterator[RateCardEntry]:
        return (entry for entry in self.card.entries if entry.own_key and entry.is_in_force(valid_at))
