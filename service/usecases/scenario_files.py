"""What people write into files, scenarios, rate cards, budgets, specs: YAML or JSON, every digit kept, slips named."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, NoReturn, TypeVar
from unicodedata import category

import yaml
from pydantic import TypeAdapter, ValidationError
from typing_extensions import override

from pricing_sources.documents import exact_json
from pricing_sources.errors import ShapeChanged
from service.domain.budget import Budget
from service.domain.notifications import Target
from service.domain.rate_card import RateCard
from service.domain.scenario import PriceInput, Scenario
from service.errors import FieldProblem, Invalid
from service.usecases.field_problems import invalid, invalid_from
from service.usecases.model_files import read_model_config
from service.usecases.predictions import SPECS, Spec

LARGEST: Final = 1024 * 1024
"""Bytes of a file."""
_BLANK: Final = frozenset({"", "~", "null", "Null", "NULL"})
_T = TypeVar("_T")


def read_scenario(text: str) -> Scenario:
    """Parse and check the text of a scenario. Raises Invalid naming each field that is wrong.

    A text that begins with `{` is JSON, any other YAML. An empty value is a field left out.
    """
    return read_as(text, Scenario, "scenario", "must be a mapping with a name and at least one part, such as training")


def read_rate_card(text: str) -> RateCard:
    """Parse and check the text of a rate card, as `read_scenario` does. Raises Invalid."""
    return read_as(text, RateCard, "rate_card", "must be a mapping with a name and a list of entries")


def read_budget(text: str) -> Budget:
    """Parse and check the text of a budget, as `read_scenario` does. Raises Invalid."""
    return read_as(text, Budget, "budget", "must be a mapping with a name, a scenario, a limit and a start")


def read_target(text: str) -> Target:
    """Parse and check the text of a notification target, as `read_scenario` does. Raises Invalid."""
    return read_as(text, Target, "target", "must be a mapping with a name, a kind, and a url or addresses")


def read_prediction_spec(kind: str, text: str) -> Spec:
    """Parse and check the text of what is to be predicted, as `read_scenario` does. Raises Invalid."""
    wanted = f"must be a mapping with an llm, an accelerator and what a prediction of {kind} needs"
    found: Spec = read_as(text, SPECS[kind], "spec", wanted)
    return found


def with_config(spec: Spec, config: str, name: str) -> Spec:
    """The same spec about the architecture a config.json states. Raises Invalid."""
    return replace(spec, llm=None, architecture=read_model_config(config, name=name))


def read_as(text: str, shape: type[_T], noun: str, wanted: str) -> _T:
    """Parse and check a text of any shape; `wanted` says what was expected. Raises Invalid."""
    try:
        tree = _tree(_believable(text))
    except _Misread as slip:
        raise Invalid.field(noun, str(slip)) from slip.__cause__
    if not isinstance(tree, Mapping):
        raise Invalid.field(noun, wanted)
    try:
        found = TypeAdapter(shape).validate_python(_without_blanks(tree))
    except ValidationError as error:
        raise invalid_from(error.errors(include_url=False), shape) from None
    if problems := tuple(_unstorable("", found)):
        raise invalid(problems)
    return found


def in_currency(scenario: Scenario, currency: str) -> Scenario:
    """The same scenario with its totals in another currency.

    A price stated without a currency was stated in the scenario's own, and keeps it.
    """
    stated: Scenario = _with_stated(scenario, scenario.currency)
    return replace(stated, currency=currency)


def _with_stated(value: Any, currency: str) -> Any:
    """The same with a currency on every price inside it that is stated without one."""
    if isinstance(value, PriceInput):
        bare = value.amount is not None and value.currency is None
        return replace(value, currency=currency) if bare else value
    if isinstance(value, tuple):
        return tuple(_with_stated(one, currency) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _with_stated(getattr(value, one.name), currency) for one in fields(value)})
    return value


def _believable(text: str) -> str:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise _Misread("is not UTF-8 text; save the file as UTF-8") from None
    if size > LARGEST:
        raise _Misread(f"is over {LARGEST} bytes long; a page was expected")
    return text.removeprefix("\ufeff")


def _tree(text: str) -> Any:
    """Mappings, lists and texts (from JSON also exact numbers), none of them built from aliases."""
    try:
        if text.lstrip().startswith("{"):
            return exact_json(text.encode())
        return yaml.load(text, Loader=_TextLoader)  # noqa: S506  a loader that makes only text, lists and mappings
    except ShapeChanged as error:
        raise _Misread(f"is not YAML or JSON: {error}") from error
    except yaml.MarkedYAMLError as error:
        where = _place(error.problem_mark)
        raise _Misread(f"is not YAML or JSON: {where}{error.problem}") from error
    except yaml.YAMLError as error:
        raise _Misread(f"is not YAML or JSON: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise _Misread("is nested too deeply") from error


class _Misread(Exception):
    """A text that is no file of ours, whatever it was to be."""


class _TextLoader(yaml.BaseLoader):
    """Leaves every scalar as the text it is, so that 2.50 keeps its digits; a plain blank or null is None."""

    @override
    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse aliases and tags: a few lines of the first grow to gigabytes, the second mean nothing here."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.events.AliasEvent) or event.anchor is not None:
            _refuse("anchors and aliases are not used here", event.start_mark)
        if getattr(event, "tag", None) is not None:
            _refuse(f"tags such as {event.tag[:40]} are not used here", event.start_mark)
        return super().compose_node(parent, index)

    @override
    def construct_scalar(self, node: Any) -> Any:
        """The text itself; None for a plain blank."""
        return None if node.style is None and node.value in _BLANK else super().construct_scalar(node)

    @override
    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Refuse a field given twice, of which only the last would count."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                _refuse("the name of a field must be text", key.start_mark)
            if key.value in seen:
                _refuse(f"{key.value[:40]!r} is given twice; give it once", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _refuse(problem: str, mark: Any) -> NoReturn:
    raise _Misread(f"{_place(mark)}{problem}")


def _place(mark: Any) -> str:
    return f"line {mark.line + 1} column {mark.column + 1}: " if mark else ""


def _without_blanks(tree: Any) -> Any:
    """An empty value is one left out."""
    if isinstance(tree, list):
        return [_without_blanks(value) for value in tree]
    if isinstance(tree, Mapping):
        return {str(key): _without_blanks(value) for key, value in tree.items() if value is not None}
    return tree


def _unstorable(where: str, value: object) -> Iterator[FieldProblem]:
    """What reads well and yet could not be kept."""
    if isinstance(value, str):
        if any(category(character) in {"Cc", "Cs"} for character in value):
            yield FieldProblem(where, "must not contain control characters or halves of one")
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from _unstorable(f"{where}.{number}", one)
    elif is_dataclass(value):
        for one in fields(value):
            yield from _unstorable(f"{where}.{one.name}".lstrip("."), getattr(value, one.name))
