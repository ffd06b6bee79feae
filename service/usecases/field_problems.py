"""What a door's validation found, in the words of the product: which field, what is wrong, what was meant."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from difflib import get_close_matches
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from service.domain.scenario import Scenario
from service.errors import FieldProblem, Invalid

SHOWN: Final = 60
"""Characters of a refused value that are repeated to its sender."""
_MEMBER: Final = re.compile(r"<\w+\.\w+: ('[^']*')>")
"""A member of an enumeration, and the text people write for it."""


def invalid_from(errors: Iterable[Mapping[str, Any]], shape: type = Scenario) -> Invalid:
    """All of pydantic's errors about one value of a dataclass as one Invalid, a problem per field.

    `shape` is the dataclass that was asked for; a misspelt field is answered with the nearest of its fields.
    """
    return invalid(_problem(error, shape) for error in errors)


def invalid(problems: Iterable[FieldProblem]) -> Invalid:
    """One Invalid of several problems."""
    found = tuple(problems)
    return Invalid("; ".join(f"{one.field}: {one.message}" for one in found), problems=found)


def _problem(error: Mapping[str, Any], shape: type) -> FieldProblem:
    path = [str(step) for step in error["loc"]]
    where = ".".join(path) or shape.__name__.lower()
    match error["type"]:
        case "missing":
            return FieldProblem(where, "is missing")
        case "unexpected_keyword_argument" | "extra_forbidden":
            names = _names_at(path[:-1], shape)
            near = get_close_matches(path[-1], names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            return FieldProblem(where, f"is not a field; {hint}")
        case "decimal_parsing" | "decimal_type" | "finite_number" | "float_parsing" | "float_type":
            return FieldProblem(where, f"must be a number, not {_shown(error['input'])}")
        case "int_parsing" | "int_type" | "int_from_float" | "int_parsing_size":
            return FieldProblem(where, f"must be a whole number, not {_shown(error['input'])}")
        case "literal_error" | "enum":
            expected = _MEMBER.sub(r"\1", error["ctx"]["expected"])
            return FieldProblem(where, f"must be {expected}, not {_shown(error['input'])}")
        case "tuple_type" | "list_type":
            return FieldProblem(where, f"must be a list, not {_shown(error['input'])}")
        case "datetime_type" | "datetime_parsing" | "datetime_from_date_parsing":
            return FieldProblem(where, f"must be a time such as 2026-01-31T00:00:00Z, not {_shown(error['input'])}")
        case "string_type":
            return FieldProblem(where, f"must be text, not {_shown(error['input'])}")
        case "dataclass_type" | "dataclass_exact_type":
            wanted = ", ".join(_names_at(path, shape))
            return FieldProblem(where, f"must be a mapping with {wanted}, not {_shown(error['input'])}")
        case _:
            return FieldProblem(where, f"{error['msg']}, not {_shown(error['input'])}")


def _shown(value: object) -> str:
    """A refused value as its sender may see it: short, on one line, nothing nested."""
    match value:
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case Decimal():
            text = str(value)
        case _:
            text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _names_at(path: Iterable[str], shape: type) -> list[str]:
    """The fields of the dataclass a path leads to."""
    found: Any = shape
    for step in path:
        if step.isdigit():
            continue
        found = _dataclass_in(get_type_hints(found).get(step))
        if found is None:
            return []
    return [one.name for one in fields(found)]


def _dataclass_in(hint: Any) -> Any:
    """The dataclass a field holds, on its own, in a tuple or beside None."""
    if get_origin(hint) in (tuple, Union, UnionType):
        return next((found for one in get_args(hint) if (found := _dataclass_in(one)) is not None), None)
    return hint if is_dataclass(hint) else None
