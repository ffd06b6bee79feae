"""Which inputs of an estimate are uncertain, how much, and how we know; what is not known stays fixed and is listed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Final

import numpy as np

from service.domain.band import EvidenceKind, FixedInput, Percentile, PricePath
from service.domain.estimate import Estimate
from service.domain.price_book import Price
from service.domain.rate_card import RateCardInForce
from service.domain.scenario import Scenario, Spread
from service.domain.scenario_places import value_at
from service.estimating.anatomy import Anatomy, Input
from service.estimating.distributions import Distribution, Lognormal, ThroughPercentiles, Triangular, Uniform
from service.estimating.draws import Array
from service.estimating.volatility import measured

OUTER: Final = (0.1, 0.9)
"""Percentiles a distribution of salaries must at least have."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the prices of an estimate, as of its own two clocks."""

    paths: Mapping[str, PricePath] = field(default_factory=dict)
    """By series, of the years before."""
    percentiles: Mapping[str, Sequence[Percentile]] = field(default_factory=dict)
    """By series of a salary: the percentiles of the same occupation and area."""
    card: RateCardInForce | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """An input, its distribution, and how we know."""

    input: Input
    distribution: Distribution
    evidence: EvidenceKind
    source: str

    def at(self, probability: Array) -> Array:
        """Its values at these probabilities, within the limits of what it is."""
        return np.clip(self.distribution.quantile(probability), self.input.least, self.input.most)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Every input of an estimate, on one side or the other."""

    uncertain: tuple[Uncertain, ...]
    fixed: tuple[FixedInput, ...]


def agreed_series(estimate: Estimate, card: RateCardInForce | None) -> frozenset[str]:
    """The series whose price a rate card fixes, whatever the list price does."""
    if card is None:
        return frozenset()
    at, listed = estimate.as_of.valid_at, {used.price.series: used.price for used in estimate.prices}
    looked_up = {line.price_series for line in estimate.line_items if line.price_series is not None}
    return frozenset(series for series in looked_up if _agreed(series, at, listed, card))


def moving_series(taken: Anatomy) -> frozenset[str]:
    """The series whose past says how uncertain the estimate is."""
    return frozenset(one.series for one in taken.inputs.values() if one.series is not None)


def uncertainty(estimate: Estimate, taken: Anatomy, evidence: Evidence) -> Uncertainty:
    """Give every input its distribution: as declared, else as measured, else none."""
    declared = {spread.input: spread for spread in estimate.scenario.spreads or ()}
    agreed = agreed_series(estimate, evidence.card)
    uncertain: list[Uncertain] = []
    fixed: list[FixedInput] = []
    for one in taken.inputs.values():
        if one.name in declared:
            found = _declared(one, declared[one.name])
        elif one.series in agreed and one.role == "price":
            found = "agreed in your rate card"
        else:
            found = _measured(one, estimate, evidence)
        if isinstance(found, Uncertain):
            uncertain.append(found)
        elif not one.neutral or one.name in declared:
            fixed.append(FixedInput(input=one.name, unit=one.unit, point=one.point, reason=found))
    fixed.extend(_without_effect(estimate.scenario, taken))
    return Uncertainty(tuple(uncertain), tuple(sorted(fixed, key=lambda one: one.input)))


def _agreed(series: str, at: datetime, listed: Mapping[str, Price], card: RateCardInForce) -> bool:
    if card.own_entry(series, at) is not None:
        return True
    offer = listed[series].offer if series in listed else None
    entry = card.entry_for(offer, at) if offer else None
    return entry is not None and entry.unit_price is not None


def _declared(one: Input, spread: Spread) -> Uncertain | str:
    """As the scenario says."""
    source = spread.source or "declared in the scenario"
    distribution = _distribution(spread, float(one.point))
    if isinstance(distribution, str):
        return f"{distribution}: {source}"
    return Uncertain(input=one, distribution=distribution, evidence="scenario", source=source)


def _distribution(spread: Spread, point: float) -> Distribution | str:
    low, high = float(spread.low or 0), float(spread.high or 0)
    match spread.distribution:
        case "fixed":
            return "declared certain"
        case "uniform":
            return Uniform(low, high)
        case "triangular":
            mode = point if spread.mode is None else float(spread.mode)
            return Triangular(low, min(max(mode, low), high), high)
        case "interval":
            if low < point < high:
                return ThroughPercentiles((OUTER[0], 0.5, OUTER[1]), (low, point, high))
            return ThroughPercentiles(OUTER, (low, high))
        case "lognormal":
            if point <= 0:
                return "a share of what is not positive is no spread"
            return Lognormal.relative(point, float(spread.relative_sd or 0))


def _measured(one: Input, estimate: Estimate, evidence: Evidence) -> Uncertain | str:
    """As the prices say."""
    if one.series is None:
        return "stated in the scenario, without a spread"
    if percentiles := evidence.percentiles.get(one.series):
        return _salaries(one, estimate, percentiles)
    if one.point <= 0:
        return "its price is not positive"
    if not one.days:
        return "bought at once, at the price in force"
    path = evidence.paths.get(one.series)
    found = measured(path, estimate.as_of.valid_at, one.days)
    if isinstance(found, str):
        return found
    return Uncertain(
        input=one,
        distribution=Lognormal(float(one.point), found.log_sd),
        evidence="price_history",
        source=f"{path.series if path else one.series}: {found.words}",
    )


def _salaries(one: Input, estimate: Estimate, percentiles: Sequence[Percentile]) -> Uncertain | str:
    """Through the published percentiles; the team is drawn as one, for an employer pays its people alike."""
    listed = next((used.price.amount for used in estimate.prices if used.price.series == one.series), None)
    known = sorted((each for each in percentiles if each.exact), key=lambda each: each.probability)
    probabilities = tuple(each.probability for each in known)
    if not set(OUTER) <= set(probabilities):
        return "the 10th or the 90th percentile of this salary is not published as a figure"
    if not listed or known[0].amount <= 0 or any(later.amount <= earlier.amount for earlier, later in pairwise(known)):
        return "the published percentiles of this salary do not rise"
    values = tuple(float(one.point * each.amount / listed) for each in known)
    return Uncertain(
        input=one,
        distribution=ThroughPercentiles(probabilities, values),
        evidence="salary_percentiles",
        source=f"published percentiles: {', '.join(each.series for each in known)}",
    )


def _without_effect(scenario: Scenario, taken: Anatomy) -> Iterator[FixedInput]:
    """What is declared and yet in no line."""
    for spread in scenario.spreads or ():
        if spread.input not in taken.inputs:
            point = value_at(scenario, spread.input)
            yield FixedInput(
                input=spread.input,
                unit="",
                point=point if isinstance(point, Decimal) else None,
                reason="no priced line of this estimate depends on it",
            )
