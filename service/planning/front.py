"""What is worth choosing from: the plans no other beats, the named picks, and how sure the best is the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf, isnan
from typing import Final

import numpy as np

from service.domain.market import Floats
from service.domain.plan import PickName, PlanCandidate, Robustness
from service.domain.quantities import significant
from service.estimating.draws import standard_normal, uniforms
from service.formulas.training_efficiency import Spreads
from service.planning.charging import Kind, charge, packed, ready
from service.planning.search import Candidate, Found

DRAWS: Final = 4_096
CONTENDERS: Final = 100
"""Offers drawn against each other, the cheapest first; one further behind hardly ever wins."""
SEED: Final = 0
SAFE: Final = 3.0
"""Standard deviations: what is further from its limits is not told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """The best plan on one offer, as far as draws need it."""

    series: str
    accelerator: str
    kind: Kind
    """How long it is bound, what slots it is paid in, how many GPUs a machine has."""
    price: float
    """Of a GPU-hour [currency]."""
    fixed: float
    """Paid once [currency]."""
    hourly: float
    """Storage and staff [currency/h]."""
    gpus: float
    """Paid for by a run."""
    hours: float
    """Expected duration [hours]."""
    replicas: float
    """Of a service, with those that are coming back; 0 of a run, whose duration is the question."""
    replica_gpus: float
    own_spread: float
    """Of the logarithm of what is predicted, this accelerator's own part."""
    shared_spread: float
    """The part all hardware shares."""


def front(found: Found) -> list[Candidate]:
    """Candidates no other beats in cost, finish and carbon at once, the cheapest first.

    Carbon that is not known counts as more than any that is: it never speaks for a plan.
    """
    kept: list[Candidate] = []
    # Sorted by cost, one can only be beaten by one before it: keep the least finish by carbon as a staircase.
    stairs: list[tuple[float, float]] = []
    for one in sorted(found.columns, key=lambda one: (one.cost, one.finish, _carbon(one), one.rank)):
        carbon = _carbon(one)
        if any(finish <= one.finish and other <= carbon for finish, other in stairs):
            continue
        stairs = [step for step in stairs if step[0] < one.finish or step[1] < carbon]
        stairs.append((one.finish, carbon))
        kept.append(one)
    return kept


def picks(found: Found, best: Candidate) -> list[tuple[tuple[PickName, ...], Candidate]]:
    """The candidates with a name, each once, the cheapest first."""
    named: dict[PickName, Candidate] = {
        "cheapest": best,
        "safest": min(found.columns, key=lambda one: (*_risk(found, one), *one.rank)),
    }
    if found.configured.shape != "service":
        named["fastest"] = min(found.columns, key=lambda one: (one.finish, *one.rank))
    within = best.cost * (1 + found.limits.greener_within)
    green = [one for one in found.columns if one.cost <= within and not isnan(one.kg)]
    if green:
        named["greenest"] = min(green, key=lambda one: (one.kg, *one.rank))
    by: dict[tuple[int, int], list[PickName]] = {}
    for name, one in named.items():
        by.setdefault((one.offer, one.configuration), []).append(name)
    return [(tuple(names), found.at(*place)) for place, names in by.items()]


def robustness(field: Sequence[Contender], price_sd: Mapping[str, float], deadline_hours: float) -> Robustness:
    """How often no other contender is cheaper than the first, over draws they all share.

    Drawn are what a prediction may be off by (a part shared by all hardware, a part of each accelerator's own) and
    prices, by series as far as `price_sd` knows how they move: the standard deviation of their logarithm.
    A draw that misses the deadline is lost for that contender, also where all of them miss it. Held fixed are how
    often machines are taken away, and what everything but the GPU-hour costs.
    """
    costs = np.stack([drawn_costs(one, price_sd.get(one.series, 0.0), deadline_hours) for one in field])
    least = costs.min(axis=0)
    won = (costs[0] <= least * (1 + 1e-12)) & (least < inf)
    moved = sum(one.series in price_sd for one in field)
    return Robustness(share=float(np.mean(won)), draws=DRAWS, contenders=len(field), prices_drawn=moved)


def drawn_costs(one: Contender, price_sd: float, deadline_hours: float) -> Floats:
    """The cost of a contender in every draw; infinite where it is late.

    What is predicted too high or too low takes a run so much longer, with the checkpoints it has, and a service so
    many more replicas; either is charged as the search charges it.
    """
    size = np.exp(one.shared_spread * _normal("work") + one.own_spread * _normal(f"accelerator/{one.accelerator}"))
    if one.replicas:
        hours = np.full(DRAWS, one.hours)
        gpus = packed(one.kind, one.replicas * size, np.asarray(one.replica_gpus)) * one.kind.gpus
    else:
        hours, gpus = one.hours * size, np.asarray(one.gpus)
    price = one.price * np.exp(price_sd * _normal(f"price/{one.series}")) if price_sd else one.price
    charged = charge(one.kind, one.hourly, gpus, hours)
    cost: Floats = price * charged.gpu_hours + (one.fixed + charged.hourly)
    cost[hours > deadline_hours] = inf
    return cost


def contending(found: Found, best: Candidate) -> tuple[Contender, ...]:
    """What is drawn against each other: the best first, then the best of other offers."""
    rows = [best.offer, *(row for row in contenders(found) if row != best.offer)]
    return tuple(_contender(found, found.at(row, int(found.ways[row]))) for row in rows)


def contenders(found: Found) -> list[int]:
    """The offers with the cheapest plans."""
    order = np.argsort(found.costs, kind="stable")[:CONTENDERS]
    return [int(row) for row in order if found.costs[row] < inf]


def described(found: Found, one: Candidate) -> PlanCandidate:
    """A candidate in words and exact numbers."""
    offers, way = found.offers, found.configured.configurations[one.configuration]
    words = [word for word in (way.precision, way.words) if word]
    return PlanCandidate(
        series=offers.keys[one.offer],
        provider=offers.providers[one.offer],
        region=offers.regions[one.offer],
        purchase=offers.purchases[one.offer],
        accelerator=offers.accelerators[one.offer],
        machines=int(one.machines),
        gpus=one.gpus,
        configuration=", ".join(words),
        gpu_hour=significant(float(offers.prices[one.offer])),
        expected_hours=one.expected,
        finish_hours=one.finish,
        paid_hours=one.hours,
        checkpoint_every_hours=one.interval if one.interval < inf else None,
        cost=significant(one.cost),
        cost_high=significant(one.cost_high),
        carbon_kg=None if isnan(one.kg) else one.kg,
    )


def _carbon(one: Candidate) -> float:
    return inf if isnan(one.kg) else one.kg


def _risk(found: Found, one: Candidate) -> tuple[float, float]:
    """First interruptions expected; then the least margin to a promise, in standard deviations, negative."""
    limits = found.limits
    kept = [
        (limit - expected) / max(high - expected, 1e-9 * expected)
        for limit, expected, high in (
            (limits.deadline_hours, one.expected, one.finish),
            (limits.budget, one.cost, one.cost_high),
        )
        if limit < inf
    ]
    interruptions = one.machines * float(found.offers.hazards[one.offer]) * one.expected
    return interruptions, -min(SAFE, *kept) if kept else 0.0


def _contender(found: Found, one: Candidate) -> Contender:
    offers, way = found.offers, found.configured.configurations[one.configuration]
    shape, kind = found.configured.shape, found.kinds[int(found.kind_of[one.offer])][0]
    own = min(way.spread, Spreads().benchmark) if shape == "gang" else way.spread
    held = float(ready(kind, np.asarray(way.replicas), found.limits.checkpoints.restart_hours))
    return Contender(
        series=offers.keys[one.offer],
        accelerator=way.accelerator,
        kind=kind,
        price=float(offers.prices[one.offer]),
        fixed=float(offers.fixed[one.offer]),
        hourly=found.limits.hourly,
        gpus=one.gpus,
        hours=one.expected,
        replicas=held if shape == "service" else 0.0,
        replica_gpus=float(way.gpus),
        own_spread=own,
        shared_spread=max(way.spread**2 - own**2, 0.0) ** 0.5,
    )


@cache
def _normal(stream: str) -> Floats:
    return standard_normal(uniforms(SEED, stream, DRAWS))
