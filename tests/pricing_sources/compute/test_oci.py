import json
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.compute import oci
from pricing_sources.compute.oci import SHAPES, SOURCE
from pricing_sources.documents import exact_json
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Observation
from pricing_sources.units import Unit
from tests.pricing_sources.reading import fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

BODY = typed(SOURCE, "typed_five_products.json")


def test_a_price_is_for_one_gpu_already() -> None:
    price = prices(read(SOURCE, BODY))["oci/B98415/global/on_demand"]
    assert (price.amount, price.series.accelerator, price.series.gpu_count) == (Decimal(10), "H100", 1)


def test_a_shape_is_sold_at_the_price_of_its_part_for_every_gpu_it_has() -> None:
    shape = prices(read(SOURCE, BODY))["oci/BM.GPU.H100.8/global/on_demand"]
    assert (shape.amount, shape.unit, shape.series.gpu_count) == (Decimal(10), Unit.GPU_HOUR, 8)
    assert (shape.series.accelerator, shape.published_amount) == ("H100", "10")


def test_the_shapes_are_those_that_are_billed_by_a_gpu(recorded: Path) -> None:
    listed = exact_json((recorded / "gpu/oci/opencost_shape_part_numbers.json").read_bytes())
    billed = {(shape, parts["GPU"]) for shape, parts in listed.items() if parts["GPU"]}
    assert {(shape, part) for part, shapes in SHAPES.items() for shape in shapes} == billed


def test_each_currency_keeps_its_own_price_and_a_discount_is_no_list_price() -> None:
    price = prices(read(SOURCE, BODY))["oci/B95907/global/on_demand"]
    assert (price.amount, price.currency, price.series.accelerator) == (Decimal("3.72"), "EUR", "A100 80GB")
    assert skipped(read(SOURCE, BODY)) == {"not_a_list_price": 1, "zero_price": 1, "not_accelerated": 1}


@pytest.mark.parametrize(
    ("name", "metric", "is_read"),
    [
        ("Compute - GPU - A10", "GPU Per Hour", True),
        ("Compute - Accelerated - A10", "GPU Per Hour", True),
        ("Compute - GPU - A10 - Host", "OCPU Per Hour", False),
        ("Compute - GPU - A10 - Memory", "Gigabyte Per Hour", False),
        ("Generative AI - GPU unit", "AI Unit Per Hour", False),
    ],
)
def test_what_is_counted_says_that_a_product_is_a_gpu_and_not_its_name(name: str, metric: str, is_read: bool) -> None:
    product = {"partNumber": "B95909", "displayName": name, "metricName": metric, "serviceCategory": "Compute - GPU"}
    price = {"currencyCode": "USD", "prices": [{"model": "PAY_AS_YOU_GO", "value": 2}]}
    reading, *_ = read(SOURCE, json.dumps({"items": [product | {"currencyCodeLocalizations": [price]}]}).encode())
    assert isinstance(reading, Observation) is is_read
    assert skipped([reading]) == ({} if is_read else {"not_accelerated": 1})


def test_a_word_is_no_price() -> None:
    assert rejected(read(SOURCE, BODY)) == ["'variable' where a price was expected"]


def test_the_recorded_list_is_read_to_the_last_product(recorded: Path) -> None:
    readings = read(SOURCE, (recorded / "gpu/oci/prices_usd.json").read_bytes())
    found = prices(readings)
    assert (len(found), rejected(readings)) == (19, [])
    assert len([key for key in found if "GPU" not in key]) == 7
    assert len(readings) == len(found) + sum(skipped(readings).values())
    assert found["oci/B89734/global/on_demand"].series.accelerator == "V100"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"items": [{"name": "BM.GPU.H100.8", "gpuQty": 8, "products": [{"partNumber": "B98415", "qty": 8}]}]},
            "a list of machine shapes, without a price; the price list was expected",
        ),
        (
            {"BM.GPU.H100.8": {"OCPU": "", "Memory": "", "GPU": "B98415", "Disk": ""}},
            "which parts each machine shape is billed by, without a price; the price list was expected",
        ),
        ({"rows": []}, "'items' is missing"),
        ({"items": []}, "no products where a list of them was expected"),
        ({"items": [{"partNumber": "B98415"}]}, "'currencyCodeLocalizations' is missing"),
    ],
)
def test_a_document_about_machine_shapes_is_named_as_one(body: object, words: str) -> None:
    with pytest.raises(ShapeChanged, match=words):
        read(SOURCE, json.dumps(body).encode())


def test_when_the_first_host_turns_us_away_the_second_is_asked(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.answers = {"/api": [reply(status=403)], "/file": [reply(BODY)]}
    monkeypatch.setattr(oci, "FALLBACK", feed.url("/file"))
    monkeypatch.setattr(type(SOURCE), "info", SOURCE.info.__class__(**_fields(feed.url("/api"))))
    [document] = fetched(SOURCE, feed.url("/api"))
    assert (document.body, document.url) == (BODY, feed.url("/file"))


def test_a_mirror_that_fails_is_not_replaced_by_the_publisher(feed: Feed) -> None:
    feed.answers = {"/mirror": [reply(status=403)]}
    with pytest.raises(FetchFailed, match="answered 403"):
        list(fetched(SOURCE, feed.url("/mirror")))


def _fields(url: str) -> dict[str, object]:
    info = SOURCE.info
    return {name: getattr(info, name) for name in info.__dataclass_fields__} | {"url": url}
