"""What is staged in bulk reaches the log letter by letter."""

import dataclasses
from decimal import Decimal

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from pricing_sources.observation import Observation
from pricing_sources.units import Unit
from service.errors import Unavailable
from service.store.bulk import BulkInsert
from service.store.staging import Stager, in_force, stage
from service.store.store import Store
from service.store.tables import gpu_series
from service.store.types import decimal_text
from tests.conftest import day
from tests.store.conftest import gpu

PRICE = Observation(
    series=gpu("h100"),
    amount=Decimal("2.50"),
    currency="USD",
    unit=Unit.GPU_HOUR,
    valid_from=day("2026-03-01"),
    published_amount="2.50",
    published_unit="per hour",
    locator="line 1",
)


def staged(store: Store, *observations: Observation) -> list:
    def work(connection):
        stager = Stager(connection, "nimbus")
        stager.open()
        stager.add(observations, fetch_id=7)
        rows = connection.execute(select(stage).order_by(stage.c.stage_id)).all()
        stager.close()
        return rows

    return store.write(work)


@pytest.mark.parametrize(
    "wording", ["a\tb", "a\nb", "a\r\nb", "a\\b", "\\N", "\\.", "", "NULL", "'; DROP TABLE stage_observation", "€ 2,50"]
)
def test_a_wording_is_staged_as_it_stands(store: Store, wording: str) -> None:
    odd = replace(PRICE, locator=wording, published_amount=wording, vintage=wording)
    for row in staged(store, PRICE, odd, PRICE)[1:2]:
        assert (row.locator, row.published_amount, row.vintage) == (wording, wording, wording)


def test_what_is_staged_is_what_was_read(store: Store) -> None:
    undated = replace(PRICE, dated=False, valid_from=day("2026-03-02"), amount=Decimal("1E-7"), series=gpu("a100"))
    ratio = replace(PRICE, currency=None, unit=Unit.RATIO)
    first, second, third = staged(store, PRICE, undated, ratio)

    assert (first.stage_id, first.kind, first.fetch_id, first.dated) == (0, "gpu", 7, True)
    assert (first.amount, first.valid_from) == (Decimal("2.5"), day("2026-03-01"))
    assert (second.amount, second.valid_from, second.dated) == (Decimal("0.0000001"), day("2026-03-02"), False)
    assert second.series_id != first.series_id == third.series_id
    assert third.terms_id != first.terms_id == second.terms_id


def test_a_series_is_one_however_many_objects_say_it(store: Store) -> None:
    """Objects made and dropped one by one may share an address; ten thousand of them do."""
    rows = staged(store, *(replace(PRICE, series=gpu(f"gpu{number % 3}")) for number in range(25_000)))
    ids = [row.series_id for row in rows]
    assert len(set(ids)) == 3
    assert ids == ids[:3] * 8333 + ids[:1]


def test_what_the_driver_refuses_in_bulk_is_explained_like_every_other_refusal(store: Store) -> None:
    def work(connection):
        stage.metadata.create_all(connection, checkfirst=False)
        names = in_force.columns.keys()
        with BulkInsert(connection, in_force.name, names) as bulk:
            bulk.write([[1, 1], ["2026-03-01 00:00:00+00"] * 2, ["1"] * 2, [1, 1]])

    with pytest.raises(Unavailable):
        store.write(work)


def test_what_describes_a_series_comes_back_as_it_was_said(store: Store) -> None:
    """Nothing is not the word None; marks that mean something to a driver mean nothing here."""
    odd = dataclasses.replace(
        gpu("None\t\\N\nx"), gpu_count=None, gpu_memory_gb=Decimal("80.50"), accelerator="\\N", tier="None"
    )
    plain = dataclasses.replace(gpu("plain"), gpu_count=Decimal(8), includes_power=False)
    learned = [replace(PRICE, series=one) for one in (odd, plain)]

    def work(connection):
        stager = Stager(connection, "nimbus")
        stager.open()
        stager.add(learned, 1)
        stager.close()
        names = ("sku", "tier", "accelerator", "gpu_count", "gpu_memory_gb", "includes_power", "pricing_category")
        described = select(*(gpu_series.c[name] for name in names)).order_by(gpu_series.c.sku)
        return [tuple(row) for row in connection.execute(described)]

    first, second = store.write(work)
    assert first == (odd.sku, "None", "\\N", None, Decimal("80.5"), True, "standard")
    assert (second[3], second[5]) == (8, False)


@pytest.mark.parametrize(
    ("amount", "spelt"),
    [
        ("2.5", "2.5"),
        ("2.50", "2.5"),
        ("100", "100"),
        ("1E+2", "100"),
        ("1E-7", "0.0000001"),
        ("0E-9", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("-1.10", "-1.1"),
        ("12345678901234567890.123", "12345678901234567890.123"),
    ],
)
def test_a_number_has_one_spelling(amount: str, spelt: str) -> None:
    assert decimal_text(Decimal(amount)) == spelt
