"""What serving takes of accelerators: per request, per million tokens of each kind, and under a limit on latency.

A request occupies a replica for one prefill and for its share of the decode steps it takes part in; every quantity
here is a part of that, so that input and output add up to the whole.
"""

from typing import Final

import numpy as np

from service.domain.language_model import LanguageModel  # noqa: F401  the examples build one
from service.formulas.architecture import kv_cache_bytes
from service.formulas.flops import SECONDS_PER_HOUR
from service.formulas.numbers import Number
from service.formulas.serving import Replica, decode_seconds, prefill_seconds, seconds_per_output_token

MILLION: Final = 1_000_000
HALVINGS: Final = 48
"""Enough to find any batch below 2 to the 48."""


def seconds_to_first_token(
    replica: Replica, *, batch: Number, input_tokens: Number, cached_tokens: Number = 0
) -> Number:
    r"""The least time from a request to its first token, at a replica that need not queue it.

    .. math:: t_1 = t_{pre}(n) + t_{dec}(B, n + h)

    Symbols:
        t_1: time to the first token [s]
        t_pre, t_dec: `serving.prefill_seconds`, `serving.decode_seconds` [s]
        n, h: prompt tokens that are not cached, that are [Tokens]
        B: sequences served at once [1]

    Limits: a lower bound. A queue comes on top, and decides in practice: as a prediction this is off by 85 % in the
    median of 3,097 measurements, so use it to rule out, not to promise.

    Reference: as `serving.decode_seconds`.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> round(float(seconds_to_first_token(one, batch=64, input_tokens=1024)) * 1000)
    70
    """
    step = decode_seconds(replica, batch=batch, context=input_tokens + cached_tokens)
    return prefill_seconds(replica, tokens=input_tokens) + step


def seconds_per_request(
    replica: Replica, *, batch: Number, input_tokens: Number, output_tokens: Number, cached_tokens: Number = 0
) -> Number:
    r"""How long a request occupies a replica that serves a batch of them: its own share, not its latency.

    .. math:: o = t_{pre}(n) + \frac{m}{B}\,t_{dec}(B, n + h + m/2) + h\,o_h

    Symbols:
        o: occupation [s]; 1/o requests are answered a second
        t_pre, t_dec: `serving.prefill_seconds`, `serving.decode_seconds` [s]
        o_h: `cached_token_seconds` [s]
        B: sequences served at once [1]
        n, h, m: prompt tokens that are not cached, that are, output tokens [Tokens]

    Limits: the replica is always full; see `fleet.replicas` for one that is not.

    Reference: as `serving.seconds_per_output_token`, of which it is the throughput once the first tokens are past.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> round(float(seconds_per_request(one, batch=64, input_tokens=1024, output_tokens=1024)), 3)
    0.343
    """
    decoding = decode_seconds(replica, batch=batch, context=input_tokens + cached_tokens + output_tokens / 2)
    restored = cached_tokens * cached_token_seconds(replica)
    return prefill_seconds(replica, tokens=input_tokens) + output_tokens / batch * decoding + restored


def cached_token_seconds(replica: Replica) -> Number:
    r"""Time to bring one cached prompt token back.

    .. math:: o_h = \frac{M_{kv}(1)}{g\,\eta_m W}

    Symbols:
        o_h: time [s]
        M_kv: `architecture.kv_cache_bytes` of one token [bytes]
        g: accelerators the cache is divided over, at most the key-value heads; 1 with latent attention [GPUs]
        W, eta_m: memory bandwidth [bytes/s], share of it reached [1]

    Limits: a lower bound, for a cache in accelerator memory; in host memory or on disk the link there decides.

    Reference: the bytes are those of `architecture.kv_cache_bytes`.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> round(float(cached_token_seconds(one)) * 1e9, 1)
    16.5
    """
    llm = replica.llm
    sharers = 1 if llm.latent_attention else np.minimum(replica.accelerators, llm.kv_heads)
    kept = kv_cache_bytes(llm, tokens=1, bytes_per_element=replica.kv_bytes)
    return kept / (sharers * replica.efficiency.memory * replica.bandwidth)


def input_accelerator_hours(replica: Replica, *, input_tokens: Number) -> Number:
    r"""Accelerator-hours to read a million prompt tokens.

    .. math:: H_i = \frac{10^6\,G\,t_{pre}(n)}{3600\,n}

    Symbols:
        H_i: accelerator-hours per million [GPU-Hours/1000000 Tokens]
        G: accelerators of the replica [GPUs]
        t_pre: `serving.prefill_seconds` [s]; n: prompt tokens of a request [Tokens]

    Limits: the replica is always full.

    Reference: input and output shared out by the time they take, not by their numbers.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> round(float(input_accelerator_hours(one, input_tokens=1024)), 3)
    0.114
    """
    seconds = prefill_seconds(replica, tokens=input_tokens) / input_tokens
    return MILLION * replica.accelerators * seconds / SECONDS_PER_HOUR


def output_accelerator_hours(replica: Replica, *, batch: Number, input_tokens: Number, output_tokens: Number) -> Number:
    r"""Accelerator-hours to write a million tokens.

    .. math:: H_o = \frac{10^6\,G\,t_{dec}(B, n + m/2)}{3600\,B}

    Symbols:
        H_o: accelerator-hours per million [GPU-Hours/1000000 Tokens]
        G, B: accelerators of the replica, sequences served at once [GPUs], [1]
        t_dec: `serving.decode_seconds` [s]; n, m: input, cached ones included, and output tokens [Tokens]

    Limits: the replica is always full.

    Reference: as `input_accelerator_hours`.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> round(float(output_accelerator_hours(one, batch=64, input_tokens=1024, output_tokens=1024)), 3)
    0.63
    """
    step = decode_seconds(replica, batch=batch, context=input_tokens + output_tokens / 2)
    return MILLION * replica.accelerators * step / (batch * SECONDS_PER_HOUR)


def cached_accelerator_hours(replica: Replica) -> Number:
    r"""Accelerator-hours to bring a million cached prompt tokens back.

    .. math:: H_h = \frac{10^6\,G\,o_h}{3600}

    Symbols:
        H_h: accelerator-hours per million [GPU-Hours/1000000 Tokens]
        G: accelerators of the replica [GPUs]; o_h: `cached_token_seconds` [s]

    Limits: as `cached_token_seconds`; the memory the cache takes while it waits is not in it.

    Reference: as `input_accelerator_hours`.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> round(float(cached_accelerator_hours(one)), 6)
    3.7e-05
    """
    return MILLION * replica.accelerators * cached_token_seconds(replica) / SECONDS_PER_HOUR


def batch_within(
    replica: Replica,
    *,
    most: Number,
    seconds_per_token: Number,
    input_tokens: Number,
    output_tokens: Number,
    cached_tokens: Number = 0,
) -> Number:
    r"""The most sequences served at once while every one gets its tokens in time; 0 where not even one does.

    .. math:: B = \max \{b \le B_{mem} : t_{out}(b) \le \tau\}

    Symbols:
        B: sequences [1]
        B_mem: those that fit into memory, `serving.largest_batch` [1]
        t_out: `serving.seconds_per_output_token` [s], which grows with b
        tau: longest time per output token that is allowed [s]

    Limits: the mean over tokens; a percentile of a bursty service is worse.

    Reference: as `serving.seconds_per_output_token`.

    >>> llama = LanguageModel(name="Llama 3 70B", layers=80, hidden_size=8192, heads=64, kv_heads=8, head_size=128,
    ...                       ffn_size=28672, vocabulary=128256)
    >>> one = Replica(llm=llama, accelerators=8, bandwidth=3.35e12, peak_flops=989e12, link_bandwidth=450e9)
    >>> float(batch_within(one, most=306, seconds_per_token=0.022, input_tokens=1024, output_tokens=1024))
    69.0
    """
    low = np.zeros(np.broadcast_shapes(np.shape(most), np.shape(seconds_per_token)))
    high = np.maximum(np.floor(most), 0.0) + low
    for _ in range(HALVINGS):
        middle = np.maximum(np.ceil((low + high) / 2), 1.0)
        time = seconds_per_output_token(
            replica,
            batch=middle,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cached_tokens=cached_tokens,
        )
        fits = (time <= seconds_per_token) & (middle <= high)
        low, high = np.where(fits, middle, low), np.where(fits, high, np.minimum(middle - 1, high))
    return low
