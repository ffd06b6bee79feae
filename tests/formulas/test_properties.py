"""What more of anything does to every formula, and that none of them depends on the units it is asked in."""

import doctest
import inspect

import numpy as np
import pytest
from typer.testing import CliRunner

from service.cli.main import app
from service.formulas.catalog import FORMULAS, Formula, formula
from tests.formulas.test_catalog import IN_FLOAT64, computed, inputs_of

DIRECTIONS = {
    "architecture.attention_parameters": {"+": "hidden_size heads kv_heads head_size"},
    "architecture.latent_attention_parameters": {
        "+": "hidden_size heads kv_rank query_rank rope_head_size nope_head_size value_head_size"
    },
    "architecture.feed_forward_parameters": {"+": "hidden_size ffn_size"},
    "architecture.kv_cache_bytes": {"+": "tokens bytes_per_element"},
    "flops.forward_per_token": {"+": "context"},
    "flops.training": {"+": "tokens sequence"},
    "flops.six_n_d": {"+": "active_parameters tokens"},
    "flops.accelerator_hours": {"+": "flops", "-": "peak_flops utilisation"},
    "memory.training": {"+": "sequence", "-": "data tensor"},
    "memory.activation_bytes_per_token": {"+": "sequence", "-": "tensor", "0": "data"},
    "memory.activation_bytes": {"+": "sequence", "-": "tensor", "0": "data"},
    "memory.logit_bytes": {"+": "sequence", "-": "tensor", "0": "data"},
    "memory.share": {"+": "needed", "-": "memory"},
    "utilisation.usual_hidden_size": {"+": "active_parameters"},
    "utilisation.counted_flops_per_token": {"+": "sequence"},
    "utilisation.seconds_per_token": {
        "+": "sequence",
        "-": "peak_flops peak_flops_16bit bandwidth memory",
        "0": "link_bandwidth",
        "?": "accelerators",
    },
    "utilisation.recomputed_share": {
        "-": "accelerators memory",
        "0": "peak_flops peak_flops_16bit bandwidth link_bandwidth sequence",
    },
    "utilisation.benchmark": {
        "+": "bandwidth memory peak_flops_16bit",
        "-": "peak_flops sequence",
        "0": "link_bandwidth",
        "?": "accelerators",
    },
    "utilisation.run_factor": {"-": "accelerators"},
    "utilisation.interval": {"+": "central spread"},
    "goodput.hours_between_failures": {"-": "accelerators"},
    "goodput.young_interval": {"+": "checkpoint_hours failure_hours"},
    "goodput.daly_interval": {"+": "checkpoint_hours failure_hours"},
    "goodput.goodput": {"+": "failure_hours", "-": "checkpoint_hours restart_hours", "?": "interval_hours"},
    "interruptions.optimal_interval": {"+": "checkpoint_hours", "-": "hazard_per_hour"},
    "interruptions.expected_hours": {"+": "work_hours hazard_per_hour checkpoint_hours restart_hours", "?": "segments"},
    "interruptions.hours_deviation": {
        "+": "work_hours hazard_per_hour checkpoint_hours restart_hours",
        "-": "segments",
    },
    "interruptions.clean_run_probability": {"-": "work_hours hazard_per_hour"},
    "post_training.adapter_parameters": {"+": "rank"},
    "post_training.fine_tuning_flops": {"+": "tokens sequence"},
    "post_training.adapter_flops": {"+": "tokens sequence trained"},
    "post_training.adapter_memory": {"+": "trained sequence", "-": "tensor", "0": "data"},
    "post_training.preference_flops": {"+": "pairs tokens_per_answer prompt_tokens"},
    "post_training.rollout_accelerator_hours": {"+": "prompts samples answer_tokens", "-": "tokens_per_second"},
    "post_training.reinforcement_flops": {"+": "prompts samples prompt_tokens answer_tokens"},
    "serving.distinct_experts": {"+": "experts active tokens"},
    "serving.traffic_bytes_per_token": {"0": "accelerators bandwidth peak_flops link_bandwidth"},
    "serving.decode_weight_bytes": {"-": "accelerators", "0": "batch bandwidth peak_flops link_bandwidth"},
    "serving.decode_seconds": {"+": "batch context", "-": "accelerators bandwidth peak_flops link_bandwidth"},
    "serving.prefill_seconds": {"+": "tokens", "-": "accelerators bandwidth peak_flops link_bandwidth"},
    "serving.seconds_per_output_token": {
        "+": "batch input_tokens",
        "-": "output_tokens accelerators bandwidth peak_flops link_bandwidth",
    },
    "serving.largest_batch": {"+": "memory accelerators", "-": "context", "0": "bandwidth peak_flops link_bandwidth"},
    "serving.output_tokens_per_second": {
        "+": "batch output_tokens accelerators bandwidth peak_flops link_bandwidth",
        "-": "input_tokens",
    },
    "serving.seconds_to_first_token": {
        "+": "batch input_tokens",
        "-": "accelerators bandwidth peak_flops link_bandwidth",
    },
    "serving.seconds_per_request": {
        "+": "input_tokens output_tokens",
        "-": "batch accelerators bandwidth peak_flops link_bandwidth",
    },
    "serving.cached_token_seconds": {"-": "accelerators bandwidth", "0": "peak_flops link_bandwidth"},
    "serving.input_accelerator_hours": {
        "+": "input_tokens accelerators",
        "-": "bandwidth peak_flops link_bandwidth",
    },
    "serving.cached_accelerator_hours": {"+": "accelerators", "-": "bandwidth", "0": "peak_flops link_bandwidth"},
    "serving.output_accelerator_hours": {
        "+": "input_tokens output_tokens accelerators",
        "-": "batch bandwidth peak_flops link_bandwidth",
    },
    "serving.batch_within": {
        "+": "most seconds_per_token output_tokens accelerators bandwidth peak_flops link_bandwidth",
        "-": "input_tokens",
    },
    "fleet.mean_requests_per_second": {"+": "users queries_per_user_per_day"},
    "fleet.replicas": {"+": "requests_per_second seconds_per_request peak_factor"},
    "fleet.mean_use": {"+": "requests_per_second seconds_per_request", "-": "fleet"},
    "fleet.accelerator_hours": {"+": "fleet accelerators"},
    "fleet.cold_start": {"+": "weight_bytes", "-": "load_bytes_per_second"},
    "token_prices.break_even_queries": {"+": "fixed_cost_per_day", "-": "api_cost"},
    "token_prices.break_even_use": {"+": "accelerator_price accelerators seconds_per_request", "-": "api_cost"},
}
"""What more of each argument does: more, less, nothing, or it depends (there is a best)."""
ELSEWHERE = {
    "serving.distinct_experts": {"experts": 256, "active": 8, "tokens": 64},
    "serving.batch_within": {"most": 40},
}
"""Where the usual inputs of a test saturate."""


def newest(one: Formula) -> bool:
    return one == formula(one.id)


def at(one: Formula) -> dict[str, object]:
    return computed({**inputs_of(one), **ELSEWHERE.get(one.id, {})})


def direction(one: Formula, name: str) -> str:
    inputs = at(one)
    found = next(argument for argument in one.arguments if argument.name == name)
    usual = float(inputs[name])  # type: ignore[arg-type]
    values = np.linspace(max(usual / 4, float(found.minimum)), min(4 * usual, float(found.maximum)), 25)
    made = np.array([float(one.compute({**inputs, name: value})) for value in values])
    steps, least = np.diff(made), 1e-12 * np.abs(made).max()
    if (np.abs(steps) <= least).all():
        return "0"
    return "+" if (steps >= -least).all() else "-" if (steps <= least).all() else "?"


@pytest.mark.parametrize("one", [one for one in IN_FLOAT64 if newest(one)], ids=lambda one: one.name)
def test_more_of_an_argument_does_what_physics_says(one: Formula) -> None:
    numbers = {name for name, value in at(one).items() if isinstance(value, int | float)}
    expected = {name: sign for sign, names in DIRECTIONS.get(one.id, {}).items() for name in names.split()}
    assert {name: direction(one, name) for name in numbers} == expected


SCALES = [
    ("flops.accelerator_hours", {"flops": 1, "peak_flops": 1}, 0),
    ("memory.share", {"needed": 1, "memory": 1, "reserved": 1}, 0),
    ("memory.logit_bytes", {"micro_batch": 1}, 1),
    ("utilisation.benchmark", {"peak_flops": 1, "peak_flops_16bit": 1, "bandwidth": 1, "link_bandwidth": 1}, 0),
    (
        "utilisation.seconds_per_token",
        {"peak_flops": 1, "peak_flops_16bit": 1, "bandwidth": 1, "link_bandwidth": 1},
        -1,
    ),
    ("utilisation.interval", {"central": 1}, 1),
    ("goodput.young_interval", {"checkpoint_hours": 1, "failure_hours": 1}, 1),
    ("goodput.daly_interval", {"checkpoint_hours": 1, "failure_hours": 1}, 1),
    ("goodput.goodput", {"checkpoint_hours": 1, "failure_hours": 1, "interval_hours": 1, "restart_hours": 1}, 0),
    ("goodput.hours_between_failures", {"accelerators": 1, "of_one": 1}, 0),
    ("post_training.rollout_accelerator_hours", {"prompts": 1, "tokens_per_second": 1}, 0),
    ("post_training.rollout_accelerator_hours", {"answer_tokens": 1, "tokens_per_second": 1}, 0),
    ("serving.decode_weight_bytes", {"weight_bytes": 1}, 1),
    ("serving.decode_weight_bytes", {"weight_bytes": 1, "accelerators": 1}, 0),
    ("serving.cached_token_seconds", {"kv_bytes": 1, "bandwidth": 1}, 0),
    ("serving.largest_batch", {"weight_bytes": 1, "kv_bytes": 1, "memory": 1, "reserved": 1}, 0),
    ("serving.prefill_seconds", {"peak_flops": 1, "bandwidth": 1, "link_bandwidth": 1}, -1),
    ("serving.input_accelerator_hours", {"peak_flops": 1, "bandwidth": 1, "link_bandwidth": 1}, -1),
    ("fleet.replicas", {"requests_per_second": 1, "seconds_per_request": -1}, 0),
    ("fleet.mean_use", {"requests_per_second": 1, "seconds_per_request": -1}, 0),
    ("fleet.mean_use", {"requests_per_second": 1, "fleet": 1}, 0),
    ("fleet.mean_requests_per_second", {"users": 1}, 1),
    ("fleet.accelerator_hours", {"fleet": 1, "accelerators": -1}, 0),
    ("fleet.cold_start", {"weight_bytes": 1, "load_bytes_per_second": 1}, 0),
    ("token_prices.break_even_queries", {"fixed_cost_per_day": 1, "api_cost": 1, "own_cost": 1}, 0),
    ("token_prices.break_even_use", {"accelerator_price": 1, "api_cost": 1}, 0),
]
"""Arguments that change together as their unit does, and by which power the result does."""


@pytest.mark.parametrize("factor", [1e-3, 0.5, 7.0])
@pytest.mark.parametrize(("formula_id", "powers", "power"), SCALES)
def test_a_formula_does_not_depend_on_the_units_it_is_asked_in(
    formula_id: str, powers: dict[str, int], power: int, factor: float
) -> None:
    one = formula(formula_id)
    inputs = at(one)
    defaults = {argument.name: float(argument.default) for argument in one.arguments if argument.default is not None}
    known = {**defaults, **{name: inputs[name] for name in powers if name in inputs}}
    before = float(one.compute({**inputs, **{name: known[name] for name in powers}}))
    after = float(one.compute({**inputs, **{name: known[name] * factor**by for name, by in powers.items()}}))
    assert after == pytest.approx(before * factor**power, rel=1e-9)


@pytest.mark.parametrize("one", [one for one in FORMULAS if newest(one)], ids=lambda one: one.name)
def test_every_page_of_the_catalogue_renders_and_its_example_runs(one: Formula) -> None:
    shown = CliRunner().invoke(app, ["formulas", "show", one.id])
    assert shown.exit_code == 0, shown.stderr
    assert shown.stdout.startswith(f"{one.name}  {one.title}")
    for argument in one.arguments:
        if one.prepare is None:
            assert argument.name in inspect.signature(one.function).parameters
    module = inspect.getmodule(one.function)
    assert module is not None
    (found,) = doctest.DocTestFinder(recurse=False).find(one.function, one.function.__name__, module, vars(module))
    ran = doctest.DocTestRunner(verbose=False).run(found, out=lambda _: None)
    assert ran.attempted > 0
    assert ran.failed == 0
