"""Where things stand in the picture of a band: places from 0 to 100 along one axis, for the template to draw."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from service.domain.band import Band, UncertainInput

MARGIN: Final = Decimal("0.04")
"""Of the picture's width, left free on each side."""
MOST_BARS: Final = 12


@dataclass(frozen=True, slots=True)
class Stretch:
    """A bar: its left end, its length, both from 0 to 100."""

    start: str
    length: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One input of the tornado."""

    input: UncertainInput
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class BandPicture:
    """The band and its tornado on one scale."""

    point: str
    p50: str
    box: Stretch
    bars: tuple[Bar, ...]
    left_out: int
    """Inputs with the smallest swings, which are in the API's answer and not here."""


def picture(band: Band) -> BandPicture | None:
    """Everything on one axis; None where nothing is uncertain and there is nothing to see."""
    shown = band.inputs[:MOST_BARS]
    amounts = [band.point, band.total.p10, band.total.p90]
    amounts += [end for one in shown for end in (one.total_at_p10, one.total_at_p90)]
    low, high = min(amounts), max(amounts)
    if low == high:
        return None

    def place(amount: Decimal) -> Decimal:
        return 100 * (MARGIN + (1 - 2 * MARGIN) * (amount - low) / (high - low))

    def stretch(one: Decimal, other: Decimal) -> Stretch:
        start, end = place(min(one, other)), place(max(one, other))
        return Stretch(f"{start:.2f}", f"{max(end - start, Decimal('0.4')):.2f}")

    return BandPicture(
        point=f"{place(band.point):.2f}",
        p50=f"{place(band.total.p50):.2f}",
        box=stretch(band.total.p10, band.total.p90),
        bars=tuple(Bar(one, stretch(one.total_at_p10, one.total_at_p90)) for one in shown),
        left_out=len(band.inputs) - len(shown),
    )
