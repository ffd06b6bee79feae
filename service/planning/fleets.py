"""Which work runs on which offer, within capacity and quotas, at least cost.

Each piece of work, a job or the load of a region, runs on one offer; what it needs there depends on the
accelerator. Offers have so many machines, and providers grant so many GPUs of a kind in a region. The plan
is proven cheapest, by exhaustive search or, where that is too large, by a solver.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import ClassVar, Final, Literal

from service.domain.quantities import EXACT, decimals, times, total
from service.domain.scenario import FORBID_UNKNOWN
from service.errors import FieldProblem, Invalid
from service.planning.assignment import Option, TooLarge, cheapest, least_uses
from service.planning.refusals import refuse
from service.planning.solver import NotProven, Patience, SolverMissing, cheapest_by_solver

MOST_BRANCHES: Final = 1_000_000
MOST_RESOLVED: Final = 30
"""Limits whose worth is found by solving again without them."""
Proof = Literal["search", "solver"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOffer:
    """Machines of one kind in one place."""

    name: str
    provider: str
    region: str
    accelerator: str
    gpus: Decimal
    """In one machine [GPUs]."""
    machine_hour: Decimal
    """[currency/machine-hour]"""
    machines: int | None = None
    """That can be had at once; None for as many as one likes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a piece of work takes on one accelerator."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    accelerator: str
    gpus: Decimal
    """At once [GPUs]; of a load, its tokens a second over those of a GPU."""
    hours: Decimal
    """For how long [hours]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A job, or the load of a region, that runs on one offer."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    needs: tuple[Need, ...]
    """One for each accelerator it can run on."""
    regions: tuple[str, ...] = ()
    """Where it may run; anywhere if empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """GPUs a provider grants at once; an empty field does not narrow."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    gpus: Decimal
    provider: str = ""
    region: str = ""
    accelerator: str = ""

    def counts(self, *, provider: str, region: str, accelerator: str) -> bool:
        """True if machines of this provider, region and accelerator are counted."""
        asked = ((self.provider, provider), (self.region, region), (self.accelerator, accelerator))
        return all(not wanted or wanted == given for wanted, given in asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A piece of work and where it runs."""

    work: str
    offer: str
    machines: int
    hours: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUsed:
    """A capacity (in machines) or a quota (in GPUs) and how much of it the plan takes."""

    name: str
    used: Decimal
    limit: Decimal
    saved_without: Decimal | None
    """What the cheapest plan would save were this limit alone lifted; None where the search for it was too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """The cheapest assignment."""

    assigned: tuple[Assigned, ...]
    cost: Decimal
    unlimited: Decimal
    """Cost if there were no limits at all [currency]."""
    limits: tuple[LimitUsed, ...]
    proof: Proof
    """`search`: every other assignment was ruled out, exactly; `solver`: HiGHS proved it to its tolerances."""
    because: tuple[str, ...]


def cheapest_fleet(
    works: Sequence[Work],
    offers: Sequence[FleetOffer],
    quotas: Sequence[Quota] = (),
    most_branches: int = MOST_BRANCHES,
) -> FleetPlan:
    """The cheapest assignment of all the work. Raises Invalid if there is none, or none can be proven."""
    refuse(_problems(works, offers, quotas))
    # By name, so that of equals the same is taken in whatever order they are given.
    problem = _Problem.of(works, sorted(offers, key=lambda one: one.name), quotas)
    chosen, proof = problem.solve(most_branches, Patience())
    assigned = tuple(own[one] for own, one in zip(problem.placements, chosen, strict=True))
    cost = total(one.cost for one in assigned)
    limits = tuple(problem.limits_used(chosen, cost, proof, most_branches))
    unlimited = total(min(one.cost for one in own) for own in problem.placements)
    return FleetPlan(
        assigned=assigned,
        cost=cost,
        unlimited=unlimited,
        limits=limits,
        proof=proof,
        because=tuple(_because(problem.placements, assigned, limits)),
    )


@dataclass(frozen=True, slots=True)
class _Problem:
    """Works with the placements each may choose from, as whole numbers."""

    placements: list[list[Assigned]]
    options: list[list[Option]]
    names: list[str]
    limits: list[int]
    """In the unit of `scale`."""
    scale: int
    """By which machines and GPUs are multiplied to be whole."""

    @classmethod
    def of(cls, works: Sequence[Work], offers: Sequence[FleetOffer], quotas: Sequence[Quota]) -> "_Problem":
        scale = 10 ** max(
            decimals(one) for one in [*(offer.gpus for offer in offers), *(quota.gpus for quota in quotas)]
        )
        capped = [offer for offer in offers if offer.machines is not None]
        names = [*(f"machines of {offer.name}" for offer in capped), *(quota.name for quota in quotas)]
        limits = [*((offer.machines or 0) * scale for offer in capped), *(int(quota.gpus * scale) for quota in quotas)]
        placements, uses = [], []
        for work in works:
            found = list(_placements(work, offers))
            placements.append([placement for placement, _ in found])
            uses.append([_uses(placement, offer, capped, quotas, scale) for placement, offer in found])
        digits = max(decimals(one.cost) for own in placements for one in own)
        options = [
            [Option(int(one.cost.scaleb(digits, EXACT)), use) for one, use in zip(own, used, strict=True)]
            for own, used in zip(placements, uses, strict=True)
        ]
        return cls(placements, options, names, limits, scale)

    def solve(self, most_branches: int, patience: Patience, without: int | None = None) -> tuple[list[int], Proof]:
        """The number of the placement of each work, with one limit lifted or none. Raises Invalid."""
        limits = [10**30 if number == without else limit for number, limit in enumerate(self.limits)]
        self._refuse_hopeless(limits)
        proof: Proof = "search"
        try:
            chosen = cheapest(self.options, limits, most_branches)
        except TooLarge:
            proof = "solver"
            try:
                chosen = cheapest_by_solver(self.options, limits, patience)
            except (SolverMissing, NotProven) as reason:
                raise Invalid.field(
                    "works", f"{len(self.options)} works make over {most_branches} cases; {reason}"
                ) from None
        if chosen is None:
            raise Invalid.field("quotas", "no assignment keeps within all limits together; raise one, or offer more")
        return chosen, proof

    def limits_used(
        self, chosen: Sequence[int], cost: Decimal, proof: Proof, most_branches: int
    ) -> Iterator[LimitUsed]:
        """Each limit, what is used of it, and what it costs: by solving again without it.

        What was too large to search is not searched again, and all of it together takes no longer than the answer.
        """
        fewer = 0 if proof == "solver" else most_branches // max(1, min(len(self.names), MOST_RESOLVED))
        patience = Patience.for_the_rest()
        for number, (name, limit) in enumerate(zip(self.names, self.limits, strict=True)):
            used = sum(own[one].uses.get(number, 0) for own, one in zip(self.options, chosen, strict=True))
            saved = self._saved(number, cost, fewer, patience) if number < MOST_RESOLVED else None
            yield LimitUsed(
                name=name, used=Decimal(used) / self.scale, limit=Decimal(limit) / self.scale, saved_without=saved
            )

    def _saved(self, number: int, cost: Decimal, most_branches: int, patience: Patience) -> Decimal | None:
        try:
            again, _ = self.solve(most_branches, patience, without=number)
        except Invalid:
            return None
        return EXACT.subtract(cost, total(own[one].cost for own, one in zip(self.placements, again, strict=True)))

    def _refuse_hopeless(self, limits: Sequence[int]) -> None:
        """Raises Invalid naming a limit that even the most sparing assignment exceeds."""
        at_least = Counter[int]()
        for own in self.options:
            at_least.update(least_uses(own))
        for number, limit in enumerate(limits):
            least = at_least[number]
            if least > limit:
                needed, granted = Decimal(least) / self.scale, Decimal(limit) / self.scale
                raise Invalid.field("quotas", f"{self.names[number]}: at least {needed} are needed, {granted} granted")


def _placements(work: Work, offers: Sequence[FleetOffer]) -> Iterator[tuple[Assigned, FleetOffer]]:
    needs = {need.accelerator: need for need in work.needs}
    for offer in offers:
        need = needs.get(offer.accelerator)
        if need is None or (work.regions and offer.region not in work.regions):
            continue
        machines = ceil(need.gpus / offer.gpus)
        cost = times(times(Decimal(machines), offer.machine_hour), need.hours)
        yield Assigned(work=work.name, offer=offer.name, machines=machines, hours=need.hours, cost=cost), offer


def _uses(
    placement: Assigned, offer: FleetOffer, capped: Sequence[FleetOffer], quotas: Sequence[Quota], scale: int
) -> dict[int, int]:
    machines = placement.machines * scale
    uses = {number: machines for number, one in enumerate(capped) if one is offer}
    for number, quota in enumerate(quotas, start=len(capped)):
        if quota.counts(provider=offer.provider, region=offer.region, accelerator=offer.accelerator):
            uses[number] = int(machines * offer.gpus)
    return uses


def _because(
    placements: Sequence[Sequence[Assigned]], assigned: Sequence[Assigned], limits: Sequence[LimitUsed]
) -> Iterator[str]:
    for own, taken in zip(placements, assigned, strict=True):
        best = min(own, key=lambda one: one.cost)
        if taken.cost > best.cost:
            more = EXACT.subtract(taken.cost, best.cost)
            yield f"{taken.work} runs on {taken.offer} for {more} more than on {best.offer}, which others need more"
    for limit in limits:
        if limit.saved_without:
            yield f"{limit.name} ({limit.used} of {limit.limit} used): without that limit {limit.saved_without} less"


def _problems(works: Sequence[Work], offers: Sequence[FleetOffer], quotas: Sequence[Quota]) -> Iterator[FieldProblem]:
    for field, named in (("works", works), ("offers", offers), ("quotas", quotas)):
        names = [one.name for one in named]
        if len(set(names)) < len(names) or (not names and field != "quotas"):
            yield FieldProblem(field, "must be there and have a name of its own each")
    for number, offer in enumerate(offers):
        if offer.gpus <= 0 or offer.machine_hour < 0 or (offer.machines or 0) < 0:
            yield FieldProblem(f"offers.{number}", "needs gpus above 0, machine_hour and machines of 0 or more")
    for number, quota in enumerate(quotas):
        if quota.gpus < 0:
            yield FieldProblem(f"quotas.{number}.gpus", "must be 0 or more")
    for number, work in enumerate(works):
        if any(need.gpus <= 0 or need.hours <= 0 for need in work.needs):
            yield FieldProblem(f"works.{number}.needs", "must be above 0 GPUs and 0 hours")
        elif not any(True for _ in _placements(work, [one for one in offers if one.gpus > 0])):
            yield FieldProblem(f"works.{number}", f"no offer has an accelerator {work.name} runs on where it may run")
