"""Formulas: the equations estimates are computed with."""

from typing import Annotated

from fastapi import Body, Path, Query, Response
from pydantic import AfterValidator

from service.api.examples import FORMULA_INPUTS
from service.api.shapes import FormulaCard, FormulaInputs, FormulaList, FormulaResult
from service.api.wire import answer, door, plain_text
from service.usecases.formulas import evaluate_formula, get_formula, list_formulas

router = door("formulas")
FormulaId = Annotated[str, Path(max_length=100, description="For example training.energy."), AfterValidator(plain_text)]
Version = Annotated[int | None, Query(ge=1, le=1_000_000, description="The newest unless given.")]


@router.get("/formulas", response_model=FormulaList, summary="List formulas")
def formulas() -> Response:
    """Every formula, the five of the mission first."""
    return answer(FormulaList(formulas=tuple(FormulaCard.of(one) for one in list_formulas())))


@router.get("/formulas/{formula}", response_model=FormulaCard, summary="Get one formula")
def one(formula: FormulaId, version: Version = None) -> Response:
    """One formula: its equation, its inputs with units, where it was published."""
    return answer(FormulaCard.of(get_formula(formula, version)))


@router.post("/formulas/{formula}/evaluate", response_model=FormulaResult, summary="Try a formula")
def evaluate(
    formula: FormulaId,
    asked: Annotated[FormulaInputs, Body(openapi_examples=FORMULA_INPUTS)],
    version: Version = None,
) -> Response:
    """Evaluate one formula with plain numbers in its documented units; no price is looked up."""
    found = get_formula(formula, version)
    result = evaluate_formula(formula, asked.inputs, version)
    return answer(FormulaResult(formula=found.name, inputs=asked.inputs, result=result, result_unit=found.result_unit))
