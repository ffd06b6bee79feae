"""Where more interruptions make another offer the best, held against searching again with so many."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.domain.goal import Checkpoints, Goal, GpuHoursWork, Interruptions
from service.planning.candidates import Limits, Offers
from service.planning.configurations import Configuration, Configured
from service.planning.explanation import explained
from service.planning.interruption_flip import MOST_OFTEN, interruption_flip, moving_together
from service.planning.search import Found, search
from tests.planning.test_search import markets, offers_of

RUN = Configuration(accelerator="h100", gpus=8, together=8, hours=100.0)
WIDE = Configuration(accelerator="a100", gpus=64, together=8, hours=100.0)


def with_more(found: Found, moving: np.ndarray, times: float) -> Found:
    """The same search with interruptions so many times as often."""
    hazards = np.where(moving, found.offers.hazards * times, found.offers.hazards)
    return search(replace(found.offers, hazards=hazards), found.configured, found.limits)


def spot(price: float, **more: object) -> dict:
    return {"accelerator": "h100", "price": price, "hazard": 0.02} | more


@settings(max_examples=60)
@given(markets(planned=True), st.lists(st.integers(1, 300), min_size=1, max_size=4), st.booleans())
def test_a_little_before_its_flip_the_best_stays_and_a_little_after_it_does_not(market, cents, together: bool) -> None:
    rows, configured, limits = market
    rows += [spot(one / 100, accelerator="h100" if one % 2 else "a100") for one in cents]
    offers = offers_of(rows)
    found = search(offers, configured, limits)
    best = found.best()
    assume(best is not None and offers.hazards[best.offer] > 0)
    moving = offers.hazards > 0 if together else np.arange(len(offers)) == best.offer
    times, then = interruption_flip(found, best, moving)

    before = with_more(found, moving, min(times, MOST_OFTEN) * (1 - 1e-9))
    assert before.costs[best.offer] <= before.costs.min() * (1 + 1e-12) < inf
    if times < inf:
        after = with_more(found, moving, times * (1 + 1e-9))
        assert after.costs[best.offer] == inf or after.costs[best.offer] > after.costs.min() * (1 - 1e-12)
        assert (after.best() is None) == (len(then) == 0)
        assert all(after.costs[row] <= after.costs.min() * (1 + 1e-9) for row in then)


def test_of_two_that_are_interrupted_alike_the_dearer_wins_only_where_its_own_figure_stays() -> None:
    offers = offers_of([spot(1.0), spot(1.1, provider="q"), {"accelerator": "h100", "price": 3.0}])
    found = search(offers, Configured("gang", (RUN,), {}), Limits())
    best = found.best()
    together, alone = (interruption_flip(found, best, moving) for moving in (offers.hazards > 0, np.arange(3) == 0))
    assert together[1].tolist() == [2]
    assert alone[1].tolist() == [1]
    assert alone[0] < together[0]


def test_what_moves_along_may_win_before_anything_that_stays() -> None:
    # Eight machines are taken away eight times as often as one: cheap at first, and the first to go.
    rows = [spot(0.1, accelerator="a100"), spot(1.0), {"accelerator": "h100", "price": 30.0}]
    found = search(offers_of(rows), Configured("gang", (RUN, WIDE), {}), Limits())
    times, then = interruption_flip(found, found.best(), np.array([True, True, False]))
    assert then.tolist() == [1]
    assert with_more(found, np.array([True, True, False]), times * 1.001).best().offer == 1


def test_a_service_that_needs_one_more_machine_is_overtaken_there_however_soon_it_is_ahead_again() -> None:
    # Ready are so many replicas and, for every time the interruptions assumed, five in a thousand more.
    ours, theirs = (
        Configuration(accelerator=name, gpus=8, together=8, hours=1.0, replicas=replicas)
        for name, replicas in (("h100", 999.9), ("a100", 1000.7))
    )
    rows = [spot(1.0), spot(1005.5 / 1006, accelerator="a100")]
    limits = Limits(checkpoints=Checkpoints(restart_hours=0.25))
    found = search(offers_of(rows), Configured("service", (theirs, ours), {}), limits)
    times, then = interruption_flip(found, found.best(), np.array([True, True]))
    assert found.best().offer == 0
    assert then.tolist() == [1]
    assert times == pytest.approx((1005 / 999.9 - 1) / 0.005)
    assert with_more(found, np.array([True, True]), times + 0.1).best().offer == 0


def test_a_run_that_then_never_ends_in_time_is_followed_by_nothing() -> None:
    found = search(offers_of([spot(1.0)]), Configured("gang", (RUN,), {}), Limits(deadline_hours=150.0))
    [flip] = [one for one in explained(found, found.best()).flips if one.driver == "interruptions"]
    assert flip.flips_at is not None
    assert flip.becomes is None


@pytest.mark.parametrize(
    ("said", "winner", "moving"),
    [
        (Interruptions(spot_per_hour=0.01), 0, [True, True, False, False]),
        (Interruptions(), 0, [True, False, False, False]),
        (Interruptions(spot_per_hour=0.01, other_per_hour=0.001), 2, [False, False, True, True]),
    ],
)
def test_what_stands_on_the_same_statement_moves_together(said, winner: int, moving: list[bool]) -> None:
    goal = Goal(name="g", gpu_hours=GpuHoursWork(gpus=8, hours=100), interruptions=said)
    offers: Offers = replace(
        offers_of([spot(1.0 + row) for row in range(4)]), purchases=("spot", "spot", "on_demand", "own")
    )
    assert moving_together(goal, offers, winner).tolist() == moving


def test_without_checkpoints_the_flip_is_where_the_run_would_hardly_ever_finish() -> None:
    limits = Limits(checkpoints=Checkpoints(on=False))
    found = search(
        offers_of([spot(1.0, hazard=0.001), {"accelerator": "h100", "price": 1e6}]),
        Configured("gang", (RUN,), {}),
        limits,
    )
    times, then = interruption_flip(found, found.best(), np.array([True, False]))
    assert times * 0.001 * 100 == pytest.approx(-np.log(0.05))
    assert then.tolist() == [1]
