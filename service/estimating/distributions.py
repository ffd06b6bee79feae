"""Distributions an input may have, by their quantile functions: probabilities in, values out, vectorised."""

from dataclasses import dataclass
from math import log, sqrt
from typing import Protocol

import numpy as np

from service.estimating.draws import Array, standard_normal


class Distribution(Protocol):
    """What an input may be worth."""

    def quantile(self, probability: Array) -> Array:
        """The value below which it is with that probability; never falls as the probability rises."""

    def words(self) -> str:
        """In words, with its parameters."""


@dataclass(frozen=True, slots=True)
class Triangular:
    """Between two ends, likeliest at the mode."""

    low: float
    mode: float
    high: float

    def quantile(self, probability: Array) -> Array:
        """See Distribution."""
        width, left, right = self.high - self.low, self.mode - self.low, self.high - self.mode
        rising = self.low + np.sqrt(probability * width * left)
        falling = self.high - np.sqrt((1 - probability) * width * right)
        return np.where(probability * width < left, rising, falling)

    def words(self) -> str:
        """See Distribution."""
        return f"triangular, {self.low:.6g} to {self.high:.6g}, likeliest {self.mode:.6g}"


@dataclass(frozen=True, slots=True)
class Uniform:
    """Anything between two ends, equally."""

    low: float
    high: float

    def quantile(self, probability: Array) -> Array:
        """See Distribution."""
        return self.low + (self.high - self.low) * probability

    def words(self) -> str:
        """See Distribution."""
        return f"uniform, {self.low:.6g} to {self.high:.6g}"


@dataclass(frozen=True, slots=True)
class Lognormal:
    """A positive number as often a factor too high as too low."""

    median: float
    log_sd: float

    @classmethod
    def relative(cls, median: float, relative_sd: float) -> "Lognormal":
        """With a standard deviation that is `relative_sd` of the mean: log_sd² = ln(1 + relative_sd²)."""
        return cls(median, sqrt(log(1 + relative_sd * relative_sd)))

    def quantile(self, probability: Array) -> Array:
        """See Distribution."""
        return self.median * np.exp(self.log_sd * standard_normal(probability))

    def words(self) -> str:
        """See Distribution."""
        return f"lognormal, median {self.median:.6g}, standard deviation of the logarithm {self.log_sd:.4g}"


@dataclass(frozen=True, slots=True)
class ThroughPercentiles:
    """A positive number that meets every published percentile.

    Between two percentiles, and with the slope of the outer pairs beyond the ends, its logarithm is linear in the
    standard normal variable: two percentiles make a lognormal, more of them a chain of pieces of lognormals, which
    never falls as long as the percentiles rise.
    """

    probabilities: tuple[float, ...]
    values: tuple[float, ...]

    def quantile(self, probability: Array) -> Array:
        """See Distribution."""
        knots, logs = standard_normal(np.array(self.probabilities)), np.log(np.array(self.values))
        slopes = np.diff(logs) / np.diff(knots)
        normal = standard_normal(probability)
        piece = np.clip(np.searchsorted(knots, normal) - 1, 0, len(slopes) - 1)
        values: Array = np.exp(logs[piece] + slopes[piece] * (normal - knots[piece]))
        return values

    def words(self) -> str:
        """See Distribution."""
        points = (f"P{100 * one:.0f} {value:.6g}" for one, value in zip(self.probabilities, self.values, strict=True))
        return f"lognormal pieces through {', '.join(points)}"
