"""The search against trying every pair, and what must hold of any market: dearer never helps, looser never hurts."""

from dataclasses import replace
from itertools import product
from math import inf, isnan, nan

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.domain.goal import Checkpoints
from service.errors import Invalid
from service.planning import search as searching
from service.planning.candidates import Limits, Offers, arrays_of, kinds, timing
from service.planning.configurations import Configuration, Configured
from service.planning.explanation import explained, price_flip, rejected, relaxations
from service.planning.front import contending, front, picks, robustness
from service.planning.search import Found, search

PARTS = ("h100", "a100", "unknown")


def offers_of(rows: list[dict]) -> Offers:
    """Offers from what tells them apart; everything else as for an ordinary one."""
    plain = {"provider": "p", "gpus": 8.0, "fixed": 0.0, "hazard": 0.0, "bound": 0.0, "grid": nan, "most": 1e6}
    full = [plain | {"key": f"s/{number:04}", "out": -1} | row for number, row in enumerate(rows)]

    def column(name: str) -> np.ndarray:
        return np.array([one[name] for one in full], dtype=float)

    reasons = np.array([one["out"] for one in full], dtype=np.int8)
    return Offers(
        keys=tuple(one["key"] for one in full),
        providers=tuple(one["provider"] for one in full),
        regions=tuple("r" for _ in full),
        purchases=tuple("on_demand" for _ in full),
        currencies=tuple("USD" for _ in full),
        accelerators=tuple(one["accelerator"] for one in full),
        gpus=column("gpus"),
        prices=column("price"),
        fixed=column("fixed"),
        hazards=column("hazard"),
        bound_hours=column("bound"),
        slot_hours=np.zeros(len(full)),
        grid=column("grid"),
        most_gpus=column("most"),
        reasons=reasons,
        counts=(reasons >= 0).astype(np.int8),
    ).ordered()


ways = st.builds(
    Configuration,
    accelerator=st.sampled_from(PARTS[:2]),
    gpus=st.sampled_from([1, 4, 8, 16, 64]),
    together=st.sampled_from([1, 4, 8]),
    replicas=st.sampled_from([1.0, 2.5, 9.0]),
    hours=st.sampled_from([0.5, 10.0, 33.0, 400.0]),
    spread=st.sampled_from([0.0, 0.2]),
    power_kw=st.sampled_from([nan, 1.1]),
    batch=st.sampled_from([0.0, 8.0]),
    precision=st.sampled_from(["bf16", "fp8"]),
)
offered = st.fixed_dictionaries(
    {
        "provider": st.sampled_from(["ann", "bob", "cid"]),
        "accelerator": st.sampled_from(PARTS),
        "price": (st.integers(1, 900) | st.sampled_from([100, 200])).map(lambda cents: cents / 100),
        "gpus": st.sampled_from([1.0, 4.0, 8.0]),
        "fixed": st.sampled_from([0.0, 120.0]),
        "hazard": st.sampled_from([0.0, 0.0, 0.02]),
        "bound": st.sampled_from([0.0, 0.0, 730.0]),
        "grid": st.sampled_from([nan, 0.05, 0.4]),
        "most": st.sampled_from([8.0, 1e6]),
        "out": st.sampled_from([-1, -1, -1, 4, 5]),
    }
)


@st.composite
def markets(draw, *, planned: bool = False) -> tuple[list[dict], Configured, Limits]:
    """A few offers and configurations; `planned` for those of which at least two come to a plan."""
    rows = draw(st.lists(offered, min_size=1, max_size=12))
    made = draw(st.lists(ways, min_size=1, max_size=8, unique_by=lambda one: one.order))
    shape = draw(st.sampled_from(["gang", "independent", "service"]))
    limits = Limits(
        deadline_hours=draw(st.sampled_from([12.0, 60.0, inf])),
        horizon_hours=draw(st.sampled_from([30.0, inf])),
        longest_hours=draw(st.sampled_from([100.0, inf])),
        most_gpus=draw(st.sampled_from([16.0, inf])),
        batch_tokens=draw(st.sampled_from([4.0, inf])),
        budget=draw(st.sampled_from([500.0, 20_000.0, inf])),
        carbon_kg=draw(st.sampled_from([20.0, inf])),
        checkpoints=Checkpoints(on=draw(st.booleans()), write_hours=0.05, restart_hours=0.5),
        hourly=draw(st.sampled_from([0.0, 3.0])),
    )
    if planned:
        sure = {"accelerator": "h100", "gpus": 8.0, "out": -1}
        rows += [sure | {"price": draw(st.integers(1, 900)) / 100, "provider": one} for one in ("dan", "eve")]
        made = [*made, Configuration(accelerator="h100", gpus=8, together=8, hours=10.0, precision="fp4")]
        limits = replace(limits, carbon_kg=inf, horizon_hours=inf, longest_hours=inf)
    return rows, Configured(shape, tuple(sorted(made, key=lambda one: one.order)), {}), limits


def one_by_one(offers: Offers, configured: Configured, limits: Limits) -> dict[tuple[str, int], tuple[float, float]]:
    """Cost and finish of every plan there is, each pair worked out alone."""
    plans = {}
    for kind, rows in kinds(offers):
        for number, way in enumerate(configured.configurations):
            if way.accelerator != kind.accelerator:
                continue
            [of] = [timing(configured.shape, kind, one, limits) for one in arrays_of([way]).values()]
            for row in rows:
                cost = offers.prices[row] * of.gpu_hours[0] + offers.fixed[row] + of.hourly[0]
                high = offers.prices[row] * of.gpu_hours_high[0] + offers.fixed[row] + of.hourly_high[0]
                fits = offers.counts[row] == 0 and of.fails[0] == 0 and high <= limits.budget
                if fits:
                    plans[offers.keys[row], number] = (cost, of.finish[0])
    return plans


def least(found: Found) -> float:
    best = found.best()
    return inf if best is None else best.cost


cases = settings(max_examples=40)


@cases
@given(markets())
def test_the_search_finds_what_trying_every_pair_finds(market) -> None:
    rows, configured, limits = market
    offers = offers_of(rows)
    found, plans = search(offers, configured, limits), one_by_one(offers, configured, limits)

    assert least(found) == pytest.approx(min((cost for cost, _ in plans.values()), default=inf), rel=1e-12)
    for row, key in enumerate(offers.keys):
        own = [cost for (series, _), (cost, _) in plans.items() if series == key]
        assert found.costs[row] == pytest.approx(min(own, default=inf), rel=1e-12)
    if plans and configured.shape != "service":
        fastest = min(finish for _, finish in plans.values())
        named = {name: one for names, one in picks(found, found.best()) for name in names}
        assert named["fastest"].finish == pytest.approx(fastest, rel=1e-12)


@cases
@given(markets())
def test_of_the_front_none_beats_another_and_nothing_outside_beats_it(market) -> None:
    rows, configured, limits = market
    found = search(offers_of(rows), configured, limits)
    points = [(one.cost, one.finish, inf if isnan(one.kg) else one.kg) for one in front(found)]
    every = [(one.cost, one.finish, inf if isnan(one.kg) else one.kg) for one in found.columns]

    def beats(one, other) -> bool:
        return all(a <= b for a, b in zip(one, other, strict=True)) and one != other

    assert not any(beats(one, other) for one, other in product(points, points))
    assert not any(beats(one, other) for one, other in product(every, points))
    assert all(any(one == other or beats(other, one) for other in points) for one in every)
    assert min(points, default=(inf,))[0] == least(found)


@cases
@given(markets(), st.integers(0, 11), st.sampled_from([1.01, 1.5, 10.0]))
def test_a_dearer_offer_never_makes_the_best_cheaper(market, which: int, times: float) -> None:
    rows, configured, limits = market
    dearer = [row | {"price": row["price"] * times} if n == which % len(rows) else row for n, row in enumerate(rows)]
    before, after = (least(search(offers_of(one), configured, limits)) for one in (rows, dearer))
    assert after >= before


@cases
@given(markets())
def test_a_looser_constraint_never_makes_the_best_dearer(market) -> None:
    rows, configured, limits = market
    best = least(search(offers_of(rows), configured, limits))
    looser = [
        (rows, replace(limits, deadline_hours=limits.deadline_hours * 2)),
        (rows, replace(limits, budget=limits.budget * 2)),
        (rows, replace(limits, carbon_kg=inf)),
        (rows, replace(limits, horizon_hours=inf)),
        (rows, replace(limits, longest_hours=inf)),
        (rows, replace(limits, most_gpus=inf)),
        (rows, replace(limits, batch_tokens=inf)),
        ([row | {"out": -1} for row in rows], limits),
        ([row | {"most": 1e6} for row in rows], limits),
    ]
    assert all(least(search(offers_of(more), configured, less)) <= best for more, less in looser)


@cases
@given(markets(), st.randoms(use_true_random=False))
def test_the_order_offers_come_in_changes_nothing(market, random) -> None:
    rows, configured, limits = market
    named = [row | {"key": f"s/{number:04}"} for number, row in enumerate(rows)]
    mixed = random.sample(named, len(named))
    found, again = (search(offers_of(one), configured, limits) for one in (named, mixed))
    told = [str((one.best(), front(one), rejected(one), one.relaxed)) for one in (found, again)]  # nan is not nan
    assert told[0] == told[1]


@cases
@given(markets(planned=True))
def test_a_little_below_its_flip_price_the_best_stays_and_a_little_above_it_does_not(market) -> None:
    rows, configured, limits = market
    offers = offers_of(rows)
    found = search(offers, configured, limits)
    best = found.best()
    assume(best is not None)
    others = np.flatnonzero((found.costs < inf) & (np.arange(len(offers)) != best.offer))
    at = price_flip(found, best, others)
    assume(np.isfinite(at) and at > offers.prices[best.offer] * (1 + 1e-6))

    def best_at(price: float) -> str | None:
        prices = offers.prices.copy()
        prices[best.offer] = price
        now = search(replace(offers, prices=prices), configured, limits).best()
        return None if now is None else offers.keys[now.offer]

    assert best_at(at * (1 - 1e-9)) == offers.keys[best.offer]
    assert best_at(at * (1 + 1e-9)) != offers.keys[best.offer]


@cases
@given(markets())
def test_every_offer_has_a_plan_or_is_counted_once(market) -> None:
    rows, configured, limits = market
    found = search(offers_of(rows), configured, limits)
    planned = int(np.isfinite(found.costs).sum())
    assert planned + sum(one.offers for one in rejected(found)) == len(rows)


@cases
@given(markets())
def test_the_least_relaxation_of_a_limit_is_one_that_works(market) -> None:
    rows, configured, limits = market
    offers = offers_of(rows)
    found = search(offers, configured, limits)
    for one in relaxations(found):
        if one.constraint == "deadline":
            looser = replace(limits, deadline_hours=one.candidate.finish_hours * (1 + 1e-12))
        elif one.constraint == "budget":
            looser = replace(limits, budget=float(one.candidate.cost_high) * (1 + 1e-9))
        elif one.constraint == "horizon":
            looser = replace(limits, horizon_hours=one.candidate.finish_hours * (1 + 1e-12))
        elif one.constraint == "most_gpus":
            looser = replace(limits, most_gpus=float(one.needs))
        elif one.constraint == "batch_tokens":
            looser = replace(limits, batch_tokens=float(one.needs))
        else:
            continue
        assert least(search(offers, configured, looser)) < inf


@cases
@given(markets(planned=True))
def test_the_curve_of_deadlines_says_what_the_search_finds_at_each(market) -> None:
    rows, configured, limits = market
    assume(configured.shape != "service")
    offers = offers_of(rows)
    found = search(offers, configured, limits)
    best = found.best()
    assume(best is not None)
    for step in explained(found, best).deadline_curve:
        there = search(offers, configured, replace(limits, deadline_hours=step.hours))
        assert least(there) == pytest.approx(float(step.cost), rel=1e-11)
    at_leisure = search(offers, configured, replace(limits, deadline_hours=inf))
    assert float(explained(found, best).deadline_curve[-1].cost) == pytest.approx(least(at_leisure), rel=1e-11)


@cases
@given(markets(), st.integers(1, 5))
def test_the_size_of_the_pieces_changes_nothing(market, size: int) -> None:
    rows, configured, limits = market
    offers, usual = offers_of(rows), searching.PIECE
    whole = search(offers, configured, limits)
    searching.PIECE = size
    try:
        pieces = search(offers, configured, limits)
    finally:
        searching.PIECE = usual
    told = [str((one.best(), one.costs, one.columns, rejected(one), relaxations(one))) for one in (whole, pieces)]
    assert told[0] == told[1]


def test_what_is_promised_adds_what_the_prediction_may_be_off_by() -> None:
    run = Configuration(accelerator="h100", gpus=8, together=8, hours=10.0, spread=0.3)
    offers, configured = offers_of([{"accelerator": "h100", "price": 2.0}]), Configured("gang", (run,), {})
    best = search(offers, configured, Limits()).best()
    late = 10 * np.exp(1.2815515655 * 0.3)
    assert (best.expected, best.finish) == (10, pytest.approx(late))
    assert (best.cost, best.cost_high) == (160, pytest.approx(16 * late))
    assert search(offers, configured, Limits(budget=200.0)).best() is None
    assert search(offers, configured, Limits(budget=200.0, confidence=0.6)).best() is not None


def test_more_kinds_of_offers_than_fit_into_memory_are_refused_before_any_is_looked_at() -> None:
    rows = [{"accelerator": "h100", "price": 1.0, "most": 8.0 + number} for number in range(2_001)]
    runs = tuple(Configuration(accelerator="h100", gpus=8, together=8, hours=1.0 + one) for one in range(200))
    with pytest.raises(Invalid, match="quotas: with carbon and interruptions they tell 2,001 kinds of offers apart"):
        search(offers_of(rows), Configured("gang", runs, {}), Limits())


def test_spot_without_checkpoints_that_would_hardly_ever_finish_is_refused() -> None:
    run = Configuration(accelerator="h100", gpus=8, together=8, hours=48.5)
    offers = offers_of([{"accelerator": "h100", "price": 1.0, "hazard": 0.15}])
    without = Limits(checkpoints=Checkpoints(on=False))
    found = search(offers, Configured("gang", (run,), {}), without)
    assert found.best() is None
    assert [(one.constraint, one.offers) for one in rejected(found)] == [("unstable", 1)]
    assert search(offers, Configured("gang", (run,), {}), Limits()).best() is not None


def test_a_reservation_is_paid_to_its_end_and_a_replica_is_never_split() -> None:
    short = Configuration(accelerator="h100", gpus=4, together=4, hours=10.0, replicas=3)
    offers = offers_of([{"accelerator": "h100", "price": 1.0, "bound": 730.0}])
    best = search(offers, Configured("independent", (short,), {}), Limits()).best()
    assert (best.machines, best.gpus, best.hours, best.cost) == (2, 16, 730, 16 * 730)


def test_one_offer_alone_is_the_cheapest_in_every_draw() -> None:
    run = Configuration(accelerator="h100", gpus=8, together=8, hours=10.0, spread=0.3)
    found = search(offers_of([{"accelerator": "h100", "price": 1.0}]), Configured("gang", (run,), {}), Limits())
    assert robustness(contending(found, found.best()), {}, inf).share == 1


def test_a_dearer_offer_on_other_hardware_wins_some_draws_and_on_the_same_hardware_none() -> None:
    configured = Configured(
        "service",
        tuple(
            Configuration(accelerator=one, gpus=8, together=8, hours=10.0, replicas=100.0, spread=0.3)
            for one in ("a100", "h100")
        ),
        {},
    )

    def share(other: str) -> float:
        offers = offers_of([{"accelerator": "h100", "price": 1.0}, {"accelerator": other, "price": 1.1}])
        found = search(offers, configured, Limits())
        return robustness(contending(found, found.best()), {}, inf).share

    assert share("h100") == 1
    assert 0.5 < share("a100") < 0.7
