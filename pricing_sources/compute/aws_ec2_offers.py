"""Amazon EC2 list prices of accelerated instances, on demand and reserved, with years of history.

The source is the price list AWS publishes for every region: half a gigabyte of rows for each, of
which some thousands are about an accelerated machine under Linux. Only those are kept while a file
arrives. Prices are per machine; the table of instance types divides them down to one GPU-hour.

Traps of the feed that decide the shape of this module:

- A reservation is two rows, an hourly price and an upfront sum: only together are they a price.
- Capacity Block machines stand among the on-demand ones, at $0.
- The same machine is listed once for each operating system, tenancy, bundled software and state
  of a capacity reservation; one combination is the price of simply starting it.

A file says when it was published, not when each price began to hold. So a price is dated by the
publication it was seen in, as a lower bound of its age: the next file that repeats it adds nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from pricing_sources.documents import decimal_text
from pricing_sources.observation import (
    GpuSeries,
    Kind,
    Observation,
    PricingCategory,
    Reading,
    Skipped,
    Status,
)
from pricing_sources.protocols import aws_offer_file, aws_offer_index
from pricing_sources.protocols.aws_offer_file import OfferFile, RowError, currency_of, first_stands, price_of, rejected
from pricing_sources.protocols.aws_sizes import SIZES, looks_accelerated
from pricing_sources.source import Cadence, Chapter, Document, FetchRequest, NotModified, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit, divided

SERVICE: Final = "AmazonEC2"
REGIONS: Final = (
    *("us-east-1", "us-east-2", "us-west-2"),
    *("eu-west-1", "eu-central-1", "eu-north-1"),
    *("ap-northeast-1", "ap-south-1"),
)
"""Asked unless the source's URL ends in `?regions=…`: where AWS offers most accelerated types."""
TERMS: Final = {"1yr": 1, "3yr": 3, "1 yr": 1, "3 yr": 3}
HOURS_PER_YEAR: Final = 8760
"""What one year of an upfront sum is spread over (three years: 26,280 hours)."""
UPFRONT: Final = {"No Upfront": "", "Partial Upfront": "_partial_upfront", "All Upfront": "_all_upfront"}
CLASSES: Final = {"standard": "", "convertible": "_convertible"}
COLUMNS: Final = (
    *("SKU", "OfferTermCode", "TermType", "Unit", "PricePerUnit", "Currency", "StartingRange"),
    *("LeaseContractLength", "PurchaseOption", "OfferingClass"),
    *("Instance Type", "Operating System", "Tenancy", "Pre Installed S/W", "operation"),
)

_MACHINE: Final = re.compile(rb'"([a-z][a-z0-9-]*\.[a-z0-9-]+)"')
"""A cell that is the name of an instance type, as no cell before it is."""


class AwsEc2Offers:
    """The bulk price list of Amazon EC2, accelerated instances only."""

    info = SourceInfo(
        id="aws_ec2_offers",
        title="AWS Price List: Amazon EC2",
        publisher="Amazon Web Services",
        kinds=(Kind.GPU,),
        homepage=aws_offer_index.HOMEPAGE,
        url=aws_offer_index.region_index_url(SERVICE),
        licence=aws_offer_index.LICENCE,
        attribution=aws_offer_index.ATTRIBUTION,
        snapshot=True,
        # List prices moved four times in three years; every refresh downloads some gigabytes.
        cadence=Cadence(cron="30 5 * * mon", jitter=timedelta(hours=3)),
        on_by_default=False,
        plausible={
            # From three years, all upfront, of an old card to a rack-scale accelerator in a dear region.
            Unit.GPU_HOUR: (Decimal("0.02"), Decimal(150)),
            Unit.INSTANCE_HOUR: (Decimal("0.02"), Decimal(2000)),
        },
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified]:
        """Ask for the current file of each region. Raises FetchFailed, ShapeChanged."""
        return aws_offer_index.current_files(transport, request, self.info.id, REGIONS, self.excerpt)

    def excerpt(self, pieces: Iterator[bytes]) -> bytes:
        """The preamble, the header and the rows of accelerated machines under Linux, byte for byte."""
        return aws_offer_file.excerpt(pieces, _why_left_out)

    def rows_of_original(self, body: bytes) -> int | None:
        """How many rows the whole file had; None of a whole file. Raises ShapeChanged."""
        return aws_offer_file.rows_of_original(body)

    def chapters(self, transport: Transport, request: FetchRequest) -> Sequence[Chapter]:
        """One published version a month, oldest first."""
        return aws_offer_index.monthly_chapters(transport, request)

    def fetch_chapter(self, transport: Transport, request: FetchRequest, chapter: Chapter) -> Iterator[Document]:
        """Ask for each region's file of one version. Raises FetchFailed."""
        return aws_offer_index.chapter_files(transport, request, self.info.id, chapter, REGIONS, self.excerpt)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read a file or an excerpt: one reading per row; of a reservation's two rows one is the price.

        Raises ShapeChanged if it is no price list of Amazon EC2.
        """
        file = aws_offer_file.opened(document, SERVICE, COLUMNS)
        terms: dict[tuple[str, str], _Term] = {}
        seen: dict[tuple[str, str | None], Observation] = {}
        yield from file.left_out
        for locator, row in file.rows:
            reason = _skip_reason(row)
            if reason is not None:
                yield Skipped(reason, locator)
            elif row["TermType"] == "Reserved":
                yield from terms.setdefault((row["SKU"], row["OfferTermCode"]), _Term()).take(locator, row)
            else:
                yield first_stands(_on_demand(file, row, locator), row, seen)
        for term in terms.values():
            yield from _reserved(file, term, seen)


SOURCE: Final = AwsEc2Offers()


@dataclass(slots=True)
class _Term:
    """The rows of one reservation: what each hour costs, and what is paid at once."""

    parts: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    """By unit, `Hrs` or `Quantity`: place and row."""

    def take(self, locator: str, row: Mapping[str, str]) -> Iterator[Reading]:
        """Keep a row for later, or say what is wrong with it."""
        unit = row["Unit"]
        if unit not in {"Hrs", "Quantity"}:
            yield rejected(f"Unit is {unit!r}; Hrs or Quantity was expected of a reservation", locator, row)
        elif unit in self.parts:
            yield rejected(f"a second {unit} row of one reservation; the first is {self.parts[unit][0]}", locator, row)
        else:
            self.parts[unit] = (locator, row)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is paid for one machine: over so many hours, this much altogether."""

    purchase: str
    category: PricingCategory
    total: Decimal
    hours: int
    published_amount: str
    published_unit: str
    note: str = ""


def _why_left_out(line: bytes) -> str:
    """Name why a line cannot be a price, as `_skip_reason` names it; empty where it may be one."""
    machine = _MACHINE.search(line)
    if machine is None or not _is_accelerated(machine[1]):
        return "not_accelerated"
    if b'"Linux"' not in line:
        return "other_operating_system"
    if b'"Shared"' not in line:
        return "other_tenancy"
    return "capacity_reservation" if b"CapacityReservation" in line else ""


@lru_cache(maxsize=4096)
def _is_accelerated(name: bytes) -> bool:
    return looks_accelerated(name.decode())


def _skip_reason(row: Mapping[str, str]) -> str | None:
    """Name why a row is no price of ours, or return None; the first rule that matches wins."""
    market = row.get("MarketOption", "")
    rules = (
        ("not_accelerated", not looks_accelerated(row["Instance Type"])),
        ("capacity_block", row["operation"].endswith(":CB") or market == "CapacityBlock"),
        ("other_operating_system", row["Operating System"] != "Linux"),
        ("other_tenancy", row["Tenancy"] != "Shared"),
        ("capacity_reservation", row.get("CapacityStatus", "Used") != "Used"),  # unknown before 2018
        ("bundled_software", row["Pre Installed S/W"] not in {"", "NA"}),
        ("other_market", market not in {"", "OnDemand"}),
        ("local_zone", row.get("Location Type", "AWS Region") != "AWS Region"),
        ("other_term", row["TermType"] not in {"OnDemand", "Reserved"}),
    )
    return next((reason for reason, applies in rules if applies), None)


def _on_demand(file: OfferFile, row: Mapping[str, str], locator: str) -> Reading:
    try:
        return _hourly(file, row, locator)
    except RowError as doubt:
        return rejected(str(doubt), locator, row)


def _hourly(file: OfferFile, row: Mapping[str, str], locator: str) -> Reading:
    if row["Unit"] != "Hrs":
        raise RowError(f"Unit is {row['Unit']!r}; Hrs was expected")
    price = price_of(row)
    if price == 0:
        return Skipped("zero_price", locator)
    if row["StartingRange"] not in {"", "0"}:
        return Skipped("volume_tier", locator)
    asked = _Asked("on_demand", PricingCategory.STANDARD, price, 1, row["PricePerUnit"], "Hrs")
    return _observation(file, row, locator, asked)


def _reserved(file: OfferFile, term: _Term, seen: dict[tuple[str, str | None], Observation]) -> Iterator[Reading]:
    """One price of both rows; it stands at the hourly row where there is one."""
    (locator, row), *others = (term.parts[unit] for unit in ("Hrs", "Quantity") if unit in term.parts)
    yield first_stands(_term_price(file, term, row, locator), row, seen)
    for place, _ in others:
        yield Skipped("upfront_part", place)


def _term_price(file: OfferFile, term: _Term, row: Mapping[str, str], locator: str) -> Reading:
    try:
        asked = _spread(term, row)
        return _observation(file, row, locator, asked) if asked.total else Skipped("zero_price", locator)
    except RowError as doubt:
        return rejected(str(doubt), locator, row)


def _spread(term: _Term, row: Mapping[str, str]) -> _Asked:
    """Spread the upfront sum over the term's hours and ADD the hourly price."""
    lease, option, offering = (row[name] for name in ("LeaseContractLength", "PurchaseOption", "OfferingClass"))
    if lease not in TERMS or option not in UPFRONT or offering not in CLASSES:
        raise RowError(f"a reservation of {lease!r}, {option!r}, {offering!r} is not known")
    _require_parts(term, option)
    stated = {unit: part for unit in ("Hrs", "Quantity") if (part := term.parts.get(unit))}
    prices = {unit: price_of(part) for unit, (_, part) in stated.items()}
    hours, upfront = TERMS[lease] * HOURS_PER_YEAR, prices.get("Quantity", Decimal(0))
    return _Asked(
        purchase=f"reserved_{TERMS[lease]}y{UPFRONT[option]}{CLASSES[offering]}",
        category=PricingCategory.COMMITTED,
        total=hours * prices.get("Hrs", Decimal(0)) + upfront,
        hours=hours,
        published_amount=" + ".join(part["PricePerUnit"] for _, part in stated.values()),
        published_unit=" + ".join(stated),
        note=f"the upfront sum (Quantity) is spread over {hours} hours" if upfront else "",
    )


def _require_parts(term: _Term, option: str) -> None:
    wanted = {"No Upfront": {"Hrs"}, "Partial Upfront": {"Hrs", "Quantity"}, "All Upfront": {"Quantity"}}[option]
    if missing := wanted - term.parts.keys():
        raise RowError(f"{option} without its {' and '.join(sorted(missing))} row would be stated too low")


def _observation(file: OfferFile, row: Mapping[str, str], locator: str, asked: _Asked) -> Observation:
    series = _series(file, row, asked)
    per = series.gpu_count
    return Observation(
        series=series,
        amount=divided(asked.total, asked.hours * (per or Decimal(1))),
        currency=currency_of(row),
        unit=Unit.GPU_HOUR if per else Unit.INSTANCE_HOUR,
        valid_from=file.published_at,
        dated=False,
        status=Status.DERIVED if asked.note else Status.FINAL,
        published_amount=asked.published_amount,
        published_unit=asked.published_unit,
        locator=locator,
        note="; ".join(filter(None, (asked.note, _sharing(row["Instance Type"], per)))),
    )


def _series(file: OfferFile, row: Mapping[str, str], asked: _Asked) -> GpuSeries:
    name = row["Instance Type"]
    size = SIZES.get(name)
    return GpuSeries(
        source=AwsEc2Offers.info.id,
        provider="aws",
        sku=name,
        region=file.region_of(row),
        purchase=asked.purchase,
        pricing_category=asked.category,
        accelerator=size.accelerator if size else "",
        gpu_count=size.count if size else _stated_count(row),
        gpu_memory_gb=size.memory_gb if size else None,
    )


def _stated_count(row: Mapping[str, str]) -> Decimal | None:
    """The feed's own count, for a type newer than our table."""
    try:
        count = decimal_text(row.get("GPU", ""))
    except ValueError:
        return None
    return count if count > 0 else None


def _sharing(instance_type: str, count: Decimal | None) -> str:
    """Say how many accelerators share the price, and who says so; the same words for many prices."""
    if count is None:
        return "price of a whole machine; its number of accelerators is not documented here"
    size = SIZES.get(instance_type)
    return f"price of a machine with {count} accelerators ({size.source if size else 'column GPU'})"
