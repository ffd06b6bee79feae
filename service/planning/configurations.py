"""The ways an accelerator can do the work of a goal: how many of them, in which format, for how long.

Every figure is a prediction of the formula core. What a prediction refuses is no configuration, and why
is kept: the memory it would have taken, a latency that cannot be met, hardware nothing is known of.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from math import log, nan
from typing import Any, Final, Literal

from service.domain.goal import BatchInferenceWork, FineTuningWork, Goal, GpuHoursWork, PretrainingWork, ServingWork
from service.domain.prediction import PredictedFigure, Prediction, ServingPoint
from service.domain.prediction_spec import FineTuningSpec, InferenceSpec, TrainingSpec
from service.errors import Invalid
from service.estimating.predicting.fine_tuning import predict_fine_tuning_of
from service.estimating.predicting.inference import predict_inference_of
from service.estimating.predicting.memory import layout_of, said
from service.estimating.predicting.parts import device
from service.estimating.predicting.training import predict_training_of
from service.estimating.predictions import PowerDraw
from service.formulas.memory import Recompute
from service.planning.layouts import sharing

Shape = Literal["gang", "independent", "service"]
"""One run on all GPUs at once; replicas that share a pile of work; replicas that stand ready for a time."""
UPPER_DECILE: Final = 1.2815515655446004
"""Of the standard normal distribution: intervals hold four times out of five."""
SERVER: Final = 8
MACHINES: Final = {"nvidia-gb200": 4, "nvidia-gb300": 4, "google-tpu": 1}
"""Accelerators in one machine where the scale-up link leaves it; elsewhere those of a server."""
WIDEST: Final = 16_384
"""GPUs of the widest fleet looked at beyond what a goal allows, to say what it keeps out: that of the widest
published run, Llama 3.1 405B, arXiv:2407.21783, as of 2026-11-28."""
REPLICAS: Final = tuple(2**power for power in range(13))
WIDTHS: Final = (1, 2, 4, 8, 16)
"""Accelerators of one copy that serves."""
SECONDS_PER_HOUR: Final = 3600
STORED: Final = ("fp8", "fp4")
"""Formats of weights that are not served from hardware known to have no 8-bit floating-point units: nobody measured
it. In 4 bits without 4-bit units, beside 8-bit ones, an H100 is measured: gpt-oss-120b of InferenceX, 2026-03-27."""
LAID: Final = "layout is not given: "
"""How a prediction begins to say which layout it found."""
WORDS: Final = ("accelerator", "precision", "memory", "latency")
"""Why an accelerator has no configuration, the later the nearer it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One way to do the work on one accelerator."""

    accelerator: str
    """Id in the registry."""
    gpus: int
    """Of the run, or of one replica."""
    together: int
    """GPUs that have to sit in one machine."""
    carries: float = 0.0
    """Of a service: what one replica may be given at the peak [output tokens/s]."""
    replicas: float = 1.0
    """That share the work; of a service those that would be just full, not a whole number."""
    hours: float
    """Without interruptions by a provider: the central prediction."""
    batch: float = 0.0
    """The least a step has to train on, in the words of the goal: tokens, or sequences of fine-tuning."""
    spread: float = 0.0
    """Standard deviation of the logarithm of the hours, or of the replicas of a service."""
    power_kw: float = nan
    """Of one GPU with its share of server and building; not a number where it is not known."""
    precision: str = ""
    words: str = ""
    """How it is laid out, for people."""
    token_ms: float = nan
    """Time per output token, where it is one of `batched` [ms]."""
    first_token_ms: float = nan
    """Least time to the first one, likewise [ms]."""

    @property
    def order(self) -> tuple[object, ...]:
        """By which two that cost the same are told apart."""
        return (self.accelerator, self.precision, self.gpus, self.replicas)


@dataclass(frozen=True, slots=True)
class Configured:
    """What can be done on each accelerator, and why nothing can on others."""

    shape: Shape
    configurations: tuple[Configuration, ...]
    refused: dict[str, tuple[str, str]]
    """By accelerator: one of `WORDS`, and the sentence of the prediction."""


def configured(goal: Goal, accelerators: Iterable[str]) -> Configured:
    """Every configuration of a goal on these accelerators. Raises Invalid where the work itself cannot be meant."""
    ways, shape = _ways(goal)
    return _configured(ways, shape, accelerators)


def batched(work: ServingWork, accelerators: Iterable[str]) -> Configured:
    """A service whatever its latency: each replica at every batch the predictions tell of, with the times it has."""
    return _configured(partial(_batched, work), "service", accelerators)


def _configured(ways: "Ways", shape: Shape, accelerators: Iterable[str]) -> Configured:
    found: list[Configuration] = []
    refused: dict[str, tuple[str, str]] = {}
    for accelerator in sorted(set(accelerators)):
        made, problems = _tried(ways(accelerator))
        found += [replace(one, accelerator=accelerator) for one in made]
        if not made and problems:
            refused[accelerator] = max(problems, key=lambda one: WORDS.index(one[0]))
    return Configured(shape, tuple(sorted(found, key=lambda one: one.order)), refused)


Attempt = Callable[[], Iterable[Configuration]]
Ways = Callable[[str], Iterator[Attempt]]


def _tried(attempts: Iterator[Attempt]) -> tuple[list[Configuration], list[tuple[str, str]]]:
    made: list[Configuration] = []
    problems = []
    for attempt in attempts:
        try:
            made += attempt()
        except Invalid as error:
            problem = error.problems[0]
            word = _word(problem.field)
            if word is None:
                raise
            problems.append((word, problem.message))
    return made, problems


def _word(field: str) -> str | None:
    """Which constraint a prediction refused for; None where the question is wrong, whatever the accelerator."""
    if field.startswith("time_"):
        return "latency"
    words = {"accelerator": "accelerator", "precision": "precision", "accelerators": "memory", "layout": "memory"}
    return words.get(field)


def _ways(goal: Goal) -> tuple[Ways, Shape]:
    if goal.pretraining is not None:
        return partial(_pretraining, goal.pretraining, goal.most_gpus), "gang"
    if goal.fine_tuning is not None:
        return partial(_fine_tuning, goal.fine_tuning, goal.most_gpus), "gang"
    if goal.batch_inference is not None:
        return partial(_batch, goal.batch_inference, goal.most_gpus), "independent"
    if goal.serving is not None:
        return partial(_serving, goal.serving), "service"
    if goal.gpu_hours is not None:
        return partial(_hours, goal.gpu_hours), "gang"
    raise Invalid.field("goal", "has no work")


def _pretraining(work: PretrainingWork, most: int, accelerator: str) -> Iterator[Attempt]:
    shared = sharing(work.llm, work.architecture, work.sequence, work.active_parameters)
    sequences = int(work.batch_tokens // work.sequence)
    for precision, gpus in product(work.precisions, fleets(max(most, WIDEST))):
        spec = TrainingSpec(
            llm=work.llm,
            architecture=work.architecture,
            active_parameters=work.active_parameters,
            accelerator=accelerator,
            accelerators=gpus,
            precision=precision,
            tokens=work.tokens,
            sequence=work.sequence,
            layout=None if work.active_parameters else shared.layout(gpus, sequences),
        )
        needed = float(shared.sequences(gpus) * work.sequence)
        yield partial(_gang, predict_training_of, spec, gpus, needed)


def _fine_tuning(work: FineTuningWork, most: int, accelerator: str) -> Iterator[Attempt]:
    shared = sharing(work.llm, work.architecture, work.sequence)
    for gpus in fleets(max(most, WIDEST)):
        spec = FineTuningSpec(
            method=work.method,
            llm=work.llm,
            architecture=work.architecture,
            accelerator=accelerator,
            accelerators=gpus,
            tokens=work.tokens,
            epochs=work.epochs,
            sequence=work.sequence,
            rank=work.rank,
            packing=work.packing,
            overhead_hours=work.overhead_hours,
            layout=shared.layout(gpus, work.batch_sequences),
        )
        yield partial(_gang, predict_fine_tuning_of, spec, gpus, float(shared.sequences(gpus)))


def _batch(work: BatchInferenceWork, most: int, accelerator: str) -> Iterator[Attempt]:
    for spec in _copies(work, accelerator):
        yield partial(_shared, work, most, spec)


def _serving(work: ServingWork, accelerator: str) -> Iterator[Attempt]:
    limits = (work.time_per_output_token_ms, work.time_to_first_token_ms)
    for spec in _copies(work, accelerator):
        limited = replace(spec, time_per_output_token_ms=limits[0], time_to_first_token_ms=limits[1])
        yield partial(_standing, work, limited)


def _batched(work: ServingWork, accelerator: str) -> Iterator[Attempt]:
    for spec in _copies(work, accelerator):
        yield partial(_at_batches, work, spec)


def _hours(work: GpuHoursWork, accelerator: str) -> Iterator[Attempt]:
    made = Configuration(
        accelerator=accelerator,
        gpus=work.gpus,
        together=work.together,
        hours=work.hours,
        power_kw=_power(accelerator),
        words="as asked",
    )
    yield lambda: [made]


def _copies(work: BatchInferenceWork | ServingWork, accelerator: str) -> Iterator[InferenceSpec]:
    for precision, gpus in product(work.precisions, WIDTHS):
        yield InferenceSpec(
            llm=work.llm,
            architecture=work.architecture,
            accelerator=accelerator,
            accelerators=gpus,
            precision=precision,
            kv_precision=work.kv_precision,
            input_tokens=work.input_tokens,
            output_tokens=work.output_tokens,
        )


def _gang(predict: Callable[[Any], Prediction], spec: Any, gpus: int, batch: float) -> Iterator[Configuration]:
    made, words = _laid(predict, spec)
    wall = _figure(made, "wall time")
    yield Configuration(
        accelerator=made.accelerator,
        gpus=gpus,
        together=machine(made.accelerator, gpus),
        batch=batch,
        hours=wall.central,
        spread=log((wall.high or wall.central) / wall.central) / UPPER_DECILE,
        power_kw=_power(made.accelerator),
        precision=spec.precision,
        words=words,
    )


def _laid(predict: Callable[[Any], Prediction], spec: Any) -> tuple[Prediction, str]:
    """The prediction, and the layout it is of in words; where one is given, with as little recomputed as fits."""
    if spec.layout is None:
        made = predict(spec)
        laid = next((one for one in made.warnings if one.startswith(LAID)), "")
        return made, laid.removeprefix(LAID).removesuffix(" is one that fits")
    made = predict(spec)
    if made.memory is not None and not made.memory.fits:
        spec = replace(spec, recompute=Recompute.FULL.value)
        made = predict(spec)
    return made, said(layout_of(spec.layout), Recompute(spec.recompute))


def _shared(work: BatchInferenceWork, most: int, spec: InferenceSpec) -> Iterator[Configuration]:
    one = _replica(spec)
    hours = work.requests * work.output_tokens / (one.speed * SECONDS_PER_HOUR)
    for many in REPLICAS:
        if one.way.gpus * many <= max(most, WIDEST):
            yield replace(one.way, replicas=many, hours=work.start_hours + hours / many)


def _standing(work: ServingWork, spec: InferenceSpec) -> Iterator[Configuration]:
    one = _replica(spec)
    yield _ready(work, one.way, one.speed)


def _at_batches(work: ServingWork, spec: InferenceSpec) -> Iterator[Configuration]:
    one = _replica(spec)
    for point in one.curve:
        made = _ready(work, one.way, point.output_tokens_per_second * one.way.gpus)
        token_ms, first_token_ms = point.time_per_output_token_ms, point.time_to_first_token_ms
        yield replace(made, token_ms=token_ms, first_token_ms=first_token_ms)


def _ready(work: ServingWork, way: Configuration, speed: float) -> Configuration:
    """Replicas of so many output tokens a second, as many as the peak takes."""
    carries = speed * work.utilisation
    replicas = max(work.output_tokens_per_second / carries, work.minimum_replicas)
    return replace(way, carries=carries, replicas=replicas, hours=work.hours)


@dataclass(frozen=True, slots=True)
class _Replica:
    speed: float
    """Output tokens a second."""
    way: Configuration
    curve: tuple[ServingPoint, ...]


def _replica(spec: InferenceSpec) -> _Replica:
    computed = computed_in(spec.accelerator, spec.precision)
    made = predict_inference_of(spec)
    speed = _figure(made, "output tokens per second and replica")
    gpus = spec.accelerators or 1
    way = Configuration(
        accelerator=made.accelerator,
        gpus=gpus,
        together=gpus,
        hours=0.0,
        spread=log(speed.central / (speed.low or speed.central)) / UPPER_DECILE,
        power_kw=_power(made.accelerator),
        precision=spec.precision,
        words=f"{computed}replicas of {gpus}, {speed.central:.0f} output tokens a second each",
    )
    return _Replica(speed.central, way, made.curve)


def fleets(most: int) -> list[int]:
    """Sizes of a fleet to consider: up to a server each power of two, then servers in steps of a half at most.

    >>> fleets(64)
    [1, 2, 4, 8, 16, 24, 32, 48, 64]
    """
    servers = sorted({size for power in range(15) for size in (2**power, 3 * 2**power)})
    return [size for size in (1, 2, 4, *(SERVER * one for one in servers)) if size <= most]


def computed_in(accelerator: str, precision: str) -> str:
    """What weights of a format are computed in, in words to put first; empty where that is the format itself.

    Raises Invalid for a format that the accelerator is known not to compute in, and nobody has measured it with.

    >>> computed_in("nvidia-h100-sxm-80gb", "fp8"), computed_in("nvidia-h100-sxm-80gb", "fp4")
    ('', 'weights alone, computed in 16 bits, ')
    """
    on = device(accelerator)
    lacking = on.known.unsupported if on.known else frozenset()
    if precision in STORED and "fp8" in lacking:
        told = f"{on.part.id} has no 8-bit floating-point units, and nothing measured says how it serves {precision}"
        raise Invalid.field("precision", f"{told}; bf16 or int8 weights would do")
    if precision in ("bf16", "fp16"):
        return f"computed in {'fp16' if precision == 'bf16' else 'bf16'}, " if precision in lacking else ""
    return "" if precision in on.part.peaks else "weights alone, computed in 16 bits, "


def machine(accelerator: str, gpus: int) -> int:
    """Of so many GPUs that work as one, those that have to sit in one machine.

    >>> machine("nvidia-h100-sxm-80gb", 64), machine("nvidia-h100-sxm-80gb", 2)
    (8, 2)
    """
    of_one = next((size for start, size in MACHINES.items() if accelerator.startswith(start)), SERVER)
    return min(gpus, of_one)


def _figure(made: Prediction, name: str) -> PredictedFigure:
    return next(one for one in made.figures if one.name == name)


def _power(accelerator: str) -> float:
    """Of one GPU at work with its share of everything around it [kW]."""
    try:
        on = device(accelerator)
    except Invalid:
        return nan
    if on.part.tdp is None:
        return nan
    draw = PowerDraw(full_load_kw=on.part.tdp / 1000)
    return draw.full_load_kw * draw.load * draw.server_factor * draw.pue
