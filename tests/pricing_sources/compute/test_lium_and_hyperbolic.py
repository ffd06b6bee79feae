"""Two smaller markets: one that lists hosts, and one that counts cents."""

import json
from decimal import Decimal
from typing import Any

import pytest

from pricing_sources.compute.hyperbolic import SOURCE as HYPERBOLIC
from pricing_sources.compute.lium import SOURCE as LIUM
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import GpuSeries, Reading, Rejected, Status
from pricing_sources.source import Document, Source
from tests.pricing_sources.reading import fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

OPTIONS = typed(HYPERBOLIC, "typed_by_hand_four_options.json")
OFFERS = typed(LIUM, "typed_by_hand_seven_offers.json")
either = pytest.mark.parametrize(
    ("source", "body"), [(HYPERBOLIC, OPTIONS), (LIUM, OFFERS)], ids=["hyperbolic", "lium"]
)


def changed(source: Source, body: bytes, **changes: Any) -> list[Reading]:
    """The first row alone, with some of its keys changed; None takes a key away."""
    row = {**json.loads(body)[0], **changes}  # noqa: TID251  a test may lose digits
    return read(source, json.dumps([{key: row[key] for key in row if row[key] is not None}]).encode())


def test_hyperbolic_counts_cents_of_a_whole_machine() -> None:
    found = prices(read(HYPERBOLIC, OPTIONS))
    assert {key: str(one.amount) for key, one in found.items()} == {
        "hyperbolic/8x_h100_sxm5_vm_infiniband/us-central-1/on_demand": "1.99",
        "hyperbolic/1x_h100_pcie_vm/us-central-1/on_demand": "1.49",
    }
    board = found["hyperbolic/8x_h100_sxm5_vm_infiniband/us-central-1/on_demand"]
    assert isinstance(board.series, GpuSeries)
    assert (board.series.accelerator, board.series.gpu_count) == ("h100 sxm5", 8)
    assert (board.published_amount, board.published_unit) == ("1592", "US cents per machine-hour")


def test_hyperbolic_lists_prices_that_nobody_can_have() -> None:
    readings = read(HYPERBOLIC, OPTIONS)
    assert skipped(readings) == {"not_enabled": 1}
    assert rejected(readings) == ["'call us' where a price was expected"]


@pytest.mark.parametrize("count", [0, 1.5, "8"])
def test_a_machine_without_a_whole_number_of_gpus_is_held_back(count: object) -> None:
    [reason] = rejected(changed(HYPERBOLIC, OPTIONS, gpuCount=count))
    assert reason.endswith("a whole number of GPUs was expected")


def test_one_option_at_two_prices_is_held_back() -> None:
    row = json.loads(OPTIONS)[0]  # noqa: TID251  a test may lose digits
    first, second = read(HYPERBOLIC, json.dumps([row, {**row, "costPerHourCents": 1600}]).encode())
    assert not isinstance(first, Rejected)
    assert "is listed at 1.99 and at 2; one was expected" in rejected([second])[0]


def test_lium_is_a_distribution_in_which_each_host_has_one_voice() -> None:
    found = prices(read(LIUM, OFFERS))
    assert {key: str(one.amount) for key, one in found.items()} == {
        "lium/NVIDIA_H100_80GB_HBM3/global/secure/on_demand/min": "1.90",
        "lium/NVIDIA_H100_80GB_HBM3/global/secure/on_demand/median": "2.40",
        "lium/NVIDIA_H100_80GB_HBM3/global/secure/on_demand/max": "2.75",
        "lium/NVIDIA_H100_80GB_HBM3/global/spot/spot/min": "1.20",
        "lium/NVIDIA_H100_80GB_HBM3/global/spot/spot/median": "1.20",
        "lium/NVIDIA_H100_80GB_HBM3/global/spot/spot/max": "1.20",
    }
    median = found["lium/NVIDIA_H100_80GB_HBM3/global/secure/on_demand/median"]
    assert (median.status, median.dated) == (Status.DERIVED, False)
    assert median.note.startswith("Over 3 hosts")


def test_every_offer_of_lium_is_accounted_for() -> None:
    readings = read(LIUM, OFFERS)
    assert skipped(readings) == {"aggregated": 5, "zero_price": 1}
    assert rejected(readings) == ["tier is 'platinum'; accepted: secure, spot"]


def test_the_address_of_a_host_is_in_no_reading() -> None:
    assert "192.0.2." not in repr(read(LIUM, OFFERS))


def test_lium_waits_until_somebody_turns_it_on() -> None:
    assert not LIUM.info.on_by_default


@pytest.mark.parametrize(
    ("source", "body", "key"),
    [
        (HYPERBOLIC, OPTIONS, "costPerHourCents"),
        (HYPERBOLIC, OPTIONS, "enabled"),
        (HYPERBOLIC, OPTIONS, "region"),
        (LIUM, OFFERS, "price_per_gpu"),
        (LIUM, OFFERS, "executor_ip_address"),
    ],
)
def test_a_field_that_has_gone_is_noticed(source: Source, body: bytes, key: str) -> None:
    with pytest.raises(ShapeChanged, match=f"'{key}' is missing"):
        changed(source, body, **{key: None})


@either
def test_an_empty_list_is_a_failure_not_a_success(source: Source, body: bytes) -> None:
    with pytest.raises(ShapeChanged, match="where a list of them was expected"):
        read(source, b"[]")


@either
def test_the_list_is_asked_for_in_one_piece(source: Source, body: bytes, feed: Feed) -> None:
    feed.answers = {"/list": [reply(body)]}
    [document] = fetched(source, feed.url("/list"))
    assert isinstance(document, Document)
    assert document.body == body
    assert all(price.amount > Decimal(1) for price in prices(list(source.parse(document))).values())
