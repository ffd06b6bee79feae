"""RunPod's REST catalog: which of its prices are prices.

The typed answer follows the OpenAPI document's example; no answer of the feed itself is at hand.
"""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pricing_sources.compute.runpod_rest_v2 import SOURCE
from pricing_sources.documents import exact_json
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import GpuSeries, Observation, PricingCategory, Reading, Rejected, Skipped
from pricing_sources.screening import screened
from pricing_sources.source import Document, FetchRequest
from pricing_sources.transport import HttpTransport, Limits
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.test_transport import Feed, reply

DOCUMENTS = Path(__file__).parents[2] / "documents" / "runpod_rest_v2"
TYPED = (DOCUMENTS / "typed_by_hand_three_gpu_types.json").read_bytes()
NOW = day("2026-11-01T12:00")
PATH = "/v2/catalog/gpus"

L4 = {
    "id": "NVIDIA L4",
    "name": "L4",
    "pool": "AMPERE_24",
    "memory": 24,
    "secure": True,
    "community": False,
    "price": {"secure": 0.39, "community": 0.44},
}


def read(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="runpod_rest_v2", url=SOURCE.info.url, body=body, fetched_at=NOW)))


def rows(*gpu_types: object) -> list[Reading]:
    return read(json.dumps({"gpus": gpu_types}).encode())


def secure(price: object) -> Reading:
    return rows({**L4, "price": {"secure": price, "community": 0.44}})[0]


def test_prices_are_read_per_cloud_and_for_serverless_workers() -> None:
    found = {each.series.key: each.amount for each in read(TYPED) if isinstance(each, Observation)}
    assert found == {
        "runpod_rest_v2/NVIDIA_GeForce_RTX_4090/global/secure/on_demand": Decimal("0.44"),
        "runpod_rest_v2/NVIDIA_GeForce_RTX_4090/global/community/on_demand": Decimal("0.31"),
        "runpod_rest_v2/NVIDIA_GeForce_RTX_4090/global/serverless/on_demand": Decimal("1.1"),
        "runpod_rest_v2/AMD_Instinct_MI300X_OAM/global/secure/on_demand": Decimal("2.19"),
        "runpod_rest_v2/NVIDIA_H100_80GB_HBM3/global/secure/on_demand": Decimal("3.29"),
        "runpod_rest_v2/NVIDIA_H100_80GB_HBM3/global/serverless/on_demand": Decimal("4.18"),
    }


def test_each_price_of_each_gpu_type_gives_one_reading() -> None:
    reasons = Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in read(TYPED))
    assert reasons == {"Observation": 6, "placeholder_price": 1, "zero_price": 1}
    assert reasons.total() == 3 + 2 + 3


def test_a_price_is_in_dollars_per_gpu_hour_from_the_moment_it_was_seen() -> None:
    first = read(TYPED)[0]
    assert isinstance(first, Observation)
    assert isinstance(first.series, GpuSeries)
    assert (first.currency, first.unit, first.valid_from, first.dated) == ("USD", Unit.GPU_HOUR, NOW, False)
    assert (first.published_amount, first.locator) == ("0.44", "/gpus/0/price/secure")
    assert (first.series.provider, first.series.accelerator, first.series.gpu_memory_gb) == ("runpod", "RTX 4090", 24)
    assert first.series.pricing_category is PricingCategory.STANDARD


def test_a_cloud_that_does_not_offer_the_gpu_states_only_a_placeholder() -> None:
    offered, placeholder = rows(L4)
    assert isinstance(offered, Observation)
    assert placeholder == Skipped("placeholder_price", "/gpus/0/price/community")


def test_a_serverless_price_without_a_pool_is_nobodys() -> None:
    readings = rows({**L4, "pool": None, "price": {"secure": 0.39, "community": 0.44, "serverless": 0.69}})
    assert readings[2] == Skipped("placeholder_price", "/gpus/0/price/serverless")


@pytest.mark.parametrize(("price", "reason"), [(None, "no_price"), (0, "zero_price")])
def test_a_missing_or_zero_price_is_never_a_free_gpu(price: object, reason: str) -> None:
    assert secure(price) == Skipped(reason, "/gpus/0/price/secure")


@pytest.mark.parametrize("price", [-0.39, "0.39", True])
def test_a_price_that_is_no_positive_number_is_rejected(price: object) -> None:
    only = secure(price)
    assert isinstance(only, Rejected)
    assert only.reason.endswith("a number above zero was expected")


def test_a_gpu_type_that_stands_twice_keeps_its_first_price() -> None:
    first, _, second, _ = rows(L4, L4)
    assert isinstance(first, Observation)
    assert isinstance(second, Rejected)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"gpus": []}', b'{"gpus": [1]}', b'{"title": "Unauthorized"}'])
def test_an_answer_without_gpu_types_is_refused(body: bytes) -> None:
    with pytest.raises(ShapeChanged, match="/gpus"):
        read(body)


@pytest.mark.parametrize("name", sorted(L4))
def test_a_gpu_type_without_a_required_field_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(ShapeChanged, match=f"/gpus/0/{name}"):
        rows({key: value for key, value in L4.items() if key != name})


@pytest.mark.parametrize("name", ["secure", "community"])
def test_a_gpu_type_without_the_price_of_a_cloud_is_refused(name: str) -> None:
    prices = {key: value for key, value in {"secure": 0.39, "community": 0.44}.items() if key != name}
    with pytest.raises(ShapeChanged, match=f"/gpus/0/price/{name}"):
        rows({**L4, "price": prices})


def test_nothing_typed_is_implausible() -> None:
    readings = read(TYPED)
    assert list(screened(readings, SOURCE.info.plausible)) == readings


class TestFetch:
    """Asking for the catalog over loopback."""

    @pytest.fixture
    def feed(self) -> Iterator[Feed]:
        answering = Feed()
        yield answering
        answering.close()

    def fetched(self, feed: Feed, key: str | None = "rp-123") -> list[Document]:
        with HttpTransport(Limits(attempts=1)) as transport:
            return list(SOURCE.fetch(transport, FetchRequest(url=feed.url(PATH), now=NOW, api_key=key)))

    def test_the_key_travels_in_a_header(self, feed: Feed) -> None:
        feed.answers[PATH] = [reply(TYPED)]
        [document] = self.fetched(feed)
        [(path, headers)] = feed.asked
        assert (path, headers["authorization"]) == (PATH, "Bearer rp-123")
        assert (document.body, document.url, document.fetched_at) == (TYPED, feed.url(PATH), NOW)

    def test_a_key_that_is_not_accepted_fails(self, feed: Feed) -> None:
        feed.answers[PATH] = [reply(b'{"title": "Unauthorized"}', 401)]
        with pytest.raises(FetchFailed, match="answered 401"):
            self.fetched(feed)

    def test_without_a_key_nothing_is_asked(self, feed: Feed) -> None:
        with pytest.raises(FetchFailed, match="COSTPLAN_SOURCE_RUNPOD_REST_V2_KEY is not set"):
            self.fetched(feed, key=None)
        assert feed.asked == []


def read_example(recorded: Path) -> dict[str, Any]:
    specification = exact_json((recorded / "gpu/runpod/openapi_v2_catalog_gpus.json").read_bytes())
    content = specification["path"]["get"]["responses"]["200"]["content"]["application/json"]
    example: dict[str, Any] = content["examples"]["gpus"]["value"]
    return example


def test_the_specifications_own_example_is_read(recorded: Path) -> None:
    readings = read(json.dumps(read_example(recorded), default=float).encode())
    assert [(str(each.amount), each.locator) for each in readings if isinstance(each, Observation)] == [
        ("0.44", "/gpus/0/price/secure"),
        ("0.31", "/gpus/0/price/community"),
        ("1.1", "/gpus/0/price/serverless"),
    ]
    assert len(readings) == 3
