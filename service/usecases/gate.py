"""Check a scenario before it is merged: is it within its limit, and are its prices fresh enough to say so?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from service.domain.as_of import AsOf
from service.domain.estimate import Estimate, terms_of_estimates
from service.domain.gate import GateReport, StalePrice, Verdict
from service.domain.price_book import Price
from service.domain.scenario import Scenario
from service.errors import Invalid
from service.store import refreshes
from service.store.store import Store
from service.usecases.comparisons import explained
from service.usecases.estimates import get_estimate, price_scenario
from service.usecases.sources import Feed, missed_publications


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """What a scenario must hold to pass."""

    limit: Decimal | None = None
    """In the scenario's currency."""
    oldest: timedelta | None = None
    """A price whose source was not confirmed for longer is stale, whatever its cadence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a scenario is compared with: another scenario at the same prices, or an estimate of the ledger."""

    name: str
    scenario: Scenario | None = None
    estimate_id: str | None = None


def check_scenario(
    store: Store,
    feeds: Sequence[Feed],
    scenario: Scenario,
    rules: GateRules,
    against: Baseline | None = None,
    *,
    now: datetime,
) -> GateReport:
    """Price a scenario now, without keeping it, and hold it against its rules. Raises Invalid, NotFound, NoData."""
    if rules.limit is not None and not (rules.limit.is_finite() and rules.limit >= 0):
        raise Invalid.field("max", f"must be a number not below zero, not {rules.limit}")
    answer = price_scenario(store, scenario, AsOf(now, now))
    before = _before(store, against, answer.as_of)
    stale = tuple(_stale(answer, feeds, store.read(refreshes.newest_periods), rules, now))
    return GateReport(
        name=scenario.name,
        verdict=_verdict(answer, rules, stale),
        as_of=answer.as_of,
        currency=answer.currency,
        total=answer.total,
        lower_bound=answer.lower_bound,
        unpriced=tuple(f"{one.part} {one.name}: {one.reason.series}: {one.reason.reason}" for one in answer.unpriced),
        limit=rules.limit,
        against=against.name if against else None,
        bridge=explained(store, before, answer) if before else None,
        stale=stale,
        terms=terms_of_estimates(*filter(None, (before, answer))),
    )


def _before(store: Store, against: Baseline | None, question: AsOf) -> Estimate | None:
    if against is not None and against.estimate_id is not None:
        return get_estimate(store, against.estimate_id).estimate
    if against is not None and against.scenario is not None:
        return price_scenario(store, against.scenario, question)
    return None


def _verdict(answer: Estimate, rules: GateRules, stale: Sequence[StalePrice]) -> Verdict:
    if rules.limit is not None and (answer.total > rules.limit or answer.lower_bound):
        return "over_budget"
    return "stale" if stale else "pass"


def _stale(
    answer: Estimate, feeds: Sequence[Feed], newest: Mapping[str, datetime], rules: GateRules, now: datetime
) -> Iterator[StalePrice]:
    cadences = {feed.info.id: feed.info.cadence for feed in feeds if not feed.info.bundled}
    for used in answer.prices:
        price, source = used.price, used.price.citation.source
        cadence, period = cadences.get(source), newest.get(source)
        silent = missed_publications(cadence, price.checked_at, now) if cadence else 0
        missed = missed_publications(cadence, price.checked_at, now, period) if cadence else 0
        too_many = cadence is not None and missed >= cadence.stale_after
        if too_many or _is_too_old(price, rules, now):
            yield StalePrice(
                series=price.series,
                source=source,
                last_checked_at=price.checked_at,
                missed_publications=missed,
                newest_period=period if missed > silent else None,
            )


def _is_too_old(price: Price, rules: GateRules, now: datetime) -> bool:
    return rules.oldest is not None and now - price.checked_at > rules.oldest
