"""Read the formulas the estimates are computed with, and try them."""

from collections.abc import Mapping
from decimal import Decimal

from service.formulas.catalog import FORMULAS, Formula, formula
from service.formulas.formula import Input


def list_formulas() -> tuple[Formula, ...]:
    """Every formula, the five of the mission first."""
    return FORMULAS


def get_formula(formula_id: str, version: int | None = None) -> Formula:
    """One formula, its newest version unless said. Raises NotFound."""
    return formula(formula_id, version)


def evaluate_formula(formula_id: str, inputs: Mapping[str, Input], version: int | None = None) -> Decimal:
    """Evaluate one formula with plain numbers in its documented units, models by name. Raises NotFound, Invalid."""
    return formula(formula_id, version).evaluate(inputs)
