"""Prime Intellect: what many sellers ask for a node with GPUs, in one list.

The list wants a key (free). Its shape is documented (docs.primeintellect.ai, check GPU availability):
pages of configurations, each of one seller, with a price for the whole node and hour. The disk, where
its size can be chosen, is priced apart.

- The name of a configuration is the seller's own, and some sellers give one name to every number of
  GPUs, so the seller and the number are part of the machine's name here.
- A seller may list one machine several times, with other processors or memory: the cheapest stands.
- A bare `A100` means 40 GB, silently, so memory is read only from a name that states it (`H100_80GB`).
- Some configurations must be paid for hours in advance; that is another way of buying, and not read.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import exact_json, required
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import GpuSeries, Kind, Observation, PricingCategory, Reading, Rejected, Skipped
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit, divided

PAGE_SIZE: Final = 100
"""The most the server gives."""
MAX_PAGES: Final = 100
MAX_BYTES: Final = 8 * 1024 * 1024
SELLERS: Final[Mapping[str, str]] = {"datacrunch": "verda", "lambdalabs": "lambda"}
"""Sellers that the list calls otherwise than we do."""
FIELDS: Final = ("cloudId", "gpuType", "provider", "gpuCount", "security", "prices")


@dataclass(frozen=True, slots=True)
class PriceField:
    """What one price of a configuration means."""

    name: str
    tier: str


PRICE_FIELDS: Final = (PriceField("onDemand", "secure"), PriceField("communityPrice", "community"))

_MEMORY: Final = re.compile(r".+_([0-9]+)GB")


class PrimeIntellect:
    """The configurations that Prime Intellect can start at its sellers."""

    info = SourceInfo(
        id="primeintellect",
        title="Prime Intellect GPU availability",
        publisher="Prime Intellect",
        kinds=(Kind.GPU,),
        homepage="https://docs.primeintellect.ai/api-reference/check-gpu-availability",
        url="https://api.primeintellect.ai/api/v1/availability/gpus",
        licence="For holders of a key; no licence is stated.",
        attribution="Prices: Prime Intellect",
        key_setting="COSTPLAN_SOURCE_PRIMEINTELLECT_KEY",
        snapshot=True,
        cadence=Cadence(cron="52 * * * *", jitter=timedelta(minutes=10), stale_after=6),
        plausible={Unit.GPU_HOUR: (Decimal("0.01"), Decimal(60))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every page of the list, with the key in a header.

        Raises FetchFailed without a key, if a page repeats the one before it, or if they do not end.
        """
        if not request.api_key:
            raise FetchFailed(f"{self.info.key_setting} is not set; a key of Prime Intellect was expected")
        headers = {"authorization": f"Bearer {request.api_key}"}
        before = b""
        for page in range(1, MAX_PAGES + 1):
            params = {"page": str(page), "page_size": str(PAGE_SIZE)}
            reply = transport.get(request.url, params=params, headers=headers, max_bytes=MAX_BYTES)
            items, total = _listed(exact_json(reply.body))
            if page > 1 and not items:
                return  # the list became shorter while it was read
            if reply.body == before:
                raise FetchFailed(f"page {page} of {request.url} repeats the page before it")
            yield Document.of(self.info.id, reply, request.now)
            if page * PAGE_SIZE >= total:
                return
            before = reply.body
        raise FetchFailed(f"still no last page after {MAX_PAGES} pages; totalCount says {total}")

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one page: two readings per configuration, one for each of its price fields.

        Raises ShapeChanged if the page has no configurations, or one lacks what all have.
        """
        items, _ = _listed(exact_json(document.body))
        if not items:
            raise ShapeChanged("no configurations where some were expected", path="/items")
        readings = [reading for position, row in enumerate(items) for reading in _readings(row, position, document)]
        yield from _cheapest(readings)


SOURCE: Final = PrimeIntellect()


class _RowError(ValueError):
    """This row should have been a price and cannot be believed; the message says why."""


def _listed(page: object) -> tuple[list[Any], Decimal]:
    """The configurations of a page, and how many there are on all pages."""
    items = page.get("items") if isinstance(page, dict) else None
    total = page.get("totalCount") if isinstance(page, dict) else None
    if not isinstance(items, list) or not isinstance(total, Decimal):
        raise ShapeChanged("expected an object with a list of configurations and their totalCount", path="/items")
    return items, total


def _readings(row: Any, position: int, document: Document) -> Iterator[Reading]:
    locator = f"/items/{position}"
    for name in FIELDS:
        required(row, name, locator)
    reason = _skip_reason(row)
    for field in PRICE_FIELDS:
        place = f"{locator}/prices/{field.name}"
        try:
            yield Skipped(reason, place) if reason else _reading(row, field, document, place)
        except _RowError as doubt:
            yield Rejected(str(doubt), place, json.dumps(row, default=str, ensure_ascii=False)[:500])


def _skip_reason(row: Mapping[str, Any]) -> str | None:
    """Name why a configuration is no offer of ours, or return None; the first rule that matches wins."""
    if not row["gpuCount"] or row["gpuType"] == "CPU_NODE":
        return "not_accelerated"
    return "paid_in_advance" if row.get("prepaidTime") else None


def _reading(row: Mapping[str, Any], field: PriceField, document: Document, place: str) -> Reading:
    prices = row["prices"]
    price = prices.get(field.name) if isinstance(prices, dict) else None
    if price is None:
        return Skipped("no_price", place)
    if not isinstance(price, Decimal) or price < 0:
        raise _RowError(f"{field.name} is {price!r}; a number not below zero was expected")
    if price == 0:
        return Skipped("zero_price", place)
    count = row["gpuCount"]
    if not isinstance(count, Decimal) or count <= 0 or count != count.to_integral_value():
        raise _RowError(f"gpuCount is {count!r}; a whole number above zero was expected")
    return Observation(
        series=_series(row, field, count),
        amount=divided(price, count),
        currency=_currency(prices),
        unit=Unit.GPU_HOUR,
        valid_from=document.fetched_at,
        dated=False,
        published_amount=str(price),
        published_unit="per node (all its GPUs) per hour",
        locator=place,
    )


def _series(row: Mapping[str, Any], field: PriceField, count: Decimal) -> GpuSeries:
    seller = SELLERS.get(_text(row, "provider"), _text(row, "provider"))
    name = _text(row, "cloudId")
    label = _text(row, "gpuType")
    memory = _MEMORY.fullmatch(label)
    is_spot = row.get("isSpot") is True
    return GpuSeries(
        source=PrimeIntellect.info.id,
        provider=seller,
        sku=name if count == 1 else f"{count}x {name}",
        resold=True,
        region=str(row.get("dataCenter") or row.get("country") or "global"),
        purchase="spot" if is_spot else "on_demand",
        pricing_category=PricingCategory.DYNAMIC if is_spot else PricingCategory.STANDARD,
        tier="community" if row["security"] == "community_cloud" else field.tier,
        accelerator=" ".join(part for part in (label, str(row.get("socket") or "")) if part),
        gpu_count=count,
        gpu_memory_gb=Decimal(memory[1]) if memory else None,
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str) or not value:
        raise _RowError(f"{name} is {value!r}; a text was expected")
    return value


def _currency(prices: Mapping[str, Any]) -> str:
    code = prices.get("currency")
    if not isinstance(code, str) or not re.fullmatch(r"[A-Z]{3}", code):
        raise _RowError(f"currency is {code!r}; an ISO 4217 code was expected")
    return code


def _cheapest(readings: list[Reading]) -> Iterator[Reading]:
    """Of several configurations of one machine keep the cheapest, and say what became of the others."""
    best: dict[str, Observation] = {}
    for reading in readings:
        if isinstance(reading, Observation):
            rival = best.setdefault(reading.series.key, reading)
            if reading.amount < rival.amount:
                best[reading.series.key] = reading
    for reading in readings:
        if isinstance(reading, Observation) and best[reading.series.key] is not reading:
            yield Skipped("dearer_configuration", reading.locator)
        else:
            yield reading
