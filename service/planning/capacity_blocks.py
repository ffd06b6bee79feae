"""Reserved blocks of time, each bought whole: the cheapest that hold a run.

Of two blocks one of which lies within the other, the inner adds nothing; so the blocks of a plan, in order
of their starts, are in order of their ends, too, and what each adds depends on the one before it only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Final

from service.domain.quantities import EXACT, significant
from service.domain.scenario import FORBID_UNKNOWN
from service.errors import FieldProblem, Invalid
from service.planning.refusals import refuse
from service.planning.slots import TICK, TICKS_PER_HOUR

MOST_WAYS: Final = 200_000
MOST_LOOKED_AT: Final = 2_000_000
"""Chains looked at, those worth keeping and those not; some ten seconds."""
MOST_HOURS: Final = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityBlock:
    """Hardware for a stretch of time, paid whole."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    start: datetime
    end: datetime
    price: Decimal
    """Of the whole block [currency]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRun:
    """Work to be done in blocks."""

    hours: Decimal
    """Of work [hours]."""
    start_hours: Decimal = Decimal(0)
    """At each start, the first included, in which nothing is done [hours]."""
    earliest: datetime
    deadline: datetime
    suspendable: bool = False
    """False: the blocks must follow one another without a break."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPlan:
    """The blocks to buy."""

    blocks: tuple[CapacityBlock, ...]
    cost: Decimal
    usable_hours: Decimal
    """Of work that fits into them before the deadline [hours]."""
    starts: int
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Way:
    """A chain of blocks: what it costs, and how much work fits into it."""

    cost: Decimal
    done: timedelta
    starts: int
    last: int
    before: "_Way | None" = None


def best_blocks(blocks: Sequence[CapacityBlock], run: BlockRun) -> BlockPlan:
    """The cheapest blocks that hold the run; of equals those with more room. Raises Invalid if none do."""
    refuse(_problems(blocks, run))
    inside = sorted(
        (one for one in blocks if max(one.start, run.earliest) < min(one.end, run.deadline)),
        key=lambda one: (one.start, one.end, one.price),
    )
    needed, most = _ticks(run.hours), timedelta(0)
    best: _Way | None = None
    ways: list[list[_Way]] = []
    kept = looked_at = 0
    for place in range(len(inside)):
        found = _undominated(_ways_to(place, inside, ways, run), needed)
        ways.append(found)
        kept, looked_at = kept + len(found), looked_at + 1 + kept
        if kept > MOST_WAYS or looked_at > MOST_LOOKED_AT:
            raise Invalid.field(
                "blocks",
                f"make over {MOST_WAYS} plans worth keeping, or over {MOST_LOOKED_AT} worth a look; offer fewer blocks",
            )
        for way in found:
            most = max(most, way.done)
            if way.done >= needed and (best is None or (way.cost, -way.done) < (best.cost, -best.done)):
                best = way
    if best is None:
        raise Invalid.field("hours", f"{run.hours} hours do not fit; the most that does is {_hours(most)} hours")
    return _plan(best, inside)


def _problems(blocks: Sequence[CapacityBlock], run: BlockRun) -> Iterator[FieldProblem]:
    if not (0 < run.hours <= MOST_HOURS and 0 <= run.start_hours <= MOST_HOURS):
        yield FieldProblem("hours", f"must be above 0 to {MOST_HOURS}, and those of a start 0 to {MOST_HOURS}")
    if run.earliest.tzinfo is None or run.deadline.tzinfo is None or run.earliest >= run.deadline:
        yield FieldProblem("deadline", "must be after earliest, both with a UTC offset")
    for number, block in enumerate(blocks):
        if block.start.tzinfo is None or block.end.tzinfo is None or block.start >= block.end:
            yield FieldProblem(f"blocks.{number}", "must end after it starts, both with a UTC offset")
        if block.price < 0:
            yield FieldProblem(f"blocks.{number}.price", "must be 0 or more")


def _ways_to(
    place: int, inside: Sequence[CapacityBlock], ways: Sequence[Sequence[_Way]], run: BlockRun
) -> Iterator[_Way]:
    """Every chain that ends with a block, from the chains worth keeping that end with an earlier one."""
    block, warm = inside[place], _ticks(run.start_hours)
    start, end = max(block.start, run.earliest), min(block.end, run.deadline)
    # A block shorter than a start does no work by itself, and yet may lead into the next.
    yield _Way(block.price, end - start - warm, 1, place)
    for earlier, found in enumerate(ways):
        until = min(inside[earlier].end, run.deadline)
        broken = start > until
        if end <= until or (broken and not run.suspendable):
            continue
        added = end - max(start, until) - (warm if broken else timedelta(0))
        for way in found:
            cost = EXACT.add(way.cost, block.price)
            yield _Way(cost, way.done + added, way.starts + broken, place, way)


def _undominated(ways: Iterator[_Way], needed: timedelta) -> list[_Way]:
    """Without those that cost no less than another and hold no more of the work."""
    kept: list[_Way] = []
    for way in sorted(ways, key=lambda one: (one.cost, -one.done)):
        if not kept or (way.done > kept[-1].done and kept[-1].done < needed):
            kept.append(way)
    return kept


def _plan(best: _Way, inside: Sequence[CapacityBlock]) -> BlockPlan:
    chosen, way = [inside[best.last]], best.before
    while way is not None:
        chosen.append(inside[way.last])
        way = way.before
    count = f"{len(chosen)} of {len(inside)} blocks within the window"
    return BlockPlan(
        blocks=tuple(reversed(chosen)),
        cost=best.cost,
        usable_hours=_hours(best.done),
        starts=best.starts,
        because=(f"{count} hold {_hours(best.done)} hours of work; no cheaper choice of blocks does",),
    )


def _ticks(hours: Decimal) -> timedelta:
    return int((hours * TICKS_PER_HOUR).to_integral_value()) * TICK


def _hours(length: timedelta) -> Decimal:
    return significant(Decimal(length // TICK) / TICKS_PER_HOUR)
