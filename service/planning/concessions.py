"""What would mend a goal nothing meets but is no offer's matter: its latency, formats, checkpoints, GPUs at once.

Each is given up alone, all else kept, and the work is predicted again without it: once or twice, never searched for.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from math import ceil, floor, log10
from typing import Any, Final, get_args

from service.domain.goal import Goal, ServingWork
from service.domain.market import Market
from service.domain.plan import Relaxation
from service.domain.prediction_spec import Precision, WeightFormat
from service.errors import Invalid
from service.planning.candidates import Offers
from service.planning.configurations import Configuration, batched, configured
from service.planning.front import described
from service.planning.offering import Known, offering
from service.planning.search import Candidate, Found, search

MOST_AT_ONCE: Final = 131_072
"""GPUs: more no goal may ask for."""
WIDEST: Final = ("bf16", "fp16", "fp8", "int8", "fp4", "int4")
"""Number formats, the one that gives up least first."""
FORMATS: Final[dict[str, tuple[str, ...]]] = {
    "pretraining": get_args(Precision),
    "batch_inference": get_args(WeightFormat),
    "serving": get_args(WeightFormat),
}
"""All there are, by the work that may name some."""
DIGITS: Final = 3
"""A latency is told to, rounded up so that it is met."""
TIMES: Final[dict[str, tuple[Callable[[Configuration], float], str]]] = {
    "time_per_output_token_ms": (lambda one: one.token_ms, "ms per output token"),
    "time_to_first_token_ms": (lambda one: one.first_token_ms, "ms to the first token"),
}


def concessions(
    goal: Goal, market: Market, known: Known, found: Found, others: Sequence[Relaxation]
) -> tuple[Relaxation, ...]:
    """What the work would have to concede, one thing alone; `others` is what constraints would."""
    tried = [_checkpoints(goal, found), _latency(goal, found), _precision(goal, found)]
    if not any(one.constraint in {"quota", "most_gpus"} for one in others):
        tried.append(_at_once(goal, market, known, found))
    return tuple(one for of in tried for one in _if_possible(of))


def _if_possible(made: Iterator[Relaxation]) -> Iterator[Relaxation]:
    """Without what cannot be asked: more than can be searched, a format that goes with nothing else."""
    with suppress(Invalid):
        yield from made


def _checkpoints(goal: Goal, found: Found) -> Iterator[Relaxation]:
    """What writing checkpoints would allow, where the goal does without."""
    if not goal.checkpoints.on:
        limits = replace(found.limits, checkpoints=replace(goal.checkpoints, on=True))
        again = search(found.offers, found.configured, limits)
        if (best := again.best()) is not None:
            yield _given_up("checkpoints", "on", again, best)


def _latency(goal: Goal, found: Found) -> Iterator[Relaxation]:
    """The least a limit would have to allow; both together only where neither alone would do."""
    work = goal.serving
    if work is None:
        return
    given = [name for name in TIMES if getattr(work, name) is not None]
    if not given:
        return
    anyhow = search(found.offers, batched(work, _usable(found.offers)), found.limits)
    alone = [one for name in given for one in _slower(goal, found, anyhow, [name])]
    yield from alone or _slower(goal, found, anyhow, given)


def _slower(goal: Goal, found: Found, anyhow: Found, given: Sequence[str]) -> Iterator[Relaxation]:
    """With these limits at the least anybody meets, the others kept: the cheapest plan there then is.

    The least of the batches that were looked at, powers of two from one: a budget may leave a little between them.
    """
    work, ways = goal.serving, anyhow.configured.configurations
    if work is None:
        return
    kept = [one for one in anyhow.columns if _keeps(work, ways[one.configuration], given)]
    nearest = min(
        kept, key=lambda one: (*(TIMES[name][0](ways[one.configuration]) for name in given), *one.rank), default=None
    )
    if nearest is None:
        return
    allowed: dict[str, Any] = {name: _up(TIMES[name][0](ways[nearest.configuration])) for name in given}
    again = _again(found, replace(goal, serving=replace(work, **allowed)))
    if (best := again.best()) is not None:
        words = " and ".join(f"{allowed[name]:g} {TIMES[name][1]}" for name in given)
        yield _given_up("latency", words, again, best)


def _keeps(work: ServingWork, way: Configuration, given: Sequence[str]) -> bool:
    """True if the limits that are not given up are kept."""
    limits = {name: getattr(work, name) for name in TIMES if name not in given}
    return all(limit is None or TIMES[name][0](way) <= limit for name, limit in limits.items())


def _up(value: float) -> float:
    """To so many digits, none of them too small.

    >>> _up(7.2001), _up(123.01)
    (7.21, 124.0)
    """
    scale = 10.0 ** (DIGITS - 1 - floor(log10(value)))
    return ceil(value * scale) / scale


def _precision(goal: Goal, found: Found) -> Iterator[Relaxation]:
    """The widest number format the goal does not allow that would do."""
    for name, formats in FORMATS.items():
        work: Any = getattr(goal, name)
        if work is not None:
            others = tuple(one for one in formats if one not in work.precisions)
            again = _again(found, replace(goal, **{name: replace(work, precisions=others)}))
            named = [(again.configured.configurations[one.configuration].precision, one) for one in again.columns]
            if named:
                widest, best = min(named, key=lambda one: (WIDEST.index(one[0]), *one[1].rank))
                yield _given_up("precision", widest, again, best)


def _at_once(goal: Goal, market: Market, known: Known, found: Found) -> Iterator[Relaxation]:
    """The fewest GPUs that would do, where the goal allows fewer: more memory, or less time."""
    if goal.gpu_hours is not None or goal.serving is not None or goal.most_gpus >= MOST_AT_ONCE:
        return  # what these take does not depend on how many there may be: their quota says it
    more = replace(goal, most_gpus=MOST_AT_ONCE)
    offers = offering(more, market, known)
    again = search(offers, configured(more, _usable(offers)), found.limits)
    if again.columns:
        fewest = min(again.columns, key=lambda one: (one.gpus, *one.rank))
        yield _given_up("most_gpus", f"{fewest.gpus:g}", again, fewest)


def _again(found: Found, goal: Goal) -> Found:
    """The same offers for work that is predicted anew."""
    return search(found.offers, configured(goal, _usable(found.offers)), found.limits)


def _usable(offers: Offers) -> set[str]:
    return {name for name, count in zip(offers.accelerators, offers.counts, strict=True) if name and count == 0}


def _given_up(constraint: str, needs: str, again: Found, one: Candidate) -> Relaxation:
    return Relaxation(constraint=constraint, needs=needs, candidate=described(again, one))
