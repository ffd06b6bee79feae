"""A scenario and a price book become an estimate: every line cited, nothing free by accident."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from service.domain.estimate import (
    Estimate,
    FormulaUsed,
    LineItem,
    MissingItem,
    PartTotal,
    PriceUsed,
    RateCardUsed,
)
from service.domain.price_book import Price, PriceBook, Unpriced
from service.domain.quantities import EXACT, Quantity, cost_of, plain, significant, times
from service.domain.rate_card import RateCardInForce
from service.domain.scenario import FactorInput, PriceInput, Scenario
from service.domain.scenario_places import inputs_of
from service.estimating.draft import Draft, Pinned
from service.estimating.drafts import drafts
from service.estimating.tags import Tag, Tags
from service.estimating.validation import PARTS, validate

SECONDS_PER_DAY: Final = Decimal(86_400)


def series_needed(scenario: Scenario) -> frozenset[str]:
    """Every series the scenario looks up, so that a caller can load exactly these."""
    found = (one for _, one in inputs_of(scenario) if isinstance(one, PriceInput | FactorInput))
    return frozenset(one.series for one in found if one.series is not None)


def factor_series(scenario: Scenario) -> frozenset[str]:
    """The series of factors: what they say is multiplied into quantities."""
    found = (one for _, one in inputs_of(scenario) if isinstance(one, FactorInput))
    return frozenset(one.series for one in found if one.series is not None)


def currencies_stated(scenario: Scenario) -> frozenset[str]:
    """Every currency a price of the scenario is stated in."""
    stated = (one for _, one in inputs_of(scenario) if isinstance(one, PriceInput) and one.amount is not None)
    return frozenset(one.currency or scenario.currency for one in stated)


def estimate(
    scenario: Scenario, book: PriceBook, card: RateCardInForce | None = None, pinned: Pinned | None = None
) -> Estimate:
    """Price a scenario from a book and perhaps a rate card, by the newest formulas or those pinned.

    The same give the same bytes. Raises Invalid naming every field that cannot be priced as given, among them
    a series whose unit is not the one its field asks for.
    """
    validate(scenario)
    tags = Tags(scenario, book, card)
    work = _Work(tags)
    for draft in drafts(scenario, tags.factor, pinned):
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
        prices=tuple(_used(price, book) for _, price in sorted(tags.used.items())),
        fx_rates=tuple(rate for _, rate in sorted(tags.fx_rates.items())),
        rate_card=_card_used(card),
        formulas=tuple(sorted(work.formulas, key=lambda one: (one.id, one.version))),
        assumptions=tuple(tags.assumptions),
    )


@dataclass(slots=True)
class _Work:
    """What is gathered while the lines are priced."""

    tags: Tags
    lines: list[LineItem] = field(default_factory=list)
    missing: list[MissingItem] = field(default_factory=list)
    formulas: set[FormulaUsed] = field(default_factory=set)

    def price(self, draft: Draft) -> None:
        """Turn a draft into a line, or say why it cannot be priced."""
        self.formulas.add(FormulaUsed(id=draft.formula.id, version=draft.formula.version, title=draft.formula.title))
        quantity = significant(draft.quantity)
        tag = self.tags.tag(draft)
        rate = self.tags.fx_rate(tag.paid.currency) if isinstance(tag, Tag) else tag
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


def _card_used(card: RateCardInForce | None) -> RateCardUsed | None:
    if card is None:
        return None
    return RateCardUsed(name=card.card.name, rate_card_id=card.rate_card_id, recorded_at=card.recorded_at)


def _used(price: Price, book: PriceBook) -> PriceUsed:
    age = Decimal(int((book.as_of.valid_at - price.valid_from).total_seconds())) / SECONDS_PER_DAY
    return PriceUsed(price=price, age_days=age.quantize(Decimal("0.01")))
