"""What a formula computes with."""

from decimal import Decimal
from typing import Any

Number = Any
"""Decimal, float, int or a NumPy array: whatever knows + − × ÷. One call uses one kind throughout."""

Scalar = Decimal | float | int
