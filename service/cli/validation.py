"""Holding the predictions against published facts."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from service.cli.output import AsJson, say, show, table
from service.errors import Invalid
from service.estimating.accuracy.report import Accuracy, ValidationReport
from service.usecases.validation import validate_predictions

LARGEST: Final = 32 * 1024 * 1024
"""Bytes of a table."""

app = typer.Typer()

TableFile = Annotated[Path, typer.Argument(metavar="FILE.csv", help="A CSV, or - for standard input.")]


@app.command("training")
def training(file: TableFile, *, as_json: AsJson = False) -> None:
    """Check predicted GPU-hours of whole training runs."""
    _show("training", file, as_json=as_json)


@app.command("mfu")
def mfu(file: TableFile, *, as_json: AsJson = False) -> None:
    """Check predicted utilisation of training benchmarks."""
    _show("mfu", file, as_json=as_json)


@app.command("inference")
def inference(file: TableFile, *, as_json: AsJson = False) -> None:
    """Check predicted time per output token and throughput of serving benchmarks."""
    _show("inference", file, as_json=as_json)


@app.command("epoch")
def epoch(file: TableFile, *, as_json: AsJson = False) -> None:
    """Check predicted chip-hours and amortised cost against Epoch AI's table."""
    _show("epoch", file, as_json=as_json)


def _show(kind: str, file: Path, *, as_json: bool) -> None:
    found = validate_predictions(kind, _text_of(file))
    if as_json:
        show(found)
        return
    columns = ["Group", "Method", "#Rows", "#Median error", "#P90", "#Within 2x", "#Bias", "#In 80 % interval"]
    table("", columns, [_line(one) for one in found.accuracy])
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
