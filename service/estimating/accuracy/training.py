"""Whole training runs: predicted GPU-hours beside those published."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Final

import numpy as np

from service.domain.language_model import LanguageModel
from service.domain.language_model_library import known_model
from service.errors import Invalid, NotFound
from service.estimating.accuracy.hardware import part, training_hardware
from service.estimating.accuracy.report import (
    LEFT_OUT,
    PREDICTED,
    NotPredicted,
    Outcome,
    Row,
    ValidationReport,
    positive,
    report,
    seen,
    without_each_family,
)
from service.estimating.fitting import Expectation, fitted
from service.estimating.predictions import Anchor, TrainingCase, anchored_spread, predict_training
from service.formulas.flops import accelerator_hours, six_n_d
from service.formulas.training_efficiency import CONSTANTS, TrainingEfficiency
from service.formulas.utilisation import Shape, shape_of, usual_shape

SEEN: Final = (
    "model",
    "phase",
    "arch",
    "params_total_b",
    "params_active_b",
    "tokens_b",
    "accelerator",
    "accel_count",
    "precision",
)
"""Columns a prediction may look at."""
NAIVE_UTILISATION: Final = 0.4
NAIVE: Final = "6 N D at 40 % of peak"
SPEED_OF_LIGHT: Final = "speed of light"
ANCHORED: Final = "anchored by the run's own reported MFU"
LONGEST_TRAINED: Final = 8192
"""Tokens; a longer context than this is not what most of pre-training is done on."""
USUAL_EXPERTS: Final = 8
"""Experts per token where a mixture is all that is known."""
RUN_CONSTANTS: Final = ("size_loss", "expert_tuning")
ANOTHER_MODEL: Final = 0.2
"""A name of the library whose parameters differ by more, as a logarithm, is another model of that name."""
FINE_TUNING: Final = "FT"
CLEAR_TIERS: Final = ("A", "B", FINE_TUNING, "")


@dataclass(frozen=True, slots=True)
class Run:
    """One row that can be predicted."""

    row: Row
    case: TrainingCase
    known: bool
    """Its architecture is in the library."""
    measured: float


def validate_training(rows: Sequence[Row]) -> ValidationReport:
    """Predict every run of the table, and say how far off that is."""
    runs, left = _sorted(rows)
    families = [family(run.row) for run in runs]
    crossed = without_each_family(
        families,
        fit=lambda chosen: _refitted([runs[index] for index in chosen]),
        predict=lambda index, constants: _hours(runs[index].case, constants),
    )
    outcomes = [_outcome(run, one) for run, one in zip(runs, crossed, strict=True)]
    values = _refitted(runs)
    told = ", ".join(f"{name} {getattr(values, name):.3g}" for name in RUN_CONSTANTS)
    return report("training", outcomes, left, notes=(f"fitted to this table alone the run constants are {told}",))


def family(row: Row) -> str:
    """Rows that share a name or a maker's stack are left out of a fit together.

    >>> family({"model": "LLaMA-65B"}), family({"model": "Llama-3-8B"}), family({"model": "DeepSeek-V3 (pretrain)"})
    ('llama', 'llama', 'deepseek')
    """
    found = re.match(r"[a-z]+", row.get("model", "").lower().rpartition("/")[2])
    return found.group() if found else row.get("model", "")


def shape_of_row(row: Row) -> tuple[Shape, LanguageModel | None] | None:
    """The shape a row means, and its architecture where that is known; None where not even its size is."""
    active, total = positive(row, "params_active_b"), positive(row, "params_total_b")
    mixture = "moe" in row.get("arch", "").lower()
    try:
        llm = known_model(row.get("model", "").partition(" (")[0]).llm
    except (NotFound, Invalid):
        llm = None
    if llm is not None:
        known = shape_of(llm)
        if active is None or abs(log(known.multiplied / (active * 1e9))) < ANOTHER_MODEL:
            return known, llm
    if active is None:
        return None
    experts = USUAL_EXPERTS if mixture else 0
    size = (total or active) * 1e9
    return usual_shape(active_parameters=active * 1e9, total_parameters=size, experts=experts), None


def _sorted(rows: Sequence[Row]) -> tuple[list[Run], list[NotPredicted]]:
    runs, left = [], []
    for row in rows:
        found = _run(row)
        if isinstance(found, str):
            left.append(NotPredicted(name=_name(row), reason=found))
        else:
            runs.append(found)
    return runs, left


def _run(row: Row) -> Run | str:
    """The row as a case, or why it is none."""
    measured = positive(row, "accel_hours")
    if measured is None:
        return "accel_hours is not published"
    if row.get("tier", "") not in CLEAR_TIERS:
        return f"the table marks it as no use for this: {row.get('notes') or row.get('phase', '')}"
    visible = seen(row, SEEN)
    tokens, shape = positive(visible, "tokens_b"), shape_of_row(visible)
    if tokens is None:
        return "tokens_b is missing"
    if shape is None:
        return "params_active_b is missing"
    found = part(visible["accelerator"])
    hardware = training_hardware(found, visible["precision"]) if found else None
    if hardware is None:
        return f"accelerator {visible['accelerator']!r} is not known well enough"
    case = TrainingCase(
        shape=shape[0],
        tokens=tokens * 1e9,
        hardware=hardware,
        accelerators=positive(visible, "accel_count"),
        sequence=_sequence(shape[1]),
    )
    return Run(row, case, shape[1] is not None, measured)


def _sequence(llm: LanguageModel | None) -> float | None:
    """The context of a known model; a long one is only stretched to at the end of training, from an unknown one."""
    return llm.context if llm and llm.context and llm.context <= LONGEST_TRAINED else None


def _outcome(run: Run, crossed: float) -> Outcome:
    made = predict_training(run.case).accelerator_hours
    peak = run.case.hardware.peak_flops_16bit
    flops = six_n_d(active_parameters=run.case.shape.multiplied, tokens=run.case.tokens)
    light = float(accelerator_hours(flops=flops, peak_flops=peak, utilisation=1))
    methods = {PREDICTED: made.central, LEFT_OUT: crossed, NAIVE: light / NAIVE_UTILISATION, SPEED_OF_LIGHT: light}
    reported = positive(run.row, "mfu_reported")
    spreads = {}
    if reported is not None:
        anchor = Anchor(case=run.case, utilisation=reported)
        spreads[ANCHORED] = anchored_spread(run.case)
        methods[ANCHORED] = predict_training(run.case, anchors=(anchor,)).accelerator_hours.central
    return Outcome(
        name=_name(run.row),
        family=family(run.row),
        groups=_groups(run),
        quantity="GPU-hours",
        measured=run.measured,
        by_method=methods,
        low=made.low,
        high=made.high,
        spreads=spreads,
        reasons=tuple(_reasons(run)),
    )


def _groups(run: Run) -> tuple[str, ...]:
    tier = run.row.get("tier", "")
    if tier == FINE_TUNING:
        return ("fine-tuning",)
    kind = "experts" if run.case.shape.expert_layers else "dense"
    tiers = (f"tier {tier}",) if tier else ()
    return ("pre-training", *tiers, f"{run.case.hardware.generation}, {kind}")


def _reasons(run: Run) -> list[str]:
    """What makes an error likely, read from the row after the prediction."""
    row, reasons = run.row, []
    kind = row.get("hours_kind", "")
    if any(word in kind for word in ("bound", "assumed", "correspondence", "2 s.f.")):
        reasons.append(f"hours are uncertain: {kind}")
    if run.case.accelerators is None:
        reasons.append("accelerator count not published")
    if not run.known:
        reasons.append("architecture not known, shape of its size assumed")
    if row.get("arch") == "enc-dec":
        reasons.append("encoder and decoder: a token meets half the parameters")
    if run.case.hardware.memory <= 40e9 and run.case.shape.multiplied > 10e9:
        reasons.append("little memory for the size: deep pipelines, full recomputation")
    return [*reasons, row["notes"]] if row.get("notes") else reasons


def _hours(case: TrainingCase, efficiency: TrainingEfficiency) -> float:
    return float(predict_training(case, efficiency=efficiency).accelerator_hours.central)


def _refitted(runs: Sequence[Run]) -> TrainingEfficiency:
    """The run constants from the pre-training among these; those of benchmarks stay as shipped."""
    runs = [run for run in runs if run.row.get("tier") != FINE_TUNING]
    counts = Counter(family(run.row) for run in runs)
    constants = [
        Expectation(name=one.name, expected=one.expected, tolerance=one.tolerance)
        for one in CONSTANTS
        if one.name in RUN_CONSTANTS
    ]

    def residuals(values: Mapping[str, float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        efficiency = replace(TrainingEfficiency(), **values)
        return np.array([log(_hours(run.case, efficiency) / run.measured) for run in runs])

    weights = [counts[family(run.row)] ** -1.0 for run in runs]
    return replace(TrainingEfficiency(), **fitted(residuals, weights, constants))


def _name(row: Row) -> str:
    return f"{row.get('model') or 'unnamed'} on {row.get('accelerator') or 'an unnamed accelerator'}"
