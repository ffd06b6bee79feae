"""What comes after pre-training, predicted: full, LoRA, QLoRA, preference optimisation, RL with rollouts."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, fsum, log
from types import MappingProxyType
from typing import Final

from service.domain.language_model import LanguageModel
from service.domain.prediction import MemoryFit, PredictedFigure, Prediction, PredictionStep
from service.domain.prediction_spec import FineTuningSpec, InferenceSpec
from service.errors import FieldProblem, Invalid
from service.estimating.predicting.inference import predict_inference_of
from service.estimating.predicting.limits import (
    LONGEST_SEQUENCE,
    refuse,
    require_counts,
    require_positive,
    require_within,
)
from service.estimating.predicting.memory import Use, by_component, laid_out, said, training_fit
from service.estimating.predicting.parts import (
    Device,
    Subject,
    device,
    figure,
    scaled,
    step,
    subject,
    trainer,
    training_constants,
)
from service.estimating.predicting.training import anchors_of
from service.estimating.predictions import (
    Anchor,
    TrainingCase,
    anchored_spread,
    benchmark_utilisation,
    calibration_said,
    measured_utilisation,
    run_factor_step,
    utilisation_band,
)
from service.formulas.flops import accelerator_hours
from service.formulas.memory import NF4_BYTES, Parallelism, Recompute, training_memory
from service.formulas.numbers import Number
from service.formulas.post_training import (
    adapter_flops,
    adapter_memory,
    adapter_parameters,
    fine_tuning_flops,
    preference_flops,
    reinforcement_flops,
    rollout_accelerator_hours,
)
from service.formulas.training_efficiency import Spreads, TrainingEfficiency
from service.formulas.utilisation import Interval, counted_flops_per_token, interval, run_factor, shape_of

NEEDED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "full": ("tokens",),
        "lora": ("tokens",),
        "qlora": ("tokens",),
        "preference": ("pairs", "prompt_tokens", "answer_tokens"),
        "reinforcement": ("prompts", "prompt_tokens", "answer_tokens"),
    }
)
"""What each method cannot do without."""
FORMULAS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "full": "post_training.fine_tuning_flops",
        "lora": "post_training.adapter_flops",
        "qlora": "post_training.adapter_flops",
        "preference": "post_training.preference_flops",
        "reinforcement": "post_training.reinforcement_flops",
    }
)
ADAPTED: Final = ("lora", "qlora")
REFERRED: Final = ("preference", "reinforcement")
"""Methods that keep a frozen copy beside what is trained."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be computed, once."""

    flops: float
    tokens: float
    """That pass through training, padding included."""
    rollout_hours: float = 0.0
    steps: tuple[PredictionStep, ...] = ()


def predict_fine_tuning_of(spec: FineTuningSpec) -> Prediction:
    """Predict hours and memory. Raises Invalid naming every impossible field, its limit and the nearest choice."""
    _check(spec)
    found, on = subject(spec.llm, spec.architecture), device(spec.accelerator)
    layout = laid_out(spec.layout, spec.accelerators)
    shape = shape_of(found.llm)
    hardware = trainer(on, spec.precision)
    work = _work(spec, found)
    case = TrainingCase(
        shape=shape,
        tokens=work.tokens,
        hardware=hardware,
        accelerators=spec.accelerators,
        sequence=spec.sequence,
    )
    fit, told = _fit(found.llm, on, spec, layout)
    reached, steps = _utilisation(spec, case, work)
    light = float(accelerator_hours(flops=work.flops, peak_flops=hardware.peak_flops, utilisation=1))
    learning = Interval(low=light / reached.high, central=light / reached.central, high=light / reached.low)
    return Prediction(
        kind="fine-tuning",
        llm=found.name,
        accelerator=on.part.id,
        figures=tuple(_figures(spec, learning, work.rollout_hours, reached)),
        steps=(*work.steps, *steps, step("learning", learning.central, "GPU-Hours", "flops.accelerator_hours")),
        facts=(
            *found.facts,
            *on.facts(spec.precision, "bf16", "bandwidth", "link"),
            *training_constants(hardware.generation),
        ),
        memory=fit,
        warnings=tuple(_warnings(spec, on, told)),
    )


def _check(spec: FineTuningSpec) -> None:
    missing = [name for name in NEEDED[spec.method] if getattr(spec, name) is None]
    refuse(FieldProblem(name, f"is missing; {spec.method} needs it") for name in missing)
    amounts = ("tokens", "pairs", "prompts", "prompt_tokens", "answer_tokens", "rollout_tokens_per_second")
    require_positive({name: getattr(spec, name) for name in amounts})
    counts = ("accelerators", "micro_batch", "attempts", "epochs", "rank", "samples")
    require_counts({name: getattr(spec, name) for name in counts})
    require_within(
        {
            "sequence": (spec.sequence, 1, LONGEST_SEQUENCE),
            "packing": (spec.packing, 0.01, 1),
            "straggling": (spec.straggling, 1, 100),
            "overhead_hours": (spec.overhead_hours, 0, 1000),
        }
    )


def _work(spec: FineTuningSpec, found: Subject) -> Work:
    """The operations of one attempt, and generating where there is any."""
    llm = found.llm
    if spec.method == "preference":
        length = (spec.prompt_tokens or 0) + (spec.answer_tokens or 0)
        flops = preference_flops(
            llm,
            pairs=spec.pairs,
            tokens_per_answer=spec.answer_tokens,
            prompt_tokens=spec.prompt_tokens,
            epochs=spec.epochs,
        )
        return Work(float(flops), 2 * (spec.pairs or 0) * length * spec.epochs, steps=(_told(spec, flops),))
    if spec.method == "reinforcement":
        return _reinforcement(spec, llm)
    tokens = (spec.tokens or 0) * spec.epochs / spec.packing
    padded = step("tokens, padding included", tokens, "Tokens", None, "tokens × epochs / packing")
    if spec.method == "full":
        flops = fine_tuning_flops(llm, tokens=tokens, sequence=spec.sequence)
        return Work(float(flops), tokens, steps=(padded, _told(spec, flops)))
    trained = adapter_parameters(llm, rank=spec.rank)
    flops = adapter_flops(llm, tokens=tokens, sequence=spec.sequence, trained=trained)
    adapters = step("trained parameters", trained, "1", "post_training.adapter_parameters")
    return Work(float(flops), tokens, steps=(padded, adapters, _told(spec, flops)))


def _reinforcement(spec: FineTuningSpec, llm: LanguageModel) -> Work:
    flops = reinforcement_flops(
        llm,
        prompts=spec.prompts,
        samples=spec.samples,
        prompt_tokens=spec.prompt_tokens,
        answer_tokens=spec.answer_tokens,
        epochs=spec.epochs,
    )
    speed, because = spec.rollout_tokens_per_second, "as given"
    if speed is None:
        serving = InferenceSpec(
            llm=spec.llm,
            architecture=spec.architecture,
            accelerator=spec.accelerator,
            precision=spec.precision,
            input_tokens=spec.prompt_tokens or 1,
            output_tokens=spec.answer_tokens or 1,
        )
        speed, because = predict_inference_of(serving).figures[0].central, "as many sequences as memory holds"
    hours = rollout_accelerator_hours(
        prompts=spec.prompts,
        samples=spec.samples,
        answer_tokens=spec.answer_tokens,
        tokens_per_second=speed,
        straggling=spec.straggling,
    )
    length = (spec.prompt_tokens or 0) + (spec.answer_tokens or 0)
    steps = (
        step("rollout speed of one accelerator", speed, "Tokens/s", "serving.output_tokens_per_second", because),
        step("rollouts", hours, "GPU-Hours", "post_training.rollout_accelerator_hours"),
        _told(spec, flops),
    )
    return Work(float(flops), (spec.prompts or 0) * spec.samples * length * spec.epochs, hours, steps)


def _told(spec: FineTuningSpec, flops: Number) -> PredictionStep:
    return step("FLOPs", flops, "FLOP", FORMULAS[spec.method])


def _utilisation(spec: FineTuningSpec, case: TrainingCase, work: Work) -> tuple[Interval, tuple[PredictionStep, ...]]:
    """Of the whole run, from the roofline or from what was measured."""
    benchmark = benchmark_utilisation(case)
    ratios = [_ratio(one, case, work) for one in anchors_of(spec.anchors, case)]
    measured = exp(fsum(map(log, ratios)) / len(ratios)) if ratios else 1.0
    experts = case.shape.expert_layers > 0
    whole = (
        TrainingEfficiency().reported if ratios else float(run_factor(accelerators=spec.accelerators, experts=experts))
    )
    spread = anchored_spread(case) if ratios else Spreads().run
    lost = run_factor_step(whole, anchored=bool(ratios))
    steps = (
        step("benchmark utilisation", benchmark, "1", "utilisation.benchmark"),
        step("calibration", measured, "1", None, calibration_said(len(ratios))),
        step(lost.name, lost.value, "1", None if ratios else "utilisation.run_factor", lost.because),
    )
    return utilisation_band(benchmark * measured * whole, spread=spread), steps


def _ratio(anchor: Anchor, case: TrainingCase, work: Work) -> float:
    """Measured over predicted; a speed is worth the operations this method spends on a token."""
    reached = measured_utilisation(anchor)
    if anchor.utilisation is None:
        reached /= _full_over_this(case, work)
    return reached / benchmark_utilisation(anchor.case)


def _full_over_this(case: TrainingCase, work: Work) -> float:
    """Operations of full training per token over those of this method."""
    full = counted_flops_per_token(case.shape, sequence=case.sequence, causal=case.causal)
    return float(full) * work.tokens / work.flops


def _fit(
    llm: LanguageModel, on: Device, spec: FineTuningSpec, layout: Parallelism | None
) -> tuple[MemoryFit, str | None]:
    """Memory by component, and what was assumed for it. Raises Invalid where it cannot fit, naming what would."""
    adapted = spec.method in ADAPTED
    use = _adapter_use(llm, spec) if adapted else _full_use(llm, spec)
    formula_id = "post_training.adapter_memory" if adapted else "memory.training"
    sharded = Parallelism(data=spec.accelerators, zero=3)
    laid = [layout] if layout else [Parallelism(data=spec.accelerators), sharded]
    recompute = Recompute(spec.recompute)
    fits = [(training_fit(on, use, one, recompute, formula_id), one) for one in laid]
    fit, chosen = next(((fit, one) for fit, one in fits if fit.fits), fits[-1])
    if not fit.fits:
        takes = (
            f"{spec.method} takes {fit.total / 1e9:.0f} GB of {fit.memory / 1e9:.0f} GB on each of {spec.accelerators}"
        )
        smaller = "" if adapted else "; lora or qlora take less"
        raise Invalid.field("layout" if layout else "accelerators", f"{takes}; {fit.advice}{smaller}")
    return fit, None if layout else f"layout is not given: {said(chosen, recompute)} is one that fits"


def _full_use(llm: LanguageModel, spec: FineTuningSpec) -> Use:
    def use(layout: Parallelism, recompute: Recompute) -> dict[str, Number]:
        made = training_memory(
            llm, layout=layout, sequence=spec.sequence, micro_batch=spec.micro_batch, recompute=recompute
        )
        kept = by_component(made)
        return {**kept, "reference": made.weights} if spec.method in REFERRED else kept

    return use


def _adapter_use(llm: LanguageModel, spec: FineTuningSpec) -> Use:
    trained = adapter_parameters(llm, rank=spec.rank)

    def use(layout: Parallelism, recompute: Recompute) -> dict[str, Number]:
        made = adapter_memory(
            llm,
            layout=layout,
            trained=trained,
            sequence=spec.sequence,
            micro_batch=spec.micro_batch,
            recompute=recompute,
            weight_bytes=NF4_BYTES if spec.method == "qlora" else 2,
        )
        return {
            "frozen weights": made.frozen_weights,
            "adapters": made.adapters,
            "activations": made.activations,
            "logits": made.logits,
        }

    return use


def _figures(spec: FineTuningSpec, learning: Interval, rollouts: float, reached: Interval) -> list[PredictedFigure]:
    overhead = spec.overhead_hours * spec.accelerators
    generated = interval(rollouts, spread=Spreads().run) if rollouts else Interval(low=0.0, central=0.0, high=0.0)
    once = Interval(
        low=learning.low + float(generated.low) + overhead,
        central=learning.central + float(generated.central) + overhead,
        high=learning.high + float(generated.high) + overhead,
    )
    whole = scaled(once, spec.attempts)
    figures = [
        figure("accelerator-hours", "GPU-Hours", whole),
        figure("wall time", "Hours", scaled(whole, 1 / spec.accelerators)),
        figure("accelerator-hours of learning, once", "GPU-Hours", learning),
    ]
    if rollouts:
        figures.append(figure("accelerator-hours of rollouts, once", "GPU-Hours", generated))
    return [*figures, figure("overhead, once", "GPU-Hours", overhead), figure("utilisation", "1", reached)]


def _warnings(spec: FineTuningSpec, on: Device, told: str | None) -> list[str]:
    warnings = list(on.warnings)
    if told:
        warnings.append(told)
    if spec.attempts == 1:
        warnings.append("one attempt is counted; 3 to 10 are usual, and matter more than any detail of the hours")
    if spec.method == "qlora":
        warnings.append("4-bit weights are unpacked in every pass, which is not in the hours; an anchor would tell")
    if spec.method == "reinforcement":
        warnings.append("rewards by rules and verifiers run elsewhere, and are not in the hours")
    return warnings
