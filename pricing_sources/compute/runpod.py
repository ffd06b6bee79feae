"""RunPod: what an hour of one GPU costs in its secure and community clouds, asked by GraphQL.

The GraphQL API is deprecated and will be retired early in 2027 (docs.runpod.io, sdks/graphql). REST
v2 follows it (`GET /v2/catalog/gpus`, prices per GPU-hour under `price.secure` and
`price.community`), but wants a key; it will be a feed of its own.

Accounting: a row is one GPU type, and each of its price fields that the document carries gives
exactly one reading. Two traps make the difference between a field and a price:

- A GPU type that a cloud does not offer still carries a placeholder there (0.5 for an MI300X), so
  a price counts only where `secureCloud` or `communityCloud` is true.
- `lowestPrice` is the total for the number of GPUs asked, and depends on stock. It is asked for as
  a witness kept in the document, for one GPU, and is never read as a price.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import exact_json
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import GpuSeries, Kind, Observation, PricingCategory, Reading, Rejected, Skipped
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

QUERY: Final = (
    "query { gpuTypes { id displayName manufacturer memoryInGb maxGpuCount secureCloud communityCloud "
    "securePrice communityPrice secureSpotPrice communitySpotPrice oneMonthPrice threeMonthPrice sixMonthPrice "
    "lowestPrice(input: {gpuCount: 1}) { minimumBidPrice uninterruptablePrice stockStatus } } }"
)
MAX_BYTES: Final = 8 * 1024 * 1024

CURRENCY: Final = "USD"
"""The document names no currency; balances and prices are dollar amounts (docs.runpod.io/accounts-billing/billing)."""


@dataclass(frozen=True, slots=True)
class PriceField:
    """What one price field of a GPU type means."""

    name: str
    purchase: str
    category: PricingCategory
    tier: str = ""
    """`secure` or `community`; empty where the field does not say which cloud it is for."""
    always: bool = False
    """True if every document has carried the field."""


PRICE_FIELDS: Final = (
    PriceField("securePrice", "on_demand", PricingCategory.STANDARD, "secure", always=True),
    PriceField("communityPrice", "on_demand", PricingCategory.STANDARD, "community", always=True),
    PriceField("secureSpotPrice", "spot", PricingCategory.DYNAMIC, "secure"),
    PriceField("communitySpotPrice", "spot", PricingCategory.DYNAMIC, "community"),
    PriceField("oneMonthPrice", "reserved_1m", PricingCategory.COMMITTED),
    PriceField("threeMonthPrice", "reserved_3m", PricingCategory.COMMITTED),
    PriceField("sixMonthPrice", "reserved_6m", PricingCategory.COMMITTED),
)


class RunPod:
    """GPU types of RunPod with their prices per GPU-hour."""

    info = SourceInfo(
        id="runpod",
        title="RunPod GPU types",
        publisher="RunPod",
        kinds=(Kind.GPU,),
        homepage="https://docs.runpod.io/sdks/graphql/manage-pods",
        url="https://api.runpod.io/graphql",
        licence="Public and unauthenticated; no licence is stated.",
        attribution="Prices: RunPod",
        snapshot=True,
        cadence=Cadence(cron="7 * * * *", jitter=timedelta(minutes=10), stale_after=6),
        plausible={
            # The upper end also keeps out a monthly total: the cheapest GPU for 30 days costs more.
            Unit.GPU_HOUR: (Decimal("0.03"), Decimal(50)),
        },
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask once for every GPU type. Raises FetchFailed."""
        reply = transport.post_json(request.url, {"query": QUERY}, max_bytes=MAX_BYTES)
        yield Document.of(self.info.id, reply, request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per price field of each GPU type.

        Raises ShapeChanged if the feed answers with errors, without GPU types, or without a field
        that every document has carried.
        """
        known: set[str] = set()
        for position, row in enumerate(_gpu_types(document)):
            locator = f"/data/gpuTypes/{position}"
            _check_shape(row, locator)
            repeated = row["id"] in known
            known.add(row["id"])
            for field in PRICE_FIELDS:
                if field.name in row:
                    yield _reading(row, field, document, locator, repeated=repeated)


SOURCE: Final = RunPod()


def _gpu_types(document: Document) -> list[Any]:
    answer = exact_json(document.body)
    if not isinstance(answer, dict):
        raise ShapeChanged("expected a GraphQL answer, an object with `data`")
    if answer.get("errors"):
        raise ShapeChanged(f"the feed refused the query: {_messages(answer['errors'])}", path="/errors")
    content = answer.get("data")
    rows = content.get("gpuTypes") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not rows:
        raise ShapeChanged("no GPU types where a list of them was expected", path="/data/gpuTypes")
    return rows


def _messages(errors: object) -> str:
    listed = errors if isinstance(errors, list) else [errors]
    texts = [str(error.get("message", error)) if isinstance(error, dict) else str(error) for error in listed]
    return "; ".join(texts)[:500]


def _check_shape(row: object, locator: str) -> None:
    """Refuse a row without the fields that make it readable: GraphQL sends every field it is asked for."""
    if not isinstance(row, dict):
        raise ShapeChanged(f"expected a GPU type, an object, not {type(row).__name__}", path=locator)
    expected: dict[str, type] = {
        "id": str,
        "displayName": str,
        "memoryInGb": Decimal,
        "secureCloud": bool,
        "communityCloud": bool,
    }
    for name, kind in expected.items():
        if not isinstance(row.get(name), kind):
            raise ShapeChanged(f"expected {name} as {kind.__name__}, not {row.get(name)!r}", path=f"{locator}/{name}")
    for field in PRICE_FIELDS:
        if field.always and field.name not in row:
            raise ShapeChanged(f"expected a price field {field.name}", path=f"{locator}/{field.name}")


def _reading(row: Mapping[str, Any], field: PriceField, document: Document, locator: str, *, repeated: bool) -> Reading:
    place, price = f"{locator}/{field.name}", row[field.name]
    if row["id"] == "unknown" or row["memoryInGb"] == 0:
        return Skipped("unknown_gpu", place)
    if not _is_offered(row, field):
        return Skipped("placeholder_price", place)
    if price is None:
        return Skipped("no_price", place)
    if price == 0:
        return Skipped("zero_price", place)
    fault = "this id stands twice in the document; once was expected" if repeated else _fault(row, field)
    if fault:
        return Rejected(fault, place, json.dumps(row, default=str, ensure_ascii=False)[:500])
    return _observation(row, field, document, place)


def _is_offered(row: Mapping[str, Any], field: PriceField) -> bool:
    if field.tier:
        return bool(row[f"{field.tier}Cloud"])
    return bool(row["secureCloud"] or row["communityCloud"])


def _fault(row: Mapping[str, Any], field: PriceField) -> str:
    """Say what is wrong with a price, or return an empty text."""
    price = row[field.name]
    if not isinstance(price, Decimal) or not price.is_finite() or price < 0:
        return f"{field.name} is {price!r}; a number above zero was expected"
    if field.category is not PricingCategory.COMMITTED:
        return ""
    # The documentation does not say whether a term price is per hour or for the whole term. A
    # commitment is never dearer per hour than no commitment, so a dearer figure is no hourly price.
    if price > _dearest_hour(row):
        return f"{field.name} {price} is above every on-demand price of {row['id']}; a price per GPU-hour was expected"
    return ""


def _dearest_hour(row: Mapping[str, Any]) -> Decimal:
    """The highest on-demand price of a cloud that offers this GPU type; 0 without one."""
    offered = [row[field.name] for field in PRICE_FIELDS if field.always and _is_offered(row, field)]
    return max((price for price in offered if isinstance(price, Decimal)), default=Decimal(0))


def _observation(row: Mapping[str, Any], field: PriceField, document: Document, locator: str) -> Observation:
    series = GpuSeries(
        source=RunPod.info.id,
        provider="runpod",
        sku=row["id"],
        region="global",
        purchase=field.purchase,
        pricing_category=field.category,
        tier=field.tier,
        accelerator=row["displayName"],
        gpu_count=Decimal(1),
        gpu_memory_gb=row["memoryInGb"],
    )
    return Observation(
        series=series,
        amount=row[field.name],
        currency=CURRENCY,
        unit=Unit.GPU_HOUR,
        valid_from=document.fetched_at,
        dated=False,
        published_amount=str(row[field.name]),
        published_unit="per GPU per hour",
        locator=locator,
    )
