"""Eurostat: what an hour of work costs an employer, by country and activity, each year.

Traps of the feed that decide the shape of this module:

- It is labour cost, not a wage: contributions of the employer are in it. A loading on top of the total
  would count them twice; the loading this feed itself implies, total over wages, is stated beside it.
- The unit reads "Euro", per hour worked; national currencies and purchasing power stand in the same
  dataset under the same dimension.
- An activity is an industry, not an occupation: section J holds every job in it, from reception to research.
- Three figures of one place are rounded one by one, so wages and the rest make the total only nearly.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final

from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Kind, Observation, Reading, RecordSeries, Rejected, Skipped, Status
from pricing_sources.protocols import eurostat
from pricing_sources.protocols.json_stat import Cell
from pricing_sources.source import Cadence, Document, FetchRequest, NotModified, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

DATASET: Final = "lc_lci_lev"
DIMENSIONS: Final = ("freq", "unit", "lcstruct", "nace_r2", "geo", "time")
EURO: Final = "EUR"
PARTS: Final[Mapping[str, str]] = {"D1_D4_MD5": "total", "D11": "wages", "D12_D4_MD5": "benefits"}
"""Structure of labour cost to the words the other feed of hourly compensation uses."""
ACTIVITIES: Final[Mapping[str, str]] = {
    "J": "information and communication",
    "N": "administrative and support service activities",
    "B-S_X_O": "industry, construction and services without public administration",
}
"""NACE Rev. 2: those who build, those who label, and everybody else as a witness."""
FIRST_YEAR: Final = 2008
YEARS_BACK: Final = 3
PER_HOUR: Final = "per hour worked"
SIGNIFICANT_DIGITS: Final = 12
ROUNDING: Final = Decimal("0.15")
"""Each of the three figures is rounded to a tenth of a euro, so their sum is off by up to half of that each."""

_YEAR: Final = re.compile(r"\d{4}")


class LcLciLev:
    """Yearly labour cost per hour worked: total, wages, the rest, and total over wages."""

    info = SourceInfo(
        id="lc_lci_lev",
        title="Labour cost levels by NACE Rev. 2 activity (lc_lci_lev)",
        publisher="Eurostat",
        kinds=(Kind.RECORD,),
        homepage="https://ec.europa.eu/eurostat/databrowser/view/lc_lci_lev/default/table",
        url=f"{eurostat.URL}{DATASET}",
        licence=eurostat.LICENCE,
        attribution="Source: Eurostat, lc_lci_lev (https://doi.org/10.2908/LC_LCI_LEV)",
        # A year comes out in the spring after it, and is mended later: we look in each quarter.
        cadence=Cadence(cron="0 11 10 1,4,7,10 *", timezone="Europe/Luxembourg", jitter=timedelta(hours=2)),
        plausible={
            Unit.PERSON_HOUR: (Decimal("0.5"), Decimal(200)),
            Unit.RATIO: (Decimal(1), Decimal(3)),
        },
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified]:
        """Ask for every country, activity and part: since 2008 the first time, then since three years ago.

        Raises FetchFailed.
        """
        since = FIRST_YEAR if request.seed else request.now.year - YEARS_BACK
        filters = [("freq", "A"), ("unit", EURO)]
        filters += [("lcstruct", part) for part in PARTS]
        filters += [("nace_r2", activity) for activity in ACTIVITIES]
        filters += [("sinceTimePeriod", str(since))]
        yield from eurostat.ask(transport, request, self.info.id, filters)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per place of the table, then one ratio per place that has total and wages.

        Raises ShapeChanged, and Quarantined where Eurostat sent its trouble instead of a table.
        """
        table = eurostat.opened(document.body, DATASET, DIMENSIONS)
        if EURO not in table.dimensions["unit"]:
            raise ShapeChanged(f"costs in {EURO} were expected", path="/dimension/unit")
        words = f"{table.label('unit', EURO)} {PER_HOUR}"
        places: dict[tuple[str, str], dict[str, Observation]] = {}
        for cell in table.cells():
            reading = _reading(cell, words, document.fetched_at)
            if isinstance(reading, Observation) and isinstance(reading.series, RecordSeries):
                places.setdefault((reading.series.name, reading.vintage), {})[reading.series.variant] = reading
            yield reading
        for place in places.values():
            if "total" in place and "wages" in place:
                yield _loading(place)


SOURCE: Final = LcLciLev()


def _reading(cell: Cell, words: str, fetched_at: datetime) -> Reading:
    if cell.codes["unit"] != EURO:
        return Skipped("other_currency", cell.locator)
    found = _series(cell)
    if isinstance(found, str):
        return Rejected(found, cell.locator, cell.text)
    if reason := eurostat.unstated(cell):
        return reason
    year = cell.codes["time"]
    if not _YEAR.fullmatch(year) or not FIRST_YEAR <= int(year) <= fetched_at.year:
        wrong = f"{year[:40]!r} is no year from {FIRST_YEAR} on that had begun"
        return Rejected(wrong, cell.locator, cell.text, found.key)
    if not isinstance(cell.value, Decimal) or cell.value < 0:
        return Rejected(f"{str(cell.value)[:40]!r} where a cost was expected", cell.locator, cell.text, found.key)
    return Observation(
        series=found,
        amount=cell.value,
        currency=EURO,
        unit=Unit.PERSON_HOUR,
        valid_from=datetime(int(year), 1, 1, tzinfo=UTC),
        status=eurostat.status(cell.flags),
        vintage=year,
        published_amount=str(cell.value),
        published_unit=words,
        locator=cell.locator,
        note=eurostat.note(cell.flags),
    )


def _series(cell: Cell) -> RecordSeries | str:
    """The series, or a sentence that says which of its categories is not known."""
    area = eurostat.area(cell.codes["geo"])
    if area is None:
        return f"{cell.codes['geo'][:40]!r} is no country or aggregate, such as DE or EU27_2020"
    for dimension, known in (("lcstruct", PARTS), ("nace_r2", ACTIVITIES)):
        if cell.codes[dimension] not in known:
            return f"{dimension} {cell.codes[dimension][:40]!r} is not known; there are {', '.join(known)}"
    name = f"{area.lower()}_nace_{cell.codes['nace_r2'].lower()}"
    return RecordSeries(source=LcLciLev.info.id, topic="compensation", name=name, variant=PARTS[cell.codes["lcstruct"]])


def _loading(place: Mapping[str, Observation]) -> Reading:
    """Total over wages, if wages and the rest do make the total."""
    total, wages, rest = place["total"], place["wages"], place.get("benefits")
    locator = f"{total.locator} over {wages.locator}"
    published = f"{total.published_amount} / {wages.published_amount}"
    name = total.series.name if isinstance(total.series, RecordSeries) else ""
    if rest is not None and abs(wages.amount + rest.amount - total.amount) > ROUNDING:
        reason = f"wages {wages.amount} and the rest {rest.amount} do not make {total.amount} in {total.vintage}"
        return Rejected(f"{reason} for {name}", locator, published)
    with localcontext(prec=SIGNIFICANT_DIGITS):
        ratio = total.amount / wages.amount
    return Observation(
        series=RecordSeries(source=LcLciLev.info.id, topic="loading", name=name),
        amount=ratio,
        currency=None,
        unit=Unit.RATIO,
        valid_from=total.valid_from,
        status=Status.DERIVED,
        vintage=total.vintage,
        published_amount=published,
        published_unit="total labour cost over wages and salaries",
        locator=locator,
        note="A mean over all occupations of the activity.",
    )
