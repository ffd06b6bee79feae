"""One CSV file of the AWS Price List: five lines about itself, a header, and a row per price.

The file of one region of Amazon EC2 has 450 MB and more, nearly all of it about machines without
an accelerator; `excerpt` keeps what may be a price while the file arrives. CSV is read and not
JSON because each of its rows carries the whole product: no join is needed to leave a row out.

An excerpt says of itself what it leaves out, in further lines of the preamble:

    "Rows Of The Original","719999"
    "Left Out: not_accelerated","712799"
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import compress
from operator import not_
from typing import Final
from urllib.parse import urlsplit

from pricing_sources.documents import decimal_text, exact_csv
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Observation, Reading, Rejected, Skipped
from pricing_sources.source import Document

MAX_KEPT_BYTES: Final = 128 * 1024 * 1024
LONGEST_LINE: Final = 1024 * 1024
PREAMBLE_LINES: Final = 20
"""Lines before the header; there are five today, and some more in an excerpt."""
ORIGINAL: Final = "Rows Of The Original"
LEFT_OUT: Final = "Left Out: "

_HEADER: Final = re.compile(rb'"?SKU"?,')
_ORIGINAL: Final = re.compile(rb'"Rows Of The Original","(\d+)"')
_LEFT_OUT: Final = re.compile(rb'"Left Out: (\w+)","(\d+)"')
_REGION: Final = re.compile(r"(?<![a-z-])[a-z]{2}(?:-[a-z]+)+-[0-9]+(?:-[a-z]{3}-[0-9][a-z]?)?(?![a-z0-9-])")


class RowError(ValueError):
    """This row should have been a price and cannot be believed; the message says why."""


@dataclass(frozen=True, slots=True)
class OfferFile:
    """A file whose first lines have been read."""

    published_at: datetime
    version: str
    region: str
    """From the document's address; empty where that names none."""
    left_out: tuple[Skipped, ...]
    """What an excerpt says it leaves out."""
    rows: Iterator[tuple[str, dict[str, str]]]
    """Each row with its place, such as `line 7`."""

    def region_of(self, row: Mapping[str, str]) -> str:
        """The region a row is about: its own code, else its file's. Raises RowError without either."""
        region = row.get("Region Code") or self.region
        if not region:
            raise RowError("neither the row nor its file's address names a region such as eu-west-3")
        return region


def opened(document: Document, service: str, columns: Collection[str]) -> OfferFile:
    """Open a file, or an excerpt of one, of this service.

    Raises ShapeChanged if it is none or lacks one of `columns`; its rows raise it as they are read.
    """
    start = _header_start(document.body)
    preamble = _preamble(document.body[:start])
    if preamble.get("OfferCode") != service:
        raise ShapeChanged(f"OfferCode {service} was expected, not {preamble.get('OfferCode')}", path="preamble")
    return OfferFile(
        published_at=_published(preamble),
        version=preamble.get("Version", ""),
        region=_region_in(document.url),
        left_out=_left_out(document.body[:start]),
        rows=_rows(document.body, start, columns),
    )


def excerpt(pieces: Iterator[bytes], why_left_out: Callable[[bytes], str]) -> bytes:
    """The preamble, the header and every line that may be a price, byte for byte, in bounded memory.

    `why_left_out` names the reason why a line is none, and is empty for one to keep; the preamble
    says how many were left out for each. A last line without its end is kept whatever it says: a
    cut-off file is still refused when it is parsed. Raises ShapeChanged for what cannot be such a file.
    """
    preamble: list[bytes] = []
    kept, rest, in_table, rows, left_out = bytearray(), b"", False, 0, Counter[str]()
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise ShapeChanged(f"a line of over {LONGEST_LINE} bytes; an AWS price list in CSV was expected")
        while lines and not in_table:
            in_table = _HEADER.match(lines[0]) is not None
            (kept.extend if in_table else preamble.append)(lines.pop(0) + b"\n")
            if len(preamble) > PREAMBLE_LINES:
                raise ShapeChanged(f"{PREAMBLE_LINES} lines and no header; an AWS price list in CSV was expected")
        if b"" in lines:
            lines = list(filter(None, lines))
        reasons = list(map(why_left_out, lines))
        rows += len(lines)
        left_out.update(reasons)
        kept += b"".join(line + b"\n" for line in compress(lines, map(not_, reasons)))
        if len(kept) > MAX_KEPT_BYTES:
            raise ShapeChanged(f"over {MAX_KEPT_BYTES} bytes of prices; one region's price list was expected")
    del left_out[""]
    return _stated(preamble, rows + bool(rest), left_out) + bytes(kept) + rest


def rows_of_original(body: bytes) -> int | None:
    """How many rows the file had that this is an excerpt of; None of a whole file."""
    found = _ORIGINAL.search(body, 0, _header_start(body))
    return int(found[1]) if found else None


def price_of(row: Mapping[str, str]) -> Decimal:
    """PricePerUnit, zero or above. Raises RowError."""
    text = row["PricePerUnit"]
    try:
        price = decimal_text(text)
    except ValueError as fault:
        raise RowError(f"PricePerUnit: {fault}") from fault
    if price < 0:
        raise RowError(f"PricePerUnit is {text}; a number not below zero was expected")
    return price


def currency_of(row: Mapping[str, str]) -> str:
    """The row's ISO 4217 code. Raises RowError."""
    code = row["Currency"]
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise RowError(f"Currency is {code!r}; an ISO 4217 code was expected")
    return code


def tier_of(row: Mapping[str, str]) -> str:
    """The volume a price starts to hold above, as a variant: empty for the first tier. Raises RowError."""
    start = row["StartingRange"] or "0"
    if not start.isdecimal():
        raise RowError(f"StartingRange is {start!r}; a whole number was expected")
    return f"above_{int(start)}_gb" if int(start) else ""


def rejected(reason: str, locator: str, row: Mapping[str, str], key: str = "") -> Rejected:
    """This row, as one that cannot be believed, with its cells that say something."""
    return Rejected(reason, locator, "; ".join(f"{name}: {cell}" for name, cell in row.items() if cell)[:500], key)


def first_stands(reading: Reading, row: Mapping[str, str], seen: dict[tuple[str, str | None], Observation]) -> Reading:
    """Let the first price of a series stand; the same again is a duplicate, another is not believed."""
    if not isinstance(reading, Observation):
        return reading
    first = seen.setdefault((reading.series.key, reading.currency), reading)
    if first is reading:
        return reading
    if first.amount == reading.amount:
        return Skipped("duplicate", reading.locator)
    reason = (
        f"a second price of {reading.series.key}: {first.published_amount} at {first.locator} (kept), "
        f"{reading.published_amount} here; one price was expected"
    )
    return rejected(reason, reading.locator, row, reading.series.key)


def _stated(preamble: list[bytes], rows: int, left_out: Counter[str]) -> bytes:
    """The preamble, and in it what was left out; an excerpt of an excerpt says what both leave out."""
    before = Counter({match[1].decode(): int(match[2]) for line in preamble if (match := _LEFT_OUT.match(line))})
    theirs = [line for line in preamble if not (_LEFT_OUT.match(line) or _ORIGINAL.match(line))]
    total = before + left_out
    ours = [f'"{ORIGINAL}","{rows + before.total()}"\n'] if total else []
    ours += [f'"{LEFT_OUT}{reason}","{count}"\n' for reason, count in sorted(total.items())]
    return b"".join(theirs) + "".join(ours).encode()


def _left_out(head: bytes) -> tuple[Skipped, ...]:
    found = enumerate(map(_LEFT_OUT.match, head.split(b"\n")), start=1)
    return tuple(Skipped(match[1].decode(), f"line {line}", int(match[2])) for line, match in found if match)


def _header_start(body: bytes) -> int:
    start = 0
    for _ in range(PREAMBLE_LINES + 1):
        if _HEADER.match(body, start):
            return start
        start = body.find(b"\n", start) + 1
        if start == 0:
            break
    raise ShapeChanged("no line that begins with the column SKU; an AWS price list in CSV was expected", path="line 1")


def _preamble(head: bytes) -> dict[str, str]:
    try:
        lines = list(csv.reader(head.decode("utf-8-sig").splitlines(), strict=True))
    except (UnicodeDecodeError, csv.Error) as fault:
        raise ShapeChanged(f"not a preamble of names and values: {fault}", path="preamble") from fault
    return {line[0]: line[1] for line in lines if len(line) == 2}


def _published(preamble: Mapping[str, str]) -> datetime:
    text = preamble.get("Publication Date", "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ShapeChanged(
            f"Publication Date is {text!r}; one such as 2026-07-20T13:44:30Z was expected", path="preamble"
        )
    return moment.astimezone(UTC)


def _region_in(url: str) -> str:
    """The last region code in the address's path; the host's own `us-east-1` says nothing of the file."""
    found = _REGION.findall(urlsplit(url).path)
    return found[-1] if found else ""


def _rows(body: bytes, start: int, columns: Collection[str]) -> Iterator[tuple[str, dict[str, str]]]:
    first_line = body.count(b"\n", 0, start) + 2
    for number, row in enumerate(exact_csv(body[start:]), start=first_line):
        if number == first_line and (absent := [name for name in columns if name not in row]):
            raise ShapeChanged(f"no column {', '.join(absent)}", path="header")
        yield f"line {number}", row
