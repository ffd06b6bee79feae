"""How much to commit to, and how much to leave on demand: exact, level by level.

Stack the demand in lots, the lowest needed longest. A lot that is committed costs the same whether it
is used or not; one that is not costs only the hours it is needed. So each lot is decided alone, by how
long it is needed within the term: the newsvendor's rule, "commit up to the level exceeded in a share
`committed / on demand` of the hours", read off the sorted demand. Higher lots are needed in fewer hours,
of every stretch of the period, so longer terms end up below shorter ones and the stack of lots is the
optimum of the whole, not of its parts only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from service.domain.quantities import EXACT, significant, times, total
from service.domain.scenario import FORBID_UNKNOWN
from service.errors import FieldProblem, Invalid
from service.planning.refusals import refuse

MOST_LEVELS: Final = 1_000_000
MOST_STRETCHES: Final = 5_000_000
"""Of all futures."""
MOST_CELLS: Final = 100_000_000
"""Levels and stretches of all futures, looked at by each commitment."""
MOST_UNITS: Final = 10**9
MOST_HOURS: Final = 10**6
LEAST: Final = Decimal("0.001")
"""Of a lot [units], a step and a term [hours]."""
ON_DEMAND: Final = "on demand"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is needed in each step of the period, in one or several possible futures."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    paths: tuple[tuple[float, ...], ...]
    """Units needed in each step, one row per future [units]."""
    weights: tuple[float, ...] = ()
    """How likely each future is [1]; all alike where empty."""
    step_hours: Decimal = Decimal(1)
    """Length of a step [hours]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A reservation or savings plan for one unit, from the start of the period."""

    name: str
    term_hours: Decimal
    """How long it binds [hours]."""
    upfront: Decimal = Decimal(0)
    """Paid when it is bought [currency/unit]."""
    hourly: Decimal = Decimal(0)
    """Paid every hour of the term, used or not [currency/unit-hour]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCommitment:
    """What is bound already; its cost is the same in every plan and counts in none."""

    __pydantic_config__: ClassVar = FORBID_UNKNOWN

    name: str
    units: float
    hours_left: Decimal
    """Until it expires, from the start of the period [hours]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentQuestion:
    """A demand and the ways to meet it."""

    demand: Demand
    on_demand: Decimal
    """[currency/unit-hour]"""
    offered: tuple[Commitment, ...]
    held: tuple[HeldCommitment, ...] = ()
    spot: Decimal | None = None
    """Not above on demand [currency/unit-hour]."""
    spot_units: float = 0.0
    """At most so many units run on spot at once [units]."""
    lot: Decimal = Decimal(1)
    """Commitments are sold in multiples of this [units]."""
    beyond: Literal["accrued", "lost"] = "accrued"
    """What of a term that outlasts the period counts: its share of the period, or all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """One way to commit, and how much of it the mix takes."""

    name: str
    units: Decimal
    effective_hourly: Decimal
    """Upfront spread over the term, and hourly [currency/unit-hour]; to 12 digits."""
    break_even_utilisation: Decimal
    """Share of its hours in the period a unit must be needed to beat on demand [1]; above 1 it never does."""
    utilisation: Decimal | None
    """Share of the hours these units are needed [1]; None where none is taken."""
    cost: Decimal
    """Counted in this period [currency]."""
    upfront: Decimal
    """To be paid at once [currency]."""
    beyond_the_period: Decimal
    """Bound after the period's end [currency]; in `cost` only where that is `lost`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelBand:
    """Neighbouring levels of the demand that are met the same way."""

    above: Decimal
    up_to: Decimal
    """[units], on top of what is held."""
    met_by: str
    needed_most: Decimal
    needed_least: Decimal
    """Share of the hours of the term (on demand: of the period) the lowest and the highest lot is needed [1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentMix:
    """The cheapest mix of commitments, spot and on demand, in expectation over the futures."""

    committed: tuple[Committed, ...]
    bands: tuple[LevelBand, ...]
    on_demand_hours: Decimal
    spot_hours: Decimal
    """[unit-hours]"""
    cost: Decimal
    without: Decimal
    """Cost if nothing more is committed [currency]."""
    saving: Decimal
    because: tuple[str, ...]


def best_mix(question: CommitmentQuestion) -> CommitmentMix:
    """The cheapest mix, exactly: no other number of lots of any commitment costs less.

    Raises Invalid naming what cannot be meant.
    """
    refuse(problems_of(question))
    period = Period.of(question)
    chosen, needed = _decide(question, period)
    counts, hours = (np.bincount(chosen, of, len(question.offered) + 1)[1:] for of in (None, needed))
    mix = [
        _committed(question, period, option, int(count), float(used))
        for option, count, used in zip(question.offered, counts, hours, strict=True)
    ]
    bound = (float(one.units) * period.cover(option) for one, option in zip(mix, question.offered, strict=True))
    on_demand, spot = period.uncovered(sum(bound, period.idle))
    cost = total([one.cost for one in mix] + [open_cost(question, on_demand, spot)])
    without = open_cost(question, *period.uncovered(period.idle))
    bands = tuple(_bands(question, chosen, needed))
    return CommitmentMix(
        committed=tuple(mix),
        bands=bands,
        on_demand_hours=significant(on_demand),
        spot_hours=significant(spot),
        cost=cost,
        without=without,
        saving=EXACT.subtract(without, cost),
        because=tuple(_because(question, mix, bands)),
    )


def effective_hourly(option: Commitment) -> Decimal:
    """What an hour of the term costs, its share of the upfront payment included [currency/unit-hour].

    >>> effective_hourly(Commitment(name="1y", term_hours=Decimal(8760), upfront=Decimal(8760), hourly=Decimal("0.5")))
    Decimal('1.5')
    """
    return significant(option.upfront / option.term_hours + option.hourly)


@dataclass(frozen=True, slots=True)
class Period:
    """The demand as arrays: futures × stretches of time, cut wherever anything begins or ends."""

    needed: Floats
    """Units nobody holds yet, futures × stretches."""
    weights: Floats
    edges: Floats
    """Where the stretches begin, and the end of the last [hours]."""
    spot_units: float
    rising: NDArray[np.intp]
    """All futures and stretches in the order of what they need."""

    @classmethod
    def of(cls, question: CommitmentQuestion, dates: Sequence[Decimal] = ()) -> "Period":
        """The period of a question in which commitments may also begin at `dates` (hours after its start).

        Raises Invalid where its futures and stretches are too many to lay out.
        """
        paths = np.array(question.demand.paths, dtype=np.float64)
        weights = np.array(question.demand.weights or np.ones(len(paths)), dtype=np.float64)
        steps = np.arange(paths.shape[1] + 1) * float(question.demand.step_hours)
        ends = [*(one + option.term_hours for option in question.offered for one in (Decimal(0), *dates)), *dates]
        cuts = np.array([float(one) for one in [*ends, *(held.hours_left for held in question.held)]])
        edges = np.union1d(steps, cuts[(cuts > 0) & (cuts < steps[-1])])
        if len(paths) * (len(edges) - 1) > MOST_STRETCHES:
            many = f"{len(paths)} futures of {len(edges) - 1} stretches, cut where a commitment ends"
            raise Invalid.field("demand.paths", f"are {many}; over {MOST_STRETCHES} together, take longer steps")
        place = np.searchsorted(steps, edges[:-1], side="right") - 1
        spot = 0.0 if question.spot is None else question.spot_units
        held = np.zeros(len(edges) - 1)
        for one in question.held:
            held[edges[:-1] < float(one.hours_left)] += one.units
        needed = np.maximum(paths[:, place] - held, 0.0)
        return cls(needed, weights / weights.sum(), edges, spot, np.argsort(needed, axis=None))

    @property
    def idle(self) -> Floats:
        """No unit in any stretch."""
        return np.zeros(len(self.edges) - 1)

    @property
    def length(self) -> float:
        """Of the period [hours]."""
        return float(self.edges[-1])

    def between(self, start: float, end: float) -> Floats:
        """1 for each stretch between two times, else 0."""
        return ((start <= self.edges[:-1]) & (self.edges[:-1] < end)).astype(np.float64)

    def cover(self, option: Commitment) -> Floats:
        """1 for each stretch in which a commitment bought at the start holds, else 0."""
        return self.between(0.0, float(option.term_hours))

    def uncovered(self, committed: Floats) -> tuple[float, float]:
        """Expected unit-hours on demand and on spot when `committed` units hold in each step."""
        rest = np.maximum(self.needed - committed, 0.0)
        spot = np.minimum(rest, self.spot_units)
        return self._expected(rest - spot), self._expected(spot)

    def needed_per_level(self, lot: float, levels: int, cover: Floats, beside: float) -> Floats:
        """Expected unit-hours each lot is needed within `cover`, when `beside` units run elsewhere."""
        # Hours below a level x are Σ min(demand, x): prefix sums over the sorted demand give all levels at once.
        demand = np.maximum(self.needed.ravel()[self.rising] - beside, 0.0)
        hours = (self.weights[:, None] * cover * np.diff(self.edges)).ravel()[self.rising]
        below = np.concatenate([[0.0], np.cumsum(demand * hours)])
        above = hours.sum() - np.concatenate([[0.0], np.cumsum(hours)])
        tops = lot * np.arange(levels + 1)
        place = np.searchsorted(demand, tops, side="right")
        served: Floats = np.diff(below[place] + tops * above[place])
        return served

    def _expected(self, units: Floats) -> float:
        return float(self.weights @ (units @ np.diff(self.edges)))


def _decide(question: CommitmentQuestion, period: Period) -> tuple[NDArray[np.int64], Floats]:
    """For each lot the way to meet it (0 is to leave it open), and the hours a unit of it is needed in that way."""
    lot, spot = float(question.lot), question.on_demand if question.spot is None else question.spot
    levels = int(np.ceil(period.needed.max(initial=0.0) / lot))
    refuse(_too_large(question, period, levels))
    needed = period.needed_per_level(lot, levels, period.between(0.0, period.length), 0.0)
    chosen, saved = np.zeros(levels, np.int64), np.zeros(levels)
    # Of equals the longest term, so that ties keep the stack in order. One commitment after another, and of those
    # before only the best is kept: all of them beside each other would not fit into memory.
    for way, option in sorted(enumerate(question.offered, 1), key=lambda numbered: -numbered[1].term_hours):
        cover = period.cover(option)
        anywhere = period.needed_per_level(lot, levels, cover, 0.0)
        saving = float(spot) * anywhere - lot * float(cost_in_period(question, option, significant(period.length)))
        if spot != question.on_demand:
            beyond_spot = period.needed_per_level(lot, levels, cover, period.spot_units)
            saving += float(question.on_demand - spot) * beyond_spot
        better = saving > saved
        chosen[better], saved[better], needed[better] = way, saving[better], anywhere[better]
    return chosen, needed


def _too_large(question: CommitmentQuestion, period: Period, levels: int) -> Iterator[FieldProblem]:
    """Raised before anything is laid out level by level."""
    cells = (levels + period.needed.size) * len(question.offered)
    if levels > MOST_LEVELS:
        yield FieldProblem("lot", f"makes {levels} levels of demand, over {MOST_LEVELS}; choose larger lots")
    elif cells > MOST_CELLS:
        many = f"{len(question.offered)} commitments over {levels} levels and {period.needed.size} stretches"
        yield FieldProblem("offered", f"{many} make over {MOST_CELLS}; choose larger lots, or offer fewer")


def cost_in_period(question: CommitmentQuestion, option: Commitment, hours: Decimal) -> Decimal:
    """What a unit of a commitment adds to the cost of a period of which it holds in so many hours [currency/unit]."""
    if question.beyond == "lost" or option.term_hours <= hours:
        return EXACT.add(option.upfront, times(option.hourly, option.term_hours))
    return significant(option.upfront * hours / option.term_hours + option.hourly * hours)


def _committed(question: CommitmentQuestion, period: Period, option: Commitment, lots: int, needed: float) -> Committed:
    units, counted = times(question.lot, Decimal(lots)), cost_in_period(question, option, significant(period.length))
    hours = min(float(option.term_hours), period.length)
    whole = EXACT.add(option.upfront, times(option.hourly, option.term_hours))
    accrued = significant(whole * min(significant(period.length) / option.term_hours, Decimal(1)))
    return Committed(
        name=option.name,
        units=units,
        effective_hourly=effective_hourly(option),
        break_even_utilisation=_share(counted / significant(hours) / question.on_demand),
        utilisation=_share(needed / (float(units) * hours)) if lots else None,
        cost=times(units, counted),
        upfront=times(units, option.upfront),
        beyond_the_period=times(units, max(EXACT.subtract(whole, accrued), Decimal(0))),
    )


def open_cost(question: CommitmentQuestion, on_demand: float, spot: float) -> Decimal:
    """What unit-hours on demand and on spot cost [currency]."""
    spot_cost = times(significant(spot), question.spot or Decimal(0))
    return EXACT.add(times(significant(on_demand), question.on_demand), spot_cost)


def _bands(question: CommitmentQuestion, chosen: NDArray[np.int64], needed: Floats) -> Iterator[LevelBand]:
    """Runs of lots met the same way, lowest first."""
    lot, step = question.lot, float(question.demand.step_hours)
    length = step * len(question.demand.paths[0])
    for way, run in groupby(range(len(chosen)), key=lambda level: int(chosen[level])):
        first, *rest = run
        last = rest[-1] if rest else first
        hours = min(float(question.offered[way - 1].term_hours), length) if way else length
        yield LevelBand(
            above=times(lot, Decimal(first)),
            up_to=times(lot, Decimal(last + 1)),
            met_by=question.offered[way - 1].name if way else ON_DEMAND,
            needed_most=_share(float(needed[first]) / (float(lot) * hours)),
            needed_least=_share(float(needed[last]) / (float(lot) * hours)),
        )


def _because(question: CommitmentQuestion, mix: Sequence[Committed], bands: Sequence[LevelBand]) -> Iterator[str]:
    options = {one.name: one for one in mix}
    for band in bands:
        span = f"{band.above} to {band.up_to} units"
        if band.met_by == ON_DEMAND:
            least = min((one.break_even_utilisation for one in mix), default=None)
            pays = f"; to commit pays from {_percent(least)}" if least is not None and question.spot is None else ""
            yield f"{span} stay open: they are needed in at most {_percent(band.needed_most)} of the hours{pays}"
        else:
            pays = _percent(options[band.met_by].break_even_utilisation)
            yield (
                f"{span} on {band.met_by}: even the last is needed in {_percent(band.needed_least)} of its hours; "
                f"it beats on demand from {pays}"
            )
    for one in mix:
        if one.beyond_the_period:
            yield f"{one.name} binds {one.beyond_the_period} after the period; that pays only if the need goes on"


def problems_of(question: CommitmentQuestion) -> Iterator[FieldProblem]:
    """What of a question cannot be meant."""
    demand, paths = question.demand, question.demand.paths
    if not paths or not paths[0] or len({len(path) for path in paths}) > 1:
        yield FieldProblem("demand.paths", "must hold at least one future, all with as many steps, at least one")
    elif not (np.array(paths) >= 0).all() or not (np.array(paths) <= MOST_UNITS).all():
        yield FieldProblem("demand.paths", f"must be 0 to {MOST_UNITS} units in each step")
    weights = demand.weights
    if weights and (len(weights) != len(paths) or min(weights) < 0 or not 0 < sum(weights) < np.inf):
        yield FieldProblem("demand.weights", "must be one a future, 0 or more, not all 0")
    if not LEAST <= demand.step_hours <= MOST_HOURS:
        yield FieldProblem("demand.step_hours", f"must be {LEAST} to {MOST_HOURS} hours")
    if question.on_demand <= 0:
        yield FieldProblem("on_demand", "must be above 0")
    if question.spot is not None and not 0 <= question.spot <= question.on_demand:
        yield FieldProblem("spot", "must be 0 or more, and not above on demand")
    if not LEAST <= question.lot <= MOST_UNITS:
        yield FieldProblem("lot", f"must be {LEAST} to {MOST_UNITS} units")
    if not 0 <= question.spot_units < np.inf:
        yield FieldProblem("spot_units", "must be 0 or more units")
    yield from _problems_of_options(question)


def _problems_of_options(question: CommitmentQuestion) -> Iterator[FieldProblem]:
    for number, option in enumerate(question.offered):
        if not LEAST <= option.term_hours <= MOST_HOURS:
            yield FieldProblem(f"offered.{number}.term_hours", f"must be {LEAST} to {MOST_HOURS} hours")
        if option.upfront < 0 or option.hourly < 0 or not option.upfront + option.hourly:
            yield FieldProblem(f"offered.{number}", "needs upfront or hourly, both 0 or more")
    names = [option.name for option in question.offered]
    if len(set(names)) < len(names):
        yield FieldProblem("offered", "has two commitments of one name; name each once")
    for number, held in enumerate(question.held):
        if not 0 <= held.units <= MOST_UNITS or not 0 <= held.hours_left <= MOST_HOURS:
            yield FieldProblem(f"held.{number}", f"must be 0 to {MOST_UNITS} units for 0 to {MOST_HOURS} hours")


def _share(number: Decimal | float) -> Decimal:
    return significant(number, 6)


def _percent(share: Decimal | None) -> str:
    return f"{100 * (share or 0):.1f} %"
