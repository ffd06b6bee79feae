"""What a gigabyte costs a month in Azure Blob Storage, by access tier, redundancy, region and volume.

Traps of the feed that decide the shape of this module:

- One meter, "Hot LRS Data Stored", is sold under several products at several prices: files, tables, data
  lakes, accounts of an older kind. Only the blobs of today's general-purpose accounts are read.
- Beside what is stored stand operations, retrieval, early deletion and index tags: charges, no storage.
- Capacity can be reserved; such a row states the total of its term and is no price per gigabyte and month.
- Volume tiers count in units of the meter: 51,200 is Azure's fifty terabytes, of 1,024 gigabytes each.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.observation import Kind, Observation, Reading, RecordSeries, Rejected, Skipped
from pricing_sources.protocols import azure_prices
from pricing_sources.protocols.azure_prices import (
    RowError,
    currency_of,
    effective_from,
    first_stands,
    has_ended,
    number_of,
    object_of,
    shortened,
    text_of,
    tier_of,
)
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

PRODUCT: Final = "General Block Blob v2"
FILTER: Final = f"serviceName eq 'Storage' and productName eq '{PRODUCT}' and contains(meterName,'Data Stored')"
PER_GB_MONTH: Final = "1 GB/Month"

_METER: Final = re.compile(r"(?P<tier>Hot|Cool|Cold|Archive) (?P<copies>(?:RA-)?G?[LZ]?RS) Data Stored")


class AzureStorage:
    """The public price list of Azure, blobs at rest only."""

    info = SourceInfo(
        id="azure_storage",
        title="Azure Retail Prices: blob storage",
        publisher="Microsoft",
        kinds=(Kind.RECORD,),
        homepage=azure_prices.HOMEPAGE,
        url=azure_prices.OFFICIAL_URL,
        licence=azure_prices.LICENCE,
        attribution=azure_prices.ATTRIBUTION,
        snapshot=True,
        cadence=Cadence(cron="0 6 * * tue", jitter=timedelta(hours=3)),
        plausible={Unit.GB_MONTH: (Decimal("0.0005"), Decimal("0.5"))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for what stored gigabytes cost in every region, page by page. Raises FetchFailed."""
        return azure_prices.pages(transport, request, self.info.id, FILTER)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one page: one reading per row. Raises ShapeChanged."""
        seen: dict[tuple[str, str | None, datetime], Observation] = {}
        for locator, row in azure_prices.rows(document):
            try:
                reading = _reading(object_of(row), locator, document.fetched_at)
            except RowError as doubt:
                reading = Rejected(str(doubt), locator, shortened(row))
            yield first_stands(reading, row, seen)


SOURCE: Final = AzureStorage()


def _reading(row: Mapping[str, Any], locator: str, now: datetime) -> Reading:
    meter = _METER.fullmatch(text_of(row, "meterName"))
    if text_of(row, "productName") != PRODUCT:
        return Skipped("other_product", locator)
    if text_of(row, "type") != "Consumption":
        return Skipped("other_term", locator)
    if meter is None:
        return Skipped("other_storage_charge", locator)
    unit = text_of(row, "unitOfMeasure")
    if unit != PER_GB_MONTH:
        raise RowError(f"unitOfMeasure is {unit!r}; {PER_GB_MONTH} was expected")
    price = number_of(row, "retailPrice")
    if price == 0:
        return Skipped("zero_price", locator)
    if has_ended(row, now):
        return Skipped("ended", locator)
    name = f"azure_blob_{meter['tier']}_{meter['copies']}_{text_of(row, 'armRegionName')}".lower()
    return Observation(
        series=RecordSeries(source=AzureStorage.info.id, topic="storage", name=name, variant=tier_of(row)),
        amount=price,
        currency=currency_of(row),
        unit=Unit.GB_MONTH,
        valid_from=effective_from(row),
        published_amount=str(price),
        published_unit=unit,
        locator=locator,
        note=f"from {number_of(row, 'tierMinimumUnits')} GB stored in a month",
    )
