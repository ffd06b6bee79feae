"""The API tells what the use cases know: decimals as text, times with offsets, estimates byte for byte."""

import hashlib
import threading
from collections.abc import Callable
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient

from pricing_sources.source import Document
from service.errors import Cancelled
from service.usecases.refresh import import_document
from tests.api.conftest import H100, WRITTEN, MixedFeed, Refreshing, seed
from tests.conftest import TickingClock, day
from tests.store.conftest import LineFeed

TRAINING = {"name": "Run", "training": {"gpus": "8", "hours": "100.5", "gpu_price": {"series": H100}}}
THEN = {"valid_at": "2026-03-02T00:00:00Z", "known_at": "2026-03-02T00:00:00Z"}


def examples(client: TestClient) -> list[tuple[str, str, dict]]:
    """(path, name, body) of every example of every POST in the OpenAPI document."""
    paths = client.get("/openapi.json").json()["paths"]
    return [
        (
            path.replace("{formula}", name).replace("{quarantine_id}", "2").replace("{refresh_id}", "4"),
            name,
            example["value"],
        )
        for path, operations in paths.items()
        if "post" in operations
        for name, example in sent_as_json(operations["post"]).items()
    ]


def sent_as_json(operation: dict) -> dict:
    """The examples of what is sent as JSON; a table is sent as CSV and has none."""
    content = operation.get("requestBody", {}).get("content", {})
    return content.get("application/json", {"examples": {}})["examples"]


def test_every_example_of_the_openapi_document_works(client: TestClient, feed: MixedFeed, clock: TickingClock) -> None:
    seed(client.app.state.store, feed, clock, b"h100 0.001\na100 1.10\n", on="2026-03-02")
    seed_refused(client, feed, clock)
    made = client.post("/api/v1/estimates", json={"scenario": TRAINING}).json()["estimate_id"]
    tried = [(path.replace("{estimate}", made), name, body) for path, name, body in examples(client)]
    rooms = {
        "bridges",
        "budgets",
        "checks",
        "cost-histories",
        "estimates",
        "formulas",
        "hardware-labels",
        "notifications",
        "plans",
        "predictions",
        "quarantine",
        "rate-cards",
        "refreshes",
        "scenarios",
        "standing-goals",
    }
    assert {path.split("/")[3] for path, _, _ in tried} == rooms
    answers = {(path, name): client.post(path, json=body) for path, name, body in tried}
    assert {key: one.text for key, one in answers.items() if one.status_code not in {200, 201, 202}} == {}


def test_every_operation_says_what_it_returns_and_may_answer_with_a_problem(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
            assert any(status.startswith("2") for status in operation["responses"])
    assert "HTTPValidationError" not in str(document)
    for reference in references(document):
        assert resolved(document, reference), reference


def test_the_openapi_document_says_what_a_citation_means_by_saying_nothing(client: TestClient) -> None:
    shapes = client.get("/openapi.json").json()["components"]["schemas"]
    described = shapes["service__domain__price_book__Citation"]["description"]
    assert "`republish` is false where the figure may be used but not served on to others, and null where" in described


def references(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(inner) for inner in node.values()))
    return set().union(*(references(inner) for inner in node)) if isinstance(node, list) else set()


def resolved(document: dict, reference: str) -> object:
    node: object = document
    for name in reference.removeprefix("#/").split("/"):
        assert isinstance(node, dict)
        node = node.get(name)
    return node


def test_a_price_travels_as_text_with_its_citation(either: TestClient) -> None:
    price = either.get(f"/api/v1/prices/{H100}").json()
    assert (price["amount"], price["currency"], price["unit"]) == ("2.5", "USD", "GPU-Hours")
    assert price["valid_from"] == "2026-03-01T00:00:00Z"
    citation = price["citation"]
    assert (citation["published_amount"], citation["licence"]) == ("2.50", "CC0-1.0")
    assert citation["attribution"] == "Prices by Nimbus"
    assert citation["document_sha256"] == hashlib.sha256(WRITTEN).hexdigest()


def test_a_search_is_paged_by_a_cursor(either: TestClient) -> None:
    seen, after, pages = [], "", 0
    while after is not None:
        page = either.get("/api/v1/prices", params={"limit": 2, "after": after}).json()
        seen += [price["series"] for price in page["prices"]]
        after, pages = page["next_after"], pages + 1
    assert pages == 3
    assert seen == sorted(seen)
    assert len(seen) == 5
    assert {"known_at", "valid_at"} == set(page["as_of"])


def test_a_search_narrows_by_kind_and_by_text(client: TestClient) -> None:
    def found(**wanted: str) -> list[str]:
        return [one["series"] for one in client.get("/api/v1/prices", params=wanted).json()["prices"]]

    assert found(kind="gpu", q="H100") == [H100]
    assert found(kind="fx") == ["baseline/EUR/USD"]
    assert found(source="nobody") == []
    assert found(q="%") == []


def test_a_correction_changes_what_is_known_now_but_not_what_was_known_then(
    client: TestClient, sqlite_store, feed: MixedFeed, clock
) -> None:
    seed(sqlite_store, feed, clock, b"h100 2.25", on="2026-05-01")

    def amount(known_at: str) -> str:
        asked = {"valid_at": "2026-06-01T00:00:00Z", "known_at": known_at}
        return client.get(f"/api/v1/prices/{H100}", params=asked).json()["amount"]

    assert amount("2026-04-01T00:00:00Z") == "2.5"
    assert amount("2026-06-01T02:00:00+02:00") == "2.25"
    history = client.get(f"/api/v1/price-history/{H100}").json()
    assert [point["amount"] for point in history["points"]] == ["2.5", "2.25"]
    then = client.get(f"/api/v1/price-history/{H100}", params={"known_at": "2026-04-01T00:00:00Z"}).json()
    assert [point["amount"] for point in then["points"]] == ["2.5"]


def test_a_plus_that_became_a_blank_in_the_query_is_read_as_the_plus_it_was(client: TestClient) -> None:
    page = client.get("/api/v1/prices?valid_at=2026-06-01T02:00:00+02:00").json()
    assert page["as_of"]["valid_at"] == "2026-06-01T00:00:00Z"


def test_a_document_comes_back_unchanged_and_is_never_shown_as_a_page(client: TestClient) -> None:
    digest = hashlib.sha256(WRITTEN).hexdigest()
    response = client.get(f"/api/v1/documents/{digest}")
    assert response.content == WRITTEN
    assert response.headers["content-disposition"] == f'attachment; filename="baseline-{digest[:12]}"'
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in response.headers["content-security-policy"]


def test_the_canonical_bytes_hash_to_the_id_of_the_estimate(either: TestClient) -> None:
    made = either.post("/api/v1/estimates", json={"scenario": TRAINING, **THEN})
    assert made.status_code == 201
    record = made.json()
    where = f"/api/v1/estimates/{record['estimate_id']}"
    assert made.headers["location"] == where
    assert either.get(where).content == made.content

    bytes_ = either.get(f"{where}/canonical")
    assert hashlib.sha256(bytes_.content).hexdigest() == record["estimate_id"]
    assert bytes_.content in made.content
    assert bytes_.json() == record["estimate"]
    again = either.get(f"{where}/canonical", headers={"If-None-Match": bytes_.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_same_question_at_the_same_as_of_is_the_same_estimate_whatever_was_learned_since(
    client: TestClient, sqlite_store, feed: MixedFeed, clock
) -> None:
    first = client.post("/api/v1/estimates", json={"scenario": TRAINING, **THEN}).json()
    seed(sqlite_store, feed, clock, b"h100 1.99", on="2026-05-01")
    kept = client.post("/api/v1/scenarios", json=TRAINING).json()
    again = client.post("/api/v1/estimates", json={"scenario_id": kept["scenario_id"], **THEN}).json()
    other = client.post("/api/v1/estimates", json={"scenario": TRAINING}).json()

    assert again == first
    assert again["scenario_id"] == kept["scenario_id"]
    assert first["estimate"]["total"] == "2010"
    assert Decimal(other["estimate"]["total"]) < Decimal(2010)
    listed = client.get("/api/v1/estimates").json()["estimates"]
    assert [one["estimate_id"] for one in listed] == [other["estimate_id"], first["estimate_id"]]


def test_the_ledger_is_paged(client: TestClient) -> None:
    made = [client.post("/api/v1/estimates", json={"scenario": {**TRAINING, "name": name}}).json() for name in "abc"]
    page = client.get("/api/v1/estimates?limit=2").json()
    rest = client.get(f"/api/v1/estimates?limit=2&after={page['next_after']}").json()
    assert [one["name"] for one in page["estimates"] + rest["estimates"]] == ["c", "b", "a"]
    assert rest["next_after"] is None
    only = client.get("/api/v1/estimates", params={"scenario_id": made[0]["scenario_id"]}).json()["estimates"]
    assert [one["name"] for one in only] == ["a"]


def test_a_number_keeps_every_digit_however_it_is_written(client: TestClient) -> None:
    text = b'{"name": "x", "training": {"gpus": 1, "hours": 0.12345678901234567890123, "gpu_price": {"amount": 1}}}'
    made = client.post("/api/v1/scenarios", content=text, headers={"Content-Type": "application/json"}).json()
    assert made["scenario"]["training"]["hours"] == "0.12345678901234567890123"
    assert client.get(f"/api/v1/scenarios/{made['scenario_id'][:8]}").json() == made
    assert [one["scenario_id"] for one in client.get("/api/v1/scenarios").json()["scenarios"]] == [made["scenario_id"]]


def test_sources_refreshes_and_quarantine_tell_how_a_source_stands(client: TestClient) -> None:
    [source] = client.get("/api/v1/sources").json()["sources"]
    assert (source["source"], source["series"], source["quarantined_rows"]) == ("baseline", 5, 1)
    assert client.get("/api/v1/sources/baseline").json() == source
    [refresh] = client.get("/api/v1/refreshes?source=baseline").json()["refreshes"]
    assert (refresh["status"], refresh["rows_read"], refresh["added"], refresh["rejected"]) == ("sealed", 6, 5, 1)
    assert client.get(f"/api/v1/refreshes/{refresh['refresh_id']}").json() == refresh
    [row] = client.get("/api/v1/quarantine").json()["rows"]
    assert (row["locator"], row["source"]) == ("line 3", "baseline")
    assert client.get("/api/v1/quarantine?source=other").json() == {"rows": []}


def test_a_quarantined_price_is_released_for_a_reason(client: TestClient, feed: MixedFeed, clock: TickingClock) -> None:
    seed(client.app.state.store, feed, clock, b"h100 0.001\na100 1.10\n", on="2026-03-02")
    held = client.get("/api/v1/quarantine").json()["rows"][0]
    where = f"/api/v1/quarantine/{held['quarantine_id']}"
    assert client.get(where).json() == held
    assert client.post(f"{where}/release", json={}).json()["errors"][0]["field"] == "reason"

    released = client.post(f"{where}/release", json={"reason": "the seller says so"}).json()
    assert (released["trigger"], released["added"]) == ("release", 1)
    assert client.get(f"/api/v1/prices/{H100}").json()["amount"] == "0.001"
    assert client.get(where).json()["released_by"] == released["refresh_id"]
    assert client.post(f"{where}/release", json={"reason": "again"}).status_code == 409


def seed_refused(client: TestClient, feed: MixedFeed, clock: TickingClock) -> None:
    """A document, and one whose prices are all a hundred times those."""
    more = b"b200 4\nh200 3\nl4 1\nt4 1\n"
    seed(client.app.state.store, feed, clock, more, on="2026-03-02")
    seed(client.app.state.store, feed, clock, more.replace(b"\n", b"00\n"), on="2026-03-03")


def test_documents_that_were_not_believed_are_released_for_a_reason(
    client: TestClient, feed: MixedFeed, clock: TickingClock
) -> None:
    seed_refused(client, feed, clock)
    refused = client.get("/api/v1/refreshes").json()["refreshes"][0]
    assert "4 of 4 prices are over 10 times off" in refused["error"]
    where = f"/api/v1/refreshes/{refused['refresh_id']}/release"
    assert client.post(where, json={}).json()["errors"][0]["field"] == "reason"

    released = client.post(where, json={"reason": "whole racks"}).json()
    assert (released["trigger"], released["added"]) == ("release", 4)
    assert client.post(where, json={"reason": "again"}).status_code == 409


def test_a_label_nobody_can_place_is_resolved_by_a_person(client: TestClient) -> None:
    unresolved = client.get("/api/v1/hardware-labels?unresolved=true").json()["labels"]
    assert [(one["label"], one["accelerator"]) for one in unresolved] == [("a100", None), ("h100", None)]
    asked = {"label": "h100", "accelerator": "nvidia-h100-sxm-80gb", "reason": "the page says so"}
    assert client.post("/api/v1/hardware-labels", json=asked).json()["by_a_person"] is True
    left = client.get("/api/v1/hardware-labels?unresolved=true").json()["labels"]
    assert [one["label"] for one in left] == ["a100"]
    known = client.get("/api/v1/accelerators/nvidia-h100-sxm-80gb").json()
    assert known["figures"]["bf16"]["value"] == 989e12
    assert len(client.get("/api/v1/accelerators").json()["accelerators"]) > 70


def test_a_word_on_a_label_is_about_one_feed_or_all_and_is_taken_back(client: TestClient, clock: TickingClock) -> None:
    clock.set(day("2026-03-02"))
    document = Document(source_id="cumulus", url="file:x", body=b"h100 2.00", fetched_at=day("2026-03-02"))
    import_document(client.app.state.store, LineFeed("cumulus"), document, now=clock())
    asked = {"label": "h100", "accelerator": "nvidia-h100-sxm-80gb", "reason": "the page says so"}
    refused = client.post("/api/v1/hardware-labels", json=asked)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "source")

    client.post("/api/v1/hardware-labels", json={**asked, "source": "cumulus"})
    left = client.get("/api/v1/hardware-labels?unresolved=true").json()["labels"]
    assert [(one["label"], one["source"], one["provider"], one["series"]) for one in left] == [
        ("a100", "baseline", "baseline", 1),
        ("h100", "baseline", "baseline", 1),
    ]
    wide = client.post("/api/v1/hardware-labels", json={**asked, "everywhere": True}).json()
    assert (wide["source"], wide["series"], wide["covers"], wide["decision"]["everywhere"]) == (None, 2, 1, True)
    back = {"label": "h100", "everywhere": True, "reason": "one of them is PCIe"}
    answered = client.post("/api/v1/hardware-labels/unmap", json=back)
    assert (answered.status_code, answered.json()["accelerator"]) == (201, None)
    assert client.get("/api/v1/hardware-labels?unresolved=true").json()["labels"] == left
    assert client.post("/api/v1/hardware-labels/unmap", json=back).status_code == 404


def test_two_feeds_that_disagree_are_listed(client: TestClient, clock: TickingClock) -> None:
    clock.set(day("2026-03-02"))
    other = LineFeed("cumulus", provider="baseline")
    document = Document(source_id="cumulus", url="file:x", body=b"h100 2.00", fetched_at=day("2026-03-02"))
    import_document(client.app.state.store, other, document, now=clock())
    [found] = client.get("/api/v1/disagreements").json()["disagreements"]
    assert (found["series"], found["amount"]) == (H100, "2.5")
    assert (found["other_series"], found["other_amount"]) == ("cumulus/h100/global/on_demand", "2")
    assert client.get("/api/v1/disagreements?source=nobody").json() == {"disagreements": [], "terms": []}


def test_every_answer_that_shows_a_price_says_whose_it_is_and_on_what_terms(client: TestClient) -> None:
    scenario = {"name": "x", "training": {"gpus": "8", "hours": "1", "gpu_price": {"series": H100}}}
    kept = client.post("/api/v1/estimates", json={"scenario": scenario}).json()["estimate_id"]
    earlier = client.post("/api/v1/estimates", json={"scenario": scenario, "valid_at": "2026-03-02T00:00:00Z"}).json()
    period = {"scenario": scenario, "start": "2026-10-01T00:00:00Z", "end": "2026-10-03T00:00:00Z"}
    for answer in (
        client.get("/api/v1/prices"),
        client.get(f"/api/v1/prices/{H100}"),
        client.get(f"/api/v1/price-history/{H100}"),
        client.get(f"/api/v1/estimates/{kept}"),
        client.get(f"/api/v1/bridges?before={earlier['estimate_id']}&after={kept}"),
        client.post("/api/v1/cost-histories", json=period),
    ):
        assert answer.status_code == 200, answer.text
        for words in ('"Prices by Nimbus"', '"CC0-1.0"', '"Nimbus & Sons"'):
            assert words in answer.text, answer.url


def test_the_terms_of_every_feed_that_disagrees_stand_beside_its_price(client: TestClient, clock: TickingClock) -> None:
    clock.set(day("2026-03-02"))
    other = LineFeed("cumulus", provider="baseline", republish=False)
    document = Document(source_id="cumulus", url="file:x", body=b"h100 2.00", fetched_at=day("2026-03-02"))
    import_document(client.app.state.store, other, document, now=clock())
    terms = client.get("/api/v1/disagreements").json()["terms"]
    assert [(one["source"], one["republish"]) for one in terms] == [("baseline", True), ("cumulus", False)]
    assert client.get("/api/v1/prices/cumulus/h100/global/on_demand").json()["citation"]["republish"] is False


def test_a_refresh_asked_for_by_hand_runs_in_the_background_and_only_once(
    client: TestClient, refreshing: Refreshing
) -> None:
    gate = threading.Event()
    refreshing.wait = gate.wait
    first = client.post("/api/v1/refreshes", json={"source": "baseline"})
    second = client.post("/api/v1/refreshes", json={"source": "baseline"})
    gate.set()
    client.app.state.desk.wait(timeout=30)

    assert first.status_code == 202
    assert first.headers["location"] == first.json()["status_url"] == "/api/v1/sources/baseline"
    assert (second.status_code, second.json()["code"]) == (409, "conflict")
    assert refreshing.asked == ["baseline"]
    assert client.post("/api/v1/refreshes", json={"source": "baseline"}).status_code == 202


def test_a_refresh_in_progress_says_where_it_is_and_can_be_cancelled(
    client: TestClient, refreshing: Refreshing
) -> None:
    told, cancelled, ends = threading.Event(), threading.Event(), []

    def read(progress: Callable[[str], None]) -> None:
        progress("read 10000 rows")
        told.set()
        cancelled.wait(30)
        try:
            progress("read 20000 rows")
        except Cancelled as error:
            ends.append(str(error))
            raise

    refreshing.tell = read
    accepted = client.post("/api/v1/refreshes", json={"source": "baseline", "what": "archive"}).json()
    told.wait(30)
    [shown] = client.get("/api/v1/refreshes/running").json()["running"]
    stopped = client.delete(accepted["cancel_url"])
    cancelled.set()
    client.app.state.desk.wait(timeout=30)

    assert (shown["source"], shown["what"], shown["progress"]) == ("baseline", "archive", "read 10000 rows")
    assert (stopped.status_code, stopped.json()["cancelled"]) == (202, True)
    assert ends == ["reading baseline was cancelled"]
    assert client.get("/api/v1/refreshes/running").json() == {"running": []}
    gone = client.delete("/api/v1/refreshes/running/baseline")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")


def test_a_refresh_that_blows_up_can_be_asked_for_again(client: TestClient, refreshing: Refreshing) -> None:
    def blow_up() -> None:
        raise RuntimeError("gone")

    refreshing.wait = blow_up
    for _ in range(2):
        assert client.post("/api/v1/refreshes", json={"source": "baseline"}).status_code == 202
        client.app.state.desk.wait(timeout=30)
    assert refreshing.asked == []


def test_head_is_get_without_the_body(client: TestClient) -> None:
    for path in ("/", f"/api/v1/prices/{H100}", "/livez"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]
    assert client.head("/api/v1/nothing").status_code == 404


@pytest.mark.parametrize("path", ["/", "/api/v1/prices", "/api/v1/nothing", "/livez", "/static/style.css"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert len(headers["x-request-id"]) == 32
    assert "access-control-allow-origin" not in headers


SURE = {**TRAINING, "spreads": [{"input": "training.hours", "distribution": "lognormal", "relative_sd": "0.2"}]}


def test_an_estimate_carries_its_band_and_its_id_does_not_know_of_it(either: TestClient) -> None:
    made = either.post("/api/v1/estimates", json={"scenario": SURE, **THEN}).json()
    assert (
        hashlib.sha256(either.get(f"/api/v1/estimates/{made['estimate_id']}/canonical").content).hexdigest()
        == (made["estimate_id"])
    )
    band = either.get(f"/api/v1/estimates/{made['estimate_id'][:12]}/band").json()
    assert band["band_id"] == made["band"]["band_id"]
    assert band["band"]["total"] == {name: made["band"][name] for name in ("p10", "p50", "p90")}
    assert [one["input"] for one in band["band"]["inputs"]] == ["training.hours"]
    assert made == either.get(f"/api/v1/estimates/{made['estimate_id']}").json()

    other = either.get(f"/api/v1/estimates/{made['estimate_id']}/band", params={"seed": 5, "draws": 1000}).json()
    assert (other["band"]["seed"], other["band"]["draws"]) == (5, 1000)
    off = either.get(f"/api/v1/estimates/{made['estimate_id']}/band", params={"draws": 0}).json()
    assert set(off["band"]["total"].values()) == {made["estimate"]["total"]}


def test_the_band_of_a_difference_travels_with_both_names(client: TestClient) -> None:
    more = {**SURE, "training": {**SURE["training"], "gpus": "9"}}
    before, after = (
        client.post("/api/v1/estimates", json={"scenario": one, **THEN}).json()["estimate_id"] for one in (SURE, more)
    )
    found = client.get("/api/v1/bridges/band", params={"before": before, "after": after}).json()
    assert (found["before_id"], found["after_id"], found["share_of_draws_dearer"]) == (before, after, "1")
    bridge = client.get("/api/v1/bridges", params={"before": before, "after": after}).json()
    assert found["point"] == bridge["bridge"]["difference"]


@pytest.mark.parametrize("asked", [{"draws": 7}, {"draws": 200_000}, {"seed": -1}, {"draws": "many"}])
def test_draws_that_make_no_band_are_a_problem(client: TestClient, asked: dict) -> None:
    made = client.post("/api/v1/estimates", json={"scenario": SURE, **THEN}).json()["estimate_id"]
    answer = client.get(f"/api/v1/estimates/{made}/band", params=asked)
    assert answer.status_code == 422
    assert next(iter(asked)) in answer.text


def test_a_spread_of_no_input_is_a_problem_that_names_the_nearest(client: TestClient) -> None:
    wrong = {**SURE, "spreads": [{"input": "training.hour", "distribution": "fixed"}]}
    answer = client.post("/api/v1/estimates", json={"scenario": wrong})
    assert answer.status_code == 422
    assert "did you mean training.hours?" in answer.text
