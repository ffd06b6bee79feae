"""The yearly workbooks of OEWS, in which every vintage of it lives on after the API has forgotten it.

A workbook has every occupation in every area and industry, up to four hundred thousand rows; of it a
table of our occupations and areas over all industries is kept, cell by cell as it stands, with the
vintage its file is named for. The workbook's digest and address stand in each row's last columns. Its
last rows say how many others the workbook had, and why they are not here.

The Bureau refuses some files of some years (403) and not others: the small ones, one for the nation
and one for the states, are asked for first, and the large one that holds everything in their place.
"""

import csv
import hashlib
import io
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from tempfile import TemporaryFile
from typing import IO, Final

from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.protocols.workbook_stream import PIECE, chosen_columns
from pricing_sources.transport import Transport

NATION_AND_STATES: Final = ("nat", "st")
EVERYTHING: Final = "all"
NOT_THERE: Final = frozenset({403, 404})
MAX_BYTES: Final = 256 * 1024 * 1024
MAX_UNPACKED: Final = 1024 * 1024 * 1024
ROW_COLUMNS: Final = ("AREA", "AREA_TITLE", "AREA_TYPE", "NAICS", "I_GROUP", "OCC_CODE", "OCC_TITLE")
WAGE_COLUMNS: Final = (
    *("H_MEAN", "A_MEAN", "H_PCT10", "H_PCT25", "H_MEDIAN", "H_PCT75", "H_PCT90"),
    *("A_PCT10", "A_PCT25", "A_MEDIAN", "A_PCT75", "A_PCT90"),
)
KEPT: Final = ("VINTAGE", *ROW_COLUMNS, *WAGE_COLUMNS, "ORIGINAL", "SHA256")
ALL_INDUSTRIES: Final = "cross-industry"
LEFT_OUT: Final = "left out"
"""In place of a vintage: a row that counts rows of the workbook which are not here, in its next two columns."""

_MEMBER: Final = re.compile(r"(?:.*/)?(?:national|state|all_data)_M_?(?P<year>\d{4})(?:_dl)?\.xlsx", re.IGNORECASE)

Wanted = Callable[[Mapping[str, str]], bool]


def tables(transport: Transport, base: str, year: int, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    """The kept table of each file of one vintage, with the file's address.

    Raises FetchFailed where none can be had, ShapeChanged where one is no such file.
    """
    found = []
    for part in NATION_AND_STATES:
        table = _table(transport, base, year, part, wanted)
        if table is None:
            found = [_table(transport, base, year, EVERYTHING, wanted)]
            break
        found.append(table)
    there = [table for table in found if table is not None]
    if not there:
        raise FetchFailed(f"{base}: no OEWS workbook of May {year} can be had", status=404)
    yield from there


def kept_table(archive: IO[bytes], url: str, wanted: Wanted) -> bytes:
    """The rows of a zipped workbook that are wanted, as CSV. Raises ShapeChanged."""
    digest = hashlib.sha256()
    while piece := archive.read(PIECE):
        digest.update(piece)
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(KEPT)
    count, left_out = 0, Counter[str]()
    with TemporaryFile() as workbook:
        vintage = _unpacked(archive, workbook)
        for row in chosen_columns(workbook, (*ROW_COLUMNS, *WAGE_COLUMNS)):
            if row["I_GROUP"] != ALL_INDUSTRIES:
                left_out["one_industry"] += 1
            elif not wanted(row):
                left_out["other_occupation_or_area"] += 1
            else:
                count += 1
                table.writerow(
                    [vintage, *(row[name] for name in (*ROW_COLUMNS, *WAGE_COLUMNS)), url, digest.hexdigest()]
                )
    if not count:
        raise ShapeChanged("not one row of our occupations and areas over all industries", path=url)
    rest = [""] * (len(KEPT) - 3)
    table.writerows([LEFT_OUT, reason, rows, *rest] for reason, rows in sorted(left_out.items()))
    return out.getvalue().encode()


def _table(transport: Transport, base: str, year: int, part: str, wanted: Wanted) -> tuple[str, bytes] | None:
    url = f"{base}/oesm{year % 100:02}{part}.zip"
    with TemporaryFile() as archive:

        def to_file(pieces: Iterable[bytes]) -> bytes:
            archive.seek(0)
            archive.truncate()
            archive.writelines(pieces)
            return b""

        try:
            reply = transport.get(url, max_bytes=MAX_BYTES, excerpt=to_file)
        except FetchFailed as error:
            if error.status in NOT_THERE:
                return None
            raise
        archive.seek(0)
        return reply.url, kept_table(archive, reply.url, wanted)


def _unpacked(archive: IO[bytes], workbook: IO[bytes]) -> str:
    """Write the one workbook of wages to a file; return the year it is named for."""
    archive.seek(0)
    try:
        with zipfile.ZipFile(archive) as opened:
            matches = [match for name in opened.namelist() if (match := _MEMBER.fullmatch(name))]
            if len(matches) != 1 or opened.getinfo(matches[0][0]).file_size > MAX_UNPACKED:
                there = ", ".join(opened.namelist()[:10]) or "none"
                raise ShapeChanged(f"one workbook named like national_M2024_dl.xlsx was expected; there are {there}")
            with opened.open(matches[0][0]) as member:
                shutil.copyfileobj(member, workbook)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ShapeChanged(f"not a whole zip archive: {error}") from error
    return matches[0]["year"]
