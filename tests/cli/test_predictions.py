"""The commands `predict` and `validate`, in the process of the tests: the use cases' answers, and refusals by field."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from service.cli.main import app
from service.domain.canonical import json_bytes
from service.usecases.validation import TABLES, summarise_validations, validate_predictions, validate_published
from tests.usecases.test_predictions import CASES, FINE_TUNING, INFERENCE, MEMORY, OWN, TRAINING, asked_of
from tests.usecases.test_validation import TRAINING as TABLE


def run(*words: str, given: str | bytes = "", expect: int = 0) -> Result:
    done = CliRunner().invoke(app, words, input=given)
    assert done.exit_code == expect, f"{words}: {done.exit_code}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def written(spec: dict[str, Any]) -> str:
    return msgspec.json.encode(spec).decode()


@pytest.mark.parametrize(("kind", "spec"), CASES)
def test_a_prediction_for_programs_is_the_use_cases(kind: str, spec: dict[str, Any]) -> None:
    assert run("predict", kind, "-", "--json", given=written(spec)).stdout_bytes.strip() == json_bytes(
        asked_of(kind, spec)
    )


def test_a_prediction_for_people_shows_figures_steps_facts_and_notes() -> None:
    shown = run("predict", "training", "-", given=written(TRAINING)).stdout
    for words in ("accelerator-hours", "Low", "High", "utilisation.benchmark@1", "Read on", "https://", "note: "):
        assert words in shown
    assert "Batch" in run("predict", "inference", "-", given=written(INFERENCE)).stdout
    assert "it fits" in run("predict", "memory", "-", given=written(MEMORY)).stdout
    tight = {**MEMORY, "layout": {"data": 1}}
    assert "it does not fit; what fits on" in run("predict", "memory", "-", given=written(tight)).stdout


def test_a_spec_may_be_yaml_and_name_the_config_of_the_model(tmp_path: Path) -> None:
    config = {"model_type": "llama", "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8}
    config |= {"hidden_size": 4096, "intermediate_size": 14336, "vocab_size": 128256, "tie_word_embeddings": False}
    (tmp_path / "config.json").write_text(written(config))
    (tmp_path / "spec.yaml").write_text("llm: config.json\naccelerator: H100 SXM\ntokens: 1e12\nsequence: 8192\n")
    by_file = msgspec.json.decode(run("predict", "training", str(tmp_path / "spec.yaml"), "--json").stdout)
    own = {"architecture": OWN, "accelerator": "H100 SXM", "tokens": 1e12, "sequence": 8192}
    by_fields = msgspec.json.decode(run("predict", "training", "-", "--json", given=written(own)).stdout)
    assert by_file["figures"] == by_fields["figures"]


@pytest.mark.parametrize(
    ("kind", "spec", "words"),
    [
        ("training", {**TRAINING, "tokens": -1}, "tokens: must be above 0"),
        ("training", {**TRAINING, "accelerator": "H1000"}, "accelerator: no accelerator is known as 'H1000'"),
        ("training", {**TRAINING, "anchors": [{"utilisation": 41}]}, "anchors.0.utilisation: must be above 0"),
        ("inference", {**INFERENCE, "llm": "lama-3.1-70b"}, "the nearest are llama-3.1-70b"),
        ("inference", {**INFERENCE, "accelerators": 1}, "the weights in fp8 and one sequence need 2"),
        ("fine-tuning", {**FINE_TUNING, "precision": "fp12"}, "precision: must be 'bf16', 'fp16', 'fp8' or 'fp4'"),
        ("memory", {**MEMORY, "accelerators": 64}, "belongs to use: serving"),
    ],
)
def test_what_cannot_be_ends_with_a_sentence_and_code_2(kind: str, spec: dict[str, Any], words: str) -> None:
    assert words in run("predict", kind, "-", given=written(spec), expect=2).stderr
    problem = msgspec.json.decode(run("predict", kind, "-", "--json", given=written(spec), expect=2).stderr)
    assert problem["code"] == "invalid"
    assert words in problem["detail"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a" * 10_000_000, "is over 1048576 bytes"),
        ('{"a":' * 5_000, "nested too deeply"),
        ("- " * 5_000, "nested too deeply"),
        (b"llm: \xff", "is not UTF-8 text"),
        ('{"llm": "llama-3.1-70b", "accelerator": "H100", "tokens": NaN}', "NaN where a number was expected"),
        ("", "must be a mapping"),
    ],
    ids=["10 MB", "deep JSON", "deep YAML", "no text", "NaN", "nothing"],
)
def test_a_hostile_spec_ends_with_a_sentence_and_code_2(text: str | bytes, words: str) -> None:
    done = run("predict", "training", "-", given=text, expect=2)
    assert words in done.stderr
    assert len(done.stderr) < 2000


def test_a_table_is_validated_as_by_the_use_case(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(TABLE)
    done = run("validate", "training", str(tmp_path / "runs.csv"), "--json")
    assert done.stdout_bytes.strip() == json_bytes(validate_predictions("training", TABLE))
    shown = run("validate", "training", "-", given=TABLE).stdout
    for words in ("pre-training", "6 N D at 40 % of peak", "Median error", "Furthest off", "Not predicted: 1 rows"):
        assert words in shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "params_active_b: is missing"),
        (TABLE + "x,1,2,3,4,5,6,7,8\n", "line 4 has more values"),
        (b"model\xff", "is not UTF-8 text"),
        (TABLE.replace("1400", "many"), "Not predicted: 2 rows"),
    ],
)
def test_a_table_that_is_none_is_refused_and_a_poor_row_is_listed(text: str | bytes, words: str) -> None:
    listed = words.startswith("Not")
    done = run("validate", "training", "-", given=text, expect=0 if listed else 2)
    assert words in (done.stdout if listed else done.stderr)


def test_without_a_file_the_shipped_facts_are_validated_and_named() -> None:
    assert run("validate", "--json").stdout_bytes.strip() == json_bytes(summarise_validations())
    shown = run("validate").stdout
    for words in (*TABLES, "pre-training", "amortised cost", "https://arxiv.org/abs/2302.13971", "Apache-2.0", "CC-BY"):
        assert words in shown
    for table in TABLES:
        assert run("validate", table, "--json").stdout_bytes.strip() == json_bytes(validate_published(table))
        assert "Read on" in run("validate", table).stdout


def test_a_table_nobody_knows_is_bad_usage() -> None:
    assert "No such command" in run("validate", "trainin", expect=2).stderr
