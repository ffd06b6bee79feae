"""The Azure Retail Prices API: pages of rows with the same keys, whatever is sold.

Three things to know. The next page is named by an absolute link. A filter value that matches nothing
(`us-east` for `eastus`) is answered with HTTP 200 and an empty list. `retailPrice` is the list price
of one `unitOfMeasure` from `tierMinimumUnits` on, since `effectiveStartDate`, which may lie ahead.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit, urlunsplit

from pricing_sources.documents import exact_json
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import Observation, Reading, Rejected, Skipped
from pricing_sources.source import Document, FetchRequest
from pricing_sources.transport import Transport

OFFICIAL_URL: Final = "https://prices.azure.com/api/retail/prices"
HOMEPAGE: Final = "https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices"
LICENCE: Final = (
    "Public and unauthenticated; no licence is stated. The documentation offers the API for "
    "tools of one's own, internal analysis and price comparison."
)
ATTRIBUTION: Final = "Azure Retail Prices, Microsoft"
API_VERSION: Final = "2023-01-01-preview"
"""Only the preview version states savings plans. It compares filter values case-sensitively."""
MAX_PAGES: Final = 1000
MAX_PAGE_BYTES: Final = 16 * 1024 * 1024


class RowError(ValueError):
    """This row should have been a price and cannot be believed; the message says why."""


def pages(transport: Transport, request: FetchRequest, source_id: str, asked: str) -> Iterator[Document]:
    """Ask for every row that a filter lets through, page by page.

    `eq`, `and` and `contains()` are the documented grammar; `not(contains())` is answered with 400.
    Raises FetchFailed if the pages run in a circle, lead to a foreign host, or do not end.
    """
    url, params = request.url, {"api-version": API_VERSION, "$filter": asked}
    followed: set[str] = set()
    for _ in range(MAX_PAGES):
        reply = transport.get(url, params=params or None, max_bytes=MAX_PAGE_BYTES)
        yield Document.of(source_id, reply, request.now)
        link = _next_page(reply.body)
        if not link:
            return
        url, params = _at_home(link, request.url), {}
        if url in followed:
            raise FetchFailed(f"the page {url} was already read: NextPageLink runs in a circle")
        followed.add(url)
    raise FetchFailed(f"still no last page after {MAX_PAGES} pages; a page without NextPageLink was expected")


def rows(document: Document) -> Iterator[tuple[str, object]]:
    """The rows of a page and where they stand. Raises ShapeChanged for no list, or none where rows were expected."""
    page = exact_json(document.body)
    name = next((name for name in ("Items", "items") if isinstance(page, dict) and name in page), None)
    if name is None or not isinstance(page[name], list):
        raise ShapeChanged("expected an object with a list of price rows", path="/Items")
    if not page[name] and not _is_later_page(document.url):
        # A filter value that matches nothing is answered with 200 and an empty list.
        raise ShapeChanged("no rows where rows were expected", path=f"/{name}")
    for position, row in enumerate(page[name]):
        yield f"/{name}/{position}", row


def object_of(row: object) -> Mapping[str, Any]:
    """The row, if it is an object. Raises RowError."""
    if not isinstance(row, dict):
        raise RowError(f"expected an object, not {type(row).__name__}")
    return row


def text_of(row: Mapping[str, Any], name: str) -> str:
    """A text that is not empty. Raises RowError."""
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise RowError(f"{name} is {value!r}; a text was expected")
    return value


def number_of(row: Mapping[str, Any], name: str) -> Decimal:
    """A number not below zero. Raises RowError."""
    value = row.get(name)
    if not isinstance(value, Decimal) or not value.is_finite() or value < 0:
        raise RowError(f"{name} is {value!r}; a number not below zero was expected")
    return value


def currency_of(row: Mapping[str, Any]) -> str:
    """The row's ISO 4217 code. Raises RowError."""
    code = text_of(row, "currencyCode")
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise RowError(f"currencyCode is {code!r}; an ISO 4217 code was expected")
    return code


def effective_from(row: Mapping[str, Any]) -> datetime:
    """When the price begins to hold. Raises RowError."""
    return _moment(text_of(row, "effectiveStartDate"), "effectiveStartDate")


def has_ended(row: Mapping[str, Any], now: datetime) -> bool:
    """True if the row names an end that has passed; most name none. Raises RowError."""
    end = row.get("effectiveEndDate")
    return bool(end) and _moment(str(end), "effectiveEndDate") <= now


def tier_of(row: Mapping[str, Any]) -> str:
    """The volume a price starts to hold above, as a variant: empty for the first tier. Raises RowError."""
    start = number_of(row, "tierMinimumUnits")
    if start != int(start):
        raise RowError(f"tierMinimumUnits is {start}; a whole number was expected")
    return f"above_{int(start)}_gb" if start else ""


def shortened(row: object) -> str:
    """The row as it stood, in at most 500 characters."""
    return json.dumps(row, default=str, ensure_ascii=False)[:500]


def first_stands(reading: Reading, row: object, seen: dict[tuple[str, str | None, datetime], Observation]) -> Reading:
    """Let the first price of a series and date stand: two spellings of one meter live side by side."""
    if not isinstance(reading, Observation):
        return reading
    first = seen.setdefault((reading.series.key, reading.currency, reading.valid_from), reading)
    if first is reading:
        return reading
    if first.amount == reading.amount:
        return Skipped("duplicate", reading.locator)
    reason = (
        f"{reading.series.key} has two prices from {reading.valid_from.isoformat()}: {first.published_amount} at "
        f"{first.locator} (kept) and {reading.published_amount} here; one price, or another date, was expected"
    )
    return Rejected(reason, reading.locator, shortened(row))


def _next_page(body: bytes) -> object:
    page = exact_json(body)
    return page.get("NextPageLink") if isinstance(page, dict) else None


def _at_home(link: object, asked: str) -> str:
    """Move a link of the feed onto the host that was asked, so that a mirror is never left."""
    home, official = urlsplit(asked), urlsplit(OFFICIAL_URL)
    try:
        target = urlsplit(str(link))
    except ValueError as fault:
        raise FetchFailed(f"NextPageLink leads to {link}, which is no address: {fault}") from fault
    if target.hostname not in {official.hostname, home.hostname} or target.path not in {official.path, home.path}:
        raise FetchFailed(f"NextPageLink leads to {link}; expected {OFFICIAL_URL} or {asked} with another query")
    return urlunsplit((home.scheme, home.netloc, home.path, target.query, ""))


def _is_later_page(url: str) -> bool:
    return parse_qs(urlsplit(url).query).get("$skip", ["0"]) != ["0"]


def _moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RowError(f"{name} is {text!r}; a date with time and zone was expected")
    return moment.astimezone(UTC)
