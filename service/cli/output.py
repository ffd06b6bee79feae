"""Saying things: tables for people, JSON for programs, problems for both."""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final
from unicodedata import category

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.cli.secrets import without_secrets
from service.domain.canonical import json_bytes
from service.domain.quantities import significant
from service.errors import FieldProblem, Infeasible, Invalid, SchemaOutdated, ServiceError, Unavailable

AsJson = Annotated[bool, typer.Option("--json", help="Print canonical JSON instead of a table.")]

UNEXPECTED: Final = 1
BAD_INPUT: Final = 2
FEED_FAILED: Final = 3
INFEASIBLE: Final = 3
OVER_BUDGET: Final = 4
STALE: Final = 5
DATABASE: Final = 6
ROWS_LOST: Final = 7
CANCELLED: Final = 130
EXIT_CODES: Final = (
    "Exit codes: 0 done · 1 unexpected error · 2 bad usage or input, or nothing found · "
    "3 a feed failed, or no plan meets a goal · "
    "4 a limit would break · 5 prices are stale · "
    "6 the database is unavailable or its schema outdated · 7 a row of a document ended nowhere · 130 cancelled"
)


def out() -> Console:
    """Where answers go on a terminal."""
    return Console(highlight=False, emoji=False)


def show(value: object) -> None:
    """Print a value as canonical JSON."""
    sys.stdout.write(json_bytes(value).decode() + "\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; a column whose name starts with '#' is aligned right."""
    if not sys.stdout.isatty():
        _plain(columns, rows)
        return
    made = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(
            column.removeprefix("#"), justify="right" if column.startswith("#") else "left", overflow="fold"
        )
    for row in rows:
        made.add_row(*(Text(text(cell)) for cell in row))
    out().print(made)


def say(line: str = "") -> None:
    """Print one line of an answer."""
    sys.stdout.write(harmless(line, keep="\n") + "\n")


def note(line: str) -> None:
    """Print one line beside the answer, to standard error."""
    sys.stderr.write(harmless(line) + "\n")


def harmless(line: str, keep: str = "") -> str:
    """The line without what a terminal would obey: a feed's words are shown, never executed."""
    return "".join(one if one in keep or category(one) not in {"Cc", "Cf", "Cs"} else "�" for one in line)


def text(cell: object) -> str:
    """A value as people read it."""
    match cell:
        case None | "":
            return "–"
        case datetime():
            return f"{cell.astimezone(UTC):%Y-%m-%d %H:%M}Z"
        case Decimal():
            return format(cell, "f")
        case bool():
            return "yes" if cell else "no"
        case _:
            return harmless(str(cell))


def money(amount: Decimal, currency: str) -> str:
    """An amount rounded for reading: cents, or four digits below one."""
    shown = f"{amount:,.2f}" if abs(amount) >= 1 or amount == 0 else format(significant(amount, 4), "f")
    return f"{shown} {currency}"


def fail(error: ServiceError, *, as_json: bool) -> int:
    """Say what went wrong, on standard error; returns the exit code."""
    if isinstance(error, Infeasible):
        complain([str(error)], code=error.code, as_json=as_json, relaxations=error.relaxations)
        return INFEASIBLE
    problems = error.problems if isinstance(error, Invalid) else ()
    lines = [f"{one.field}: {one.message}" for one in problems] or [without_secrets(str(error))]
    complain(lines, code=error.code, as_json=as_json, problems=problems)
    return DATABASE if isinstance(error, SchemaOutdated | Unavailable) else BAD_INPUT


def complain(
    lines: Sequence[str],
    *,
    code: str,
    as_json: bool,
    problems: Sequence[FieldProblem] = (),
    relaxations: Sequence[object] = (),
) -> None:
    """Print a problem on standard error: a line each, or one JSON object."""
    if as_json:
        problem = {"code": code, "detail": "; ".join(lines), "errors": tuple(problems)}
        if relaxations:
            problem["relaxations"] = tuple(relaxations)
        sys.stderr.write(json_bytes(problem).decode() + "\n")
        return
    for line in lines:
        note(line)


def _plain(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns without rules or colour, for a pipe."""
    cells = [[column.removeprefix("#") for column in columns], *([text(cell) for cell in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    for row in cells:
        padded = (
            cell.rjust(width) if column.startswith("#") else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        )
        sys.stdout.write("  ".join(padded).rstrip() + "\n")
