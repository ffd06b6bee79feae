"""The formulas in float64: every one can be read, run by plain inputs, and run over arrays."""

import inspect
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from service.domain.language_model_library import known_model
from service.errors import Invalid
from service.formulas import catalog_training, fleet, serving_economics
from service.formulas.catalog import FORMULAS, Formula, formula

TYPICAL: dict[str, Any] = {
    "llm": "llama-3.1-70b",
    "accelerators": 8,
    "peak_flops": 989e12,
    "peak_flops_16bit": 989e12,
    "bandwidth": 3.35e12,
    "link_bandwidth": 450e9,
    "memory": 80e9,
    "data": 8,
    "tensor": 8,
    "batch": 32,
    "most": 300,
    "seconds_per_token": 0.03,
    "tokens": 1e9,
    "sequence": 8192,
    "context": 4096,
    "input_tokens": 2048,
    "output_tokens": 512,
    "cached_tokens": 1024,
    "bytes_per_element": 2,
    "active_parameters": 70e9,
    "hidden_size": 8192,
    "heads": 64,
    "kv_heads": 8,
    "head_size": 128,
    "ffn_size": 28672,
    "kv_rank": 512,
    "query_rank": 1536,
    "rope_head_size": 64,
    "nope_head_size": 128,
    "value_head_size": 128,
    "experts": 256,
    "active": 8,
    "flops": 1e22,
    "utilisation": 0.4,
    "needed": 70e9,
    "central": 3,
    "spread": 0.2,
    "checkpoint_hours": 0.02,
    "failure_hours": 30,
    "interval_hours": 1,
    "restart_hours": 0.2,
    "hazard_per_hour": 0.05,
    "work_hours": 100,
    "segments": 200,
    "rank": 16,
    "trained": 4e7,
    "pairs": 60_000,
    "tokens_per_answer": 400,
    "prompt_tokens": 200,
    "answer_tokens": 1000,
    "prompts": 1e4,
    "samples": 8,
    "tokens_per_second": 1500,
    "requests_per_second": 12,
    "peak_factor": 2.5,
    "seconds_per_request": 0.34,
    "fleet": 13,
    "users": 1e5,
    "queries_per_user_per_day": 10,
    "weight_bytes": 2,
    "load_bytes_per_second": 2e9,
    "fixed_cost_per_day": 480,
    "api_cost": 0.004,
    "accelerator_price": 2,
}
IN_FLOAT64 = [one for one in FORMULAS if not one.exact]
every_formula = pytest.mark.parametrize("one", IN_FLOAT64, ids=lambda one: one.name)


def inputs_of(one: Formula) -> dict[str, Any]:
    optional = {"data", "tensor"}
    named = {argument.name for argument in one.arguments if argument.needed or argument.name in optional}
    if "memory" in named and one.id == "memory.training":
        named.discard("memory")
    return {name: TYPICAL[name] for name in named}


def told(inputs: dict[str, Any]) -> dict[str, Decimal | str]:
    return {name: one if isinstance(one, str) else Decimal(str(one)) for name, one in inputs.items()}


def computed(inputs: dict[str, Any]) -> dict[str, Any]:
    return {name: known_model(one).llm if name == "llm" else one for name, one in inputs.items()}


def test_every_formula_of_the_physics_is_in_the_catalog() -> None:
    known = {one.function for one in FORMULAS}
    modules = [catalog_training.architecture, catalog_training.flops, catalog_training.goodput]
    modules += [catalog_training.interruptions]
    modules += [catalog_training.memory, catalog_training.post_training, catalog_training.utilisation]
    modules += [fleet, serving_economics, formula("serving.decode_seconds").function]
    found = {
        function
        for module in (one if inspect.ismodule(one) else inspect.getmodule(one) for one in modules)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    assert {one.__name__ for one in found - known} == {"shape_of"}


@every_formula
def test_every_argument_of_a_plain_formula_is_one_of_its_function(one: Formula) -> None:
    if one.prepare is None:
        taken = inspect.signature(one.function).parameters
        for argument in one.arguments:
            default = taken[argument.name].default
            assert argument.needed == (default is inspect.Parameter.empty)
            if argument.default is not None:
                assert argument.default == Decimal(str(default))


@every_formula
def test_plain_inputs_give_a_plain_number(one: Formula) -> None:
    inputs = inputs_of(one)
    assert float(one.evaluate(told(inputs))) == pytest.approx(float(one.compute(computed(inputs))), rel=1e-11)


@pytest.mark.parametrize("one", [one for one in IN_FLOAT64 if len(one.arguments) > 1], ids=lambda one: one.name)
def test_arrays_and_scalars_agree(one: Formula) -> None:
    inputs = computed(inputs_of(one))
    numbers = {name for name, value in inputs.items() if isinstance(value, int | float)} - {"zero"}
    factors = np.array([1.0, 1.0, 1.25])
    arrays = {name: value * factors if name in numbers else value for name, value in inputs.items()}
    scalars = [one.compute({**inputs, **{name: inputs[name] * k for name in numbers}}) for k in factors]
    assert np.allclose(np.broadcast_to(one.compute(arrays), 3), scalars, rtol=1e-12)


LINEAR = {
    "flops.training": "tokens",
    "flops.six_n_d": "tokens",
    "flops.accelerator_hours": "flops",
    "post_training.fine_tuning_flops": "tokens",
    "post_training.adapter_flops": "tokens",
    "post_training.preference_flops": "pairs",
    "post_training.rollout_accelerator_hours": "prompts",
    "post_training.reinforcement_flops": "prompts",
    "fleet.accelerator_hours": "fleet",
    "architecture.kv_cache_bytes": "tokens",
}


@pytest.mark.parametrize(("formula_id", "name"), LINEAR.items())
def test_what_is_linear_is(formula_id: str, name: str) -> None:
    one = formula(formula_id)
    inputs = computed(inputs_of(one))
    at = [float(one.compute({**inputs, name: inputs[name] * k})) for k in (1, 3)]
    assert at[1] == pytest.approx(3 * at[0], rel=1e-12)


GROWS = [
    ("memory.training", "sequence"),
    ("memory.training", "micro_batch"),
    ("serving.decode_seconds", "batch"),
    ("serving.decode_seconds", "context"),
    ("serving.prefill_seconds", "tokens"),
    ("serving.seconds_per_output_token", "input_tokens"),
    ("serving.seconds_per_request", "output_tokens"),
    ("serving.seconds_per_request", "cached_tokens"),
    ("serving.batch_within", "seconds_per_token"),
    ("utilisation.seconds_per_token", "sequence"),
    ("fleet.replicas", "requests_per_second"),
]


@pytest.mark.parametrize(("formula_id", "name"), GROWS)
def test_more_takes_no_less(formula_id: str, name: str) -> None:
    one = formula(formula_id)
    inputs = computed(inputs_of(one))
    values = np.linspace(1, 4, 20) * inputs.get(name, TYPICAL.get(name, 1))
    made = [float(one.compute({**inputs, name: value})) for value in values]
    assert all(later >= earlier for earlier, later in pairwise(made))
    assert made[-1] > made[0]


def test_input_and_output_add_up_to_a_request() -> None:
    inputs = told(inputs_of(formula("serving.seconds_per_request")))
    whole = formula("serving.seconds_per_request").evaluate(inputs) * 8 / 3600
    replica = {name: one for name, one in inputs.items() if name not in {"batch", "input_tokens", "output_tokens"}}
    read = formula("serving.input_accelerator_hours").evaluate({**replica, "input_tokens": inputs["input_tokens"]})
    written = formula("serving.output_accelerator_hours").evaluate(inputs)
    parts = (read * Decimal(str(inputs["input_tokens"])) + written * Decimal(str(inputs["output_tokens"]))) / 10**6
    assert float(parts) == pytest.approx(float(whole), rel=1e-9)


def test_the_largest_batch_within_a_latency_is_the_largest() -> None:
    inputs = computed(inputs_of(formula("serving.batch_within")))
    limit = inputs["seconds_per_token"]
    found = float(formula("serving.batch_within").compute(inputs))
    asked = {name: one for name, one in inputs.items() if name not in {"most", "seconds_per_token"}}
    time = formula("serving.seconds_per_output_token")
    assert time.compute({**asked, "batch": found}) <= limit < time.compute({**asked, "batch": found + 1})
    assert formula("serving.batch_within").compute({**inputs, "seconds_per_token": 1e-4}) == 0
    assert formula("serving.batch_within").compute({**inputs, "seconds_per_token": 10}) == TYPICAL["most"]


@pytest.mark.parametrize(
    ("formula_id", "asked", "first", "second"),
    [
        ("serving.prefill_seconds", {"tokens": 1024}, 0.0498, 0.0526),
        (
            "serving.seconds_per_output_token",
            {"batch": 64, "input_tokens": 1024, "output_tokens": 1024},
            0.0210,
            0.0214,
        ),
    ],
)
def test_an_earlier_version_answers_as_it_did(
    formula_id: str, asked: dict[str, Any], first: float, second: float
) -> None:
    given = told({**{name: TYPICAL[name] for name in ("llm", "bandwidth", "peak_flops", "link_bandwidth")}, **asked})
    given["accelerators"] = Decimal(8)
    made = [float(formula(formula_id, version).evaluate(given)) for version in (1, 2)]
    assert made == pytest.approx([first, second], rel=3e-3)
    assert formula(formula_id).version == 2


def test_attention_at_sixteen_bits_takes_longer_than_at_the_peak_of_eight() -> None:
    given = told({name: TYPICAL[name] for name in ("llm", "bandwidth", "link_bandwidth")})
    given |= {"accelerators": Decimal(2), "peak_flops": Decimal(1979) * 10**12, "tokens": Decimal(20_000)}
    one = formula("serving.prefill_seconds")
    assert one.evaluate({**given, "peak_flops_16bit": Decimal(989) * 10**12}) > one.evaluate(given)


@pytest.mark.parametrize(
    ("formula_id", "changed", "words"),
    [
        ("flops.training", {"llm": "lama-3.1-70b"}, "llm: no model is known as 'lama-3.1-70b'; the nearest are llama"),
        ("flops.training", {"llm": Decimal(70)}, "llm: no model is known as '70'"),
        ("flops.training", {"tokens": "many"}, "tokens: must be a number in Tokens, not 'many'"),
        ("flops.training", {"tokens": Decimal(-1)}, "tokens: must be 0 or more Tokens, not -1"),
        ("flops.accelerator_hours", {"utilisation": Decimal("1.2")}, "utilisation: must be 0 to 1 1, not 1.2"),
        ("flops.accelerator_hours", {"utilisation": Decimal(0)}, "has no finite result"),
        ("memory.training", {"recompute": "some"}, "recompute: must be one of none, selective, full, not some"),
        ("memory.training", {"zero": Decimal(4)}, "zero: must be 0 to 3 1, not 4"),
        ("token_prices.break_even_queries", {"api_cost": Decimal(0)}, "has no finite result"),
    ],
)
def test_an_impossible_input_is_named_with_what_would_work(
    formula_id: str, changed: dict[str, Any], words: str
) -> None:
    one = formula(formula_id)
    with pytest.raises(Invalid) as caught:
        one.evaluate({**told(inputs_of(one)), **changed})
    assert words in str(caught.value)
