"""World Bank purchasing power parities: what buys in a country what a dollar buys in the United States.

For comparing salaries and prices between countries, never for converting a bill: nobody can pay with it.

Traps of the feed that decide the shape of this module:

- An answer is a list of two: what was asked, and the rows. What cannot be answered is a list of one.
- Rows of groups of countries stand among those of countries, with codes of the same look; a group has
  no `countryiso3code`, or one of the letters the World Bank keeps for itself.
- Figures of the last year come late and country by country; until then the value is null.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from pricing_sources.documents import exact_json, required
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Kind, Observation, Reading, RecordSeries, Rejected, Skipped
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_PAGES: Final = 50
INDICATOR: Final = "PA.NUS.PPP"
YEARS: Final = 5
GROUPS: Final = frozenset(
    (
        *("AFE", "AFW", "ARB", "CEB", "CSS", "EAP", "EAR", "EAS", "ECA", "ECS", "EMU", "EUU", "FCS", "HIC", "HPC"),
        *("IBD", "IBT", "IDA", "IDB", "IDX", "INX", "LAC", "LCN", "LDC", "LIC", "LMC", "LMY", "LTE", "MEA", "MIC"),
        *("MNA", "NAC", "OED", "OSS", "PRE", "PSS", "PST", "SAS", "SSA", "SSF", "SST", "TEA", "TEC", "TLA", "TMN"),
        *("TSA", "TSS", "UMC", "WLD"),
    )
)
"""Codes of groups of countries (api.worldbank.org/v2/country, those whose region is "Aggregates")."""


class WorldBankPpp:
    """Local currency per international dollar, yearly."""

    info = SourceInfo(
        id="world_bank_ppp",
        title="World Bank purchasing power parities",
        publisher="World Bank",
        kinds=(Kind.RECORD,),
        homepage="https://data.worldbank.org/indicator/PA.NUS.PPP",
        url="https://api.worldbank.org/v2/country/all/indicator/PA.NUS.PPP",
        licence="CC BY 4.0",
        attribution="World Bank, International Comparison Program",
        cadence=Cadence(
            cron="0 12 1 1,4,7,10 *",
            jitter=timedelta(hours=6),
            # A year comes about one year late and is the newest for another.
            newest_within=timedelta(days=3 * 365),
        ),
        plausible={Unit.RATIO: (Decimal("0.0001"), Decimal(100_000))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for the newest years of every country, page by page. Raises FetchFailed, ShapeChanged."""
        page = pages = 1
        while page <= pages:
            if page > MAX_PAGES:
                raise FetchFailed(f"{request.url}: over {MAX_PAGES} pages")
            years = 70 if request.seed else YEARS
            url = f"{request.url}?{urlencode({'format': 'json', 'per_page': 1000, 'mrv': years, 'page': page})}"
            document = Document.of(self.info.id, transport.get(url, max_bytes=MAX_BYTES), request.now)
            meta, _ = _answer(document)
            pages, page = int(required(meta, "pages", "/0")), page + 1
            yield document

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per country and year. Raises ShapeChanged."""
        for position, row in enumerate(_answer(document)[1]):
            yield _reading(row, f"/1/{position}")


SOURCE: Final = WorldBankPpp()


def _answer(document: Document) -> tuple[Mapping[str, Any], list[Any]]:
    answer = exact_json(document.body)
    if not isinstance(answer, list) or len(answer) != 2 or not isinstance(answer[1], list) or not answer[1]:
        raise ShapeChanged(f"two parts, the question and the rows, were expected: {str(answer)[:200]}")
    return answer[0], answer[1]


def _reading(row: Mapping[str, Any], locator: str) -> Reading:
    indicator = required(required(row, "indicator", locator), "id", f"{locator}/indicator")
    if indicator != INDICATOR:
        raise ShapeChanged(f"{INDICATOR} was asked for, not {indicator!r}", path=f"{locator}/indicator/id")
    code, value, year = (required(row, name, locator) for name in ("countryiso3code", "value", "date"))
    if not code or code in GROUPS:
        return Skipped("group_of_countries", locator)
    if value is None:
        return Skipped("not_available", locator)
    if not isinstance(value, Decimal) or value <= 0 or not str(year).isdigit():
        return Rejected(f"{value!r} for {year!r}; a number above zero for a year was expected", locator, str(row)[:500])
    return Observation(
        series=RecordSeries(source=WorldBankPpp.info.id, topic="ppp", name=code),
        amount=value,
        currency=None,
        unit=Unit.RATIO,
        valid_from=datetime(int(year), 1, 1, tzinfo=UTC),
        vintage=str(year),
        published_amount=str(value),
        published_unit="local currency units per international dollar",
        locator=locator,
    )
