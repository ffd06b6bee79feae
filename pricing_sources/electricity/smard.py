"""SMARD of the German regulator: day-ahead prices of Germany and its neighbours, a file a week.

Traps of the feed that decide the shape of this module:

- A file names neither its market nor its unit. The market is the number in its address, 4169 for
  Germany with Luxembourg; the unit is EUR/MWh throughout.
- Weeks begin on Monday at midnight in Berlin, and the newest file is filled up with nulls. For some
  hours of a Monday it holds no price at all, so the two newest are read.
- Every market stands there by the hour and by the quarter-hour. Only one of the two is what was
  auctioned: the hour before delivery day 2025-10-01 (its price is repeated in each quarter), the
  quarter-hour since then (the hour is their average). Swiss auctions stayed hourly.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import exact_json, required
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Kind, Reading, Rejected, Skipped
from pricing_sources.protocols.day_ahead import DELIVERY, PLAUSIBLE, Auction, Interval, interval_reading
from pricing_sources.source import Cadence, Chapter, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport


@dataclass(frozen=True, slots=True)
class Market:
    """One of the markets whose prices SMARD shows."""

    number: str
    """What SMARD calls a filter."""
    area: str
    region: str = "DE"
    """The second part of the address."""
    quarter_hours: bool = True
    """False where hours are still what is auctioned."""


MARKETS: Final = (
    Market("4169", "DE-LU", region="DE-LU"),
    Market("4170", "AT"),
    Market("4996", "BE"),
    Market("259", "CH", quarter_hours=False),
    Market("252", "DK1"),
    Market("253", "DK2"),
    Market("254", "FR"),
    Market("256", "NL"),
    Market("257", "PL"),
)
SWITCH: Final = datetime(2025, 10, 1, tzinfo=DELIVERY)
"""From this delivery day on, quarter-hours are auctioned."""
WEEK: Final = timedelta(days=7)
NEWEST_WEEKS: Final = 2
FIRST_LOOK_WEEKS: Final = 5
MAX_BYTES: Final = 4 * 1024 * 1024
LENGTHS: Final = {"hour": ("PT1H", timedelta(hours=1)), "quarterhour": ("PT15M", timedelta(minutes=15))}
UNIT: Final = "EUR/MWh (not in the file)"
_ADDRESS: Final = re.compile(r"(?P<number>[0-9]+)[/_][A-Z0-9-]+[/_](index_)?(?P<length>hour|quarterhour)")


class Smard:
    """Day-ahead auction results in euros per megawatt-hour."""

    info = SourceInfo(
        id="smard",
        title="SMARD day-ahead prices",
        publisher="Bundesnetzagentur",
        kinds=(Kind.ELECTRICITY,),
        homepage="https://www.smard.de/home/downloadcenter/download-marktdaten/",
        url="https://www.smard.de/app/chart_data/4169/DE-LU/index_quarterhour.json",
        licence="CC BY 4.0",
        attribution="Bundesnetzagentur | SMARD.de",
        cadence=Cadence(
            cron="45 14 * * *",
            timezone="Europe/Berlin",
            jitter=timedelta(minutes=30),
            # Day-ahead, but the file of a new week may hold no price yet for some hours of its Monday.
            newest_within=timedelta(days=1),
        ),
        plausible=PLAUSIBLE,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for the index of weeks, then for the newest of each market; five weeks the first time.

        Always in full: a refresh is measured against the one before, and a new week alone is little.
        Raises FetchFailed, also if no market has any of them; ShapeChanged if the index lists no weeks.
        """
        weeks = _weeks(transport, request)
        yield from _files(transport, request, weeks[-(FIRST_LOOK_WEEKS if request.seed else NEWEST_WEEKS) :])

    def chapters(self, transport: Transport, request: FetchRequest) -> Sequence[Chapter]:
        """Every week but the newest. Raises FetchFailed, ShapeChanged."""
        weeks = _weeks(transport, request)[:-NEWEST_WEEKS]
        return [Chapter(f"{week.astimezone(DELIVERY):%Y-%m-%d}", request.url) for week in weeks]

    def fetch_chapter(self, transport: Transport, request: FetchRequest, chapter: Chapter) -> Iterator[Document]:
        """Ask for one week of each market. Raises FetchFailed."""
        week = datetime.fromisoformat(chapter.name).replace(tzinfo=DELIVERY)
        yield from _files(transport, request, [week])

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per row of a week's file, an hour or a quarter-hour each. Raises ShapeChanged."""
        rows = required(exact_json(document.body), "series")
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("a list of moments with prices was expected", path="/series")
        market, length = _market(document.url)
        auction = Auction(
            source=self.info.id,
            area=market.area,
            currency="EUR",
            published_unit=UNIT,
            fetched_at=document.fetched_at,
        )
        for position, row in enumerate(rows):
            yield _reading(row, market, length, auction, f"/series/{position}")


SOURCE: Final = Smard()


def _weeks(transport: Transport, request: FetchRequest) -> list[datetime]:
    """The Mondays for which there is a file, oldest first; they are the same for every market."""
    stamps = required(exact_json(transport.get(request.url, max_bytes=MAX_BYTES).body), "timestamps")
    if not isinstance(stamps, list) or not stamps:
        raise ShapeChanged("a list of moments was expected", path="/timestamps")
    return sorted(_moment(stamp, f"/timestamps/{position}") for position, stamp in enumerate(stamps))


def _files(transport: Transport, request: FetchRequest, weeks: Sequence[datetime]) -> Iterator[Document]:
    """The files of some weeks, of each market that has them; raises if none has."""
    found, missing = 0, FetchFailed(f"{request.url}: no week to ask for")
    for url in _addresses(request.url, weeks):
        try:
            reply = transport.get(url, max_bytes=MAX_BYTES)
        except FetchFailed as failure:
            if failure.status != 404:
                raise
            missing = failure
            continue
        found += 1
        yield Document.of(Smard.info.id, reply, request.now)
    if not found:
        raise missing


def _addresses(index_url: str, weeks: Sequence[datetime]) -> Iterator[str]:
    base = index_url.rsplit("/", 3)[0]
    for market in MARKETS:
        folder = f"{base}/{market.number}/{market.region}/{market.number}_{market.region}"
        for week in weeks:
            yield from (f"{folder}_{length}_{int(week.timestamp() * 1000)}.json" for length in _lengths(market, week))


def _lengths(market: Market, week: datetime) -> Sequence[str]:
    """Which of a week's files hold what was auctioned: both in the week of the switch."""
    ends = (week.astimezone(DELIVERY) + WEEK).astimezone(UTC)
    if not market.quarter_hours or ends <= SWITCH:
        return ("hour",)
    return ("quarterhour",) if week >= SWITCH else ("hour", "quarterhour")


def _market(url: str) -> tuple[Market, str]:
    """The market and the length of interval that an address, or the name of a saved file, speaks of."""
    match = _ADDRESS.search(url)
    found = [market for market in MARKETS if match and market.number == match["number"]]
    if match is None or not found:
        known = ", ".join(f"{market.number} {market.area}" for market in MARKETS)
        raise ShapeChanged(f"{url} names no market; 4169_DE-LU_quarterhour_….json would, of {known}")
    return found[0], match["length"]


def _moment(milliseconds: Any, path: str) -> datetime:
    if not isinstance(milliseconds, Decimal) or not 0 <= milliseconds < 10**13:
        raise ShapeChanged(f"{str(milliseconds)[:40]!r} where milliseconds since 1970 were expected", path=path)
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _reading(row: Any, market: Market, length: str, auction: Auction, locator: str) -> Reading:
    if not isinstance(row, list) or len(row) != 2:
        raise ShapeChanged("a pair of a moment and a price was expected", path=locator)
    began = _moment(row[0], locator)
    resolution, step = LENGTHS[length]
    if began.timestamp() % step.total_seconds():
        return Rejected(f"{began.isoformat()} is not the beginning of a {length}", locator, str(row)[:500])
    if length == "quarterhour" and (began < SWITCH or not market.quarter_hours):
        return Skipped("price_of_the_hour_repeated", locator)
    if length == "hour" and market.quarter_hours and began >= SWITCH:
        return Skipped("average_of_quarter_hours", locator)
    return interval_reading(Interval(began=began, resolution=resolution, price=row[1], locator=locator), auction)
