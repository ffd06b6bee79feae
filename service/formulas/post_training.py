"""What comes after pre-training: full fine-tuning, LoRA and QLoRA, preference optimisation, RL with rollouts."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from service.domain.language_model import LanguageModel
from service.formulas.flops import SECONDS_PER_HOUR, forward_flops_per_token
from service.formulas.memory import MemoryUse, Parallelism, Recompute, States, training_memory
from service.formulas.numbers import Number

ADAPTER_STATES: Final = 14
"""Bytes per adapter parameter beside its bf16 weight: gradient, fp32 master, two moments."""


class Adapted(StrEnum):
    """Matrices a low-rank adapter is laid beside."""

    QUERY = "query"
    KEY = "key"
    VALUE = "value"
    OUTPUT = "output"
    FEED_FORWARD = "feed_forward"
    """Every matrix of the feed-forward, or of each expert."""


ATTENTION: Final = frozenset({Adapted.QUERY, Adapted.KEY, Adapted.VALUE, Adapted.OUTPUT})
EVERYTHING: Final = frozenset(Adapted)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterMemory:
    """Bytes on the fullest accelerator when only adapters are trained."""

    frozen_weights: Number
    adapters: Number
    """Their weights, gradients and optimizer."""
    activations: Number
    logits: Number

    @property
    def total(self) -> Number:
        """Their sum [bytes]."""
        return self.frozen_weights + self.adapters + self.activations + self.logits


def adapter_parameters(llm: LanguageModel, *, rank: int, adapted: Iterable[Adapted] = EVERYTHING) -> int:
    r"""Trained parameters of low-rank adaptation.

    .. math:: N_a = \sum_m r\,(d_{in} + d_{out})

    Symbols:
        N_a: trained parameters [1]
        r: rank [1]
        d_in, d_out: sizes of every adapted matrix m [1]

    Limits: with latent attention queries and keys are taken as one matrix each, from the hidden size.

    Reference: Hu et al. (LoRA), arXiv:2106.09685, section 4.1.

    >>> llama = LanguageModel(name="Llama 2 7B", layers=32, hidden_size=4096, heads=32, kv_heads=32, head_size=128,
    ...                       ffn_size=11008, vocabulary=32000)
    >>> adapter_parameters(llama, rank=8, adapted=[Adapted.QUERY, Adapted.VALUE])
    4194304
    >>> adapter_parameters(llama, rank=16)
    39976960
    """
    chosen = frozenset(adapted)
    hidden = llm.hidden_size
    queries = sum(hidden + llm.heads * llm.head_size for one in (Adapted.QUERY, Adapted.OUTPUT) if one in chosen)
    keys = sum(hidden + llm.kv_heads * llm.head_size for one in (Adapted.KEY, Adapted.VALUE) if one in chosen)
    sizes = llm.layers * (queries + keys)
    if Adapted.FEED_FORWARD in chosen:
        sizes += _feed_forward_sizes(llm)
    return rank * sizes


def fine_tuning_flops(llm: LanguageModel, *, tokens: Number, sequence: Number, recompute: Number = 0) -> Number:
    r"""FLOPs of training all parameters on new examples.

    .. math:: C = (3 + \rho)\,D\,f(s/2), \quad D = \text{examples} \times \text{tokens} \times \text{epochs}

    Symbols:
        C: operations [FLOP]
        D: tokens, padding included: divide by the packing efficiency, 0.5 to 0.95 [Tokens]
        f: `forward_flops_per_token` [FLOP]
        rho: share of the forward pass computed again [1]

    Limits: evaluation and failed starts, 0.5 to 2 hours of all accelerators, are not in it.

    Reference: as `flops.training_flops`.

    >>> llama = LanguageModel(name="Llama 3 8B", layers=32, hidden_size=4096, heads=32, kv_heads=8, head_size=128,
    ...                       ffn_size=14336, vocabulary=128256)
    >>> f"{fine_tuning_flops(llama, tokens=1e9, sequence=4096):.3g}"
    '4.83e+19'
    """
    return (3 + recompute) * tokens * forward_flops_per_token(llm, context=sequence / 2)


def adapter_flops(
    llm: LanguageModel, *, tokens: Number, sequence: Number, trained: Number, recompute: Number = 0
) -> Number:
    r"""FLOPs of low-rank adaptation: the gradients of frozen weights are never formed.

    .. math:: C = D\,\bigl((2 + \rho)\,f(0) + (3 + \rho)\,(f(s/2) - f(0)) + 6 N_a\bigr)

    Symbols:
        C: operations [FLOP]
        D: tokens, padding included [Tokens]
        f: `forward_flops_per_token`; without context only what has weights, the rest is attention [FLOP]
        N_a: `adapter_parameters` [1]
        rho: share of the forward pass computed again [1]

    Limits: about two thirds of full fine-tuning. QLoRA computes the same, and unpacks weights besides.

    Reference: Hu et al. (LoRA), arXiv:2106.09685; Dettmers et al. (QLoRA), arXiv:2305.14314.

    >>> llama = LanguageModel(name="Llama 3 8B", layers=32, hidden_size=4096, heads=32, kv_heads=8, head_size=128,
    ...                       ffn_size=14336, vocabulary=128256)
    >>> full = fine_tuning_flops(llama, tokens=1e9, sequence=4096)
    >>> round(adapter_flops(llama, tokens=1e9, sequence=4096, trained=40e6) / full, 2)
    0.69
    """
    weighted = forward_flops_per_token(llm, context=0)
    attention = forward_flops_per_token(llm, context=sequence / 2) - weighted
    return tokens * ((2 + recompute) * weighted + (3 + recompute) * attention + 6 * trained)


def adapter_memory(
    llm: LanguageModel,
    *,
    layout: Parallelism,
    trained: Number,
    sequence: Number,
    micro_batch: Number = 1,
    recompute: Recompute = Recompute.FULL,
    weight_bytes: Number = 2,
) -> AdapterMemory:
    r"""Memory of low-rank adaptation on one accelerator.

    .. math:: M = b N_r + 16 N_a / t p + M_{act} + M_{logits}

    Symbols:
        M: memory [bytes]
        b: bytes of a frozen weight: 2 for LoRA in bf16, 0.516 for QLoRA [bytes]
        N_r: parameters of a rank, as `memory.training_memory` [1]; N_a: trained parameters [1]
        t, p: tensor and pipeline parallel ranks [1]

    Limits: QLoRA keeps embeddings, head and norms in bf16, a few per cent more; adapters are not sharded over data.

    Reference: Dettmers et al., arXiv:2305.14314: 65B from above 780 GB to below 48 GB.

    >>> llama = LanguageModel(name="LLaMA 65B", layers=80, hidden_size=8192, heads=64, kv_heads=64, head_size=128,
    ...                       ffn_size=22016, vocabulary=32000)
    >>> from service.formulas.memory import NF4_BYTES
    >>> trained = adapter_parameters(llama, rank=64)
    >>> use = adapter_memory(llama, layout=Parallelism(), trained=trained, sequence=512, weight_bytes=NF4_BYTES)
    >>> round(use.frozen_weights / 1e9, 1), use.total < 48e9
    (33.7, True)
    """
    frozen: MemoryUse = training_memory(
        llm,
        layout=layout,
        sequence=sequence,
        micro_batch=micro_batch,
        recompute=recompute,
        states=States(weight=weight_bytes, gradient=0, optimizer=0),
    )
    return AdapterMemory(
        frozen_weights=frozen.weights,
        adapters=(2 + ADAPTER_STATES) * trained / (layout.tensor * layout.pipeline),
        activations=frozen.activations,
        logits=frozen.logits,
    )


def preference_flops(
    llm: LanguageModel,
    *,
    pairs: Number,
    tokens_per_answer: Number,
    prompt_tokens: Number,
    epochs: Number = 1,
    reference: bool = True,
) -> Number:
    r"""FLOPs of direct preference optimisation.

    .. math:: C = 2 n e\,(i + m)\,(3 + [\text{ref}]/e)\,f\bigl(\tfrac{i + m}{2}\bigr)

    Symbols:
        C: operations [FLOP]
        n: pairs of a chosen and a rejected answer [1]
        i, m: tokens of the prompt and of one answer [Tokens]
        e: epochs; the frozen reference is passed once, where its log-probabilities are kept [1]
        f: `forward_flops_per_token` [FLOP]

    Limits: no generation: on-policy pairs cost a rollout besides, `rollout_accelerator_hours`.

    Reference: Rafailov et al. (DPO), arXiv:2305.18290.

    >>> llama = LanguageModel(name="Llama 3 8B", layers=32, hidden_size=4096, heads=32, kv_heads=8, head_size=128,
    ...                       ffn_size=14336, vocabulary=128256)
    >>> f"{preference_flops(llama, pairs=60_000, tokens_per_answer=400, prompt_tokens=200):.2g}"
    '4.4e+18'
    """
    length = prompt_tokens + tokens_per_answer
    passes = 3 * epochs + (1 if reference else 0)
    return 2 * pairs * length * passes * forward_flops_per_token(llm, context=length / 2)


def rollout_accelerator_hours(
    *,
    prompts: Number,
    samples: Number,
    answer_tokens: Number,
    tokens_per_second: Number,
    straggling: Number = 1.5,
) -> Number:
    r"""Accelerator-hours to generate the answers reinforcement learning learns from.

    .. math:: H = \frac{P\,G\,m\,x}{3600\,y}

    Symbols:
        H: accelerator-hours [GPU-Hours]
        P, G: prompts, answers to each [1]
        m: tokens of an answer on average [Tokens]
        y: output tokens per second of one accelerator, `serving.output_tokens_per_second` over accelerators [Tokens/s]
        x: the longest answer holds up the step: 1.3 to 2 [1]

    Limits: synchronous steps; asynchronous training brings x near 1.

    Reference: Shao et al. (GRPO), arXiv:2402.03300, for the terms.

    >>> round(rollout_accelerator_hours(prompts=1e5, samples=16, answer_tokens=8000, tokens_per_second=1500))
    3556
    """
    return prompts * samples * answer_tokens * straggling / (SECONDS_PER_HOUR * tokens_per_second)


def reinforcement_flops(
    llm: LanguageModel,
    *,
    prompts: Number,
    samples: Number,
    prompt_tokens: Number,
    answer_tokens: Number,
    epochs: Number = 1,
    scored_by: LanguageModel | None = None,
    reference: bool = True,
    critic: LanguageModel | None = None,
) -> Number:
    r"""FLOPs of scoring and learning from rollouts; generating them is `rollout_accelerator_hours`.

    .. math:: C = P G (i + m)\,\bigl(3 e f + (1 + [\text{ref}])\,f + f_{rm} + (1 + 3 e) f_{critic}\bigr)

    Symbols:
        C: operations [FLOP]
        P, G: prompts, answers to each [1]
        i, m: tokens of the prompt and of an answer [Tokens]
        e: epochs over each batch [1]
        f, f_rm, f_critic: `forward_flops_per_token` of policy, reward model, critic; 0 without one [FLOP]

    Limits: rules and verifiers that run on CPUs are not in it.

    Reference: Schulman et al. (PPO), arXiv:1707.06347; Shao et al. (GRPO), arXiv:2402.03300.

    >>> llama = LanguageModel(name="Llama 3 8B", layers=32, hidden_size=4096, heads=32, kv_heads=8, head_size=128,
    ...                       ffn_size=14336, vocabulary=128256)
    >>> asked = dict(prompts=1e4, samples=8, prompt_tokens=200, answer_tokens=1000)
    >>> ppo = reinforcement_flops(llama, scored_by=llama, critic=llama, **asked)
    >>> ppo / reinforcement_flops(llama, **asked)
    2.0
    """
    length = prompt_tokens + answer_tokens

    def forward(one: LanguageModel | None) -> Number:
        return forward_flops_per_token(one, context=length / 2) if one is not None else 0

    policy = (3 * epochs + 1 + (1 if reference else 0)) * forward(llm)
    return prompts * samples * length * (policy + forward(scored_by) + (1 + 3 * epochs) * forward(critic))


def _feed_forward_sizes(llm: LanguageModel) -> int:
    """Sum of both sizes of every feed-forward matrix of the model."""
    hidden, matrices, experts = llm.hidden_size, 3 if llm.gated else 2, llm.experts
    sizes = llm.dense_layers * matrices * (hidden + llm.ffn_size)
    if experts is not None:
        routed = experts.total * 3 * (hidden + experts.ffn_size)
        shared = experts.shared * 3 * (hidden + (experts.shared_ffn_size or experts.ffn_size))
        sizes += llm.expert_layers * (routed + shared)
    return sizes
