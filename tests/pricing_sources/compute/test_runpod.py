"""RunPod: which price fields are prices."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pricing_sources.compute.runpod import QUERY, SOURCE
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Observation, PricingCategory, Reading, Rejected, Skipped, Status
from pricing_sources.source import Document, FetchRequest
from pricing_sources.transport import Reply
from pricing_sources.units import Unit

TYPED = Path(__file__).parents[2] / "documents" / "runpod" / "typed_three_gpu_types.json"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)

L4 = {
    "id": "NVIDIA L4",
    "displayName": "L4",
    "memoryInGb": 24,
    "secureCloud": True,
    "communityCloud": False,
    "securePrice": 0.39,
    "communityPrice": 0.44,
}


class Answering:
    """A transport that answers every POST with one body and remembers what it was asked."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.asked: list[tuple[str, object]] = []

    def get(self, url: str, **_: object) -> Reply:
        raise AssertionError(f"RunPod is asked by POST, not by GET {url}")

    def post_json(self, url: str, payload: object, **_: object) -> Reply:
        self.asked.append((url, payload))
        return Reply(url=url, status=200, body=self.body, media_type="application/json")


def read(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="runpod", url=SOURCE.info.url, body=body, fetched_at=NOW)))


def rows(*gpu_types: Mapping[str, Any]) -> list[Reading]:
    return read(json.dumps({"data": {"gpuTypes": gpu_types}}).encode())


def secure(**changes: Any) -> Reading:
    return rows({**L4, **changes})[0]


def prices(readings: list[Reading]) -> dict[str, Decimal]:
    return {each.series.key: each.amount for each in readings if isinstance(each, Observation)}


def test_each_price_field_of_each_gpu_type_gives_one_reading() -> None:
    readings = read(TYPED.read_bytes())
    assert len(readings) == 3 * 7
    assert Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in readings) == {
        "Observation": 5,
        "no_price": 6,
        "zero_price": 1,
        "placeholder_price": 2,
        "unknown_gpu": 7,
    }


def test_prices_are_read_per_cloud_and_per_way_of_buying() -> None:
    h100 = "runpod/NVIDIA_H100_80GB_HBM3/global"
    assert prices(read(TYPED.read_bytes())) == {
        f"{h100}/secure/on_demand": Decimal("2.99"),
        f"{h100}/community/on_demand": Decimal("2.69"),
        f"{h100}/secure/spot": Decimal("1.75"),
        f"{h100}/reserved_1m": Decimal("2.54"),
        "runpod/AMD_Instinct_MI300X_OAM/global/secure/on_demand": Decimal("2.19"),
    }


def test_a_price_is_in_dollars_per_gpu_hour_from_the_moment_it_was_seen() -> None:
    first = read(TYPED.read_bytes())[0]
    assert isinstance(first, Observation)
    assert (first.currency, first.unit, first.status) == ("USD", Unit.GPU_HOUR, Status.FINAL)
    assert (first.valid_from, first.dated) == (NOW, False)
    assert (first.published_amount, first.locator) == ("2.99", "/data/gpuTypes/0/securePrice")
    assert (first.series.accelerator, first.series.gpu_count, first.series.gpu_memory_gb) == ("H100 SXM", 1, 80)


def test_spot_is_dynamic_and_a_term_is_committed() -> None:
    readings = read(TYPED.read_bytes())
    categories = {
        each.series.purchase: each.series.pricing_category for each in readings if isinstance(each, Observation)
    }
    assert categories == {
        "on_demand": PricingCategory.STANDARD,
        "spot": PricingCategory.DYNAMIC,
        "reserved_1m": PricingCategory.COMMITTED,
    }


def test_a_cloud_that_does_not_offer_the_gpu_states_only_a_placeholder() -> None:
    offered, placeholder = rows(L4)
    assert isinstance(offered, Observation)
    assert placeholder == Skipped("placeholder_price", "/data/gpuTypes/0/communityPrice")


@pytest.mark.parametrize(
    ("price", "reading"),
    [
        (None, Skipped("no_price", "/data/gpuTypes/0/securePrice")),
        (0, Skipped("zero_price", "/data/gpuTypes/0/securePrice")),
    ],
)
def test_a_missing_or_zero_price_is_never_a_free_gpu(price: object, reading: Skipped) -> None:
    assert secure(securePrice=price) == reading


@pytest.mark.parametrize("price", [-0.39, "0.39", True])
def test_a_price_that_is_no_positive_number_is_rejected(price: object) -> None:
    only = secure(securePrice=price)
    assert isinstance(only, Rejected)
    assert only.reason.endswith("a number above zero was expected")


def test_a_term_price_above_every_offered_hour_is_not_an_hourly_price() -> None:
    month = rows({**L4, "oneMonthPrice": 0.4})[2]
    assert isinstance(month, Rejected), "0.44 is a placeholder of a cloud that does not offer the L4"
    assert month.reason == (
        "oneMonthPrice 0.4 is above every on-demand price of NVIDIA L4; a price per GPU-hour was expected"
    )


def test_a_term_price_below_the_hour_is_kept() -> None:
    assert prices(rows({**L4, "sixMonthPrice": 0.3}))["runpod/NVIDIA_L4/global/reserved_6m"] == Decimal("0.3")


def test_the_lowest_price_is_never_read() -> None:
    total = {"minimumBidPrice": 3.12, "uninterruptablePrice": 3.12, "stockStatus": "Low"}
    assert len(rows({**L4, "lowestPrice": total})) == 2
    assert Decimal("3.12") not in prices(rows({**L4, "lowestPrice": total})).values()


def test_a_gpu_type_that_stands_twice_keeps_its_first_price() -> None:
    first, _, second, _ = rows(L4, {**L4, "securePrice": 0.41})
    assert isinstance(first, Observation)
    assert isinstance(second, Rejected)


def test_the_feeds_own_words_say_why_a_query_was_refused() -> None:
    with pytest.raises(ShapeChanged, match=r"Cannot query field \"securePrice\""):
        read(rb'{"errors": [{"message": "Cannot query field \"securePrice\""}], "data": null}')


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b"{}", b'{"data": {}}', b'{"data": {"gpuTypes": []}}'])
def test_an_answer_without_gpu_types_is_refused(body: bytes) -> None:
    with pytest.raises(ShapeChanged):
        read(body)


@pytest.mark.parametrize("name", sorted(L4))
def test_a_gpu_type_without_one_of_its_fields_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(ShapeChanged, match=f"/data/gpuTypes/0/{name}"):
        rows({key: value for key, value in L4.items() if key != name})


def test_fetch_posts_one_query_that_asks_the_total_of_one_gpu_only() -> None:
    transport = Answering(TYPED.read_bytes())
    [document] = SOURCE.fetch(transport, FetchRequest(url="http://127.0.0.1:8099/graphql", now=NOW))
    assert transport.asked == [("http://127.0.0.1:8099/graphql", {"query": QUERY})]
    assert "lowestPrice(input: {gpuCount: 1})" in QUERY
    assert (document.body, document.fetched_at) == (TYPED.read_bytes(), NOW)


class TestRecordedAnswer:
    """The answer of August 2026: 49 GPU types, asked for eight GPUs."""

    @pytest.fixture
    def readings(self, recorded: Path) -> list[Reading]:
        return read((recorded / "gpu/runpod/compute_index_gputypes.json").read_bytes())

    def test_both_price_fields_of_every_gpu_type_are_accounted_for(self, readings: list[Reading]) -> None:
        assert len(readings) == 49 * 2
        assert Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in readings) == {
            "Observation": 66,
            "placeholder_price": 30,
            "unknown_gpu": 2,
        }

    def test_an_h100_costs_2_99_secure_and_2_69_community(self, readings: list[Reading]) -> None:
        h100 = "runpod/NVIDIA_H100_80GB_HBM3/global"
        assert prices(readings)[f"{h100}/secure/on_demand"] == Decimal("2.99")
        assert prices(readings)[f"{h100}/community/on_demand"] == Decimal("2.69")

    def test_the_placeholder_of_a_gpu_that_a_cloud_does_not_offer_is_no_price(self, readings: list[Reading]) -> None:
        mi300x = "runpod/AMD_Instinct_MI300X_OAM/global"
        assert prices(readings)[f"{mi300x}/secure/on_demand"] == Decimal("2.19")
        assert f"{mi300x}/community/on_demand" not in prices(readings)

    def test_no_total_of_eight_gpus_is_taken_for_a_price(self, readings: list[Reading]) -> None:
        assert Decimal("21.52") not in prices(readings).values()

    def test_every_price_lies_in_the_plausible_band(self, readings: list[Reading]) -> None:
        low, high = SOURCE.info.plausible[Unit.GPU_HOUR]
        assert all(low <= amount <= high for amount in prices(readings).values())
