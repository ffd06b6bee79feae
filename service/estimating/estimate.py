"""A scenario and a price book become an estimate: every line cited, nothing free by accident."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, Final

from pricing_sources.observation import Status
from pricing_sources.units import Unit, UnitMismatch, factor
from service.domain.estimate import (
    Assumption,
    Estimate,
    FormulaUsed,
    LineItem,
    MissingItem,
    PartTotal,
    PriceUsed,
    RateCardUsed,
)
from service.domain.price_book import FxRate, Price, PriceBook, Unpriced
from service.domain.quantities import EXACT, Quantity, UnitPrice, cost_of, plain, significant, times
from service.domain.rate_card import RateCardEntry, RateCardInForce
from service.domain.scenario import FactorInput, PartName, PriceInput, Scenario
from service.errors import Invalid
from service.estimating.drafts import NEUTRAL, Draft, Factor, drafts
from service.estimating.validation import PARTS, validate

SECONDS_PER_DAY: Final = Decimal(86_400)


def series_needed(scenario: Scenario) -> frozenset[str]:
    """Every series the scenario looks up, so that a caller can load exactly these."""
    return frozenset(_series_in(scenario))


def estimate(scenario: Scenario, book: PriceBook, card: RateCardInForce | None = None) -> Estimate:
    """Price a scenario from a book and perhaps a rate card; the same give the same bytes.

    Raises Invalid naming every field that cannot be priced as given, among them a series whose unit is
    not the one its field asks for.
    """
    validate(scenario)
    work = _Work(scenario, book, card)
    for draft in drafts(scenario, work.factor):
        work.price(draft)
    parts = tuple(_part_totals(work))
    return Estimate(
        scenario=scenario,
        as_of=book.as_of,
        currency=scenario.currency,
        total=_total(line.cost for line in work.lines),
        lower_bound=bool(work.missing),
        parts=parts,
        line_items=tuple(work.lines),
        unpriced=tuple(work.missing),
        prices=tuple(_used(price, book) for _, price in sorted(work.used.items())),
        fx_rates=tuple(rate for _, rate in sorted(work.fx_rates.items())),
        rate_card=_card_used(card),
        formulas=tuple(sorted(work.formulas, key=lambda one: (one.id, one.version))),
        assumptions=tuple(work.assumptions),
    )


@dataclass(frozen=True, slots=True)
class _Tag:
    """What one unit lists for, and what it costs you if your rate card says otherwise."""

    listed: UnitPrice
    contracted: UnitPrice | None = None
    contract: str | None = None

    @property
    def paid(self) -> UnitPrice:
        """What is really paid."""
        return self.contracted or self.listed


@dataclass(slots=True)
class _Work:
    """What is gathered while the lines are priced."""

    scenario: Scenario
    book: PriceBook
    card: RateCardInForce | None
    lines: list[LineItem] = field(default_factory=list)
    missing: list[MissingItem] = field(default_factory=list)
    used: dict[str, Price] = field(default_factory=dict)
    fx_rates: dict[str, FxRate] = field(default_factory=dict)
    formulas: set[FormulaUsed] = field(default_factory=set)
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

    def price(self, draft: Draft) -> None:
        """Turn a draft into a line, or say why it cannot be priced."""
        self.formulas.add(FormulaUsed(id=draft.formula.id, version=draft.formula.version, title=draft.formula.title))
        quantity = significant(draft.quantity)
        tag = self._tag(draft)
        rate = self._fx_rate(tag.paid.currency) if isinstance(tag, _Tag) else tag
        if isinstance(tag, Unpriced) or isinstance(rate, Unpriced):
            self.missing.append(
                MissingItem(
                    part=draft.part,
                    name=draft.name,
                    pricing_quantity=quantity,
                    pricing_unit=draft.unit,
                    reason=tag if isinstance(tag, Unpriced) else rate,  # type: ignore[arg-type]
                )
            )
            return
        cost = cost_of(Quantity(quantity, draft.unit), tag.listed)
        paid = cost_of(Quantity(quantity, draft.unit), tag.paid)
        contract = tag.contracted
        self.lines.append(
            LineItem(
                part=draft.part,
                name=draft.name,
                formula=draft.formula.name,
                inputs=draft.inputs,
                pricing_quantity=quantity,
                pricing_unit=draft.unit,
                list_unit_price=tag.listed.amount,
                list_currency=tag.listed.currency,
                list_cost=cost.amount,
                contracted_unit_price=contract.amount if contract else None,
                contracted_currency=contract.currency if contract else None,
                contracted_cost=paid.amount if contract else None,
                contract=tag.contract,
                fx_rate=rate,
                cost=times(paid.amount, rate),
                price_series=draft.price.series,
            )
        )

    def _tag(self, draft: Draft) -> _Tag | Unpriced:
        """The price of one unit of the draft: as stated, from the book or from the rate card, converted exactly."""
        given: PriceInput = draft.price
        if given.amount is not None:
            return _Tag(UnitPrice(plain(given.amount), given.currency or self.scenario.currency, draft.unit))
        if self.card and (own := self.card.own_entry(given.series or "", self.book.as_of.valid_at)):
            price = self._agreed(draft, own)
            return _Tag(price, price, _named(own))
        found = self.book.price(given.series or "")
        if isinstance(found, Unpriced):
            return found
        if found.currency is None:
            raise Invalid.field(f"{draft.field}.series", f"{found.series} is a factor, not a price per {draft.unit}")
        self._use(draft.part, found)
        listed = UnitPrice(self._converted(draft, found), found.currency, draft.unit)
        entry = self.card.entry_for(found.offer, self.book.as_of.valid_at) if self.card and found.offer else None
        if entry is None:
            return _Tag(listed)
        return _Tag(listed, self._contracted(draft, listed, entry), _named(entry))

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

    def _fx_rate(self, currency: str) -> Decimal | Unpriced:
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


def _series_in(value: Any) -> Iterator[str]:
    if isinstance(value, PriceInput | FactorInput):
        if value.series is not None:
            yield value.series
    elif hasattr(value, "__dataclass_fields__"):
        for one in fields(value):
            yield from _series_in(getattr(value, one.name))


def _part_of(where: str) -> PartName:
    return next(part for part in PARTS if where.startswith(f"{part}."))


def _part_totals(work: _Work) -> Iterator[PartTotal]:
    for part in PARTS:
        lines = [line.cost for line in work.lines if line.part == part]
        missing = any(line.part == part for line in work.missing)
        if lines or missing:
            yield PartTotal(part=part, cost=_total(lines), lower_bound=missing)


def _total(costs: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for cost in costs:
        total = EXACT.add(total, cost)
    return plain(total)


def _named(entry: RateCardEntry) -> str:
    return entry.note or f"{entry.provider} {entry.sku} {entry.region} {entry.purchase}"


def _card_used(card: RateCardInForce | None) -> RateCardUsed | None:
    if card is None:
        return None
    return RateCardUsed(name=card.card.name, rate_card_id=card.rate_card_id, recorded_at=card.recorded_at)


def _used(price: Price, book: PriceBook) -> PriceUsed:
    age = Decimal(int((book.as_of.valid_at - price.valid_from).total_seconds())) / SECONDS_PER_DAY
    return PriceUsed(price=price, age_days=age.quantize(Decimal("0.01")))
