"""Floating-point operations: of one token, of a training run; and what a rate of them means in hours."""

from service.domain.language_model import LanguageModel
from service.formulas.architecture import parameters
from service.formulas.numbers import Number, smaller

SECONDS_PER_HOUR = 3600


def forward_flops_per_token(llm: LanguageModel, *, context: Number) -> Number:
    r"""FLOPs to pass one token forward that looks back on `context` tokens.

    .. math:: f = 2 N_{mm} + 4 c \sum_l n_h d_h, \quad c_l = \min(c, w_l)

    Symbols:
        f: operations, a multiplication and an addition each counted [FLOP]
        N_mm: active parameters a token is multiplied with, head included, input embedding not [1]
        c: tokens looked back on [Tokens]; w: window of a windowed layer [Tokens]
        n_h: query heads [1]
        d_h: head size [1]; with latent attention the mean of key and value size

    Limits: softmax, norms and activations are left out (about 1 % at sizes above 1B).

    Reference: Kaplan et al., arXiv:2001.08361; Austin et al., "How to Scale Your Model", chapter 4.

    >>> gpt3 = LanguageModel(name="GPT-3", layers=96, hidden_size=12288, heads=96, kv_heads=96, head_size=128,
    ...                      ffn_size=49152, gated=False, vocabulary=50257, tied_embeddings=True)
    >>> round(forward_flops_per_token(gpt3, context=1024) / 1e9, 1)
    354.0
    """
    full = llm.layers - llm.windowed_layers
    windowed = smaller(context, llm.window) if llm.window is not None else context
    looked_at = full * context + llm.windowed_layers * windowed
    return 2 * parameters(llm).multiplied + 4 * looked_at * llm.heads * _scored_head_size(llm)


def training_flops(
    llm: LanguageModel, *, tokens: Number, sequence: Number, causal: bool = True, recompute: Number = 0
) -> Number:
    r"""FLOPs of a training run.

    .. math:: C = (3 + \rho)\,D\,f(c), \quad c = s/2 \text{ causal}, \; s \text{ if the full square is counted}

    Symbols:
        C: operations [FLOP]
        D: tokens trained on [Tokens]
        f: `forward_flops_per_token` [FLOP]; the backward pass takes twice as much
        s: sequence length [Tokens]
        rho: share of the forward pass computed again, 0 for none, 1 for full activation recomputation [1]

    Limits: `recompute` belongs to hardware utilisation, not to model utilisation: leave it 0 for MFU. PaLM and
    Megatron count the full square (`causal=False`); DeepSeek-V3 reports both.

    Reference: Chowdhery et al. (PaLM), arXiv:2204.02311, appendix B; Narayanan et al., arXiv:2104.04473, eq. 3.

    >>> llama = LanguageModel(name="Llama 3.1 405B", layers=126, hidden_size=16384, heads=128, kv_heads=8,
    ...                       head_size=128, ffn_size=53248, vocabulary=128256)
    >>> f"{training_flops(llama, tokens=15.6e12, sequence=8192):.3g}"
    '3.94e+25'
    """
    context = sequence / 2 if causal else sequence
    return (3 + recompute) * tokens * forward_flops_per_token(llm, context=context)


def six_n_d(*, active_parameters: Number, tokens: Number) -> Number:
    r"""The rule of thumb for the FLOPs of a training run.

    .. math:: C = 6 N D

    Symbols:
        C: operations [FLOP]
        N: active parameters [1]
        D: tokens [Tokens]

    Limits: no attention (at 4d-wide feed-forwards s/(8d) of the rest), input embeddings counted as multiplied.

    Reference: Kaplan et al., arXiv:2001.08361, section 2.1.

    >>> f"{six_n_d(active_parameters=405e9, tokens=15.6e12):.3g}"
    '3.79e+25'
    """
    return 6 * active_parameters * tokens


def accelerator_hours(*, flops: Number, peak_flops: Number, utilisation: Number, goodput: Number = 1) -> Number:
    r"""Accelerator-hours to do so many operations.

    .. math:: H = \frac{C}{3600\,P\,u\,g}

    Symbols:
        H: accelerator-hours [GPU-Hours]
        C: operations [FLOP]
        P: dense peak of one accelerator at the precision used [FLOP/s]
        u: model FLOPs utilisation [1]
        g: share of the time that makes progress [1]

    Limits: a utilisation measured over a whole run has its goodput inside. Vendor pages print sparse peaks, twice
    the dense ones.

    Reference: Chowdhery et al. (PaLM), arXiv:2204.02311, appendix B.

    >>> round(accelerator_hours(flops=6 * 65.2e9 * 1.4e12, peak_flops=312e12, utilisation=0.4769))
    1022451
    """
    return flops / (SECONDS_PER_HOUR * peak_flops * utilisation * goodput)


def _scored_head_size(llm: LanguageModel) -> float:
    """Size of one head as attention sees it: keys are scored and values summed."""
    latent = llm.latent_attention
    if latent is None:
        return llm.head_size
    return (latent.nope_head_size + latent.rope_head_size + latent.value_head_size) / 2
