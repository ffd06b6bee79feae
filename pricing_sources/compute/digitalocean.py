"""DigitalOcean: what an hour of its GPU droplets costs.

Traps of the feed that decide the shape of this module:

- The price is of the whole droplet, and `vram.amount` the memory of all its GPUs together.
- Sizes without `gpu_info` are most of the list.
- The feed wants a key, sent as a header; the prices are the same for everybody.
"""

import json
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
from pricing_sources.units import Unit, divided

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_PAGES: Final = 50
PAGE_SIZE: Final = 200
CURRENCY: Final = "USD"
"""Prices are in US dollars (docs.digitalocean.com/reference/api, read 2026-11-23)."""
MEMORY_UNIT: Final = "gib"
"""The one unit of `vram` there is; its figures are those that others state in GB, 80 for an H100."""


class DigitalOcean:
    """GPU droplets of DigitalOcean with their prices per GPU-hour."""

    info = SourceInfo(
        id="digitalocean",
        title="DigitalOcean sizes",
        publisher="DigitalOcean",
        kinds=(Kind.GPU,),
        homepage="https://docs.digitalocean.com/reference/api/digitalocean/#tag/Sizes",
        url="https://api.digitalocean.com/v2/sizes",
        licence="For holders of an API key; no licence is stated.",
        attribution="Prices: DigitalOcean",
        cadence=Cadence(cron="45 4 * * *", jitter=timedelta(minutes=30)),
        key_setting="COSTPLAN_SOURCE_DIGITALOCEAN_KEY",
        plausible={Unit.GPU_HOUR: (Decimal("0.05"), Decimal(50))},
        snapshot=True,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every page of sizes. Raises FetchFailed."""
        headers = {"authorization": f"Bearer {request.api_key}"} if request.api_key else {}
        for page in range(1, MAX_PAGES + 1):
            url = f"{request.url}?{urlencode({'page': page, 'per_page': PAGE_SIZE})}"
            document = Document.of(self.info.id, transport.get(url, headers=headers, max_bytes=MAX_BYTES), request.now)
            yield document
            links = exact_json(document.body).get("links") or {}
            if not (links.get("pages") or {}).get("next"):
                return
        raise FetchFailed(f"{request.url}: over {MAX_PAGES} pages")

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per size. Raises ShapeChanged."""
        rows = required(exact_json(document.body), "sizes")
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("no sizes where a list of them was expected", path="/sizes")
        for position, row in enumerate(rows):
            yield _reading(row, document, f"/sizes/{position}")


SOURCE: Final = DigitalOcean()


def _reading(row: Mapping[str, Any], document: Document, locator: str) -> Reading:
    slug, gpu = required(row, "slug", locator), row.get("gpu_info")
    if not gpu:
        return Skipped("not_accelerated", locator)
    stated = required(row, "price_hourly", locator)
    price, gpus = stated_price(stated), required(gpu, "count", locator)
    if isinstance(price, str):
        return Rejected(price, locator, json.dumps(row, default=str)[:500])
    if price == 0:
        return Skipped("zero_price", locator)
    vram = required(gpu, "vram", locator)
    memory, unit = (required(vram, name, locator) for name in ("amount", "unit"))
    if unit != MEMORY_UNIT:
        words = f"vram in {str(unit)[:40]!r}; {MEMORY_UNIT!r} was expected"
        return Rejected(words, locator, json.dumps(row, default=str)[:500])
    offer = Offer(
        source=DigitalOcean.info.id,
        provider="digitalocean",
        sku=slug,
        region="global",
        accelerator=str(required(gpu, "model", locator)),
        gpus=gpus,
        memory_gb=divided(memory, gpus),
    )
    asked = Asked(
        price=price,
        currency=CURRENCY,
        published_amount=str(stated),
        published_unit="USD per droplet-hour (price_hourly)",
    )
    return offer_price(offer, asked, document, locator)
