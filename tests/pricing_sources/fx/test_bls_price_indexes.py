from datetime import date
from decimal import Decimal
from pathlib import Path

from pricing_sources.documents import exact_csv
from pricing_sources.fx.bls_price_indexes import SOURCE
from pricing_sources.observation import Observation, Status
from pricing_sources.units import Unit
from tests.conftest import day
from tests.pricing_sources.reading import read, rejected, skipped, typed

BODY = typed(SOURCE, "typed_by_hand_five_figures.json")


def figures() -> list[Observation]:
    return [one for one in read(SOURCE, BODY) if isinstance(one, Observation)]


def test_an_index_is_a_number_without_money() -> None:
    consumer = figures()[0]
    assert (consumer.series.key, consumer.amount) == ("bls_price_indexes/price_index/us_cpi_u", Decimal("330.1"))
    assert (consumer.unit, consumer.currency, consumer.valid_from) == (Unit.INDEX, None, day("2026-09-01"))


def test_a_producer_index_is_preliminary_while_bls_says_so() -> None:
    assert [one.status for one in figures()] == [Status.FINAL, Status.PRELIMINARY, Status.FINAL]


def test_a_mean_of_the_year_is_no_month() -> None:
    readings = read(SOURCE, BODY)
    assert skipped(readings) == {"not_a_month": 1, "not_available": 1}
    assert (len(readings), rejected(readings)) == (5, [])


def test_the_typed_figure_of_june_2025_is_the_published_one(recorded: Path) -> None:
    rows = exact_csv((recorded / "other/epoch-fred/PCU518210518210.csv").read_bytes())
    published = {date.fromisoformat(row["observation_date"]): Decimal(row["PCU518210518210"]) for row in rows}
    [ours] = [one for one in figures() if one.vintage == "2025-06"]
    assert ours.amount == published[date(2025, 6, 1)]
