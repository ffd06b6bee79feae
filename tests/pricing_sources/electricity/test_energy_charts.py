import json
import re
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pricing_sources.electricity.energy_charts import SOURCE, ZONES
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Observation, Reading, Skipped
from pricing_sources.source import Archive, Chapter, Document, FetchRequest
from pricing_sources.transport import HttpTransport
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.reading import fetched, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

SWITCH = typed(SOURCE, "typed_switch_to_quarter_hours.json")
OPEN = "CC BY 4.0 (creativecommons.org/licenses/by/4.0) from Bundesnetzagentur | SMARD.de"
BERLIN = ZoneInfo("Europe/Berlin")


def answer(starts: list[datetime], **changed: object) -> bytes:
    """An answer with a price of 50 for each start."""
    fields: dict[str, object] = {
        "license_info": OPEN,
        "unix_seconds": [int(start.timestamp()) for start in starts],
        "price": [50] * len(starts),
        "unit": "EUR / MWh",
        "deprecated": False,
    }
    return json.dumps(fields | changed).encode()


def local_day(date: str, step: timedelta) -> list[datetime]:
    """Every interval of a delivery day, from midnight to midnight in Berlin."""
    start = datetime.fromisoformat(date).replace(tzinfo=BERLIN)
    end = (start + timedelta(days=1)).timestamp()
    count = int((end - start.timestamp()) / step.total_seconds())
    return [day("1970-01-01") + timedelta(seconds=start.timestamp()) + number * step for number in range(count)]


def intervals(readings: list[Reading]) -> list[tuple[datetime, str, str]]:
    return [(one.valid_from, one.series.key, one.published_amount) for one in readings if isinstance(one, Observation)]


def of_zone(zone: str, body: bytes) -> list[Reading]:
    url = f"https://api.energy-charts.info/price?bzn={zone}&start=2025-09-30&end=2025-10-01"
    return list(SOURCE.parse(Document(source_id="energy_charts", url=url, body=body, fetched_at=day("2026-11-01"))))


def test_hours_become_quarter_hours_within_one_answer() -> None:
    hourly, quarterly = (
        "energy_charts/DE-LU/all/wholesale_day_ahead/PT1H",
        "energy_charts/DE-LU/all/wholesale_day_ahead/PT15M",
    )
    assert intervals(read(SOURCE, SWITCH)) == [
        (day("2025-09-30T20:00"), hourly, "104.52"),
        (day("2025-09-30T21:00"), hourly, "90.1"),
        (day("2025-09-30T22:00"), quarterly, "-0.01"),
        (day("2025-09-30T22:15"), quarterly, "0"),
        (day("2025-09-30T22:45"), quarterly, "87.30"),
    ]


def test_a_missing_price_is_skipped_and_keeps_its_place() -> None:
    readings = read(SOURCE, SWITCH)
    assert len(readings) == 6
    assert readings[4] == Skipped("no_price", "/price/4")


def test_a_price_stays_in_euros_per_megawatt_hour() -> None:
    first = read(SOURCE, SWITCH)[0]
    assert isinstance(first, Observation)
    assert (first.amount, first.currency, first.unit) == (Decimal("104.52"), "EUR", Unit.MWH)
    assert (first.published_unit, first.dated, first.locator) == ("EUR / MWh", True, "/price/0")


@pytest.mark.parametrize("unit", ["EUR/MWh", "EUR / MWh"])
def test_both_spellings_of_the_unit_are_read(unit: str) -> None:
    readings = read(SOURCE, answer(local_day("2025-11-03", timedelta(hours=1)), unit=unit))
    assert Counter(type(one) for one in readings) == {Observation: 24}


@pytest.mark.parametrize("unit", ["No Unit", "EUR/kWh", "PLN / MWh", ""])
def test_prices_in_another_unit_are_held_back_one_by_one(unit: str) -> None:
    reasons = rejected(read(SOURCE, answer(local_day("2025-11-03", timedelta(hours=1)), unit=unit)))
    assert reasons == [f"prices in {unit!r}; EUR / MWh or EUR/MWh is what can be read"] * 24


@pytest.mark.parametrize(
    ("date", "step", "count"),
    [
        ("2025-03-30", timedelta(hours=1), 23),
        ("2024-10-27", timedelta(hours=1), 25),
        ("2026-03-29", timedelta(minutes=15), 92),
        ("2025-10-26", timedelta(minutes=15), 100),
    ],
)
def test_the_days_on_which_clocks_change_have_an_hour_less_or_more(date: str, step: timedelta, count: int) -> None:
    found = intervals(read(SOURCE, answer(local_day(date, step))))
    assert len({began for began, _, _ in found}) == count
    assert found[0][0].astimezone(BERLIN).isoformat()[:16] == f"{date}T00:00"
    assert found[-1][0] - found[0][0] == (count - 1) * step


@pytest.mark.parametrize("begins", [1, 10, 92], ids=["after_the_first", "in_the_middle", "before_the_last"])
def test_a_gap_does_not_make_a_quarter_hour_longer(begins: int) -> None:
    starts = local_day("2025-11-03", timedelta(minutes=15))
    found = intervals(read(SOURCE, answer(starts[:begins] + starts[begins + 3 :])))
    assert len(found) == 93
    assert {key.rpartition("/")[2] for _, key, _ in found} == {"PT15M"}


def test_a_day_with_one_interval_does_not_say_how_long_it_is() -> None:
    starts = [*local_day("2025-11-03", timedelta(hours=1)), day("2025-11-03T23:00")]
    assert rejected(read(SOURCE, answer(starts))) == [
        "intervals of unknown length apart on 2025-11-04; known are PT5M, PT15M, PT30M, PT1H"
    ]


def test_the_step_to_the_next_day_says_nothing_about_the_last_interval_of_a_day() -> None:
    starts = [day("2025-11-02T22:00"), *local_day("2025-11-03", timedelta(minutes=15))]
    assert rejected(read(SOURCE, answer(starts))) == [
        "intervals of unknown length apart on 2025-11-02; known are PT5M, PT15M, PT30M, PT1H"
    ]


def test_a_length_nobody_trades_is_held_back() -> None:
    starts = local_day("2025-11-03", timedelta(hours=2))
    assert set(rejected(read(SOURCE, answer(starts)))) == {
        "intervals 2:00:00 apart on 2025-11-03; known are PT5M, PT15M, PT30M, PT1H"
    }


def test_a_price_beyond_tomorrow_is_no_auction_result() -> None:
    starts = local_day("2026-11-02", timedelta(hours=1)) + local_day("2026-11-03", timedelta(hours=1))
    readings = read(SOURCE, answer(starts), now=day("2026-11-01T12:00"))
    assert len(intervals(readings)) == 24
    assert set(rejected(readings)) == {"a delivery whose auction had not been held when the document was fetched"}


@pytest.mark.parametrize("price", ["90.1", True, [1]])
def test_what_is_no_number_is_held_back(price: object) -> None:
    starts = local_day("2025-11-03", timedelta(hours=1))
    reasons = rejected(read(SOURCE, answer(starts, price=[price, *[50] * 23])))
    assert len(reasons) == 1
    assert reasons[0].endswith("where a price was expected")


def test_the_address_names_the_zone() -> None:
    assert {key.split("/")[1] for _, key, _ in intervals(of_zone("NO2", SWITCH))} == {"NO2"}


def test_a_saved_file_is_named_after_its_zone() -> None:
    saved = Document(
        source_id="energy_charts", url="file:price_IT-North_2025.json", body=SWITCH, fetched_at=day("2026-11-01")
    )
    assert {key.split("/")[1] for _, key, _ in intervals(list(SOURCE.parse(saved)))} == {"IT-North"}


def test_a_saved_file_that_names_no_zone_is_refused() -> None:
    saved = Document(source_id="energy_charts", url="file:prices.json", body=SWITCH, fetched_at=day("2026-11-01"))
    with pytest.raises(ShapeChanged, match=re.escape("a name such as price_DE-LU.json would")):
        list(SOURCE.parse(saved))


def test_an_answer_that_is_not_openly_licensed_is_refused() -> None:
    closed = answer(local_day("2025-11-03", timedelta(hours=1)), license_info="for private and internal use only")
    with pytest.raises(ShapeChanged, match=re.escape("only CC BY 4.0 may be kept")):
        of_zone("ES", closed)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"price": [50]}, "1 prices for 24 moments"),
        ({"unix_seconds": [], "price": []}, "lists of seconds and prices were expected"),
        ({"unix_seconds": [3600, 3600], "price": [1, 2]}, "not after the one before it (at /unix_seconds/1)"),
        ({"unix_seconds": ["x"], "price": [1]}, "'x' where Unix seconds were expected"),
        ({"unix_seconds": None}, "lists of seconds and prices"),
    ],
)
def test_lists_that_do_not_fit_together_are_refused(changed: dict[str, object], words: str) -> None:
    with pytest.raises(ShapeChanged, match=re.escape(words)):
        read(SOURCE, answer(local_day("2025-11-03", timedelta(hours=1)), **changed))


@pytest.mark.parametrize(
    ("name", "kept", "held"),
    [("price_DE-LU_2024-05-04.json", 24, 0), ("price_DE-LU_2024-12-08_NoUnit.json", 0, 24)],
)
def test_the_recorded_answers_are_read(recorded: Path, name: str, kept: int, held: int) -> None:
    body = (recorded / "other/energy-charts" / name).read_bytes()
    saved = Document(source_id="energy_charts", url=f"file:{name}", body=body, fetched_at=day("2026-11-01"))
    readings = list(SOURCE.parse(saved))
    assert (len(intervals(readings)), len(rejected(readings)), skipped(readings)) == (kept, held, {})


def test_every_open_zone_is_asked_for_the_last_days_and_tomorrow(feed: Feed) -> None:
    feed.answers = {"/price": [reply(SWITCH)]}
    documents = list(fetched(SOURCE, feed.url("/price")))
    assert [path for path, _ in feed.asked] == [f"/price?bzn={zone}&start=2026-10-29&end=2026-11-02" for zone in ZONES]
    assert all(isinstance(one, Document) for one in documents)
    assert len(ZONES) == 15


def test_the_first_look_goes_back_a_month(feed: Feed) -> None:
    feed.answers = {"/price": [reply(SWITCH)]}
    list(fetched(SOURCE, feed.url("/price?bzn=DE-LU,FR"), seed=True))
    assert [path for path, _ in feed.asked] == [
        "/price?bzn=DE-LU&start=2026-10-01&end=2026-11-02",
        "/price?bzn=FR&start=2026-10-01&end=2026-11-02",
    ]


def test_a_zone_that_has_published_nothing_is_left_out(feed: Feed) -> None:
    feed.answers = {"/price": [reply(b"", 404), reply(SWITCH)]}
    [document] = fetched(SOURCE, feed.url("/price?bzn=AT,BE"))
    assert isinstance(document, Document)
    assert "bzn=BE" in document.url


@pytest.mark.parametrize(("status", "asked"), [(404, 2), (403, 1)])
def test_no_answer_at_all_is_a_failure(feed: Feed, status: int, asked: int) -> None:
    feed.answers = {"/price": [reply(b"", status)]}
    with pytest.raises(FetchFailed, match=f"answered {status}"):
        list(fetched(SOURCE, feed.url("/price?bzn=AT,BE")))
    assert len(feed.asked) == asked


def test_every_full_month_is_a_chapter(feed: Feed) -> None:
    assert isinstance(SOURCE, Archive)
    with HttpTransport() as transport:
        chapters = SOURCE.chapters(transport, FetchRequest(url=feed.url("/price"), now=day("2026-11-23")))
    assert [chapter.name for chapter in chapters[:4]] == ["2018-10", "2018-11", "2018-12", "2019-01"]
    assert (chapters[-1].name, len(chapters)) == ("2026-10", 97)
    assert feed.asked == []


def test_a_chapter_is_one_month_of_every_zone(feed: Feed) -> None:
    feed.answers = {"/price": [reply(SWITCH)]}
    request = FetchRequest(url=feed.url("/price?bzn=AT,SI"), now=day("2026-11-23"))
    with HttpTransport() as transport:
        assert len(list(SOURCE.fetch_chapter(transport, request, Chapter("2024-02", request.url)))) == 2
    assert [path for path, _ in feed.asked] == [
        "/price?bzn=AT&start=2024-02-01&end=2024-02-29",
        "/price?bzn=SI&start=2024-02-01&end=2024-02-29",
    ]
