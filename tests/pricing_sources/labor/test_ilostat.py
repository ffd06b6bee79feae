import gzip
from urllib.parse import parse_qs, urlsplit

import pytest

from pricing_sources.errors import ShapeChanged
from pricing_sources.labor.ilostat import SOURCE
from pricing_sources.observation import Status
from pricing_sources.source import Document, NotModified
from pricing_sources.transport import Validators
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.reading import fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

BODY = typed(SOURCE, "typed_by_hand_two_countries.csv")
HEADER, FIRST = BODY.splitlines(keepends=True)[0], BODY.splitlines(keepends=True)[2]


def one(old: bytes, new: bytes) -> bytes:
    assert old in FIRST
    return HEADER + FIRST.replace(old, new)


def test_twelve_months_in_dollars_make_a_year_of_a_major_group() -> None:
    found = prices(read(SOURCE, BODY))
    assert {key: str(one.amount) for key, one in found.items()} == {
        "ilostat/OCU_ISCO08_2/AUT/mean": "58443.00",
        "ilostat/OCU_ISCO08_3/AUT/mean": "45600",
        "ilostat/OCU_ISCO08_2/KEN/mean": "7329.00",
    }
    austria = found["ilostat/OCU_ISCO08_2/AUT/mean"]
    assert (austria.currency, austria.unit, austria.vintage) == ("USD", Unit.PERSON_YEAR, "2024")
    assert (austria.valid_from, austria.dated, austria.status) == (day("2024-01-01"), True, Status.DERIVED)
    assert (austria.published_amount, austria.published_unit) == ("4870.25", "US dollars a month")


def test_every_figure_says_that_it_is_coarse() -> None:
    notes = {key: price.note for key, price in prices(read(SOURCE, BODY)).items()}
    assert all(note.startswith("Coarse: the mean of a whole major group") for note in notes.values())
    assert notes["ilostat/OCU_ISCO08_3/AUT/mean"].endswith("ILOSTAT marks it B.")


def test_what_is_left_out_has_a_name() -> None:
    assert skipped(read(SOURCE, BODY)) == {
        "other_currency": 2,
        "one_sex": 1,
        "other_occupation": 1,
        "another_survey": 1,
        "not_available": 1,
        "group_of_countries": 1,
    }


def test_the_gzipped_file_reads_as_the_plain_one() -> None:
    assert read(SOURCE, gzip.compress(BODY)) == read(SOURCE, BODY)


@pytest.mark.parametrize("body", [gzip.compress(BODY)[:-20], b"\x1f\x8b and no more", BODY[:-1], HEADER])
def test_what_is_no_whole_file_is_refused(body: bytes) -> None:
    with pytest.raises(ShapeChanged):
        read(SOURCE, body)


def test_another_indicator_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="EAR_4MTH_SEX_OCU_CUR_NB_A was asked for, not 'EAR_4HRL"):
        read(SOURCE, one(b"EAR_4MTH_SEX_OCU_CUR_NB_A", b"EAR_4HRL_SEX_OCU_CUR_NB_A"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"2024", b"2031", "'2031' is no year from 2000 on that had begun"),
        (b"2024", b"1987", "'1987' is no year"),
        (b"2024", b"2024Q1", "'2024Q1' is no year"),
        (b"4870.25", b"4 870", "'4 870' is not a plain decimal number"),
        (b"4870.25", b"0", "0 a month; earnings above zero were expected"),
    ],
)
def test_a_figure_that_cannot_be_believed_is_held_back(old: bytes, new: bytes, words: str) -> None:
    [reason] = rejected(read(SOURCE, one(old, new)))
    assert words in reason


def test_the_indicator_is_asked_for_by_code_and_not_again_while_it_stands(feed: Feed) -> None:
    feed.answers = {"/": [reply(BODY, ETag='"a"'), reply(b"", 304)]}
    [document] = fetched(SOURCE, feed.url("/"))
    assert isinstance(document, Document)
    asked = parse_qs(urlsplit(feed.asked[0][0]).query)
    assert asked == {"id": ["EAR_4MTH_SEX_OCU_CUR_NB_A"], "type": ["code"], "format": [".csv"]}
    again = fetched(SOURCE, feed.url("/"), known={document.url: Validators(etag='"a"')})
    assert list(again) == [NotModified(document.url)]
