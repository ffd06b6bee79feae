"""Linode (Akamai): what an hour of its GPU machines costs, by region where a region has its own price.

Traps of the feed that decide the shape of this module:

- Which GPU it is stands only in the label: "Dedicated 32GB + RTX6000 GPU x1".
- `region_prices` overrides the price in the regions it names; the price itself holds everywhere else.
- Types without a GPU are most of the list.
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

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_PAGES: Final = 50
PAGE_SIZE: Final = 500
_LABEL: Final = re.compile(r"\+ (?P<accelerator>.+?) GPU x(?P<gpus>[0-9]+)\b")
CURRENCY: Final = "USD"
"""Prices are in US dollars (techdocs.akamai.com/linode-api, read 2026-11-23)."""


class Linode:
    """Machine types of Linode with GPUs."""

    info = SourceInfo(
        id="linode",
        title="Linode types",
        publisher="Akamai",
        kinds=(Kind.GPU,),
        homepage="https://techdocs.akamai.com/linode-api/reference/get-linode-types",
        url="https://api.linode.com/v4/linode/types",
        licence="Public and unauthenticated; no licence is stated.",
        attribution="Prices: Akamai Linode",
        cadence=Cadence(cron="50 4 * * *", jitter=timedelta(minutes=30)),
        plausible={Unit.GPU_HOUR: (Decimal("0.05"), Decimal(50))},
        snapshot=True,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every page of types. Raises FetchFailed, ShapeChanged."""
        page, pages = 1, 1
        while page <= pages:
            if page > MAX_PAGES:
                raise FetchFailed(f"{request.url}: over {MAX_PAGES} pages")
            url = f"{request.url}?{urlencode({'page': page, 'page_size': PAGE_SIZE})}"
            document = Document.of(self.info.id, transport.get(url, max_bytes=MAX_BYTES), request.now)
            pages = int(required(exact_json(document.body), "pages"))
            page += 1
            yield document

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per price of each type: the general one and each region's. Raises ShapeChanged."""
        rows = required(exact_json(document.body), "data")
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("no types where a list of them was expected", path="/data")
        for position, row in enumerate(rows):
            locator = f"/data/{position}"
            prices = [("global", required(row, "price", locator), f"{locator}/price")]
            for number, one in enumerate(row.get("region_prices") or ()):
                place = f"{locator}/region_prices/{number}"
                prices.append((required(one, "id", place), one, place))
            for region, price, place in prices:
                yield _reading(row, region, price, document, place)


SOURCE: Final = Linode()


def _reading(row: Mapping[str, Any], region: str, price: Any, document: Document, place: str) -> Reading:
    gpus = required(row, "gpus", place)
    if gpus == 0:
        return Skipped("not_accelerated", place)
    text = json.dumps(row, default=str)[:500]
    label = _LABEL.search(required(row, "label", place))
    if label is None or Decimal(label["gpus"]) != gpus:
        words = f'{row["label"]!r} does not say which {gpus} GPUs; "+ NAME GPU x{gpus}" was expected'
        return Rejected(words, place, text)
    stated = required(price, "hourly", place)
    amount = stated_price(stated)
    if isinstance(amount, str):
        return Rejected(amount, place, text)
    if amount == 0:
        return Skipped("zero_price", place)
    offer = Offer(
        source=Linode.info.id,
        provider="linode",
        sku=required(row, "id", place),
        region=region,
        accelerator=label["accelerator"],
        gpus=gpus,
        memory_gb=None,
    )
    asked = Asked(
        price=amount, currency=CURRENCY, published_amount=str(stated), published_unit="USD per machine-hour (hourly)"
    )
    return offer_price(offer, asked, document, place)
