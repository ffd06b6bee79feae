"""OEWS: what a series id says, and what becomes of a wage that is not stated."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.errors import Quarantined, ShapeChanged
from pricing_sources.labor.bls_oews import AREAS, ASKED, OCCUPATIONS, SOURCE, WAGES
from pricing_sources.observation import Observation, Reading, Rejected, SalarySeries, Skipped, Status
from pricing_sources.source import Document, FetchRequest
from pricing_sources.units import Unit
from tests.pricing_sources.labor.asking import NOW, AnsweringBls, envelope, prices, row

DOCUMENTS = Path(__file__).parents[2] / "documents" / "bls_oews"
DEVELOPERS_MEAN = "OEUN000000000000015125204"
CALIFORNIA_P90 = "OEUS060000000000015125215"


def read(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="bls_oews", url=SOURCE.info.url, body=body, fetched_at=NOW)))


def typed(name: str) -> list[Reading]:
    return read((DOCUMENTS / name).read_bytes())


def one(series_id: str, value: str = "148100", period: str = "A01") -> Reading:
    [reading] = read(envelope({series_id: [row(value, period=period)]}))
    return reading


def test_each_figure_becomes_the_wage_its_series_id_spells() -> None:
    assert prices(typed("typed_two_areas.json")) == {
        "bls_oews/15-1252/US/mean": "148100",
        "bls_oews/15-1252/US/median": "135980",
        "bls_oews/15-1252/US/p75": "171980",
        "bls_oews/15-1252/US/p90": "214670",
        "bls_oews/15-1252/US/hourly_median": "65.38",
        "bls_oews/15-2051/US/mean": "126800",
        "bls_oews/15-1252/US-M-0019100/mean": "138810",
    }


def test_a_wage_holds_from_may_of_its_year_and_carries_its_vintage() -> None:
    mean = typed("typed_two_areas.json")[0]
    assert isinstance(mean, Observation)
    assert (mean.valid_from, mean.dated, mean.vintage) == (datetime(2025, 5, 1, tzinfo=UTC), True, "2025")
    assert (mean.currency, mean.unit, mean.status) == ("USD", Unit.PERSON_YEAR, Status.FINAL)
    assert (mean.published_amount, mean.published_unit) == ("148100", "Annual mean wage, dollars")
    assert mean.locator == "/Results/series/0/data/0"
    assert isinstance(mean.series, SalarySeries)
    assert (mean.series.occupation_title, mean.series.area_title) == ("Software Developers", "United States")


def test_an_hourly_wage_is_per_person_hour() -> None:
    hourly = one("OEUN000000000000015125208", "65.38")
    assert isinstance(hourly, Observation)
    assert (hourly.unit, hourly.published_unit) == (Unit.PERSON_HOUR, "Hourly median wage, dollars")


@pytest.mark.parametrize(
    ("code", "area"),
    [
        ("N0000000", "US"),
        ("S0600000", "US-CA"),
        ("S1100000", "US-DC"),
        ("S7200000", "US-PR"),
        ("M0031080", "US-M-0031080"),
    ],
)
def test_areas_are_named_by_country_state_or_statistical_area(code: str, area: str) -> None:
    assert prices([one(f"OEU{code}00000015125204")]) == {f"bls_oews/15-1252/{area}/mean": "148100"}


@pytest.mark.parametrize(
    ("digits", "statistic"),
    [
        ("03", "hourly_mean"),
        ("06", "hourly_p10"),
        ("07", "hourly_p25"),
        ("09", "hourly_p75"),
        ("10", "hourly_p90"),
        ("11", "p10"),
        ("12", "p25"),
    ],
)
def test_the_last_two_digits_say_which_statistic_it_is(digits: str, statistic: str) -> None:
    assert list(prices([one(DEVELOPERS_MEAN[:-2] + digits)])) == [f"bls_oews/15-1252/US/{statistic}"]


@pytest.mark.parametrize(
    ("series_id", "period", "reason"),
    [
        ("OEUN000000051000015125204", "A01", "industry_specific"),
        ("OEUN000000000000015125201", "A01", "not_a_wage"),
        ("OEUN000000000000015125217", "A01", "not_a_wage"),
        (DEVELOPERS_MEAN, "M13", "not_annual"),
    ],
)
def test_figures_that_are_no_annual_cross_industry_wage_are_skipped(series_id: str, period: str, reason: str) -> None:
    assert one(series_id, period=period) == Skipped(reason, "/Results/series/0/data/0")


def test_an_occupation_of_the_older_classification_is_not_chained_to_its_successor() -> None:
    old, new = (one(DEVELOPERS_MEAN.replace("151252", code)) for code in ("151132", "151252"))
    assert [*prices([old]), *prices([new])] == ["bls_oews/15-1132/US/mean", "bls_oews/15-1252/US/mean"]


@pytest.mark.parametrize(
    "series_id",
    [
        "OEUN00000000000001512520",
        "OESN000000000000015125204",
        "CMU2010000000000D",
        "OEUS990000000000015125204",
        "OEUN001910000000015125204",
        "OEUN000000000000015125299",
    ],
)
def test_a_malformed_series_id_is_rejected(series_id: str) -> None:
    assert isinstance(one(series_id), Rejected)


def test_a_top_coded_wage_is_a_lower_bound_at_the_ceiling_its_footnote_names() -> None:
    annual, hourly = [each for each in typed("typed_top_coded.json") if isinstance(each, Observation)]
    assert (annual.series.key, annual.amount) == ("bls_oews/15-1252/US-CA/p90", Decimal(239_200))
    assert (hourly.series.key, hourly.amount) == ("bls_oews/15-1252/US-CA/hourly_p90", Decimal("115.00"))
    assert annual.status is hourly.status is Status.LOWER_BOUND
    assert annual.published_amount == "-"
    assert annual.note == "This wage is equal to or greater than $115.00 per hour or $239,200 per year."


def test_a_wage_that_is_not_stated_has_a_reason() -> None:
    readings = typed("typed_top_coded.json")
    assert [each for each in readings if isinstance(each, Skipped)] == [
        Skipped("no_data_for_year", f"{CALIFORNIA_P90}/2023"),
        Skipped("no_data_for_year", f"{CALIFORNIA_P90}/2024"),
        Skipped("not_available", "/Results/series/2/data/0"),
    ]
    [rejected] = [each for each in readings if isinstance(each, Rejected)]
    assert rejected.reason == (
        "top-coded, but the footnote names no ceiling in dollars per year: 'This wage is very high.'"
    )


def test_an_unknown_series_is_rejected_by_its_id_and_yields_no_price() -> None:
    [only] = typed("typed_unknown_series.json")
    assert isinstance(only, Rejected)
    assert only.locator == "OEUN000000000000015113204"


def test_a_used_up_quota_is_told_in_the_words_of_bls_although_the_status_is_200() -> None:
    with pytest.raises(Quarantined, match="BLS refused the request: Daily threshold of 25 queries has been reached"):
        typed("typed_refused_quota.json")


@pytest.mark.parametrize("value", ["148,100", "$148100", "", "#", "NaN"])
def test_a_wage_that_is_no_plain_number_is_rejected(value: str) -> None:
    assert isinstance(one(DEVELOPERS_MEAN, value), Rejected)


def test_an_hourly_wage_that_contradicts_the_annual_one_is_rejected_with_both_figures() -> None:
    median, hourly = "OEUN000000000000015125213", "OEUN000000000000015125208"
    readings = read(envelope({hourly: [row("68.00")], median: [row("135980")]}))
    assert prices(readings) == {"bls_oews/15-1252/US/median": "135980"}
    assert isinstance(readings[0], Rejected)
    assert readings[0].reason == (
        "68.00 an hour makes 141440.00 a year, but the same document says 135980; 1 % apart was expected"
    )


def test_an_hourly_wage_is_not_measured_against_a_ceiling_or_another_year() -> None:
    ceiling = [{"code": "5", "text": "equal to or greater than $115.00 per hour or $239,200 per year"}]
    top = read(envelope({CALIFORNIA_P90: [row("-", footnotes=ceiling)], CALIFORNIA_P90[:-2] + "10": [row("90.00")]}))
    other = read(envelope({DEVELOPERS_MEAN: [row("148100", year="2024")], DEVELOPERS_MEAN[:-2] + "03": [row("90.00")]}))
    assert len(prices(top)) == len(prices(other)) == 2


def test_a_figure_that_stands_twice_is_kept_once() -> None:
    first, second = read(envelope({DEVELOPERS_MEAN: [row("148100"), row("148200")]}))
    assert isinstance(first, Observation)
    assert isinstance(second, Rejected)


def test_a_series_without_rows_and_without_a_message_is_counted() -> None:
    assert read(envelope({DEVELOPERS_MEAN: []})) == [Skipped("no_data", DEVELOPERS_MEAN)]


def test_a_message_nobody_has_read_before_is_kept_for_a_person() -> None:
    only, _ = read(envelope({DEVELOPERS_MEAN: [row("148100")]}, "Year range has been reduced."))
    assert isinstance(only, Rejected)
    assert only.text == "Year range has been reduced."


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"status": "OK", "message": [], "Results": {"series": []}}',
        b'{"status": "REQUEST_SUCCEEDED", "message": []}',
        envelope({}),
        envelope({DEVELOPERS_MEAN: [{"year": "2025", "period": "A01"}]}),
        envelope({DEVELOPERS_MEAN: [{"year": "2025", "period": "A01", "value": 148100}]}),
        envelope({DEVELOPERS_MEAN: [row("1", year="25")]}),
        envelope({DEVELOPERS_MEAN: [row("1", footnotes="P")]}),
    ],
)
def test_an_answer_that_is_no_bls_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(ShapeChanged):
        read(body)


def test_fetch_asks_25_series_at_a_time_for_the_last_three_years() -> None:
    transport = AnsweringBls((DOCUMENTS / "typed_two_areas.json").read_bytes())
    documents = list(SOURCE.fetch(transport, FetchRequest(url=SOURCE.info.url, now=NOW)))
    assert [len(query["seriesid"]) for query in transport.asked] == [25, 25, 25, 25, 25, 4]
    assert {(query["startyear"], query["endyear"]) for query in transport.asked} == {("2024", "2026")}
    assert len(documents) == 6


def test_every_series_asked_is_a_wage_we_can_read() -> None:
    read_back = Counter(type(one(series_id)) for series_id in ASKED)
    assert read_back == {Observation: len(OCCUPATIONS) * (len(AREAS) * 6 + 1)}
    assert len(set(ASKED)) == len(ASKED)
    assert {series_id[-2:] for series_id in ASKED} <= set(WAGES)


class TestRecordedAnswers:
    """Answers of BLS as others have published them."""

    def test_developers_earn_148100_and_138810_in_dallas(self, recorded: Path) -> None:
        assert prices(read((recorded / "other/bls/oews_v1_2026-07-22_abridged.json").read_bytes())) == {
            "bls_oews/15-1252/US/hourly_median": "65.38",
            "bls_oews/15-1252/US/mean": "148100",
            "bls_oews/15-1252/US-M-0019100/hourly_median": "64.08",
            "bls_oews/15-1252/US-M-0019100/mean": "138810",
        }

    def test_the_ceiling_of_2018_was_208000(self, recorded: Path) -> None:
        *skipped, bound = read((recorded / "other/bls/topcoded_2018.json").read_bytes())
        assert [each.reason for each in skipped if isinstance(each, Skipped)] == ["no_data_for_year"] * 2
        assert isinstance(bound, Observation)
        assert (bound.amount, bound.status, bound.vintage) == (Decimal(208_000), Status.LOWER_BOUND, "2018")

    def test_the_quota_of_25_queries_is_refused(self, recorded: Path) -> None:
        with pytest.raises(Quarantined, match="Daily threshold of 25 queries"):
            read((recorded / "other/bls/threshold_http200.json").read_bytes())

    def test_a_series_that_does_not_exist_is_rejected(self, recorded: Path) -> None:
        [only] = read((recorded / "other/bls/series_does_not_exist_excerpt.json").read_bytes())
        assert isinstance(only, Rejected)
        assert only.locator == "OEUN000000000000015113201"
