"""Commitments against trying every number of every commitment, and against what can be said by hand."""

import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import Invalid
from service.planning import renewals
from service.planning.commitments import (
    Commitment,
    CommitmentQuestion,
    Demand,
    HeldCommitment,
    best_mix,
    effective_hourly,
)
from service.planning.renewals import best_purchases

YEAR = 8760


def flat_demand(*units: float) -> Demand:
    return Demand(paths=(units,))


@st.composite
def questions(draw) -> CommitmentQuestion:
    """Small and awkward: several futures, terms inside and beyond the period, something held, spot, odd lots."""
    steps = draw(st.integers(1, 6))
    paths = draw(st.lists(st.lists(st.integers(0, 5), min_size=steps, max_size=steps), min_size=1, max_size=3))
    half = draw(st.sampled_from([0.0, 0.5]))
    terms = draw(st.lists(st.integers(1, 16).map(lambda n: Decimal(n) / 2), max_size=2))
    cents = st.integers(0, 300).map(lambda n: Decimal(n) / 100)
    offered = tuple(
        Commitment(name=f"c{n}", term_hours=term, upfront=draw(cents) + Decimal("0.01"), hourly=draw(cents))
        for n, term in enumerate(terms)
    )
    on_demand = draw(st.integers(50, 400)) / Decimal(100)
    return CommitmentQuestion(
        demand=Demand(
            paths=tuple(tuple(one + half for one in path) for path in paths),
            weights=tuple(draw(st.sampled_from([1.0, 2.5])) for _ in paths),
        ),
        on_demand=on_demand,
        offered=offered,
        held=draw(st.sampled_from([(), (HeldCommitment(name="held", units=1.5, hours_left=Decimal("2.5")),)])),
        spot=draw(st.sampled_from([None, on_demand / 2])),
        spot_units=draw(st.sampled_from([0.0, 1.0, 2.5])),
        lot=draw(st.sampled_from([Decimal(1), Decimal(2), Decimal("1.5")])),
        beyond=draw(st.sampled_from(["accrued", "lost"])),
    )


def cost_of(question: CommitmentQuestion, bought: Sequence[tuple[Commitment, float, int]]) -> float:
    """What purchases (which, when, lots) cost, by half hours and futures, as a person would add up."""
    hours = len(question.demand.paths[0])
    total_weight = sum(question.demand.weights)
    cost = 0.0
    for option, start, count in bought:
        term = float(option.term_hours)
        share = 1.0 if question.beyond == "lost" else min(1.0, (hours - start) / term)
        cost += count * float(question.lot) * (float(option.upfront) + float(option.hourly) * term) * share
    for weight, path in zip(question.demand.weights, question.demand.paths, strict=True):
        for half in range(hours * 2):
            at = half / 2
            held = sum(one.units for one in question.held if at < one.hours_left)
            bound = sum(
                count * float(question.lot)
                for option, start, count in bought
                if start <= at < start + float(option.term_hours)
            )
            rest = max(path[half // 2] - held - bound, 0)
            spot = min(rest, question.spot_units) if question.spot is not None else 0
            price = spot * float(question.spot or 0) + (rest - spot) * float(question.on_demand)
            cost += weight / total_weight * price / 2
    return cost


@settings(max_examples=150, deadline=None)
@given(question=questions())
def test_no_other_number_of_any_commitment_costs_less(question: CommitmentQuestion) -> None:
    def at_once(lots: Sequence[int]) -> float:
        return cost_of(question, [(one, 0.0, count) for one, count in zip(question.offered, lots, strict=True)])

    found = best_mix(question)
    tried = [at_once(lots) for lots in product(range(8), repeat=len(question.offered))]
    assert float(found.cost) == pytest.approx(min(tried), rel=1e-9, abs=1e-9)
    taken = [int(one.units / question.lot) for one in found.committed]
    assert float(found.cost) == pytest.approx(at_once(taken), rel=1e-9, abs=1e-9)
    assert float(found.without) == pytest.approx(at_once([0] * len(taken)), rel=1e-9, abs=1e-9)
    assert found.saving == found.without - found.cost >= 0


@settings(max_examples=60, deadline=None)
@given(question=questions(), dates=st.lists(st.integers(0, 8), max_size=2, unique=True))
def test_no_other_purchases_at_those_dates_cost_less(question: CommitmentQuestion, dates: list[int]) -> None:
    length = len(question.demand.paths[0])
    ways = [(option, at) for option in question.offered for at in sorted({0, *dates}) if at < length]
    if len(ways) > 4:
        return
    most = int(max(max(path) for path in question.demand.paths) / float(question.lot)) + 1
    if (most + 1) ** len(ways) > 700:
        return
    found = best_purchases(question, [Decimal(one) for one in dates])
    tried = [
        cost_of(question, [(option, at, count) for (option, at), count in zip(ways, lots, strict=True)])
        for lots in product(range(most + 1), repeat=len(ways))
    ]
    assert float(found.cost) == pytest.approx(min(tried), rel=1e-8, abs=1e-8)
    by_name = {option.name: option for option in question.offered}
    taken = [(by_name[one.name], float(one.at_hours), int(one.units / question.lot)) for one in found.purchases]
    assert float(found.cost) == pytest.approx(cost_of(question, taken), rel=1e-8, abs=1e-8)
    assert found.only_at_the_start == best_mix(question).cost


def test_two_that_overlap_are_worth_it_for_their_ends_although_one_is_all_that_is_needed() -> None:
    plan = Commitment(name="half a shift", term_hours=Decimal("3.5"), upfront=Decimal("0.01"))
    ends = Demand(paths=((0.0, 0.0, 0.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 0.0, 0.0, 0.0)), weights=(1.0, 1.0))
    question = CommitmentQuestion(demand=ends, on_demand=Decimal("0.5"), offered=(plan,))
    found = best_purchases(question, [Decimal(2)])
    assert [(one.at_hours, one.units) for one in found.purchases] == [(0, 1), (2, 1)]
    assert (found.cost, found.on_demand_hours) == (Decimal("0.145"), Decimal("0.25"))


def test_two_that_overlap_serve_what_neither_level_alone_would_pay_for() -> None:
    plan = Commitment(name="two hours", term_hours=Decimal(2), hourly=Decimal("0.6"))
    question = CommitmentQuestion(demand=flat_demand(1, 2, 1), on_demand=Decimal(1), offered=(plan,))
    found = best_purchases(question, [Decimal(1)])
    assert [(one.at_hours, one.units) for one in found.purchases] == [(0, 1), (1, 1)]
    assert (found.cost, found.on_demand_hours) == (Decimal("2.4"), 0)
    assert found.only_at_the_start == Decimal("3.2")


def test_one_commits_up_to_the_level_exceeded_in_the_share_of_the_two_prices_of_the_hours() -> None:
    rng = np.random.default_rng(20261123)
    needed = tuple(float(one) for one in rng.integers(0, 400, YEAR))
    plan = Commitment(name="1y", term_hours=Decimal(YEAR), hourly=Decimal("1.30"))
    found = best_mix(CommitmentQuestion(demand=flat_demand(*needed), on_demand=Decimal(2), offered=(plan,)))
    exceeded = np.quantile(needed, 1 - 0.65, method="inverted_cdf")
    assert found.committed[0].units == Decimal(int(exceeded))
    assert found.committed[0].break_even_utilisation == Decimal("0.65")


def test_the_longer_term_lies_below_the_shorter() -> None:
    needed = [10.0] * 500 + [4.0] * 500
    short = Commitment(name="short", term_hours=Decimal(500), hourly=Decimal("0.7"))
    long = Commitment(name="long", term_hours=Decimal(1000), hourly=Decimal("0.5"))
    found = best_mix(CommitmentQuestion(demand=flat_demand(*needed), on_demand=Decimal(1), offered=(short, long)))
    assert [(one.met_by, one.above, one.up_to) for one in found.bands] == [("long", 0, 4), ("short", 4, 10)]
    assert found.cost == Decimal("0.5") * 4 * 1000 + Decimal("0.7") * 6 * 500
    assert "4 to 10 units on short: even the last is needed in 100.0 % of its hours" in found.because[1]


def test_what_is_held_is_used_first_and_expires() -> None:
    question = CommitmentQuestion(
        demand=flat_demand(*[6.0] * 10),
        on_demand=Decimal(1),
        offered=(Commitment(name="new", term_hours=Decimal(10), hourly=Decimal("0.6")),),
        held=(HeldCommitment(name="old", units=4, hours_left=Decimal(5)),),
    )
    found = best_mix(question)
    # Above what is held, two units are needed throughout; four more only after it expires, in half of the hours.
    assert found.committed[0].units == 2
    assert found.on_demand_hours == 4 * 5
    later = replace(question, held=(replace(question.held[0], hours_left=Decimal(4)),), on_demand=Decimal("1.01"))
    assert best_mix(later).committed[0].units == 6


def test_an_unlikely_future_does_not_bind_anybody() -> None:
    demand = Demand(paths=((8.0,) * 4, (1.0,) * 4), weights=(1.0, 3.0))
    plan = Commitment(name="1y", term_hours=Decimal(4), hourly=Decimal("0.5"))
    found = best_mix(CommitmentQuestion(demand=demand, on_demand=Decimal(1), offered=(plan,)))
    assert found.committed[0].units == 1
    assert found.on_demand_hours == 7  # 7 units × 4 hours, one time in four


def test_a_term_that_outlasts_the_period_counts_by_its_share_or_whole() -> None:
    three_years = Commitment(name="3y", term_hours=Decimal(3 * YEAR), upfront=Decimal(3 * YEAR))
    question = CommitmentQuestion(demand=flat_demand(*[2.0] * YEAR), on_demand=Decimal(2), offered=(three_years,))
    shared = best_mix(question)
    assert (shared.committed[0].units, shared.cost) == (2, 2 * YEAR)
    assert shared.committed[0].upfront == 6 * YEAR
    assert shared.committed[0].beyond_the_period == 4 * YEAR
    assert "3y binds 35040 after the period" in shared.because[-1]
    assert best_mix(replace(question, beyond="lost")).committed[0].units == 0


def test_cheap_spot_pushes_commitments_down() -> None:
    question = CommitmentQuestion(
        demand=flat_demand(*[5.0] * 8),
        on_demand=Decimal(2),
        offered=(Commitment(name="c", term_hours=Decimal(8), hourly=Decimal(1)),),
        spot=Decimal("0.5"),
        spot_units=3.0,
    )
    found = best_mix(question)
    assert (found.committed[0].units, found.spot_hours, found.on_demand_hours) == (2, 24, 0)


def test_an_upfront_payment_is_spread_over_its_term() -> None:
    assert effective_hourly(Commitment(name="x", term_hours=Decimal(YEAR), upfront=Decimal(4380))) == Decimal("0.5")


def test_what_cannot_be_meant_is_named_field_by_field() -> None:
    wrong = CommitmentQuestion(
        demand=Demand(paths=((1.0,), (1.0, 2.0)), step_hours=Decimal(0)),
        on_demand=Decimal(0),
        offered=(Commitment(name="x", term_hours=Decimal(0)),),
        spot=Decimal(1),
        lot=Decimal(-1),
    )
    with pytest.raises(Invalid) as refused:
        best_mix(wrong)
    assert [one.field for one in refused.value.problems] == [
        "demand.paths", "demand.step_hours", "on_demand", "spot", "lot", "offered.0.term_hours", "offered.0",
    ]  # fmt: skip


def test_more_levels_than_anybody_can_mean_are_refused() -> None:
    question = CommitmentQuestion(demand=flat_demand(1e9), on_demand=Decimal(1), offered=())
    with pytest.raises(Invalid, match="choose larger lots"):
        best_mix(question)


def test_many_commitments_over_many_levels_are_refused_before_they_are_laid_out() -> None:
    offered = tuple(Commitment(name=f"c{n}", term_hours=Decimal(100 + n), hourly=Decimal("0.5")) for n in range(1000))
    question = CommitmentQuestion(demand=flat_demand(*[999_999.0] * 100), on_demand=Decimal(1), offered=offered)
    with taking_at_most(10**8), pytest.raises(Invalid, match=r"^offered: 1000 commitments.*choose larger lots"):
        best_mix(question)


def test_commitments_are_weighed_one_after_another_and_not_all_beside_each_other() -> None:
    offered = tuple(Commitment(name=f"c{n}", term_hours=Decimal(100 + n), hourly=Decimal("0.5")) for n in range(30))
    question = CommitmentQuestion(demand=flat_demand(*[99_999.0] * 200), on_demand=Decimal(1), offered=offered)
    with taking_at_most(20 * 8 * 99_999):
        assert best_mix(question).committed[-1].units == 99_999


def test_futures_cut_into_more_stretches_than_can_be_laid_out_are_refused() -> None:
    offered = tuple(Commitment(name=f"c{n}", term_hours=Decimal(n) / 2000, hourly=Decimal(1)) for n in range(2, 2000))
    demand = Demand(paths=((1.0,),) * 3000)
    with taking_at_most(10**8), pytest.raises(Invalid, match=r"^demand.paths: are 3000 futures of 1999 stretches"):
        best_mix(CommitmentQuestion(demand=demand, on_demand=Decimal(1), offered=offered))


def test_more_purchases_than_can_be_looked_through_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Commitment(name="x", term_hours=Decimal(2), hourly=Decimal("0.5"))
    question = CommitmentQuestion(demand=flat_demand(*[3.0] * 8), on_demand=Decimal(1), offered=(plan,))
    dates = [Decimal(n) for n in range(8)]
    assert best_purchases(question, dates).cost == 12
    monkeypatch.setattr(renewals, "MOST_STEPS", 50)
    with pytest.raises(Invalid, match="name fewer dates"):
        best_purchases(question, dates)
    monkeypatch.setattr(renewals, "MOST_PURCHASES", 8)
    with pytest.raises(Invalid, match="at 9 dates make 9 purchases, over 8"):
        best_purchases(question, dates)


@contextmanager
def taking_at_most(amount: int) -> Iterator[None]:
    """Memory, at its peak [bytes]."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] <= amount
    finally:
        tracemalloc.stop()
