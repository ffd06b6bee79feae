"""Vast.ai: the distribution of what an hour of one GPU costs on a market of many hosts.

An offer is somebody's machine and may be gone in a minute, and the same GPU costs three times as
much at another host. So no offer becomes "the" price. The offers of one document are gathered into
markets, and each market is described by its distribution per GPU-hour.

A market is one GPU name, its memory, the number of GPUs in the offer, a country and a level of
verification. The memory is part of it because cards of one name are sold with twice the usual
memory. Markets overlap: a machine with eight GPUs is also offered as four, two and one, so their
depths must not be added up.

Percentiles are of the nearest rank: the p-th of n prices in ascending order is number ceil(p n / 100)
of them. Each is a price that a host really asks, never a mean of two, and its locator says whose.

Two prices are read, both stated for all GPUs of an offer together:

- `dph_base`, the GPUs alone. `dph_total` adds the storage of a default disk, which is a cost of its own.
- `min_bid`, the lowest bid for an interruptible hour. A bid above the price of the uninterrupted
  hour is no bid that anybody would make; recorded documents have some.

Without a key an answer holds 64 offers at most, cheapest first. An answer that long is asked again
in parts (by GPU count, then by verification). What is still as long is cut off at its dear end: of
its markets only the lowest price is known, and the depth is a lower bound.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise
from typing import Any, Final

from pricing_sources.documents import exact_json, required
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import (
    GpuSeries,
    Kind,
    Observation,
    PricingCategory,
    Reading,
    RecordSeries,
    Rejected,
    Skipped,
    Status,
)
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit, divided

GPU_NAMES: Final = (
    *("B300", "B200", "H200", "H200 NVL", "H100 SXM", "H100 NVL", "H100 PCIE", "GH200 SXM"),
    *("A100 SXM4", "A100 PCIE", "A100X", "A800 PCIE", "A40", "A10", "L40S", "L40", "L4", "Tesla V100", "Tesla T4"),
    *("RTX PRO 6000 WS", "RTX PRO 6000 S", "RTX 6000Ada", "RTX 5000Ada", "RTX A6000", "RTX A5000", "RTX A4000"),
    *("RTX 5090", "RTX 5080", "RTX 4090", "RTX 4080", "RTX 3090", "RTX 3090 Ti"),
)
"""What is asked for, in the feed's own words. There is no list of names to ask; a name without offers costs nothing."""
LONGEST_ANSWER: Final = 64
"""Offers in one answer to somebody without a key, whatever `limit` says."""
SPLITS: Final[tuple[tuple[Mapping[str, Any], ...], ...]] = (
    (
        *({"num_gpus": {"eq": count}} for count in (1, 2, 4, 8)),
        {"num_gpus": {"notin": [1, 2, 4, 8]}},
    ),
    ({"verified": {"eq": True}}, {"verified": {"eq": False}}),
)
"""How an answer that is too long is asked in parts, first by the first; no market is ever cut in two."""
MAX_BYTES: Final = 8 * 1024 * 1024

CURRENCY: Final = "USD"
"""The document names no currency; the market is in dollars (docs.vast.ai, pricing)."""
PERCENTILES: Final = {"min": 0, "p10": 10, "p25": 25, "median": 50, "p75": 75, "p90": 90, "max": 100}
TIERS: Final = frozenset({"verified", "unverified"})


@dataclass(frozen=True, slots=True)
class PriceField:
    """What one price field of an offer means."""

    name: str
    purchase: str
    category: PricingCategory


ASKED: Final = PriceField("dph_base", "on_demand", PricingCategory.STANDARD)
BID: Final = PriceField("min_bid", "bid", PricingCategory.DYNAMIC)
PRICE_FIELDS: Final = (ASKED, BID)


class Vast:
    """The offers of the Vast.ai market, as distributions per GPU-hour."""

    info = SourceInfo(
        id="vast",
        title="Vast.ai market",
        publisher="Vast.ai",
        kinds=(Kind.GPU, Kind.RECORD),
        homepage="https://docs.vast.ai/api-reference/search/search-offers",
        url="https://console.vast.ai/api/v0/bundles/",
        licence="Public and unauthenticated; no licence is stated.",
        attribution="Offers: Vast.ai",
        snapshot=True,
        cadence=Cadence(cron="22 * * * *", jitter=timedelta(minutes=10), stale_after=6),
        plausible={
            # From the lowest bid for an old consumer card to a new data-centre card in short supply.
            Unit.GPU_HOUR: (Decimal("0.001"), Decimal(60)),
            Unit.GPU: (Decimal(1), Decimal(100_000)),
        },
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for the offers of one GPU name after the other; yield each answer that has some.

        Raises FetchFailed if no GPU name has a single offer: then the market is not empty, the
        question is no longer understood.
        """
        some = False
        for name in GPU_NAMES:
            for document in self._answers(transport, request, {"gpu_name": {"eq": name}}, SPLITS):
                some = True
                yield document
        if not some:
            raise FetchFailed(f"{request.url}: not one offer of {len(GPU_NAMES)} GPU names; some were expected")

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read a document: one reading per price field of each offer, then the statistics.

        A row is one of the two price fields of one offer. Each ends as exactly one Skipped (reason
        `aggregated` where it counts in a statistic) or Rejected. The observations come on top:
        seven statistics per market and way of buying, and the depth of each market in GPUs; their
        status is DERIVED. Raises ShapeChanged if there are no offers, or one lacks a field that
        every offer has carried.
        """
        offers = _offers(document)
        markets = _Markets()
        for position, offer in enumerate(offers):
            yield from markets.take(offer, f"/offers/{position}")
        is_cut = len(offers) >= LONGEST_ANSWER
        if is_cut:
            _require_cheapest_first(offers)
        yield from markets.statistics(document, is_cut=is_cut)

    def _answers(
        self,
        transport: Transport,
        request: FetchRequest,
        filters: Mapping[str, Any],
        splits: Sequence[Sequence[Mapping[str, Any]]],
    ) -> Iterator[Document]:
        reply = transport.get(request.url, params={"q": _question(filters)}, max_bytes=MAX_BYTES)
        length = _length(reply.body)
        if length >= LONGEST_ANSWER and splits:
            for part in splits[0]:
                yield from self._answers(transport, request, {**filters, **part}, splits[1:])
        elif length:
            yield Document.of(self.info.id, reply, request.now)


SOURCE: Final = Vast()


class _RowError(ValueError):
    """This price cannot be believed; the message says why."""


@dataclass(frozen=True, slots=True)
class _Market:
    """What makes two offers comparable."""

    gpu_name: str
    memory_gb: int
    """Memory of one GPU, rounded up to a whole GiB: drivers report it a little short of what is sold."""
    gpus: int
    country: str
    """ISO 3166 code; `global` where the host does not say."""
    tier: str

    @property
    def sku(self) -> str:
        """A name for a machine that the market itself gives none: `8x H100 SXM 80GB`."""
        return f"{self.gpus}x {self.gpu_name} {self.memory_gb}GB"


@dataclass(frozen=True, slots=True)
class _Quote:
    """One price of one offer."""

    per_gpu: Decimal
    published: Decimal
    locator: str


class _Markets:
    """The quotes of one document, gathered by market and way of buying."""

    def __init__(self) -> None:
        self._quotes: dict[PriceField, dict[_Market, list[_Quote]]] = {
            field: defaultdict(list) for field in PRICE_FIELDS
        }
        self._known: set[Decimal] = set()

    def take(self, offer: Mapping[str, Any], locator: str) -> Iterator[Reading]:
        """Count an offer; one reading per price field says what became of it."""
        reason = "duplicate" if offer["id"] in self._known else _skip_reason(offer)
        self._known.add(offer["id"])
        for field in PRICE_FIELDS:
            place = f"{locator}/{field.name}"
            try:
                yield Skipped(reason or self._count(offer, field, place), place)
            except _RowError as doubt:
                yield Rejected(str(doubt), place, json.dumps(offer, default=str, ensure_ascii=False)[:500])

    def statistics(self, document: Document, *, is_cut: bool) -> Iterator[Observation]:
        """The distribution of every market, and how many GPUs stand behind it."""
        for field, markets in self._quotes.items():
            if is_cut and field is not ASKED:
                continue  # the answer is in order of the other price: any bid may be missing
            for market, quotes in markets.items():
                ranked = sorted(quotes, key=lambda quote: quote.per_gpu)
                for statistic, percent in PERCENTILES.items():
                    if statistic == "min" or not is_cut:
                        rank = max(1, -(-percent * len(ranked) // 100))
                        yield _observation(market, field, statistic, ranked[rank - 1], document)
        for market, quotes in self._quotes[ASKED].items():
            yield _depth(market, quotes, document, is_cut=is_cut)

    def _count(self, offer: Mapping[str, Any], field: PriceField, place: str) -> str:
        """Add a price to its market, or say by a slug why it is none."""
        market = _market(offer)
        price = offer[field.name]
        if price is None:
            return "no_price"
        if not isinstance(price, Decimal) or price < 0:
            raise _RowError(f"{field.name} is {price!r}; a number not below zero was expected")
        if price == 0:
            return "zero_price"
        if field is BID and isinstance(offer[ASKED.name], Decimal) and price > offer[ASKED.name]:
            return "bid_above_price"
        self._quotes[field][market].append(_Quote(divided(price, market.gpus), price, place))
        return "aggregated"


def _question(filters: Mapping[str, Any]) -> str:
    """The filter object of one question, as the feed wants it in its parameter `q`."""
    asked = {
        **filters,
        "rentable": {"eq": True},
        "type": "on-demand",
        "order": [["dph_total", "asc"]],
        "limit": LONGEST_ANSWER,
    }
    return json.dumps(asked, separators=(",", ":"))


def _length(body: bytes) -> int:
    answer = exact_json(body)
    return len(_listed(answer))


def _offers(document: Document) -> list[Mapping[str, Any]]:
    offers = _listed(exact_json(document.body))
    if not offers:
        raise ShapeChanged("no offers where some were expected", path="/offers")
    for position, offer in enumerate(offers):
        for name in ("id", "gpu_name", "num_gpus", "gpu_ram", "geolocation", "verification", "rentable", "dph_total"):
            required(offer, name, f"/offers/{position}")
        for field in PRICE_FIELDS:
            required(offer, field.name, f"/offers/{position}")
    return offers


def _listed(answer: object) -> list[Any]:
    offers = answer.get("offers") if isinstance(answer, dict) else None
    if not isinstance(offers, list):
        raise ShapeChanged("expected an object with a list of offers", path="/offers")
    return offers


def _require_cheapest_first(offers: Sequence[Mapping[str, Any]]) -> None:
    totals = [offer["dph_total"] for offer in offers]
    if not all(isinstance(total, Decimal) for total in totals) or any(one > next_ for one, next_ in pairwise(totals)):
        raise ShapeChanged(
            f"{len(offers)} offers, as many as one answer holds, but not the cheapest first: "
            "dph_total in ascending order was expected",
            path="/offers",
        )


def _skip_reason(offer: Mapping[str, Any]) -> str | None:
    """Name why an offer does not count in any market, or return None; the first rule that matches wins."""
    rules = (
        ("not_accelerated", not offer["num_gpus"] or not offer["gpu_name"]),
        ("deverified", offer["verification"] == "deverified"),
        ("not_rentable", offer["rentable"] is not True),
        ("rented", offer.get("rented") is True),
        # The listing of interruptible offers has the same shape and states the bid as the price.
        ("bid_listing", offer.get("is_bid") is True),
    )
    return next((reason for reason, applies in rules if applies), None)


def _market(offer: Mapping[str, Any]) -> _Market:
    tier = offer["verification"]
    if tier not in TIERS:
        raise _RowError(f"verification is {tier!r}; accepted: deverified, {', '.join(sorted(TIERS))}")
    if not isinstance(offer["gpu_name"], str):
        raise _RowError(f"gpu_name is {offer['gpu_name']!r}; a text was expected")
    mebibytes = _positive(offer, "gpu_ram")
    gpus = _positive(offer, "num_gpus")
    if gpus != gpus.to_integral_value():
        raise _RowError(f"num_gpus is {gpus}; a whole number was expected")
    memory = int((mebibytes / 1024).to_integral_value(ROUND_CEILING))
    return _Market(offer["gpu_name"], memory, int(gpus), _country(offer["geolocation"]), str(tier))


def _country(geolocation: object) -> str:
    """`Montana, US` and `, US` are US; nothing at all is `global`."""
    if geolocation in (None, ""):
        return "global"
    code = str(geolocation).rpartition(",")[2].strip()
    if len(code) != 2 or not (code.isascii() and code.isupper()):
        raise _RowError(f"geolocation is {geolocation!r}; a place that ends with a country's code was expected")
    return code


def _positive(offer: Mapping[str, Any], name: str) -> Decimal:
    value = offer[name]
    if not isinstance(value, Decimal) or value <= 0:
        raise _RowError(f"{name} is {value!r}; a number above zero was expected")
    return value


def _observation(market: _Market, field: PriceField, statistic: str, quote: _Quote, document: Document) -> Observation:
    series = GpuSeries(
        source=Vast.info.id,
        provider="vast",
        sku=market.sku,
        region=market.country,
        purchase=field.purchase,
        pricing_category=field.category,
        tier=market.tier,
        statistic=statistic,
        accelerator=market.gpu_name,
        gpu_count=Decimal(market.gpus),
        gpu_memory_gb=Decimal(market.memory_gb),
    )
    return Observation(
        series=series,
        amount=quote.per_gpu,
        currency=CURRENCY,
        unit=Unit.GPU_HOUR,
        valid_from=document.fetched_at,
        dated=False,
        status=Status.DERIVED,
        published_amount=str(quote.published),
        published_unit="per offer (all its GPUs) per hour",
        locator=quote.locator,
        note="nearest rank among the offers of the document, per GPU",
    )


def _depth(market: _Market, quotes: Sequence[_Quote], document: Document, *, is_cut: bool) -> Observation:
    """How many GPUs the market has on offer; the published figure is the number of its offers."""
    series = RecordSeries(
        source=Vast.info.id,
        topic="market_depth",
        name=f"{market.sku} {market.country}",
        variant=market.tier,
    )
    return Observation(
        series=series,
        amount=Decimal(len(quotes) * market.gpus),
        currency=None,
        unit=Unit.GPU,
        valid_from=document.fetched_at,
        dated=False,
        status=Status.LOWER_BOUND if is_cut else Status.DERIVED,
        published_amount=str(len(quotes)),
        published_unit="offers",
        locator="/offers",
        note="GPUs on offer; those of one machine are also offered in smaller numbers",
    )
