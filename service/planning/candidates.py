"""What the search compares: offers as columns, and how long and how big each configuration is on machines of a kind.

Time depends on an offer only through the size of its machines, how often they are taken away and how long they are
bound; so it is worked out once for all offers alike in that, and an offer adds its price.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from math import inf
from operator import le
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from service.domain.goal import Checkpoints
from service.domain.market import Floats, Words
from service.formulas.interruptions import clean_run_probability, expected_hours, hours_deviation, optimal_interval
from service.planning.by_the_hour import ElectricityByHour
from service.planning.charging import Kind, charge, packed, ready
from service.planning.configurations import Configuration, Shape

Rows = NDArray[np.intp]

OFFERED: Final = (
    "statistic",
    "price",
    "hardware",
    "accelerator",
    "region",
    "provider",
    "purchase",
    "tier",
    "interruption",
)
"""Why an offer is not considered, in the order it is asked."""
UNMENDABLE: Final = frozenset({"statistic", "price", "hardware", "interruption"})
"""What no relaxation of the goal mends; the others the asker chose."""
TRIED: Final = (
    *("machine", "batch_tokens", "batch_sequences", "most_gpus", "quota", "unstable"),
    *("horizon", "deadline", "carbon", "budget"),
)
"""Why a configuration is no plan on an offer, in the order it is asked."""
DEADLINE, BUDGET = TRIED.index("deadline"), TRIED.index("budget")
UNSTABLE: Final = 0.05
"""A run that can only start again from the beginning, with a smaller chance to get through, is refused."""
LARGEST: Final = 1e15
"""Hours or money: more is never."""
SHORTEST: Final = 1e-6
"""Of the mean time between interruptions: free checkpoints would be taken all the time, and with this much between
two of them all but half of it is saved already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What every plan has to keep to, in hours, kg and the currency of the goal."""

    deadline_hours: float = inf
    horizon_hours: float = inf
    """What is kept where there is no deadline."""
    longest_hours: float = inf
    """A duration beyond which no deadline would be accepted, so that none is told."""
    most_gpus: float = inf
    """At once, wherever."""
    batch_tokens: float = inf
    batch_sequences: float = inf
    """The most a step may train on, in the words of the work."""
    budget: float = inf
    carbon_kg: float = inf
    confidence: float = 0.9
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    currency: str = ""
    """Of the goal: what prices in it cost does not depend on exchange rates."""
    greener_within: float = 0.1
    """What the greenest may cost more than the cheapest [1]."""
    hourly: float = 0.0
    """Paid as long as the work goes on, wherever: storage and staff [currency/h]."""

    @property
    def sigmas(self) -> float:
        """Standard deviations that the confidence is."""
        return NormalDist().inv_cdf(self.confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """Offers as columns, in order of their keys, so that no answer depends on the order they came in."""

    keys: tuple[str, ...]
    providers: tuple[str, ...]
    regions: tuple[str, ...]
    purchases: tuple[str, ...]
    currencies: tuple[str, ...]
    """They are priced in; `prices` are in that of the goal."""
    accelerators: tuple[str, ...]
    """Ids in the registry; empty where nobody knows."""
    gpus: Floats
    """In one machine."""
    prices: Floats
    """Of a GPU-hour, everything by the hour inside [currency]."""
    fixed: Floats
    """Paid once: moving the data [currency]."""
    hazards: Floats
    """Of one machine [1/h]."""
    bound_hours: Floats
    """Paid at least: the term of a reservation [hours]."""
    slot_hours: Floats
    """Paid in whole ones: days of a capacity block [hours]; 0 for what is paid by the second."""
    grid: Floats
    """Carbon of electricity [kg/kWh]; not a number where nobody knows."""
    most_gpus: Floats
    """At once."""
    reasons: NDArray[np.int8]
    """First of `OFFERED` that rules an offer out, -1 for none."""
    counts: NDArray[np.int8]
    """How many rule it out; what cannot be mended counts twice."""
    by_hour: Mapping[str, ElectricityByHour] = field(default_factory=dict)
    """By key: what the electricity of one's own costs beside its mean, where that depends on the hour."""

    def __len__(self) -> int:
        return len(self.keys)

    def ordered(self) -> "Offers":
        """The same in order of their keys."""
        if all(map(le, self.keys, self.keys[1:])):
            return self
        order = sorted(range(len(self)), key=self.keys.__getitem__)
        columns = {one.name: getattr(self, one.name) for one in fields(self)}
        taken: dict[str, Any] = {
            name: tuple(column[row] for row in order) if isinstance(column, tuple) else column[order]
            for name, column in columns.items()
            if name != "by_hour"
        }
        return replace(self, **taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Every configuration of one accelerator on machines of one kind; each field has one value for each."""

    rows: Rows
    """The configurations, by their number."""
    machines: Floats
    expected: Floats
    """Duration [hours]."""
    deviation: Floats
    """Of the duration, from interruptions alone [hours]."""
    finish: Floats
    """Duration that is kept as surely as the confidence says [hours]."""
    gpu_hours: Floats
    """Paid: expected [GPU-Hours]."""
    gpu_hours_high: Floats
    """Paid, as surely as the confidence says [GPU-Hours]."""
    kg: Floats
    """Of carbon dioxide; not a number where it is not known."""
    paid_gpus: Floats
    paid_hours: Floats
    hourly: Floats
    """Storage and staff, and the hours that electricity is bought in: expected [currency]."""
    hourly_high: Floats
    interval: Floats
    """Work between checkpoints [hours]; infinite for none."""
    failing: NDArray[np.int8]
    """First of `TRIED` it fails whatever the price, -1 for none."""
    fails: NDArray[np.int8]
    """How many."""

    def take(self, chosen: NDArray[np.bool_]) -> "Timing":
        """Some of the configurations."""
        return Timing(**{one.name: getattr(self, one.name)[chosen] for one in fields(self)})


def kinds(offers: Offers) -> list[tuple[Kind, Rows]]:
    """Offers by kind, those no relaxation mends left out; rows in order within each."""
    usable = np.flatnonzero(offers.counts <= 1)
    accelerators = Words.of(offers.accelerators)
    columns = (
        offers.gpus,
        offers.hazards,
        offers.bound_hours,
        offers.slot_hours,
        np.where(np.isnan(offers.grid), -1.0, offers.grid),
        offers.most_gpus,
        _apart(offers),
    )
    alike = accelerators.codes[usable].astype(np.int64)
    for column in columns:
        values, codes = np.unique(column[usable], return_inverse=True)
        alike = np.unique(alike * len(values) + codes, return_inverse=True)[1]
    order = np.argsort(alike, kind="stable")
    ends = np.cumsum(np.bincount(alike))[:-1]
    return [(_kind(offers, int(rows[0])), rows) for rows in np.split(usable[order], ends) if len(rows)]


def _apart(offers: Offers) -> Floats:
    """A number of its own for every offer whose cost of an hour depends on the hour, 0 for all others."""
    apart = np.zeros(len(offers))
    if offers.by_hour:
        apart[[row for row, key in enumerate(offers.keys) if key in offers.by_hour]] = np.arange(
            1, len(offers.by_hour) + 1
        )
    return apart


def _kind(offers: Offers, row: int) -> Kind:
    """The kind an offer is of."""
    return Kind(
        accelerator=offers.accelerators[row],
        gpus=float(offers.gpus[row]),
        hazard=float(offers.hazards[row]),
        bound_hours=float(offers.bound_hours[row]),
        slot_hours=float(offers.slot_hours[row]),
        grid=float(offers.grid[row]),
        most_gpus=float(offers.most_gpus[row]),
        by_hour=offers.by_hour.get(offers.keys[row]),
    )


@dataclass(frozen=True, slots=True)
class Arrays:
    """Configurations as columns, with the number each has in the list."""

    rows: Rows
    gpus: Floats
    together: Floats
    replicas: Floats
    hours: Floats
    spread: Floats
    power_kw: Floats
    batch: Floats


def arrays_of(configurations: Sequence[Configuration]) -> dict[str, Arrays]:
    """The configurations of each accelerator."""
    by: dict[str, list[int]] = {}
    for number, one in enumerate(configurations):
        by.setdefault(one.accelerator, []).append(number)
    names = ("gpus", "together", "replicas", "hours", "spread", "power_kw", "batch")
    return {
        accelerator: Arrays(
            np.array(rows),
            *(np.array([getattr(configurations[row], name) for row in rows], dtype=float) for name in names),
        )
        for accelerator, rows in by.items()
    }


def timing(shape: Shape, kind: Kind, ways: Arrays, limits: Limits) -> Timing:
    """How long and how big each configuration is on machines of a kind, and what it fails."""
    sized = _SIZES[shape](kind, ways, limits)
    finish = _surely(sized, ways, limits) if shape != "service" else sized.expected
    paid, paid_high = sized.machines * kind.gpus, sized.machines_high * kind.gpus
    charged = charge(kind, limits.hourly, paid, sized.expected)
    high = charge(kind, limits.hourly, paid_high, finish)
    working = np.where(np.isnan(ways.power_kw), np.nan, ways.power_kw * paid)
    kg = working * sized.expected * kind.grid
    tests = {
        "machine": ways.together > kind.gpus,
        "batch_tokens": ways.batch > limits.batch_tokens,
        "batch_sequences": ways.batch > limits.batch_sequences,
        "most_gpus": paid > limits.most_gpus,
        "quota": paid > kind.most_gpus,
        "unstable": sized.unstable,
        "horizon": ~(finish <= limits.horizon_hours),
        "deadline": ~(finish <= _latest(kind, limits)),
        "carbon": ~(kg <= limits.carbon_kg) if limits.carbon_kg < inf else np.zeros(len(paid), bool),
    }
    failed = np.stack([tests[name] for name in TRIED[:BUDGET]])
    return Timing(
        rows=ways.rows,
        machines=sized.machines,
        expected=sized.expected,
        deviation=sized.deviation,
        finish=finish,
        gpu_hours=charged.gpu_hours,
        gpu_hours_high=high.gpu_hours,
        kg=kg,
        paid_gpus=paid,
        paid_hours=charged.hours,
        hourly=charged.hourly,
        hourly_high=high.hourly,
        interval=sized.interval,
        failing=np.where(failed.any(axis=0), failed.argmax(axis=0), -1).astype(np.int8),
        # What no deadline would be accepted for fails twice: no one constraint given up alone would do.
        fails=(failed.sum(axis=0) + ~(finish <= limits.longest_hours)).astype(np.int8),
    )


def _latest(kind: Kind, limits: Limits) -> float:
    """Hours until the deadline, or for as long as what an hour costs is known."""
    known = inf if kind.by_hour is None else kind.by_hour.longest_hours
    return min(limits.deadline_hours, known)


@dataclass(frozen=True, slots=True)
class _Sized:
    machines: Floats
    machines_high: Floats
    expected: Floats
    deviation: Floats
    interval: Floats
    unstable: NDArray[np.bool_]


def _gang(kind: Kind, ways: Arrays, limits: Limits) -> _Sized:
    """All machines work as one: whichever is taken away stops them all."""
    machines = np.ceil(ways.gpus / kind.gpus)
    hazard, kept = machines * kind.hazard, limits.checkpoints
    if kept.on:
        segments = _segments(ways.hours, hazard, kept)
        stalled = np.where(hazard > 0, kept.write_hours, 0.0)
        unstable = np.zeros(len(machines), bool)
    else:
        segments, stalled = np.ones(len(machines)), np.zeros(len(machines))
        unstable = clean_run_probability(work_hours=ways.hours, hazard_per_hour=hazard) < UNSTABLE
    run = {
        "work_hours": ways.hours,
        "segments": segments,
        "checkpoint_hours": stalled,
        "restart_hours": kept.restart_hours,
        "hazard_per_hour": hazard,
    }
    expected = np.minimum(expected_hours(**run), LARGEST)
    deviation = np.minimum(hours_deviation(**run), LARGEST)
    between = np.where((hazard > 0) & kept.on, ways.hours / segments, inf)
    return _Sized(machines, machines, expected, deviation, between, unstable)


def _segments(work: Floats, hazard: Floats, kept: Checkpoints) -> Floats:
    """The whole number of them that makes the expected duration least: one of the two beside what is optimal."""
    interval = optimal_interval(checkpoint_hours=kept.write_hours, hazard_per_hour=hazard)
    with np.errstate(divide="ignore"):
        shortest = np.where(hazard > 0, SHORTEST / hazard, inf)
    below = np.maximum(np.floor(work / np.maximum(interval, shortest)), 1)
    fewer, more = (
        expected_hours(
            work_hours=work,
            segments=segments,
            checkpoint_hours=kept.write_hours,
            restart_hours=kept.restart_hours,
            hazard_per_hour=hazard,
        )
        for segments in (below, below + 1)
    )
    return np.where((hazard > 0) & (more < fewer), below + 1, below)


def _independent(kind: Kind, ways: Arrays, limits: Limits) -> _Sized:
    """Replicas share the work; one that is taken away loses the time it takes to come back."""
    machines = packed(kind, ways.replicas, ways.gpus)
    lost = kind.hazard * limits.checkpoints.restart_hours
    expected = ways.hours * (1 + lost)
    # Interruptions of all machines are Poisson; each takes one machine's share of the work for a restart.
    interrupted = kind.hazard * machines * ways.hours
    deviation = np.sqrt(interrupted) * limits.checkpoints.restart_hours / machines
    none = np.zeros(len(machines), bool)
    return _Sized(machines, machines, expected, deviation, np.full(len(machines), inf), none)


def _service(kind: Kind, ways: Arrays, limits: Limits) -> _Sized:
    """Replicas stand ready; there are more of them, by what is missing while some come back."""
    replicas = ready(kind, ways.replicas, limits.checkpoints.restart_hours)
    machines = packed(kind, replicas, ways.gpus)
    high = packed(kind, replicas * np.exp(limits.sigmas * ways.spread), ways.gpus)
    none = np.zeros(len(machines), bool)
    return _Sized(machines, high, ways.hours, np.zeros(len(machines)), np.full(len(machines), inf), none)


_SIZES: Final[dict[Shape, Callable[[Kind, Arrays, Limits], _Sized]]] = {
    "gang": _gang,
    "independent": _independent,
    "service": _service,
}


def _surely(sized: _Sized, ways: Arrays, limits: Limits) -> Floats:
    """The duration's quantile: what interruptions and the prediction may add, as independent of one another."""
    interrupted = limits.sigmas * sized.deviation
    mispredicted = sized.expected * np.expm1(limits.sigmas * ways.spread)
    margin: Floats = np.hypot(interrupted, mispredicted)
    return sized.expected + margin


def at_speed(ways: Arrays, speed: float, shape: Shape) -> Arrays:
    """The same work done at another speed: it takes longer, or more replicas."""
    if shape == "service":
        return replace(ways, replicas=ways.replicas / speed)
    return replace(ways, hours=ways.hours / speed)
