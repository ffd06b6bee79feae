"""Planner's questions over recorded prices: as of a moment, in one currency, cited; what has no price is refused."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pricing_sources.source import Document
from service.domain.as_of import AsOf
from service.domain.scenario import FactorInput, PriceInput
from service.errors import Invalid, NoData
from service.planning.commitments import Demand
from service.planning.suspending import StartCost
from service.planning.ways import Query
from service.store.store import Store
from service.usecases.plan_questions import (
    ApiAsked,
    BuyOrRentAsked,
    CommitmentOffered,
    CommitmentsAsked,
    OwnAsked,
    RentAsked,
    ReplicaAsked,
    StartAsked,
    WayAsked,
    read_commitments,
    read_start,
)
from service.usecases.planning import compare_buy_or_rent, plan_commitments, plan_start
from service.usecases.refresh import import_document
from tests.conftest import TickingClock, day
from tests.store.conftest import Learn
from tests.store.test_intervals import KEY, Market
from tests.usecases.test_cost_history import learn_rates

H100, A100 = "nimbus/h100/global/on_demand", "nimbus/a100/global/on_demand"
MARCH, MAY = AsOf(day("2026-03-02"), day("2026-08-01")), AsOf(day("2026-05-02"), day("2026-08-01"))
COMMIT = CommitmentsAsked(
    demand=Demand(paths=((8.0,) * 6 + (2.0,) * 4,)),
    on_demand=PriceInput(series=H100),
    offered=(CommitmentOffered(name="plan", term_hours=Decimal(10), hourly=PriceInput(series=A100)),),
)


def test_a_mix_is_made_of_the_prices_in_force_and_cites_them(store: Store, learn: Learn) -> None:
    learn("h100 3.00 2026-03-01", "a100 1.50 2026-03-01", on="2026-03-01")
    learn("a100 2.00 2026-05-01", on="2026-05-01")

    then, later = plan_commitments(store, COMMIT, MARCH), plan_commitments(store, COMMIT, MAY)
    assert then.plan.committed[0].break_even_utilisation == Decimal("0.5")
    assert (then.plan.committed[0].units, then.plan.cost) == (8, 8 * 10 * Decimal("1.5"))
    assert (later.plan.committed[0].units, later.plan.cost) == (2, 2 * 10 * 2 + 6 * 6 * 3)
    assert [(one.series, one.amount) for one in later.prices] == [(A100, 2), (H100, 3)]
    assert then.as_of.valid_at == day("2026-03-02")


def test_prices_of_another_currency_are_converted_and_the_rate_cited(store: Store, learn: Learn, clock) -> None:
    learn_rates(store, clock, "2026-04-10")
    learn("h100 2.10 2026-03-01", on="2026-04-11")
    euros = replace(COMMIT, currency="EUR", offered=())
    found = plan_commitments(store, euros, MAY)
    # 1 EUR is 1.05 USD in May; the rate is rounded to 12 digits before it multiplies.
    assert float(found.plan.cost) == pytest.approx(56 * 2.0)
    assert [(one.from_currency, one.to_currency) for one in found.fx_rates] == [("USD", "EUR")]
    with pytest.raises(Invalid, match="cannot be turned from USD into XXX"):
        plan_commitments(store, replace(euros, currency="XXX"), MAY)


def test_nothing_is_free_by_accident(store: Store, learn: Learn) -> None:
    learn("h100 3.00 2026-03-01", on="2026-03-01")
    with pytest.raises(Invalid, match=r"offered\.0\.hourly\.series: nimbus/a100/.*or state an amount"):
        plan_commitments(store, COMMIT, MARCH)
    with pytest.raises(Invalid, match="is a price per GPU-Hours; one per Instance-Hours is needed"):
        plan_commitments(store, replace(COMMIT, unit="Instance-Hours", offered=()), MARCH)
    with pytest.raises(Invalid, match="either an amount or a series"):
        plan_commitments(store, replace(COMMIT, on_demand=PriceInput(), offered=()), MARCH)


def test_stated_prices_need_no_recorded_ones_and_named_ones_do(store: Store) -> None:
    stated = replace(COMMIT, on_demand=PriceInput(amount=Decimal(3)), offered=())
    assert plan_commitments(store, stated, MARCH).plan.cost == 56 * 3
    with pytest.raises(NoData, match="no prices are recorded yet"):
        plan_commitments(store, COMMIT, MARCH)


@pytest.fixture
def market(store: Store, clock: TickingClock) -> Store:
    clock.set(day("2026-03-01"))
    document = Document(source_id="nimbus", url="file:x", body=b"80 30 -20 90", fetched_at=day("2026-03-01"))
    assert import_document(store, Market(), document, now=day("2026-03-01")).added == 4
    return store


RUN = StartAsked(
    currency="EUR",
    hours=Decimal("0.5"),
    units=Decimal(1000),
    earliest=day("2026-03-01"),
    deadline=day("2026-03-01T01:00"),
    series=KEY,
)


def test_a_run_starts_where_the_market_is_cheapest(market: Store) -> None:
    found = plan_start(market, RUN, MARCH)
    assert found.plan is not None
    # A megawatt for half an hour: a quarter of an hour at 30 EUR/MWh, another at -20.
    assert found.plan.cost == Decimal("7.5") - 5
    assert found.plan.periods[0].start == day("2026-03-01T00:15")
    assert [one.series for one in found.prices] == [KEY]


def test_after_the_last_interval_there_is_a_gap_unless_past_weeks_fill_it(market: Store) -> None:
    later = replace(RUN, earliest=day("2026-03-01T00:45"), deadline=day("2026-03-01T02:00"))
    with pytest.raises(Invalid, match=r"no stretch of 0\.5 hours has prices throughout"):
        plan_start(market, later, MARCH)
    next_week = replace(RUN, earliest=day("2026-03-08"), deadline=day("2026-03-08T01:00"), profile_weeks=1)
    found = plan_start(market, next_week, MARCH).plan
    assert found is not None
    assert (found.forecast_share, found.cost) == (1, Decimal("0.5") * 45)  # the mean of the four quarters


def test_a_run_that_can_be_suspended_takes_the_cheapest_quarters(market: Store) -> None:
    last = replace(RUN, hours=Decimal("0.75"), suspendable=True)
    found = plan_start(market, last, MARCH).plan
    assert found is not None
    assert found.cost == (80 + 30 - 20) / Decimal(4)
    dear = plan_start(market, replace(last, start=StartCost(cost=Decimal(9), hours=Decimal("0.25"))), MARCH).plan
    assert dear is not None
    assert (dear.starts, dear.cost) == (1, 9 + (80 + 30 - 20 + 90) / Decimal(4))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"series": None}, "give one of series, slots and blocks"),
        ({"series": "nimbus/nobody"}, "nimbus/nobody has no price from"),
        ({"zone": "Mars", "profile_weeks": 1}, "no IANA time zone"),
        ({"profile_weeks": 99}, "must be 0 to 52"),
        ({"start": StartCost(cost=Decimal(1))}, "for a run that can be suspended"),
        ({"earliest": day("2026-03-01").replace(tzinfo=None)}, "must carry a UTC offset"),
    ],
)
def test_a_run_that_cannot_be_meant_is_refused(market: Store, change: dict, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        plan_start(market, replace(RUN, **change), MARCH)


OWN = OwnAsked(
    capital=PriceInput(amount=Decimal(40_000)),
    years=Decimal(4),
    power_kw=Decimal(1),
    electricity=PriceInput(amount=Decimal("0.10")),
)
WAYS = (
    WayAsked(name="on demand", rent=RentAsked(gpu_price=PriceInput(series=H100))),
    WayAsked(name="own", own=OWN, replica=ReplicaAsked(gpus=Decimal(8), queries_per_hour=Decimal(10_000))),
)


def test_buying_is_held_against_the_rent_of_the_day(store: Store, learn: Learn) -> None:
    learn("h100 3.00 2026-03-01", on="2026-03-01")
    learn("h100 1.00 2026-05-01", on="2026-05-01")
    asked = BuyOrRentAsked(ways=WAYS, gpus=Decimal(8))
    dear, cheap = compare_buy_or_rent(store, asked, MARCH), compare_buy_or_rent(store, asked, MAY)
    assert dear.utilisation is not None
    assert cheap.utilisation is not None
    # 10,000 a year over 8760 hours at 3.00 less 0.10; at 1.00 it never pays.
    assert float(dear.utilisation.break_evens[0].at) == pytest.approx(10_000 / (8760 * 2.9))
    assert cheap.utilisation.because == ("on demand is cheapest throughout",)
    assert [one.series for one in dear.prices] == [H100]
    assert dear.volume is None


def test_an_api_without_a_price_for_cached_input_charges_it_as_input(store: Store) -> None:
    api = ApiAsked(input=PriceInput(amount=Decimal(2)), output=PriceInput(amount=Decimal(8)))
    query = Query(input_tokens=Decimal(1000), cached_tokens=Decimal(400), output_tokens=Decimal(100))
    asked = BuyOrRentAsked(ways=(WayAsked(name="api", api=api),), query=query, most=Decimal(1_000_000))
    found = compare_buy_or_rent(store, asked, MARCH).volume
    assert found is not None
    assert found.points[-1].costs == (2000 + 800,)
    cached = replace(asked, ways=(WayAsked(name="api", api=replace(api, cached=PriceInput(amount=Decimal(1)))),))
    assert compare_buy_or_rent(store, cached, MARCH).volume.points[-1].costs == (2400,)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (BuyOrRentAsked(ways=WAYS), "give gpus to compare over utilisation"),
        (BuyOrRentAsked(ways=(WayAsked(name="x"),), gpus=Decimal(1)), "give one of own, rent and api"),
        (
            BuyOrRentAsked(ways=(WayAsked(name="own", own=replace(OWN, people=Decimal(1))),), gpus=Decimal(1)),
            "people who run the fleet are not free",
        ),
        (
            BuyOrRentAsked(
                ways=(WayAsked(name="own", own=OWN),),
                query=Query(input_tokens=Decimal(1), output_tokens=Decimal(1)),
                most=Decimal(9),
            ),
            "own needs a replica",
        ),
        (
            BuyOrRentAsked(ways=(WayAsked(name="o", own=replace(OWN, pue=FactorInput())),), gpus=Decimal(1)),
            "either a value or a series",
        ),
    ],
)
def test_a_comparison_that_cannot_be_meant_is_refused(store: Store, asked: BuyOrRentAsked, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        compare_buy_or_rent(store, asked, MARCH)


def test_files_name_every_slip() -> None:
    with pytest.raises(Invalid, match="did you mean on_demand"):
        read_commitments("demand: {paths: [[1, 2]]}\non_demnd: {amount: 3}\noffered: []\n")
    with pytest.raises(Invalid, match="deadline: is missing"):
        read_start("hours: 3\nearliest: 2026-03-01T00:00:00Z\nslots: []\n")
    with pytest.raises(Invalid, match="is not a field; did you mean step_hours"):
        read_commitments("demand: {paths: [[1, 2]], step_hour: 1}\non_demand: {amount: 3}\noffered: []\n")
