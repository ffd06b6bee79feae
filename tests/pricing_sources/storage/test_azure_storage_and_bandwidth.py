"""What Azure asks for a stored gigabyte, and for one that leaves for the internet."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Observation, Reading, Skipped, Status
from pricing_sources.source import Source
from pricing_sources.storage.azure_bandwidth import SOURCE as BANDWIDTH
from pricing_sources.storage.azure_storage import SOURCE as STORAGE
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.reading import fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

# Tiers and prices of eastus as other readers of the API saw them; Azure's storage prices here are made up.
BLOBS = typed(STORAGE, "typed_by_hand_blobs.json")
TRAFFIC = typed(BANDWIDTH, "typed_by_hand_east_us.json")
either = pytest.mark.parametrize(("source", "body"), [(STORAGE, BLOBS), (BANDWIDTH, TRAFFIC)], ids=["blobs", "traffic"])


def changed(source: Source, body: bytes, **changes: Any) -> list[Reading]:
    """The second row alone, a price of a higher tier, with some of its keys changed."""
    row = json.loads(body)["Items"][1]  # noqa: TID251  a test may lose digits
    return read(source, json.dumps({"Items": [{**row, **changes}]}).encode())


def test_a_stored_gigabyte_is_named_by_tier_copies_region_and_volume() -> None:
    found = prices(read(STORAGE, BLOBS))
    assert {key.removeprefix("azure_storage/storage/"): str(one.amount) for key, one in found.items()} == {
        "azure_blob_hot_lrs_westeurope": "0.0196",
        "azure_blob_hot_lrs_westeurope/above_51200_gb": "0.0188",
        "azure_blob_archive_ra-grs_westeurope": "0.0048",
    }
    first = found["azure_storage/storage/azure_blob_hot_lrs_westeurope"]
    assert (first.currency, first.unit, first.published_unit) == ("USD", Unit.GB_MONTH, "1 GB/Month")
    assert (first.valid_from, first.dated, first.status) == (day("2026-01-01"), True, Status.FINAL)


def test_other_products_charges_and_reservations_are_no_stored_gigabyte() -> None:
    expected = {"other_product": 1, "other_storage_charge": 1, "other_term": 1, "zero_price": 1}
    assert skipped(read(STORAGE, BLOBS)) == expected


def test_a_gigabyte_that_leaves_is_named_by_region_and_where_its_tier_begins() -> None:
    found = prices(read(BANDWIDTH, TRAFFIC))
    assert {key.removeprefix("azure_bandwidth/egress/"): str(one.amount) for key, one in found.items()} == {
        "azure_internet_eastus/above_100_gb": "0.087",
        "azure_internet_eastus/above_10335_gb": "0.083",
        "azure_internet_eastus/above_51295_gb": "0.07",
    }
    assert {one.unit for one in found.values()} == {Unit.GB}


def test_the_free_gigabytes_the_cheaper_road_and_traffic_between_regions_are_left_out_by_name() -> None:
    expected = {"free_allowance": 1, "other_road": 1, "other_transfer": 1, "no_region": 1}
    assert skipped(read(BANDWIDTH, TRAFFIC)) == expected


@either
def test_a_higher_tier_at_zero_is_no_price(source: Source, body: bytes) -> None:
    assert changed(source, body, retailPrice=0) == [Skipped("zero_price", "/Items/0")]


@either
def test_a_price_that_has_ended_is_left_out(source: Source, body: bytes) -> None:
    assert changed(source, body, effectiveEndDate="2026-10-31T00:00:00Z") == [Skipped("ended", "/Items/0")]
    assert isinstance(changed(source, body, effectiveEndDate="2027-01-01T00:00:00Z")[0], Observation)


@either
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unitOfMeasure": "1 TB/Month"}, "unitOfMeasure is '1 TB/Month'; 1 GB"),
        ({"tierMinimumUnits": 0.5}, "tierMinimumUnits is 0.5; a whole number was expected"),
        ({"tierMinimumUnits": None}, "tierMinimumUnits is None; a number not below zero"),
        ({"retailPrice": -1}, "retailPrice is Decimal('-1')"),
        ({"effectiveStartDate": "soon"}, "effectiveStartDate is 'soon'; a date with time and zone"),
        ({"effectiveEndDate": "never"}, "effectiveEndDate is 'never'; a date with time and zone"),
        ({"currencyCode": "usd"}, "currencyCode is 'usd'"),
    ],
)
def test_a_row_that_cannot_be_believed_is_held_back(
    source: Source, body: bytes, changes: dict[str, Any], words: str
) -> None:
    [reason] = rejected(changed(source, body, **changes))
    assert words in reason


@either
def test_a_row_that_is_no_object_is_held_back(source: Source, body: bytes) -> None:
    assert rejected(read(source, b'{"Items": ["free"]}')) == ["expected an object, not str"]


@either
def test_one_price_of_one_date_stands_and_another_is_held_back(source: Source, body: bytes) -> None:
    row = json.loads(body)["Items"][1]  # noqa: TID251  a test may lose digits
    first, again, other = read(source, json.dumps({"Items": [row, row, {**row, "retailPrice": 0.4}]}).encode())
    assert isinstance(first, Observation)
    assert again == Skipped("duplicate", "/Items/1")
    assert "has two prices from 2026-01-01" in rejected([other])[0]


@either
def test_an_empty_answer_is_a_failure_not_a_success(source: Source, body: bytes) -> None:
    with pytest.raises(ShapeChanged, match="no rows where rows were expected"):
        read(source, b'{"Items": []}')


@either
def test_pages_are_followed_on_the_host_that_was_asked(source: Source, body: bytes, feed: Feed) -> None:
    link = b'"https://prices.azure.com:443/api/retail/prices?$skip=1000"'
    feed.answers = {"/prices": [reply(body.replace(b'"NextPageLink": null', b'"NextPageLink": ' + link)), reply(body)]}
    assert len(list(fetched(source, feed.url("/prices")))) == 2
    [asked] = parse_qs(urlsplit(feed.asked[0][0]).query)["$filter"]
    assert asked.startswith("serviceName eq '")
    assert "$skip=1000" in feed.asked[1][0]


@either
def test_a_link_to_another_host_is_not_followed(source: Source, body: bytes, feed: Feed) -> None:
    away = body.replace(b'"NextPageLink": null', b'"NextPageLink": "https://example.org/api/retail/prices"')
    feed.answers = {"/prices": [reply(away)]}
    with pytest.raises(FetchFailed, match="NextPageLink leads to https://example"):
        list(fetched(source, feed.url("/prices")))
