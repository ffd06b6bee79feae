"""Where things run, over prices as of a moment: fleets of work or for a load, pipelines across regions."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.price_book import FxRate, Price
from service.domain.quantities import times
from service.errors import FieldProblem, Infeasible, Invalid, NoData
from service.estimating.validation import LARGEST, LONGEST_NAME, MOST_DIGITS
from service.planning.answering import Asked
from service.planning.carriers import MarketSearched, carriers
from service.planning.fleets import FleetOffer, FleetPlan, Quota, cheapest_fleet
from service.planning.mixed_fleets import Load, LoadOffer, MixedFleet, cheapest_mix
from service.planning.pipelines import Pipeline, PipelinePlan, cheapest_places
from service.planning.refusals import refuse
from service.store.store import Store
from service.usecases.estimates import keep, price_scenario
from service.usecases.fleet_estimates import (
    Fleet,
    fleet_assumptions,
    fleet_of_mix,
    fleet_of_works,
    fleet_priced,
    one_gpu_hour,
)
from service.usecases.goal_prices import asked_of
from service.usecases.pipeline_stages import egress_of, stage_problems, stages_of
from service.usecases.placement_questions import (
    MOST_OFFERS,
    MOST_PLACEMENTS,
    MOST_STAGES,
    MOST_WORKS,
    FleetAsked,
    FleetOfferAsked,
    PipelineAsked,
    load_of,
    serving_problems,
)
from service.usecases.planned_prices import PlannedPrices


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFleet:
    """A fleet, and the prices it was made of."""

    as_of: AsOf
    currency: str
    plan: FleetPlan | None
    """Which work runs where, where the question names works."""
    mix: MixedFleet | None
    """Which machines carry the load, where it names one."""
    market: MarketSearched | None = None
    """What became of the market, where a goal asks for it."""
    estimate_id: str | None = None
    """The estimate of the ledger that this is; null before the first refresh, when nothing can be kept."""
    hours: Decimal | None = None
    """For how long the mix is priced [hours]; works have hours of their own."""
    cost: Decimal | None = None
    """Of all of it, as the estimate says [currency]."""
    assumptions: tuple[str, ...] = ()
    """What the estimate takes for granted, and what is not in it."""
    prices: tuple[Price, ...]
    fx_rates: tuple[FxRate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPipeline:
    """Where each stage runs, and the prices behind it."""

    as_of: AsOf
    currency: str
    plan: PipelinePlan
    prices: tuple[Price, ...]
    fx_rates: tuple[FxRate, ...]


def plan_fleet(store: Store, asked: FleetAsked, as_of: AsOf, *, now: datetime) -> PlannedFleet:
    """The cheapest assignment of works, or the cheapest mix for a load, kept as an estimate.

    The same question twice is the same estimate. Raises Invalid, NoData.
    """
    refuse(_fleet_problems(asked, as_of))
    if asked.goal is not None:
        return _serving_fleet(store, asked, asked_of(store, asked.goal, as_of), now)
    found = PlannedPrices.of(store, as_of, asked)
    plan, mix = None, None
    if asked.load is None:
        plan = cheapest_fleet(asked.works, [_offer(found, one, n) for n, one in enumerate(asked.offers)], asked.quotas)
        fleet = fleet_of_works(asked, found, plan)
    else:
        carried = [_carrier(found, one, n) for n, one in enumerate(asked.offers)]
        mix = cheapest_mix(asked.load, carried, asked.quotas)
        fleet = fleet_of_mix(asked, found, mix, carried)
    prices, fx_rates = found.cited()
    planned = PlannedFleet(
        as_of=found.book.as_of, currency=asked.currency, plan=plan, mix=mix, prices=prices, fx_rates=fx_rates
    )
    return _kept(store, planned, fleet, tuple(fleet_assumptions(asked, fleet, mix)), now)


def _serving_fleet(store: Store, asked: FleetAsked, known: Asked, now: datetime) -> PlannedFleet:
    """The cheapest mix of all machines on the market, and those stated, that serve what a goal says."""
    found = PlannedPrices.of(store, known.as_of, asked)
    load = load_of(known.goal, asked.load or Load())
    made = carriers(known, float(load.throughput))
    stated = [
        _at_agreed_price(store, known, one, _carrier(found, one, number)) for number, one in enumerate(asked.offers)
    ]
    if not (stated or made.offers):
        lost = made.market.rejected
        told = ", ".join(f"{one.offers} {one.constraint}" for one in lost)
        raise Infeasible(f"no machine carries any of it ({made.market.offers} offers: {told})", rejected=lost)
    at_once = Quota(name="goal.most_gpus", gpus=Decimal(known.goal.most_gpus))
    every = [*stated, *made.offers]
    mix = cheapest_mix(load, every, [*asked.quotas, at_once])
    fleet = fleet_of_mix(asked, found, mix, every)
    found.cite(store, [one.offer for one in mix.rented])
    prices, fx_rates = found.cited()
    planned = PlannedFleet(
        as_of=known.as_of,
        currency=asked.currency,
        plan=None,
        mix=mix,
        market=made.market,
        prices=prices,
        fx_rates=fx_rates,
    )
    return _kept(store, planned, fleet, tuple(fleet_assumptions(asked, fleet, mix)), now)


def _kept(
    store: Store, planned: PlannedFleet, fleet: Fleet, assumptions: tuple[str, ...], now: datetime
) -> PlannedFleet:
    """The answer with its estimate, which is put into the ledger with its band."""
    hours = None if planned.mix is None else fleet.hours
    try:
        estimate = fleet_priced(store, fleet, planned.as_of)
    except NoData:
        # Only a question of stated prices comes so far: every other has asked for a book of them before.
        untold = "no prices are recorded as of then, so that the answer is not kept as an estimate"
        return replace(planned, hours=hours, cost=fleet.cost, assumptions=(*assumptions, untold))
    stored = keep(store, estimate, now=now)
    return replace(planned, estimate_id=stored.estimate_id, hours=hours, cost=estimate.total, assumptions=assumptions)


def _at_agreed_price(store: Store, known: Asked, one: FleetOfferAsked, offer: LoadOffer) -> LoadOffer:
    """An offer named by its series, at what the rate card of the goal makes of it: so are those of the market."""
    card = known.goal.rate_card
    if card is None or one.price.series is None or one.unit is not Unit.GPU_HOUR:
        return offer
    hour = price_scenario(store, one_gpu_hour(one.price, known.goal.currency, card), known.as_of)
    return replace(offer, machine_hour=times(hour.total, one.gpus))


def plan_pipeline(store: Store, asked: PipelineAsked, as_of: AsOf) -> PlannedPipeline:
    """The cheapest region and offer of every stage. Raises Invalid, NoData, Infeasible where nothing meets a goal."""
    refuse(_pipeline_problems(asked))
    found = PlannedPrices.of(store, as_of, asked)
    refuse(stage_problems(asked, found))
    stages = stages_of(store, found, asked)
    egress = egress_of(found, asked, stages)
    plan = cheapest_places(Pipeline(stages=stages, data_sets=asked.data_sets, egress=egress))
    of_goals = {stage.name for stage in asked.stages if stage.goal is not None}
    found.cite(store, [one.offer for one in plan.placed if one.stage in of_goals])
    prices, fx_rates = found.cited()
    return PlannedPipeline(as_of=found.book.as_of, currency=asked.currency, plan=plan, prices=prices, fx_rates=fx_rates)


def _offer(found: PlannedPrices, one: FleetOfferAsked, number: int) -> FleetOffer:
    return FleetOffer(
        name=one.name,
        provider=one.provider,
        region=one.region,
        accelerator=one.accelerator,
        gpus=one.gpus,
        machine_hour=_machine_hour(found, one, number),
        machines=one.machines,
    )


def _carrier(found: PlannedPrices, one: FleetOfferAsked, number: int) -> LoadOffer:
    if one.throughput is None:
        raise Invalid.field(f"offers.{number}.throughput", "is missing; say what one machine carries of the load")
    return LoadOffer(
        name=one.name,
        provider=one.provider,
        region=one.region,
        accelerator=one.accelerator,
        gpus=one.gpus,
        machine_hour=_machine_hour(found, one, number),
        throughput=one.throughput,
        available=one.available,
        spot=one.spot,
        machines=one.machines,
        words=f"{one.gpus} × {one.accelerator}",
    )


def _machine_hour(found: PlannedPrices, one: FleetOfferAsked, number: int) -> Decimal:
    amount = found.amount(f"offers.{number}.price", one.price, one.unit)
    return times(amount, one.gpus) if one.unit is Unit.GPU_HOUR else amount


def _fleet_problems(asked: FleetAsked, as_of: AsOf) -> Iterator[FieldProblem]:
    if bool(asked.works) == (asked.load is not None or asked.goal is not None):
        yield FieldProblem("works", "give either works, or a load or a goal, and not both")
    if asked.goal is not None:
        yield from serving_problems(asked, asked.goal, as_of.valid_at)
    for field, most in (("offers", MOST_OFFERS), ("works", MOST_WORKS), ("quotas", MOST_WORKS)):
        if len(getattr(asked, field)) > most:
            yield FieldProblem(field, f"must be at most {most}")
    if len(asked.works) * len(asked.offers) > MOST_PLACEMENTS:
        yield FieldProblem("works", f"times offers must be at most {MOST_PLACEMENTS}; leave out what cannot win")
    if asked.name is not None and not 0 < len(asked.name.strip()) <= len(asked.name) <= LONGEST_NAME:
        yield FieldProblem("name", f"must have 1 to {LONGEST_NAME} characters")
    for number, one in enumerate(asked.offers):
        if one.gpus <= 0:
            yield FieldProblem(f"offers.{number}.gpus", f"must be above 0, not {one.gpus}")
    for where, value in _numbers(asked):
        if value.is_finite() and (value > LARGEST or len(format(value, "f")) > MOST_DIGITS):
            yield FieldProblem(where, f"must be at most 1e15 and have at most {MOST_DIGITS} digits")


def _numbers(asked: FleetAsked) -> Iterator[tuple[str, Decimal]]:
    """What the estimate of a fleet is made of, and what a scenario takes no more digits of."""
    for number, offer in enumerate(asked.offers):
        yield f"offers.{number}.gpus", offer.gpus
        if offer.price.amount is not None:
            yield f"offers.{number}.price.amount", offer.price.amount
    for number, work in enumerate(asked.works):
        for place, need in enumerate(work.needs):
            yield f"works.{number}.needs.{place}.hours", need.hours


def _pipeline_problems(asked: PipelineAsked) -> Iterator[FieldProblem]:
    if len(asked.stages) > MOST_STAGES:
        yield FieldProblem("stages", f"must be at most {MOST_STAGES}")
    if sum(len(stage.offers) for stage in asked.stages) > MOST_PLACEMENTS:
        yield FieldProblem("stages", f"must have at most {MOST_PLACEMENTS} offers together")
    if len(asked.egress) > MOST_PLACEMENTS:
        yield FieldProblem("egress", f"must be at most {MOST_PLACEMENTS} pairs")
    for number, stage in enumerate(asked.stages):
        for place, one in enumerate(stage.offers):
            if one.units <= 0 or one.hours < 0:
                yield FieldProblem(f"stages.{number}.offers.{place}", "needs units above 0 and hours of 0 or more")
    pairs = Counter((one.from_region, one.to_region) for one in asked.egress)
    for (source, target), count in pairs.items():
        if count > 1:
            yield FieldProblem("egress", f"{source} to {target} has {count} prices; name each pair once")
