"""What answering costs: mission formula 3."""

from typing import Final

from service.formulas.numbers import Number

TOKENS_PER_PRICE: Final = 1_000_000
"""Token prices are published per million tokens."""


def cost(*, cost_per_query: Number, users: Number, queries_per_user_per_day: Number, days: Number = 1) -> Number:
    r"""Cost of answering everybody's queries.

    .. math:: C = c\,U\,q\,d

    Symbols:
        C: cost [currency]
        c: cost of one query [currency/Query]
        U: users [Persons]
        q: queries one user sends a day [1/day]
        d: days [days]; 1 is the published formula, cost per day

    Limits: no peak factor; the users are those active on the day.

    Reference: the mission's formula 3, "inference = cost per query × users × queries per day".

    >>> cost(cost_per_query=0.002, users=10_000, queries_per_user_per_day=5)
    100.0
    """
    return cost_per_query * users * queries_per_user_per_day * days


def queries(*, users: Number, queries_per_user_per_day: Number, days: Number = 1) -> Number:
    r"""Queries to answer.

    .. math:: Q = U\,q\,d

    Symbols:
        Q: queries [Queries]
        U: users [Persons]
        q: queries one user sends a day [1/day]
        d: days [days]

    Limits: steady demand.

    Reference: the mission's formula 3.

    >>> queries(users=10_000, queries_per_user_per_day=5, days=30)
    1500000
    """
    return users * queries_per_user_per_day * days


def millions_of_tokens(*, queries: Number, tokens_per_query: Number) -> Number:
    r"""Tokens of all queries, in the millions they are priced by.

    .. math:: T = Q\,t / 10^6

    Symbols:
        T: tokens [1000000 Tokens]
        Q: queries [Queries]
        t: tokens of one query [Tokens/Query]

    Limits: input and output are counted, and priced, apart; no caching.

    Reference: unit of published LLM API price lists.

    >>> millions_of_tokens(queries=1_500_000, tokens_per_query=800)
    1200.0
    """
    return queries * tokens_per_query / TOKENS_PER_PRICE


def token_cost_per_query(
    *,
    input_tokens_per_query: Number,
    input_token_price: Number,
    output_tokens_per_query: Number,
    output_token_price: Number,
) -> Number:
    r"""Cost of one query at an API's token prices.

    .. math:: c = (t_i\,p_i + t_o\,p_o) / 10^6

    Symbols:
        c: cost of one query [currency/Query]
        t_i, t_o: tokens read and written per query [Tokens/Query]
        p_i, p_o: price of a million of them [currency/1000000 Tokens]

    Limits: no cached input, no tiers, no batch discount.

    Reference: unit of published LLM API price lists.

    >>> token_cost_per_query(
    ...     input_tokens_per_query=500, input_token_price=2, output_tokens_per_query=300, output_token_price=10
    ... )
    0.004
    """
    read = input_tokens_per_query * input_token_price
    return (read + output_tokens_per_query * output_token_price) / TOKENS_PER_PRICE
