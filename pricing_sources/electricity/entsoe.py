"""ENTSO-E Transparency Platform: day-ahead prices of Europe's bidding zones, for holders of a key.

The figures belong to exchanges and grid operators: they may be used here, not served to others.

Traps of the feed that decide the shape of this module:

- With curve type A03 a point is left out where the price stays the same: what is missing repeats what
  went before. With A01 a missing point is a missing price.
- Hours and quarter-hours stand in one answer; each period says which it holds, PT60M or PT15M.
- Austria and Germany have two auctions a day, told apart by a sequence: 1 is the coupled market's, 2 the
  morning auction of EXAA. Sequence 1 is at times late, and then 2 is no replacement.
- Intraday results, contract type A07, are mixed in.
- Without any price the answer is an acknowledgement with the reason, under status 200.
- Days to come were once published as zeros.
- Prices are in the zone's own currency, which has changed within a zone (Poland: EUR, PLN, EUR).
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit
from xml.etree import ElementTree as ET

from pricing_sources.documents import decimal_text, exact_xml
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import INTERVALS, Kind, Reading, Rejected, Skipped
from pricing_sources.protocols.day_ahead import DELIVERY, Auction, Interval, interval_reading
from pricing_sources.source import Cadence, Chapter, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Reply, Transport
from pricing_sources.units import Unit

# ENTSO-E's list of areas with their Energy Identification Codes (transparencyplatform.zendesk.com, article
# 15885757676308), as public clients copy it, 2026-11-23.
ZONES: Final = {
    "AT": "10YAT-APG------L", "BE": "10YBE----------2", "BG": "10YCA-BULGARIA-R", "CH": "10YCH-SWISSGRIDZ",
    "CZ": "10YCZ-CEPS-----N", "DE-LU": "10Y1001A1001A82H", "DK1": "10YDK-1--------W", "DK2": "10YDK-2--------M",
    "EE": "10Y1001A1001A39I", "ES": "10YES-REE------0", "FI": "10YFI-1--------U", "FR": "10YFR-RTE------C",
    "GR": "10YGR-HTSO-----Y", "HR": "10YHR-HEP------M", "HU": "10YHU-MAVIR----U", "IE-SEM": "10Y1001A1001A59C",
    "IT-Calabria": "10Y1001C--00096J", "IT-Centre-North": "10Y1001A1001A70O", "IT-Centre-South": "10Y1001A1001A71M",
    "IT-North": "10Y1001A1001A73I", "IT-Sardinia": "10Y1001A1001A74G", "IT-Sicily": "10Y1001A1001A75E",
    "IT-South": "10Y1001A1001A788", "LT": "10YLT-1001A0008Q", "LV": "10YLV-1001A00074", "ME": "10YCS-CG-TSO---S",
    "MK": "10YMK-MEPSO----8", "NL": "10YNL----------L", "NO1": "10YNO-1--------2", "NO2": "10YNO-2--------T",
    "NO3": "10YNO-3--------J", "NO4": "10YNO-4--------9", "NO5": "10Y1001A1001A48H", "PL": "10YPL-AREA-----S",
    "PT": "10YPT-REN------W", "RO": "10YRO-TEL------P", "RS": "10YCS-SERBIATSOV", "SE1": "10Y1001A1001A44P",
    "SE2": "10Y1001A1001A45N", "SE3": "10Y1001A1001A46L", "SE4": "10Y1001A1001A47J", "SI": "10YSI-ELES-----O",
    "SK": "10YSK-SEPS-----K",
}  # fmt: skip
AREAS: Final = {code: area for area, code in ZONES.items()}
TWO_AUCTIONS: Final = frozenset({"AT", "DE-LU"})
CURRENCIES: Final = frozenset({"BGN", "EUR", "GBP", "PLN", "RON"})
RESOLUTIONS: Final = {"PT15M": "PT15M", "PT30M": "PT30M", "PT60M": "PT1H", "PT1H": "PT1H"}
NAMESPACE: Final = re.compile(r"\{urn:iec62325\.351:tc57wg16:451-3:publicationdocument:7:[0-9]+\}")
NOTHING: Final = "No matching data found"
RECENT: Final = timedelta(days=3)
FIRST_LOOK: Final = timedelta(days=31)
ARCHIVE_BEGINS: Final = date(2015, 2, 1)
"""The platform opened on 2015-01-05."""
MOST_INTERVALS: Final = 36_000
"""In one period: the quarter-hours of a year, for longer than which nobody may ask."""
MAX_BYTES: Final = 16 * 1024 * 1024


class Entsoe:
    """Day-ahead auction results per megawatt-hour, in the zone's currency."""

    info = SourceInfo(
        id="entsoe",
        title="ENTSO-E day-ahead prices",
        publisher="ENTSO-E Transparency Platform",
        kinds=(Kind.ELECTRICITY,),
        homepage="https://transparency.entsoe.eu/",
        url="https://web-api.tp.entsoe.eu/api",
        licence="For holders of a key; prices are owned by others and may not be republished.",
        attribution="Source: ENTSO-E Transparency Platform",
        republish=False,
        on_by_default=False,
        key_setting="COSTPLAN_SOURCE_ENTSOE_KEY",
        cadence=Cadence(
            cron="30 13 * * *",
            timezone="Europe/Brussels",
            jitter=timedelta(minutes=20),
            # Day-ahead: the newest interval is one to come.
            newest_within=timedelta(0),
        ),
        plausible={Unit.MWH: (Decimal(-3000), Decimal(30_000))},  # the auction's limits, in złoty too
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for the last days and tomorrow of each zone; for a month the first time.

        `?zones=FR,NL` at the end of the asked address chooses zones. One that has published nothing
        is left out. Raises FetchFailed, also without a key and if no zone has published anything.
        """
        today = request.now.astimezone(DELIVERY).date()
        begin = today - (FIRST_LOOK if request.seed else RECENT)
        yield from _zones_between(transport, request, begin, today + timedelta(days=2))

    def chapters(self, transport: Transport, request: FetchRequest) -> Sequence[Chapter]:
        """Every full month since February 2015; nothing is asked."""
        this_month = request.now.astimezone(DELIVERY).date().replace(day=1)
        months, month = [], ARCHIVE_BEGINS
        while month < this_month:
            months.append(Chapter(f"{month:%Y-%m}", request.url))
            month = _next_month(month)
        return months

    def fetch_chapter(self, transport: Transport, request: FetchRequest, chapter: Chapter) -> Iterator[Document]:
        """Ask for one month of each zone. Raises FetchFailed."""
        begin = date.fromisoformat(f"{chapter.name}-01")
        yield from _zones_between(transport, request, begin, _next_month(begin))

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per interval of each period, stated or repeated. Raises ShapeChanged."""
        root = exact_xml(document.body)
        if reason := _acknowledged(root):
            raise ShapeChanged(f"an acknowledgement instead of prices: {reason}")
        if not NAMESPACE.match(root.tag) or root.findtext("{*}type") != "A44":
            raise ShapeChanged("a Publication_MarketDocument of type A44 was expected", path=root.tag[:120])
        found = root.findall("{*}TimeSeries")
        if not found:
            raise ShapeChanged("no TimeSeries where prices were expected", path="TimeSeries")
        for number, series in enumerate(found, start=1):
            yield from _series_readings(series, document.fetched_at, f"TimeSeries[{number}]")


SOURCE: Final = Entsoe()


def _zones_between(transport: Transport, request: FetchRequest, begin: date, end: date) -> Iterator[Document]:
    """One answer per zone, from one midnight to another; raises if no zone has published anything."""
    if not request.api_key:
        raise FetchFailed(f"{Entsoe.info.key_setting} is not set; a security token of ENTSO-E was expected")
    missing, found = "", 0
    for zone in _wanted(request.url):
        url = _address(request.url, ZONES[zone], begin, end, request.api_key)
        reply = transport.get(url, max_bytes=MAX_BYTES)
        if reason := _nothing_published(reply, zone):
            missing = reason
            continue
        found += 1
        yield Document.of(Entsoe.info.id, reply, request.now)
    if not found:
        raise FetchFailed(f"{request.url}: {missing}")


def _wanted(url: str) -> Sequence[str]:
    """The zones the asked address names, else all."""
    named = [name for names in parse_qs(urlsplit(url).query).get("zones", []) for name in names.split(",") if name]
    if unknown := [name for name in named if name not in ZONES]:
        raise FetchFailed(f"no zone {', '.join(unknown)}; there are {', '.join(ZONES)}")
    return named or list(ZONES)


def _address(url: str, code: str, begin: date, end: date, api_key: str) -> str:
    # The service takes its token from the address only; it is redacted wherever an address is shown.
    query = {
        "documentType": "A44",
        "in_Domain": code,
        "out_Domain": code,
        "periodStart": _midnight(begin),
        "periodEnd": _midnight(end),
        "contract_MarketAgreement.type": "A01",
        "securityToken": api_key,
    }
    asked = urlsplit(url)
    return urlunsplit((asked.scheme, asked.netloc, asked.path, urlencode(query), ""))


def _nothing_published(reply: Reply, zone: str) -> str:
    """The reason for an answer without prices; raises if it is not that there are none."""
    reason = _acknowledged(exact_xml(reply.body))
    if reason and NOTHING not in reason:
        raise FetchFailed(f"{zone}: {reason}")
    return reason


def _acknowledged(root: ET.Element) -> str:
    """What an acknowledgement says; nothing for another document."""
    if not root.tag.endswith("}Acknowledgement_MarketDocument"):
        return ""
    return (root.findtext("{*}Reason/{*}text") or "no reason is given").strip()[:300]


def _midnight(day: date) -> str:
    return datetime(day.year, day.month, day.day, tzinfo=DELIVERY).astimezone(UTC).strftime("%Y%m%d%H%M")


def _next_month(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _series_readings(series: ET.Element, fetched_at: datetime, path: str) -> Iterator[Reading]:
    area = AREAS.get(_text(series, "in_Domain.mRID", path), "")
    currency, unit = _text(series, "currency_Unit.name", path), _text(series, "price_Measure_Unit.name", path)
    auction = Auction(
        source=Entsoe.info.id,
        area=area,
        currency=currency,
        published_unit=f"{currency}/{unit}",
        fetched_at=fetched_at,
    )
    skip, doubt = _other_auction(series, area), _doubt(series, auction, path)
    periods = series.findall("{*}Period")
    if not periods:
        raise ShapeChanged("no Period where prices were expected", path=path)
    for number, period in enumerate(periods, start=1):
        intervals = list(_intervals(period, _text(series, "curveType", path), f"{path}/Period[{number}]"))
        # Days to come were once published as zeros.
        empty = intervals[0].began > fetched_at and all(each.price == 0 for each in intervals)
        for interval in intervals:
            if skip or empty:
                yield Skipped(skip or "placeholder_zeros", interval.locator)
            elif doubt:
                text = f"{area} {interval.began.isoformat()}: {interval.price} {auction.published_unit}"
                yield Rejected(doubt, interval.locator, text[:500])
            else:
                yield interval_reading(interval, auction)


def _other_auction(series: ET.Element, area: str) -> str:
    """Why a series is not of the coupled day-ahead auction, or nothing."""
    if series.findtext("{*}contract_MarketAgreement.type") != "A01":
        return "not_day_ahead"
    return "exaa_auction" if _sequence(series) == "2" and area in TWO_AUCTIONS else ""


def _doubt(series: ET.Element, auction: Auction, path: str) -> str:
    """Why a series cannot be believed, or nothing."""
    zone, towards = (_text(series, name, path) for name in ("in_Domain.mRID", "out_Domain.mRID"))
    if not auction.area or zone != towards:
        return f"prices from {zone[:40]} to {towards[:40]}; those within a known bidding zone can be read"
    if _sequence(series) != "1":
        return f"sequence {_sequence(series)[:20]!r} in {auction.area}, of which only 1 is known"
    if auction.currency not in CURRENCIES or auction.published_unit != f"{auction.currency}/MWH":
        return f"prices in {auction.published_unit[:40]!r}; {', '.join(sorted(CURRENCIES))} per MWH can be read"
    return ""


def _sequence(series: ET.Element) -> str:
    """Which of a zone's auctions; the only one where nothing is said."""
    return series.findtext("{*}classificationSequence_AttributeInstanceComponent.position") or "1"


def _intervals(period: ET.Element, curve: str, path: str) -> Iterator[Interval]:
    """Every interval of a period, with those that are not stated: repeated for A03, without a price for A01."""
    if curve not in {"A01", "A03"}:
        raise ShapeChanged(f"curve type {curve[:20]!r}; A01 and A03 can be read", path=path)
    begin, end = (_moment(_text(period, f"timeInterval/{{*}}{name}", path), path) for name in ("start", "end"))
    resolution = RESOLUTIONS.get(_text(period, "resolution", path))
    if resolution is None:
        raise ShapeChanged(f"a resolution of {', '.join(RESOLUTIONS)} was expected", path=path)
    step = INTERVALS[resolution]
    count, rest = divmod(end - begin, step)
    if not 1 <= count <= MOST_INTERVALS or rest:
        raise ShapeChanged(f"from {begin} to {end} in steps of {resolution}; whole ones were expected", path=path)
    prices, last = _points(period, count, path), 0
    for position in range(1, count + 1):
        last = position if position in prices or curve == "A01" else last
        yield Interval(
            began=begin + (position - 1) * step,
            resolution=resolution,
            price=prices.get(last),
            locator=f"{path}/position {position}",
            note="" if last in {position, 0} else f"not stated: the price of position {last} goes on",
        )


def _points(period: ET.Element, count: int, path: str) -> dict[int, Decimal | str]:
    """The stated prices by position, each once; what is no number stays a text."""
    prices: dict[int, Decimal | str] = {}
    for point in period.findall("{*}Point"):
        position, price = (_text(point, name, path) for name in ("position", "price.amount"))
        if not position.isdecimal() or not 1 <= int(position) <= count or int(position) in prices:
            raise ShapeChanged(f"position {position[:20]!r}; one of 1 to {count}, each once, was expected", path=path)
        try:
            prices[int(position)] = decimal_text(price)
        except ValueError:
            prices[int(position)] = price
    return prices


def _text(element: ET.Element, name: str, path: str) -> str:
    text = element.findtext(f"{{*}}{name}")
    if text is None or not text.strip():
        raise ShapeChanged(f"{name.replace('{*}', '')} is missing", path=path)
    return text.strip()


def _moment(text: str, path: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise ShapeChanged(f"{text[:40]!r} is not a moment such as 2025-10-01T22:00Z", path=path) from error
