import json
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.compute.linode import SOURCE
from pricing_sources.errors import FetchFailed
from tests.pricing_sources.reading import fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

BODY = typed(SOURCE, "typed_by_hand_four_types.json")


def test_the_label_tells_which_gpu_and_the_price_is_shared_by_all() -> None:
    price = prices(read(SOURCE, BODY))["linode/g1-gpu-rtx6000-2/global/on_demand"]
    assert (price.amount, price.series.accelerator, price.series.gpu_count) == (Decimal("1.5"), "RTX6000", 2)


def test_a_region_with_its_own_price_has_its_own_series() -> None:
    price = prices(read(SOURCE, BODY))["linode/g1-gpu-rtx6000-2/br-gru/on_demand"]
    assert (price.amount, price.locator) == (Decimal("2.1"), "/data/1/region_prices/0")


def test_what_is_no_price_has_a_name() -> None:
    readings = read(SOURCE, BODY)
    assert skipped(readings) == {"not_accelerated": 1}
    assert rejected(readings) == [
        "'Something new' does not say which 1 GPUs; \"+ NAME GPU x1\" was expected",
        "None where a price was expected",
    ]
    assert len(readings) == 5


@pytest.mark.parametrize(
    ("name", "read_rows", "found"), [("types.json", 103, 4), ("libcloud_linode_v4_list_types.json", 28, 4)]
)
def test_the_recorded_types_are_read(recorded: Path, name: str, read_rows: int, found: int) -> None:
    readings = read(SOURCE, (recorded / "gpu/linode" / name).read_bytes())
    assert (len(readings), len(prices(readings)), rejected(readings)) == (read_rows, found, [])
    assert prices(readings)["linode/g1-gpu-rtx6000-4/global/on_demand"].amount == Decimal("1.5")


def test_every_page_is_asked_for(feed: Feed) -> None:
    pages = {str(number): json.dumps({"page": number, "pages": 3, "data": [{}]}).encode() for number in (1, 2, 3)}
    feed.answers["/v4/linode/types"] = [reply(body) for body in pages.values()]
    documents = list(fetched(SOURCE, feed.url("/v4/linode/types")))
    assert [document.body for document in documents] == list(pages.values())
    assert [path.partition("?")[2] for path, _ in feed.asked] == [f"page={n}&page_size=500" for n in (1, 2, 3)]


def test_pages_without_end_end(feed: Feed) -> None:
    feed.answers["/v4/linode/types"] = [reply(b'{"page": 1, "pages": 1000, "data": []}')]
    with pytest.raises(FetchFailed, match="over 50 pages"):
        list(fetched(SOURCE, feed.url("/v4/linode/types")))
