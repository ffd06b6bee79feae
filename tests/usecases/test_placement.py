"""Fleets and pipelines over recorded prices: as of a moment, in one currency, cited; what has no price is refused."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.scenario import PriceInput
from service.errors import Invalid
from service.planning.fleets import Need, Work
from service.planning.mixed_fleets import Load
from service.planning.pipelines import DataSet, Reads
from service.store.store import Store
from service.usecases.placement import plan_fleet, plan_pipeline
from service.usecases.placement_questions import (
    EgressAsked,
    FleetAsked,
    FleetOfferAsked,
    PipelineAsked,
    StageAsked,
    StageOfferAsked,
    read_fleet,
    read_pipeline,
)
from tests.conftest import day
from tests.store.conftest import Learn
from tests.usecases.test_cost_history import learn_rates

H100 = "nimbus/h100/global/on_demand"
MARCH, MAY = AsOf(day("2026-03-02"), day("2026-08-01")), AsOf(day("2026-05-02"), day("2026-08-01"))
LATER = day("2026-08-02")
OFFER = FleetOfferAsked(
    name="h100",
    provider="nimbus",
    region="eu",
    accelerator="H100",
    gpus=Decimal(8),
    price=PriceInput(series=H100),
    throughput=Decimal(8000),
)
STATED = replace(OFFER, name="stated", price=PriceInput(amount=Decimal(20)), unit=Unit.INSTANCE_HOUR)
FLEET = FleetAsked(load=Load(throughput=Decimal(24_000)), offers=(OFFER, STATED))
PIPELINE = PipelineAsked(
    data_sets=(DataSet(name="text", regions=("us",)),),
    stages=(
        StageAsked(
            name="train",
            reads=(Reads(of="text", gb=Decimal(1000)),),
            offers=(
                StageOfferAsked(
                    name="here", region="us", hours=Decimal(10), units=Decimal(8), price=PriceInput(series=H100)
                ),
                StageOfferAsked(name="there", region="eu", hours=Decimal(10), cost=Decimal(150)),
            ),
        ),
    ),
    egress=(EgressAsked(from_region="us", price=PriceInput(amount=Decimal("0.05"))),),
)


def _long(hours: Decimal) -> Work:
    return Work(name="x", needs=(Need(accelerator="H100", gpus=Decimal(8), hours=hours),))


def refused(problem: pytest.ExceptionInfo[Invalid]) -> set[str]:
    return {one.field for one in problem.value.problems}


def test_a_fleet_is_made_of_the_prices_in_force_and_cites_them(store: Store, learn: Learn) -> None:
    learn("h100 3.00 2026-03-01", on="2026-03-01")
    learn("h100 2.00 2026-05-01", on="2026-05-01")
    then, later = plan_fleet(store, FLEET, MARCH, now=LATER), plan_fleet(store, FLEET, MAY, now=LATER)
    assert [(one.offer, one.machines) for one in then.mix.rented] == [("stated", 3)]
    assert [(one.offer, one.machines) for one in later.mix.rented] == [("h100", 3)]
    assert (then.mix.cost_hour, later.mix.cost_hour) == (60, 48)
    assert [(one.series, one.amount) for one in later.prices] == [(H100, 2)]
    assert later.plan is None


def test_works_are_placed_at_prices_of_machines_or_of_gpus(store: Store, learn: Learn) -> None:
    learn("h100 3.00 2026-03-01", on="2026-03-01")
    job = Work(name="job", needs=(Need(accelerator="H100", gpus=Decimal(10), hours=Decimal(5)),))
    found = plan_fleet(store, replace(FLEET, load=None, works=(job,)), MARCH, now=LATER)
    assert [(one.offer, one.machines, one.cost) for one in found.plan.assigned] == [("stated", 2, 200)]
    assert found.mix is None


def test_a_pipeline_moves_when_the_price_does(store: Store, learn: Learn) -> None:
    learn("h100 3.00 2026-03-01", on="2026-03-01")
    learn("h100 2.00 2026-05-01", on="2026-05-01")
    then, later = plan_pipeline(store, PIPELINE, MARCH), plan_pipeline(store, PIPELINE, MAY)
    assert ([one.region for one in then.plan.placed], then.plan.cost) == (["eu"], 200)
    assert ([one.region for one in later.plan.placed], later.plan.cost) == (["us"], 160)
    free = EgressAsked(from_region="us", to_region="eu", price=PriceInput(amount=Decimal(0)))
    assert plan_pipeline(store, replace(PIPELINE, egress=(free, *PIPELINE.egress)), MAY).plan.cost == 150


def test_prices_of_another_currency_are_converted_and_the_rate_cited(store: Store, learn: Learn, clock) -> None:
    learn_rates(store, clock, "2026-04-10")
    learn("h100 2.10 2026-03-01", on="2026-04-11")
    euros = plan_fleet(store, replace(FLEET, currency="EUR", offers=(OFFER,)), MAY, now=LATER)
    assert float(euros.mix.cost_hour) == pytest.approx(24 * 2.0)
    assert [(one.from_currency, one.to_currency) for one in euros.fx_rates] == [("USD", "EUR")]
    pipeline = plan_pipeline(store, replace(PIPELINE, currency="EUR"), MAY)
    assert float(pipeline.plan.cost) == pytest.approx(160)


def test_nothing_is_free_by_accident(store: Store, learn: Learn) -> None:
    learn("a100 3.00 2026-03-01", on="2026-03-01")
    with pytest.raises(Invalid, match=r"offers\.0\.price\.series: nimbus/h100/.*or state an amount"):
        plan_fleet(store, FLEET, MARCH, now=LATER)
    with pytest.raises(Invalid, match=r"offers\.0\.throughput: is missing"):
        plan_fleet(store, replace(FLEET, offers=(replace(STATED, throughput=None),)), MARCH, now=LATER)
    bare = replace(PIPELINE.stages[0], offers=(StageOfferAsked(name="x", region="us"),))
    with pytest.raises(Invalid, match=r"stages\.0\.offers\.0: give either the cost of the stage or a price"):
        plan_pipeline(store, replace(PIPELINE, stages=(bare,)), MARCH)
    there = replace(PIPELINE.stages[0], offers=PIPELINE.stages[0].offers[1:])
    with pytest.raises(Invalid, match="no choice of regions has a price for every transfer"):
        plan_pipeline(store, replace(PIPELINE, stages=(there,), egress=()), MARCH)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"load": None}, "works"),
        ({"works": (Work(name="x", needs=()),)}, "works"),
        ({"offers": ()}, "offers"),
        ({"offers": (STATED,) * 1001}, "offers"),
        ({"offers": (replace(STATED, gpus=Decimal(0)),)}, "offers.0.gpus"),
        ({"load": Load(throughput=Decimal(-1))}, "load.throughput"),
        ({"offers": (replace(STATED, price=PriceInput(amount=Decimal("1e16"))),)}, "offers.0.price.amount"),
        ({"offers": (replace(STATED, price=PriceInput(amount=Decimal("1e-41"))),)}, "offers.0.price.amount"),
        ({"offers": (replace(STATED, gpus=Decimal("8e16")),)}, "offers.0.gpus"),
        ({"load": None, "works": (_long(Decimal("2e15")),)}, "works.0.needs.0.hours"),
    ],
)
def test_a_fleet_that_cannot_be_meant_is_refused_by_field(store: Store, change: dict, field: str) -> None:
    with pytest.raises(Invalid) as problem:
        plan_fleet(store, replace(FLEET, **{"offers": (STATED,), **change}), MARCH, now=LATER)
    assert field in refused(problem)


def test_a_pipeline_that_cannot_be_meant_is_refused_by_field(store: Store, learn: Learn) -> None:
    learn("h100 3.00 2026-03-01", on="2026-03-01")
    stage = PIPELINE.stages[0]
    [egress] = PIPELINE.egress
    many = tuple(StageOfferAsked(name=f"o{n}", region=f"r{n}", cost=Decimal(1)) for n in range(1500))
    for change, field in (
        ({"stages": ()}, "stages"),
        ({"stages": (stage,) * 101}, "stages"),
        ({"stages": (replace(stage, offers=many),)}, "stages"),
        ({"egress": (egress, egress)}, "egress"),
        ({"stages": (replace(stage, reads=(Reads(of="nothing", gb=Decimal(1)),)),)}, "stages.0.reads.0"),
        ({"stages": (replace(stage, offers=(replace(stage.offers[1], hours=Decimal(-1)),)),)}, "stages.0.offers.0"),
    ):
        with pytest.raises(Invalid) as problem:
            plan_pipeline(store, replace(PIPELINE, **change), MARCH)
        assert field in refused(problem), field


def test_a_large_question_is_given_up_by_the_search_and_proven_by_the_solver(store: Store) -> None:
    pytest.importorskip("highspy")
    offers = tuple(
        replace(
            STATED,
            name=f"o{n}",
            provider=f"p{n % 9}",
            region=f"r{n % 7}",
            throughput=Decimal(900 + n * 7919 % 1000),
            price=PriceInput(amount=Decimal(100 + n * 104729 % 900)),
            machines=2,
        )
        for n in range(350)
    )
    load = Load(throughput=Decimal(50_000), left_without_region=Decimal("0.5"), most_providers=3)
    mix = plan_fleet(store, replace(FLEET, load=load, offers=offers), MARCH, now=LATER).mix
    assert mix.throughput >= 50_000
    assert mix.proof == "solver"


@pytest.mark.parametrize(
    "text", ["[]", "offers: 3", "load: {throughput: .nan}\noffers: []", "{works: [], surprise: 1}"]
)
def test_a_text_that_is_no_question_is_refused(text: str) -> None:
    for read in (read_fleet, read_pipeline):
        with pytest.raises(Invalid):
            read(text)
