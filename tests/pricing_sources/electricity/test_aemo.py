import io
import re
import zipfile
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.electricity.aemo import MARKET_TIME, SOURCE
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Observation, Reading, Skipped, Status
from pricing_sources.screening import screened
from pricing_sources.source import Archive, Chapter, Document, FetchRequest
from pricing_sources.transport import HttpTransport, Validators
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.reading import NOW, fetched, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

TRADING = typed(SOURCE, "typed_trading_switch.csv")
DAY = typed(SOURCE, "typed_day_of_prices.csv")


def packed(body: bytes, name: str = "PUBLIC_PRICES_202609090000_20260910040505.CSV") -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(zipfile.ZipInfo(name), body)
    return archive.getvalue()


def report(*rows: str, columns: str = "SETTLEMENTDATE,REGIONID,INTERVENTION,RRP", table: str = "DREGION,,3") -> bytes:
    """A report with these rows of one table, and the count of its lines."""
    lines = ["C,NEMP.WORLD,PRICES,AEMO,PUBLIC", f"I,{table},{columns}", *(f"D,{table},{row}" for row in rows)]
    return "\n".join([*lines, f'C,"END OF REPORT",{len(lines) + 1}', ""]).encode()


def found(readings: list[Reading]) -> list[tuple[datetime, str, str]]:
    return [(one.valid_from, one.series.key, one.published_amount) for one in readings if isinstance(one, Observation)]


def test_a_stamp_is_the_end_of_its_interval_in_market_time() -> None:
    assert found(read(SOURCE, TRADING)) == [
        (day("2021-09-30T13:00"), "aemo/AU-SA/all/wholesale_spot/PT30M", "-90.73"),
        (day("2021-09-30T13:30"), "aemo/AU-SA/all/wholesale_spot/PT30M", "48.57"),
        (day("2021-09-30T14:00"), "aemo/AU-SA/all/wholesale_spot/PT5M", "69.45"),
        (day("2021-09-30T14:05"), "aemo/AU-SA/all/wholesale_spot/PT5M", "0"),
    ]


def test_a_price_is_kept_in_australian_dollars_per_megawatt_hour() -> None:
    first = read(SOURCE, TRADING)[0]
    assert isinstance(first, Observation)
    assert (first.amount, first.currency, first.unit) == (Decimal("-90.73"), "AUD", Unit.MWH)
    assert (first.published_unit, first.dated, first.locator) == ("AUD/MWh (RRP)", True, "line 3")


def test_a_price_that_is_not_firm_is_preliminary() -> None:
    statuses = [one.status for one in read(SOURCE, TRADING) if isinstance(one, Observation)]
    assert statuses == [Status.FINAL, Status.FINAL, Status.FINAL, Status.PRELIMINARY]


def test_the_prices_of_a_day_are_read_from_the_table_of_five_minutes() -> None:
    readings = read(SOURCE, packed(DAY))
    assert found(readings) == [
        (day("2026-09-08T18:00"), "aemo/AU-NSW/all/wholesale_spot/PT5M", "65.5"),
        (day("2026-09-08T18:00"), "aemo/AU-QLD/all/wholesale_spot/PT5M", "56.39502"),
        (day("2026-09-08T18:05"), "aemo/AU-QLD/all/wholesale_spot/PT5M", "-12.4"),
    ]
    assert len(readings) == 6
    assert skipped(readings) == {"intervention_run": 1, "no_price": 1, "another_table": 1}


def test_a_dispatch_price_before_five_minute_settlement_was_not_what_was_settled() -> None:
    before, after = "2021/10/01 00:00:00,SA1,0,5", "2021/10/01 00:05:00,SA1,0,6"
    first, second = read(SOURCE, report(before, after))
    assert first == Skipped("not_what_was_settled", "line 3")
    assert isinstance(second, Observation)


@pytest.mark.parametrize("date", ["2026-10-04", "2026-04-05", "2026-09-09"])
def test_every_day_has_as_many_intervals_also_where_clocks_change(date: str) -> None:
    start = datetime.fromisoformat(date).replace(tzinfo=MARKET_TIME)
    rows = [f"{start + (number + 1) * timedelta(minutes=5):%Y/%m/%d %H:%M:%S},NSW1,0,50" for number in range(288)]
    moments = [began for began, _, _ in found(read(SOURCE, report(*rows)))]
    assert (len(set(moments)), moments[0], moments[-1]) == (288, start, start + timedelta(minutes=287 * 5))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("2026/09/09 04:05:00,WA1,0,5", "region 'WA1'; known are NSW1, QLD1, SA1, TAS1, VIC1"),
        ("2026/09/09 04:06:00,NSW1,0,5", "no interval of 0:05:00 ends at 04:06:00"),
        ("2026/09/09 04:05:00,NSW1,0,n/a", "'n/a' is not a plain decimal number such as 12.34"),
    ],
)
def test_a_row_that_cannot_be_believed_is_held_back(row: str, words: str) -> None:
    assert rejected(read(SOURCE, report(row))) == [words]


def test_a_period_that_does_not_end_when_it_should_is_held_back() -> None:
    body = TRADING.replace(b"SA1,47,", b"SA1,46,").replace(b"NOT FIRM", b"SOFT")
    assert rejected(read(SOURCE, body)) == [
        "period 46 ends at 23:30, which is period 47 of the day",
        "price status 'SOFT'; FIRM and NOT FIRM are known",
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (TRADING.replace(b'C,"END OF REPORT",7\n', b""), "the report has no end; it was cut short (at line 6)"),
        (TRADING + b"D,TRADING,PRICE,2,x\n", "a report opens with its C line and ends with its END OF REPORT"),
        (b"I,TRADING,PRICE,2,RRP\n", "a report opens with its C line"),
        (b'C,"END OF REPORT",1\n', "a report opens with its C line"),
        (b"C,a\nX,b\n", "a line of kind 'X'; C, I and D are known (at line 2)"),
        (b"C,a\nD,TRADING,PRICE,2,5\n", "a row that does not fit the columns of TRADING PRICE (at line 2)"),
        (b"C,a\nI,TRADING\n", "a table's name, its version and its columns were expected (at line 2)"),
        (report("2026-09-09T04:05,NSW1,0,5"), "'2026-09-09T04:05' is not a moment such as 2026/09/09 00:55:00"),
        (report("2026/09/09 04:05:00,5", columns="SETTLEMENTDATE,RRP"), "'REGIONID' is missing (at line 3)"),
        (b'C,"a', "not CSV"),
        (packed(DAY, "prices.txt"), "one member *.CSV was expected"),
        (packed(DAY)[:300], "not a whole zip archive"),
    ],
)
def test_a_report_in_another_shape_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=re.escape(words)):
        read(SOURCE, body)


def mended(path: Path) -> bytes:
    """A recorded report that was thinned, with the count of the lines that were left."""
    with zipfile.ZipFile(path) as archive:
        body = archive.read(archive.namelist()[0])
    return re.sub(rb'(END OF REPORT",)[0-9]+', rb"\g<1>%d" % len(body.splitlines()), body)


MONTHS = {
    "PUBLIC_DVD_TRADINGPRICE_202109010000.zip": (480, "PT30M", 7203),
    "PUBLIC_DVD_TRADINGPRICE_202110010000.zip": (2880, "PT5M", 44643),
    "PUBLIC_ARCHIVE%23DISPATCHPRICE%23FILE01%23202409010000.zip": (2880, "PT5M", 43203),
}


@pytest.mark.parametrize("name", MONTHS)
def test_the_recorded_months_are_read(recorded: Path, name: str) -> None:
    count, resolution, _ = MONTHS[name]
    readings = read(SOURCE, mended(recorded / "other/aemo" / name))
    assert Counter(key for _, key, _ in found(readings)) == {
        f"aemo/{area}/all/wholesale_spot/{resolution}": count // 2 for area in ("AU-NSW", "AU-SA")
    }
    assert len(readings) == count
    assert list(screened(readings, SOURCE.info.plausible)) == readings


def test_a_report_that_lost_lines_says_so_beside_the_prices_it_still_has() -> None:
    whole, thinned = read(SOURCE, TRADING), read(SOURCE, TRADING.replace(b'REPORT",7', b'REPORT",8'))
    assert thinned[:-1] == whole
    assert rejected(thinned) == ["7 lines where the report says it has 8: rows are missing"]


@pytest.mark.parametrize("name", MONTHS)
def test_a_recorded_month_that_lost_lines_says_so(recorded: Path, name: str) -> None:
    count, _, stated = MONTHS[name]
    readings = read(SOURCE, (recorded / "other/aemo" / name).read_bytes())
    assert (len(readings), rejected(readings)) == (
        count + 1,
        [f"{count + 3} lines where the report says it has {stated}: rows are missing"],
    )


def test_the_recorded_september_is_negative_two_times_in_five(recorded: Path) -> None:
    readings = read(SOURCE, mended(recorded / "other/aemo/PUBLIC_ARCHIVE%23DISPATCHPRICE%23FILE01%23202409010000.zip"))
    amounts = [one.amount for one in readings if isinstance(one, Observation)]
    assert sum(amount < 0 for amount in amounts) == 1219
    assert (str(min(amounts)), round(max(amounts))) == ("-99.21", 17307)
    assert min(began for began, _, _ in found(readings)) == day("2024-08-31T14:00")


def test_the_recorded_live_excerpt_is_read(recorded: Path) -> None:
    body = (recorded / "other/aemo/dispatchis_2026-09-09_excerpt.csv").read_bytes()
    readings = read(SOURCE, body.replace(b'"END OF REPORT",1123', b'"END OF REPORT",7'))
    assert found(readings) == [
        (day("2026-09-08T14:50"), "aemo/AU-NSW/all/wholesale_spot/PT5M", "65.5"),
        (day("2026-09-08T14:50"), "aemo/AU-QLD/all/wholesale_spot/PT5M", "56.39502"),
    ]
    assert (len(readings), skipped(readings)) == (3, {"another_table": 1})


LISTING = "/Reports/Current/Public_Prices/"
NAMES = [f"PUBLIC_PRICES_2026{date}0000_20261101040505.zip" for date in ("1026", "1027", "1028", "1029", "1030")]


def listed(feed: Feed) -> None:
    links = "".join(f'<A HREF="{LISTING}{name}">{name}</A><br>' for name in reversed(NAMES))
    feed.answers = {LISTING: [reply(f"<html><pre>{links}</pre></html>".encode())]}
    feed.answers |= {LISTING + name: [reply(packed(DAY))] for name in NAMES}


def test_the_newest_days_of_the_list_are_asked_for(feed: Feed) -> None:
    listed(feed)
    documents = list(fetched(SOURCE, feed.url(LISTING)))
    assert [path for path, _ in feed.asked] == [LISTING, *(LISTING + name for name in NAMES[1:])]
    assert isinstance(documents[0], Document)
    assert documents[0].body == packed(DAY)


def test_the_first_look_takes_every_day_that_is_listed(feed: Feed) -> None:
    listed(feed)
    assert len(list(fetched(SOURCE, feed.url(LISTING), seed=True))) == 5


def test_a_known_day_is_asked_for_in_full(feed: Feed) -> None:
    listed(feed)
    known = {feed.url(LISTING + NAMES[4]): Validators(etag='"d"')}
    assert len(list(fetched(SOURCE, feed.url(LISTING), known=known))) == 4
    assert not any("if-none-match" in headers for _, headers in feed.asked)


def test_a_list_without_prices_is_refused(feed: Feed) -> None:
    feed.answers = {LISTING: [reply(b"<html>under maintenance</html>")]}
    with pytest.raises(ShapeChanged, match="no file such as PUBLIC_PRICES"):
        list(fetched(SOURCE, feed.url(LISTING)))


def test_every_published_month_is_a_chapter_under_the_name_of_its_time(feed: Feed) -> None:
    assert isinstance(SOURCE, Archive)
    request = FetchRequest(url=feed.url(LISTING), now=day("2026-11-23"))
    with HttpTransport() as transport:
        chapters = {chapter.name: chapter.url for chapter in SOURCE.chapters(transport, request)}
    assert (min(chapters), max(chapters), len(chapters)) == ("2009-07", "2026-10", 208)
    folder = "/Data_Archive/Wholesale_Electricity/MMSDM/2024/MMSDM_2024_{}/MMSDM_Historical_Data_SQLLoader/DATA/"
    assert chapters["2024-07"] == feed.url(folder.format("07") + "PUBLIC_DVD_TRADINGPRICE_202407010000.zip")
    new = folder.format("08") + "PUBLIC_ARCHIVE%2523TRADINGPRICE%2523FILE01%2523202408010000.zip"
    assert chapters["2024-08"] == feed.url(new)
    assert feed.asked == []


def test_a_month_is_a_chapter_only_when_its_file_should_be_there() -> None:
    with HttpTransport() as transport:
        request = FetchRequest(url=SOURCE.info.url, now=day("2026-11-10"))
        assert SOURCE.chapters(transport, request)[-1].name == "2026-09"


def test_a_chapter_is_asked_for_with_its_escaped_name(feed: Feed) -> None:
    path = "/Data_Archive/PUBLIC_ARCHIVE%2523TRADINGPRICE%2523FILE01%2523202408010000.zip"
    feed.answers = {path: [reply(packed(TRADING))]}
    request = FetchRequest(url=feed.url(LISTING), now=NOW)
    with HttpTransport() as transport:
        [document] = SOURCE.fetch_chapter(transport, request, Chapter("2024-08", feed.url(path)))
    assert [asked for asked, _ in feed.asked] == [path]
    assert len(found(list(SOURCE.parse(document)))) == 4
