from decimal import Decimal

import pytest
from msgspec.structs import replace

from pricing_sources.observation import FxSeries, Observation, Rejected, Skipped
from pricing_sources.screening import screened
from pricing_sources.units import Unit
from tests.conftest import day

BAND = {Unit.EURO: (Decimal("0.5"), Decimal(200))}
RATE = Observation(
    series=FxSeries(source="ecb", base_currency="EUR", quote_currency="USD"),
    amount=Decimal("1.1684"),
    currency="USD",
    unit=Unit.EURO,
    valid_from=day("2026-04-13"),
    published_amount="1.1684",
    published_unit="USD per EUR",
    locator="line 2",
)


def test_a_believable_price_passes_and_so_do_rows_that_are_none() -> None:
    rows = [RATE, Skipped("x", "1"), Rejected("y", "2", "z")]
    assert list(screened(rows, BAND)) == rows


@pytest.mark.parametrize("amount", ["0.5", "200"])
def test_the_band_includes_its_ends(amount: str) -> None:
    edge = replace(RATE, amount=Decimal(amount))
    assert list(screened([edge], BAND)) == [edge]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": Decimal("200.01")}, "200.01 USD per EUR is outside the plausible 0.5 to 200"),
        ({"amount": Decimal(0)}, "outside the plausible"),
        ({"unit": Unit.KWH}, "stated per kWh; this source states EUR"),
        ({"valid_from": day("1971-01-01")}, "not between 1990 and 2100"),
        ({"valid_from": day("2100-01-01")}, "not between 1990 and 2100"),
    ],
)
def test_an_unbelievable_price_is_held_back_with_the_reason(changes: dict[str, object], words: str) -> None:
    [held] = screened([replace(RATE, **changes)], BAND)
    assert isinstance(held, Rejected)
    assert words in held.reason
    assert (held.locator, held.text) == ("line 2", "ecb/EUR/USD: 1.1684 USD per EUR")


def test_a_source_without_bands_is_trusted_with_amounts() -> None:
    odd = replace(RATE, amount=Decimal(10) ** 9)
    assert list(screened([odd], {})) == [odd]


def test_a_figure_without_a_currency_is_called_a_ratio() -> None:
    loading = replace(RATE, amount=Decimal(4), unit=Unit.RATIO, currency=None)
    [held] = screened([loading], {Unit.RATIO: (Decimal(1), Decimal(3))})
    assert isinstance(held, Rejected)
    assert held.reason == "4 ratio per 1 is outside the plausible 1 to 3"


@pytest.mark.parametrize("date", ["1990-01-01", "2099-12-31T23:59"])
def test_the_years_believed_include_their_ends(date: str) -> None:
    edge = replace(RATE, valid_from=day(date))
    assert list(screened([edge], BAND)) == [edge]


def test_a_source_without_bands_is_not_trusted_with_dates() -> None:
    [held] = screened([replace(RATE, valid_from=day("1989-12-31"))], {})
    assert isinstance(held, Rejected)
    assert held.reason == "valid from 1989-12-31T00:00:00+00:00, which is not between 1990 and 2100"


def test_a_long_row_is_kept_short() -> None:
    [held] = screened([replace(RATE, amount=Decimal(0), published_amount="9" * 600)], BAND)
    assert isinstance(held, Rejected)
    assert len(held.text) == 500


def test_readings_are_screened_one_at_a_time() -> None:
    source = iter([RATE, RATE])
    next(screened(source, BAND))
    assert list(source) == [RATE]
