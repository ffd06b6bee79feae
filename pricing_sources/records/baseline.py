"""Dated records that ship with the package: every input the formulas need, each with its page.

A first run without a network has prices, and each of them says where a person read it and when. A
record is a fact of its date and never changes: a newer figure is a newer record of the same series.
Feeds are better wherever there is one; their series have other keys and do not mix with these.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final

from pricing_sources.documents import decimal_text
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import (
    ElectricitySeries,
    FxSeries,
    GpuSeries,
    Kind,
    Observation,
    PricingCategory,
    Reading,
    RecordSeries,
    SalarySeries,
    Series,
    Status,
)
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

ID: Final = "baseline"
PACKAGE: Final = "pricing_sources.records"
FILE: Final = "baseline.toml"
URL: Final = "package:pricing_sources/records/baseline.toml"


class Baseline:
    """The records of baseline.toml."""

    info = SourceInfo(
        id=ID,
        title="Bundled records",
        publisher="llm-cost-planner",
        kinds=(Kind.GPU, Kind.ELECTRICITY, Kind.SALARY, Kind.FX, Kind.RECORD),
        homepage=URL,
        url=URL,
        licence="Facts, each with the page it was read on; the collection is Apache-2.0",
        attribution="See the page of each record",
        # Reading our own file costs nothing, and a new version of the package is read within a day.
        # There is no publication to miss, so it is not stale before ten years of not being read.
        cadence=Cadence(cron="20 0 * * *", stale_after=3650),
        plausible={
            Unit.GPU_HOUR: (Decimal("0.03"), Decimal(50)),
            Unit.GPU: (Decimal(300), Decimal(100_000)),
            Unit.KW: (Decimal("0.05"), Decimal(20)),
            Unit.KWH: (Decimal("0.01"), Decimal(1)),
            Unit.PERSON_YEAR: (Decimal(15_000), Decimal(1_000_000)),
            Unit.PERSON_HOUR: (Decimal("0.5"), Decimal(500)),
            Unit.EURO: (Decimal("0.1"), Decimal(100_000)),
            Unit.GB_MONTH: (Decimal("0.001"), Decimal("0.2")),
            Unit.GB: (Decimal("0.001"), Decimal("0.5")),
            Unit.LABEL: (Decimal("0.0005"), Decimal(200)),
            Unit.TOKENS_1M: (Decimal("0.01"), Decimal(1_000)),
            Unit.RATIO: (Decimal("0.1"), Decimal(5)),
            Unit.HOUR: (Decimal(10), Decimal(3000)),
            Unit.YEAR: (Decimal(100_000), Decimal(500_000_000)),
        },
        bundled=True,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Yield the packaged file as it is; no network is asked."""
        del transport
        yield Document(
            source_id=ID,
            url=URL,
            body=files(PACKAGE).joinpath(FILE).read_bytes(),
            fetched_at=request.now,
            media_type="application/toml",
        )

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one observation per record.

        Raises ShapeChanged, naming table and position, at the first record that is not whole.
        """
        tables = _tables(document.body)
        for table, read_series in _SERIES_OF.items():
            for position, fields in enumerate(tables.get(table, [])):
                yield _observation(_Entry(fields, f"/{table}/{position}"), read_series)


SOURCE: Final = Baseline()


@dataclass(frozen=True, slots=True)
class _Entry:
    """One record of the file, remembering which of its fields were read."""

    fields: Mapping[str, Any]
    path: str
    read: set[str] = field(default_factory=set)

    def text(self, name: str, default: str | None = None) -> str:
        """A text field; required without a default."""
        found = self._field(name, str, default)
        if not found and default is None:
            raise ShapeChanged(f"{name} is empty", path=f"{self.path}/{name}")
        return str(found)

    def number(self, name: str) -> Decimal:
        """A positive number written as text, so that no digit is lost."""
        try:
            amount = decimal_text(self.text(name), name)
        except ValueError as error:
            raise ShapeChanged(str(error), path=f"{self.path}/{name}") from error
        if amount <= 0:
            raise ShapeChanged(f"{name} is {amount}; a number above zero was expected", path=f"{self.path}/{name}")
        return amount

    def day(self, name: str) -> date:
        """A date such as 2026-03-01, unquoted."""
        found: date = self._field(name, date, None)
        return found

    def moment(self, name: str) -> datetime:
        """A date, which is its midnight in UTC, or a time with its offset: 2026-03-01T14:00:00Z."""
        if type(self.fields.get(name)) is not datetime:
            day = self.day(name)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        found: datetime = self._field(name, datetime, None)
        if found.tzinfo is None:
            raise ShapeChanged(f"{name} is {found}; a time needs its offset", path=f"{self.path}/{name}")
        return found.astimezone(UTC)

    def unit(self) -> Unit:
        """The unit, spelt as in `Unit`."""
        name = self.text("unit")
        try:
            return Unit(name)
        except ValueError as error:
            known = ", ".join(Unit)
            raise ShapeChanged(f"{name!r} is no unit; there are {known}", path=f"{self.path}/unit") from error

    def refuse_leftovers(self) -> None:
        """Raise ShapeChanged if a field was not read: a misspelt one would be lost silently."""
        unknown = sorted(self.fields.keys() - self.read)
        if unknown:
            raise ShapeChanged(f"unknown fields {', '.join(unknown)}", path=self.path)

    def _field(self, name: str, kind: type, default: object) -> Any:
        self.read.add(name)
        found = self.fields.get(name, default)
        if found is None:
            raise ShapeChanged(f"{name} is missing", path=self.path)
        if type(found) is not kind:
            message = f"{name} is {found!r}; {kind.__name__} was expected"
            raise ShapeChanged(message, path=f"{self.path}/{name}")
        return found


def _tables(body: bytes) -> dict[str, list[Mapping[str, Any]]]:
    """The record tables of the file, whose heading says how many records there are."""
    try:
        content = tomllib.loads(body.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ShapeChanged(f"not TOML: {error}") from error
    stated = content.pop("records", None)
    if not isinstance(stated, int):
        raise ShapeChanged("the number of records was expected", path="/records")
    for name, table in content.items():
        if name not in _SERIES_OF or not isinstance(table, list):
            raise ShapeChanged(f"one of the lists {', '.join(_SERIES_OF)} was expected", path=f"/{name}")
        if not all(isinstance(record, dict) for record in table):
            raise ShapeChanged("a list of records was expected", path=f"/{name}")
    found = sum(len(table) for table in content.values())
    if found != stated or not found:
        raise ShapeChanged(f"{found} records where the file says {stated}", path="/records")
    return content


def _observation(record: _Entry, read_series: Callable[[_Entry], Series]) -> Observation:
    since, read_on = record.moment("since"), record.day("read_on")
    if since.date() > read_on:
        raise ShapeChanged(f"since {since.date()} is after the day it was read, {read_on}", path=f"{record.path}/since")
    url = record.text("url")
    if not url.startswith(("https://", "http://")):
        raise ShapeChanged(f"{url!r} is no address of a page", path=f"{record.path}/url")
    try:
        made = Observation(
            series=read_series(record),
            amount=record.number("amount"),
            currency=record.text("currency", "") or None,
            unit=record.unit(),
            valid_from=since,
            status=Status.MANUAL,
            vintage=record.text("vintage", ""),
            published_amount=record.text("published_amount"),
            published_unit=record.text("published_unit"),
            locator=record.path,
            reference_url=url,
            note=f"Read on {read_on}. {record.text('note', '')}".rstrip(),
        )
    except ValueError as error:
        raise ShapeChanged(str(error), path=record.path) from error
    record.refuse_leftovers()
    return made


def _gpu(record: _Entry) -> GpuSeries:
    purchase = record.text("purchase")
    return GpuSeries(
        source=ID,
        provider=record.text("provider"),
        sku=record.text("sku"),
        region=record.text("region"),
        purchase=purchase,
        pricing_category=_PRICING_CATEGORIES.get(purchase, PricingCategory.COMMITTED),
        tier=record.text("tier", ""),
        accelerator=record.text("accelerator"),
        gpu_count=record.number("gpu_count"),
        gpu_memory_gb=record.number("gpu_memory_gb"),
        includes_power=True,
    )


def _electricity(record: _Entry) -> ElectricitySeries:
    return ElectricitySeries(
        source=ID, area=record.text("area"), sector=record.text("sector"), basis=record.text("basis")
    )


def _salary(record: _Entry) -> SalarySeries:
    return SalarySeries(
        source=ID,
        occupation=record.text("occupation"),
        occupation_title=record.text("occupation_title"),
        area=record.text("area"),
        area_title=record.text("area_title"),
        statistic=record.text("statistic"),
    )


def _fx(record: _Entry) -> FxSeries:
    return FxSeries(source=ID, base_currency="EUR", quote_currency=record.text("quote_currency"))


def _other(record: _Entry) -> RecordSeries:
    return RecordSeries(
        source=ID, topic=record.text("topic"), name=record.text("name"), variant=record.text("variant", "")
    )


_PRICING_CATEGORIES: Final = {"on_demand": PricingCategory.STANDARD, "spot": PricingCategory.DYNAMIC}

_SERIES_OF: Final[Mapping[str, Callable[[_Entry], Series]]] = {
    Kind.GPU.value: _gpu,
    Kind.ELECTRICITY.value: _electricity,
    Kind.SALARY.value: _salary,
    Kind.FX.value: _fx,
    Kind.RECORD.value: _other,
}
