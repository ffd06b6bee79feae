"""Fits a few constants to measured rows, drawn towards what was expected of them before.

A damped Gauss-Newton in the logarithm of the constants: every constant is positive, and an error of a factor
counts the same in either direction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

Residuals = Callable[[Mapping[str, float]], np.ndarray[Any, np.dtype[np.float64]]]
"""Logarithms of predicted over measured with these constants, a number per row."""

STEPS: Final = 20
LARGEST_STEP: Final = 0.5
SMALL: Final = 1e-4
ROW_SPREAD: Final = 0.2
"""Standard deviation of the logarithm a row is expected to be off by; weighs rows against expectations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a constant was expected to be before any row was looked at."""

    name: str
    expected: float
    tolerance: float
    """Standard deviation of its logarithm."""


def fitted(
    residuals: Residuals,
    weights: Sequence[float],
    constants: Sequence[Expectation],
    *,
    row_spread: float = ROW_SPREAD,
) -> dict[str, float]:
    """The constants that fit the rows best, by name.

    `weights` are those of the rows, 1 for a row that stands alone and less for one among many alike; `row_spread` is
    the standard deviation of the logarithm a row is expected to be off by. Without rows the expectations come back.
    """
    expected = np.log([one.expected for one in constants])
    tolerance = np.array([one.tolerance for one in constants])
    scale = np.sqrt(np.asarray(weights, dtype=float)) / row_spread

    def misfit(point: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        rows = scale * residuals(_named(constants, point))
        return np.concatenate([rows, (point - expected) / tolerance])

    point = expected.copy()
    for _ in range(STEPS):
        here = misfit(point)
        slopes = np.stack([(misfit(point + nudge) - here) / SMALL for nudge in SMALL * np.eye(len(point))], axis=1)
        step = np.linalg.lstsq(slopes, -here, rcond=None)[0]
        point = point + np.clip(step, -LARGEST_STEP, LARGEST_STEP)
        if np.max(np.abs(step)) < SMALL:
            break
    return _named(constants, point)


def _named(constants: Sequence[Expectation], point: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float]:
    return {one.name: float(np.exp(value)) for one, value in zip(constants, point, strict=True)}
