"""Energy-Charts of Fraunhofer ISE: day-ahead prices of fifteen European bidding zones.

Traps of the feed that decide the shape of this module:

- Only some zones are open. Each answer words its own licence, and one that is not CC BY is refused:
  its prices may not be served to others. The zones asked for are the fifteen that are open.
- The text of the unit has read "EUR/MWh", "EUR / MWh" and, for a while, "No Unit". Prices in words
  that are not known are held back, each of them, for a person to look at.
- No field says how long an interval is. The market went from hours to quarter-hours with the delivery
  day of 2025-10-01 (Switzerland did not), so one answer may hold both: the shortest step within a
  delivery day is the length of that day's intervals.
- The answer does not name its zone; its address does, `?bzn=DK1`, and without one it is DE-LU.
- `start` and `end` are delivery days, and `end` is included.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from pricing_sources.documents import exact_json, required
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import INTERVALS, Kind, Reading, Rejected
from pricing_sources.protocols.day_ahead import DELIVERY, PLAUSIBLE, Auction, Interval, interval_reading
from pricing_sources.source import Cadence, Chapter, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport

ZONES: Final = (
    "AT", "BE", "CH", "CZ", "DE-LU", "DK1", "DK2", "FR", "HU", "IT-North", "NL", "NO2", "PL", "SE4", "SI",
)  # fmt: skip
"""The zones under CC BY 4.0 (terms of api.energy-charts.info, as of 2026-10); the others are for private use only."""
DEFAULT_ZONE: Final = "DE-LU"
"""What the service answers for when no zone is named."""
UNITS: Final = frozenset({"EUR/MWh", "EUR / MWh"})
OPEN_LICENCE: Final = "CC BY 4.0"
MAX_BYTES: Final = 4 * 1024 * 1024
RECENT: Final = timedelta(days=3)
FIRST_LOOK: Final = timedelta(days=31)
ARCHIVE_BEGINS: Final = date(2018, 10, 1)
"""Germany and Luxembourg are a zone of their own since this day."""
_LENGTHS: Final = {length: name for name, length in INTERVALS.items()}


class EnergyCharts:
    """Day-ahead auction results in euros per megawatt-hour."""

    info = SourceInfo(
        id="energy_charts",
        title="Energy-Charts day-ahead prices",
        publisher="Fraunhofer Institute for Solar Energy Systems ISE",
        kinds=(Kind.ELECTRICITY,),
        homepage="https://api.energy-charts.info/",
        url="https://api.energy-charts.info/price",
        licence="CC BY 4.0 for the zones asked for; every answer states it, and an answer that does not is refused.",
        attribution="Bundesnetzagentur | SMARD.de, by way of Energy-Charts (Fraunhofer ISE), CC BY 4.0",
        cadence=Cadence(
            cron="15 13 * * *",
            timezone="Europe/Berlin",
            jitter=timedelta(minutes=20),
            # Day-ahead: the newest interval is one to come.
            newest_within=timedelta(0),
        ),
        plausible=PLAUSIBLE,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for the last days and tomorrow of each zone; the first time for a month.

        `?bzn=FR,NL` at the end of the asked address chooses zones. One that has published nothing
        is left out. Raises FetchFailed, also if none has.
        """
        today = request.now.astimezone(DELIVERY).date()
        begin = today - (FIRST_LOOK if request.seed else RECENT)
        yield from _zones_between(transport, request, begin, today + timedelta(days=1))

    def chapters(self, transport: Transport, request: FetchRequest) -> Sequence[Chapter]:
        """Every full month since October 2018; nothing is asked."""
        this_month = request.now.astimezone(DELIVERY).date().replace(day=1)
        months, month = [], ARCHIVE_BEGINS
        while month < this_month:
            months.append(Chapter(f"{month:%Y-%m}", request.url))
            month = _next_month(month)
        return months

    def fetch_chapter(self, transport: Transport, request: FetchRequest, chapter: Chapter) -> Iterator[Document]:
        """Ask for one month of each zone. Raises FetchFailed."""
        begin = date.fromisoformat(f"{chapter.name}-01")
        yield from _zones_between(transport, request, begin, _next_month(begin) - timedelta(days=1))

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per interval, from the parallel lists of seconds and prices.

        Raises ShapeChanged if the lists do not fit together, or the licence is not open.
        """
        answer = exact_json(document.body)
        starts, prices = _columns(answer)
        licence, unit = (str(required(answer, name)) for name in ("license_info", "unit"))
        if not licence.startswith(OPEN_LICENCE):
            raise ShapeChanged(f"licensed as {licence[:120]!r}; only {OPEN_LICENCE} may be kept", path="/license_info")
        auction = Auction(
            source=self.info.id,
            area=_zone(document.url),
            currency="EUR",
            published_unit=unit,
            fetched_at=document.fetched_at,
        )
        steps = _steps(starts)
        for position, (began, price) in enumerate(zip(starts, prices, strict=True)):
            yield _reading(began, price, steps.get(_delivery_day(began)), f"/price/{position}", auction)


SOURCE: Final = EnergyCharts()


def _zones_between(transport: Transport, request: FetchRequest, begin: date, end: date) -> Iterator[Document]:
    """One answer per zone with both days included; raises if no zone has published anything."""
    asked = urlsplit(request.url)
    named = [name for names in parse_qs(asked.query).get("bzn", []) for name in names.split(",") if name]
    missing: list[FetchFailed] = []
    for zone in named or ZONES:
        query = urlencode({"bzn": zone, "start": begin.isoformat(), "end": end.isoformat()})
        url = urlunsplit((asked.scheme, asked.netloc, asked.path, query, ""))
        try:
            reply = transport.get(url, max_bytes=MAX_BYTES)
        except FetchFailed as failure:
            if failure.status != 404:  # what the service answers for days without prices
                raise
            missing.append(failure)
        else:
            yield Document.of(EnergyCharts.info.id, reply, request.now)
    if len(missing) == len(named or ZONES):
        raise missing[-1]


def _next_month(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _columns(answer: Any) -> tuple[list[datetime], list[Any]]:
    """The beginnings of the intervals, each later than the one before, and what stands beside them."""
    seconds, prices = required(answer, "unix_seconds"), required(answer, "price")
    if not isinstance(seconds, list) or not isinstance(prices, list) or not seconds:
        raise ShapeChanged("lists of seconds and prices were expected", path="/unix_seconds")
    if len(seconds) != len(prices):
        raise ShapeChanged(f"{len(prices)} prices for {len(seconds)} moments", path="/price")
    starts = [_moment(one, f"/unix_seconds/{position}") for position, one in enumerate(seconds)]
    for position, (before, after) in enumerate(pairwise(starts), start=1):
        if after <= before:
            raise ShapeChanged("a moment that is not after the one before it", path=f"/unix_seconds/{position}")
    return starts, prices


def _moment(seconds: Any, path: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (TypeError, ValueError, OverflowError, OSError) as fault:
        raise ShapeChanged(f"{str(seconds)[:40]!r} where Unix seconds were expected", path=path) from fault


def _zone(url: str) -> str:
    """The bidding zone an answer is about, from its address or, of a saved file, from its name."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return parse_qs(parts.query).get("bzn", [DEFAULT_ZONE])[0]
    named = [word for word in re.split(r"[_./ ]", parts.path) if word in ZONES]
    if len(named) != 1:
        raise ShapeChanged(
            f"{url} does not say which zone it is about; a name such as price_DE-LU.json would, of {', '.join(ZONES)}"
        )
    return named[0]


def _steps(starts: Sequence[datetime]) -> Mapping[date, timedelta]:
    """The shortest step between two intervals of each delivery day that has two."""
    steps: dict[date, timedelta] = {}
    for before, after in pairwise(starts):
        day = _delivery_day(before)
        if _delivery_day(after) == day:
            steps[day] = min(after - before, steps.get(day, after - before))
    return steps


def _delivery_day(began: datetime) -> date:
    return began.astimezone(DELIVERY).date()


def _reading(began: datetime, price: Any, step: timedelta | None, locator: str, auction: Auction) -> Reading:
    text = f"{auction.area} {began.isoformat()}: {price} {auction.published_unit}"[:500]
    if auction.published_unit not in UNITS:
        words = f"prices in {auction.published_unit[:40]!r}; {' or '.join(sorted(UNITS))} is what can be read"
        return Rejected(words, locator, text)
    if step not in _LENGTHS:
        day, lengths = _delivery_day(began), ", ".join(INTERVALS)
        return Rejected(f"intervals {step or 'of unknown length'} apart on {day}; known are {lengths}", locator, text)
    return interval_reading(Interval(began=began, resolution=_LENGTHS[step], price=price, locator=locator), auction)
