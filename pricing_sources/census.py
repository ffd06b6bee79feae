"""Did every row of a document end somewhere? Counted in the document's own shape, not by its parser.

A parser counts what it yields, so what it passes over it cannot miss. The census starts from the
places its readings name, finds what stands beside them (the other elements of that list, the other
lines of that file, the other rows of that sheet), and says which of those no reading speaks of.
"""

import csv
import io
import re
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree import ElementTree as ET

from pricing_sources.documents import exact_json, exact_xml, sheet
from pricing_sources.errors import ShapeChanged

_BETWEEN_PLACES: Final = " over "
"""A figure derived of two names both."""
_LINE: Final = re.compile(r"(?:(?P<within>.+), )?line (?P<number>\d+)(?:, .*)?")
_CELL: Final = re.compile(r"(?P<within>.+)!(?P<column>[A-Z]+)(?P<number>\d+)")
_ELEMENT: Final = re.compile(r"(?P<tag>\w+)\[(?:(?P<number>\d+)|@(?P<name>\w+)='(?P<value>[^']*)')\]")

_Tree = dict[str, "_Tree"]
"""Named places, a level a segment."""
_Counted = Iterator[tuple[str, bool]]
"""A row's place, and whether a reading names it."""


@dataclass(frozen=True, slots=True)
class Census:
    """The rows of one document, and the places of those that no reading speaks of."""

    rows: int
    lost: tuple[str, ...]


def census(body: bytes, locators: Iterable[str]) -> Census:
    """Count the rows that stand beside those which the readings of a document name.

    `body` is what the locators point into. A place in no known form counts as a row of its own.
    Raises ShapeChanged if the body is not what its locators speak of.
    """
    named = _Named()
    for locator in locators:
        for place in locator.split(_BETWEEN_PLACES):
            named.add(place)
    rows, lost = len(named.elsewhere), []
    for place, is_named in _rows(body, named):
        rows += 1
        if not is_named:
            lost.append(place)
    return Census(rows, tuple(lost))


@dataclass(slots=True)
class _Named:
    """Places that readings name, by the form of their words."""

    pointers: _Tree = field(default_factory=dict)
    lines: dict[str, set[int]] = field(default_factory=dict)
    cells: dict[str, set[int]] = field(default_factory=dict)
    elements: _Tree = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)

    def add(self, place: str) -> None:
        if place.startswith("/"):
            _plant(self.pointers, place.split("/")[1:])
        elif match := _LINE.fullmatch(place):
            self.lines.setdefault(match["within"] or "", set()).add(int(match["number"]))
        elif match := _CELL.fullmatch(place):
            self.cells.setdefault(match["within"], set()).add(int(match["number"]))
        elif _ELEMENT.match(place):
            _plant(self.elements, place.split("/"))
        else:
            self.elsewhere.add(place)


def _plant(tree: _Tree, segments: Iterable[str]) -> None:
    for segment in segments:
        tree = tree.setdefault(segment, {})


def _rows(body: bytes, named: _Named) -> _Counted:
    if named.pointers:
        yield from _json_rows(_decoded(body), named.pointers, "")
    if named.elements:
        yield from _xml_rows(list(exact_xml(body).iter()), named.elements, "")
    for member, numbers in named.lines.items():
        yield from _line_rows(_member(body, member), numbers, f"{member}, " if member else "")
    for name, numbers in named.cells.items():
        yield from _sheet_rows(name, sheet(body, name), numbers)


def _decoded(body: bytes) -> Any:
    try:
        return exact_json(body)
    except ShapeChanged:
        try:
            return tomllib.loads(body.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            pass
        raise


def _json_rows(node: Any, tree: _Tree, path: str) -> _Counted:
    """Every element of a list that readings pass through; so of an object whose members are alike."""
    if not tree:
        return
    members = _members(node)
    neighbours = [members[name] for name in tree if name in members]
    is_collection = isinstance(node, list) or all(isinstance(member, dict | list) for member in members.values())
    for name, member in members.items():
        place = f"{path}/{name}"
        if name in tree:
            found = list(_json_rows(member, tree[name], place))
            yield from found
            if is_collection and not found:
                yield place, True
        elif is_collection and any(_is_alike(member, neighbour) for neighbour in neighbours):
            yield place, False


def _members(node: Any) -> Mapping[str, Any]:
    if isinstance(node, list):
        return {str(number): member for number, member in enumerate(node)}
    if isinstance(node, Mapping):
        return {_escaped(name): member for name, member in node.items()}
    return {}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1") if "/" in name or "~" in name else name


def _is_alike(member: Any, neighbour: Any) -> bool:
    """True of two rows of one list; not of a price and the conditions beside it, nor of an empty list of rows."""
    if isinstance(member, dict) and isinstance(neighbour, dict):
        shared = member.keys() & neighbour.keys()
        return bool(shared) and not any(member[name] == [] != neighbour[name] for name in shared)
    return type(member) is type(neighbour)


def _xml_rows(candidates: list[ET.Element], tree: _Tree, path: str) -> _Counted:
    """Every element that stands beside those named: of the same tag, told apart by number or attribute."""
    wanted: dict[tuple[str, str], None] = {}
    for segment in tree:
        if match := _ELEMENT.fullmatch(segment):
            wanted[match["tag"], match["name"] or ""] = None
        else:
            yield f"{path}{segment}", True
    for tag, attribute in wanted:
        alike = [one for one in candidates if one.tag.rpartition("}")[2] == tag]
        for number, element in enumerate([one for one in alike if not attribute or attribute in one.attrib], start=1):
            selector = f"@{attribute}='{element.get(attribute)}'" if attribute else str(number)
            segment = f"{tag}[{selector}]"
            if tree.get(segment):
                yield from _xml_rows(list(element), tree[segment], f"{path}{segment}/")
            else:
                yield f"{path}{segment}", segment in tree


def _member(body: bytes, name: str) -> bytes:
    """The file that lines are counted in: the document, or a member of the archive it is."""
    if body[:2] != b"PK":
        return body
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        wanted = name or next(iter(archive.namelist()), "")
        if wanted not in archive.namelist():
            raise ShapeChanged(f"no member {wanted!r} in the archive")
        return archive.read(wanted)


def _line_rows(text: bytes, numbers: set[int], path: str) -> _Counted:
    """Every line after the header, which is the first with as many cells as most; of a report, its D lines."""
    reader = csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""))
    lines = [(reader.line_num, cells) for cells in reader if any(cells)]
    if lines and lines[0][1][0] == "C":
        after_header = [line for line in lines if line[1][0] == "D" or line[0] in numbers]
    else:
        width = len(lines[-1][1]) if lines else 0
        header = next((place for place, (_, cells) in enumerate(lines) if len(cells) == width), 0)
        after_header = lines[header + 1 :]
    for number, _ in after_header:
        yield f"{path}line {number}", number in numbers


def _sheet_rows(name: str, rows: list[list[Any]], numbers: set[int]) -> _Counted:
    """Every row that is not blank, from the first that a reading names."""
    for number in range(min(numbers), len(rows) + 1):
        is_blank = not any(cell not in (None, "") for cell in rows[number - 1])
        if number in numbers or not is_blank:
            yield f"{name}!{number}", number in numbers
