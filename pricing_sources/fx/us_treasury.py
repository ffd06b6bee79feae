"""US Treasury reporting rates of exchange: the currencies the European Central Bank does not quote.

Kept as published: so many units of a currency per one US dollar, never inverted. The rate of a
quarter's last day is what the Treasury reports with; it is not the rate of a trade.

Traps of the feed that decide the shape of this module:

- A currency has no ISO code, but a country and a word: "Taiwan-Dollar". Those we know stand in a table.
- `effective_date` is later than `record_date` where a rate was amended within its quarter.
- Rates are texts. A country that changed its money appears under the old name in old rows.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from pricing_sources.documents import decimal_text, exact_json, required
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import FxSeries, Kind, Observation, Reading, Rejected, Skipped
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

MAX_BYTES: Final = 32 * 1024 * 1024
PAGE_SIZE: Final = 5000
MAX_PAGES: Final = 50
FIELDS: Final = "country_currency_desc,exchange_rate,record_date,effective_date"
YEARS_BACK: Final = 1
CURRENCIES: Final = {
    "Argentina-Peso": "ARS",
    "Armenia-Dram": "AMD",
    "Azerbaijan-Manat": "AZN",
    "Bahrain-Dinar": "BHD",
    "Bangladesh-Taka": "BDT",
    "Chile-Peso": "CLP",
    "Colombia-Peso": "COP",
    "Costa Rica-Colon": "CRC",
    "Dominican Republic-Peso": "DOP",
    "Egypt-Pound": "EGP",
    "Ethiopia-Birr": "ETB",
    "Georgia-Lari": "GEL",
    "Ghana-Cedi": "GHS",
    "Guatemala-Quetzal": "GTQ",
    "Jordan-Dinar": "JOD",
    "Kazakhstan-Tenge": "KZT",
    "Kenya-Shilling": "KES",
    "Kuwait-Dinar": "KWD",
    "Morocco-Dirham": "MAD",
    "Nigeria-Naira": "NGN",
    "Oman-Rial": "OMR",
    "Pakistan-Rupee": "PKR",
    "Peru-Sol": "PEN",
    "Qatar-Riyal": "QAR",
    "Russia-Ruble": "RUB",
    "Saudi Arabia-Riyal": "SAR",
    "Serbia-Dinar": "RSD",
    "Sri Lanka-Rupee": "LKR",
    "Taiwan-Dollar": "TWD",
    "Tanzania-Shilling": "TZS",
    "Tunisia-Dinar": "TND",
    "Uganda-Shilling": "UGX",
    "Ukraine-Hryvnia": "UAH",
    "United Arab Emirates-Dirham": "AED",
    "Uruguay-Peso": "UYU",
    "Vietnam-Dong": "VND",
}
"""Their words to ISO 4217. Currencies the European Central Bank quotes every day are not among them."""


class UsTreasury:
    """Quarterly rates per US dollar."""

    info = SourceInfo(
        id="us_treasury",
        title="Treasury Reporting Rates of Exchange",
        publisher="U.S. Department of the Treasury",
        kinds=(Kind.FX,),
        homepage="https://fiscaldata.treasury.gov/datasets/treasury-reporting-rates-exchange/",
        url="https://api.fiscaldata.treasury.gov/services/api/fiscal_service/v1/accounting/od/rates_of_exchange",
        licence="Public domain (U.S. Department of the Treasury)",
        attribution="Source: U.S. Department of the Treasury, Bureau of the Fiscal Service",
        cadence=Cadence(
            cron="0 18 3 1,4,7,10 *",
            timezone="America/New_York",
            jitter=timedelta(hours=2),
            # A rate carries the last day of its quarter; the next is out three days after the quarter that follows.
            newest_within=timedelta(days=95),
        ),
        plausible={Unit.DOLLAR: (Decimal("0.0001"), Decimal(5_000_000))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for everything the first time, for the last year from then on, page by page. Raises FetchFailed."""
        first = date(2001, 1, 1) if request.seed else (request.now - timedelta(days=366 * YEARS_BACK)).date()
        asked = {"fields": FIELDS, "filter": f"record_date:gte:{first}", "sort": "record_date,country_currency_desc"}
        page = pages = 1
        while page <= pages:
            if page > MAX_PAGES:
                raise FetchFailed(f"{request.url}: over {MAX_PAGES} pages")
            url = f"{request.url}?{urlencode({**asked, 'page[size]': PAGE_SIZE, 'page[number]': page})}"
            document = Document.of(self.info.id, transport.get(url, max_bytes=MAX_BYTES), request.now)
            meta = required(exact_json(document.body), "meta")
            pages, page = int(required(meta, "total-pages", "/meta")), page + 1
            yield document

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one reading per currency and quarter. Raises ShapeChanged."""
        rows = required(exact_json(document.body), "data")
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("no rates where a list of them was expected", path="/data")
        for position, row in enumerate(rows):
            yield _reading(row, f"/data/{position}")


SOURCE: Final = UsTreasury()


def _reading(row: Mapping[str, Any], locator: str) -> Reading:
    words, text = required(row, "country_currency_desc", locator), required(row, "exchange_rate", locator)
    code = CURRENCIES.get(words)
    if code is None:
        return Skipped("other_currency", locator)
    try:
        rate = decimal_text(text)
        day = date.fromisoformat(required(row, "record_date", locator))
        effective = date.fromisoformat(row.get("effective_date") or row["record_date"])
    except (AttributeError, TypeError, ValueError) as error:
        return Rejected(f"{words}: {error}", locator, str(row)[:500])
    if rate <= 0:
        return Rejected(f"{words}: {rate} per dollar; a rate above zero was expected", locator, str(row)[:500])
    return Observation(
        series=FxSeries(source=UsTreasury.info.id, base_currency="USD", quote_currency=code),
        amount=rate,
        currency=code,
        unit=Unit.DOLLAR,
        valid_from=datetime.combine(max(day, effective), time(), UTC),
        vintage=f"{day:%Y}-Q{(day.month + 2) // 3}",
        published_amount=text,
        published_unit=f"{words} per US dollar",
        locator=locator,
    )
