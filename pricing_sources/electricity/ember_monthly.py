"""Ember: what electricity cost on Europe's day-ahead markets, averaged by country and month since 2015.

Traps of the feed that decide the shape of this module:

- A row is a statistic of a month, weighted by load, and no market's interval: it has no resolution
  and stands from the first of its month until the next month's figure, as a retail average does.
- The newest month is a running average of the days so far, so until the month is over it is preliminary.
- The file is replaced in place, whole, and corrected backwards; months are missing for some countries.
- Countries are named by three letters here and by two in our other feeds.
- Countries with several zones (Norway, Sweden, Denmark, Italy) get one price, so it is no zone's price.
- A CSV file that was cut short in its last figure still reads well; only the missing line end tells.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from pricing_sources.documents import decimal_text, exact_csv, required
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import ElectricitySeries, Kind, Observation, Reading, Rejected, Skipped, Status
from pricing_sources.source import Cadence, Document, FetchRequest, NotModified, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

PRICE: Final = "Price (EUR/MWhe)"
"""The column that names its own unit; in another unit it would have another name."""
COUNTRIES: Final = {
    "ALB": "AL", "AUT": "AT", "BEL": "BE", "BGR": "BG", "BIH": "BA", "CHE": "CH", "CYP": "CY", "CZE": "CZ",
    "DEU": "DE", "DNK": "DK", "ESP": "ES", "EST": "EE", "FIN": "FI", "FRA": "FR", "GBR": "GB", "GRC": "GR",
    "HRV": "HR", "HUN": "HU", "IRL": "IE", "ITA": "IT", "LTU": "LT", "LUX": "LU", "LVA": "LV", "MDA": "MD",
    "MKD": "MK", "MLT": "MT", "MNE": "ME", "NLD": "NL", "NOR": "NO", "POL": "PL", "PRT": "PT", "ROU": "RO",
    "SRB": "RS", "SVK": "SK", "SVN": "SI", "SWE": "SE", "TUR": "TR", "UKR": "UA",
}  # fmt: skip
"""ISO 3166-1 alpha-3 and alpha-2 of Ember's thirty-two countries and of their neighbours."""
MAX_BYTES: Final = 16 * 1024 * 1024


class EmberMonthly:
    """Monthly average day-ahead prices by country."""

    info = SourceInfo(
        id="ember_monthly",
        title="European wholesale electricity prices, monthly",
        publisher="Ember",
        kinds=(Kind.ELECTRICITY,),
        homepage="https://ember-energy.org/data/european-wholesale-electricity-price-data/",
        url=(
            "https://files.ember-energy.org/public-downloads/price/outputs/"
            "european_wholesale_electricity_price_data_monthly.csv"
        ),
        licence="CC BY 4.0",
        attribution="Ember, European Wholesale Electricity Price Data, CC BY 4.0",
        cadence=Cadence(
            cron="30 10 * * wed",
            jitter=timedelta(hours=2),
            stale_after=3,
            # The newest month is the running one; in its first days it may not be there yet.
            newest_within=timedelta(days=45),
        ),
        plausible={Unit.MWH: (Decimal(-50), Decimal(2000))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified]:
        """Ask for the file, which always is the whole history. Raises FetchFailed."""
        reply = transport.get(request.url, known=request.known.get(request.url), max_bytes=MAX_BYTES)
        if reply.not_modified:
            yield NotModified(request.url)
        else:
            yield Document.of(self.info.id, reply, request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per line, which is a country's month. Raises ShapeChanged."""
        line = 1
        for line, row in enumerate(exact_csv(document.body), start=2):
            yield _reading(row, document.fetched_at, f"line {line}")
        if line == 1:
            raise ShapeChanged("a header without a single month")
        if not document.body.endswith(b"\n"):
            raise ShapeChanged("the last line has no end; the file was cut short", path=f"line {line}")


SOURCE: Final = EmberMonthly()


def _reading(row: Mapping[str, str], fetched_at: datetime, locator: str) -> Reading:
    cell, code = required(row, PRICE, locator), required(row, "ISO3 Code", locator)
    month = _month(required(row, "Date", locator), locator)
    text = f"{code} {month:%Y-%m}: {cell}"[:500]
    if code not in COUNTRIES:
        return Rejected(f"{code[:40]!r} is no country that is known; such as {', '.join(COUNTRIES)}", locator, text)
    if not cell:
        return Skipped("no_price", locator)
    series = ElectricitySeries(
        source=EmberMonthly.info.id, area=COUNTRIES[code], sector="all", basis="wholesale_day_ahead_average"
    )
    if month > fetched_at:
        return Rejected("a month that had not begun when the document was fetched", locator, text, series.key)
    try:
        amount = decimal_text(cell)
    except ValueError as error:
        return Rejected(str(error), locator, text, series.key)
    return Observation(
        series=series,
        amount=amount,
        currency="EUR",
        unit=Unit.MWH,
        valid_from=month,
        status=Status.PRELIMINARY if fetched_at < _after(month) else Status.FINAL,
        vintage=f"{month:%Y-%m}",
        published_amount=cell,
        published_unit=PRICE,
        locator=locator,
    )


def _month(text: str, locator: str) -> datetime:
    try:
        month = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise ShapeChanged(f"{text[:40]!r} is not a date such as 2026-09-01", path=locator) from error
    if month.day != 1:
        raise ShapeChanged(f"{text} is not the first of a month; the monthly file was expected", path=locator)
    return month


def _after(month: datetime) -> datetime:
    """The beginning of the next month."""
    return (month + timedelta(days=31)).replace(day=1)
