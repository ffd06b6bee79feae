from decimal import Decimal
from pathlib import Path

import pytest

from pricing_sources.compute.verda import SOURCE
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import PricingCategory
from pricing_sources.units import Unit
from tests.pricing_sources.reading import prices, read, rejected, skipped, typed

BODY = typed(SOURCE, "typed_four_types.json")


def test_a_machine_is_divided_down_to_one_gpu() -> None:
    price = prices(read(SOURCE, BODY))["verda/2A6000.20V/global/on_demand"]
    assert (price.amount, price.currency, price.unit) == (Decimal("0.99"), "USD", Unit.GPU_HOUR)
    assert (price.series.gpu_count, price.series.gpu_memory_gb) == (2, 48)
    assert (price.published_amount, price.published_unit) == ("1.98", "USD per machine-hour")


def test_spot_stands_beside_on_demand() -> None:
    found = prices(read(SOURCE, BODY))
    spot = found["verda/1H100.80S.30V/global/spot"]
    assert (spot.amount, spot.series.pricing_category) == (Decimal("1.70"), PricingCategory.DYNAMIC)
    assert found["verda/1H100.80S.30V/global/on_demand"].amount == Decimal("3.95")


def test_what_is_no_price_has_a_name() -> None:
    readings = read(SOURCE, BODY)
    assert skipped(readings) == {"not_accelerated": 2, "no_price": 1, "zero_price": 1}
    assert rejected(readings) == ["'on request' where a price was expected"]
    assert len(readings) == 8


def test_an_unknown_currency_is_a_changed_shape() -> None:
    with pytest.raises(ShapeChanged, match="currency 'gbp'; known are usd, eur"):
        read(SOURCE, BODY.replace(b'"usd"', b'"gbp"', 1))


def test_the_recorded_types_are_read(recorded: Path) -> None:
    readings = read(SOURCE, (recorded / "gpu/verda/gpuhunt_instance_types.json").read_bytes())
    found = prices(readings)
    assert found["verda/1H100.80S.30V/global/on_demand"].amount == Decimal("3.95")
    assert (len(readings), len(found), rejected(readings), skipped(readings)) == (8, 6, [], {"not_accelerated": 2})
