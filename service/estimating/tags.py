"""What one unit of a line costs: listed, agreed, converted, and everything that was looked at to say so."""

from dataclasses import dataclass, field
from decimal import Decimal

from pricing_sources.observation import Status
from pricing_sources.units import Unit, UnitMismatch, factor
from service.domain.estimate import Assumption
from service.domain.price_book import FxRate, Price, PriceBook, Unpriced
from service.domain.quantities import UnitPrice, plain, times
from service.domain.rate_card import RateCardEntry, RateCardInForce
from service.domain.scenario import FactorInput, PartName, PriceInput, Scenario
from service.errors import Invalid
from service.estimating.draft import NEUTRAL, Draft, Factor
from service.estimating.validation import PARTS


@dataclass(frozen=True, slots=True)
class Tag:
    """What one unit lists for, and what it costs you if your rate card says otherwise."""

    listed: UnitPrice
    contracted: UnitPrice | None = None
    contract: str | None = None

    @property
    def paid(self) -> UnitPrice:
        """What is really paid."""
        return self.contracted or self.listed


@dataclass(slots=True)
class Tags:
    """Finds unit prices and factors in a book and a rate card, and remembers what it used."""

    scenario: Scenario
    book: PriceBook
    card: RateCardInForce | None
    used: dict[str, Price] = field(default_factory=dict)
    fx_rates: dict[str, FxRate] = field(default_factory=dict)
    assumptions: list[Assumption] = field(default_factory=list)

    def factor(self, where: str, given: FactorInput | None) -> Factor:
        """The value of a factor; Invalid if its series has none, for there is no neutral guess."""
        if given is None:
            return NEUTRAL
        if given.value is not None:
            return Factor(given.value, "scenario")
        found = self.book.price(given.series or "")
        if isinstance(found, Unpriced):
            raise Invalid.field(f"{where}.series", f"{found.series}: {found.reason}; or give a value of your own")
        if found.unit is not Unit.RATIO:
            raise Invalid.field(f"{where}.series", f"{found.series} is a price per {found.unit}, not a factor")
        self._use(_part_of(where), found)
        return Factor(found.amount, "price_book")

    def tag(self, draft: Draft) -> Tag | Unpriced:
        """The price of one unit of the draft: as stated, from the book or from the rate card, converted exactly."""
        given: PriceInput = draft.price
        if given.amount is not None:
            return Tag(UnitPrice(plain(given.amount), given.currency or self.scenario.currency, draft.unit))
        if self.card and (own := self.card.own_entry(given.series or "", self.book.as_of.valid_at)):
            price = self._agreed(draft, own)
            return Tag(price, price, _named(own))
        found = self.book.price(given.series or "")
        if isinstance(found, Unpriced):
            return found
        if found.currency is None:
            raise Invalid.field(f"{draft.field}.series", f"{found.series} is a factor, not a price per {draft.unit}")
        self._use(draft.part, found)
        listed = UnitPrice(self._converted(draft, found), found.currency, draft.unit)
        entry = self.card.entry_for(found.offer, self.book.as_of.valid_at) if self.card and found.offer else None
        if entry is None:
            return Tag(listed)
        return Tag(listed, self._contracted(draft, listed, entry), _named(entry))

    def _contracted(self, draft: Draft, listed: UnitPrice, entry: RateCardEntry) -> UnitPrice:
        if entry.discount is None:
            return self._agreed(draft, entry)
        return UnitPrice(times(listed.amount, 1 - entry.discount), listed.currency, listed.unit)

    def _agreed(self, draft: Draft, entry: RateCardEntry) -> UnitPrice:
        """The unit price an entry states, per unit of the draft. Raises Invalid if it buys something else."""
        unit, amount = entry.unit, entry.unit_price
        if unit is None or amount is None or entry.currency is None:
            raise Invalid.field("rate_card", f"{_named(entry)} has neither a discount nor a whole price")
        try:
            return UnitPrice(times(amount, factor(draft.unit, unit)), entry.currency, draft.unit)
        except UnitMismatch:
            raise Invalid.field(
                draft.field, f"{_named(entry)} of the rate card is a price per {unit}; one per {draft.unit} is needed"
            ) from None

    def _converted(self, draft: Draft, found: Price) -> Decimal:
        try:
            many = factor(draft.unit, found.unit)
        except UnitMismatch:
            hint = " (its GPU count is not known)" if found.unit is Unit.INSTANCE_HOUR else ""
            raise Invalid.field(
                f"{draft.field}.series",
                f"{found.series} is a price per {found.unit}{hint}; a price per {draft.unit} is needed",
            ) from None
        if many != 1:
            self._assume(draft.part, f"{found.series}: one {draft.unit} counted as {plain(many)} {found.unit}")
        return times(found.amount, many)

    def fx_rate(self, currency: str) -> Decimal | Unpriced:
        """Estimate currency per `currency`, and its legs remembered; Unpriced if there is no rate."""
        wanted = self.scenario.currency
        if currency == wanted:
            return Decimal(1)
        rate = self.book.fx_rate(currency, wanted)
        if isinstance(rate, Unpriced):
            return rate
        self.fx_rates[currency] = rate
        self.used.update({leg.series: leg for leg in rate.legs})
        return rate.rate

    def _use(self, part: PartName, price: Price) -> None:
        self.used[price.series] = price
        if price.includes_power:
            self._assume(part, f"{price.series}: the GPU-hour includes its electricity")
        if price.status is Status.LOWER_BOUND:
            self._assume(part, f"{price.series}: the source only says that it is at least this")
        if price.status is Status.PRELIMINARY:
            self._assume(part, f"{price.series}: the source calls this figure preliminary")

    def _assume(self, part: PartName, text: str) -> None:
        assumption = Assumption(part=part, text=text)
        if assumption not in self.assumptions:
            self.assumptions.append(assumption)


def _part_of(where: str) -> PartName:
    return next(part for part in PARTS if where.startswith(f"{part}."))


def _named(entry: RateCardEntry) -> str:
    return entry.note or f"{entry.provider} {entry.sku} {entry.region} {entry.purchase}"
