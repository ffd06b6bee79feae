"""Costs that are straight lines with steps: which is lowest where, and exactly where that changes.

Everything is a fraction, so that two curves meet where they meet and not near it.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise


@dataclass(frozen=True, slots=True)
class Piece:
    """`fixed + slope · x` for x above `above`, up to and with the start of the next piece."""

    above: Fraction
    fixed: Fraction
    slope: Fraction

    def at(self, x: Fraction) -> Fraction:
        """The cost at x, were the piece to reach there."""
        return self.fixed + self.slope * x


@dataclass(frozen=True, slots=True)
class CostCurve:
    """What one way costs; the first piece begins at 0 and holds there, too."""

    name: str
    pieces: tuple[Piece, ...]

    def at(self, x: Fraction) -> Fraction:
        """The cost at x."""
        place = bisect_left(self.pieces, x, key=lambda piece: piece.above)
        return self.pieces[max(place - 1, 0)].at(x)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where one way is cheapest: above `start`, up to and with `end`."""

    start: Fraction
    end: Fraction
    cheapest: CostCurve


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where the cheaper of two ways changes."""

    at: Fraction
    before: CostCurve
    after: CostCurve
    jump: bool
    """True if a step of one of them carries it past the other; False if they meet."""


def line(name: str, fixed: Fraction, slope: Fraction) -> CostCurve:
    """A cost without steps."""
    return CostCurve(name, (Piece(Fraction(0), fixed, slope),))


def stairs(name: str, fixed: Fraction, slope: Fraction, step: Fraction, height: Fraction, steps: range) -> CostCurve:
    """A cost that rises by `height` whenever x passes a multiple of `step`, and has `steps.start` of them at 0."""
    first, *rest = steps
    pieces = [Piece(Fraction(0), fixed + first * height, slope)]
    pieces += [Piece((count - 1) * step, fixed + count * height, slope) for count in rest]
    return CostCurve(name, tuple(pieces))


def lowest(curves: Sequence[CostCurve], most: Fraction) -> tuple[Stretch, ...]:
    """The cheapest way everywhere from 0 to `most`; of equals the one named first.

    >>> cheap, fixed = line("per use", Fraction(0), Fraction(2)), line("flat", Fraction(3), Fraction(0))
    >>> [(one.cheapest.name, str(one.end)) for one in lowest([cheap, fixed], Fraction(4))]
    [('per use', '3/2'), ('flat', '4')]
    """
    found: list[Stretch] = []
    for start, end, lines in _straight(curves, most):
        for left, right in pairwise(sorted({start, end, *_meetings(lines, start, end)})):
            middle = (left + right) / 2
            best = min(range(len(lines)), key=lambda one: (lines[one].at(middle), one))
            if found and found[-1].cheapest is curves[best]:
                found[-1] = Stretch(found[-1].start, right, curves[best])
            else:
                found.append(Stretch(left, right, curves[best]))
    return tuple(found)


def crossings(stretches: Sequence[Stretch]) -> tuple[Crossing, ...]:
    """Where the cheapest way changes."""
    return tuple(
        Crossing(one.end, one.cheapest, other.cheapest, one.cheapest.at(one.end) != other.cheapest.at(one.end))
        for one, other in pairwise(stretches)
    )


def _straight(curves: Sequence[CostCurve], most: Fraction) -> Iterator[tuple[Fraction, Fraction, list[Piece]]]:
    """The stretches in which every curve is a line, with those lines."""
    places = [0] * len(curves)
    edges = sorted({piece.above for curve in curves for piece in curve.pieces if piece.above < most} | {most})
    for start, end in pairwise(edges):
        for number, curve in enumerate(curves):
            while places[number] + 1 < len(curve.pieces) and curve.pieces[places[number] + 1].above <= start:
                places[number] += 1
        yield start, end, [curve.pieces[place] for curve, place in zip(curves, places, strict=True)]


def _meetings(lines: Sequence[Piece], start: Fraction, end: Fraction) -> Iterator[Fraction]:
    for one, other in combinations(lines, 2):
        if one.slope != other.slope:
            x = (other.fixed - one.fixed) / (one.slope - other.slope)
            if start < x < end:
                yield x
