"""Why the best plan is the best, as data: what comes next, where it flips, what constrains it, what was ruled out."""

from collections import Counter
from collections.abc import Callable, Iterator
from math import ceil, inf, isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.domain.plan import (
    Binding,
    DeadlineStep,
    Explanation,
    FlipPoint,
    Margin,
    NearMiss,
    RefusedHardware,
    RejectedOffers,
    Relaxation,
)
from service.domain.quantities import significant
from service.planning.candidates import OFFERED, TRIED, Rows, Timing, arrays_of, at_speed, timing
from service.planning.front import contenders, described
from service.planning.interruption_flip import interruption_flip, least_cost
from service.planning.offering import OWN, OwnOffer
from service.planning.search import Candidate, Found

SAME: Final = 1e-12
"""Share by which two numbers may differ from rounding alone."""
NEAR: Final = 5
"""Near misses that are told."""
STEPS: Final = 50
"""Halvings of a flip point: to the last digit of a float."""
SLOWEST: Final = 0.01
"""Of the predicted speed; a flip that needs less is none."""
CHOSEN: Final = (
    *("batch_tokens", "batch_sequences", "most_gpus", "quota", "horizon", "deadline", "carbon", "budget"),
    *(one for one in OFFERED[3:] if one != "interruption"),
)
"""Constraints the asker set, and may give up."""


def explained(
    found: Found, best: Candidate, own: OwnOffer | None = None, moving: NDArray[np.bool_] | None = None
) -> Explanation:
    """Everything a search that found a plan says of it; `own` is the best one's hardware if it is yours.

    `moving` are the offers whose interruptions stand on the same statement as the best one's; absent is it alone.
    How often the best stays best is drawn later, by whoever knows how prices move.
    """
    runner_up = found.best(_others(found, np.array(found.offers.providers) != found.offers.providers[best.offer]))
    difference = None if runner_up is None else runner_up.cost - best.cost
    return Explanation(
        runner_up=None if runner_up is None else described(found, runner_up),
        margin=None
        if difference is None
        else Margin(amount=significant(difference), relative=difference / best.cost if best.cost else 0.0),
        robustness=None,
        flips=tuple(_flips(found, best, own, moving)),
        near_misses=tuple(_near_misses(found, best)),
        binding=tuple(_binding(found, best)),
        deadline_curve=tuple(_curve(found)),
        rejected=rejected(found),
        refused=refused(found),
    )


def rejected(found: Found) -> tuple[RejectedOffers, ...]:
    """Offers without a plan by the constraint that ruled them out, the most first."""
    offers, counted = found.offers, Counter[str]()
    ruled = offers.reasons[offers.counts > 0]
    counted.update({OFFERED[code]: int(many) for code, many in enumerate(np.bincount(ruled, minlength=1)) if many})
    tried = (offers.counts == 0) & ~(found.costs < inf)
    stages = np.bincount(found.stages[tried & (found.stages >= 0)], minlength=1)
    counted.update({TRIED[stage]: int(many) for stage, many in enumerate(stages) if many})
    for row in np.flatnonzero(tried & (found.stages < 0)):
        counted[found.configured.refused.get(offers.accelerators[row], ("hardware", ""))[0]] += 1
    order = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return tuple(RejectedOffers(constraint=name, offers=many) for name, many in order)


def refused(found: Found) -> tuple[RefusedHardware, ...]:
    """Accelerators on offer that cannot do the work."""
    return tuple(
        RefusedHardware(accelerator=name, constraint=word, reason=reason)
        for name, (word, reason) in sorted(found.configured.refused.items())
    )


def relaxations(found: Found) -> tuple[Relaxation, ...]:
    """Of a search that found no plan: the least to give up of each constraint that alone would do."""
    made = []
    for constraint in CHOSEN:
        if seen := found.relaxed.get(constraint):
            nearest = min(seen, key=lambda one: (_miss(constraint, one), *one.rank))
            made.append(
                Relaxation(
                    constraint=constraint,
                    needs=_needs(found, constraint, nearest),
                    candidate=described(found, nearest),
                )
            )
    return tuple(made)


def price_flip(found: Found, best: Candidate, others: Rows) -> float:
    """The price of the best one's GPU-hour from which one of the others is better; infinite if none ever is.

    The cost of each of its configurations is a line in its own price, so the price at which it meets the best of
    the others is in closed form; the dearest of its configurations' prices counts, each within the budget.
    """
    other, of = found.best(others), found.timing_of(best.offer)
    of = of.take(of.fails == 0)
    fixed = float(found.offers.fixed[best.offer])
    with np.errstate(divide="ignore", invalid="ignore"):
        beaten = ((inf if other is None else other.cost) - (fixed + of.hourly)) / of.gpu_hours
        broke = (found.limits.budget - (fixed + of.hourly_high)) / of.gpu_hours_high
    return float(np.nanmax(np.minimum(beaten, broke)))


def _flips(
    found: Found, best: Candidate, own: OwnOffer | None, moving: NDArray[np.bool_] | None
) -> Iterator[FlipPoint]:
    offers, currency = found.offers, found.offers.currencies[best.offer]
    price = float(offers.prices[best.offer])
    rest = _others(found, np.arange(len(offers)) != best.offer)
    at = price_flip(found, best, rest)
    yield _flip("price", "currency/GPU-Hour", price, at, _best_of(found, rest))
    elsewhere = _others(found, np.array(offers.accelerators) != offers.accelerators[best.offer])
    slowest = _slowest(found, best, elsewhere)
    yield _flip("speed", "of the predicted", 1.0, slowest, _best_of(found, elsewhere))
    hazard = float(offers.hazards[best.offer])
    if hazard > 0:
        alone = np.arange(len(offers)) == best.offer
        more, then = interruption_flip(found, best, alone if moving is None else moving)
        yield _flip("interruptions", "1/h of a machine", hazard, hazard * more, _best_of(found, then))
    foreign = np.array(offers.currencies) != currency
    if currency != found.limits.currency and own is None:
        others = _others(found, foreign)
        dearer = price_flip(found, best, others) / price if price else inf
        yield _flip("exchange_rate", f"of the {currency} now", 1.0, dearer, _best_of(found, others))
    yield from _rates_of_rivals(found, best)
    if own is not None and own.kwh_per_gpu_hour > 0:
        others = _others(found, np.array(offers.purchases) != OWN)
        spare = price_flip(found, best, others) - price
        kwh = own.electricity + spare / own.kwh_per_gpu_hour
        yield _flip("electricity", "currency/kWh", own.electricity, kwh, _best_of(found, others))


def _flip(driver: str, unit: str, now: float, at: float, becomes: str | None) -> FlipPoint:
    known = bool(np.isfinite(at)) and at > 0
    at = now if abs(at - now) <= SAME * now else at
    return FlipPoint(
        driver=driver,  # type: ignore[arg-type]
        unit=unit,
        now=now,
        flips_at=at if known else None,
        change=at / now - 1 if known and now else None,
        becomes=becomes if known else None,
    )


def _best_of(found: Found, others: Rows) -> str | None:
    other = found.best(others)
    return None if other is None else found.offers.keys[other.offer]


def _rates_of_rivals(found: Found, best: Candidate) -> Iterator[FlipPoint]:
    """For each foreign currency the best one is not priced in: the rate to which it has to fall for a rival to win."""
    offers = found.offers
    currencies, able = np.array(offers.currencies), (offers.counts == 0) & (found.kind_of >= 0)
    for currency in sorted(set(currencies[able]) - {offers.currencies[best.offer], found.limits.currency}):
        rivals = _cheapest_alike(found, np.flatnonzero(able & (currencies == currency)))
        at, first = max((_wins_at(found, best, int(row)), -int(row)) for row in rivals)
        yield _flip("exchange_rate", f"of the {currency} now", 1.0, at, offers.keys[-first])


def _cheapest_alike(found: Found, rows: Rows) -> Rows:
    """Of offers that take equally long and have as much paid beside their price the cheapest: none wins before it."""
    kind, fixed = found.kind_of, found.offers.fixed
    order = rows[np.lexsort((rows, found.offers.prices[rows], fixed[rows], kind[rows]))]
    first: Rows = np.unique(np.stack([kind[order], fixed[order]]), axis=1, return_index=True)[1]
    return order[first]


def _wins_at(found: Found, best: Candidate, row: int) -> float:
    """The share of its price at which an offer costs what the best one does and keeps the budget; 0 if none."""
    of, fixed, price = found.timing_of(row), float(found.offers.fixed[row]), float(found.offers.prices[row])
    of = of.take(of.fails == 0)
    equal = (best.cost - (fixed + of.hourly)) / (price * of.gpu_hours)
    kept = (found.limits.budget - (fixed + of.hourly_high)) / (price * of.gpu_hours_high)
    return float(np.minimum(equal, kept).max(initial=0.0))


def _slowest(found: Found, best: Candidate, others: Rows) -> float:
    """The speed below which hardware of another kind is better; others on the same hardware slow down with it."""
    ways = arrays_of(found.configured.configurations)[found.offers.accelerators[best.offer]]
    kind = found.kinds[int(found.kind_of[best.offer])][0]
    shape = found.configured.shape
    return _bisected(
        found, best, others, lambda speed: timing(shape, kind, at_speed(ways, speed, shape), found.limits), SLOWEST
    )


def _bisected(found: Found, best: Candidate, others: Rows, of: Callable[[float], Timing], worst: float) -> float:
    """Between 1, where the best is best, and the worst value: where it stops being so; infinite if it never does."""
    other = found.best(others)
    least = inf if other is None else other.cost

    def best_still(value: float) -> bool:
        return least_cost(found, best.offer, of(value)) <= least

    if best_still(worst):
        return inf
    good, bad = 1.0, worst
    for _ in range(STEPS):
        middle = (good * bad) ** 0.5
        good, bad = (middle, bad) if best_still(middle) else (good, middle)
    return good


def _near_misses(found: Found, best: Candidate) -> Iterator[NearMiss]:
    offers, misses = found.offers, []
    for row in contenders(found):
        if row == best.offer:
            continue
        price = float(offers.prices[row])
        wins = _wins_at(found, best, row) * price
        if wins > 0:
            wins = price if wins >= price * (1 - SAME) else wins
            misses.append((wins / price - 1, row, price, wins))
    for change, row, price, wins in sorted(misses, key=lambda one: (-one[0], one[1]))[:NEAR]:
        yield NearMiss(
            series=offers.keys[row],
            provider=offers.providers[row],
            gpu_hour=significant(price),
            wins_at=significant(wins),
            change=change,
        )


def _binding(found: Found, best: Candidate) -> Iterator[Binding]:
    for constraint in CHOSEN:
        seen = [one for one in found.relaxed.get(constraint, ()) if one.cost < best.cost]
        if seen:
            cheapest = min(seen, key=lambda one: one.rank)
            yield Binding(
                constraint=constraint,
                needs=_needs(found, constraint, cheapest),
                saves=significant(best.cost - cheapest.cost),
                candidate=described(found, cheapest),
            )


def _curve(found: Found) -> Iterator[DeadlineStep]:
    """The best cost for every deadline: exact, for of all plans on machines of a kind only the cheapest counts."""
    least = inf
    for one in sorted([*found.columns, *found.late], key=lambda one: (one.finish, *one.rank)):
        if one.cost < least:
            least = one.cost
            yield DeadlineStep(
                hours=one.finish, cost=significant(one.cost), series=found.offers.keys[one.offer], gpus=one.gpus
            )


def _miss(constraint: str, one: Candidate) -> float:
    return {
        "deadline": one.finish,
        "budget": one.cost_high,
        "carbon": inf if isnan(one.kg) else one.kg,
        "quota": one.gpus,
        "horizon": one.finish,
        "most_gpus": one.gpus,
        "batch_tokens": one.gpus,
        "batch_sequences": one.gpus,
    }.get(constraint, one.cost)


def _needs(found: Found, constraint: str, one: Candidate) -> str:
    """What the constraint would have to be for a candidate, in words."""
    offers, row = found.offers, one.offer
    match constraint:
        case "deadline":
            return f"{one.finish:.6g} hours"
        case "budget":
            return f"{significant(one.cost_high, 8)} {found.limits.currency}".rstrip()
        case "carbon":
            return "that is not known" if isnan(one.kg) else f"{one.kg:.6g} kg"
        case "horizon":
            return f"within_hours {ceil(one.finish)}"
        case "most_gpus":
            return f"{one.gpus:.0f}"
        case "batch_tokens" | "batch_sequences":
            return f"{found.configured.configurations[one.configuration].batch:.0f}"
        case "quota":
            return f"{one.gpus:g} GPUs of {offers.accelerators[row]} at {offers.providers[row]}"
        case "region":
            return f"{offers.regions[row]} of {offers.providers[row]}"
        case "provider":
            return offers.providers[row]
        case "purchase":
            return offers.purchases[row]
        case "accelerator":
            return offers.accelerators[row]
        case _:
            return f"that of {offers.keys[row]}"


def _others(found: Found, which: NDArray[np.bool_]) -> Rows:
    return np.flatnonzero(which & (found.costs < inf))
