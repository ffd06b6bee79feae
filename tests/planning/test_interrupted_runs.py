"""What the planner says of runs that are interrupted, as it says it: against a scan of intervals and simulated runs."""

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from service.domain.goal import Checkpoints
from service.formulas.interruptions import expected_hours
from service.planning.candidates import Arrays, Limits, Timing, timing
from service.planning.charging import Kind
from tests.formulas.test_interruptions import CASES, RUNS, simulated

MACHINE = Kind(
    accelerator="h100", gpus=8.0, hazard=0.0, bound_hours=0.0, slot_hours=0.0, grid=nan, most_gpus=inf, by_hour=None
)


def timed(machines: float, hazard: float, work: float, kept: Checkpoints) -> Timing:
    """One run over so many machines."""
    columns = (8.0 * machines, 8.0, 1.0, work, 0.0, nan, 0.0)
    ways = Arrays(np.zeros(1, np.intp), *(np.array([one]) for one in columns))
    return timing("gang", replace(MACHINE, hazard=hazard), ways, Limits(checkpoints=kept))


def shortest(machines: float, hazard: float, work: float, kept: Checkpoints, segments: np.ndarray) -> float:
    """The least duration of those with so many checkpoints."""
    hours = expected_hours(
        work_hours=work,
        segments=segments,
        checkpoint_hours=kept.write_hours,
        restart_hours=kept.restart_hours,
        hazard_per_hour=machines * hazard,
    )
    return float(np.min(hours))


def test_no_other_number_of_checkpoints_makes_a_planned_run_shorter() -> None:
    random = np.random.default_rng(7)
    for _ in range(100):
        machines = float(random.integers(1, 200))
        hazard = float(10 ** random.uniform(-5, -0.5))
        kept = Checkpoints(write_hours=float(10 ** random.uniform(-4, 0)), restart_hours=float(random.uniform(0, 1)))
        # Long enough for up to a hundred thousand checkpoints, short enough to try every number of them.
        work = float(10 ** random.uniform(-1, 1.5)) / (machines * hazard)
        found = timed(machines, hazard, work, kept)
        tried = shortest(machines, hazard, work, kept, np.arange(1.0, 150_000.0))
        assert float(found.expected[0]) <= min(tried, 1e15) * (1 + 1e-12), (machines, hazard, work, kept)


def test_a_long_run_on_many_machines_takes_as_many_checkpoints_as_are_worth_it() -> None:
    kept = Checkpoints()
    found = timed(64, 0.05, 1000, kept)
    assert float(found.expected[0]) == pytest.approx(2542.566, abs=1e-3)
    assert float(1000 / found.interval[0]) == pytest.approx(10_957, abs=1)


@pytest.mark.parametrize("work", [0.01, 1.0, 50.0, 1e4])
def test_free_checkpoints_leave_nothing_to_do_twice(work: float) -> None:
    free = Checkpoints(write_hours=0.0, restart_hours=0.5)
    found = timed(10, 0.1, work, free)
    assert float(found.expected[0]) == pytest.approx(work * (1 + 0.5), rel=1e-6)
    assert float(found.deviation[0]) == pytest.approx(0.5 * work**0.5, rel=1e-3)
    almost = timed(10, 0.1, work, Checkpoints(write_hours=1e-30, restart_hours=0.5))
    assert float(found.expected[0]) <= float(almost.expected[0])


def test_what_is_promised_of_a_planned_run_is_what_two_hundred_simulated_ones_show() -> None:
    random = np.random.default_rng(5)
    for _ in range(CASES):
        machines, hazard = float(random.integers(1, 30)), float(10 ** random.uniform(-4, -1))
        kept = Checkpoints(write_hours=float(random.uniform(0.02, 0.2)), restart_hours=float(random.uniform(0, 1)))
        work = float(random.uniform(0.5, 8)) / (machines * hazard)
        work = min(work, 25 * (2 * kept.write_hours / (machines * hazard)) ** 0.5)
        found = timed(machines, hazard, work, kept)
        run = {
            "work_hours": work,
            "segments": round(work / float(found.interval[0])),
            "checkpoint_hours": kept.write_hours,
            "restart_hours": kept.restart_hours,
            "hazard_per_hour": machines * hazard,
        }
        hours = simulated(run, random)
        mean, deviation = float(found.expected[0]), float(found.deviation[0])
        assert abs(hours.mean() - mean) <= 4 * deviation / RUNS**0.5, run
        fourth = ((hours - mean) ** 4).mean() / deviation**4
        assert abs(hours.var() - deviation**2) <= 4 * deviation**2 * (fourth / RUNS) ** 0.5 + 1e-12, run
