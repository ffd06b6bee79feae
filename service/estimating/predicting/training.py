"""A pre-training run predicted for whoever asks: hours, energy, carbon, memory, and where each figure comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from service.domain.language_model import LanguageModel
from service.domain.prediction import MemoryFit, PredictedFigure, Prediction, PredictionStep
from service.domain.prediction_spec import PowerInput, TrainingAnchor, TrainingSpec
from service.errors import FieldProblem, Invalid
from service.estimating.predicting.limits import (
    LEAST,
    LONGEST_SEQUENCE,
    MOST_ANCHORS,
    refuse,
    require_counts,
    require_positive,
    require_within,
    shown,
)
from service.estimating.predicting.memory import first_that_fits, laid_out, said, training_fit, training_use
from service.estimating.predicting.parts import (
    Device,
    Subject,
    device,
    figure,
    step,
    subject,
    trainer,
    training_constants,
)
from service.estimating.predictions import (
    RUN_FACTOR,
    USUAL_SEQUENCE,
    Anchor,
    PowerDraw,
    TrainingCase,
    TrainingPrediction,
    measured_utilisation,
    predict_training,
    usual_accelerators,
)
from service.formulas.goodput import hours_between_failures
from service.formulas.memory import Parallelism, Recompute
from service.formulas.utilisation import Shape, shape_of, usual_shape

FORMULAS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "FLOPs": "utilisation.counted_flops_per_token",
        "benchmark utilisation": "utilisation.benchmark",
        RUN_FACTOR: "utilisation.run_factor",
    }
)
"""Which formula gives each step; the others are given, assumed or measured."""
LEAST_PERCENT: Final = 5
"""A utilisation of more than 1 from here on is one in percent."""
SHAPE_ASSUMED: Final = "only its size is known: a usual shape is assumed, and memory is not predicted"


NOT_MEASURED: Final = "no measurement is given: one anchor narrows the interval from a factor of 1.6 to one of 1.2"


@dataclass(frozen=True, slots=True)
class Fitted:
    """Memory, and what was assumed for it or is wrong with it."""

    fit: MemoryFit | None
    warning: str | None


def predict_training_of(spec: TrainingSpec) -> Prediction:
    """Predict a run. Raises Invalid naming every impossible field, its limit and the nearest valid choice."""
    _check(spec)
    on = device(spec.accelerator)
    found = _subject(spec)
    layout = laid_out(spec.layout, spec.accelerators)
    case = TrainingCase(
        shape=shape_of(found.llm) if found else _usual(spec),
        tokens=spec.tokens,
        hardware=trainer(on, spec.precision),
        accelerators=int(layout.accelerators) if layout else spec.accelerators,
        sequence=spec.sequence,
        power=_power(spec.power, on),
    )
    made = predict_training(case, anchors=anchors_of(spec.anchors, case))
    fleet = case.accelerators or usual_accelerators(case)
    fitted = _fit(found.llm, on, spec, layout, int(fleet)) if found else Fitted(None, SHAPE_ASSUMED)
    return Prediction(
        kind="training",
        llm=found.name if found else f"{spec.active_parameters:.3g} parameters",
        accelerator=on.part.id,
        figures=tuple(_figures(made)),
        steps=(*_steps(made), *_interruptions(int(fleet)), *_power_steps(case.power)),
        facts=(
            *(found.facts if found else ()),
            *on.facts(spec.precision, "bf16", "bandwidth", "link", "tdp"),
            *training_constants(case.hardware.generation),
        ),
        memory=fitted.fit,
        warnings=tuple(_warnings(spec, on, found, fitted)),
    )


def anchors_of(given: Sequence[TrainingAnchor], case: TrainingCase) -> tuple[Anchor, ...]:
    """The measured points on the case they were measured on. Raises Invalid naming the one that cannot be."""
    require_within({"anchors": (len(given), 0, MOST_ANCHORS)})
    found = []
    for number, one in enumerate(given):
        _check_anchor(f"anchors.{number}", one)
        measured = Anchor(
            case=replace(
                case,
                accelerators=one.accelerators or case.accelerators,
                sequence=one.sequence or case.sequence,
            ),
            utilisation=one.utilisation,
            tokens_per_second=one.tokens_per_second,
            step_seconds=one.step_seconds,
            tokens_per_step=one.tokens_per_step,
            whole_run=one.whole_run,
        )
        try:
            measured_utilisation(measured)
        except Invalid as problem:
            refuse(FieldProblem(f"anchors.{number}", slip.message) for slip in problem.problems)
            raise
        found.append(measured)
    return tuple(found)


def _check_anchor(where: str, one: TrainingAnchor) -> None:
    """Raise Invalid naming every number of a measured point that cannot be."""
    if one.utilisation is not None:
        refuse(_not_a_share(f"{where}.utilisation", one.utilisation))
    names = ("tokens_per_second", "step_seconds", "tokens_per_step")
    require_positive({f"{where}.{name}": getattr(one, name) for name in names})
    require_counts({f"{where}.accelerators": one.accelerators})
    require_within({f"{where}.sequence": (one.sequence, 1, LONGEST_SEQUENCE)})


def _check(spec: TrainingSpec) -> None:
    require_positive({name: getattr(spec, name) for name in ("tokens", "active_parameters", "total_parameters")})
    require_counts({name: getattr(spec, name) for name in ("accelerators", "micro_batch")})
    require_within(
        {"sequence": (spec.sequence, 1, LONGEST_SEQUENCE), "experts_per_token": (spec.experts_per_token, 0, 1024)}
    )


def _subject(spec: TrainingSpec) -> Subject | None:
    """The model, or None where only its size is given."""
    if spec.active_parameters is None:
        return subject(spec.llm, spec.architecture)
    if spec.llm is not None or spec.architecture is not None:
        raise Invalid.field("active_parameters", "follow from llm or architecture; leave this out")
    if spec.total_parameters is not None and spec.total_parameters < spec.active_parameters:
        raise Invalid.field("total_parameters", f"must be at least the active {spec.active_parameters:g}")
    return None


def _usual(spec: TrainingSpec) -> Shape:
    return usual_shape(
        active_parameters=spec.active_parameters,
        total_parameters=spec.total_parameters,
        experts=spec.experts_per_token,
    )


def _power(given: PowerInput | None, on: Device) -> PowerDraw | None:
    """The draw as given, of the registry where the full load is not; None where neither is known."""
    asked = given or PowerInput()
    require_positive({"power.full_load_watts": asked.full_load_watts})
    require_within(
        {
            "power.load": (asked.load, 0, 1),
            "power.server_factor": (asked.server_factor, 1, 10),
            "power.pue": (asked.pue, 1, 10),
            "power.carbon_kg_per_kwh": (asked.carbon_kg_per_kwh, 0, 10),
        }
    )
    watts = asked.full_load_watts or on.part.tdp
    if watts is None and given is not None:
        raise Invalid.field("power.full_load_watts", f"is missing; the registry does not know that of {on.part.id}")
    if watts is None:
        return None
    return PowerDraw(
        full_load_kw=watts / 1000,
        load=asked.load,
        server_factor=asked.server_factor,
        pue=asked.pue,
        carbon_kg_per_kwh=asked.carbon_kg_per_kwh,
    )


def _fit(llm: LanguageModel, on: Device, spec: TrainingSpec, layout: Parallelism | None, fleet: int) -> Fitted:
    """Memory under the layout, or under one that fits. Raises Invalid where none does on so many accelerators."""
    use = training_use(llm, spec.sequence or USUAL_SEQUENCE, spec.micro_batch)
    asked = Recompute(spec.recompute)
    chosen, recompute = (layout, asked) if layout else first_that_fits(on, use, fleet, asked)
    fit = training_fit(on, use, chosen, recompute)
    if fit.fits:
        told = f"layout is not given: {said(chosen, recompute)} is one that fits"
        return Fitted(fit, None if layout else told)
    if not training_fit(on, use, chosen, Recompute.FULL).fits:
        takes = f"{fit.total / 1e9:.0f} GB of {fit.memory / 1e9:.0f} GB are taken on each of {fleet}"
        raise Invalid.field("layout" if layout else "accelerators", f"{takes}; {fit.advice}")
    return Fitted(fit, f"with recompute {spec.recompute} it does not fit; {fit.advice}")


def _figures(made: TrainingPrediction) -> list[PredictedFigure]:
    figures = [
        figure("accelerator-hours", "GPU-Hours", made.accelerator_hours),
        figure("wall time", "Hours", made.wall_hours),
        figure("utilisation", "1", made.utilisation),
    ]
    if made.energy_kwh:
        figures.append(figure("energy", "kWh", made.energy_kwh))
    if made.carbon_kg:
        figures.append(figure("carbon", "kg", made.carbon_kg))
    return figures


def _steps(made: TrainingPrediction) -> list[PredictionStep]:
    steps = [step(one.name, one.value, one.unit, FORMULAS.get(one.name), one.because) for one in made.steps]
    central = made.accelerator_hours.central
    return [*steps, step("accelerator-hours", central, "GPU-Hours", "flops.accelerator_hours")]


def _interruptions(fleet: int) -> list[PredictionStep]:
    hours = hours_between_failures(accelerators=fleet)
    because = "already inside the run factor"
    return [step("hours between failures", hours, "Hours", "goodput.hours_between_failures", because)]


def _power_steps(power: PowerDraw | None) -> list[PredictionStep]:
    if power is None:
        return []
    because = "draw of one accelerator at full load"
    drawn = power.full_load_kw * power.load * power.server_factor * power.pue
    return [
        step("full load", power.full_load_kw, "kW", None, because),
        step("energy of an accelerator-hour", drawn, "kWh", "training.energy", "load × server factor × PUE"),
    ]


def _warnings(spec: TrainingSpec, on: Device, found: Subject | None, fitted: Fitted) -> list[str]:
    warnings = list(on.warnings)
    if fitted.warning:
        warnings.append(fitted.warning)
    if spec.sequence is None:
        warnings.append(f"sequence is not given: {USUAL_SEQUENCE} tokens are assumed")
    if found and spec.sequence and found.llm.context and spec.sequence > found.llm.context:
        warnings.append(f"sequence is longer than the context of {found.name}, {found.llm.context} tokens")
    if spec.accelerators is None and spec.layout is None:
        warnings.append("accelerators are not given: as many as finish in about a month are assumed")
    if not spec.anchors:
        warnings.append(NOT_MEASURED)
    return warnings


def _not_a_share(field: str, value: float) -> list[FieldProblem]:
    if LEAST <= value <= 1:
        return []
    percent = LEAST_PERCENT <= value <= 100
    nearest = f"; {value:g} % is {value / 100:g}" if percent else "; the nearest is 1" if value > 1 else ""
    return [FieldProblem(field, f"must be above 0 and at most 1, of the dense peak, not {shown(value)}{nearest}")]
