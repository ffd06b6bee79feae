"""The band of an estimate: every uncertain input drawn at once, each on its own for the tornado."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from math import isqrt
from typing import Final

import numpy as np

from service.domain.band import Band, DifferenceBand, PartBand, Quantiles, UncertainInput
from service.domain.estimate import Estimate
from service.domain.quantities import EXACT, plain, significant
from service.domain.scenario import PartName
from service.estimating.anatomy import Anatomy, anatomy
from service.estimating.attribution import ROOMY
from service.estimating.draws import Array, uniforms
from service.estimating.uncertainty import Evidence, Uncertain, agreed_series, uncertainty

METHOD: Final = "monte_carlo@1"
FEWEST_DRAWS: Final = 100
MOST_DRAWS: Final = 20_000
LEVELS: Final = np.array([0.1, 0.5, 0.9])
CENT: Final = Decimal("0.01")
DIGITS: Final = 6
"""Significant digits of an amount under a hundred, where cents would say too little."""


def taken_apart(estimate: Estimate, evidence: Evidence) -> Anatomy:
    """The estimate as a function of its inputs."""
    return anatomy(estimate, agreed_series(estimate, evidence.card))


def band(estimate: Estimate, evidence: Evidence, seed: int, draws: int) -> Band:
    """P10, P50 and P90 of an estimate's total, and what makes them so; `draws` 0 is the point estimate itself.

    The same arguments give the same bytes: streams are keyed by the seed and the inputs' names, and amounts are
    rounded to cents (or to six digits), far above what rounding in between can do.
    """
    if not draws:
        return _switched_off(estimate, seed)
    taken = taken_apart(estimate, evidence)
    found = uncertainty(estimate, taken, evidence)
    drawn = _drawn(found.uncertain, seed, draws)
    costs = taken.costs(_values(found.uncertain, drawn))
    total = _total(costs)
    points = {one.part: one.cost for one in estimate.parts}
    return Band(
        method=METHOD,
        seed=seed,
        draws=draws,
        currency=estimate.currency,
        point=estimate.total,
        lower_bound=estimate.lower_bound,
        total=_quantiles(total, estimate.total),
        parts=tuple(
            PartBand(part=part, point=point, band=_quantiles(costs.get(part, 0.0), point))
            for part, point in points.items()
        ),
        inputs=_tornado(taken, found.uncertain, total, drawn),
        held_fixed=found.fixed,
    )


@dataclass(frozen=True, slots=True)
class Side:
    """One of two estimates compared."""

    estimate_id: str
    estimate: Estimate
    evidence: Evidence


def band_of_difference(before: Side, after: Side, seed: int, draws: int) -> DifferenceBand:
    """P10, P50 and P90 of what the later estimate costs more, in one currency; shared inputs are drawn once."""
    point = plain(EXACT.subtract(after.estimate.total, before.estimate.total))
    quantiles, dearer = Quantiles(p10=point, p50=point, p90=point), Decimal(int(point > 0))
    if draws:
        difference = _drawn_total(after, seed, draws) - _drawn_total(before, seed, draws)
        quantiles = _quantiles(difference, point)
        if isinstance(difference, np.ndarray):
            dearer = significant(float(np.mean(difference > 0)), 4)
    return DifferenceBand(
        before_id=before.estimate_id,
        after_id=after.estimate_id,
        method=METHOD,
        seed=seed,
        draws=draws,
        currency=after.estimate.currency,
        point=point,
        difference=quantiles,
        share_of_draws_dearer=dearer,
    )


def _switched_off(estimate: Estimate, seed: int) -> Band:
    return Band(
        method=METHOD,
        seed=seed,
        draws=0,
        currency=estimate.currency,
        point=estimate.total,
        lower_bound=estimate.lower_bound,
        total=_exactly(estimate.total),
        parts=tuple(PartBand(part=one.part, point=one.cost, band=_exactly(one.cost)) for one in estimate.parts),
        inputs=(),
        held_fixed=(),
    )


def _drawn_total(side: Side, seed: int, draws: int) -> Array | float:
    taken = taken_apart(side.estimate, side.evidence)
    uncertain = uncertainty(side.estimate, taken, side.evidence).uncertain
    return _total(taken.costs(_values(uncertain, _drawn(uncertain, seed, draws))))


def _drawn(uncertain: Sequence[Uncertain], seed: int, draws: int) -> dict[str, Array]:
    """One stream per name; what is drawn of one series is drawn once."""
    return {stream: uniforms(seed, stream, draws) for stream in {one.input.stream for one in uncertain}}


def _values(uncertain: Sequence[Uncertain], drawn: Mapping[str, Array]) -> dict[str, Array]:
    return {one.input.name: one.at(drawn[one.input.stream]) for one in uncertain}


def _total(costs: Mapping[PartName, Array | float]) -> Array | float:
    total: Array | float = 0.0
    for part in sorted(costs):
        total = total + costs[part]
    return total


def _tornado(
    taken: Anatomy, uncertain: Sequence[Uncertain], total: Array | float, drawn: Mapping[str, Array]
) -> tuple[UncertainInput, ...]:
    """Each input at its P10 and its P90, every other at the estimate's own value; the widest swing first."""
    many = len(uncertain)
    values = {one.input.name: np.full(2 * many, float(one.input.point)) for one in uncertain}
    for place, one in enumerate(uncertain):
        values[one.input.name][2 * place : 2 * place + 2] = one.at(LEVELS[[0, 2]])
    totals = np.broadcast_to(np.asarray(_total(taken.costs(values))), (2 * many,))
    made = [
        _input(one, totals[2 * place : 2 * place + 2], _variance_share(drawn[one.input.stream], total))
        for place, one in enumerate(uncertain)
    ]
    return tuple(sorted(made, key=lambda one: (-one.swing, one.input)))


def _input(one: Uncertain, ends: Array, variance_share: Decimal) -> UncertainInput:
    p10, p50, p90 = (significant(float(value), DIGITS) for value in one.at(LEVELS))
    low, high = _rounded(ends[0]), _rounded(ends[1])
    return UncertainInput(
        input=one.input.name,
        unit=one.input.unit,
        point=one.input.point,
        spread=Quantiles(p10=p10, p50=p50, p90=p90),
        distribution=one.distribution.words(),
        evidence=one.evidence,
        source=one.source,
        total_at_p10=low,
        total_at_p90=high,
        swing=plain(abs(high - low)),
        variance_share=variance_share,
    )


def _variance_share(drawn: Array, total: Array | float) -> Decimal:
    """The correlation ratio of the total and an input, freed from what chance alone would give.

    Var(E[total | input]) / Var(total) by strata of the input, the first-order Sobol' index, with Kelley's
    correction for the number of strata (Proceedings of the National Academy of Sciences 21, 1935, page 554).
    """
    if not isinstance(total, np.ndarray) or not np.ptp(total):
        return Decimal(0)
    draws, strata = len(drawn), isqrt(len(drawn))
    place = np.minimum((drawn * strata).astype(np.int64), strata - 1)
    centred = total - np.mean(total)
    sums, sizes = np.bincount(place, weights=centred, minlength=strata), np.bincount(place, minlength=strata)
    within = np.sum(centred * centred) - np.sum(sums * sums / np.maximum(sizes, 1))
    unexplained = within / np.sum(centred * centred) * (draws - 1) / (draws - strata)
    return Decimal(f"{min(max(1 - float(unexplained), 0.0), 1.0):.4f}")


def _quantiles(values: Array | float, point: Decimal) -> Quantiles:
    """Of the draws, interpolated between neighbours; the exact point where nothing was drawn."""
    if not isinstance(values, np.ndarray):
        return _exactly(point)
    p10, p50, p90 = (_rounded(one) for one in np.quantile(values, LEVELS))
    return Quantiles(p10=p10, p50=p50, p90=p90)


def _exactly(point: Decimal) -> Quantiles:
    return Quantiles(p10=point, p50=point, p90=point)


def _rounded(amount: float) -> Decimal:
    exact = Decimal(repr(float(amount)))
    if abs(exact) < 100:
        return significant(exact, DIGITS)
    return plain(exact.quantize(CENT, ROUND_HALF_EVEN, ROOMY))
