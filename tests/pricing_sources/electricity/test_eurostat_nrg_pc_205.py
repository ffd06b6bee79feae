from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pricing_sources.electricity.eurostat_nrg_pc_205 import BANDS, SOURCE
from pricing_sources.errors import Quarantined, ShapeChanged
from pricing_sources.observation import Observation, Reading, Status
from pricing_sources.source import Document, NotModified
from pricing_sources.transport import Validators
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.json_stat_table import Stated, written
from tests.pricing_sources.reading import fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

# Figures of band ID in the second half of 2025, as the API gave them on 2026-09-29; the zero of Cyprus is of 2024.
BODY = typed(SOURCE, "typed_by_hand_two_bands.json")


def cell(stated: Stated, **categories: str) -> tuple[Mapping[str, str], Stated]:
    usual = {
        "freq": "S",
        "siec": "E7000",
        "nrg_cons": "MWH2000-19999",
        "unit": "KWH",
        "tax": "X_VAT",
        "currency": "EUR",
        "geo": "DE",
        "time": "2025-S2",
    }
    return {**usual, **categories}, stated


def readings(*cells: tuple[Mapping[str, str], Stated], **changed: Any) -> list[Reading]:
    return read(SOURCE, written("nrg_pc_205", *cells, **changed))


def one(stated: Stated, **categories: str) -> Observation:
    [found] = readings(cell(stated, **categories))
    assert isinstance(found, Observation)
    return found


def test_a_price_is_in_euros_per_kilowatt_hour_with_its_band_and_its_taxes_in_the_key() -> None:
    found = prices(read(SOURCE, BODY))
    assert {key.removeprefix("eurostat_nrg_pc_205/"): str(price.amount) for key, price in found.items()} == {
        "EU27_2020/non_household_id/retail_x_tax": "0.1349",
        "DE/non_household_id/retail_x_tax": "0.1613",
        "EU27_2020/non_household_id/retail_x_vat": "0.1596",
        "DE/non_household_id/retail_x_vat": "0.1922",
        "EU27_2020/non_household_id/retail_i_tax": "0.192",
        "DE/non_household_id/retail_i_tax": "0.2369",
    }
    germany = found["eurostat_nrg_pc_205/DE/non_household_id/retail_x_vat"]
    assert (germany.currency, germany.unit, germany.vintage) == ("EUR", Unit.KWH, "2025-S2")
    assert (germany.valid_from, germany.dated, germany.status) == (day("2025-07-01"), True, Status.FINAL)
    assert (germany.published_amount, germany.published_unit) == ("0.1922", "Euro per Kilowatt-hour")
    assert germany.locator == "/value/11"


def test_a_withheld_price_and_the_zero_that_stands_for_one_are_no_prices() -> None:
    found = read(SOURCE, BODY)
    assert skipped(found) == {"not_significant": 1, "confidential": 1}
    assert len(found) == 8


@pytest.mark.parametrize(
    ("stated", "slug"),
    [
        ((0, ""), "zero_price"),
        ((0.11, "c"), "confidential"),
        ((None, "m"), "no_price"),
        ((None, "z"), "not_applicable"),
    ],
)
def test_what_is_no_price_has_a_name(stated: Stated, slug: str) -> None:
    assert skipped(readings(cell(stated), cell((0.2, ""), geo="FR"))) == {slug: 1}


@pytest.mark.parametrize(
    ("semester", "begins"), [("2007-S1", "2007-01-01"), ("2024-S2", "2024-07-01"), ("2026-S2", "2026-07-01")]
)
def test_a_half_year_begins_in_january_or_in_july(semester: str, begins: str) -> None:
    assert one((0.2, ""), time=semester).valid_from == day(begins)


@pytest.mark.parametrize(
    ("flags", "status", "note"),
    [
        ("", Status.FINAL, ""),
        ("p", Status.PRELIMINARY, "provisional"),
        ("be", Status.PRELIMINARY, "break in time series, estimated"),
        ("d", Status.FINAL, "definition differs"),
        ("n", Status.FINAL, "not significant"),
    ],
)
def test_flags_say_how_firm_a_price_is(flags: str, status: Status, note: str) -> None:
    found = one((0.2, flags))
    assert (found.status, found.note) == (status, note)


@pytest.mark.parametrize(("geo", "area"), [("EL", "GR"), ("UK", "GB"), ("XK", "XK"), ("EA", "EA"), ("EA20", "EA20")])
def test_countries_have_their_iso_codes_and_aggregates_keep_their_own(geo: str, area: str) -> None:
    assert one((0.2, ""), geo=geo).series.key == f"eurostat_nrg_pc_205/{area}/non_household_id/retail_x_vat"


def test_each_of_the_seven_bands_and_their_total_is_a_sector_of_its_own() -> None:
    found = readings(*(cell((0.2, ""), nrg_cons=band) for band in BANDS))
    assert {reading.series.sector for reading in found if isinstance(reading, Observation)} == {
        "non_household",
        *(f"non_household_i{letter}" for letter in "abcdefg"),
    }


def test_figures_of_another_kind_are_left_out_by_name() -> None:
    found = readings(
        cell((0.2, "")),
        cell((0.9, ""), currency="NAC"),
        cell((0.07, ""), siec="G3000"),
        cell((0.1, ""), nrg_cons="MWH1250", time="2006-S1"),
    )
    assert skipped(found) == {"other_currency": 1, "not_electricity": 1, "band_before_2007": 1}
    assert len(found) == 4


@pytest.mark.parametrize(
    ("stated", "categories", "words"),
    [
        ((0.2, ""), {"geo": "DE21"}, "'DE21' is no country or aggregate"),
        ((0.2, ""), {"nrg_cons": "MWH_GE500000"}, "nrg_cons 'MWH_GE500000' is not known; there are MWH_LT20"),
        ((0.2, ""), {"tax": "NRG_SUP"}, "tax 'NRG_SUP' is not known; there are X_TAX, X_VAT, I_TAX"),
        ((0.2, ""), {"time": "2025-Q3"}, "'2025-Q3' is no half-year that had begun, such as 2025-S2"),
        ((0.2, ""), {"time": "2027-S1"}, "'2027-S1' is no half-year that had begun"),
        ((-0.2, ""), {}, "'-0.2' where a price was expected"),
        (("0,2", ""), {}, "'0,2' where a price was expected"),
    ],
)
def test_a_figure_that_cannot_be_believed_is_held_back(stated: Stated, categories: dict[str, str], words: str) -> None:
    [reason] = rejected(readings(cell(stated, **categories)))
    assert words in reason


def test_prices_per_another_unit_are_refused() -> None:
    with pytest.raises(ShapeChanged, match="prices per KWH were expected"):
        readings(cell((55, ""), unit="GJ_GCV"))


def test_another_dataset_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="the dataset nrg_pc_205 was expected, not 'nrg_pc_204'"):
        readings(cell((0.2, "")), extension={"id": "NRG_PC_204"})


def test_a_table_without_a_figure_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="not one figure; Eurostat answers so to categories it does not have"):
        readings(cell((None, "c")))


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": [{"status": 400, "id": 150, "label": "INVALID_QUERY_DIMENSION. No such dimension"}]}',
        b'{"warning": {"status": 413, "label": "INVALID_QUERY_DIMENSION. No such dimension"}}',
    ],
)
def test_trouble_instead_of_a_table_is_told_in_eurostats_words(body: bytes) -> None:
    with pytest.raises(Quarantined, match="Eurostat sent no table: INVALID_QUERY_DIMENSION"):
        read(SOURCE, body)


def asked_since(feed: Feed, *, seed: bool) -> dict[str, list[str]]:
    feed.answers = {"/nrg_pc_205": [reply(BODY)]}
    list(fetched(SOURCE, feed.url("/nrg_pc_205"), seed=seed))
    return parse_qs(urlsplit(feed.asked[-1][0]).query)


def test_the_first_question_is_about_everything_since_2007(feed: Feed) -> None:
    asked = asked_since(feed, seed=True)
    assert asked["sinceTimePeriod"] == ["2007-S1"]
    assert asked["nrg_cons"] == list(BANDS)
    assert asked["tax"] == ["X_TAX", "X_VAT", "I_TAX"]
    assert (asked["unit"], asked["currency"], asked["siec"]) == (["KWH"], ["EUR"], ["E7000"])


def test_later_questions_look_two_years_back(feed: Feed) -> None:
    assert asked_since(feed, seed=False)["sinceTimePeriod"] == ["2024-S1"]


def test_an_unchanged_table_is_not_sent_again(feed: Feed) -> None:
    feed.answers = {"/nrg_pc_205": [reply(BODY, ETag='"a"'), reply(b"", 304)]}
    [document] = fetched(SOURCE, feed.url("/nrg_pc_205"))
    assert isinstance(document, Document)
    assert list(fetched(SOURCE, feed.url("/nrg_pc_205"), known={document.url: Validators(etag='"a"')})) == [
        NotModified(document.url)
    ]
