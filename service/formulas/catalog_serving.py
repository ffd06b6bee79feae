"""The formulas of serving: time, memory, quantities per token, fleets, and an API's prices."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pricing_sources.units import Unit
from service.formulas import fleet, serving, serving_economics, token_prices
from service.formulas.catalog_arguments import (
    BATCH,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    REPLICA,
    ZERO,
    count,
    number,
    share,
    with_replica,
    with_replica_of_version_1,
)
from service.formulas.formula import Argument, Formula

_PER_MILLION: Final = f"{Unit.GPU_HOUR}/{Unit.TOKENS_1M}"
_CACHED: Final = number("cached_tokens", "prompt tokens of a request that are cached", Unit.TOKENS, default=0)
_REQUESTS: Final = number("requests_per_second", "requests a second, on average", "1/s")
_OCCUPATION: Final = number("seconds_per_request", "how long a request occupies a replica", "s")
_FLEET: Final = count("fleet", "replicas")
_API_COST: Final = Argument(name="api_cost", description="cost of one query by the API", per=Unit.QUERY)


_WITH_TRAFFIC: Final = frozenset(
    {
        "decode_seconds",
        "prefill_seconds",
        "seconds_per_output_token",
        "output_tokens_per_second",
        "seconds_to_first_token",
        "seconds_per_request",
        "input_accelerator_hours",
        "output_accelerator_hours",
        "batch_within",
    }
)
"""What counts memory traffic between products and runs attention at 16 bits, from version 2."""


def _of_replica(
    name: str, title: str, function: Callable[..., object], arguments: tuple[Argument, ...], result_unit: str
) -> Formula:
    return Formula(
        id=f"serving.{name}",
        version=2 if name in _WITH_TRAFFIC else 1,
        title=title,
        function=function,
        arguments=(*REPLICA, *arguments),
        result_unit=result_unit,
        exact=False,
        prepare=with_replica,
    )


def _price(name: str, description: str, *, optional: bool = False) -> Argument:
    return Argument(name=name, description=description, per=Unit.TOKENS_1M, default=ZERO if optional else None)


_TIME: Final = (
    Formula(
        id="serving.distinct_experts",
        version=1,
        title="Experts of a layer that a batch touches",
        function=serving.distinct_experts,
        arguments=(
            count("experts", "routed experts of a layer"),
            count("active", "experts per token"),
            count("tokens", "tokens in the step", Unit.TOKENS),
        ),
        result_unit="1",
        exact=False,
    ),
    _of_replica(
        "traffic_bytes_per_token",
        "Memory traffic of a token between products",
        serving.traffic_bytes_per_token,
        (),
        "bytes",
    ),
    _of_replica("decode_weight_bytes", "Weights a decode step reads", serving.decode_weight_bytes, (BATCH,), "bytes"),
    _of_replica(
        "decode_seconds",
        "Time of a decode step",
        serving.decode_seconds,
        (BATCH, number("context", "mean tokens of context", Unit.TOKENS)),
        "s",
    ),
    _of_replica(
        "prefill_seconds",
        "Time to read a prompt",
        serving.prefill_seconds,
        (number("tokens", "prompt tokens that are not cached", Unit.TOKENS),),
        "s",
    ),
    _of_replica(
        "seconds_per_output_token",
        "Time per output token under load",
        serving.seconds_per_output_token,
        (BATCH, INPUT_TOKENS, OUTPUT_TOKENS, _CACHED),
        "s",
    ),
    _of_replica(
        "largest_batch",
        "Sequences that fit into memory",
        serving.largest_batch,
        (
            number("memory", "memory of one accelerator", "bytes"),
            count("context", "tokens of a sequence at its longest", Unit.TOKENS),
            share("usable", "share of memory the engine may use", default=0.9),
            number("reserved", "kept for activations, buffers and the runtime, on each", "bytes", default=3e9),
        ),
        "1",
    ),
    _of_replica(
        "output_tokens_per_second",
        "Output tokens a second",
        serving.output_tokens_per_second,
        (BATCH, INPUT_TOKENS, OUTPUT_TOKENS),
        f"{Unit.TOKENS}/s",
    ),
)
_ECONOMICS: Final = (
    _of_replica(
        "seconds_to_first_token",
        "The least time to the first token",
        serving_economics.seconds_to_first_token,
        (BATCH, INPUT_TOKENS, _CACHED),
        "s",
    ),
    _of_replica(
        "seconds_per_request",
        "How long a request occupies a replica",
        serving_economics.seconds_per_request,
        (BATCH, INPUT_TOKENS, OUTPUT_TOKENS, _CACHED),
        "s",
    ),
    _of_replica(
        "cached_token_seconds", "Time to bring a cached token back", serving_economics.cached_token_seconds, (), "s"
    ),
    _of_replica(
        "input_accelerator_hours",
        "Accelerator-hours per million input tokens",
        serving_economics.input_accelerator_hours,
        (count("input_tokens", "prompt tokens of a request that are not cached", Unit.TOKENS),),
        _PER_MILLION,
    ),
    _of_replica(
        "cached_accelerator_hours",
        "Accelerator-hours per million cached tokens",
        serving_economics.cached_accelerator_hours,
        (),
        _PER_MILLION,
    ),
    _of_replica(
        "output_accelerator_hours",
        "Accelerator-hours per million output tokens",
        serving_economics.output_accelerator_hours,
        (BATCH, INPUT_TOKENS, OUTPUT_TOKENS),
        _PER_MILLION,
    ),
    _of_replica(
        "batch_within",
        "The largest batch within a latency",
        serving_economics.batch_within,
        (
            number("most", "sequences that fit into memory"),
            number("seconds_per_token", "longest time per output token", "s"),
            INPUT_TOKENS,
            OUTPUT_TOKENS,
            _CACHED,
        ),
        "1",
    ),
)
_FLEETS: Final = (
    Formula(
        id="fleet.mean_requests_per_second",
        version=1,
        title="Requests a second",
        function=fleet.mean_requests_per_second,
        arguments=(
            number("users", "people who send queries", Unit.PERSON),
            number("queries_per_user_per_day", "queries one user sends a day", Unit.QUERY),
        ),
        result_unit="1/s",
        exact=False,
    ),
    Formula(
        id="fleet.replicas",
        version=1,
        title="Replicas for the busiest hour",
        function=fleet.replicas,
        arguments=(
            _REQUESTS,
            count("peak_factor", "busiest over average"),
            _OCCUPATION,
            share("utilisation", "how full a replica may be at the peak", default=0.8),
            number("headroom", "for bursts, in standard deviations", default=0),
            number("minimum", "replicas kept whatever happens", default=1),
        ),
        result_unit="1",
        exact=False,
    ),
    Formula(
        id="fleet.mean_use",
        version=1,
        title="How full a fleet is on average",
        function=fleet.mean_use,
        arguments=(_REQUESTS, _OCCUPATION, _FLEET),
        result_unit="1",
        exact=False,
    ),
    Formula(
        id="fleet.accelerator_hours",
        version=1,
        title="Accelerator-hours of a fleet",
        function=fleet.fleet_accelerator_hours,
        arguments=(
            _FLEET,
            count("accelerators", "accelerators of one replica", Unit.GPU),
            number("days", "for how long", Unit.DAY, default=1),
        ),
        result_unit=Unit.GPU_HOUR.value,
        exact=False,
    ),
    Formula(
        id="fleet.cold_start",
        version=1,
        title="Time until a new replica answers",
        function=fleet.cold_start_seconds,
        arguments=(
            number("weight_bytes", "weights of the model", "bytes"),
            number("load_bytes_per_second", "rate they are loaded at", "bytes/s"),
            number("fixed_seconds", "getting the machine, starting the engine", "s", default=0),
        ),
        result_unit="s",
        exact=False,
    ),
)
_PRICES: Final = (
    Formula(
        id="token_prices.tiered_price",
        version=1,
        title="The price of a tier",
        function=token_prices.tiered_price,
        arguments=(
            number("prompt_tokens", "tokens of the prompt", Unit.TOKENS),
            _price("price", "price up to the threshold"),
            number("threshold", "longest prompt of the first tier", Unit.TOKENS),
            _price("price_above", "price beyond it"),
        ),
        result_unit=f"currency/{Unit.TOKENS_1M}",
    ),
    Formula(
        id="token_prices.api_cost_per_query",
        version=1,
        title="Cost of one query by API, caches and batches included",
        function=token_prices.api_cost_per_query,
        arguments=(
            number("input_tokens", "tokens read fresh", Unit.TOKENS),
            _price("input_price", "price of a million read fresh"),
            number("output_tokens", "tokens written, thinking included", Unit.TOKENS),
            _price("output_price", "price of a million written"),
            number("cached_tokens", "tokens read from a cache", Unit.TOKENS, default=0),
            _price("cached_price", "price of a million read from a cache", optional=True),
            number("written_tokens", "tokens written to a cache", Unit.TOKENS, default=0),
            _price("write_price", "price of a million written to a cache", optional=True),
            share("batched", "share of the queries sent as batches", default=0),
            share("batch_discount", "discount of a batch", default=0),
        ),
        result_unit=f"currency/{Unit.QUERY}",
    ),
    Formula(
        id="token_prices.break_even_queries",
        version=1,
        title="Queries a day from which one's own fleet is cheaper",
        function=token_prices.break_even_queries,
        arguments=(
            Argument(name="fixed_cost_per_day", description="cost of the fleet a day", per=Unit.DAY),
            _API_COST,
            Argument(
                name="own_cost",
                description="cost of one more query on the fleet",
                per=Unit.QUERY,
                default=ZERO,
            ),
        ),
        result_unit="1/day",
        exact=False,
    ),
    Formula(
        id="token_prices.break_even_use",
        version=1,
        title="How full a replica must be to be cheaper than an API",
        function=token_prices.break_even_use,
        arguments=(
            count("accelerators", "accelerators of the replica", Unit.GPU),
            Argument(name="accelerator_price", description="price of an accelerator-hour", per=Unit.GPU_HOUR),
            _OCCUPATION,
            _API_COST,
        ),
        result_unit="1",
        exact=False,
    ),
)


def _version_1(one: Formula) -> Formula:
    """The equation as it was, so that what cites it stays reproducible."""
    kept = tuple(argument for argument in one.arguments if argument.name != "peak_flops_16bit")
    return replace(one, version=1, arguments=kept, prepare=with_replica_of_version_1)


_EARLIER: Final = tuple(_version_1(one) for one in (*_TIME, *_ECONOMICS) if one.version > 1)

SERVING: Final = (*_TIME, *_ECONOMICS, *_FLEETS, *_PRICES, *_EARLIER)
"""In the order a reader needs them."""
