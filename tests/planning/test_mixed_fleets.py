"""Mixed fleets against trying every count, by the search and, where it is installed, by the solver."""

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from itertools import product
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import Invalid
from service.planning import mixed_fleets
from service.planning.assignment import TooLarge
from service.planning.covering import Cap, Covering, Need, cheapest_cover, undominated
from service.planning.fleets import Quota
from service.planning.mixed_fleets import Load, LoadOffer, cheapest_mix
from service.planning.solver import LONGEST, LONGEST_AGAIN, NotProven, Patience, cover_by_solver


@st.composite
def coverings(draw) -> Covering:
    kinds = draw(st.integers(1, 4))

    def of_each(least: int, most: int) -> tuple[int, ...]:
        return tuple(draw(st.lists(st.integers(least, most), min_size=kinds, max_size=kinds)))

    everybody = Need(draw(st.integers(1, 12)))
    some = Need(draw(st.integers(1, 12)), frozenset(kind for kind, one in enumerate(of_each(0, 2)) if not one))
    return Covering(
        costs=of_each(0, 9),
        units=of_each(1, 6),
        most=of_each(0, 3),
        groups=tuple("abc"[one] for one in of_each(0, 2)),
        group_cost=draw(st.integers(0, 3)),
        most_groups=draw(st.none() | st.integers(1, 3)),
        budget=draw(st.none() | st.integers(0, 40)),
        needs=(everybody, some) if draw(st.booleans()) else (everybody,),
        caps=(Cap(draw(st.integers(0, 8)), of_each(0, 3)),) if draw(st.booleans()) else (),
    )


def least(covering: Covering) -> int | None:
    tried = product(*(range(most + 1) for most in covering.most))
    return min((covering.cost(counts) for counts in tried if covering.allows(counts)), default=None)


@settings(max_examples=300, deadline=None)
@given(covering=coverings())
def test_no_other_counts_cost_less(covering: Covering) -> None:
    found = cheapest_cover(covering, 10**6)
    assert found is None or covering.allows(found)
    assert (None if found is None else covering.cost(found)) == least(covering)


@settings(max_examples=300, deadline=None)
@given(covering=coverings(), plenty=st.lists(st.booleans(), min_size=4, max_size=4))
def test_what_another_takes_the_place_of_is_not_needed(covering: Covering, plenty: list[bool]) -> None:
    most = tuple(12 if enough else few for few, enough in zip(covering.most, plenty, strict=False))
    covering = replace(covering, most=most)
    kept = undominated(covering)
    found, some = cheapest_cover(covering, 10**6), cheapest_cover(covering.only(kept), 10**6)
    assert (found is None) == (some is None)
    if found is not None and some is not None:
        assert covering.only(kept).cost(some) == covering.cost(found)


def test_one_of_many_alike_is_kept_of_which_there_is_enough() -> None:
    """By cost a unit 2, 2, 3 and 1, the last in few; the eight of the second are eight of the first."""
    covering = Covering(
        costs=(2, 16, 24, 1),
        units=(1, 8, 8, 1),
        most=(20, 3, 3, 2),
        groups=("a", "b", "a", "a"),
        group_cost=0,
        most_groups=None,
        budget=None,
        needs=(Need(20),),
        caps=(),
    )
    assert undominated(covering) == [0, 3]
    assert undominated(replace(covering, group_cost=1)) == [0, 1, 3]
    assert undominated(replace(covering, caps=(Cap(9, (2, 8, 8, 1)),))) == [0, 1, 3]
    assert undominated(replace(covering, needs=(*covering.needs, Need(5, frozenset({0, 3}))))) == [0, 1, 3]


@settings(max_examples=100, deadline=None)
@given(covering=coverings())
def test_the_solver_agrees(covering: Covering) -> None:
    pytest.importorskip("highspy")
    found = cover_by_solver(covering, Patience())
    assert (None if found is None else covering.cost(found)) == least(covering)


BIG = LoadOffer(
    name="big",
    provider="nimbus",
    region="eu",
    accelerator="H100",
    gpus=Decimal(8),
    machine_hour=Decimal(16),
    throughput=Decimal(8000),
)
SMALL = replace(
    BIG, name="small", accelerator="L40S", gpus=Decimal(1), machine_hour=Decimal(1), throughput=Decimal(400)
)
FAR = replace(BIG, name="far", provider="cirrus", region="us", machine_hour=Decimal(20))
SPOT = replace(BIG, name="spot", machine_hour=Decimal(6), spot=True, available=Decimal("0.9"), machines=2)
OFFERS = (BIG, SMALL, FAR, SPOT)
LOAD = Load(throughput=Decimal(20_000))


def rented(plan) -> dict[str, int]:
    return {one.offer: one.machines for one in plan.rented}


def test_a_mix_is_cheaper_than_any_one_kind_and_says_what_its_limits_cost() -> None:
    plan = cheapest_mix(LOAD, OFFERS)
    # Two spot machines carry 14,400; of the 5,600 left one big machine is 16 an hour, 14 small ones are 14.
    assert rented(plan) == {"spot": 2, "small": 14}
    assert (plan.cost_hour, plan.throughput, plan.proof) == (26, 20_000, "search")
    assert (plan.best_single.offer, plan.best_single.cost_hour) == ("big", 48)
    [limit] = plan.limits
    assert (limit.name, limit.used, limit.limit) == ("machines of spot", 2, 2)
    # Three spot machines carry 21,600 for 18.
    assert limit.saved_without == 8
    assert plan.because[-1] == "machines of spot (2 of 2): without that limit 8 less an hour"


def test_what_is_left_without_a_region_a_provider_or_spot_is_carried_by_the_others() -> None:
    firm = cheapest_mix(replace(LOAD, left_without_spot=Decimal("0.5")), OFFERS)
    # 10,000 without spot: one big machine and five small ones; one spot machine covers the rest.
    assert (rented(firm), firm.cost_hour) == ({"spot": 2, "big": 1, "small": 5}, 33)
    apart = cheapest_mix(replace(LOAD, left_without_region=Decimal("0.4")), OFFERS)
    assert rented(apart)["far"] == 1
    assert apart.limits[0].used >= apart.limits[0].limit == 8000
    assert rented(cheapest_mix(replace(LOAD, left_without_provider=Decimal("0.4")), OFFERS)) == rented(apart)


def test_quotas_budgets_providers_and_their_price_are_kept_to() -> None:
    quota = Quota(name="H100 in the EU", gpus=Decimal(8), region="eu", accelerator="H100")
    kept = cheapest_mix(LOAD, OFFERS, [quota])
    assert rented(kept).get("big", 0) + rented(kept).get("spot", 0) <= 1
    assert kept.cost_hour > 26
    assert {one.name: one.saved_without for one in kept.limits}["H100 in the EU"] == kept.cost_hour - 26
    one_only = replace(LOAD, left_without_region=Decimal("0.4"), most_providers=1)
    with pytest.raises(Invalid, match=r"without one of these there would be one: left_without_region, most_providers"):
        cheapest_mix(one_only, OFFERS)
    with pytest.raises(Invalid, match="there would be one: budget_hour"):
        cheapest_mix(replace(LOAD, budget_hour=Decimal("17.99")), OFFERS)
    paid = cheapest_mix(replace(LOAD, per_provider_hour=Decimal("0.5")), OFFERS)
    assert paid.cost_hour == Decimal("26.5")


def test_a_dearer_price_or_a_tighter_limit_never_helps_and_order_does_not_matter() -> None:
    plain = cheapest_mix(LOAD, OFFERS)
    for place, one in enumerate(OFFERS):
        dearer = [*OFFERS]
        dearer[place] = replace(one, machine_hour=one.machine_hour * 2)
        assert cheapest_mix(LOAD, dearer).cost_hour >= plain.cost_hour
    costs = [cheapest_mix(replace(LOAD, left_without_region=Decimal(n) / 10), OFFERS).cost_hour for n in range(11)]
    assert costs == sorted(costs)
    for order in (OFFERS[::-1], OFFERS[2:] + OFFERS[:2]):
        assert cheapest_mix(LOAD, order) == plain


def test_what_the_search_gives_up_the_solver_proves_or_a_reason_is_given() -> None:
    pytest.importorskip("highspy")
    plan = cheapest_mix(LOAD, OFFERS, most_branches=10)
    assert (plan.proof, plan.cost_hour) == ("solver", 26)
    with pytest.raises(TooLarge):
        cheapest_cover(Covering(**{**vars_of(), "costs": (1,) * 400}), 10)


def test_the_solver_prints_nothing() -> None:
    """Whoever reads our answer from the standard output, as MCP does, would read it too."""
    pytest.importorskip("highspy")
    code = """
from service.planning.solver import Covering, Patience, cover_by_solver
one = Covering(
    costs=(1,), units=(1,), most=(3,), groups=("a",), group_cost=0, most_groups=None, budget=None, needs=(), caps=()
)
assert cover_by_solver(one, Patience()) == (0,)
"""
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert printed.stdout == b""


@st.composite
def loads(draw) -> tuple[Load, list[LoadOffer]]:
    """A load of at most 8 that a region, a provider or spot may be taken from, and up to five offers for it."""
    share = st.sampled_from([Decimal(0), Decimal("0.25"), Decimal("0.5"), Decimal("0.8")])
    number = st.integers(1, 4).map(Decimal)
    offers = [
        LoadOffer(
            name=f"o{place}",
            provider=draw(st.sampled_from("pqr")),
            region=draw(st.sampled_from("xyz")),
            accelerator="H100",
            gpus=Decimal(1),
            machine_hour=draw(number),
            throughput=draw(number),
            spot=draw(st.booleans()),
            machines=draw(st.none() | st.integers(0, 3)),
        )
        for place in range(draw(st.integers(1, 5)))
    ]
    load = Load(
        throughput=draw(st.integers(1, 8).map(Decimal)),
        left_without_region=draw(share),
        left_without_provider=draw(share),
        left_without_spot=draw(share),
        per_provider_hour=draw(st.sampled_from([Decimal(0), Decimal(1)])),
    )
    return load, offers


def cheapest_of_all(load: Load, offers: list[LoadOffer]) -> Decimal | None:
    """By trying all counts."""

    def left(counts, lost) -> Decimal:
        return sum(n * one.throughput for one, n in zip(offers, counts, strict=True) if not lost(one))

    def allows(counts) -> bool:
        return (
            left(counts, lambda one: False) >= load.throughput
            and all(
                left(counts, lambda one, gone=gone: one.region == gone) >= load.left_without_region * load.throughput
                for gone in "xyz"
            )
            and all(
                left(counts, lambda one, gone=gone: one.provider == gone)
                >= load.left_without_provider * load.throughput
                for gone in "pqr"
            )
            and left(counts, lambda one: one.spot) >= load.left_without_spot * load.throughput
        )

    def cost(counts) -> Decimal:
        taken = [(one, n) for one, n in zip(offers, counts, strict=True) if n]
        return sum(n * one.machine_hour for one, n in taken) + load.per_provider_hour * len(
            {one.provider for one, _ in taken}
        )

    most = (ceil(load.throughput / one.throughput) if one.machines is None else one.machines for one in offers)
    return min((cost(counts) for counts in product(*(range(n + 1) for n in most)) if allows(counts)), default=None)


@settings(max_examples=150, deadline=None)
@given(asked=loads())
def test_no_other_machines_cost_less_whatever_may_be_lost(asked: tuple[Load, list[LoadOffer]]) -> None:
    load, offers = asked
    least = cheapest_of_all(load, offers)
    if least is None:
        with pytest.raises(Invalid, match="no fleet keeps within all limits"):
            cheapest_mix(load, offers)
    else:
        assert cheapest_mix(load, offers).cost_hour == least


def vars_of() -> dict:
    return {
        "units": (1,) * 400,
        "most": (1,) * 400,
        "groups": ("a",) * 400,
        "group_cost": 0,
        "most_groups": None,
        "budget": None,
        "needs": (Need(1),),
        "caps": (),
    }


@pytest.mark.parametrize(
    ("load", "offers", "field"),
    [
        (replace(LOAD, throughput=Decimal(0)), OFFERS, "load.throughput"),
        (replace(LOAD, left_without_region=Decimal(2)), OFFERS, "load.left_without_region"),
        (replace(LOAD, most_providers=0), OFFERS, "load.most_providers"),
        (LOAD, (), "offers"),
        (LOAD, (BIG, BIG), "offers"),
        (LOAD, (replace(BIG, gpus=Decimal(0)),), "offers.0"),
        (LOAD, (replace(BIG, available=Decimal(0)),), "offers.0.throughput"),
        (replace(LOAD, throughput=Decimal(10) ** 12), OFFERS, "offers.0.throughput"),
    ],
)
def test_what_cannot_be_meant_is_named(load: Load, offers, field: str) -> None:
    with pytest.raises(Invalid) as error:
        cheapest_mix(load, offers)
    assert field in {one.field for one in error.value.problems}


def test_all_that_is_solved_once_the_mix_is_known_shares_one_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[float] = []

    def slow(covering: Covering, patience: Patience) -> tuple[int, ...] | None:
        if patience.seconds <= 0:
            raise NotProven("no time left")
        left.append(patience.seconds)
        patience.seconds -= 4
        return cheapest_cover(covering, 10**6)

    monkeypatch.setattr(mixed_fleets, "cover_by_solver", slow)
    load = replace(LOAD, budget_hour=Decimal(100), most_providers=2)
    plan = cheapest_mix(load, [*OFFERS, *(replace(SMALL, name=f"small {n}", machines=1) for n in range(4))], (), 10)
    assert plan.proof == "solver"
    assert left == [LONGEST, LONGEST_AGAIN, LONGEST_AGAIN - 4]
    assert [one.saved_without is None for one in plan.limits] == [False, False, *(True for _ in plan.limits[2:])]
    assert len(plan.limits) > 2
