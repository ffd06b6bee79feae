"""AEMO: spot prices of Australia's National Electricity Market, by region.

Traps of the feed that decide the shape of this module:

- A stamp is the end of its interval, in market time: UTC+10 the whole year, also where clocks change.
- Until the end of September 2021 half-hours were settled, the TRADING table; since then five minutes,
  where the TRADING and the DISPATCH price are the same. Dispatch prices before that bought nothing.
- One file holds several tables: a C line opens and closes it, an I line names the columns of a table,
  a D line is one row. The last line counts all lines, which shows a file that was cut short.
- A dispatch that AEMO intervened in stands there twice. The run without the intervention sets the price.
- Prices are often negative; the floor is −1,000 AUD/MWh and the cap of 2026/27 is 23,200.
- Monthly files changed their names in August 2024 to some with a `#`, stored as `%23`, so in an address
  the `%` is escaped once more: `%2523`.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from pricing_sources.documents import decimal_text, required, unzipped
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import ElectricitySeries, Kind, Observation, Reading, Rejected, Skipped, Status
from pricing_sources.source import Cadence, Chapter, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MARKET_TIME: Final = timezone(timedelta(hours=10))
REGIONS: Final = {"NSW1": "AU-NSW", "QLD1": "AU-QLD", "SA1": "AU-SA", "TAS1": "AU-TAS", "VIC1": "AU-VIC"}
"""Market region to ISO 3166-2; NSW1 also covers the capital territory."""
TRADING: Final = ("TRADING", "PRICE")
DISPATCH: Final = frozenset({("DISPATCH", "PRICE"), ("DREGION", "")})
"""Five-minute prices: of the live and monthly files, and of the daily ones."""
FIVE_MINUTE_SETTLEMENT: Final = datetime(2021, 10, 1, tzinfo=MARKET_TIME)
LENGTHS: Final = {"PT5M": timedelta(minutes=5), "PT30M": timedelta(minutes=30)}
STATUSES: Final = {"FIRM": Status.FINAL, "NOT FIRM": Status.PRELIMINARY, "": Status.FINAL}
NEWEST_DAYS: Final = 4
FIRST_LOOK_DAYS: Final = 31
ARCHIVE_BEGINS: Final = date(2009, 7, 1)
NEW_NAMES_SINCE: Final = date(2024, 8, 1)
PUBLISHED_AFTER: Final = timedelta(days=15)
"""A month's file appears about a week after its end."""
MAX_BYTES: Final = 64 * 1024 * 1024
_DAY_FILE: Final = re.compile(rb"PUBLIC_PRICES_[0-9]{12}_[0-9]+\.zip", re.IGNORECASE)
_END: Final = "END OF REPORT"


class Aemo:
    """Regional reference prices in Australian dollars per megawatt-hour."""

    info = SourceInfo(
        id="aemo",
        title="National Electricity Market spot prices",
        publisher="Australian Energy Market Operator",
        kinds=(Kind.ELECTRICITY,),
        homepage=(
            "https://www.aemo.com.au/energy-systems/electricity/national-electricity-market-nem/data-nem/"
            "market-management-system-mms-data"
        ),
        url="https://nemweb.com.au/Reports/Current/Public_Prices/",
        licence="AEMO's general permission: any use, with accurate attribution",
        attribution="Source: AEMO",
        cadence=Cadence(
            cron="25 4 * * *",
            timezone="Australia/Brisbane",
            jitter=timedelta(minutes=20),
            # The file of a day is out the next morning.
            newest_within=timedelta(days=1),
        ),
        plausible={Unit.MWH: (Decimal(-1000), Decimal(25_000))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for the list of daily files, then for the newest of them; for a month of them the first time.

        Always in full: a refresh is measured against the one before, and one new day of four is little.
        Raises FetchFailed; ShapeChanged if none is listed.
        """
        listing = transport.get(request.url, max_bytes=MAX_BYTES).body
        names = sorted({match.group().decode() for match in _DAY_FILE.finditer(listing)})
        if not names:
            raise ShapeChanged(f"no file such as PUBLIC_PRICES_202609080000_20260909040505.zip at {request.url}")
        for name in names[-(FIRST_LOOK_DAYS if request.seed else NEWEST_DAYS) :]:
            url = f"{request.url.rstrip('/')}/{name}"
            yield Document.of(self.info.id, transport.get(url, max_bytes=MAX_BYTES), request.now)

    def chapters(self, transport: Transport, request: FetchRequest) -> Sequence[Chapter]:
        """Every month since July 2009 whose file should be there by now; nothing is asked."""
        latest = (request.now - PUBLISHED_AFTER).astimezone(MARKET_TIME).date()
        months, month = [], ARCHIVE_BEGINS
        while (after := (month + timedelta(days=31)).replace(day=1)) <= latest:
            months.append(Chapter(f"{month:%Y-%m}", _month_url(request.url, month)))
            month = after
        return months

    def fetch_chapter(self, transport: Transport, request: FetchRequest, chapter: Chapter) -> Iterator[Document]:
        """Ask for the trading prices of one month. Raises FetchFailed."""
        yield Document.of(self.info.id, transport.get(chapter.url, max_bytes=MAX_BYTES), request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per D line of a zipped or plain report. Raises ShapeChanged."""
        body = document.body
        if body[:2] == b"PK":
            body = unzipped(body, member_suffix=".CSV")
        for row in _rows(body):
            yield row if isinstance(row, Rejected) else _reading(row)


SOURCE: Final = Aemo()


@dataclass(frozen=True, slots=True)
class _Row:
    """A D line."""

    table: tuple[str, str]
    cells: Mapping[str, str]
    """By column; none for a table without prices."""
    locator: str


def _month_url(listing_url: str, month: date) -> str:
    folder = f"Data_Archive/Wholesale_Electricity/MMSDM/{month:%Y}/MMSDM_{month:%Y_%m}/MMSDM_Historical_Data_SQLLoader"
    name = f"PUBLIC_DVD_TRADINGPRICE_{month:%Y%m}010000.zip"
    if month >= NEW_NAMES_SINCE:
        name = f"PUBLIC_ARCHIVE%2523TRADINGPRICE%2523FILE01%2523{month:%Y%m}010000.zip"
    return f"{listing_url.partition('/Reports/')[0]}/{folder}/DATA/{name}"


def _rows(body: bytes) -> Iterator[_Row | Rejected]:
    """Every D line, and what is wrong if some are missing. Raises ShapeChanged if it is no report."""
    columns: dict[tuple[str, str], list[str]] = {}
    lines, ended = 0, False
    for lines, cells in enumerate(_lines(body), start=1):
        locator = f"line {lines}"
        if ended or (lines == 1) != (cells[0] == "C" and _END not in cells):
            raise ShapeChanged("a report opens with its C line and ends with its END OF REPORT", path=locator)
        if cells[0] == "D":
            yield _row(cells, columns, locator)
        elif cells[0] == "I":
            columns[_table(cells, locator)] = cells
        elif cells[0] == "C":
            ended = _END in cells
            if ended and cells[-1] != str(lines):
                words = f"{lines} lines where the report says it has {cells[-1]}: rows are missing"
                yield Rejected(words, locator, ",".join(cells)[:500])
        else:
            raise ShapeChanged(f"a line of kind {cells[0][:20]!r}; C, I and D are known", path=locator)
    if not ended:
        raise ShapeChanged("the report has no end; it was cut short", path=f"line {lines}")


def _row(cells: list[str], columns: Mapping[tuple[str, str], list[str]], locator: str) -> _Row:
    table = _table(cells, locator)
    if table != TRADING and table not in DISPATCH:
        return _Row(table, {}, locator)
    names = columns.get(table)
    if names is None or len(names) != len(cells):
        raise ShapeChanged(f"a row that does not fit the columns of {' '.join(table)}", path=locator)
    return _Row(table, dict(zip(names[4:], cells[4:], strict=True)), locator)


def _lines(body: bytes) -> Iterator[list[str]]:
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError as error:
        raise ShapeChanged(f"not ASCII text: {error.reason}", path=f"byte {error.start}") from error
    try:
        yield from (cells for cells in csv.reader(io.StringIO(text, newline=""), strict=True) if cells)
    except csv.Error as error:
        raise ShapeChanged(f"not CSV: {error}") from error


def _table(cells: list[str], locator: str) -> tuple[str, str]:
    if len(cells) < 5:
        raise ShapeChanged("a table's name, its version and its columns were expected", path=locator)
    return cells[1], cells[2]


def _reading(row: _Row) -> Reading:
    if not row.cells:
        return Skipped("another_table", row.locator)
    region, stamp, price = (required(row.cells, name, row.locator) for name in ("REGIONID", "SETTLEMENTDATE", "RRP"))
    text, ended = f"{region} until {stamp}: {price}"[:500], _moment(stamp, row.locator)
    if row.table in DISPATCH and ended <= FIVE_MINUTE_SETTLEMENT:
        return Skipped("not_what_was_settled", row.locator)
    if row.cells.get("INTERVENTION", "0") != "0":
        return Skipped("intervention_run", row.locator)
    if not price:
        return Skipped("no_price", row.locator)
    resolution = "PT5M" if ended > FIVE_MINUTE_SETTLEMENT else "PT30M"
    doubt = _doubt(row, ended, LENGTHS[resolution])
    try:
        amount = decimal_text(price)
    except ValueError as error:
        doubt = str(error)
    if doubt:
        return Rejected(doubt, row.locator, text)
    return _observation(row, ended - LENGTHS[resolution], resolution, amount)


def _doubt(row: _Row, ended: datetime, length: timedelta) -> str:
    """Why a row cannot be believed, or nothing."""
    region, status = row.cells["REGIONID"], row.cells.get("PRICE_STATUS", "")
    if region not in REGIONS:
        return f"region {region[:20]!r}; known are {', '.join(REGIONS)}"
    if status not in STATUSES:
        return f"price status {status[:20]!r}; FIRM and NOT FIRM are known"
    began = ended - length
    number, rest = divmod(began - began.replace(hour=0, minute=0, second=0), length)
    if rest:
        return f"no interval of {length} ends at {ended:%H:%M:%S}"
    period = row.cells.get("PERIODID", "") if row.table == TRADING else ""
    if period and period != str(number + 1):
        return f"period {period[:20]} ends at {ended:%H:%M}, which is period {number + 1} of the day"
    return ""


def _observation(row: _Row, began: datetime, resolution: str, amount: Decimal) -> Observation:
    return Observation(
        series=ElectricitySeries(
            source=Aemo.info.id,
            area=REGIONS[row.cells["REGIONID"]],
            sector="all",
            basis="wholesale_spot",
            resolution=resolution,
        ),
        amount=amount,
        currency="AUD",
        unit=Unit.MWH,
        valid_from=began.astimezone(UTC),
        status=STATUSES[row.cells.get("PRICE_STATUS", "")],
        published_amount=row.cells["RRP"],
        published_unit="AUD/MWh (RRP)",
        locator=row.locator,
    )


def _moment(stamp: str, path: str) -> datetime:
    try:
        return datetime.strptime(stamp, "%Y/%m/%d %H:%M:%S").replace(tzinfo=MARKET_TIME)
    except ValueError as error:
        raise ShapeChanged(f"{stamp[:40]!r} is not a moment such as 2026/09/09 00:55:00", path=path) from error
