"""The doors of predictions and of validation over HTTP: answers of the use cases, refusals that name the field."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.domain.canonical import json_bytes
from service.formulas.catalog import FORMULAS
from service.settings import Settings
from service.store.store import Store
from service.usecases.validation import summarise_validations, validate_predictions, validate_published
from tests.conftest import day
from tests.usecases.test_predictions import CASES, FINE_TUNING, INFERENCE, MEMORY, TRAINING, asked_of
from tests.usecases.test_validation import TRAINING as TABLE

PREDICTIONS = "/api/v1/predictions"
VALIDATIONS = "/api/v1/validations"
CSV = {"Content-Type": "text/csv"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def client(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One server for all: nothing here is kept."""
    path = tmp_path_factory.mktemp("predictions") / "costplan.db"
    shutil.copy(migrated_file, path)
    store = Store.open(f"sqlite:///{path}", lambda: day("2026-11-01"))
    yield TestClient(create_app(Settings({}), [], store, lambda: day("2026-11-01")), raise_server_exceptions=False)
    store.close()


def fields_of(response: Any) -> dict[str, str]:
    """The problems of a refusal, by field."""
    assert response.headers["content-type"] == "application/problem+json"
    return {one["field"]: one["message"] for one in response.json().get("errors", [])}


@pytest.mark.parametrize(("kind", "spec"), CASES)
def test_a_prediction_over_http_is_the_use_cases(client: TestClient, kind: str, spec: dict[str, Any]) -> None:
    answered = client.post(f"{PREDICTIONS}/{kind}", json=spec)
    assert answered.status_code == 200, answered.text
    assert answered.content == json_bytes(asked_of(kind, spec))


@pytest.mark.parametrize(
    ("kind", "spec", "change", "field", "words"),
    [
        ("training", TRAINING, {"tokens": -1}, "tokens", "above 0"),
        ("training", TRAINING, {"accelerator": "H1000"}, "accelerator", "nearest are nvidia-h100-sxm-80gb"),
        ("training", TRAINING, {"llm": "lama-3.1-70b"}, "llm", "nearest are llama-3.1-70b"),
        ("training", TRAINING, {"anchors": [{"utilisation": 1.2}]}, "anchors.0.utilisation", "the nearest is 1"),
        ("training", TRAINING, {"accelerators": 8}, "accelerators", "what fits on 16 accelerators"),
        ("inference", INFERENCE, {"precision": "fp12"}, "precision", "'fp8'"),
        ("inference", INFERENCE, {"accelerators": 1}, "accelerators", "need 2"),
        ("fine-tuning", FINE_TUNING, {"method": "ppo"}, "method", "'reinforcement'"),
        ("memory", MEMORY, {"sequence": 10**40}, "sequence", "the nearest is 1e+09"),
        ("memory", MEMORY, {"sequense": 10}, "sequense", "did you mean sequence?"),
    ],
)
def test_what_cannot_be_is_a_problem_that_names_the_field(
    client: TestClient, kind: str, spec: dict[str, Any], change: dict[str, Any], field: str, words: str
) -> None:
    refused = client.post(f"{PREDICTIONS}/{kind}", json={**spec, **change})
    assert refused.status_code == 422
    found = fields_of(refused)
    assert words in found[field]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"llm": "' + b"a" * 10_000_000 + b'"}', 413),
        (b'{"a":' * 100_000, 422),
        (b"[" * 100_000, 422),
        (b'{"tokens": NaN}', 422),
        (b'{"tokens": 1e999999999}', 422),
        (b'{"tokens": ' + b"9" * 400_000 + b"}", 422),
        (b"\xff", 422),
        (b"null", 422),
        (b"", 422),
    ],
    ids=["10 MB", "deep mapping", "deep list", "NaN", "exponent", "digits", "no text", "null", "nothing"],
)
@pytest.mark.parametrize("kind", ["training", "inference"])
def test_a_hostile_body_is_refused(client: TestClient, kind: str, body: bytes, status: int) -> None:
    refused = client.post(f"{PREDICTIONS}/{kind}", content=body, headers=JSON)
    assert refused.status_code == status
    assert len(refused.content) < 4_000


def test_a_table_over_http_is_validated_as_by_the_use_case(client: TestClient) -> None:
    answered = client.post(f"{VALIDATIONS}/training", content=TABLE, headers=CSV)
    assert answered.status_code == 200, answered.text
    assert answered.content == json_bytes(validate_predictions("training", TABLE))
    assert msgspec.json.decode(answered.content)["not_predicted"]


@pytest.mark.parametrize(
    ("table", "body", "headers", "status", "words"),
    [
        ("trainin", TABLE, CSV, 422, "training"),
        ("training", "", CSV, 422, "params_active_b"),
        ("training", TABLE + "x,1,2,3,4,5,6,7,8\n", CSV, 422, "line 4"),
        ("mfu", TABLE, CSV, 422, "seq_len"),
        ("training", b"\xff", CSV, 422, "UTF-8"),
        ("training", TABLE, JSON, 415, "text/csv"),
        ("training", "a" * 2_000_000, CSV, 413, "send a smaller one"),
    ],
)
def test_what_is_no_table_is_refused(
    client: TestClient, table: str, body: str, headers: dict[str, str], status: int, words: str
) -> None:
    refused = client.post(f"{VALIDATIONS}/{table}", content=body, headers=headers)
    assert refused.status_code == status
    assert words in refused.text


def test_the_shipped_facts_are_answered_without_a_body(client: TestClient) -> None:
    answered = client.get(VALIDATIONS)
    assert answered.status_code == 200, answered.text
    assert answered.content == json_bytes(summarise_validations())
    one = client.get(f"{VALIDATIONS}/epoch")
    assert one.content == json_bytes(validate_published("epoch"))
    assert one.json()["sources"][0]["terms"]
    refused = client.get(f"{VALIDATIONS}/epoc")
    assert refused.status_code == 422
    assert "epoch" in fields_of(refused)["table"]


def test_every_formula_has_a_page_of_its_own(client: TestClient) -> None:
    listed = client.get("/formulas").text
    for one in FORMULAS:
        told = client.get(f"/api/v1/formulas/{one.id}")
        assert told.status_code == 200
        assert told.json()["documentation"] == one.documentation
        assert one.id in listed
