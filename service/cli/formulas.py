"""Formulas: reading them, trying them."""

from typing import Annotated

import typer

from pricing_sources.documents import decimal_text
from service.cli.output import AsJson, say, show, table, text
from service.domain.quantities import plain
from service.errors import Invalid
from service.formulas.catalog import Formula
from service.formulas.formula import Input
from service.usecases.formulas import evaluate_formula, get_formula, list_formulas

app = typer.Typer()


@app.command("ls")
def ls(*, as_json: AsJson = False) -> None:
    """List every formula, the five of the mission first."""
    if as_json:
        show([_described(one) for one in list_formulas()])
        return
    rows = [(one.name, one.mission, one.title, one.result_unit) for one in list_formulas()]
    table("", ["Formula", "#Mission", "What it says", "Result"], rows)


@app.command("show")
def show_one(formula: str, *, as_json: AsJson = False) -> None:
    """Show a formula: equation, symbols, limits, reference, worked example."""
    found = get_formula(formula)
    if as_json:
        show(_described(found))
        return
    say(f"{found.name}  {found.title}  [{found.result_unit}]")
    say()
    say(found.documentation)


@app.command("evaluate")
def evaluate(
    formula: str,
    inputs: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="In the units the formula states.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Evaluate a formula with your own numbers."""
    given: dict[str, Input] = {}
    for pair in inputs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise Invalid.field(pair, "must be NAME=VALUE, for example gpus=8")
        given[name] = _number(name, value)
    result = plain(evaluate_formula(formula, given))
    found = get_formula(formula)
    if as_json:
        show({"formula": found.name, "result": result, "unit": found.result_unit})
    else:
        say(f"{text(result)} {found.result_unit}")


def _number(name: str, value: str) -> Input:
    """A number with every digit; a word, such as the name of a language model, as it is."""
    if value[:1].isalpha():
        return value
    try:
        return decimal_text(value)
    except ValueError as error:
        raise Invalid.field(name, str(error)) from None


def _described(one: Formula) -> dict[str, object]:
    return {
        "id": one.id,
        "version": one.version,
        "title": one.title,
        "mission": one.mission,
        "result_unit": one.result_unit,
        "documentation": one.documentation,
        "arguments": [
            {"name": a.name, "unit": a.unit_text, "description": a.description, "default": a.default}
            for a in one.arguments
        ],
    }
