import re
from decimal import Decimal

import pytest

from pricing_sources.electricity.ember_monthly import COUNTRIES, SOURCE
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Observation, Skipped, Status
from pricing_sources.source import Document, NotModified
from pricing_sources.transport import Validators
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.reading import fetched, read, rejected, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

# Figures of Ember's monthly file: 2015 and 2016 as of February 2026, the British one as of 2026-09-29.
FILE = typed(SOURCE, "typed_eight_months.csv")
HEADER = b"Country,ISO3 Code,Date,Price (EUR/MWhe)\n"


def test_a_month_is_a_statistic_that_stands_until_the_next() -> None:
    first = read(SOURCE, FILE)[0]
    assert isinstance(first, Observation)
    assert first.series.key == "ember_monthly/AT/all/wholesale_day_ahead_average"
    assert (first.amount, first.currency, first.unit) == (Decimal("29.94"), "EUR", Unit.MWH)
    assert (first.valid_from, first.vintage, first.status) == (day("2015-01-01"), "2015-01", Status.FINAL)
    assert (first.published_amount, first.published_unit, first.locator) == ("29.94", "Price (EUR/MWhe)", "line 2")


def test_every_line_is_a_reading() -> None:
    readings = read(SOURCE, FILE)
    found = [(one.series.key.split("/")[1], one.vintage) for one in readings if isinstance(one, Observation)]
    assert found == [
        ("AT", "2015-01"),
        ("DE", "2015-01"),
        ("CH", "2015-01"),
        ("DE", "2015-02"),
        ("ES", "2015-02"),
        ("GB", "2016-06"),
        ("GB", "2026-09"),
    ]
    assert [one for one in readings if not isinstance(one, Observation)] == [Skipped("no_price", "line 8")]


@pytest.mark.parametrize(
    ("now", "status"),
    [
        ("2026-09-30T23:59", Status.PRELIMINARY),
        ("2026-10-01T00:00", Status.FINAL),
    ],
)
def test_a_month_is_preliminary_until_it_is_over(now: str, status: Status) -> None:
    last = read(SOURCE, FILE, now=day(now))[-1]
    assert isinstance(last, Observation)
    assert last.status == status


def test_a_december_is_over_in_january() -> None:
    body = HEADER + b"Spain,ESP,2025-12-01,60.1\n"
    statuses = [read(SOURCE, body, now=day(now))[0] for now in ("2025-12-31", "2026-01-01")]
    assert [one.status for one in statuses if isinstance(one, Observation)] == [Status.PRELIMINARY, Status.FINAL]


def test_a_month_to_come_is_held_back() -> None:
    assert rejected(read(SOURCE, HEADER + b"Spain,ESP,2026-12-01,60.1\n")) == [
        "a month that had not begun when the document was fetched"
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (b"Atlantis,ATL,2026-01-01,60.1", "'ATL' is no country that is known"),
        (b"Spain,ESP,2026-01-01,n/a", "'n/a' is not a plain decimal number"),
        (b'Spain,ESP,2026-01-01,"60,1"', "'60,1' is not a plain decimal number"),
    ],
)
def test_a_line_that_cannot_be_believed_is_held_back(row: bytes, words: str) -> None:
    [reason] = rejected(read(SOURCE, HEADER + row + b"\n"))
    assert words in reason


def test_no_two_countries_share_a_code() -> None:
    assert len(set(COUNTRIES.values())) == len(COUNTRIES) == 38


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (HEADER, "a header without a single month"),
        (HEADER + b"Spain,ESP,2026-01-01,60", "the last line has no end; the file was cut short (at line 2)"),
        (HEADER + b"Spain,ESP,2026-01-02,60\n", "2026-01-02 is not the first of a month"),
        (HEADER + b"Spain,ESP,Jan 2026,60\n", "'Jan 2026' is not a date such as 2026-09-01"),
        (b"Country,ISO3 Code,Date,Price (EUR/kWh)\nSpain,ESP,2026-01-01,0.06\n", "'Price (EUR/MWhe)' is missing"),
    ],
)
def test_a_file_in_another_shape_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=re.escape(words)):
        read(SOURCE, body)


def test_the_file_is_asked_for_only_if_it_changed(feed: Feed) -> None:
    feed.answers = {"/monthly.csv": [reply(FILE, ETag='"a"'), reply(b"", 304)]}
    url = feed.url("/monthly.csv")
    [document] = fetched(SOURCE, url)
    assert isinstance(document, Document)
    assert (document.body, document.headers["etag"]) == (FILE, '"a"')
    assert list(fetched(SOURCE, url, known={url: Validators(etag='"a"')})) == [NotModified(url)]
    assert feed.asked[1][1]["if-none-match"] == '"a"'
