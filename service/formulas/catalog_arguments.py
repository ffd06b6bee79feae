"""Arguments that several formulas share, and what is made of them: an architecture, a layout, a replica."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, Final

from pricing_sources.units import Unit
from service.formulas.formula import LARGEST, Argument
from service.formulas.memory import Parallelism, Recompute
from service.formulas.serving import Efficiency, Replica
from service.formulas.training_efficiency import GENERATIONS
from service.formulas.utilisation import TrainingHardware, shape_of

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
HUGE: Final = Decimal(10) ** 30
"""No run has more operations, none more bytes."""

Inputs = dict[str, Any]


def number(
    name: str,
    description: str,
    unit: Unit | str = Unit.RATIO,
    *,
    minimum: Decimal = ZERO,
    maximum: Decimal = LARGEST,
    default: float | None = None,
) -> Argument:
    """An argument that is a number."""
    return Argument(
        name=name,
        description=description,
        unit=unit if isinstance(unit, Unit) else None,
        symbol=None if isinstance(unit, Unit) else unit,
        minimum=minimum,
        maximum=maximum,
        default=None if default is None else Decimal(str(default)),
    )


def count(name: str, description: str, unit: Unit | str = Unit.RATIO, *, default: float | None = None) -> Argument:
    """An argument that is at least 1."""
    return number(name, description, unit, minimum=ONE, default=default)


def share(name: str, description: str, *, default: float | None = None) -> Argument:
    """An argument from 0 to 1."""
    return number(name, description, maximum=ONE, default=default)


LLM: Final = Argument(name="llm", description="architecture, by the name of the library", kind="llm")
TOKENS: Final = number("tokens", "tokens trained on", Unit.TOKENS)
SEQUENCE: Final = count("sequence", "tokens of a sequence", Unit.TOKENS)
MICRO_BATCH: Final = count("micro_batch", "sequences of a micro-batch", default=1)
ACCELERATORS: Final = count("accelerators", "accelerators", Unit.GPU)
FLOPS: Final = number("flops", "operations", "FLOP", maximum=HUGE)
PEAK: Final = number("peak_flops", "dense peak of one at the number format used", "FLOP/s")
RECOMPUTED: Final = share("recompute", "share of the forward pass computed again", default=0)
RECOMPUTE: Final = Argument(
    name="recompute",
    description="what the backward pass computes again; selective unless given",
    kind="choice",
    choices=tuple(Recompute),
    optional=True,
)
LAYOUT: Final = (
    count("data", "data-parallel ranks", default=1),
    count("tensor", "tensor-parallel ranks", default=1),
    count("pipeline", "pipeline stages", default=1),
    count("context", "context-parallel ranks", default=1),
    count("expert", "expert-parallel ranks", default=1),
    number("zero", "ZeRO stage", maximum=Decimal(3), default=1),
)
HARDWARE: Final = (
    PEAK,
    number("peak_flops_16bit", "dense peak of one at 16 bits, in which attention runs", "FLOP/s"),
    number("bandwidth", "memory bandwidth of one", "bytes/s"),
    number("memory", "memory of one", "bytes"),
    number("link_bandwidth", "scale-up link of one, one direction", "bytes/s"),
    count("domain", "accelerators the scale-up link joins", Unit.GPU, default=8),
    Argument(
        name="generation",
        description="family of the accelerator; hopper unless given",
        kind="choice",
        choices=GENERATIONS,
        optional=True,
    ),
)
REPLICA: Final = (
    LLM,
    count("accelerators", "accelerators that hold one copy together, tensor-parallel", Unit.GPU),
    number("bandwidth", "memory bandwidth of one", "bytes/s"),
    PEAK,
    number("link_bandwidth", "scale-up link of one, one direction", "bytes/s"),
    Argument(
        name="peak_flops_16bit",
        description="dense peak of one at 16 bits, in which attention runs; peak_flops unless given",
        symbol="FLOP/s",
        optional=True,
    ),
    number("weight_bytes", "bytes of one weight", "bytes", default=2),
    number("kv_bytes", "bytes of one cached number", "bytes", default=2),
)
BATCH: Final = count("batch", "sequences served at once")
INPUT_TOKENS: Final = number("input_tokens", "prompt tokens of a request that are not cached", Unit.TOKENS)
OUTPUT_TOKENS: Final = count("output_tokens", "output tokens of a request", Unit.TOKENS)


def with_layout(inputs: Inputs) -> Inputs:
    """The ranks gathered into `layout`; words into what they mean."""
    return _recompute(_gathered(inputs, "layout", Parallelism))


def with_replica(inputs: Inputs) -> Inputs:
    """The hardware and the architecture gathered into `replica`."""
    return _gathered(inputs, "replica", Replica)


def with_replica_of_version_1(inputs: Inputs) -> Inputs:
    """The same without memory traffic between products; attention at the peak of the products."""
    made = with_replica({name: one for name, one in inputs.items() if name != "peak_flops_16bit"})
    return {**made, "replica": replace(made["replica"], efficiency=replace(Efficiency(), traffic_bytes=0.0))}


def with_shape(inputs: Inputs) -> Inputs:
    """The architecture replaced by its `shape`."""
    rest = dict(inputs)
    return {"shape": shape_of(rest.pop("llm")), **rest}


def with_shape_and_hardware(inputs: Inputs) -> Inputs:
    """The architecture replaced by its `shape`, the figures of one accelerator gathered into `hardware`."""
    return with_shape(_gathered(inputs, "hardware", TrainingHardware))


def _gathered(inputs: Mapping[str, Any], name: str, kind: Callable[..., Any]) -> Inputs:
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    gathered = {key: value for key, value in inputs.items() if key in names}
    return {name: kind(**gathered), **{key: value for key, value in inputs.items() if key not in names}}


def _recompute(inputs: Inputs) -> Inputs:
    found = inputs.get("recompute")
    return {**inputs, "recompute": Recompute(found)} if isinstance(found, str) else inputs
