"""Chosen columns of a workbook too large for memory, row by row: nothing else of it is ever held.

A worksheet names its texts by their place in one shared list, which may be larger than the sheet. So
the file is gone through three times: for its header, for the places of the texts that stand in the
chosen columns, and for the rows. Memory grows with the different texts of those columns alone.
"""

import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Final, Protocol
from xml.parsers import expat

from pricing_sources.errors import ShapeChanged

SHEET: Final = "xl/worksheets/sheet1.xml"
TEXTS: Final = "xl/sharedStrings.xml"
PIECE: Final = 128 * 1024
MAX_MEMBER_BYTES: Final = 8 * 1024**3
"""Of one member, unpacked; a quarter of a million rows of a hundred columns are about one."""
MAX_TEXTS: Final = 4_000_000
"""Different texts in the chosen columns."""
SHARED: Final = "s"

_ZIP_TROUBLE: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
_COLUMN: Final = re.compile(r"[A-Z]{1,3}")

Cell = tuple[str, str]
"""The type of a cell as the worksheet words it, and what stands in it."""


def chosen_columns(file: IO[bytes], columns: Collection[str]) -> Iterator[dict[str, str]]:
    """Yield each row below the header as column to text, blank where the cell is; columns are named in capitals.

    Raises ShapeChanged for what is no whole workbook, and for one without these columns.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = _header(archive, columns)
            texts = _texts(archive, _places(archive, frozenset(names)))
            for row in _rows(archive, frozenset(names), after_header=True):
                yield {name: _text(row.get(column), texts) for column, name in names.items()}
    except KeyError as error:
        raise ShapeChanged(f"not a workbook of one worksheet: {error.args[0]}") from error
    except expat.ExpatError as error:
        raise ShapeChanged(f"not a whole worksheet: {expat.ErrorString(error.code)}") from error
    except _ZIP_TROUBLE as error:
        raise ShapeChanged(f"not a whole workbook: {error}") from error


def _header(archive: zipfile.ZipFile, columns: Collection[str]) -> dict[int, str]:
    """Where each of the columns stands."""
    first = next(_rows(archive, None), {})
    texts = _texts(archive, {int(text) for kind, text in first.values() if kind == SHARED})
    names = {column: _text(cell, texts).strip().upper() for column, cell in first.items()}
    found = {column: name for column, name in names.items() if name in columns}
    if absent := sorted(set(columns) - set(found.values())):
        raise ShapeChanged(f"no column {', '.join(absent)}", path="row 1")
    if len(found) != len(columns):
        raise ShapeChanged("a column stands twice", path="row 1")
    return found


def _places(archive: zipfile.ZipFile, columns: frozenset[int]) -> set[int]:
    """The places of the texts these columns hold."""
    places: set[int] = set()
    for row in _rows(archive, columns):
        places.update(int(text) for kind, text in row.values() if kind == SHARED)
        if len(places) > MAX_TEXTS:
            raise ShapeChanged(f"over {MAX_TEXTS} different texts in the chosen columns")
    return places


def _texts(archive: zipfile.ZipFile, places: Collection[int]) -> dict[int, str]:
    if not places:
        return {}
    reader = _TextReader(places)
    for _ in _pieces(archive, TEXTS, reader):
        if len(reader.found) == len(places):
            break
    return reader.found


def _rows(
    archive: zipfile.ZipFile, columns: frozenset[int] | None, *, after_header: bool = False
) -> Iterator[dict[int, Cell]]:
    reader = _RowReader(columns)
    waiting = after_header
    for _ in _pieces(archive, SHEET, reader):
        for row in reader.done:
            if not waiting:
                yield row
            waiting = False
        reader.done.clear()


def _text(cell: Cell | None, texts: Mapping[int, str]) -> str:
    if cell is None:
        return ""
    kind, text = cell
    return texts.get(int(text), "") if kind == SHARED else text


class _Reader(Protocol):
    """What a member of a workbook is read with."""

    def starts(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def ends(self, name: str) -> None:
        """An element ends."""

    def says(self, text: str) -> None:
        """Text stands between."""


class _RowReader:
    """Collects the cells of the chosen columns; all of them for None."""

    def __init__(self, columns: frozenset[int] | None) -> None:
        self.done: list[dict[int, Cell]] = []
        self._columns = columns
        self._row: dict[int, Cell] = {}
        self._column = -1
        self._kind = ""
        self._words: list[str] | None = None

    def starts(self, name: str, attributes: Mapping[str, str]) -> None:
        match name.rpartition(" ")[2]:
            case "row":
                self._row, self._column = {}, -1
            case "c":
                place = _COLUMN.match(attributes.get("r", ""))
                self._column = _number(place[0]) if place else self._column + 1
                self._kind = attributes.get("t", "n")
                self._words = None
            case "v" | "t" if self._columns is None or self._column in self._columns:
                self._words = [] if self._words is None else self._words
            case _:
                pass

    def ends(self, name: str) -> None:
        match name.rpartition(" ")[2]:
            case "c" if self._words is not None:
                self._row[self._column] = (self._kind, "".join(self._words))
                self._words = None
            case "row":
                self.done.append(self._row)
            case _:
                pass

    def says(self, text: str) -> None:
        if self._words is not None:
            self._words.append(text)


class _TextReader:
    """Collects the shared texts at the chosen places, without how they are pronounced."""

    def __init__(self, places: Collection[int]) -> None:
        self.found: dict[int, str] = {}
        self._places = places
        self._place = -1
        self._words: list[str] = []
        self._within: list[str] = []

    def starts(self, name: str, attributes: Mapping[str, str]) -> None:
        self._within.append(name.rpartition(" ")[2])
        if self._within[-1] == "si":
            self._place, self._words = self._place + 1, []

    def ends(self, name: str) -> None:
        if self._within.pop() == "si" and self._place in self._places:
            self.found[self._place] = "".join(self._words)

    def says(self, text: str) -> None:
        if self._within and self._within[-1] == "t" and "rPh" not in self._within and self._place in self._places:
            self._words.append(text)


def _pieces(archive: zipfile.ZipFile, member: str, reader: _Reader) -> Iterator[None]:
    """Feed the reader, piece by piece."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.starts, reader.ends
    parser.CharacterDataHandler = reader.says
    parser.StartDoctypeDeclHandler = _refuse_doctype
    size = 0
    with archive.open(member) as stream:
        while piece := stream.read(PIECE):
            size += len(piece)
            if size > MAX_MEMBER_BYTES:
                raise ShapeChanged(f"{member} unpacks to over {MAX_MEMBER_BYTES} bytes")
            parser.Parse(piece)
            yield
    parser.Parse(b"", True)  # noqa: FBT003  expat takes no name here
    yield


def _refuse_doctype(*_: object) -> None:
    # Entities are how a small file becomes a big one.
    raise ShapeChanged("a workbook with a document type; price documents have none")


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
