"""CloudRift: what an hour of its GPU variants costs.

Traps of the feed that decide the shape of this module:

- The list is asked for with a JSON question that names a version of the API.
- The price is in cents, of a whole variant; memory is in bytes.
- `nodes_per_dc` is stock: how many of a variant each data centre has. A variant of which there is none
  anywhere still has its price.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import exact_json, required, stated_price
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Kind, Reading, Rejected, Skipped
from pricing_sources.protocols.gpu_offers import Asked, Offer, offer_price
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit, divided

MAX_BYTES: Final = 8 * 1024 * 1024
CENTS: Final = 100
GIGABYTE: Final = 1024**3
CURRENCY: Final = "USD"
QUESTION: Final = {
    "version": "2025-03-21",
    "data": {"selector": {"ByServiceAndLocation": {"services": ["vm"]}}},
}


class CloudRift:
    """GPU variants of CloudRift with their prices per GPU-hour."""

    info = SourceInfo(
        id="cloudrift",
        title="CloudRift instance types",
        publisher="CloudRift",
        kinds=(Kind.GPU,),
        homepage="https://docs.cloudrift.ai/",
        url="https://api.cloudrift.ai/api/v1/instance-types/list",
        licence="Public and unauthenticated; no licence is stated.",
        attribution="Prices: CloudRift",
        cadence=Cadence(cron="47 * * * *", jitter=timedelta(minutes=10), stale_after=6),
        plausible={Unit.GPU_HOUR: (Decimal("0.02"), Decimal(50))},
        snapshot=True,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every instance type. Raises FetchFailed."""
        yield Document.of(self.info.id, transport.post_json(request.url, QUESTION, max_bytes=MAX_BYTES), request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per variant of each instance type. Raises ShapeChanged."""
        rows = required(required(exact_json(document.body), "data"), "instance_types", "/data")
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("no instance types where a list of them was expected", path="/data/instance_types")
        for position, row in enumerate(rows):
            locator = f"/data/instance_types/{position}"
            label = required(row, "brand_short", locator)
            for number, variant in enumerate(required(row, "variants", locator)):
                yield _reading(str(label), variant, document, f"{locator}/variants/{number}")


SOURCE: Final = CloudRift()


def _reading(label: str, row: Mapping[str, Any], document: Document, locator: str) -> Reading:
    gpus = required(row, "gpu_count", locator)
    if not gpus:
        return Skipped("not_accelerated", locator)
    stated = required(row, "cost_per_hour", locator)
    cents = stated_price(stated)
    if isinstance(cents, str):
        return Rejected(cents, locator, json.dumps(row, default=str)[:500])
    if cents == 0:
        return Skipped("zero_price", locator)
    memory = row.get("vram")
    offer = Offer(
        source=CloudRift.info.id,
        provider="cloudrift",
        sku=required(row, "name", locator),
        region="global",
        accelerator=label,
        gpus=gpus,
        memory_gb=divided(memory, int(gpus) * GIGABYTE) if memory else None,
    )
    asked = Asked(
        price=cents / CENTS, currency=CURRENCY, published_amount=str(stated), published_unit="US cents per variant-hour"
    )
    return offer_price(offer, asked, document, locator)
