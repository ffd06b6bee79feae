"""Azure Retail Prices: what Microsoft lists for an hour of an accelerated virtual machine.

The feed needs no key and mixes Linux, Windows, spot, dedicated, test and reserved meters that share
their names, so every row is classified before it is believed. Its prices are per machine; those of
a size whose accelerators are documented (`azure_sizes.toml`) are divided down to one GPU-hour.

Three traps of the feed decide the shape of this module:

- Only `productName` tells Windows from Linux, and it spells the difference in several ways.
- A reservation states the total of its whole term under the unit "1 Hour".
- `isPrimaryMeterRegion` false does not mean "duplicate": one meter often bills several sizes, and
  is primary for one of them only. Of 674 such rows in a recorded region 671 had no primary twin.
  So the full set is asked for, and rows are dropped only if they repeat a price already read.

Prices carry the date they begin to hold, which may lie in the future; a series may have several.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files
from typing import Any, Final

from pricing_sources.observation import (
    GpuSeries,
    Kind,
    Observation,
    PricingCategory,
    Reading,
    Rejected,
    Skipped,
    Status,
)
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
)
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit, divided

FILTER: Final = "serviceName eq 'Virtual Machines' and contains(armSkuName,'Standard_N')"
HOURLY_UNITS: Final = frozenset({"1 Hour"})
TERMS: Final = {"1 Year": 1, "3 Years": 3, "5 Years": 5}
HOURS_PER_YEAR: Final = 8760
"""365 days of 24 hours: what one year of a term is spread over (three years: 26,280 hours)."""


@dataclass(frozen=True, slots=True)
class Size:
    """What is documented about one virtual machine size."""

    accelerator: str
    gpus: Fraction
    """Accelerators in one machine."""
    gpu_memory_gb: Decimal
    """Memory of one whole accelerator [GB]."""
    source: str
    """The page that states it."""


class AzureRetailPrices:
    """The public price list of Azure, accelerated (N-series) virtual machines only."""

    info = SourceInfo(
        id="azure_retail_prices",
        title="Azure Retail Prices",
        publisher="Microsoft",
        kinds=(Kind.GPU,),
        homepage=azure_prices.HOMEPAGE,
        url=azure_prices.OFFICIAL_URL,
        licence=azure_prices.LICENCE,
        attribution=azure_prices.ATTRIBUTION,
        snapshot=True,
        parser_version=2,
        cadence=Cadence(cron="30 4 * * *", jitter=timedelta(hours=1), stale_after=3),
        plausible={
            # From a spot slice of an old card to a rack-scale accelerator in a dear region.
            Unit.GPU_HOUR: (Decimal("0.02"), Decimal(150)),
            Unit.INSTANCE_HOUR: (Decimal("0.01"), Decimal(600)),
        },
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every N-series row, page by page.

        Raises FetchFailed if the pages run in a circle, lead to a foreign host, or do not end.
        """
        return azure_prices.pages(transport, request, self.info.id, FILTER)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one page: one reading per row, and one more per savings plan a row offers.

        Raises ShapeChanged if the page has no list of rows, or none where rows were expected.
        """
        seen: dict[tuple[str, str | None, datetime], Observation] = {}
        for locator, row in azure_prices.rows(document):
            for reading in _readings(row, locator, document.fetched_at):
                yield first_stands(reading, row, seen)


SOURCE: Final = AzureRetailPrices()


@dataclass(frozen=True, slots=True)
class _Purchase:
    """How a row's price is bought, and how many hours it pays for."""

    name: str
    category: PricingCategory
    hours: int = 1
    term: str = ""


_ON_DEMAND: Final = _Purchase("on_demand", PricingCategory.STANDARD)
_SPOT: Final = _Purchase("spot", PricingCategory.DYNAMIC)


def _readings(row: object, locator: str, now: datetime) -> Iterator[Reading]:
    try:
        reading = _reading(object_of(row), locator, now)
    except RowError as doubt:
        yield Rejected(str(doubt), locator, shortened(row))
        return
    yield reading
    if isinstance(row, dict) and isinstance(reading, Observation) and _is_on_demand(reading):
        yield from _savings_plans(row, locator)


def _reading(row: Mapping[str, Any], locator: str, now: datetime) -> Reading:
    reason = _skip_reason(row)
    if reason:
        return Skipped(reason, locator)
    unit = text_of(row, "unitOfMeasure")
    if unit not in HOURLY_UNITS:
        raise RowError(f"unitOfMeasure is {unit!r}; accepted: {', '.join(sorted(HOURLY_UNITS))}")
    purchase = _purchase_of(row)
    price = number_of(row, "retailPrice")
    if price == 0:
        return Skipped("zero_price", locator)
    if "tierMinimumUnits" in row and number_of(row, "tierMinimumUnits") > 0:
        return Skipped("volume_tier", locator)
    if has_ended(row, now):
        return Skipped("ended", locator)
    return _observation(row, locator, purchase, price)


def _skip_reason(row: Mapping[str, Any]) -> str | None:
    """Name why a row is no price of ours, or return None; the first rule that matches wins."""
    product, size = text_of(row, "productName"), str(row.get("armSkuName") or "")
    rules = (
        ("dev_test", text_of(row, "type") == "DevTestConsumption"),
        # "… Series Windows" and "… Srs Win"; no other field tells Windows from Linux.
        ("windows", " Win" in product),
        ("cloud_services", "Cloud Services" in product or "CloudServices" in product),
        ("dedicated_host", "Dedicated" in product),
        ("low_priority", _meter_ends(row, " Low Priority")),
        ("fpga", size.startswith("Standard_NP")),
        ("not_accelerated", not size.startswith("Standard_N")),
    )
    return next((reason for reason, applies in rules if applies), None)


def _purchase_of(row: Mapping[str, Any]) -> _Purchase:
    match text_of(row, "type"):
        case "Consumption":
            return _SPOT if _meter_ends(row, " Spot") else _ON_DEMAND
        case "Reservation":
            term = text_of(row, "reservationTerm")
            years = _years(term)
            return _Purchase(f"reserved_{years}y", PricingCategory.COMMITTED, years * HOURS_PER_YEAR, term)
        case other:
            raise RowError(f"type is {other!r}; accepted: Consumption, Reservation, DevTestConsumption")


def _observation(row: Mapping[str, Any], locator: str, purchase: _Purchase, price: Decimal) -> Observation:
    stated = text_of(row, "armSkuName")
    sku = _ALIASES.get(stated, stated)
    size = SIZES.get(sku)
    return Observation(
        series=_series(row, sku, size, purchase),
        amount=divided(price, purchase.hours * (size.gpus if size else Fraction(1))),
        currency=currency_of(row),
        unit=Unit.GPU_HOUR if size else Unit.INSTANCE_HOUR,
        valid_from=effective_from(row),
        status=Status.DERIVED if purchase.hours > 1 else Status.FINAL,
        published_amount=str(price),
        published_unit=f"1 Hour (whole-term total, {purchase.term})" if purchase.hours > 1 else "1 Hour",
        locator=locator,
        note=_note(stated, sku, size, purchase, price),
    )


def _series(row: Mapping[str, Any], sku: str, size: Size | None, purchase: _Purchase) -> GpuSeries:
    return GpuSeries(
        source=AzureRetailPrices.info.id,
        provider="azure",
        sku=sku,
        region=text_of(row, "armRegionName"),
        purchase=purchase.name,
        pricing_category=purchase.category,
        accelerator=size.accelerator if size else "",
        gpu_count=divided(Decimal(1), 1 / size.gpus) if size else None,
        gpu_memory_gb=size.gpu_memory_gb if size else None,
    )


def _note(stated: str, sku: str, size: Size | None, purchase: _Purchase, price: Decimal) -> str:
    """Say, in words, how the amount was made of the published figure."""
    parts = []
    if purchase.hours > 1:
        parts.append(f"total {price} for {purchase.term}, spread over {purchase.hours} hours")
    if size:
        parts.append(f"price of a machine with {size.gpus} accelerators ({size.source})")
    else:
        parts.append("price of a whole machine; its number of accelerators is not documented here")
    if stated != sku:
        parts.append(f"priced as {stated}, the same machine as {sku}")
    return "; ".join(parts)


def _is_on_demand(reading: Observation) -> bool:
    return isinstance(reading.series, GpuSeries) and reading.series.purchase == _ON_DEMAND.name


def _savings_plans(row: Mapping[str, Any], locator: str) -> Iterator[Reading]:
    """Read the plans a Linux on-demand row offers; each states the price of one hour."""
    plans = row.get("savingsPlan") or []
    if not isinstance(plans, list):
        yield Rejected("savingsPlan must be a list of plans", f"{locator}/savingsPlan", shortened(plans))
        return
    for position, plan in enumerate(plans):
        place = f"{locator}/savingsPlan/{position}"
        try:
            yield _savings_plan(row, object_of(plan), place)
        except RowError as doubt:
            yield Rejected(str(doubt), place, shortened(plan))


def _savings_plan(row: Mapping[str, Any], plan: Mapping[str, Any], locator: str) -> Reading:
    term = text_of(plan, "term")
    purchase = _Purchase(f"savings_plan_{_years(term)}y", PricingCategory.COMMITTED, term=term)
    price = number_of(plan, "retailPrice")
    return _observation(row, locator, purchase, price) if price else Skipped("zero_price", locator)


def _years(term: str) -> int:
    if term not in TERMS:
        raise RowError(f"term is {term!r}; accepted: {', '.join(TERMS)}")
    return TERMS[term]


def _meter_ends(row: Mapping[str, Any], ending: str) -> bool:
    return text_of(row, "meterName").endswith(ending) or str(row.get("skuName") or "").endswith(ending)


def _documented() -> tuple[dict[str, Size], dict[str, str]]:
    """Read the table of sizes and the second names of machines that ship with this module."""
    text = files("pricing_sources.compute").joinpath("azure_sizes.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    sizes = {
        sku: Size(series["accelerator"], Fraction(count), Decimal(series["gpu_memory_gb"]), series["source"])
        for series in table["series"]
        for sku, count in series["sizes"].items()
    }
    return sizes, dict(table["aliases"])


SIZES, _ALIASES = _documented()
