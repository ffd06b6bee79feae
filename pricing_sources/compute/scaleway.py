"""Scaleway: what an hour of its GPU machines costs, from its product catalogue and from its zones.

Two answers are read: the product catalogue, which lists every zone at once, and a zone's own list of
server types. The catalogue is asked for; a zone's list is read when it is imported. It does not say
which zone it is of: that stands in the address it was fetched from, or in the saved file's name.

Traps of the feed that decide the shape of this module:

- A price is whole euros and nanos beside one another; both must be added.
- A price may be for a minute: the B300 machine is listed at 1 euro a minute, 60 an hour.
- Retired types stay in the list, at zero or at their last price.
- In a zone's list the price of a type that is not sold there is null.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from pricing_sources.documents import exact_json, required, stated_price
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Kind, Reading, Rejected, Skipped
from pricing_sources.protocols.gpu_offers import Asked, Offer, offer_price
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MAX_BYTES: Final = 16 * 1024 * 1024
PAGE_SIZE: Final = 1000
MAX_PAGES: Final = 50
NANOS: Final = Decimal(1_000_000_000)
IN_AN_HOUR: Final = {"hour": Decimal(1), "minute": Decimal(60)}
NAMED: Final = "servers-fr-par-2.json"
ZONE_CURRENCY: Final = "EUR"
"""A zone's list names no currency; Scaleway bills in euros, without VAT (scaleway.com/en/pricing)."""

_ZONE: Final = re.compile(r"(?<![a-z])([a-z]{2})[-_]([a-z]{3})[-_]([0-9])(?![a-z0-9])")
"""`fr-par-2`, or `fr_par_2` in a file's name."""


class Scaleway:
    """GPU machines of Scaleway with their prices per GPU-hour, without VAT."""

    info = SourceInfo(
        id="scaleway",
        title="Scaleway product catalogue",
        publisher="Scaleway",
        kinds=(Kind.GPU,),
        homepage="https://www.scaleway.com/en/developers/api/product-catalog/public-catalog-api/",
        url="https://api.scaleway.com/product-catalog/v2alpha1/public-catalog/products",
        licence="Public and unauthenticated; no licence is stated.",
        attribution="Prices: Scaleway",
        cadence=Cadence(cron="5 5 * * *", jitter=timedelta(minutes=30)),
        parser_version=2,
        plausible={Unit.GPU_HOUR: (Decimal("0.05"), Decimal(50))},
        snapshot=True,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every page of the catalogue. Raises FetchFailed, ShapeChanged."""
        read, total, page = 0, 1, 0
        while read < total:
            page += 1
            if page > MAX_PAGES:
                raise FetchFailed(f"{request.url}: over {MAX_PAGES} pages")
            url = f"{request.url}?{urlencode({'page_size': PAGE_SIZE, 'page': page})}"
            document = Document.of(self.info.id, transport.get(url, max_bytes=MAX_BYTES), request.now)
            answer = exact_json(document.body)
            products, total = required(answer, "products"), int(required(answer, "total_count"))
            if not products:
                raise ShapeChanged(f"page {page} is empty after {read} of {total} products", path="/products")
            read += len(products)
            yield document

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per product of the catalogue, or per server type of a zone. Raises ShapeChanged."""
        answer = exact_json(document.body)
        if isinstance(answer, Mapping) and isinstance(answer.get("servers"), Mapping) and answer["servers"]:
            for name, row in answer["servers"].items():
                yield _server_reading(name, row, document, f"/servers/{name}")
            return
        rows = required(answer, "products")
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("no products where a list of them was expected", path="/products")
        for position, row in enumerate(rows):
            yield _product_reading(row, document, f"/products/{position}")


SOURCE: Final = Scaleway()


def _product_reading(row: Mapping[str, Any], document: Document, locator: str) -> Reading:
    hardware = (row.get("properties") or {}).get("hardware") or {}
    gpu = hardware.get("gpu") or {}
    if not required(row, "sku", locator).startswith("/compute/") or not gpu.get("count"):
        return Skipped("not_accelerated", locator)
    if row.get("status") == "retired":
        return Skipped("retired", locator)
    unit = required(row, "unit_of_measure", locator)
    hours = IN_AN_HOUR.get(required(unit, "unit", locator))
    if hours is None or required(unit, "size", locator) != 1:
        words = f"unit {unit['size']} {unit['unit']!r}; 1 of {' or '.join(IN_AN_HOUR)} was expected"
        return Rejected(words, locator, json.dumps(row, default=str)[:500])
    stated = required(required(row, "price", locator), "retail_price", f"{locator}/price")
    price = required(stated, "units", locator) + required(stated, "nanos", locator) / NANOS
    if price == 0:
        return Skipped("zero_price", locator)
    zone = (row.get("locality") or {}).get("zone") or "global"
    offer = _offer(required(row, "product", locator), zone, gpu.get("type") or "", gpu["count"])
    asked = Asked(
        price=price * hours,
        currency=required(stated, "currency_code", locator),
        published_amount=f"{stated['units']} units {stated['nanos']} nanos",
        published_unit=f"{stated['currency_code']} per machine-{unit['unit']}",
        note="without VAT",
    )
    return offer_price(offer, asked, document, locator)


def _server_reading(name: str, row: Mapping[str, Any], document: Document, locator: str) -> Reading:
    if not required(row, "gpu", locator):
        return Skipped("not_accelerated", locator)
    stated = required(row, "hourly_price", locator)
    if stated is None:
        return Skipped("no_price", locator)
    price = stated_price(stated)
    if isinstance(price, str):
        return Rejected(price, locator, json.dumps(row, default=str)[:500])
    if price == 0:
        return Skipped("zero_price", locator)
    zone = _zone(document)
    if not zone:
        words = f"{document.url} names no zone, nor does its list; a file is to be saved under a name such as {NAMED}"
        return Rejected(words, locator, json.dumps(row, default=str)[:500])
    asked = Asked(
        price=price,
        currency=ZONE_CURRENCY,
        published_amount=str(stated),
        published_unit="EUR per machine-hour",
        note="without VAT",
    )
    return offer_price(_offer(name, zone, "", row["gpu"]), asked, document, locator)


def _zone(document: Document) -> str:
    """The zone in the address a list was fetched from, …/zones/fr-par-2/products/servers, or in its file's name."""
    found = _ZONE.findall(document.url)
    return "-".join(found[-1]) if found else ""


def _offer(sku: str, region: str, accelerator: str, gpus: Decimal) -> Offer:
    return Offer(
        source=Scaleway.info.id,
        provider="scaleway",
        sku=sku,
        region=region,
        accelerator=accelerator or sku,
        gpus=gpus,
        memory_gb=None,
    )
