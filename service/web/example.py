"""The example on the first page: priced from whatever is recorded, kept nowhere."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pricing_sources.observation import Kind
from pricing_sources.units import Unit
from service.domain.price_book import Price
from service.domain.scenario import EngineeringPart, PriceInput, Scenario, TrainingPart


def example_scenario(prices: Mapping[Kind, Sequence[Price]]) -> Scenario | None:
    """Eight rented GPUs for ten days, and an engineer for a quarter; None where no GPU price is recorded."""
    gpu = _first(prices.get(Kind.GPU, ()), Unit.GPU_HOUR)
    salary = _first(prices.get(Kind.SALARY, ()), Unit.PERSON_YEAR)
    if gpu is None:
        return None
    quarter = Decimal("0.25")
    engineering = salary and EngineeringPart(
        engineers=Decimal(1), average_annual_salary=PriceInput(series=salary.series), years=quarter
    )
    return Scenario(
        name="Example: eight rented GPUs for ten days" + (" and an engineer for a quarter" if salary else ""),
        currency=gpu.currency or "USD",
        training=TrainingPart(gpus=Decimal(8), hours=Decimal(240), gpu_price=PriceInput(series=gpu.series)),
        engineering=engineering or None,
    )


def _first(prices: Sequence[Price], unit: Unit) -> Price | None:
    return next((price for price in prices if price.unit == unit), None)
