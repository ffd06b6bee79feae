"""Reading feed documents without losing a digit, and refusing what is not one.

Every reader raises ShapeChanged, saying where, when the bytes are not what they should be: an HTML
page with status 200, a truncated archive, a bomb, a number nobody could mean.
"""

import csv
import io
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from json import JSONDecodeError, JSONDecoder
from math import isfinite
from typing import Any, Final
from xml.etree import ElementTree as ET
from xml.parsers.expat import ErrorString

from python_calamine import CalamineError, CalamineWorkbook

from pricing_sources.errors import ShapeChanged

LONGEST_NUMBER: Final = 1_000
"""Digits; parsing a longer one takes quadratic time."""
LONGEST_CELL: Final = 1_000_000
MAX_UNZIPPED: Final = 512 * 1024 * 1024
MAX_RATIO: Final = 300
RATIO_COUNTS_FROM: Final = 16 * 1024 * 1024
"""Small members may compress as well as they like."""
MOST_CELLS: Final = 20_000_000
"""Cells in the rectangle a worksheet spans: the reader makes room for every one, blank or not."""

_PLAIN_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_ESCAPED: Final = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_CELL_PLACE: Final = re.compile(rb"""\br\s*=\s*["']([A-Z]{0,3})([0-9]{1,7})["']""")
_ZIP_TROUBLE: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, NotImplementedError, RuntimeError, ValueError),
)
"""What damaged archives raise, found by damaging some."""


def exact_json(body: bytes) -> Any:
    """Decode JSON with every number, whole or not, as Decimal.

    >>> exact_json(b'{"price": 0.10, "gpus": 8}')
    {'price': Decimal('0.10'), 'gpus': Decimal('8')}
    """
    text = _text(body, "JSON")
    try:
        decoded = _DECODER.decode(text)
    except JSONDecodeError as error:
        raise ShapeChanged(f"not JSON: {error.msg}", path=f"line {error.lineno} column {error.colno}") from error
    except RecursionError as error:
        raise ShapeChanged("JSON nested too deeply to be a price document") from error
    if _ESCAPED.search(text):
        _require_storable(decoded)
    return decoded


def exact_csv(body: bytes, *, encoding: str = "utf-8") -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV document with a header line, blanks trimmed.

    A trailing comma, in the header and in the rows, is no column. Lazy: errors come as rows are read.
    """
    _refuse_html(body, "CSV")
    lines = io.TextIOWrapper(
        io.BytesIO(body), encoding=f"{encoding}-sig" if encoding == "utf-8" else encoding, newline=""
    )
    rows = csv.reader(lines, strict=True)
    csv.field_size_limit(LONGEST_CELL)
    try:
        header = _csv_header(next(rows, []))
        for row in rows:
            if row:
                yield _csv_row(header, row, rows.line_num)
    except csv.Error as error:
        raise ShapeChanged(f"not CSV: {error}", path=f"line {rows.line_num}") from error
    except UnicodeDecodeError as error:
        raise ShapeChanged(f"not {encoding} text: {error.reason}", path=f"beyond line {rows.line_num}") from error


def exact_xml(body: bytes) -> ET.Element:
    """Parse XML that declares no document type: entities are how a small file becomes a big one."""
    _refuse_html(body, "XML")
    if b"\0" in body:
        # UTF-16 would hide a document type from the next line.
        raise ShapeChanged("XML in UTF-8 was expected")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise ShapeChanged("XML with a document type or entities; price feeds have none")
    try:
        return ET.fromstring(body)  # noqa: S314  entities are refused above
    except ET.ParseError as error:
        raise ShapeChanged(f"not XML: {ErrorString(error.code)}", path=f"line {error.position[0]}") from error
    except (LookupError, ValueError) as error:
        raise ShapeChanged(f"XML in UTF-8 was expected: {error}", path="line 1") from error


def sheet_names(body: bytes) -> list[str]:
    """The worksheets of an xlsx workbook, in order."""
    return list(_workbook(body).sheet_names)


def sheet(body: bytes, name: str) -> list[list[Any]]:
    """All rows of one worksheet from cell A1 on; a merged cell's value stands in its first cell only."""
    workbook = _workbook(body)
    if name not in workbook.sheet_names:
        raise ShapeChanged(f"no sheet {name!r}; there are {', '.join(workbook.sheet_names)}")
    try:
        rows: list[list[Any]] = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise ShapeChanged(f"not a whole worksheet: {error}", path=name) from error
    return rows


def number_of(cell: object) -> Decimal | None:
    """The number in a worksheet cell, as its shortest spelling; None for a blank.

    >>> number_of(8.2064719), number_of("")
    (Decimal('8.2064719'), None)
    """
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not isfinite(cell):
        raise ShapeChanged(f"{cell!r} where a number was expected")
    return Decimal(repr(cell))


def unzipped(body: bytes, *, member_suffix: str, max_bytes: int = MAX_UNZIPPED, max_ratio: int = MAX_RATIO) -> bytes:
    """The one member of a zip archive whose name ends so, read up to a size and a compression ratio."""
    _refuse_html(body, "a zip archive")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = [name for name in archive.namelist() if name.endswith(member_suffix)]
            if len(names) != 1:
                there = ", ".join(archive.namelist()[:10]) or "none"
                raise ShapeChanged(f"one member *{member_suffix} was expected; of its members the first are {there}")
            with archive.open(names[0]) as member:
                return _bounded(member, len(body), max_bytes, max_ratio)
    except _ZIP_TROUBLE as error:
        raise ShapeChanged(f"not a whole zip archive: {error}") from error


def required(row: Mapping[str, Any], key: str, path: str = "") -> Any:
    """`row[key]`, or ShapeChanged naming what is missing where."""
    if not isinstance(row, Mapping):
        raise ShapeChanged(f"an object with {key!r} was expected, not {type(row).__name__}", path=path)
    if key not in row:
        raise ShapeChanged(f"{key!r} is missing", path=path)
    return row[key]


def decimal_text(text: str, path: str = "") -> Decimal:
    """A plain decimal number; "12,34", "$1.20", "NaN" and "" are none. Raises ValueError."""
    stripped = text.strip()
    if len(stripped) > LONGEST_NUMBER or not _PLAIN_NUMBER.fullmatch(stripped):
        where = f" at {path}" if path else ""
        raise ValueError(f"{text[:40]!r}{where} is not a plain decimal number such as 12.34")
    return Decimal(stripped)


def stated_price(value: Any) -> Decimal | str:
    """The price a row states as a number or a plain text; else a sentence that says what is wrong with it.

    >>> stated_price("3.95"), stated_price("on request")
    (Decimal('3.95'), "'on request' where a price was expected")
    """
    if isinstance(value, str):
        try:
            value = decimal_text(value)
        except ValueError:
            return f"{value[:40]!r} where a price was expected"
    if not isinstance(value, Decimal) or not value.is_finite() or value < 0:
        return f"{value!r} where a price was expected"
    return value


def _text(body: bytes, kind: str) -> str:
    _refuse_html(body, kind)
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ShapeChanged(f"not UTF-8 text: {error.reason}", path=f"byte {error.start}") from error


def _refuse_html(body: bytes, kind: str) -> None:
    start = body[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise ShapeChanged(f"an empty document where {kind} was expected")
    lowered = start.lower()
    if lowered.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or (kind != "XML" and start[:1] == b"<"):
        raise ShapeChanged(f"an HTML page where {kind} was expected")


def _number(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise ShapeChanged(f"a number of {len(text)} digits")
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ShapeChanged(f"{text[:40]} is not a number a price could be") from error
    if abs(number.adjusted()) > LONGEST_NUMBER:
        # Nine characters, 1e9999999, and ten megabytes as soon as somebody writes it out.
        raise ShapeChanged(f"{text[:40]} is not a number a price could be")
    return number


def _no_constant(name: str) -> Any:
    raise ShapeChanged(f"{name} where a number was expected")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ShapeChanged(f"the key {_first_repeated(key for key, _ in pairs)!r} stands twice in one object")
    return made


def _first_repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _require_storable(decoded: Any) -> None:
    """Refuse text that no database keeps: half a surrogate pair, the NUL character."""
    try:
        again = json.dumps(decoded, ensure_ascii=False, default=str)
        again.encode()
    except UnicodeEncodeError as error:
        raise ShapeChanged("half a character (a lone surrogate) in a text") from error
    if "\\u0000" in again.replace("\\\\", ""):
        raise ShapeChanged("a NUL character in a text")


_DECODER: Final = JSONDecoder(
    parse_float=_number, parse_int=_number, parse_constant=_no_constant, object_pairs_hook=_object
)


def _csv_header(cells: list[str]) -> list[str]:
    header = [name.strip() for name in cells]
    if not any(header):
        raise ShapeChanged("an empty document where CSV was expected")
    if repeated := _first_repeated(name for name in header if name):
        raise ShapeChanged(f"two columns are named {repeated!r}", path="line 1")
    return header


def _csv_row(header: list[str], row: list[str], line: int) -> dict[str, str]:
    cells = [cell.strip() for cell in row]
    if len(cells) != len(header):
        raise ShapeChanged(f"{len(cells)} cells where the header has {len(header)}", path=f"line {line}")
    if any(cell and not name for name, cell in zip(header, cells, strict=True)):
        raise ShapeChanged("a value in a column without a name", path=f"line {line}")
    return {name: cell for name, cell in zip(header, cells, strict=True) if name}


def _workbook(body: bytes) -> CalamineWorkbook:
    _refuse_html(body, "a workbook")
    _require_modest(body)
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(body))
    except CalamineError as error:
        raise ShapeChanged(f"not a workbook: {error}") from error


def _require_modest(body: bytes) -> None:
    """Refuse a workbook that would not fit into memory: the reader would end the process, not raise."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_UNZIPPED:
                raise ShapeChanged(f"the workbook unpacks to over {MAX_UNZIPPED} bytes")
            spans = [_span(archive.read(name)) for name in archive.namelist() if name.endswith(".xml")]
    except _ZIP_TROUBLE as error:
        raise ShapeChanged(f"not a workbook: {error}") from error
    if max(spans, default=0) > MOST_CELLS:
        raise ShapeChanged(f"a worksheet spans over {MOST_CELLS} cells")


def _span(worksheet: bytes) -> int:
    """Cells between A1 and the last row and column that are named."""
    width = height = 0
    for letters, digits in (place.groups() for place in _CELL_PLACE.finditer(worksheet)):
        width, height = max(width, _column(letters)), max(height, int(digits))
    return width * height


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _bounded(member: Any, compressed: int, max_bytes: int, max_ratio: int) -> bytes:
    read = bytearray()
    while chunk := member.read(1024 * 1024):
        read += chunk
        if len(read) > max_bytes:
            raise ShapeChanged(f"the archive unpacks to over {max_bytes} bytes")
        if len(read) > RATIO_COUNTS_FROM and len(read) > max_ratio * compressed:
            raise ShapeChanged(f"the archive unpacks to over {max_ratio} times its size")
    return bytes(read)
