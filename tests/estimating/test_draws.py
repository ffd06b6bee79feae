"""Streams are the same everywhere, spread evenly, and turned into normals to the last digits."""

import hashlib
from statistics import NormalDist

import numpy as np
import pytest

from service.estimating.distributions import Distribution, Lognormal, ThroughPercentiles, Triangular, Uniform
from service.estimating.draws import standard_normal, uniforms

STREAM = "5b7cf0a287ed5204295d16b64b1095fc3024abde7c26b38cb14a098361780268"
INSIDE = np.linspace(0, 1, 2001)[1:-1]
DISTRIBUTIONS: list[Distribution] = [
    Triangular(1, 2, 5),
    Triangular(1, 1, 5),
    Triangular(1, 5, 5),
    Uniform(-1, 3),
    Lognormal.relative(100, 0.3),
    ThroughPercentiles((0.1, 0.25, 0.5, 0.75, 0.9), (60, 80, 105, 150, 210)),
]


def test_the_normal_quantile_is_the_inverse_of_the_distribution_into_the_far_tails() -> None:
    probabilities = np.concatenate([INSIDE, 10.0 ** -np.arange(3, 300, 7), 1 - 10.0 ** -np.arange(3, 16)])
    found = standard_normal(probabilities)
    known = np.array([NormalDist().inv_cdf(float(one)) for one in probabilities])
    assert np.max(np.abs(found - known) / np.maximum(np.abs(known), 1)) < 1e-14

    back = np.array([NormalDist().cdf(float(one)) for one in standard_normal(INSIDE)])
    assert np.max(np.abs(back - INSIDE)) < 1e-14


def test_a_stream_visits_every_stratum_once() -> None:
    for draws in (100, 4096, 5000):
        drawn = uniforms(7, "training.hours", draws)
        assert sorted((drawn * draws).astype(int)) == list(range(draws))
        assert 0 < drawn.min() < drawn.max() < 1


def test_a_stream_is_named_by_its_seed_and_its_input_and_by_nothing_else() -> None:
    first = uniforms(0, "training.hours", 4096)
    assert np.array_equal(first, uniforms(0, "training.hours", 4096))
    assert hashlib.sha256(first.astype("<f8").tobytes()).hexdigest() == STREAM
    for other in (uniforms(1, "training.hours", 4096), uniforms(0, "training.gpus", 4096)):
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.05


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=lambda one: one.words())
def test_a_quantile_never_falls_and_is_the_inverse_of_how_often_it_is_undercut(distribution: Distribution) -> None:
    values = distribution.quantile(INSIDE)
    assert np.all(np.diff(values) >= 0)
    drawn = np.sort(distribution.quantile(uniforms(3, "x", 4096)))
    for probability in (0.1, 0.5, 0.9):
        below = np.searchsorted(drawn, distribution.quantile(np.array([probability])))[0] / 4096
        assert below == pytest.approx(probability, abs=1 / 4096)


def test_distributions_have_the_moments_their_parameters_state() -> None:
    drawn = uniforms(1, "x", 100_000)
    for distribution, mean, sd in (
        (Triangular(1, 2, 6), 3.0, (21 / 18) ** 0.5),
        (Uniform(2, 8), 5.0, 3**0.5),
        (Lognormal.relative(100, 0.3), 100 * 1.09**0.5, 0.3 * 100 * 1.09**0.5),
    ):
        values = distribution.quantile(drawn)
        assert np.mean(values) == pytest.approx(mean, rel=1e-4)
        assert np.std(values) == pytest.approx(sd, rel=2e-3)


def test_a_fit_through_percentiles_meets_each_of_them_and_two_make_a_lognormal() -> None:
    fitted = ThroughPercentiles((0.1, 0.25, 0.5, 0.75, 0.9), (60, 80, 105, 150, 210))
    assert fitted.quantile(np.array(fitted.probabilities)) == pytest.approx(fitted.values, rel=1e-12)

    plain = Lognormal(100, 0.4)
    outer = tuple(float(one) for one in plain.quantile(np.array([0.1, 0.9])))
    assert ThroughPercentiles((0.1, 0.9), outer).quantile(INSIDE) == pytest.approx(plain.quantile(INSIDE), rel=1e-9)
