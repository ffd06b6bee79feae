"""The formulas of training: architectures, operations, memory, utilisation, interruptions, what comes after."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from pricing_sources.units import Unit
from service.domain.language_model import LatentAttention
from service.formulas import architecture, flops, goodput, interruptions, memory, post_training, utilisation
from service.formulas.catalog_arguments import (
    ACCELERATORS,
    FLOPS,
    HARDWARE,
    LAYOUT,
    LLM,
    MICRO_BATCH,
    ONE,
    PEAK,
    RECOMPUTE,
    RECOMPUTED,
    SEQUENCE,
    TOKENS,
    count,
    number,
    share,
    with_layout,
    with_shape,
    with_shape_and_hardware,
)
from service.formulas.formula import Argument, Formula

_COUNT: Final = Unit.RATIO.value
_BYTES: Final = "bytes"
_HIDDEN: Final = count("hidden_size", "hidden size")
_HEADS: Final = count("heads", "query heads")
_CHECKPOINT: Final = number("checkpoint_hours", "what a checkpoint stalls the run", Unit.HOUR)
_HAZARD: Final = number("hazard_per_hour", "interruptions of the whole run", "1/h", minimum=Decimal("1e-12"))
_RUN: Final = (
    number("work_hours", "without interruptions", Unit.HOUR),
    number("segments", "each ended by a checkpoint", minimum=ONE),
    _CHECKPOINT,
    number("restart_hours", "from an interruption to the first new step", Unit.HOUR),
    _HAZARD,
)
_FAILURE: Final = number("failure_hours", "mean time between failures of the cluster", Unit.HOUR)
_TRAINED: Final = number("trained", "trained parameters, `post_training.adapter_parameters`")
_RANK: Final = count("rank", "rank of the adapters")
_PROMPTS: Final = number("prompts", "prompts")
_SAMPLES: Final = count("samples", "answers to each prompt")
_PROMPT_TOKENS: Final = number("prompt_tokens", "tokens of a prompt", Unit.TOKENS)
_ANSWER_TOKENS: Final = number("answer_tokens", "tokens of an answer", Unit.TOKENS)
_KEPT: Final = replace(RECOMPUTE, description="what the backward pass computes again; nothing unless given")
_LAYERS: Final = replace(RECOMPUTE, description="what the backward pass computes again; whole layers unless given")
_EPOCHS: Final = count("epochs", "times each example is passed", default=1)


def _formula(
    formula_id: str,
    title: str,
    function: Any,
    arguments: tuple[Argument, ...],
    result_unit: str,
    prepare: Any = None,
    read: Any = None,
) -> Formula:
    return Formula(
        id=formula_id,
        version=1,
        title=title,
        function=function,
        arguments=arguments,
        result_unit=result_unit,
        exact=False,
        prepare=prepare,
        read=read,
    )


def _total(made: Any) -> Any:
    return made.total


def _with_latent(inputs: dict[str, Any]) -> dict[str, Any]:
    sizes = ("kv_rank", "query_rank", "rope_head_size", "nope_head_size", "value_head_size")
    latent = LatentAttention(**{name: inputs[name] for name in sizes if name in inputs})
    return {"latent": latent, **{name: value for name, value in inputs.items() if name not in sizes}}


_ARCHITECTURE: Final = (
    _formula("architecture.parameters", "Parameters of a model", architecture.parameters, (LLM,), _COUNT, read=_total),
    _formula(
        "architecture.attention_parameters",
        "Parameters of one layer of attention",
        architecture.attention_parameters,
        (_HIDDEN, _HEADS, count("kv_heads", "key and value heads"), count("head_size", "head size")),
        _COUNT,
    ),
    _formula(
        "architecture.latent_attention_parameters",
        "Parameters of one layer of latent attention",
        architecture.latent_attention_parameters,
        (
            _HIDDEN,
            _HEADS,
            count("kv_rank", "size of the compressed keys and values"),
            count("query_rank", "size queries are compressed to"),
            count("rope_head_size", "part of a head that carries the position"),
            count("nope_head_size", "part of a head that does not"),
            count("value_head_size", "head size of values"),
        ),
        _COUNT,
        prepare=_with_latent,
    ),
    _formula(
        "architecture.feed_forward_parameters",
        "Parameters of one feed-forward layer",
        architecture.feed_forward_parameters,
        (_HIDDEN, count("ffn_size", "width")),
        _COUNT,
    ),
    _formula(
        "architecture.kv_elements_per_token",
        "Numbers the cache keeps of a token",
        architecture.kv_elements_per_token,
        (LLM,),
        _COUNT,
        read=sum,
    ),
    _formula(
        "architecture.kv_cache_bytes",
        "Memory of the key-value cache of a sequence",
        architecture.kv_cache_bytes,
        (LLM, number("tokens", "tokens of the sequence", Unit.TOKENS), number("bytes_per_element", "of one", _BYTES)),
        _BYTES,
    ),
)
_OPERATIONS: Final = (
    _formula(
        "flops.forward_per_token",
        "FLOPs to pass one token forward",
        flops.forward_flops_per_token,
        (LLM, number("context", "tokens looked back on", Unit.TOKENS)),
        "FLOP",
    ),
    _formula(
        "flops.training",
        "FLOPs of a training run",
        flops.training_flops,
        (LLM, TOKENS, SEQUENCE, RECOMPUTED),
        "FLOP",
    ),
    _formula(
        "flops.six_n_d",
        "The rule of thumb 6 N D",
        flops.six_n_d,
        (number("active_parameters", "active parameters"), TOKENS),
        "FLOP",
    ),
    _formula(
        "flops.accelerator_hours",
        "Accelerator-hours of so many operations",
        flops.accelerator_hours,
        (FLOPS, PEAK, share("utilisation", "model FLOPs utilisation"), share("goodput", "share of time", default=1)),
        Unit.GPU_HOUR.value,
    ),
)
_MEMORY: Final = (
    _formula(
        "memory.training",
        "Memory of training on the fullest accelerator",
        memory.training_memory,
        (LLM, *LAYOUT, SEQUENCE, MICRO_BATCH, RECOMPUTE),
        _BYTES,
        prepare=with_layout,
        read=_total,
    ),
    _formula(
        "memory.activation_bytes_per_token",
        "Activations a layer keeps of a token",
        memory.activation_bytes_per_token,
        (LLM, *LAYOUT, SEQUENCE, _KEPT),
        f"{_BYTES}/{Unit.TOKENS}",
        prepare=with_layout,
    ),
    _formula(
        "memory.activation_bytes",
        "Activations on one accelerator",
        memory.activation_bytes,
        (LLM, *LAYOUT, SEQUENCE, MICRO_BATCH, RECOMPUTE),
        _BYTES,
        prepare=with_layout,
    ),
    _formula(
        "memory.logit_bytes",
        "Logits kept for the loss",
        memory.logit_bytes,
        (LLM, *LAYOUT, SEQUENCE, MICRO_BATCH),
        _BYTES,
        prepare=with_layout,
    ),
    _formula(
        "memory.share",
        "How full an accelerator is",
        memory.share_of_memory,
        (
            number("needed", "memory the run takes", _BYTES),
            number("memory", "memory of one", _BYTES),
            number("reserved", "runtime and buffers", _BYTES, default=3e9),
        ),
        _COUNT,
    ),
)
_UTILISATION: Final = (
    _formula(
        "utilisation.usual_hidden_size",
        "Hidden size of a model of that size",
        utilisation.usual_shape,
        (number("active_parameters", "active parameters"),),
        _COUNT,
        read=lambda shape: shape.hidden_size,
    ),
    _formula(
        "utilisation.counted_flops_per_token",
        "Model FLOPs of one token in training",
        utilisation.counted_flops_per_token,
        (LLM, SEQUENCE),
        "FLOP",
        prepare=with_shape,
    ),
    _formula(
        "utilisation.seconds_per_token",
        "Time of one token in training",
        utilisation.seconds_per_token,
        (LLM, *HARDWARE, SEQUENCE, ACCELERATORS),
        "s",
        prepare=with_shape_and_hardware,
    ),
    _formula(
        "utilisation.recomputed_share",
        "Activations that do not fit",
        utilisation.recomputed_share,
        (LLM, *HARDWARE, SEQUENCE, ACCELERATORS),
        _COUNT,
        prepare=with_shape_and_hardware,
    ),
    _formula(
        "utilisation.benchmark",
        "Model FLOPs utilisation of a benchmark",
        utilisation.model_flops_utilisation,
        (LLM, *HARDWARE, SEQUENCE, ACCELERATORS),
        _COUNT,
        prepare=with_shape_and_hardware,
    ),
    _formula("utilisation.run_factor", "A whole run over a benchmark", utilisation.run_factor, (ACCELERATORS,), _COUNT),
    _formula(
        "utilisation.interval",
        "The upper end of an 80 % interval",
        utilisation.interval,
        (number("central", "central value"), number("spread", "standard deviation of the logarithm")),
        "as the central value",
        read=lambda band: band.high,
    ),
)
_INTERRUPTIONS: Final = (
    _formula(
        "goodput.hours_between_failures",
        "Mean time between failures of a cluster",
        goodput.hours_between_failures,
        (ACCELERATORS, number("of_one", "of one accelerator", Unit.HOUR, default=goodput.HOURS_BETWEEN_FAILURES)),
        Unit.HOUR.value,
    ),
    _formula(
        "goodput.young_interval",
        "Time between checkpoints, first order",
        goodput.young_interval,
        (_CHECKPOINT, _FAILURE),
        Unit.HOUR.value,
    ),
    _formula(
        "goodput.daly_interval",
        "Time between checkpoints, higher order",
        goodput.daly_interval,
        (_CHECKPOINT, _FAILURE),
        Unit.HOUR.value,
    ),
    _formula(
        "goodput.goodput",
        "Share of the time that makes progress",
        goodput.goodput,
        (
            _CHECKPOINT,
            number("interval_hours", "time between checkpoints", Unit.HOUR),
            _FAILURE,
            number("restart_hours", "from a failure to the first new step", Unit.HOUR),
        ),
        _COUNT,
    ),
)
_INTERRUPTED: Final = (
    _formula(
        "interruptions.optimal_interval",
        "Time between checkpoints that makes a run shortest",
        interruptions.optimal_interval,
        (_CHECKPOINT, _HAZARD),
        Unit.HOUR.value,
    ),
    _formula(
        "interruptions.expected_hours",
        "Expected duration of a run that is interrupted",
        interruptions.expected_hours,
        _RUN,
        Unit.HOUR.value,
    ),
    _formula(
        "interruptions.hours_deviation",
        "Standard deviation of that duration",
        interruptions.hours_deviation,
        _RUN,
        Unit.HOUR.value,
    ),
    _formula(
        "interruptions.clean_run_probability",
        "Chance that a run is never interrupted",
        interruptions.clean_run_probability,
        (_RUN[0], _HAZARD),
        _COUNT,
    ),
)
_AFTER: Final = (
    _formula(
        "post_training.adapter_parameters",
        "Trained parameters of low-rank adaptation",
        post_training.adapter_parameters,
        (LLM, _RANK),
        _COUNT,
    ),
    _formula(
        "post_training.fine_tuning_flops",
        "FLOPs of full fine-tuning",
        post_training.fine_tuning_flops,
        (LLM, TOKENS, SEQUENCE, RECOMPUTED),
        "FLOP",
    ),
    _formula(
        "post_training.adapter_flops",
        "FLOPs of low-rank adaptation",
        post_training.adapter_flops,
        (LLM, TOKENS, SEQUENCE, _TRAINED, RECOMPUTED),
        "FLOP",
    ),
    _formula(
        "post_training.adapter_memory",
        "Memory of low-rank adaptation",
        post_training.adapter_memory,
        (LLM, *LAYOUT, _TRAINED, SEQUENCE, MICRO_BATCH, _LAYERS, number("weight_bytes", "of one", _BYTES, default=2)),
        _BYTES,
        prepare=with_layout,
        read=_total,
    ),
    _formula(
        "post_training.preference_flops",
        "FLOPs of preference optimisation",
        post_training.preference_flops,
        (
            LLM,
            number("pairs", "pairs of a chosen and a rejected answer"),
            number("tokens_per_answer", "tokens of one answer", Unit.TOKENS),
            _PROMPT_TOKENS,
            _EPOCHS,
        ),
        "FLOP",
    ),
    _formula(
        "post_training.rollout_accelerator_hours",
        "Accelerator-hours to generate rollouts",
        post_training.rollout_accelerator_hours,
        (
            _PROMPTS,
            _SAMPLES,
            _ANSWER_TOKENS,
            number("tokens_per_second", "output tokens a second of one accelerator", f"{Unit.TOKENS}/s"),
            number("straggling", "the longest answer holds up the step", minimum=ONE, default=1.5),
        ),
        Unit.GPU_HOUR.value,
    ),
    _formula(
        "post_training.reinforcement_flops",
        "FLOPs of learning from rollouts",
        post_training.reinforcement_flops,
        (LLM, _PROMPTS, _SAMPLES, _PROMPT_TOKENS, _ANSWER_TOKENS, _EPOCHS),
        "FLOP",
    ),
)

TRAINING: Final = (*_ARCHITECTURE, *_OPERATIONS, *_MEMORY, *_UTILISATION, *_INTERRUPTIONS, *_INTERRUPTED, *_AFTER)
"""In the order a reader needs them."""
