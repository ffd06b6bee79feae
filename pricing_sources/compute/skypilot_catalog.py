"""SkyPilot catalogs: what many clouds ask for an accelerated machine, one CSV file a cloud.

The files are gathered by SkyPilot from the clouds' own interfaces, for several of which one needs an
account. They agree on little but the names of their columns, which is why this module distrusts
them, each trap having been seen in a published file:

- The order and the set of columns differ from file to file; only six columns are in all.
- Prices are per machine. `AcceleratorCount` divides them, except where it is known to be no count:
  a TPU slice is listed as one accelerator, and so is a third of an A10 on Azure.
- Memory in `GpuInfo` is per GPU in some files, of the whole machine in others, and elsewhere in GB
  under the name MiB. It is read only from files where it is per GPU.
- On Google Cloud a GPU is a row of its own and its host another, to be added. Such a price carries
  the tier `accelerator_only`, so that nobody takes it for a machine.
- A spot price of 0, or one that repeats the price, says that none is known. A TPU without a price
  stands at 700 dollars. Oracle's spot price is half the price by rule, so it is marked as derived.
- Vast.ai's prices are made up (every offer below the median is given the median), and Mithril's are the
  floor of its auction, a dollar or a cent per GPU. Both are known and not read.
- The file of Azure is brought up to date by hand, now and then.
- Of the other files of the eighth version two are not known here: Seeweb's, whose figures may be euros and
  which names no currency, and Yotta's, whose last line does not end, as after a transfer that broke off.
- Of some clouds the rows are every type in every region: a price says what it would cost there, not
  that it is there. Such a price says so in its note.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Final
from urllib.parse import urlsplit

from pricing_sources.documents import decimal_text, exact_csv
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
from pricing_sources.units import Unit, divided


@dataclass(frozen=True, slots=True)
class Cloud:
    """What is known about one cloud's file."""

    memory_is_per_gpu: bool = False
    """True where `SizeInMiB` is the memory of one GPU, in MiB."""
    has_own_hosts: bool = False
    """True where accelerators and their host machines are rows of their own."""
    is_aggregator: bool = False
    """True where the type's name begins with the seller's: `massedcompute_A6000x8`."""
    ends_seller: str = "_"
    """What stands between the seller's name and the type's."""
    is_zonal: bool = False
    """True where a price holds in a zone, and the region is only its country."""
    spot_is_zonal: bool = False
    """True where the spot price differs between the zones of a region."""
    spot_is_half: bool = False
    """True where the spot price is computed from the price."""
    spot_repeats_price: bool = False
    """True where a spot price that equals the price means that none is known."""
    is_everywhere: bool = False
    """True where the rows are every type times every region, whether or not it can be had there."""
    is_synthetic: bool = False
    """True where the prices are nobody's."""


HALF: Final = "half of the price, by the cloud's rule for preemptible machines"
EVERYWHERE: Final = "listed in every region of the cloud, which does not say that it can be had there"
CLOUDS: Final[Mapping[str, Cloud]] = {
    "aws": Cloud(spot_is_zonal=True),
    "azure": Cloud(),
    "cudo": Cloud(memory_is_per_gpu=True),
    "daytona": Cloud(memory_is_per_gpu=True),
    "gcp": Cloud(memory_is_per_gpu=True, has_own_hosts=True),
    "hyperbolic": Cloud(),
    "hyperstack": Cloud(memory_is_per_gpu=True),
    "jarvislabs": Cloud(memory_is_per_gpu=True),
    "lambda": Cloud(memory_is_per_gpu=True, is_everywhere=True),
    "lium": Cloud(),
    "mithril": Cloud(is_synthetic=True),
    "nebius": Cloud(memory_is_per_gpu=True),
    "oci": Cloud(memory_is_per_gpu=True, spot_is_half=True, is_everywhere=True),
    "primeintellect": Cloud(is_aggregator=True, ends_seller="__", is_zonal=True),
    "runpod": Cloud(spot_repeats_price=True, is_everywhere=True),
    "shadeform": Cloud(is_aggregator=True),
    "spheron": Cloud(),
    "vast": Cloud(is_synthetic=True),
    "verda": Cloud(),
}
FETCHED: Final = tuple(name for name, cloud in CLOUDS.items() if not cloud.is_synthetic)
"""Every cloud whose file has prices."""
SELLERS: Final = {"lambdalabs": "lambda", "datacrunch": "verda"}
"""Sellers that an aggregator calls otherwise than we do."""

COLUMNS: Final = ("InstanceType", "AcceleratorName", "AcceleratorCount", "Region", "Price", "SpotPrice")
MAX_BYTES: Final = 64 * 1024 * 1024
CURRENCY: Final = "USD"
"""The files name no currency; SkyPilot shows their prices in dollars (docs.skypilot.co)."""
TPU_PLACEHOLDER: Final = Decimal(700)
"""Stands for an unknown price in the TPU rows of Google Cloud, whatever the size of the slice."""

_NO_GPUS: Final = re.compile(r"0+(\.0*)?")
_NO_MACHINE: Final = frozenset({"", "TPU-VM"})
"""What stands for the type of an accelerator that is no part of one."""
_HOST_FAMILIES: Final = re.compile(r"(a2|a3|a4|a4x|g2|g4)-")
_FRACTIONAL_A10: Final = re.compile(r"Standard_NV(6|12|18)ads_A10_v5")
"""A sixth, a third and half of an A10, listed with a count of 1."""
_WHOLE_PARTS: Final = 8
"""Counts in eighths are exact as printed; a sixth was rounded."""


class SkyPilotCatalog:
    """The machine catalogs of SkyPilot."""

    info = SourceInfo(
        id="skypilot_catalog",
        title="SkyPilot catalogs",
        publisher="SkyPilot",
        kinds=(Kind.GPU,),
        homepage="https://github.com/skypilot-org/skypilot-catalog",
        # The file of one cloud; those of the others lie beside it.
        url="https://raw.githubusercontent.com/skypilot-org/skypilot-catalog/master/catalogs/v8/nebius/vms.csv",
        licence="Public; the repository of the data states no licence.",
        attribution="SkyPilot catalogs, from the clouds' own prices",
        # A seller's own list is published to be quoted; what another has gathered is not, unless its
        # gatherer says so. The licence of the program is not one of the catalogs.
        republish=False,
        on_by_default=False,
        snapshot=True,
        cadence=Cadence(cron="45 1,8,15,22 * * *", jitter=timedelta(minutes=30), stale_after=6),
        plausible={
            # From a spot slice of an old card to a rack-scale accelerator in a dear region.
            Unit.GPU_HOUR: (Decimal("0.01"), Decimal(150)),
            # Slices of TPUs are whole pods.
            Unit.INSTANCE_HOUR: (Decimal("0.01"), Decimal(50_000)),
        },
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | Missing]:
        """Ask for the file of every cloud in turn; one that cannot be had is told, and the others are read.

        Never conditionally: the files together are the list of what is on offer, so one that is
        left out because it did not change would look like a cloud that closed. Raises FetchFailed
        if there is no file at all.
        """
        if not request.url.endswith("/nebius/vms.csv"):
            raise FetchFailed(f"{request.url} was asked for; an address that ends in /nebius/vms.csv was expected")
        folder = request.url.removesuffix("/nebius/vms.csv")
        yield from documents_of(
            [partial(_file_at, f"{folder}/{cloud}/vms.csv", transport, request) for cloud in FETCHED]
        )

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read the file of one cloud, which the document's address names.

        A row is a line below the header. One that has no price of ours gives one Skipped; any other
        gives two readings, one for `Price` and one for `SpotPrice`. Raises ShapeChanged if the
        address names no cloud, or if a column that every file has is missing.
        """
        name = _cloud_name(document)
        file = _File(name, CLOUDS[name], document)
        for line, row in enumerate(_rows(document), start=2):
            yield from file.readings(row, line)


SOURCE: Final = SkyPilotCatalog()


class _RowError(ValueError):
    """This row should have been a price and cannot be believed; the message says why."""


@dataclass(slots=True)
class _File:
    """One cloud's file, and the prices read from it so far."""

    name: str
    cloud: Cloud
    document: Document
    seen: dict[str, Observation] = field(default_factory=dict)

    def readings(self, row: Mapping[str, str], line: int) -> Iterator[Reading]:
        """What one row says."""
        reason = self._skip_reason(row)
        if reason:
            yield Skipped(reason, f"line {line}")
            return
        for column in ("Price", "SpotPrice"):
            place = f"line {line}, {column}"
            try:
                yield self._unless_repeated(self._reading(row, column, place), row)
            except ValueError as doubt:
                yield Rejected(str(doubt), place, _shortened(row))

    def _skip_reason(self, row: Mapping[str, str]) -> str | None:
        if self.cloud.is_synthetic:
            return "synthetic_price"
        if row["AcceleratorName"] and not _NO_GPUS.fullmatch(row["AcceleratorCount"]):
            return None
        if self.cloud.has_own_hosts and _HOST_FAMILIES.match(row["InstanceType"]):
            return "host_of_accelerators"
        return "not_accelerated"

    def _reading(self, row: Mapping[str, str], column: str, place: str) -> Reading:
        if not row[column]:
            return Skipped("no_price" if column == "Price" else "no_spot_price", place)
        price = decimal_text(row[column])
        if price == 0:
            return Skipped("zero_price", place)
        if price < 0:
            raise _RowError(f"{column} is {price}; a price above zero was expected")
        if price == TPU_PLACEHOLDER and row["AcceleratorName"].startswith("tpu-"):
            return Skipped("placeholder_price", place)
        if column == "SpotPrice" and self.cloud.spot_repeats_price and row["SpotPrice"] == row["Price"]:
            return Skipped("spot_repeats_price", place)
        return self._observation(row, column, price, place)

    def _observation(self, row: Mapping[str, str], column: str, price: Decimal, place: str) -> Observation:
        count = _count(row)
        is_spot = column == "SpotPrice"
        is_half = is_spot and self.cloud.spot_is_half
        return Observation(
            series=self._series(row, count, is_spot=is_spot),
            amount=divided(price, count) if count else price,
            currency=CURRENCY,
            unit=Unit.GPU_HOUR if count else Unit.INSTANCE_HOUR,
            valid_from=self.document.fetched_at,
            dated=False,
            status=Status.DERIVED if is_half else Status.FINAL,
            published_amount=row[column],
            published_unit="per machine per hour",
            locator=place,
            note="; ".join(
                words for words, holds in ((HALF, is_half), (EVERYWHERE, self.cloud.is_everywhere)) if holds
            ),
        )

    def _series(self, row: Mapping[str, str], count: Decimal | None, *, is_spot: bool) -> GpuSeries:
        is_part = self.cloud.has_own_hosts and row["InstanceType"] in _NO_MACHINE and count is not None
        return GpuSeries(
            source=SkyPilotCatalog.info.id,
            provider=self._provider(row),
            resold=True,
            sku=_sku(row, count),
            region=self._region(row, is_spot=is_spot),
            purchase="spot" if is_spot else "on_demand",
            pricing_category=PricingCategory.DYNAMIC if is_spot else PricingCategory.STANDARD,
            tier="accelerator_only" if is_part else "",
            accelerator=row["AcceleratorName"],
            gpu_count=count,
            gpu_memory_gb=_memory(row) if self.cloud.memory_is_per_gpu else None,
        )

    def _provider(self, row: Mapping[str, str]) -> str:
        if not self.cloud.is_aggregator:
            return self.name
        ends = self.cloud.ends_seller
        seller, separator, _ = row["InstanceType"].partition(ends)
        if not separator:
            raise _RowError(f"InstanceType is {row['InstanceType']!r}; a seller, {ends!r} and a type were expected")
        return SELLERS.get(seller, seller)

    def _region(self, row: Mapping[str, str], *, is_spot: bool) -> str:
        in_zone = self.cloud.is_zonal or (is_spot and self.cloud.spot_is_zonal)
        place = row.get("AvailabilityZone", "") if in_zone else row["Region"]
        return place or row["Region"] or "global"

    def _unless_repeated(self, reading: Reading, row: Mapping[str, str]) -> Reading:
        """Let the first price of a series stand: a region is listed once for each of its zones."""
        if not isinstance(reading, Observation):
            return reading
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


def _file_at(url: str, transport: Transport, request: FetchRequest) -> Document:
    return Document.of(SkyPilotCatalog.info.id, transport.get(url, max_bytes=MAX_BYTES), request.now)


def _cloud_name(document: Document) -> str:
    """The cloud in the document's address: a folder, or a part of a file's name."""
    named = [word for word in re.split(r"[^a-z0-9]+", urlsplit(document.url).path.lower()) if word in CLOUDS]
    if not named:
        raise ShapeChanged(f"{document.url} names none of the clouds {', '.join(CLOUDS)}; one of them was expected")
    return named[-1]


def _rows(document: Document) -> Iterator[Mapping[str, str]]:
    rows = exact_csv(document.body)
    first = next(rows, None)
    if first and not document.body.endswith(b"\n"):
        # A transfer that broke off may end within a number, which then is another number.
        raise ShapeChanged("the last line does not end; a whole file was expected")
    if first is None:
        raise ShapeChanged("a header without a single row", path="line 1")
    missing = [name for name in COLUMNS if name not in first]
    if missing:
        raise ShapeChanged(f"no column {', '.join(missing)}; there are {', '.join(first)}", path="line 1")
    return chain([first], rows)


def _count(row: Mapping[str, str]) -> Decimal | None:
    """How many accelerators a machine has; None where the file's figure is no such count."""
    count = decimal_text(row["AcceleratorCount"], "AcceleratorCount")
    if count < 0:
        raise _RowError(f"AcceleratorCount is {count}; a number above zero was expected")
    is_slice = row["AcceleratorName"].startswith("tpu-")
    is_rounded = count * _WHOLE_PARTS != (count * _WHOLE_PARTS).to_integral_value()
    if is_slice or is_rounded or _FRACTIONAL_A10.fullmatch(row["InstanceType"]):
        return None
    whole = count.to_integral_value()
    return whole if whole == count else count


def _sku(row: Mapping[str, str], count: Decimal | None) -> str:
    """The machine's name; for a part without a machine its own, with how many of it."""
    if row["InstanceType"] not in _NO_MACHINE:
        return row["InstanceType"]
    return row["AcceleratorName"] if count is None else f"{row['AcceleratorName']}:{count}"


def _memory(row: Mapping[str, str]) -> Decimal | None:
    """Memory of one GPU, from text that is Python in one file and JSON in another."""
    sizes = re.findall(r"""["']SizeInMiB["']: *([0-9]+)""", row.get("GpuInfo", ""))
    return Decimal(sizes[0]) / 1024 if len(sizes) == 1 else None


def _shortened(row: Mapping[str, str]) -> str:
    return ",".join(row.values())[:500]
