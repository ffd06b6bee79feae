"""Pipelines against trying every region of every stage: chains, branches that join, moves without a price."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import Invalid
from service.planning import pipelines as limits
from service.planning.pipelines import (
    DataSet,
    Egress,
    Pipeline,
    Reads,
    Stage,
    StageOffer,
    cheapest_places,
)

REGIONS = ("eu", "us", "ap")
CENTS = st.integers(0, 400).map(lambda n: Decimal(n) / 100)


@st.composite
def pipelines(draw) -> Pipeline:
    """Up to five stages, each reading any of those before it and perhaps a data set with one copy or two."""
    stages = []
    for number in range(draw(st.integers(1, 5))):
        before = [*(f"s{one}" for one in range(number)), "data"]
        reads = draw(st.lists(st.sampled_from(before), unique=True, max_size=3))
        offers = draw(st.lists(st.tuples(st.sampled_from(REGIONS), CENTS), min_size=1, max_size=4))
        stages.append(
            Stage(
                name=f"s{number}",
                offers=tuple(
                    StageOffer(name=f"o{n}", region=region, cost=cost, hours=Decimal(1))
                    for n, (region, cost) in enumerate(offers)
                ),
                reads=tuple(Reads(of=one, gb=Decimal(draw(st.integers(0, 5)))) for one in reads),
            )
        )
    pairs = draw(st.lists(st.sampled_from([*product(REGIONS, REGIONS)]), unique=True, max_size=9))
    return Pipeline(
        stages=tuple(stages),
        data_sets=(DataSet(name="data", regions=draw(st.sampled_from([("eu",), ("us", "ap")]))),),
        egress=tuple(Egress(from_region=one, to_region=other, per_gb=draw(CENTS)) for one, other in pairs),
    )


def cost_of(pipeline: Pipeline, chosen: tuple[StageOffer, ...]) -> Decimal | None:
    """What a choice costs, stage by stage and transfer by transfer; None where one has no price."""
    prices = {(one.from_region, one.to_region): one.per_gb for one in pipeline.egress} | {(r, r): 0 for r in REGIONS}
    where = {one.name: one.regions for one in pipeline.data_sets}
    cost = Decimal(0)
    for stage, offer in zip(pipeline.stages, chosen, strict=True):
        cost += offer.cost
        for read in stage.reads:
            found = [prices[one, offer.region] * read.gb for one in where[read.of] if (one, offer.region) in prices]
            if not found:
                return None
            cost += min(found)
        where[stage.name] = (offer.region,)
    return cost


@settings(max_examples=150, deadline=None)
@given(pipeline=pipelines())
def test_no_other_places_cost_less(pipeline: Pipeline) -> None:
    tried = [cost_of(pipeline, chosen) for chosen in product(*(stage.offers for stage in pipeline.stages))]
    costs = [one for one in tried if one is not None]
    if not costs:
        with pytest.raises(Invalid, match="name more pairs"):
            cheapest_places(pipeline)
        return
    found = cheapest_places(pipeline)
    assert found.cost == min(costs)
    assert found.cost == sum(one.cost for one in found.placed) + sum(one.cost for one in found.transfers)
    alone = [
        cost
        for chosen in product(*(stage.offers for stage in pipeline.stages))
        if len({one.region for one in chosen}) == 1 and (cost := cost_of(pipeline, chosen)) is not None
    ]
    assert (found.best_single.cost if found.best_single else None) == min(alone, default=None)


def stage(name: str, *reads: tuple[str, int], eu: str, us: str, hours: int = 1) -> Stage:
    return Stage(
        name=name,
        offers=(
            StageOffer(name="eu-box", region="eu", cost=Decimal(eu), hours=Decimal(hours)),
            StageOffer(name="us-box", region="us", cost=Decimal(us), hours=Decimal(hours)),
        ),
        reads=tuple(Reads(of=of, gb=Decimal(gb)) for of, gb in reads),
    )


CHAIN = Pipeline(
    stages=(
        stage("prepare", ("crawl", 50_000), eu="900", us="400", hours=20),
        stage("train", ("prepare", 2_000), eu="90000", us="60000", hours=300),
        stage("evaluate", ("train", 140), ("crawl", 10), eu="500", us="450", hours=5),
        stage("serve", ("train", 140), eu="7000", us="9000", hours=720),
    ),
    data_sets=(DataSet(name="crawl", regions=("eu",)),),
    egress=(
        Egress(from_region="eu", to_region="us", per_gb=Decimal("0.05")),
        Egress(from_region="us", to_region="eu", per_gb=Decimal("0.09")),
    ),
)


def test_the_data_are_made_small_where_they_lie_before_anything_moves() -> None:
    found = cheapest_places(CHAIN)
    assert [(one.stage, one.region) for one in found.placed] == [
        ("prepare", "eu"),
        ("train", "us"),
        ("evaluate", "us"),
        ("serve", "eu"),
    ]
    assert found.cost == 900 + 60_000 + 450 + 7000 + 2000 * Decimal("0.05") + 10 * Decimal("0.05") + 140 * Decimal(
        "0.09"
    )
    assert [(one.of, one.to, one.cost) for one in found.transfers] == [
        ("prepare", "train", 100),
        ("crawl", "evaluate", Decimal("0.5")),
        ("train", "serve", Decimal("12.6")),
    ]
    assert [one.finish_hours for one in found.placed] == [20, 320, 325, 1040]
    assert found.best_single is not None
    assert (found.best_single.region, found.best_single.cost) == (
        "us",
        400 + 60_000 + 450 + 9000 + 2500 + Decimal("0.5"),
    )
    assert "all of it in us, the cheapest single region, costs 3887.4" in found.because[0]


def test_dear_transfers_keep_everything_together() -> None:
    dear = replace(CHAIN, egress=tuple(replace(one, per_gb=Decimal(40)) for one in CHAIN.egress))
    found = cheapest_places(dear)
    assert {one.region for one in found.placed} == {"eu"}
    assert found.because == ("all stages run in eu: no move pays for itself",)


def test_what_cannot_be_meant_is_named_field_by_field() -> None:
    wrong = Pipeline(
        stages=(replace(CHAIN.stages[1], reads=(Reads(of="later", gb=Decimal(-1)),)), Stage(name="train", offers=())),
        egress=(Egress(from_region="eu", to_region="us", per_gb=Decimal(-1)),),
    )
    with pytest.raises(Invalid) as refused:
        cheapest_places(wrong)
    assert [one.field for one in refused.value.problems] == [
        "stages.0.reads.0", "stages.0.reads.0", "stages.1.offers", "stages", "egress.0.per_gb",
    ]  # fmt: skip


def everything_reads_everything(stages: int, regions: int, cost: str) -> Pipeline:
    places = tuple(
        StageOffer(name=f"r{one}", region=f"r{one}", cost=Decimal(cost), hours=Decimal(1)) for one in range(regions)
    )
    return Pipeline(
        stages=tuple(
            Stage(name=f"s{one}", offers=places, reads=tuple(Reads(of=f"s{of}", gb=Decimal(1)) for of in range(one)))
            for one in range(stages)
        ),
        egress=tuple(
            Egress(from_region=f"r{one}", to_region=f"r{other}", per_gb=Decimal(1))
            for one, other in product(range(regions), repeat=2)
        ),
    )


def test_a_stage_with_one_region_is_no_question_however_many_depend_on_it() -> None:
    assert cheapest_places(everything_reads_everything(80, 1, "1")).cost == 80


def test_what_is_settled_at_once_is_bounded_and_more_so_for_costs_of_many_digits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MOST_CASES", 100)
    assert cheapest_places(everything_reads_everything(4, 3, "1")).cost == 4
    with pytest.raises(Invalid, match="over 25 cases; offer fewer regions, or prices of fewer digits"):
        cheapest_places(everything_reads_everything(4, 3, "1." + 20 * "1"))
    with pytest.raises(Invalid, match=r"over 100 cases; offer fewer regions$"):
        cheapest_places(everything_reads_everything(5, 3, "1"))


def test_many_groups_of_stages_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def apart(groups: int) -> Pipeline:
        own = everything_reads_everything(4, 3, "1")
        return replace(
            own,
            stages=tuple(
                replace(
                    one,
                    name=f"{group}{one.name}",
                    reads=tuple(replace(read, of=f"{group}{read.of}") for read in one.reads),
                )
                for group in range(groups)
                for one in own.stages
            ),
        )

    monkeypatch.setattr(limits, "MOST_CASES", 100)
    assert cheapest_places(apart(1)).cost == 4
    with pytest.raises(Invalid, match="offer fewer regions"):
        cheapest_places(apart(2))
