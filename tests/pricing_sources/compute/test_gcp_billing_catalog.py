"""Google's billing catalog: which SKUs are an hour of one accelerator.

The wordings typed here are those of published descriptions; the B200's prices of July 2026 are 16.11
on demand and 11.277 in calendar mode.
"""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pricing_sources.compute.gcp_billing_catalog import SOURCE
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import GpuSeries, Observation, PricingCategory, Reading, Rejected, Skipped
from pricing_sources.screening import screened
from pricing_sources.source import Document, FetchRequest
from pricing_sources.transport import HttpTransport, Limits
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.test_transport import Feed, reply

TYPED = (Path(__file__).parents[2] / "documents" / "gcp_billing_catalog" / "typed_eleven_skus.json").read_bytes()
NOW = day("2026-11-01T12:00")
PATH = "/v1/services/6F81-5844-456A/skus"


def read(body: bytes, url: str = SOURCE.info.url) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="gcp_billing_catalog", url=url, body=body, fetched_at=NOW)))


def sku(description: str = "Nvidia L4 GPU running in Iowa", **changes: Any) -> dict[str, Any]:
    """One SKU in the feed's shape; `changes` reach into its one price."""
    money = {"currencyCode": "USD", "units": "0", "nanos": 560000000}
    money.update({name: value for name, value in changes.items() if name in money})
    expression = {"usageUnit": changes.get("unit", "h"), "tieredRates": [{"startUsageAmount": 0, "unitPrice": money}]}
    return {
        "skuId": "0000-0000-0000",
        "description": description,
        "category": {"resourceGroup": changes.get("group", "GPU"), "usageType": changes.get("usage", "OnDemand")},
        "serviceRegions": changes.get("regions", ["us-central1"]),
        "pricingInfo": [{"pricingExpression": expression}],
    }


def page(*skus: object) -> list[Reading]:
    return read(json.dumps({"skus": skus}).encode())


def one(description: str = "Nvidia L4 GPU running in Iowa", **changes: Any) -> Reading:
    [reading] = page(sku(description, **changes))
    return reading


def series(reading: Reading) -> GpuSeries:
    assert isinstance(reading, Observation)
    assert isinstance(reading.series, GpuSeries)
    return reading.series


def reasons(readings: list[Reading]) -> Counter[str]:
    return Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in readings)


def test_accelerators_are_read_by_region_and_way_of_buying() -> None:
    prefix = "gcp_billing_catalog/"
    found = {each.series.key.removeprefix(prefix): each.amount for each in read(TYPED) if isinstance(each, Observation)}
    assert found == {
        "Nvidia_Tesla_A100_80GB/us-central1/accelerator_only/on_demand": Decimal("3.92835"),
        "Nvidia_Tesla_A100_80GB/us-east4/accelerator_only/on_demand": Decimal("3.92835"),
        "Nvidia_Tesla_T4/us-central1/accelerator_only/spot": Decimal("0.14"),
        "Nvidia_Tesla_T4/us-central1/accelerator_only/reserved_1y": Decimal("0.22"),
        "Nvidia_L4/europe-west3/accelerator_only/reserved_3y": Decimal("0.32"),
        "A4_Nvidia_B200/us-central1/calendar_mode": Decimal("11.277"),
        "Nvidia_Tesla_A100_80GB/us-central1/accelerator_only/flex_start": Decimal("1.964175"),
    }


def test_every_sku_is_accounted_for() -> None:
    assert reasons(read(TYPED)) == {
        "Observation": 7,
        "not_sold_on_demand": 1,
        "licence": 1,
        "reserved_capacity": 1,
        "not_accelerated": 1,
        "tpu": 1,
    }


def test_a_price_says_what_was_published_and_where() -> None:
    price = read(TYPED)[0]
    assert isinstance(price, Observation)
    assert (price.published_amount, price.published_unit) == ("3 units + 928350000 nanos", "h")
    assert price.locator == "/skus/0/pricingInfo/0/pricingExpression/tieredRates/0"
    assert (price.currency, price.unit) == ("USD", Unit.GPU_HOUR)
    assert (series(price).provider, series(price).gpu_count, series(price).gpu_memory_gb) == ("gcp", 1, 80)


def test_the_effective_time_is_only_the_moment_google_looked() -> None:
    price = read(TYPED)[0]
    assert isinstance(price, Observation)
    assert (price.valid_from, price.dated) == (NOW, False)


@pytest.mark.parametrize(
    ("units", "nanos", "amount"),
    [
        ("2", 933908000, "2.933908000"),
        ("0", 1, "1E-9"),
        ("", 500000000, "0.500000000"),
        (None, 500000000, "0.500000000"),
        ("68", None, "68"),
        ("68", 999999999, "68.999999999"),
    ],
)
def test_units_and_nanos_are_added_exactly(units: str | None, nanos: int | None, amount: str) -> None:
    price = one(units=units, nanos=nanos)
    assert isinstance(price, Observation)
    assert price.amount == Decimal(amount)


def test_the_currency_of_the_account_is_kept() -> None:
    price = one(currencyCode="IDR", units="8400")
    assert isinstance(price, Observation)
    assert price.currency == "IDR"


@pytest.mark.parametrize(
    ("description", "usage", "purchase", "category"),
    [
        ("Nvidia L4 GPU running in APAC", "OnDemand", "on_demand", PricingCategory.STANDARD),
        ("Nvidia Tesla T4 GPU attached to VMs running in Turin", "OnDemand", "on_demand", PricingCategory.STANDARD),
        ("Spot Preemptible H200 141GB GPU running in Iowa", "Preemptible", "spot", PricingCategory.DYNAMIC),
        ("Nvidia L4 GPU attached to Spot Preemptible VMs running in Paris", "Preemptible", "spot", "dynamic"),
        ("Commitment v1: Nvidia L4 GPU in Frankfurt for 1 Year", "Commit1Yr", "reserved_1y", "committed"),
        ("Commitment v1: Nvidia L4 GPU running in Iowa for 3 Years", "Commit3Yr", "reserved_3y", "committed"),
        ("DWS Calendar Mode H200 141GB GPU running in Iowa", "OnDemand", "calendar_mode", "committed"),
        ("Nvidia L4 GPU attached to DWS Calendar Mode VMs running in Iowa", "OnDemand", "calendar_mode", "committed"),
        ("DWS Defined Duration Nvidia L4 GPU running in Iowa", "OnDemand", "flex_start", PricingCategory.STANDARD),
    ],
)
def test_how_it_is_bought_stands_in_the_usage_type_and_the_words(
    description: str, usage: str, purchase: str, category: str
) -> None:
    found = series(one(description, usage=usage))
    assert (found.purchase, found.pricing_category) == (purchase, category)


@pytest.mark.parametrize(
    ("description", "label", "memory"),
    [
        ("Nvidia Tesla A100 GPU running in Americas", "Nvidia Tesla A100", None),
        ("Nvidia Tesla A100 80GB GPU running in Columbus", "Nvidia Tesla A100 80GB", 80),
        ("Nvidia H100 80GB Plus GPU running in Americas", "Nvidia H100 80GB Plus", 80),
        ("RTX 6000 96GB running in Iowa", "RTX 6000 96GB", 96),
        ("Nvidia L4 GPU running in Washington DC in Peak Hours", "Nvidia L4", None),
    ],
)
def test_the_accelerator_is_named_as_google_words_it(description: str, label: str, memory: int | None) -> None:
    found = series(one(description))
    assert (found.sku, found.accelerator, found.gpu_memory_gb) == (label, label, memory)


def test_a_slice_has_its_host_in_the_price_and_a_gpu_has_not() -> None:
    piece = series(one("Spot Preemptible A4 Nvidia B200 (1 gpu slice) running in Iowa", usage="Preemptible"))
    assert (piece.tier, series(one()).tier) == ("", "accelerator_only")


@pytest.mark.parametrize("label", ["H200 141GB GPU", "A4 Nvidia B200 (1 gpu slice)", "Nvidia GB200 GPU"])
def test_the_newest_accelerators_are_listed_but_not_sold_on_demand(label: str) -> None:
    assert one(f"{label} running in Americas") == Skipped("not_sold_on_demand", "/skus/0")
    assert isinstance(one(f"Spot Preemptible {label} running in Americas", usage="Preemptible"), Observation)


@pytest.mark.parametrize(
    ("description", "group", "reason"),
    [
        ("N1 Predefined Instance Core running in Americas", "CPU", "not_accelerated"),
        ("TpuV6e running in Columbus", "TPU", "tpu"),
        ("Reserved Nvidia L4 GPU in Iowa", "GPU", "reserved_capacity"),
        ("Nvidia L4 Virtual Workstation GPU running in Netherlands", "GPU", "licence"),
        ("Sole Tenancy Premium for Nvidia L4 GPU running in Iowa", "GPU", "sole_tenancy"),
        ("Custom Nvidia L4 GPU running in Iowa", "GPU", "custom_machine"),
        ("Nvidia L4 GPU of Suspended VMs running in Iowa", "GPU", "suspended_machine"),
    ],
)
def test_what_is_no_price_of_an_accelerator_is_named(description: str, group: str, reason: str) -> None:
    assert one(description, group=group) == Skipped(reason, "/skus/0")


def test_a_price_of_zero_is_no_gift() -> None:
    assert one(nanos=0) == Skipped("zero_price", "/skus/0")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unit": "GiBy.h"}, "usageUnit is 'GiBy.h'; accepted: h"),
        ({"units": "-1"}, "units is '-1'; a whole number not below zero was expected"),
        ({"nanos": 1_000_000_000}, "a whole number of billionths was expected"),
        ({"nanos": 0.5}, "a whole number of billionths was expected"),
        ({"currencyCode": "dollars"}, "currencyCode is 'dollars'; an ISO 4217 code was expected"),
        ({"usage": "Commit5Yr"}, "usageType is 'Commit5Yr'; accepted: OnDemand, Preemptible, Commit1Yr, Commit3Yr"),
        ({"description": "Nvidia L4"}, "'Nvidia L4' is not worded like"),
        ({"description": "Spot Preemptible Nvidia L4 GPU running in Iowa"}, "is spot capacity, but its usageType is"),
    ],
)
def test_what_cannot_be_believed_is_rejected_with_the_reason(changes: dict[str, Any], words: str) -> None:
    doubt = one(**changes)
    assert isinstance(doubt, Rejected)
    assert words in doubt.reason


@pytest.mark.parametrize(
    ("pricing", "words"),
    [
        ([], "pricingInfo must hold one price"),
        ([{}], "usageUnit is None"),
        ([{"pricingExpression": {"usageUnit": "h", "tieredRates": []}}], "tieredRates must hold one price"),
        ([{"pricingExpression": {"usageUnit": "h", "tieredRates": [{}]}}], "unitPrice is None"),
    ],
)
def test_a_price_put_together_otherwise_is_rejected(pricing: list[Any], words: str) -> None:
    [doubt] = page({**sku(), "pricingInfo": pricing})
    assert isinstance(doubt, Rejected)
    assert words in doubt.reason


def test_a_second_sku_of_the_same_words_is_dropped_if_it_repeats_the_price_and_held_if_not() -> None:
    _, repeated, other = page(sku(), sku(), sku(nanos=570000000))
    place = "pricingInfo/0/pricingExpression/tieredRates/0"
    assert repeated == Skipped("duplicate", f"/skus/1/{place}")
    assert isinstance(other, Rejected)
    assert "has two prices: 0.560000000 at /skus/0/" in other.reason


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"skus": []}', b'{"error": {"code": 403}}', b'{"skus": [{}]}'])
def test_a_page_without_skus_is_refused(body: bytes) -> None:
    with pytest.raises(ShapeChanged, match="/skus"):
        read(body)


def test_a_later_page_may_be_empty() -> None:
    assert read(b"{}", f"{SOURCE.info.url}?pageSize=5000&pageToken=b") == []


class TestFetch:
    """Asking for the catalog over loopback."""

    @pytest.fixture
    def feed(self) -> Iterator[Feed]:
        answering = Feed()
        yield answering
        answering.close()

    def fetched(self, feed: Feed, key: str | None = "k-123") -> list[Document]:
        with HttpTransport(Limits(attempts=1)) as transport:
            return list(SOURCE.fetch(transport, FetchRequest(url=feed.url(PATH), now=NOW, api_key=key)))

    def test_every_page_is_asked_for_with_the_key_in_a_header(self, feed: Feed) -> None:
        feed.answers[PATH] = [reply(b'{"skus": [1], "nextPageToken": "b"}'), reply(b'{"skus": [2]}')]
        documents = self.fetched(feed)
        assert [path for path, _ in feed.asked] == [f"{PATH}?pageSize=5000", f"{PATH}?pageSize=5000&pageToken=b"]
        assert {headers["x-goog-api-key"] for _, headers in feed.asked} == {"k-123"}
        assert [each.body for each in documents] == [b'{"skus": [1], "nextPageToken": "b"}', b'{"skus": [2]}']
        assert not any("k-123" in each.url for each in documents)

    def test_pages_in_a_circle_are_left(self, feed: Feed) -> None:
        feed.answers[PATH] = [reply(b'{"skus": [], "nextPageToken": "a"}')]
        with pytest.raises(FetchFailed, match="nextPageToken runs in a circle"):
            self.fetched(feed)
        assert len(feed.asked) == 2

    def test_without_a_key_nothing_is_asked(self, feed: Feed) -> None:
        with pytest.raises(FetchFailed, match="COSTPLAN_SOURCE_GCP_BILLING_CATALOG_KEY is not set"):
            self.fetched(feed, key=None)
        assert feed.asked == []


class TestRecordedSkus:
    """Seven SKUs of 2023, one of them a GPU's, four in rupiah."""

    @pytest.fixture
    def readings(self, recorded: Path) -> list[Reading]:
        return read((recorded / "gpu/gcp/opencost_skus_compute_engine_excerpt.json").read_bytes())

    def test_every_sku_is_accounted_for(self, readings: list[Reading]) -> None:
        assert reasons(readings) == {"Observation": 3, "not_accelerated": 6}

    def test_an_a100_costs_2_933908_in_three_regions(self, readings: list[Reading]) -> None:
        prices = [each for each in readings if isinstance(each, Observation)]
        assert [(series(each).region, each.amount) for each in prices] == [
            ("us-central1", Decimal("2.933908")),
            ("us-east1", Decimal("2.933908")),
            ("us-west1", Decimal("2.933908")),
        ]

    def test_nothing_is_implausible(self, readings: list[Reading]) -> None:
        assert list(screened(readings, SOURCE.info.plausible)) == readings
