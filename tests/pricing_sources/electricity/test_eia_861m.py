import io
import math
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.electricity.eia_861m import SOURCE
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import ElectricitySeries, Observation, Reading, Rejected, Skipped, Status
from pricing_sources.screening import screened
from pricing_sources.source import Document, FetchRequest, NotModified
from pricing_sources.transport import Reply, Validators
from tests.conftest import day
from tests.pricing_sources.electricity.typed_workbook import AK_APRIL, US_APRIL, Row, header, packed, workbook

TYPED = Path(__file__).parents[2] / "documents" / "eia_861m" / "typed_workbook.xlsx"


def parsed(body: bytes) -> list[Reading]:
    document = Document(source_id="eia_861m", url="file:x", body=body, fetched_at=day("2026-08-01"))
    return list(SOURCE.parse(document))


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
    noisy = changed(AK_APRIL, c7=math.nextafter(25.96, 26))
    alaska = observations(parsed(workbook([noisy])))["eia_861m/US-AK/residential/retail_average 2025-04"]

    assert alaska.published_amount == "25.960000000000004"
    assert str(alaska.amount) == "0.2596"


def test_a_price_carries_its_cell_its_month_and_its_firmness() -> None:
    alaska = observations(parsed(workbook()))["eia_861m/US-AK/industrial/retail_average 2025-04"]

    assert (alaska.amount, alaska.published_amount) == (Decimal("0.2001"), "20.01")
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
    assert held.reason == "0 Cents/kWh for 1 MWh sold; a price is above zero"
    assert held.locator == "Monthly-States!P4"


@pytest.mark.parametrize("missing", ["", "."])
def test_a_missing_price_is_skipped_and_one_that_cannot_be_checked_is_held_back(missing: str) -> None:
    unpriced = parsed(workbook([changed(AK_APRIL, c15=missing)]))
    unchecked = parsed(workbook([changed(AK_APRIL, c13=missing)]))

    assert Skipped("blank", "Monthly-States!P4") in unpriced
    [held] = [one for one in unchecked if isinstance(one, Rejected)]
    assert held.reason == "a price without the sales and the revenue it must agree with"


def test_a_final_row_is_final() -> None:
    found = observations(parsed(workbook(us=[changed(US_APRIL, c2="Final")])))
    assert found["eia_861m/US/all/retail_average 2025-04"].status == Status.FINAL


def test_an_unknown_unit_is_refused_before_a_price_is_read() -> None:
    with pytest.raises(ShapeChanged, match="Price in 'Dollars/MWh'; 'Cents/kWh' is what can be read"):
        parsed(workbook(unit="Dollars/MWh"))


def one_header_cell_changed(row: int, column: int, cell: str, unit: str | None = None) -> list[Row]:
    rows = header("Year", "Month", "State", "Data Status")
    rows[row][column] = cell
    if unit:
        rows[2][column] = unit
    return [*rows, AK_APRIL]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>maintenance</html>", "an HTML page"),
        (b"PK\x03\x04", "not a workbook"),
        (packed({"Monthly-States": [["x"]]}), "no header row"),
        (packed({"Sheet1": [["x"]]}), "no sheet 'Monthly-States'; there are Sheet1"),
        (workbook(us=[changed(US_APRIL, c1=".")]), "no monthly row"),
        (workbook(us=[changed(US_APRIL, c1=13)]), "is not a month"),
        (workbook(us=[changed(US_APRIL, c1=4.5)]), "2025.0-4.5 is not a month"),
        (workbook([changed(AK_APRIL, c0="2025")]), "'2025'-4.0 is not a month"),
        (workbook([changed(AK_APRIL, c0="")]), "''-4.0 is not a month"),
        (workbook([AK_APRIL, [2025]]), "2025.0-'' is not a month"),
        (workbook([changed(AK_APRIL, c2="")]), "'' where a state such as 'AK' was expected"),
        (workbook([changed(AK_APRIL, c2="Alaska")]), "'Alaska' where a state"),
        (
            packed({"Monthly-States": [*header("Year", "Month", "Region", "Data Status"), AK_APRIL]}),
            "no column 'STATE'",
        ),
        (
            packed({"Monthly-States": [*header("Year", "Month", "State", "Status"), AK_APRIL]}),
            "no column 'DATA STATUS'",
        ),
        (packed({"Monthly-States": one_header_cell_changed(0, 8, "FARMING")}), "the columns of COMMERCIAL are incompl"),
        (packed({"Monthly-States": one_header_cell_changed(1, 6, "Price", "Cents/kWh")}), "two columns 'Price'"),
        (workbook(us=[changed(US_APRIL, c2="Guess")]), "data status 'Guess'"),
        (workbook(us=[changed(US_APRIL, c14="cheap")]), "where a number was expected"),
    ],
)
def test_a_workbook_in_another_shape_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=words):
        parsed(body)


class Feed:
    def __init__(self, status: int) -> None:
        self.asked: list[tuple[str, Validators | None]] = []
        self.status = status

    def get(self, url: str, *, known: Validators | None = None, **_: object) -> Reply:
        self.asked.append((url, known))
        return Reply(url=url, status=self.status, body=b"" if self.status == 304 else workbook())


def test_the_workbook_is_asked_for_with_what_is_known_of_it() -> None:
    feed, known = Feed(200), Validators('"a"', "")
    request = FetchRequest(url="http://mirror/eia.xlsx", now=day("2026-08-26"), known={"http://mirror/eia.xlsx": known})
    [document] = SOURCE.fetch(feed, request)

    assert feed.asked == [("http://mirror/eia.xlsx", known)]
    assert isinstance(document, Document)
    assert (document.source_id, document.fetched_at) == ("eia_861m", day("2026-08-26"))
    assert len(observations(list(SOURCE.parse(document)))) == 13


def test_a_workbook_that_still_stands_is_not_read_again() -> None:
    [answer] = SOURCE.fetch(Feed(304), FetchRequest(url="http://mirror/eia.xlsx", now=day("2026-08-26")))
    assert answer == NotModified("http://mirror/eia.xlsx")


def test_the_packed_workbook_is_the_typed_one() -> None:
    with zipfile.ZipFile(TYPED) as kept, zipfile.ZipFile(io.BytesIO(workbook())) as typed:
        assert {name: kept.read(name) for name in kept.namelist()} == {n: typed.read(n) for n in typed.namelist()}


def test_the_recorded_workbook_reads_to_the_digit(recorded: Path) -> None:
    """Nine cells of three states give a price of 0 for sales that did happen: those are held back."""
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
    assert found["eia_861m/US/commercial/retail_average 2025-04"].amount == Decimal("0.13088276")
    assert found["eia_861m/US/residential/retail_average 2025-04"].amount == Decimal("0.17447668")
    assert found["eia_861m/US/industrial/retail_average 2025-04"].status == Status.PRELIMINARY
    assert found["eia_861m/US/industrial/retail_average 2010-01"].valid_from == day("2010-01-01")
    assert found["eia_861m/US-AK/industrial/retail_average 2025-04"].amount == Decimal("0.2001")
    assert min(one.amount for one in found.values()) > 0
    areas = {one.series.area for one in found.values() if isinstance(one.series, ElectricitySeries)}
    assert areas >= {"US", "US-DC", "US-PR"}
    assert len(areas) == 50 + 3
    assert list(screened(readings, SOURCE.info.plausible)) == readings
