"""A service carried by machines of the whole market: what each carries is predicted, what is lost must be survived."""

from decimal import Decimal

import pytest

from service.domain.as_of import AsOf
from service.errors import Infeasible, Invalid
from service.store.store import Store
from service.usecases.placement import PlannedFleet, plan_fleet
from service.usecases.placement_questions import read_fleet
from service.usecases.plan_questions import read_goal
from service.usecases.plans import new_plan
from tests.conftest import day
from tests.usecases.market import learn_market

NOW = AsOf(day("2026-03-02"), day("2026-03-02"))
SERVING = "{llm: llama-3.1-8b, output_tokens_per_second: 60000, input_tokens: 1000, output_tokens: 300}"
GOAL = f"name: chat\nserving: {SERVING}"


@pytest.fixture
def market(store: Store, clock) -> Store:
    learn_market(store, clock)
    return store


def asked(goal: str = GOAL, **more: str) -> str:
    rest = "".join(f"{name}: {value}\n" for name, value in more.items())
    return "goal:\n" + "".join(f"  {line}\n" for line in goal.splitlines()) + rest


def fleet(store: Store, goal: str = GOAL, **more: str) -> PlannedFleet:
    return plan_fleet(store, read_fleet(asked(goal, **more)), NOW, now=NOW.known_at)


def rented(found: PlannedFleet) -> dict[str, int]:
    return {one.offer: one.machines for one in found.mix.rented}


def carried(found: PlannedFleet, without: str = "nothing") -> Decimal:
    return sum((one.throughput for one in found.mix.rented if without not in one.offer), Decimal(0))


def test_nothing_lost_and_one_kind_enough_is_the_plan_of_the_goal(market: Store) -> None:
    found = fleet(market)
    plan = new_plan(market, read_goal(GOAL), NOW, now=NOW.known_at).plan.picks[0]
    assert rented(found) == {plan.candidate.series: plan.candidate.machines}
    assert float(found.mix.cost_hour) == pytest.approx(float(plan.cost) / 730)
    assert found.mix.best_single.cost_hour == found.mix.cost_hour
    assert [one.series for one in found.prices] == [plan.candidate.series]


def test_what_must_be_left_is_left_whatever_is_lost(market: Store) -> None:
    alone = fleet(market)
    found = fleet(market, load="{left_without_provider: 0.6, left_without_region: 0.6}")
    assert found.mix.cost_hour > alone.mix.cost_hour
    assert found.mix.best_single is None
    for lost in {one.offer.split("/")[1] for one in found.mix.rented}:
        assert carried(found, without=f"/{lost}/") >= Decimal("0.6") * 60_000
    assert {one.series for one in found.prices} == rented(found).keys()


def test_an_offer_of_euros_is_paid_at_the_rate_which_is_cited(market: Store) -> None:
    found = fleet(market, GOAL + "\nproviders: [cloud]")
    [one] = found.mix.rented
    assert one.cost_hour == one.machines * Decimal(8) * Decimal("1.20") * Decimal("1.25")
    assert [(rate.from_currency, rate.to_currency) for rate in found.fx_rates] == [("EUR", "USD")]


def test_spot_carries_less_than_it_could_and_only_what_may_be_lost(market: Store) -> None:
    often = (
        GOAL.replace("60000", "1000000")
        + "\nproviders: [aws]\nregions: [us-east-1]\ninterruptions: {spot_per_hour: 0.5}"
    )
    all_spot = fleet(market, often)
    half = fleet(market, often, load="{left_without_spot: 0.5}")
    assert set(rented(all_spot)) == {"market/aws/p5/us-east-1/spot"}
    assert set(rented(half)) == {"market/aws/p5/us-east-1/spot", "market/aws/p5/us-east-1/on_demand"}
    assert carried(half, without="/spot") >= 500_000
    of_one = {one.offer.rsplit("/", 1)[1]: one.throughput / one.machines for one in half.mix.rented}
    # Of an hour, 0.5 interruptions of a quarter of an hour each.
    assert float(of_one["spot"] / of_one["on_demand"]) == pytest.approx(1 / 1.125)


def test_stated_machines_stand_beside_those_of_the_market(market: Store) -> None:
    mine = (
        "[{name: ours, provider: us, region: here, accelerator: H100, gpus: 8, throughput: 1e5, price: {amount: 0.01}}]"
    )
    assert rented(fleet(market, offers=mine)) == {"ours": 1}


def test_machines_of_ones_own_carry_a_load_only_where_it_may_be_carried(market: Store) -> None:
    mine = (
        "own: [{{name: ours, accelerator: nvidia-h100-sxm-80gb, gpus: 64, gpu_hour: {{amount: 0.1}}, power_kw: 1,"
        " electricity: {{amount: 0.2}}, region: {region}}}]"
    )
    inside, outside = (
        fleet(market, "\n".join([GOAL, mine.format(region=region), "regions: [eu]", "providers: [aws]"]))
        for region in ("DE", "us-east")
    )
    assert set(rented(inside)) == {"own/ours"}
    assert set(rented(outside)) == {"market/aws/p5/eu-west-1/on_demand"}
    counted = [{one.constraint: one.offers for one in found.market.rejected} for found in (outside, inside)]
    assert counted[0]["region"] == counted[1]["region"] + 1


def test_every_offer_is_a_machine_or_is_told_why_not(market: Store) -> None:
    market_searched = fleet(market).market
    assert market_searched.offers == market_searched.able + sum(one.offers for one in market_searched.rejected)
    assert {one.constraint for one in market_searched.rejected} == {
        "hardware",
        "interruption",
        "price",
        "purchase",
        "statistic",
    }


def test_a_budget_and_a_quota_of_the_service_hold(market: Store) -> None:
    cost = fleet(market).mix.cost_hour
    with pytest.raises(Invalid, match="without one of these there would be one: budget_hour"):
        fleet(market, f"{GOAL}\nbudget: {cost * 730 - 1}")
    quotas = "[{name: nimbus grants 8, gpus: 8, provider: nimbus}]"
    assert rented(fleet(market, quotas=quotas)).get("market/nimbus/n8/eu-west-1/on_demand", 0) <= 1


def test_a_service_nothing_carries_says_what_became_of_the_market(market: Store) -> None:
    with pytest.raises(Infeasible, match=r"no machine carries any of it \(12 offers: .*9 region"):
        fleet(market, f"{GOAL}\nregions: [mars]")


@pytest.mark.parametrize(
    ("goal", "more", "field"),
    [
        ("name: x\ngpu_hours: {gpus: 8, hours: 1}\naccelerators: [h100]", {}, "goal.serving"),
        (GOAL.replace("300}", "300, minimum_replicas: 2}"), {}, "goal.serving.minimum_replicas"),
        (GOAL.replace("60000", "0"), {}, "goal.serving.output_tokens_per_second"),
        (GOAL + "\ncurrency: EUR", {}, "goal.currency"),
        (GOAL, {"load": "{throughput: 5}"}, "load.throughput"),
        (GOAL, {"works": "[{name: x, needs: []}]"}, "works"),
        (GOAL + "\nquotas: [{gpus: 8}]", {}, "goal.quotas"),
        (GOAL + "\nmax_carbon_kg: 5", {}, "goal.max_carbon_kg"),
        (GOAL + "\ndeadline: 2020-01-01T00:00:00Z", {}, "goal.deadline"),
    ],
)
def test_what_a_fleet_cannot_be_asked_is_refused_by_field(
    market: Store, goal: str, more: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as problem:
        fleet(market, goal, **more)
    assert field in {one.field for one in problem.value.problems}
