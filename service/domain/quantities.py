"""Quantities are physics, prices are money; they meet in `cost_of`, exactly."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from functools import reduce
from typing import Final

from pricing_sources.units import Unit, UnitMismatch

QUANTITY_DIGITS: Final = 12
"""Significant digits a physical quantity keeps when it meets a price."""

EXACT: Final = Context(prec=200, traps=[Inexact])
"""Decimal arithmetic that raises rather than rounds."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """So much of something."""

    amount: Decimal
    unit: Unit


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """What one `unit` costs."""

    amount: Decimal
    currency: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency."""

    amount: Decimal
    currency: str


def significant(value: float | Decimal, digits: int = QUANTITY_DIGITS) -> Decimal:
    """Round to `digits` significant digits, in plain notation without trailing zeros.

    >>> significant(1234567.891234567)
    Decimal('1234567.89123')
    >>> significant(100.0)
    Decimal('100')

    Raises ValueError for NaN and infinities.
    """
    number = Decimal(repr(float(value))) if isinstance(value, float) else value
    if not number.is_finite():
        raise ValueError(f"a quantity must be a finite number, not {value}")
    return plain(Context(prec=digits).plus(number))


def plain(number: Decimal) -> Decimal:
    """The same number without trailing zeros or exponent.

    >>> plain(Decimal("2.50")), plain(Decimal("1E+3"))
    (Decimal('2.5'), Decimal('1000'))
    """
    return Decimal(format(number.normalize(EXACT), "f")) if number else Decimal(0)


def times(left: Decimal, right: Decimal) -> Decimal:
    """The exact product."""
    return plain(EXACT.multiply(left, right))


def cost_of(quantity: Quantity, price: UnitPrice) -> Money:
    """Multiply a quantity by a unit price, exactly.

    >>> cost_of(Quantity(Decimal("3"), Unit.KWH), UnitPrice(Decimal("0.0826"), "USD", Unit.KWH))
    Money(amount=Decimal('0.2478'), currency='USD')

    Raises UnitMismatch unless both are in the same unit.
    """
    if quantity.unit != price.unit:
        raise UnitMismatch(f"a quantity in {quantity.unit} cannot be bought at a price per {price.unit}")
    return Money(times(quantity.amount, price.amount), price.currency)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Their exact sum."""
    return reduce(EXACT.add, amounts, Decimal(0))


def decimals(number: Decimal) -> int:
    """How many digits it has after the point."""
    return max(0, -int(number.as_tuple().exponent))
