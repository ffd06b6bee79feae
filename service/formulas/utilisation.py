"""How much of their peak accelerators reach in training: from the time each part of a token's work takes.

The time of one token on one accelerator is the sum of matrix products, attention, and the memory traffic between
them, or the exchange of tokens between experts where that takes longer. A whole run reaches less than a benchmark.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from service.domain.language_model import LanguageModel
from service.formulas.architecture import parameters
from service.formulas.numbers import Number
from service.formulas.training_efficiency import TrainingEfficiency

BACKWARD_AND_FORWARD: Final = 3
"""The backward pass takes two forward passes."""
EXCHANGES: Final = 4
"""A token is sent to its experts and back, in the forward and in the backward pass."""
ACTIVATION_BYTES: Final = 2
ROUTED_TRAFFIC: Final = 0.25
"""Memory traffic of one routed copy of a token, permuted and combined, over that of a whole layer."""
KEPT_BYTES: Final = 34
"""Activations of a layer per token and hidden unit, Korthikanti et al., arXiv:2205.05198."""
STATE_BYTES: Final = 18
"""Weights, gradients and optimizer per parameter, mixed-precision AdamW with fp32 gradients."""
USABLE_MEMORY: Final = 0.9
DEPTH_OF_WIDTH: Final = 100
"""Hidden units per layer of a usual model; Kaplan et al., arXiv:2001.08361, find 50 to 130 about equally good."""
EIGHTY_PERCENT: Final = 1.2816
"""Standard deviations from the middle to either end of an 80 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What of an architecture decides how fast it trains."""

    multiplied: Number
    """Active parameters a token is multiplied with [1]."""
    total: Number
    """All parameters [1]."""
    layers: Number
    hidden_size: Number
    attention_size: Number
    """Heads times head size."""
    attended_layers: Number
    """Layers whose attention sees the whole sequence."""
    experts_per_token: Number = 0
    expert_layers: Number = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingHardware:
    """One accelerator and its neighbours. Peaks are dense, bandwidths in one direction."""

    peak_flops: Number
    """At the format of the matrix products [FLOP/s]."""
    peak_flops_16bit: Number
    """At bf16 or fp16, in which attention runs [FLOP/s]."""
    bandwidth: Number
    """Of memory [bytes/s]."""
    memory: Number
    """Of one [bytes]."""
    link_bandwidth: Number
    """Scale-up link of one [bytes/s]."""
    domain: Number = 8
    """Accelerators the scale-up link joins."""
    generation: str = "hopper"
    """ampere, hopper, blackwell, volta, tpu or cdna."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A central value and what it stays within four times out of five."""

    low: Number
    central: Number
    high: Number


def shape_of(llm: LanguageModel) -> Shape:
    r"""The shape of a known architecture.

    .. math:: N_{mm}, \; N, \; L, \; d, \; n_h d_h

    Symbols:
        N_mm, N: parameters a token is multiplied with, all of them [1]
        L, d: layers, hidden size [1]
        n_h d_h: attention size; with latent attention the mean of key and value size [1]

    Limits: windowed layers count as if they attended to nothing beyond their window, which is left out.

    Reference: `architecture.parameters`.

    >>> llama = LanguageModel(name="Llama 2 7B", layers=32, hidden_size=4096, heads=32, kv_heads=32, head_size=128,
    ...                       ffn_size=11008, vocabulary=32000)
    >>> shape_of(llama).multiplied
    6607343616
    """
    count, latent = parameters(llm), llm.latent_attention
    head = llm.head_size
    if latent is not None:
        head = (latent.nope_head_size + latent.rope_head_size + latent.value_head_size) // 2
    return Shape(
        multiplied=count.multiplied,
        total=count.total,
        layers=llm.layers,
        hidden_size=llm.hidden_size,
        attention_size=llm.heads * head,
        attended_layers=llm.layers - llm.windowed_layers,
        experts_per_token=llm.experts.active if llm.experts else 0,
        expert_layers=llm.expert_layers,
    )


def usual_shape(*, active_parameters: Number, total_parameters: Number | None = None, experts: Number = 0) -> Shape:
    r"""The shape a model of that size usually has, where nothing else is known of it.

    .. math:: N = 12 L d^2, \quad d = 100 L

    Symbols:
        N: active parameters [1]
        L, d: layers, hidden size [1]

    Limits: within about 20 % of the hidden sizes in use above 1B; far too wide for the deep and narrow.

    Reference: Kaplan et al., arXiv:2001.08361, section 3.

    >>> round(float(usual_shape(active_parameters=70e9).hidden_size))
    8355
    """
    hidden = (active_parameters * DEPTH_OF_WIDTH / 12) ** (1 / 3)
    layers = hidden / DEPTH_OF_WIDTH
    return Shape(
        multiplied=active_parameters,
        total=active_parameters if total_parameters is None else total_parameters,
        layers=layers,
        hidden_size=hidden,
        attention_size=hidden,
        attended_layers=layers,
        experts_per_token=experts,
        expert_layers=layers if np.any(np.asarray(experts) > 0) else 0,
    )


def counted_flops_per_token(shape: Shape, *, sequence: Number, causal: bool = True) -> Number:
    r"""Model FLOPs of one token in training, as utilisation counts them.

    .. math:: f = 6 N_{mm} + 6 L s\,n_h d_h, \quad 12 \text{ for the full square}

    Symbols:
        f: operations [FLOP]
        N_mm: parameters a token is multiplied with [1]
        L, s, n_h d_h: layers that attend to all, sequence [Tokens], attention size

    Limits: recomputation is not in it.

    Reference: Chowdhery et al. (PaLM), arXiv:2204.02311, appendix B.

    >>> counted_flops_per_token(usual_shape(active_parameters=12e9), sequence=0)
    72000000000.0
    """
    square = 6 if causal else 12
    attention = square * shape.attended_layers * sequence * shape.attention_size
    return 2 * BACKWARD_AND_FORWARD * shape.multiplied + attention


def seconds_per_token(
    shape: Shape,
    hardware: TrainingHardware,
    *,
    sequence: Number,
    accelerators: Number,
    efficiency: TrainingEfficiency | None = None,
) -> Number:
    r"""Time one accelerator spends on one token of training, in a benchmark without interruption.

    .. math:: t = \max\Bigl(\frac{6 N_{mm}}{\eta_g x P} + \frac{6 L s n_h d_h}{\eta_a \eta_g P_{16}}
        + \frac{\alpha L d (1 + k/4)}{W},\; \frac{8 k d L_e}{\eta_n W_n}\Bigr)
        (1 + \rho \kappa)(1 + \sigma \log_2 \tfrac{n}{n_d})

    Symbols:
        t: time [s]
        eta_g: share of the peak matrix products reach on the generation; x with experts [1]
        P, P_16: dense peaks at the format used and at 16 bits [FLOP/s]
        eta_a: share of eta_g attention reaches [1]
        alpha: memory traffic of a layer per token and hidden unit, both passes [bytes]; W: bandwidth [bytes/s]
        k, L_e: experts per token, layers with experts; W_n: scale-up link [bytes/s]; eta_n: share reached [1]
        rho: what full recomputation adds [1]; kappa: `recomputed_share` [1]
        sigma: loss for every doubling of the accelerators n beyond a scale-up domain n_d [1]
        L, s, n_h d_h, d, N_mm: `Shape`, sequence [Tokens]

    Limits: nothing is known of the software; experts of one layer fit into a scale-up domain.

    Reference: the roofline of Austin et al., "How to Scale Your Model", chapter 5; constants: `TrainingEfficiency`.

    >>> a100 = TrainingHardware(peak_flops=312e12, peak_flops_16bit=312e12, bandwidth=2.04e12, memory=80e9,
    ...                         link_bandwidth=300e9, generation="ampere")
    >>> seconds = seconds_per_token(usual_shape(active_parameters=7e9), a100, sequence=2048, accelerators=64)
    >>> bool(3000 < 1 / seconds < 6000)
    True
    """
    reached = efficiency or TrainingEfficiency()
    matmul = reached.matmul(hardware.generation)
    product = 6 * shape.multiplied / (matmul * _with_experts(shape, reached) * hardware.peak_flops)
    scored = 6 * shape.attended_layers * sequence * shape.attention_size
    scoring = scored / (reached.attention * matmul * hardware.peak_flops_16bit)
    traffic = reached.traffic_bytes * shape.layers * shape.hidden_size * (1 + ROUTED_TRAFFIC * shape.experts_per_token)
    exchanged = EXCHANGES * ACTIVATION_BYTES * shape.experts_per_token * shape.hidden_size * shape.expert_layers
    alone = np.maximum(
        product + scoring + traffic / hardware.bandwidth, exchanged / (reached.link * hardware.link_bandwidth)
    )
    again = recomputed_share(shape, hardware, sequence=sequence, accelerators=accelerators)
    doublings = np.log2(np.maximum(accelerators / hardware.domain, 1))
    return alone * (1 + reached.recompute * again) * (1 + reached.doubling * doublings)


def recomputed_share(shape: Shape, hardware: TrainingHardware, *, sequence: Number, accelerators: Number) -> Number:
    r"""Share of the activations that do not fit beside fully sharded states and are computed again.

    .. math:: \kappa = 1 - \frac{0.9 M - 18 N / n}{34 s L d}, \text{ within 0 and 1}

    Symbols:
        kappa: share [1]
        M: memory of one accelerator [bytes]
        N, n: parameters, accelerators [1], [GPUs]
        s, L, d: sequence [Tokens], layers, hidden size

    Limits: a rule for a run whose layout is not known; `memory.training_memory` is for one that is.

    Reference: Rajbhandari et al., arXiv:1910.02054; Korthikanti et al., arXiv:2205.05198.

    >>> h100 = TrainingHardware(peak_flops=989e12, peak_flops_16bit=989e12, bandwidth=3.35e12, memory=80e9,
    ...                         link_bandwidth=450e9)
    >>> float(recomputed_share(usual_shape(active_parameters=7e9), h100, sequence=2048, accelerators=8))
    0.0
    >>> float(recomputed_share(usual_shape(active_parameters=70e9), h100, sequence=8192, accelerators=8))
    1.0
    """
    room = USABLE_MEMORY * hardware.memory - STATE_BYTES * shape.total / accelerators
    activations = KEPT_BYTES * sequence * shape.layers * shape.hidden_size
    return np.clip(1 - room / activations, 0.0, 1.0)


def model_flops_utilisation(
    shape: Shape,
    hardware: TrainingHardware,
    *,
    sequence: Number,
    accelerators: Number,
    causal: bool = True,
    efficiency: TrainingEfficiency | None = None,
) -> Number:
    r"""Share of the dense peak that a training benchmark turns into model FLOPs.

    .. math:: u = \frac{f}{P\,t}

    Symbols:
        u: model FLOPs utilisation [1]
        f: `counted_flops_per_token` [FLOP]
        t: `seconds_per_token` [s]
        P: dense peak at the format used [FLOP/s]

    Limits: of a benchmark; a whole run reaches `run_factor` of it.

    Reference: Chowdhery et al. (PaLM), arXiv:2204.02311, appendix B.

    >>> h100 = TrainingHardware(peak_flops=989e12, peak_flops_16bit=989e12, bandwidth=3.35e12, memory=80e9,
    ...                         link_bandwidth=450e9)
    >>> u = model_flops_utilisation(usual_shape(active_parameters=13e9), h100, sequence=2048, accelerators=64)
    >>> bool(0.35 < u < 0.47)
    True
    """
    time = seconds_per_token(shape, hardware, sequence=sequence, accelerators=accelerators, efficiency=efficiency)
    counted = counted_flops_per_token(shape, sequence=sequence, causal=causal)
    return counted / (hardware.peak_flops * time)


def run_factor(*, accelerators: Number, experts: bool = False, efficiency: TrainingEfficiency | None = None) -> Number:
    r"""Utilisation of a whole run over that of a benchmark on the same hardware.

    .. math:: r = r_0\,\max(n/8, 1)^{-\gamma}\,[x_e]

    Symbols:
        r: factor [1]
        r_0: a run on a single server over a benchmark, 0.95 [1]
        n: accelerators [GPUs]
        gamma: loss with size: stragglers, exposed communication, failures, small shares of a batch [1]
        x_e: with experts only: what their trainers tune beyond public benchmarks [1]

    Limits: goodput is inside. Development runs are not.

    Reference: `TrainingEfficiency`.

    >>> float(run_factor(accelerators=8))
    0.95
    >>> 0.6 < float(run_factor(accelerators=512)) < 0.8
    True
    """
    reached = efficiency or TrainingEfficiency()
    nodes = np.maximum(np.asarray(accelerators) / 8, 1.0)
    tuned = reached.expert_tuning if experts else 1.0
    return reached.one_server * tuned * nodes**-reached.size_loss


def interval(central: Number, *, spread: Number) -> Interval:
    r"""An 80 % interval of a quantity whose logarithm is normal.

    .. math:: [c\,e^{-1.2816 s},\; c\,e^{1.2816 s}]

    Symbols:
        c: central value
        s: standard deviation of the logarithm [1]

    Limits: positive quantities.

    Reference: quantiles of the log-normal distribution.

    >>> band = interval(100.0, spread=0.3)
    >>> round(float(band.low)), round(float(band.high))
    (68, 147)
    """
    factor = np.exp(EIGHTY_PERCENT * np.asarray(spread))
    return Interval(low=central / factor, central=central, high=central * factor)


def _with_experts(shape: Shape, reached: TrainingEfficiency) -> Number:
    """Many small products reach less than one large."""
    return np.where(np.asarray(shape.experts_per_token) > 0, reached.expert_products, 1.0)
