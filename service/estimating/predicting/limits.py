"""What cannot be: numbers outside their limits and sizes that no model has, named with the nearest that can."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from math import isqrt
from typing import Final

from service.domain.language_model import LanguageModel
from service.errors import FieldProblem, Invalid

LARGEST: Final = 1e18
LEAST: Final = 1e-12
"""Of any quantity that is above 0."""
MOST_COUNTED: Final = 10_000_000
"""Accelerators, ranks, epochs, attempts, sequences at once: the largest cluster that is known has 2 % of them."""
LONGEST_SEQUENCE: Final = 10**9
"""Tokens."""
LARGEST_SIZE: Final = 10**8
"""Of any dimension of a model."""
MOST_ANCHORS: Final = 1000
FROM_ONE: Final = frozenset(
    {
        "layers",
        "hidden_size",
        "heads",
        "kv_heads",
        "head_size",
        "vocabulary",
        "context",
        "window",
        "total",
        "active",
        "kv_rank",
        "value_head_size",
    }
)
"""Sizes that are at least 1; the others at least 0."""


def require_positive(values: Mapping[str, float | None], *, most: float = LARGEST) -> None:
    """Raise Invalid naming every value that is not a number above 0, from `LEAST` to `most`."""
    refuse(
        FieldProblem(name, f"must be above 0 and at most {most:g}, not {shown(value)}{_nearest_above_0(value, most)}")
        for name, value in values.items()
        if value is not None and not LEAST <= value <= most
    )


def require_counts(values: Mapping[str, int | None]) -> None:
    """Raise Invalid naming every count that is not 1 to `MOST_COUNTED`."""
    require_within({name: (value, 1, MOST_COUNTED) for name, value in values.items()})


def require_within(values: Mapping[str, tuple[float | None, float, float]]) -> None:
    """Raise Invalid naming every value that is outside its limits."""
    refuse(
        FieldProblem(name, f"must be {low:g} to {high:g}, not {shown(value)}{_nearest(value, low, high)}")
        for name, (value, low, high) in values.items()
        if value is not None and not low <= value <= high
    )


def check_architecture(llm: LanguageModel) -> None:
    """Raise Invalid naming every size that no model can have."""
    refuse(_impossible_sizes("architecture", llm))
    refuse(_impossible_together(llm))


def refuse(problems: Iterable[FieldProblem]) -> None:
    """Raise Invalid of these problems, if there are any."""
    found = tuple(problems)
    if found:
        raise Invalid("; ".join(f"{one.field}: {one.message}" for one in found), problems=found)


def shown(value: float) -> str:
    """A number in a few characters, however many digits it has.

    >>> shown(0.5), shown(10**400), shown(-3)
    ('0.5', '1.00E+400', '-3')
    """
    huge = isinstance(value, int) and abs(value) > LARGEST
    return f"{Decimal(value):.2E}" if huge else f"{value:g}"


def _nearest_above_0(value: float, most: float) -> str:
    if value > most or 0 < value < LEAST:
        return f"; the nearest is {most if value > most else LEAST:g}"
    return "; the nearest is 1" if isinstance(value, int) else ""


def _nearest(value: float, low: float, high: float) -> str:
    """Nothing of what is no number."""
    return f"; the nearest is {min(max(low, value), high):g}" if value == value else ""


def _impossible_sizes(where: str, part_of_it: object) -> Iterator[FieldProblem]:
    """Every whole number of an architecture, or of a part of it, that no model has."""
    for one in fields(part_of_it):  # type: ignore[arg-type]
        value = getattr(part_of_it, one.name)
        least = 1 if one.name in FROM_ONE else 0
        if is_dataclass(value):
            yield from _impossible_sizes(f"{where}.{one.name}", value)
        elif isinstance(value, int) and not least <= value <= LARGEST_SIZE:
            limit = f"must be {least} to {LARGEST_SIZE}, not {shown(value)}"
            yield FieldProblem(f"{where}.{one.name}", f"{limit}{_nearest(value, least, LARGEST_SIZE)}")


def _impossible_together(llm: LanguageModel) -> Iterator[FieldProblem]:
    """Sizes that are possible each, and not beside one another."""
    if llm.heads % llm.kv_heads:
        nearest = min(_divisors(llm.heads), key=lambda one: abs(one - llm.kv_heads))
        limit = f"must divide the {llm.heads} heads, which {llm.kv_heads} does not"
        yield FieldProblem("architecture.kv_heads", f"{limit}; the nearest is {nearest}")
    if llm.experts and llm.experts.active > llm.experts.total:
        limit = f"must be 1 to {llm.experts.total}, the experts, not {llm.experts.active}"
        yield FieldProblem("architecture.experts.active", f"{limit}; the nearest is {llm.experts.total}")
    if llm.experts and llm.experts.dense_layers > llm.layers:
        limit = f"must be 0 to {llm.layers}, the layers, not {llm.experts.dense_layers}"
        yield FieldProblem("architecture.experts.dense_layers", f"{limit}; the nearest is {llm.layers}")
    if llm.windowed_layers > llm.layers:
        limit = f"must be 0 to {llm.layers}, the layers, not {llm.windowed_layers}"
        yield FieldProblem("architecture.windowed_layers", f"{limit}; the nearest is {llm.layers}")
    if llm.windowed_layers and not llm.window:
        yield FieldProblem("architecture.window", "is missing; windowed_layers need the tokens they look back on")


def _divisors(number: int) -> set[int]:
    low = [one for one in range(1, isqrt(number) + 1) if number % one == 0]
    return {*low, *(number // one for one in low)}
