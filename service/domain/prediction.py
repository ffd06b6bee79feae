"""What was predicted: figures with their intervals, and every step, formula and fact they came from."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedFigure:
    """One answer. The interval holds four times out of five."""

    name: str
    unit: str
    central: float
    low: float | None = None
    """None where it follows without uncertainty from what was asked."""
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionStep:
    """One intermediate result."""

    name: str
    value: float
    unit: str
    formula: str | None
    """Id and version: `utilisation.benchmark@1`; None for what was given or assumed."""
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedFact:
    """One published figure, and where it was read."""

    name: str
    value: float | str
    unit: str
    source: str
    read_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFit:
    """Memory on the fullest accelerator, by component [bytes]."""

    components: Mapping[str, float]
    total: float
    reserved: float
    """For the runtime and buffers."""
    memory: float
    """Of one accelerator."""
    share: float
    """Of the memory; above 1 it does not fit."""
    fits: bool
    advice: str
    """What would fit, where this does not."""
    formula: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingPoint:
    """One batch on the curve."""

    batch: float
    output_tokens_per_second: float
    """Of one accelerator."""
    time_per_output_token_ms: float
    time_to_first_token_ms: float
    """The least: no queue."""
    output_accelerator_hours: float
    """Per million output tokens."""
    within_limits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The answer to one question."""

    kind: str
    """training, inference, fine-tuning or memory."""
    llm: str
    accelerator: str
    """Id in the registry."""
    figures: tuple[PredictedFigure, ...]
    steps: tuple[PredictionStep, ...]
    facts: tuple[UsedFact, ...]
    memory: MemoryFit | None
    warnings: tuple[str, ...]
    curve: tuple[ServingPoint, ...] = ()
