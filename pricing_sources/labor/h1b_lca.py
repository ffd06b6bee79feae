"""US Department of Labor: what employers offer in their applications for H-1B workers, by role and state.

Traps of the feed that decide the shape of this module:

- Most columns are about people. What may be kept, and how the original is still proven, says
  `protocols/lca_disclosure.py`; this module never sees more than its table of counts.
- A wage is per hour, week, two weeks, month or year; one that its unit makes absurd (a yearly wage
  "per hour") is held back, row by row.
- The offered wage is base pay, the lower end of a range. The prevailing wage beside it is what the
  law asks for at least; the two are not to be mixed.
- The files of a year's quarters may repeat a case: only its latest decision counts.
- Occupations changed their codes: those of SOC 2010 stay under their own.
- A distribution over a handful of cases would say what single people earn: it is not made.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import groupby
from typing import IO, Any, Final

from pricing_sources.documents import decimal_text, exact_json, required
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Kind, Observation, Reading, Rejected, SalarySeries, Skipped, Status
from pricing_sources.protocols import lca_disclosure
from pricing_sources.source import Cadence, Chapter, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

OCCUPATIONS: Final[Mapping[str, str]] = {
    "15-1252": "Software Developers",
    "15-2051": "Data Scientists",
    "15-1221": "Computer and Information Research Scientists",
    "15-1111": "Computer and Information Research Scientists (SOC 2010)",
    "15-1132": "Software Developers, Applications (SOC 2010)",
    "15-1133": "Software Developers, Systems Software (SOC 2010)",
}
PER_YEAR: Final[Mapping[str, int]] = {"Year": 1, "Month": 12, "Bi-Weekly": 26, "Week": 52, "Hour": 2080}
"""How many of each unit of pay make a year of full-time work."""
STATISTICS: Final[Mapping[str, Decimal]] = {
    "p10": Decimal("0.10"),
    "p25": Decimal("0.25"),
    "median": Decimal("0.50"),
    "p75": Decimal("0.75"),
    "p90": Decimal("0.90"),
}
WAGES: Final[Mapping[str, tuple[str, str]]] = {
    "": ("WAGE_RATE_OF_PAY_FROM", "WAGE_UNIT_OF_PAY"),
    "prevailing_": ("PREVAILING_WAGE", "PW_UNIT_OF_PAY"),
}
"""What stands before the statistic, to the columns of amount and unit: the wage offered, and the least allowed."""
FEWEST_CASES: Final = 30
"""A distribution over fewer is not made: it would be rough, and close to single people's pay."""
PLAUSIBLE: Final = (Decimal(15_000), Decimal(1_500_000))
"""Dollars a year; what lies outside is a slip of amount or unit."""
COLUMNS: Final = [*lca_disclosure.KEPT, "CASES"]
FIRST_YEAR: Final = 2020
"""The files of earlier fiscal years have other columns."""
QUARTERS: Final = (1, 2, 3, 4)
MAX_BYTES: Final = 512 * 1024 * 1024
CURRENCY: Final = "USD"

_STATE: Final = re.compile(r"[A-Z]{2}")


class H1bLca:
    """Offered and prevailing yearly wages of certified full-time applications."""

    info = SourceInfo(
        id="h1b_lca",
        title="OFLC labor condition application disclosure data (H-1B)",
        publisher="U.S. Department of Labor, Employment and Training Administration",
        kinds=(Kind.SALARY,),
        homepage="https://www.dol.gov/agencies/eta/foreign-labor/performance",
        url="https://www.dol.gov/sites/dolgov/files/ETA/oflc/pdfs",
        licence="Public domain (U.S. Department of Labor)",
        attribution="Source: U.S. Department of Labor, OFLC disclosure data",
        # A quarter's file comes out weeks after the quarter; by the middle of its last month the one before is there.
        cadence=Cadence(cron="0 9 15 3,6,9,12 *", timezone="America/New_York", jitter=timedelta(hours=6)),
        parser_version=2,
        plausible={Unit.PERSON_YEAR: PLAUSIBLE},
        # Up to a gigabyte a look: somebody should decide to ask.
        on_by_default=False,
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for the quarters of the newest fiscal year that has one; yield its counts. Raises FetchFailed."""
        this_year = _fiscal_year(request.now.date())
        for year in (this_year, this_year - 1):
            found = list(self._year(transport, request, year))
            if found:
                yield from found
                return
        raise FetchFailed(f"no disclosure file of fiscal years {this_year} and {this_year - 1}", status=404)

    def chapters(self, transport: Transport, request: FetchRequest) -> Sequence[Chapter]:
        """One a fiscal year that is over."""
        years = range(FIRST_YEAR, _fiscal_year(request.now.date()))
        return [Chapter(f"FY{year}", request.url) for year in years]

    def fetch_chapter(self, transport: Transport, request: FetchRequest, chapter: Chapter) -> Iterator[Document]:
        """Ask for the quarters of one fiscal year. Raises FetchFailed."""
        found = list(self._year(transport, request, int(chapter.name.removeprefix("FY"))))
        if not found:
            raise FetchFailed(f"no disclosure file of {chapter.name}", status=404)
        yield from found

    def excerpt(self, pieces: Iterator[bytes]) -> bytes:
        """The counts of one disclosure file; the file itself is not kept. Raises ShapeChanged."""
        with lca_disclosure.spool() as file:
            original = lca_disclosure.spooled(pieces, file)
            return lca_disclosure.counted([(original, file)], frozenset(OCCUPATIONS))

    def rows_of_original(self, body: bytes) -> int | None:
        """How many rows the disclosure files had; None of a table that does not say. Raises ShapeChanged."""
        return _opened(body).rows_of_originals

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read a table of counts: what is no wage of ours, then the distributions, each after its rows.

        Raises ShapeChanged.
        """
        table = _opened(document.body)
        yield from table.left_out
        cases: list[_Cases] = []
        for position, row in enumerate(table.rows):
            for prefix in WAGES:
                reading = _cases(row, prefix, f"/rows/{position}")
                if isinstance(reading, _Cases):
                    cases.append(reading)
                else:
                    yield reading
        yield from _distributions(cases, table)

    def _year(self, transport: Transport, request: FetchRequest, year: int) -> Iterator[Document]:
        with ExitStack() as files:
            found: list[tuple[lca_disclosure.Original, IO[bytes]]] = []
            for quarter in QUARTERS:
                url = f"{request.url}/LCA_Disclosure_Data_FY{year}_Q{quarter}.xlsx"
                file = files.enter_context(lca_disclosure.spool())
                original = _downloaded(transport, url, file)
                if original is None:
                    break
                found.append((original, file))
            if found:
                body = lca_disclosure.counted(found, frozenset(OCCUPATIONS))
                yield Document(
                    source_id=self.info.id,
                    url=found[-1][0].url,
                    body=body,
                    fetched_at=request.now,
                    media_type="application/json",
                )


SOURCE: Final = H1bLca()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A table of counts, opened."""

    rows: Sequence[Mapping[str, Any]]
    decided_to: date
    rows_of_originals: int | None
    left_out: Sequence[Skipped]

    @property
    def fiscal_year(self) -> int:
        return _fiscal_year(self.decided_to)

    @property
    def is_whole(self) -> bool:
        """True if its last decision is of the year's last month."""
        return self.decided_to.month == 9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cases:
    """So many applications that state the same yearly wage."""

    occupation: str
    state: str
    prefix: str
    per_year: Decimal
    count: int
    locator: str


def _fiscal_year(day: date) -> int:
    """The fiscal year, which begins in October of the year before."""
    return day.year + (day.month >= 10)


def _downloaded(transport: Transport, url: str, file: IO[bytes]) -> lca_disclosure.Original | None:
    """Spool one file; None where it is not published yet."""
    kept: list[lca_disclosure.Original] = []

    def to_file(pieces: Iterator[bytes]) -> bytes:
        kept[:] = [lca_disclosure.spooled(pieces, file)]
        return b""

    try:
        reply = transport.get(url, max_bytes=MAX_BYTES, excerpt=to_file)
    except FetchFailed as error:
        if error.status == 404:
            return None
        raise
    return replace(kept[0], url=reply.url)


def _opened(body: bytes) -> _Table:
    content = exact_json(body)
    if required(content, "format") != lca_disclosure.FORMAT:
        raise ShapeChanged(f"{lca_disclosure.FORMAT!r} was expected", path="/format")
    if required(content, "columns") != COLUMNS:
        raise ShapeChanged(f"the columns {', '.join(COLUMNS)} were expected", path="/columns")
    rows = required(content, "rows")
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        raise ShapeChanged(f"rows of {len(COLUMNS) - 1} texts and a count were expected", path="/rows")
    try:
        decided_to = date.fromisoformat(required(content, "decided_to"))
    except (TypeError, ValueError) as error:
        raise ShapeChanged("a date was expected", path="/decided_to") from error
    return _Table(
        rows=[dict(zip(COLUMNS, row, strict=True)) for row in rows],
        decided_to=decided_to,
        rows_of_originals=_count(content["rows_of_originals"]) if "rows_of_originals" in content else None,
        left_out=[
            Skipped(reason, f"/left_out/{reason}", _count(count, f"/left_out/{reason}"))
            for reason, count in content.get("left_out", {}).items()
        ],
    )


def _count(value: object, path: str = "/rows_of_originals") -> int:
    if not isinstance(value, Decimal) or value != int(value) or value < 1:
        raise ShapeChanged("a count was expected", path=path)
    return int(value)


def _is_row(row: object) -> bool:
    if not isinstance(row, list) or len(row) != len(COLUMNS):
        return False
    *texts, count = row
    return all(isinstance(text, str) for text in texts) and isinstance(count, Decimal) and count == int(count) > 0


def _cases(row: Mapping[str, Any], prefix: str, locator: str) -> _Cases | Skipped | Rejected:
    if reason := _skip_reason(row):
        return Skipped(reason, locator)
    amount_column, unit_column = WAGES[prefix]
    unit, text = row[unit_column], row[amount_column]
    if not text:
        return Skipped("no_wage", locator)
    words = f"{row['SOC_CODE']} in {row['WORKSITE_STATE']}: {text} per {unit}, {row['CASES']} cases"
    if unit not in PER_YEAR:
        return Rejected(f"{unit_column} is {unit!r}; accepted: {', '.join(PER_YEAR)}", locator, words)
    try:
        per_year = decimal_text(text) * PER_YEAR[unit]
    except ValueError as error:
        return Rejected(str(error), locator, words)
    if not PLAUSIBLE[0] <= per_year <= PLAUSIBLE[1]:
        said = f"{text} per {unit} makes {per_year} a year; {PLAUSIBLE[0]} to {PLAUSIBLE[1]} was expected"
        return Rejected(said, locator, words)
    return _Cases(
        occupation=lca_disclosure.soc_code(row["SOC_CODE"]),
        state=row["WORKSITE_STATE"],
        prefix=prefix,
        per_year=per_year,
        count=int(row["CASES"]),
        locator=locator,
    )


def _skip_reason(row: Mapping[str, Any]) -> str | None:
    """Name why a row is no wage of ours, or return None; the first rule that matches wins."""
    rules = (
        ("other_visa", row["VISA_CLASS"] != "H-1B"),
        ("not_certified", row["CASE_STATUS"] != "Certified"),
        ("part_time", row["FULL_TIME_POSITION"] != "Y"),
        ("other_occupation", lca_disclosure.soc_code(row["SOC_CODE"]) not in OCCUPATIONS),
        ("no_state", not _STATE.fullmatch(row["WORKSITE_STATE"])),
    )
    return next((reason for reason, applies in rules if applies), None)


def _distributions(cases: Sequence[_Cases], table: _Table) -> Iterator[Reading]:
    """The distribution of each occupation and wage, over the country and over each state, after its rows."""
    everywhere = [replace(one, state="") for one in cases]
    by = sorted([*cases, *everywhere], key=lambda one: (one.occupation, one.state, one.prefix, one.per_year))
    for (occupation, state, prefix), group in groupby(by, lambda one: (one.occupation, one.state, one.prefix)):
        found = list(group)
        count = sum(one.count for one in found)
        fate = "too_few_cases" if count < FEWEST_CASES else "part_of_distribution"
        yield from (Skipped(fate, one.locator) for one in found)
        if count < FEWEST_CASES:
            continue
        series = partial(
            SalarySeries,
            source=H1bLca.info.id,
            occupation=occupation,
            occupation_title=OCCUPATIONS[occupation],
            area=f"US-{state}" if state else "US",
        )
        for statistic, share in STATISTICS.items():
            found_at = _percentile(found, count, share)
            yield _observation(series(statistic=f"{prefix}{statistic}"), found_at, table, f"{count} cases")


def _percentile(cases: Sequence[_Cases], count: int, share: Decimal) -> _Cases:
    """The cases of the least wage that so large a share of all does not exceed."""
    passed = 0
    for one in cases:
        passed += one.count
        if passed >= share * count:
            return one
    return cases[-1]


def _observation(series: SalarySeries, found_at: _Cases, table: _Table, cases: str) -> Observation:
    return Observation(
        series=series,
        amount=found_at.per_year,
        currency=CURRENCY,
        unit=Unit.PERSON_YEAR,
        valid_from=datetime(table.fiscal_year - 1, 10, 1, tzinfo=UTC),
        status=Status.DERIVED if table.is_whole else Status.PRELIMINARY,
        vintage=f"FY{table.fiscal_year}",
        published_amount=str(found_at.per_year),
        published_unit="dollars a year, from wages per year, month, two weeks, week and hour",
        locator=found_at.locator,
        note=f"Over {cases}, decided up to {table.decided_to}; full time, certified, base pay.",
    )
