"""What a gigabyte costs a month in Amazon S3, by storage class, region and volume tier.

The price list names a class only in its usage types, `EUC1-TimedStorage-SIA-ByteHrs`: a region's
abbreviation (none for us-east-1), and an abbreviation of the class. Beside them stand staging areas, minimum
sizes, early deletion and S3 Tables, which are charges but not the price of storing a gigabyte.

AWS counts 1,024 gigabytes to a terabyte (its first tier ends at 51,200); its prices are kept per
"GB" as it words them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from pricing_sources.observation import Kind, Observation, Reading, RecordSeries, Skipped
from pricing_sources.protocols import aws_offer_file, aws_offer_index
from pricing_sources.protocols.aws_offer_file import (
    OfferFile,
    RowError,
    currency_of,
    first_stands,
    price_of,
    rejected,
    tier_of,
)
from pricing_sources.source import Cadence, Chapter, Document, FetchRequest, NotModified, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

SERVICE: Final = "AmazonS3"
REGIONS: Final = (
    *("us-east-1", "us-east-2", "us-west-2"),
    *("eu-west-1", "eu-central-1", "eu-north-1"),
    *("ap-northeast-1", "ap-south-1"),
)
"""Asked unless the source's URL ends in `?regions=…`: those the GPU prices of AWS are asked for."""
CLASSES: Final = {
    "ByteHrs": "standard",
    "SIA-ByteHrs": "standard_ia",
    "ZIA-ByteHrs": "one_zone_ia",
    "GIR-ByteHrs": "glacier_instant_retrieval",
    "GlacierByteHrs": "glacier_flexible_retrieval",
    "GDA-ByteHrs": "glacier_deep_archive",
    "INT-FA-ByteHrs": "intelligent_tiering_frequent",
    "INT-IA-ByteHrs": "intelligent_tiering_infrequent",
    "INT-AIA-ByteHrs": "intelligent_tiering_archive_instant",
}
"""Usage types as AWS's "Understanding your billing and usage reports for Amazon S3" explains them."""
PER_GB_MONTH: Final = "GB-Mo"
COLUMNS: Final = ("TermType", "StartingRange", "EndingRange", "Unit", "PricePerUnit", "Currency", "usageType")

_USAGE: Final = re.compile(r"(?:[A-Z]{2,4}[0-9]?-)?TimedStorage-(.+)")


class AwsS3Storage:
    """The price list of Amazon S3, storage only."""

    info = SourceInfo(
        id="aws_s3_storage",
        title="AWS Price List: Amazon S3 storage",
        publisher="Amazon Web Services",
        kinds=(Kind.RECORD,),
        homepage=aws_offer_index.HOMEPAGE,
        url=aws_offer_index.region_index_url(SERVICE),
        licence=aws_offer_index.LICENCE,
        attribution=aws_offer_index.ATTRIBUTION,
        snapshot=True,
        cadence=Cadence(cron="0 5 * * tue", jitter=timedelta(hours=3)),
        plausible={Unit.GB_MONTH: (Decimal("0.0005"), Decimal("0.5"))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified]:
        """Ask for the current file of each region. Raises FetchFailed, ShapeChanged."""
        return aws_offer_index.current_files(transport, request, self.info.id, REGIONS, self.excerpt)

    def excerpt(self, pieces: Iterator[bytes]) -> bytes:
        """The preamble, the header and the rows about stored gigabytes, byte for byte."""
        return aws_offer_file.excerpt(pieces, lambda line: "" if b"TimedStorage-" in line else "not_storage")

    def rows_of_original(self, body: bytes) -> int | None:
        """How many rows the whole file had; None of a whole file. Raises ShapeChanged."""
        return aws_offer_file.rows_of_original(body)

    def chapters(self, transport: Transport, request: FetchRequest) -> Sequence[Chapter]:
        """One published version a month, oldest first."""
        return aws_offer_index.monthly_chapters(transport, request)

    def fetch_chapter(self, transport: Transport, request: FetchRequest, chapter: Chapter) -> Iterator[Document]:
        """Ask for each region's file of one version. Raises FetchFailed."""
        return aws_offer_index.chapter_files(transport, request, self.info.id, chapter, REGIONS, self.excerpt)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read a file or an excerpt: one reading per row. Raises ShapeChanged."""
        file = aws_offer_file.opened(document, SERVICE, COLUMNS)
        seen: dict[tuple[str, str | None], Observation] = {}
        yield from file.left_out
        for locator, row in file.rows:
            try:
                reading = _reading(file, row, locator)
            except RowError as doubt:
                reading = rejected(str(doubt), locator, row)
            yield first_stands(reading, row, seen)


SOURCE: Final = AwsS3Storage()


def _reading(file: OfferFile, row: Mapping[str, str], locator: str) -> Reading:
    usage = _USAGE.fullmatch(row["usageType"])
    if usage is None:
        return Skipped("not_storage", locator)
    if usage[1] not in CLASSES:
        return Skipped("other_storage_charge", locator)
    if row["TermType"] != "OnDemand":
        return Skipped("other_term", locator)
    if row["Unit"] != PER_GB_MONTH:
        raise RowError(f"Unit is {row['Unit']!r}; {PER_GB_MONTH} was expected")
    price = price_of(row)
    if price == 0:
        return Skipped("zero_price", locator)
    name = f"aws_s3_{CLASSES[usage[1]]}_{file.region_of(row)}"
    return Observation(
        series=RecordSeries(source=AwsS3Storage.info.id, topic="storage", name=name, variant=tier_of(row)),
        amount=price,
        currency=currency_of(row),
        unit=Unit.GB_MONTH,
        valid_from=file.published_at,
        dated=False,
        published_amount=row["PricePerUnit"],
        published_unit=PER_GB_MONTH,
        locator=locator,
        note=f"from {row['StartingRange']} to {row['EndingRange']} GB stored in a month",
    )
