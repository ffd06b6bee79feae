"""Saying things: tables for people, JSON for programs, problems for both."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from service.domain.canonical import canonical_bytes
from service.errors import Invalid, SchemaOutdated, ServiceError, Unavailable

AsJson = Annotated[bool, typer.Option("--json", help="Print canonical JSON instead of a table.")]

UNEXPECTED: Final = 1
BAD_INPUT: Final = 2
FEED_FAILED: Final = 3
DATABASE: Final = 6
EXIT_CODES: Final = (
    "Exit codes: 0 done · 1 unexpected error · 2 bad usage or input, or nothing found · 3 a feed failed · "
    "6 the database is unavailable or its schema outdated"
)
WIDE: Final = 10_000
"""Columns of a pipe: nothing is cut where nobody looks at it."""


def out() -> Console:
    """Where answers go."""
    return Console(width=None if sys.stdout.isatty() else WIDE, soft_wrap=False, highlight=False)


def show(value: object) -> None:
    """Print a value as canonical JSON."""
    sys.stdout.write(canonical_bytes(value).decode() + "\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; a column whose name starts with '#' is aligned right."""
    if not sys.stdout.isatty():
        _plain(columns, rows)
        return
    made = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column.removeprefix("#"), justify="right" if column.startswith("#") else "left")
    for row in rows:
        made.add_row(*(text(cell) for cell in row))
    out().print(made)


def say(line: str = "") -> None:
    """Print one line of an answer."""
    out().print(line, markup=False, soft_wrap=True)


def note(line: str) -> None:
    """Print one line beside the answer, to standard error."""
    Console(stderr=True, highlight=False).print(line, markup=False, soft_wrap=True)


def text(cell: object) -> str:
    """A value as people read it."""
    match cell:
        case None | "":
            return "–"
        case datetime():
            return f"{cell:%Y-%m-%d %H:%M}Z"
        case Decimal():
            return format(cell, "f")
        case bool():
            return "yes" if cell else "no"
        case _:
            return str(cell)


def money(amount: Decimal, currency: str) -> str:
    """An amount rounded for reading: cents, or four digits below one."""
    shown = f"{amount:,.2f}" if abs(amount) >= 1 or amount == 0 else f"{amount:.4g}"
    return f"{shown} {currency}"


def fail(error: ServiceError, *, as_json: bool) -> int:
    """Say what went wrong, on standard error; returns the exit code."""
    problems = error.problems if isinstance(error, Invalid) else ()
    if as_json:
        problem = {"code": error.code, "detail": str(error), "errors": problems}
        sys.stderr.write(canonical_bytes(problem).decode() + "\n")
    elif problems:
        for one in problems:
            note(f"{one.field}: {one.message}")
    else:
        note(str(error))
    return DATABASE if isinstance(error, SchemaOutdated | Unavailable) else BAD_INPUT


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
