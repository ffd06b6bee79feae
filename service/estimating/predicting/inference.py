"""A service predicted for whoever asks: speed over batch, quantities per million tokens, the fleet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.domain.prediction import MemoryFit, PredictedFigure, Prediction, PredictionStep, ServingPoint, UsedFact
from service.domain.prediction_spec import InferenceSpec
from service.errors import FieldProblem, Invalid
from service.estimating.predicting.anchoring import Anchoring, anchoring
from service.estimating.predicting.fleets import fleet_figures, fleet_steps
from service.estimating.predicting.limits import (
    LONGEST_SEQUENCE,
    refuse,
    require_counts,
    require_positive,
    require_within,
)
from service.estimating.predicting.memory import serving_fit
from service.estimating.predicting.parts import Device, device, figure, scaled, step, subject
from service.estimating.predicting.replicas import fewest, held, lower_precision_told, replica_of
from service.estimating.serving_calibration import SPREAD, Load, seconds_of
from service.formulas.architecture import kv_cache_bytes
from service.formulas.serving import Efficiency, Replica, decode_seconds, prefill_seconds
from service.formulas.serving_economics import (
    batch_within,
    cached_accelerator_hours,
    input_accelerator_hours,
    output_accelerator_hours,
    seconds_per_request,
    seconds_to_first_token,
)
from service.formulas.training_efficiency import CONSTANTS, READ_ON
from service.formulas.utilisation import Interval, interval

MS: Final = 1000
MEASURED: Final = "InferenceX measurements redistributed in https://github.com/ai-dynamo/aiconfigurator (Apache-2.0)"
TRAFFIC: Final = next(one for one in CONSTANTS if one.name == "traffic_bytes")
"""Of both passes of training; a third of it is the forward pass."""
MEASURED_ON: Final = "2026-10"
NO_QUEUE: Final = "the time to the first token is a lower bound: a queue is not in it, and decides in practice"


@dataclass(frozen=True, slots=True)
class Served:
    """A copy at work: what was asked of it, and what measurements say of it."""

    spec: InferenceSpec
    replica: Replica
    """With its constants as measured, where anything was."""
    anchoring: Anchoring | None

    @property
    def prompt(self) -> float:
        """Cached or not [tokens]."""
        return self.spec.input_tokens + self.spec.cached_tokens

    def per_token(self, batch: float) -> float:
        """Time per output token [s]."""
        return float(seconds_of(self.replica, [self.load(batch)])[0])

    def load(self, batch: float) -> Load:
        """What is asked of it at once."""
        spec = self.spec
        return Load(
            batch=batch,
            input_tokens=spec.input_tokens,
            output_tokens=spec.output_tokens,
            cached_tokens=spec.cached_tokens,
        )

    def spread(self, batch: float) -> float:
        """Standard deviation of the logarithm of measured over predicted time."""
        return self.anchoring.spread(self.load(batch)) if self.anchoring else SPREAD

    def first_token(self, batch: float) -> float:
        """Least time to the first token [s]."""
        asked = {"input_tokens": self.spec.input_tokens, "cached_tokens": self.spec.cached_tokens}
        return float(seconds_to_first_token(self.replica, batch=batch, **asked))

    def occupation(self, batch: float) -> float:
        """How long a request occupies the copy [s]."""
        asked = {"input_tokens": self.spec.input_tokens, "cached_tokens": self.spec.cached_tokens}
        time = seconds_per_request(self.replica, batch=batch, output_tokens=self.spec.output_tokens, **asked)
        return float(time)

    def written(self, batch: float) -> float:
        """Accelerator-hours per million output tokens."""
        hours = output_accelerator_hours(
            self.replica, batch=batch, input_tokens=self.prompt, output_tokens=self.spec.output_tokens
        )
        return float(hours)


def predict_inference_of(spec: InferenceSpec) -> Prediction:
    """Predict a service. Raises Invalid naming every impossible field, its limit and the nearest valid choice."""
    _check(spec)
    found, on = subject(spec.llm, spec.architecture), device(spec.accelerator)
    context = spec.input_tokens + spec.cached_tokens + spec.output_tokens / 2
    many = spec.accelerators or fewest(found.llm, on, spec.precision, spec.kv_precision, context=context)
    replica = replica_of(found.llm, on, many, spec.precision, spec.kv_precision)
    most = held(replica, on, context=context, precision=spec.precision)
    found_of = anchoring(spec, replica)
    one = Served(spec, found_of.replica if found_of else replica, found_of)
    allowed = _allowed(one, most)
    batch = _batch(spec, most, allowed)
    return Prediction(
        kind="inference",
        llm=found.name,
        accelerator=on.part.id,
        figures=tuple(_figures(one, batch)),
        steps=tuple(_steps(one, batch, most, allowed)),
        facts=(*found.facts, *on.facts(spec.precision, "bf16", "bandwidth", "link"), *_constants(replica.efficiency)),
        memory=_memory(one, on, batch, context),
        warnings=tuple(_warnings(one, on, batch, allowed)),
        curve=tuple(_point(one, at, allowed) for at in _batches(most, batch, allowed)),
    )


def _check(spec: InferenceSpec) -> None:
    require_positive({"input_tokens": spec.input_tokens}, most=LONGEST_SEQUENCE)
    require_positive({name: getattr(spec, name) for name in ("time_per_output_token_ms", "time_to_first_token_ms")})
    require_counts({name: getattr(spec, name) for name in ("accelerators", "concurrency")})
    require_within(
        {
            "cached_tokens": (spec.cached_tokens, 0, LONGEST_SEQUENCE),
            "output_tokens": (spec.output_tokens, 1, LONGEST_SEQUENCE),
        }
    )
    if (traffic := spec.traffic) is not None:
        asked = {"traffic.users": traffic.users, "traffic.queries_per_user_per_day": traffic.queries_per_user_per_day}
        require_positive(asked)
        require_counts({"traffic.minimum_replicas": traffic.minimum_replicas})
        require_within(
            {
                "traffic.peak_factor": (traffic.peak_factor, 1, 1000),
                "traffic.utilisation": (traffic.utilisation, 0.01, 1),
                "traffic.headroom": (traffic.headroom, 0, 10),
            }
        )


def _allowed(one: Served, most: int) -> int:
    """The largest batch within memory and the limits on latency. Raises Invalid where not even one request is."""
    spec, allowed = one.spec, most
    if spec.time_per_output_token_ms is not None:
        limit = spec.time_per_output_token_ms / MS
        asked = {name: getattr(spec, name) for name in ("input_tokens", "output_tokens", "cached_tokens")}
        allowed = int(batch_within(one.replica, most=most, seconds_per_token=limit, **asked))
        if allowed < 1:
            raise Invalid.field("time_per_output_token_ms", _too_fast(spec.time_per_output_token_ms, one.per_token(1)))
    if spec.time_to_first_token_ms is not None:
        if one.first_token(1) * MS > spec.time_to_first_token_ms:
            raise Invalid.field("time_to_first_token_ms", _too_fast(spec.time_to_first_token_ms, one.first_token(1)))
        allowed = _largest(one, allowed, spec.time_to_first_token_ms / MS)
    return allowed


def _largest(one: Served, most: int, seconds: float) -> int:
    """By halving: the first token comes later the larger the batch."""
    low, high = 1, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one.first_token(middle) <= seconds else (low, middle - 1)
    return low


def _too_fast(limit: float, least: float) -> str:
    return f"{limit:g} is less than a single request takes; the nearest is {least * MS:.3g}, or more accelerators"


def _batch(spec: InferenceSpec, most: int, allowed: int) -> int:
    if spec.concurrency is not None and spec.concurrency > most:
        limit = f"must be at most {most}, as many as fit into memory"
        refuse([FieldProblem("concurrency", f"{limit}; not {spec.concurrency}")])
    return spec.concurrency or allowed


def _memory(one: Served, on: Device, batch: int, context: float) -> MemoryFit:
    """Weights and caches, every sequence at its mean length."""
    return serving_fit(
        one.replica, on, sequence=context, concurrency=batch, kept=(one.spec.precision, one.spec.kv_precision)
    )


def _figures(one: Served, batch: int) -> list[PredictedFigure]:
    spread, many = one.spread(batch), float(one.replica.accelerators)

    def band(value: float) -> Interval:
        return interval(value, spread=spread)

    speed = batch / one.per_token(batch)
    read = float(input_accelerator_hours(one.replica, input_tokens=one.spec.input_tokens))
    restored = float(cached_accelerator_hours(one.replica))
    occupied = band(one.occupation(batch))
    figures = [
        figure("output tokens per second and accelerator", "Tokens/s", band(speed / many)),
        figure("output tokens per second and replica", "Tokens/s", band(speed)),
        figure("time per output token", "ms", band(one.per_token(batch) * MS)),
        figure("least time to the first token", "ms", one.first_token(batch) * MS),
        figure("accelerator-hours per million input tokens", "GPU-Hours/1000000 Tokens", band(read)),
        figure("accelerator-hours per million cached tokens", "GPU-Hours/1000000 Tokens", band(restored)),
        figure("accelerator-hours per million output tokens", "GPU-Hours/1000000 Tokens", band(one.written(batch))),
        figure("accelerator-seconds per query", "s", scaled(occupied, many)),
    ]
    if one.spec.traffic is not None:
        figures += fleet_figures(one.spec.traffic, occupied, many)
    return figures


def _steps(one: Served, batch: int, most: int, allowed: int) -> list[PredictionStep]:
    spec, replica = one.spec, one.replica
    context = one.prompt + spec.output_tokens / 2
    cache = kv_cache_bytes(replica.llm, tokens=context, bytes_per_element=replica.kv_bytes)
    given = "as given" if spec.accelerators else "as few as hold a copy and one sequence"
    steps = [
        step("accelerators of a replica", replica.accelerators, "GPUs", None, given),
        step("cache of a sequence", cache, "bytes", "architecture.kv_cache_bytes", "at its mean context"),
        step("sequences that fit", most, "1", "serving.largest_batch", "at their mean context"),
        step("sequences within the latency", allowed, "1", "serving.batch_within"),
        step(
            "sequences served at once", batch, "1", None, "as given" if spec.concurrency else "as many as are allowed"
        ),
        step("prefill", prefill_seconds(replica, tokens=spec.input_tokens), "s", "serving.prefill_seconds"),
        step("decode step", decode_seconds(replica, batch=batch, context=context), "s", "serving.decode_seconds"),
        step("time per output token", one.per_token(batch), "s", "serving.seconds_per_output_token"),
        step("occupation by a request", one.occupation(batch), "s", "serving.seconds_per_request"),
    ]
    if one.anchoring is not None:
        steps = [*one.anchoring.steps, *steps]
    if spec.traffic is not None:
        steps += fleet_steps(spec.traffic, one.occupation(batch))
    return steps


def _batches(most: int, *chosen: int) -> Sequence[int]:
    powers = [2**power for power in range(most.bit_length())]
    return sorted({*(one for one in powers if one <= most), most, *chosen})


def _point(one: Served, batch: int, allowed: int) -> ServingPoint:
    time = one.per_token(batch)
    return ServingPoint(
        batch=batch,
        output_tokens_per_second=batch / time / float(one.replica.accelerators),
        time_per_output_token_ms=time * MS,
        time_to_first_token_ms=one.first_token(batch) * MS,
        output_accelerator_hours=one.written(batch),
        within_limits=batch <= allowed,
    )


def _constants(efficiency: Efficiency) -> list[UsedFact]:
    units = {"layer_seconds": "s", "allreduce_seconds": "s"}
    fitted = [
        UsedFact(
            name=name,
            value=getattr(efficiency, name),
            unit=units.get(name, "1"),
            source=MEASURED,
            read_on=MEASURED_ON,
        )
        for name in ("memory", "compute", "prefill", "link", "layer_seconds", "allreduce_seconds")
    ]
    traffic = UsedFact(
        name="traffic_bytes",
        value=efficiency.traffic_bytes,
        unit="bytes",
        source=TRAFFIC.source,
        read_on=READ_ON.isoformat(),
    )
    return [*fitted, traffic]


def _warnings(one: Served, on: Device, batch: int, allowed: int) -> list[str]:
    spec = one.spec
    warnings = [*on.warnings, *lower_precision_told(on, spec.precision), NO_QUEUE]
    if batch > allowed:
        warnings.append(f"{batch} sequences at once miss the latency asked for; at most {allowed} keep it")
    if spec.engine and not spec.anchors:
        warnings.append(f"the constants are those of several engines together, not of {spec.engine[:60]} alone")
    longest = one.replica.llm.context
    if longest and one.prompt + spec.output_tokens > longest:
        warnings.append(f"prompt and answer are longer than the context of {one.replica.llm.name}, {longest} tokens")
    if spec.kv_precision == "fp4":
        warnings.append("a cache in 4 bits has not been measured here")
    return warnings
