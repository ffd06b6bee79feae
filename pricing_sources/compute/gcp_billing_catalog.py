"""Google Cloud Billing Catalog: what Google lists for an hour of one accelerator.

The catalog wants a key (free) and lists every SKU of Compute Engine, some twenty thousand. A machine
is no SKU: its GPUs, cores and memory are, each with a price of its own. Here the GPUs are read. Such
a price carries the tier `accelerator_only`, so that nobody takes it for a machine; only a SKU that
is sold as a share of a machine ("1 gpu slice") has its host in it, and no tier.

What the fields say, and what they do not:

- The price is `units` (a text, left out when 0) and `nanos` (billionths), in the currency of the account.
- What is sold stands in the English `description` alone. `usageType` tells spot and commitments from
  the rest, but calls capacity for a fixed duration (`DWS …`) OnDemand as well.
- The newest accelerators have an on-demand SKU, but are not sold on demand (Google's page on
  accelerator-optimized machines); only spot, commitments and reservations are.
- `effectiveTime` is no date of the price: unless one asks for a past month it is, by the
  reference, "a time within the last 12 hours". So the prices here are not dated.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from pricing_sources.documents import exact_json, required
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import GpuSeries, Kind, Observation, PricingCategory, Reading, Rejected, Skipped
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

PAGE_SIZE: Final = 5000
MAX_PAGES: Final = 100
MAX_PAGE_BYTES: Final = 64 * 1024 * 1024
HOURLY_UNITS: Final = frozenset({"h"})


@dataclass(frozen=True, slots=True)
class Purchase:
    """How an accelerator is bought."""

    name: str
    category: PricingCategory


ON_DEMAND: Final = Purchase("on_demand", PricingCategory.STANDARD)
USAGE_TYPES: Final[Mapping[str, Purchase]] = {
    "OnDemand": ON_DEMAND,
    "Preemptible": Purchase("spot", PricingCategory.DYNAMIC),
    "Commit1Yr": Purchase("reserved_1y", PricingCategory.COMMITTED),
    "Commit3Yr": Purchase("reserved_3y", PricingCategory.COMMITTED),
}
MODES: Final[Mapping[str, Purchase]] = {
    # Dynamic Workload Scheduler: reserved in advance for days, or started when there is room.
    "DWS Calendar Mode": Purchase("calendar_mode", PricingCategory.COMMITTED),
    "DWS Defined Duration": Purchase("flex_start", PricingCategory.STANDARD),
}
NOT_ON_DEMAND: Final = re.compile(r"\b(H200|B200|B300|GB200|GB300)\b")
"""Accelerators of machines that Google does not offer on demand (a3-ultragpu, a4, a4x)."""

_DESCRIPTION: Final = re.compile(
    r"(?:Commitment v[0-9]+: )?"
    r"(?:(?P<before>Spot Preemptible|Preemptible|DWS Calendar Mode|DWS Defined Duration) )?"
    r"(?P<label>.+?)(?: GPU)?(?P<slice> \(1 gpu slice\))?"
    r"(?: attached to (?:(?P<after>Spot Preemptible|DWS Calendar Mode|DWS Defined Duration) )?VMs)?"
    r"(?: running)? in .+?(?: for [13] Years?)?"
)
_MEMORY: Final = re.compile(r"\b([0-9]+)GB\b")
_SKIPPED_WORDS: Final = (
    # A reservation that stands empty costs what its machine would; a licence is no GPU.
    ("reserved_capacity", re.compile(r"^Reserved ")),
    ("sole_tenancy", re.compile(r"Sole Tenancy")),
    ("licence", re.compile(r"Virtual Workstation")),
    ("custom_machine", re.compile(r"Custom")),
    ("suspended_machine", re.compile(r"suspended", re.IGNORECASE)),
)


class GcpBillingCatalog:
    """The accelerators among the SKUs of Compute Engine."""

    info = SourceInfo(
        id="gcp_billing_catalog",
        title="Google Cloud Billing Catalog",
        publisher="Google",
        kinds=(Kind.GPU,),
        homepage="https://cloud.google.com/billing/v1/how-tos/catalog-api",
        url="https://cloudbilling.googleapis.com/v1/services/6F81-5844-456A/skus",
        licence="Google APIs Terms of Service; no licence for the prices is stated.",
        attribution="Cloud Billing Catalog API, Google",
        key_setting="COSTPLAN_SOURCE_GCP_BILLING_CATALOG_KEY",
        snapshot=True,
        cadence=Cadence(cron="15 9 * * *", jitter=timedelta(hours=1), stale_after=3),
        plausible={
            # From a spot price of an old card to a rack-scale accelerator in a dear region.
            Unit.GPU_HOUR: (Decimal("0.01"), Decimal(150)),
        },
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every SKU, page by page, with the key in a header.

        Raises FetchFailed without a key, or if the pages run in a circle or do not end.
        """
        if not request.api_key:
            raise FetchFailed(f"{self.info.key_setting} is not set; a key of the Cloud Billing API was expected")
        headers = {"x-goog-api-key": request.api_key}
        params = {"pageSize": str(PAGE_SIZE)}
        followed: set[str] = set()
        for _ in range(MAX_PAGES):
            reply = transport.get(request.url, params=params, headers=headers, max_bytes=MAX_PAGE_BYTES)
            yield Document.of(self.info.id, reply, request.now)
            link = _next_page(reply.body)
            if not link:
                return
            if link in followed:
                raise FetchFailed(f"the page {link[:40]} was already read: nextPageToken runs in a circle")
            followed.add(link)
            params = {"pageSize": str(PAGE_SIZE), "pageToken": link}
        raise FetchFailed(f"still no last page after {MAX_PAGES} pages; a page without nextPageToken was expected")

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one page: one reading per SKU, and for an accelerator one per region it is sold in.

        Raises ShapeChanged if the page has no list of SKUs, or the first page an empty one.
        """
        seen: dict[str, Observation] = {}
        for position, sku in enumerate(_skus(document)):
            for reading in _readings(sku, f"/skus/{position}", document):
                yield _unless_repeated(reading, sku, seen)


SOURCE: Final = GcpBillingCatalog()


class _RowError(ValueError):
    """This SKU should have been a price and cannot be believed; the message says why."""


@dataclass(frozen=True, slots=True)
class _Product:
    """What a description says is sold."""

    label: str
    purchase: Purchase
    includes_host: bool


def _next_page(body: bytes) -> str:
    page = exact_json(body)
    return str(page.get("nextPageToken") or "") if isinstance(page, dict) else ""


def _skus(document: Document) -> list[Any]:
    page = exact_json(document.body)
    is_later = "pageToken" in parse_qs(urlsplit(document.url).query)
    skus = page.get("skus", [] if is_later else None) if isinstance(page, dict) else None
    if not isinstance(skus, list) or not (skus or is_later):
        raise ShapeChanged("expected an object with a list of SKUs", path="/skus")
    return skus


def _readings(sku: Any, locator: str, document: Document) -> Iterator[Reading]:
    category = required(sku, "category", locator)
    description = str(required(sku, "description", locator))
    reason = _skip_reason(description, category, locator)
    if reason:
        yield Skipped(reason, locator)
        return
    try:
        yield from _prices(sku, description, str(category.get("usageType")), locator, document)
    except _RowError as doubt:
        yield Rejected(str(doubt), locator, _shortened(sku))


def _skip_reason(description: str, category: Mapping[str, Any], locator: str) -> str | None:
    """Name why a SKU is no price of an accelerator, or return None; the first rule that matches wins."""
    if required(category, "resourceGroup", f"{locator}/category") == "TPU":
        return "tpu"  # the unit is a chip, a core or a host, depending on the version
    if category["resourceGroup"] != "GPU" and "gpu slice" not in description:
        return "not_accelerated"
    return next((reason for reason, words in _SKIPPED_WORDS if words.search(description)), None)


def _prices(
    sku: Mapping[str, Any], description: str, usage_type: str, locator: str, document: Document
) -> Iterator[Reading]:
    product = _product(description, usage_type)
    if product.purchase is ON_DEMAND and NOT_ON_DEMAND.search(product.label):
        yield Skipped("not_sold_on_demand", locator)
        return
    expression = _expression(sku)
    money = _money(expression)
    amount = _amount(money)
    if amount == 0:
        yield Skipped("zero_price", locator)
        return
    for region in sku.get("serviceRegions") or ["global"]:
        yield Observation(
            series=_series(product, str(region)),
            amount=amount,
            currency=_currency(money),
            unit=Unit.GPU_HOUR,
            valid_from=document.fetched_at,
            dated=False,
            published_amount=f"{money.get('units') or 0} units + {money.get('nanos') or 0} nanos",
            published_unit=str(expression["usageUnit"]),
            locator=f"{locator}/pricingInfo/0/pricingExpression/tieredRates/0",
        )


def _product(description: str, usage_type: str) -> _Product:
    said = _DESCRIPTION.fullmatch(description)
    if said is None:
        raise _RowError(f"{description!r} is not worded like '<accelerator> GPU running in <place>'")
    if usage_type not in USAGE_TYPES:
        raise _RowError(f"usageType is {usage_type!r}; accepted: {', '.join(USAGE_TYPES)}")
    mode = said["before"] or said["after"] or ""
    if "Preemptible" in mode and usage_type != "Preemptible":
        raise _RowError(f"{description!r} is spot capacity, but its usageType is {usage_type}")
    purchase = MODES.get(mode, USAGE_TYPES[usage_type])
    return _Product(said["label"], purchase, includes_host=bool(said["slice"]))


def _series(product: _Product, region: str) -> GpuSeries:
    memory = _MEMORY.search(product.label)
    return GpuSeries(
        source=GcpBillingCatalog.info.id,
        provider="gcp",
        sku=product.label,
        region=region,
        purchase=product.purchase.name,
        pricing_category=product.purchase.category,
        tier="" if product.includes_host else "accelerator_only",
        accelerator=product.label,
        gpu_count=Decimal(1),
        gpu_memory_gb=Decimal(memory[1]) if memory else None,
    )


def _expression(sku: Mapping[str, Any]) -> Mapping[str, Any]:
    """How the one price of a SKU is put together."""
    infos = sku.get("pricingInfo")
    if not isinstance(infos, list) or len(infos) != 1:
        raise _RowError("pricingInfo must hold one price, the newest")
    expression = infos[0].get("pricingExpression") if isinstance(infos[0], dict) else None
    if not isinstance(expression, dict) or expression.get("usageUnit") not in HOURLY_UNITS:
        unit = expression.get("usageUnit") if isinstance(expression, dict) else None
        raise _RowError(f"usageUnit is {unit!r}; accepted: {', '.join(sorted(HOURLY_UNITS))}")
    return expression


def _money(expression: Mapping[str, Any]) -> Mapping[str, Any]:
    tiers = expression.get("tieredRates")
    if not isinstance(tiers, list) or len(tiers) != 1 or not isinstance(tiers[0], dict):
        raise _RowError("tieredRates must hold one price for every quantity")
    money = tiers[0].get("unitPrice")
    if not isinstance(money, dict):
        raise _RowError(f"unitPrice is {money!r}; units and nanos were expected")
    return money


def _amount(money: Mapping[str, Any]) -> Decimal:
    """Units and billionths, exactly; either is left out when it is 0."""
    units, nanos = str(money.get("units") or "0"), money.get("nanos") or Decimal(0)
    if not re.fullmatch(r"[0-9]{1,12}", units):
        raise _RowError(f"units is {units[:40]!r}; a whole number not below zero was expected")
    if not isinstance(nanos, Decimal) or not 0 <= nanos < 1_000_000_000 or nanos != nanos.to_integral_value():
        raise _RowError(f"nanos is {nanos!r}; a whole number of billionths was expected")
    return Decimal(units) + nanos.scaleb(-9)


def _currency(money: Mapping[str, Any]) -> str:
    code = money.get("currencyCode")
    if not isinstance(code, str) or not re.fullmatch(r"[A-Z]{3}", code):
        raise _RowError(f"currencyCode is {code!r}; an ISO 4217 code was expected")
    return code


def _unless_repeated(reading: Reading, sku: object, seen: dict[str, Observation]) -> Reading:
    """Let the first price of a series stand: a product may have SKUs of the same words."""
    if not isinstance(reading, Observation):
        return reading
    first = seen.setdefault(reading.series.key, reading)
    if first is reading:
        return reading
    if first.amount == reading.amount:
        return Skipped("duplicate", reading.locator)
    reason = (
        f"{reading.series.key} has two prices: {first.amount} at {first.locator} (kept) and "
        f"{reading.amount} here; one was expected"
    )
    return Rejected(reason, reading.locator, _shortened(sku), reading.series.key)


def _shortened(sku: object) -> str:
    return json.dumps(sku, default=str, ensure_ascii=False)[:500]
