"""Shadeform: what the clouds behind its marketplace ask for an hour of their GPU instances.

Traps of the feed that decide the shape of this module:

- It sells other clouds' machines: `cloud` is whose it is, `cloud_instance_type` what that cloud calls it.
- The price is in cents, and of the whole instance.
- Each region an instance could be in says whether one is free now; an instance that is free nowhere
  still has a price, and it is the same in every region.
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
from pricing_sources.units import Unit

MAX_BYTES: Final = 16 * 1024 * 1024
CENTS: Final = 100
CURRENCY: Final = "USD"
"""`hourly_price` counts US cents (docs.shadeform.ai, read 2026-10)."""
PROVIDERS: Final = {"datacrunch": "verda", "lambdalabs": "lambda", "hyperstack": "hyperstack"}
"""Our name of a cloud, where theirs is an older one."""


class Shadeform:
    """GPU instances of the clouds Shadeform sells, per GPU-hour."""

    info = SourceInfo(
        id="shadeform",
        title="Shadeform instance types",
        publisher="Shadeform",
        kinds=(Kind.GPU,),
        homepage="https://docs.shadeform.ai/api-reference/instances/instances-types",
        url="https://api.shadeform.ai/v1/instances/types",
        licence="No licence is stated.",
        attribution="Prices: Shadeform",
        cadence=Cadence(cron="42 * * * *", jitter=timedelta(minutes=10), stale_after=6),
        plausible={Unit.GPU_HOUR: (Decimal("0.05"), Decimal(50))},
        snapshot=True,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every instance type, with a key if there is one. Raises FetchFailed."""
        headers = {"x-api-key": request.api_key} if request.api_key else {}
        yield Document.of(self.info.id, transport.get(request.url, headers=headers, max_bytes=MAX_BYTES), request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per instance type and region. Raises ShapeChanged."""
        rows = required(exact_json(document.body), "instance_types")
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("no instance types where a list of them was expected", path="/instance_types")
        for position, row in enumerate(rows):
            locator = f"/instance_types/{position}"
            regions = required(row, "availability", locator)
            if not regions:
                yield Skipped("sold_nowhere", locator)
            for number, region in enumerate(regions):
                place = f"{locator}/availability/{number}"
                yield _reading(row, required(region, "region", place), document, place)


SOURCE: Final = Shadeform()


def _reading(row: Mapping[str, Any], region: str, document: Document, locator: str) -> Reading:
    machine = required(row, "configuration", locator)
    gpus = required(machine, "num_gpus", locator)
    if not gpus:
        return Skipped("not_accelerated", locator)
    stated = required(row, "hourly_price", locator)
    cents = stated_price(stated)
    if isinstance(cents, str):
        return Rejected(cents, locator, json.dumps(row, default=str)[:500])
    if cents == 0:
        return Skipped("zero_price", locator)
    cloud = required(row, "cloud", locator)
    offer = Offer(
        source=Shadeform.info.id,
        provider=PROVIDERS.get(cloud, cloud),
        sku=required(row, "cloud_instance_type", locator),
        resold=True,
        region=region,
        accelerator=str(required(machine, "gpu_type", locator)),
        gpus=gpus,
        memory_gb=machine.get("vram_per_gpu_in_gb"),
    )
    asked = Asked(
        price=cents / CENTS,
        currency=CURRENCY,
        published_amount=str(stated),
        published_unit="US cents per instance-hour",
    )
    return offer_price(offer, asked, document, locator)
