"""Serving a language model: what a decode step and a prefill take, how many sequences fit, what that yields.

A roofline with a few measured constants. Two terms that most calculators leave out decide small
batches and mixtures of experts: a fixed time per layer, and that a batch touches more experts than
one token does. A third decides 4-bit formats and full batches: the memory traffic between products.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from service.domain.language_model import LanguageModel
from service.formulas.architecture import feed_forward_parameters, kv_cache_bytes, parameters
from service.formulas.flops import forward_flops_per_token
from service.formulas.numbers import Number
from service.formulas.utilisation import ROUTED_TRAFFIC

BYTES_OF_ACTIVATION: Final = 2
"""Activations that cross the link are bf16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Efficiency:
    """What engines reach of what the hardware sheet promises.

    Fitted once over 2,629 measured configurations (7 model families, 4 GPU types, 3 engines): InferenceX
    measurements redistributed in ai-dynamo/aiconfigurator (Apache-2.0), read 2026-10; median error of the time
    per output token 18 % on them, 20 to 22 % on families, GPUs or engines left out of the fit. That was before
    `traffic_bytes`, which is from training and left them as they were.
    """

    memory: float = 0.74
    """Share of the memory bandwidth a decode step reaches [1]."""
    compute: float = 0.25
    """Share of the dense peak a large decode batch reaches [1]; 0.17 to 0.51 fit about as well."""
    prefill: float = 1.0
    """Share of the dense peak prefill reaches [1]; above what kernels do, for it hides behind decode steps."""
    link: float = 0.33
    """Share of the one-direction link bandwidth an all-reduce reaches [1]."""
    layer_seconds: float = 58e-6
    """Fixed time of a layer [s]: kernel launches, norms, sampling."""
    allreduce_seconds: float = 17e-6
    """Fixed time of one all-reduce [s]; a layer has two."""
    traffic_bytes: float = 113.0
    """Memory traffic of a layer between matrix products [bytes per token and hidden unit]; not fitted to serving.

    A third, the forward pass, of the 339 bytes that training benchmarks show of both passes.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One copy of a model on its accelerators."""

    llm: LanguageModel
    accelerators: Number
    """How many hold it together, tensor-parallel [GPUs]."""
    bandwidth: Number
    """Memory bandwidth of one [bytes/s]."""
    peak_flops: Number
    """Dense peak of one at the precision of the mathematics [FLOP/s]."""
    link_bandwidth: Number
    """Scale-up link of one, one direction [bytes/s]."""
    peak_flops_16bit: Number | None = None
    """Dense peak of one at 16 bits, in which attention runs [FLOP/s]; that of the mathematics where absent."""
    weight_bytes: Number = 2
    """Bytes of one weight: 2 for bf16, 1 for fp8, 0.5 for fp4 (plus scales)."""
    kv_bytes: Number = 2
    """Bytes of one cached number."""
    efficiency: Efficiency = Efficiency()


def distinct_experts(*, experts: Number, active: Number, tokens: Number) -> Number:
    r"""Experts of a layer that a batch of tokens touches, each choosing evenly.

    .. math:: T = E\,\bigl(1 - (1 - k/E)^B\bigr)

    Symbols:
        T: distinct experts [1]
        E: routed experts [1]
        k: experts per token [1]
        B: tokens in the step [Tokens]

    Limits: even routing; real routers are uneven, so it is an upper bound at small batches.

    Reference: the expected number of occupied boxes; Austin et al., "How to Scale Your Model", inference chapter.

    >>> distinct_experts(experts=256, active=8, tokens=1)
    8.0
    >>> round(distinct_experts(experts=256, active=8, tokens=64), 1)
    222.4
    """
    return experts * (1 - (1 - active / experts) ** tokens)


def traffic_bytes_per_token(replica: Replica) -> Number:
    r"""Memory a token passes through between matrix products: norms, residuals, activations, copies sent to experts.

    .. math:: M_a = \alpha\,d\,(L + \kappa\,k\,L_e)

    Symbols:
        M_a: bytes read and written [bytes]
        alpha: `Efficiency.traffic_bytes`, of a layer and hidden unit [bytes]
        d, L: hidden size, layers [1]
        k, L_e: experts per token, layers with experts [1]
        kappa: 0.25, traffic of one routed copy over that of a layer [1]

    Limits: how much an engine fuses differs; alpha is measured in training.

    Reference: as `utilisation.seconds_per_token`, from which alpha and kappa are.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> round(float(traffic_bytes_per_token(one)) / 1e6, 1)
    74.1
    """
    llm = replica.llm
    routed = ROUTED_TRAFFIC * llm.experts.active * llm.expert_layers if llm.experts else 0
    return replica.efficiency.traffic_bytes * llm.hidden_size * (llm.layers + routed)


def decode_weight_bytes(replica: Replica, *, batch: Number) -> Number:
    r"""Weights a decode step reads, on one accelerator.

    .. math:: M_w = \frac{b}{G}\,\Bigl(N_{mm} - L_e k F_e + L_e T(B) F_e\Bigr)

    Symbols:
        M_w: bytes read [bytes]
        b: bytes of a weight [bytes]
        G: accelerators [GPUs]
        N_mm: parameters one token is multiplied with [1]
        L_e, k, F_e: layers with experts, experts per token, parameters of one expert [1]
        T(B): `distinct_experts` of the batch [1]

    Limits: weights lie evenly; the output head is read once a step.

    Reference: Pope et al., "Efficiently Scaling Transformer Inference", arXiv:2211.05102.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> round(float(decode_weight_bytes(one, batch=1)) / 1e9, 2)
    17.38
    """
    llm, experts = replica.llm, replica.llm.experts
    count = parameters(llm)
    touched = count.multiplied - count.active_routed_experts
    if experts is not None:
        one = feed_forward_parameters(llm.hidden_size, experts.ffn_size) * llm.expert_layers
        touched = touched + one * distinct_experts(experts=experts.total, active=experts.active, tokens=batch)
    return touched * replica.weight_bytes / replica.accelerators


def decode_seconds(replica: Replica, *, batch: Number, context: Number) -> Number:
    r"""Time of one decode step: one new token for every sequence of the batch.

    .. math:: t = \max\Bigl(\frac{M_w + B\,M_{kv}(c)/g}{\eta_m W}, \frac{B f(c)/G}{\eta_c P}\Bigr)
        + \frac{B M_a}{G W} + L a_0 + [G>1]\Bigl(2 L a_1 + \frac{4 L B d\,(G-1)/G}{\eta_n W_n}\cdot 2\Bigr)

    Symbols:
        t: time [s]
        M_a: `traffic_bytes_per_token` [bytes]
        M_w: `decode_weight_bytes` [bytes]; M_kv: `kv_cache_bytes` of one sequence [bytes]
        B, c: sequences, mean tokens of context [1], [Tokens]
        g: accelerators the cache is divided over, at most the key-value heads; 1 with latent attention [GPUs]
        f: `forward_flops_per_token` [FLOP]
        W, P, W_n: bandwidth, dense peak, link [bytes/s], [FLOP/s], [bytes/s]
        eta, a_0, a_1: `Efficiency`
        L, d, G: layers, hidden size, accelerators

    Limits: tensor parallelism within one scale-up domain; no speculative decoding. Version 1 left out M_a.

    Reference: Pope et al., arXiv:2211.05102; constants as in `Efficiency`.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> round(float(decode_seconds(one, batch=1, context=1024)) * 1000, 1)
    14.4
    """
    llm, reached = replica.llm, replica.efficiency
    sharers = 1 if llm.latent_attention else np.minimum(replica.accelerators, llm.kv_heads)
    cache = batch * kv_cache_bytes(llm, tokens=context, bytes_per_element=replica.kv_bytes) / sharers
    reading = (decode_weight_bytes(replica, batch=batch) + cache) / (reached.memory * replica.bandwidth)
    flops = batch * forward_flops_per_token(llm, context=context) / replica.accelerators
    return (
        np.maximum(reading, flops / (reached.compute * replica.peak_flops))
        + batch * _traffic_seconds(replica)
        + llm.layers * reached.layer_seconds
        + _communication(replica, tokens=batch)
    )


def prefill_seconds(replica: Replica, *, tokens: Number) -> Number:
    r"""Time to read the prompt of one request.

    .. math:: t = \frac{n}{G}\,\Bigl(\frac{f(0)}{\eta_p P} + \frac{f(n/2) - f(0)}{\eta_p P_{16}}
        + \frac{M_a}{W}\Bigr) + \text{communication}

    Symbols:
        t: time [s]
        n: prompt tokens that are not cached [Tokens]
        f: `forward_flops_per_token`, looking back on half the prompt on average [FLOP]
        G, P, P_16: accelerators, dense peaks of one, at the format of the products and at 16 bits [GPUs], [FLOP/s]
        eta_p: `Efficiency.prefill` [1]
        M_a, W: `traffic_bytes_per_token`, bandwidth [bytes], [bytes/s]

    Limits: a lower bound of the time to the first token, which also waits in a queue; only use it to share time out.
    Version 1 left out M_a and took attention at P.

    Reference: as `decode_seconds`; the terms are those of `utilisation.seconds_per_token`.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> round(float(prefill_seconds(one, tokens=1024)) * 1000, 1)
    52.6
    """
    products = forward_flops_per_token(replica.llm, context=0)
    scores = forward_flops_per_token(replica.llm, context=tokens / 2) - products
    sixteen = replica.peak_flops if replica.peak_flops_16bit is None else replica.peak_flops_16bit
    work = (products / replica.peak_flops + scores / sixteen) / (replica.accelerators * replica.efficiency.prefill)
    return tokens * (work + _traffic_seconds(replica)) + _transfer(replica, tokens=tokens)


def seconds_per_output_token(
    replica: Replica, *, batch: Number, input_tokens: Number, output_tokens: Number, cached_tokens: Number = 0
) -> Number:
    r"""Time per output token of a sequence, in a loop that always serves `batch` of them.

    .. math:: t_{out} = t_{dec}(B, n + h + m/2) + \frac{B-1}{m}\,t_{pre}(n)

    Symbols:
        t_out: time per output token [s]
        t_dec, t_pre: `decode_seconds`, `prefill_seconds` [s]
        B: sequences served at once [1]
        n, h, m: prompt tokens that are not cached, that are, output tokens [Tokens]

    Limits: the prefill of every other sequence interrupts; chunked prefill hides some of it. No queue.

    Reference: as `Efficiency`; leaving the second term out doubles the error.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> round(float(seconds_per_output_token(one, batch=64, input_tokens=1024, output_tokens=1024)) * 1000, 1)
    21.4
    """
    step = decode_seconds(replica, batch=batch, context=input_tokens + cached_tokens + output_tokens / 2)
    return step + (batch - 1) / output_tokens * prefill_seconds(replica, tokens=input_tokens)


def largest_batch(
    replica: Replica,
    *,
    memory: Number,
    context: Number,
    usable: Number = 0.9,
    reserved: Number = 3e9,
) -> Number:
    r"""Sequences whose cache fits beside the weights; below 1 the model does not fit.

    .. math:: B = \Bigl\lfloor \frac{u\,G M - b N - G r}{M_{kv}(c)} \Bigr\rfloor

    Symbols:
        B: sequences [1]
        u: share of memory the engine may use [1]
        G, M: accelerators, memory of one [GPUs], [bytes]
        b, N: bytes of a weight, parameters [bytes], [1]
        r: reserved for activations, buffers and the runtime [bytes]
        M_kv: `kv_cache_bytes` of one sequence at its full context, times the copies kept [bytes]

    Limits: caches are divided over at most the key-value heads; latent attention keeps one copy on each.

    Reference: as `Efficiency`; predicts 66 published TensorRT-LLM maximum throughputs to 19 % in the median.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> float(largest_batch(one, memory=80e9, context=4096))
    306.0
    """
    llm = replica.llm
    sharers = 1 if llm.latent_attention else np.minimum(replica.accelerators, llm.kv_heads)
    copies = replica.accelerators / sharers
    room = usable * replica.accelerators * memory - parameters(llm).total * replica.weight_bytes
    of_one = copies * kv_cache_bytes(llm, tokens=context, bytes_per_element=replica.kv_bytes)
    return np.floor((room - replica.accelerators * reserved) / of_one)


def output_tokens_per_second(replica: Replica, *, batch: Number, input_tokens: Number, output_tokens: Number) -> Number:
    r"""Output tokens a replica gives each second.

    .. math:: y = B / t_{out}

    Symbols:
        y: output tokens per second [Tokens/s]
        B: sequences served at once [1]
        t_out: `seconds_per_output_token` [s]

    Limits: the replica is always full; a service on average is not.

    Reference: as `seconds_per_output_token`.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> round(float(output_tokens_per_second(one, batch=64, input_tokens=1024, output_tokens=1024)), -1)
    2990.0
    """
    return batch / seconds_per_output_token(
        replica, batch=batch, input_tokens=input_tokens, output_tokens=output_tokens
    )


def _traffic_seconds(replica: Replica) -> Number:
    """Of one token, the accelerators sharing it."""
    return traffic_bytes_per_token(replica) / (replica.accelerators * replica.bandwidth)


def _communication(replica: Replica, *, tokens: Number) -> Number:
    """Two all-reduces a layer: their fixed times, and the bytes they move."""
    fixed = 2 * replica.llm.layers * replica.efficiency.allreduce_seconds
    return np.where(np.asarray(replica.accelerators) > 1, fixed, 0.0) + _transfer(replica, tokens=tokens)


def _transfer(replica: Replica, *, tokens: Number) -> Number:
    llm, many = replica.llm, replica.accelerators
    moved = 2 * 2 * llm.layers * tokens * llm.hidden_size * BYTES_OF_ACTIVATION * (many - 1) / many
    return moved / (replica.efficiency.link * replica.link_bandwidth)
