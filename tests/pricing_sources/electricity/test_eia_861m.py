from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.electricity.eia_861m import SOURCE
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Observation, Reading, Rejected, Skipped, Status
from pricing_sources.screening import screened
from pricing_sources.source import Document
from tests.conftest import day
from tests.pricing_sources.electricity.typed_workbook import AK_APRIL, US_APRIL, Row, packed, workbook


def parsed(body: bytes) -> list[Reading]:
    document = Document(source_id="eia_861m", url="file:x", body=body, fetched_at=day("2026-08-01"))
    return list(screened(SOURCE.parse(document), SOURCE.info.plausible))


def observations(readings: list[Reading]) -> dict[str, Observation]:
    return {f"{one.series.key} {one.vintage}": one for one in readings if isinstance(one, Observation)}


def changed(row: Row, **cells: object) -> Row:
    return [cells.get(f"c{index}", cell) for index, cell in enumerate(row)]


def test_cents_per_kwh_become_dollars_per_kwh_without_losing_a_digit() -> None:
    found = observations(parsed(workbook()))

    assert found["eia_861m/US/industrial/retail_average 2025-04"].amount == Decimal("0.082064719")
    assert found["eia_861m/US/commercial/retail_average 2025-04"].amount == Decimal("0.13088276")
    assert found["eia_861m/US/residential/retail_average 2025-04"].amount == Decimal("0.17447668")


def test_the_noise_of_a_binary_double_is_not_a_price() -> None:
    alaska = observations(parsed(workbook()))["eia_861m/US-AK/industrial/retail_average 2025-04"]

    assert alaska.amount == Decimal("0.2001")
    assert (alaska.currency, alaska.published_unit, alaska.locator) == ("USD", "Cents/kWh", "Monthly-States!P4")
    assert (alaska.valid_from, alaska.status) == (day("2025-04-01"), Status.PRELIMINARY)


def test_columns_are_found_by_their_headers_not_by_letter() -> None:
    found = observations(parsed(workbook()))
    assert found["eia_861m/US/industrial/retail_average 2025-04"].locator == "US-YTD!O4"


def test_every_cell_is_accounted_for() -> None:
    counts = Counter(one.reason if isinstance(one, Skipped) else type(one).__name__ for one in parsed(workbook()))
    assert counts == {"Observation": 5 + 4 + 4, "no_sales": 2, "annual_total": 5, "footnote": 3}


def test_a_price_that_contradicts_revenue_and_sales_is_held_back() -> None:
    [held] = [one for one in parsed(workbook([changed(AK_APRIL, c15=2.001)])) if isinstance(one, Rejected)]
    assert "price × sales gives 2351.04 thousand dollars, the workbook says 23504.5" in held.reason


def test_a_zero_price_with_sales_is_held_back() -> None:
    row = changed(AK_APRIL, c12=0.0, c15=0, c13=1)
    [held] = [one for one in parsed(workbook([row])) if isinstance(one, Rejected)]
    assert "outside the plausible" in held.reason


def test_an_unknown_unit_is_refused_before_a_price_is_read() -> None:
    with pytest.raises(ShapeChanged, match="Price in 'Dollars/MWh'; 'Cents/kWh' is what can be read"):
        parsed(workbook(unit="Dollars/MWh"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>maintenance</html>", "an HTML page"),
        (b"PK\x03\x04", "not a workbook"),
        (packed({"Monthly-States": [["x"]]}), "no header row"),
        (packed({"Sheet1": [["x"]]}), "no sheet 'Monthly-States'; there are Sheet1"),
        (workbook(us=[changed(US_APRIL, c1=".")]), "no monthly row"),
        (workbook(us=[changed(US_APRIL, c1=13)]), "is not a month"),
        (workbook(us=[changed(US_APRIL, c2="Guess")]), "data status 'Guess'"),
        (workbook(us=[changed(US_APRIL, c14="cheap")]), "where a number was expected"),
    ],
)
def test_a_workbook_in_another_shape_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=words):
        parsed(body)


def test_the_recorded_workbook_reads_to_the_digit(recorded: Path) -> None:
    readings = parsed((recorded / "other/eia-861m/sales_revenue.xlsx").read_bytes())
    found = observations(readings)
    counts = Counter(one.reason if isinstance(one, Skipped) else type(one).__name__ for one in readings)

    assert counts == {
        "Observation": 44_290,
        "no_sales": 4_196,
        "annual_total": 80,
        "footnote": 3,
        "Rejected": 9,
    }
    assert len(readings) == 5 * (9_384 + 131 + 200) + 3
    assert found["eia_861m/US/industrial/retail_average 2025-04"].amount == Decimal("0.082064719")
    assert found["eia_861m/US/industrial/retail_average 2010-01"].valid_from == day("2010-01-01")
    assert found["eia_861m/US-AK/industrial/retail_average 2025-04"].amount == Decimal("0.2001")
    assert min(one.amount for one in found.values()) > 0
    assert len({one.series.area for one in found.values()}) == 53
