"""A fleet as what it is: a scenario of several kinds of machines, which is priced and kept like any other."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import exp
from typing import Final

from pricing_sources.units import Unit, factor
from service.domain.as_of import AsOf
from service.domain.canonical import content_id
from service.domain.estimate import Estimate
from service.domain.goal import OwnMachines
from service.domain.quantities import EXACT, plain, significant, times, total
from service.domain.scenario import Machines, PriceInput, Scenario, Spread, TrainingPart
from service.estimating.extended_validation import LONGEST_MACHINES
from service.estimating.spread_validation import MOST_SPREADS
from service.estimating.validation import LONGEST_NAME
from service.planning.by_the_hour import starting_now
from service.planning.configurations import UPPER_DECILE
from service.planning.fleets import FleetPlan
from service.planning.mixed_fleets import LoadOffer, MixedFleet, Rented
from service.planning.offering import HOURS_PER_MONTH
from service.store.store import Store
from service.usecases.estimates import price_scenario
from service.usecases.goal_prices import own_key
from service.usecases.placement_questions import FleetAsked, FleetOfferAsked
from service.usecases.planned_prices import PlannedPrices

EXACT_TO: Final = Decimal("1e-9")
"""How far, as a share, what was searched may be from what it costs exactly."""
LEAST: Final = Decimal("1e-6")
MONTH: Final = significant(HOURS_PER_MONTH)
DIGEST: Final = 8
SOURCE: Final = "what such predictions were off by when held against published runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Machines of one kind that a fleet takes."""

    name: str
    """Of the offer, or of the work that runs on it."""
    gpus: Decimal
    """All at once."""
    hours: Decimal
    """That are paid."""
    price: PriceInput
    """[currency/GPU-Hour]; of machines of your own without electricity."""
    own: OwnMachines | None = None
    spread: float = 0.0
    """Standard deviation of the logarithm of how many are needed."""
    machine: str = ""
    """What is to be said of a price that is one of machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Everything a fleet takes, and what the search says it costs."""

    name: str
    currency: str
    rate_card: str | None = None
    taken: tuple[Taken, ...]
    hours: Decimal
    """Of the load, or of the longest work."""
    cost: Decimal


def fleet_of_works(asked: FleetAsked, found: PlannedPrices, plan: FleetPlan) -> Fleet:
    """An assignment: machines for each work, called by the work, so that one that moves is still the same."""
    offers = {one.name: one for one in asked.offers}
    taken = tuple(
        Taken(
            name=one.work,
            gpus=times(Decimal(one.machines), offers[one.offer].gpus),
            hours=one.hours,
            price=gpu_hour_price(found, offers[one.offer]),
            machine=machine_price(offers[one.offer]),
        )
        for one in plan.assigned
    )
    many = len(taken)
    name = asked.name or (f"a fleet of {many} works" if many > 1 else f"a fleet for {taken[0].name}"[:LONGEST_NAME])
    return Fleet(
        name=name,
        currency=asked.currency,
        taken=taken,
        hours=max(one.hours for one in taken),
        cost=plan.cost,
    )


def fleet_of_mix(asked: FleetAsked, found: PlannedPrices, mix: MixedFleet, offers: Sequence[LoadOffer]) -> Fleet:
    """A mix for the time of its goal, or for a month: machines of each offer, called as it is."""
    goal = asked.goal
    hours = significant(goal.serving.hours) if goal is not None and goal.serving is not None else MONTH
    known, stated = {one.name: one for one in offers}, {one.name: one for one in asked.offers}
    own = {own_key(one): one for one in goal.own} if goal is not None else {}
    taken = tuple(
        _carrying(one, known[one.offer], stated.get(one.offer), own.get(one.offer), hours, found) for one in mix.rented
    )
    throughput = asked.load.throughput if asked.load is not None else Decimal(0)
    return Fleet(
        name=asked.name or (f"{goal.name}: a fleet" if goal is not None else f"a fleet that carries {throughput}"),
        currency=asked.currency,
        rate_card=goal.rate_card if goal is not None else None,
        taken=taken,
        hours=hours,
        cost=times(total(one.cost_hour for one in mix.rented), hours),
    )


def fleet_assumptions(asked: FleetAsked, fleet: Fleet, mix: MixedFleet | None) -> Iterator[str]:
    """What the reader of a kept fleet should know that no feed said."""
    if mix is not None and asked.goal is None:
        yield f"a load without a goal is priced for a month of {MONTH} hours"
    if mix is not None:
        yield "a price is taken to hold, and every machine to run, for all the hours that are paid"
    for one in fleet.taken:
        if mix is not None and one.hours != fleet.hours:
            yield f"{one.name} is paid for {one.hours} hours: its terms bind for so long"
        if one.machine:
            yield f"{one.name}: {one.machine}"
    if any(one.spread for one in fleet.taken):
        yield "how much the prediction may be off is drawn for each kind of machines on its own"
    on_top = asked.load.per_provider_hour if asked.load is not None else Decimal(0)
    if mix is not None and on_top:
        every = plain(EXACT.subtract(mix.cost_hour, total(one.cost_hour for one in mix.rented)))
        yield f"{every} an hour for having the providers, {on_top} each, has no price of its own: not in the estimate"


def fleet_priced(store: Store, fleet: Fleet, as_of: AsOf) -> Estimate:
    """The estimate of a fleet; the search and it must agree, or one of them is wrong. Raises Invalid, NoData."""
    estimate = price_scenario(store, fleet_scenario(fleet, as_of.valid_at), as_of)
    apart = abs(estimate.total - fleet.cost)
    if estimate.lower_bound or apart > EXACT_TO * max(fleet.cost, LEAST):
        raise AssertionError(f"{fleet.name}: searched at {fleet.cost}, priced at {estimate.total}")
    return estimate


def fleet_scenario(fleet: Fleet, valid_at: datetime) -> Scenario:
    """What anybody can price, compare and bridge: a line for each kind of machines, called as its offer is."""
    names = called([one.name for one in fleet.taken])
    machines = tuple(_machines(one, name, fleet.hours, valid_at) for one, name in zip(fleet.taken, names, strict=True))
    return Scenario(
        name=fleet.name,
        currency=fleet.currency,
        rate_card=fleet.rate_card,
        training=TrainingPart(hours=fleet.hours, machines=machines),
        spreads=_spreads(fleet.taken),
    )


def one_gpu_hour(price: PriceInput, currency: str, rate_card: str) -> Scenario:
    """A GPU for an hour, at the price of a rate card where it has one."""
    machines = Machines(name="one", gpus=Decimal(1), gpu_price=price)
    training = TrainingPart(hours=Decimal(1), machines=(machines,))
    return Scenario(name="a GPU-hour", currency=currency, rate_card=rate_card, training=training)


def gpu_hour_price(found: PlannedPrices, one: FleetOfferAsked) -> PriceInput:
    """The price of an offer per GPU-hour: as it is given, or the price of a machine over its GPUs as an amount."""
    if one.unit is Unit.GPU_HOUR:
        return one.price
    amount, currency = one.price.amount, one.price.currency
    if one.price.series is not None:
        listed = found.used[one.price.series]
        amount, currency = times(listed.amount, factor(Unit.INSTANCE_HOUR, listed.unit)), listed.currency
    return PriceInput(amount=plain((amount or Decimal(0)) / one.gpus), currency=currency)


def machine_price(one: FleetOfferAsked) -> str:
    """How a price per machine stands in an estimate, for people; nothing of a price per GPU-hour."""
    if one.unit is Unit.GPU_HOUR:
        return ""
    of = f"that of {one.price.series}, which a bridge cannot follow" if one.price.series else "as stated"
    return f"its price is per machine ({of}) and stands in the estimate as an amount per GPU-hour, {one.gpus} GPUs each"


def called(names: Sequence[str]) -> list[str]:
    """Each name in the letters a scenario allows; what would be the same or too long ends in a digest of its own.

    >>> called(["p5 spot", "aws/p5.48xlarge/us-east-1", "8 x H100"])
    ['p5_spot', 'aws_p5_48xlarge_us_east_1', 'n_8_x_h100']
    """
    found = [_letters(one) for one in names]
    many = Counter(found)
    return [
        f"{short[: LONGEST_MACHINES - DIGEST - 1]}_{content_id(name.encode())[:DIGEST]}"
        if many[short] > 1 or len(short) > LONGEST_MACHINES
        else short
        for name, short in zip(names, found, strict=True)
    ]


def _carrying(
    one: Rented,
    offer: LoadOffer,
    stated: FleetOfferAsked | None,
    own: OwnMachines | None,
    hours: Decimal,
    found: PlannedPrices,
) -> Taken:
    """Machines of one offer: stated ones at their price, your own at their hour, others by their series."""
    price = PriceInput(series=one.offer) if own is None else own.gpu_hour
    return Taken(
        name=one.offer,
        gpus=times(Decimal(one.machines), offer.gpus),
        hours=hours if offer.paid_hours is None else offer.paid_hours,
        price=price if stated is None else gpu_hour_price(found, stated),
        own=own if stated is None else None,
        spread=offer.spread,
        machine=machine_price(stated) if stated is not None else "",
    )


def _letters(name: str) -> str:
    short = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return short if short[:1].isalpha() else f"n_{short}"


def _machines(one: Taken, name: str, hours: Decimal, valid_at: datetime) -> Machines:
    own = one.own
    return Machines(
        name=name,
        gpus=one.gpus,
        hours=None if one.hours == hours else one.hours,
        gpu_price=one.price,
        power_per_gpu_kw=own.power_kw if own else None,
        electricity_price=own.electricity if own else None,
        electricity_tariff=starting_now(own.electricity_tariff, valid_at) if own else None,
        pue=own.pue if own else None,
    )


def _spreads(taken: Sequence[Taken]) -> tuple[Spread, ...] | None:
    """How sure the predictions are of how many GPUs it takes."""
    found = tuple(_spread_of(taken))
    return found if 0 < len(found) <= MOST_SPREADS else None


def _spread_of(taken: Sequence[Taken]) -> Iterator[Spread]:
    for number, one in enumerate(taken):
        if one.spread:
            low, high = (significant(float(one.gpus) * exp(sign * UPPER_DECILE * one.spread), 6) for sign in (-1, 1))
            place = f"training.machines.{number}.gpus"
            yield Spread(input=place, distribution="interval", low=low, high=high, source=SOURCE)
