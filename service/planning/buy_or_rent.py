"""Buy, rent, reserve or call an API: the cost of each over utilisation and over volume, and where they cross.

Over utilisation: a fleet of GPUs for a year. Owned and reserved hours are paid whether used or not, so the
share of hours in use is the answer, and the axis. Over volume: queries a month. An API is paid by the
token; replicas of one's own are paid by the machine, reserved for the volume rather than metered by it,
so their cost rises in steps.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product
from math import ceil
from typing import Final

from service.domain.quantities import significant
from service.errors import FieldProblem, Invalid
from service.formulas.capital import payback_years
from service.planning.break_even import CostCurve, Crossing, Stretch, crossings, line, lowest, stairs
from service.planning.refusals import refuse
from service.planning.ways import (
    HOURS_PER_YEAR,
    MONTHS_PER_YEAR,
    OwnHardware,
    Query,
    RentedGpus,
    Replicas,
    TokenApi,
    problems_of_gpus,
    running_cost,
    year_of,
)

HOURS_PER_MONTH: Final = Decimal(730)
MOST_STEPS: Final = 2000
MOST_WAYS: Final = 12
MOST_SAID: Final = 5
SHARES: Final = tuple(Decimal(one) / 20 for one in range(21))
"""Of the axis, where every way is shown."""
PAYBACK_AT: Final = (Decimal("0.3"), Decimal("0.5"), Decimal("0.7"), Decimal("0.9"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """Where the cheaper of two ways changes."""

    at: Decimal
    below: str
    above: str
    jump: bool
    """True if a step of one of them carries it past the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheapestUpTo:
    """A stretch of the axis and its cheapest way."""

    up_to: Decimal
    way: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """What every way costs at one place of the axis."""

    at: Decimal
    costs: tuple[Decimal, ...]
    """In the order of the ways, per year or per month [currency]."""
    unit_costs: tuple[Decimal | None, ...]
    """Per used GPU-hour, or per query; None where nothing is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payback:
    """When buying has paid for itself against one way to rent."""

    own: str
    instead_of: str
    utilisation: Decimal
    months: Decimal | None
    """None if running it costs as much as renting, or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEvenCurve:
    """Several ways over one axis."""

    axis: str
    ways: tuple[str, ...]
    cheapest: tuple[CheapestUpTo, ...]
    break_evens: tuple[BreakEven, ...]
    """Where the cheapest of all changes."""
    between_two: tuple[BreakEven, ...]
    """Where two ways change places, pair by pair, whether or not a third is cheaper."""
    points: tuple[CurvePoint, ...]
    paybacks: tuple[Payback, ...]
    because: tuple[str, ...]


def over_utilisation(gpus: Decimal, ways: Sequence[OwnHardware | RentedGpus]) -> BreakEvenCurve:
    """A year of `gpus` GPUs in each way, over the share of hours in use. Raises Invalid."""
    refuse([*_named_twice([way.name for way in ways]), *_fleet_problems(gpus, ways)])
    years = [(way.name, year_of(way)) for way in ways]
    curves = [line(name, _exact(gpus * one.fixed + one.shared), _exact(gpus * one.used)) for name, one in years]
    return _curve(curves, "utilisation", Decimal(1), gpus * HOURS_PER_YEAR, tuple(_paybacks(gpus, ways)))


def over_volume(query: Query, ways: Sequence[TokenApi | Replicas], most: Decimal) -> BreakEvenCurve:
    """A month of each way, over queries a month from 0 to `most`. Raises Invalid."""
    refuse([*_named_twice([_name(way) for way in ways]), *_volume_problems(query, ways, most)])
    curves = [
        _api(way, query) if isinstance(way, TokenApi) else _replicas(way, most, f"ways.{number}")
        for number, way in enumerate(ways)
    ]
    return _curve(curves, "queries per month", most, Decimal(1), ())


def _api(way: TokenApi, query: Query) -> CostCurve:
    fresh = query.input_tokens - query.cached_tokens
    per_query = fresh * way.input + query.cached_tokens * way.cached + query.output_tokens * way.output
    return line(way.name, _exact(way.monthly), _exact(per_query) / 1_000_000)


def _replicas(way: Replicas, most: Decimal, where: str) -> CostCurve:
    """A month of replicas: what is paid for each as it is added, and what each query adds."""
    full = _exact(way.queries_per_hour * HOURS_PER_MONTH)
    each = full * _exact(way.mean_over_peak)
    last = max(ceil(_exact(most) / each), way.at_least)
    if last > MOST_STEPS:
        raise Invalid.field(
            where, f"needs {last} replicas for {most} queries, over {MOST_STEPS}; ask for fewer queries"
        )
    year, steps = year_of(way.gpus), range(way.at_least, last + 1)
    shared, fixed, used = (_exact(one) / MONTHS_PER_YEAR for one in (year.shared, year.fixed, year.used))
    gpus = _exact(way.gpus_per_replica)
    if isinstance(way.gpus, RentedGpus):
        # Rented replicas are kept for the volume: between two steps every hour of them is paid, used or not.
        return stairs(way.gpus.name, shared, Fraction(0), each, gpus * (fixed + used), steps)
    return stairs(way.gpus.name, shared, gpus * used / full, each, gpus * fixed, steps)


def _curve(
    curves: Sequence[CostCurve], axis: str, most: Decimal, units: Decimal, paybacks: tuple[Payback, ...]
) -> BreakEvenCurve:
    end = _exact(most)
    whole = lowest(curves, end)
    places = [share * most for share in SHARES]
    return BreakEvenCurve(
        axis=axis,
        ways=tuple(curve.name for curve in curves),
        cheapest=tuple(CheapestUpTo(up_to=_digits(one.end), way=one.cheapest.name) for one in whole),
        break_evens=tuple(_break_even(one) for one in crossings(whole)),
        between_two=tuple(_break_even(one) for pair in combinations(curves, 2) for one in crossings(lowest(pair, end))),
        points=tuple(_point(curves, at, at * units) for at in places),
        paybacks=paybacks,
        because=tuple(_because(whole, axis)),
    )


def _because(whole: Sequence[Stretch], axis: str) -> Iterator[str]:
    if len(whole) == 1:
        yield f"{whole[0].cheapest.name} is cheapest throughout"
        return
    changes = crossings(whole)
    for change in changes[:MOST_SAID]:
        how = "where a step carries one past the other" if change.jump else "where the two cost the same"
        yield f"{change.before.name} is cheapest up to {axis} {_digits(change.at)}, {how}; then {change.after.name}"
    if len(changes) > MOST_SAID:
        yield f"the cheapest changes {len(changes) - MOST_SAID} times more, as replicas are added and filled"
    yield f"from {axis} {_digits(whole[-1].start)} on {whole[-1].cheapest.name} stays cheapest"


def _break_even(found: Crossing) -> BreakEven:
    return BreakEven(at=_digits(found.at), below=found.before.name, above=found.after.name, jump=found.jump)


def _point(curves: Sequence[CostCurve], at: Decimal, used: Decimal) -> CurvePoint:
    costs = [curve.at(_exact(at)) for curve in curves]
    unit_costs = tuple(_digits(cost / _exact(used)) if used else None for cost in costs)
    return CurvePoint(at=at, costs=tuple(map(_digits, costs)), unit_costs=unit_costs)


def _paybacks(gpus: Decimal, ways: Sequence[OwnHardware | RentedGpus]) -> Iterator[Payback]:
    """At a few utilisations, against each way to rent: what is not paid in rent repays the capital."""
    for own, rented in product(ways, ways):
        if not isinstance(own, OwnHardware) or not isinstance(rented, RentedGpus):
            continue
        for at in PAYBACK_AT:
            rent = rented.gpu_hour * HOURS_PER_YEAR * (1 if rented.committed else at)
            saved = rent - running_cost(own, at, gpus)
            years = payback_years(capital=own.capital, saved_per_year=saved) if saved > 0 else None
            months = None if years is None else significant(years * MONTHS_PER_YEAR, 6)
            yield Payback(own=own.name, instead_of=rented.name, utilisation=at, months=months)


def _name(way: TokenApi | Replicas) -> str:
    return way.name if isinstance(way, TokenApi) else way.gpus.name


def _named_twice(names: Sequence[str]) -> Iterator[FieldProblem]:
    if not 0 < len(names) <= MOST_WAYS:
        yield FieldProblem("ways", f"must name 1 to {MOST_WAYS} ways")
    for name in sorted({one for one in names if names.count(one) > 1}):
        yield FieldProblem("ways", f"has two ways called {name!r}; name each once")


def _fleet_problems(gpus: Decimal, ways: Sequence[OwnHardware | RentedGpus]) -> Iterator[FieldProblem]:
    if gpus <= 0:
        yield FieldProblem("gpus", "must be above 0")
    for number, way in enumerate(ways):
        yield from problems_of_gpus(way, f"ways.{number}")


def _volume_problems(query: Query, ways: Sequence[TokenApi | Replicas], most: Decimal) -> Iterator[FieldProblem]:
    if most <= 0:
        yield FieldProblem("most", "must be above 0 queries a month")
    if not 0 <= query.cached_tokens <= query.input_tokens:
        yield FieldProblem("query.cached_tokens", "must be 0 or more, and not above the input tokens they are part of")
    if query.output_tokens < 0:
        yield FieldProblem("query.output_tokens", "must be 0 or more")
    for number, way in enumerate(ways):
        if isinstance(way, TokenApi):
            if min(way.input, way.cached, way.output, way.monthly) < 0:
                yield FieldProblem(f"ways.{number}", "must have prices of 0 or more")
            continue
        yield from problems_of_gpus(way.gpus, f"ways.{number}.gpus")
        if not (way.gpus_per_replica > 0 and way.queries_per_hour > 0 and 0 < way.mean_over_peak <= 1):
            yield FieldProblem(
                f"ways.{number}", "needs gpus_per_replica and queries_per_hour above 0, mean_over_peak above 0 to 1"
            )
        if way.at_least < 0:
            yield FieldProblem(f"ways.{number}.at_least", "must be 0 or more")


def _exact(number: Decimal) -> Fraction:
    return Fraction(number)


def _digits(number: Fraction) -> Decimal:
    """To 12 digits."""
    return significant(Decimal(number.numerator) / Decimal(number.denominator))
