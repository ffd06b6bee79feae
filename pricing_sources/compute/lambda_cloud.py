"""Lambda: what an hour of its GPU instances costs.

Traps of the feed that decide the shape of this module:

- The price is in cents, a whole number of them, and of the whole instance.
- Types are the keys of an object. Each lists the regions that have one free now: that is stock, not
  where it is sold, so a price is global.
- The feed wants a key, sent as a header.
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

MAX_BYTES: Final = 8 * 1024 * 1024
CENTS: Final = 100
CURRENCY: Final = "USD"
"""`price_cents_per_hour` counts US cents (docs.lambda.ai/api/cloud, read 2026-11-23)."""


class LambdaCloud:
    """Instance types of Lambda with their prices per GPU-hour."""

    info = SourceInfo(
        id="lambda_cloud",
        title="Lambda instance types",
        publisher="Lambda",
        kinds=(Kind.GPU,),
        homepage="https://docs.lambda.ai/api/cloud",
        url="https://cloud.lambda.ai/api/v1/instance-types",
        licence="For holders of an API key; no licence is stated.",
        attribution="Prices: Lambda",
        cadence=Cadence(cron="35 * * * *", jitter=timedelta(minutes=10), stale_after=6),
        key_setting="COSTPLAN_SOURCE_LAMBDA_CLOUD_KEY",
        plausible={Unit.GPU_HOUR: (Decimal("0.05"), Decimal(50))},
        snapshot=True,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every instance type. Raises FetchFailed."""
        headers = {"authorization": f"Bearer {request.api_key}"} if request.api_key else {}
        yield Document.of(self.info.id, transport.get(request.url, headers=headers, max_bytes=MAX_BYTES), request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per instance type. Raises ShapeChanged."""
        rows = required(exact_json(document.body), "data")
        if not isinstance(rows, Mapping) or not rows:
            raise ShapeChanged("no instance types where some were expected", path="/data")
        for name, row in rows.items():
            yield _reading(required(row, "instance_type", f"/data/{name}"), document, f"/data/{name}/instance_type")


SOURCE: Final = LambdaCloud()


def _reading(row: Mapping[str, Any], document: Document, locator: str) -> Reading:
    gpus = required(required(row, "specs", locator), "gpus", f"{locator}/specs")
    if not gpus:
        return Skipped("not_accelerated", locator)
    stated = required(row, "price_cents_per_hour", locator)
    cents = stated_price(stated)
    if isinstance(cents, str) or cents != int(cents):
        words = cents if isinstance(cents, str) else f"{cents} where a whole number of cents was expected"
        return Rejected(words, locator, json.dumps(row, default=str)[:500])
    if cents == 0:
        return Skipped("zero_price", locator)
    offer = Offer(
        source=LambdaCloud.info.id,
        provider="lambda",
        sku=required(row, "name", locator),
        region="global",
        accelerator=str(required(row, "gpu_description", locator)),
        gpus=gpus,
        memory_gb=None,
    )
    asked = Asked(
        price=cents / CENTS,
        currency=CURRENCY,
        published_amount=str(stated),
        published_unit="US cents per instance-hour",
    )
    return offer_price(offer, asked, document, locator)
