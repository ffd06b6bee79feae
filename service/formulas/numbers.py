"""What a formula computes with."""

from decimal import Decimal
from typing import Any

Number = Any
"""Decimal, float, int or a NumPy array: whatever knows + − × ÷. One call uses one kind throughout."""

Scalar = Decimal | float | int


def smaller(one: Number, other: Number) -> Number:
    """The smaller of two, for numbers and arrays alike.

    >>> smaller(3.0, 5)
    3.0
    """
    return one * (one <= other) + other * (other < one)


def beyond(value: Number, bound: Number) -> Number:
    """By how much a value is above a bound, nothing where it is not; for numbers and arrays alike.

    >>> beyond(7, 5), beyond(3, 5)
    (2, 0)
    """
    return (value - bound) * (value > bound)


def never_zero(value: Number) -> Number:
    """The value, 1 where it is 0: a divisor for what is nothing then anyway.

    >>> never_zero(4), never_zero(0)
    (4, 1)
    """
    return value + (value == 0)
