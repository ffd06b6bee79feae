"""Every input of a scenario by its place in it: `training.hours`, `engineering.roles.0.salary`."""

from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from typing import Any

from service.domain.scenario import FactorInput, PriceInput, Scenario, Spread

Input = Decimal | PriceInput | FactorInput


def inputs_of(value: Any, place: str = "") -> Iterator[tuple[str, Input]]:
    """Every number, price and factor that is given, under `place`; spreads are not inputs."""
    if isinstance(value, Input):
        yield place, value
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from inputs_of(one, f"{place}.{number}")
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, Spread):
        for field in fields(value):
            yield from inputs_of(getattr(value, field.name), f"{place}.{field.name}".lstrip("."))


def uncertain_inputs(scenario: Scenario) -> dict[str, Input]:
    """Those a spread may name: all but the bounds of tiers, which a price list fixes."""
    return {place: one for place, one in inputs_of(scenario) if not place.endswith(".above_tb")}


def nearest(scenario: Scenario, within: str, name: str) -> tuple[str, Any]:
    """The place and value of `name` inside `within`, or in what holds that: a role's years are those of its part.

    Where nothing is given, the innermost place that has such a field; else `within` itself is its place.
    """
    known: list[tuple[str, Any]] = []
    steps = within.split(".")
    for depth in range(len(steps), 0, -1):
        place = ".".join(steps[:depth])
        holder = value_at(scenario, place)
        if hasattr(holder, name) and not isinstance(holder, tuple):
            known.append((f"{place}.{name}", getattr(holder, name)))
    given = (one for one in known if one[1] is not None)
    return next(given, known[0] if known else (f"{within}.{name}", None))


def value_at(scenario: Scenario, place: str) -> Any:
    """What stands at a place; None where nothing does."""
    value: Any = scenario
    for step in place.split("."):
        if isinstance(value, tuple):
            value = value[int(step)] if step.isdigit() and int(step) < len(value) else None
        else:
            value = getattr(value, step, None)
    return value
