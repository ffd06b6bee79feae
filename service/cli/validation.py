"""Holding the predictions against published facts."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from service.cli.accuracy_tables import markdown_of_summary, markdown_of_table
from service.cli.output import AsJson, say, show, table
from service.errors import Invalid
from service.estimating.accuracy.report import Accuracy, FactSource, ValidationReport
from service.usecases.validation import summarise_validations, validate_predictions, validate_published

LARGEST: Final = 32 * 1024 * 1024
"""Bytes of a table."""

app = typer.Typer()

TableFile = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE.csv]", help="A CSV, or - for standard input; the published facts shipped if absent."),
]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown for a page instead of a table.")]
COLUMNS: Final = ("Group", "Method", "#Rows", "#Median error", "#P90", "#Within 2x", "#Bias", "#In 80 % interval")


@app.callback(invoke_without_command=True)
def everything(context: typer.Context, *, as_json: AsJson = False, as_markdown: AsMarkdown = False) -> None:
    """Hold the predictions against published facts: without a table, all that are shipped."""
    if context.invoked_subcommand is not None:
        return
    made = summarise_validations()
    if as_json:
        show(made)
        return
    if as_markdown:
        say(markdown_of_summary(made))
        return
    rows = [(name, *_line(one)) for name, lines in made.accuracy.items() for one in lines]
    table("", ["Table", *COLUMNS], rows)
    say()
    _tell_sources(made.sources)


@app.command("training")
def training(file: TableFile = None, *, as_json: AsJson = False, as_markdown: AsMarkdown = False) -> None:
    """Check predicted GPU-hours of whole training runs."""
    _show("training", file, as_json=as_json, as_markdown=as_markdown)


@app.command("mfu")
def mfu(file: TableFile = None, *, as_json: AsJson = False, as_markdown: AsMarkdown = False) -> None:
    """Check predicted utilisation of training benchmarks."""
    _show("mfu", file, as_json=as_json, as_markdown=as_markdown)


@app.command("inference")
def inference(file: TableFile = None, *, as_json: AsJson = False, as_markdown: AsMarkdown = False) -> None:
    """Check predicted time per output token and throughput of serving benchmarks."""
    _show("inference", file, as_json=as_json, as_markdown=as_markdown)


@app.command("epoch")
def epoch(file: TableFile = None, *, as_json: AsJson = False, as_markdown: AsMarkdown = False) -> None:
    """Check predicted chip-hours and amortised cost against Epoch AI's table."""
    _show("epoch", file, as_json=as_json, as_markdown=as_markdown)


def _show(kind: str, file: Path | None, *, as_json: bool, as_markdown: bool) -> None:
    found = validate_predictions(kind, _text_of(file)) if file else validate_published(kind)
    if as_json:
        show(found)
        return
    if as_markdown:
        say(markdown_of_table(found))
        return
    table("", COLUMNS, [_line(one) for one in found.accuracy])
    _tell_the_rest(found)


def _text_of(file: Path) -> str:
    """The text of a table, many times what a scenario may be. Raises Invalid."""
    try:
        content = sys.stdin.buffer.read(LARGEST + 1) if str(file) == "-" else _start_of(file)
        text = content.decode()
    except UnicodeDecodeError as error:
        raise Invalid.field("file", f"{file} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise Invalid.field("file", f"{file} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise Invalid.field("file", f"{file} is over {LARGEST} bytes long; split it")
    return text


def _start_of(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(LARGEST + 1)


def _line(one: Accuracy) -> tuple[str, ...]:
    covered = "" if one.coverage is None else f"{one.coverage:.0%}"
    errors = (f"{one.median_error:.1%}", f"{one.p90_error:.0%}", f"{one.within_2x:.0%}")
    return (one.group, one.method, str(one.rows), *errors, f"×{one.bias:.2f}", covered)


def _tell_the_rest(found: ValidationReport) -> None:
    """The worst rows, the rows left out, the notes."""
    say()
    say("Furthest off:")
    rows = [
        (one.name, f"{one.predicted:.4g}", f"{one.measured:.4g}", f"×{one.ratio:.2f}", one.likely_reason)
        for one in found.worst
    ]
    table("", ["Row", "#Predicted", "#Measured", "#Ratio", "Likely reason"], rows)
    say()
    say(f"Not predicted: {len(found.not_predicted)} rows")
    table("", ["Row", "Why"], [(one.name, one.reason) for one in found.not_predicted])
    for note in found.notes:
        say(note)
    if found.sources:
        say()
        _tell_sources(found.sources)


def _tell_sources(sources: Sequence[FactSource]) -> None:
    rows = [(one.publisher, one.title, str(one.rows), one.url, one.read_on, one.terms) for one in sources]
    table("", ["Publisher", "Source", "#Rows", "Page", "Read on", "Terms"], rows)
