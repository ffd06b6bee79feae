"""The targets we promise, over the published facts in the folder COSTPLAN_TRUTH names."""

import os
from pathlib import Path

import pytest

from service.estimating.accuracy.report import (
    ANCHORED,
    ANCHORED_BY_ONE,
    LEFT_OUT,
    PREDICTED,
    Accuracy,
    ValidationReport,
)
from service.usecases.validation import validate_predictions

FILES = {
    "training": "training_runs.csv",
    "mfu": "mfu_benchmarks.csv",
    "inference": "inference.csv",
    "epoch": "epoch_costs.csv",
}


@pytest.fixture(scope="module")
def truth() -> dict[str, ValidationReport]:
    folder = os.environ.get("COSTPLAN_TRUTH")  # noqa: TID251  tests only
    if not folder:
        pytest.skip("COSTPLAN_TRUTH is not set")
    return {kind: validate_predictions(kind, (Path(folder) / name).read_text()) for kind, name in FILES.items()}


def figures(made: ValidationReport, group: str, method: str) -> Accuracy:
    (found,) = (one for one in made.accuracy if (one.group, one.method) == (group, method))
    return found


@pytest.mark.parametrize("method", [PREDICTED, LEFT_OUT])
def test_hours_of_whole_runs(truth: dict[str, ValidationReport], method: str) -> None:
    found = figures(truth["training"], "pre-training", method)
    assert found.rows >= 30
    assert found.median_error <= 0.22
    assert found.within_2x >= 0.95


@pytest.mark.parametrize("method", [PREDICTED, LEFT_OUT])
def test_utilisation_of_benchmarks(truth: dict[str, ValidationReport], method: str) -> None:
    found = figures(truth["mfu"], "benchmarks", method)
    assert found.rows >= 200
    assert found.median_error <= 0.15


@pytest.mark.parametrize(("method", "most"), [(PREDICTED, 0.14), (LEFT_OUT, 0.145)])
def test_throughput_of_serving(truth: dict[str, ValidationReport], method: str, most: float) -> None:
    found = figures(truth["inference"], "serving", method)
    assert found.rows >= 250
    assert found.median_error <= most


@pytest.mark.parametrize(("method", "most"), [(ANCHORED_BY_ONE, 0.105), (ANCHORED, 0.075)])
def test_measured_points_correct_serving(truth: dict[str, ValidationReport], method: str, most: float) -> None:
    found = figures(truth["inference"], "serving", method)
    assert found.rows >= 250
    assert found.median_error <= most


@pytest.mark.parametrize(
    ("table", "group", "method"),
    [
        ("training", "pre-training", "anchored by the run's own reported MFU"),
        ("mfu", "benchmarks", ANCHORED_BY_ONE),
        ("mfu", "benchmarks", ANCHORED),
        ("inference", "serving", ANCHORED_BY_ONE),
        ("inference", "serving", ANCHORED),
    ],
)
def test_intervals_of_what_is_anchored_hold_as_often(
    truth: dict[str, ValidationReport], table: str, group: str, method: str
) -> None:
    covered = figures(truth[table], group, method).coverage
    assert covered is not None
    assert 0.7 <= covered <= 0.9


@pytest.mark.parametrize(
    ("table", "group"), [("training", "pre-training"), ("mfu", "benchmarks"), ("inference", "serving")]
)
@pytest.mark.parametrize("method", [PREDICTED, LEFT_OUT])
def test_intervals_hold_about_four_times_out_of_five(
    truth: dict[str, ValidationReport], table: str, group: str, method: str
) -> None:
    covered = figures(truth[table], group, method).coverage
    assert covered is not None
    assert 0.7 <= covered <= 0.9


@pytest.mark.parametrize(
    ("table", "group", "method"),
    [
        ("training", "pre-training", "anchored by the run's own reported MFU"),
        ("mfu", "benchmarks", ANCHORED),
        ("inference", "serving", ANCHORED),
    ],
)
def test_measured_points_of_the_setup_bring_the_error_down(
    truth: dict[str, ValidationReport], table: str, group: str, method: str
) -> None:
    assert figures(truth[table], group, method).median_error <= 0.13


@pytest.mark.parametrize(
    ("table", "group", "baseline"),
    [
        ("training", "pre-training", "6 N D at 40 % of peak"),
        ("mfu", "benchmarks", "40 % of peak"),
        ("inference", "serving", "textbook efficiencies 0.8 / 0.5 / 0.4"),
    ],
)
def test_what_is_predicted_beats_the_rule_of_thumb(
    truth: dict[str, ValidationReport], table: str, group: str, baseline: str
) -> None:
    naive, made = (figures(truth[table], group, method) for method in (baseline, LEFT_OUT))
    assert made.median_error < naive.median_error


def test_epochs_amortised_cost_follows_from_what_the_chips_were_bought_for(truth: dict[str, ValidationReport]) -> None:
    found = figures(truth["epoch"], "amortised cost", PREDICTED)
    assert found.rows >= 20
    assert found.median_error <= 0.05
