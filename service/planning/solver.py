"""The assignment as an integer programme for HiGHS, where a search would take too long.

HiGHS is an optional extra and imported when it is needed. Its answer is checked here: every limit and every
choice in whole numbers. Its dual values are those of a relaxation and are not used.
"""

import math
from collections.abc import Iterator, Sequence
from operator import gt
from typing import Final

import numpy as np

from service.planning.assignment import Option

HALF: Final = 0.5
MISSING: Final = "install the extra that can solve it: pip install llm-cost-planner[optimize]"


class SolverMissing(Exception):
    """The optional extra is not installed."""


def cheapest_by_solver(works: Sequence[Sequence[Option]], limits: Sequence[int]) -> list[int] | None:
    """The number of the option taken for each work, or None if no choice keeps within the limits.

    Raises SolverMissing, and RuntimeError for an answer that is none.
    """
    try:
        import highspy
    except ImportError:
        raise SolverMissing(MISSING) from None
    columns = [(number, one) for number, options in enumerate(works) for one in range(len(options))]
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)  # noqa: FBT003  its interface
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", 0.0)
    # Within one work only differences count; dividing by the largest keeps the solver's tolerances meaningful.
    least = [min(option.cost for option in options) for options in works]
    scale = max((option.cost - low for options, low in zip(works, least, strict=True) for option in options), default=0)
    for number, one in columns:
        solver.addVar(0.0, 1.0)
        column = solver.getNumCol() - 1
        solver.changeColCost(column, (works[number][one].cost - least[number]) / (scale or 1))
        solver.changeColIntegrality(column, highspy.HighsVarType.kInteger)
    for lower, upper, places, values in _rows(works, limits, columns):
        solver.addRow(lower, upper, len(places), np.array(places, dtype=np.int32), np.array(values, dtype=np.float64))
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    if status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS ended as {solver.modelStatusToString(status)}")
    return _checked(works, limits, columns, solver.getSolution().col_value)


def _rows(
    works: Sequence[Sequence[Option]], limits: Sequence[int], columns: Sequence[tuple[int, int]]
) -> Iterator[tuple[float, float, list[int], list[float]]]:
    """One option a work; each limit, in units of the largest use of it."""
    for number in range(len(works)):
        own = [place for place, (work, _) in enumerate(columns) if work == number]
        yield 1.0, 1.0, own, [1.0] * len(own)
    for limit, most in enumerate(limits):
        uses = {place: works[work][one].uses.get(limit, 0) for place, (work, one) in enumerate(columns)}
        taking = [place for place, use in uses.items() if use]
        if taking:
            largest = max(uses.values())
            yield -math.inf, most / largest, taking, [uses[place] / largest for place in taking]


def _checked(
    works: Sequence[Sequence[Option]],
    limits: Sequence[int],
    columns: Sequence[tuple[int, int]],
    values: Sequence[float],
) -> list[int]:
    """The choice a solution stands for, held against every limit in whole numbers."""
    taken = [column for column, value in zip(columns, values, strict=True) if value > HALF]
    chosen = dict(taken)
    used = [sum(works[work][one].uses.get(limit, 0) for work, one in taken) for limit in range(len(limits))]
    if len(taken) != len(works) or len(chosen) != len(works) or any(map(gt, used, limits)):
        raise RuntimeError("HiGHS answered with a choice that breaks a limit or leaves work undone")
    return [chosen[number] for number in range(len(works))]
