"""The additive explanation of a difference between two estimates."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from service.domain.as_of import AsOf
from service.domain.price_book import Terms
from service.domain.scenario import PartName

Cause = Literal[
    "offer_price",
    "electricity",
    "staff",
    "data",
    "fx",
    "contract",
    "scope",
    "efficiency",
    "interruptions",
    "formula",
    "offer_switch",
    "newly_priced",
    "unpriced",
]
"""Why a cost differs. The first four are prices that moved, by what they buy."""

Method = Literal["lmdi", "shapley", "whole"]
"""How a line was split: logarithmic mean where the cost is a product, Shapley values elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One cause and what it did to the cost, in the bridge's currency."""

    cause: Cause
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceMove:
    """One unit price at both moments."""

    series_before: str | None
    series_after: str | None
    unit_price_before: Decimal | None
    unit_price_after: Decimal | None
    currency_before: str | None
    currency_after: str | None
    fx_rate_before: Decimal | None
    fx_rate_after: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineBridge:
    """One line at both moments. `cost_before + Σ effects == cost_after`, to the last digit."""

    part: PartName
    name: str
    cost_before: Decimal
    cost_after: Decimal
    difference: Decimal
    method: Method
    effects: tuple[Effect, ...]
    price: PriceMove


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """Why one estimate differs from another. `before + Σ effects == after`, to the last digit."""

    currency: str
    before: Decimal
    after: Decimal
    difference: Decimal
    lower_bound: bool
    """True if a line of either could not be priced, so that the totals are lower bounds."""
    effects: tuple[Effect, ...]
    """By cause, over all lines; the largest first."""
    lines: tuple[LineBridge, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateBridge:
    """The bridge between two estimates of the ledger; the same two for ever give the same."""

    before_id: str
    after_id: str
    bridge: Bridge
    terms: tuple[Terms, ...] = ()
    """Of the prices that either stands on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioBridge:
    """The bridge of one scenario between two moments."""

    before: AsOf
    after: AsOf
    bridge: Bridge
    terms: tuple[Terms, ...]
    """Of the prices that either moment stands on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLine:
    """One line over all estimates compared; None where one does not have it."""

    part: PartName
    name: str
    costs: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Several estimates side by side, in the currency of the first."""

    estimate_ids: tuple[str, ...]
    names: tuple[str, ...]
    currency: str
    totals: tuple[Decimal, ...]
    lower_bounds: tuple[bool, ...]
    differences: tuple[tuple[Decimal, ...], ...]
    """`differences[i][j]` is the total of `j` minus that of `i`."""
    lines: tuple[ComparedLine, ...]
