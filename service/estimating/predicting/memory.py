"""Whether it fits: training under a layout, adapters, or a copy that serves; and what would fit where it does not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from service.domain.language_model import LanguageModel
from service.domain.prediction import MemoryFit, Prediction
from service.domain.prediction_spec import LayoutInput, MemorySpec
from service.errors import FieldProblem, Invalid
from service.estimating.predicting.limits import LONGEST_SEQUENCE, refuse, require_counts, require_within
from service.estimating.predicting.parts import Device, device, figure, step, subject
from service.estimating.predicting.replicas import COUNTS, FORMATS, cache_format, replica_of
from service.formulas.architecture import kv_cache_bytes, parameters
from service.formulas.catalog import formula
from service.formulas.memory import MemoryUse, Parallelism, Recompute, share_of_memory, training_memory
from service.formulas.numbers import Number
from service.formulas.serving import Replica, largest_batch

RESERVED: Final = 3e9
"""Runtime, communication buffers, fragmentation [bytes]; the default of `memory.share`."""
USABLE: Final = 0.9
"""Share of memory an engine takes; the default of `serving.largest_batch`."""
TENSOR: Final = (1, 2, 4, 8)
PIPELINE: Final = (1, 2, 4, 8, 16)
MOST_ACCELERATORS: Final = 2**17
ONLY: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "training": {
            "layout": "what serves is split over accelerators",
            "micro_batch": "what serves has concurrency",
            "recompute": "what serves keeps no activations",
        },
        "serving": {
            "accelerators": "training is laid out in layout",
            "precision": "training is in 16 bits",
            "kv_precision": "training has no cache",
            "concurrency": "training has micro_batch",
        },
    }
)
"""Fields that only one use looks at, and what the other has instead."""

Use = Callable[[Parallelism, Recompute], Mapping[str, Number]]
"""Bytes by component under a layout."""


def predict_memory_of(spec: MemorySpec) -> Prediction:
    """Say how much memory is taken by what, and whether it fits. Raises Invalid naming every impossible field."""
    _check(spec)
    found, on = subject(spec.llm, spec.architecture), device(spec.accelerator)
    if spec.use == "serving":
        replica = replica_of(found.llm, on, spec.accelerators, spec.precision, spec.kv_precision)
        kept = (spec.precision, spec.kv_precision)
        fit = serving_fit(replica, on, sequence=spec.sequence, concurrency=spec.concurrency, kept=kept)
    else:
        layout = layout_of(spec.layout) if spec.layout else Parallelism()
        fit = training_fit(
            on, training_use(found.llm, spec.sequence, spec.micro_batch), layout, Recompute(spec.recompute)
        )
    return Prediction(
        kind="memory",
        llm=found.name,
        accelerator=on.part.id,
        figures=(figure("memory", "bytes", fit.total), figure("share of memory", "1", fit.share)),
        steps=(step("parameters", parameters(found.llm).total, "1", "architecture.parameters"),),
        facts=(*found.facts, *on.facts()),
        memory=fit,
        warnings=on.warnings if fit.fits else (*on.warnings, f"it does not fit; {fit.advice}"),
    )


def _check(spec: MemorySpec) -> None:
    require_within({"sequence": (spec.sequence, 1, LONGEST_SEQUENCE)})
    require_counts({name: getattr(spec, name) for name in ("micro_batch", "accelerators", "concurrency")})
    other = next(use for use in ONLY if use != spec.use)
    refuse(
        FieldProblem(name, f"belongs to use: {other}; {ONLY[other][name]}")
        for name in ONLY[other]
        if getattr(spec, name) != MemorySpec.__dataclass_fields__[name].default
    )


def layout_of(given: LayoutInput) -> Parallelism:
    """The layout that was given. Raises Invalid naming every impossible rank."""
    names = ("data", "tensor", "pipeline", "context", "expert")
    require_counts({f"layout.{name}": getattr(given, name) for name in names})
    require_within({"layout.zero": (given.zero, 0, 3)})
    require_counts({"layout": given.data * given.tensor * given.pipeline * given.context})
    ranks = given.data * given.tensor * given.context
    if ranks % given.expert:
        raise Invalid.field(
            "layout.expert", f"must divide data × tensor × context, {ranks}, which {given.expert} does not"
        )
    return Parallelism(
        **{name: getattr(given, name) for name in names}, zero=given.zero, sequence_parallel=given.sequence_parallel
    )


def laid_out(given: LayoutInput | None, accelerators: int | None) -> Parallelism | None:
    """The layout given for so many accelerators; None where none is. Raises Invalid where the two do not agree."""
    if given is None:
        return None
    layout = layout_of(given)
    fleet = int(layout.accelerators)
    if accelerators is not None and fleet != accelerators:
        rest = fleet // given.data
        nearest = f"data {accelerators // rest} would make it" if accelerators % rest == 0 else f"give {fleet}"
        refuse([FieldProblem("layout", f"takes {fleet} accelerators, not the {accelerators} given; {nearest}")])
    return layout


def first_that_fits(on: Device, use: Use, accelerators: int, recompute: Recompute) -> tuple[Parallelism, Recompute]:
    """A layout for so many accelerators where none is given: with the least recomputation, then split the least.

    Where nothing fits, the one with states sharded over all accelerators and full recomputation.
    """
    order = list(Recompute)
    for again in order[order.index(recompute) :]:
        for layout in _splits(accelerators):
            if _holds_all(on, use(layout, again)):
                return layout, again
    return Parallelism(data=accelerators, zero=3), Recompute.FULL


def said(layout: Parallelism, recompute: Recompute) -> str:
    """A layout in words."""
    context = f", context {layout.context}" if layout.context > 1 else ""
    split = f"data {layout.data}, tensor {layout.tensor}, pipeline {layout.pipeline}{context}"
    return f"{split}, ZeRO stage {layout.zero}, recompute {recompute}"


def training_use(llm: LanguageModel, sequence: int, micro_batch: int) -> Use:
    """Memory of training all parameters."""

    def use(layout: Parallelism, recompute: Recompute) -> Mapping[str, Number]:
        made = training_memory(llm, layout=layout, sequence=sequence, micro_batch=micro_batch, recompute=recompute)
        return by_component(made)

    return use


def by_component(made: MemoryUse) -> dict[str, Number]:
    """The components of training, by name."""
    return {
        "weights": made.weights,
        "gradients": made.gradients,
        "optimizer": made.optimizer,
        "activations": made.activations,
        "logits": made.logits,
    }


def training_fit(
    on: Device, use: Use, layout: Parallelism, recompute: Recompute, formula_id: str = "memory.training"
) -> MemoryFit:
    """Whether a layout fits, and the nearest that does."""
    fit = _fit(on, use(layout, recompute), formula_id)
    if fit.fits:
        return fit
    return _fit(on, use(layout, recompute), formula_id, advice=_nearest(on, use, layout, recompute))


def serving_fit(
    one: Replica, on: Device, *, sequence: float, concurrency: int, kept: tuple[str, str | None]
) -> MemoryFit:
    """Whether a copy fits beside the caches of so many sequences, on each of its accelerators.

    `kept` are the formats of weights and cache, for the advice; None for the cache that follows from the weights.
    """
    llm, accelerators = one.llm, float(one.accelerators)
    sharers = 1 if llm.latent_attention else min(accelerators, llm.kv_heads)
    of_one = kv_cache_bytes(llm, tokens=sequence, bytes_per_element=one.kv_bytes) / sharers
    components = {"weights": parameters(llm).total * one.weight_bytes / accelerators, "cache": of_one * concurrency}
    advice = _fewer(one, on, sequence, cache_format(*kept))
    return _fit(on, components, "serving.largest_batch", advice=advice, memory=USABLE * on.part.memory)


def _fewer(one: Replica, on: Device, sequence: float, cached: str) -> str:
    """What would fit: fewer sequences, or where not even one does, more accelerators or a smaller format."""
    most = largest_batch(one, memory=on.part.memory, context=sequence)
    if most >= 1:
        return f"at most {most:g} sequences of {sequence:g} tokens fit with a cache in {cached}"
    needed = next((n for n in COUNTS if _holds(replace(one, accelerators=n), on, sequence)), None)
    smaller = next(
        (name for name, size in FORMATS.items() if _holds(replace(one, weight_bytes=size), on, sequence)), None
    )
    choices = [f"{needed} accelerators"] if needed else []
    choices += [f"weights in {smaller}"] if smaller else []
    return f"{' or '.join(choices) or 'another accelerator, or shorter sequences,'} would hold one sequence"


def _holds(one: Replica, on: Device, sequence: float) -> bool:
    return bool(largest_batch(one, memory=on.part.memory, context=sequence) >= 1)


def _fit(
    on: Device, use: Mapping[str, Number], formula_id: str, *, advice: str = "", memory: float | None = None
) -> MemoryFit:
    available = on.part.memory if memory is None else memory
    total = float(sum(use.values()))
    share = float(share_of_memory(needed=total, memory=available, reserved=RESERVED))
    return MemoryFit(
        components={name: float(one) for name, one in use.items()},
        total=total,
        reserved=RESERVED,
        memory=available,
        share=share,
        fits=share <= 1,
        advice="" if share <= 1 else advice,
        formula=formula(formula_id).name,
    )


def _nearest(on: Device, use: Use, layout: Parallelism, recompute: Recompute) -> str:
    """The least change that makes it fit, in words."""
    fleet = int(layout.accelerators)
    order = list(Recompute)
    for again in order[order.index(recompute) :]:
        if _holds_all(on, use(layout, again)):
            return f"what fits is the same with recompute {again}"
    while fleet <= MOST_ACCELERATORS:
        choice, again = first_that_fits(on, use, fleet, recompute)
        if _holds_all(on, use(choice, again)):
            return f"what fits on {fleet} accelerators is {said(choice, again)}"
        fleet *= 2
    return "no layout of any size fits; take shorter sequences or a smaller micro-batch"


def _splits(fleet: int) -> Iterator[Parallelism]:
    """States sharded over all accelerators; then layers split over more and more of them."""
    for pipeline in PIPELINE:
        for tensor in TENSOR:
            if fleet % (tensor * pipeline) == 0:
                yield Parallelism(data=fleet // (tensor * pipeline), tensor=tensor, pipeline=pipeline, zero=3)


def _holds_all(on: Device, use: Mapping[str, Number]) -> bool:
    return bool(share_of_memory(needed=sum(use.values()), memory=on.part.memory, reserved=RESERVED) <= 1)
