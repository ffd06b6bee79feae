"""How sure an estimate is: its band, found or made."""

from datetime import datetime
from typing import Final

from service.domain.band import DEFAULT_DRAWS, DEFAULT_SEED, Band, EstimateBand
from service.domain.estimate import Estimate
from service.errors import FieldProblem
from service.estimating.band import FEWEST_DRAWS, METHOD, MOST_DRAWS, band
from service.estimating.uncertainty import Evidence
from service.estimating.volatility import LOOKBACK
from service.store import bands, estimates, price_paths, rate_cards
from service.store.estimates import StoredEstimate
from service.store.store import Store
from service.usecases.field_problems import invalid

LARGEST_SEED: Final = 2**53 - 1
"""Larger ones would not travel through every JSON reader unchanged."""


def estimate_band(
    store: Store, name: str, draws: int = DEFAULT_DRAWS, seed: int = DEFAULT_SEED, *, now: datetime
) -> EstimateBand:
    """The band of a kept estimate, kept too; 0 draws is the point estimate itself. Raises NotFound, Invalid."""
    check_draws(draws, seed)
    found = band_of(store, store.read(lambda c: estimates.get(c, name)), draws, seed)
    return store.write(lambda c: bands.add(c, found, now)) if draws else found


def band_of(store: Store, stored: StoredEstimate, draws: int = DEFAULT_DRAWS, seed: int = DEFAULT_SEED) -> EstimateBand:
    """The band of an estimate: the one that is kept, or the same made anew; reads only."""
    kept = store.read(lambda c: bands.find(c, stored.estimate_id, seed, draws, METHOD))
    if kept is not None:
        return kept
    return bands.named(stored.estimate_id, band_made(store, stored.estimate, draws, seed))


def band_made(store: Store, estimate: Estimate, draws: int = DEFAULT_DRAWS, seed: int = DEFAULT_SEED) -> Band:
    """The band of an estimate, whether it is kept or not."""
    return band(estimate, evidence_of(store, estimate) if draws else Evidence(), seed, draws)


def evidence_of(store: Store, estimate: Estimate) -> Evidence:
    """What was known of an estimate's prices at its own as-of, so that its band never changes."""
    used, card = [one.price for one in estimate.prices], estimate.rate_card
    if not used:
        return Evidence()
    return Evidence(
        paths=store.read(lambda c: price_paths.price_paths(c, used, estimate.as_of, LOOKBACK)),
        percentiles=store.read(lambda c: price_paths.salary_percentiles(c, used, estimate.as_of)),
        card=store.read(lambda c: rate_cards.known(c, card.name, card.recorded_at)) if card else None,
    )


def check_draws(draws: int, seed: int) -> None:
    """Raise Invalid for more or fewer draws than make a band, or a seed that is none."""
    problems = []
    if draws and not FEWEST_DRAWS <= draws <= MOST_DRAWS:
        problems.append(FieldProblem("draws", f"must be 0, or {FEWEST_DRAWS} to {MOST_DRAWS}, not {draws}"))
    if not 0 <= seed <= LARGEST_SEED:
        problems.append(FieldProblem("seed", f"must be 0 to {LARGEST_SEED}, not {seed}"))
    if problems:
        raise invalid(problems)
