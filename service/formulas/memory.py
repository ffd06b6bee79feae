"""What training keeps in the memory of one accelerator: states, activations and logits, and whether they fit."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from service.domain.language_model import LanguageModel
from service.formulas.architecture import kv_elements_per_token, parameters
from service.formulas.numbers import Number

NORMALISED_COPIES: Final = 8
"""Bytes per token and hidden unit of the two norms' inputs and outputs; tensor parallelism alone keeps them whole."""
SCORE_BYTES: Final = 5
"""Bytes of one attention score: softmax output and input in 16 bits, dropout mask in 8."""
LOGIT_BYTES: Final = 4
"""Logits of the loss are fp32."""
NF4_BYTES: Final = 0.5 + 0.127 / 8
"""A weight in 4-bit NormalFloat with doubly quantised block constants (QLoRA, arXiv:2305.14314, section 3)."""


class Recompute(StrEnum):
    """What the backward pass computes again instead of keeping."""

    NONE = "none"
    """Nothing: attention scores are kept too."""
    SELECTIVE = "selective"
    """Attention scores only, as flash attention does."""
    FULL = "full"
    """Whole layers: only their inputs are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallelism:
    """How a run is laid over accelerators; there are data × tensor × pipeline × context of them."""

    data: Number = 1
    tensor: Number = 1
    pipeline: Number = 1
    context: Number = 1
    expert: Number = 1
    """Ranks that share the routed experts among themselves, out of data × tensor × context."""
    zero: int = 1
    """ZeRO stage: 0 shards nothing over data ranks, 1 the optimizer, 2 gradients too, 3 weights too."""
    sequence_parallel: bool = True
    """Tensor ranks share norms and residuals too."""

    @property
    def accelerators(self) -> Number:
        """How many it takes."""
        return self.data * self.tensor * self.pipeline * self.context

    @property
    def replicas(self) -> Number:
        """Ranks that hold the same dense weights."""
        return self.data * self.context

    @property
    def expert_replicas(self) -> Number:
        """Ranks that hold the same experts."""
        return self.replicas * self.tensor / self.expert


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """Bytes kept per parameter. Defaults: mixed-precision AdamW, 16 in all; fp32 gradients make 18."""

    weight: Number = 2
    gradient: Number = 2
    optimizer: Number = 12
    """fp32 master weight and two moments; 6 with 8-bit moments; 8 + 4 whatever trains in fp8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUse:
    """Bytes on the fullest accelerator, by component."""

    weights: Number
    gradients: Number
    optimizer: Number
    activations: Number
    logits: Number

    @property
    def total(self) -> Number:
        """Their sum [bytes]."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.logits


def training_memory(
    llm: LanguageModel,
    *,
    layout: Parallelism,
    sequence: Number,
    micro_batch: Number = 1,
    recompute: Recompute = Recompute.SELECTIVE,
    states: States | None = None,
) -> MemoryUse:
    r"""Memory training takes on the fullest accelerator: the first or the last pipeline stage.

    .. math:: M = N_r \sum_x \frac{b_x}{z_x} + M_{act} + M_{logits}, \quad
        N_r = \frac{N_{dense}}{t\,p} + \frac{N_{experts}}{e\,p}

    Symbols:
        M: memory [bytes]
        N_r: parameters of one rank [1]; the first stage has the embedding, the last the head
        b_x: bytes per parameter of weights, gradients, optimizer, `States` [bytes]
        z_x: ranks the state is sharded over: 1, or from its ZeRO stage on the ranks that hold the same [1]
        t, p, e: tensor, pipeline, expert parallel ranks [1]
        M_act, M_logits: `activation_bytes`, `logit_bytes` [bytes]

    Limits: no fragmentation, no communication buffers, no runtime: leave 5 to 10 % free. With ZeRO 3 the weights of
    the layer at work are gathered besides. A pipeline runs one forward one backward, not interleaved.

    Reference: Rajbhandari et al. (ZeRO), arXiv:1910.02054; Korthikanti et al., arXiv:2205.05198.

    >>> llama = LanguageModel(name="Llama 2 7B", layers=32, hidden_size=4096, heads=32, kv_heads=32, head_size=128,
    ...                       ffn_size=11008, vocabulary=32000)
    >>> use = training_memory(llama, layout=Parallelism(data=8, zero=3), sequence=4096)
    >>> round(use.weights / 1e9, 2), round((use.gradients + use.optimizer) / 1e9, 2), round(use.activations / 1e9, 1)
    (1.68, 11.79, 17.2)
    """
    kept = states or States()
    first, last = (
        _stage(llm, layout, kept, sequence=sequence, micro_batch=micro_batch, recompute=recompute, first=first)
        for first in (True, False)
    )
    fuller = np.asarray(first.total >= last.total)
    return MemoryUse(
        weights=_chosen(fuller, first.weights, last.weights),
        gradients=_chosen(fuller, first.gradients, last.gradients),
        optimizer=_chosen(fuller, first.optimizer, last.optimizer),
        activations=_chosen(fuller, first.activations, last.activations),
        logits=_chosen(fuller, first.logits, last.logits),
    )


def activation_bytes_per_token(
    llm: LanguageModel, *, sequence: Number, layout: Parallelism | None = None, recompute: Recompute = Recompute.NONE
) -> Number:
    r"""Activations one layer keeps of one token until its backward pass, on one tensor rank.

    .. math:: m = 8 d\,[\text{whole or}/t] + \frac{1}{t}\bigl(2(2 n_h d_h + k) + F + 5 n_h s\bigr),
        \quad m_{full} = 2 d

    Symbols:
        m: memory [bytes/Token]
        d, n_h, d_h: hidden size, heads, head size [1]
        k: cached numbers of a token and layer, keys and values [1]
        F: 6 f gated, 4 f else; with experts k_e (6 f_e + 4 d) and the shared [bytes]
        s: sequence length; the last term only where scores are kept [Tokens]
        t: tensor parallel ranks [1]

    Limits: bf16, no dropout: multi-head attention with f = 4 d gives 32 d + 5 n_h s, to which dropout masks add the
    2 d of the reference. With latent attention keys and values are counted expanded.

    Reference: Korthikanti et al., "Reducing activation recomputation", arXiv:2205.05198, equations 1 to 4.

    >>> gpt3 = LanguageModel(name="GPT-3", layers=96, hidden_size=12288, heads=96, kv_heads=96, head_size=128,
    ...                      ffn_size=49152, gated=False, vocabulary=50257, tied_embeddings=True)
    >>> activation_bytes_per_token(gpt3, sequence=2048, recompute=Recompute.SELECTIVE) / 12288
    32.0
    >>> activation_bytes_per_token(gpt3, sequence=2048) / 12288
    112.0
    """
    tensor = layout.tensor if layout else 1
    if recompute is Recompute.FULL:
        shared = tensor if layout and layout.sequence_parallel else 1
        return 2 * llm.hidden_size / shared
    whole = tensor if layout is None or layout.sequence_parallel else 1
    scores = SCORE_BYTES * llm.heads * sequence if recompute is Recompute.NONE else 0 * sequence
    split = _attention_bytes(llm) + _feed_forward_bytes(llm) + scores
    return NORMALISED_COPIES * llm.hidden_size / whole + split / tensor


def activation_bytes(
    llm: LanguageModel,
    *,
    layout: Parallelism,
    sequence: Number,
    micro_batch: Number = 1,
    recompute: Recompute = Recompute.SELECTIVE,
    in_flight: Number | None = None,
) -> Number:
    r"""Activations on one accelerator of a pipeline stage.

    .. math:: M = \frac{B s}{c}\,\Bigl(\frac{L}{p} q\,m + [\text{full}]\,m_{layer}\Bigr)

    Symbols:
        M: memory [bytes]
        B, s: sequences of a micro-batch, their length [1], [Tokens]
        c: context parallel ranks [1]
        L, p: layers, pipeline stages [1]
        q: micro-batches in flight: p in the first stage, 1 in the last [1]
        m: `activation_bytes_per_token`; with full recomputation one layer is worked out besides [bytes/Token]

    Limits: as `activation_bytes_per_token`.

    Reference: Korthikanti et al., arXiv:2205.05198, section 4.

    >>> llama = LanguageModel(name="Llama 2 7B", layers=32, hidden_size=4096, heads=32, kv_heads=32, head_size=128,
    ...                       ffn_size=11008, vocabulary=32000)
    >>> full = activation_bytes(llama, layout=Parallelism(), sequence=4096, recompute=Recompute.FULL)
    >>> round(float(full) / 1e9, 2)
    1.61
    """
    tokens = micro_batch * sequence / layout.context
    of_layer = activation_bytes_per_token(llm, sequence=sequence, layout=layout, recompute=recompute)
    held = tokens * of_layer * np.ceil(llm.layers / layout.pipeline)
    held = held * (layout.pipeline if in_flight is None else in_flight)
    if recompute is not Recompute.FULL:
        return held
    working = activation_bytes_per_token(llm, sequence=sequence, layout=layout, recompute=Recompute.SELECTIVE)
    return held + tokens * working


def logit_bytes(llm: LanguageModel, *, layout: Parallelism, sequence: Number, micro_batch: Number = 1) -> Number:
    r"""Logits of one micro-batch, kept for the loss: the term that is easily forgotten.

    .. math:: M = \frac{4 B s V}{t\,c}

    Symbols:
        M: memory [bytes]
        B, s: sequences of a micro-batch, their length [1], [Tokens]
        V: vocabulary [1]
        t, c: tensor and context parallel ranks [1]

    Limits: one fp32 copy; an unfused loss keeps a second one for the gradient, a chunked loss nearly none.

    Reference: the memory notes of the Liger kernel, arXiv:2410.10989.

    >>> llama = LanguageModel(name="Llama 3 8B", layers=32, hidden_size=4096, heads=32, kv_heads=8, head_size=128,
    ...                       ffn_size=14336, vocabulary=128256)
    >>> round(logit_bytes(llama, layout=Parallelism(), sequence=32768) / 2**30, 1)
    15.7
    """
    return LOGIT_BYTES * micro_batch * sequence * llm.vocabulary / (layout.tensor * layout.context)


def share_of_memory(*, needed: Number, memory: Number, reserved: Number = 3e9) -> Number:
    r"""How full an accelerator is; above 1 the run does not fit.

    .. math:: \phi = \frac{M + r}{M_{acc}}

    Symbols:
        phi: share [1]
        M: memory the run takes, as `training_memory` [bytes]
        r: runtime, communication buffers, fragmentation [bytes]
        M_acc: memory of the accelerator [bytes]

    Limits: 3 GB is a usual reserve with a large communication library; fragmentation can take more.

    Reference: the sum of its parts.

    >>> share_of_memory(needed=77e9, memory=80e9)
    1.0
    """
    return (needed + reserved) / memory


def _stage(
    llm: LanguageModel,
    layout: Parallelism,
    kept: States,
    *,
    sequence: Number,
    micro_batch: Number,
    recompute: Recompute,
    first: bool,
) -> MemoryUse:
    """One end of the pipeline; with a single stage both ends are the same."""
    alone = np.asarray(layout.pipeline) == 1
    count = parameters(llm)
    layers = np.ceil(llm.layers / layout.pipeline) / llm.layers
    ends = np.where(
        alone, count.embedding + (0 if count.tied else count.head), count.embedding if first else count.head
    )
    in_layers = count.total - count.routed_experts - count.embedding - (0 if count.tied else count.head)
    dense = (in_layers * layers + ends) / layout.tensor
    experts = count.routed_experts * layers / layout.expert

    def state(each: Number, stage: int) -> Number:
        shards = (layout.replicas, layout.expert_replicas) if layout.zero >= stage else (1, 1)
        return each * (dense / shards[0] + experts / shards[1])

    used = activation_bytes(
        llm,
        layout=layout,
        sequence=sequence,
        micro_batch=micro_batch,
        recompute=recompute,
        in_flight=layout.pipeline if first else 1,
    )
    logits = logit_bytes(llm, layout=layout, sequence=sequence, micro_batch=micro_batch)
    return MemoryUse(
        weights=state(kept.weight, 3),
        gradients=state(kept.gradient, 2),
        optimizer=state(kept.optimizer, 1),
        activations=used,
        logits=np.where(alone, logits, 0 * logits) if first else logits,
    )


def _attention_bytes(llm: LanguageModel) -> Number:
    """Queries, keys, values and the output of attention, of one token and layer."""
    latent = llm.latent_attention
    if latent is not None:
        key = latent.nope_head_size + latent.rope_head_size
        return 2 * llm.heads * (2 * key + 2 * latent.value_head_size)
    cached = sum(kv_elements_per_token(llm)) / llm.layers
    return 2 * (2 * llm.heads * llm.head_size + cached)


def _feed_forward_bytes(llm: LanguageModel) -> Number:
    """What the feed-forward keeps of one token, on average over the layers."""
    dense = (6 if llm.gated else 4) * llm.ffn_size
    experts = llm.experts
    if experts is None:
        return dense
    routed = experts.active * (6 * experts.ffn_size + 4 * llm.hidden_size)
    shared = 6 * experts.shared * (experts.shared_ffn_size or experts.ffn_size)
    return (llm.dense_layers * dense + llm.expert_layers * (routed + shared)) / llm.layers


def _chosen(fuller: Number, first: Number, last: Number) -> Number:
    """Of the fuller stage; a plain number where everything was one."""
    picked = np.asarray(np.where(fuller, first, last))
    return picked.item() if np.ndim(picked) == 0 else picked
