"""Estimates beside one another: computed again, set side by side, explained."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from service.domain.as_of import AsOf
from service.domain.band import DEFAULT_DRAWS, DEFAULT_SEED, DifferenceBand
from service.domain.bridge import Bridge, Comparison, EstimateBridge, ScenarioBridge
from service.domain.estimate import Estimate, terms_of_estimates
from service.domain.scenario import Scenario
from service.errors import Invalid, NoData, NotFound
from service.estimating.band import Side, band_of_difference
from service.estimating.bridge import Elsewhere, bridge, needs_elsewhere, side_by_side
from service.store.estimates import StoredEstimate
from service.store.store import Store
from service.usecases.bands import check_draws, evidence_of
from service.usecases.estimates import get_estimate, keep, new_estimate, price_again, price_scenario
from service.usecases.scenario_files import in_currency

MOST_COMPARED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """An estimate asked again."""

    estimate: StoredEstimate
    same_bytes: bool
    """True if the answer is the one it was: with the same prices it always is."""


def rerun_estimate(store: Store, name: str, question: AsOf | None, *, now: datetime) -> Rerun:
    """Price the scenario of an estimate again: with the very prices it was made of, or at another as-of.

    The very prices meet the very versions of the formulas; another as-of meets the newest ones.
    Raises NotFound, Invalid, NoData.
    """
    kept = get_estimate(store, name)
    if question is None:
        again = keep(store, price_again(store, kept.estimate, kept.estimate.as_of), now=now)
    else:
        again = new_estimate(store, kept.estimate.scenario, question, now=now)
    return Rerun(estimate=again, same_bytes=again.body == kept.body)


def bridge_estimates(store: Store, before: str, after: str) -> EstimateBridge:
    """Why one estimate differs from another, in the currency of the later one.

    What only one of them has is priced at the other's as-of from history. Raises NotFound, Invalid.
    """
    first, last = get_estimate(store, before), get_estimate(store, after)
    found = explained(store, first.estimate, last.estimate)
    return EstimateBridge(
        before_id=first.estimate_id,
        after_id=last.estimate_id,
        bridge=found,
        terms=terms_of_estimates(first.estimate, last.estimate),
    )


def explain_scenario(store: Store, scenario: Scenario, before: AsOf, after: AsOf) -> ScenarioBridge:
    """Why a scenario's cost differs between two moments; nothing is kept. Raises Invalid, NotFound, NoData."""
    first, last = price_scenario(store, scenario, before), price_scenario(store, scenario, after)
    return ScenarioBridge(
        before=first.as_of,
        after=last.as_of,
        bridge=explained(store, first, last),
        terms=terms_of_estimates(first, last),
    )


def explained(store: Store, before: Estimate, after: Estimate) -> Bridge:
    """Why one estimate differs from another, kept or not, in the currency of the later one."""
    earlier = _in(store, before, after.currency)
    elsewhere: Elsewhere = (None, None)
    if needs_elsewhere(earlier, after):
        elsewhere = (_priced(store, after, earlier.as_of), _priced(store, earlier, after.as_of))
    return bridge(earlier, after, elsewhere)


def difference_band(
    store: Store, before: str, after: str, draws: int = DEFAULT_DRAWS, seed: int = DEFAULT_SEED
) -> DifferenceBand:
    """How sure the difference is, in the currency of the later one; inputs they share are drawn once for both.

    Raises NotFound, Invalid.
    """
    check_draws(draws, seed)
    first, last = get_estimate(store, before), get_estimate(store, after)
    earlier, later = _in(store, first.estimate, last.estimate.currency), last.estimate
    return band_of_difference(
        Side(first.estimate_id, earlier, evidence_of(store, earlier)),
        Side(last.estimate_id, later, evidence_of(store, later)),
        seed,
        draws,
    )


def compare_estimates(store: Store, names: Sequence[str]) -> Comparison:
    """Several estimates side by side, in the currency of the first. Raises NotFound, Invalid."""
    if not 2 <= len(names) <= MOST_COMPARED:
        raise Invalid.field("estimate", f"name 2 to {MOST_COMPARED} estimates, not {len(names)}")
    kept = [get_estimate(store, name) for name in names]
    currency = kept[0].estimate.currency
    return side_by_side([one.estimate_id for one in kept], [_in(store, one.estimate, currency) for one in kept])


def _in(store: Store, estimate: Estimate, currency: str) -> Estimate:
    """The estimate, or the same question with its totals in another currency."""
    if estimate.currency == currency:
        return estimate
    converted = replace(estimate, scenario=in_currency(estimate.scenario, currency))
    return price_again(store, converted, estimate.as_of)


def _priced(store: Store, estimate: Estimate, question: AsOf) -> Estimate | None:
    """What an estimate's scenario cost at another as-of; None where nothing was known or could be priced."""
    try:
        return price_again(store, estimate, question)
    except (NoData, NotFound, Invalid):
        return None
