"""What a training run takes, predicted from architecture, tokens and hardware, and how sure that is.

Every prediction carries its steps, so that each number can be walked back, and an interval that holds four
times out of five. A measured point of the same or a similar setup, an anchor, corrects what comes after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import exp, fsum, isfinite, log, log2
from typing import Final

from service.domain.language_model import LanguageModel
from service.errors import FieldProblem, Invalid
from service.formulas.flops import accelerator_hours
from service.formulas.memory import MemoryUse, Parallelism, Recompute, States, share_of_memory, training_memory
from service.formulas.training import energy_kwh
from service.formulas.training_efficiency import GENERATIONS, Spreads, TrainingEfficiency
from service.formulas.utilisation import (
    Interval,
    Shape,
    TrainingHardware,
    counted_flops_per_token,
    interval,
    model_flops_utilisation,
    run_factor,
)

USUAL_SEQUENCE: Final = 4096
"""Tokens of a training sequence where none is given."""
RUN_FACTOR: Final = "run factor"
ANCHORED_FACTOR: Final = "run factor of what is reported"
USUAL_RUN_HOURS: Final = 30 * 24
USUAL_UTILISATION: Final = 0.3
FEWEST: Final = 8
MOST: Final = 16_384
"""Accelerators a run is assumed to have where nothing is said: as many as finish in about a month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerDraw:
    """Electricity of one accelerator and what stands around it."""

    full_load_kw: float
    load: float = 0.75
    """Average draw over full load; ML.ENERGY measures 0.74 to 0.75."""
    server_factor: float = 1.8
    """Server over accelerators: 1.82 for H100, 2.03 for A100 in Cottier et al., arXiv:2405.21015, 1.8 elsewhere."""
    pue: float = 1.1
    """Facility over server; 1.08 to 1.2 are reported."""
    carbon_kg_per_kwh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCase:
    """What is to be trained, on what."""

    shape: Shape
    tokens: float
    hardware: TrainingHardware
    accelerators: float | None = None
    """None where it is not known: then as many as finish in about a month."""
    sequence: float | None = None
    """None where it is not known: then a usual one."""
    causal: bool = True
    power: PowerDraw | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """One measured point. Give exactly one of the three measurements."""

    case: TrainingCase
    """The setup it was measured on; `tokens` is not looked at."""
    utilisation: float | None = None
    """Model FLOPs utilisation, at the dense peak of the case [1]."""
    tokens_per_second: float | None = None
    """Of one accelerator."""
    step_seconds: float | None = None
    tokens_per_step: float | None = None
    """Of all accelerators; needed with `step_seconds`."""
    whole_run: bool = False
    """Measured over a whole run, interruptions included, not in a stretch without any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One intermediate result of a prediction."""

    name: str
    value: float
    unit: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPrediction:
    """A run as predicted. Intervals hold four times out of five."""

    flops: float
    utilisation: Interval
    accelerator_hours: Interval
    wall_hours: Interval
    energy_kwh: Interval | None
    carbon_kg: Interval | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPrediction:
    """Whether a layout fits."""

    use: MemoryUse
    share: float
    """Of the memory of one accelerator, a reserve included; above 1 it does not fit."""
    fits: bool
    first_that_fits: Recompute | None
    """The least recomputation with which it would fit; None if none helps."""


def predict_training(
    case: TrainingCase, *, anchors: Sequence[Anchor] = (), efficiency: TrainingEfficiency | None = None
) -> TrainingPrediction:
    """Predict a whole run; with anchors, from what was measured. Raises Invalid naming every impossible field."""
    check(case)
    fleet = case.accelerators or usual_accelerators(case)
    predicted = benchmark_utilisation(case, efficiency=efficiency)
    measured = calibration(anchors, efficiency=efficiency) if anchors else 1.0
    experts = case.shape.expert_layers > 0
    whole = run_factor(accelerators=fleet, experts=experts, efficiency=efficiency)
    if anchors:
        whole = (efficiency or TrainingEfficiency()).reported
    spread = anchored_spread(case) if anchors else Spreads().run
    reached = utilisation_band(predicted * measured * float(whole), spread=spread)
    counted = float(counted_flops_per_token(case.shape, sequence=case.sequence or USUAL_SEQUENCE, causal=case.causal))
    flops = counted * case.tokens
    hours = _inverse(reached, accelerator_hours(flops=flops, peak_flops=case.hardware.peak_flops, utilisation=1))
    energy = _scaled(hours, _energy_of_hour(case.power)) if case.power else None
    steps = (
        Step(name="FLOPs", value=flops, unit="FLOP", because=_flops_said(case)),
        Step(name="accelerators", value=float(fleet), unit="GPUs", because=_fleet_said(case)),
        Step(name="benchmark utilisation", value=predicted, unit="1", because="roofline, `model_flops_utilisation`"),
        Step(name="calibration", value=measured, unit="1", because=calibration_said(len(anchors))),
        run_factor_step(float(whole), anchored=bool(anchors)),
    )
    return TrainingPrediction(
        flops=flops,
        utilisation=reached,
        accelerator_hours=hours,
        wall_hours=_scaled(hours, 1 / fleet),
        energy_kwh=energy,
        carbon_kg=_carbon(energy, case.power),
        steps=steps,
    )


def benchmark_utilisation(case: TrainingCase, *, efficiency: TrainingEfficiency | None = None) -> float:
    """Utilisation a benchmark of the case reaches, a stretch without interruption."""
    return float(
        model_flops_utilisation(
            case.shape,
            case.hardware,
            sequence=case.sequence or USUAL_SEQUENCE,
            accelerators=case.accelerators or usual_accelerators(case),
            causal=case.causal,
            efficiency=efficiency,
        )
    )


def benchmark_spread(case: TrainingCase) -> float:
    """Standard deviation of the logarithm of a benchmark's utilisation around `benchmark_utilisation`."""
    spreads = Spreads()
    if case.shape.expert_layers > 0:
        return spreads.benchmark_experts
    low = case.hardware.peak_flops > case.hardware.peak_flops_16bit
    return spreads.benchmark_low_precision if low else spreads.benchmark


def anchored_spread(case: TrainingCase) -> float:
    """Standard deviation of the logarithm of what follows from measurements of the setup."""
    spreads = Spreads()
    return spreads.anchored_experts if case.shape.expert_layers > 0 else spreads.anchored


def utilisation_band(central: float, *, spread: float) -> Interval:
    """An interval of a utilisation, which is at most 1."""
    band = interval(min(central, 1.0), spread=spread)
    return Interval(low=float(band.low), central=float(band.central), high=min(float(band.high), 1.0))


def calibration_said(anchors: int) -> str:
    """Where a calibration comes from."""
    if not anchors:
        return "nothing is measured"
    return f"measured over predicted, {anchors} measured point{'s' if anchors > 1 else ''}"


def run_factor_step(factor: float, *, anchored: bool) -> Step:
    """What a whole run loses; beside measurements that of papers, which say what they measured."""
    if anchored:
        because = "a whole run over the utilisation its authors report: median of 11 papers, 0.66 to 0.96"
        return Step(name=ANCHORED_FACTOR, value=factor, unit="1", because=because)
    return Step(name=RUN_FACTOR, value=factor, unit="1", because="a whole run over a benchmark, `run_factor`")


def calibration(anchors: Sequence[Anchor], *, efficiency: TrainingEfficiency | None = None) -> float:
    """Measured over predicted, the geometric mean over anchors. Raises Invalid for an anchor that cannot be."""
    ratios = [
        measured_utilisation(anchor, efficiency=efficiency) / benchmark_utilisation(anchor.case, efficiency=efficiency)
        for anchor in anchors
    ]
    return exp(fsum(map(log, ratios)) / len(ratios))


def measured_utilisation(anchor: Anchor, *, efficiency: TrainingEfficiency | None = None) -> float:
    """What an anchor says of a stretch without interruption. Raises Invalid."""
    check(anchor.case)
    given = [one for one in (anchor.utilisation, anchor.tokens_per_second, anchor.step_seconds) if one is not None]
    if len(given) != 1:
        raise Invalid.field("anchor", "give exactly one of utilisation, tokens_per_second, step_seconds")
    found = anchor.utilisation
    if found is None:
        speed = anchor.tokens_per_second or _speed_of_steps(anchor)
        counted = counted_flops_per_token(
            anchor.case.shape, sequence=anchor.case.sequence or USUAL_SEQUENCE, causal=anchor.case.causal
        )
        found = float(speed * counted / anchor.case.hardware.peak_flops)
    if not 0 < found <= 1:
        raise Invalid.field(
            "anchor", f"is a utilisation of {found:.3g}; it must be above 0 and at most 1, of the dense peak"
        )
    return found / (efficiency or TrainingEfficiency()).reported if anchor.whole_run else found


def predict_memory(
    llm: LanguageModel,
    *,
    layout: Parallelism,
    memory: float,
    sequence: float,
    micro_batch: float = 1,
    recompute: Recompute = Recompute.SELECTIVE,
    states: States | None = None,
) -> MemoryPrediction:
    """Predict whether a layout fits into accelerators of so many bytes, and what recomputation would make it fit."""

    def use_with(choice: Recompute) -> MemoryUse:
        return training_memory(
            llm, layout=layout, sequence=sequence, micro_batch=micro_batch, recompute=choice, states=states
        )

    use = use_with(recompute)
    share = float(share_of_memory(needed=use.total, memory=memory))
    helps = [one for one in Recompute if share_of_memory(needed=use_with(one).total, memory=memory) <= 1]
    return MemoryPrediction(use=use, share=share, fits=share <= 1, first_that_fits=helps[0] if helps else None)


def usual_accelerators(case: TrainingCase) -> int:
    """A power of two that finishes in about a month at a usual utilisation."""
    counted = counted_flops_per_token(case.shape, sequence=case.sequence or USUAL_SEQUENCE, causal=case.causal)
    needed = accelerator_hours(
        flops=counted * case.tokens, peak_flops=case.hardware.peak_flops, utilisation=USUAL_UTILISATION
    )
    power = round(log2(max(float(needed) / USUAL_RUN_HOURS, 1)))
    return int(min(max(2**power, FEWEST), MOST))


def check(case: TrainingCase) -> None:
    """Raise Invalid naming every field of a case that cannot be."""
    problems = []
    positive = {
        "tokens": case.tokens,
        "active_parameters": case.shape.multiplied,
        "peak_flops": case.hardware.peak_flops,
        "accelerators": case.accelerators,
        "sequence": case.sequence,
    }
    for name, value in positive.items():
        if value is not None and not (isfinite(value) and value > 0):
            problems.append(FieldProblem(name, f"must be above 0, not {value:g}"))
    if case.hardware.generation not in GENERATIONS:
        near = get_close_matches(case.hardware.generation, GENERATIONS, n=1) or GENERATIONS
        problems.append(FieldProblem("generation", f"is not known; there is {', '.join(near)}"))
    if problems:
        raise Invalid("; ".join(f"{one.field}: {one.message}" for one in problems), problems=tuple(problems))


def _speed_of_steps(anchor: Anchor) -> float:
    """Tokens per second and accelerator, from the time of a step."""
    fleet = anchor.case.accelerators
    if not (anchor.step_seconds and anchor.tokens_per_step and fleet):
        raise Invalid.field("anchor", "a step time above 0 needs tokens_per_step and the accelerators of its case")
    return anchor.tokens_per_step / (anchor.step_seconds * fleet)


def _energy_of_hour(power: PowerDraw) -> float:
    return float(
        energy_kwh(
            power_per_gpu_kw=power.full_load_kw,
            gpus=1,
            hours=1,
            utilisation=power.load,
            server_factor=power.server_factor,
            pue=power.pue,
        )
    )


def _carbon(energy: Interval | None, power: PowerDraw | None) -> Interval | None:
    if energy is None or power is None or power.carbon_kg_per_kwh is None:
        return None
    return _scaled(energy, power.carbon_kg_per_kwh)


def _inverse(band: Interval, dividend: float) -> Interval:
    low, central, high = (float(dividend / one) for one in (band.high, band.central, band.low))
    return Interval(low=low, central=central, high=high)


def _scaled(band: Interval, factor: float) -> Interval:
    return Interval(low=band.low * factor, central=band.central * factor, high=band.high * factor)


def _flops_said(case: TrainingCase) -> str:
    sequence = f"{case.sequence:g}" if case.sequence else f"{USUAL_SEQUENCE}, assumed"
    return f"6 N D and attention over sequences of {sequence}"


def _fleet_said(case: TrainingCase) -> str:
    return "as given" if case.accelerators else "assumed: as many as finish in about a month"
