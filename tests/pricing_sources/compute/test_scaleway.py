import json
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.compute.scaleway import SOURCE
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Reading
from pricing_sources.source import Document
from tests.pricing_sources.reading import NOW, fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

PRODUCTS, SERVERS = typed(SOURCE, "typed_five_products.json"), typed(SOURCE, "typed_four_servers.json")


def test_euros_and_nanos_are_one_price() -> None:
    price = prices(read(SOURCE, PRODUCTS))["scaleway/H100-2-80G/fr-par-2/on_demand"]
    assert (price.amount, price.currency) == (Decimal("2.8665"), "EUR")
    assert (price.published_amount, price.note) == ("5 units 733000000 nanos", "without VAT")


def test_a_price_by_the_minute_is_sixty_of_them_an_hour() -> None:
    price = prices(read(SOURCE, PRODUCTS))["scaleway/B300-SXM-8-288G/fr-par-2/on_demand"]
    assert (price.amount, price.published_unit) == (Decimal("7.5"), "EUR per machine-minute")


FETCHED_FROM = "https://api.scaleway.com/instance/v1/zones/fr-par-2/products/servers"


def in_a_zone(body: bytes, url: str = FETCHED_FROM) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="scaleway", url=url, body=body, fetched_at=NOW)))


def test_a_zones_own_list_is_read_too_and_null_is_no_price() -> None:
    readings = in_a_zone(SERVERS)
    found = {key.split("/")[1]: one.amount for key, one in prices(readings).items()}
    assert found == {"H100-2-80G": Decimal("2.8665"), "L4-1-24G": Decimal("0.75")}
    assert skipped(readings) == {"no_price": 1, "not_accelerated": 1}


@pytest.mark.parametrize(
    "url", [FETCHED_FROM, "file:servers-fr-par-2.json", "file:compute_index_products_servers_fr_par_2.json"]
)
def test_the_zone_of_a_list_stands_in_its_address_or_in_its_files_name(url: str) -> None:
    assert "scaleway/H100-2-80G/fr-par-2/on_demand" in prices(in_a_zone(SERVERS, url))
    assert prices(in_a_zone(SERVERS, url)).keys() & prices(read(SOURCE, PRODUCTS)).keys(), (
        "one series with the catalogue"
    )


@pytest.mark.parametrize("url", ["file:servers.json", "file:scaleway-h100-2.json"])
def test_a_list_of_no_zone_is_no_price_and_says_how_to_name_it(url: str) -> None:
    readings = in_a_zone(SERVERS, url)
    assert prices(readings) == {}
    words = f"{url} names no zone, nor does its list; a file is to be saved under a name such as servers-fr-par-2.json"
    assert rejected(readings) == [words, words]


def test_retired_machines_and_odd_units_are_no_prices() -> None:
    readings = read(SOURCE, PRODUCTS)
    assert skipped(readings) == {"retired": 1, "not_accelerated": 1}
    assert rejected(readings) == ["unit 1 'month'; 1 of hour or minute was expected"]


def test_the_recorded_answers_are_read(recorded: Path) -> None:
    folder = recorded / "gpu/scaleway"
    products = read(SOURCE, (folder / "product_catalog_v2alpha1_excerpt.json").read_bytes())
    servers = in_a_zone((folder / "compute_index_products_servers_fr_par_2.json").read_bytes())
    assert [one.amount for one in prices(products).values()] == [Decimal("7.5")]
    assert (len(products), skipped(products)) == (17, {"not_accelerated": 16})
    assert (len(servers), len(prices(servers)), skipped(servers)) == (11, 9, {"no_price": 1, "not_accelerated": 1})
    assert rejected(products + servers) == []


def test_every_page_of_the_catalogue_is_asked_for(feed: Feed) -> None:
    pages = [json.dumps({"products": [{}] * n, "total_count": 5}).encode() for n in (3, 2)]
    feed.answers = {"/p": [reply(body) for body in pages]}
    assert [document.body for document in fetched(SOURCE, feed.url("/p"))] == pages
    assert [path for path, _ in feed.asked] == ["/p?page_size=1000&page=1", "/p?page_size=1000&page=2"]


def test_a_page_without_products_before_the_end_is_a_changed_shape(feed: Feed) -> None:
    feed.answers = {"/p": [reply(b'{"products": [], "total_count": 5}')]}
    with pytest.raises(ShapeChanged, match="page 1 is empty after 0 of 5 products"):
        list(fetched(SOURCE, feed.url("/p")))
