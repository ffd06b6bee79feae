"""Lium: what the hosts of its market ask for a GPU-hour, as a distribution per GPU and tier.

Traps of the feed that decide the shape of this module:

- An offer lives as long as its host does: one machine's price is no price list, the market's is.
- A host may list many machines under one address; it has one voice, its lowest price, or it could set
  the median alone.
- `price_per_gpu` is of one GPU. Until September 2026 there was `costPerHr`, of the whole machine.
- The specification of the API asks for a token here while the server answers without one. That may
  end any day, so the feed is off until somebody turns it on.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import exact_json, required, stated_price
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import (
    GpuSeries,
    Kind,
    Observation,
    PricingCategory,
    Reading,
    Rejected,
    Skipped,
    Status,
)
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MAX_BYTES: Final = 32 * 1024 * 1024
CURRENCY: Final = "USD"
"""The document names no currency; prices are in US dollars (lium.io/pricing)."""
TIERS: Final[Mapping[str, tuple[str, PricingCategory]]] = {
    "secure": ("on_demand", PricingCategory.STANDARD),
    "spot": ("spot", PricingCategory.DYNAMIC),
}
SHARES: Final[Mapping[str, Decimal]] = {"min": Decimal(0), "median": Decimal("0.5"), "max": Decimal(1)}

Market = tuple[str, str]
"""What makes two offers comparable: the GPU, and the tier."""


class Lium:
    """The offers of the Lium market, as distributions per GPU-hour."""

    info = SourceInfo(
        id="lium",
        title="Lium market",
        publisher="Lium",
        kinds=(Kind.GPU,),
        homepage="https://docs.lium.io",
        url="https://lium.io/api/executors",
        licence="Public and unauthenticated; no licence is stated.",
        attribution="Offers: Lium",
        cadence=Cadence(cron="47 * * * *", jitter=timedelta(minutes=10), stale_after=6),
        plausible={Unit.GPU_HOUR: (Decimal("0.01"), Decimal(50))},
        snapshot=True,
        on_by_default=False,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every offer. Raises FetchFailed."""
        yield Document.of(self.info.id, transport.get(request.url, max_bytes=MAX_BYTES), request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per offer (`aggregated` where it counts), then the statistics. Raises ShapeChanged."""
        rows = exact_json(document.body)
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("no offers where a list of them was expected")
        markets: dict[Market, dict[str, Decimal]] = defaultdict(dict)
        for position, row in enumerate(rows):
            yield _take(row, markets, f"/{position}")
        for market, asks in sorted(markets.items()):
            for statistic, share in SHARES.items():
                yield _statistic(market, sorted(asks.values()), statistic, share, document)


SOURCE: Final = Lium()


def _take(row: Mapping[str, Any], markets: dict[Market, dict[str, Decimal]], locator: str) -> Reading:
    """Let an offer count in its market, once per host at its lowest price."""
    names = ("machine_name", "price_per_gpu", "tier", "executor_ip_address")
    gpu, stated, tier, host = (required(row, name, locator) for name in names)
    if tier not in TIERS:
        reason = f"tier is {tier!r}; accepted: {', '.join(TIERS)}"
        return Rejected(reason, locator, _without_address(row))
    price = stated_price(stated)
    if isinstance(price, str):
        return Rejected(price, locator, _without_address(row))
    if price == 0:
        return Skipped("zero_price", locator)
    asks = markets[str(gpu), tier]
    asks[str(host)] = min(price, asks.get(str(host), price))
    return Skipped("aggregated", locator)


def _without_address(row: Mapping[str, Any]) -> str:
    return json.dumps({key: row[key] for key in row if "address" not in key}, default=str)[:500]


def _statistic(market: Market, asks: list[Decimal], statistic: str, share: Decimal, document: Document) -> Observation:
    gpu, tier = market
    purchase, category = TIERS[tier]
    amount = asks[int(share * (len(asks) - 1))]
    return Observation(
        series=GpuSeries(
            source=Lium.info.id,
            provider="lium",
            sku=gpu,
            region="global",
            purchase=purchase,
            pricing_category=category,
            tier=tier,
            statistic=statistic,
            accelerator=gpu,
            gpu_count=Decimal(1),
        ),
        amount=amount,
        currency=CURRENCY,
        unit=Unit.GPU_HOUR,
        valid_from=document.fetched_at,
        dated=False,
        status=Status.DERIVED,
        published_amount=str(amount),
        published_unit="US dollars per GPU-hour",
        locator=f"{gpu}, {tier}",
        note=f"Over {len(asks)} hosts, each at its lowest price; a price of one of them, the lower of two middle ones.",
    )
