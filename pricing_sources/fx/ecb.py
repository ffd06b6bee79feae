"""Euro foreign exchange reference rates of the European Central Bank.

Kept as published: so many units of a currency per one euro, never inverted. A rate begins to hold when
it is published, about 16:00 in Frankfurt; before that nobody knew it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from pricing_sources.documents import decimal_text, exact_csv, exact_xml, required, unzipped
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import FxSeries, Kind, Observation, Reading, Rejected, Skipped
from pricing_sources.source import Cadence, Document, FetchRequest, NotModified, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

HISTORY: Final = "eurofxref-hist.zip"
RECENT: Final = "eurofxref-hist-90d.xml"
"""Three months at a time: a gap of up to 90 days closes itself."""
FRANKFURT: Final = ZoneInfo("Europe/Berlin")
PUBLISHED_AT: Final = time(16)
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
NOT_QUOTED: Final = frozenset({"", "N/A"})


class Ecb:
    """Daily reference rates against the euro since 1999."""

    info = SourceInfo(
        id="ecb",
        title="Euro foreign exchange reference rates",
        publisher="European Central Bank",
        kinds=(Kind.FX,),
        homepage="https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/",
        url="https://www.ecb.europa.eu/stats/eurofxref",
        licence="Free reuse with attribution (ESCB)",
        attribution="Source: European Central Bank",
        cadence=Cadence(
            cron="15 16 * * mon-fri",
            timezone="Europe/Berlin",
            jitter=timedelta(minutes=15),
            # Closed days leave up to five days between two rates, at Easter and at Christmas.
            newest_within=timedelta(days=5),
        ),
        # The old Turkish lira stood at 1.9 million per euro before it lost six zeros in 2005.
        plausible={Unit.EURO: (Decimal("0.0001"), Decimal(5_000_000))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified]:
        """Ask for the whole history the first time, for the last 90 days from then on."""
        url = f"{request.url.rstrip('/')}/{HISTORY if request.seed else RECENT}"
        reply = transport.get(url, known=request.known.get(url))
        if reply.not_modified:
            yield NotModified(url)
        else:
            yield Document.of(self.info.id, reply, request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read a history or daily file (zip, CSV, XML) or an SDMX CSV answer: one reading per date and currency."""
        body, today = document.body, document.fetched_at.astimezone(FRANKFURT).date()
        if body[:2] == b"PK":
            body = unzipped(body, member_suffix=".csv")
        if body.lstrip()[:1] == b"<" and b"eurofxref" in body[:500]:
            yield from _xml_readings(body, today)
            return
        rows = exact_csv(body)
        first = next(rows, None)
        if first is None:
            raise ShapeChanged("a header without a single date; nothing was published in that window")
        read = _sdmx_row if "TIME_PERIOD" in first else _table_row
        for line, row in enumerate(_chained(first, rows), start=2):
            yield from read(row, f"line {line}", today)


SOURCE: Final = Ecb()


@dataclass(frozen=True, slots=True)
class _Day:
    """What all rates of one date share."""

    valid_from: datetime
    vintage: str
    future: bool
    """Dated after the document was fetched: no rate is known before its day."""

    @classmethod
    def of(cls, day: date, today: date) -> "_Day":
        published = datetime.combine(day, PUBLISHED_AT, FRANKFURT).astimezone(UTC)
        return cls(published, day.isoformat(), day > today)


def _xml_readings(body: bytes, today: date) -> Iterator[Reading]:
    days = [cube for cube in exact_xml(body).iter() if cube.tag.endswith("}Cube") and "time" in cube.attrib]
    if not days:
        raise ShapeChanged("no dated Cube where rates were expected", path="Envelope/Cube")
    for cube in days:
        day = _Day.of(_iso_date(cube.attrib["time"], "Cube/@time"), today)
        if not len(cube):
            raise ShapeChanged("a date without a single rate", path=f"Cube[@time='{day.vintage}']")
        for rate in cube:
            locator = f"Cube[@time='{day.vintage}']/Cube[@currency='{rate.attrib.get('currency', '')}']"
            code = required(rate.attrib, "currency", locator)
            yield _reading(code, required(rate.attrib, "rate", locator), day, locator)


def _table_row(row: Mapping[str, str], locator: str, today: date) -> Iterator[Reading]:
    """A row of a history or daily CSV file: a date, then a column per currency."""
    day = _Day.of(_date(required(row, "Date", locator), locator), today)
    if len(row) == 1:
        raise ShapeChanged("a date without a single currency", path=locator)
    for code, cell in row.items():
        if code != "Date":
            yield _reading(code, cell, day, f"{locator}, {code}")


def _sdmx_row(row: Mapping[str, str], locator: str, today: date) -> Iterator[Reading]:
    """A row of an EXR answer of the data portal, `format=csvdata`."""
    if required(row, "CURRENCY_DENOM", locator) != "EUR":
        raise ShapeChanged(f"rates against {row['CURRENCY_DENOM']}; only rates per euro can be read", path=locator)
    day = _Day.of(_iso_date(required(row, "TIME_PERIOD", locator), locator), today)
    code, cell = required(row, "CURRENCY", locator), required(row, "OBS_VALUE", locator)
    yield _reading(code, cell, day, locator)


def _reading(code: str, cell: str, day: _Day, locator: str) -> Reading:
    series = _series(code)
    if cell in NOT_QUOTED:
        return Skipped("not_quoted", locator)
    try:
        amount = decimal_text(cell)
    except ValueError as error:
        return Rejected(str(error), locator, cell[:500])
    if amount <= 0:
        return Rejected(f"{amount} {code} per euro; a rate is above zero", locator, cell[:500])
    if day.future:
        return Rejected(f"dated {day.vintage}, after the document was fetched", locator, cell[:500])
    return Observation(
        series=series,
        amount=amount,
        currency=code,
        unit=Unit.EURO,
        valid_from=day.valid_from,
        vintage=day.vintage,
        published_amount=cell,
        published_unit=f"{code} per EUR",
        locator=locator,
    )


@cache
def _series(code: str) -> FxSeries:
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise ShapeChanged(f"{code!r} is not a currency code")
    return FxSeries(source="ecb", base_currency="EUR", quote_currency=code)


def _date(text: str, locator: str) -> date:
    """`2026-04-13` of the history files, or `13 April 2026` of the daily one, whatever the locale."""
    words = text.split()
    if len(words) == 3 and words[1] in MONTHS:
        try:
            return date(int(words[2]), MONTHS.index(words[1]) + 1, int(words[0]))
        except ValueError as error:
            raise ShapeChanged(f"{text!r} is not a date", path=locator) from error
    return _iso_date(text, locator)


def _iso_date(text: str, locator: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ShapeChanged(f"{text!r} is not a date such as 2026-04-13", path=locator) from error


def _chained(first: dict[str, str], rest: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
    yield first
    yield from rest
