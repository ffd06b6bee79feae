"""The disclosure files of labor condition applications, and what of them may be kept.

A disclosure file has about a hundred columns; most of them are about people: the employer's contact,
the attorney, their addresses, telephone numbers and e-mails, beside the employer's own name. So the
file as sent is never archived. It is spooled to a file without a name that vanishes when it is
closed, and of it remains a table of counts: how many applications state the same occupation, state,
wage and status. Columns are kept by name from a short list, so one that is added later is left out,
too. A case's number is read to count its latest decision once, and is not kept. Of the rows that are
not in the table it says how many there were and why.

Provenance is kept by what identifies the originals: address, SHA-256 digest and size stand in the
table, so anybody can fetch a file from its publisher and hold it against the digest.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from tempfile import TemporaryFile
from typing import IO, Final

from pricing_sources.errors import ShapeChanged
from pricing_sources.protocols.workbook_stream import PIECE, chosen_columns

FORMAT: Final = "lca_disclosure counts 1"
CASE: Final = "CASE_NUMBER"
DECIDED: Final = "DECISION_DATE"
OCCUPATION: Final = "SOC_CODE"
KEPT: Final = (
    *("CASE_STATUS", "VISA_CLASS", "FULL_TIME_POSITION", "SOC_CODE", "WORKSITE_STATE"),
    *("WAGE_RATE_OF_PAY_FROM", "WAGE_UNIT_OF_PAY", "PREVAILING_WAGE", "PW_UNIT_OF_PAY"),
)
"""The columns that remain; none of them names a person, an employer or a place smaller than a state."""
READ: Final = (CASE, DECIDED, *KEPT)
MAX_CASES: Final = 2_000_000
"""Of the occupations asked for; a whole year of all of them has well under one million."""
OTHER_OCCUPATION: Final = "other_occupation"
SUPERSEDED: Final = "superseded_decision"
"""Another row states a later decision about the same case."""
ALIKE: Final = "counted_with_its_like"
"""A row of the table says the same, and its count this one."""

_EPOCH: Final = date(1899, 12, 30)
"""Day 0 of a worksheet's dates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """What identifies a file as its publisher sent it."""

    url: str
    sha256: str
    size_bytes: int


@contextmanager
def spool() -> Iterator[IO[bytes]]:
    """A file without a name, gone as soon as it is closed."""
    with TemporaryFile() as file:
        yield file


def spooled(pieces: Iterable[bytes], file: IO[bytes], url: str = "") -> Original:
    """Write a file as it arrives, from the beginning; return what identifies it."""
    file.seek(0)
    file.truncate()
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += file.write(piece)
    return Original(url=url, sha256=digest.hexdigest(), size_bytes=size)


def counted(files: Iterable[tuple[Original, IO[bytes]]], occupations: frozenset[str]) -> bytes:
    """The table of counts of a fiscal year's files, as JSON; a case that stands twice counts as decided last.

    Each row of the files is a row of the table or is left out for a reason that is counted. Memory
    grows with the cases of these occupations. Raises ShapeChanged for what is no disclosure file, and
    where not one row is about these occupations.
    """
    originals, latest = [], dict[str, tuple[date, tuple[str, ...]]]()
    rows, left_out = 0, Counter[str]()
    for original, file in files:
        file.seek(0)
        originals.append(asdict(original))
        rows += _read(file, occupations, latest, left_out)
    if not latest:
        raise ShapeChanged(f"not one application for {', '.join(sorted(occupations))}", path=OCCUPATION)
    decided = [when for when, _ in latest.values()]
    counts = Counter(kept for _, kept in latest.values())
    left_out[ALIKE] += counts.total() - len(counts)
    table = {
        "format": FORMAT,
        "originals": originals,
        "decided_from": min(decided).isoformat(),
        "decided_to": max(decided).isoformat(),
        "rows_of_originals": rows,
        "left_out": {reason: count for reason, count in sorted(left_out.items()) if count},
        "columns": [*KEPT, "CASES"],
        "rows": [[*kept, count] for kept, count in sorted(counts.items())],
    }
    return json.dumps(table, ensure_ascii=False, indent=0).encode()


def soc_code(text: str) -> str:
    """The six digits of an occupation, without the two some years add.

    >>> soc_code("15-1252.00"), soc_code("15-1252")
    ('15-1252', '15-1252')
    """
    return text.strip().partition(".")[0]


def _read(
    file: IO[bytes],
    occupations: frozenset[str],
    latest: dict[str, tuple[date, tuple[str, ...]]],
    left_out: Counter[str],
) -> int:
    """Go through a file's rows; returns how many there are."""
    rows = 0
    for row in chosen_columns(_seekable(file), READ):
        rows += 1
        if soc_code(row[OCCUPATION]) not in occupations:
            left_out[OTHER_OCCUPATION] += 1
            continue
        when = _decided(row[DECIDED])
        known = latest.get(row[CASE])
        left_out[SUPERSEDED] += known is not None
        if known is None or known[0] <= when:
            latest[row[CASE]] = when, tuple(row[name].strip() for name in KEPT)
        if len(latest) > MAX_CASES:
            raise ShapeChanged(f"over {MAX_CASES} cases; one fiscal year was expected")
    return rows


def _seekable(file: IO[bytes]) -> IO[bytes]:
    """The file, if it is a workbook at all."""
    start = file.read(PIECE)[:2]
    file.seek(0)
    if start != b"PK":
        raise ShapeChanged("a workbook (xlsx) was expected")
    return file


def _decided(text: str) -> date:
    """A worksheet's date: a number of days, or ISO 8601."""
    try:
        return _EPOCH + timedelta(days=int(float(text))) if "-" not in text else date.fromisoformat(text[:10])
    except (ValueError, OverflowError) as error:
        raise ShapeChanged(f"{text[:40]!r} where a date was expected", path=DECIDED) from error
