"""An assignment, or a covering, as an integer programme for HiGHS, where a search would take too long.

HiGHS is an optional extra and imported when it is needed. Its answer is checked here: every limit and every
choice in whole numbers. Its dual values are those of a relaxation and are not used.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import gt
from typing import Any, Final

import numpy as np

from service.planning.assignment import Option
from service.planning.covering import Covering

LONGEST: Final = 20.0
"""How long the proof of an answer may take [s]."""
LONGEST_AGAIN: Final = 6.0
"""How long solving again without each of its limits may take together [s]."""
LONGEST_ONCE: Final = 1.0
"""How long one of those may take [s]."""
Row = tuple[float, float, list[int], list[float]]
"""Least, most, and the columns with their factors."""
NO_PROOF: Final = "the solver has found no proof in the time it is given; ask for less at once"
MISSING: Final = "install the extra that can solve it: pip install llm-cost-planner[optimize]"


class SolverMissing(Exception):
    """The optional extra is not installed."""


class NotProven(Exception):
    """The solver found no proof in the time it was given."""


@dataclass(slots=True)
class Patience:
    """What is left of the time for proofs; each takes off it what it took."""

    seconds: float = LONGEST
    once: float = LONGEST
    """At most for one of them."""

    @classmethod
    def for_the_rest(cls) -> "Patience":
        """For all that is solved once the answer is there, together."""
        return cls(LONGEST_AGAIN, LONGEST_ONCE)


def cheapest_by_solver(
    works: Sequence[Sequence[Option]], limits: Sequence[int], patience: Patience
) -> list[int] | None:
    """The number of the option taken for each work, or None if no choice keeps within the limits.

    Raises SolverMissing, NotProven, and RuntimeError for an answer that is none.
    """
    columns = [(number, one) for number, options in enumerate(works) for one in range(len(options))]
    # Within one work only differences count.
    least = [min(option.cost for option in options) for options in works]
    costs = [works[number][one].cost - least[number] for number, one in columns]
    found = _minimum(costs, [1] * len(columns), _rows(works, limits, columns), patience)
    return None if found is None else _checked(works, limits, columns, found)


def cover_by_solver(covering: Covering, patience: Patience) -> tuple[int, ...] | None:
    """The cheapest counts, or None if nothing covers every need.

    Raises SolverMissing, NotProven, and RuntimeError for an answer that is none.
    """
    groups = sorted(set(covering.groups))
    costs = [*covering.costs, *(covering.group_cost for _ in groups)]
    found = _minimum(costs, [*covering.most, *(1 for _ in groups)], _cover_rows(covering, groups), patience)
    if found is None:
        return None
    counts = tuple(found[: len(covering.costs)])
    if not covering.allows(counts):
        raise RuntimeError("HiGHS answered with counts that break a limit or leave a need uncovered")
    return counts


def _minimum(costs: Sequence[int], most: Sequence[int], rows: Iterable[Row], patience: Patience) -> list[int] | None:
    """The whole numbers from 0 to `most` that keep within the rows at least cost; None if there are none."""
    try:
        import highspy
    except ImportError:
        raise SolverMissing(MISSING) from None
    if patience.seconds <= 0:
        raise NotProven(NO_PROOF)
    solver = _silent(highspy)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", 0.0)
    solver.setOptionValue("time_limit", min(patience.seconds, patience.once))
    # Dividing by the largest keeps the solver's tolerances meaningful.
    scale = max(costs, default=0) or 1
    for column, (cost, upper) in enumerate(zip(costs, most, strict=True)):
        solver.addVar(0.0, float(upper))
        solver.changeColCost(column, cost / scale)
        solver.changeColIntegrality(column, highspy.HighsVarType.kInteger)
    for least, largest, places, values in rows:
        solver.addRow(least, largest, len(places), np.array(places, dtype=np.int32), np.array(values, dtype=np.float64))
    solver.run()
    patience.seconds -= solver.getRunTime()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    if status == highspy.HighsModelStatus.kTimeLimit:
        raise NotProven(NO_PROOF)
    if status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS ended as {solver.modelStatusToString(status)}")
    return [round(value) for value in solver.getSolution().col_value]


def _silent(highspy: Any) -> Any:
    """A solver that prints nothing: not even its name when it is made, which others may read as our answer."""

    class Silent(highspy.Highs):  # type: ignore[misc]
        def enableCallbacks(self) -> None:  # noqa: N802  its interface
            self.setOptionValue("output_flag", False)  # noqa: FBT003
            super().enableCallbacks()

    return Silent()


def _cover_rows(covering: Covering, groups: Sequence[str]) -> Iterator[Row]:
    """Needs, caps, the budget, the number of groups, and that of a group not taken there is nothing."""
    count = len(covering.costs)
    for need in covering.needs:
        places = [place for place in range(count) if place not in need.without]
        largest = max((covering.units[place] for place in places), default=1)
        yield need.amount / largest, math.inf, places, [covering.units[place] / largest for place in places]
    for cap in covering.caps:
        if places := [place for place in range(count) if cap.uses[place]]:
            largest = max(cap.uses)
            yield -math.inf, cap.amount / largest, places, [cap.uses[place] / largest for place in places]
    of_groups = list(range(count, count + len(groups)))
    if covering.budget is not None:
        costs = [*covering.costs, *(covering.group_cost for _ in groups)]
        largest = max(costs) or 1
        yield -math.inf, covering.budget / largest, [*range(count), *of_groups], [one / largest for one in costs]
    if covering.most_groups is not None:
        yield -math.inf, float(covering.most_groups), of_groups, [1.0] * len(of_groups)
    if covering.most_groups is not None or covering.group_cost:
        for place, group in enumerate(covering.groups):
            column = count + groups.index(group)
            yield -math.inf, 0.0, [place, column], [1.0 / (covering.most[place] or 1), -1.0]


def _rows(
    works: Sequence[Sequence[Option]], limits: Sequence[int], columns: Sequence[tuple[int, int]]
) -> Iterator[Row]:
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
    values: Sequence[int],
) -> list[int]:
    """The choice a solution stands for, held against every limit in whole numbers."""
    taken = [column for column, value in zip(columns, values, strict=True) if value]
    chosen = dict(taken)
    used = [sum(works[work][one].uses.get(limit, 0) for work, one in taken) for limit in range(len(limits))]
    if len(taken) != len(works) or len(chosen) != len(works) or any(map(gt, used, limits)):
        raise RuntimeError("HiGHS answered with a choice that breaks a limit or leaves work undone")
    return [chosen[number] for number in range(len(works))]
