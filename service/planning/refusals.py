"""Refusing a question that cannot be meant, all its problems at once."""

from collections.abc import Iterable

from service.errors import FieldProblem, Invalid


def refuse(problems: Iterable[FieldProblem]) -> None:
    """Do nothing if there are none. Raises Invalid naming every field."""
    found = tuple(problems)
    if found:
        raise Invalid("; ".join(f"{one.field}: {one.message}" for one in found), problems=found)
