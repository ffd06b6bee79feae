"""How often Amazon interrupts spot machines, and how far below list price they were: the Spot Advisor.

These are records about risk, never prices: the savings compare averages of a month, and list prices
that may have moved since. One figure in a recorded file is minus 62 per cent.

An interruption frequency is published as one of five buckets. Both bounds of the bucket are kept;
they are read off its label, because the file's own `max` fields (5, 11, 16, 22, 100) contradict it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import exact_json, required
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Kind, Observation, Reading, RecordSeries, Rejected, Skipped
from pricing_sources.protocols.aws_sizes import SIZES, looks_accelerated
from pricing_sources.source import Cadence, Document, FetchRequest, NotModified, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MAX_BYTES: Final = 32 * 1024 * 1024
TOPIC: Final = "interruption"
FREQUENCY: Final = "% of spot instances reclaimed in the trailing month, as a bucket"
SAVINGS: Final = "% below the on-demand price, average of the last 30 days"
PERCENT: Final = Decimal("0.01")

_BUCKET: Final = re.compile(r"<(?P<below>[0-9]+)%|(?P<low>[0-9]+)-(?P<high>[0-9]+)%|>(?P<above>[0-9]+)%")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A range of interruption frequencies, as ratios."""

    label: str
    low: Decimal
    high: Decimal


class AwsSpotAdvisor:
    """Interruption frequency and savings per region and accelerated instance type, under Linux."""

    info = SourceInfo(
        id="aws_spot_advisor",
        title="Amazon EC2 Spot Instance Advisor",
        publisher="Amazon Web Services",
        kinds=(Kind.RECORD,),
        homepage="https://aws.amazon.com/ec2/spot/instance-advisor/",
        url="https://spot-bid-advisor.s3.amazonaws.com/spot-advisor-data.json",
        licence="Public and unauthenticated; no licence is stated. It is what AWS's own advisor page shows.",
        attribution="Amazon EC2 Spot Instance Advisor, Amazon Web Services, Inc.",
        snapshot=True,
        cadence=Cadence(cron="20 6 * * *", jitter=timedelta(minutes=30), stale_after=3),
        plausible={Unit.RATIO: (Decimal(0), Decimal(1))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified]:
        """Ask for the file, unless it is the one already read. Raises FetchFailed."""
        reply = transport.get(request.url, known=request.known.get(request.url), max_bytes=MAX_BYTES)
        yield NotModified(request.url) if reply.not_modified else Document.of(self.info.id, reply, request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read the file: three readings per accelerated type under Linux, one for every other entry.

        The three are the bucket's low and high bound and the savings. Raises ShapeChanged.
        """
        advice = exact_json(document.body)
        buckets = _buckets(advice)
        for region, system, name, entry, locator in _entries(advice):
            if reason := _skip_reason(system, name):
                yield Skipped(reason, locator)
            else:
                yield from _readings(f"aws_{name}_{region}", entry, buckets, locator, document)


SOURCE: Final = AwsSpotAdvisor()


def _buckets(advice: Any) -> dict[Decimal, Bucket]:
    rows = required(advice, "ranges")
    if not isinstance(rows, list) or not rows:
        raise ShapeChanged("a list of buckets was expected", path="/ranges")
    buckets = {}
    for position, row in enumerate(rows):
        path = f"/ranges/{position}"
        label = required(row, "label", path)
        found = _BUCKET.fullmatch(label) if isinstance(label, str) else None
        if found is None:
            raise ShapeChanged(f"a bucket such as <5%, 5-10% or >20% was expected, not {label!r}", path=path)
        low, high = found["low"] or found["above"] or "0", found["high"] or found["below"] or "100"
        buckets[required(row, "index", path)] = Bucket(label, Decimal(low) * PERCENT, Decimal(high) * PERCENT)
    return buckets


def _entries(advice: Any) -> Iterator[tuple[str, str, str, Any, str]]:
    """Region, operating system, instance type, what is said of it, and where."""
    regions = _object(required(advice, "spot_advisor"), "/spot_advisor")
    if not regions:
        raise ShapeChanged("no regions where regions were expected", path="/spot_advisor")
    for region, systems in regions.items():
        for system, types in _object(systems, f"/spot_advisor/{region}").items():
            path = f"/spot_advisor/{region}/{system}"
            for name, entry in _object(types, path).items():
                yield region, system, name, entry, f"{path}/{name}"


def _object(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ShapeChanged(f"an object was expected, not {type(value).__name__}", path=path)
    return value


def _skip_reason(system: str, name: str) -> str | None:
    rules = (
        ("not_accelerated", not looks_accelerated(name)),
        ("undocumented_type", name not in SIZES),
        ("other_operating_system", system != "Linux"),
    )
    return next((reason for reason, applies in rules if applies), None)


def _readings(
    name: str, entry: Any, buckets: Mapping[Decimal, Bucket], locator: str, document: Document
) -> Iterator[Reading]:
    index, savings = (required(entry, field, locator) for field in ("r", "s"))
    bucket = buckets.get(index) if isinstance(index, Decimal) else None
    for variant in ("low", "high"):
        if bucket is None:
            yield Rejected(f"bucket {index!r} is not one of those the file lists", f"{locator}/r", str(entry)[:500])
        else:
            bound = bucket.low if variant == "low" else bucket.high
            yield _observation(name, variant, bound, bucket.label, FREQUENCY, f"{locator}/r", document)
    if not isinstance(savings, Decimal) or not 0 <= savings <= 100:
        reason = f"savings of {savings!s} per cent on the on-demand price; 0 to 100 was expected"
        yield Rejected(reason, f"{locator}/s", str(entry)[:500])
    else:
        yield _observation(name, "savings", savings * PERCENT, str(savings), SAVINGS, f"{locator}/s", document)


def _observation(
    name: str, variant: str, ratio: Decimal, published: str, unit: str, locator: str, document: Document
) -> Observation:
    return Observation(
        series=RecordSeries(source=AwsSpotAdvisor.info.id, topic=TOPIC, name=name, variant=variant),
        amount=ratio,
        currency=None,
        unit=Unit.RATIO,
        valid_from=document.fetched_at,
        dated=False,
        published_amount=published,
        published_unit=unit,
        locator=locator,
    )
