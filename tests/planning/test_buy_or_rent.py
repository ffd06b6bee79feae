"""Buying, renting, reserving and calling: break-evens worked by hand, and every curve against adding it up."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import Invalid
from service.planning.buy_or_rent import over_utilisation, over_volume
from service.planning.ways import OwnHardware, Query, RentedGpus, Replicas, TokenApi, gpu_hour_cost

OWN = OwnHardware(
    name="own",
    capital=Decimal(40_000),
    years=Decimal(4),
    interest=Decimal("0.08"),
    residual=Decimal("0.1"),
    power_kw=Decimal("1.3"),
    idle_share=Decimal("0.3"),
    pue=Decimal("1.2"),
    electricity=Decimal("0.10"),
    colocation=Decimal(120),
    support=Decimal("0.05"),
    people=Decimal(1),
    salary=Decimal(160_000),
)
ON_DEMAND = RentedGpus(name="on demand", gpu_hour=Decimal("3.00"))
RESERVED = RentedGpus(name="reserved", gpu_hour=Decimal("1.80"), committed=True)
QUERY = Query(input_tokens=Decimal(1500), cached_tokens=Decimal(500), output_tokens=Decimal(500))
API = TokenApi(name="api", input=Decimal("0.50"), cached=Decimal("0.05"), output=Decimal("1.50"))


def test_reserving_breaks_even_with_on_demand_at_the_share_of_the_two_prices() -> None:
    found = over_utilisation(Decimal(8), [ON_DEMAND, RESERVED])
    assert [(one.at, one.below, one.above, one.jump) for one in found.break_evens] == [
        (Decimal("0.6"), "on demand", "reserved", False)
    ]
    assert found.because[0] == (
        "on demand is cheapest up to utilisation 0.6, where the two cost the same; then reserved"
    )


def test_buying_breaks_even_where_its_fixed_cost_is_the_rent_less_the_energy() -> None:
    gpus = 64
    factor = 0.08 / (1 - 1.08**-4)
    energy = 1.3 * 8760 * 1.2 * 0.10
    fixed = 40_000 * factor - 4_000 * (factor - 0.08) + 2_000 + 120 * 1.3 * 12 + 0.3 * energy + 160_000 / gpus
    expected = fixed / (3.00 * 8760 - 0.7 * energy)

    found = over_utilisation(Decimal(gpus), [ON_DEMAND, OWN])
    assert float(found.break_evens[0].at) == pytest.approx(expected, rel=1e-10)
    assert float(gpu_hour_cost(OWN, Decimal("0.5"), Decimal(gpus))) == pytest.approx(
        (fixed + 0.5 * 0.7 * energy) / 4380, rel=1e-10
    )
    middle = found.points[10]
    assert (middle.at, found.ways[1]) == (Decimal("0.5"), "own")
    assert middle.unit_costs[1] == gpu_hour_cost(OWN, Decimal("0.5"), Decimal(gpus))


def test_people_who_run_the_fleet_weigh_less_on_a_larger_one() -> None:
    small, large = (over_utilisation(Decimal(gpus), [ON_DEMAND, OWN]).break_evens for gpus in (64, 1024))
    assert small[0].at > large[0].at


def test_without_interest_capital_is_spread_evenly() -> None:
    plain = OwnHardware(
        name="own", capital=Decimal(35_040), years=Decimal(4), power_kw=Decimal(0), electricity=Decimal("0.1")
    )
    assert gpu_hour_cost(plain, Decimal(1)) == 1


def test_buying_has_paid_for_itself_when_the_rent_it_saves_reaches_its_price() -> None:
    own = replace(OWN, people=Decimal(0), support=Decimal(0), colocation=Decimal(0), idle_share=Decimal(0))
    half = next(
        one for one in over_utilisation(Decimal(8), [own, ON_DEMAND]).paybacks if one.utilisation == Decimal("0.5")
    )
    saved = (3.00 - 1.3 * 1.2 * 0.10) * 8760 * 0.5
    assert float(half.months) == pytest.approx(40_000 / saved * 12, rel=1e-5)
    dear = replace(own, electricity=Decimal(9))
    assert {one.months for one in over_utilisation(Decimal(8), [dear, ON_DEMAND]).paybacks} == {None}


def test_serving_oneself_beats_an_api_from_the_volume_that_fills_a_machine() -> None:
    rented = Replicas(gpus=RESERVED, gpus_per_replica=Decimal(8), queries_per_hour=Decimal(20_000))
    found = over_volume(QUERY, [API, rented], Decimal(10_000_000))
    per_query = Fraction(1000 * 50 + 500 * 5 + 500 * 150, 100_000_000)
    replica = Fraction(8 * 730 * 18, 10)
    assert Fraction(found.break_evens[0].at) == pytest.approx(replica / per_query, rel=1e-11)
    assert (found.break_evens[0].below, found.break_evens[0].above) == ("api", "reserved")
    # One replica is full at 14.6 million queries, so that within this month it stays the cheaper of the two.
    assert len(found.break_evens) == 1


def test_a_further_replica_can_make_the_api_cheaper_again() -> None:
    small = Replicas(gpus=RESERVED, gpus_per_replica=Decimal(8), queries_per_hour=Decimal(12_000))
    found = over_volume(QUERY, [API, small], Decimal(20_000_000))
    assert [(one.below, one.above, one.jump) for one in found.break_evens] == [
        ("api", "reserved", False),
        ("reserved", "api", True),
        ("api", "reserved", False),
        ("reserved", "api", True),
        ("api", "reserved", False),
    ][: len(found.break_evens)]
    assert len(found.break_evens) >= 3
    assert found.break_evens[1].at == 12_000 * 730


@settings(max_examples=60, deadline=None)
@given(
    queries=st.integers(1, 20).map(lambda n: Decimal(n * 1_000_000)),
    peak=st.sampled_from([Decimal(1), Decimal("0.5")]),
    at_least=st.integers(0, 3),
)
def test_every_point_of_a_month_is_what_adding_it_up_gives(queries: Decimal, peak: Decimal, at_least: int) -> None:
    def replicas(gpus):
        return Replicas(
            gpus=gpus,
            gpus_per_replica=Decimal(4),
            queries_per_hour=Decimal(5000),
            mean_over_peak=peak,
            at_least=at_least,
        )

    found = over_volume(QUERY, [API, replicas(ON_DEMAND), replicas(OWN)], queries)
    energy = 1.3 * 1.2 * 0.10 * 730
    fixed = (float(gpu_hour_cost(replace(OWN, people=Decimal(0)), Decimal(1))) * 730) - 0.7 * energy
    for point in found.points:
        at = float(point.at)
        machines = max(ceil(at / (5000 * 730 * float(peak))), at_least)
        assert float(point.costs[0]) == pytest.approx(at * 0.001275)
        assert float(point.costs[1]) == pytest.approx(machines * 4 * 730 * 3.0)
        own = machines * 4 * fixed + at / (5000 * 730) * 4 * 0.7 * energy + 160_000 / 12
        assert float(point.costs[2]) == pytest.approx(own)


def test_what_cannot_be_meant_is_named_field_by_field() -> None:
    with pytest.raises(Invalid) as refused:
        over_utilisation(Decimal(0), [replace(OWN, pue=Decimal("0.9")), replace(ON_DEMAND, name="own")])
    assert [one.field for one in refused.value.problems] == ["ways", "gpus", "ways.0.pue"]
    with pytest.raises(Invalid, match="part of"):
        over_volume(replace(QUERY, cached_tokens=Decimal(9999)), [API], Decimal(1))
    slow = Replicas(gpus=RESERVED, gpus_per_replica=Decimal(8), queries_per_hour=Decimal(1))
    with pytest.raises(Invalid, match="ask for fewer queries"):
        over_volume(QUERY, [API, slow], Decimal(10_000_000))
