"""The closed forms of interrupted runs against simulating them, and against the numbers others printed."""

import numpy as np
import pytest

from service.formulas.interruptions import (
    clean_run_probability,
    expected_hours,
    hours_deviation,
    optimal_interval,
)

CASES, RUNS = 200, 400


def simulated(run: dict[str, float], random: np.random.Generator) -> np.ndarray:
    """Durations of runs that go segment by segment, each begun again until no interruption comes before its end."""
    length = run["work_hours"] / run["segments"] + run["checkpoint_hours"]
    hours, left = np.zeros(RUNS), np.full(RUNS, run["segments"])
    while (active := left > 0).any():
        until = random.exponential(1 / run["hazard_per_hour"], RUNS)
        through = until >= length
        hours += np.where(active, np.where(through, length, until + run["restart_hours"]), 0.0)
        left -= active & through
    return hours


def case(random: np.random.Generator) -> dict[str, float]:
    segments = int(random.integers(1, 25))
    work = float(random.uniform(0.5, 60))
    return {
        "work_hours": work,
        "segments": segments,
        "checkpoint_hours": float(random.uniform(0, 0.2)),
        "restart_hours": float(random.uniform(0, 1)),
        "hazard_per_hour": float(random.uniform(0.05, 1.5)) * segments / work,
    }


def test_the_closed_forms_agree_with_two_hundred_simulated_runs() -> None:
    random = np.random.default_rng(20261123)
    for _ in range(CASES):
        run = case(random)
        hours = simulated(run, random)
        mean, deviation = float(expected_hours(**run)), float(hours_deviation(**run))
        assert abs(hours.mean() - mean) <= 4 * deviation / RUNS**0.5, run
        fourth = ((hours - mean) ** 4).mean() / deviation**4
        assert abs(hours.var() - deviation**2) <= 4 * deviation**2 * (fourth / RUNS) ** 0.5 + 1e-12, run


@pytest.mark.parametrize(
    ("hazard", "checkpoint", "restart", "work", "mean", "deviation"),
    [
        (0.05, 0.02, 0.25, 100, 105.92, 1.74),
        (0.4, 0.05, 0.5, 100, 147.58, 5.92),
        (1.0, 0.1, 0.5, 50, 121.59, 8.39),
        (0.01, 0.02, 0.25, 300, 306.85, 2.43),
    ],
)
def test_the_optimal_interval_gives_durations_worked_out_elsewhere(
    hazard: float, checkpoint: float, restart: float, work: float, mean: float, deviation: float
) -> None:
    interval = optimal_interval(checkpoint_hours=checkpoint, hazard_per_hour=hazard)
    run = {
        "work_hours": work,
        "segments": work / interval,
        "checkpoint_hours": checkpoint,
        "restart_hours": restart,
        "hazard_per_hour": hazard,
    }
    assert float(expected_hours(**run)) == pytest.approx(mean, abs=0.01)
    assert float(hours_deviation(**run)) == pytest.approx(deviation, rel=0.003)


@pytest.mark.parametrize("hazard", [1e-6, 0.001, 0.05, 1.0, 40.0])
@pytest.mark.parametrize("checkpoint", [1e-5, 0.01, 0.5, 6.0])
def test_no_other_interval_makes_a_run_shorter(hazard: float, checkpoint: float) -> None:
    best = float(optimal_interval(checkpoint_hours=checkpoint, hazard_per_hour=hazard))

    def lost(interval: float) -> float:
        """Time over work, by the very equation the interval is to make least."""
        return float(np.expm1(hazard * (interval + checkpoint)) / (hazard * interval))

    assert all(lost(best) <= lost(best * other) * (1 + 1e-12) for other in (0.9, 0.99, 1.01, 1.1))


def test_without_interruptions_there_is_nothing_to_lose() -> None:
    run = {"work_hours": 10, "segments": 1, "checkpoint_hours": 0.0, "restart_hours": 0.5, "hazard_per_hour": 0.0}
    assert float(expected_hours(**run)) == 10
    assert float(hours_deviation(**run)) == 0
    assert float(clean_run_probability(work_hours=10, hazard_per_hour=0)) == 1


def test_a_run_that_never_ends_is_a_number_all_the_same() -> None:
    run = {"work_hours": 1e6, "segments": 1, "checkpoint_hours": 0, "restart_hours": 1, "hazard_per_hour": 10.0}
    assert np.isfinite([expected_hours(**run), hours_deviation(**run)]).all()
    assert float(expected_hours(**run)) > 1e100


@pytest.mark.parametrize("share", [1e-8, 1e-6, 1e-4, 0.009_99, 0.010_01])
def test_the_deviation_of_many_short_segments_is_not_lost_in_rounding(share: float) -> None:
    segments = 100 / share
    run = {"work_hours": 100, "segments": segments, "checkpoint_hours": 0.0, "restart_hours": 0, "hazard_per_hour": 1.0}
    # Interruptions come as rarely as the share says and lose a part of a segment, whose square is a third on average.
    first = (segments * share * share**2 / 3) ** 0.5
    assert float(hours_deviation(**run)) == pytest.approx(first * (1 + share / 2), rel=0.2 * share**2 + 1e-9)
