"""What a line's quantity is made of, so that a changed input can be followed into the cost."""

from collections.abc import Mapping
from functools import reduce
from operator import mul
from typing import Final

from service.formulas.catalog import Formula
from service.formulas.numbers import Number

BEYOND_SALARY: Final = "engineering.cost"
"""The line of what employing costs beyond the salary: person-years × (loading − 1)."""


def quantity_of(formula: Formula, inputs: Mapping[str, Number]) -> Number:
    """The quantity a line buys, from the inputs the line states; scalars or arrays of one shape.

    A line with one input buys just that; every other one what its formula makes of them.
    """
    if len(inputs) == 1:
        return next(iter(inputs.values()))
    if formula.id == BEYOND_SALARY:
        worked = [value for name, value in inputs.items() if name != "loading"]
        return reduce(mul, worked) * (inputs["loading"] - 1)
    return formula.function(**inputs)
