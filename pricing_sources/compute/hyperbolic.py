"""Hyperbolic: what an hour of its rentable GPU machines costs, listed in cents per machine.

Traps of the feed that decide the shape of this module:

- The price is in cents, and of the whole option with all its GPUs.
- A GPU is named in two fields, type and form factor; without the second, cards on a board and cards
  in a slot would share a name.
- An option that is not enabled still carries its price, which nobody can have.
- The list stands under `alpha`: its fields have changed before, so every one of them is required.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import exact_json, required, stated_price
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Kind, Observation, Reading, Rejected, Skipped
from pricing_sources.protocols.gpu_offers import Asked, Offer, offer_price
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MAX_BYTES: Final = 8 * 1024 * 1024
CENTS: Final = 100
CURRENCY: Final = "USD"
"""The field counts cents and names no currency; balances are in US dollars (docs.hyperbolic.ai)."""


class Hyperbolic:
    """On-demand rental options, per GPU-hour."""

    info = SourceInfo(
        id="hyperbolic",
        title="Hyperbolic on-demand rental options",
        publisher="Hyperbolic Labs",
        kinds=(Kind.GPU,),
        homepage="https://docs.hyperbolic.ai/on-demand/overview",
        url="https://api.hyperbolic.ai/v2/alpha/on-demand/rental-options",
        licence="Public and unauthenticated; no licence is stated.",
        attribution="Prices: Hyperbolic",
        cadence=Cadence(cron="37 * * * *", jitter=timedelta(minutes=10), stale_after=6),
        plausible={Unit.GPU_HOUR: (Decimal("0.05"), Decimal(50))},
        snapshot=True,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every option. Raises FetchFailed."""
        yield Document.of(self.info.id, transport.get(request.url, max_bytes=MAX_BYTES), request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per option; of two prices of one series the first stands. Raises ShapeChanged."""
        rows = exact_json(document.body)
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("no options where a list of them was expected")
        seen: dict[str, Decimal] = {}
        for position, row in enumerate(rows):
            reading = _reading(row, document, f"/{position}")
            if isinstance(reading, Observation):
                first = seen.setdefault(reading.series.key, reading.amount)
                if first != reading.amount:
                    reason = f"{reading.series.key} is listed at {first} and at {reading.amount}; one was expected"
                    reading = Rejected(reason, reading.locator, json.dumps(row, default=str)[:500])
            yield reading


SOURCE: Final = Hyperbolic()


def _reading(row: Mapping[str, Any], document: Document, locator: str) -> Reading:
    stated, gpus = required(row, "costPerHourCents", locator), required(row, "gpuCount", locator)
    if required(row, "enabled", locator) is not True:
        return Skipped("not_enabled", locator)
    words = json.dumps(row, default=str)[:500]
    cents = stated_price(stated)
    if isinstance(cents, str):
        return Rejected(cents, locator, words)
    if cents == 0:
        return Skipped("zero_price", locator)
    if not isinstance(gpus, Decimal) or gpus < 1 or gpus != int(gpus):
        return Rejected(f"gpuCount is {gpus!r}; a whole number of GPUs was expected", locator, words)
    label = f"{required(row, 'gpuType', locator)} {row.get('gpuFormFactor') or ''}".strip()
    parts = (f"{int(gpus)}x {label}", str(row.get("machineType") or ""), str(row.get("connectionType") or ""))
    offer = Offer(
        source=Hyperbolic.info.id,
        provider="hyperbolic",
        sku=" ".join(part for part in parts if part),
        region=str(required(row, "region", locator) or "global"),
        accelerator=label,
        gpus=gpus,
        memory_gb=None,
    )
    asked = Asked(
        price=cents / CENTS,
        currency=CURRENCY,
        published_amount=str(stated),
        published_unit="US cents per machine-hour",
    )
    return offer_price(offer, asked, document, locator)
