"""JSON-stat 2.0: a table of any number of dimensions, laid out as one long row (json-stat.org/full).

`id` names the dimensions, `size` says how many categories each has, and a figure's place in the row
says its categories: the last dimension runs fastest. Three things to know. `value` and `status` are
lists, or objects that leave out the empty places, and a place may have a flag and no figure; one
text as `status` holds for every figure. The order of categories is what `category.index` says,
whatever the question's was. One category alone needs no `index`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import prod
from typing import Any, Final

from pricing_sources.documents import required
from pricing_sources.errors import ShapeChanged

LONGEST_KEY: Final = 18
"""Digits of a place; no table that fits into a document has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One place of the table that has a figure, a flag or both."""

    codes: Mapping[str, str]
    """Dimension to category: `{"geo": "DE", "time": "2025-S2"}`."""
    value: Any
    """As decoded: a Decimal, or None where there is only a flag."""
    flags: str
    """The letters of its status, such as `bp`; empty for none."""
    locator: str
    """JSON pointer of the figure."""

    @property
    def text(self) -> str:
        """The cell in one line, shortened to 500 characters."""
        return f"{' '.join(self.codes.values())}: {self.value} {self.flags}".rstrip()[:500]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A document whose dimensions have been read."""

    dimensions: Mapping[str, tuple[str, ...]]
    """Each dimension's categories, both in the order of the document."""
    labels: Mapping[str, Mapping[str, str]]
    """What the document calls a category: `labels["currency"]["EUR"]` is `Euro`."""
    extension: Mapping[str, Any]
    """What the publisher adds; empty where it adds nothing."""
    values: Mapping[int, Any] = field(repr=False)
    flags: Mapping[int, str] = field(repr=False)

    def cells(self) -> Iterator[Cell]:
        """Every place that has a figure or a flag, in order."""
        for place in sorted(self.values.keys() | self.flags.keys()):
            yield Cell(
                codes=self._codes(place),
                value=self.values.get(place),
                flags=self.flags.get(place, ""),
                locator=f"/value/{place}",
            )

    def label(self, dimension: str, code: str) -> str:
        """The document's own words for a category; the code itself where it has none."""
        return self.labels[dimension].get(code, code)

    def _codes(self, place: int) -> dict[str, str]:
        found = {}
        for name in reversed(list(self.dimensions)):
            place, position = divmod(place, len(self.dimensions[name]))
            found[name] = self.dimensions[name][position]
        return {name: found[name] for name in self.dimensions}


def opened(answer: Any, dimensions: Collection[str]) -> Table:
    """Open a document, as decoded, that has at least these dimensions. Raises ShapeChanged."""
    version, what = required(answer, "version"), required(answer, "class")
    if not str(version).startswith("2.") or what != "dataset":
        raise ShapeChanged(f"a JSON-stat 2.0 dataset was expected, not {version!r} {what!r}"[:200], path="/version")
    names, sizes = _names(answer), required(answer, "size")
    if absent := [name for name in dimensions if name not in names]:
        raise ShapeChanged(f"no dimension {', '.join(absent)}; there are {', '.join(names)}"[:300], path="/id")
    if not isinstance(sizes, list) or len(sizes) != len(names):
        raise ShapeChanged(f"a size for each of {len(names)} dimensions was expected", path="/size")
    described = required(answer, "dimension")
    categories = {name: _category(described, name) for name in names}
    codes = {name: _codes(categories[name], size, name) for name, size in zip(names, sizes, strict=True)}
    places = prod(len(each) for each in codes.values())
    values = _placed(required(answer, "value"), places, "/value")
    return Table(
        dimensions=codes,
        labels={name: _labels(category, name) for name, category in categories.items()},
        extension=_object(answer.get("extension", {}), "/extension"),
        values=values,
        flags=_flags(answer.get("status", {}), values, places),
    )


def _names(answer: Mapping[str, Any]) -> list[str]:
    found = required(answer, "id")
    if not isinstance(found, list) or not found or not all(isinstance(name, str) for name in found):
        raise ShapeChanged("the names of dimensions were expected", path="/id")
    if len(set(found)) != len(found):
        raise ShapeChanged("a dimension stands twice", path="/id")
    return found


def _object(found: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        raise ShapeChanged(f"an object was expected, not {type(found).__name__}", path=path)
    return found


def _category(described: Any, name: str) -> Mapping[str, Any]:
    dimension = required(described, name, "/dimension")
    return _object(required(dimension, "category", f"/dimension/{name}"), f"/dimension/{name}/category")


def _codes(category: Mapping[str, Any], size: Any, name: str) -> tuple[str, ...]:
    """The codes of a dimension, in the order their figures stand in."""
    path = f"/dimension/{name}/category"
    index = category.get("index", list(_labels(category, name)))
    if isinstance(index, Mapping):
        code_at = {position: code for code, position in index.items() if isinstance(position, Decimal)}
        index = [code_at.get(Decimal(position)) for position in range(len(index))]
    if not isinstance(index, list) or not all(isinstance(code, str) for code in index) or len(index) != size:
        raise ShapeChanged(f"{size} codes at positions 0, 1, 2… were expected", path=f"{path}/index")
    return tuple(index)


def _labels(category: Mapping[str, Any], name: str) -> Mapping[str, str]:
    path = f"/dimension/{name}/category/label"
    labels = _object(category.get("label", {}), path)
    if not all(isinstance(label, str) for label in labels.values()):
        raise ShapeChanged("texts were expected", path=path)
    return labels


def _placed(found: Any, places: int, path: str) -> dict[int, Any]:
    """What stands where, from a list or from an object that leaves out the empty places."""
    if isinstance(found, list):
        if len(found) != places:
            raise ShapeChanged(f"{len(found)} entries where the sizes make {places}", path=path)
        return {place: entry for place, entry in enumerate(found) if entry is not None}
    placed: dict[int, Any] = {}
    for key, entry in _object(found, path).items():
        if not key.isascii() or not key.isdigit() or len(key) > LONGEST_KEY or int(key) >= places:
            raise ShapeChanged(f"{key[:40]!r} is no place in a table of {places}", path=path)
        if int(key) in placed:
            raise ShapeChanged(f"the place {int(key)} stands twice", path=path)
        placed[int(key)] = entry
    return {place: entry for place, entry in placed.items() if entry is not None}


def _flags(found: Any, values: Collection[int], places: int) -> dict[int, str]:
    if isinstance(found, str):
        return dict.fromkeys(values, found)
    flags = _placed(found, places, "/status")
    if not all(isinstance(flag, str) for flag in flags.values()):
        raise ShapeChanged("texts were expected", path="/status")
    return {place: flag for place, flag in flags.items() if flag}
