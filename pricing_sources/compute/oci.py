"""Oracle Cloud: what an hour of a GPU costs, from its price list.

Traps of the feed that decide the shape of this module:

- The price is for one GPU, not for the machine, and the same in every commercial region.
- The list names a product, not a machine; which accelerator a part is stands in a table with its
  source, for the display name says "GPU Standard - V2" where a V100 is meant.
- A part has a price per currency and per way of paying; only pay as you go is a list price.
- A preemptible machine costs half, but only the documentation says so, and not of which: no price here.
- Of 450 products seven are GPUs.

A part is sold in machine shapes, each with so many GPUs: the price of a GPU is that of each shape, too,
so that who needs eight in one machine finds the shape that has them. Oracle publishes its shapes beside
the list, without a price; they stand here as a table.
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
SHAPES: Final = {
    "B88517": ("BM.GPU2.2",),
    "B88518": ("VM.GPU2.1",),
    "B89734": ("VM.GPU3.1", "VM.GPU3.2", "VM.GPU3.4", "BM.GPU3.8"),
    "B92740": ("BM.GPU4.8",),
    "B95907": ("BM.GPU.A100-v2.8",),
    "B95909": ("VM.GPU.A10.1", "VM.GPU.A10.2", "BM.GPU.A10.4"),
    "B98415": ("BM.GPU.H100.8",),
    "B109479": ("BM.GPU.L40S.4",),
}
"""Part number to the shapes that are billed by it; the last number of a shape's name counts its GPUs:
github.com/opencost/opencost, pkg/cloud/oracle/partnumbers/shape_part_numbers.json (read 2026-11-28)."""


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
        parser_version=2,
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
        """Read one reading per price of each product, and one for each shape it is sold in. Raises ShapeChanged."""
        for position, row in enumerate(_products(exact_json(document.body))):
            locator = f"/items/{position}"
            for number, local in enumerate(required(row, "currencyCodeLocalizations", locator)):
                place = f"{locator}/currencyCodeLocalizations/{number}"
                for index, price in enumerate(required(local, "prices", place)):
                    yield from _readings(row, local, price, document, f"{place}/prices/{index}")


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


def _readings(
    row: Mapping[str, Any], local: Mapping[str, Any], price: Mapping[str, Any], document: Document, locator: str
) -> Iterator[Reading]:
    if required(row, "metricName", locator) != METRIC:
        yield Skipped("not_accelerated", locator)
    elif required(price, "model", locator) != PAY_AS_YOU_GO:
        yield Skipped("not_a_list_price", locator)
    else:
        yield from _of_a_gpu(row, local, required(price, "value", locator), document, locator)


def _of_a_gpu(
    row: Mapping[str, Any], local: Mapping[str, Any], stated: object, document: Document, locator: str
) -> Iterator[Reading]:
    amount = stated_price(stated)
    if isinstance(amount, str):
        yield Rejected(amount, locator, json.dumps(row, default=str)[:500])
        return
    if amount == 0:
        yield Skipped("zero_price", locator)
        return
    part, currency = required(row, "partNumber", locator), required(local, "currencyCode", locator)
    name = ACCELERATORS.get(part, str(required(row, "displayName", locator)))
    for sku, gpus in ((part, 1), *((shape, int(shape.rpartition(".")[2])) for shape in SHAPES.get(part, ()))):
        offer = Offer(
            source=Oci.info.id,
            provider="oci",
            sku=sku,
            region="global",
            accelerator=name,
            gpus=Decimal(gpus),
            memory_gb=None,
        )
        asked = Asked(
            price=amount * gpus,
            currency=currency,
            published_amount=str(stated),
            published_unit=f"{currency} ({METRIC})",
        )
        yield offer_price(offer, asked, document, locator)
