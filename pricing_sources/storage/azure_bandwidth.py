"""What a gigabyte costs that leaves an Azure region for the internet, by volume tier.

Traps of the feed that decide the shape of this module:

- Traffic is sold over two roads: Microsoft's own network, which is what everybody gets who chooses
  nothing ("Rtn Preference: MGN"), and the public internet, cheaper. The one nobody has to choose is read.
- The first hundred gigabytes of a month are free, over all regions together, and stand as a tier at $0.
- Traffic between regions, continents and zones has meters of its own, with names much like this one's.
"""

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

PRODUCT: Final = "Rtn Preference: MGN"
METER: Final = "Standard Data Transfer Out"
FILTER: Final = f"serviceName eq 'Bandwidth' and meterName eq '{METER}'"
PER_GB: Final = "1 GB"


class AzureBandwidth:
    """The public price list of Azure, traffic to the internet only."""

    info = SourceInfo(
        id="azure_bandwidth",
        title="Azure Retail Prices: data transfer to the internet",
        publisher="Microsoft",
        kinds=(Kind.RECORD,),
        homepage=azure_prices.HOMEPAGE,
        url=azure_prices.OFFICIAL_URL,
        licence=azure_prices.LICENCE,
        attribution=azure_prices.ATTRIBUTION,
        snapshot=True,
        cadence=Cadence(cron="30 6 * * tue", jitter=timedelta(hours=3)),
        plausible={Unit.GB: (Decimal("0.005"), Decimal(1))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for what traffic to the internet costs from every region, page by page. Raises FetchFailed."""
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


SOURCE: Final = AzureBandwidth()


def _reading(row: Mapping[str, Any], locator: str, now: datetime) -> Reading:
    reason = _skip_reason(row)
    if reason is not None:
        return Skipped(reason, locator)
    unit, price, tier = text_of(row, "unitOfMeasure"), number_of(row, "retailPrice"), tier_of(row)
    if unit != PER_GB:
        raise RowError(f"unitOfMeasure is {unit!r}; {PER_GB} was expected")
    if price == 0:
        return Skipped("zero_price" if tier else "free_allowance", locator)
    if has_ended(row, now):
        return Skipped("ended", locator)
    name = f"azure_internet_{text_of(row, 'armRegionName')}"
    return Observation(
        series=RecordSeries(source=AzureBandwidth.info.id, topic="egress", name=name, variant=tier),
        amount=price,
        currency=currency_of(row),
        unit=Unit.GB,
        valid_from=effective_from(row),
        published_amount=str(price),
        published_unit=unit,
        locator=locator,
        note=f"from {number_of(row, 'tierMinimumUnits')} GB in a month",
    )


def _skip_reason(row: Mapping[str, Any]) -> str | None:
    """Name why a row is no price of ours, or return None; the first rule that matches wins."""
    rules = (
        ("other_transfer", text_of(row, "meterName") != METER),
        ("other_road", text_of(row, "productName") != PRODUCT),
        ("other_term", text_of(row, "type") != "Consumption"),
        ("no_region", not row.get("armRegionName")),
    )
    return next((reason for reason, applies in rules if applies), None)
