"""gpuhunt catalogs: a second, independent path to what several clouds ask for a machine with GPUs.

dstack gathers the offers of each cloud every hour and publishes them as one zipped CSV file a cloud,
under a version that a small text file names. Prices are per machine and per hour, in dollars.

What must be known to read them, as gpuhunt's own program makes them:

- The figures went through binary fractions (2.0699999999999998 for 2.07), so twelve digits of a price
  per GPU are kept, and the published figure beside it.
- RunPod's price is that of one GPU times their number, listed for each number. Its location is a
  data centre in the secure cloud, a country in the community cloud.
- Google Cloud's price is the sum of the machine's parts, made by gpuhunt, so it is marked as derived.
  It is listed per zone, though it holds for the region. An `n1` machine has its GPUs added, so its
  name alone does not say what is sold. Rows flagged for calendar mode are reserved in advance, and
  `a3-edgegpu` is an appliance in the customer's own house.
- A TPU slice is listed as one accelerator, whatever its size, and so is a part of an A10 on Azure:
  both are priced per machine here.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Context, Decimal
from functools import partial
from itertools import chain
from pathlib import PurePosixPath
from typing import Final

from pricing_sources.documents import decimal_text, exact_csv, unzipped
from pricing_sources.errors import FetchFailed, ShapeChanged
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
from pricing_sources.protocols.side_by_side import documents_of
from pricing_sources.source import Cadence, Document, FetchRequest, Missing, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

PROVIDERS: Final[Mapping[str, str]] = {
    "nebius": "nebius",
    "aws": "aws",
    "azure": "azure",
    "cloudrift": "cloudrift",
    "gcp": "gcp",
    "lambdalabs": "lambda",
    "oci": "oci",
    "runpod": "runpod",
    "verda": "verda",
}
"""Folders of the feed, and the sellers they are about."""
COLUMNS: Final = ("instance_name", "location", "price", "gpu_count", "gpu_name", "gpu_memory", "spot")
VERSION: Final = re.compile(rb"[0-9]{8}(-[0-9]+)?")
MAX_VERSION_BYTES: Final = 1024
MAX_ZIP_BYTES: Final = 64 * 1024 * 1024
CURRENCY: Final = "USD"
"""The files name no currency; gpuhunt documents the price as dollars per hour."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """How an offer is bought."""

    name: str
    category: PricingCategory


ON_DEMAND: Final = Purchase("on_demand", PricingCategory.STANDARD)
SPOT: Final = Purchase("spot", PricingCategory.DYNAMIC)
CALENDAR_MODE: Final = Purchase("calendar_mode", PricingCategory.COMMITTED)
"""Reserved in advance for days or weeks (Dynamic Workload Scheduler)."""

_EXACT_ENOUGH: Final = Context(prec=12)
_ZERO: Final = re.compile(r"0+(\.0*)?")
_ZONE: Final = re.compile(r"([a-z]+-[a-z]+[0-9]+)-[a-z0-9]+")
_PART_OF_A10: Final = re.compile(r"Standard_NV(6|12|18)ads_A10_v5")


class GpuhuntCatalog:
    """The offers of nine clouds, as dstack publishes them."""

    info = SourceInfo(
        id="gpuhunt_catalog",
        title="gpuhunt catalogs",
        publisher="dstack",
        kinds=(Kind.GPU,),
        homepage="https://github.com/dstackai/gpuhunt",
        url="https://dstack-gpu-pricing.s3.eu-west-1.amazonaws.com/v3",
        licence="Public; the catalogs state no licence (the program that makes them is under MPL-2.0).",
        attribution="gpuhunt catalogs, dstack",
        # A seller's own list is published to be quoted; what another has gathered is not, unless its
        # gatherer says so. The licence of the program is not one of the catalogs.
        republish=False,
        on_by_default=False,
        snapshot=True,
        cadence=Cadence(cron="35 */6 * * *", jitter=timedelta(minutes=20), stale_after=4),
        plausible={
            # From a spot slice of an old card to a rack-scale accelerator in a dear region.
            Unit.GPU_HOUR: (Decimal("0.01"), Decimal(150)),
            # Slices of TPUs are whole pods.
            Unit.INSTANCE_HOUR: (Decimal("0.01"), Decimal(50_000)),
        },
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | Missing]:
        """Ask for the newest version of every cloud's catalog, then for that catalog.

        One that cannot be had, or whose version is not one, is told, and the others are read. Never
        conditionally: the catalogs together are the list of what is on offer. Raises FetchFailed if
        there is no catalog at all.
        """
        base = request.url.rstrip("/")
        yield from documents_of([partial(_newest, f"{base}/{folder}", transport, request) for folder in PROVIDERS])

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read the catalog of one cloud: one reading per line below the header.

        Raises ShapeChanged if the archive is not whole, its file is not named after a cloud, or a
        column is missing.
        """
        table = unzipped(document.body, member_suffix=".csv")
        catalog = _Catalog(_seller(document), document)
        for line, row in enumerate(_rows(table), start=2):
            yield catalog.reading(row, f"line {line}")


SOURCE: Final = GpuhuntCatalog()


class _RowError(ValueError):
    """This row should have been a price and cannot be believed; the message says why."""


@dataclass(slots=True)
class _Catalog:
    """One cloud's catalog, and the prices read from it so far."""

    seller: str
    document: Document
    seen: dict[str, Observation] = field(default_factory=dict)

    def reading(self, row: Mapping[str, str], place: str) -> Reading:
        """What one row says."""
        reason = _skip_reason(row)
        if reason:
            return Skipped(reason, place)
        try:
            return self._unless_repeated(self._observation(row, place), row)
        except ValueError as doubt:
            return Rejected(str(doubt), place, _shortened(row))

    def _observation(self, row: Mapping[str, str], place: str) -> Observation:
        price, count = _above_zero(row, "price"), _count(row)
        is_sum = self.seller == "gcp" or "oci-spot" in _flags(row)
        return Observation(
            series=self._series(row, count),
            amount=_EXACT_ENOUGH.divide(price, count or Decimal(1)),
            currency=CURRENCY,
            unit=Unit.GPU_HOUR if count else Unit.INSTANCE_HOUR,
            valid_from=self.document.fetched_at,
            dated=False,
            status=Status.DERIVED if is_sum else Status.FINAL,
            published_amount=row["price"],
            published_unit="per machine per hour",
            locator=place,
            note="computed by gpuhunt from prices the cloud states" if is_sum else "",
        )

    def _series(self, row: Mapping[str, str], count: Decimal | None) -> GpuSeries:
        purchase = _purchase(row)
        is_runpod = self.seller == "runpod"
        return GpuSeries(
            source=GpuhuntCatalog.info.id,
            provider=self.seller,
            resold=True,
            sku=_sku(row) if self.seller == "gcp" else _text(row, "instance_name"),
            region=_region(row) if self.seller == "gcp" else row["location"] or "global",
            purchase=purchase.name,
            pricing_category=purchase.category,
            tier=_runpod_tier(row) if is_runpod else "",
            accelerator=row["gpu_name"],
            gpu_count=Decimal(1) if is_runpod and count else count,
            gpu_memory_gb=decimal_text(row["gpu_memory"], "gpu_memory") if row["gpu_memory"] and count else None,
        )

    def _unless_repeated(self, reading: Observation, row: Mapping[str, str]) -> Reading:
        """Let the first price of a series stand: zones, and numbers of GPUs, are listed one by one."""
        first = self.seen.setdefault(reading.series.key, reading)
        if first is reading:
            return reading
        if first.amount == reading.amount:
            return Skipped("duplicate", reading.locator)
        reason = (
            f"{reading.series.key} has two prices: {first.published_amount} at {first.locator} (kept) and "
            f"{reading.published_amount} here; one was expected"
        )
        return Rejected(reason, reading.locator, _shortened(row), reading.series.key)


def _newest(folder: str, transport: Transport, request: FetchRequest) -> Document:
    """The catalog that the version file of a cloud's folder names."""
    named = transport.get(f"{folder}/version", max_bytes=MAX_VERSION_BYTES)
    version = named.body.strip()
    if not VERSION.fullmatch(version):
        raise FetchFailed(f"{named.url} says {version[:40]!r}; a version such as 20260819-7375 was expected")
    reply = transport.get(f"{folder}/{version.decode()}/catalog.zip", max_bytes=MAX_ZIP_BYTES)
    return Document.of(GpuhuntCatalog.info.id, reply, request.now)


def _seller(document: Document) -> str:
    """Who the catalog is about: its file is named after the folder it came from."""
    with zipfile.ZipFile(io.BytesIO(document.body)) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".csv"))
    folder = PurePosixPath(name).stem
    if folder not in PROVIDERS:
        raise ShapeChanged(f"a file of one of {', '.join(PROVIDERS)} was expected", path=name)
    return PROVIDERS[folder]


def _rows(table: bytes) -> Iterator[Mapping[str, str]]:
    rows = exact_csv(table)
    first = next(rows, None)
    if first is None:
        raise ShapeChanged("a header without a single row", path="line 1")
    missing = [name for name in COLUMNS if name not in first]
    if missing:
        raise ShapeChanged(f"no column {', '.join(missing)}; there are {', '.join(first)}", path="line 1")
    return chain([first], rows)


def _skip_reason(row: Mapping[str, str]) -> str | None:
    if not row["gpu_name"] or not row["gpu_count"] or _ZERO.fullmatch(row["gpu_count"]):
        return "not_accelerated"
    if row["instance_name"].startswith("a3-edgegpu-"):
        return "edge_appliance"
    return "zero_price" if _ZERO.fullmatch(row["price"]) else None


def _count(row: Mapping[str, str]) -> Decimal | None:
    """How many GPUs a machine has; None where the figure is no such count."""
    count = _above_zero(row, "gpu_count")
    if row.get("gpu_vendor") == "google" or _PART_OF_A10.fullmatch(row["instance_name"]):
        return None
    return count


def _purchase(row: Mapping[str, str]) -> Purchase:
    if row["spot"] not in {"True", "False"}:
        raise _RowError(f"spot is {row['spot']!r}; True or False was expected")
    if row["spot"] == "True":
        return SPOT
    return CALENDAR_MODE if "gcp-dws-calendar-mode" in _flags(row) else ON_DEMAND


def _flags(row: Mapping[str, str]) -> list[str]:
    return row.get("flags", "").split()


def _sku(row: Mapping[str, str]) -> str:
    """A machine of Google Cloud; one to which GPUs were added says which: `n1-standard-8+1xT4`."""
    name = _text(row, "instance_name")
    return f"{name}+{row['gpu_count']}x{row['gpu_name']}" if name.startswith("n1-") else name


def _region(row: Mapping[str, str]) -> str:
    """The region of a zone of Google Cloud, whose prices hold for the region."""
    zone = _ZONE.fullmatch(row["location"])
    return zone[1] if zone else row["location"] or "global"


def _runpod_tier(row: Mapping[str, str]) -> str:
    """A data centre (`US-KS-2`) is of the secure cloud, a country (`US`) of the community cloud."""
    if "runpod-cluster" in _flags(row):
        return "cluster"
    return "secure" if "-" in row["location"] else "community"


def _text(row: Mapping[str, str], name: str) -> str:
    if not row[name]:
        raise _RowError(f"{name} is blank; a text was expected")
    return row[name]


def _above_zero(row: Mapping[str, str], name: str) -> Decimal:
    number = decimal_text(row[name], name)
    if number <= 0:
        raise _RowError(f"{name} is {number}; a number above zero was expected")
    return number


def _shortened(row: Mapping[str, str]) -> str:
    return ",".join(row.values())[:500]
