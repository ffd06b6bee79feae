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

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit, urlunsplit

from pricing_sources.documents import exact_json
from pricing_sources.errors import FetchFailed, ShapeChanged
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
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit, divided

OFFICIAL_URL: Final = "https://prices.azure.com/api/retail/prices"
QUERY: Final = {
    # Only the preview version states savings plans. It compares filter values case-sensitively.
    "api-version": "2023-01-01-preview",
    # `eq`, `and` and `contains()` are the documented grammar; `not(contains())` is answered with 400.
    "$filter": "serviceName eq 'Virtual Machines' and contains(armSkuName,'Standard_N')",
}
MAX_PAGES: Final = 1000
MAX_PAGE_BYTES: Final = 16 * 1024 * 1024

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
        homepage="https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices",
        url=OFFICIAL_URL,
        licence=(
            "Public and unauthenticated; no licence is stated. The documentation offers the API for "
            "tools of one's own, internal analysis and price comparison."
        ),
        attribution="Azure Retail Prices, Microsoft",
        snapshot=True,
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
        url, params = request.url, dict(QUERY)
        followed: set[str] = set()
        for _ in range(MAX_PAGES):
            reply = transport.get(url, params=params or None, max_bytes=MAX_PAGE_BYTES)
            yield Document.of(self.info.id, reply, request.now)
            link = _next_page(reply.body)
            if not link:
                return
            url, params = _at_home(link, request.url), {}
            if url in followed:
                raise FetchFailed(f"the page {url} was already read: NextPageLink runs in a circle")
            followed.add(url)
        raise FetchFailed(f"still no last page after {MAX_PAGES} pages; a page without NextPageLink was expected")

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one page: one reading per row, and one more per savings plan a row offers.

        Raises ShapeChanged if the page has no list of rows, or none where rows were expected.
        """
        seen: dict[tuple[str, str | None, datetime], Observation] = {}
        for locator, row in _rows(document):
            for reading in _readings(row, locator):
                yield _unless_repeated(reading, row, seen)


SOURCE: Final = AzureRetailPrices()


class _RowError(ValueError):
    """This row should have been a price and cannot be believed; the message says why."""


@dataclass(frozen=True, slots=True)
class _Purchase:
    """How a row's price is bought, and how many hours it pays for."""

    name: str
    category: PricingCategory
    hours: int = 1
    term: str = ""


_ON_DEMAND: Final = _Purchase("on_demand", PricingCategory.STANDARD)
_SPOT: Final = _Purchase("spot", PricingCategory.DYNAMIC)


def _next_page(body: bytes) -> object:
    page = exact_json(body)
    return page.get("NextPageLink") if isinstance(page, dict) else None


def _at_home(link: object, asked: str) -> str:
    """Move a link of the feed onto the host that was asked, so that a mirror is never left."""
    home, official = urlsplit(asked), urlsplit(OFFICIAL_URL)
    try:
        target = urlsplit(str(link))
    except ValueError as fault:
        raise FetchFailed(f"NextPageLink leads to {link}, which is no address: {fault}") from fault
    if target.hostname not in {official.hostname, home.hostname} or target.path not in {official.path, home.path}:
        raise FetchFailed(f"NextPageLink leads to {link}; expected {OFFICIAL_URL} or {asked} with another query")
    return urlunsplit((home.scheme, home.netloc, home.path, target.query, ""))


def _rows(document: Document) -> Iterator[tuple[str, object]]:
    page = exact_json(document.body)
    name = next((name for name in ("Items", "items") if isinstance(page, dict) and name in page), None)
    if name is None or not isinstance(page[name], list):
        raise ShapeChanged("expected an object with a list of price rows", path="/Items")
    if not page[name] and not _is_later_page(document.url):
        # A filter value that matches nothing is answered with 200 and an empty list.
        raise ShapeChanged("no rows where rows were expected", path=f"/{name}")
    for position, row in enumerate(page[name]):
        yield f"/{name}/{position}", row


def _is_later_page(url: str) -> bool:
    return parse_qs(urlsplit(url).query).get("$skip", ["0"]) != ["0"]


def _readings(row: object, locator: str) -> Iterator[Reading]:
    try:
        reading = _reading(_object(row), locator)
    except _RowError as doubt:
        yield Rejected(str(doubt), locator, _shortened(row))
        return
    yield reading
    if isinstance(row, dict) and isinstance(reading, Observation) and _is_on_demand(reading):
        yield from _savings_plans(row, locator)


def _reading(row: Mapping[str, Any], locator: str) -> Reading:
    reason = _skip_reason(row)
    if reason:
        return Skipped(reason, locator)
    unit = _text(row, "unitOfMeasure")
    if unit not in HOURLY_UNITS:
        raise _RowError(f"unitOfMeasure is {unit!r}; accepted: {', '.join(sorted(HOURLY_UNITS))}")
    purchase = _purchase_of(row)
    price = _number(row, "retailPrice")
    if price == 0:
        return Skipped("zero_price", locator)
    if "tierMinimumUnits" in row and _number(row, "tierMinimumUnits") > 0:
        return Skipped("volume_tier", locator)
    return _observation(row, locator, purchase, price)


def _skip_reason(row: Mapping[str, Any]) -> str | None:
    """Name why a row is no price of ours, or return None; the first rule that matches wins."""
    product, size = _text(row, "productName"), str(row.get("armSkuName") or "")
    rules = (
        ("dev_test", _text(row, "type") == "DevTestConsumption"),
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
    match _text(row, "type"):
        case "Consumption":
            return _SPOT if _meter_ends(row, " Spot") else _ON_DEMAND
        case "Reservation":
            term = _text(row, "reservationTerm")
            years = _years(term)
            return _Purchase(f"reserved_{years}y", PricingCategory.COMMITTED, years * HOURS_PER_YEAR, term)
        case other:
            raise _RowError(f"type is {other!r}; accepted: Consumption, Reservation, DevTestConsumption")


def _observation(row: Mapping[str, Any], locator: str, purchase: _Purchase, price: Decimal) -> Observation:
    stated = _text(row, "armSkuName")
    sku = _ALIASES.get(stated, stated)
    size = SIZES.get(sku)
    return Observation(
        series=_series(row, sku, size, purchase),
        amount=divided(price, purchase.hours * (size.gpus if size else Fraction(1))),
        currency=_currency(row),
        unit=Unit.GPU_HOUR if size else Unit.INSTANCE_HOUR,
        valid_from=_effective(row),
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
        region=_text(row, "armRegionName"),
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
        yield Rejected("savingsPlan must be a list of plans", f"{locator}/savingsPlan", _shortened(plans))
        return
    for position, plan in enumerate(plans):
        place = f"{locator}/savingsPlan/{position}"
        try:
            yield _savings_plan(row, _object(plan), place)
        except _RowError as doubt:
            yield Rejected(str(doubt), place, _shortened(plan))


def _savings_plan(row: Mapping[str, Any], plan: Mapping[str, Any], locator: str) -> Reading:
    term = _text(plan, "term")
    purchase = _Purchase(f"savings_plan_{_years(term)}y", PricingCategory.COMMITTED, term=term)
    price = _number(plan, "retailPrice")
    return _observation(row, locator, purchase, price) if price else Skipped("zero_price", locator)


def _unless_repeated(
    reading: Reading, row: object, seen: dict[tuple[str, str | None, datetime], Observation]
) -> Reading:
    """Let the first price of a series and date stand: two spellings of one meter live side by side."""
    if not isinstance(reading, Observation):
        return reading
    first = seen.setdefault((reading.series.key, reading.currency, reading.valid_from), reading)
    if first is reading:
        return reading
    if first.amount == reading.amount:
        return Skipped("duplicate", reading.locator)
    reason = (
        f"{reading.series.key} has two prices from {reading.valid_from.isoformat()}: {first.published_amount} at "
        f"{first.locator} (kept) and {reading.published_amount} here; one price, or another date, was expected"
    )
    return Rejected(reason, reading.locator, _shortened(row))


def _object(row: object) -> Mapping[str, Any]:
    if not isinstance(row, dict):
        raise _RowError(f"expected an object, not {type(row).__name__}")
    return row


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise _RowError(f"{name} is {value!r}; a text was expected")
    return value


def _number(row: Mapping[str, Any], name: str) -> Decimal:
    value = row.get(name)
    if not isinstance(value, Decimal) or not value.is_finite() or value < 0:
        raise _RowError(f"{name} is {value!r}; a number not below zero was expected")
    return value


def _years(term: str) -> int:
    if term not in TERMS:
        raise _RowError(f"term is {term!r}; accepted: {', '.join(TERMS)}")
    return TERMS[term]


def _currency(row: Mapping[str, Any]) -> str:
    code = _text(row, "currencyCode")
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise _RowError(f"currencyCode is {code!r}; an ISO 4217 code was expected")
    return code


def _effective(row: Mapping[str, Any]) -> datetime:
    text = _text(row, "effectiveStartDate")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _RowError(f"effectiveStartDate is {text!r}; a date with time and zone was expected")
    return moment.astimezone(UTC)


def _meter_ends(row: Mapping[str, Any], ending: str) -> bool:
    return _text(row, "meterName").endswith(ending) or str(row.get("skuName") or "").endswith(ending)


def _shortened(row: object) -> str:
    return json.dumps(row, default=str, ensure_ascii=False)[:500]


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
