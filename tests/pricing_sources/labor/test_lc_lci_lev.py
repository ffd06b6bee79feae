from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pricing_sources.errors import Quarantined, ShapeChanged
from pricing_sources.labor.lc_lci_lev import SOURCE
from pricing_sources.observation import Observation, Reading, Status
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.json_stat_table import Stated, written
from tests.pricing_sources.reading import fetched, prices, read, rejected, skipped, typed
from tests.pricing_sources.test_transport import Feed, feed, reply

__all__ = ["feed"]

# The totals are those Eurostat stated for Slovakia in 2025; how they part into wages and the rest is made up.
BODY = typed(SOURCE, "typed_by_hand_slovakia.json")


def cell(stated: Stated, **categories: str) -> tuple[Mapping[str, str], Stated]:
    usual = {"freq": "A", "unit": "EUR", "lcstruct": "D1_D4_MD5", "nace_r2": "J", "geo": "SK", "time": "2025"}
    return {**usual, **categories}, stated


def readings(*cells: tuple[Mapping[str, str], Stated], **changed: Any) -> list[Reading]:
    return read(SOURCE, written("lc_lci_lev", *cells, **changed))


def test_an_hour_of_work_is_in_euros_with_country_activity_and_part_in_the_key() -> None:
    found = prices(read(SOURCE, BODY))
    assert {key.removeprefix("lc_lci_lev/compensation/"): str(one.amount) for key, one in found.items()} == {
        "sk_nace_b-s_x_o/total": "19.8",
        "sk_nace_j/total": "30.8",
        "sk_nace_b-s_x_o/wages": "14.5",
        "sk_nace_j/wages": "22.0",
        "sk_nace_b-s_x_o/benefits": "5.3",
        "sk_nace_j/benefits": "8.8",
        "lc_lci_lev/loading/sk_nace_b-s_x_o": "1.36551724138",
        "lc_lci_lev/loading/sk_nace_j": "1.4",
    }
    total = found["lc_lci_lev/compensation/sk_nace_j/total"]
    assert (total.currency, total.unit, total.vintage) == ("EUR", Unit.PERSON_HOUR, "2025")
    assert (total.valid_from, total.dated, total.status) == (day("2025-01-01"), True, Status.FINAL)
    assert total.published_unit == "Euro per hour worked"


def test_the_loading_is_derived_from_the_same_place_and_year() -> None:
    loading = prices(read(SOURCE, BODY))["lc_lci_lev/loading/sk_nace_j"]
    assert (loading.currency, loading.unit, loading.status) == (None, Unit.RATIO, Status.DERIVED)
    assert loading.published_amount == "30.8 / 22.0"


def test_a_loading_is_not_made_of_two_years() -> None:
    found = readings(cell((30.8, "")), cell((20.0, ""), lcstruct="D11", time="2024"))
    assert not [key for key in prices(found) if "/loading/" in key]


def test_parts_that_do_not_make_the_total_give_no_loading() -> None:
    found = readings(cell((30.8, "")), cell((22.0, ""), lcstruct="D11"), cell((9.0, ""), lcstruct="D12_D4_MD5"))
    assert rejected(found) == ["wages 22.0 and the rest 9.0 do not make 30.8 in 2025 for sk_nace_j"]


def test_parts_rounded_one_by_one_still_make_the_total() -> None:
    found = readings(cell((30.8, "")), cell((22.0, ""), lcstruct="D11"), cell((8.9, ""), lcstruct="D12_D4_MD5"))
    assert prices(found)["lc_lci_lev/loading/sk_nace_j"].amount == Decimal("1.4")


@pytest.mark.parametrize(
    ("stated", "categories", "slug"),
    [
        ((None, "c"), {}, "confidential"),
        ((0, "n"), {}, "not_significant"),
        ((None, "m"), {}, "no_price"),
        ((120.5, ""), {"unit": "NAC"}, "other_currency"),
        ((28.1, ""), {"unit": "PPS"}, "other_currency"),
    ],
)
def test_what_is_no_cost_in_euros_has_a_name(stated: Stated, categories: dict[str, str], slug: str) -> None:
    assert skipped(readings(cell(stated, **categories), cell((30.0, ""), geo="FR"))) == {slug: 1}


@pytest.mark.parametrize(
    ("flags", "status"), [("p", Status.PRELIMINARY), ("e", Status.PRELIMINARY), ("b", Status.FINAL)]
)
def test_flags_say_how_firm_a_cost_is(flags: str, status: Status) -> None:
    [found] = readings(cell((30.8, flags)))
    assert isinstance(found, Observation)
    assert found.status is status


def test_greece_has_its_iso_code() -> None:
    [found] = readings(cell((20.0, ""), geo="EL"))
    assert isinstance(found, Observation)
    assert found.series.key == "lc_lci_lev/compensation/gr_nace_j/total"


@pytest.mark.parametrize(
    ("stated", "categories", "words"),
    [
        ((20.0, ""), {"geo": "DE21"}, "'DE21' is no country or aggregate"),
        ((20.0, ""), {"nace_r2": "Z"}, "nace_r2 'Z' is not known; there are J, N, B-S_X_O"),
        ((20.0, ""), {"lcstruct": "D99"}, "lcstruct 'D99' is not known; there are D1_D4_MD5"),
        ((20.0, ""), {"time": "2025-Q1"}, "'2025-Q1' is no year from 2008 on"),
        ((20.0, ""), {"time": "2027"}, "'2027' is no year from 2008 on that had begun"),
        ((-1, ""), {}, "'-1' where a cost was expected"),
    ],
)
def test_a_figure_that_cannot_be_believed_is_held_back(stated: Stated, categories: dict[str, str], words: str) -> None:
    [reason] = rejected(readings(cell(stated, **categories)))
    assert words in reason


def test_a_table_without_euros_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="costs in EUR were expected"):
        readings(cell((20.0, ""), unit="NAC"))


def test_trouble_instead_of_a_table_is_told_in_eurostats_words() -> None:
    with pytest.raises(Quarantined, match="Eurostat sent no table: INVALID"):
        read(SOURCE, b'{"error": [{"status": 400, "label": "INVALID"}]}')


@pytest.mark.parametrize(("seed", "since"), [(True, "2008"), (False, "2023")])
def test_every_part_and_activity_is_asked_for_in_euros(feed: Feed, seed: bool, since: str) -> None:
    feed.answers = {"/lc_lci_lev": [reply(BODY)]}
    list(fetched(SOURCE, feed.url("/lc_lci_lev"), seed=seed))
    asked = parse_qs(urlsplit(feed.asked[-1][0]).query)
    assert asked["sinceTimePeriod"] == [since]
    assert (asked["unit"], asked["lcstruct"]) == (["EUR"], ["D1_D4_MD5", "D11", "D12_D4_MD5"])
    assert asked["nace_r2"] == ["J", "N", "B-S_X_O"]
