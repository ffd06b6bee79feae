"""A fleet is an estimate of the ledger: opened, compared, bridged and reproduced like any other, on both databases."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.estimate import Estimate
from service.domain.rate_card import RateCard, RateCardEntry
from service.domain.scenario import FactorInput, PriceInput
from service.errors import Invalid
from service.planning.fleets import Need, Work
from service.planning.mixed_fleets import Load
from service.store.store import Store
from service.usecases import fleet_estimates
from service.usecases.comparisons import bridge_estimates, compare_estimates, rerun_estimate
from service.usecases.estimates import get_estimate, list_estimates
from service.usecases.fleet_estimates import called
from service.usecases.placement import PlannedFleet, plan_fleet
from service.usecases.placement_questions import FleetAsked, read_fleet
from service.usecases.rate_cards import put_rate_card
from tests.conftest import day
from tests.store.conftest import Learn
from tests.usecases.market import MARKET, learn_market
from tests.usecases.test_cost_history import learn_rates
from tests.usecases.test_placement import FLEET, H100, LATER, MARCH, MAY, OFFER, STATED
from tests.usecases.test_serving_fleets import GOAL, asked

A100 = "nimbus/a100/global/on_demand"
D = Decimal
JOBS = (
    Work(name="Job 1", needs=(Need(accelerator="H100", gpus=D(10), hours=D(5)),)),
    Work(name="the rest", needs=(Need(accelerator="H100", gpus=D(8), hours=D(100)),)),
)


def planned(store: Store, question: FleetAsked, as_of: AsOf = MARCH) -> PlannedFleet:
    return plan_fleet(store, question, as_of, now=LATER)


def kept(store: Store, found: PlannedFleet) -> Estimate:
    return get_estimate(store, found.estimate_id or "").estimate


def lines(store: Store, found: PlannedFleet) -> dict[str, tuple[Decimal, Decimal, str | None]]:
    """By line: how much, at what price, of which series."""
    items = kept(store, found).line_items
    return {one.name: (one.pricing_quantity, one.list_unit_price, one.price_series) for one in items}


def causes(store: Store, before: PlannedFleet, after: PlannedFleet) -> dict[str, Decimal]:
    found = bridge_estimates(store, before.estimate_id or "", after.estimate_id or "").bridge
    assert found.before + sum(one.amount for one in found.effects) == found.after
    return {one.cause: one.amount for one in found.effects if one.amount}


@pytest.fixture
def world(store: Store, learn: Learn) -> Store:
    """A price that falls in May, and another that does not move."""
    learn("h100 2.20 2026-03-01", "a100 1.50 2026-03-01", on="2026-03-01")
    learn("h100 2.00 2026-05-01", on="2026-05-01")
    return store


@pytest.fixture
def market(store: Store, clock) -> Store:
    learn_market(store, clock)
    return store


def served(store: Store, goal: str = GOAL, on: str = "2026-03-02", **more: str) -> PlannedFleet:
    return plan_fleet(store, read_fleet(asked(goal, **more)), AsOf(day(on), day(on)), now=day(on))


def test_a_mix_for_a_load_is_an_estimate_of_a_month_to_the_last_digit(world: Store) -> None:
    found = planned(world, replace(FLEET, load=Load(throughput=D(24_000))))
    estimate = kept(world, found)
    assert lines(world, found) == {"gpu_hours.h100": (D(24 * 730), D("2.20"), H100)}
    assert (found.hours, found.cost) == (730, found.mix.cost_hour * 730)
    assert estimate.total == found.cost
    assert any("a month of 730 hours" in one for one in found.assumptions)
    assert [one.price.series for one in estimate.prices] == [H100]
    assert [one.estimate_id for one in list_estimates(world)] == [found.estimate_id]


def test_the_same_question_twice_is_one_estimate_and_asked_again_it_has_the_same_bytes(
    world: Store, learn: Learn
) -> None:
    found = planned(world, FLEET)
    assert planned(world, FLEET).estimate_id == found.estimate_id
    learn("h100 9.99 2026-03-01", on="2026-08-03")
    again = rerun_estimate(world, found.estimate_id or "", None, now=day("2026-08-04"))
    assert again.same_bytes
    assert again.estimate.estimate_id == found.estimate_id
    later = AsOf(day("2026-08-04"), day("2026-08-04"))
    assert not rerun_estimate(world, found.estimate_id or "", later, now=day("2026-08-04")).same_bytes


def test_a_later_bridge_explains_a_fleet_price_by_price(world: Store) -> None:
    cheaper = replace(STATED, price=PriceInput(amount=D("15.2")), machines=1)
    question = replace(FLEET, offers=(OFFER, cheaper))
    before, after = planned(world, question), planned(world, question, MAY)
    assert set(lines(world, before)) == {"gpu_hours.h100", "gpu_hours.stated"}
    assert causes(world, before, after) == {"offer_price": D("-0.20") * 16 * 730}
    more = planned(world, replace(question, load=Load(throughput=D(40_000))), MAY)
    assert causes(world, after, more) == {"scope": D("2.00") * 16 * 730}
    compared = compare_estimates(world, [before.estimate_id or "", after.estimate_id or ""])
    assert compared.totals == (before.cost, after.cost)


def test_a_fleet_that_moves_to_another_offer_is_told_as_that(world: Store) -> None:
    other = replace(OFFER, name="a100", price=PriceInput(series=A100))
    question = replace(FLEET, offers=(OFFER, other))
    before, after = planned(world, question), planned(world, replace(question, offers=(OFFER,)), MAY)
    assert (set(lines(world, before)), set(lines(world, after))) == ({"gpu_hours.a100"}, {"gpu_hours.h100"})
    assert set(causes(world, before, after)) == {"offer_switch", "offer_price"}
    fewer = planned(world, replace(question, load=Load(throughput=D(16_000))))
    assert causes(world, before, fewer) == {"scope": D("-1.50") * 8 * 730}


def test_a_stated_price_stays_stated_and_one_per_machine_becomes_one_per_gpu(world: Store) -> None:
    euros = replace(STATED, price=PriceInput(amount=D("16.8")), name="8 boxes")
    found = planned(world, replace(FLEET, offers=(euros,)))
    assert lines(world, found) == {"gpu_hours.n_8_boxes": (D(24 * 730), D("2.1"), None)}
    assert kept(world, found).prices == ()
    assert [one for one in found.assumptions if one.startswith("8 boxes: its price is per machine (as stated)")]
    by_gpu = replace(euros, unit=Unit.GPU_HOUR, price=PriceInput(amount=D("2.1")))
    again = planned(world, replace(FLEET, offers=(by_gpu,)))
    assert again.estimate_id == found.estimate_id
    assert not [one for one in again.assumptions if "per machine" in one]


def test_a_series_per_machine_stands_as_an_amount_and_the_answer_says_so(market: Store) -> None:
    box = replace(OFFER, name="box", price=PriceInput(series="market/odd/x/eu-1/on_demand"), unit=Unit.INSTANCE_HOUR)
    found = planned(market, replace(FLEET, offers=(box,)))
    assert lines(market, found) == {"gpu_hours.box": (D(24 * 730), D("1.125"), None)}
    assert [one.series for one in found.prices] == ["market/odd/x/eu-1/on_demand"]
    assert any("market/odd/x/eu-1/on_demand, which a bridge cannot follow" in one for one in found.assumptions)


def test_gpus_that_do_not_divide_a_price_leave_no_more_than_a_billionth(world: Store) -> None:
    odd = replace(STATED, gpus=D(7), price=PriceInput(amount=D("20")))
    found = planned(world, replace(FLEET, offers=(odd,)))
    assert float(found.cost) == pytest.approx(60 * 730, rel=1e-12)


def test_a_fleet_in_another_currency_is_priced_at_the_rate_it_was_searched_at(world: Store, clock) -> None:
    learn_rates(world, clock, "2026-04-10")
    found = planned(world, replace(FLEET, currency="EUR", offers=(OFFER,)), MAY)
    assert found.cost == found.mix.cost_hour * 730
    assert [(one.from_currency, one.to_currency) for one in kept(world, found).fx_rates] == [("USD", "EUR")]


def test_what_a_provider_costs_on_top_is_not_in_the_estimate_and_the_answer_says_so(world: Store) -> None:
    found = planned(world, replace(FLEET, load=Load(throughput=D(24_000), per_provider_hour=D(3)), offers=(OFFER,)))
    assert found.mix.cost_hour == D("2.20") * 24 + 3
    assert found.cost == D("2.20") * 24 * 730
    assert any("3 an hour for having the providers, 3 each" in one for one in found.assumptions)


def test_an_answer_its_estimate_does_not_agree_with_is_not_given(world: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    dearer = PriceInput(amount=D("2.2000001"))
    monkeypatch.setattr(fleet_estimates, "gpu_hour_price", lambda found, one: dearer)
    with pytest.raises(AssertionError, match=r"searched at 38544, priced at 38544\.001752"):
        planned(world, replace(FLEET, offers=(OFFER,)))
    assert list_estimates(world) == []


def test_before_anything_is_recorded_a_question_of_stated_prices_is_answered_and_not_kept(store: Store) -> None:
    found = planned(store, replace(FLEET, offers=(STATED,)))
    assert (found.estimate_id, found.cost, found.hours) == (None, 60 * 730, 730)
    assert any("is not kept as an estimate" in one for one in found.assumptions)


def test_works_are_lines_called_as_they_are_each_for_its_own_hours(world: Store) -> None:
    question = replace(FLEET, load=None, works=JOBS, offers=(OFFER, replace(STATED, machines=1)))
    found = planned(world, question)
    assert lines(world, found) == {
        "gpu_hours.job_1": (D(16 * 5), D("2.20"), H100),
        "gpu_hours.the_rest": (D(8 * 100), D("2.20"), H100),
    }
    assert (found.cost, found.hours) == (found.plan.cost, None)
    assert kept(world, found).scenario.name == "a fleet of 2 works"


def test_a_work_that_moves_to_another_offer_is_told_as_that(world: Store) -> None:
    question = replace(FLEET, load=None, works=JOBS, offers=(OFFER,))
    other = replace(OFFER, name="a100", price=PriceInput(series=A100))
    before, after = planned(world, question), planned(world, replace(question, offers=(OFFER, other)))
    assert causes(world, before, after) == {"offer_switch": D("-0.70") * 880}
    cheaper = planned(world, question, MAY)
    assert causes(world, before, cheaper) == {"offer_price": D("-0.20") * 880}


def test_a_service_is_priced_for_its_hours_by_the_series_of_the_market(market: Store) -> None:
    found = served(market, GOAL.replace("300}", "300, hours: 1000}"), load="{left_without_provider: 0.6}")
    assert found.hours == 1000
    assert float(found.cost) == pytest.approx(float(found.mix.cost_hour) * 1000, rel=1e-9)
    bought = {series for _, _, series in lines(market, found).values()}
    assert bought == {one.offer for one in found.mix.rented}
    assert len(bought) > 1
    assert kept(market, found).scenario.name == "chat: a fleet"
    assert {one.price.series for one in kept(market, found).prices} >= bought


def test_how_sure_the_prediction_is_makes_the_band_of_a_service(market: Store) -> None:
    scenario = kept(market, served(market)).scenario
    [spread] = scenario.spreads
    assert spread.input == "training.machines.0.gpus"
    assert spread.low < scenario.training.machines[0].gpus < spread.high


def test_a_fleet_whose_market_moved_is_bridged_by_what_moved(market: Store, clock) -> None:
    before = served(market, GOAL + "\nproviders: [nimbus]")
    learn_market(market, clock, MARKET.replace("8 2.00 USD", "8 1.80 USD"), on="2026-04-01")
    after = served(market, GOAL + "\nproviders: [nimbus]", on="2026-04-02")
    assert set(causes(market, before, after)) == {"offer_price"}


def test_machines_of_ones_own_beside_rented_ones_pay_their_electricity_and_rented_ones_do_not(market: Store) -> None:
    own = (
        "\nown: [{name: rack, accelerator: nvidia-h100-sxm-80gb, gpus: 8, gpu_hour: {amount: 0.9}, power_kw: 1.25,"
        " electricity: {amount: 0.20}, pue: {value: 1.2}}]"
    )
    found = served(market, GOAL + own, load="{left_without_provider: 0.3}")
    rented = {one.offer for one in found.mix.rented}
    assert "own/rack" in rented
    assert len(rented) > 1
    bought = lines(market, found)
    assert bought["gpu_hours.own_rack"] == (D(8 * 730), D("0.9"), None)
    assert bought["electricity.own_rack"] == (D(8 * 730) * D("1.5"), D("0.20"), None)
    assert [name for name in bought if name.startswith("electricity")] == ["electricity.own_rack"]
    mine = next(one for one in kept(market, found).scenario.training.machines if one.name == "own_rack")
    assert mine.pue == FactorInput(value=D("1.2"))


def test_electricity_of_ones_own_by_the_hour_is_bought_in_its_windows(market: Store) -> None:
    rack = """
own:
  - {name: rack, accelerator: nvidia-h100-sxm-80gb, gpus: 80, gpu_hour: {amount: 0.5}, power_kw: 1, electricity_tariff:
      {zone: Europe/Berlin, otherwise: {amount: 0.1}, windows: [{name: work, begins: "06:00", price: {amount: 0.5}}]}}
"""
    found = served(market, GOAL + rack.rstrip())
    assert set(lines(market, found)) == {
        "gpu_hours.own_rack",
        "electricity.own_rack.work",
        "electricity.own_rack.otherwise",
    }


def test_a_reservation_in_a_fleet_is_paid_to_the_end_of_its_term(market: Store) -> None:
    found = served(market, GOAL + "\npurchases: [reserved_1y]")
    [(quantity, price, _)] = lines(market, found).values()
    machines = found.mix.rented[0].machines
    assert (quantity, price) == (machines * 8 * 8760, 1)
    assert any("is paid for 8760 hours: its terms bind for so long" in one for one in found.assumptions)


def test_a_rate_card_is_what_market_machines_and_those_named_by_their_series_pay(market: Store) -> None:
    card = RateCard(
        name="agreed",
        entries=(RateCardEntry(provider="aws", purchase="on_demand", discount=D("0.9"), note="the contract"),),
    )
    put_rate_card(market, card, now=day("2026-03-01T12:00"))
    by_market = served(market, GOAL + "\nrate_card: agreed")
    assert kept(market, by_market).line_items[0].contract == "the contract"
    mine = (
        "[{name: ours, provider: aws, region: us-east-1, accelerator: H100, gpus: 8, throughput: 1e5,"
        " price: {series: market/aws/p5/us-east-1/on_demand}}]"
    )
    stated = served(market, GOAL + "\nrate_card: agreed", offers=mine)
    assert [one.offer for one in stated.mix.rented] == ["ours"]
    assert stated.mix.cost_hour == 8 * D("0.3")
    assert stated.cost == stated.mix.cost_hour * 730


def test_a_name_of_ones_own_is_what_the_ledger_calls_it(world: Store) -> None:
    found = planned(world, replace(FLEET, name="inference, north"))
    assert kept(world, found).scenario.name == "inference, north"
    for wrong in ("", "x" * 201):
        with pytest.raises(Invalid) as refused:
            planned(world, replace(FLEET, name=wrong))
        assert [one.field for one in refused.value.problems] == ["name"]


def test_offers_whose_names_a_scenario_would_write_alike_are_told_apart() -> None:
    alike = called(["p5 spot", "p5-spot", "x" * 300, "東京"])
    assert len(set(alike)) == 4
    assert all(len(one) <= 120 for one in alike)
    assert alike[0].startswith("p5_spot_")


def test_offers_of_names_that_look_alike_are_lines_of_their_own(world: Store) -> None:
    pair = tuple(replace(OFFER, name=name, machines=2) for name in ("h100 a", "h100-a"))
    found = planned(world, replace(FLEET, offers=pair))
    assert len(lines(world, found)) == 2
    assert found.cost == D("2.20") * 24 * 730
