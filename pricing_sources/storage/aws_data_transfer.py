"""What a gigabyte costs that leaves an AWS region for the internet, by volume tier.

The price list knows a dozen kinds of transfer. Only one is traffic to the internet: transfer type
"AWS Outbound" to "External", usage `EU-DataTransfer-Out-Bytes`. The first 100 GB a month, free over
all regions together, stand apart as traffic from "Global" at $0 and are no price.
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

SERVICE: Final = "AWSDataTransfer"
REGIONS: Final = (
    *("us-east-1", "us-east-2", "us-west-2"),
    *("eu-west-1", "eu-central-1", "eu-north-1"),
    *("ap-northeast-1", "ap-south-1"),
)
"""Asked unless the source's URL ends in `?regions=…`: those the GPU prices of AWS are asked for."""
OUTBOUND: Final = "AWS Outbound"
INTERNET: Final = "External"
EVERYWHERE: Final = "Global"
PER_GB: Final = "GB"
COLUMNS: Final = (
    *("TermType", "StartingRange", "EndingRange", "Unit", "PricePerUnit", "Currency"),
    *("Transfer Type", "From Location", "To Location", "usageType"),
)

_USAGE: Final = re.compile(r"(?:[A-Z]{2,4}[0-9]?-)?DataTransfer-Out-Bytes")


class AwsDataTransfer:
    """The price list of AWS data transfer, traffic to the internet only."""

    info = SourceInfo(
        id="aws_data_transfer",
        title="AWS Price List: data transfer to the internet",
        publisher="Amazon Web Services",
        kinds=(Kind.RECORD,),
        homepage=aws_offer_index.HOMEPAGE,
        url=aws_offer_index.region_index_url(SERVICE),
        licence=aws_offer_index.LICENCE,
        attribution=aws_offer_index.ATTRIBUTION,
        snapshot=True,
        cadence=Cadence(cron="30 5 * * tue", jitter=timedelta(hours=3)),
        plausible={Unit.GB: (Decimal("0.005"), Decimal(1))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified]:
        """Ask for the current file of each region. Raises FetchFailed, ShapeChanged."""
        return aws_offer_index.current_files(transport, request, self.info.id, REGIONS, self.excerpt)

    def excerpt(self, pieces: Iterator[bytes]) -> bytes:
        """The preamble, the header and the rows about traffic out to the internet, byte for byte."""
        return aws_offer_file.excerpt(pieces, _why_left_out)

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


SOURCE: Final = AwsDataTransfer()


def _why_left_out(line: bytes) -> str:
    """Name why a line cannot be a price, as `_skip_reason` names it; empty where it may be one."""
    if b'"AWS Outbound"' not in line:
        return "other_transfer"
    return "" if b'"External"' in line else "other_destination"


def _reading(file: OfferFile, row: Mapping[str, str], locator: str) -> Reading:
    reason = _skip_reason(row)
    if reason is not None:
        return Skipped(reason, locator)
    if row["Unit"] != PER_GB:
        raise RowError(f"Unit is {row['Unit']!r}; {PER_GB} was expected")
    price = price_of(row)
    if price == 0:
        return Skipped("zero_price", locator)
    name = f"aws_internet_{row.get('From Region Code') or file.region_of(row)}"
    return Observation(
        series=RecordSeries(source=AwsDataTransfer.info.id, topic="egress", name=name, variant=tier_of(row)),
        amount=price,
        currency=currency_of(row),
        unit=Unit.GB,
        valid_from=file.published_at,
        dated=False,
        published_amount=row["PricePerUnit"],
        published_unit=PER_GB,
        locator=locator,
        note=f"from {row['StartingRange']} to {row['EndingRange']} GB in a month",
    )


def _skip_reason(row: Mapping[str, str]) -> str | None:
    """Name why a row is no price of ours, or return None; the first rule that matches wins."""
    rules = (
        ("other_transfer", row["Transfer Type"] != OUTBOUND),
        ("other_destination", row["To Location"] != INTERNET),
        ("free_allowance", row["From Location"] == EVERYWHERE),
        ("other_usage", _USAGE.fullmatch(row["usageType"]) is None),
        ("other_term", row["TermType"] != "OnDemand"),
    )
    return next((reason for reason, applies in rules if applies), None)
