from decimal import Decimal
from pathlib import Path

from pricing_sources.compute.ovhcloud import SOURCE
from pricing_sources.observation import PricingCategory
from tests.pricing_sources.reading import prices, read, rejected, skipped, typed

BODY = typed(SOURCE, "typed_six_plans.json")


def test_a_price_is_counted_in_hundred_millionths_of_a_euro() -> None:
    price = prices(read(SOURCE, BODY))["ovhcloud/a100-180/global/on_demand"]
    assert (price.amount, price.currency, price.published_amount) == (Decimal("2.75"), "EUR", "2.75 €")
    assert (price.series.accelerator, price.series.gpu_memory_gb) == ("A100", 80)


def test_a_monthly_plan_is_a_commitment_spread_over_730_hours_and_its_gpus() -> None:
    price = prices(read(SOURCE, BODY))["ovhcloud/a100-360/global/reserved_1m"]
    assert (price.amount, price.series.pricing_category) == (Decimal("1.5"), PricingCategory.COMMITTED)
    assert price.published_unit == "EUR per instance-month"


def test_a_price_whose_two_spellings_disagree_is_held_back() -> None:
    assert rejected(read(SOURCE, BODY)) == ["'2.80 €' beside 0.0000028: one of the two is in another unit"]


def test_what_is_no_price_has_a_name() -> None:
    readings = read(SOURCE, BODY)
    assert skipped(readings) == {"not_accelerated": 1, "other_billing": 1, "zero_price": 1}
    assert len(readings) == 6


def test_the_recorded_catalogue_is_read_to_the_last_plan(recorded: Path) -> None:
    readings = read(SOURCE, (recorded / "gpu/ovh/catalog_public_cloud_excerpt.json").read_bytes())
    found = prices(readings)
    assert found["ovhcloud/a100-180/global/on_demand"].amount == Decimal("2.75")
    assert found["ovhcloud/a100-180/global/reserved_1m"].amount == Decimal("1.50684931507")
    assert (len(found), skipped(readings), rejected(readings)) == (2, {"not_accelerated": 11}, [])
