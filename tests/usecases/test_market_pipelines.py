"""Stages that are goals: each runs where the market and the moving of what it reads are cheapest together."""

from dataclasses import replace
from decimal import Decimal

import pytest

from service.domain.as_of import AsOf
from service.errors import Infeasible, Invalid
from service.store.store import Store
from service.usecases.placement import PlannedPipeline, plan_pipeline
from service.usecases.placement_questions import PipelineAsked, read_pipeline
from service.usecases.plan_questions import read_goal
from service.usecases.plans import new_plan
from tests.conftest import day
from tests.usecases.market import learn_market

NOW = AsOf(day("2026-03-02"), day("2026-03-02"))
GOAL = "name: an ablation\ngpu_hours: {gpus: 16, hours: 100, together: 8}\naccelerators: [nvidia-h100-sxm-80gb]"
PIPELINE = """
data_sets: [{name: text, regions: [aws/us-east-1]}]
stages:
  - name: train
    goal: {name: an ablation, gpu_hours: {gpus: 16, hours: 100, together: 8}, accelerators: [nvidia-h100-sxm-80gb]}
    reads: [{of: text, gb: 1000}]
  - name: publish
    offers: [{name: shelf, region: aws/us-east-1, cost: 10}]
    reads: [{of: train, gb: 10}]
egress:
  - {from_region: "*", price: {amount: 0.5}}
"""


@pytest.fixture
def market(store: Store, clock) -> Store:
    learn_market(store, clock)
    return store


def planned(store: Store, text: str = PIPELINE) -> PlannedPipeline:
    return plan_pipeline(store, read_pipeline(text), NOW)


def places(found: PlannedPipeline) -> list[str]:
    return [one.region for one in found.plan.placed]


def test_a_stage_runs_where_the_goal_is_cheapest_when_moving_costs_little(market: Store) -> None:
    cheapest = new_plan(market, read_goal(GOAL), NOW, now=NOW.known_at).plan.picks[0]
    found = planned(market)
    assert places(found) == ["nimbus/eu-west-1", "aws/us-east-1"]
    assert found.plan.placed[0].offer == cheapest.candidate.series
    assert found.plan.placed[0].cost == cheapest.cost
    assert found.plan.cost == cheapest.cost + 1000 * Decimal("0.5") + 10 + 10 * Decimal("0.5")
    assert [one.series for one in found.prices] == [cheapest.candidate.series]


def test_a_stage_stays_with_its_data_when_moving_them_costs_more_than_it_saves(market: Store) -> None:
    found = planned(market, PIPELINE.replace("amount: 0.5", "amount: 5"))
    assert places(found) == ["aws/us-east-1", "aws/us-east-1"]
    assert found.plan.cost == 16 * 100 * 3 + 10
    assert found.plan.transfers == ()


def test_the_price_that_names_most_of_a_pair_counts(market: Store) -> None:
    dear = "  - {from_region: aws/us-east-1, price: {amount: 9}}\n"
    to_nimbus = '  - {from_region: "*", to_region: nimbus/eu-west-1, price: {amount: 0}}\n'
    pair = "  - {from_region: aws/us-east-1, to_region: nimbus/eu-west-1, price: {amount: 0}}\n"
    assert places(planned(market, PIPELINE + dear + to_nimbus))[0] == "aws/us-east-1"
    assert places(planned(market, PIPELINE + dear + to_nimbus + pair))[0] == "nimbus/eu-west-1"


def test_constraints_of_a_goal_hold_for_its_stage(market: Store) -> None:
    found = planned(market, PIPELINE.replace("{name: an ablation,", "{name: an ablation, providers: [aws],"))
    assert places(found)[0] == "aws/us-east-1"


def test_a_goal_nothing_meets_leaves_what_is_stated_or_says_why(market: Store) -> None:
    never = PIPELINE.replace("{name: an ablation,", "{name: an ablation, budget: 1,")
    with pytest.raises(Infeasible, match=r"train: nothing meets the goal; it would be met with budget"):
        planned(market, never)
    ours = never.replace(
        "    reads: [{of: text", "    offers: [{name: ours, region: cellar, cost: 900}]\n    reads: [{of: text"
    )
    assert places(planned(market, ours))[0] == "cellar"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("offers: [{name: shelf, region: aws/us-east-1, cost: 10}]", "offers: []", "stages.1.offers"),
        ("gpus: 16", "gpus: 0", "stages.0.goal.gpu_hours.gpus"),
        ("{name: an ablation,", "{name: an ablation, currency: EUR,", "stages.0.goal.currency"),
        (
            "{name: an ablation,",
            "{name: an ablation, data: {volume_tb: 1, provider: aws, egress: {amount: 1}},",
            "stages.0.goal.data",
        ),
    ],
)
def test_what_a_stage_cannot_be_asked_is_refused_by_field(market: Store, old: str, new: str, field: str) -> None:
    with pytest.raises(Invalid) as problem:
        planned(market, PIPELINE.replace(old, new))
    assert field in {one.field for one in problem.value.problems}


def test_the_same_moment_gives_the_same_answer_whatever_was_learned_since(market: Store, clock) -> None:
    asked: PipelineAsked = read_pipeline(PIPELINE)
    before = plan_pipeline(market, asked, NOW)
    learn_market(market, clock, "nimbus n8 eu-west-1 on_demand H100_SXM 8 9.00 USD\n", on="2026-04-01")
    assert plan_pipeline(market, asked, NOW) == before
    later = plan_pipeline(market, asked, replace(NOW, valid_at=day("2026-04-02"), known_at=day("2026-04-02")))
    assert later.plan.cost > before.plan.cost
