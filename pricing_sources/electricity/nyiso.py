"""NYISO: day-ahead prices of New York's eleven zones and four neighbours, hour by hour.

Traps of the feed that decide the shape of this module:

- A stamp is local time without a zone. On the day the clocks go back 01:00 stands twice for each zone,
  and the first is summer time; on the day they go forward 02:00 is missing.
- The price contains losses and congestion; those columns are its parts, and congestion has its sign
  turned around. Only the price is read.
- Files older than about a week are only in a zip of their month.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from pricing_sources.documents import decimal_text, exact_csv, required
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import ElectricitySeries, Kind, Observation, Reading, Rejected
from pricing_sources.source import Cadence, Chapter, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MAX_BYTES: Final = 16 * 1024 * 1024
NEW_YORK: Final = ZoneInfo("America/New_York")
PRICE: Final = "LBMP ($/MWHr)"
FIRST_MONTH: Final = date(2016, 8, 1)
"""Before that the header is cut off."""
DAYS_BACK: Final = 2
DAY_MEMBER: Final = re.compile(r"[0-9]{8}damlbmp_zone\.csv")
MAX_MONTH: Final = 64 * 1024 * 1024


class Nyiso:
    """Day-ahead zonal prices, an hour each."""

    info = SourceInfo(
        id="nyiso",
        title="NYISO day-ahead zonal prices",
        publisher="New York Independent System Operator",
        kinds=(Kind.ELECTRICITY,),
        homepage="http://mis.nyiso.com/public/",
        url="http://mis.nyiso.com/public/csv/damlbmp",
        licence="Public; no licence is stated.",
        attribution="Prices: NYISO",
        cadence=Cadence(
            cron="0 13 * * *",
            timezone="America/New_York",
            jitter=timedelta(minutes=30),
            # Day-ahead: the newest hour is one to come.
            newest_within=timedelta(0),
        ),
        plausible={Unit.MWH: (Decimal(-1000), Decimal(5000))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for yesterday, today and tomorrow; tomorrow may not be out yet. Raises FetchFailed."""
        today = request.now.astimezone(NEW_YORK).date()
        for ahead in range(1 - DAYS_BACK, 2):
            url = f"{request.url}/{today + timedelta(days=ahead):%Y%m%d}damlbmp_zone.csv"
            try:
                reply = transport.get(url, max_bytes=MAX_BYTES)
            except FetchFailed as error:
                if error.status != 404 or ahead < 1:
                    raise
                continue
            yield Document.of(self.info.id, reply, request.now)

    def chapters(self, transport: Transport, request: FetchRequest) -> Sequence[Chapter]:
        """One a month, the running one left to the daily refresh."""
        months, month = [], FIRST_MONTH
        while (month.year, month.month) < (request.now.year, request.now.month):
            months.append(Chapter(f"{month:%Y%m}", f"{request.url}/{month:%Y%m%d}damlbmp_zone_csv.zip"))
            month = (month + timedelta(days=32)).replace(day=1)
        return months

    def fetch_chapter(self, transport: Transport, request: FetchRequest, chapter: Chapter) -> Iterator[Document]:
        """Ask for the zip of one month. Raises FetchFailed."""
        yield Document.of(self.info.id, transport.get(chapter.url, max_bytes=MAX_BYTES), request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per zone and hour, of one day or of every day of a zip. Raises ShapeChanged."""
        if document.body[:2] == b"PK":
            for name, body in _days(document.body):
                yield from _day_readings(body, f"{name}, ")
        else:
            yield from _day_readings(document.body, "")


SOURCE: Final = Nyiso()


def _days(body: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = sorted(name for name in archive.namelist() if DAY_MEMBER.fullmatch(name))
            if not names or sum(archive.getinfo(name).file_size for name in names) > MAX_MONTH:
                raise ShapeChanged("a month of days named like 20260801damlbmp_zone.csv was expected")
            for name in names:
                yield name, archive.read(name)
    except zipfile.BadZipFile as error:
        raise ShapeChanged(f"not a whole zip archive: {error}") from error


def _day_readings(body: bytes, where: str) -> Iterator[Reading]:
    seen: set[tuple[str, str]] = set()
    rows = 0
    for rows, row in enumerate(exact_csv(body), start=1):
        locator = f"{where}line {rows + 1}"
        zone, stamp, price = (required(row, name, locator) for name in ("Name", "Time Stamp", PRICE))
        again = (zone, stamp) in seen
        seen.add((zone, stamp))
        try:
            begins = datetime.strptime(stamp, "%m/%d/%Y %H:%M").replace(tzinfo=NEW_YORK, fold=int(again))
            amount = decimal_text(price)
        except ValueError as error:
            yield Rejected(str(error), locator, str(row)[:500])
            continue
        if again and begins.utcoffset() == begins.replace(fold=0).utcoffset():
            yield Rejected(f"{zone} {stamp} stands twice, and no clock was put back", locator, str(row)[:500])
        else:
            yield _observation(zone, begins, amount, price, locator)
    if not rows:
        raise ShapeChanged("a header without a single hour", path=where.rstrip(", "))


def _observation(zone: str, begins: datetime, amount: Decimal, price: str, locator: str) -> Observation:
    series = ElectricitySeries(
        source=Nyiso.info.id,
        area=f"NYISO-{zone.replace(' ', '_')}",
        sector="all",
        basis="wholesale_day_ahead",
        resolution="PT1H",
    )
    return Observation(
        series=series,
        amount=amount,
        currency="USD",
        unit=Unit.MWH,
        valid_from=begins.astimezone(UTC),
        published_amount=price,
        published_unit="$/MWHr (LBMP)",
        locator=locator,
    )
