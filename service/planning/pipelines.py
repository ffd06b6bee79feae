"""A pipeline across regions: where each stage runs when moving what it reads costs, too.

What a stage costs depends on its region; what a transfer costs depends on two. So of the offers of a region
only the cheapest counts, and the cheapest whole is found by settling one stage after another for every
choice of those it shares a transfer with. Along a chain that is the shortest path; where stages branch and
join it is as exact, and takes longer only where many depend on one another at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import prod
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from service.domain.quantities import EXACT, times, total
from service.domain.scenario import FORBID_UNKNOWN
from service.errors import FieldProblem, Invalid
from service.planning.refusals import refuse

MOST_CASES: Final = 20_000_000
"""Settled at once; twice as many in all, and a quarter of both where costs have more digits than a word holds."""
WORD: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOffer:
    """One way to run a stage."""

    name: str
    region: str
    cost: Decimal
    """Of the whole stage [currency]."""
    hours: Decimal
    """[hours]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What a stage reads of another stage, or of a data set."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    of: str
    gb: Decimal
    """[GB]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A step of the pipeline."""

    name: str
    offers: tuple[StageOffer, ...]
    reads: tuple[Reads, ...] = ()
    """Of stages named before it; each transfer is paid for by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Data that lie somewhere already; of several copies the one nearest in price is read."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """What it costs to move data from one region to another; within a region it is free."""

    from_region: str
    to_region: str
    per_gb: Decimal
    """[currency/GB]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Stages in an order in which they could run."""

    stages: tuple[Stage, ...]
    data_sets: tuple[DataSet, ...] = ()
    egress: tuple[Egress, ...] = ()
    """A pair of regions that is not named cannot be used: nothing moves for free by accident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A stage and where it runs."""

    stage: str
    region: str
    offer: str
    cost: Decimal
    finish_hours: Decimal
    """After the start of the first, if each starts when what it reads is there; transfers take no time [hours]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Data that move between regions."""

    of: str
    to: str
    from_region: str
    to_region: str
    gb: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRegion:
    """Everything in one region."""

    region: str
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelinePlan:
    """The cheapest places for all stages."""

    placed: tuple[Placed, ...]
    transfers: tuple[Transfer, ...]
    cost: Decimal
    best_single: OneRegion | None
    """The cheapest region that could run all of it; None if none can."""
    because: tuple[str, ...]


Tables = list[tuple[tuple[int, ...], NDArray[Any]]]
"""Costs that depend on the regions of some stages: which stages, and an axis for each."""


def cheapest_places(pipeline: Pipeline) -> PipelinePlan:
    """The cheapest region and offer of every stage, exactly. Raises Invalid if there is none."""
    refuse(_problems(pipeline))
    places = _Places.of(pipeline)
    tables, never = places.tables()
    chosen = _settle([len(one) for one in places.regions], tables, never)
    if chosen is None:
        raise Invalid.field("egress", "no choice of regions has a price for every transfer; name more pairs of regions")
    return places.plan([own[one] for own, one in zip(places.regions, chosen, strict=True)])


@dataclass(frozen=True, slots=True)
class _Places:
    """The cheapest offer of every stage in every region, and what lies between regions."""

    pipeline: Pipeline
    offers: list[dict[str, StageOffer]]
    prices: Mapping[tuple[str, str], Decimal]

    @classmethod
    def of(cls, pipeline: Pipeline) -> "_Places":
        offers: list[dict[str, StageOffer]] = []
        for stage in pipeline.stages:
            best: dict[str, StageOffer] = {}
            for offer in sorted(stage.offers, key=lambda one: (one.cost, one.hours, one.name)):
                best.setdefault(offer.region, offer)
            offers.append(best)
        return cls(pipeline, offers, {(one.from_region, one.to_region): one.per_gb for one in pipeline.egress})

    @property
    def regions(self) -> list[list[str]]:
        """Where each stage could run."""
        return [list(own) for own in self.offers]

    def moved(self, sources: Sequence[str], region: str, gb: Decimal) -> tuple[Decimal, str] | None:
        """What moving data to a region costs from the nearest of some, or None if that has no price."""
        known = [
            (Decimal(0) if source == region else times(self.prices[source, region], gb), source)
            for source in sources
            if source == region or (source, region) in self.prices
        ]
        return min(known, default=None)

    def tables(self) -> tuple[Tables, int]:
        """All costs as whole numbers, and a number above every sum of them that means there is no price."""
        costs: list[tuple[tuple[int, ...], list[Decimal | None], tuple[int, ...]]] = []
        numbers = {stage.name: number for number, stage in enumerate(self.pipeline.stages)}
        copies = {one.name: one.regions for one in self.pipeline.data_sets}
        for number, stage in enumerate(self.pipeline.stages):
            own = self.regions[number]
            costs.append(((number,), [self.offers[number][region].cost for region in own], (len(own),)))
            for read in stage.reads:
                if read.of in copies:
                    found = [self._price(copies[read.of], region, read.gb) for region in own]
                    costs.append(((number,), found, (len(own),)))
                    continue
                before = self.regions[numbers[read.of]]
                found = [self._price([source], region, read.gb) for source in before for region in own]
                costs.append(((numbers[read.of], number), found, (len(before), len(own))))
        return _whole(costs)

    def _price(self, sources: Sequence[str], region: str, gb: Decimal) -> Decimal | None:
        found = self.moved(sources, region, gb)
        return None if found is None else found[0]

    def plan(self, regions: Sequence[str]) -> PipelinePlan:
        """The pipeline with its stages in these regions."""
        placed, transfers = tuple(self._placed(regions)), tuple(self._transfers(regions))
        cost = EXACT.add(total(one.cost for one in placed), total(one.cost for one in transfers))
        single = self._best_single()
        return PipelinePlan(
            placed=placed,
            transfers=transfers,
            cost=cost,
            best_single=single,
            because=tuple(_because(placed, transfers, cost, single)),
        )

    def _placed(self, regions: Sequence[str]) -> Iterator[Placed]:
        finish: dict[str, Decimal] = {}
        for number, stage in enumerate(self.pipeline.stages):
            offer = self.offers[number][regions[number]]
            ready = max((finish.get(read.of, Decimal(0)) for read in stage.reads), default=Decimal(0))
            finish[stage.name] = EXACT.add(ready, offer.hours)
            yield Placed(
                stage=stage.name,
                region=offer.region,
                offer=offer.name,
                cost=offer.cost,
                finish_hours=finish[stage.name],
            )

    def _transfers(self, regions: Sequence[str]) -> Iterator[Transfer]:
        """Raises LookupError where a transfer has no price."""
        where: dict[str, tuple[str, ...]] = {one.name: one.regions for one in self.pipeline.data_sets}
        for stage, region in zip(self.pipeline.stages, regions, strict=True):
            for read in stage.reads:
                found = self.moved(where[read.of], region, read.gb)
                if found is None:
                    raise LookupError(f"{read.of} to {region}")
                cost, source = found
                if source != region:
                    yield Transfer(
                        of=read.of, to=stage.name, from_region=source, to_region=region, gb=read.gb, cost=cost
                    )
            where[stage.name] = (region,)

    def _best_single(self) -> OneRegion | None:
        count, found = len(self.offers), []
        for region in sorted(set.intersection(*(set(own) for own in self.offers))):
            try:
                moved = total(one.cost for one in self._transfers([region] * count))
            except LookupError:
                continue
            found.append((EXACT.add(moved, total(own[region].cost for own in self.offers)), region))
        return None if not found else OneRegion(cost=min(found)[0], region=min(found)[1])


def _whole(
    costs: Sequence[tuple[tuple[int, ...], Sequence[Decimal | None], tuple[int, ...]]],
) -> tuple[Tables, int]:
    known = [cost for _, found, _ in costs for cost in found if cost is not None]
    digits = max(0, *(-int(cost.as_tuple().exponent) for cost in known))
    whole = [[None if one is None else int(one.scaleb(digits, EXACT)) for one in found] for _, found, _ in costs]
    never = sum(max((one for one in found if one is not None), default=0) for found in whole) + 1
    kind = np.int64 if never * (len(costs) + 1) < WORD else object
    filled = ([never if one is None else one for one in found] for found in whole)
    return [
        (stages, np.array(numbers, dtype=kind).reshape(shape))
        for (stages, _, shape), numbers in zip(costs, filled, strict=True)
    ], never


def _settle(sizes: Sequence[int], tables: Tables, never: int) -> list[int] | None:
    """For each stage the number of its region, at least cost in all; None if every choice has a transfer without."""
    # A stage with one region to choose from is no question, and would be an axis too many.
    left, steps, room = {one for one, size in enumerate(sizes) if size > 1}, [], 2 * MOST_CASES
    tables = _gathered(tables)
    dear = 4 if any(table.dtype == object for _, table in tables) else 1
    while left:
        around = {one: {other for own, _ in tables if one in own for other in own} for one in left}
        number = min(left, key=lambda one: (prod(sizes[other] for other in around[one] | {one}), one))
        axes = (*sorted(around[number] - {number}), number)
        cases = dear * prod(sizes[one] for one in axes)
        room -= cases
        if cases > MOST_CASES or room < 0:
            raise Invalid.field(
                "stages",
                f"{len(axes)} stages depend on one another at once, over {MOST_CASES // dear} cases; "
                "offer fewer regions" + (", or prices of fewer digits" if dear > 1 else ""),
            )
        joint = sum(_spread(own, table, axes) for own, table in tables if number in own)
        joint = np.minimum(np.broadcast_to(joint, [sizes[one] for one in axes]), never)
        steps.append((number, axes[:-1], joint.argmin(axis=-1)))
        tables = [(own, table) for own, table in tables if number not in own]
        tables.append((axes[:-1], joint.min(axis=-1)))
        left.remove(number)
    if sum(int(table) for _, table in tables) >= never:
        return None
    chosen = dict.fromkeys(range(len(sizes)), 0)
    for number, others, best in reversed(steps):
        chosen[number] = int(best[tuple(chosen[one] for one in others)])
    return [chosen[number] for number in range(len(sizes))]


def _gathered(tables: Tables) -> Tables:
    """One table for the same stages, of those that have a choice."""
    found: dict[tuple[int, ...], NDArray[Any]] = {}
    for stages, table in tables:
        own = tuple(one for one, size in zip(stages, table.shape, strict=True) if size > 1)
        narrow = table.reshape([size for size in table.shape if size > 1])
        found[own] = found[own] + narrow if own in found else narrow
    return list(found.items())


def _spread(own: Sequence[int], table: NDArray[Any], axes: Sequence[int]) -> NDArray[Any]:
    """A table over some stages as one over `axes`, which name them all in order, to be added to others."""
    order = sorted(range(len(own)), key=lambda place: list(axes).index(own[place]))
    turned = np.transpose(table, order)
    sizes = dict(zip(own, table.shape, strict=True))
    return turned.reshape([sizes.get(one, 1) for one in axes])


def _because(
    placed: Sequence[Placed], transfers: Sequence[Transfer], cost: Decimal, single: OneRegion | None
) -> Iterator[str]:
    if single is None:
        yield "no region can run all of it"
    elif len({one.region for one in placed}) == 1:
        yield f"all stages run in {placed[0].region}: no move pays for itself"
    else:
        more = EXACT.subtract(single.cost, cost)
        yield f"all of it in {single.region}, the cheapest single region, costs {more} more"
    for one in transfers:
        yield f"{one.gb} GB of {one.of} move from {one.from_region} to {one.to_region} for {one.cost}"


def _problems(pipeline: Pipeline) -> Iterator[FieldProblem]:
    known = [one.name for one in pipeline.data_sets]
    if not pipeline.stages:
        yield FieldProblem("stages", "must name at least one stage")
    for number, stage in enumerate(pipeline.stages):
        if not stage.offers or any(one.cost < 0 or one.hours < 0 for one in stage.offers):
            yield FieldProblem(f"stages.{number}.offers", "must be at least one, with cost and hours of 0 or more")
        for place, read in enumerate(stage.reads):
            if read.of not in known:
                yield FieldProblem(
                    f"stages.{number}.reads.{place}", f"{read.of!r} is no data set and no stage before {stage.name}"
                )
            if read.gb < 0:
                yield FieldProblem(f"stages.{number}.reads.{place}", "must be 0 GB or more")
        known.append(stage.name)
    for name in sorted({one for one in known if known.count(one) > 1}):
        yield FieldProblem("stages", f"two stages or data sets are called {name!r}; name each once")
    for number, egress in enumerate(pipeline.egress):
        if egress.per_gb < 0:
            yield FieldProblem(f"egress.{number}.per_gb", "must be 0 or more")
