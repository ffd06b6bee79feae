"""The band is the estimate with its inputs shaken: exact where exactness can be had, and never a guess."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from math import exp, log, sqrt

import numpy as np
import pytest

from service.api.examples import SCENARIOS
from service.domain.band import Band, Percentile, PricePath, Quantiles
from service.domain.canonical import canonical_bytes, content_id
from service.domain.estimate import Estimate
from service.domain.price_book import Offer
from service.domain.rate_card import RateCard, RateCardEntry, RateCardInForce
from service.domain.scenario import PriceInput, Scenario, Spread, TrainingPart
from service.errors import Invalid
from service.estimating.band import Side, band, band_of_difference, taken_apart
from service.estimating.estimate import estimate
from service.estimating.line_quantities import quantity_of
from service.estimating.uncertainty import Evidence
from service.formulas.catalog import formula
from service.usecases.scenario_files import in_currency, read_scenario
from tests.conftest import day
from tests.estimating.test_estimate import FULL, GPU, KWH, LOADING, NOW, SALARY, D, looked_up, stated
from tests.estimating.test_extended_scenarios import EXTENDED
from tests.estimating.test_extended_scenarios import EXTENDED_BOOK as BOOK

Z90 = 1.2815515655446004
EXAMPLES = [FULL, EXTENDED, *(read_scenario(json.dumps(one["value"])) for one in SCENARIOS.values())]
RUN = Scenario(name="Run", training=TrainingPart(gpus=D(8), hours=D(240), gpu_price=stated("2.50")))
NOTHING_KNOWN = Evidence()


def spread(name: str, distribution: str = "lognormal", **parameters: str) -> Spread:
    if distribution == "lognormal" and not parameters:
        parameters = {"relative_sd": "0.2"}
    return Spread(input=name, distribution=distribution, **{one: D(value) for one, value in parameters.items()})


def priced(scenario: Scenario, *spreads: Spread) -> Estimate:
    return estimate(replace(scenario, spreads=spreads or None), BOOK)


def swinging(series: str, step: float, days: int = 400, lasts: int = 1) -> PricePath:
    """A price that goes up by a factor and down again, a step every `lasts` days."""
    moments = tuple(day("2026-03-10") - timedelta(days=lasts * back) for back in reversed(range(days)))
    return PricePath(series, moments, tuple(D(str(round(2.5 * step ** (number % 2), 9))) for number in range(days)))


def log_sd(relative_sd: float) -> float:
    return sqrt(log(1 + relative_sd**2))


def width(one: Band) -> Decimal:
    return one.total.p90 - one.total.p10


@pytest.mark.parametrize("scenario", EXAMPLES, ids=lambda one: one.name)
def test_every_quantity_is_what_its_formula_makes_of_the_inputs_the_line_states(scenario: Scenario) -> None:
    lines = estimate(scenario, BOOK).line_items
    assert lines
    for line in lines:
        name, _, version = line.formula.partition("@")
        inputs = {one.name: one.value for one in line.inputs}
        found = quantity_of(formula(name, int(version)), inputs)
        assert float(found) == pytest.approx(float(line.pricing_quantity), rel=1e-11)
        many = quantity_of(formula(name, int(version)), {one: np.full(3, float(it)) for one, it in inputs.items()})
        assert many == pytest.approx(np.full(3, float(line.pricing_quantity)), rel=1e-11)


@pytest.mark.parametrize("scenario", EXAMPLES, ids=lambda one: one.name)
def test_with_every_input_at_its_own_value_the_function_gives_the_point_estimate(scenario: Scenario) -> None:
    answer = estimate(scenario, BOOK)
    taken = taken_apart(answer, NOTHING_KNOWN)
    values = {name: np.full(2, float(one.point)) for name, one in taken.inputs.items()}
    costs = taken.costs(values)
    for part in answer.parts:
        assert costs[part.part] == pytest.approx(np.full(2, float(part.cost)), rel=1e-9)


@pytest.mark.parametrize("scenario", EXAMPLES, ids=lambda one: one.name)
def test_switched_off_it_is_the_point_estimate_to_the_last_digit(scenario: Scenario) -> None:
    answer = estimate(scenario, BOOK)
    off = band(answer, NOTHING_KNOWN, 0, 0)
    assert off.total == Quantiles(p10=answer.total, p50=answer.total, p90=answer.total)
    assert [(one.part, one.band.p10, one.band.p90) for one in off.parts] == [
        (one.part, one.cost, one.cost) for one in answer.parts
    ]
    assert (off.inputs, off.held_fixed) == ((), ())


def test_where_no_spread_is_known_the_band_is_the_point_and_every_input_is_listed() -> None:
    answer = estimate(FULL, BOOK)
    found = band(answer, NOTHING_KNOWN, 0, 4096)
    assert found.total == Quantiles(p10=answer.total, p50=answer.total, p90=answer.total)
    assert found.inputs == ()
    reasons = {one.input: one.reason for one in found.held_fixed}
    assert reasons["training.hours"] == "stated in the scenario, without a spread"
    assert reasons["eia/US"].startswith("0 prices are known in the 730 days before; 8 are needed")
    assert reasons["data.licensing_fees"] == "stated in the scenario, without a spread"
    assert {"inference.users", "oews/mean", "ecec/loading", "ecb/EUR/USD", "ecb/EUR/GBP"} <= set(reasons)
    assert "training.idle_hours" not in reasons, "nobody stated it"


def test_a_scenario_without_spreads_has_the_bytes_it_always_had() -> None:
    training, product, _ = (read_scenario(json.dumps(one["value"])) for one in SCENARIOS.values())
    assert content_id(canonical_bytes(training)).startswith("22f176786dc777d6dda5ad5a3851185c")
    assert content_id(canonical_bytes(product)).startswith("9ca5fbb3d57c9c099aa6b5aa1f6788e4")
    assert b"spreads" not in canonical_bytes(estimate(FULL, BOOK))


def test_one_lognormal_input_has_its_known_quantiles_to_a_stratum() -> None:
    answer = priced(RUN, spread("training.hours", relative_sd="0.3"))
    found = band(answer, NOTHING_KNOWN, 0, 4096).total
    for quantile, z in ((found.p10, -Z90), (found.p50, 0), (found.p90, Z90)):
        assert float(quantile) == pytest.approx(4800 * exp(log_sd(0.3) * z), rel=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_a_product_of_lognormals_has_the_quantiles_of_the_closed_form(seed: int) -> None:
    sds = {"training.gpus": "0.08", "training.hours": "0.36", "training.gpu_price": "0.25"}
    answer = priced(RUN, *(spread(name, relative_sd=sd) for name, sd in sds.items()))
    found = band(answer, NOTHING_KNOWN, seed, 4096)

    together = sqrt(sum(log_sd(float(sd)) ** 2 for sd in sds.values()))
    # The standard error of an outer decile of 4096 plain draws is √(0.1 · 0.9 / 4096) / φ(1.2816) = 0.0267
    # standard deviations; a Latin hypercube has less, and three of them are allowed.
    for quantile, z in ((found.total.p10, -Z90), (found.total.p50, 0), (found.total.p90, Z90)):
        assert log(float(quantile) / 4800) == pytest.approx(together * z, abs=3 * 0.0267 * together)
    for one in found.inputs:
        alone = log_sd(float(sds[one.input]))
        assert float(one.total_at_p90) == pytest.approx(4800 * exp(alone * Z90), rel=1e-5)
        sobol = (exp(alone**2) - 1) / (exp(together**2) - 1)
        assert float(one.variance_share) == pytest.approx(sobol, abs=0.03)
    assert [one.input for one in found.inputs] == ["training.hours", "training.gpu_price", "training.gpus"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    answer = priced(FULL, spread("training.hours"), spread("inference.users"), spread("fx.GBP"))
    first = canonical_bytes(band(answer, NOTHING_KNOWN, 11, 4096))
    assert canonical_bytes(band(answer, NOTHING_KNOWN, 11, 4096)) == first
    assert canonical_bytes(band(answer, NOTHING_KNOWN, 12, 4096)) != first


def test_the_order_of_lines_and_of_spreads_changes_nothing() -> None:
    spreads = [spread("training.hours"), spread("inference.users"), spread("engineering.loading"), spread("fx.GBP")]
    answer = priced(FULL, *spreads)
    shuffled = replace(
        answer,
        scenario=replace(answer.scenario, spreads=tuple(reversed(spreads))),
        line_items=answer.line_items[4:] + answer.line_items[3::-1],
    )
    assert band(shuffled, NOTHING_KNOWN, 0, 4096) == band(answer, NOTHING_KNOWN, 0, 4096)


def test_an_input_declared_certain_has_no_swing_though_its_price_moved() -> None:
    scenario = replace(RUN, training=replace(RUN.training, hours=D(24), gpu_price=looked_up(GPU)))
    evidence = Evidence({GPU.series: swinging(GPU.series, 1.1)})
    moving = band(priced(scenario), evidence, 0, 4096)
    certain = band(priced(scenario, spread("training.gpu_price", "fixed")), evidence, 0, 4096)

    assert [one.input for one in moving.inputs] == [GPU.series]
    assert width(moving) > 0
    assert certain.inputs == ()
    assert width(certain) == 0
    assert {one.input: one.reason for one in certain.held_fixed}["training.gpu_price"].startswith("declared certain")


WIDER: Sequence[str] = ("0.01", "0.05", "0.1", "0.2", "0.4", "0.8")


@pytest.mark.parametrize("name", ["training.gpus", "training.hours", "training.gpu_price"])
def test_a_wider_spread_never_narrows_the_band(name: str) -> None:
    widths = [width(band(priced(RUN, spread(name, relative_sd=sd)), NOTHING_KNOWN, 0, 4096)) for sd in WIDER]
    assert widths == sorted(widths)
    assert len(set(widths)) == len(widths)


@pytest.mark.parametrize("name", ["training.hours", "inference.users", "engineering.loading", "fx.GBP"])
def test_among_others_a_wider_spread_narrows_the_band_by_no_more_than_chance(name: str) -> None:
    others = [spread("training.gpus"), spread("inference.days"), spread("engineering.years", relative_sd="0.05")]
    answers = [priced(FULL, *others, spread(name, relative_sd=sd)) for sd in WIDER]
    widths = [float(width(band(answer, NOTHING_KNOWN, 0, 4096))) for answer in answers]
    # Two streams of 4096 draws are correlated by chance, with a standard error of 1/64: where an input adds little
    # to the variance, that may take a thousandth or two off the width.
    for narrow, wide in pairwise(widths):
        assert wide > narrow * (1 - 0.003)


@pytest.mark.parametrize(
    ("distribution", "parameters", "p10", "p90"),
    [
        ("uniform", {"low": "200", "high": "300"}, 210, 290),
        (
            "triangular",
            {"low": "200", "mode": "240", "high": "300"},
            200 + sqrt(0.1 * 100 * 40),
            300 - sqrt(0.1 * 6000),
        ),
        ("triangular", {"low": "200", "high": "300"}, 200 + sqrt(0.1 * 100 * 40), 300 - sqrt(0.1 * 6000)),
        ("interval", {"low": "200", "high": "300"}, 200, 300),
    ],
)
def test_a_declared_distribution_reaches_the_total(
    distribution: str, parameters: dict[str, str], p10: float, p90: float
) -> None:
    found = band(priced(RUN, spread("training.hours", distribution, **parameters)), NOTHING_KNOWN, 0, 4096)
    assert float(found.total.p10) == pytest.approx(20 * p10, rel=1e-3)
    assert float(found.total.p90) == pytest.approx(20 * p90, rel=1e-3)
    [one] = found.inputs
    assert (float(one.total_at_p10), float(one.total_at_p90)) == pytest.approx((20 * p10, 20 * p90), rel=1e-6)
    assert one.variance_share > D("0.99")


def test_what_cannot_be_more_than_one_is_never_drawn_as_more() -> None:
    scenario = replace(FULL, training=replace(FULL.training, utilisation=D("0.9")))
    found = band(priced(scenario, spread("training.utilisation", relative_sd="0.5")), NOTHING_KNOWN, 0, 4096)
    [one] = found.inputs
    assert one.spread.p90 == 1


def test_a_price_is_as_uncertain_as_it_moved_before_scaled_to_how_long_it_is_paid() -> None:
    scenario = replace(RUN, training=replace(RUN.training, hours=D(24), gpu_price=looked_up(GPU)))
    path = swinging(GPU.series, 1.1)
    [one] = band(priced(scenario), Evidence({GPU.series: path}), 0, 4096).inputs
    # Every daily return is ± ln 1.1; a day's mean of a walk has a third of a day's variance.
    widened = 1.2837 / Z90  # the 90th percentile of Student's t with 399 degrees of freedom
    assert float(one.spread.p90 / one.point) == pytest.approx(exp(Z90 * widened * log(1.1) / sqrt(3)), rel=1e-4)
    assert one.evidence == "price_history"
    assert "log-returns over 1 days each" in one.source


def test_a_price_that_swings_and_comes_back_is_not_scaled_up_as_if_it_wandered_off() -> None:
    scenario = replace(RUN, training=replace(RUN.training, hours=D(48 * 24), gpu_price=looked_up(GPU)))
    found = band(priced(scenario), Evidence({GPU.series: swinging(GPU.series, 1.1)}), 0, 4096)
    assert found.inputs == ()
    reason = next(one.reason for one in found.held_fixed if one.input == GPU.series)
    assert reason == "the price was the same at each of the 8 moments it was compared at"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (swinging(GPU.series, 1.1, days=7), "7 prices are known in the 730 days before; 8 are needed"),
        (swinging(GPU.series, 1.1, days=9, lasts=120), "7 prices are known in the 730 days before; 8 are needed"),
        (swinging(GPU.series, 1.1, days=8), "too short a time"),
        (PricePath(GPU.series, swinging("x", 1).moments, (None,) * 400), "0 prices are known"),
        (swinging(GPU.series, 1.0), "the price was the same at each"),
    ],
)
def test_few_observations_are_no_spread(path: PricePath, reason: str) -> None:
    scenario = replace(RUN, training=replace(RUN.training, gpu_price=looked_up(GPU)))
    found = band(priced(scenario), Evidence({GPU.series: path}), 0, 4096)
    assert found.inputs == ()
    assert reason in {one.input: one.reason for one in found.held_fixed}[GPU.series]


@pytest.mark.parametrize("amount", ["0", "-0.02"])
def test_a_price_that_is_not_positive_has_no_measured_spread_and_keeps_its_sign(amount: str) -> None:
    below = replace(KWH, amount=D(amount))
    scenario = replace(FULL, spreads=(spread("training.hours"),))
    answer = estimate(scenario, replace(BOOK, prices={**BOOK.prices, KWH.series: below}))
    found = band(answer, Evidence({KWH.series: swinging(KWH.series, 1.2)}), 0, 4096)
    assert {one.input: one.reason for one in found.held_fixed}[KWH.series] == "its price is not positive"
    [training] = [one for one in found.parts if one.part == "training"]
    assert training.band.p10 <= training.point <= training.band.p90 <= 0


def test_no_return_is_measured_across_a_time_without_a_price() -> None:
    scenario = replace(RUN, training=replace(RUN.training, hours=D(24), gpu_price=looked_up(GPU)))
    path = swinging(GPU.series, 1.1)
    halves = replace(path, amounts=(*path.amounts[:200], None, *(10 * one for one in path.amounts[201:])))
    whole, broken = (band(priced(scenario), Evidence({GPU.series: one}), 0, 4096).inputs for one in (path, halves))
    assert float(broken[0].spread.p90) == pytest.approx(float(whole[0].spread.p90), rel=1e-5)
    assert "399 log-returns" in whole[0].source
    assert "397 log-returns" in broken[0].source


def percentiles(*amounts: str, exact: Sequence[bool] = (True,) * 5) -> tuple[Percentile, ...]:
    levels = (0.1, 0.25, 0.5, 0.75, 0.9)
    return tuple(
        Percentile(level, f"oews/p{100 * level:.0f}", D(amount), sure)
        for level, amount, sure in zip(levels, amounts, exact, strict=True)
    )


def test_a_salary_is_drawn_through_its_published_percentiles_in_both_lines_at_once() -> None:
    only = replace(FULL, data=None, training=None, inference=None, fine_tuning=None, currency="USD")
    answer = priced(only)
    evidence = Evidence(percentiles={SALARY.series: percentiles("80000", "105000", "140000", "180000", "215000")})
    found = band(answer, evidence, 0, 4096)

    [one] = found.inputs
    assert (one.spread.p10, one.spread.p50, one.spread.p90) == (D(80000), D(140000), D(215000))
    loaded = float(LOADING.amount) * 1.5
    assert float(found.total.p10) == pytest.approx(80000 * loaded, rel=1e-3)
    assert float(found.total.p90) == pytest.approx(215000 * loaded, rel=1e-3)
    assert "oews/p10, oews/p25" in one.source


def test_percentiles_that_are_only_bounds_or_do_not_rise_are_no_distribution() -> None:
    only = replace(FULL, data=None, training=None, inference=None, fine_tuning=None)
    for known, reason in (
        (percentiles("1", "2", "3", "4", "5", exact=(True,) * 4 + (False,)), "is not published as a figure"),
        (percentiles("1", "3", "2", "4", "5"), "do not rise"),
    ):
        found = band(priced(only), Evidence(percentiles={SALARY.series: known}), 0, 4096)
        assert reason in {one.input: one.reason for one in found.held_fixed}[SALARY.series]


def test_a_currency_moves_only_what_is_paid_in_it_and_a_cross_takes_both_legs() -> None:
    evidence = Evidence({series: swinging(series, 1.05) for series in ("ecb/EUR/USD", "ecb/EUR/GBP")})
    scenario = Scenario(
        name="Pounds", currency="GBP", training=TrainingPart(gpus=D(8), hours=D(24), gpu_price=stated("2.5", "USD"))
    )
    answer = priced(scenario)
    found = {one.input: one for one in band(answer, evidence, 0, 4096).inputs}

    assert set(found) == {"ecb/EUR/USD", "ecb/EUR/GBP"}
    assert found["ecb/EUR/USD"].total_at_p90 < answer.total < found["ecb/EUR/GBP"].total_at_p90
    euros = band(priced(replace(scenario, currency="EUR")), evidence, 0, 4096)
    assert [one.input for one in euros.inputs] == ["ecb/EUR/USD"]
    dollars = band(priced(replace(scenario, currency="USD")), evidence, 0, 4096)
    assert dollars.inputs == ()


def on_the_card(*entries: RateCardEntry) -> RateCardInForce:
    card = RateCard(name="acme", entries=entries)
    return RateCardInForce(rate_card_id="0" * 64, recorded_at=NOW.known_at, card=card)


def test_a_price_your_rate_card_fixes_does_not_move_and_one_it_discounts_does() -> None:
    offer = Offer(provider="cloud", sku="h100", region="global", purchase="on_demand")
    book = replace(BOOK, prices={**BOOK.prices, GPU.series: replace(GPU, offer=offer)})
    scenario = replace(RUN, rate_card="acme", training=replace(RUN.training, hours=D(24), gpu_price=looked_up(GPU)))
    evidence = Evidence({GPU.series: swinging(GPU.series, 1.1)})
    agreed = on_the_card(RateCardEntry(provider="cloud", unit_price=D("1.2"), currency="USD", unit=GPU.unit))
    discount = on_the_card(RateCardEntry(provider="cloud", discount=D("0.4")))

    fixed = band(estimate(scenario, book, agreed), replace(evidence, card=agreed), 0, 4096)
    assert (fixed.inputs, width(fixed)) == ((), 0)
    assert {one.input: one.reason for one in fixed.held_fixed}[GPU.series] == "agreed in your rate card"

    moving = band(estimate(scenario, book, discount), replace(evidence, card=discount), 0, 4096)
    listed = band(estimate(replace(scenario, rate_card=None), book), evidence, 0, 4096)
    assert moving.point == listed.point * D("0.6")
    assert float(moving.total.p90) == pytest.approx(float(listed.total.p90) * 0.6, abs=0.01)


def test_a_price_only_your_rate_card_has_does_not_move() -> None:
    own = on_the_card(RateCardEntry(provider="own", sku="dgx", unit_price=D("1.2"), currency="USD", unit=GPU.unit))
    key = "rate_card/own/dgx"
    scenario = replace(RUN, rate_card="acme", training=replace(RUN.training, gpu_price=PriceInput(series=key)))
    found = band(estimate(scenario, BOOK, own), Evidence({key: swinging(key, 1.1)}, card=own), 0, 4096)
    assert found.inputs == ()
    assert {one.input: one.reason for one in found.held_fixed}[key] == "agreed in your rate card"


def test_what_is_declared_and_in_no_line_is_said_to_be_without_effect() -> None:
    idle = (spread("training.utilisation", "uniform", low="0.5", high="1"), spread("fx.JPY"))
    found = band(priced(RUN, *idle), NOTHING_KNOWN, 0, 4096)
    fixed = {one.input: (one.reason, one.point) for one in found.held_fixed}
    assert fixed["training.utilisation"] == ("no priced line of this estimate depends on it", 1)
    assert fixed["fx.JPY"] == ("no priced line of this estimate depends on it", None)


def test_the_difference_of_two_estimates_that_share_their_inputs_is_free_of_their_noise() -> None:
    spreads = (spread("training.hours", relative_sd="0.3"), spread("training.gpu_price", relative_sd="0.3"))
    before = priced(RUN, *spreads)
    after = priced(replace(RUN, training=replace(RUN.training, gpus=D(9))), *spreads)
    sides = Side("a", before, NOTHING_KNOWN), Side("b", after, NOTHING_KNOWN)
    found = band_of_difference(*sides, 0, 4096)

    # One GPU of nine is an eighth of the former total, in every draw.
    total = band(before, NOTHING_KNOWN, 0, 4096).total
    assert found.point == D(600)
    for share, whole in ((found.difference.p10, total.p10), (found.difference.p90, total.p90)):
        assert float(share) == pytest.approx(float(whole) / 8, abs=0.01)
    assert found.share_of_draws_dearer == 1
    assert band_of_difference(*sides, 0, 0).difference == Quantiles(p10=D(600), p50=D(600), p90=D(600))
    assert band_of_difference(sides[0], sides[0], 0, 4096).difference == Quantiles(p10=D(0), p50=D(0), p90=D(0))


def test_totals_in_another_currency_keep_the_spreads_of_stated_prices() -> None:
    scenario = replace(RUN, spreads=(spread("training.gpu_price", "uniform", low="2", high="3"),))
    euros = band(estimate(in_currency(scenario, "EUR"), BOOK), NOTHING_KNOWN, 0, 4096)
    dollars = band(estimate(scenario, BOOK), NOTHING_KNOWN, 0, 4096)
    assert float(euros.total.p90 / dollars.total.p90) == pytest.approx(0.85587127696, rel=1e-4)


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        (spread("training.hour"), "spreads.0.input", "did you mean training.hours?"),
        (spread("training.hours", "uniform", low="1"), "spreads.0.high", "is missing"),
        (
            spread("training.hours", "uniform", low="300", high="400"),
            "spreads.0.low",
            "must hold the value itself, 240",
        ),
        (spread("training.hours", "triangular", low="200", high="100"), "spreads.0.high", "must be more than low"),
        (spread("training.hours", "triangular", low="1", mode="500", high="400"), "spreads.0.mode", "between low and"),
        (spread("training.hours", "fixed", low="1"), "spreads.0.low", "means nothing for fixed"),
        (spread("training.hours", relative_sd="0"), "spreads.0.relative_sd", "more than 0"),
        (spread("training.hours", relative_sd="NaN"), "spreads.0.relative_sd", "must be a number"),
        (spread("training.hours", "interval", low="0", high="400"), "spreads.0.low", "must be more than 0"),
        (spread("training.pue"), "spreads.0.input", "is no input of this scenario"),
    ],
)
def test_a_spread_that_is_none_is_refused_with_what_would_work(wrong: Spread, field: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        priced(RUN, wrong)
    [problem] = refused.value.problems
    assert problem.field == field
    assert words in problem.message


def test_one_input_has_one_spread() -> None:
    with pytest.raises(Invalid, match="has a spread already"):
        priced(RUN, spread("training.hours"), spread("training.hours"))


def test_a_price_known_by_its_past_is_uncertain_in_every_line_that_is_bought_at_it() -> None:
    evidence = Evidence({KWH.series: swinging(KWH.series, 1.2)})
    found = band(priced(FULL), evidence, 0, 4096)
    [one] = found.inputs
    assert one.input == KWH.series
    [training] = [part for part in found.parts if part.part == "training"]
    [data] = [part for part in found.parts if part.part == "data"]
    assert training.band.p10 < training.point < training.band.p90
    assert data.band.p10 == data.point == data.band.p90


def test_an_amount_no_money_counts_has_a_band_too() -> None:
    """A million billion GPUs for as many hours: 31 digits, which are rounded to cents like any other."""
    most = D(10) ** 15
    huge = replace(RUN, training=replace(RUN.training, gpus=most, hours=most))
    found = band(priced(huge, spread("training.hours")), NOTHING_KNOWN, 0, 200)
    assert found.total.p10 < found.point < found.total.p90
