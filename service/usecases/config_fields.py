"""Reading the fields of a model's config: each checked, each refusal naming the field and what would have worked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NoReturn

from service.errors import Invalid

LARGEST_SIZE: Final = 1_000_000_000
"""Of any width, vocabulary or context."""
MOST_LAYERS: Final = 10_000
LONGEST_NAME: Final = 200
"""Characters."""
SHOWN: Final = 60
"""Characters of a refused value that are repeated to its sender."""


@dataclass(frozen=True, slots=True)
class ConfigFields:
    """The fields of one config, and where in the file they are."""

    fields: Mapping[str, Any]
    path: str = ""
    outer: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The config this one is nested in."""

    def whole(self, *names: str, most: int = LARGEST_SIZE) -> int:
        """The number under the first of these names that is there."""
        found = self.whole_if_any(*names, most=most)
        if found is None:
            wanted = " or ".join(names)
            self.refuse(names[0], f"is missing; state {wanted} as a whole number from 1 to {most}")
        return found

    def whole_if_any(self, *names: str, most: int = LARGEST_SIZE, least: int = 1) -> int | None:
        """As `whole`; None where none of the names is there, or is null."""
        name = next((one for one in names if self.fields.get(one) is not None), None)
        if name is None:
            return None
        found = self.fields[name]
        if not isinstance(found, Decimal) or not least <= found <= most or found != int(found):
            self.refuse(name, f"must be a whole number from {least} to {most}, not {_shown(found)}")
        return int(found)

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        """True or false; the default where it is absent or null, here and in the outer config."""
        found = self.fields.get(name)
        if found is None:
            found = self.outer.get(name)
        if found is None:
            found = default
        if not isinstance(found, bool):
            self.refuse(name, f"must be true or false, not {_shown(found)}")
        return found

    def word(self, name: str) -> str:
        """A text that must be there."""
        found = self.fields.get(name)
        if not isinstance(found, str) or not found:
            self.refuse(name, f"must be text such as 'llama', not {_shown(found)}")
        return found

    def sequence(self, name: str) -> list[Any] | None:
        """A list; None where it is absent or null."""
        found = self.fields.get(name)
        if found is not None and not isinstance(found, list):
            self.refuse(name, f"must be a list, not {_shown(found)}")
        return found

    def inside(self, name: str) -> "ConfigFields":
        """The fields of an object that must be there."""
        found = self.fields.get(name)
        if not isinstance(found, Mapping):
            self.refuse(name, f"must be an object, not {_shown(found)}")
        return ConfigFields(found, f"{self.path}{name}.", self.fields)

    def stated_name(self) -> str | None:
        """What the file calls the model, without the folder it once lay in."""
        for fields in (self.fields, self.outer):
            found = fields.get("_name_or_path")
            if isinstance(found, str) and found.isprintable() and len(found) <= LONGEST_NAME:
                return found.rstrip("/").rpartition("/")[2] or None
        return None

    def refuse(self, name: str, message: str) -> NoReturn:
        """Raise Invalid about one field of this config."""
        raise Invalid.field(f"{self.path}{name}", message)


def _shown(value: object) -> str:
    match value:
        case Mapping():
            return "an object"
        case list():
            return "a list"
        case bool():
            return str(value).lower()
        case None:
            return "absent"
        case _:
            text = str(value) if isinstance(value, Decimal) else repr(value)
            return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
