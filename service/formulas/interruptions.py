"""How long a run takes that is interrupted: checkpoints, work done twice, restarts, and how sure that is."""

from typing import Final

import numpy as np

from service.formulas.numbers import Number

ROUNDS: Final = 8
"""Of Newton's method; from the start below six reach the last digit."""
NEARLY_ALL: Final = 1 - 1e-16
"""Of the mean time between interruptions: more than that no checkpoint is worth waiting for."""
LARGEST_EXPONENT: Final = 300.0
"""A run e^300 times too long never ends; its square is still a float."""
SMALL: Final = 1e-2
"""Interruptions expected in a segment; below, the difference of two nearly equal numbers is taken as a series."""


def optimal_interval(*, checkpoint_hours: Number, hazard_per_hour: Number) -> Number:
    r"""Time between checkpoints that makes the expected duration least.

    .. math:: \tau = \frac{1 + W_0(-e^{-1-\Lambda\delta})}{\Lambda}

    Symbols:
        tau: work between checkpoints [hours]
        Lambda: interruptions of the whole run, at a constant rate [1/h]
        delta: what a checkpoint stalls the run [hours]
        W_0: principal branch of Lambert's function

    Limits: infinite without interruptions; 0 where checkpoints are free. Restarts are not interrupted themselves.

    Reference: the derivative of `expected_hours` by tau, set to 0; to first order Young, CACM 17(9), 1974.

    >>> float(optimal_interval(checkpoint_hours=0.05, hazard_per_hour=0.4).round(4))
    0.4672
    >>> float(optimal_interval(checkpoint_hours=0.05, hazard_per_hour=0.0))
    inf
    """
    hazard = np.asarray(hazard_per_hour, dtype=float)
    stalled = hazard * checkpoint_hours
    # With x = Λτ the condition is x + log(1 - x) + Λδ = 0.
    share = np.minimum(-np.expm1(-stalled - np.sqrt(2 * stalled)), NEARLY_ALL)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(ROUNDS):
            share = np.clip(share + (share + np.log1p(-share) + stalled) * (1 - share) / share, 0, NEARLY_ALL)
        return np.where(hazard > 0, np.where(stalled > 0, share, 0.0) / hazard, np.inf)


def expected_hours(
    *, work_hours: Number, segments: Number, checkpoint_hours: Number, restart_hours: Number, hazard_per_hour: Number
) -> Number:
    r"""Expected duration of a run that goes back to its last checkpoint when it is interrupted.

    .. math:: E[T] = n\,\Bigl(\tfrac{1}{\Lambda} + R\Bigr)\,(e^{\Lambda s} - 1), \quad s = \tfrac{H}{n} + \delta

    Symbols:
        T: duration [hours]
        H: work [hours]; n: segments, each ended by a checkpoint [1]; s: a segment and its checkpoint [hours]
        delta: what a checkpoint stalls the run [hours]
        R: from an interruption to the first new step [hours]
        Lambda: interruptions of the whole run [1/h]; at 0 the duration is n s

    Limits: interruptions at a constant rate, none during a restart; huge, not infinite, beyond e^300.

    Reference: Daly, FGCS 22(3), 2006, equation 13, with restarts that are not interrupted; checked by simulation.

    >>> round(float(expected_hours(work_hours=100, segments=214, checkpoint_hours=0.05, restart_hours=0.5,
    ...                            hazard_per_hour=0.4)), 1)
    147.6
    """
    length = _segment(work_hours, segments, checkpoint_hours)
    hazard, grown = _safe(hazard_per_hour), _grown(length, hazard_per_hour)
    return np.where(np.asarray(hazard_per_hour) > 0, segments * (1 / hazard + restart_hours) * grown, segments * length)


def hours_deviation(
    *, work_hours: Number, segments: Number, checkpoint_hours: Number, restart_hours: Number, hazard_per_hour: Number
) -> Number:
    r"""Standard deviation of that duration.

    .. math:: \sigma^2 = n\,\bigl(E[K]\,\mathrm{Var}[X] + \mathrm{Var}[K]\,(E[X] + R)^2\bigr)

    Symbols:
        sigma: standard deviation [hours]
        K: interruptions of a segment, geometric: E[K] = q/p, Var[K] = q/p², p = e^{-Λs}, q = 1 - p [1]
        X: work lost by one, exponential up to s: E[X] = 1/Λ - s p/q, Var[X] = 1/Λ² - s² p/q² [hours]
        n, s, R, Lambda: as in `expected_hours`

    Limits: as in `expected_hours`.

    Reference: the variance of a random sum; checked by simulation.

    >>> round(float(hours_deviation(work_hours=100, segments=214, checkpoint_hours=0.05, restart_hours=0.5,
    ...                             hazard_per_hour=0.4)), 1)
    5.9
    """
    length = _segment(work_hours, segments, checkpoint_hours)
    hazard, grown = _safe(hazard_per_hour), _grown(length, hazard_per_hour)
    share = np.maximum(hazard * length, np.finfo(float).tiny)
    odds = np.maximum(grown, np.finfo(float).tiny)
    lost = np.where(share < SMALL, share / 2 - share**2 / 12 + share**4 / 720, 1 - share / odds) / hazard
    spread = np.where(share < SMALL, share**2 / 12 - share**4 / 240, 1 - share**2 * (1 + odds) / odds**2) / hazard**2
    variance = grown * spread + grown * (1 + grown) * (lost + restart_hours) ** 2
    return np.where(np.asarray(hazard_per_hour) > 0, np.sqrt(segments * variance), 0.0)


def clean_run_probability(*, work_hours: Number, hazard_per_hour: Number) -> Number:
    r"""Chance that a run without checkpoints is never interrupted.

    .. math:: p = e^{-\Lambda H}

    Symbols:
        p: chance [1]
        Lambda: interruptions of the whole run [1/h]
        H: work [hours]

    Limits: interruptions at a constant rate.

    Reference: the exponential distribution.

    >>> round(float(clean_run_probability(work_hours=48.5, hazard_per_hour=0.15)), 5)
    0.00069
    """
    return np.exp(-np.asarray(hazard_per_hour, dtype=float) * work_hours)


def _segment(work_hours: Number, segments: Number, checkpoint_hours: Number) -> Number:
    return work_hours / segments + checkpoint_hours


def _safe(hazard_per_hour: Number) -> Number:
    """A hazard that can be divided by; what is made of it where there is none is not used."""
    return np.where(np.asarray(hazard_per_hour) > 0, hazard_per_hour, 1.0)


def _grown(length: Number, hazard_per_hour: Number) -> Number:
    """Interruptions expected before a segment is through: e^{Λs} - 1."""
    return np.expm1(np.minimum(_safe(hazard_per_hour) * length, LARGEST_EXPONENT))
