"""Failures and checkpoints: the published cluster, and the shape of the optimum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.formulas.goodput import daly_interval, goodput, hours_between_failures, young_interval

FAILURES = hours_between_failures(accelerators=16384)
"""Llama 3: 419 unexpected interruptions in 54 days."""


@pytest.mark.parametrize(("stall_minutes", "waste"), [(1, 0.10), (5, 0.23)])
def test_the_waste_of_the_llama_3_cluster(stall_minutes: float, waste: float) -> None:
    stall = stall_minutes / 60
    interval = young_interval(checkpoint_hours=stall, failure_hours=FAILURES)
    g = goodput(checkpoint_hours=stall, interval_hours=interval, failure_hours=FAILURES, restart_hours=0)
    assert 1 - g == pytest.approx(waste, abs=0.006)


def test_the_cluster_fails_every_three_hours() -> None:
    assert pytest.approx(54 * 24 / 419, rel=0.01) == FAILURES


@given(stall=st.floats(0.001, 0.2), failures=st.floats(1, 1000))
def test_youngs_interval_wastes_least(stall: float, failures: float) -> None:
    best = float(young_interval(checkpoint_hours=stall, failure_hours=failures))
    at = [
        float(goodput(checkpoint_hours=stall, interval_hours=x * best, failure_hours=failures, restart_hours=0))
        for x in (0.7, 1, 1.4)
    ]
    assert at[1] >= max(at[0], at[2])


@given(stall=st.floats(1e-6, 1e-4), failures=st.floats(1, 1000))
def test_dalys_interval_is_youngs_where_checkpoints_are_short(stall: float, failures: float) -> None:
    young, daly = (one(checkpoint_hours=stall, failure_hours=failures) for one in (young_interval, daly_interval))
    assert float(daly) == pytest.approx(float(young), rel=0.01)


def test_nothing_is_left_where_failures_come_faster_than_checkpoints() -> None:
    assert goodput(checkpoint_hours=1, interval_hours=1, failure_hours=0.5, restart_hours=1) == 0


def test_arrays_and_numbers_agree() -> None:
    fleets = np.array([8.0, 1024.0, 16384.0])
    many = young_interval(checkpoint_hours=0.02, failure_hours=hours_between_failures(accelerators=fleets))
    each = [young_interval(checkpoint_hours=0.02, failure_hours=hours_between_failures(accelerators=n)) for n in fleets]
    assert many.tolist() == pytest.approx([float(one) for one in each])
