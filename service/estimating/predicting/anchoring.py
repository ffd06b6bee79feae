"""A service predicted from what was measured of it: which points there are, what they move, how sure that makes it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from service.domain.prediction import PredictionStep
from service.domain.prediction_spec import InferenceSpec, ServingAnchor
from service.errors import FieldProblem, Invalid
from service.estimating.predicting.limits import MOST_ANCHORS, refuse, require_counts, require_positive, require_within
from service.estimating.predicting.parts import step
from service.estimating.serving_calibration import (
    EXPECTATIONS,
    Calibration,
    Load,
    MeasuredLoad,
    calibrated,
    seconds_of,
    spread_at,
)
from service.formulas.serving import Efficiency, Replica, decode_seconds

MS: Final = 1000
IDEAL: Final = Efficiency(memory=1, compute=1, prefill=1, link=1, layer_seconds=0, allreduce_seconds=0, traffic_bytes=0)
BEYOND: Final = 3
"""Several tokens a step, guessed ahead and confirmed, are beyond the roofline of one; nothing is this much."""
IN_SECONDS: Final = ("layer_seconds", "allreduce_seconds")


@dataclass(frozen=True, slots=True)
class Anchoring:
    """A copy as measured."""

    replica: Replica
    """With its constants as the measurements leave them."""
    calibration: Calibration
    steps: tuple[PredictionStep, ...]

    def spread(self, load: Load) -> float:
        """Standard deviation of the logarithm of measured over predicted time under a load."""
        return spread_at(self.calibration, self.replica, load)


def anchoring(spec: InferenceSpec, replica: Replica) -> Anchoring | None:
    """What the measured points of a spec say; None where it has none. Raises Invalid naming the one that cannot be."""
    if not spec.anchors:
        return None
    require_within({"anchors": (len(spec.anchors), 0, MOST_ANCHORS)})
    points = [_point(number, one, spec, replica) for number, one in enumerate(spec.anchors)]
    found = calibrated(replica, points)
    moved = replace(replica, efficiency=found.efficiency)
    steps = (*_moved(replica, moved, len(points)), *_compared(points, replica, moved))
    return Anchoring(moved, found, steps)


def _point(number: int, anchor: ServingAnchor, spec: InferenceSpec, replica: Replica) -> MeasuredLoad:
    where = f"anchors.{number}"
    if (anchor.tokens_per_second is None) == (anchor.time_per_output_token_ms is None):
        raise Invalid.field(where, "give exactly one of tokens_per_second, time_per_output_token_ms")
    names = ("tokens_per_second", "time_per_output_token_ms", "input_tokens", "output_tokens")
    require_positive({f"{where}.{name}": getattr(anchor, name) for name in names})
    require_counts({f"{where}.concurrency": anchor.concurrency})
    load = Load(
        batch=anchor.concurrency,
        input_tokens=anchor.input_tokens or spec.input_tokens,
        output_tokens=anchor.output_tokens or spec.output_tokens,
        cached_tokens=0 if anchor.input_tokens else spec.cached_tokens,
    )
    if anchor.time_per_output_token_ms is not None:
        seconds, name = anchor.time_per_output_token_ms / MS, "time_per_output_token_ms"
    else:
        speed = (anchor.tokens_per_second or 0) * float(replica.accelerators)
        seconds, name = anchor.concurrency / speed, "tokens_per_second"
    refuse(_beyond_the_hardware(f"{where}.{name}", seconds, load, replica))
    return MeasuredLoad(load=load, seconds=seconds)


def _beyond_the_hardware(field: str, seconds: float, load: Load, replica: Replica) -> Iterator[FieldProblem]:
    context = load.input_tokens + load.cached_tokens + load.output_tokens / 2
    light = float(decode_seconds(replace(replica, efficiency=IDEAL), batch=load.batch, context=context))
    if seconds < light / BEYOND:
        takes = f"is {seconds * MS:.3g} ms a token of each of {load.batch:g} sequences"
        least = f"at full bandwidth and peak it takes {light * MS:.3g} ms"
        most = load.batch / light / float(replica.accelerators)
        yield FieldProblem(field, f"{takes}; {least}, at most {most:.4g} tokens a second of one accelerator")


def _moved(shipped: Replica, moved: Replica, points: int) -> Iterator[PredictionStep]:
    """The constants, from where to where."""
    for one in EXPECTATIONS:
        before, after = getattr(shipped.efficiency, one.name), getattr(moved.efficiency, one.name)
        because = f"{before:.3g} before {points} measured point{'s' if points > 1 else ''}"
        yield step(f"{one.name}, calibrated", after, "s" if one.name in IN_SECONDS else "1", None, because)


def _compared(points: list[MeasuredLoad], shipped: Replica, moved: Replica) -> Iterator[PredictionStep]:
    """Every measured point beside what is predicted of it without and with the measurements."""
    loads = [one.load for one in points]
    for point, before, after in zip(points, seconds_of(shipped, loads), seconds_of(moved, loads), strict=True):
        because = f"{before * MS:.3g} ms were predicted, {after * MS:.3g} ms are now"
        name = f"measured at {point.load.batch:g} sequences"
        yield step(name, point.seconds, "s", "serving.seconds_per_output_token", because)
