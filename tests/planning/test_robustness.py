"""A draw costs what the search would say of it: terms, whole days, whole machines, people for as long as it takes."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.estimating.draws import standard_normal, uniforms
from service.planning.by_the_hour import ElectricityByHour
from service.planning.candidates import Limits, arrays_of, at_speed, timing
from service.planning.configurations import Configuration, Configured
from service.planning.front import DRAWS, SEED, contending, drawn_costs, robustness
from service.planning.search import Found, search
from tests.planning.test_search import markets, offers_of

RUN = Configuration(accelerator="h100", gpus=8, together=8, hours=100.0, spread=0.3)
PLAIN = {"accelerator": "h100", "price": 2.0}


def drawn(found: Found, price_sd: float = 0.0, deadline_hours: float = inf) -> np.ndarray:
    """The costs of the best in every draw."""
    return drawn_costs(contending(found, found.best())[0], price_sd, deadline_hours)


def only(row: dict, way: Configuration, limits: Limits | None = None, shape: str = "gang", slot: float = 0.0) -> Found:
    """A market of one offer."""
    offers = replace(offers_of([row]), slot_hours=np.array([slot]))
    return search(offers, Configured(shape, (way,), {}), limits or Limits())


def sizes(way: Configuration) -> np.ndarray:
    """How much more there is to do in every draw, of what one kind of hardware is off by alone."""
    return np.exp(way.spread * standard_normal(uniforms(SEED, f"accelerator/{way.accelerator}", DRAWS)))


@settings(max_examples=40)
@given(markets(planned=True), st.sampled_from([0.0, 24.0]))
def test_where_nothing_is_off_every_draw_costs_what_the_plan_says(market, slot: float) -> None:
    rows, configured, limits = market
    sure = replace(configured, configurations=tuple(replace(one, spread=0.0) for one in configured.configurations))
    offers = offers_of(rows)
    found = search(replace(offers, slot_hours=np.full(len(offers), slot)), sure, limits)
    best = found.best()
    assume(best is not None)
    costs = {offers.keys[row]: found.costs[row] for row in range(len(offers))}
    for one in contending(found, best):
        assert (drawn_costs(one, 0.0, limits.deadline_hours) == costs[one.series]).all()


@settings(max_examples=40)
@given(markets(planned=True), st.sampled_from([0.0, 24.0]), st.integers(0, DRAWS - 1))
def test_a_draw_costs_what_planning_at_that_speed_costs(market, slot: float, draw: int) -> None:
    rows, configured, limits = market
    limits = replace(limits, deadline_hours=inf, budget=inf)
    ways = tuple(replace(one, spread=0.2) for one in configured.configurations)
    offers = offers_of(
        [row | {"hazard": 0.0 if configured.shape == "gang" else row.get("hazard", 0.0)} for row in rows]
    )
    found = search(
        replace(offers, slot_hours=np.full(len(offers), slot)), replace(configured, configurations=ways), limits
    )
    best = found.best()
    [contender, *_] = contending(found, best)
    way = ways[best.configuration]
    own = contender.own_spread * standard_normal(uniforms(SEED, f"accelerator/{way.accelerator}", DRAWS))
    size = np.exp(own + contender.shared_spread * standard_normal(uniforms(SEED, "work", DRAWS)))[draw]
    [slower] = [at_speed(one, 1 / size, configured.shape) for one in arrays_of([way]).values()]
    of = timing(configured.shape, contender.kind, slower, limits)
    told = contender.price * of.gpu_hours[0] + contender.fixed + of.hourly[0]
    assert drawn_costs(contender, 0.0, inf)[draw] == pytest.approx(told, rel=1e-12)


def test_a_reservation_whose_term_covers_every_draw_costs_the_same_in_each() -> None:
    costs = drawn(only(PLAIN | {"bound": 730.0}, RUN))
    assert set(costs) == {8 * 730 * 2.0}
    outgrown = drawn(only(PLAIN | {"bound": 120.0}, RUN))
    assert outgrown.min() == 8 * 120 * 2.0
    assert outgrown.max() > outgrown.min()


def test_a_capacity_block_is_paid_in_whole_days_in_every_draw() -> None:
    days = drawn(only(PLAIN, RUN, slot=24.0)) / (8 * 24 * 2.0)
    assert (days == np.round(days)).all()
    assert len(set(days)) > 3


def test_people_and_storage_are_paid_for_as_long_as_a_draw_takes() -> None:
    costs = drawn(only(PLAIN, replace(RUN, accelerator="h100"), Limits(hourly=1000.0), shape="independent"))
    assert costs == pytest.approx(sizes(RUN) * 100 * (8 * 2.0 + 1000))
    kept = drawn(only(PLAIN | {"bound": 8760.0}, RUN, Limits(hourly=1000.0), shape="independent"))
    assert kept == pytest.approx(8 * 8760 * 2.0 + sizes(RUN) * 100 * 1000)


def test_data_are_moved_once_in_every_draw() -> None:
    moved = drawn(only(PLAIN | {"fixed": 5000.0}, RUN, shape="independent"))
    assert moved == pytest.approx(5000 + sizes(RUN) * 100 * 8 * 2.0)


def test_a_service_is_drawn_in_whole_machines() -> None:
    way = replace(RUN, replicas=2.5)
    machines = drawn(only(PLAIN, way, shape="service")) / (8 * 100 * 2.0)
    assert (machines == np.ceil(2.5 * sizes(way))).all()


def test_electricity_by_the_hour_is_that_of_the_hours_a_draw_takes() -> None:
    # Nothing beside the mean for two days, then a currency unit for every quarter-hour of a GPU.
    beside = ElectricityByHour(np.concatenate([np.zeros(192), np.arange(4 * 2000, dtype=float)]))
    offers = replace(offers_of([PLAIN]), by_hour={"s/0000": beside})
    found = search(offers, Configured("independent", (RUN,), {}), Limits())
    hours = sizes(RUN) * 100
    assert drawn(found) == pytest.approx(8 * (hours * 2.0 + np.maximum(hours * 4 - 192, 0)))


def test_a_draw_that_misses_the_deadline_is_lost() -> None:
    late = Limits(deadline_hours=100 * float(np.exp(1.6448536 * 0.3)))
    found = only(PLAIN, RUN, late, shape="independent")
    told = robustness(contending(found, found.best()), {}, late.deadline_hours)
    assert told.share == pytest.approx(0.95, abs=1e-3)
    assert np.isinf(drawn(found, deadline_hours=late.deadline_hours)).mean() == pytest.approx(0.05, abs=1e-3)
