"""Price a scenario, keep the answer, find it again."""

from dataclasses import replace
from datetime import datetime

from service.domain.as_of import AsOf
from service.domain.estimate import Estimate
from service.domain.scenario import Scenario
from service.estimating.draft import Pinned
from service.estimating.estimate import estimate, series_needed
from service.estimating.validation import validate
from service.store import bands, estimates, prices, rate_cards
from service.store.estimates import EstimateSummary, StoredEstimate, StoredScenario
from service.store.store import Store
from service.usecases.bands import band_made


def new_estimate(store: Store, scenario: Scenario, question: AsOf, *, now: datetime) -> StoredEstimate:
    """Price a scenario at one as-of and keep it; the same question twice is the same estimate.

    Raises Invalid naming every field that cannot be priced as given, NoData before the first refresh.
    """
    return keep(store, price_scenario(store, scenario, question), now=now)


def keep(store: Store, answer: Estimate, *, now: datetime) -> StoredEstimate:
    """Put an estimate and its band into the ledger; what is there already stays as it is."""
    made = band_made(store, answer)
    return store.write(lambda c: bands.add_with_estimate(c, answer, made, now))


def price_scenario(store: Store, scenario: Scenario, question: AsOf, pinned: Pinned | None = None) -> Estimate:
    """Price a scenario without keeping it, by the newest formulas or those pinned."""
    validate(scenario)
    book = store.read(lambda c: prices.price_book(c, question, series_needed(scenario)))
    if scenario.rate_card is None:
        return estimate(scenario, book, None, pinned)
    card = store.read(lambda c: rate_cards.known(c, scenario.rate_card or "", question.known_at))
    # The later of the two: so that asking again with the estimate's own clocks finds the same card.
    known_at = max(book.as_of.known_at, card.recorded_at)
    return estimate(scenario, replace(book, as_of=replace(book.as_of, known_at=known_at)), card, pinned)


def price_again(store: Store, asked: Estimate, question: AsOf) -> Estimate:
    """Price the scenario of an estimate at an as-of, by the versions of the formulas it was made with."""
    return price_scenario(store, asked.scenario, question, {one.id: one.version for one in asked.formulas})


def get_estimate(store: Store, name: str) -> StoredEstimate:
    """An estimate by id, or an unambiguous start of it. Raises NotFound."""
    return store.read(lambda c: estimates.get(c, name))


def list_estimates(store: Store, scenario_id: str = "", limit: int = 50, after: str = "") -> list[EstimateSummary]:
    """The ledger, newest first."""
    return store.read(lambda c: estimates.newest(c, scenario_id, limit, after))


def new_scenario(store: Store, scenario: Scenario, *, now: datetime) -> StoredScenario:
    """Keep a scenario without pricing it. Raises Invalid."""
    validate(scenario)
    return store.write(lambda c: estimates.add_scenario(c, scenario, now))


def get_scenario(store: Store, name: str) -> StoredScenario:
    """A scenario by id, or an unambiguous start of it. Raises NotFound."""
    return store.read(lambda c: estimates.get_scenario(c, name))


def list_scenarios(store: Store, limit: int = 50) -> list[StoredScenario]:
    """Scenarios, newest first."""
    return store.read(lambda c: estimates.scenarios(c, limit))
