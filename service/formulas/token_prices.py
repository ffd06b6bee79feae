"""A query at the prices of an API, with tiers, caches and batches; and from when serving it yourself is cheaper."""

from typing import Final

import numpy as np

from service.formulas.numbers import Number

TOKENS_PER_PRICE: Final = 1_000_000


def tiered_price(*, prompt_tokens: Number, price: Number, threshold: Number, price_above: Number) -> Number:
    r"""The price that holds for a prompt of that length, where long contexts cost more.

    .. math:: p = \begin{cases} p_1 & n \le \theta \\ p_2 & n > \theta \end{cases}

    Symbols:
        p: price that holds [currency/1000000 Tokens]
        n: tokens of the prompt, cached ones included [Tokens]
        theta: longest prompt of the first tier [Tokens]
        p_1, p_2: price up to it, beyond it [currency/1000000 Tokens]

    Limits: the whole request is at one price, input and output each, as published tiers have it; none is marginal.

    Reference: the tiers of published LLM API price lists.

    >>> tiered_price(prompt_tokens=250_000, price=1.25, threshold=200_000, price_above=2.5)
    2.5
    """
    return price + (price_above - price) * (prompt_tokens > threshold)


def api_cost_per_query(
    *,
    input_tokens: Number,
    input_price: Number,
    output_tokens: Number,
    output_price: Number,
    cached_tokens: Number = 0,
    cached_price: Number = 0,
    written_tokens: Number = 0,
    write_price: Number = 0,
    batched: Number = 0,
    batch_discount: Number = 0,
) -> Number:
    r"""Cost of one query at an API's prices, caches and batches included.

    .. math:: c = \frac{i\,p_i + h\,p_h + w\,p_w + m\,p_m}{10^6}\,(1 - \beta\,\delta)

    Symbols:
        c: cost of one query [currency/Query]
        i, h, w, m: tokens read fresh, read from a cache, written to a cache, output (thinking included) [Tokens]
        p_i, p_h, p_w, p_m: their prices, `tiered_price` where there are tiers [currency/1000000 Tokens]
        beta: share of the queries sent as batches [1]
        delta: discount of a batch [1]

    Limits: a token is one of fresh, read or written. Storage of a cache by the hour is not in it.

    Reference: the fields of published LLM API price lists.

    >>> api_cost_per_query(input_tokens=500, input_price=3, output_tokens=300, output_price=15,
    ...                    cached_tokens=4500, cached_price=0.3)
    0.00735
    >>> api_cost_per_query(input_tokens=1000, input_price=2, output_tokens=500, output_price=8, batched=1,
    ...                    batch_discount=0.5)
    0.003
    """
    fresh = input_tokens * input_price + output_tokens * output_price
    kept = cached_tokens * cached_price + written_tokens * write_price
    return (fresh + kept) * (1 - batched * batch_discount) / TOKENS_PER_PRICE


def break_even_queries(*, fixed_cost_per_day: Number, api_cost: Number, own_cost: Number = 0) -> Number:
    r"""Queries a day from which a fleet of one's own is cheaper than the API; infinite where it never is.

    .. math:: Q = \frac{F}{c_{api} - c_{own}}

    Symbols:
        Q: queries a day [1/day]
        F: cost of the fleet a day, whether used or not [currency/day]
        c_api: cost of one query by the API [currency/Query]
        c_own: what one more query costs on the fleet, 0 where the fleet is paid by the hour [currency/Query]

    Limits: the fleet can answer that many: compare with `fleet.replicas`.

    Reference: the ordinary break-even point.

    >>> float(break_even_queries(fixed_cost_per_day=480, api_cost=0.004))
    120000.0
    >>> float(break_even_queries(fixed_cost_per_day=480, api_cost=0.004, own_cost=0.004))
    inf
    """
    saved = np.asarray(api_cost - own_cost, dtype=float)
    pays = saved > 0
    return np.where(pays, fixed_cost_per_day / np.where(pays, saved, 1.0), np.inf)


def break_even_use(
    *, accelerators: Number, accelerator_price: Number, seconds_per_request: Number, api_cost: Number
) -> Number:
    r"""How full a replica must be on average to be cheaper than the API; above 1 it never is.

    .. math:: u = \frac{G\,p\,o}{3600\,c_{api}}

    Symbols:
        u: mean use [1]
        G: accelerators of the replica [GPUs]; p: price of an accelerator-hour [currency/GPU-Hour]
        o: how long a request occupies the replica, `serving.seconds_per_request` [s]
        c_api: cost of one query by the API [currency/Query]

    Limits: people and machines around the accelerators are not in it.

    Reference: the ordinary break-even point.

    >>> round(break_even_use(accelerators=8, accelerator_price=2, seconds_per_request=0.34, api_cost=0.004), 2)
    0.38
    """
    return accelerators * accelerator_price * seconds_per_request / (3600 * api_cost)
