import io
import tracemalloc
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from pricing_sources.documents import exact_json
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.labor.h1b_lca import FEWEST_CASES, SOURCE
from pricing_sources.observation import Observation, Reading, Skipped, Status
from pricing_sources.protocols.workbook_stream import chosen_columns
from pricing_sources.source import Archive, Chapter, Document, Excerpting, FetchRequest
from pricing_sources.transport import HttpTransport
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.labor.typed_disclosure import (
    DECEMBER_1,
    HEADER,
    PERSONAL,
    Cell,
    application,
    workbook,
)
from tests.pricing_sources.reading import NOW, fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

BODY = typed(SOURCE, "typed_by_hand_counts.json")


def counts(*rows: list[Cell]) -> dict[str, Any]:
    found: dict[str, Any] = exact_json(SOURCE.excerpt(iter([workbook(rows)])))
    return found


def readings(*rows: list[Cell]) -> list[Reading]:
    return read(SOURCE, SOURCE.excerpt(iter([workbook(rows)])))


def many(count: int = FEWEST_CASES, **changed: Cell) -> list[list[Cell]]:
    return [application(number, **changed) for number in range(count)]


def test_a_distribution_per_role_and_place_of_what_is_offered_and_what_is_the_least_allowed() -> None:
    found = prices(read(SOURCE, BODY))
    ours = {key.removeprefix("h1b_lca/15-1252/"): str(one.amount) for key, one in found.items()}
    assert {key: amount for key, amount in ours.items() if key.startswith("US-CA/")} == {
        "US-CA/p10": "100000",
        "US-CA/p25": "100000",
        "US-CA/median": "150000",
        "US-CA/p75": "150000",
        "US-CA/p90": "156000",
        "US-CA/prevailing_p10": "95000",
        "US-CA/prevailing_p25": "141000.5",
        "US-CA/prevailing_median": "141000.5",
        "US-CA/prevailing_p75": "141000.5",
        "US-CA/prevailing_p90": "145600",
    }
    assert {key.partition("/")[0] for key in ours} == {"US", "US-CA"}


def test_a_distribution_says_over_how_many_cases_and_of_which_year_it_is() -> None:
    median = prices(read(SOURCE, BODY))["h1b_lca/15-1252/US-CA/median"]
    assert (median.currency, median.unit, median.vintage) == ("USD", Unit.PERSON_YEAR, "FY2026")
    assert (median.valid_from, median.dated) == (day("2025-10-01"), True)
    assert median.note.startswith("Over 40 cases, decided up to 2025-12-31")


def test_a_year_that_is_not_over_is_preliminary() -> None:
    def status(decided_to: bytes) -> set[Status]:
        return {one.status for one in prices(read(SOURCE, BODY.replace(b"2025-12-31", decided_to))).values()}

    assert status(b"2025-12-31") == {Status.PRELIMINARY}
    assert status(b"2026-09-30") == {Status.DERIVED}


def test_rows_that_are_no_wage_of_ours_have_a_name() -> None:
    assert skipped(read(SOURCE, BODY)) == {
        "not_certified": 2,
        "other_visa": 2,
        "part_time": 2,
        "no_state": 2,
        "no_wage": 1,
        "too_few_cases": 1,
        "part_of_distribution": 19,
    }


def test_a_yearly_wage_said_to_be_hourly_is_held_back() -> None:
    [reason] = rejected(read(SOURCE, BODY))
    assert reason == "160000 per Hour makes 332800000 a year; 15000 to 1500000 was expected"


@pytest.mark.parametrize(
    ("unit", "wage", "per_year"),
    [
        ("Year", 148100, "148100"),
        ("Month", 12000.5, "144006.0"),
        ("Bi-Weekly", 6000, "156000"),
        ("Week", 3000, "156000"),
        ("Hour", 71.25, "148200.00"),
    ],
)
def test_each_unit_of_pay_makes_a_year_of_full_time_work(unit: str, wage: float, per_year: str) -> None:
    found = prices(readings(*many(WAGE_UNIT_OF_PAY=unit, WAGE_RATE_OF_PAY_FROM=wage)))
    assert found["h1b_lca/15-1252/US-CA/median"].amount == Decimal(per_year)


def test_an_unknown_unit_of_pay_is_held_back() -> None:
    [reason] = rejected(readings(application(999, WAGE_UNIT_OF_PAY="Fortnight"), *many()))
    assert reason == "WAGE_UNIT_OF_PAY is 'Fortnight'; accepted: Year, Month, Bi-Weekly, Week, Hour"


def test_a_handful_of_cases_makes_no_distribution() -> None:
    assert not prices(readings(*many(FEWEST_CASES - 1)))
    assert prices(readings(*many(FEWEST_CASES)))


def test_nothing_about_people_employers_or_addresses_is_kept() -> None:
    body = SOURCE.excerpt(iter([workbook(many())])).decode()
    assert not [word for word in (*PERSONAL, "I-200-26", "Sunnyvale") if word in body]
    assert "15-1252.00" in body


def test_a_column_nobody_knew_of_is_left_out_too() -> None:
    rows = [[*row, "Max Private"] for row in many(2)]
    assert b"Private" not in SOURCE.excerpt(iter([workbook(rows, (*HEADER, "WORKER_NAME"))]))


def test_the_original_is_known_by_its_digest_and_size() -> None:
    body = workbook(many(1))
    [original] = exact_json(SOURCE.excerpt(iter([body[:100], body[100:]])))["originals"]
    document = Document(source_id="h1b_lca", url="file:x", body=body, fetched_at=NOW)
    assert (original["sha256"], original["size_bytes"]) == (document.sha256, len(body))


def test_the_same_file_gives_the_same_table() -> None:
    body = workbook(many())
    assert SOURCE.excerpt(iter([body])) == SOURCE.excerpt(iter([body]))


def test_equal_applications_are_one_row_with_a_count() -> None:
    [row] = counts(*many(5))["rows"]
    assert row[-1] == 5


def test_other_occupations_do_not_even_reach_the_table() -> None:
    rows = counts(application(1), application(2, SOC_CODE="29-1141.00"))["rows"]
    assert [row[3] for row in rows] == ["15-1252.00"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_latest_decision_about_a_case_stands(order: tuple[int, ...]) -> None:
    decided = [
        application(1, DECISION_DATE=DECEMBER_1),
        application(1, CASE_STATUS="Denied", DECISION_DATE=DECEMBER_1 + 4),
        application(1, CASE_STATUS="Certified - Withdrawn", DECISION_DATE=DECEMBER_1 + 9),
    ]
    table = counts(*(decided[place] for place in order))
    assert [row[0] for row in table["rows"]] == ["Certified - Withdrawn"]
    assert table["decided_to"] == "2026-12-10"


def test_a_file_without_one_of_our_occupations_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="not one application for 15-1111, 15-1132"):
        counts(application(1, SOC_CODE="29-1141.00"))


def test_a_file_with_other_columns_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="no column WORKSITE_STATE"):
        SOURCE.excerpt(iter([workbook(many(1), tuple(name.replace("SITE_STATE", "SITE_ST") for name in HEADER))]))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>try later</html>",
        b"PK\x03\x04 and no more",
        workbook(many(1))[:-200],
        workbook(many(1), doctype="<!DOCTYPE x []>"),
    ],
    ids=["empty", "html", "no_archive", "cut_off", "doctype"],
)
def test_what_is_no_whole_workbook_is_refused(body: bytes) -> None:
    with pytest.raises(ShapeChanged):
        SOURCE.excerpt(iter([body]))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"counts 1", b"counts 9", "'lca_disclosure counts 1' was expected"),
        (b'"VISA_CLASS"', b'"VISA"', "the columns CASE_STATUS, VISA_CLASS"),
        (b'"Year", 20]', b'"Year", "20"]', "rows of 9 texts and a count"),
        (b'"Year", 20]', b'"Year", 0]', "rows of 9 texts and a count"),
        (b'"2025-12-31"', b'"soon"', "a date was expected"),
    ],
)
def test_a_table_in_another_shape_is_refused(old: bytes, new: bytes, words: str) -> None:
    assert old in BODY
    with pytest.raises(ShapeChanged, match=words):
        read(SOURCE, BODY.replace(old, new))


def test_a_large_file_is_read_in_little_memory() -> None:
    rows = ([f"{number} {place} " + "x" * 400 for place in range(12)] for number in range(1_500))
    body = workbook(rows, tuple(f"C{place}" for place in range(12)))
    tracemalloc.start()
    try:
        found = sum(1 for _ in chosen_columns(io.BytesIO(body), ["C3"]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == 1_500
    assert peak < 4 * 1024 * 1024


def quarter(year: int, number: int) -> str:
    return f"/pdfs/LCA_Disclosure_Data_FY{year}_Q{number}.xlsx"


def test_the_quarters_of_a_year_make_one_table_and_a_case_in_two_counts_once(feed: Feed) -> None:
    first = workbook(many(3))
    second = workbook([application(2, DECISION_DATE=DECEMBER_1 + 90), application(3)])
    feed.answers = {quarter(2027, 1): [reply(first)], quarter(2027, 2): [reply(second)]}
    feed.answers[quarter(2027, 3)] = [reply(b"", 404)]
    [document] = fetched(SOURCE, feed.url("/pdfs"))
    assert isinstance(document, Document)
    table = exact_json(document.body)
    assert [original["url"][-7:] for original in table["originals"]] == ["Q1.xlsx", "Q2.xlsx"]
    assert sum(row[-1] for row in table["rows"]) == 4
    assert document.url == feed.url(quarter(2027, 2))


def test_before_a_years_first_file_the_year_before_is_read(feed: Feed) -> None:
    feed.answers = {quarter(2027, 1): [reply(b"", 404)], quarter(2026, 2): [reply(b"", 404)]}
    feed.answers[quarter(2026, 1)] = [reply(workbook(many(1)))]
    [document] = fetched(SOURCE, feed.url("/pdfs"))
    assert isinstance(document, Document)
    assert document.url == feed.url(quarter(2026, 1))


def test_no_file_at_all_is_a_failure(feed: Feed) -> None:
    feed.answers = {quarter(2027, 1): [reply(b"", 404)], quarter(2026, 1): [reply(b"", 404)]}
    with pytest.raises(FetchFailed, match="no disclosure file of fiscal years 2027 and 2026"):
        list(fetched(SOURCE, feed.url("/pdfs")))


def test_a_server_in_trouble_is_not_taken_for_a_missing_file(feed: Feed) -> None:
    feed.answers = {quarter(2027, 1): [reply(b"", 403)]}
    with pytest.raises(FetchFailed, match="answered 403"):
        list(fetched(SOURCE, feed.url("/pdfs")))


def test_past_years_are_chapters_of_the_archive(feed: Feed) -> None:
    assert isinstance(SOURCE, Archive)
    assert isinstance(SOURCE, Excerpting)
    feed.answers = {quarter(2024, 1): [reply(workbook(many(1)))], quarter(2024, 2): [reply(b"", 404)]}
    request = FetchRequest(url=feed.url("/pdfs"), now=NOW)
    with HttpTransport() as transport:
        listed = SOURCE.chapters(transport, request)
        assert [chapter.name for chapter in listed] == [f"FY{year}" for year in range(2020, 2027)]
        [document] = SOURCE.fetch_chapter(transport, request, listed[4])
        assert document.url == feed.url(quarter(2024, 1))


def test_a_chapter_nobody_published_is_a_failure(feed: Feed) -> None:
    feed.answers = {quarter(2024, 1): [reply(b"", 404)]}
    request = FetchRequest(url=feed.url("/pdfs"), now=NOW)
    with HttpTransport() as transport, pytest.raises(FetchFailed, match="no disclosure file of FY2024"):
        list(SOURCE.fetch_chapter(transport, request, Chapter("FY2024", request.url)))


def test_every_reading_of_a_distribution_is_a_price_or_a_part_of_one() -> None:
    found = readings(*many())
    assert len(prices(found)) == 20
    others = [one for one in found if not isinstance(one, Observation)]
    alike, *parts = others
    assert alike == Skipped("counted_with_its_like", "/left_out/counted_with_its_like", left_out=FEWEST_CASES - 1)
    assert parts == [Skipped("part_of_distribution", "/rows/0")] * 4, "of the country and of the state, for both wages"


def test_a_percentile_leads_back_to_the_row_that_states_it() -> None:
    table = exact_json(BODY)["rows"]
    found = prices(read(SOURCE, BODY))["h1b_lca/15-1252/US-CA/p25"]
    assert found.locator == "/rows/0"
    assert table[0][5] == str(found.amount) == "100000"


def test_a_table_says_how_many_rows_the_files_had_and_why_some_are_no_row_of_it() -> None:
    body = SOURCE.excerpt(
        iter(
            [
                workbook(
                    [
                        *many(3),
                        application(2, DECISION_DATE=DECEMBER_1 + 9),
                        application(7, SOC_CODE="29-1141.00"),
                        application(8, SOC_CODE="29-1141.00"),
                    ]
                )
            ]
        )
    )
    table = exact_json(body)
    assert table["left_out"] == {"counted_with_its_like": 2, "other_occupation": 2, "superseded_decision": 1}
    assert SOURCE.rows_of_original(body) == 6 == sum(table["left_out"].values()) + len(table["rows"])


def test_a_table_made_before_it_said_what_is_left_out_is_still_read() -> None:
    assert b"left_out" not in BODY
    assert SOURCE.rows_of_original(BODY) is None


@pytest.mark.parametrize("wrong", [b"0", b'"12"', b"1.5", b"null"])
def test_what_is_left_out_is_a_count(wrong: bytes) -> None:
    for name in (b'"rows_of_originals": ', b'"left_out": {"other_occupation": '):
        end = b"}," if b"{" in name else b","
        with pytest.raises(ShapeChanged, match="a count was expected"):
            read(SOURCE, BODY.replace(b'"columns"', name + wrong + end + b' "columns"'))
