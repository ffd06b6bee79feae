"""How right the predictions are, as Markdown for a page: a line for each group, the baselines beside it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from service.cli.output import harmless, text
from service.estimating.accuracy.report import Accuracy, FactSource, ValidationReport, ValidationSummary, Worst

LEGEND: Final = "Each cell: median error · error of nine rows out of ten · rows inside the stated 80 % interval."


def markdown_of_table(made: ValidationReport) -> str:
    """Every group of a table, the rows that are furthest off, and what could not be predicted."""
    blocks = [LEGEND, _accuracy(made.accuracy), "Furthest off:", _worst(made.worst)]
    if made.not_predicted:
        reasons = dict.fromkeys(one.reason for one in made.not_predicted)
        blocks.append(f"Not predicted: {len(made.not_predicted)} rows. {'; '.join(map(_plain, reasons))}.")
    return "\n\n".join(blocks)


def markdown_of_summary(made: ValidationSummary) -> str:
    """The headlines of every table, and the sources of the facts."""
    tables = [f"**{table}**\n\n{_accuracy(lines)}" for table, lines in made.accuracy.items()]
    return "\n\n".join([LEGEND, *tables, _sources(made.sources)])


def _accuracy(lines: Sequence[Accuracy]) -> str:
    methods = list(dict.fromkeys(one.method for one in lines))
    found = {(one.group, one.method): one for one in lines}
    groups = dict.fromkeys(one.group for one in lines)
    rows = [
        (
            group,
            str(max(one.rows for one in lines if one.group == group)),
            *(_cell(found, group, one) for one in methods),
        )
        for group in groups
    ]
    return _table(("Group", "#Rows", *(f"#{one}" for one in methods)), rows)


def _cell(found: Mapping[tuple[str, str], Accuracy], group: str, method: str) -> str:
    one = found.get((group, method))
    if one is None:
        return ""
    shares = [f"{one.median_error:.1%}", f"{one.p90_error:.0%}"]
    return " · ".join(shares if one.coverage is None else [*shares, f"{one.coverage:.0%}"])


def _worst(rows: Iterable[Worst]) -> str:
    told = [
        (one.name, f"{one.predicted:.3g}", f"{one.measured:.3g}", f"×{one.ratio:.2f}", one.likely_reason)
        for one in rows
    ]
    return _table(("Row", "#Predicted", "#Measured", "#Ratio", "Likely reason"), told)


def _sources(sources: Iterable[FactSource]) -> str:
    rows = [
        (one.publisher, f"[{_plain(one.title)}]({one.url})", str(one.rows), one.read_on, one.terms) for one in sources
    ]
    return _table(("Publisher", "Source", "#Rows", "Read on", "Terms"), rows, raw=1)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], raw: int | None = None) -> str:
    """Cells are text, never markup, but for the column `raw`; a column whose name starts with '#' is aligned right."""
    head = " | ".join(_plain(one.removeprefix("#")) for one in columns)
    line = " | ".join("---:" if one.startswith("#") else "---" for one in columns)
    body = [" | ".join(cell if at == raw else _plain(cell) for at, cell in enumerate(row)) for row in rows]
    return "\n".join(f"| {one} |" for one in (head, line, *body))


def _plain(cell: str) -> str:
    return harmless(text(cell)).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
