import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pricing_sources.electricity.octopus_agile import AREAS, SOURCE
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Observation, Reading
from pricing_sources.source import Archive, Chapter, Document, FetchRequest
from pricing_sources.transport import HttpTransport
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.reading import NOW, fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

FOUR = typed(SOURCE, "typed_four_rows.json")
LONDON = ZoneInfo("Europe/London")
CURRENT = "AGILE-24-10-01"


def row(**changed: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "value_exc_vat": 20,
        "value_inc_vat": 21,
        "valid_from": "2026-11-01T00:00:00Z",
        "valid_to": "2026-11-01T00:30:00Z",
        "payment_method": None,
    }
    return usual | changed


def answer(*rows: dict[str, object], following: str | None = None) -> bytes:
    return json.dumps({"count": len(rows), "next": following, "previous": None, "results": rows}).encode()


def saved(name: str, body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="octopus_agile", url=f"file:{name}", body=body, fetched_at=NOW)))


def test_pence_become_pounds_on_two_bases() -> None:
    found = {(one.series.key, one.valid_from): one for one in read(SOURCE, FOUR) if isinstance(one, Observation)}
    began = day("2024-06-20T21:30")
    without = found["octopus_agile/GB-C/residential/retail_x_vat/PT30M", began]
    with_vat = found["octopus_agile/GB-C/residential/retail_inc_vat/PT30M", began]
    assert (without.amount, with_vat.amount) == (Decimal("0.1804"), Decimal("0.18942"))
    assert (without.currency, without.unit, without.dated) == ("GBP", Unit.KWH, True)
    assert (without.published_amount, without.published_unit) == ("18.04", "pence per kWh (value_exc_vat)")
    assert without.locator == "/results/0/value_exc_vat"


def test_every_row_gives_two_readings() -> None:
    readings = read(SOURCE, FOUR)
    assert len(readings) == 8
    assert skipped(readings) == {"not_direct_debit": 2}
    assert sum(isinstance(one, Observation) for one in readings) == 6


def test_being_paid_to_use_electricity_is_a_price() -> None:
    amounts = [str(one.amount) for one in read(SOURCE, FOUR)[2:4] if isinstance(one, Observation)]
    assert amounts == ["-0.015", "-0.01575"]


def test_a_price_without_an_end_holds_until_the_next() -> None:
    found = prices(read(SOURCE, FOUR)[6:])
    assert found.keys() == {
        "octopus_agile/GB-C/residential/retail_x_vat",
        "octopus_agile/GB-C/residential/retail_inc_vat",
    }


@pytest.mark.parametrize(("date", "count"), [("2026-03-29", 46), ("2026-10-25", 50), ("2026-11-01", 48)])
def test_a_british_day_has_two_half_hours_for_each_of_its_hours(date: str, count: int) -> None:
    start = datetime.fromisoformat(date).replace(tzinfo=LONDON)
    begin, end = start.timestamp(), (start + timedelta(days=1)).timestamp()
    moments = [day("1970-01-01") + timedelta(seconds=begin + 1800 * each) for each in range(int(end - begin) // 1800)]
    rows = [
        row(valid_from=f"{each:%Y-%m-%dT%H:%M:%SZ}", valid_to=f"{each + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}")
        for each in moments
    ]
    found = {one.valid_from for one in read(SOURCE, answer(*rows)) if isinstance(one, Observation)}
    assert len(found) == count


def test_an_offset_is_understood() -> None:
    local = row(valid_from="2026-07-01T01:00:00+01:00", valid_to="2026-07-01T01:30:00+01:00")
    [first, _] = read(SOURCE, answer(local))
    assert isinstance(first, Observation)
    assert first.valid_from == day("2026-07-01T00:00")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"valid_to": "2026-11-01T01:00:00Z"}, "20 pence for 1:00:00; a number for half an hour was expected"),
        ({"value_exc_vat": "20"}, "20 pence for 0:30:00; a number for half an hour was expected"),
        ({"payment_method": "PREPAY"}, "paid by 'PREPAY'; DIRECT_DEBIT or NON_DIRECT_DEBIT was expected"),
    ],
)
def test_a_row_that_cannot_be_believed_is_held_back(changed: dict[str, object], words: str) -> None:
    assert words in rejected(read(SOURCE, answer(row(**changed))))


def test_a_missing_price_is_skipped() -> None:
    assert skipped(read(SOURCE, answer(row(value_exc_vat=None)))) == {"no_price": 1}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (answer(), "not a single price; the product may have been replaced (at /results)"),
        (answer(row(valid_from="2026-11-01T00:00:00")), "2026-11-01T00:00:00 has no time zone (at /results/0)"),
        (answer(row(valid_to="soon")), "'soon' is not a moment such as 2026-11-01T00:30:00Z (at /results/0)"),
        (answer({"value_inc_vat": 1}), "'value_exc_vat' is missing (at /results/0)"),
    ],
)
def test_an_answer_in_another_shape_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=re.escape(words)):
        read(SOURCE, body)


def test_a_saved_file_is_named_after_its_tariff() -> None:
    assert {key.split("/")[1] for key in prices(saved("E-1R-AGILE-24-10-01-P.json", FOUR)[:2])} == {"GB-P"}
    with pytest.raises(ShapeChanged, match="does not name a tariff such as E-1R-AGILE-24-10-01-C"):
        saved("E-1R-AGILE-24-10-01-I.json", FOUR)


def test_the_recorded_rows_are_read(recorded: Path) -> None:
    readings = saved("E-1R-AGILE-24-10-01-C.json", (recorded / "other/octopus/agile_documented_row.json").read_bytes())
    assert [str(one.amount) for one in readings if isinstance(one, Observation)] == [
        "0.234",
        "0.2457",
        "0.1804",
        "0.18942",
    ]
    assert len(readings) == 4


def product(code: str, since: str, *, until: str | None = None, direction: str = "IMPORT") -> dict[str, object]:
    return {"code": code, "direction": direction, "available_from": since, "available_to": until}


PRODUCTS = answer(
    product("AGILE-OUTGOING-19-05-13", "2018-01-01T00:00:00Z", direction="EXPORT"),
    product("AGILE-26-10-10", "2026-10-10T00:00:00+01:00", direction="EXPORT"),
    product("AGILE-24-04-03", "2024-04-03T00:00:00+01:00", until="2024-10-01T00:00:00+01:00"),
    product("AGILE-23-12-06", "2023-12-06T00:00:00Z"),
    product(CURRENT, "2026-09-01T00:00:00+01:00"),
    product("AGILE-26-09-15", "2026-09-15T00:00:00+01:00", until="2026-10-15T00:00:00+01:00"),
    product("VAR-22-11-01", "2023-03-28T10:35:00+01:00"),
)


def tariff(area: str, code: str = CURRENT) -> str:
    return f"/v1/products/{code}/electricity-tariffs/E-1R-{code}-{area}/standard-unit-rates/"


def selling(feed: Feed) -> None:
    feed.answers = {"/v1/products/": [reply(PRODUCTS)], **{tariff(area): [reply(FOUR)] for area in AREAS}}


OLD = tariff("C", "AGILE-18-02-21")


def test_the_product_on_offer_is_asked_for_in_every_area(feed: Feed) -> None:
    selling(feed)
    documents = list(fetched(SOURCE, feed.url(OLD)))
    window = "period_from=2026-10-30T12%3A00Z&period_to=2026-11-03T12%3A00Z&page_size=1500"
    assert [path for path, _ in feed.asked] == [
        "/v1/products/?is_business=false",
        *(f"{tariff(area)}?{window}" for area in AREAS),
    ]
    assert len(documents) == 14


def test_a_product_that_is_sold_no_more_is_not_taken_though_it_is_the_newest(feed: Feed) -> None:
    ended = product("AGILE-26-09-15", "2026-09-15T00:00:00+01:00", until="2026-10-15T00:00:00+01:00")
    running = product("AGILE-24-04-03", "2024-04-03T00:00:00+01:00")
    selling(feed)
    for products in ([ended, running], [running, ended]):
        feed.answers["/v1/products/"] = [reply(answer(*products))]
        with HttpTransport() as transport:
            chapters = SOURCE.chapters(transport, FetchRequest(url=feed.url(OLD), now=NOW))
        assert {chapter.url for chapter in chapters} == {"AGILE-24-04-03"}
    feed.answers["/v1/products/"] = [reply(answer(ended))]
    with pytest.raises(ShapeChanged, match="no product such as AGILE-24-10-01 is on offer"):
        list(fetched(SOURCE, feed.url(OLD)))


def test_every_page_is_asked_for_at_the_server_that_was_asked(feed: Feed) -> None:
    selling(feed)
    more = answer(row(), following="https://elsewhere.example/x?page=2&page_size=100")
    feed.answers[tariff("A")] = [reply(more), reply(FOUR)]
    assert len(list(fetched(SOURCE, feed.url(OLD)))) == 15
    assert feed.asked[2][0] == f"{tariff('A')}?page=2&page_size=100"


def test_pages_that_lead_back_are_a_failure(feed: Feed) -> None:
    selling(feed)
    feed.answers[tariff("A")] = [reply(answer(row(), following="https://elsewhere.example/x?page=2"))]
    with pytest.raises(FetchFailed, match="its pages lead back to one another"):
        list(fetched(SOURCE, feed.url(OLD)))


def test_no_agile_product_on_offer_is_a_change(feed: Feed) -> None:
    feed.answers = {"/v1/products/": [reply(answer(product("VAR-22-11-01", "2023-03-28T10:35:00+01:00")))]}
    with pytest.raises(ShapeChanged, match="no product such as AGILE-24-10-01 is on offer"):
        list(fetched(SOURCE, feed.url(OLD)))


def test_the_months_since_the_product_began_are_chapters(feed: Feed) -> None:
    assert isinstance(SOURCE, Archive)
    selling(feed)
    with HttpTransport() as transport:
        chapters = SOURCE.chapters(transport, FetchRequest(url=feed.url(OLD), now=NOW))
    assert chapters == [Chapter("2026-09", CURRENT), Chapter("2026-10", CURRENT)]


def test_a_chapter_is_one_month_of_every_area(feed: Feed) -> None:
    selling(feed)
    with HttpTransport() as transport:
        request = FetchRequest(url=feed.url(OLD), now=NOW)
        assert len(list(SOURCE.fetch_chapter(transport, request, Chapter("2026-10", CURRENT)))) == 14
    assert feed.asked[0][0] == (
        f"{tariff('A')}?period_from=2026-10-01T00%3A00Z&period_to=2026-11-01T00%3A00Z&page_size=1500"
    )
