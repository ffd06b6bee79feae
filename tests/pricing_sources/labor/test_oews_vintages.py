"""The vintages of OEWS that only its workbooks remember."""

import hashlib
import io
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.labor.bls_oews import SOURCE, WORKBOOKS
from pricing_sources.observation import Observation
from pricing_sources.protocols.oews_workbook import ROW_COLUMNS, WAGE_COLUMNS
from pricing_sources.source import Archive, Chapter, Document, FetchRequest
from pricing_sources.transport import HttpTransport
from pricing_sources.units import Unit
from tests.pricing_sources.labor.typed_disclosure import Cell, workbook
from tests.pricing_sources.reading import NOW, prices, read, rejected, skipped
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

TABLE = (Path(__file__).parents[2] / "documents" / "bls_oews" / "typed_by_hand_workbook_table.csv").read_bytes()
HEADER = tuple(name.lower() for name in (*ROW_COLUMNS, "TOT_EMP", *WAGE_COLUMNS))


def wage_row(
    occupation: str = "15-1252", area: str = "99", kind: str = "1", group: str = "cross-industry"
) -> list[Cell]:
    place = [area, "Somewhere", kind, "000000", group, occupation, "Some occupation", 1000]
    return [*place, 69.5, 144570, 38.37, 49.84, 63.98, 80.9, "#", 79850, 103710, 133080, 168570, "#"]


def zipped(
    *rows: list[Cell], name: str = "oesm24nat/national_M2024_dl.xlsx", header: tuple[str, ...] = HEADER
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("oesm24nat/field_descriptions.xlsx", b"")
        archive.writestr(name, workbook(rows, header))
    return out.getvalue()


def chapter(feed: Feed, year: int = 2024) -> list[Document]:
    request = FetchRequest(url=feed.url("/oes"), now=NOW)
    with HttpTransport() as transport:
        return list(SOURCE.fetch_chapter(transport, request, Chapter(str(year), request.url)))


def part(name: str, year: int = 24) -> str:
    return f"/oes/oesm{year}{name}.zip"


def test_a_row_of_a_workbook_says_what_the_series_of_the_api_say() -> None:
    found = prices(read(SOURCE, TABLE))
    ours = {key.removeprefix("bls_oews/15-1252/"): str(one.amount) for key, one in found.items()}
    assert ours == {
        "US/mean": "144570",
        "US/p10": "79850",
        "US/p25": "103710",
        "US/median": "133080",
        "US/p75": "168570",
        "US/p90": "211450",
        "US/hourly_median": "63.98",
        "US-CA/mean": "174930",
        "US-CA/p10": "101710",
        "US-CA/p25": "133540",
        "US-CA/median": "171600",
        "US-CA/p75": "208830",
        "US-CA/hourly_median": "82.5",
    }


def test_a_vintage_holds_from_may_of_its_own_year() -> None:
    mean = prices(read(SOURCE, TABLE))["bls_oews/15-1252/US/mean"]
    assert (mean.valid_from, mean.dated, mean.vintage) == (datetime(2024, 5, 1, tzinfo=UTC), True, "2024")
    assert (mean.currency, mean.unit, mean.published_unit) == ("USD", Unit.PERSON_YEAR, "Annual mean wage, dollars")
    assert mean.note.startswith(f"{WORKBOOKS}/oesm24all.zip (SHA-256 0000")


def test_a_wage_above_a_ceiling_nobody_names_is_left_out_and_so_is_one_not_available() -> None:
    assert skipped(read(SOURCE, TABLE)) == {"top_coded": 1, "not_available": 7}


def test_an_hourly_wage_that_is_not_the_annual_one_is_held_back() -> None:
    [reason] = rejected(read(SOURCE, TABLE.replace(b"63.98", b"36.98")))
    assert "36.98 an hour makes 76918.40 a year, but the same document says 133080" in reason


@pytest.mark.parametrize(
    ("body", "words"),
    [(TABLE[:-1], "a line end after its last row"), (TABLE.replace(b"SHA256", b"SHA1"), "the columns VINTAGE, AREA")],
)
def test_a_table_in_another_shape_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=words):
        read(SOURCE, body)


@pytest.mark.parametrize(("old", "new"), [(b"15-1252", b"29-1141"), (b"2024,99", b"24,99"), (b"U.S.,1", b"U.S.,6")])
def test_a_row_that_is_none_of_ours_is_held_back(old: bytes, new: bytes) -> None:
    lines = TABLE.splitlines(keepends=True)[:2]
    reasons = rejected(read(SOURCE, b"".join(lines).replace(old, new)))
    assert set(reasons) == {"an occupation, area and vintage of ours were expected"}


def test_a_vintage_is_the_nations_workbook_and_that_of_the_states(feed: Feed) -> None:
    nation = zipped(wage_row())
    feed.answers = {part("nat"): [reply(nation)]}
    feed.answers[part("st")] = [reply(zipped(wage_row(area="6", kind="2"), name="oesm24st/state_M2024_dl.xlsx"))]
    first, second = chapter(feed)
    [price, *_] = [one for one in read(SOURCE, first.body) if isinstance(one, Observation)]
    assert (price.series.key, price.amount, price.vintage) == ("bls_oews/15-1252/US/mean", Decimal(144570), "2024")
    assert hashlib.sha256(nation).hexdigest() in price.note
    assert "bls_oews/15-1252/US-CA/mean" in prices(read(SOURCE, second.body))


def test_what_a_table_leaves_out_of_its_workbook_is_counted_by_name(feed: Feed) -> None:
    rows = [wage_row(), wage_row("29-1141"), wage_row(kind="6"), *[wage_row(group="3-digit")] * 3]
    feed.answers = {part("nat"): [reply(zipped(*rows))], part("st"): [reply(zipped(wage_row(area="6", kind="2")))]}
    nation, states = chapter(feed)
    assert skipped(read(SOURCE, states.body)) == {"top_coded": 1}
    assert skipped(read(SOURCE, nation.body)) == {"top_coded": 1, "one_industry": 3, "other_occupation_or_area": 2}
    with pytest.raises(ShapeChanged, match="how many rows were left out"):
        read(SOURCE, nation.body.replace(b"one_industry,3", b"one_industry,"))


def test_where_a_small_file_is_refused_the_large_one_is_read(feed: Feed) -> None:
    everything = zipped(wage_row(), wage_row(area="06", kind="2"), name="oesm24all/all_data_M_2024.xlsx")
    feed.answers = {part("nat"): [reply(b"", 403)], part("all"): [reply(everything)]}
    [document] = chapter(feed)
    found = {key for key in prices(read(SOURCE, document.body)) if key.endswith("/mean")}
    assert found == {"bls_oews/15-1252/US/mean", "bls_oews/15-1252/US-CA/mean"}
    assert document.url == feed.url(part("all"))


def test_of_a_large_file_our_occupations_and_areas_over_all_industries_are_kept(feed: Feed) -> None:
    rows = [
        wage_row(),
        wage_row("15-1132"),
        wage_row("29-1141"),
        wage_row(group="sector"),
        wage_row(area="31080", kind="4"),
        wage_row(area="10180", kind="4"),
        wage_row(area="600007", kind="6"),
        wage_row(area="66", kind="3"),
    ]
    feed.answers = {part("nat"): [reply(b"", 404)], part("all"): [reply(zipped(*rows, name="all_data_M_2024.xlsx"))]}
    [document] = chapter(feed)
    assert {key for key in prices(read(SOURCE, document.body)) if key.endswith("/mean")} == {
        "bls_oews/15-1252/US/mean",
        "bls_oews/15-1132/US/mean",
        "bls_oews/15-1252/US-M-0031080/mean",
        "bls_oews/15-1252/US-GU/mean",
    }


def test_a_vintage_that_cannot_be_had_is_a_failure(feed: Feed) -> None:
    feed.answers = {part("nat"): [reply(b"", 403)], part("all"): [reply(b"", 403)]}
    with pytest.raises(FetchFailed, match="no OEWS workbook of May 2024 can be had"):
        chapter(feed)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"PK and no more", "not a whole zip archive"),
        (zipped(wage_row(), name="readme.xlsx"), "one workbook named like national_M2024_dl.xlsx"),
        (zipped(wage_row("29-1141")), "not one row of our occupations"),
        (zipped(wage_row(), header=tuple(name.replace("a_mean", "a_avg") for name in HEADER)), "no column A_MEAN"),
    ],
    ids=["no_archive", "no_workbook", "no_row", "no_column"],
)
def test_what_is_no_workbook_of_wages_is_refused(feed: Feed, body: bytes, words: str) -> None:
    feed.answers = {part("nat"): [reply(body)], part("st"): [reply(body)]}
    with pytest.raises(ShapeChanged, match=words):
        chapter(feed)


def test_the_vintages_the_api_has_forgotten_are_chapters_oldest_first() -> None:
    assert isinstance(SOURCE, Archive)
    with HttpTransport() as transport:
        found = SOURCE.chapters(transport, FetchRequest(url=SOURCE.info.url, now=NOW))
    assert [one.name for one in found] == ["2019", "2020", "2021", "2022", "2023", "2024"]
    assert {one.url for one in found} == {WORKBOOKS}
