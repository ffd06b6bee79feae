"""Estimates of the ledger beside one another, on both databases."""

from dataclasses import replace
from decimal import Decimal

import pytest

from service.domain.as_of import AsOf
from service.domain.scenario import PriceInput, Scenario, TrainingPart
from service.errors import Invalid, NotFound
from service.formulas import catalog
from service.formulas.catalog import formula
from service.store.estimates import StoredEstimate
from service.store.store import Store
from service.usecases.comparisons import bridge_estimates, compare_estimates, rerun_estimate
from service.usecases.estimates import new_estimate
from tests.conftest import day
from tests.store.conftest import Learn
from tests.usecases.test_cost_history import A100, H100, RATES, learn_rates

RUN = Scenario(
    name="run",
    currency="EUR",
    training=TrainingPart(gpus=Decimal(8), hours=Decimal(100), gpu_price=PriceInput(series=H100)),
)


def kept(store: Store, scenario: Scenario, on: str) -> StoredEstimate:
    return new_estimate(store, scenario, AsOf(day(on), day(on)), now=day(on))


@pytest.fixture
def world(store: Store, learn: Learn, clock) -> Store:
    """Two GPUs, one of which gets cheaper, and a dollar that falls."""
    header, first, second, _ = RATES.splitlines(keepends=True)
    learn_rates(store, clock, "2026-03-03", header + first)
    learn("h100 2.50 2026-03-01", "a100 1.50 2026-03-01", on="2026-03-03")
    learn("h100 2.00 2026-03-19", "a100 1.40 2026-03-19", on="2026-03-19")
    learn_rates(store, clock, "2026-03-21", header + first + second)
    return store


def causes(store: Store, before: StoredEstimate, after: StoredEstimate) -> dict[str, Decimal]:
    found = bridge_estimates(store, before.estimate_id, after.estimate_id[:12]).bridge
    assert found.before + sum(one.amount for one in found.effects) == found.after
    return {one.cause: one.amount for one in found.effects}


def test_the_same_prices_give_the_same_bytes_whatever_was_learned_since(world: Store, learn: Learn) -> None:
    first = kept(world, RUN, "2026-03-05")
    learn("h100 9.99 2026-03-01", on="2026-04-01")
    again = rerun_estimate(world, first.estimate_id[:8], None, now=day("2026-04-02"))
    today = rerun_estimate(world, first.estimate_id, AsOf(day("2026-04-02"), day("2026-04-02")), now=day("2026-04-02"))

    assert again.same_bytes
    assert again.estimate == first
    assert not today.same_bytes


@pytest.fixture
def corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second version of a formula, as a later release may bring one: a tenth more of everything."""
    newer = replace(
        formula("training.gpu_hours"), version=2, function=lambda gpus, hours: gpus * hours * Decimal("1.1")
    )
    monkeypatch.setattr(catalog, "FORMULAS", (*catalog.FORMULAS, newer))


def test_a_newer_formula_leaves_old_estimates_as_they_are_and_is_a_cause_of_its_own(
    world: Store, request: pytest.FixtureRequest
) -> None:
    first = kept(world, RUN, "2026-03-05")
    request.getfixturevalue("corrected")
    again = rerun_estimate(world, first.estimate_id, None, now=day("2026-03-06"))
    anew = kept(world, RUN, "2026-03-05")

    assert again.same_bytes
    assert anew.estimate.total == first.estimate.total * Decimal("1.1")
    assert causes(world, first, anew) == {"formula": anew.estimate.total - first.estimate.total}


def test_a_price_and_a_currency_that_moved_are_told_apart(world: Store) -> None:
    found = causes(world, kept(world, RUN, "2026-03-05"), kept(world, RUN, "2026-03-23"))
    assert set(found) == {"offer_price", "fx"}
    assert found["offer_price"] < found["fx"] < 0


def test_a_switch_is_priced_at_the_earlier_moment_from_history(world: Store) -> None:
    cheaper = replace(RUN, training=replace(RUN.training, gpu_price=PriceInput(series=A100)))
    found = causes(world, kept(world, RUN, "2026-03-05"), kept(world, cheaper, "2026-03-23"))
    assert set(found) == {"offer_switch", "offer_price", "fx"}
    assert found["offer_switch"] < found["offer_price"] < 0


def test_estimates_of_two_currencies_are_compared_in_one(world: Store) -> None:
    dollars = kept(world, replace(RUN, currency="USD"), "2026-03-05")
    euros = kept(world, RUN, "2026-03-05")
    assert causes(world, dollars, euros) == {}

    side = compare_estimates(
        world, [dollars.estimate_id, euros.estimate_id, kept(world, RUN, "2026-03-23").estimate_id]
    )
    assert side.currency == "USD"
    assert side.totals == (Decimal(2000), Decimal(2000), Decimal(1600))
    assert side.differences[0] == (Decimal(0), Decimal(0), Decimal(-400))
    assert [line.costs for line in side.lines] == [(Decimal(2000), Decimal(2000), Decimal(1600))]


def test_what_is_not_there_is_named(world: Store) -> None:
    with pytest.raises(NotFound, match="no estimate abcd"):
        bridge_estimates(world, "abcd", "abcd")
    with pytest.raises(Invalid, match="2 to 20"):
        compare_estimates(world, ["abcd"])
