"""Fitting finds what made the rows, and stays with its expectations where rows say nothing."""

from collections.abc import Mapping

import numpy as np
import pytest

from service.estimating.fitting import Expectation, fitted

CONSTANTS = (
    Expectation(name="slope", expected=1.0, tolerance=2.0),
    Expectation(name="unused", expected=7.0, tolerance=0.3),
)
SIZES = np.linspace(1, 10, 50)


def off(values: Mapping[str, float]) -> np.ndarray:
    return np.log(values["slope"] * SIZES / (3.0 * SIZES))


def test_the_constant_that_made_the_rows_is_found() -> None:
    found = fitted(off, [1.0] * len(SIZES), CONSTANTS)
    assert found["slope"] == pytest.approx(3.0, rel=0.01)
    assert found["unused"] == pytest.approx(7.0)


def test_without_rows_the_expectations_come_back() -> None:
    assert fitted(lambda _: np.zeros(0), [], CONSTANTS) == pytest.approx({"slope": 1.0, "unused": 7.0})


def test_rows_without_weight_pull_nothing() -> None:
    assert fitted(off, [0.0] * len(SIZES), CONSTANTS)["slope"] == pytest.approx(1.0)


def test_a_firm_expectation_is_hardly_moved_by_one_row() -> None:
    firm = (Expectation(name="slope", expected=1.0, tolerance=0.01),)
    assert fitted(lambda values: off(values)[:1], [1.0], firm)["slope"] == pytest.approx(1.0, rel=0.01)
