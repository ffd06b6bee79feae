"""Epoch AI's table of training costs: predicted chip-hours, and amortised cost from what the chips were bought for."""

from collections.abc import Sequence
from math import log, sqrt
from typing import Final

from service.estimating.accuracy.hardware import part, training_hardware
from service.estimating.accuracy.report import (
    PREDICTED,
    NotPredicted,
    Outcome,
    Row,
    ValidationReport,
    positive,
    report,
    seen,
)
from service.estimating.predictions import TrainingCase, predict_training
from service.formulas.flops import accelerator_hours
from service.formulas.training import energy_kwh
from service.formulas.utilisation import interval, usual_shape

SEEN_OF_HOURS: Final = ("hardware", "chips", "training_flop")
SEEN_OF_COST: Final = ("hardware", "chips", "chip_hours", "hardware_acquisition_usd")
"""Columns a prediction may look at."""
TOKENS_PER_PARAMETER: Final = 20
"""Of a compute-optimal run; Hoffmann et al., arXiv:2203.15556."""
EPOCH_UTILISATION: Final = 0.375
"""What Epoch assumes where it knows nothing."""
HOURS_PER_YEAR: Final = 8766
DECAY_PER_YEAR: Final = 0.14 * log(10)
"""Loss of a chip's value: price per performance falls 0.14 orders of magnitude a year, arXiv:2405.21015."""
STRAIGHT_LINE_YEARS: Final = 4
POWER_FACTOR: Final = 1.8 * 0.75 * 1.1
"""Server over chip, average over full load, facility over server; arXiv:2405.21015."""
USD_PER_KWH: Final = 0.08
"""US industrial electricity of 2022 to 2024, which arXiv:2405.21015 uses."""
COST_SPREAD: Final = 0.05
"""Of Epoch's later version around the formula; its two versions differ by a factor of 1.5 in the median."""


def validate_epoch(rows: Sequence[Row]) -> ValidationReport:
    """Predict chip-hours and amortised cost of every row, each where the row has what it needs."""
    outcomes, left = [], []
    for row in rows:
        for made in (_hours(row), _cost(row)):
            if isinstance(made, str):
                left.append(NotPredicted(name=row.get("model") or "unnamed", reason=made))
            else:
                outcomes.append(made)
    note = "no constant is fitted to this table; cloud cost is a price times the chip-hours, a check of prices only"
    return report("epoch", outcomes, left, notes=(note,))


def _hours(row: Row) -> Outcome | str:
    measured = positive(row, "chip_hours")
    if not measured:
        return "chip-hours: chip_hours is missing"
    visible = seen(row, SEEN_OF_HOURS)
    flops = positive(visible, "training_flop")
    found = part(visible["hardware"])
    hardware = training_hardware(found, "bf16") if found else None
    if not flops or hardware is None:
        return f"chip-hours: training_flop is missing or hardware {visible['hardware']!r} is not known well enough"
    active = sqrt(flops / (6 * TOKENS_PER_PARAMETER))
    case = TrainingCase(
        shape=usual_shape(active_parameters=active),
        tokens=TOKENS_PER_PARAMETER * active,
        hardware=hardware,
        accelerators=positive(visible, "chips"),
    )
    made = predict_training(case).accelerator_hours
    light = float(accelerator_hours(flops=flops, peak_flops=hardware.peak_flops, utilisation=1))
    return Outcome(
        name=row.get("model") or "unnamed",
        family=row.get("organization") or "",
        groups=("chip-hours", f"chip-hours, {hardware.generation}"),
        quantity="chip-hours",
        measured=measured,
        by_method={
            PREDICTED: float(made.central),
            f"Epoch's default of {EPOCH_UTILISATION:.1%} of peak": light / EPOCH_UTILISATION,
            "speed of light": light,
        },
        low=float(made.low),
        high=float(made.high),
        reasons=("only FLOPs are given: the size of a compute-optimal transformer is assumed",),
    )


def _cost(row: Row) -> Outcome | str:
    measured = positive(row, "amortised_later_version_usd") or positive(row, "amortised_capex_energy_usd")
    if not measured:
        return "amortised cost: no published cost"
    visible = seen(row, SEEN_OF_COST)
    bought, hours, chips = (positive(visible, one) for one in ("hardware_acquisition_usd", "chip_hours", "chips"))
    if not bought or not hours or not chips:
        return "amortised cost: hardware_acquisition_usd, chip_hours or chips is missing"
    found = part(visible["hardware"])
    draw = found.tdp if found else None
    energy = energy_kwh(power_per_gpu_kw=(draw or 0) / 1000, gpus=1, hours=hours, utilisation=POWER_FACTOR)
    years = hours / chips / HOURS_PER_YEAR
    made = bought * DECAY_PER_YEAR * years + energy * USD_PER_KWH
    band = interval(made, spread=COST_SPREAD)
    reason = "its value when training began is not in the row, that at purchase is taken"
    return Outcome(
        name=row.get("model") or "unnamed",
        family=row.get("organization") or "",
        groups=("amortised cost",),
        quantity="USD",
        measured=measured,
        by_method={PREDICTED: float(made), "straight line over 4 years": bought * years / STRAIGHT_LINE_YEARS},
        low=float(band.low),
        high=float(band.high),
        reasons=(reason,) if draw else (reason, "full-load power is not known, energy is left out"),
    )
