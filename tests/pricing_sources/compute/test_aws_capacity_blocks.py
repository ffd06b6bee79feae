"""Capacity Blocks: two figures that must be one price."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pricing_sources.compute.aws_capacity_blocks import SOURCE
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Observation, PricingCategory, Reading, Rejected, Skipped, Status
from pricing_sources.source import Document, FetchRequest, NotModified
from pricing_sources.transport import HttpTransport, Limits, Validators
from pricing_sources.units import Unit
from tests.pricing_sources.test_transport import Feed, reply

# Figures: the repository's file of March 2026. p7 is made up: a machine no table documents yet.
TYPED = (Path(__file__).parents[2] / "documents" / "aws_capacity_blocks" / "typed_six_prices.json").read_bytes()
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROW = {"region_code": "us-east-2", "hourly_rate_usd": 39.799, "accelerator_hourly_rate_usd": 4.975}


@pytest.fixture
def feed() -> Iterator[Feed]:
    answering = Feed()
    yield answering
    answering.close()


def read(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id=SOURCE.info.id, url=SOURCE.info.url, body=body, fetched_at=NOW)))


def table(*rows: dict[str, Any], name: str = "p5e.48xlarge", count: object = 8, kind: object = "H200") -> bytes:
    machine = {"accelerator_type": kind, "accelerator_count": count, "pricing": rows}
    return json.dumps(
        {"metadata": {"last_updated": "2026-03-01T00:40:29Z"}, "instance_types": {name: machine}}
    ).encode()


def reading(**changes: object) -> Reading:
    [only] = read(table({**ROW, **changes}))
    return only


def reason(doubt: Reading) -> str:
    assert isinstance(doubt, Rejected), doubt
    return doubt.reason


def prices(readings: list[Reading]) -> dict[str, Decimal]:
    return {
        each.series.key.removeprefix("aws_capacity_blocks/"): each.amount
        for each in readings
        if isinstance(each, Observation)
    }


def counts(readings: list[Reading]) -> dict[str, int]:
    return Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in readings)


def test_every_price_of_the_file_is_accounted_for() -> None:
    assert counts(read(TYPED)) == {"Observation": 4, "unknown_region": 1, "Rejected": 1}


def test_the_price_of_a_machine_is_divided_exactly() -> None:
    assert prices(read(TYPED)) == {
        "p5.48xlarge/us-east-1/capacity_block": Decimal("3.933"),
        "p5.48xlarge/us-west-1/capacity_block": Decimal("4.91625"),
        "p4de.24xlarge/us-east-1/capacity_block": Decimal("1.8457875"),
        "p7.48xlarge/us-east-1-atl-2a/capacity_block": Decimal("14.04"),
    }


def test_a_price_is_committed_and_dated_by_the_reading_of_the_page() -> None:
    found = next(each for each in read(TYPED) if isinstance(each, Observation))
    assert (found.currency, found.unit, found.status) == ("USD", Unit.GPU_HOUR, Status.FINAL)
    assert (found.valid_from, found.dated) == (datetime(2026, 3, 1, 0, 40, 29, tzinfo=UTC), False)
    assert (found.published_amount, found.published_unit) == ("31.464", "hourly_rate_usd")
    assert found.locator == "/instance_types/p5.48xlarge/pricing/0"
    assert found.reference_url == "https://aws.amazon.com/ec2/capacityblocks/pricing/"
    assert (found.series.provider, found.series.pricing_category) == ("aws", PricingCategory.COMMITTED)
    assert (found.series.accelerator, found.series.gpu_count, found.series.gpu_memory_gb) == ("H100 SXM", 8, 80)


def test_a_machine_no_table_documents_keeps_the_files_own_words() -> None:
    newest = [each for each in read(TYPED) if isinstance(each, Observation)][-1].series
    assert (newest.accelerator, newest.gpu_count, newest.gpu_memory_gb) == ("R200", 8, None)


def test_two_figures_that_are_not_one_price_are_not_believed() -> None:
    assert reason(read(TYPED)[0]) == (
        "10.582 a machine and 0.0 for each of its 72 accelerators do not agree; 72 times 0.0 is 0.0"
    )


@pytest.mark.parametrize("share", [4.974, 4.975])
def test_a_share_may_be_cut_or_rounded_at_its_last_decimal(share: float) -> None:
    assert isinstance(reading(accelerator_hourly_rate_usd=share), Observation)


@pytest.mark.parametrize("share", [4.973, 4.977, 39.799])
def test_a_share_that_is_further_off_is_another_price(share: float) -> None:
    assert "do not agree" in reason(reading(accelerator_hourly_rate_usd=share))


def test_a_count_other_than_the_documented_one_is_not_believed() -> None:
    [doubt] = read(table({**ROW, "accelerator_hourly_rate_usd": 9.95}, count=4))
    assert reason(doubt).startswith("4 accelerators; p5e.48xlarge has 8 (https://")


def test_nothing_is_free() -> None:
    assert reading(hourly_rate_usd=0, accelerator_hourly_rate_usd=0) == Skipped(
        "zero_price", "/instance_types/p5e.48xlarge/pricing/0"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"hourly_rate_usd": "39.799"},
        {"hourly_rate_usd": -1},
        {"accelerator_hourly_rate_usd": None},
        {"region_code": "Ohio"},
    ],
)
def test_what_is_no_number_or_no_region_is_rejected(changes: dict[str, object]) -> None:
    assert "was expected" in reason(reading(**changes))


def test_the_first_price_of_a_machine_in_a_region_stands() -> None:
    other = {**ROW, "hourly_rate_usd": 40, "accelerator_hourly_rate_usd": 5}
    assert counts(read(table(ROW, ROW, other))) == {"Observation": 1, "duplicate": 1, "Rejected": 1}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"metadata": {}}', "/metadata"),
        (b'{"metadata": {"last_updated": "yesterday"}, "instance_types": {}}', "/metadata"),
        (b'{"metadata": {"last_updated": "2026-03-01T00:40:29"}, "instance_types": {}}', "/metadata"),
        (b'{"metadata": {"last_updated": "2026-03-01T00:40:29Z"}, "instance_types": {}}', "/instance_types"),
        (table(ROW, count=0), "/instance_types/p5e.48xlarge"),
        (table(ROW, kind=None), "/instance_types/p5e.48xlarge"),
        (table({"region_code": "us-east-1"}), "/instance_types/p5e.48xlarge/pricing/0"),
    ],
)
def test_a_file_in_another_shape_is_refused_with_its_place(body: bytes, path: str) -> None:
    with pytest.raises(ShapeChanged, match=path):
        read(body)


def test_fetch_asks_again_only_for_what_changed(feed: Feed) -> None:
    feed.answers["/pricing.json"] = [reply(TYPED), reply(b"", 304)]
    url = feed.url("/pricing.json")
    with HttpTransport(Limits(attempts=1)) as transport:
        [document] = SOURCE.fetch(transport, FetchRequest(url=url, now=NOW))
        again = SOURCE.fetch(transport, FetchRequest(url=url, now=NOW, known={url: Validators(etag='"1"')}))
        assert list(again) == [NotModified(url)]
    assert isinstance(document, Document)
    assert document.body == TYPED


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pricing_2026-01-31_23bac71.json", {"Observation": 58, "Rejected": 2}),
        ("pricing_2026-01-31_45e3e84.json", {"Observation": 58, "Rejected": 2}),
        ("pricing_2026-02-01_9bb2129.json", {"Observation": 58, "Rejected": 2}),
        ("pricing_2026-02-01_9dfcf8b.json", {"Observation": 58, "Rejected": 2}),
        ("pricing_2026-03-01_ff99bc1.json", {"Observation": 58, "unknown_region": 4}),
    ],
)
def test_every_recorded_file_reads_to_its_last_price(recorded: Path, name: str, expected: dict[str, int]) -> None:
    readings = read((recorded / "gpu/aws_capacity_blocks" / name).read_bytes())
    assert counts(readings) == expected
    assert prices(readings)["trn1.32xlarge/us-east-1/capacity_block"] == Decimal("0.59575")
    low, high = SOURCE.info.plausible[Unit.GPU_HOUR]
    assert all(low <= amount <= high for amount in prices(readings).values())
