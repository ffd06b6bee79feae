"""ILOSTAT: what professionals and technicians earn a month, by country: a coarse fallback for the whole world.

Traps of the feed that decide the shape of this module:

- An occupation is a major group of ISCO-08: "Professionals" holds teachers and physicians beside those
  who write software. Every figure says so in its note; where another feed knows the occupation, take that.
- One earning stands there three times: in local currency, US dollars and purchasing power parities. Only
  dollars carry their currency's name; parities are no money.
- Earnings are per month. A year is twelve of them, so a thirteenth salary is in it only if the survey asked.
- Several surveys of one country may answer for one year; the first stands, the others are left out.
- A file that was cut short in its last figure still reads well; only the missing line end tells.
"""

import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from pricing_sources.documents import decimal_text, exact_csv, required
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import Kind, Observation, Reading, Rejected, SalarySeries, Skipped, Status
from pricing_sources.source import Cadence, Document, FetchRequest, NotModified, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

INDICATOR: Final = "EAR_4MTH_SEX_OCU_CUR_NB_A"
OCCUPATIONS: Final[Mapping[str, str]] = {
    "OCU_ISCO08_2": "Professionals (ISCO-08 major group 2)",
    "OCU_ISCO08_3": "Technicians and associate professionals (ISCO-08 major group 3)",
}
BOTH_SEXES: Final = "SEX_T"
DOLLARS: Final = "CUR_TYPE_USD"
CURRENCY: Final = "USD"
MONTHS: Final = 12
FIRST_YEAR: Final = 2000
COLUMNS: Final = ("ref_area", "indicator", "sex", "classif1", "classif2", "time", "obs_value", "obs_status")
MAX_BYTES: Final = 256 * 1024 * 1024
COARSE: Final = "Coarse: the mean of a whole major group of occupations, twelve months of it."

_GZIP: Final = b"\x1f\x8b"


class Ilostat:
    """Mean yearly earnings of employees by major occupation group and country, in dollars."""

    info = SourceInfo(
        id="ilostat",
        title="Average monthly earnings of employees by sex and occupation (EAR_4MTH_SEX_OCU_CUR_NB)",
        publisher="International Labour Organization",
        kinds=(Kind.SALARY,),
        homepage="https://ilostat.ilo.org/data/bulk/",
        url="https://rplumber.ilo.org/data/indicator/",
        licence="CC BY 4.0",
        attribution="Source: International Labour Organization, ILOSTAT",
        # Countries are added and mended all year round.
        cadence=Cadence(cron="0 4 20 1,4,7,10 *", timezone="Europe/Zurich", jitter=timedelta(hours=6)),
        plausible={Unit.PERSON_YEAR: (Decimal(200), Decimal(500_000))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified]:
        """Ask for the whole indicator, which is its history. Raises FetchFailed."""
        url = f"{request.url}?{urlencode({'id': INDICATOR, 'type': 'code', 'format': '.csv'})}"
        reply = transport.get(url, known=request.known.get(url), max_bytes=MAX_BYTES)
        if reply.not_modified:
            yield NotModified(url)
        else:
            yield Document.of(self.info.id, reply, request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per row, of the plain file or of the gzipped one. Raises ShapeChanged."""
        body = _plain(document.body)
        seen: set[tuple[str, str]] = set()
        rows = 0
        for rows, row in enumerate(exact_csv(body), start=1):
            reading = _reading(row, f"line {rows + 1}", document.fetched_at)
            if isinstance(reading, Observation):
                place = (reading.series.key, reading.vintage)
                if place in seen:
                    reading = Skipped("another_survey", reading.locator)
                seen.add(place)
            yield reading
        if not rows or not body.endswith(b"\n"):
            raise ShapeChanged("a whole file, with a line end after its last row, was expected", path=f"line {rows}")


SOURCE: Final = Ilostat()


def _plain(body: bytes) -> bytes:
    if not body.startswith(_GZIP):
        return body
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = unpacking.decompress(body, MAX_BYTES)
    except zlib.error as error:
        raise ShapeChanged(f"not a whole gzip file: {error}") from error
    if not unpacking.eof:
        raise ShapeChanged(f"a whole gzip file of at most {MAX_BYTES} bytes was expected")
    return plain


def _reading(row: Mapping[str, str], locator: str, fetched_at: datetime) -> Reading:
    area, indicator, sex, occupation, currency, year, value, status = (required(row, name, locator) for name in COLUMNS)
    if indicator != INDICATOR:
        raise ShapeChanged(f"{INDICATOR} was asked for, not {indicator[:40]!r}", path=locator)
    if reason := _skip_reason(area, sex, occupation, currency, value):
        return Skipped(reason, locator)
    words = f"{area} {occupation} {year}: {value} {status}"[:500]
    if not year.isdecimal() or not FIRST_YEAR <= int(year) <= fetched_at.year:
        return Rejected(f"{year[:40]!r} is no year from {FIRST_YEAR} on that had begun", locator, words)
    try:
        monthly = decimal_text(value)
    except ValueError as error:
        return Rejected(str(error), locator, words)
    if monthly <= 0:
        return Rejected(f"{monthly} a month; earnings above zero were expected", locator, words)
    return Observation(
        series=SalarySeries(
            source=Ilostat.info.id,
            occupation=occupation,
            occupation_title=OCCUPATIONS[occupation],
            area=area,
            statistic="mean",
        ),
        amount=monthly * MONTHS,
        currency=CURRENCY,
        unit=Unit.PERSON_YEAR,
        valid_from=datetime(int(year), 1, 1, tzinfo=UTC),
        status=Status.DERIVED,
        vintage=year,
        published_amount=value,
        published_unit="US dollars a month",
        locator=locator,
        note=f"{COARSE} ILOSTAT marks it {status}." if status else COARSE,
    )


def _skip_reason(area: str, sex: str, occupation: str, currency: str, value: str) -> str | None:
    """Name why a row is no figure of ours, or return None; the first rule that matches wins."""
    rules = (
        ("one_sex", sex != BOTH_SEXES),
        ("other_occupation", occupation not in OCCUPATIONS),
        ("other_currency", currency != DOLLARS),
        # Groups of countries begin with X and a digit.
        ("group_of_countries", not (area.isalpha() and len(area) == 3)),
        ("not_available", not value),
    )
    return next((reason for reason, applies in rules if applies), None)
