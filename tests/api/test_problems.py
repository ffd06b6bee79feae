"""Whatever goes wrong is a problem (RFC 9457) that says what was asked and what would have worked."""

from collections.abc import Callable
from datetime import datetime

import pytest
from fastapi.testclient import TestClient

from service.api.edge import MOST_BODY_BYTES
from service.app import create_app
from service.settings import Settings
from service.store.store import Store
from tests.api.conftest import H100

TRAINING = {"name": "Run", "training": {"gpus": 8, "hours": 10, "gpu_price": {"series": H100}}}

ASKED = (
    ("GET", "/api/v1/nothing", 404, "not_found"),
    ("GET", "/api/v1//prices", 404, "not_found"),
    ("DELETE", "/api/v1/prices", 405, "method_not_allowed"),
    ("TRACE", "/api/v1/estimates", 405, "method_not_allowed"),
    ("GET", "/api/v1/prices/baseline/h200/global/on_demand", 404, "not_found"),
    ("GET", "/api/v1/price-history/nobody/knows", 404, "not_found"),
    ("GET", "/api/v1/documents/" + "0" * 64, 404, "not_found"),
    ("GET", "/api/v1/documents/..%2f..%2fetc%2fpasswd", 404, "not_found"),
    ("GET", "/api/v1/documents/zz", 422, "invalid"),
    ("GET", "/api/v1/refreshes/77", 404, "not_found"),
    ("GET", "/api/v1/refreshes/99999999999999999999", 422, "invalid"),
    ("GET", "/api/v1/sources/nimbus", 404, "not_found"),
    ("GET", "/api/v1/estimates/abcdef", 404, "not_found"),
    ("GET", "/api/v1/estimates/xyz", 422, "invalid"),
    ("GET", "/api/v1/scenarios/xyz", 422, "invalid"),
    ("GET", "/api/v1/formulas/alchemy", 404, "not_found"),
    ("GET", "/api/v1/prices/%00", 422, "invalid"),
    ("GET", "/api/v1/prices?q=%00", 422, "invalid"),
    ("GET", "/api/v1/prices?kind=coal", 422, "invalid"),
    ("GET", "/api/v1/prices?limit=0", 422, "invalid"),
    ("GET", "/api/v1/prices?limit=1001", 422, "invalid"),
    ("GET", "/api/v1/prices?limit=abc", 422, "invalid"),
    ("GET", "/api/v1/prices?q=" + "x" * 301, 422, "invalid"),
    ("GET", "/api/v1/estimates?after=zzz", 422, "invalid"),
)
"""Method, path, and the status and code of the problem that answers it."""

NONSENSE = (
    b"{",
    b"",
    b'"text"',
    b"[]",
    b"\xff\xfe",
    b'{"name": NaN}',
    b'{"name": "\\ud800"}',
    b'{"name": "\\u0000", "training": {"gpus": 1, "hours": 1}}',
    b"[" * 100_000,
    b'{"name": "x", "training": {"gpus": ' + b"9" * 10_000 + b', "hours": 1}}',
    b'{"name": "x", "training": {"gpus": "1e999999999", "hours": 1}}',
    b'{"name": "x", "training": {"gpus": "NaN", "hours": 1}}',
    b'{"name": "x", "training": {"gpus": 1, "hours": 1, "gpu_price": {"amount": "0.' + b"1" * 250 + b'"}}}',
    b'{"name": "x", "training": {"gpus": 1, "hours": 1, "gpu_price": {"amount": 1e-900}}}',
    b'{"name": "x", "training": {"gpus": 1, "hours": 1, "gpu_price": {"series": "' + b"x" * 100_000 + b'"}}}',
)


def problem(response) -> dict:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"} == set(body)
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    return body


def the_error(response) -> tuple[str, str]:
    [error] = problem(response)["errors"]
    return error["field"], error["message"]


def test_a_question_without_an_answer_is_a_problem_with_its_own_status(client: TestClient) -> None:
    answers = [(method, path, problem(client.request(method, path))) for method, path, _, _ in ASKED]
    assert tuple((method, path, body["status"], body["code"]) for method, path, body in answers) == ASKED


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-03-01T00:00:00", "must carry a UTC offset"),
        ("2026-03-01", "must be an RFC 3339 time"),
        ("2026", "must be an RFC 3339 time"),
        ("1700000000", "must be an RFC 3339 time"),
        ("2026-02-30T00:00:00Z", "is not a date of the calendar"),
        ("0001-01-01T00:00:00%2B14:00", "is not a date of the calendar"),
    ],
)
def test_a_time_that_could_mean_two_moments_is_refused(client: TestClient, moment: str, words: str) -> None:
    for name in ("valid_at", "known_at"):
        field, message = the_error(client.get(f"/api/v1/prices?{name}={moment}"))
        assert field == name
        assert words in message


def test_nobody_knows_yet_what_will_be_known(client: TestClient) -> None:
    field, message = the_error(client.get("/api/v1/prices?known_at=2027-01-01T00:00:00Z"))
    assert field == "known_at"
    assert "future" in message


def test_before_the_first_price_there_is_no_data_and_the_problem_says_since_when(client: TestClient) -> None:
    body = problem(client.get(f"/api/v1/prices/{H100}?valid_at=2020-01-01T00:00:00Z"))
    assert (body["status"], body["code"]) == (404, "no_data")
    assert "2026-03-01" in body["detail"]


def test_an_empty_database_says_what_to_run(empty: TestClient) -> None:
    body = problem(empty.get("/api/v1/prices"))
    assert (body["status"], body["code"]) == (404, "no_data")
    assert "costplan refresh" in body["detail"]


def test_an_unknown_query_parameter_is_named_beside_the_known_ones(client: TestClient) -> None:
    field, message = the_error(client.get("/api/v1/prices?sourc=baseline"))
    assert field == "sourc"
    assert message == (
        "is not a query parameter here; did you mean source? known: after, kind, known_at, limit, q, source, valid_at"
    )


def test_a_query_parameter_is_given_once(client: TestClient) -> None:
    assert the_error(client.get("/api/v1/prices?limit=1&limit=2")) == ("limit", "is given more than once; give it once")


def test_a_misspelt_field_is_named_with_the_nearest_known_one(client: TestClient) -> None:
    scenario = {"name": "Run", "training": {"gpus": 8, "hours": 10, "gpu_prize": {"series": H100}}}
    for path, body in (("/scenarios", scenario), ("/estimates", {"scenario": scenario})):
        field, message = the_error(client.post(f"/api/v1{path}", json=body))
        assert field == "training.gpu_prize"
        assert message.startswith("is not a field of training; did you mean gpu_price? known: electricity_price,")


def test_every_wrong_field_is_named_at_once(client: TestClient) -> None:
    body = {"training": {"gpus": "many", "gpu_price": []}, "curency": "USD"}
    found = {one["field"]: one["message"] for one in problem(client.post("/api/v1/scenarios", json=body))["errors"]}
    assert found.keys() == {"name", "training.gpus", "training.hours", "training.gpu_price", "curency"}
    assert found["name"] == "is required"
    assert found["training.gpus"] == "must be a valid decimal, not 'many'"
    assert found["training.gpu_price"] == "must be an object, not a list"
    assert "did you mean currency?" in found["curency"]


def test_what_the_estimate_refuses_is_named_by_the_same_field(client: TestClient) -> None:
    body = problem(
        client.post("/api/v1/estimates", json={"scenario": {**TRAINING, "training": {"gpus": -1, "hours": 1}}})
    )
    assert body["status"] == 422
    assert "training.gpus" in [one["field"] for one in body["errors"]]


@pytest.mark.parametrize("body", [{}, {"scenario": TRAINING, "scenario_id": "abcd"}])
def test_an_estimate_is_asked_of_one_scenario(client: TestClient, body: dict) -> None:
    assert the_error(client.post("/api/v1/estimates", json=body)) == (
        "scenario",
        "give either scenario or scenario_id, and not both",
    )


def test_a_body_that_makes_no_sense_is_a_short_problem(client: TestClient) -> None:
    for body in NONSENSE:
        response = client.post("/api/v1/scenarios", content=body, headers={"Content-Type": "application/json"})
        assert problem(response)["status"] == 422, body[:100]
        assert len(response.content) < 2_000, body[:100]


def test_only_json_is_read_so_that_no_other_site_can_send_a_form(client: TestClient) -> None:
    response = client.post("/api/v1/scenarios", content=b"{}", headers={"Content-Type": "text/plain"})
    assert problem(response)["status"] == 415


def test_a_body_over_the_limit_is_refused_whether_announced_or_not(client: TestClient) -> None:
    def endless():
        for _ in range(3):
            yield b" " * (MOST_BODY_BYTES // 2)

    for content in (b" " * (MOST_BODY_BYTES + 1), endless()):
        response = client.post("/api/v1/scenarios", content=content, headers={"Content-Type": "application/json"})
        body = problem(response)
        assert body["status"] == 413
        assert str(MOST_BODY_BYTES) in body["detail"]


def test_a_long_wrong_value_is_not_sent_back(client: TestClient) -> None:
    _, message = the_error(
        client.post("/api/v1/scenarios", json={**TRAINING, "training": {"gpus": "x" * 10_000, "hours": 1}})
    )
    assert len(message) < 150


def test_a_harmless_request_id_is_kept_and_any_other_replaced(client: TestClient) -> None:
    assert client.get("/livez", headers={"X-Request-Id": "caller-0001"}).headers["x-request-id"] == "caller-0001"
    forged = client.get("/livez", headers={"X-Request-Id": "a b\t{}"}).headers["x-request-id"]
    assert len(forged) == 32


def test_an_unexpected_error_tells_nothing_but_its_request_id(client: TestClient) -> None:
    def broken() -> datetime:
        raise RuntimeError("secret-password in a stack")

    client.app.state.clock = broken
    response = client.get("/api/v1/prices")
    body = problem(response)
    assert (body["status"], body["code"]) == (500, "internal")
    assert "secret" not in response.text
    assert "RuntimeError" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_database_that_is_gone_is_said_without_its_password(clock: Callable[[], datetime]) -> None:
    store = Store.open("postgresql://planner:s3cr3t-canary@127.0.0.1:1/prices?connect_timeout=2", clock)
    client = TestClient(create_app(Settings({}), [], store, clock), raise_server_exceptions=False)
    answers = [
        client.get(path) for path in ("/readyz", "/api/v1/prices", "/api/v1/sources", "/sources", "/openapi.json")
    ]
    store.close()

    assert [one.status_code for one in answers] == [503, 503, 503, 503, 200]
    assert answers[0].headers["retry-after"] == "5"
    assert not [one for one in answers if "s3cr3t" in one.text or "s3cr3t" in str(one.headers)]
    assert client.get("/livez").json() == {"status": "live"}


def test_a_database_without_our_schema_is_not_ready_and_says_what_to_run(tmp_path, clock) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/bare.db", clock)
    client = TestClient(create_app(Settings({}), [], store, clock), raise_server_exceptions=False)
    body = problem(client.get("/readyz"))
    store.close()

    assert (body["status"], body["code"]) == (503, "schema_outdated")
    assert "costplan db upgrade" in body["detail"]


def test_a_dead_scheduler_is_not_ready(client: TestClient) -> None:
    class Dead:
        def healthy(self) -> bool:
            return False

    assert client.get("/readyz").json() == {"status": "ready"}
    client.app.state.scheduler = Dead()
    assert problem(client.get("/readyz"))["code"] == "unavailable"
