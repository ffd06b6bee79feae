"""CAISO OASIS: day-ahead prices of California's three trading hubs, hour by hour.

Traps of the feed that decide the shape of this module:

- Each hour has five rows: the price (LMP) and its parts; only the price is read.
- What went wrong comes as XML inside the zip, with HTTP 200. Code 1000 is "no prices for that window".
- Asking too fast comes as an HTML page with HTTP 200: "Please retry after 5 seconds".
- A window counts the calendar days it touches and may not touch more than 31.
- It keeps thirty-nine months; of an older one it says that there are no prices.
- Rows come in no order, and the hour at the edge of two windows in both.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from pricing_sources.documents import decimal_text, exact_csv, exact_xml, required
from pricing_sources.errors import Quarantined, ShapeChanged
from pricing_sources.observation import ElectricitySeries, Kind, Observation, Reading, Rejected, Skipped
from pricing_sources.source import Cadence, Chapter, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MAX_BYTES: Final = 32 * 1024 * 1024
MAX_UNZIPPED: Final = 128 * 1024 * 1024
HUBS: Final = ("TH_NP15_GEN-APND", "TH_SP15_GEN-APND", "TH_ZP26_GEN-APND")
NO_PRICES: Final = "1000"
KEPT_MONTHS: Final = 39
"""What OASIS keeps on its interface, back from today: of the oldest month only the end."""
SURELY_KEPT: Final = timedelta(days=366)
"""A younger month without a price is trouble that may pass, not a month that was let go."""


class Caiso:
    """Day-ahead hub prices, an hour each."""

    info = SourceInfo(
        id="caiso",
        title="CAISO OASIS day-ahead hub prices",
        publisher="California Independent System Operator",
        kinds=(Kind.ELECTRICITY,),
        homepage="https://oasis.caiso.com/",
        url="https://oasis.caiso.com/oasisapi/SingleZip",
        licence="Public; no licence is stated.",
        attribution="Prices: California ISO",
        cadence=Cadence(
            cron="30 14 * * *",
            timezone="America/Los_Angeles",
            jitter=timedelta(minutes=30),
            # Day-ahead: the newest hour is one to come.
            newest_within=timedelta(0),
        ),
        plausible={Unit.MWH: (Decimal(-500), Decimal(5000))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for two days back and the next, hub by hub. Raises FetchFailed."""
        day = request.now.date()
        yield from self._asked(transport, request, day - timedelta(days=2), day + timedelta(days=2))

    def chapters(self, transport: Transport, request: FetchRequest) -> Sequence[Chapter]:
        """One a month of those that are kept, the running one left to the daily refresh."""
        this_month = request.now.year * 12 + request.now.month - 1
        months = (divmod(this_month - back, 12) for back in range(KEPT_MONTHS, 0, -1))
        return [Chapter(f"{year}{month + 1:02}", request.url) for year, month in months]

    def fetch_chapter(self, transport: Transport, request: FetchRequest, chapter: Chapter) -> Iterator[Document]:
        """Ask for one month in two windows. Raises FetchFailed, ShapeChanged.

        A month that OASIS has let go has no document: a finished chapter, and the next one is read.
        """
        first = date(int(chapter.name[:4]), int(chapter.name[4:]), 1)
        middle, last = first + timedelta(days=16), (first + timedelta(days=32)).replace(day=1)
        answers = [
            *self._asked(transport, request, first, middle),
            *self._asked(transport, request, middle, last),
        ]
        may_be_gone = request.now.date() - last > SURELY_KEPT
        if not may_be_gone or not all(_has_no_prices(answer.body) for answer in answers):
            yield from answers

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per row, of the price and of its parts.

        Raises ShapeChanged, and Quarantined in OASIS's own words where it refused.
        """
        name, body = _member(document.body)
        if name.endswith(".xml"):
            yield from _trouble(body)
            return
        rows = 0
        for rows, row in enumerate(exact_csv(body), start=1):
            yield _reading(row, f"line {rows + 1}")
        if not rows:
            raise ShapeChanged("a header without a single hour")

    def _asked(self, transport: Transport, request: FetchRequest, first: date, last: date) -> Iterator[Document]:
        for hub in HUBS:
            asked = {
                "resultformat": "6",
                "queryname": "PRC_LMP",
                "version": "12",
                "market_run_id": "DAM",
                "node": hub,
                "startdatetime": f"{first:%Y%m%d}T08:00-0000",
                "enddatetime": f"{last:%Y%m%d}T08:00-0000",
            }
            reply = transport.get(f"{request.url}?{urlencode(asked)}", max_bytes=MAX_BYTES)
            yield Document.of(self.info.id, reply, request.now)


SOURCE: Final = Caiso()


def _member(body: bytes) -> tuple[str, bytes]:
    """The one file in the zip, and its name."""
    if b"retry after" in body[:2000].lower():
        raise ShapeChanged("asked too fast: OASIS wants a pause between questions")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = archive.namelist()
            if len(names) != 1 or archive.getinfo(names[0]).file_size > MAX_UNZIPPED:
                raise ShapeChanged(f"one file of prices was expected in the zip, not {', '.join(names[:5]) or 'none'}")
            return names[0].lower(), archive.read(names[0])
    except zipfile.BadZipFile as error:
        raise ShapeChanged(f"not a whole zip archive: {error}") from error


def _has_no_prices(body: bytes) -> bool:
    name, inner = _member(body)
    return name.endswith(".xml") and _words(inner).get("ERR_CODE") == NO_PRICES


def _words(body: bytes) -> Mapping[str, str]:
    return {node.tag.rpartition("}")[2]: (node.text or "").strip() for node in exact_xml(body).iter()}


def _trouble(body: bytes) -> Iterator[Reading]:
    words = _words(body)
    if words.get("ERR_CODE") != NO_PRICES:
        raise Quarantined(f"OASIS refused: {words.get('ERR_CODE', '?')} {words.get('ERR_DESC', '')}".strip())
    yield Skipped("nothing_published", "ERR_CODE")


def _reading(row: Mapping[str, str], locator: str) -> Reading:
    if required(row, "LMP_TYPE", locator) != "LMP":
        return Skipped("part_of_the_price", locator)
    text = required(row, "MW", locator)
    try:
        begins = datetime.fromisoformat(required(row, "INTERVALSTARTTIME_GMT", locator)).astimezone(UTC)
        ends = datetime.fromisoformat(required(row, "INTERVALENDTIME_GMT", locator)).astimezone(UTC)
        amount = decimal_text(text)
    except ValueError as error:
        return Rejected(str(error), locator, str(row)[:500])
    if ends - begins != timedelta(hours=1):
        return Rejected(f"an interval of {ends - begins}; an hour was expected", locator, str(row)[:500])
    node = required(row, "NODE", locator)
    series = ElectricitySeries(
        source=Caiso.info.id,
        area=f"CAISO-{node.removeprefix('TH_').removesuffix('_GEN-APND')}",
        sector="all",
        basis="wholesale_day_ahead",
        resolution="PT1H",
    )
    return Observation(
        series=series,
        amount=amount,
        currency="USD",
        unit=Unit.MWH,
        valid_from=begins,
        published_amount=text,
        published_unit="$/MWh (LMP)",
        locator=locator,
    )
