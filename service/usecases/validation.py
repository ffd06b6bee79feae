"""Hold the predictions against a table of published facts."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from io import StringIO
from types import MappingProxyType
from typing import Final

from service.errors import FieldProblem, Invalid
from service.estimating.accuracy.epoch import validate_epoch
from service.estimating.accuracy.facts import published_facts
from service.estimating.accuracy.report import Row, ValidationReport, ValidationSummary
from service.estimating.accuracy.serving import validate_serving
from service.estimating.accuracy.training import validate_training
from service.estimating.accuracy.utilisation import validate_utilisation
from service.usecases.field_problems import invalid

MOST_ROWS: Final = 20_000
SHOWN: Final = 60
"""Characters of an unknown kind of table that are repeated."""
TABLES: Final[Mapping[str, Callable[[Sequence[Row]], ValidationReport]]] = MappingProxyType(
    {
        "training": validate_training,
        "mfu": validate_utilisation,
        "inference": validate_serving,
        "epoch": validate_epoch,
    }
)
"""Kinds of tables, and what predicts their rows."""
NEEDED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "training": ("model", "params_active_b", "tokens_b", "accelerator", "accel_hours"),
        "mfu": ("model", "gpu", "n_gpu", "precision", "seq_len"),
        "inference": ("model", "accelerator", "n_accel", "precision", "isl", "osl"),
        "epoch": ("model", "hardware", "chips", "chip_hours", "training_flop"),
    }
)
"""Columns without which no row of a table can be predicted."""


HEADLINES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "training": ("pre-training",),
        "mfu": ("benchmarks",),
        "inference": ("serving",),
        "epoch": ("chip-hours", "amortised cost"),
    }
)
"""Groups that hold all rows of a table, by what was measured."""


def validate_predictions(table: str, text: str) -> ValidationReport:
    """Predict every row of a CSV and compare it with what was measured.

    Rows that lack what a prediction needs are listed, never guessed. Raises Invalid for an unknown kind of table,
    a text that is no CSV, and missing columns, each named.
    """
    _check_table(table)
    return TABLES[table](_rows(table, text))


def validate_published(table: str) -> ValidationReport:
    """The same over the published facts that are shipped, each with its source. Raises Invalid for an unknown kind."""
    _check_table(table)
    return _over_published(table)


def summarise_validations() -> ValidationSummary:
    """The figures over all published facts that are shipped, a few lines for each kind of table."""
    reports = {table: _over_published(table) for table in TABLES}
    return ValidationSummary(
        accuracy={
            table: tuple(one for one in made.accuracy if one.group in HEADLINES[table])
            for table, made in reports.items()
        },
        not_predicted={table: len(made.not_predicted) for table, made in reports.items()},
        sources=tuple(one for made in reports.values() for one in made.sources),
    )


@cache
def _over_published(table: str) -> ValidationReport:
    """Neither the facts nor the formulas change while a process runs."""
    rows, sources = published_facts(table)
    return replace(TABLES[table](rows), sources=sources)


def _check_table(table: str) -> None:
    if table not in TABLES:
        near = get_close_matches(table, TABLES, n=1) or list(TABLES)
        raise Invalid.field("table", f"{table[:SHOWN]!r} is no kind of table; there is {', '.join(near)}")


def _rows(table: str, text: str) -> list[Row]:
    """The rows of a CSV, blanks around a value aside."""
    try:
        reader = csv.DictReader(StringIO(text.removeprefix("\ufeff")), strict=True)
        columns = [column.strip() for column in reader.fieldnames or ()]
        reader.fieldnames = columns
        _check(table, columns)
        rows = [_stripped(row) for row in _counted(reader)]
    except csv.Error as error:
        raise Invalid.field("file", f"is no CSV: {error}") from error
    if not rows:
        raise Invalid.field("file", "has a header and no row")
    return rows


def _counted(reader: "csv.DictReader[str]") -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for row in reader:
        if None in row:
            raise Invalid.field("file", f"line {reader.line_num} has more values than the header has columns")
        if len(rows) == MOST_ROWS:
            raise Invalid.field("file", f"has more than {MOST_ROWS} rows; split it")
        rows.append(row)
    return rows


def _stripped(row: Mapping[str, str]) -> Row:
    return {name: (value or "").strip() for name, value in row.items()}


def _check(table: str, columns: Sequence[str]) -> None:
    missing = [column for column in NEEDED[table] if column not in columns]
    if missing:
        raise invalid(FieldProblem(column, f"is missing; a {table} table needs it as a column") for column in missing)
