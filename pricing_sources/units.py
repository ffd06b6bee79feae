"""The closed vocabulary of units, with exact factors between those that measure the same thing.

Spelling follows FOCUS UnitFormat (`<Singular>-<Plural time>`, `<quantity> <plural>`); `kWh` is
outside its list, which FOCUS allows.
"""

from decimal import Context, Decimal, Inexact
from enum import StrEnum
from fractions import Fraction
from typing import Final


class Unit(StrEnum):
    """What one price buys, or what one quantity counts."""

    GPU_HOUR = "GPU-Hours"
    INSTANCE_HOUR = "Instance-Hours"
    GPU = "GPUs"
    W = "W"
    KW = "kW"
    KW_MONTH = "kW-Months"
    """Power held ready for a month, as colocation bills it."""
    KWH = "kWh"
    MWH = "MWh"
    TB = "TB"
    GB = "GB"
    TB_MONTH = "TB-Months"
    GB_MONTH = "GB-Months"
    TOKENS = "Tokens"
    TOKENS_1M = "1000000 Tokens"
    QUERY = "Queries"
    REQUEST = "Requests"
    INDEX = "Index-Points"
    """A price index; only the ratio of two of its values means anything."""
    LICENCE = "Licences"
    """A whole licence, however large what it covers."""
    LABEL = "Labels"
    PERSON = "Persons"
    PERSON_HOUR = "Person-Hours"
    PERSON_YEAR = "Person-Years"
    HOUR = "Hours"
    DAY = "Days"
    MONTH = "Months"
    YEAR = "Years"
    EURO = "EUR"
    """One euro: the pricing unit of a reference exchange rate (foreign currency per 1 EUR)."""
    DOLLAR = "USD"
    """One US dollar: the pricing unit of a rate stated per dollar."""
    RATIO = "1"
    """A dimensionless factor: PUE, compensation loading, chip-to-server power."""


_FACTORS: Final[dict[tuple[Unit, Unit], Decimal]] = {
    (Unit.KW, Unit.W): Decimal(1000),
    (Unit.MWH, Unit.KWH): Decimal(1000),
    (Unit.TB, Unit.GB): Decimal(1000),
    (Unit.TB_MONTH, Unit.GB_MONTH): Decimal(1000),
    (Unit.TOKENS_1M, Unit.TOKENS): Decimal(1_000_000),
    (Unit.DAY, Unit.HOUR): Decimal(24),
}
"""How many of the second unit make one of the first. Decimal (SI) prefixes: 1 TB = 1000 GB."""


class UnitMismatch(ValueError):
    """Two units that do not measure the same thing were mixed."""


def factor(from_unit: Unit, to_unit: Unit) -> Decimal:
    """Return how many `to_unit` make one `from_unit`, exactly.

    >>> factor(Unit.KW, Unit.W)
    Decimal('1000')

    Raises UnitMismatch if the two do not measure the same thing. A factor below one is exact too:
    every factor in the table is a power of ten, or 24 hours.
    """
    if from_unit == to_unit:
        return Decimal(1)
    if (from_unit, to_unit) in _FACTORS:
        return _FACTORS[from_unit, to_unit]
    if (to_unit, from_unit) in _FACTORS:
        return 1 / _FACTORS[to_unit, from_unit]
    raise UnitMismatch(f"cannot turn {from_unit} into {to_unit}: they do not measure the same thing")


def divided(price: Decimal, by: Decimal | Fraction | int) -> Decimal:
    """Divide exactly where a decimal can hold the quotient, else to 12 significant digits.

    >>> divided(Decimal("23.92"), 8), divided(Decimal("0.9"), Fraction(1, 6)), divided(Decimal(1), 3)
    (Decimal('2.99'), Decimal('5.4'), Decimal('0.333333333333'))
    """
    exact, divisor = Context(prec=28), Fraction(by)
    quotient = exact.divide(exact.multiply(price, Decimal(divisor.denominator)), Decimal(divisor.numerator))
    return Context(prec=12).plus(quotient) if exact.flags[Inexact] else quotient
