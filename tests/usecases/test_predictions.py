"""One case predicted: answered with figures, intervals, steps and facts, or refused with what would have worked."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

import msgspec
import pytest

from service.domain.language_model_library import MODELS
from service.domain.prediction import Prediction
from service.errors import Invalid
from service.estimating.predicting.limits import check_architecture
from service.formulas.catalog import FORMULAS
from service.usecases.predictions import (
    predict_fine_tuning,
    predict_inference,
    predict_memory,
    predict_training,
)
from service.usecases.scenario_files import read_prediction_spec

TRAINING = {
    "llm": "llama-3.1-70b",
    "accelerator": "H100 SXM",
    "accelerators": 2048,
    "tokens": 15e12,
    "sequence": 8192,
    "power": {"carbon_kg_per_kwh": 0.385},
}
INFERENCE = {
    "llm": "llama-3.1-70b",
    "accelerator": "H100 SXM",
    "precision": "fp8",
    "input_tokens": 1024,
    "output_tokens": 512,
    "traffic": {"users": 100_000, "queries_per_user_per_day": 10},
}
FINE_TUNING = {"method": "lora", "llm": "llama-3.1-8b", "accelerator": "H100 SXM", "tokens": 1e8}
MEMORY = {
    "llm": "llama-3.1-70b",
    "accelerator": "H100 SXM",
    "sequence": 8192,
    "layout": {"data": 8, "tensor": 8, "zero": 3},
}
SERVED = {
    "use": "serving",
    "llm": "llama-3.1-70b",
    "accelerator": "H100 SXM",
    "sequence": 8192,
    "accelerators": 4,
    "concurrency": 20,
}
OWN = {
    "name": "of our own",
    "layers": 32,
    "hidden_size": 4096,
    "heads": 32,
    "kv_heads": 8,
    "head_size": 128,
    "ffn_size": 14336,
    "vocabulary": 128256,
}
EXPERTS = {"total": 8, "active": 2, "ffn_size": 1024}
LATENT = {"kv_rank": 512, "rope_head_size": 64, "nope_head_size": 128, "value_head_size": 128}
Asked = Mapping[str, Any]
PREDICT: Mapping[str, Callable[[Any], Prediction]] = {
    "training": predict_training,
    "inference": predict_inference,
    "fine-tuning": predict_fine_tuning,
    "memory": predict_memory,
}
CASES = [
    ("training", TRAINING),
    ("training", {**TRAINING, "anchors": [{"utilisation": 0.41}]}),
    ("training", {"active_parameters": 7e9, "accelerator": "TPU v4", "tokens": 1e12}),
    ("inference", INFERENCE),
    ("inference", {**INFERENCE, "anchors": [{"concurrency": 8, "tokens_per_second": 150}]}),
    ("fine-tuning", FINE_TUNING),
    (
        "fine-tuning",
        {"llm": "llama-3.1-8b", "accelerator": "H100 SXM", "method": "full", "tokens": 1e8, "accelerators": 16},
    ),
    (
        "fine-tuning",
        {
            "llm": "llama-3.1-8b",
            "accelerator": "H100 SXM",
            "method": "reinforcement",
            "prompts": 1e4,
            "prompt_tokens": 200,
            "answer_tokens": 2000,
        },
    ),
    ("memory", MEMORY),
    ("memory", SERVED),
]


def asked_of(kind: str, spec: Asked) -> Prediction:
    return PREDICT[kind](read_prediction_spec(kind, msgspec.json.encode(spec).decode()))


def refusal(kind: str, spec: Asked) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        asked_of(kind, spec)
    return {one.field: one.message for one in caught.value.problems}


@pytest.mark.parametrize(("kind", "spec"), CASES)
def test_an_answer_has_figures_intervals_steps_and_the_facts_it_stood_on(kind: str, spec: Asked) -> None:
    made = asked_of(kind, spec)
    assert made.kind == kind
    assert made.figures
    for one in made.figures:
        assert one.unit
        assert isfinite(one.central)
        if one.low is not None and one.high is not None:
            assert 0 < one.low <= one.central <= one.high
    known = {one.name for one in FORMULAS}
    assert {one.formula for one in made.steps} - {None} <= known
    assert any(one.formula for one in made.steps)
    for fact in made.facts:
        assert re.search(r"https://|github\.com/|arXiv:\d{4}\.\d{5}", fact.source)
        assert fact.read_on.startswith("202")


@pytest.mark.parametrize("kind", ["training", "inference", "fine-tuning"])
def test_what_is_uncertain_says_how_uncertain(kind: str) -> None:
    spec = {"training": TRAINING, "inference": INFERENCE, "fine-tuning": FINE_TUNING}[kind]
    first = asked_of(kind, spec).figures[0]
    assert first.low is not None
    assert first.high is not None
    assert 1.05 < first.high / first.low < 4


def test_the_architecture_names_where_it_was_read_and_the_accelerator_its_sheet() -> None:
    names = {one.name: one for one in asked_of("training", TRAINING).facts}
    assert {"architecture", "memory", "bf16", "bandwidth", "tdp", "hopper"} <= set(names)
    assert names["architecture"].value == "llama-3.1-70b"


IMPOSSIBLE = [
    ("training", TRAINING, {"tokens": -1}, "tokens", ["above 0", "not -1"]),
    ("training", TRAINING, {"tokens": "nan"}, "tokens", ["must be"]),
    ("training", TRAINING, {"tokens": 1e-300}, "tokens", ["above 0", "the nearest is 1e-12"]),
    ("training", TRAINING, {"tokens": 1e30}, "tokens", ["at most 1e+18", "the nearest is 1e+18"]),
    ("training", TRAINING, {"accelerators": 0}, "accelerators", ["1 to 1e+07", "the nearest is 1"]),
    ("training", TRAINING, {"accelerators": 10**18}, "accelerators", ["the nearest is 1e+07"]),
    ("training", TRAINING, {"accelerators": 10**40}, "accelerators", ["not 1.00E+40", "the nearest is 1e+07"]),
    ("training", TRAINING, {"accelerators": 2.5}, "accelerators", ["a whole number", "2.5"]),
    ("training", TRAINING, {"sequence": -3}, "sequence", ["the nearest is 1"]),
    ("training", TRAINING, {"accelerators": 8}, "accelerators", ["GB of 80 GB", "what fits on 16 accelerators"]),
    ("training", TRAINING, {"accelerator": "H1000"}, "accelerator", ["nearest are nvidia-h100-sxm-80gb"]),
    ("training", TRAINING, {"accelerator": "x" * 9000}, "accelerator", ["x" * 50 + "'; there is"]),
    ("training", TRAINING, {"accelerator": "nvidia-l4"}, "accelerator", ["nothing is known of training"]),
    ("training", TRAINING, {"llm": "lama-3.1-70b"}, "llm", ["the nearest are llama-3.1-70b"]),
    ("training", TRAINING, {"llm": "x" * 9000}, "llm", ["up to 200 characters"]),
    ("training", TRAINING, {"llm": None}, "llm", ["llm, or the fields of its configuration in architecture"]),
    ("training", TRAINING, {"precision": "fp4"}, "precision", ["it has bf16, fp16, fp8"]),
    ("training", TRAINING, {"precision": "fp12"}, "precision", ["'bf16', 'fp16', 'fp8' or 'fp4'"]),
    ("training", TRAINING, {"recompute": "some"}, "recompute", ["'none', 'selective' or 'full'"]),
    ("training", TRAINING, {"tokns": 1}, "tokns", ["did you mean tokens?"]),
    ("training", TRAINING, {"power": {"pue": 0.9}}, "power.pue", ["1 to 10", "the nearest is 1"]),
    ("training", TRAINING, {"layout": {"data": 3}}, "layout", ["not the 2048 given", "data 2048 would make it"]),
    ("training", TRAINING, {"layout": {"data": 10**6, "tensor": 10**6}}, "layout", ["the nearest is 1e+07"]),
    ("training", TRAINING, {"anchors": [{"utilisation": 1.2}]}, "anchors.0.utilisation", ["the nearest is 1"]),
    ("training", TRAINING, {"anchors": [{"utilisation": 41}]}, "anchors.0.utilisation", ["41 % is 0.41"]),
    ("training", TRAINING, {"anchors": [{"utilisation": -0.1}]}, "anchors.0.utilisation", ["above 0", "not -0.1"]),
    ("training", TRAINING, {"anchors": [{"utilisation": 1e-300}]}, "anchors.0.utilisation", ["above 0"]),
    ("training", TRAINING, {"anchors": [{"tokens_per_second": 0}]}, "anchors.0.tokens_per_second", ["above 0"]),
    ("training", TRAINING, {"anchors": [{"tokens_per_second": 1e9}]}, "anchors.0", ["at most 1, of the dense peak"]),
    (
        "training",
        TRAINING,
        {"anchors": [{"utilisation": 0.4, "sequence": 0}]},
        "anchors.0.sequence",
        ["the nearest is 1"],
    ),
    ("training", TRAINING, {"anchors": [{"utilisation": 0.4}] * 1001}, "anchors", ["0 to 1000"]),
    ("inference", INFERENCE, {"input_tokens": -5}, "input_tokens", ["above 0"]),
    ("inference", INFERENCE, {"cached_tokens": -5}, "cached_tokens", ["the nearest is 0"]),
    ("inference", INFERENCE, {"output_tokens": 0.5}, "output_tokens", ["the nearest is 1"]),
    ("inference", INFERENCE, {"accelerators": 1}, "accelerators", ["the weights in fp8 and one sequence need 2"]),
    ("inference", INFERENCE, {"accelerators": 99}, "accelerators", ["must be 1 to 16"]),
    ("inference", INFERENCE, {"concurrency": 10**5}, "concurrency", ["at most", "fit into memory"]),
    ("inference", INFERENCE, {"llm": "kimi-k2", "accelerator": "L4"}, "accelerator", ["even 16", "with more memory"]),
    ("inference", INFERENCE, {"llm": "llama-3.1-405b", "precision": "bf16", "accelerator": "L40S"}, "accelerator", []),
    ("inference", INFERENCE, {"input_tokens": 5e6}, "accelerator", ["even 16", "sequences of 2.09715e+06 tokens"]),
    ("inference", INFERENCE, {"time_per_output_token_ms": 0.1}, "time_per_output_token_ms", ["the nearest is"]),
    ("inference", INFERENCE, {"time_to_first_token_ms": 0.1}, "time_to_first_token_ms", ["the nearest is"]),
    ("inference", INFERENCE, {"kv_precision": "fp2"}, "kv_precision", ["'fp4'"]),
    (
        "inference",
        INFERENCE,
        {"traffic": {"users": 1, "queries_per_user_per_day": 1, "utilisation": 1.2}},
        "traffic.utilisation",
        ["0.01 to 1", "the nearest is 1"],
    ),
    (
        "inference",
        INFERENCE,
        {"anchors": [{"concurrency": 8, "tokens_per_second": 1e6}]},
        "anchors.0.tokens_per_second",
        ["at full bandwidth and peak", "at most 374.9 tokens a second"],
    ),
    (
        "inference",
        INFERENCE,
        {"anchors": [{"concurrency": 8, "time_per_output_token_ms": 1e-6}]},
        "anchors.0.time_per_output_token_ms",
        ["it takes 10.7 ms"],
    ),
    ("inference", INFERENCE, {"anchors": [{"concurrency": 8}]}, "anchors.0", ["exactly one of"]),
    ("fine-tuning", FINE_TUNING, {"method": "ppo"}, "method", ["'reinforcement'"]),
    ("fine-tuning", FINE_TUNING, {"tokens": None}, "tokens", ["is missing; lora needs it"]),
    ("fine-tuning", FINE_TUNING, {"packing": 1.3}, "packing", ["the nearest is 1"]),
    ("fine-tuning", FINE_TUNING, {"attempts": 10**12}, "attempts", ["the nearest is 1e+07"]),
    (
        "fine-tuning",
        FINE_TUNING,
        {"method": "full", "llm": "llama-3.1-405b"},
        "accelerators",
        ["what fits on 128 accelerators", "lora or qlora take less"],
    ),
    ("memory", MEMORY, {"sequence": 0}, "sequence", ["1 to 1e+09", "the nearest is 1"]),
    ("memory", MEMORY, {"layout": {"zero": 4}}, "layout.zero", ["the nearest is 3"]),
    ("memory", MEMORY, {"layout": {"expert": 7}}, "layout.expert", ["must divide"]),
    ("memory", MEMORY, {"accelerators": 64}, "accelerators", ["belongs to use: serving", "layout"]),
    ("memory", SERVED, {"micro_batch": 4}, "micro_batch", ["belongs to use: training", "concurrency"]),
    ("memory", SERVED, {"use": "servin"}, "use", ["'training' or 'serving'"]),
]


@pytest.mark.parametrize(("kind", "spec", "change", "field", "words"), IMPOSSIBLE)
def test_what_cannot_be_is_named_with_its_limit_and_what_would_work(
    kind: str, spec: Asked, change: Asked, field: str, words: list[str]
) -> None:
    found = refusal(kind, {**spec, **change})
    assert field in found
    for one in words:
        assert one in found[field]
    assert all(len(message) < 400 for message in found.values())


SIZES = [
    ({"layers": 0}, "layers", "1 to 100000000, not 0; the nearest is 1"),
    ({"layers": 10**30}, "layers", "not 1.00E+30; the nearest is 1e+08"),
    ({"hidden_size": -1}, "hidden_size", "the nearest is 1"),
    ({"ffn_size": -2}, "ffn_size", "the nearest is 0"),
    ({"kv_heads": 3}, "kv_heads", "must divide the 32 heads, which 3 does not; the nearest is 2"),
    ({"kv_heads": 64}, "kv_heads", "the nearest is 32"),
    ({"context": -1}, "context", "the nearest is 1"),
    ({"windowed_layers": 4}, "window", "is missing"),
    ({"window": 128, "windowed_layers": 99}, "windowed_layers", "0 to 32, the layers"),
    ({"experts": {**EXPERTS, "active": 9}}, "experts.active", "1 to 8, the experts, not 9; the nearest is 8"),
    ({"experts": {**EXPERTS, "total": -8}}, "experts.total", "the nearest is 1"),
    ({"experts": {**EXPERTS, "dense_layers": 99}}, "experts.dense_layers", "0 to 32, the layers"),
    ({"latent_attention": {**LATENT, "kv_rank": 0}}, "latent_attention.kv_rank", "the nearest is 1"),
]


@pytest.mark.parametrize(("change", "field", "words"), SIZES)
def test_a_size_that_no_model_has_is_refused_by_every_kind(change: Asked, field: str, words: str) -> None:
    for kind, spec in (
        ("training", TRAINING),
        ("inference", INFERENCE),
        ("fine-tuning", FINE_TUNING),
        ("memory", MEMORY),
    ):
        own = {name: value for name, value in spec.items() if name != "llm"} | {"architecture": {**OWN, **change}}
        assert words in refusal(kind, own)[f"architecture.{field}"]


def test_a_model_of_the_librarys_sizes_is_always_possible() -> None:
    for one in MODELS:
        check_architecture(one.llm)


def test_an_architecture_of_ones_own_answers_as_the_library_would() -> None:
    (known,) = (one.llm for one in MODELS if one.id == "llama-3.1-70b")
    spec = read_prediction_spec("training", msgspec.json.encode(TRAINING).decode())
    by_name = predict_training(spec)  # type: ignore[arg-type]
    by_fields = predict_training(replace(spec, llm=None, architecture=known))  # type: ignore[arg-type]
    assert by_fields.figures == by_name.figures
    assert by_fields.facts == by_name.facts[1:]


def test_what_was_not_said_is_told_back() -> None:
    told = " ".join(asked_of("training", {"llm": "llama-3.1-8b", "accelerator": "H800", "tokens": 1e12}).warnings)
    for words in ("sequence is not given", "accelerators are not given", "layout is not given", "link of 2e+11"):
        assert words in told
    long = asked_of("inference", {**INFERENCE, "llm": "llama-2-70b", "input_tokens": 9000})
    assert any("longer than the context of" in one for one in long.warnings)


HOSTILE = {
    "10 MB": "a" * 10_000_000,
    "10 MB of JSON": '{"llm": "' + "a" * 10_000_000 + '"}',
    "a deep mapping": '{"a":' * 5_000,
    "a deep list": "[" * 5_000 + "]" * 5_000,
    "deep YAML": "- " * 5_000,
    "NaN": '{"llm": "llama-3.1-70b", "accelerator": "H100", "tokens": NaN}',
    "infinity": "llm: llama-3.1-70b\naccelerator: H100\ntokens: .inf",
    "1e400": "llm: llama-3.1-70b\naccelerator: H100\ntokens: 1e400",
    "many digits": "llm: llama-3.1-70b\naccelerator: H100\ntokens: " + "9" * 400_000,
    "many digits of a count": "llm: llama-3.1-70b\ntokens: 1\naccelerator: H100\naccelerators: " + "9" * 4_000,
    "a huge exponent": '{"llm": "llama-3.1-70b", "accelerator": "H100", "tokens": 1e999999999}',
    "aliases": "a: &a [x]\nb: *a",
    "a tag": "llm: !!python/object/apply:os.system [ls]",
    "twice": '{"llm": "a", "llm": "b"}',
    "nothing": "",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_spec_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        predict_training(read_prediction_spec("training", text))  # type: ignore[arg-type]
    assert len(str(caught.value)) < 2000
