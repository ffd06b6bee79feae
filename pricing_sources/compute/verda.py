"""Verda (formerly DataCrunch): what an hour of its machines costs, on demand and spot.

Traps of the feed that decide the shape of this module:

- Both prices are texts, and of the whole machine; `gpu.number_of_gpus` divides them.
- `gpu_memory.size_in_gigabytes` is the sum over all GPUs, too.
- Types that are sold out are listed with their price; what can be had now is another endpoint.
- Machines without a GPU are listed as well.
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
CURRENCIES: Final = {"usd": "USD", "eur": "EUR"}
PRICES: Final = {"price_per_hour": "on_demand", "spot_price": "spot"}


class Verda:
    """Instance types of Verda with their prices per GPU-hour."""

    info = SourceInfo(
        id="verda",
        title="Verda instance types",
        publisher="Verda",
        kinds=(Kind.GPU,),
        homepage="https://api.verda.com/v1/docs",
        url="https://api.verda.com/v1/instance-types?currency=usd",
        licence="Public and unauthenticated; no licence is stated.",
        attribution="Prices: Verda",
        cadence=Cadence(cron="27 * * * *", jitter=timedelta(minutes=10), stale_after=6),
        plausible={Unit.GPU_HOUR: (Decimal("0.02"), Decimal(50))},
        snapshot=True,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every instance type. Raises FetchFailed."""
        yield Document.of(self.info.id, transport.get(request.url, max_bytes=MAX_BYTES), request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per price of each instance type, on demand and spot. Raises ShapeChanged."""
        rows = exact_json(document.body)
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("a list of instance types was expected")
        for position, row in enumerate(rows):
            for name, purchase in PRICES.items():
                yield _reading(row, name, purchase, document, f"/{position}")


SOURCE: Final = Verda()


def _reading(row: Mapping[str, Any], name: str, purchase: str, document: Document, locator: str) -> Reading:
    place = f"{locator}/{name}"
    currency = CURRENCIES.get(required(row, "currency", locator))
    if currency is None:
        raise ShapeChanged(f"currency {row['currency']!r}; known are {', '.join(CURRENCIES)}", path=locator)
    gpus = required(required(row, "gpu", locator), "number_of_gpus", f"{locator}/gpu")
    if gpus == 0:
        return Skipped("not_accelerated", place)
    stated = required(row, "price_per_hour", locator) if purchase == "on_demand" else row.get(name)
    if stated is None:
        return Skipped("no_price", place)
    price = stated_price(stated)
    if isinstance(price, str):
        return Rejected(price, place, json.dumps(row, default=str)[:500])
    if price == 0:
        return Skipped("zero_price", place)
    memory = required(required(row, "gpu_memory", locator), "size_in_gigabytes", f"{locator}/gpu_memory")
    offer = Offer(
        source=Verda.info.id,
        provider="verda",
        sku=required(row, "instance_type", locator),
        region="global",
        accelerator=str(row.get("name") or required(row, "model", locator)),
        gpus=gpus,
        memory_gb=divided(memory, gpus),
    )
    asked = Asked(
        price=price,
        currency=currency,
        published_amount=str(stated),
        published_unit=f"{currency} per machine-hour",
        purchase=purchase,
    )
    return offer_price(offer, asked, document, place)
