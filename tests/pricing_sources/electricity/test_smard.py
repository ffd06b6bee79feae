import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from pricing_sources.electricity.smard import MARKETS, SOURCE
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Observation, Reading, Skipped
from pricing_sources.source import Archive, Chapter, Document, FetchRequest
from pricing_sources.transport import HttpTransport, Validators
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.reading import NOW, fetched, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

# In the shape of the weekly files; the figures are made up.
WEEK = typed(SOURCE, "typed_by_hand_week_of_the_switch.json")
INDEX = "/chart_data/4169/DE-LU/index_quarterhour.json"
MONDAYS = [1758492000000, 1759096800000, 1759701600000]  # 2025-09-22, 2025-09-29 (the week of the switch), 2025-10-06
BERLIN = ZoneInfo("Europe/Berlin")


def week(rows: list[object]) -> bytes:
    return json.dumps({"meta_data": {"version": 1, "created": 1}, "series": rows}).encode()


def saved(name: str, body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="smard", url=f"file:{name}", body=body, fetched_at=NOW)))


def rows_of(date: str, step: timedelta) -> list[object]:
    """A row at 50 EUR for each interval of a day in Berlin."""
    start = datetime.fromisoformat(date).replace(tzinfo=BERLIN)
    begin, end = int(start.timestamp()), int((start + timedelta(days=1)).timestamp())
    return [[1000 * second, 50] for second in range(begin, end, int(step.total_seconds()))]


def keys(readings: list[Reading]) -> list[tuple[datetime, str]]:
    return [(one.valid_from, one.series.key) for one in readings if isinstance(one, Observation)]


def test_a_row_is_the_price_of_a_quarter_hour() -> None:
    readings = read(SOURCE, WEEK)
    series = "smard/DE-LU/all/wholesale_day_ahead/PT15M"
    assert keys(readings) == [(day(f"2025-09-30T22:{minute}"), series) for minute in ("00", "15", "30", "45")]
    first = readings[1]
    assert isinstance(first, Observation)
    assert (first.amount, first.currency, first.unit) == (Decimal("84.99"), "EUR", Unit.MWH)
    assert (first.published_amount, first.published_unit) == ("84.99", "EUR/MWh (not in the file)")
    assert (first.dated, first.locator) == (True, "/series/1")


def test_the_nulls_at_the_end_and_the_quarters_of_an_older_hour_are_skipped() -> None:
    readings = read(SOURCE, WEEK)
    assert len(readings) == 7
    assert readings[0] == Skipped("price_of_the_hour_repeated", "/series/0")
    assert skipped(readings) == {"price_of_the_hour_repeated": 1, "no_price": 2}


def test_in_the_file_of_hours_the_average_of_quarter_hours_is_skipped() -> None:
    readings = saved("4169_DE-LU_hour_1759096800000.json", week([[1759266000000, 90.1], [1759269600000, 60.5]]))
    assert keys(readings) == [(day("2025-09-30T21:00"), "smard/DE-LU/all/wholesale_day_ahead/PT1H")]
    assert skipped(readings) == {"average_of_quarter_hours": 1}


def test_swiss_hours_stay_what_is_auctioned() -> None:
    rows = rows_of("2026-03-02", timedelta(hours=1))
    assert {key for _, key in keys(saved("259_DE_hour_1772406000000.json", week(rows)))} == {
        "smard/CH/all/wholesale_day_ahead/PT1H"
    }
    assert skipped(saved("259_DE_quarterhour_1772406000000.json", week(rows))) == {"price_of_the_hour_repeated": 24}


@pytest.mark.parametrize(
    ("date", "name", "step", "count"),
    [
        ("2025-03-30", "4169_DE-LU_hour_1742770800000.json", timedelta(hours=1), 23),
        ("2024-10-27", "4169_DE-LU_hour_1729461600000.json", timedelta(hours=1), 25),
        ("2026-03-29", "4170_DE_quarterhour_1774220400000.json", timedelta(minutes=15), 92),
        ("2025-10-26", "4170_DE_quarterhour_1760911200000.json", timedelta(minutes=15), 100),
    ],
)
def test_the_days_on_which_clocks_change_have_an_hour_less_or_more(
    date: str, name: str, step: timedelta, count: int
) -> None:
    found = keys(saved(name, week(rows_of(date, step))))
    assert len({began for began, _ in found}) == count
    assert found[-1][0] - found[0][0] == (count - 1) * step


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([1759270500001, 5], "2025-09-30T22:15:00.001000+00:00 is not the beginning of a quarterhour"),
        ([1759270500000, "5"], "'5' where a price was expected"),
        ([1759270500000, True], "'True' where a price was expected"),
        ([1793804400000, 5], "a delivery whose auction had not been held when the document was fetched"),
    ],
)
def test_a_row_that_cannot_be_believed_is_held_back(row: list[object], words: str) -> None:
    assert rejected(read(SOURCE, week([row]))) == [words]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (week([]), "a list of moments with prices was expected"),
        (week([[1759270500000]]), "a pair of a moment and a price was expected (at /series/0)"),
        (week([["later", 5]]), "'later' where milliseconds since 1970 were expected"),
        (week([[10**16, 5]]), "where milliseconds since 1970 were expected"),
        (b'{"timestamps": [1]}', "'series' is missing"),
    ],
)
def test_a_file_in_another_shape_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=re.escape(words)):
        read(SOURCE, body)


@pytest.mark.parametrize("name", ["prices.json", "410_DE_quarterhour_1759096800000.json", "4169_DE-LU_day_1.json"])
def test_a_file_that_names_no_market_of_ours_is_refused(name: str) -> None:
    with pytest.raises(ShapeChanged, match=re.escape(f"{name} names no market; 4169_DE-LU_quarterhour")):
        saved(name, WEEK)


def listed(feed: Feed, *, but: str = "") -> None:
    """An index of three weeks, and the files of each market but one."""
    feed.answers = {INDEX: [reply(json.dumps({"timestamps": MONDAYS}).encode())]}
    for market in MARKETS:
        for length in ("hour", "quarterhour"):
            for monday in MONDAYS:
                name = f"{market.number}_{market.region}_{length}_{monday}.json"
                answer = reply(b"", 404) if market.area == but else reply(WEEK)
                feed.answers[f"/chart_data/{market.number}/{market.region}/{name}"] = [answer]


def asked(feed: Feed) -> list[str]:
    return [path.rsplit("/", 1)[1] for path, _ in feed.asked]


def test_the_two_newest_weeks_of_each_market_are_asked_for(feed: Feed) -> None:
    listed(feed)
    documents = list(fetched(SOURCE, feed.url(INDEX)))
    assert asked(feed)[:4] == [
        "index_quarterhour.json",
        "4169_DE-LU_hour_1759096800000.json",
        "4169_DE-LU_quarterhour_1759096800000.json",
        "4169_DE-LU_quarterhour_1759701600000.json",
    ]
    assert [name for name in asked(feed) if name.startswith("259_")] == [
        "259_DE_hour_1759096800000.json",
        "259_DE_hour_1759701600000.json",
    ]
    assert len(documents) == 8 * 3 + 2


def test_the_first_look_takes_more_weeks(feed: Feed) -> None:
    listed(feed)
    assert len(list(fetched(SOURCE, feed.url(INDEX), seed=True))) == 8 * 4 + 3


def test_a_market_without_a_file_is_left_out(feed: Feed) -> None:
    listed(feed, but="PL")
    assert len(list(fetched(SOURCE, feed.url(INDEX)))) == 7 * 3 + 2


def test_no_file_at_all_is_a_failure(feed: Feed) -> None:
    listed(feed)
    feed.answers = {path: answers if path == INDEX else [reply(b"", 404)] for path, answers in feed.answers.items()}
    with pytest.raises(FetchFailed, match="answered 404"):
        list(fetched(SOURCE, feed.url(INDEX)))


def test_a_known_week_is_asked_for_in_full(feed: Feed) -> None:
    listed(feed)
    path = "/chart_data/4169/DE-LU/4169_DE-LU_quarterhour_1759701600000.json"
    known = {feed.url(path): Validators(etag='"w"')}
    assert len(list(fetched(SOURCE, feed.url(INDEX), known=known))) == 8 * 3 + 2
    assert not any("if-none-match" in headers for _, headers in feed.asked)


@pytest.mark.parametrize("body", [b'{"timestamps": []}', b'{"timestamps": ["x"]}', b"{}"])
def test_an_index_without_weeks_is_refused(feed: Feed, body: bytes) -> None:
    feed.answers = {INDEX: [reply(body)]}
    with pytest.raises(ShapeChanged, match="timestamps"):
        list(fetched(SOURCE, feed.url(INDEX)))


def test_older_weeks_are_chapters_named_by_their_monday(feed: Feed) -> None:
    assert isinstance(SOURCE, Archive)
    listed(feed)
    with HttpTransport() as transport:
        request = FetchRequest(url=feed.url(INDEX), now=NOW)
        assert SOURCE.chapters(transport, request) == [Chapter("2025-09-22", request.url)]


@pytest.mark.parametrize(
    ("monday", "files"),
    [
        ("2025-09-22", ["4169_DE-LU_hour_1758492000000.json"]),
        ("2025-09-29", ["4169_DE-LU_hour_1759096800000.json", "4169_DE-LU_quarterhour_1759096800000.json"]),
        ("2025-10-06", ["4169_DE-LU_quarterhour_1759701600000.json"]),
    ],
)
def test_a_chapter_reads_the_files_that_hold_what_was_auctioned(feed: Feed, monday: str, files: list[str]) -> None:
    listed(feed)
    request = FetchRequest(url=feed.url(INDEX), now=NOW)
    with HttpTransport() as transport:
        documents = list(SOURCE.fetch_chapter(transport, request, Chapter(monday, request.url)))
    assert [name for name in asked(feed) if name.startswith("4169_")] == files
    assert len(documents) == 8 * len(files) + 1
