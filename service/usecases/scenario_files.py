"""A scenario from a file people write: YAML or JSON, every digit kept, every slip named."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError
from typing_extensions import override

from service.domain.scenario import Scenario
from service.errors import FieldProblem, Invalid

LARGEST: Final = 1024 * 1024
_SCENARIO: Final = TypeAdapter(Scenario)


def read_scenario(text: str) -> Scenario:
    """Parse and check the text of a scenario. Raises Invalid naming each field that is wrong."""
    if len(text) > LARGEST:
        raise Invalid.field("scenario", f"is over {LARGEST} characters long; a scenario is a page")
    try:
        tree = yaml.load(text, Loader=_TextLoader)  # noqa: S506  a loader that makes only text, lists and mappings
    except yaml.YAMLError as error:
        raise Invalid.field("scenario", f"is not YAML or JSON: {' '.join(str(error).split())}") from error
    if not isinstance(tree, Mapping):
        raise Invalid.field("scenario", "must be a mapping with a name and at least one part, such as training")
    try:
        return _SCENARIO.validate_python(_without_blanks(tree))
    except ValidationError as error:
        raise _invalid(error.errors()) from None


class _TextLoader(yaml.BaseLoader):
    """Leaves every scalar as the text it is, so that 2.50 keeps its digits; knows no aliases."""

    @override
    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse aliases: a few lines of them can grow to gigabytes."""
        if self.check_event(yaml.events.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not used in scenarios", event.start_mark)
        return super().compose_node(parent, index)


def _without_blanks(tree: Mapping[str, Any]) -> dict[str, Any]:
    """An empty value is one left out."""
    kept = {key: _without_blanks(value) if isinstance(value, Mapping) else value for key, value in tree.items()}
    return {key: value for key, value in kept.items() if value not in ("", "null", "~")}


def _invalid(errors: Iterable[Any]) -> Invalid:
    problems = tuple(_problem(error) for error in errors)
    return Invalid("; ".join(f"{problem.field}: {problem.message}" for problem in problems), problems=problems)


def _problem(error: Mapping[str, Any]) -> FieldProblem:
    path = [str(step) for step in error["loc"]]
    where = ".".join(path) or "scenario"
    match error["type"]:
        case "missing":
            return FieldProblem(where, "is missing")
        case "unexpected_keyword_argument" | "extra_forbidden":
            names = _names_at(path[:-1])
            near = get_close_matches(path[-1], names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            return FieldProblem(where, f"is not a field; {hint}")
        case "decimal_parsing" | "decimal_type":
            return FieldProblem(where, f"must be a number, not {str(error['input'])[:60]!r}")
        case "dataclass_type" | "dataclass_exact_type":
            return FieldProblem(where, f"must be a mapping with {', '.join(_names_at(path))}")
        case _:
            return FieldProblem(where, str(error["msg"]))


def _names_at(path: Iterable[str]) -> list[str]:
    """The fields of the dataclass a path leads to."""
    kind: Any = Scenario
    for step in path:
        kind = _dataclass_in(get_type_hints(kind).get(step))
        if kind is None:
            return []
    return [one.name for one in fields(kind)]


def _dataclass_in(hint: Any) -> Any:
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return next((one for one in options if is_dataclass(one)), None)
