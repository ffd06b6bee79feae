"""Amazon S3: which rows of the price list are the price of a stored gigabyte."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Observation, Reading, Rejected, Skipped, Status
from pricing_sources.source import Archive, Document, Excerpting, FetchRequest
from pricing_sources.storage.aws_s3_storage import CLASSES, SOURCE
from pricing_sources.transport import HttpTransport, Limits
from pricing_sources.units import Unit
from tests.pricing_sources.test_transport import Feed, reply

# First tiers: S3 Standard 0.023, Standard-IA 0.0125, Glacier Instant 0.004 and Flexible 0.0036 a
# GB-month, as quoted from the price list in 2026. There is no recording; the shape is documented.
TYPED = (Path(__file__).parents[2] / "documents" / "aws_s3_storage" / "typed_by_hand_us_east_1.csv").read_bytes()
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
STANDARD_ROW = TYPED.splitlines()[6]


@pytest.fixture
def feed() -> Iterator[Feed]:
    answering = Feed()
    yield answering
    answering.close()


def read(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id=SOURCE.info.id, url=SOURCE.info.url, body=body, fetched_at=NOW)))


def reading(old: str, new: str) -> Reading:
    """The first row, with one of its words replaced."""
    head = b"\n".join(TYPED.splitlines()[:6])
    [only] = read(head + b"\n" + STANDARD_ROW.replace(f'"{old}"'.encode(), f'"{new}"'.encode()) + b"\n")
    return only


def counts(readings: list[Reading]) -> dict[str, int]:
    return Counter(each.reason if isinstance(each, Skipped) else type(each).__name__ for each in readings)


def prices(readings: list[Reading]) -> dict[str, Decimal]:
    return {
        each.series.key.removeprefix("aws_s3_storage/storage/"): each.amount
        for each in readings
        if isinstance(each, Observation)
    }


def test_every_row_is_accounted_for() -> None:
    assert counts(read(TYPED)) == {"Observation": 6, "other_storage_charge": 1, "not_storage": 1}


def test_a_price_is_named_by_class_region_and_where_its_tier_begins() -> None:
    assert prices(read(TYPED)) == {
        "aws_s3_standard_us-east-1": Decimal("0.023"),
        "aws_s3_standard_us-east-1/above_51200_gb": Decimal("0.022"),
        "aws_s3_standard_us-east-1/above_512000_gb": Decimal("0.021"),
        "aws_s3_standard_ia_us-east-1": Decimal("0.0125"),
        "aws_s3_glacier_instant_retrieval_us-east-1": Decimal("0.004"),
        "aws_s3_glacier_flexible_retrieval_us-east-1": Decimal("0.0036"),
    }


def test_a_price_is_per_gb_month_from_the_publication_it_was_seen_in() -> None:
    first = read(TYPED)[0]
    assert isinstance(first, Observation)
    assert (first.currency, first.unit, first.status) == ("USD", Unit.GB_MONTH, Status.FINAL)
    assert (first.valid_from, first.dated) == (datetime(2026, 7, 20, 13, 44, 30, tzinfo=UTC), False)
    assert (first.published_amount, first.published_unit, first.locator) == ("0.0230000000", "GB-Mo", "line 7")
    assert first.note == "from 0 to 51200 GB stored in a month"


@pytest.mark.parametrize("prefix", ["", "USE2-", "APN1-", "EU-", "EUC1-", "CPT-"])
@pytest.mark.parametrize(("usage", "name"), CLASSES.items())
def test_a_class_is_known_by_its_usage_type_whatever_the_region(prefix: str, usage: str, name: str) -> None:
    only = reading("TimedStorage-ByteHrs", f"{prefix}TimedStorage-{usage}")
    assert list(prices([only])) == [f"aws_s3_{name}_us-east-1"]


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        ("USE1-Tables-TimedStorage-ByteHrs", "not_storage"),
        ("EarlyDelete-ByteHrs", "not_storage"),
        ("DataTransfer-Out-Bytes", "not_storage"),
        ("TimedStorage-SIA-SmObjects", "other_storage_charge"),
        ("TimedStorage-GDA-Staging", "other_storage_charge"),
    ],
)
def test_other_charges_are_skipped_by_name(usage: str, reason: str) -> None:
    assert reading("TimedStorage-ByteHrs", usage) == Skipped(reason, "line 7")


@pytest.mark.parametrize(
    ("old", "new", "reason"), [("0.0230000000", "0.0000000000", "zero_price"), ("OnDemand", "Reserved", "other_term")]
)
def test_nothing_is_free_and_no_term_is_a_list_price(old: str, new: str, reason: str) -> None:
    assert reading(old, new) == Skipped(reason, "line 7")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("GB-Mo", "GB-Hours", "Unit is 'GB-Hours'; GB-Mo was expected"),
        ("0", "some", "StartingRange is 'some'; a whole number was expected"),
        ("USD", "$", "Currency is '$'; an ISO 4217 code was expected"),
    ],
)
def test_a_row_that_cannot_be_believed_says_why(old: str, new: str, words: str) -> None:
    only = reading(old, new)
    assert isinstance(only, Rejected)
    assert only.reason == words


def test_the_file_of_another_service_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="OfferCode AmazonS3 was expected, not AmazonEC2"):
        read(TYPED.replace(b'"OfferCode","AmazonS3"', b'"OfferCode","AmazonEC2"'))


def test_fetch_keeps_the_rows_about_storage_of_each_region(feed: Feed) -> None:
    link = "/offers/v1.0/aws/AmazonS3/20260720134430/us-east-1/index"
    index = f'{{"regions": {{"us-east-1": {{"currentVersionUrl": "{link}.json"}}}}}}'
    feed.answers["/offers/v1.0/aws/AmazonS3/current/region_index.json"] = [reply(index.encode())]
    feed.answers[f"{link}.csv"] = [reply(TYPED)]
    url = feed.url("/offers/v1.0/aws/AmazonS3/current/region_index.json?regions=us-east-1")
    with HttpTransport(Limits(attempts=1)) as transport:
        [document] = SOURCE.fetch(transport, FetchRequest(url=url, now=NOW))
    assert isinstance(document, Document)
    lines, kept = TYPED.splitlines(keepends=True), document.body.splitlines(keepends=True)
    assert kept == [*lines[:5], b'"Rows Of The Original","8"\n', b'"Left Out: not_storage","1"\n', *lines[5:13]]
    assert counts(read(document.body)) == counts(read(TYPED))
    assert prices(read(document.body)) == prices(read(TYPED))


def test_the_source_keeps_excerpts_and_its_past() -> None:
    assert isinstance(SOURCE, Excerpting)
    assert isinstance(SOURCE, Archive)
