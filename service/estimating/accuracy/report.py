"""The figures over the rows of a table: errors, coverage, baselines, the worst."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np

from service.formulas.utilisation import interval

Row = Mapping[str, str]
Constants = TypeVar("Constants")

PREDICTED: Final = "predicted"
"""With the constants as shipped."""
LEFT_OUT: Final = "predicted, family left out of the fit"
ANCHORED: Final = "anchored by up to three other rows of the setup"
ANCHORED_BY_ONE: Final = "anchored by one other row of the setup"
ANCHORS: Final = 3
LEAST: Final = 1e-12
LARGEST: Final = 1e30
"""The largest run so far took under 1e27 operations."""
WORST_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One row: what was measured, and what each method says."""

    name: str
    family: str
    groups: tuple[str, ...]
    quantity: str
    """`GPU-hours`, `MFU`, `ms per output token`."""
    measured: float
    by_method: Mapping[str, float]
    low: float
    """End of the stated 80 % interval around `PREDICTED`."""
    high: float
    spreads: Mapping[str, float] = field(default_factory=dict)
    """Of the methods that state an interval of their own: standard deviations of the logarithm."""
    reasons: tuple[str, ...] = ()
    """What about the row makes an error likely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPredicted:
    """One row that lacks what a prediction needs."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """One method over one group."""

    group: str
    method: str
    rows: int
    median_error: float
    """Median of |predicted / measured − 1|."""
    p90_error: float
    within_2x: float
    bias: float
    """Median of predicted / measured."""
    coverage: float | None
    """Share of rows inside the stated 80 % interval; None for a method that states none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """A row that is far off."""

    name: str
    groups: tuple[str, ...]
    measured: float
    predicted: float
    ratio: float
    likely_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSource:
    """A page that rows of a table were read on."""

    publisher: str
    title: str
    url: str
    published: str
    """Day, month or year, as far as the page says."""
    read_on: str
    terms: str
    """On what terms its figures stand here."""
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationReport:
    """What a table says of the predictions."""

    table: str
    quantity: str
    accuracy: tuple[Accuracy, ...]
    worst: tuple[Worst, ...]
    not_predicted: tuple[NotPredicted, ...]
    notes: tuple[str, ...] = ()
    sources: tuple[FactSource, ...] = ()
    """Of the facts that are shipped; none for a table of somebody's own."""
    outcomes: tuple[Outcome, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationSummary:
    """How right every kind of prediction is over the facts that are shipped."""

    accuracy: Mapping[str, tuple[Accuracy, ...]]
    """By table: the figures over all its rows."""
    not_predicted: Mapping[str, int]
    sources: tuple[FactSource, ...]


def report(
    table: str, outcomes: Sequence[Outcome], not_predicted: Iterable[NotPredicted], notes: tuple[str, ...] = ()
) -> ValidationReport:
    """The figures over all rows and over every group of them."""
    groups = dict.fromkeys(group for one in outcomes for group in one.groups)
    figures = [
        _accuracy(group, method, [one for one in outcomes if group in one.groups])
        for group in groups
        for method in dict.fromkeys(name for one in outcomes for name in one.by_method)
    ]
    return ValidationReport(
        table=table,
        quantity=outcomes[0].quantity if outcomes else "",
        accuracy=tuple(one for one in figures if one is not None),
        worst=_worst(outcomes),
        not_predicted=tuple(not_predicted),
        notes=notes,
        outcomes=tuple(outcomes),
    )


def number(row: Row, column: str) -> float | None:
    """A column as a number; None where it is absent, empty or not a plain number.

    >>> number({"isl": "1024"}, "isl"), number({"isl": "mixed"}, "isl"), number({}, "isl")
    (1024.0, None, None)
    """
    try:
        value = float(row.get(column) or "")
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def positive(row: Row, column: str) -> float | None:
    """A column as a number above 0; None where it is none, or beyond anything of this world.

    >>> positive({"chips": "8"}, "chips"), positive({"chips": "0"}, "chips"), positive({"chips": "-8"}, "chips")
    (8.0, None, None)
    >>> positive({"chips": "1e300"}, "chips"), positive({"chips": "1e-300"}, "chips")
    (None, None)
    """
    value = number(row, column)
    return value if value is not None and LEAST <= value <= LARGEST else None


def seen(row: Row, columns: Iterable[str]) -> Row:
    """The row without what a prediction may not look at."""
    return {column: row.get(column, "") for column in columns}


def without_each_family(
    families: Sequence[str], fit: Callable[[Sequence[int]], Constants], predict: Callable[[int, Constants], float]
) -> list[float]:
    """The prediction of every row from constants fitted without its family."""
    predicted = [0.0] * len(families)
    for family in dict.fromkeys(families):
        constants = fit([index for index, one in enumerate(families) if one != family])
        for index, one in enumerate(families):
            if one == family:
                predicted[index] = predict(index, constants)
    return predicted


def others_of(setups: Sequence[tuple[str, ...]]) -> list[list[int]]:
    """For every row the other rows of its setup, in the order of the table."""
    rows: dict[tuple[str, ...], list[int]] = {}
    for index, setup in enumerate(setups):
        rows.setdefault(setup, []).append(index)
    return [[one for one in rows[setup] if one != index] for index, setup in enumerate(setups)]


def _accuracy(group: str, method: str, outcomes: Sequence[Outcome]) -> Accuracy | None:
    told = [one for one in outcomes if method in one.by_method]
    if not told:
        return None
    ratios = np.array([one.by_method[method] / one.measured for one in told])
    errors = np.abs(ratios - 1)
    inside = [_inside(one, method) for one in told]
    return Accuracy(
        group=group,
        method=method,
        rows=len(told),
        median_error=float(np.median(errors)),
        p90_error=float(np.quantile(errors, 0.9)),
        within_2x=float(np.mean((ratios >= 0.5) & (ratios <= 2))),
        bias=float(np.median(ratios)),
        coverage=None if None in inside else float(np.mean([bool(one) for one in inside])),
    )


def _inside(one: Outcome, method: str) -> bool | None:
    """Whether the interval of a method holds the measurement; None for one that states none."""
    predicted = one.by_method[method]
    if method in one.spreads:
        band = interval(predicted, spread=one.spreads[method])
        return bool(band.low <= one.measured <= band.high)
    if method not in (PREDICTED, LEFT_OUT):
        return None
    moved = predicted / one.by_method[PREDICTED]
    return one.low * moved <= one.measured <= one.high * moved


def _worst(outcomes: Sequence[Outcome]) -> tuple[Worst, ...]:
    def off(one: Outcome) -> float:
        return float(abs(np.log(one.by_method[PREDICTED] / one.measured)))

    return tuple(
        Worst(
            name=one.name,
            groups=one.groups,
            measured=one.measured,
            predicted=one.by_method[PREDICTED],
            ratio=one.by_method[PREDICTED] / one.measured,
            likely_reason="; ".join(one.reasons) or "nothing in the row explains it",
        )
        for one in sorted(outcomes, key=off, reverse=True)[:WORST_SHOWN]
    )
