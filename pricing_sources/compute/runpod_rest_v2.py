"""RunPod REST v2: what an hour of one GPU costs in its clouds and its serverless pools.

It takes the place of the GraphQL feed, which RunPod retires early in 2027, and wants a key. By its
OpenAPI document (docs.runpod.io, list GPU types) every price is the list price in dollars per hour
for a single GPU, of pods per cloud and of serverless workers by the pool the GPU belongs to. It
states no spot prices and no terms.

Two traps make the difference between a field and a price: a GPU type that a cloud does not offer
still has a price there, which is a placeholder, so `secure` and `community` are honoured; and a
serverless price is the pool's, so it counts only where a pool is named.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import exact_json
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import GpuSeries, Kind, Observation, PricingCategory, Reading, Rejected, Skipped
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MAX_BYTES: Final = 8 * 1024 * 1024
CURRENCY: Final = "USD"
"""Stated by the OpenAPI document, not by the answer."""


@dataclass(frozen=True, slots=True)
class PriceField:
    """What one price of a GPU type means."""

    name: str
    """Its name under `price`, and the tier of the series."""
    offered_by: str
    """The field of the GPU type that says whether the price is one: true, or the name of a pool."""
    always: bool
    """True if every answer carries it."""


PRICE_FIELDS: Final = (
    PriceField("secure", "secure", always=True),
    PriceField("community", "community", always=True),
    PriceField("serverless", "pool", always=False),
)
FIELDS: Final[Mapping[str, tuple[type, ...]]] = {
    "id": (str,),
    "name": (str,),
    "pool": (str, type(None)),
    "memory": (Decimal,),
    "secure": (bool,),
    "community": (bool,),
    "price": (dict,),
}
"""What the OpenAPI document requires of a GPU type, as far as it is read here."""


class RunPodRestV2:
    """GPU types of RunPod with their prices per GPU-hour, asked by REST."""

    info = SourceInfo(
        id="runpod_rest_v2",
        title="RunPod GPU types (REST v2)",
        publisher="RunPod",
        kinds=(Kind.GPU,),
        homepage="https://docs.runpod.io/api-reference-v2/catalog/list-gpu-types",
        url="https://api.runpod.io/v2/catalog/gpus",
        licence="For holders of a key; no licence is stated.",
        attribution="Prices: RunPod",
        key_setting="COSTPLAN_SOURCE_RUNPOD_REST_V2_KEY",
        snapshot=True,
        cadence=Cadence(cron="37 * * * *", jitter=timedelta(minutes=10), stale_after=6),
        plausible={Unit.GPU_HOUR: (Decimal("0.03"), Decimal(50))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask once for every GPU type, with the key in a header. Raises FetchFailed, also without a key."""
        if not request.api_key:
            raise FetchFailed(f"{self.info.key_setting} is not set; a key of RunPod was expected")
        headers = {"authorization": f"Bearer {request.api_key}"}
        yield Document.of(self.info.id, transport.get(request.url, headers=headers, max_bytes=MAX_BYTES), request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per price that a GPU type carries.

        Raises ShapeChanged if there are no GPU types, or one lacks what the OpenAPI document requires.
        """
        known: set[str] = set()
        for position, row in enumerate(_gpu_types(document)):
            locator = f"/gpus/{position}"
            _check_shape(row, locator)
            repeated = row["id"] in known
            known.add(row["id"])
            for field in PRICE_FIELDS:
                if field.name in row["price"]:
                    yield _reading(row, field, document, f"{locator}/price/{field.name}", repeated=repeated)


SOURCE: Final = RunPodRestV2()


def _gpu_types(document: Document) -> list[Any]:
    answer = exact_json(document.body)
    rows = answer.get("gpus") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not rows:
        raise ShapeChanged("no GPU types where a list of them was expected", path="/gpus")
    return rows


def _check_shape(row: object, locator: str) -> None:
    if not isinstance(row, dict):
        raise ShapeChanged(f"expected a GPU type, an object, not {type(row).__name__}", path=locator)
    for name, kinds in FIELDS.items():
        if name not in row or not isinstance(row[name], kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise ShapeChanged(f"expected {name} as {wanted}, not {row.get(name)!r}", path=f"{locator}/{name}")
    for field in PRICE_FIELDS:
        if field.always and field.name not in row["price"]:
            raise ShapeChanged(f"expected a price {field.name}", path=f"{locator}/price/{field.name}")


def _reading(row: Mapping[str, Any], field: PriceField, document: Document, place: str, *, repeated: bool) -> Reading:
    price = row["price"][field.name]
    if not row[field.offered_by]:
        return Skipped("placeholder_price", place)
    if price is None:
        return Skipped("no_price", place)
    if price == 0:
        return Skipped("zero_price", place)
    if repeated:
        return Rejected("this id stands twice in the document; once was expected", place, _shortened(row))
    if not isinstance(price, Decimal) or price < 0:
        return Rejected(f"{field.name} is {price!r}; a number above zero was expected", place, _shortened(row))
    return _observation(row, field, price, document, place)


def _observation(
    row: Mapping[str, Any], field: PriceField, price: Decimal, document: Document, place: str
) -> Observation:
    series = GpuSeries(
        source=RunPodRestV2.info.id,
        provider="runpod",
        sku=row["id"],
        region="global",
        purchase="on_demand",
        pricing_category=PricingCategory.STANDARD,
        tier=field.name,
        accelerator=row["name"],
        gpu_count=Decimal(1),
        gpu_memory_gb=row["memory"],
    )
    return Observation(
        series=series,
        amount=price,
        currency=CURRENCY,
        unit=Unit.GPU_HOUR,
        valid_from=document.fetched_at,
        dated=False,
        published_amount=str(price),
        published_unit="per GPU per hour",
        locator=place,
    )


def _shortened(row: object) -> str:
    return json.dumps(row, default=str, ensure_ascii=False)[:500]
