from datetime import timedelta
from decimal import Decimal

import pytest

from pricing_sources.electricity.caiso import HUBS, SOURCE
from pricing_sources.errors import Quarantined, ShapeChanged
from pricing_sources.observation import Observation
from pricing_sources.source import Chapter, FetchRequest
from pricing_sources.transport import HttpTransport
from tests.conftest import day
from tests.documents.caiso.typed_by_hand_two_hours import HEADER, packed, row, workbook
from tests.pricing_sources.reading import NOW, fetched, read, rejected, skipped
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

TROUBLE = "<OASISReport><ERROR><ERR_CODE>{}</ERR_CODE><ERR_DESC>{}</ERR_DESC></ERROR></OASISReport>"
NOTHING = packed("INVALID_REQUEST.xml", TROUBLE.format(1000, "No data returned for the specified selection"))


def test_of_the_five_rows_of_an_hour_one_is_its_price() -> None:
    readings = read(SOURCE, workbook())
    found = {one.valid_from: one.amount for one in readings if isinstance(one, Observation)}
    assert found == {day("2026-04-01T07:00"): Decimal("31.25"), day("2026-04-01T08:00"): Decimal("-4.5")}
    assert {one.series.key for one in readings if isinstance(one, Observation)} == {
        "caiso/CAISO-NP15/all/wholesale_day_ahead/PT1H"
    }
    assert skipped(readings) == {"part_of_the_price": 3}


def test_an_interval_that_is_no_hour_is_held_back() -> None:
    body = packed("x.csv", "\n".join((HEADER, row(7, "LMP", "31", ends=9), "")))
    assert rejected(read(SOURCE, body)) == ["an interval of 2:00:00; an hour was expected"]


def test_no_prices_for_a_window_is_no_failure_and_anything_else_is() -> None:
    assert skipped(read(SOURCE, NOTHING)) == {"nothing_published": 1}
    with pytest.raises(Quarantined, match="OASIS refused: 1004 the window is too long"):
        read(SOURCE, packed("INVALID_REQUEST.xml", TROUBLE.format(1004, "the window is too long")))


def test_a_page_that_asks_for_patience_is_no_answer() -> None:
    with pytest.raises(ShapeChanged, match="asked too fast"):
        read(SOURCE, b"<html><body>Please retry after 5 seconds</body></html>")


def test_each_hub_is_asked_for_in_windows_that_touch_few_days(feed: Feed) -> None:
    feed.answers = {"/": [reply(workbook())]}
    assert len(list(fetched(SOURCE, feed.url("/")))) == len(HUBS)
    assert [path.partition("node=")[2].partition("&")[0] for path, _ in feed.asked] == list(HUBS)
    assert "startdatetime=20261030T08%3A00-0000&enddatetime=20261103T08%3A00-0000" in feed.asked[0][0]


def test_a_month_of_the_archive_is_asked_in_two_windows(feed: Feed) -> None:
    feed.answers = {"/": [reply(workbook())]}
    assert len(month_of(feed, "202610")) == 2 * len(HUBS)
    for path, _ in feed.asked:
        first, last = (path.partition(f"{name}=")[2][:8] for name in ("startdatetime", "enddatetime"))
        assert day(f"{last[:4]}-{last[4:6]}-{last[6:]}") - day(f"{first[:4]}-{first[4:6]}-{first[6:]}") <= timedelta(17)


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [("2026-11-01", "202308", "202610"), ("2026-12-15", "202309", "202611"), ("2027-01-31", "202310", "202612")],
)
def test_the_archive_begins_with_the_oldest_month_that_is_still_kept(now: str, first: str, last: str) -> None:
    names = [chapter.name for chapter in SOURCE.chapters(None, FetchRequest(url="http://oasis", now=day(now)))]
    assert (names[0], names[-1], len(names)) == (first, last, 39)
    assert names == sorted(names)


def test_a_month_that_was_let_go_has_no_document_and_half_a_month_keeps_all_of_its_answers(feed: Feed) -> None:
    feed.answers = {"/": [reply(NOTHING)]}
    assert month_of(feed, "202308") == []
    feed.answers = {"/": [*[reply(NOTHING)] * len(HUBS), reply(workbook())]}
    assert [body == NOTHING for body in month_of(feed, "202308")] == [True] * len(HUBS) + [False] * len(HUBS)


def test_a_young_month_without_prices_is_trouble_and_not_a_month_that_was_let_go(feed: Feed) -> None:
    feed.answers = {"/": [reply(NOTHING)]}
    assert month_of(feed, "202609") == [NOTHING] * 2 * len(HUBS)


def test_a_refusal_is_not_taken_for_a_month_that_was_let_go(feed: Feed) -> None:
    refusal = packed("INVALID_REQUEST.xml", TROUBLE.format(1004, "the window is too long"))
    feed.answers = {"/": [reply(refusal)]}
    assert month_of(feed, "202308") == [refusal] * 2 * len(HUBS)


def month_of(feed: Feed, name: str) -> list[bytes]:
    """The documents of one chapter of the archive."""
    request = FetchRequest(url=feed.url("/"), now=NOW)
    with HttpTransport() as transport:
        return [answer.body for answer in SOURCE.fetch_chapter(transport, request, Chapter(name, request.url))]
