"""OVHcloud Public Cloud: what its GPU instances cost, by the hour and by the month.

Traps of the feed that decide the shape of this module:

- A price is a whole number of hundred-millionths of the subsidiary's currency. `formattedPrice` says
  the same for people, and the two are held against one another.
- The suffix of a plan says what it is: `.consumption` by the hour, `.monthly.postpaid` a commitment of
  a month, `.LZ…` and `.3AZ` the same in other kinds of region.
- VAT stands beside the price and is not part of it.
- Which GPU, how many and how much memory stand in `blobs.technical.gpu`; other plans have none.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import exact_json, required
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Kind, Reading, Rejected, Skipped
from pricing_sources.protocols.gpu_offers import Asked, Offer, offer_price
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit, divided

MAX_BYTES: Final = 64 * 1024 * 1024
WHOLE: Final = Decimal(100_000_000)
"""Hundred-millionths in one unit of the currency."""
HOURS_OF_A_MONTH: Final = 730
"""A twelfth of 8,760: what a monthly price is spread over."""
CURRENCIES: Final = {"€": "EUR"}
"""Sign in `formattedPrice` to ISO code; the French catalogue is asked for."""
_PLAN: Final = re.compile(r"(?P<flavour>.+?)\.(?P<billing>consumption|monthly\.postpaid)(\.(?P<zones>[A-Z0-9.]+))?")
_FORMATTED: Final = re.compile(r"(?P<amount>[0-9]+(\.[0-9]+)?)\s*(?P<sign>\S+)")


class OvhCloud:
    """GPU instances of OVHcloud with their prices per GPU-hour, without VAT."""

    info = SourceInfo(
        id="ovhcloud",
        title="OVHcloud Public Cloud catalogue",
        publisher="OVHcloud",
        kinds=(Kind.GPU,),
        homepage="https://api.ovh.com/console/?section=%2Forder&branch=v1",
        url="https://api.ovh.com/v1/order/catalog/public/cloud?ovhSubsidiary=FR",
        licence="Public and unauthenticated; no licence is stated.",
        attribution="Prices: OVHcloud",
        cadence=Cadence(cron="10 5 * * *", jitter=timedelta(minutes=30)),
        plausible={Unit.GPU_HOUR: (Decimal("0.05"), Decimal(50))},
        snapshot=True,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for the catalogue. Raises FetchFailed."""
        yield Document.of(self.info.id, transport.get(request.url, max_bytes=MAX_BYTES), request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per price of each plan. Raises ShapeChanged."""
        rows = required(exact_json(document.body), "addons")
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("no plans where a list of them was expected", path="/addons")
        for position, row in enumerate(rows):
            locator = f"/addons/{position}/pricings"
            for number, pricing in enumerate(required(row, "pricings", f"/addons/{position}")):
                yield _reading(row, pricing, document, f"{locator}/{number}")


SOURCE: Final = OvhCloud()


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the code of a plan says."""

    flavour: str
    purchase: str
    zones: str


def _reading(row: Mapping[str, Any], pricing: Mapping[str, Any], document: Document, locator: str) -> Reading:
    gpu = (((row.get("blobs") or {}).get("technical")) or {}).get("gpu")
    if row.get("product") != "publiccloud-instance" or not gpu:
        return Skipped("not_accelerated", locator)
    plan = _plan(required(row, "planCode", locator))
    if plan is None:
        return Skipped("other_billing", locator)
    price = required(pricing, "price", locator) / WHOLE
    currency, doubt = _currency(required(pricing, "formattedPrice", locator), price)
    hours = {"hour": 1, "month": HOURS_OF_A_MONTH}.get(required(pricing, "intervalUnit", locator))
    if hours is None or required(pricing, "interval", locator) != 1:
        doubt = doubt or f"a price for {pricing['interval']} {pricing['intervalUnit']}; 1 hour or 1 month was expected"
    if doubt or hours is None:
        return Rejected(doubt, locator, json.dumps(pricing, default=str, ensure_ascii=False)[:500])
    if price == 0:
        return Skipped("zero_price", locator)
    offer = Offer(
        source=OvhCloud.info.id,
        provider="ovhcloud",
        sku=plan.flavour,
        region=plan.zones or "global",
        accelerator=str(required(gpu, "model", locator)),
        gpus=required(gpu, "number", locator),
        memory_gb=(gpu.get("memory") or {}).get("size"),
    )
    asked = Asked(
        price=divided(price, hours),
        currency=currency,
        published_amount=str(pricing["formattedPrice"]),
        published_unit=f"{currency} per instance-{pricing['intervalUnit']}",
        purchase=plan.purchase,
        note="without VAT",
    )
    return offer_price(offer, asked, document, locator)


def _plan(code: str) -> _Plan | None:
    match = _PLAN.fullmatch(code)
    if match is None:
        return None
    purchase = "on_demand" if match["billing"] == "consumption" else "reserved_1m"
    return _Plan(match["flavour"], purchase, match["zones"] or "")


def _currency(formatted: str, price: Decimal) -> tuple[str, str]:
    """The currency, and what is wrong with the price if the two spellings of it disagree."""
    match = _FORMATTED.fullmatch(formatted.strip())
    if match is None or match["sign"] not in CURRENCIES:
        return "", f"{formatted!r} where a price such as '2.75 €' was expected"
    shown = Decimal(match["amount"])
    if shown != round(price, -int(shown.as_tuple().exponent)):
        return "", f"{formatted!r} beside {price}: one of the two is in another unit"
    return CURRENCIES[match["sign"]], ""
