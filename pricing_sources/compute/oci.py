"""Oracle Cloud: what an hour of a GPU costs, from its price list.

Traps of the feed that decide the shape of this module:

- The price is for one GPU, not for the machine, and the same in every commercial region.
- The list names a product, not a machine; which accelerator a part is stands in a table with its
  source, for the display name says "GPU Standard - V2" where a V100 is meant.
- A part has a price per currency and per way of paying; only pay as you go is a list price.
- A preemptible machine costs half, but only the documentation says so, and not of which: no price here.
- Of 450 products seven are GPUs.

Oracle publishes its machine shapes beside the list: how many GPUs each has, and which parts it is
billed by. They are not read, because a price needs nothing of them: it is for one GPU of a part,
whatever shape holds it; which accelerator that is, neither the shapes of GPU2 nor their parts say;
and their memory is of the shape in most rows and of one GPU in others.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import exact_json, required, stated_price
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Kind, Reading, Rejected, Skipped
from pricing_sources.protocols.gpu_offers import Asked, Offer, offer_price
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MAX_BYTES: Final = 16 * 1024 * 1024
FALLBACK: Final = "https://www.oracle.com/a/ocom/docs/pricing/cloud-price-list.json"
"""Where the same list stands as a file: the first host has turned programs away since 2026-09."""
METRIC: Final = "GPU Per Hour"
EXPECTED: Final = "the price list was expected, whose items have a partNumber and currencyCodeLocalizations"
PAY_AS_YOU_GO: Final = "PAY_AS_YOU_GO"
ACCELERATORS: Final = {
    "B89734": "V100",
    "B92740": "A100 40GB",
    "B95907": "A100 80GB",
    "B95909": "A10",
    "B98415": "H100",
    "B109479": "L40S",
    "B109485": "MI300X",
    "B110519": "H200",
    "B110978": "B200",
    "B110979": "GB200",
    "B111758": "MI355X",
    "B112140": "GB300",
    "B112237": "B300",
}
"""Part number to accelerator, where the display name does not say it in full: the products of the Cost
Estimator, oracle.com/a/ocom/docs/cloudestimator2/data/products.json (read 2026-10)."""


class Oci:
    """GPU parts of Oracle Cloud with their prices per GPU-hour."""

    info = SourceInfo(
        id="oci",
        title="Oracle Cloud price list",
        publisher="Oracle",
        kinds=(Kind.GPU,),
        homepage="https://docs.oracle.com/en-us/iaas/Content/Billing/Tasks/signingup_topic-Estimating_Costs.htm",
        url="https://apexapps.oracle.com/pls/apex/cetools/api/v1/products/?currencyCode=USD",
        licence="Public and unauthenticated; no licence is stated.",
        attribution="Prices: Oracle Cloud price list",
        cadence=Cadence(cron="15 5 * * *", jitter=timedelta(minutes=30)),
        plausible={Unit.GPU_HOUR: (Decimal("0.05"), Decimal(50))},
        snapshot=True,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for the list; at its second address if the first turns us away. Raises FetchFailed."""
        try:
            reply = transport.get(request.url, max_bytes=MAX_BYTES)
        except FetchFailed:
            if request.url != self.info.url:
                raise
            reply = transport.get(FALLBACK, max_bytes=MAX_BYTES)
        yield Document.of(self.info.id, reply, request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per price of each product. Raises ShapeChanged."""
        for position, row in enumerate(_products(exact_json(document.body))):
            locator = f"/items/{position}"
            for number, local in enumerate(required(row, "currencyCodeLocalizations", locator)):
                place = f"{locator}/currencyCodeLocalizations/{number}"
                for index, price in enumerate(required(local, "prices", place)):
                    yield _reading(row, local, price, document, f"{place}/prices/{index}")


SOURCE: Final = Oci()


def _products(content: Any) -> list[Any]:
    if isinstance(content, Mapping) and "items" not in content and any(map(_is_billed_by_parts, content.values())):
        raise ShapeChanged(f"which parts each machine shape is billed by, without a price; {EXPECTED}")
    rows = required(content, "items")
    if not isinstance(rows, list) or not rows:
        raise ShapeChanged("no products where a list of them was expected", path="/items")
    if isinstance(rows[0], Mapping) and "products" in rows[0] and "currencyCodeLocalizations" not in rows[0]:
        raise ShapeChanged(f"a list of machine shapes, without a price; {EXPECTED}", path="/items/0")
    return rows


def _is_billed_by_parts(shape: object) -> bool:
    return isinstance(shape, Mapping) and {"OCPU", "GPU"} <= shape.keys()


def _reading(
    row: Mapping[str, Any], local: Mapping[str, Any], price: Mapping[str, Any], document: Document, locator: str
) -> Reading:
    if required(row, "metricName", locator) != METRIC:
        return Skipped("not_accelerated", locator)
    if required(price, "model", locator) != PAY_AS_YOU_GO:
        return Skipped("not_a_list_price", locator)
    stated = required(price, "value", locator)
    amount = stated_price(stated)
    if isinstance(amount, str):
        return Rejected(amount, locator, json.dumps(row, default=str)[:500])
    if amount == 0:
        return Skipped("zero_price", locator)
    part = required(row, "partNumber", locator)
    offer = Offer(
        source=Oci.info.id,
        provider="oci",
        sku=part,
        region="global",
        accelerator=ACCELERATORS.get(part, str(required(row, "displayName", locator))),
        gpus=Decimal(1),
        memory_gb=None,
    )
    currency = required(local, "currencyCode", locator)
    asked = Asked(
        price=amount, currency=currency, published_amount=str(stated), published_unit=f"{currency} ({METRIC})"
    )
    return offer_price(offer, asked, document, locator)
