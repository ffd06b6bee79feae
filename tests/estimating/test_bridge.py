"""The bridge adds up to the last digit, knows no order, and finds the causes that were there."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from random import Random

import pytest

from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.estimate import Estimate, FormulaInput, LineItem, MissingItem
from service.domain.price_book import Unpriced
from service.domain.quantities import EXACT, plain, significant, times
from service.domain.scenario import Scenario
from service.errors import Invalid
from service.estimating.bridge import bridge, needs_elsewhere
from service.estimating.line_quantities import quantity_of
from service.formulas.catalog import formula
from tests.conftest import day

MARCH = AsOf(day("2026-03-01"), day("2026-03-01"))
RENTAL = ("training", "gpu_rental", "training.gpu_hours", Unit.GPU_HOUR)
ENERGY = ("training", "electricity", "training.energy", Unit.KWH)
STORAGE = ("data", "storage", "data.storage", Unit.TB_MONTH)
QUERIES = ("inference", "queries", "inference.queries", Unit.QUERY)
SALARIES = ("engineering", "salaries", "engineering.person_years", Unit.PERSON_YEAR)
LOADING = ("engineering", "compensation_beyond_salary", "engineering.cost", Unit.PERSON_YEAR)
INPUTS = {
    RENTAL: ("gpus", "hours"),
    ENERGY: ("power_per_gpu_kw", "gpus", "hours", "utilisation", "idle_power_per_gpu_kw", "idle_hours", "pue"),
    STORAGE: ("volume_tb", "months"),
    QUERIES: ("users", "queries_per_user_per_day", "days"),
    SALARIES: ("engineers", "years"),
    LOADING: ("engineers", "years", "loading"),
}


def line(kind=RENTAL, price="2", *, fx="1", series="gpu/a", contracted=None, **inputs: str) -> LineItem:
    """A line of a kind as the estimate makes it: exact, its quantity rounded to twelve digits."""
    part, name, formula_id, unit = kind
    given = {one: Decimal(value) for one, value in inputs.items()}
    quantity = significant(Decimal(quantity_of(formula(formula_id, 1), given)))
    paid = Decimal(contracted or price)
    return LineItem(
        part=part,
        name=name,
        formula=f"{formula_id}@1",
        inputs=tuple(FormulaInput(name=one, value=value, unit="1", origin="scenario") for one, value in given.items()),
        pricing_quantity=quantity,
        pricing_unit=unit,
        list_unit_price=Decimal(price),
        list_currency="USD",
        list_cost=times(quantity, Decimal(price)),
        contracted_unit_price=Decimal(contracted) if contracted else None,
        contracted_currency="USD" if contracted else None,
        contracted_cost=times(quantity, paid) if contracted else None,
        fx_rate=Decimal(fx),
        cost=times(times(quantity, paid), Decimal(fx)),
        price_series=series,
    )


def estimate_of(*lines: LineItem, unpriced: tuple[MissingItem, ...] = ()) -> Estimate:
    return Estimate(
        scenario=Scenario(name="run"),
        as_of=MARCH,
        currency="EUR",
        total=total(one.cost for one in lines),
        lower_bound=bool(unpriced),
        parts=(),
        line_items=lines,
        unpriced=unpriced,
        prices=(),
        fx_rates=(),
        formulas=(),
        assumptions=(),
    )


def total(amounts: Iterable[Decimal]) -> Decimal:
    return plain(reduce(EXACT.add, amounts, Decimal(0)))


def effects(found) -> dict[str, Decimal]:
    return {one.cause: one.amount for one in found.effects}


def amount_of(random: Random) -> str:
    return str(Decimal(random.randint(1, 10**6)).scaleb(-random.randint(0, 5)))


def random_line(random: Random, kind) -> LineItem:
    inputs = {name: amount_of(random) for name in INPUTS[kind]}
    if random.random() < 0.1:
        inputs[random.choice(sorted(inputs))] = "0"
    price = "0" if random.random() < 0.05 else amount_of(random)
    price = f"-{price}" if kind is ENERGY and random.random() < 0.2 else price
    contracted = amount_of(random) if random.random() < 0.3 else None
    series = random.choice(["gpu/a", "gpu/b", None])
    return line(kind, price, fx=amount_of(random), series=series, contracted=contracted, **inputs)


def random_pairs(seed: int, many: int) -> Iterator[tuple[Estimate, Estimate, tuple[Estimate | None, Estimate | None]]]:
    random = Random(seed)
    for _ in range(many):
        kinds = random.sample(sorted(INPUTS), random.randint(1, 4))
        sides = [[random_line(random, kind) for kind in kinds if random.random() < 0.85] for _ in range(2)]
        then, now = ([replace(one, list_unit_price=Decimal(amount_of(random))) for one in side] for side in sides[::-1])
        elsewhere = (estimate_of(*then), estimate_of(*now)) if random.random() < 0.7 else (None, None)
        yield estimate_of(*sides[0]), estimate_of(*sides[1]), elsewhere


def test_ten_thousand_random_pairs_add_up_to_the_last_digit() -> None:
    for before, after, elsewhere in random_pairs(20260301, 10_000):
        found = bridge(before, after, elsewhere)
        assert total([found.before, *effects(found).values()]) == found.after
        for one in found.lines:
            assert total([one.cost_before, *(effect.amount for effect in one.effects)]) == one.cost_after


def test_the_order_of_lines_and_inputs_changes_nothing() -> None:
    for before, after, elsewhere in random_pairs(7, 300):
        shuffled = replace(
            after,
            line_items=tuple(replace(one, inputs=one.inputs[::-1]) for one in after.line_items[::-1]),
        )
        assert effects(bridge(before, after, elsewhere)) == effects(bridge(before, shuffled, elsewhere))


def test_going_back_undoes_every_effect() -> None:
    for before, after, _ in random_pairs(8, 300):
        there, back = effects(bridge(before, after)), effects(bridge(after, before))
        assert there.keys() == back.keys()
        for cause, amount in there.items():
            assert abs(amount + back[cause]) <= Decimal("1e-9") * max(Decimal(1), abs(amount))


def test_a_price_cut_alone_is_the_whole_difference() -> None:
    found = bridge(
        estimate_of(line(price="98.32", gpus="8", hours="10")), estimate_of(line(price="55.04", gpus="8", hours="10"))
    )
    assert effects(found) == {"offer_price": Decimal("-3462.4")}
    assert found.lines[0].method == "whole"


def test_volume_and_price_split_as_the_logarithmic_mean_says() -> None:
    found = bridge(
        estimate_of(line(price="4", gpus="1", hours="1000")), estimate_of(line(price="2.9", gpus="1", hours="1400"))
    )
    mean = (4060 - 4000) / (Decimal(4060) / 4000).ln()
    assert found.lines[0].method == "lmdi"
    assert effects(found)["offer_price"] == pytest.approx(mean * (Decimal("2.9") / 4).ln(), rel=Decimal("1e-12"))
    assert sum(effects(found).values()) == Decimal(60)


def test_a_sum_inside_a_formula_is_split_by_shapley_values() -> None:
    before = line(
        ENERGY, "0.1", power_per_gpu_kw="0.7", gpus="8", hours="100", idle_power_per_gpu_kw="0.1", idle_hours="10"
    )
    after = line(
        ENERGY, "0.2", power_per_gpu_kw="0.7", gpus="8", hours="200", idle_power_per_gpu_kw="0.1", idle_hours="30"
    )
    found = bridge(estimate_of(before), estimate_of(after))
    assert found.lines[0].method == "shapley"
    # By hand, over hours (scope), idle hours (interruptions) and the price: 8 GPUs × kWh each.
    worth = {
        (s, i, p): 8 * (0.7 * (100, 200)[s] + 0.1 * (10, 30)[i]) * (0.1, 0.2)[p]
        for s in (0, 1)
        for i in (0, 1)
        for p in (0, 1)
    }
    scope = (
        2 * (worth[1, 0, 0] - worth[0, 0, 0])
        + (worth[1, 1, 0] - worth[0, 1, 0])
        + (worth[1, 0, 1] - worth[0, 0, 1])
        + 2 * (worth[1, 1, 1] - worth[0, 1, 1])
    ) / 6
    assert float(effects(found)["scope"]) == pytest.approx(scope)
    assert set(effects(found)) == {"scope", "interruptions", "electricity"}


def test_exchange_and_contract_have_bars_of_their_own() -> None:
    before = line(price="2", contracted="1.8", fx="0.9", gpus="8", hours="10")
    after = line(price="2", contracted="1.5", fx="0.95", gpus="8", hours="10")
    assert set(effects(bridge(estimate_of(before), estimate_of(after)))) == {"contract", "fx"}


def test_a_switch_of_offers_is_told_from_the_move_of_the_new_offers_price() -> None:
    before = estimate_of(line(price="3", series="gpu/a", gpus="1", hours="100"))
    after = estimate_of(line(price="2", series="gpu/b", gpus="1", hours="100"))
    then = estimate_of(line(price="2.5", series="gpu/b", gpus="1", hours="100"))
    assert needs_elsewhere(before, after)
    found = effects(bridge(before, after, (then, None)))
    assert set(found) == {"offer_switch", "offer_price"}
    assert sum(found.values()) == -100
    mean = -100 / (Decimal(200) / 300).ln()
    assert found["offer_switch"] == pytest.approx(mean * (Decimal("2.5") / 3).ln(), rel=Decimal("1e-12"))


def test_a_switch_to_an_offer_that_was_not_sold_then_is_one_bar() -> None:
    before = estimate_of(line(price="3", series="gpu/a", gpus="1", hours="100"))
    after = estimate_of(line(price="2", series="gpu/b", gpus="1", hours="100"))
    assert effects(bridge(before, after)) == {"offer_switch": Decimal(-100)}


def test_a_new_line_is_priced_at_the_other_moment_from_history() -> None:
    new = line(price="3", gpus="1", hours="100")
    found = effects(
        bridge(estimate_of(), estimate_of(new), (estimate_of(line(price="2", gpus="1", hours="100")), None))
    )
    assert found == {"scope": Decimal(250), "offer_price": Decimal(50)}


def test_a_line_that_is_gone_and_has_no_price_now_is_scope() -> None:
    assert effects(bridge(estimate_of(line(gpus="1", hours="100")), estimate_of())) == {"scope": Decimal(-200)}


def test_a_price_that_appeared_is_no_growth_of_the_work() -> None:
    reason = Unpriced("gpu/a", "no such series is recorded")
    missing = MissingItem(
        part="training", name="gpu_rental", pricing_quantity=Decimal(100), pricing_unit=Unit.GPU_HOUR, reason=reason
    )
    priced, open_ = estimate_of(line(gpus="1", hours="100")), estimate_of(unpriced=(missing,))
    assert effects(bridge(open_, priced)) == {"newly_priced": Decimal(200)}
    assert effects(bridge(priced, open_)) == {"unpriced": Decimal(-200)}
    assert bridge(open_, priced).lower_bound


def test_two_currencies_are_not_compared() -> None:
    with pytest.raises(Invalid, match="EUR"):
        bridge(replace(estimate_of(), currency="USD"), estimate_of())


def test_a_later_day_alone_changes_nothing() -> None:
    one = estimate_of(line(gpus="1", hours="100"))
    later = replace(one, as_of=AsOf(MARCH.valid_at + timedelta(days=1), MARCH.known_at))
    assert bridge(one, later).effects == ()
