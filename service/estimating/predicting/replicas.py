"""One copy of a model as a spec means it: number formats, and how many accelerators can hold it."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from service.domain.language_model import LanguageModel
from service.errors import Invalid
from service.estimating.accuracy.serving import WIDEST
from service.estimating.predicting.parts import Device
from service.formulas.serving import Replica, largest_batch

FORMATS: Final[Mapping[str, float]] = MappingProxyType(
    {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5625, "int4": 0.5625}
)
"""Bytes of a weight or a cached number; with one scale byte to sixteen 4-bit ones."""
FLOATING: Final = ("fp8", "fp4")
COUNTS: Final = (1, 2, 4, 8, WIDEST)


def replica_of(llm: LanguageModel, on: Device, accelerators: int, precision: str, kv_precision: str | None) -> Replica:
    """A copy on so many accelerators. Raises Invalid where there are more than a copy is laid over."""
    if not 1 <= accelerators <= WIDEST:
        limit = f"must be 1 to {WIDEST}, wider copies are laid out in ways the formula does not know"
        raise Invalid.field("accelerators", f"{limit}; not {accelerators}")
    return Replica(
        llm=llm,
        accelerators=accelerators,
        bandwidth=on.part.bandwidth,
        peak_flops=_peak(on, precision),
        peak_flops_16bit=_peak(on, "bf16"),
        link_bandwidth=on.part.link,
        weight_bytes=FORMATS[precision],
        kv_bytes=FORMATS[cache_format(precision, kv_precision)],
    )


def cache_format(precision: str, kv_precision: str | None) -> str:
    """What the cache is kept in: 8 bits beside floating-point weights of 8 or 4, else 16."""
    if kv_precision is not None:
        return kv_precision
    return "fp8" if precision in FLOATING else "bf16"


def fewest(llm: LanguageModel, on: Device, precision: str, kv_precision: str | None, *, context: float) -> int:
    """As few accelerators as hold a copy and one sequence. Raises Invalid naming what would."""
    for accelerators in COUNTS:
        one = replica_of(llm, on, accelerators, precision, kv_precision)
        if largest_batch(one, memory=on.part.memory, context=context) >= 1:
            return accelerators
    raise Invalid.field(
        "accelerator", f"even {WIDEST} of {on.part.id} cannot hold it in {precision}; {_instead(one, on, context)}"
    )


def held(one: Replica, on: Device, *, context: float, precision: str) -> int:
    """Sequences that fit. Raises Invalid where not even one does, naming how many accelerators would hold it."""
    most = int(largest_batch(one, memory=on.part.memory, context=context))
    if most >= 1:
        return most
    for accelerators in COUNTS:
        wider = replace(one, accelerators=accelerators)
        if largest_batch(wider, memory=on.part.memory, context=context) >= 1:
            needed = f"the weights in {precision} and one sequence need {accelerators}"
            raise Invalid.field("accelerators", f"{one.accelerators} of {on.part.id} cannot hold it; {needed}")
    raise Invalid.field(
        "accelerators", f"no number of {on.part.id} up to {WIDEST} holds it; {_instead(one, on, context)}"
    )


def lower_precision_told(on: Device, precision: str) -> tuple[str, ...]:
    """A warning where a format saves memory but no time."""
    if precision in on.part.peaks or precision.startswith("int") or precision in ("bf16", "fp16"):
        return ()
    return (f"{on.part.id} has no {precision} units that are known: weights are kept in it, products are in 16 bits",)


def _peak(on: Device, precision: str) -> float:
    sixteen = on.part.peaks.get("bf16") or on.part.peaks.get("fp16")
    peak = on.part.peaks.get(precision, sixteen)
    if peak is None:
        raise Invalid.field("accelerator", f"the peak of {on.part.id} is not known; nvidia-h100-sxm-80gb has one")
    return peak


def _instead(one: Replica, on: Device, context: float) -> str:
    """What would be held: weights in a smaller format, shorter sequences, or by an accelerator with more memory."""
    wide = replace(one, accelerators=WIDEST)

    def holds(copy: Replica, tokens: float) -> bool:
        return bool(largest_batch(copy, memory=on.part.memory, context=tokens) >= 1)

    lighter = [name for name, size in FORMATS.items() if size < float(one.weight_bytes)]
    smaller = [name for name in lighter if holds(replace(wide, weight_bytes=FORMATS[name]), context)]
    if smaller:
        return f"with weights in {smaller[0]} it fits"
    if holds(wide, 1):
        most = next(tokens for tokens in (2.0**power for power in range(40, -1, -1)) if holds(wide, tokens))
        return f"sequences of {most:g} tokens on average fit"
    return "take an accelerator with more memory, such as nvidia-h200-sxm"
