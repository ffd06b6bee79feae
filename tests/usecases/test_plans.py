"""Goals over a typed market, on both databases: plans that are estimates, the same for ever, and exact."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from math import expm1, log
from pathlib import Path
from statistics import NormalDist
from zoneinfo import ZoneInfo

import pytest

from service.domain.as_of import AsOf
from service.domain.goal import Goal
from service.domain.plan import StoredPlan
from service.domain.rate_card import RateCard, RateCardEntry
from service.errors import Infeasible, Invalid, NotFound
from service.planning.answering import answered
from service.store import offers
from service.store.store import Store
from service.usecases.comparisons import bridge_estimates
from service.usecases.estimates import get_estimate
from service.usecases.goal_prices import asked_of
from service.usecases.hardware import map_label, unmap_label
from service.usecases.plan_questions import read_goal
from service.usecases.plans import get_plan, list_plans, new_plan, series_shown
from service.usecases.prices import get_price
from service.usecases.rate_cards import put_rate_card
from tests.conftest import TickingClock, day
from tests.usecases.market import MARKET, learn_market

GOAL = """
name: an ablation
gpu_hours: {gpus: 16, hours: 100, together: 8}
accelerators: [nvidia-h100-sxm-80gb]
"""
EITHER = GOAL.replace("80gb]", "80gb, nvidia-a100-sxm-80gb]")
NOW = "2026-03-02"
HOURS = "gpu_hours: {gpus: 8, hours: 1}"


@pytest.fixture
def market(store: Store, clock) -> Store:
    learn_market(store, clock)
    return store


@pytest.fixture(scope="module")
def learned_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that knows the market, to copy."""
    path = tmp_path_factory.mktemp("market") / "costplan.db"
    shutil.copy(migrated_file, path)
    clock = TickingClock(day("2026-03-01"))
    opened = Store.open(f"sqlite:///{path}", clock)
    learn_market(opened, clock)
    opened.close()
    return path


@pytest.fixture
def embedded(learned_file: Path, tmp_path: Path, clock: TickingClock) -> Iterator[Store]:
    """A market on SQLite alone: what a plan says does not depend on the engine."""
    shutil.copy(learned_file, tmp_path / "costplan.db")
    opened = Store.open(f"sqlite:///{tmp_path / 'costplan.db'}", clock)
    yield opened
    opened.close()


def goal(*more: str, base: str = GOAL) -> Goal:
    return read_goal("\n".join([base.strip(), *more]))


def planned(store: Store, wanted: Goal, on: str = NOW, known: str | None = None) -> StoredPlan:
    return new_plan(store, wanted, AsOf(day(on), day(known or on)), now=day(on))


def cheapest(store: Store, *more: str, base: str = GOAL):
    return planned(store, goal(*more, base=base)).plan.picks[0]


def lines(store: Store, pick) -> dict[str, Decimal]:
    return {one.name: one.cost for one in get_estimate(store, pick.estimate_id).estimate.line_items}


def test_a_plan_is_an_estimate_of_the_ledger_to_the_last_digit(market: Store) -> None:
    stored = planned(market, goal())
    best = stored.plan.picks[0]
    estimate = get_estimate(market, best.estimate_id).estimate
    assert (best.candidate.series, best.candidate.machines) == ("market/nimbus/n8/eu-west-1/on_demand", 2)
    assert best.cost == estimate.total == Decimal(16 * 100 * 2)
    assert [one.price.series for one in estimate.prices] == [best.candidate.series]
    assert float(best.candidate.cost) == pytest.approx(float(best.cost), rel=1e-9)
    assert get_plan(market, stored.plan_id[:10]) == stored
    assert [one.plan_id for one in list_plans(market)] == [stored.plan_id]


def test_the_market_as_columns_is_the_price_book(market: Store) -> None:
    question = AsOf(day(NOW), day(NOW))
    found = market.read(lambda c: offers.market(c, question.valid_at, question.known_at))
    assert list(found.keys) == sorted(found.keys)
    assert len(found) == MARKET.count("H100") + MARKET.count("A100") + 1
    for row, key in enumerate(found.keys):
        price = get_price(market, question, key)
        known = price.offer.gpu_count is not None
        assert (found.prices[row] == float(price.amount)) == known
        assert (found.providers.at(row), found.regions.at(row)) == (price.offer.provider, price.offer.region)


def test_the_same_question_is_the_same_plan_whatever_was_learned_since(market: Store, clock) -> None:
    first = planned(market, goal())
    learn_market(market, clock, MARKET.replace("8 2.00 USD", "8 2.40 USD"), on="2026-03-05")
    assert planned(market, goal()).plan_id == first.plan_id
    later = planned(market, goal(), on="2026-03-06")
    assert later.plan.picks[0].candidate.gpu_hour == Decimal("2.4")
    again = planned(market, first.plan.goal, on=NOW, known="2026-03-04")
    assert again.plan_id == first.plan_id
    bridge = bridge_estimates(market, first.plan.picks[0].estimate_id, later.plan.picks[0].estimate_id)
    assert bridge.bridge.difference == Decimal(16 * 100) * Decimal("0.4")


def test_a_price_in_another_currency_is_compared_and_paid_at_the_rate_of_the_same_moment(embedded: Store) -> None:
    best = cheapest(embedded, "providers: [cloud]", base=EITHER)
    assert (best.candidate.gpu_hour, best.cost) == (Decimal("1.5"), Decimal(16 * 100) * Decimal("1.5"))
    flips = planned(embedded, goal("providers: [cloud, nimbus]", base=EITHER)).plan.explanation.flips
    [rate] = [one for one in flips if one.driver == "exchange_rate"]
    assert rate.flips_at == pytest.approx(2.00 / 1.50)
    assert rate.becomes == "market/nimbus/n8/eu-west-1/on_demand"


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("data: {volume_tb: 10, provider: nimbus, egress: {amount: 40}}",),
        ("budget: 3500", "storage: {volume_tb: 5, price: {amount: 23}}"),
    ],
)
def test_the_rate_at_which_a_rival_in_another_currency_wins_is_exact(
    embedded: Store, clock: TickingClock, more: tuple[str, ...]
) -> None:
    dear = MARKET.replace("1.20 EUR", "2.40 EUR")
    learn_market(embedded, clock, dear, on="2026-03-03")
    asked = goal("providers: [cloud, nimbus]", *more, base=EITHER)
    plan = planned(embedded, asked, on="2026-03-04").plan
    assert plan.picks[0].candidate.provider == "nimbus"
    [rate] = [one for one in plan.explanation.flips if one.driver == "exchange_rate"]
    assert (rate.unit, rate.becomes) == ("of the EUR now", "market/cloud/c8/eu-1/on_demand")
    for number, (share, provider) in enumerate(((1.001, "nimbus"), (0.999, "cloud")), start=5):
        fallen = dear.replace("EUR USD 1.25", f"EUR USD {1.25 * rate.flips_at * share}")
        learn_market(embedded, clock, fallen, on=f"2026-03-0{number}")
        best = planned(embedded, asked, on=f"2026-03-0{number}T12:00").plan.picks[0]
        assert best.candidate.provider == provider


def test_where_data_may_lie_is_not_guessed_from_a_name(embedded: Store) -> None:
    answer = asked_of(embedded, goal("regions: [eu]", "providers: [aws]"), AsOf(day(NOW), day(NOW)))
    assert {one.candidate.region for one in answered(answer).chosen} == {"eu-west-1"}
    assert cheapest(embedded, "regions: [eu-*]", "providers: [aws]").candidate.region == "eu-west-2"


def test_spot_counts_only_where_somebody_says_how_often_it_is_taken_away(embedded: Store, clock) -> None:
    plan = planned(embedded, goal("providers: [aws]")).plan
    assert plan.picks[0].candidate.purchase == "on_demand"
    assert {one.constraint: one.offers for one in plan.explanation.rejected}["interruption"] == 1
    learn_market(
        embedded,
        clock,
        "interrupted aws_p5_us-east-1 low 0.05\ninterrupted aws_p5_us-east-1 high 0.10\n",
        on="2026-03-01T06:00",
    )
    spot = cheapest(embedded, "providers: [aws]").candidate
    assert spot.purchase == "spot"
    assert 100 < spot.expected_hours < 103
    assert 0 < spot.checkpoint_every_hours < 100


def test_stated_interruptions_flip_where_planning_with_so_many_flips(embedded: Store) -> None:
    def answer(per_hour: float):
        return planned(embedded, goal(f"interruptions: {{spot_per_hour: {per_hour!r}}}", base=EITHER)).plan

    plan = answer(0.01)
    [flip] = [one for one in plan.explanation.flips if one.driver == "interruptions"]
    assert plan.picks[0].candidate.purchase == "spot"
    assert answer(flip.flips_at * (1 - 1e-6)).picks[0].candidate.series == plan.picks[0].candidate.series
    assert answer(flip.flips_at * (1 + 1e-6)).picks[0].candidate.series == flip.becomes


def test_a_reservation_is_paid_to_the_end_of_its_term(embedded: Store) -> None:
    best = cheapest(embedded, "providers: [aws]", 'purchases: ["reserved_*"]')
    assert best.cost == 16 * 8760
    assert (best.candidate.expected_hours, best.candidate.paid_hours) == (100, 8760)


def test_the_middle_of_a_market_of_hosts_is_one_machine_and_its_ends_are_no_offer(embedded: Store) -> None:
    explained = planned(embedded, goal()).plan.explanation
    assert {one.constraint: one.offers for one in explained.rejected} == {
        "accelerator": 2,
        "hardware": 1,
        "interruption": 1,
        "price": 1,
        "purchase": 1,
        "quota": 1,
        "statistic": 1,
    }
    one = GOAL.replace("gpus: 16", "gpus: 8")
    assert cheapest(embedded, base=one).candidate.series.endswith("median")


def test_everything_else_it_takes_is_a_line_of_the_estimate(embedded: Store) -> None:
    more = (
        "data: {volume_tb: 10, provider: aws, region: us-east-1, egress: {amount: 90}}",
        "storage: {volume_tb: 20, price: {amount: 23}}",
        "staff: {people: 2, salary: {amount: 146000}, loading: {value: 1.5}}",
    )
    found = lines(embedded, cheapest(embedded, *more))
    assert found["gpu_hours"] == 3200
    assert found["transfer"] == 900
    assert found["storage"] == pytest.approx(Decimal(20 * 23 * 100) / 730)
    assert found["salaries"] + found["compensation_beyond_salary"] == pytest.approx(
        Decimal(2 * 146000 * 100) / 8760 * Decimal("1.5")
    )
    assert "transfer" not in lines(embedded, cheapest(embedded, *more, "providers: [aws]", "regions: [us]"))


def test_own_hardware_pays_for_its_electricity_and_rented_hardware_does_not(embedded: Store) -> None:
    own = (
        "own: [{name: rack, accelerator: nvidia-h100-sxm-80gb, gpus: 32, gpu_hour: {amount: 0.9}, power_kw: 1.25,"
        " electricity: {amount: 0.20}, pue: {value: 1.2}}]"
    )
    best = cheapest(embedded, own)
    assert lines(embedded, best) == {"gpu_hours": 16 * 100 * Decimal("0.9"), "electricity": 16 * 100 * Decimal("0.3")}
    assert set(lines(embedded, cheapest(embedded))) == {"gpu_hours"}
    flips = {one.driver: one for one in planned(embedded, goal(own)).plan.explanation.flips}
    assert flips["electricity"].flips_at == pytest.approx((2.0 - 0.9) / (1.25 * 1.2))
    assert "market/own" not in " ".join(series_shown(planned(embedded, goal(own)).plan))


HUGE = "staff: {people: 1, salary: {amount: 1e300}}"
SITE = (
    "own: [{{name: rack, accelerator: nvidia-h100-sxm-80gb, gpus: 32, gpu_hour: {{amount: 0.1}}, power_kw: 1,"
    " electricity: {{amount: 0.2}}, region: {region}}}]"
)
"""Far cheaper than the market, so that it wins wherever it may."""


@pytest.mark.parametrize(
    ("region", "more", "ruled_out"),
    [
        ("us-east", ["regions: [eu]"], "region"),
        ("DE", ["regions: [eu]"], None),
        ("eu", ["regions: [eu]"], None),
        ("eu-berlin", ["regions: ['eu-*']"], None),
        ("us-east", ["accelerators: [nvidia-a100-sxm-80gb]"], "accelerator"),
        ("us-east", ["quotas: [{provider: rack, gpus: 8}]"], "quota"),
        ("us-east", ["quotas: [{region: 'us-*', purchase: own, gpus: 16}]"], None),
        ("us-east", ["providers: [nimbus]", "purchases: [spot, on_demand]"], None),
    ],
)
def test_what_narrows_a_goal_holds_for_ones_own_machines_except_what_is_about_buying(
    embedded: Store, region: str, more: list[str], ruled_out: str | None
) -> None:
    base = GOAL if "accelerators" not in more[0] else GOAL.rsplit("accelerators", 1)[0]
    plan = planned(embedded, goal(SITE.format(region=region), *more, base=base)).plan
    without = planned(embedded, goal(*more, base=base)).plan
    assert (plan.picks[0].candidate.provider == "rack") is (ruled_out is None)
    counted, before = ({one.constraint: one.offers for one in of.explanation.rejected} for of in (plan, without))
    assert counted == (before if ruled_out is None else before | {ruled_out: before.get(ruled_out, 0) + 1})


def test_own_machines_nobody_says_the_place_of_are_in_no_region_that_is_asked_for(embedded: Store) -> None:
    nowhere = SITE.format(region="own")
    assert cheapest(embedded, nowhere).candidate.provider == "rack"
    assert cheapest(embedded, nowhere, "regions: ['*']").candidate.provider == "rack"
    with pytest.raises(Invalid, match=r"own\.0\.region: is missing: the goal keeps to regions eu; .* such as DE"):
        cheapest(embedded, nowhere, "regions: [eu]")


def test_carbon_of_ones_own_machines_is_that_of_the_group_they_stand_in(embedded: Store) -> None:
    def carbon(grids: str) -> float | None:
        return cheapest(embedded, SITE.format(region="DE"), grids).candidate.carbon_kg

    assert carbon("carbon: [{provider: aws, kg_per_kwh: 0.4}]") is None
    assert carbon("carbon: [{provider: aws, kg_per_kwh: 0.4}, {region: eu, kg_per_kwh: 0.1}]") == carbon(
        "carbon: [{provider: rack, kg_per_kwh: 0.1}]"
    )


RACK = """
own:
  - {name: rack, accelerator: nvidia-h100-sxm-80gb, gpus: 32, gpu_hour: {amount: 1.75}, power_kw: 1, electricity_tariff:
      {zone: Europe/Berlin, otherwise: {amount: 0.1}, windows: [
        {name: work, days: [mon, tue, wed, thu, fri], begins: "06:00", ends: "22:00", price: {amount: 0.5}}]}}
"""
SIXTY = GOAL.replace("hours: 100", "hours: 60")


def by_the_clock(start: datetime, hours: int) -> Decimal:
    """The tariff of `RACK` read off a clock on a wall, a quarter-hour at a time, for one kW."""
    wall = [(start + timedelta(minutes=15 * one)).astimezone(ZoneInfo("Europe/Berlin")) for one in range(4 * hours)]
    return sum((Decimal("0.5" if one.weekday() < 5 and 6 <= one.hour < 22 else "0.1") for one in wall), Decimal(0)) / 4


@pytest.mark.parametrize(
    ("on", "starts", "is_best"),
    [
        ("2026-03-06T20:30:01", "2026-03-06T20:45", True),
        ("2026-03-09T04:00", "2026-03-09T04:00", False),
        ("2026-03-27T21:00", "2026-03-27T21:00", True),
    ],
)
def test_electricity_of_ones_own_is_bought_by_the_hour_the_run_takes(
    embedded: Store, on: str, starts: str, is_best: bool
) -> None:
    """A weekend is cheap and a week is not; in the last of them clocks change."""
    assert (planned(embedded, goal(RACK, base=SIXTY), on=on).plan.picks[0].candidate.provider == "rack") is is_best
    rack = planned(embedded, goal(RACK, "providers: [nobody]", base=SIXTY), on=on).plan.picks[0]
    paid = lines(embedded, rack)
    assert paid.pop("gpu_hours") == 16 * 60 * Decimal("1.75")
    assert sum(paid.values()) == 16 * by_the_clock(day(starts), 60)
    mean = (80 * Decimal("0.5") + 88 * Decimal("0.1")) / 168
    assert float(rack.candidate.gpu_hour) == pytest.approx(1.75 + float(mean))


def test_the_mean_price_at_which_electricity_by_the_hour_makes_another_win_is_exact(embedded: Store) -> None:
    flip = next(
        one
        for one in planned(embedded, goal(RACK, base=SIXTY), on="2026-03-27T21:00").plan.explanation.flips
        if one.driver == "electricity"
    )
    assert flip.flips_at is not None
    dearer = Decimal(flip.flips_at - flip.now)
    for more, is_best in ((dearer * Decimal("0.999"), True), (dearer * Decimal("1.001"), False)):
        raised = RACK.replace("0.1}", f"{Decimal('0.1') + more}}}").replace("0.5}", f"{Decimal('0.5') + more}}}")
        best = planned(embedded, goal(raised, base=SIXTY), on="2026-03-27T21:00").plan.picks[0]
        assert (best.candidate.provider == "rack") is is_best


def test_a_run_longer_than_any_tariff_is_known_is_not_planned_on_it(embedded: Store) -> None:
    endless = GOAL.replace("hours: 100", "hours: 44000")
    with pytest.raises(Infeasible) as caught:
        planned(embedded, goal(RACK, "providers: [nobody]", base=endless))
    assert "1 deadline" in str(caught.value)
    assert cheapest(embedded, RACK, base=endless).candidate.provider != "rack"


def test_your_own_prices_decide_and_are_what_the_estimate_pays(embedded: Store) -> None:
    card = RateCard(
        name="agreed",
        entries=(
            RateCardEntry(provider="aws", purchase="on_demand", discount=Decimal("0.5"), note="the contract"),
            RateCardEntry(provider="cloud", unit_price=Decimal("1.55"), currency="USD", unit="GPU-Hours"),
        ),
    )
    put_rate_card(embedded, card, now=day("2026-03-01T12:00"))
    best = cheapest(embedded, "rate_card: agreed")
    assert (best.candidate.series, best.cost) == ("market/aws/p5/us-east-1/on_demand", 16 * 100 * Decimal("1.5"))
    [line] = get_estimate(embedded, best.estimate_id).estimate.line_items
    assert (line.list_unit_price, line.contracted_unit_price, line.contract) == (3, Decimal("1.5"), "the contract")
    assert cheapest(embedded, "rate_card: agreed", "providers: [cloud]", base=EITHER).cost == 16 * 100 * Decimal("1.55")


def test_a_persons_word_on_a_label_counts_at_once_and_the_plan_of_before_stays(embedded: Store) -> None:
    before = planned(embedded, goal())
    map_label(embedded, "Mystery", "nvidia-h100-sxm-80gb", "their support says so", now=day("2026-03-01T12:00"))
    assert cheapest(embedded).candidate.series == "market/odd/y/eu-1/on_demand"
    assert planned(embedded, goal(), known="2026-03-01T06:00").plan_id == before.plan_id


def test_a_word_on_one_providers_label_rents_no_other_providers_machines(embedded: Store, clock: TickingClock) -> None:
    learn_market(embedded, clock, "other z eu-1 on_demand Mystery 8 0.005 USD\n")
    said = {"now": day("2026-03-01T12:00"), "provider": "odd"}
    map_label(embedded, "Mystery", "nvidia-h100-sxm-80gb", "their support says so", **said)
    assert cheapest(embedded).candidate.series == "market/odd/y/eu-1/on_demand"
    everywhere = {"now": day("2026-03-01T14:00"), "everywhere": True}
    map_label(embedded, "Mystery", "nvidia-h100-sxm-80gb", "it cannot be another", **everywhere)
    assert cheapest(embedded).candidate.series == "market/other/z/eu-1/on_demand"


def test_a_word_taken_back_is_planned_with_no_more_and_the_plan_of_before_stays(embedded: Store) -> None:
    map_label(embedded, "Mystery", "nvidia-h100-sxm-80gb", "their support says so", now=day("2026-03-01T12:00"))
    before = planned(embedded, goal())
    unmap_label(embedded, "Mystery", "they meant another", now=day("2026-03-01T18:00"))
    assert cheapest(embedded).candidate.series == "market/nimbus/n8/eu-west-1/on_demand"
    assert planned(embedded, goal(), known="2026-03-01T15:00").plan_id == before.plan_id


def test_an_infeasible_goal_says_the_least_that_would_have_to_give(embedded: Store) -> None:
    with pytest.raises(Infeasible) as refused:
        cheapest(embedded, "within_hours: 50", "budget: 9000")
    assert {one.constraint: one.needs for one in refused.value.relaxations} == {"deadline": "100 hours"}
    with pytest.raises(Infeasible) as refused:
        cheapest(embedded, "regions: [eu-*]", "providers: [aws]", "budget: 4900")
    needs = {one.constraint: one.needs for one in refused.value.relaxations}
    assert needs == {"budget": "4960 USD", "region": "us-east-1 of aws", "provider": "nimbus"}
    assert "nothing meets the goal; it would be met with budget 4960 USD, or region us-east-1" in str(refused.value)


SERVED = """
name: a chat
serving: {llm: llama-3.1-8b, output_tokens_per_second: 2000, input_tokens: 1000, output_tokens: 300, LIMITS}
"""


def needed(store: Store, wanted: Goal) -> dict[str, str]:
    """What an infeasible goal would be met with, by constraint."""
    with pytest.raises(Infeasible) as refused:
        planned(store, wanted)
    return {one.constraint: one.needs for one in refused.value.relaxations}


@pytest.mark.parametrize("more", [(), ("budget: 15000",)])
def test_a_latency_nobody_keeps_is_answered_with_the_least_that_somebody_keeps(
    embedded: Store, more: tuple[str, ...]
) -> None:
    def within(ms: float) -> Goal:
        return goal(*more, base=SERVED.replace("LIMITS", f"time_per_output_token_ms: {ms}"))

    needs = needed(embedded, within(0.5))
    least, words = needs["latency"].split(" ", 1)
    assert words == "ms per output token"
    assert planned(embedded, within(float(least))).plan.picks
    # A budget is kept at a batch that was looked at; the next one that is faster costs more.
    assert needed(embedded, within(float(least) * (0.99 if not more else 0.5)))["latency"] == needs["latency"]
    with pytest.raises(Infeasible, match=rf"met with latency {least} ms per output token for [\d,]+\.\d\d USD"):
        planned(embedded, within(0.5))


def test_a_concession_too_large_to_search_is_left_out_of_the_answer(
    embedded: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.planning.search.MOST_KEPT", 1)
    assert needed(embedded, goal(base=SERVED.replace("LIMITS", "time_per_output_token_ms: 0.5"))) == {}


def test_of_two_latencies_the_one_that_is_kept_stays_and_both_give_only_where_they_must(embedded: Store) -> None:
    def within(token: float, first: float) -> Goal:
        limits = f"time_per_output_token_ms: {token}, time_to_first_token_ms: {first}"
        return goal(base=SERVED.replace("LIMITS", limits))

    assert needed(embedded, within(50, 0.5))["latency"].endswith("ms to the first token")
    assert needed(embedded, within(0.5, 5000))["latency"].endswith("ms per output token")
    both = re.fullmatch(
        r"(.*) ms per output token and (.*) ms to the first token", needed(embedded, within(0.5, 0.5))["latency"]
    )
    assert planned(embedded, within(float(both[1]), float(both[2]))).plan.picks


def test_a_number_format_that_alone_would_do_is_named_the_widest_first(embedded: Store) -> None:
    narrow = "precisions: [bf16], time_per_output_token_ms: {}"
    least = float(needed(embedded, goal(base=SERVED.replace("LIMITS", narrow.format(0.5))))["latency"].split(" ", 1)[0])
    faster = goal(base=SERVED.replace("LIMITS", narrow.format(least * 0.9)))
    needs = needed(embedded, faster)
    assert needs["precision"] == "fp8"
    allowed = replace(faster, serving=replace(faster.serving, precisions=("bf16", needs["precision"])))
    assert planned(embedded, allowed).plan.picks


def test_memory_that_more_gpus_have_is_answered_with_how_many(embedded: Store) -> None:
    large = "name: large\npretraining: {llm: llama-3.1-70b, tokens: 1e9}"
    needs = needed(embedded, goal("most_gpus: 4", base=large))
    assert set(needs) == {"most_gpus"}
    assert planned(embedded, goal(f"most_gpus: {needs['most_gpus']}", base=large)).plan.picks
    assert needed(embedded, goal(f"most_gpus: {int(needs['most_gpus']) - 1}", base=large)) == needs


def test_carbon_that_is_not_known_is_further_off_than_any_that_is(embedded: Store) -> None:
    grids = "carbon: [{provider: aws, region: eu-west-1, kg_per_kwh: 0.1}]"
    known = planned(embedded, goal(grids, "providers: [aws]", "regions: [eu]")).plan.picks[0].candidate.carbon_kg
    needs = needed(embedded, goal(grids, "max_carbon_kg: 1"))
    assert needs == {"carbon": f"{known:.6g} kg"}
    with pytest.raises(Infeasible, match=r"it would be met with carbon that is not known for 3,200\.00 USD"):
        planned(embedded, goal("max_carbon_kg: 1"))


def test_an_hour_of_another_accelerator_is_no_way_to_mend_a_goal_of_hours(embedded: Store) -> None:
    assert set(needed(embedded, goal("budget: 2500"))) == {"budget", "quota"}
    assert "accelerator" not in {one.constraint for one in planned(embedded, goal()).plan.explanation.binding}
    tokens = "name: run\npretraining: {llm: llama-3.1-8b, tokens: 1e10}"
    narrow = ("accelerators: [nvidia-h100-sxm-80gb]", "providers: [cloud]")
    assert needed(embedded, goal(*narrow, base=tokens))["accelerator"] == "nvidia-a100-sxm-80gb"


def test_checkpoints_are_offered_where_a_run_without_them_would_hardly_ever_finish(embedded: Store) -> None:
    spot = ("purchases: [spot]", "providers: [aws]", "interruptions: {spot_per_hour: 0.1}")
    with pytest.raises(Infeasible) as refused:
        cheapest(embedded, *spot, "checkpoints: {on: false}")
    allowed = {one.constraint: one.needs for one in refused.value.relaxations}
    assert allowed == {"checkpoints": "on", "purchase": "on_demand"}
    assert cheapest(embedded, *spot).candidate.purchase == "spot"


def test_carbon_that_nobody_knows_keeps_no_promise(embedded: Store) -> None:
    grids = "carbon: [{provider: nimbus, kg_per_kwh: 0.5}, {provider: aws, region: eu-west-1, kg_per_kwh: 0.1}]"
    plan = planned(embedded, goal(grids, "greener_within: 1.5")).plan
    named = {name: one.candidate for one in plan.picks for name in one.names}
    assert named["greenest"].series == "market/aws/p5/eu-west-1/on_demand"
    assert named["cheapest"].carbon_kg == pytest.approx(5 * named["greenest"].carbon_kg)
    limit = f"max_carbon_kg: {named['cheapest'].carbon_kg / 2}"
    kept = planned(embedded, goal(grids, limit)).plan
    assert {one.provider for one in kept.front} == {"aws"}
    with pytest.raises(Infeasible):
        planned(embedded, goal("max_carbon_kg: 1e9"))


def test_a_plan_says_that_its_figures_are_the_middle_and_how_much_higher_the_mean_is(embedded: Store) -> None:
    tokens = "name: run\npretraining: {llm: llama-3.1-8b, tokens: 1e10}"
    plan = planned(embedded, goal(base=tokens)).plan
    best = plan.picks[0].candidate
    # Nothing interrupts it: what it takes at 90 % is the prediction's own spread of the logarithm.
    spread = log(best.finish_hours / best.expected_hours) / NormalDist().inv_cdf(0.9)
    [told] = [one for one in plan.assumptions if "as likely more as less" in one]
    assert told.endswith(f"is up to {expm1(spread**2 / 2):.1%} higher")
    assert not [one for one in planned(embedded, goal()).plan.assumptions if "middle of the prediction" in one]


def test_what_each_constraint_costs_is_told(embedded: Store) -> None:
    plan = planned(embedded, goal("providers: [aws]", "regions: [eu-*]")).plan
    saved = {one.constraint: (one.needs, one.saves) for one in plan.explanation.binding}
    assert saved == {"provider": ("nimbus", Decimal(1760)), "region": ("us-east-1 of aws", Decimal(160))}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("gpu_hours: {gpus: 0, hours: 1}", "gpu_hours.gpus: must be 1 to"),
        ("gpu_hours: {gpus: 1000000000, hours: 1}", "gpu_hours.gpus: must be 1 to"),
        ("gpu_hours: {gpus: 8, hours: -4}", "gpu_hours.hours: must be"),
        ("pretraining: {llm: llama-2-7b, tokens: 0}", "pretraining.tokens: must be above 0"),
        ("pretraining: {llm: llama-2-7b, tokens: nan}", "pretraining.tokens: must be above 0"),
        ("pretraining: {llm: llama-2-7b, tokens: 1e300}", "pretraining.tokens: must be above 0 and at most"),
        ("pretraining: {llm: lama-2-7b, tokens: 1e12}", "the nearest are"),
        (f"name: two\n{HOURS}\nfine_tuning: {{llm: x, tokens: 1}}", "not fine_tuning and gpu_hours"),
        ("name: none", "must have exactly one of"),
        (f"{HOURS}\ndeadline: 2026-03-01T00:00:00Z", "deadline: 2026-03-01T00:00:00+00:00 is past"),
        (f"{HOURS}\ndeadline: 2026-03-09T00:00:00", "deadline: must carry a UTC offset"),
        (f"{HOURS}\ndeadline: 2026-03-09T00:00:00Z\nwithin_hours: 5", "give either deadline or"),
        (f"{HOURS}\nbudget: -1", "budget: must be above 0"),
        (f"{HOURS}\nconfidence: 2", "confidence: must be 0.5 to 0.999"),
        (f"{HOURS}\naccelerators: [h1000]", "accelerators.0: 'h1000' is no accelerator"),
        (f"{HOURS}\n{RACK.replace('Berlin', 'Bonn')}", "own.0.electricity_tariff.zone: must be an IANA time zone"),
        (f"{HOURS}\n{RACK.replace('22:00', '22:05')}", "own.0.electricity_tariff.windows.0.ends"),
        (f"{HOURS}\n{RACK.replace('power_kw', 'electricity: {amount: 1}, power_kw')}", "give either electricity or"),
        (f"{HOURS}\n{HUGE}", "staff.salary.amount: must be a number from 0 to 1e15, not 1E+300"),
        (f"{HOURS}\n{HUGE.replace('300', '-300')}", "staff.salary.amount: must have at most 40 digits"),
        (
            f"{HOURS}\n{RACK.replace('power_kw: 1', 'pue: {value: 1e300}, power_kw: 1')}",
            "own.0.pue.value: must be a number",
        ),
        (f"{HOURS}\nbugdet: 3", "bugdet: is not a field; did you mean budget?"),
        (f"{HOURS}\nregions: [{', '.join(['x'] * 101)}]", "regions: must have at most 100"),
        (f"{HOURS}\nrate_card: none", "there is no rate card"),
    ],
)
def test_a_goal_that_cannot_be_meant_is_refused_by_field(embedded: Store, more: str, said: str) -> None:
    named = more if more.startswith("name:") else f"name: odd\n{more}"
    listed = "" if "accelerators:" in more or "gpu_hours" not in more else "accelerators: [nvidia-h100-sxm-80gb]"
    with pytest.raises((Invalid, NotFound)) as refused:
        planned(embedded, read_goal(f"{named}\n{listed}"))
    assert said in str(refused.value)


def test_the_largest_goal_there_is_stays_small(embedded: Store) -> None:
    wide = goal(
        "most_gpus: 131072",
        base="name: all\npretraining: {llm: llama-3.1-405b, tokens: 1e18, batch_tokens: 1e15, sequence: 1}",
    )
    with pytest.raises(Infeasible):
        planned(embedded, replace(wide, within_hours=1.0))
    asked = asked_of(
        embedded, replace(wide, pretraining=replace(wide.pretraining, tokens=1e13)), AsOf(day(NOW), day(NOW))
    )
    assert answered(asked).configurations < 200
