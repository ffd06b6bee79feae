"""ECEC: hourly costs by quarter, and the ratio that loads a salary."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.errors import Quarantined
from pricing_sources.labor.bls_ecec import SOURCE
from pricing_sources.observation import Observation, Reading, Rejected, Skipped, Status
from pricing_sources.source import Document, FetchRequest
from pricing_sources.units import Unit
from tests.pricing_sources.labor.asking import NOW, AnsweringBls, envelope, prices, row

DOCUMENTS = Path(__file__).parents[2] / "documents" / "bls_ecec"
TOTAL, WAGES, BENEFITS = "CMU2010000000000D", "CMU2020000000000D", "CMU2030000000000D"
LOADING = "bls_ecec/loading/us_private_industry"


def read(body: bytes) -> list[Reading]:
    return list(SOURCE.parse(Document(source_id="bls_ecec", url=SOURCE.info.url, body=body, fetched_at=NOW)))


def loading(readings: list[Reading]) -> list[Observation]:
    return [each for each in readings if isinstance(each, Observation) and each.series.key == LOADING]


def test_total_compensation_over_wages_was_1_4287_in_the_second_quarter_of_2026() -> None:
    newest, older = loading(read((DOCUMENTS / "typed_two_quarters.json").read_bytes()))
    assert newest.amount == Decimal("1.42870201097")
    assert (newest.published_amount, newest.status, newest.unit) == ("46.89 / 32.82", Status.DERIVED, Unit.RATIO)
    assert newest.currency is None
    assert newest.locator == "/Results/series/0/data/0 over /Results/series/1/data/0"
    assert older.amount == Decimal("1.42344870596")


def test_a_quarter_holds_from_its_first_day() -> None:
    newest, older = loading(read((DOCUMENTS / "typed_two_quarters.json").read_bytes()))
    assert (newest.valid_from, newest.vintage) == (datetime(2026, 4, 1, tzinfo=UTC), "2026-Q2")
    assert (older.valid_from, older.vintage) == (datetime(2025, 4, 1, tzinfo=UTC), "2025-Q2")


def test_the_three_costs_are_dollars_per_person_hour() -> None:
    readings = read((DOCUMENTS / "typed_two_quarters.json").read_bytes())
    costs = [each for each in readings if isinstance(each, Observation) and each.unit is Unit.PERSON_HOUR]
    assert [(each.series.key, str(each.amount), each.currency) for each in costs] == [
        ("bls_ecec/compensation/us_private_industry/total", "46.89", "USD"),
        ("bls_ecec/compensation/us_private_industry/total", "45.65", "USD"),
        ("bls_ecec/compensation/us_private_industry/wages", "32.82", "USD"),
        ("bls_ecec/compensation/us_private_industry/wages", "32.07", "USD"),
        ("bls_ecec/compensation/us_private_industry/benefits", "13.58", "USD"),
    ]


def test_wages_and_benefits_that_do_not_make_the_total_give_no_ratio() -> None:
    quarter = {TOTAL: [row("46.89", period="Q02")], WAGES: [row("32.82", period="Q02")]}
    *_, last = read(envelope({**quarter, BENEFITS: [row("12.07", period="Q02")]}))
    assert isinstance(last, Rejected)
    assert last.reason == "wages 32.82 and benefits 12.07 do not make 46.89 in 2025-Q2"


@pytest.mark.parametrize("missing", [TOTAL, WAGES])
def test_a_quarter_without_total_or_wages_has_no_ratio(missing: str) -> None:
    series = {name: [row("40.00", period="Q01")] for name in (TOTAL, WAGES) if name != missing}
    assert loading(read(envelope(series))) == []


def test_the_mean_of_a_year_is_no_quarter() -> None:
    assert read(envelope({TOTAL: [row("46.15", period="Q05")]})) == [
        Skipped("not_a_quarter", "/Results/series/0/data/0")
    ]


def test_a_preliminary_quarter_says_so() -> None:
    [only] = read(envelope({TOTAL: [row("46.15", period="Q04", footnotes=[{"code": "P", "text": "Preliminary"}])]}))
    assert isinstance(only, Observation)
    assert (only.status, only.valid_from) == (Status.PRELIMINARY, datetime(2025, 10, 1, tzinfo=UTC))


@pytest.mark.parametrize("value", ["0", "-1.20", "n/a", "46,15"])
def test_a_cost_that_is_no_positive_number_is_rejected_and_gives_no_ratio(value: str) -> None:
    readings = read(envelope({TOTAL: [row("46.15", period="Q04")], WAGES: [row(value, period="Q04")]}))
    assert isinstance(readings[1], Rejected)
    assert loading(readings) == []


def test_a_dash_is_not_available_and_another_series_is_rejected() -> None:
    dash, other = read(envelope({TOTAL: [row("-", period="Q04")], "CMU1010000000000D": [row("48", period="Q04")]}))
    assert dash == Skipped("not_available", "/Results/series/0/data/0")
    assert isinstance(other, Rejected)


def test_a_used_up_quota_is_refused() -> None:
    with pytest.raises(Quarantined, match="Daily threshold"):
        read(b'{"status": "REQUEST_NOT_PROCESSED", "message": ["Daily threshold reached"], "Results": {}}')


@pytest.mark.parametrize(("seed", "first"), [(True, "2017"), (False, "2025")])
def test_fetch_asks_once_with_ten_years_of_history_at_first(seed: bool, first: str) -> None:
    transport = AnsweringBls((DOCUMENTS / "typed_two_quarters.json").read_bytes())
    [document] = SOURCE.fetch(transport, FetchRequest(url=SOURCE.info.url, now=NOW, seed=seed))
    assert transport.asked == [{"seriesid": [TOTAL, WAGES, BENEFITS], "startyear": first, "endyear": "2026"}]
    assert prices(read(document.body))[LOADING]
