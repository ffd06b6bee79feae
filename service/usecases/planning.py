"""Plans over prices as of a moment: what to commit to, when to start, whether to buy or to rent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.price_book import FxRate, Price
from service.domain.scenario import PriceInput
from service.domain.timelines import Course
from service.errors import Invalid
from service.planning.buy_or_rent import BreakEvenCurve, over_utilisation, over_volume
from service.planning.capacity_blocks import BlockPlan, BlockRun, best_blocks
from service.planning.commitments import Commitment, CommitmentMix, CommitmentQuestion, best_mix
from service.planning.renewals import PurchasePlan, best_purchases
from service.planning.slots import PriceSlot, with_profile
from service.planning.start_times import RunAsked, StartPlan, best_start, cheapest_hours
from service.planning.suspending import StartCost, cheapest_with_starts
from service.planning.ways import OwnHardware, RentedGpus, Replicas, TokenApi
from service.store import timelines
from service.store.store import Store
from service.usecases.plan_questions import BuyOrRentAsked, CommitmentsAsked, OwnAsked, StartAsked, WayAsked
from service.usecases.planned_prices import PlannedPrices

MOST_WEEKS: Final = 52
FIRST_YEAR: Final = 1970
LONGEST: Final = timedelta(days=3660)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCommitments:
    """A mix of commitments, and the prices it was made of."""

    as_of: AsOf
    currency: str
    plan: CommitmentMix
    """What to commit to now."""
    purchases: PurchasePlan | None
    """What to buy when, where the question names dates."""
    prices: tuple[Price, ...]
    fx_rates: tuple[FxRate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStart:
    """When to run, or which blocks to buy, and the prices behind it; of a series the newest one used."""

    as_of: AsOf
    currency: str
    plan: StartPlan | None
    blocks: BlockPlan | None
    prices: tuple[Price, ...]
    fx_rates: tuple[FxRate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoughtOrRented:
    """Where buying, renting, reserving and calling break even, and the prices behind it."""

    as_of: AsOf
    currency: str
    utilisation: BreakEvenCurve | None
    """A year of the fleet over the share of hours in use."""
    volume: BreakEvenCurve | None
    """A month over queries."""
    prices: tuple[Price, ...]
    fx_rates: tuple[FxRate, ...]


def plan_commitments(store: Store, asked: CommitmentsAsked, as_of: AsOf) -> PlannedCommitments:
    """The cheapest mix of commitments, spot and on demand. Raises Invalid, NoData."""
    found = PlannedPrices.of(store, as_of, asked)
    offered = tuple(
        Commitment(
            name=one.name,
            term_hours=one.term_hours,
            upfront=one.upfront,
            hourly=_optional(found, f"offered.{number}.hourly", one.hourly, asked.unit) or Decimal(0),
        )
        for number, one in enumerate(asked.offered)
    )
    question = CommitmentQuestion(
        demand=asked.demand,
        on_demand=found.amount("on_demand", asked.on_demand, asked.unit),
        offered=offered,
        held=asked.held,
        spot=_optional(found, "spot", asked.spot, asked.unit),
        spot_units=asked.spot_units,
        lot=asked.lot,
        beyond=asked.beyond,
    )
    plan = best_mix(question)
    prices, fx_rates = found.cited()
    return PlannedCommitments(
        as_of=found.book.as_of,
        currency=asked.currency,
        plan=plan,
        purchases=best_purchases(question, asked.purchase_hours) if asked.purchase_hours else None,
        prices=prices,
        fx_rates=fx_rates,
    )


def plan_start(store: Store, asked: StartAsked, as_of: AsOf) -> PlannedStart:
    """The cheapest time to run, or the cheapest blocks to buy. Raises Invalid, NoData."""
    if sum(map(bool, (asked.series, asked.slots, asked.blocks))) != 1:
        raise Invalid.field("series", "give one of series, slots and blocks")
    for name in ("earliest", "deadline"):
        if getattr(asked, name).tzinfo is None:
            raise Invalid.field(name, "must carry a UTC offset, for example 2026-03-01T00:00:00Z")
    if asked.earliest.year < FIRST_YEAR or asked.deadline - asked.earliest > LONGEST:
        raise Invalid.field("deadline", f"must be within {LONGEST.days} days of earliest, both after {FIRST_YEAR}")
    named = [asked.series] if asked.series else []
    found = PlannedPrices.of(store, as_of, asked, *named)
    plan, blocks = None, None
    if asked.blocks:
        blocks = _blocks(asked)
    else:
        slots = list(_slots(store, asked, found))
        plan = _run(asked, slots)
    prices, fx_rates = found.cited()
    return PlannedStart(
        as_of=found.book.as_of, currency=asked.currency, plan=plan, blocks=blocks, prices=prices, fx_rates=fx_rates
    )


def compare_buy_or_rent(store: Store, asked: BuyOrRentAsked, as_of: AsOf) -> BoughtOrRented:
    """Break-evens over utilisation, over volume, or both. Raises Invalid, NoData."""
    if asked.gpus is None and (asked.query is None or asked.most is None):
        raise Invalid.field("gpus", "give gpus to compare over utilisation, query and most to compare over volume")
    found = PlannedPrices.of(store, as_of, asked)
    ways = [_way(found, one, f"ways.{number}") for number, one in enumerate(asked.ways)]
    fleet = [way for way in ways if not isinstance(way, TokenApi)]
    utilisation, volume = None, None
    if asked.gpus is not None:
        utilisation = over_utilisation(asked.gpus, fleet)
    if asked.query is not None and asked.most is not None:
        pairs = zip(ways, asked.ways, strict=True)
        volume = over_volume(asked.query, [_serving(way, one) for way, one in pairs], asked.most)
    prices, fx_rates = found.cited()
    return BoughtOrRented(
        as_of=found.book.as_of,
        currency=asked.currency,
        utilisation=utilisation,
        volume=volume,
        prices=prices,
        fx_rates=fx_rates,
    )


def _run(asked: StartAsked, slots: Sequence[PriceSlot]) -> StartPlan:
    run = RunAsked(
        hours=asked.hours, units=asked.units, earliest=asked.earliest, deadline=asked.deadline, prefer=asked.prefer
    )
    if asked.suspendable and asked.start:
        return cheapest_with_starts(slots, run, asked.start)
    if asked.start:
        raise Invalid.field("start", "is for a run that can be suspended; add its hours to the work of one that cannot")
    return cheapest_hours(slots, run) if asked.suspendable else best_start(slots, run)


def _blocks(asked: StartAsked) -> BlockPlan:
    start = asked.start or StartCost()
    if start.cost:
        raise Invalid.field("start.cost", "is not counted with blocks, which are paid whole; leave it out")
    run = BlockRun(
        hours=asked.hours,
        start_hours=start.hours,
        earliest=asked.earliest,
        deadline=asked.deadline,
        suspendable=asked.suspendable,
    )
    return best_blocks(asked.blocks, run)


def _slots(store: Store, asked: StartAsked, found: PlannedPrices) -> Sequence[PriceSlot]:
    if not asked.series:
        return [PriceSlot(start=one.start, end=one.end, price=one.price) for one in asked.slots]
    if not 0 <= asked.profile_weeks <= MOST_WEEKS:
        raise Invalid.field("profile_weeks", f"must be 0 to {MOST_WEEKS}")
    if asked.zone not in available_timezones():
        raise Invalid.field("zone", f"{asked.zone!r} is no IANA time zone; for example Europe/Berlin")
    series, start = asked.series, asked.earliest - timedelta(weeks=asked.profile_weeks)
    known_at = found.book.as_of.known_at
    period = store.read(lambda c: timelines.span(c, start, asked.deadline, "known_now", known_at))
    lines = store.read(lambda c: timelines.timelines(c, [series], period))
    if series not in lines:
        raise Invalid.field("series", f"{series} has no price from {start.isoformat()} to {asked.deadline.isoformat()}")
    slots = list(_of_course(lines[series].course("known_now"), start, asked.deadline, found))
    if not asked.profile_weeks or not slots:
        return slots
    return with_profile(slots, asked.deadline, ZoneInfo(asked.zone))


def _of_course(course: Course, start: datetime, end: datetime, found: PlannedPrices) -> Iterator[PriceSlot]:
    """The priced stretches of a series; what is not priced stays a gap."""
    ends = (*course.times[1:], end)
    for began, until, price in zip(course.times, ends, course.values, strict=True):
        if not isinstance(price, Price) or until <= start or began >= end:
            continue
        unit = Unit.KWH if price.unit in {Unit.KWH, Unit.MWH} else Unit.GPU_HOUR
        amount = found.of_price("series", price, unit)
        yield PriceSlot(start=max(began, start), end=min(until, end), price=amount)


def _way(found: PlannedPrices, asked: WayAsked, where: str) -> OwnHardware | RentedGpus | TokenApi:
    if sum(one is not None for one in (asked.own, asked.rent, asked.api)) != 1:
        raise Invalid.field(where, "give one of own, rent and api")
    if asked.own is not None:
        return _own(found, asked.name, asked.own, f"{where}.own")
    if asked.rent is not None:
        gpu_hour = found.amount(f"{where}.rent.gpu_price", asked.rent.gpu_price, Unit.GPU_HOUR)
        return RentedGpus(name=asked.name, gpu_hour=gpu_hour, committed=asked.rent.committed)
    api = asked.api
    if api is None:  # ruled out above; said for the reader and the type checker
        raise Invalid.field(where, "give one of own, rent and api")
    read = found.amount(f"{where}.api.input", api.input, Unit.TOKENS_1M)
    cached = _optional(found, f"{where}.api.cached", api.cached, Unit.TOKENS_1M)
    return TokenApi(
        name=asked.name,
        input=read,
        cached=read if cached is None else cached,
        output=found.amount(f"{where}.api.output", api.output, Unit.TOKENS_1M),
        monthly=api.monthly,
    )


def _own(found: PlannedPrices, name: str, own: OwnAsked, where: str) -> OwnHardware:
    if own.people and own.salary is None:
        raise Invalid.field(f"{where}.salary", "is missing; the people who run the fleet are not free")
    return OwnHardware(
        name=name,
        capital=found.amount(f"{where}.capital", own.capital, Unit.GPU),
        years=own.years,
        interest=own.interest,
        residual=own.residual,
        power_kw=own.power_kw,
        idle_share=own.idle_share,
        pue=found.factor(f"{where}.pue", own.pue),
        electricity=found.amount(f"{where}.electricity", own.electricity, Unit.KWH),
        colocation=own.colocation,
        support=own.support,
        people=own.people,
        salary=_optional(found, f"{where}.salary", own.salary, Unit.PERSON_YEAR) or Decimal(0),
    )


def _serving(way: OwnHardware | RentedGpus | TokenApi, asked: WayAsked) -> TokenApi | Replicas:
    if isinstance(way, TokenApi):
        return way
    if asked.replica is None:
        raise Invalid.field("ways", f"{asked.name} needs a replica to be compared over volume")
    return Replicas(
        gpus=way,
        gpus_per_replica=asked.replica.gpus,
        queries_per_hour=asked.replica.queries_per_hour,
        mean_over_peak=asked.replica.mean_over_peak,
        at_least=asked.replica.at_least,
    )


def _optional(found: PlannedPrices, where: str, given: PriceInput | None, unit: Unit) -> Decimal | None:
    return None if given is None else found.amount(where, given, unit)
