"""Serving benchmarks: predicted time per output token, or tokens per second, beside those measured."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from service.domain.language_model import LanguageModel
from service.domain.language_model_library import known_model
from service.errors import Invalid, NotFound
from service.estimating.accuracy.hardware import Part, number_format, part
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
from service.estimating.accuracy.training import family
from service.estimating.fitting import fitted
from service.estimating.serving_calibration import (
    EXPECTATIONS,
    SPREAD,
    Load,
    MeasuredLoad,
    calibrated,
    seconds_of,
    spread_at,
)
from service.formulas.serving import Efficiency, Replica, decode_seconds, largest_batch, seconds_per_output_token
from service.formulas.utilisation import interval

SEEN: Final = (
    "source_group",
    "model",
    "accelerator",
    "n_accel",
    "precision",
    "engine",
    "scenario",
    "isl",
    "osl",
    "concurrency",
)
"""Columns a prediction may look at."""
LIGHT: Final = Efficiency(memory=1, compute=1, prefill=1, link=1, layer_seconds=0, allreduce_seconds=0, traffic_bytes=0)
TEXTBOOK: Final = Efficiency(
    memory=0.8, compute=0.5, prefill=0.5, link=0.4, layer_seconds=0, allreduce_seconds=0, traffic_bytes=0
)
SPEED_OF_LIGHT: Final = "speed of light"
TEXTBOOK_NAME: Final = "textbook efficiencies 0.8 / 0.5 / 0.4"
WIDEST: Final = 16
"""Accelerators of a replica; wider ones are laid out in ways the formula does not know."""
BYTES_OF_WEIGHT: Final = (("fp4", 0.5625), ("int4", 0.5625), ("fp8", 1.0), ("bf", 2.0), ("fp16", 2.0))
"""With one scale byte to sixteen 4-bit weights."""
ANCHORING: Final = ((ANCHORED_BY_ONE, 1), (ANCHORED, ANCHORS))
OFFLINE: Final = ("offline", "max throughput")
"""Scenarios that keep as many sequences in flight as memory holds."""

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Served:
    """One row that can be predicted."""

    row: Row
    llm: LanguageModel
    hardware: Part
    accelerators: float
    weight_bytes: float
    kv_bytes: float
    peak_flops: float
    peak_flops_16bit: float
    input_tokens: float
    output_tokens: float
    batch: float
    measured: float
    per_token: bool
    """Measured in ms per output token; else in tokens per second of one accelerator."""

    @property
    def setup(self) -> tuple[str, ...]:
        """Rows that share it differ only in load and lengths."""
        return tuple(self.row.get(one, "") for one in ("model", "accelerator", "n_accel", "precision", "engine"))


def validate_serving(rows: Sequence[Row]) -> ValidationReport:
    """Predict every serving measurement of the table, and say how far off that is."""
    served, left = _sorted(rows)
    crossed = without_each_family(
        [family(one.row) for one in served],
        fit=lambda chosen: _refitted([served[index] for index in chosen]),
        predict=lambda index, constants: float(_predicted([served[index]], constants)[0]),
    )
    told = {
        PREDICTED: _predicted(served, Efficiency()),
        LEFT_OUT: np.array(crossed),
        TEXTBOOK_NAME: _predicted(served, TEXTBOOK),
        SPEED_OF_LIGHT: _predicted(served, LIGHT, interference=False),
    }
    others = others_of([one.setup for one in served])
    outcomes = []
    for index, one in enumerate(served):
        by_method = {name: float(values[index]) for name, values in told.items()}
        near = [served[other] for other in others[index]]
        measured = {name: _anchored(one, near[:most]) for name, most in ANCHORING if near}
        by_method |= {name: made for name, (made, _) in measured.items()}
        outcomes.append(_outcome(one, by_method, {name: spread for name, (_, spread) in measured.items()}))
    values = _refitted(served)
    said = ", ".join(f"{one.name} {getattr(values, one.name):.3g}" for one in EXPECTATIONS)
    return report("inference", outcomes, left, notes=(f"fitted to this table alone the constants are {said}",))


def _sorted(rows: Sequence[Row]) -> tuple[list[Served], list[NotPredicted]]:
    served, left = [], []
    for row in rows:
        one = _served(row)
        if isinstance(one, str):
            left.append(NotPredicted(name=_name(row), reason=one))
        else:
            served.append(one)
    return served, left


def _served(row: Row) -> Served | str:
    """The row as a case, or why it is none."""
    visible = seen(row, SEEN)
    needed = {column: positive(visible, column) for column in ("isl", "osl", "n_accel")}
    missing = [column for column, value in needed.items() if not value]
    if missing:
        return f"{', '.join(missing)} is no plain number"
    if (needed["n_accel"] or 0) > WIDEST:
        return f"{needed['n_accel']:g} accelerators together are wider than a replica the formula knows"
    try:
        llm = known_model(visible["model"]).llm
    except (NotFound, Invalid) as problem:
        return str(problem)
    hardware = part(visible["accelerator"])
    weight = next((size for word, size in BYTES_OF_WEIGHT if word in visible["precision"].lower()), None)
    if hardware is None or weight is None:
        return f"accelerator {visible['accelerator']!r} or precision {visible['precision']!r} is not known well enough"
    return _measured(row, visible, llm, hardware, weight)


def _measured(row: Row, visible: Row, llm: LanguageModel, hardware: Part, weight: float) -> Served | str:
    per_token, throughput = positive(row, "tpot_ms"), positive(row, "output_tok_s_per_accel")
    measured = per_token or throughput
    if not measured:
        return "neither tpot_ms nor output_tok_s_per_accel is published"
    one = Served(
        row=row,
        llm=llm,
        hardware=hardware,
        accelerators=positive(visible, "n_accel") or 1,
        weight_bytes=weight,
        kv_bytes=2.0 if weight == 2 or "int4" in visible["precision"].lower() else 1.0,
        peak_flops=_peak(hardware, visible["precision"]),
        peak_flops_16bit=_peak(hardware, "bf16"),
        input_tokens=positive(visible, "isl") or 1,
        output_tokens=positive(visible, "osl") or 1,
        batch=positive(visible, "concurrency") or 0,
        measured=measured,
        per_token=per_token is not None,
    )
    if one.batch:
        return one
    if not any(word in visible["scenario"].lower() for word in OFFLINE):
        return "concurrency is missing, and the scenario is not one that fills memory"
    held = _held(one)
    return replace(one, batch=held) if held >= 1 else "by our count it does not fit into memory"


def _held(one: Served) -> float:
    """Sequences that fit at their mean context."""
    context = one.input_tokens + one.output_tokens / 2
    return float(largest_batch(_replica([one], Efficiency()), memory=one.hardware.memory, context=context)[0])


def _peak(hardware: Part, precision: str) -> float:
    """Dense peak at the format; that of 16 bits where only the weights are kept in it."""
    sixteen = hardware.peaks.get("bf16") or hardware.peaks.get("fp16") or 0.0
    return hardware.peaks.get(number_format(precision), sixteen)


def _replica(served: Sequence[Served], efficiency: Efficiency) -> Replica:
    """Rows of one model as one replica of arrays."""

    def column(name: str) -> Array:
        return np.array([getattr(one, name) for one in served], dtype=float)

    return Replica(
        llm=served[0].llm,
        accelerators=column("accelerators"),
        bandwidth=np.array([one.hardware.bandwidth for one in served]),
        peak_flops=column("peak_flops"),
        peak_flops_16bit=column("peak_flops_16bit"),
        link_bandwidth=np.array([one.hardware.link for one in served]),
        weight_bytes=column("weight_bytes"),
        kv_bytes=column("kv_bytes"),
        efficiency=efficiency,
    )


def _predicted(served: Sequence[Served], efficiency: Efficiency, *, interference: bool = True) -> Array:
    """What each row measured, predicted; the rows of one model at once."""
    predicted = np.zeros(len(served))
    for name in dict.fromkeys(one.llm.name for one in served):
        chosen = [index for index, one in enumerate(served) if one.llm.name == name]
        predicted[chosen] = _of_one_model([served[index] for index in chosen], efficiency, interference=interference)
    return predicted


def _of_one_model(served: Sequence[Served], efficiency: Efficiency, *, interference: bool) -> Array:
    replica = _replica(served, efficiency)
    batch = np.array([one.batch for one in served])
    inputs = np.array([one.input_tokens for one in served])
    outputs = np.array([one.output_tokens for one in served])
    if interference:
        seconds = seconds_per_output_token(replica, batch=batch, input_tokens=inputs, output_tokens=outputs)
    else:
        seconds = decode_seconds(replica, batch=batch, context=inputs + outputs / 2)
    per_token = np.array([one.per_token for one in served])
    return np.asarray(np.where(per_token, 1000 * seconds, batch / seconds / replica.accelerators), dtype=float)


def _anchored(one: Served, others: Sequence[Served]) -> tuple[float, float]:
    """What the row measured, predicted from what others of its setup measured; and its spread."""
    replica = _of_one(one)
    points = [MeasuredLoad(load=_load(other), seconds=_seconds(other)) for other in others]
    found = calibrated(replica, points)
    made = float(seconds_of(replace(replica, efficiency=found.efficiency), [_load(one)])[0])
    told = 1000 * made if one.per_token else one.batch / made / one.accelerators
    return told, spread_at(found, replica, _load(one))


def _of_one(one: Served) -> Replica:
    """A row as a replica of plain numbers."""
    return Replica(
        llm=one.llm,
        accelerators=one.accelerators,
        bandwidth=one.hardware.bandwidth,
        peak_flops=one.peak_flops,
        peak_flops_16bit=one.peak_flops_16bit,
        link_bandwidth=one.hardware.link,
        weight_bytes=one.weight_bytes,
        kv_bytes=one.kv_bytes,
    )


def _seconds(one: Served) -> float:
    """Measured time per output token of a sequence [s]."""
    return one.measured / 1000 if one.per_token else one.batch / one.measured / one.accelerators


def _load(one: Served) -> Load:
    return Load(batch=one.batch, input_tokens=one.input_tokens, output_tokens=one.output_tokens)


def _refitted(served: Sequence[Served]) -> Efficiency:
    """The constants of serving from these rows."""
    counts = Counter(one.setup for one in served)
    measured = np.array([one.measured for one in served])

    def residuals(values: Mapping[str, float]) -> Array:
        return np.asarray(np.log(_predicted(served, Efficiency(**values)) / measured))

    return Efficiency(**fitted(residuals, [counts[one.setup] ** -0.5 for one in served], EXPECTATIONS))


def _outcome(one: Served, by_method: Mapping[str, float], spreads: Mapping[str, float]) -> Outcome:
    band = interval(by_method[PREDICTED], spread=SPREAD)
    source = one.row.get("source_group") or "unnamed source"
    return Outcome(
        name=_name(one.row),
        family=family(one.row),
        groups=("serving", source, f"{one.hardware.id}, {_engine(one.row)}"),
        quantity="ms per output token" if one.per_token else "tokens per second and accelerator",
        measured=one.measured,
        by_method=by_method,
        low=float(band.low),
        high=float(band.high),
        spreads=spreads,
        reasons=tuple(_reasons(one)),
    )


def _reasons(one: Served) -> list[str]:
    """What makes an error likely, read from the row after the prediction."""
    reasons = []
    if not one.per_token and not positive(one.row, "concurrency"):
        reasons.append("sequences in flight not published, as many as fit assumed")
    if one.llm.experts:
        reasons.append("experts: uneven routing, and layouts that are not tensor parallel")
    if one.input_tokens > 4 * one.output_tokens:
        reasons.append("long prompts: prefill interrupts decoding, or is hidden")
    return reasons


def _engine(row: Row) -> str:
    words = (row.get("engine") or "an unnamed engine").replace("-", "").lower().split()
    return {"trtllm": "tensorrtllm"}.get(words[0], words[0])


def _name(row: Row) -> str:
    columns = ("model", "n_accel", "accelerator", "precision", "engine", "isl", "osl", "concurrency", "scenario")
    return " ".join(row[column] for column in columns if row.get(column))
