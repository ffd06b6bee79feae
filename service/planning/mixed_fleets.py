"""The cheapest mix of machines that carries one load, also when a region, a provider or all of spot is gone.

Whole machines, within capacities, quotas, a budget and a number of providers. What must be left is said of
what is lost, not of what each region may hold: two machines of 60 % each in two regions leave 60 %, which a
cap of half the load in each region would have refused. All counts are whole numbers and the answer is proven
cheapest, by exhaustive search or, where that is too large, by a solver.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any, ClassVar, Final

from service.domain.quantities import EXACT, decimals, times, total
from service.domain.scenario import FORBID_UNKNOWN
from service.errors import FieldProblem, Invalid
from service.planning.assignment import TooLarge
from service.planning.covering import Cap, Covering, Need, cheapest_cover, undominated
from service.planning.fleets import LimitUsed, Proof, Quota
from service.planning.refusals import refuse
from service.planning.solver import NotProven, Patience, SolverMissing, cover_by_solver

MOST_BRANCHES: Final = 100_000
MOST_RESOLVED: Final[dict[Proof, int]] = {"search": 30, "solver": 8}
"""Limits whose worth is found by solving again without them, by how long one solution takes."""
MACHINES: Final = "machines of "
MOST_MACHINES: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOffer:
    """Machines of one kind in one place, and what one of them carries."""

    name: str
    provider: str
    region: str
    accelerator: str
    gpus: Decimal
    """In one machine [GPUs]."""
    machine_hour: Decimal
    """[currency/machine-hour]"""
    throughput: Decimal
    """Of one machine, in the unit of the load."""
    available: Decimal = Decimal(1)
    """Share of the time it can be counted on [1]."""
    spot: bool = False
    machines: int | None = None
    """That can be had at once; None for as many as one likes."""
    place: str = ""
    """What is lost with a region, where others call theirs the same; the region if empty."""
    words: str = ""
    """How it carries that, for people."""
    paid_hours: Decimal | None = None
    """Of a service for a time: for how long a machine is paid, which may be longer [hours]."""
    spread: float = 0.0
    """Standard deviation of the logarithm of how many machines it takes, where `throughput` is predicted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What must be carried, and what must be left of it when something is lost."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    throughput: Decimal = Decimal(0)
    """Above 0 unless a goal says it [1/s, or any other unit that the offers share]"""
    left_without_region: Decimal = Decimal(0)
    """Share still carried without any one region [1]."""
    left_without_provider: Decimal = Decimal(0)
    """Share still carried without any one provider [1]."""
    left_without_spot: Decimal = Decimal(0)
    """Share still carried without all spot machines [1]."""
    budget_hour: Decimal | None = None
    """[currency/hour]"""
    most_providers: int | None = None
    per_provider_hour: Decimal = Decimal(0)
    """What each provider used costs on top [currency/hour]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rented:
    """Machines of one offer in the fleet."""

    offer: str
    machines: int
    cost_hour: Decimal
    throughput: Decimal
    """That can be counted on."""
    words: str = ""
    """How one machine carries its part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOffer:
    """All of it on one kind of machine."""

    offer: str
    machines: int
    cost_hour: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedFleet:
    """The cheapest mix."""

    rented: tuple[Rented, ...]
    cost_hour: Decimal
    throughput: Decimal
    best_single: OneOffer | None
    """The cheapest fleet of one offer that keeps within all limits, if there is any."""
    limits: tuple[LimitUsed, ...]
    """Shares left are told in the unit of the load, capacities in machines, quotas in GPUs."""
    proof: Proof
    because: tuple[str, ...]


def cheapest_mix(
    load: Load, offers: Sequence[LoadOffer], quotas: Sequence[Quota] = (), most_branches: int = MOST_BRANCHES
) -> MixedFleet:
    """The cheapest machines that carry the load. Raises Invalid if there are none, or none can be proven."""
    refuse(_problems(load, offers, quotas))
    question = _Question(load, tuple(sorted(offers, key=_worth)), tuple(quotas))
    counts, proof = question.solved(most_branches, Patience())
    if counts is None:
        raise Invalid.field("load", question.why_not(most_branches))
    cost, patience = question.cost(counts), Patience.for_the_rest()
    limits = tuple(question.limits_used(counts, cost, proof, most_branches, patience))
    single = question.best_single(most_branches, patience)
    rented = tuple(
        Rented(
            offer=one.name,
            machines=count,
            cost_hour=times(Decimal(count), one.machine_hour),
            throughput=times(Decimal(count), _carried(one)),
            words=one.words,
        )
        for one, count in zip(question.offers, counts, strict=True)
        if count
    )
    return MixedFleet(
        rented=rented,
        cost_hour=cost,
        throughput=total(one.throughput for one in rented),
        best_single=single,
        limits=limits,
        proof=proof,
        because=tuple(_because(rented, cost, single, limits)),
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """A load over offers in the order of their worth, as whole numbers for whoever solves it."""

    load: Load
    offers: tuple[LoadOffer, ...]
    quotas: tuple[Quota, ...]

    def covering(self) -> Covering:
        load = self.load
        carried = [_carried(one) for one in self.offers]
        needs = [("throughput", load.throughput, frozenset[int]()), *self._left()]
        fine = 10 ** max(decimals(one) for one in (*carried, *(amount for _, amount, _ in needs)))
        costs = [one.machine_hour for one in self.offers]
        cents = 10 ** max(decimals(one) for one in (*costs, load.per_provider_hour, load.budget_hour or Decimal(0)))
        units = [int(one * fine) for one in carried]
        most = [
            min(-(-int(load.throughput * fine) // unit), MOST_MACHINES if one.machines is None else one.machines)
            for one, unit in zip(self.offers, units, strict=True)
        ]
        return Covering(
            costs=tuple(int(one * cents) for one in costs),
            units=tuple(units),
            most=tuple(most),
            groups=tuple(one.provider for one in self.offers),
            group_cost=int(load.per_provider_hour * cents),
            most_groups=load.most_providers,
            budget=None if load.budget_hour is None else int(load.budget_hour * cents),
            needs=tuple(Need(int(amount * fine), lost) for _, amount, lost in needs),
            caps=tuple(self._caps()),
        )

    def _left(self) -> Iterator[tuple[str, Decimal, frozenset[int]]]:
        """What must be carried when some offers are lost, first without those that are most likely taken."""
        load = self.load
        if load.left_without_spot:
            spot = frozenset(number for number, one in enumerate(self.offers) if one.spot)
            yield "left_without_spot", times(load.left_without_spot, load.throughput), spot
        for name, share, column in (
            ("left_without_provider", load.left_without_provider, [one.provider for one in self.offers]),
            ("left_without_region", load.left_without_region, [one.place or one.region for one in self.offers]),
        ):
            if share:
                together: dict[str, list[int]] = {}
                for number, of in enumerate(column):
                    together.setdefault(of, []).append(number)
                yield from ((name, times(share, load.throughput), frozenset(lost)) for lost in together.values())

    def _caps(self) -> Iterator[Cap]:
        fine = 10 ** max(decimals(one) for one in (*(o.gpus for o in self.offers), *(q.gpus for q in self.quotas)))
        for quota in self.quotas:
            yield Cap(
                int(quota.gpus * fine), tuple(int(o.gpus * fine) if _counts(quota, o) else 0 for o in self.offers)
            )

    def solved(self, most_branches: int, patience: Patience) -> tuple[tuple[int, ...] | None, Proof]:
        """Machines of each offer, None if nothing keeps within all limits. Raises Invalid where none can be proven.

        By way of fewer needs, since one answer takes machines in few of many places: what it breaks is added until
        nothing is broken, each time with as many more, so that the rounds are few. The last is the cheapest of all.
        """
        asked = self.covering()
        needs = {0}
        while True:
            fewer = replace(asked, needs=tuple(asked.needs[need] for need in sorted(needs)))
            counts, proof = _least(fewer, most_branches, patience)
            broken = () if counts is None else asked.uncovered(counts)
            if not broken:
                return counts, proof
            others = (need for need in range(len(asked.needs)) if need not in needs and need not in broken)
            needs |= {*broken, *islice(others, len(needs) - 1)}

    def again(self, most_branches: int, patience: Patience) -> tuple[int, ...] | None:
        """The same with fewer branches; None also where nothing was proven."""
        try:
            return self.solved(most_branches // 10, patience)[0]
        except Invalid:
            return None

    def carried(self, counts: Sequence[int]) -> list[Decimal]:
        """By so many machines of each offer."""
        return [times(Decimal(n), _carried(one)) for one, n in zip(self.offers, counts, strict=True)]

    def cost(self, counts: Sequence[int]) -> Decimal:
        providers = {one.provider for one, count in zip(self.offers, counts, strict=True) if count}
        machines = total(times(Decimal(n), one.machine_hour) for one, n in zip(self.offers, counts, strict=True))
        return EXACT.add(machines, times(Decimal(len(providers)), self.load.per_provider_hour))

    def limits_used(
        self, counts: Sequence[int], cost: Decimal, proof: Proof, most_branches: int, patience: Patience
    ) -> Iterator[LimitUsed]:
        """Each limit, what is used of it, and what it costs: by solving again without it.

        Of machines only the offers that are used up: what is not is no limit to speak of.
        """
        used_up = {one.name for one, count in zip(self.offers, counts, strict=True) if count == one.machines}
        told = [one for one in self.without_one() if one[0].removeprefix(MACHINES) in used_up or MACHINES not in one[0]]
        for number, (name, without) in enumerate(told):
            used, limit = self._use(name, counts)
            again = without.again(most_branches, patience) if number < MOST_RESOLVED[proof] else None
            saved = None if again is None else EXACT.subtract(cost, without.cost(again))
            yield LimitUsed(name=name, used=used, limit=limit, saved_without=saved)

    def without_one(self) -> Iterator[tuple[str, "_Question"]]:
        """Each limit by name, and the question without it."""
        lifted: dict[str, Any] = {
            "left_without_region": Decimal(0),
            "left_without_provider": Decimal(0),
            "left_without_spot": Decimal(0),
            "budget_hour": None,
            "most_providers": None,
        }
        for field, nothing in lifted.items():
            if getattr(self.load, field) != nothing:
                yield field, replace(self, load=replace(self.load, **{field: nothing}))
        for quota in self.quotas:
            yield quota.name, replace(self, quotas=tuple(one for one in self.quotas if one is not quota))
        for offer in self.offers:
            if offer.machines is not None:
                others = tuple(replace(one, machines=None) if one is offer else one for one in self.offers)
                yield f"{MACHINES}{offer.name}", replace(self, offers=others)

    def _use(self, name: str, counts: Sequence[int]) -> tuple[Decimal, Decimal]:
        load, taken = self.load, list(zip(self.offers, counts, strict=True))
        if name.startswith("left_without_"):
            carried = {number: one for number, one in enumerate(self.carried(counts)) if one}
            return min(
                (total(amount for number, amount in carried.items() if number not in lost), least)
                for which, least, lost in self._left()
                if which == name
            )
        if name == "budget_hour":
            return self.cost(counts), load.budget_hour or Decimal(0)
        if name == "most_providers":
            return Decimal(len({o.provider for o, n in taken if n})), Decimal(load.most_providers or 0)
        for quota in self.quotas:
            if quota.name == name:
                return total(times(Decimal(n), o.gpus) for o, n in taken if _counts(quota, o)), quota.gpus
        offer, count = next((o, n) for o, n in taken if name == f"{MACHINES}{o.name}")
        return Decimal(count), Decimal(offer.machines or 0)

    def best_single(self, most_branches: int, patience: Patience) -> OneOffer | None:
        """The cheapest fleet of one kind of machine: in the order of their worth, until the rest must cost more."""
        if self.load.left_without_region or self.load.left_without_provider:
            return None
        best: tuple[Decimal, str, int] | None = None
        for one in self.offers:
            if best and times(self.load.throughput, one.machine_hour) > times(best[0], _carried(one)):
                break
            alone = replace(self, offers=(one,))
            counts = alone.again(most_branches, patience)
            if counts is not None:
                best = min(best or (alone.cost(counts), one.name, counts[0]), (alone.cost(counts), one.name, counts[0]))
        return best and OneOffer(cost_hour=best[0], offer=best[1], machines=best[2])

    def why_not(self, most_branches: int) -> str:
        """Which limits, each alone, would have to give."""
        patience = Patience.for_the_rest()
        wanted = [
            name
            for number, (name, without) in enumerate(self.without_one())
            if number < MOST_RESOLVED["search"] and without.again(most_branches, patience) is not None
        ]
        if wanted:
            return f"no fleet keeps within all limits; without one of these there would be one: {', '.join(wanted)}"
        return "no fleet keeps within all limits, nor within all but one; offer more machines, or ask for less"


def _least(asked: Covering, most_branches: int, patience: Patience) -> tuple[tuple[int, ...] | None, Proof]:
    kinds = undominated(asked)
    counts, proof = _proven(asked.only(kinds), most_branches, patience)
    if counts is None:
        return None, proof
    taken = dict(zip(kinds, counts, strict=True))
    return tuple(taken.get(kind, 0) for kind in range(len(asked.costs))), proof


def _proven(covering: Covering, most_branches: int, patience: Patience) -> tuple[tuple[int, ...] | None, Proof]:
    try:
        return cheapest_cover(covering, most_branches), "search"
    except TooLarge:
        try:
            return cover_by_solver(covering, patience), "solver"
        except (SolverMissing, NotProven) as reason:
            raise Invalid.field("offers", f"make over {most_branches} cases; {reason}") from None


def _worth(offer: LoadOffer) -> tuple[Decimal, str]:
    """Cheap machines first for what they carry: an order that does not depend on the one they are given in."""
    return offer.machine_hour / _carried(offer), offer.name


def _carried(offer: LoadOffer) -> Decimal:
    return times(offer.throughput, offer.available)


def _counts(quota: Quota, offer: LoadOffer) -> bool:
    return quota.counts(provider=offer.provider, region=offer.region, accelerator=offer.accelerator)


def _because(
    rented: Sequence[Rented], cost: Decimal, single: OneOffer | None, limits: Sequence[LimitUsed]
) -> Iterator[str]:
    if single is None:
        yield "no single kind of machine keeps within all limits"
    elif len(rented) > 1:
        more = EXACT.subtract(single.cost_hour, cost)
        yield f"{single.machines} of {single.offer}, the cheapest fleet of one kind, cost {more} more an hour"
    for limit in limits:
        if limit.saved_without:
            yield f"{limit.name} ({limit.used} of {limit.limit}): without that limit {limit.saved_without} less an hour"


def _problems(load: Load, offers: Sequence[LoadOffer], quotas: Sequence[Quota]) -> Iterator[FieldProblem]:
    for field, named in (("offers", offers), ("quotas", quotas)):
        names = [one.name for one in named]
        if len(set(names)) < len(names) or (not names and field == "offers"):
            yield FieldProblem(field, "must be there and have a name of its own each")
    if load.throughput <= 0:
        yield FieldProblem("load.throughput", f"must be above 0, not {load.throughput}")
    for field in ("left_without_region", "left_without_provider", "left_without_spot"):
        if not 0 <= getattr(load, field) <= 1:
            yield FieldProblem(f"load.{field}", f"must be a share from 0 to 1, not {getattr(load, field)}")
    for field, least in (("budget_hour", 0), ("per_provider_hour", 0), ("most_providers", 1)):
        if (value := getattr(load, field)) is not None and value < least:
            yield FieldProblem(f"load.{field}", f"must be {least} or more, not {value}")
    for number, one in enumerate(offers):
        if one.gpus <= 0 or one.machine_hour < 0 or (one.machines or 0) < 0:
            yield FieldProblem(f"offers.{number}", "needs gpus above 0, a price and machines of 0 or more")
        if one.throughput <= 0 or not 0 < one.available <= 1:
            yield FieldProblem(f"offers.{number}.throughput", "must be above 0, and available above 0 and at most 1")
        elif load.throughput > MOST_MACHINES * _carried(one):
            yield FieldProblem(f"offers.{number}.throughput", f"is so small that over {MOST_MACHINES} would be needed")
    for number, quota in enumerate(quotas):
        if quota.gpus < 0:
            yield FieldProblem(f"quotas.{number}.gpus", "must be 0 or more")
