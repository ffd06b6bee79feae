"""BLS Occupational Employment and Wage Statistics: what an occupation earns, by place.

Four things to know. The API serves the newest year only; the years before live in zipped workbooks,
which are the archive of this feed. Occupations changed their codes with SOC 2018, so one that had
another before is another series, and the two are not chained. Wages
are base pay: no bonus, no equity, no self-employed, and far under what frontier laboratories pay.
A wage above the survey's ceiling is not stated at all: it reads `-`, and a footnote names the
ceiling, which is kept as a lower bound.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from pricing_sources.documents import decimal_text, exact_csv
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Kind, Observation, Reading, Rejected, SalarySeries, Skipped, Status
from pricing_sources.protocols import bls_api, oews_workbook
from pricing_sources.source import Cadence, Chapter, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

OCCUPATIONS: Final[Mapping[str, str]] = {
    "15-1252": "Software Developers",
    "15-2051": "Data Scientists",
    "15-1221": "Computer and Information Research Scientists",
}
"""The people who build language models, by SOC 2018 code."""
FORMER_OCCUPATIONS: Final[Mapping[str, str]] = {
    "15-1111": "Computer and Information Research Scientists",
    "15-1132": "Software Developers, Applications",
    "15-1133": "Software Developers, Systems Software",
}
"""By SOC 2010 code, as older vintages have them."""

AREAS: Final[Mapping[str, str]] = {
    "N0000000": "United States",
    "S0600000": "California",
    "S3600000": "New York",
    "S4800000": "Texas",
    "S5300000": "Washington",
    "M0031080": "Los Angeles",
    "M0019100": "Dallas",
}
"""Area type and area code of an OEWS series id."""


@dataclass(frozen=True, slots=True)
class Wage:
    """What the last two digits of a series id mean."""

    statistic: str
    unit: Unit
    words: str
    """BLS's own name of the figure."""


WAGES: Final[Mapping[str, Wage]] = {
    "03": Wage("hourly_mean", Unit.PERSON_HOUR, "Hourly mean wage"),
    "04": Wage("mean", Unit.PERSON_YEAR, "Annual mean wage"),
    "06": Wage("hourly_p10", Unit.PERSON_HOUR, "Hourly 10th percentile wage"),
    "07": Wage("hourly_p25", Unit.PERSON_HOUR, "Hourly 25th percentile wage"),
    "08": Wage("hourly_median", Unit.PERSON_HOUR, "Hourly median wage"),
    "09": Wage("hourly_p75", Unit.PERSON_HOUR, "Hourly 75th percentile wage"),
    "10": Wage("hourly_p90", Unit.PERSON_HOUR, "Hourly 90th percentile wage"),
    "11": Wage("p10", Unit.PERSON_YEAR, "Annual 10th percentile wage"),
    "12": Wage("p25", Unit.PERSON_YEAR, "Annual 25th percentile wage"),
    "13": Wage("median", Unit.PERSON_YEAR, "Annual median wage"),
    "14": Wage("p75", Unit.PERSON_YEAR, "Annual 75th percentile wage"),
    "15": Wage("p90", Unit.PERSON_YEAR, "Annual 90th percentile wage"),
}
NOT_WAGES: Final = frozenset({"01", "02", "05", "16", "17"})
"""Employment, its shares and the standard errors."""

HOURS_PER_YEAR: Final = 2080
"""BLS multiplies an hourly wage by this to state an annual one."""
WIDEST_GAP: Final = Decimal("0.01")
"""How far an hourly wage may be from the annual one, both being rounded."""

STATE_CODES: Final[Mapping[str, str]] = {
    "01": "AL", "02": "AK", "04": "AZ", "05": "AR", "06": "CA", "08": "CO", "09": "CT", "10": "DE", "11": "DC",
    "12": "FL", "13": "GA", "15": "HI", "16": "ID", "17": "IL", "18": "IN", "19": "IA", "20": "KS", "21": "KY",
    "22": "LA", "23": "ME", "24": "MD", "25": "MA", "26": "MI", "27": "MN", "28": "MS", "29": "MO", "30": "MT",
    "31": "NE", "32": "NV", "33": "NH", "34": "NJ", "35": "NM", "36": "NY", "37": "NC", "38": "ND", "39": "OH",
    "40": "OK", "41": "OR", "42": "PA", "44": "RI", "45": "SC", "46": "SD", "47": "TN", "48": "TX", "49": "UT",
    "50": "VT", "51": "VA", "53": "WA", "54": "WV", "55": "WI", "56": "WY", "66": "GU", "72": "PR", "78": "VI",
}  # fmt: skip
"""FIPS code of a state or territory to its postal abbreviation."""

WORKBOOKS: Final = "https://www.bls.gov/oes/special-requests"
FIRST_VINTAGE: Final = 2019
WAGE_COLUMNS: Final[Mapping[str, str]] = {
    "A_MEAN": "04",
    "A_PCT10": "11",
    "A_PCT25": "12",
    "A_MEDIAN": "13",
    "A_PCT75": "14",
    "A_PCT90": "15",
    "H_MEDIAN": "08",
}
"""Columns of a workbook that say what the series asked of the API say."""
UNSTATED: Final[Mapping[str, str]] = {
    "#": "top_coded",
    "*": "not_available",
    "**": "not_available",
    "": "not_available",
}
"""A workbook does not name the ceiling that a wage is above."""

CURRENCY: Final = "USD"
ALL_INDUSTRIES: Final = "000000"
REFERENCE_MONTH: Final = 5
TOP_CODED: Final = "5"

_METROPOLES: Final = frozenset(f"US-M-{code[1:]}" for code in AREAS if code.startswith("M"))
_ID: Final = re.compile(r"OEU(?P<area>[NSM]\d{7})(?P<industry>\d{6})(?P<occupation>\d{6})(?P<wage>\d{2})")
_CEILING: Final = re.compile(r"\$(?P<amount>\d[\d,]*(?:\.\d+)?)\s*(?:per\s+|/\s*)(?P<per>hour|year)")


def series_id(area: str, occupation: str, wage: str) -> str:
    """The 25 characters of a series id, all industries together.

    >>> series_id("N0000000", "15-1252", "04")
    'OEUN000000000000015125204'
    """
    return f"OEU{area}{ALL_INDUSTRIES}{occupation.replace('-', '')}{wage}"


ASKED: Final = (
    *(
        series_id(area, occupation, wage)
        for occupation in OCCUPATIONS
        for area in AREAS
        for wage in ("04", "11", "12", "13", "14", "15")
    ),
    *(series_id("N0000000", occupation, "08") for occupation in OCCUPATIONS),
)
"""129 series in 6 queries of the 25 a day: annual mean and percentiles everywhere, and the national
hourly median as a witness against the annual one."""


class BlsOews:
    """Wages by occupation and area, once a year."""

    info = SourceInfo(
        id="bls_oews",
        title="BLS Occupational Employment and Wage Statistics",
        publisher="U.S. Bureau of Labor Statistics",
        kinds=(Kind.SALARY,),
        homepage="https://www.bls.gov/oes/",
        url=bls_api.URL,
        licence=bls_api.LICENCE,
        attribution=bls_api.ATTRIBUTION,
        # The figures of May come out once in the following year, in April in a good year and in
        # July in a bad one: we look in each of those months, and are stale after a season in vain.
        cadence=Cadence(
            cron="0 14 10 4-9 *",
            timezone="America/New_York",
            jitter=timedelta(hours=2),
            stale_after=6,
            # A May's survey comes out the following spring and is the newest for a year; it may slip to summer.
            newest_within=timedelta(days=2 * 365),
        ),
        plausible={
            Unit.PERSON_YEAR: (Decimal(15_000), Decimal(1_000_000)),
            Unit.PERSON_HOUR: (Decimal(7), Decimal(500)),
        },
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for every series of ASKED, 25 to a query. Raises FetchFailed."""
        this_year = request.now.year
        for reply in bls_api.ask(transport, request.url, ASKED, first_year=this_year - 2, last_year=this_year):
            yield Document.of(self.info.id, reply, request.now)

    def chapters(self, transport: Transport, request: FetchRequest) -> Sequence[Chapter]:
        """One a vintage, up to the year before last; the newest is the API's.

        An address of one's own is taken for the folder of the workbooks.
        """
        base = WORKBOOKS if request.url == self.info.url else request.url
        return [Chapter(str(year), base) for year in range(FIRST_VINTAGE, request.now.year - 1)]

    def fetch_chapter(self, transport: Transport, request: FetchRequest, chapter: Chapter) -> Iterator[Document]:
        """Ask for the workbooks of one vintage; yield what of them is kept. Raises FetchFailed, ShapeChanged."""
        for url, table in oews_workbook.tables(transport, chapter.url, int(chapter.name), _is_wanted):
            yield Document(source_id=self.info.id, url=url, body=table, fetched_at=request.now, media_type="text/csv")

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per figure, and one per message that speaks of a series.

        Raises Quarantined where BLS refused the request, ShapeChanged where the envelope is another.
        """
        if document.body.startswith(b"VINTAGE,"):
            return _cross_checked([*_workbook_readings(document.body)])
        found = bls_api.figures(document)
        return _cross_checked([_reading(each) if isinstance(each, bls_api.Figure) else each for each in found])


SOURCE: Final = BlsOews()


def _is_wanted(row: Mapping[str, str]) -> bool:
    area = _workbook_area(row)
    known = row["OCC_CODE"] in OCCUPATIONS or row["OCC_CODE"] in FORMER_OCCUPATIONS
    return known and area is not None and (not area.startswith("US-M-") or area in _METROPOLES)


def _workbook_area(row: Mapping[str, str]) -> str | None:
    """Our name of a workbook's area: its type is 1 for the nation, 2 a state, 3 a territory, 4 a metropolis."""
    code = row["AREA"]
    if not code.isdecimal():
        return None
    match row["AREA_TYPE"]:
        case "1":
            return "US"
        case "2" | "3":
            return f"US-{STATE_CODES[code.zfill(2)]}" if code.zfill(2) in STATE_CODES else None
        case "4":
            return f"US-M-{code.zfill(7)}"
        case _:
            return None


def _workbook_readings(body: bytes) -> Iterator[Reading]:
    if not body.endswith(b"\n"):
        raise ShapeChanged("a whole table, with a line end after its last row, was expected")
    for line, row in enumerate(exact_csv(body), start=2):
        if tuple(row) != oews_workbook.KEPT:
            raise ShapeChanged(f"the columns {', '.join(oews_workbook.KEPT)} were expected", path="line 1")
        if row["VINTAGE"] == oews_workbook.LEFT_OUT:
            yield _left_out(row, f"line {line}")
            continue
        for column in WAGE_COLUMNS:
            yield _workbook_reading(row, column, f"line {line}, {column}")


def _left_out(row: Mapping[str, str], locator: str) -> Reading:
    reason, rows = row["AREA"], row["AREA_TITLE"]
    if not (re.fullmatch(r"[a-z_]+", reason) and re.fullmatch(r"[1-9]\d*", rows)):
        raise ShapeChanged("a reason and how many rows were left out for it were expected", path=locator)
    return Skipped(reason, locator, int(rows))


def _workbook_reading(row: Mapping[str, str], column: str, locator: str) -> Reading:
    value, occupation, area = row[column], row["OCC_CODE"], _workbook_area(row)
    words = f"{row['VINTAGE']} {occupation} {row['AREA_TITLE']} {column}: {value}"[:500]
    title = OCCUPATIONS.get(occupation) or FORMER_OCCUPATIONS.get(occupation)
    if title is None or area is None or not re.fullmatch(r"\d{4}", row["VINTAGE"]):
        return Rejected("an occupation, area and vintage of ours were expected", locator, words)
    if value in UNSTATED:
        return Skipped(UNSTATED[value], locator)
    wage = WAGES[WAGE_COLUMNS[column]]
    try:
        amount = decimal_text(value)
    except ValueError as error:
        return Rejected(str(error), locator, words)
    return Observation(
        series=SalarySeries(
            source=BlsOews.info.id,
            occupation=occupation,
            occupation_title=title,
            area=area,
            area_title=row["AREA_TITLE"],
            statistic=wage.statistic,
        ),
        amount=amount,
        currency=CURRENCY,
        unit=wage.unit,
        valid_from=datetime(int(row["VINTAGE"]), REFERENCE_MONTH, 1, tzinfo=UTC),
        vintage=row["VINTAGE"],
        published_amount=value,
        published_unit=f"{wage.words}, dollars",
        locator=locator,
        note=f"{row['ORIGINAL']} (SHA-256 {row['SHA256']})",
    )


def _reading(figure: bls_api.Figure) -> Reading:
    parts = _ID.fullmatch(figure.series_id)
    if parts is None:
        return figure.rejected("not an OEWS series id; one reads OEUN000000000000015125204")
    wage, area = WAGES.get(parts["wage"]), _area(parts["area"])
    if parts["industry"] != ALL_INDUSTRIES:
        return figure.skipped("industry_specific")
    if parts["wage"] in NOT_WAGES:
        return figure.skipped("not_a_wage")
    if wage is None or area is None:
        return figure.rejected(f"no such {'area' if wage else 'statistic'} is known in OEWS")
    if figure.period != "A01":
        return figure.skipped("not_annual")
    occupation = f"{parts['occupation'][:2]}-{parts['occupation'][2:]}"
    series = SalarySeries(
        source=BlsOews.info.id,
        occupation=occupation,
        occupation_title=OCCUPATIONS.get(occupation, ""),
        area=area,
        area_title=AREAS.get(parts["area"], ""),
        statistic=wage.statistic,
    )
    return _wage(figure, series, wage)


def _area(code: str) -> str | None:
    """Our name of an area: `US`, `US-CA`, `US-M-0019100`; None for a code that is none."""
    kind, digits = code[0], code[1:]
    if kind == "M":
        return f"US-M-{digits}"
    if kind == "N":
        return "US" if digits == "0000000" else None
    state = STATE_CODES.get(digits[:2]) if digits.endswith("00000") else None
    return f"US-{state}" if state else None


def _wage(figure: bls_api.Figure, series: SalarySeries, wage: Wage) -> Reading:
    if figure.value == "-":
        return _unstated(figure, series, wage)
    try:
        amount = decimal_text(figure.value)
    except ValueError as error:
        return figure.rejected(str(error))
    return _observation(figure, series, wage, amount)


def _unstated(figure: bls_api.Figure, series: SalarySeries, wage: Wage) -> Reading:
    """A wage BLS does not state: above the ceiling that its footnote names, or not available."""
    ceilings = [note.text for note in figure.footnotes if note.code == TOP_CODED]
    if not ceilings:
        return figure.skipped("not_available")
    per = "year" if wage.unit is Unit.PERSON_YEAR else "hour"
    for match in _CEILING.finditer(ceilings[0]):
        if match["per"] == per:
            amount = Decimal(match["amount"].replace(",", ""))
            return _observation(figure, series, wage, amount, status=Status.LOWER_BOUND, note=ceilings[0])
    return figure.rejected(f"top-coded, but the footnote names no ceiling in dollars per {per}: {ceilings[0]!r}")


def _observation(
    figure: bls_api.Figure,
    series: SalarySeries,
    wage: Wage,
    amount: Decimal,
    *,
    status: Status = Status.FINAL,
    note: str = "",
) -> Observation:
    return Observation(
        series=series,
        amount=amount,
        currency=CURRENCY,
        unit=wage.unit,
        valid_from=datetime(int(figure.year), REFERENCE_MONTH, 1, tzinfo=UTC),
        status=status,
        vintage=figure.year,
        published_amount=figure.value,
        published_unit=f"{wage.words}, dollars",
        locator=figure.locator,
        note=note,
    )


def _cross_checked(readings: Iterable[Reading]) -> Iterator[Reading]:
    """Reject an hourly wage that is not the annual one of the same document over 2,080 hours."""
    kept = list(readings)
    annual = {
        (each.series.key, each.vintage): each.amount
        for each in kept
        if isinstance(each, Observation) and each.unit is Unit.PERSON_YEAR and each.status is Status.FINAL
    }
    for reading in kept:
        yield _checked_against(annual, reading)


def _checked_against(annual: Mapping[tuple[str, str], Decimal], reading: Reading) -> Reading:
    if isinstance(reading, Rejected | Skipped) or reading.unit is not Unit.PERSON_HOUR:
        return reading
    year = annual.get((reading.series.key.replace("/hourly_", "/"), reading.vintage))
    if year is None or reading.status is not Status.FINAL:
        return reading
    if abs(reading.amount * HOURS_PER_YEAR - year) <= WIDEST_GAP * year:
        return reading
    made = reading.amount * HOURS_PER_YEAR
    reason = f"{reading.amount} an hour makes {made} a year, but the same document says {year}; 1 % apart was expected"
    return Rejected(reason, reading.locator, f"{reading.series.key}: {reading.published_amount}")
