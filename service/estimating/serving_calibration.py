"""What a few measurements of one setup say of its constants, and how sure a prediction from them is.

A measured point does not scale a prediction: it moves the constants of the roofline, each as far as the point depends
on it and as far as it is known to differ between setups. So a point at a small batch, which the fixed time of a layer
decides, says little of a large one, which bandwidth decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, Final

import numpy as np

from service.estimating.fitting import Expectation, fitted
from service.formulas.serving import Efficiency, Replica, seconds_per_output_token

EXPECTATIONS: Final = (
    Expectation(name="memory", expected=0.8, tolerance=0.2),
    Expectation(name="compute", expected=0.4, tolerance=0.7),
    Expectation(name="prefill", expected=0.8, tolerance=0.4),
    Expectation(name="link", expected=0.4, tolerance=0.5),
    Expectation(name="layer_seconds", expected=50e-6, tolerance=0.7),
    Expectation(name="allreduce_seconds", expected=15e-6, tolerance=0.7),
)
"""What kernel benchmarks suggest of `Efficiency`, before any row was looked at."""
SPREAD: Final = 0.22
"""Standard deviation of the logarithm of measured over predicted, in families left out of the fit."""
POINT_SPREAD: Final = 0.11
"""The same around a roofline whose constants are those of the setup: the likeliest over 45 setups of published
measurements (InferenceX, TensorRT-LLM), 0.10 to 0.12 whichever family of models is left out."""
SMALL: Final = 1e-3

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a replica is asked at a time."""

    batch: float
    """Sequences served at once."""
    input_tokens: float
    output_tokens: float
    cached_tokens: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLoad:
    """One measured point."""

    load: Load
    seconds: float
    """Per output token of a sequence."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The constants as measured points leave them."""

    efficiency: Efficiency
    covariance: Array
    """Of the logarithms of the constants, in the order of `EXPECTATIONS`."""


def calibrated(replica: Replica, points: Sequence[MeasuredLoad]) -> Calibration:
    """The likeliest constants of a setup: near those of all setups, near what was measured on it."""
    shipped = [replace(one, expected=getattr(replica.efficiency, one.name)) for one in EXPECTATIONS]
    measured = np.array([one.seconds for one in points])
    loads = [one.load for one in points]

    def residuals(values: Mapping[str, float]) -> Array:
        return np.asarray(np.log(seconds_of(replace(replica, efficiency=Efficiency(**values)), loads) / measured))

    found = Efficiency(**fitted(residuals, [1.0] * len(points), shipped, row_spread=POINT_SPREAD))
    slopes = _slopes(replace(replica, efficiency=found), loads)
    known = np.diag([one.tolerance**-2 for one in EXPECTATIONS])
    covariance = np.asarray(np.linalg.inv(known + slopes.T @ slopes / POINT_SPREAD**2), dtype=float)
    return Calibration(found, covariance)


def spread_at(calibration: Calibration, replica: Replica, load: Load) -> float:
    """Standard deviation of the logarithm of measured over predicted time; at most that without any measurement."""
    slopes = _slopes(replace(replica, efficiency=calibration.efficiency), [load])
    return min(sqrt(float((slopes @ calibration.covariance @ slopes.T)[0, 0]) + POINT_SPREAD**2), SPREAD)


def seconds_of(replica: Replica, loads: Sequence[Load]) -> Array:
    """Time per output token under each load [s]."""

    def column(name: str) -> Array:
        return np.array([getattr(one, name) for one in loads], dtype=float)

    names = ("batch", "input_tokens", "output_tokens", "cached_tokens")
    return np.asarray(seconds_per_output_token(replica, **{name: column(name) for name in names}), dtype=float)


def _slopes(replica: Replica, loads: Sequence[Load]) -> Array:
    """How the logarithm of the time under each load moves with that of each constant."""
    here = np.log(seconds_of(replica, loads))
    columns = []
    for one in EXPECTATIONS:
        nudged = getattr(replica.efficiency, one.name) * np.exp(SMALL)
        moved = replace(replica, efficiency=replace(replica.efficiency, **{one.name: nudged}))
        columns.append((np.log(seconds_of(moved, loads)) - here) / SMALL)
    return np.stack(columns, axis=1)
