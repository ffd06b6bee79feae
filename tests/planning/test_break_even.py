"""Lines and stairs: who is cheapest where, against looking everywhere."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from service.planning.break_even import CostCurve, crossings, line, lowest, stairs

NUMBERS = st.fractions(0, 20, max_denominator=6)


@st.composite
def curves(draw) -> list[CostCurve]:
    made = []
    for number in range(draw(st.integers(1, 4))):
        fixed, slope = draw(NUMBERS), draw(NUMBERS)
        if draw(st.booleans()):
            step = draw(st.fractions(1, 4, max_denominator=3))
            made.append(stairs(str(number), fixed, slope, step, draw(NUMBERS), range(draw(st.integers(0, 2)), 14)))
        else:
            made.append(line(str(number), fixed, slope))
    return made


@settings(max_examples=60, deadline=None)
@given(asked=curves(), most=st.fractions(1, 10, max_denominator=4))
def test_nobody_is_cheaper_anywhere(asked: list[CostCurve], most: Fraction) -> None:
    found = lowest(asked, most)
    assert found[0].start == 0
    assert found[-1].end == most
    for stretch in found:
        inside = [stretch.start + (stretch.end - stretch.start) * Fraction(one, 31) for one in range(1, 32)]
        for x in inside:
            assert stretch.cheapest.at(x) == min(curve.at(x) for curve in asked)


@settings(max_examples=60, deadline=None)
@given(asked=curves(), most=st.fractions(1, 10, max_denominator=4))
def test_ways_change_where_they_meet_or_one_of_them_steps(asked: list[CostCurve], most: Fraction) -> None:
    for crossing in crossings(lowest(asked, most)):
        one, other, x = crossing.before, crossing.after, crossing.at
        steps = {piece.above for curve in asked for piece in curve.pieces[1:]}
        assert x in steps if crossing.jump else one.at(x) == other.at(x)


def test_a_step_belongs_to_what_lies_before_it() -> None:
    curve = stairs("replicas", Fraction(0), Fraction(0), Fraction(10), Fraction(7), range(1, 4))
    assert [curve.at(Fraction(x)) for x in (0, 1, 10, 11, 20, 21)] == [7, 7, 7, 14, 14, 21]
    free = stairs("from nothing", Fraction(0), Fraction(0), Fraction(10), Fraction(7), range(4))
    assert [free.at(Fraction(x)) for x in (0, 1, 10, 11)] == [0, 7, 7, 14]
