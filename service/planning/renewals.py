"""When to buy which commitment, if purchases can be made at several dates: renewals as older ones expire.

With several dates the levels of the demand can no longer be decided one by one: two commitments that overlap
may serve the level of either. Every lot is instead a walk through the period, from date to date: bound by a
commitment, which costs its price, or open, which costs the hours it is needed; the more lots are open at
once, the dearer the next. That is a flow of least cost, found exactly by sending one lot after another along
the cheapest walk left, undoing earlier ones where that is cheaper.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

import numpy as np

from service.domain.quantities import EXACT, significant, times
from service.errors import FieldProblem, Invalid
from service.planning.commitments import (
    Commitment,
    CommitmentQuestion,
    Floats,
    Period,
    best_mix,
    cost_in_period,
    open_cost,
    problems_of,
)
from service.planning.refusals import refuse

MOST_LOTS: Final = 5000
MOST_DATES: Final = 60
MOST_PURCHASES: Final = 10_000
"""Commitments times dates."""
MOST_STEPS: Final = 60_000_000
"""Of looking for cheapest walks; some ten seconds."""
FINE: Final = 2**40
"""Parts of the dearest cost in which all are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """Commitments bought at one date."""

    name: str
    at_hours: Decimal
    """After the start of the period [hours]."""
    units: Decimal
    cost: Decimal
    """Counted in this period [currency]."""
    upfront: Decimal
    """Due at that date [currency]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchasePlan:
    """What to buy when."""

    purchases: tuple[Purchase, ...]
    on_demand_hours: Decimal
    spot_hours: Decimal
    """[unit-hours]"""
    cost: Decimal
    only_at_the_start: Decimal
    """Cost of the best mix if nothing can be bought later [currency]."""
    saving: Decimal


def best_purchases(question: CommitmentQuestion, dates: Sequence[Decimal]) -> PurchasePlan:
    """The cheapest purchases at the start and at these dates (hours after it), exactly. Raises Invalid."""
    refuse([*problems_of(question), *_problems(question, dates)])
    period = Period.of(question, dates)
    once = best_mix(question).cost
    walks = _sent(question, period, sorted({Decimal(0), *dates}))
    purchases = tuple(walks.purchases(question, period))
    bound = period.idle
    for one, count in zip(walks.arcs, walks.taken, strict=True):
        bound = bound + count * float(question.lot) * period.between(one.start_hours, one.end_hours)
    on_demand, spot = period.uncovered(bound)
    cost = open_cost(question, on_demand, spot)
    for purchase in purchases:
        cost = EXACT.add(cost, purchase.cost)
    return PurchasePlan(
        purchases=purchases,
        on_demand_hours=significant(on_demand),
        spot_hours=significant(spot),
        cost=cost,
        only_at_the_start=once,
        saving=EXACT.subtract(once, cost),
    )


def _sent(question: CommitmentQuestion, period: Period, dates: Sequence[Decimal]) -> "_Walks":
    """Every lot on its cheapest walk, with as many spare ones as commitments that overlap can bind.

    Two that overlap may be worth their price at both ends although one lot is all that is ever needed. Where some
    lot is open at every time the number of lots binds nothing, and more of them would change nothing.
    """
    spare, steps = min(1, len(dates) - 1), 0
    while True:
        walks = _Walks.of(question, period, dates, spare)
        walks.steps = steps
        walks.send_all()
        steps = walks.steps
        if all(walks.open) or spare >= (walks.lots - spare) * (len(dates) - 1):
            return walks
        spare *= 2


@dataclass(frozen=True, slots=True)
class _Arc:
    """One commitment bought at one date."""

    option: Commitment
    at: Decimal
    start: int
    end: int
    """Between which of the dates it holds."""
    start_hours: float
    end_hours: float
    cost: int


@dataclass(slots=True)
class _Walks:
    """Lots on their way through the dates."""

    lots: int
    arcs: list[_Arc]
    taken: list[int]
    """How many lots each commitment binds."""
    stretches: list[list[int]]
    """By stretch between two dates, what leaving open one lot more costs, rising."""
    open: list[int]
    """How many lots are open in each stretch."""
    steps: int = 0
    """Taken so far, looking for cheapest walks."""

    @classmethod
    def of(cls, question: CommitmentQuestion, period: Period, dates: Sequence[Decimal], spare: int) -> "_Walks":
        """Nothing sent yet; `spare` lots more than are ever needed. Raises Invalid where there would be too many."""
        length = significant(period.length)
        bought = [
            (option, at, min(at + option.term_hours, length))
            for option in question.offered
            for at in dates
            if at < length
        ]
        ends = sorted({Decimal(0), length, *(at for _, at, _ in bought), *(end for _, _, end in bought)})
        lots = int(np.ceil(period.needed.max(initial=0.0) / float(question.lot)))
        if lots + spare > MOST_LOTS or len(ends) > 4 * MOST_DATES:
            raise Invalid.field(
                "lot", f"makes {lots} lots over {len(ends)} dates, over {MOST_LOTS}; choose larger lots"
            )
        spared = [_spared(question, period, lots, float(one), float(other)) for one, other in pairwise(ends)]
        prices = [float(question.lot) * float(cost_in_period(question, option, end - at)) for option, at, end in bought]
        scale = FINE / max([*(float(one.max(initial=0.0)) for one in spared), *prices, 1e-9])
        arcs = [
            _Arc(option, at, ends.index(at), ends.index(end), float(at), float(end), round(price * scale))
            for (option, at, end), price in zip(bought, prices, strict=True)
        ]
        return cls(
            lots=lots + spare,
            arcs=arcs,
            taken=[0] * len(arcs),
            stretches=[[0] * spare + sorted(round(float(value) * scale) for value in one) for one in spared],
            open=[0] * len(spared),
        )

    def send_all(self) -> None:
        """Send every lot along the cheapest walk left. Raises Invalid where that takes too long."""
        for _ in range(self.lots):
            came_by = self._cheapest_walk()
            node = len(self.stretches)
            while node:
                node, number, step = came_by[node]
                if number < 0:
                    self.open[-number - 1] += step
                else:
                    self.taken[number] += step

    def _cheapest_walk(self) -> list[tuple[int, int, int]]:
        """For each date how it is reached: from which, by which commitment (or stretch, below 0), doing or undoing."""
        nodes = len(self.stretches) + 1
        cost: list[float] = [0, *([float("inf")] * (nodes - 1))]
        came_by = [(0, 0, 0)] * nodes
        moves = list(self._moves())
        changed = True
        while changed:
            changed = False
            self.steps += len(moves)
            if self.steps > MOST_STEPS:
                raise Invalid.field(
                    "purchase_hours",
                    f"and commitments make {len(self.arcs)} purchases for {self.lots} lots to choose from, too many to "
                    "look through; name fewer dates, offer fewer commitments, or choose larger lots",
                )
            for start, end, price, number, step in moves:
                if cost[start] + price < cost[end]:
                    cost[end], came_by[end], changed = cost[start] + price, (start, number, step), True
        return came_by

    def _moves(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Every move a lot can make: from, to, cost, which, and 1 to do or -1 to undo."""
        for place, (values, count) in enumerate(zip(self.stretches, self.open, strict=True)):
            if count < self.lots:
                yield place, place + 1, values[count], -place - 1, 1
            if count:
                yield place + 1, place, -values[count - 1], -place - 1, -1
        for number, (arc, count) in enumerate(zip(self.arcs, self.taken, strict=True)):
            yield arc.start, arc.end, arc.cost, number, 1
            if count:
                yield arc.end, arc.start, -arc.cost, number, -1

    def purchases(self, question: CommitmentQuestion, period: Period) -> Iterator[Purchase]:
        """What was taken, in order of dates."""
        length = significant(period.length)
        for arc, count in sorted(
            zip(self.arcs, self.taken, strict=True), key=lambda pair: (pair[0].at, pair[0].option.name)
        ):
            if count:
                units = times(question.lot, Decimal(count))
                counted = cost_in_period(question, arc.option, min(arc.option.term_hours, length - arc.at))
                yield Purchase(
                    name=arc.option.name,
                    at_hours=arc.at,
                    units=units,
                    cost=times(units, counted),
                    upfront=times(units, arc.option.upfront),
                )


def _spared(question: CommitmentQuestion, period: Period, lots: int, start: float, end: float) -> Floats:
    """By lot, what it costs to leave it open between two times."""
    cover, lot = period.between(start, end), float(question.lot)
    spot = question.on_demand if question.spot is None else question.spot
    anywhere = period.needed_per_level(lot, lots, cover, 0.0)
    beyond_spot = period.needed_per_level(lot, lots, cover, period.spot_units)
    spared: Floats = float(spot) * anywhere + float(question.on_demand - spot) * beyond_spot
    return spared


def _problems(question: CommitmentQuestion, dates: Sequence[Decimal]) -> Iterator[FieldProblem]:
    if len(dates) > MOST_DATES or any(one < 0 for one in dates):
        yield FieldProblem("dates", f"must be at most {MOST_DATES}, each 0 or more hours after the start")
    elif (purchases := len(question.offered) * (1 + len(dates))) > MOST_PURCHASES:
        yield FieldProblem(
            "offered", f"at {1 + len(dates)} dates make {purchases} purchases, over {MOST_PURCHASES}; offer fewer"
        )
