"""What the price lists of GPU clouds have in common: a machine, its accelerators, a price, no date.

Every such list says since when its price holds only by being asked, so a price is dated by the
moment of the look and a repeated one adds nothing.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pricing_sources.observation import GpuSeries, Observation, PricingCategory, Status
from pricing_sources.source import Document
from pricing_sources.units import Unit, divided

CATEGORIES: Final = {
    "on_demand": PricingCategory.STANDARD,
    "spot": PricingCategory.DYNAMIC,
    "bid": PricingCategory.DYNAMIC,
}
"""How each way of buying is priced; every other is a commitment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A machine as its seller lists it."""

    source: str
    provider: str
    sku: str
    region: str
    accelerator: str
    gpus: Decimal | None
    """None where nobody says how many there are: then the price stays that of the machine."""
    memory_gb: Decimal | None
    """Of one accelerator."""
    tier: str = ""
    resold: bool = False
    """True where the source lists several providers' machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the seller asks for the whole machine, and in which words."""

    price: Decimal
    currency: str
    published_amount: str
    published_unit: str
    purchase: str = "on_demand"
    status: Status = Status.FINAL
    note: str = ""


def offer_price(offer: Offer, asked: Asked, document: Document, locator: str) -> Observation:
    """The price of one GPU-hour of an offer, or of its machine-hour where the count is not known."""
    series = GpuSeries(
        source=offer.source,
        provider=offer.provider,
        sku=offer.sku,
        region=offer.region,
        purchase=asked.purchase,
        pricing_category=CATEGORIES.get(asked.purchase, PricingCategory.COMMITTED),
        tier=offer.tier,
        accelerator=offer.accelerator,
        gpu_count=offer.gpus,
        gpu_memory_gb=offer.memory_gb,
        resold=offer.resold,
    )
    return Observation(
        series=series,
        amount=asked.price if offer.gpus is None else divided(asked.price, offer.gpus),
        currency=asked.currency,
        unit=Unit.INSTANCE_HOUR if offer.gpus is None else Unit.GPU_HOUR,
        valid_from=document.fetched_at,
        dated=False,
        status=asked.status,
        published_amount=asked.published_amount,
        published_unit=asked.published_unit,
        locator=locator,
        note=asked.note,
    )
