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
    return (one + other - abs(one - other)) / 2
