"""AWS data transfer: of a dozen kinds, the one that leaves for the internet."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Observation, Reading, Rejected, Skipped
from pricing_sources.source import Archive, Document, Excerpting, FetchRequest
from pricing_sources.storage.aws_data_transfer import SOURCE
from pricing_sources.transport import HttpTransport, Limits
from pricing_sources.units import Unit
from tests.pricing_sources.test_transport import Feed, reply

# Tiers and prices: eu-west-1 as published in October 2026. There is no recording; the shape is documented.
TYPED = (Path(__file__).parents[2] / "documents" / "aws_data_transfer" / "typed_by_hand_eu_west_1.csv").read_bytes()
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
FIRST_ROW = TYPED.splitlines()[6]


@pytest.fixture
def feed() -> Iterator[Feed]:
    answering = Feed()
    yield answering
    answering.close()


def read(body: bytes, url: str = SOURCE.info.url) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id=SOURCE.info.id, url=url, body=body, fetched_at=NOW)))


def reading(old: str, new: str, url: str = SOURCE.info.url) -> Reading:
    """The first row, with one of its words replaced."""
    head = b"\n".join(TYPED.splitlines()[:6])
    [only] = read(head + b"\n" + FIRST_ROW.replace(f'"{old}"'.encode(), f'"{new}"'.encode()) + b"\n", url)
    return only


def counts(readings: list[Reading]) -> dict[str, int]:
    return Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in readings)


def prices(readings: list[Reading]) -> dict[str, Decimal]:
    return {
        each.series.key.removeprefix("aws_data_transfer/egress/"): each.amount
        for each in readings
        if isinstance(each, Observation)
    }


def test_every_row_is_accounted_for() -> None:
    assert counts(read(TYPED)) == {"Observation": 4, "free_allowance": 1, "other_transfer": 2}


def test_a_price_is_named_by_region_and_where_its_tier_begins() -> None:
    assert prices(read(TYPED)) == {
        "aws_internet_eu-west-1": Decimal("0.09"),
        "aws_internet_eu-west-1/above_10240_gb": Decimal("0.085"),
        "aws_internet_eu-west-1/above_51200_gb": Decimal("0.07"),
        "aws_internet_eu-west-1/above_153600_gb": Decimal("0.05"),
    }


def test_a_price_is_per_gb_from_the_publication_it_was_seen_in() -> None:
    second = read(TYPED)[1]
    assert isinstance(second, Observation)
    assert (second.currency, second.unit) == ("USD", Unit.GB)
    assert (second.valid_from, second.dated) == (datetime(2026, 10, 2, tzinfo=UTC), False)
    assert (second.published_amount, second.published_unit, second.locator) == ("0.0850000000", "GB", "line 8")
    assert second.note == "from 10240 to 51200 GB in a month"


@pytest.mark.parametrize(
    "usage", ["DataTransfer-Out-Bytes", "USE2-DataTransfer-Out-Bytes", "APN1-DataTransfer-Out-Bytes"]
)
def test_traffic_out_is_known_whatever_the_region(usage: str) -> None:
    assert isinstance(reading("EU-DataTransfer-Out-Bytes", usage), Observation)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("AWS Outbound", "InterRegion Outbound", "other_transfer"),
        ("External", "Amazon CloudFront", "other_destination"),
        ("EU (Ireland)", "Global", "free_allowance"),
        ("EU-DataTransfer-Out-Bytes", "EU-MRAP-Out-Bytes", "other_usage"),
        ("OnDemand", "Reserved", "other_term"),
        ("0.0900000000", "0.0000000000", "zero_price"),
    ],
)
def test_every_other_row_is_skipped_by_name(old: str, new: str, reason: str) -> None:
    assert reading(old, new) == Skipped(reason, "line 7")


def test_another_unit_is_not_believed() -> None:
    only = reading("GB", "TB")
    assert isinstance(only, Rejected)
    assert only.reason == "Unit is 'TB'; GB was expected"


def test_a_row_without_a_region_code_is_of_the_region_in_the_files_address() -> None:
    url = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AWSDataTransfer/20261002000000/eu-west-2/index.csv"
    assert list(prices([reading("eu-west-1", "", url)])) == ["aws_internet_eu-west-2"]


def test_a_file_that_lost_a_column_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="no column Transfer Type"):
        read(TYPED.replace(b'"Transfer Type"', b'"Kind"'))


def test_fetch_keeps_the_rows_about_the_internet_of_each_region(feed: Feed) -> None:
    link = "/offers/v1.0/aws/AWSDataTransfer/20261002000000/eu-west-1/index"
    index = f'{{"regions": {{"eu-west-1": {{"currentVersionUrl": "{link}.json"}}}}}}'
    feed.answers["/offers/v1.0/aws/AWSDataTransfer/current/region_index.json"] = [reply(index.encode())]
    feed.answers[f"{link}.csv"] = [reply(TYPED)]
    url = feed.url("/offers/v1.0/aws/AWSDataTransfer/current/region_index.json?regions=eu-west-1")
    with HttpTransport(Limits(attempts=1)) as transport:
        [document] = SOURCE.fetch(transport, FetchRequest(url=url, now=NOW))
    assert isinstance(document, Document)
    lines, kept = TYPED.splitlines(keepends=True), document.body.splitlines(keepends=True)
    assert kept == [*lines[:5], b'"Rows Of The Original","7"\n', b'"Left Out: other_transfer","2"\n', *lines[5:11]]
    assert prices(read(document.body)) == prices(read(TYPED))


def test_the_source_keeps_excerpts_and_its_past() -> None:
    assert isinstance(SOURCE, Excerpting)
    assert isinstance(SOURCE, Archive)
