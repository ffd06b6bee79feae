"""Vultr: what an hour of its GPU plans costs, virtual and bare metal.

Traps of the feed that decide the shape of this module:

- A cloud GPU plan names a GPU and its own share of memory, `gpu_vram_gb`: 4 of an A100's 80 GB are a
  twentieth of it. How many GPUs that is says a table with its source, and for a GPU not in it the plan
  itself, as a text that may be a fraction: `gpu_count` is "1/4". Older answers have no such field.
- A metal plan has no GPU field: only its id tells, `vbm-112c-2048gb-8-h100-gpu`. Neither has a dedicated
  plan, `vcg-a40-24c-120g-48vram`, whose id names no count: its price stays that of the machine.
- Months are counted differently in the two lists (672 and 730 hours), so only `hourly_cost` is read.
- Plans without a GPU are most of both lists, and one of them is free.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
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
LISTS: Final = {"plans": "plans", "plans-metal": "plans_metal"}
"""Path of each list, and the name of its rows."""
PRICES: Final = {"hourly_cost": "on_demand", "hourly_cost_preemptible": "spot"}
CURRENCY: Final = "USD"
"""Prices are in US dollars (vultr.com/api, read 2026-11-23)."""
WHOLE_GPU_GB: Final = {
    "NVIDIA_A100": Decimal(80),  # the plan of 80 GB, vcg-a100-12c-120g-80vram, is the largest of one GPU
}
"""Memory of a whole GPU, by the feed's own name, where its own list shows it."""
_METAL: Final = re.compile(r"-(?P<gpus>[0-9]+)-(?P<accelerator>[a-z0-9]+)-gpu$")
_DEDICATED: Final = re.compile(r"vcg-(?P<accelerator>[a-z0-9]+)-")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,3}(/[1-9][0-9]{0,3})?")


class Vultr:
    """Cloud GPU and bare-metal GPU plans of Vultr."""

    info = SourceInfo(
        id="vultr",
        title="Vultr plans",
        publisher="Vultr",
        kinds=(Kind.GPU,),
        homepage="https://www.vultr.com/api/#tag/plans",
        url="https://api.vultr.com/v2",
        licence="Public and unauthenticated; no licence is stated.",
        attribution="Prices: Vultr",
        cadence=Cadence(cron="55 4 * * *", jitter=timedelta(minutes=30)),
        plausible={
            Unit.GPU_HOUR: (Decimal("0.05"), Decimal(50)),
            Unit.INSTANCE_HOUR: (Decimal("0.02"), Decimal(400)),
        },
        snapshot=True,
        parser_version=2,  # since a plan's own count is read, and dedicated plans are
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every page of both lists. Raises FetchFailed, ShapeChanged."""
        for path in LISTS:
            cursor, seen = "", set[str]()
            while cursor not in seen:
                if len(seen) == MAX_PAGES:
                    raise FetchFailed(f"{request.url}/{path}: over {MAX_PAGES} pages")
                seen.add(cursor)
                asked = {"per_page": "500"} | ({"cursor": cursor} if cursor else {}) | _all_types(path)
                url = f"{request.url.rstrip('/')}/{path}?{urlencode(asked)}"
                document = Document.of(self.info.id, transport.get(url, max_bytes=MAX_BYTES), request.now)
                yield document
                cursor = _next_cursor(document)
                if not cursor:
                    break

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per price of each plan, on demand and, where stated, preemptible. Raises ShapeChanged."""
        answer = exact_json(document.body)
        names = [name for name in LISTS.values() if isinstance(answer, Mapping) and name in answer]
        if len(names) != 1 or not isinstance(answer[names[0]], list) or not answer[names[0]]:
            raise ShapeChanged(f"a list of {' or '.join(LISTS.values())} was expected")
        for position, row in enumerate(answer[names[0]]):
            for name, purchase in PRICES.items():
                if name in row or purchase == "on_demand":
                    yield _reading(row, name, purchase, document, f"/{names[0]}/{position}")


SOURCE: Final = Vultr()


def _all_types(path: str) -> dict[str, str]:
    return {"type": "all"} if path == "plans" else {}


def _next_cursor(document: Document) -> str:
    links = (exact_json(document.body).get("meta") or {}).get("links") or {}
    return str(links.get("next") or "")


def _reading(row: Mapping[str, Any], name: str, purchase: str, document: Document, locator: str) -> Reading:
    place = f"{locator}/{name}"
    gpu = _gpu(row, locator)
    if gpu is None:
        return Skipped("not_accelerated", place)
    accelerator, gpus, memory = gpu
    stated = required(row, name, locator)
    price = stated_price(stated)
    if isinstance(price, str):
        return Rejected(price, place, json.dumps(row, default=str)[:500])
    if price == 0:
        return Skipped("zero_price", place)
    offer = Offer(
        source=Vultr.info.id,
        provider="vultr",
        sku=required(row, "id", locator),
        region="global",
        accelerator=accelerator,
        gpus=gpus,
        memory_gb=memory,
    )
    asked = Asked(
        price=price,
        currency=CURRENCY,
        published_amount=str(stated),
        published_unit=f"USD per plan-hour ({name})",
        purchase=purchase,
    )
    return offer_price(offer, asked, document, place)


def _gpu(row: Mapping[str, Any], locator: str) -> tuple[str, Decimal | None, Decimal | None] | None:
    """Accelerator, how many (a fraction of one, perhaps) and the memory of a whole one; None without a GPU."""
    plan = required(row, "id", locator)
    if "gpu_type" in row:
        return _share(row, locator)
    if metal := _METAL.search(plan):
        return metal["accelerator"], Decimal(metal["gpus"]), None
    dedicated = _DEDICATED.match(plan)
    return (dedicated["accelerator"], None, None) if dedicated else None


def _share(row: Mapping[str, Any], locator: str) -> tuple[str, Decimal | None, Decimal | None]:
    label, memory = row["gpu_type"], required(row, "gpu_vram_gb", locator)
    whole = WHOLE_GPU_GB.get(label)
    if whole is not None:
        return label, divided(memory, whole), whole
    stated = str(row.get("gpu_count", ""))
    if not _COUNT.fullmatch(stated):
        return label, None, None
    count = Fraction(stated)
    return label, divided(Decimal(count.numerator), count.denominator), divided(memory, count)
