"""Feeds that count in cents, and those that want a key."""

from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.compute.cloudrift import QUESTION
from pricing_sources.compute.cloudrift import SOURCE as CLOUDRIFT
from pricing_sources.compute.digitalocean import SOURCE as DIGITALOCEAN
from pricing_sources.compute.lambda_cloud import SOURCE as LAMBDA
from pricing_sources.compute.shadeform import SOURCE as SHADEFORM
from pricing_sources.errors import FetchFailed
from pricing_sources.source import Source
from tests.pricing_sources.reading import fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]


def test_a_droplet_is_shared_by_its_gpus_and_so_is_its_memory() -> None:
    readings = read(DIGITALOCEAN, typed(DIGITALOCEAN, "typed_three_sizes.json"))
    [price] = prices(readings).values()
    assert (price.series.key, price.amount) == ("digitalocean/gpu-h100x8-640gb/global/on_demand", Decimal("2.99"))
    assert (price.series.gpu_count, price.series.gpu_memory_gb) == (8, 80)
    assert skipped(readings) == {"not_accelerated": 1, "zero_price": 1}


@pytest.mark.parametrize("unit", ["mib", "gb", ""])
def test_memory_in_another_unit_is_held_back(unit: str) -> None:
    body = typed(DIGITALOCEAN, "typed_three_sizes.json").replace(
        b'"amount": 640, "unit": "gib"', b'"amount": 640, "unit": "%s"' % unit.encode()
    )
    readings = read(DIGITALOCEAN, body)
    assert (prices(readings), rejected(readings)) == ({}, [f"vram in {unit!r}; 'gib' was expected"])


def test_the_recorded_droplets_are_read(recorded: Path) -> None:
    readings = read(DIGITALOCEAN, (recorded / "gpu/digitalocean/gpuhunt_sizes.json").read_bytes())
    assert [one.amount for one in prices(readings).values()] == [Decimal("2.99"), Decimal("1.99")]
    assert (len(readings), skipped(readings), rejected(readings)) == (3, {"not_accelerated": 1}, [])


def test_lambda_counts_cents_and_a_fraction_of_one_is_no_price() -> None:
    readings = read(LAMBDA, typed(LAMBDA, "typed_by_hand_three_types.json"))
    [price] = prices(readings).values()
    assert (price.amount, price.published_amount) == (Decimal("2.99"), "2392")
    assert price.published_unit == "US cents per instance-hour"
    assert rejected(readings) == ["0.75 where a whole number of cents was expected"]
    assert skipped(readings) == {"not_accelerated": 1}


def test_shadeform_names_whose_machine_it_is_and_prices_it_in_every_region() -> None:
    readings = read(SHADEFORM, typed(SHADEFORM, "typed_by_hand_three_types.json"))
    found = prices(readings)
    assert {one.series.region for one in found.values()} == {"helsinki-finland-1", "iceland-1"}
    assert {(one.series.provider, one.amount, one.currency) for one in found.values()} == {
        ("verda", Decimal("3.95"), "USD")
    }
    assert rejected(readings) == ["'?' where a price was expected"]
    assert skipped(readings) == {"not_accelerated": 1}


def test_cloudrift_counts_cents_and_bytes() -> None:
    readings = read(CLOUDRIFT, typed(CLOUDRIFT, "typed_by_hand_two_types.json"))
    found = list(prices(readings).values())
    assert [one.amount for one in found] == [Decimal("0.39"), Decimal("0.39")]
    assert {one.series.gpu_memory_gb for one in found} == {24}
    assert skipped(readings) == {"not_accelerated": 1}


def test_cloudrift_is_asked_with_its_question(feed: Feed) -> None:
    feed.answers = {"/list": [reply(typed(CLOUDRIFT, "typed_by_hand_two_types.json"))]}
    assert len(list(fetched(CLOUDRIFT, feed.url("/list")))) == 1
    assert QUESTION["version"] == "2025-03-21"


@pytest.mark.parametrize(
    ("source", "header", "value"),
    [
        (DIGITALOCEAN, "authorization", "Bearer k3y"),
        (LAMBDA, "authorization", "Bearer k3y"),
        (SHADEFORM, "x-api-key", "k3y"),
    ],
    ids=["digitalocean", "lambda_cloud", "shadeform"],
)
def test_a_key_travels_in_a_header_and_never_in_an_address_or_an_error(
    feed: Feed, source: Source, header: str, value: str
) -> None:
    feed.answers = {"/": [reply(b"{}"), reply(status=401)]}
    [document] = fetched(source, feed.url("/"), api_key="k3y")
    assert feed.asked[0][1][header] == value
    assert "k3y" not in document.url
    with pytest.raises(FetchFailed) as caught:
        list(fetched(source, feed.url("/"), api_key="k3y"))
    assert "k3y" not in str(caught.value)
