"""Training benchmarks: predicted utilisation beside that measured."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Final

import numpy as np

from service.estimating.accuracy.hardware import number_format, part, training_hardware
from service.estimating.accuracy.report import (
    ANCHORED,
    ANCHORED_BY_ONE,
    ANCHORS,
    LEFT_OUT,
    PREDICTED,
    NotPredicted,
    Outcome,
    Row,
    ValidationReport,
    others_of,
    positive,
    report,
    seen,
    without_each_family,
)
from service.estimating.accuracy.training import NAIVE_UTILISATION, RUN_CONSTANTS, family, shape_of_row
from service.estimating.fitting import Expectation, fitted
from service.estimating.predictions import (
    Anchor,
    TrainingCase,
    anchored_spread,
    benchmark_spread,
    benchmark_utilisation,
    calibration,
)
from service.formulas.training_efficiency import CONSTANTS, TrainingEfficiency
from service.formulas.utilisation import interval

SEEN: Final = (
    "source",
    "model",
    "params_b",
    "active_params_b",
    "arch",
    "gpu",
    "n_gpu",
    "precision",
    "seq_len",
)
"""Columns a prediction may look at."""
FULL_SQUARE: Final = ("llm-foundry",)
"""Publishers that count attention over the whole square of the sequence; others count the causal half."""
NAIVE: Final = "40 % of peak"
SPEED_OF_LIGHT: Final = "speed of light"
BENCHMARK_CONSTANTS: Final = tuple(one for one in CONSTANTS if one.name not in RUN_CONSTANTS)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One row that can be predicted."""

    row: Row
    case: TrainingCase
    measured: float
    setup: tuple[str, str, str]
    """Model, accelerator and number format."""


def validate_utilisation(rows: Sequence[Row]) -> ValidationReport:
    """Predict every benchmark of the table, and say how far off that is."""
    found, left = _sorted(rows)
    crossed = without_each_family(
        [family(one.row) for one in found],
        fit=lambda chosen: _refitted([found[index] for index in chosen]),
        predict=lambda index, constants: benchmark_utilisation(found[index].case, efficiency=constants),
    )
    made = [benchmark_utilisation(one.case) for one in found]
    others = [[found[one] for one in near] for near in others_of([one.setup for one in found])]
    outcomes = [_outcome(*each) for each in zip(found, made, crossed, others, strict=True)]
    values = _refitted(found)
    told = ", ".join(f"{one.name} {getattr(values, one.name):.3g}" for one in BENCHMARK_CONSTANTS)
    return report("mfu", outcomes, left, notes=(f"fitted to this table alone the constants are {told}",))


def _refitted(found: Sequence[Benchmark]) -> TrainingEfficiency:
    """The constants of benchmarks from these rows."""
    counts = Counter(one.setup for one in found)
    constants = [
        Expectation(name=one.name, expected=one.expected, tolerance=one.tolerance) for one in BENCHMARK_CONSTANTS
    ]

    def residuals(values: Mapping[str, float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        efficiency = replace(TrainingEfficiency(), **values)
        return np.array([log(benchmark_utilisation(one.case, efficiency=efficiency) / one.measured) for one in found])

    weights = [1 / counts[one.setup] for one in found]
    return replace(TrainingEfficiency(), **fitted(residuals, weights, constants))


def _sorted(rows: Sequence[Row]) -> tuple[list[Benchmark], list[NotPredicted]]:
    found, left = [], []
    for row in rows:
        one = _benchmark(row)
        if isinstance(one, str):
            left.append(NotPredicted(name=_name(row), reason=one))
        else:
            found.append(one)
    return found, left


def _benchmark(row: Row) -> Benchmark | str:
    """The row as a case, or why it is none."""
    visible = seen(row, SEEN)
    renamed = {
        "model": visible["model"],
        "arch": visible["arch"],
        "params_active_b": visible["active_params_b"] or visible["params_b"],
        "params_total_b": visible["params_b"],
    }
    shape = shape_of_row(renamed)
    if shape is None:
        return "neither its architecture nor its parameters are known"
    if "hybrid" in visible["arch"].lower() and shape[1] is None:
        return "a hybrid architecture that is not known"
    accelerators, sequence = positive(visible, "n_gpu"), positive(visible, "seq_len")
    if not accelerators or not sequence:
        return "n_gpu or seq_len is missing"
    hardware = part(visible["gpu"])
    trained_on = training_hardware(hardware, visible["precision"]) if hardware else None
    if trained_on is None:
        return f"gpu {visible['gpu']!r} is not known well enough"
    measured = _measured(row, trained_on.peak_flops)
    if measured is None:
        return "neither mfu_pct nor model_tflops_per_gpu is published"
    case = TrainingCase(
        shape=shape[0],
        tokens=1,
        hardware=trained_on,
        accelerators=accelerators,
        sequence=sequence,
        causal=not any(one in visible["source"] for one in FULL_SQUARE),
    )
    return Benchmark(row, case, measured, (visible["model"], visible["gpu"], number_format(visible["precision"])))


def _measured(row: Row, peak_flops: float) -> float | None:
    """As a share of the dense peak; footnote marks aside."""
    share = positive(row, "mfu_pct")
    if share:
        return share / 100
    found = re.match(r"[\d.]+", row.get("model_tflops_per_gpu", ""))
    reached = float(found.group()) * 1e12 / peak_flops if found else 0.0
    return reached or None


def _outcome(one: Benchmark, made: float, crossed: float, others: Sequence[Benchmark]) -> Outcome:
    band = interval(made, spread=benchmark_spread(one.case))
    methods = {PREDICTED: made, LEFT_OUT: crossed, NAIVE: NAIVE_UTILISATION, SPEED_OF_LIGHT: 1.0}
    spreads = {}
    for name, most in ((ANCHORED_BY_ONE, 1), (ANCHORED, ANCHORS)) if others else ():
        anchors = [Anchor(case=other.case, utilisation=other.measured) for other in others[:most]]
        methods[name] = made * calibration(anchors)
        spreads[name] = anchored_spread(one.case)
    return Outcome(
        name=_name(one.row),
        family=family(one.row),
        groups=("benchmarks", _group(one)),
        quantity="MFU",
        measured=one.measured,
        by_method=methods,
        low=float(band.low),
        high=float(band.high),
        spreads=spreads,
        reasons=tuple(_reasons(one)),
    )


def _group(one: Benchmark) -> str:
    kind = "experts" if one.case.shape.expert_layers else "dense"
    return f"{one.setup[1]} {one.setup[2]}, {kind}"


def _reasons(one: Benchmark) -> list[str]:
    """What makes an error likely, read from the row after the prediction."""
    reasons = []
    if one.case.shape.expert_layers:
        reasons.append("experts: the software of that month decides, by a factor of up to two")
    if one.setup[2] == "fp4":
        reasons.append("4-bit training keeps some layers at higher precision, which differ by recipe")
    if (one.case.accelerators or 0) <= one.case.hardware.domain:
        reasons.append("one server or rack: the micro-batch that fits decides")
    return reasons


def _name(row: Row) -> str:
    parts = (row.get(column, "") for column in ("model", "n_gpu", "gpu", "precision", "seq_len", "section"))
    return " ".join(part for part in parts if part)
