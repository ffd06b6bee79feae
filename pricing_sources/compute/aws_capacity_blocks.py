"""EC2 Capacity Blocks for ML: GPUs by the day, reserved ahead, paid at once.

AWS shows these prices on a web page only; a public repository turns the page into JSON once a
month. It states each price twice, per machine and, to three decimals, per accelerator. The price
per machine is divided, which is exact, and the other figure checks it: where the page's columns
were read amiss, as for the GB200 racks (10.582 a "machine", 0.0 an accelerator), they disagree.

The moment is that of the reading of the page; AWS does not say since when a price holds.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import exact_json, required
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import GpuSeries, Kind, Observation, PricingCategory, Reading, Rejected, Skipped
from pricing_sources.protocols.aws_sizes import SIZES
from pricing_sources.source import Cadence, Document, FetchRequest, NotModified, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit, divided

MAX_BYTES: Final = 8 * 1024 * 1024
PAGE: Final = "https://aws.amazon.com/ec2/capacityblocks/pricing/"
UNKNOWN: Final = "unknown"
LAST_DECIMAL: Final = Decimal("0.001")
"""The price per accelerator is cut or rounded there: 14.7663 / 8 is stated as 1.845."""

_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]+(?:-[a-z]{3}-[0-9][a-z]?)?")


class AwsCapacityBlocks:
    """Capacity Block prices per accelerator-hour, by region and instance type."""

    info = SourceInfo(
        id="aws_capacity_blocks",
        title="Amazon EC2 Capacity Blocks for ML prices",
        publisher="koyakimu/ec2-capacity-blocks-for-ml-pricing-json, from the pricing page of Amazon Web Services",
        kinds=(Kind.GPU,),
        homepage=PAGE,
        url=(
            "https://raw.githubusercontent.com/koyakimu/ec2-capacity-blocks-for-ml-pricing-json/main/data/pricing.json"
        ),
        licence="MIT (the repository); the prices are facts of AWS's public page. Unofficial, accuracy not guaranteed.",
        attribution="EC2 Capacity Blocks for ML Pricing JSON by koyakimu, from https://aws.amazon.com",
        snapshot=True,
        cadence=Cadence(cron="30 4 1 * *", jitter=timedelta(hours=2)),
        plausible={Unit.GPU_HOUR: (Decimal("0.1"), Decimal(100))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified]:
        """Ask for the file, unless it is the one already read. Raises FetchFailed."""
        reply = transport.get(request.url, known=request.known.get(request.url), max_bytes=MAX_BYTES)
        yield NotModified(request.url) if reply.not_modified else Document.of(self.info.id, reply, request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read the file: one reading per price, that is per instance type and region. Raises ShapeChanged."""
        table = exact_json(document.body)
        updated = _moment(required(required(table, "metadata"), "last_updated", "/metadata"))
        seen: dict[str, Decimal] = {}
        for machine, row, locator in _prices(table):
            try:
                reading = _reading(machine, row, locator, updated)
            except _RowError as doubt:
                reading = Rejected(str(doubt), locator, f"{machine.name}: {row}"[:500])
            if isinstance(reading, Observation):
                reading = _unless_repeated(reading, machine, row, seen)
            yield reading


SOURCE: Final = AwsCapacityBlocks()


class _RowError(ValueError):
    """This row should have been a price and cannot be believed; the message says why."""


@dataclass(frozen=True, slots=True)
class _Machine:
    """What the file says of one instance type."""

    name: str
    accelerator: str
    count: Decimal


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ShapeChanged(f"a moment such as 2026-07-22T07:14:56Z was expected, not {text!r}", path="/metadata")
    return moment.astimezone(UTC)


def _prices(table: Any) -> Iterator[tuple[_Machine, Mapping[str, Any], str]]:
    machines = required(table, "instance_types")
    if not isinstance(machines, dict) or not machines:
        raise ShapeChanged("an object of instance types was expected", path="/instance_types")
    for name, stated in machines.items():
        path = f"/instance_types/{name}"
        machine = _machine(name, stated, path)
        rows = required(stated, "pricing", path)
        if not isinstance(rows, list):
            raise ShapeChanged("a list of prices was expected", path=f"{path}/pricing")
        for position, row in enumerate(rows):
            place = f"{path}/pricing/{position}"
            for field in ("region_code", "hourly_rate_usd", "accelerator_hourly_rate_usd"):
                required(row, field, place)
            yield machine, row, place


def _machine(name: str, stated: Any, path: str) -> _Machine:
    accelerator, count = required(stated, "accelerator_type", path), required(stated, "accelerator_count", path)
    if not isinstance(accelerator, str) or not isinstance(count, Decimal) or count <= 0:
        raise ShapeChanged("an accelerator and how many of it were expected", path=path)
    return _Machine(name, accelerator, count)


def _reading(machine: _Machine, row: Mapping[str, Any], locator: str, updated: datetime) -> Reading:
    region = row["region_code"]
    if region == UNKNOWN:
        return Skipped("unknown_region", locator)
    if not isinstance(region, str) or not _REGION.fullmatch(region):
        raise _RowError(f"region_code is {region!r}; a code such as us-east-1 or us-east-1-dfw-2a was expected")
    hourly, share = _number(row, "hourly_rate_usd"), _number(row, "accelerator_hourly_rate_usd")
    if hourly == 0:
        return Skipped("zero_price", locator)
    _require_agreement(machine, hourly, share)
    return _observation(machine, region, hourly, locator, updated)


def _number(row: Mapping[str, Any], name: str) -> Decimal:
    value = row[name]
    if not isinstance(value, Decimal) or value < 0:
        raise _RowError(f"{name} is {value!r}; a number not below zero was expected")
    return value


def _require_agreement(machine: _Machine, hourly: Decimal, share: Decimal) -> None:
    """The two figures must be one price, and the count that of the documented machine."""
    size = SIZES.get(machine.name)
    if size is not None and size.count != machine.count:
        raise _RowError(f"{machine.count} accelerators; {machine.name} has {size.count} ({size.source})")
    if abs(hourly / machine.count - share) > LAST_DECIMAL:
        raise _RowError(
            f"{hourly} a machine and {share} for each of its {machine.count} accelerators do not agree; "
            f"{machine.count} times {share} is {machine.count * share}"
        )


def _observation(machine: _Machine, region: str, hourly: Decimal, locator: str, updated: datetime) -> Observation:
    size = SIZES.get(machine.name)
    return Observation(
        series=GpuSeries(
            source=AwsCapacityBlocks.info.id,
            provider="aws",
            sku=machine.name,
            region=region,
            purchase="capacity_block",
            pricing_category=PricingCategory.COMMITTED,
            accelerator=size.accelerator if size else machine.accelerator,
            gpu_count=machine.count,
            gpu_memory_gb=size.memory_gb if size else None,
        ),
        amount=divided(hourly, machine.count),
        currency="USD",
        unit=Unit.GPU_HOUR,
        valid_from=updated,
        dated=False,
        published_amount=str(hourly),
        published_unit="hourly_rate_usd",
        locator=locator,
        reference_url=PAGE,
        note=f"price of a machine with {machine.count} accelerators, booked by the day and paid in advance",
    )


def _unless_repeated(
    reading: Observation, machine: _Machine, row: Mapping[str, Any], seen: dict[str, Decimal]
) -> Reading:
    """Let the first price of a series stand."""
    first = seen.setdefault(reading.series.key, reading.amount)
    if first is reading.amount:
        return reading
    if first == reading.amount:
        return Skipped("duplicate", reading.locator)
    reason = f"a second price of {reading.series.key}; the first, {first} an accelerator, was kept"
    return Rejected(reason, reading.locator, f"{machine.name}: {row}"[:500], reading.series.key)
