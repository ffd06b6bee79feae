"""Prime Intellect's list: whose node, how many GPUs, and at what price each.

The typed page follows the documented examples (an H100 at RunPod for 2.69, one at Hyperstack for
1.90); no answer of the feed itself is at hand.
"""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pricing_sources.compute.primeintellect import SOURCE
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import GpuSeries, Observation, PricingCategory, Reading, Rejected, Skipped
from pricing_sources.screening import screened
from pricing_sources.source import Document, FetchRequest
from pricing_sources.transport import HttpTransport, Limits
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.test_transport import Feed, reply

DOCUMENTS = Path(__file__).parents[2] / "documents" / "primeintellect"
TYPED = (DOCUMENTS / "typed_by_hand_seven_configurations.json").read_bytes()
NOW = day("2026-11-01T12:00")
PATH = "/api/v1/availability/gpus"

NODE = {
    "cloudId": "node-1",
    "gpuType": "H100_80GB",
    "provider": "hyperstack",
    "gpuCount": 1,
    "security": "secure_cloud",
    "prices": {"onDemand": 1.9, "communityPrice": None, "currency": "USD"},
}


def read(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="primeintellect", url=SOURCE.info.url, body=body, fetched_at=NOW)))


def page(*items: object, total: int | None = None) -> bytes:
    return json.dumps({"items": items, "totalCount": len(items) if total is None else total}).encode()


def node(**changes: Any) -> Reading:
    return read(page({**NODE, **changes}))[0]


def priced(price: object, currency: object = "USD") -> Reading:
    return node(prices={"onDemand": price, "communityPrice": None, "currency": currency})


def series(reading: Reading) -> GpuSeries:
    assert isinstance(reading, Observation)
    assert isinstance(reading.series, GpuSeries)
    return reading.series


def amounts(readings: list[Reading]) -> dict[str, Decimal]:
    return {
        each.series.key.removeprefix("primeintellect/"): each.amount
        for each in readings
        if isinstance(each, Observation)
    }


def test_a_nodes_price_is_divided_by_its_gpus_and_named_by_its_seller() -> None:
    assert amounts(read(TYPED)) == {
        "runpod/NVIDIA_H100_PCIe/US-KS-2/secure/on_demand": Decimal("2.69"),
        "runpod/8x_NVIDIA_H100_PCIe/US-KS-2/secure/on_demand": Decimal("2.69"),
        "hyperstack/n3-H100x1/CANADA-1/secure/on_demand": Decimal("1.9"),
        "verda/1H200.141S.44V/FIN-02/secure/on_demand": Decimal("2.59"),
        "verda/1H200.141S.44V/FIN-02/secure/spot": Decimal("1.3"),
        "massedcompute/rtx-box/US/community/on_demand": Decimal("0.44"),
    }


def test_both_prices_of_every_configuration_are_accounted_for() -> None:
    reasons = Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in read(TYPED))
    assert reasons == {"Observation": 6, "no_price": 6, "paid_in_advance": 2}
    assert reasons.total() == 7 * 2


def test_a_price_says_what_was_published_and_where() -> None:
    eight = read(TYPED)[2]
    assert isinstance(eight, Observation)
    assert (eight.published_amount, eight.published_unit) == ("21.52", "per node (all its GPUs) per hour")
    assert (eight.locator, eight.currency, eight.unit) == ("/items/1/prices/onDemand", "USD", Unit.GPU_HOUR)
    assert (eight.valid_from, eight.dated) == (NOW, False)
    assert (series(eight).provider, series(eight).gpu_count, series(eight).gpu_memory_gb) == ("runpod", 8, 80)
    assert series(eight).accelerator == "H100_80GB PCIe"


def test_spot_is_dynamic() -> None:
    offer = series(node(isSpot=True))
    assert (offer.purchase, offer.pricing_category) == ("spot", PricingCategory.DYNAMIC)
    assert series(node(isSpot=None)).purchase == "on_demand"


@pytest.mark.parametrize(("label", "memory"), [("A100_80GB", 80), ("A100", None), ("RTX6000Ada_48GB", 48)])
def test_memory_is_read_only_from_a_name_that_states_it(label: str, memory: int | None) -> None:
    assert series(node(gpuType=label)).gpu_memory_gb == memory


@pytest.mark.parametrize(
    ("changes", "region"),
    [({"dataCenter": "CANADA-1", "country": "CA"}, "CANADA-1"), ({"country": "CA"}, "CA"), ({}, "global")],
)
def test_a_region_is_the_data_centre_or_the_country(changes: dict[str, str], region: str) -> None:
    assert series(node(**changes)).region == region


def test_of_several_configurations_of_one_machine_the_cheapest_stands() -> None:
    prices = [{"onDemand": price, "communityPrice": None, "currency": "USD"} for price in (2.5, 1.9, 1.9)]
    readings = read(page(*({**NODE, "prices": each} for each in prices)))[::2]
    assert readings[0] == Skipped("dearer_configuration", "/items/0/prices/onDemand")
    assert amounts(readings) == {"hyperstack/node-1/global/secure/on_demand": Decimal("1.9")}
    assert readings[2] == Skipped("dearer_configuration", "/items/2/prices/onDemand")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gpuCount": 0}, "not_accelerated"),
        ({"gpuType": "CPU_NODE"}, "not_accelerated"),
        ({"prepaidTime": 168}, "paid_in_advance"),
    ],
)
def test_what_is_no_offer_by_the_hour_is_named(changes: dict[str, Any], reason: str) -> None:
    assert node(**changes) == Skipped(reason, "/items/0/prices/onDemand")


@pytest.mark.parametrize(("price", "reason"), [(None, "no_price"), (0, "zero_price")])
def test_a_missing_or_zero_price_is_never_a_free_node(price: object, reason: str) -> None:
    assert priced(price) == Skipped(reason, "/items/0/prices/onDemand")


@pytest.mark.parametrize(
    ("doubt", "words"),
    [
        (priced("1.9"), "onDemand is '1.9'; a number not below zero was expected"),
        (priced(-1), "a number not below zero was expected"),
        (priced(1.9, None), "currency is None; an ISO 4217 code was expected"),
        (node(gpuCount=1.5), "a whole number above zero was expected"),
        (node(cloudId=None), "cloudId is None; a text was expected"),
        (node(provider=""), "provider is ''; a text was expected"),
    ],
)
def test_what_cannot_be_believed_is_rejected_with_the_reason(doubt: Reading, words: str) -> None:
    assert isinstance(doubt, Rejected)
    assert words in doubt.reason


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", page(), b'{"items": [{}]}', b'{"H100_80GB": []}', b'{"items": [1], "totalCount": 1}']
)
def test_a_page_without_configurations_is_refused(body: bytes) -> None:
    with pytest.raises(ShapeChanged, match="/items"):
        read(body)


@pytest.mark.parametrize("name", sorted(NODE))
def test_a_configuration_without_one_of_its_fields_is_refused_with_its_place(name: str) -> None:
    broken = {key: value for key, value in NODE.items() if key != name}
    with pytest.raises(ShapeChanged, match=f"'{name}' is missing \\(at /items/0\\)"):
        read(page(broken))


def test_nothing_typed_is_implausible() -> None:
    readings = read(TYPED)
    assert list(screened(readings, SOURCE.info.plausible)) == readings


class TestFetch:
    """Asking for the list over loopback."""

    @pytest.fixture
    def feed(self) -> Iterator[Feed]:
        answering = Feed()
        yield answering
        answering.close()

    def fetched(self, feed: Feed, key: str | None = "pi-123") -> list[Document]:
        with HttpTransport(Limits(attempts=1)) as transport:
            return list(SOURCE.fetch(transport, FetchRequest(url=feed.url(PATH), now=NOW, api_key=key)))

    def test_every_page_is_asked_for_with_the_key_in_a_header(self, feed: Feed) -> None:
        feed.answers[PATH] = [reply(page(number, total=201)) for number in range(3)]
        documents = self.fetched(feed)
        assert [path for path, _ in feed.asked] == [f"{PATH}?page={number}&page_size=100" for number in (1, 2, 3)]
        assert {headers["authorization"] for _, headers in feed.asked} == {"Bearer pi-123"}
        assert [each.body for each in documents] == [page(number, total=201) for number in range(3)]

    def test_a_list_of_exactly_one_page_is_asked_for_once(self, feed: Feed) -> None:
        feed.answers[PATH] = [reply(page(1, total=100))]
        assert len(self.fetched(feed)) == 1

    def test_a_list_that_became_shorter_ends_with_its_last_page(self, feed: Feed) -> None:
        feed.answers[PATH] = [reply(page(1, total=101)), reply(page(total=100))]
        assert len(self.fetched(feed)) == 1

    def test_a_page_that_repeats_the_one_before_is_no_page(self, feed: Feed) -> None:
        feed.answers[PATH] = [reply(page(1, total=500))]
        with pytest.raises(FetchFailed, match=r"page 2 of .* repeats the page before it"):
            self.fetched(feed)

    def test_without_a_key_nothing_is_asked(self, feed: Feed) -> None:
        with pytest.raises(FetchFailed, match="COSTPLAN_SOURCE_PRIMEINTELLECT_KEY is not set"):
            self.fetched(feed, key=None)
        assert feed.asked == []
