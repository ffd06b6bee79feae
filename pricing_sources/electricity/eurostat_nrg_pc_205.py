"""Eurostat: what European businesses paid for a kilowatt-hour, by country, consumption band and tax, each half-year.

Traps of the feed that decide the shape of this module:

- Three prices stand side by side. X_VAT, without VAT and what else a business gets back, is the one
  to plan with; X_TAX is without any tax, I_TAX with all. Subsidies may turn their order around.
- The bands are by yearly use: a rack row of 100 kW is in IC, a site of 20 MW in IG, where many
  countries are confidential or say nothing; then the next smaller band is the nearest figure.
- A zero with the flag `n` means that the figure is negligible or withheld, not that power was free.
- Bands of before 2007 stand in the same dataset under codes of their own.
- A half-year comes out three to nine months after its end, country by country.
- Of countries without the euro the figure is a conversion at the half-year's average rate.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import ElectricitySeries, Kind, Observation, Reading, Rejected, Skipped
from pricing_sources.protocols import eurostat
from pricing_sources.protocols.json_stat import Cell
from pricing_sources.source import Cadence, Document, FetchRequest, NotModified, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

DATASET: Final = "nrg_pc_205"
DIMENSIONS: Final = ("freq", "siec", "nrg_cons", "unit", "tax", "currency", "geo", "time")
ELECTRICITY: Final = "E7000"
KILOWATT_HOUR: Final = "KWH"
EURO: Final = "EUR"
BANDS: Final = {
    "MWH_LT20": "non_household_ia",
    "MWH20-499": "non_household_ib",
    "MWH500-1999": "non_household_ic",
    "MWH2000-19999": "non_household_id",
    "MWH20000-69999": "non_household_ie",
    "MWH70000-149999": "non_household_if",
    "MWH_GE150000": "non_household_ig",
    "TOT_KWH": "non_household",
}
"""Yearly use to the sector of the series: bands IA to IG, and all of them together."""
OLD_BANDS: Final = frozenset(f"MWH{most}" for most in (30, 50, 160, 1250, 2000, 10000, 24000, 50000, 70000))
"""The typical customers of before 2007."""
TAXES: Final = {"X_TAX": "retail_x_tax", "X_VAT": "retail_x_vat", "I_TAX": "retail_i_tax"}
FIRST_YEAR: Final = 2007
YEARS_BACK: Final = 2

_SEMESTER: Final = re.compile(r"(?P<year>\d{4})-S(?P<half>[12])")


class EurostatNrgPc205:
    """Half-yearly electricity prices of non-household customers."""

    info = SourceInfo(
        id="eurostat_nrg_pc_205",
        title="Electricity prices for non-household consumers (nrg_pc_205)",
        publisher="Eurostat",
        kinds=(Kind.ELECTRICITY,),
        homepage="https://ec.europa.eu/eurostat/databrowser/view/nrg_pc_205/default/table",
        url=f"{eurostat.URL}{DATASET}",
        licence=eurostat.LICENCE,
        attribution="Source: Eurostat, nrg_pc_205 (https://doi.org/10.2908/NRG_PC_205)",
        # A half-year fills over months, in no order that is kept: we look once a month.
        cadence=Cadence(
            cron="0 11 5 * *",
            timezone="Europe/Luxembourg",
            jitter=timedelta(hours=2),
            # A half-year comes up to nine months after its end, and is the newest until the next one does.
            newest_within=timedelta(days=640),
        ),
        plausible={Unit.KWH: (Decimal("0.005"), Decimal(2))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified]:
        """Ask for every country, band and tax: since 2007 the first time, then since two years ago.

        Raises FetchFailed.
        """
        since = FIRST_YEAR if request.seed else request.now.year - YEARS_BACK
        filters = [("freq", "S"), ("siec", ELECTRICITY), ("unit", KILOWATT_HOUR), ("currency", EURO)]
        filters += [("nrg_cons", band) for band in BANDS]
        filters += [("tax", tax) for tax in TAXES]
        filters += [("sinceTimePeriod", f"{since}-S1")]
        yield from eurostat.ask(transport, request, self.info.id, filters)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per place of the table that has a figure or a flag.

        Raises ShapeChanged, and Quarantined where Eurostat sent its trouble instead of a table.
        """
        table = eurostat.opened(document.body, DATASET, DIMENSIONS)
        if table.dimensions["unit"] != (KILOWATT_HOUR,):
            raise ShapeChanged(f"prices per {KILOWATT_HOUR} were expected", path="/dimension/unit")
        words = f"{table.label('currency', EURO)} per {table.label('unit', KILOWATT_HOUR)}"
        for cell in table.cells():
            yield _reading(cell, words, document.fetched_at)


SOURCE: Final = EurostatNrgPc205()


def _reading(cell: Cell, words: str, fetched_at: datetime) -> Reading:
    slug = _another_figure(cell)
    if slug:
        return Skipped(slug, cell.locator)
    found = _series(cell)
    if isinstance(found, str):
        return Rejected(found, cell.locator, cell.text)
    if reason := eurostat.unstated(cell):
        return reason
    began = _began(cell.codes["time"])
    if began is None or began > fetched_at:
        wrong = f"{cell.codes['time'][:40]!r} is no half-year that had begun, such as 2025-S2"
        return Rejected(wrong, cell.locator, cell.text, found.key)
    if not isinstance(cell.value, Decimal) or cell.value < 0:
        return Rejected(f"{str(cell.value)[:40]!r} where a price was expected", cell.locator, cell.text, found.key)
    return Observation(
        series=found,
        amount=cell.value,
        currency=EURO,
        unit=Unit.KWH,
        valid_from=began,
        status=eurostat.status(cell.flags),
        vintage=cell.codes["time"],
        published_amount=str(cell.value),
        published_unit=words,
        locator=cell.locator,
        note=eurostat.note(cell.flags),
    )


def _another_figure(cell: Cell) -> str:
    """The reason to leave out a figure of another kind, else nothing."""
    if cell.codes["siec"] != ELECTRICITY:
        return "not_electricity"
    if cell.codes["currency"] != EURO:
        return "other_currency"
    return "band_before_2007" if cell.codes["nrg_cons"] in OLD_BANDS else ""


def _series(cell: Cell) -> ElectricitySeries | str:
    """The series, or a sentence that says which of its categories is not known."""
    area = eurostat.area(cell.codes["geo"])
    if area is None:
        return f"{cell.codes['geo'][:40]!r} is no country or aggregate, such as DE or EU27_2020"
    for dimension, known in (("nrg_cons", BANDS), ("tax", TAXES)):
        if cell.codes[dimension] not in known:
            return f"{dimension} {cell.codes[dimension][:40]!r} is not known; there are {', '.join(known)}"
    sector, basis = BANDS[cell.codes["nrg_cons"]], TAXES[cell.codes["tax"]]
    return ElectricitySeries(source=EurostatNrgPc205.info.id, area=area, sector=sector, basis=basis)


def _began(semester: str) -> datetime | None:
    """The first moment of a half-year; None for what is none."""
    match = _SEMESTER.fullmatch(semester)
    return match and datetime(int(match["year"]), 1 if match["half"] == "1" else 7, 1, tzinfo=UTC)
