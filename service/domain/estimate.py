"""The computed answer, and everything needed to check it and to compute it again."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.price_book import FxRate, Price, Terms, Unpriced
from service.domain.scenario import PartName, Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaInput:
    """One argument a formula was given."""

    name: str
    value: Decimal
    unit: str
    origin: Literal["scenario", "price_book", "default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """One priced quantity. `pricing_quantity × list_unit_price == list_cost`, to the last digit."""

    part: PartName
    name: str
    """`gpu_rental`, `electricity`, `licensing`, `storage`, `queries`, `input_tokens`, `salaries`…"""
    formula: str
    """Id and version of the formula the quantity came from: `training.energy@1`."""
    inputs: tuple[FormulaInput, ...]
    pricing_quantity: Decimal
    pricing_unit: Unit
    list_unit_price: Decimal
    list_currency: str
    list_cost: Decimal
    contracted_unit_price: Decimal | None = None
    """What your rate card makes of it; None where no entry covers the offer."""
    contracted_currency: str | None = None
    contracted_cost: Decimal | None = None
    """`pricing_quantity × contracted_unit_price`, exactly."""
    contract: str | None = None
    """The note of the rate card's entry, or which entry it is."""
    fx_rate: Decimal
    """Estimate currency per currency paid (contracted where there is a contract); 1 where they are the same."""
    cost: Decimal
    """What is paid, contracted or list, times `fx_rate`, exactly, in the estimate's currency."""
    price_series: str | None = None
    """The series the price came from; None if the scenario stated it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingItem:
    """A line that could not be priced; the total is a lower bound."""

    part: PartName
    name: str
    pricing_quantity: Decimal
    pricing_unit: Unit
    reason: Unpriced


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTotal:
    """The sum of one part's lines, in the estimate's currency."""

    part: PartName
    cost: Decimal
    lower_bound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceUsed:
    """One price observation the estimate stands on, with its age."""

    price: Price
    age_days: Decimal
    """`valid_at − valid_from`, in days, two decimals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCardUsed:
    """The version of the rate card the estimate stands on."""

    name: str
    rate_card_id: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaUsed:
    """One formula the estimate was computed with."""

    id: str
    version: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A number from no feed, or a choice the reader should know of."""

    part: PartName
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A scenario priced at one `AsOf`; its canonical bytes are its identity."""

    scenario: Scenario
    as_of: AsOf
    """`known_at` is resolved to the seal of the newest refresh used, so the estimate can be asked again."""
    currency: str
    total: Decimal
    lower_bound: bool
    """True if a line could not be priced."""
    parts: tuple[PartTotal, ...]
    line_items: tuple[LineItem, ...]
    unpriced: tuple[MissingItem, ...]
    prices: tuple[PriceUsed, ...]
    fx_rates: tuple[FxRate, ...]
    rate_card: RateCardUsed | None = None
    formulas: tuple[FormulaUsed, ...]
    assumptions: tuple[Assumption, ...]


def terms_of_estimates(*estimates: Estimate) -> tuple[Terms, ...]:
    """On what terms the prices and the exchange rates they stand on are stated, each source once."""
    prices = (used.price for one in estimates for used in one.prices)
    rates = (leg for one in estimates for rate in one.fx_rates for leg in rate.legs)
    return Terms.cited(one.citation for one in (*prices, *rates))
