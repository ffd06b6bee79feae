import io
import zipfile
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from pricing_sources.electricity.nyiso import SOURCE
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Observation
from pricing_sources.source import FetchRequest
from tests.conftest import day
from tests.pricing_sources.reading import NOW, fetched, read, rejected, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

BODY = typed(SOURCE, "typed_by_hand_three_hours.csv")
HEADER = BODY.splitlines()[0].decode()


def a_day(date: str, hours: list[int]) -> bytes:
    rows = [f'"{date} {hour:02}:00","CAPITL",61757,{30 + number},0,0' for number, hour in enumerate(hours)]
    return "\n".join((HEADER, *rows, "")).encode()


def begins(body: bytes) -> list[object]:
    return [one.valid_from for one in read(SOURCE, body) if isinstance(one, Observation)]


def test_a_stamp_is_new_yorks_and_the_hour_begins_with_it() -> None:
    first, city, negative = (one for one in read(SOURCE, BODY) if isinstance(one, Observation))
    assert first.series.key == "nyiso/NYISO-CAPITL/all/wholesale_day_ahead/PT1H"
    assert (first.amount, first.valid_from) == (Decimal("34.11"), day("2026-08-06T04:00"))
    assert city.series.area == "NYISO-N.Y.C."
    assert (negative.amount, negative.valid_from) == (Decimal("-3.20"), day("2026-08-06T05:00"))


def test_the_day_the_clocks_go_back_has_twenty_five_hours() -> None:
    found = begins(a_day("11/01/2026", [0, 1, 1, *range(2, 24)]))
    assert found == [day("2026-11-01T04:00") + number * timedelta(hours=1) for number in range(25)]


def test_the_day_the_clocks_go_forward_has_twenty_three() -> None:
    found = begins(a_day("03/08/2026", [0, 1, *range(3, 24)]))
    assert found == [day("2026-03-08T05:00") + number * timedelta(hours=1) for number in range(23)]


def test_an_hour_twice_on_any_other_day_is_held_back() -> None:
    readings = read(SOURCE, a_day("08/06/2026", [0, 1, 1, 2]))
    assert rejected(readings) == ["CAPITL 08/06/2026 01:00 stands twice, and no clock was put back"]
    assert len(readings) == 4


def test_a_month_is_a_zip_of_days() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("20260806damlbmp_zone.csv", BODY)
        archive.writestr("20260807damlbmp_zone.csv", a_day("08/07/2026", [0, 1]))
    readings = read(SOURCE, packed.getvalue())
    assert Counter(one.locator.partition(",")[0] for one in readings) == {
        "20260806damlbmp_zone.csv": 3,
        "20260807damlbmp_zone.csv": 2,
    }
    with pytest.raises(ShapeChanged, match="not a whole zip archive"):
        read(SOURCE, packed.getvalue()[:100])


def test_tomorrow_may_not_be_out_yet_but_today_is(feed: Feed) -> None:
    names = [f"/2026{date}damlbmp_zone.csv" for date in ("1031", "1101", "1102")]
    feed.answers = {names[0]: [reply(BODY)], names[1]: [reply(BODY)], names[2]: [reply(status=404)]}
    assert len(list(fetched(SOURCE, feed.url("")))) == 2
    feed.answers[names[1]] = [reply(status=404)]
    with pytest.raises(FetchFailed, match="answered 404"):
        list(fetched(SOURCE, feed.url("")))


def test_the_archive_has_a_chapter_a_month() -> None:
    chapters = SOURCE.chapters(None, FetchRequest(url="http://m", now=NOW))
    assert (chapters[0].name, chapters[-1].name, len(chapters)) == ("201608", "202610", 123)
    assert chapters[0].url == "http://m/20160801damlbmp_zone_csv.zip"
