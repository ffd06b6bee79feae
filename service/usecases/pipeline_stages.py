"""The stages of a pipeline with their costs in each region, as stated or as the market has them, and its transfers."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from pricing_sources.units import Unit
from service.domain.quantities import times
from service.errors import FieldProblem, Infeasible, Invalid
from service.planning.pipelines import Egress, Stage, StageOffer
from service.planning.placed_runs import runs_by_place
from service.store.store import Store
from service.usecases.goal_checks import goal_problems
from service.usecases.goal_prices import asked_of
from service.usecases.placement_questions import MOST_MOVES, PipelineAsked, StageAsked, StageOfferAsked
from service.usecases.planned_prices import PlannedPrices

ANY: Final = "*"


def stages_of(store: Store, found: PlannedPrices, asked: PipelineAsked) -> tuple[Stage, ...]:
    """Every stage with what it may run on. Raises Invalid naming the stage, Infeasible where none meets its goal."""
    stages = tuple(
        Stage(name=one.name, reads=one.reads, offers=tuple(_offers(store, found, one, f"stages.{number}")))
        for number, one in enumerate(asked.stages)
    )
    regions = {offer.region for stage in stages for offer in stage.offers}
    if sum(len(stage.reads) for stage in stages) * len(regions) ** 2 > MOST_MOVES:
        raise Invalid.field("stages", f"read too much between {len(regions)} regions; over {MOST_MOVES} moves")
    return stages


def egress_of(found: PlannedPrices, asked: PipelineAsked, stages: tuple[Stage, ...]) -> tuple[Egress, ...]:
    """Every pair of regions that has a price; the one that names most of a pair is the one that counts."""
    lie = {region for one in asked.data_sets for region in one.regions}
    regions = sorted(lie | {offer.region for stage in stages for offer in stage.offers})
    priced: dict[tuple[str, str], Decimal] = {}
    for number, one in sorted(
        enumerate(asked.egress), key=lambda told: (told[1].from_region != ANY, told[1].to_region != ANY)
    ):
        amount = found.amount(f"egress.{number}.price", one.price, Unit.GB)
        for source in regions if one.from_region == ANY else (one.from_region,):
            for target in regions if one.to_region == ANY else (one.to_region,):
                if source != target:
                    priced[source, target] = amount
    return tuple(Egress(from_region=a, to_region=b, per_gb=amount) for (a, b), amount in priced.items())


def stage_problems(asked: PipelineAsked, found: PlannedPrices) -> Iterator[FieldProblem]:
    """What a stage with a goal may not say; moving what it reads is the pipeline's own business."""
    for number, stage in enumerate(asked.stages):
        where, goal = f"stages.{number}", stage.goal
        if not stage.offers and goal is None:
            yield FieldProblem(f"{where}.offers", "is missing; give offers, or a goal to be met on the market")
        if goal is None:
            continue
        yield from (
            replace(one, field=f"{where}.goal.{one.field}") for one in goal_problems(goal, found.book.as_of.valid_at)
        )
        if goal.currency != asked.currency:
            yield FieldProblem(f"{where}.goal.currency", f"must be {asked.currency}, as that of the pipeline")
        if goal.data is not None:
            yield FieldProblem(f"{where}.goal.data", "is what the stage reads; say it in reads")


def _offers(store: Store, found: PlannedPrices, stage: StageAsked, where: str) -> Iterator[StageOffer]:
    for place, one in enumerate(stage.offers):
        yield _stated(found, one, f"{where}.offers.{place}")
    if stage.goal is None:
        return
    try:
        runs = runs_by_place(asked_of(store, stage.goal, found.book.as_of))
    except Infeasible as error:
        if stage.offers:
            return
        raise Infeasible(f"{stage.name}: {error}", error.relaxations, error.rejected) from error
    for run in runs:
        yield StageOffer(name=run.offer, region=run.place, cost=run.cost, hours=run.hours)


def _stated(found: PlannedPrices, one: StageOfferAsked, where: str) -> StageOffer:
    if (one.cost is None) == (one.price is None):
        raise Invalid.field(where, "give either the cost of the stage or a price, and not both")
    cost = one.cost
    if one.price is not None:
        cost = times(times(found.amount(f"{where}.price", one.price, one.unit), one.units), one.hours)
    return StageOffer(name=one.name, region=one.region, cost=cost or Decimal(0), hours=one.hours)
