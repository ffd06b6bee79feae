"""EIA API v2: average revenue per kWh of electricity sold in the United States, by state and sector, monthly.

The same figures as the EIA-861M workbook, with a key, sooner by some days, and page by page.

Traps of the feed that decide the shape of this module:

- A price is a text, a number or null. The unit is spelt in two ways.
- A page holds 5,000 rows at most, and without an order their order changes from page to page.
- An answer to another question (generation, demand) has the same envelope.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from pricing_sources.documents import exact_json, required, stated_price
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import ElectricitySeries, Kind, Observation, Reading, Rejected, Skipped
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MAX_BYTES: Final = 16 * 1024 * 1024
PAGE_ROWS: Final = 5000
MAX_PAGES: Final = 100
UNITS: Final = frozenset({"cents per kilowatt-hour", "cents per kilowatthour"})
CENTS: Final = 100
SECTORS: Final = {
    "RES": "residential",
    "COM": "commercial",
    "IND": "industrial",
    "TRA": "transportation",
    "ALL": "all",
}
MONTHS_BACK: Final = 12


class EiaV2:
    """Monthly average prices by state and sector."""

    info = SourceInfo(
        id="eia_v2",
        title="EIA API v2, electricity retail sales",
        publisher="U.S. Energy Information Administration",
        kinds=(Kind.ELECTRICITY,),
        homepage="https://www.eia.gov/opendata/documentation.php",
        url="https://api.eia.gov/v2/electricity/retail-sales/data/",
        licence="Public domain (U.S. Energy Information Administration)",
        attribution="Source: U.S. Energy Information Administration",
        cadence=Cadence(
            cron="0 12 25 * *",
            timezone="America/New_York",
            jitter=timedelta(hours=2),
            # As in the workbook: a month comes two months late and is the newest for one more.
            newest_within=timedelta(days=122),
        ),
        key_setting="COSTPLAN_SOURCE_EIA_V2_KEY",
        plausible={Unit.KWH: (Decimal("0.005"), Decimal("1.5"))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for everything the first time, for the last year from then on, page by page. Raises FetchFailed."""
        first = datetime(2001, 1, 1, tzinfo=UTC) if request.seed else request.now - timedelta(days=31 * MONTHS_BACK)
        headers = {"x-api-key": request.api_key} if request.api_key else {}
        read, total = 0, 1
        while read < total:
            if read >= PAGE_ROWS * MAX_PAGES:
                raise FetchFailed(f"{request.url}: over {MAX_PAGES} pages")
            asked = {
                "frequency": "monthly",
                "data[0]": "price",
                "start": f"{first:%Y-%m}",
                "sort[0][column]": "period",
                "sort[0][direction]": "asc",
                "sort[1][column]": "stateid",
                "sort[1][direction]": "asc",
                "sort[2][column]": "sectorid",
                "sort[2][direction]": "asc",
                "offset": read,
                "length": PAGE_ROWS,
            }
            reply = transport.get(f"{request.url}?{urlencode(asked)}", headers=headers, max_bytes=MAX_BYTES)
            document = Document.of(self.info.id, reply, request.now)
            answer = required(exact_json(document.body), "response")
            rows, total = required(answer, "data", "/response"), int(required(answer, "total", "/response"))
            if not rows:
                raise ShapeChanged(f"an empty page after {read} of {total} rows", path="/response/data")
            read += len(rows)
            yield document

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per month, state and sector. Raises ShapeChanged."""
        rows = required(required(exact_json(document.body), "response"), "data", "/response")
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("no rows where a list of them was expected", path="/response/data")
        for position, row in enumerate(rows):
            yield _reading(row, f"/response/data/{position}")


SOURCE: Final = EiaV2()


def _reading(row: Mapping[str, Any], locator: str) -> Reading:
    stated, unit = required(row, "price", locator), required(row, "price-units", locator)
    if unit not in UNITS:
        raise ShapeChanged(f"prices in {unit!r}; {' or '.join(sorted(UNITS))} was expected", path=locator)
    if stated is None:
        return Skipped("no_price", locator)
    sector = SECTORS.get(required(row, "sectorid", locator))
    if sector is None:
        return Skipped("other_sector", locator)
    cents, period = stated_price(stated), required(row, "period", locator)
    try:
        month = datetime.strptime(period, "%Y-%m").replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return Rejected(f"period {period!r}; a month such as 2026-03 was expected", locator, str(row)[:500])
    if isinstance(cents, str):
        return Rejected(cents, locator, str(row)[:500])
    if cents == 0:
        return Skipped("no_sales", locator)
    state = required(row, "stateid", locator)
    area = "US" if state == "US" else f"US-{state}"
    return Observation(
        series=ElectricitySeries(source=EiaV2.info.id, area=area, sector=sector, basis="retail_average"),
        amount=cents / CENTS,
        currency="USD",
        unit=Unit.KWH,
        valid_from=month,
        vintage=period,
        published_amount=str(stated),
        published_unit=unit,
        locator=locator,
    )
