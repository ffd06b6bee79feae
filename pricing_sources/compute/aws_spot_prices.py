"""Amazon EC2 spot prices by region, as AWS's website shows them.

The feed is a script, not JSON: it calls a function with one object, whose keys are at times not
quoted. It knows five regions under names of its own, says `N/A*` where there is no price, and no
moment at all: a price holds from when it was seen. It states one price per region; those of single
availability zones are only told to AWS's customers.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import decimal_text, exact_json, required
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import GpuSeries, Kind, Observation, PricingCategory, Reading, Rejected, Skipped
from pricing_sources.protocols.aws_sizes import SIZES, looks_accelerated
from pricing_sources.source import Cadence, Document, FetchRequest, NotModified, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit, divided

MAX_BYTES: Final = 32 * 1024 * 1024
LEGACY_REGIONS: Final = {
    "us-east": "us-east-1",
    "us-west": "us-west-1",
    "eu-ireland": "eu-west-1",
    "eu-frankfurt": "eu-central-1",
    "apac-sin": "ap-southeast-1",
    "apac-syd": "ap-southeast-2",
    "apac-tokyo": "ap-northeast-1",
}
"""What this feed calls the oldest regions; every other region has its ordinary code."""
HOURLY: Final = "perhr"
NOT_OFFERED: Final = re.compile(r"N/A\*?")

_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]+[a-z0-9-]*")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_CALL: Final = re.compile(rb"\A\s*callback\s*\((?P<argument>.*)\)\s*;?\s*\Z", re.DOTALL)
_OPENED_CALL: Final = re.compile(rb"\A\s*callback\s*\(")
_BARE_FIRST_KEY: Final = re.compile(rb"\A\s*\{\s*[A-Za-z_]")
_BARE_KEY: Final = re.compile(rb"([{,]\s*)([A-Za-z_][A-Za-z0-9_]*)(\s*:)")


class AwsSpotPrices:
    """The spot prices behind the website's table, accelerated instances under Linux only."""

    info = SourceInfo(
        id="aws_spot_prices",
        title="Amazon EC2 spot prices",
        publisher="Amazon Web Services",
        kinds=(Kind.GPU,),
        homepage="https://aws.amazon.com/ec2/spot/pricing/",
        url="https://spot-price.s3.amazonaws.com/spot.js",
        licence="Public and unauthenticated; no licence is stated. It is what AWS's own pricing page shows.",
        attribution="Amazon EC2 Spot pricing, Amazon Web Services, Inc.",
        snapshot=True,
        cadence=Cadence(cron="7 * * * *", jitter=timedelta(minutes=10), stale_after=6),
        plausible={
            Unit.GPU_HOUR: (Decimal("0.01"), Decimal(120)),
            Unit.INSTANCE_HOUR: (Decimal("0.01"), Decimal(1500)),
        },
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified]:
        """Ask for the script, unless it is the one already read. Raises FetchFailed."""
        reply = transport.get(request.url, known=request.known.get(request.url), max_bytes=MAX_BYTES)
        yield NotModified(request.url) if reply.not_modified else Document.of(self.info.id, reply, request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read the script: one reading per price, that is per region, size, system and currency.

        Raises ShapeChanged if it has no such prices, or prices that are not per hour.
        """
        config = required(exact_json(self.unwrapped(document.body)), "config")
        if required(config, "rate", "/config") != HOURLY:
            raise ShapeChanged(f"prices {HOURLY} were expected, not {config['rate']!r}", path="/config/rate")
        seen: dict[tuple[str, str | None], Observation] = {}
        for region, size, system, currency, price, locator in _prices(config):
            if not looks_accelerated(size):
                yield Skipped("not_accelerated", locator)
            elif system != "linux":
                yield Skipped("other_operating_system", locator)
            else:
                yield _unless_repeated(_reading(region, size, currency, price, locator, document), seen)

    def unwrapped(self, body: bytes) -> bytes:
        """The object the script calls its function with, as JSON. Raises ShapeChanged."""
        call = _CALL.match(body)
        if call is None and _OPENED_CALL.match(body):
            raise ShapeChanged("a call that is never closed: the script was cut off")
        text = call["argument"] if call else body
        return _BARE_KEY.sub(rb'\1"\2"\3', text) if _BARE_FIRST_KEY.match(text) else text


SOURCE: Final = AwsSpotPrices()

_Price = tuple[str, str, str, str, Any, str]
"""Region, size, operating system, currency, figure, and where it stands."""


def _prices(config: Mapping[str, Any]) -> Iterator[_Price]:
    regions = _listed(config, "regions", "/config")
    for path, region in regions:
        name = _text(region, "region", path)
        for group_path, group in _listed(region, "instanceTypes", path):
            for size_path, size in _listed(group, "sizes", group_path):
                for column_path, column in _listed(size, "valueColumns", size_path):
                    prices = required(column, "prices", column_path)
                    if not isinstance(prices, dict):
                        raise ShapeChanged("an object of prices was expected", path=f"{column_path}/prices")
                    system = _text(column, "name", column_path)
                    for currency, price in prices.items():
                        place = f"{column_path}/prices/{currency}"
                        yield name, _text(size, "size", size_path), system, currency, price, place


def _listed(row: Any, name: str, path: str) -> Iterator[tuple[str, Any]]:
    rows = required(row, name, path)
    if not isinstance(rows, list) or (name == "regions" and not rows):
        raise ShapeChanged(f"a list of {name} was expected", path=f"{path}/{name}")
    return ((f"{path}/{name}/{position}", each) for position, each in enumerate(rows))


def _text(row: Any, name: str, path: str) -> str:
    value = required(row, name, path)
    if not isinstance(value, str):
        raise ShapeChanged(f"a text was expected, not {value!r}", path=f"{path}/{name}")
    return value


def _reading(legacy: str, size: str, currency: str, price: Any, locator: str, document: Document) -> Reading:
    region = LEGACY_REGIONS.get(legacy, legacy)
    words = f"{legacy} {size} linux {currency} {price!r}"[:500]
    if not _REGION.fullmatch(region):
        known = ", ".join(LEGACY_REGIONS)
        return Rejected(f"region {legacy!r} is neither a region's code nor one of {known}", locator, words)
    if isinstance(price, str) and NOT_OFFERED.fullmatch(price):
        return Skipped("not_offered", locator)
    amount = _figure(price)
    if amount is None or not _CURRENCY.fullmatch(currency):
        return Rejected(f"{currency} {price!r} is neither a price such as USD '0.918' nor N/A*", locator, words)
    if amount == 0:
        return Skipped("zero_price", locator)
    return _observation(region, size, currency, amount, price, locator, document)


def _figure(price: Any) -> Decimal | None:
    """The number a price spells; None where it spells none, or one below zero."""
    try:
        amount = decimal_text(price) if isinstance(price, str) else None
    except ValueError:
        return None
    return amount if amount is not None and amount >= 0 else None


def _observation(
    region: str, name: str, currency: str, amount: Decimal, published: str, locator: str, document: Document
) -> Observation:
    size = SIZES.get(name)
    series = GpuSeries(
        source=AwsSpotPrices.info.id,
        provider="aws",
        sku=name,
        region=region,
        purchase="spot",
        pricing_category=PricingCategory.DYNAMIC,
        accelerator=size.accelerator if size else "",
        gpu_count=size.count if size else None,
        gpu_memory_gb=size.memory_gb if size else None,
    )
    whole = "price of a whole machine; its number of accelerators is not documented here"
    return Observation(
        series=series,
        amount=divided(amount, size.count) if size else amount,
        currency=currency,
        unit=Unit.GPU_HOUR if size else Unit.INSTANCE_HOUR,
        valid_from=document.fetched_at,
        dated=False,
        published_amount=published,
        published_unit=f"{HOURLY}, whole machine",
        locator=locator,
        note=f"price of a machine with {size.count} accelerators ({size.source})" if size else whole,
    )


def _unless_repeated(reading: Reading, seen: dict[tuple[str, str | None], Observation]) -> Reading:
    """Let the first price of a series stand."""
    if not isinstance(reading, Observation):
        return reading
    first = seen.setdefault((reading.series.key, reading.currency), reading)
    if first is reading:
        return reading
    if first.amount == reading.amount:
        return Skipped("duplicate", reading.locator)
    words = f"a second price of {reading.series.key}: {first.published_amount} at {first.locator} (kept)"
    return Rejected(f"{words}, {reading.published_amount} here", reading.locator, words, reading.series.key)
