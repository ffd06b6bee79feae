"""Octopus Agile: a British household tariff with a price for each half-hour, by grid area.

Traps of the feed that decide the shape of this module:

- Prices are in pence per kWh, without VAT and with it: two bases, both kept, in pounds.
- A product that was replaced still answers, with its old prices. So the list of products is asked
  first, for the Agile product that is on offer now.
- The area is only in the address, the last letter of the tariff's code; the letters I and O are no area.
- An interval may stand there once for each way of paying. Direct debit is what most pay; the other is skipped.
- `valid_to` may be null: then the price holds until the next one, and is no half-hour's.
- The size of a page is cut down silently, so the next page is asked for until there is none.
- A price of zero or below is real: at times a household is paid to use electricity.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from pricing_sources.documents import exact_json, required
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.observation import ElectricitySeries, Kind, Observation, Reading, Rejected, Skipped
from pricing_sources.source import Cadence, Chapter, Document, FetchRequest, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

AREAS: Final = "ABCDEFGHJKLMNP"
"""Grid supply point groups: A is eastern England, C London, P the north of Scotland."""
BASES: Final = {"value_exc_vat": "retail_x_vat", "value_inc_vat": "retail_inc_vat"}
PAYING: Final = {None: "", "DIRECT_DEBIT": "", "NON_DIRECT_DEBIT": "not_direct_debit"}
"""Ways of paying, and why a price is skipped for one."""
POUNDS: Final = Decimal("0.01")
HALF_HOUR: Final = timedelta(minutes=30)
RECENT: Final = timedelta(days=2)
FIRST_LOOK: Final = timedelta(days=31)
MOST_ROWS: Final = 1500
MAX_PAGES: Final = 50
MAX_BYTES: Final = 4 * 1024 * 1024
_PRODUCT: Final = re.compile(r"AGILE-[0-9]{2}-[0-9]{2}-[0-9]{2}")
_TARIFF: Final = re.compile(rf"E-1R-{_PRODUCT.pattern}-(?P<area>[{AREAS}])\b")


class OctopusAgile:
    """Half-hourly unit prices of the Agile product on offer, in all fourteen areas of Great Britain."""

    info = SourceInfo(
        id="octopus_agile",
        title="Agile Octopus unit prices",
        publisher="Octopus Energy",
        kinds=(Kind.ELECTRICITY,),
        homepage="https://developer.octopus.energy/rest/guides/endpoints/",
        url=(
            "https://api.octopus.energy/v1/products/AGILE-24-10-01/electricity-tariffs/"
            "E-1R-AGILE-24-10-01-C/standard-unit-rates/"
        ),
        licence="Public and unauthenticated; the supplier's terms apply and grant no right to republish.",
        attribution="Prices: Octopus Energy",
        republish=False,
        on_by_default=False,
        cadence=Cadence(
            cron="45 17 * * *",
            timezone="Europe/London",
            jitter=timedelta(minutes=30),
            # Set a day ahead: the newest half-hour is one to come.
            newest_within=timedelta(0),
        ),
        plausible={Unit.KWH: (Decimal(-1), Decimal("1.2"))},  # the tariff is capped at 100 pence, VAT included
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document]:
        """Ask for the last days and tomorrow of each area, page by page; for a month the first time.

        The product in the asked address is only an example: the one on offer is asked for.
        Raises FetchFailed; ShapeChanged if no Agile product is on offer.
        """
        product = _on_offer(transport, request)
        begin = request.now - (FIRST_LOOK if request.seed else RECENT)
        yield from _areas_between(transport, request, product.code, begin, request.now + RECENT)

    def chapters(self, transport: Transport, request: FetchRequest) -> Sequence[Chapter]:
        """Every full month since the product on offer began. Raises FetchFailed, ShapeChanged."""
        product = _on_offer(transport, request)
        # A product begins at midnight in London, which in summer is still the month before in UTC.
        began = (product.since + timedelta(hours=1)).date()
        month, chapters = datetime(began.year, began.month, 1, tzinfo=UTC), []
        while (after := _next_month(month)) <= request.now:
            chapters.append(Chapter(f"{month:%Y-%m}", product.code))
            month = after
        return chapters

    def fetch_chapter(self, transport: Transport, request: FetchRequest, chapter: Chapter) -> Iterator[Document]:
        """Ask for one month of each area. Raises FetchFailed."""
        month = datetime.fromisoformat(f"{chapter.name}-01").replace(tzinfo=UTC)
        yield from _areas_between(transport, request, chapter.url, month, _next_month(month))

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read two readings per row: the price without VAT and with it. Raises ShapeChanged."""
        rows = required(exact_json(document.body), "results")
        if not isinstance(rows, list) or not rows:
            raise ShapeChanged("not a single price; the product may have been replaced", path="/results")
        tariff = _TARIFF.search(document.url)
        if tariff is None:
            raise ShapeChanged(f"{document.url} does not name a tariff such as E-1R-AGILE-24-10-01-C")
        for position, row in enumerate(rows):
            for name in BASES:
                yield _reading(row, name, f"GB-{tariff['area']}", f"/results/{position}")


SOURCE: Final = OctopusAgile()


@dataclass(frozen=True, slots=True)
class _Product:
    """A product of the supplier's list."""

    code: str
    since: datetime


def _on_offer(transport: Transport, request: FetchRequest) -> _Product:
    """The Agile product that is sold now; where there are two, the newer."""
    found: list[_Product] = []
    for document in _pages(transport, request, f"{_base(request)}/?is_business=false"):
        for position, row in enumerate(required(exact_json(document.body), "results", document.url)):
            path = f"/results/{position}"
            code, direction, until = (required(row, name, path) for name in ("code", "direction", "available_to"))
            if _PRODUCT.fullmatch(str(code)) and direction == "IMPORT" and until is None:
                found.append(_Product(code, _moment(required(row, "available_from", path), path)))
    if not found:
        raise ShapeChanged(f"no product such as AGILE-24-10-01 is on offer at {_base(request)}", path="/results")
    return max(found, key=lambda product: product.since)


def _base(request: FetchRequest) -> str:
    """The address of the list of products, without its last slash."""
    return f"{request.url.partition('/products')[0]}/products"


def _areas_between(
    transport: Transport, request: FetchRequest, product: str, begin: datetime, end: datetime
) -> Iterator[Document]:
    window = {
        "period_from": f"{begin:%Y-%m-%dT%H:00Z}",
        "period_to": f"{end:%Y-%m-%dT%H:00Z}",
        "page_size": str(MOST_ROWS),
    }
    for area in AREAS:
        tariff = f"{_base(request)}/{product}/electricity-tariffs/E-1R-{product}-{area}/standard-unit-rates/"
        yield from _pages(transport, request, f"{tariff}?{urlencode(window)}")


def _pages(transport: Transport, request: FetchRequest, url: str) -> Iterator[Document]:
    """Every page of an answer; only the query of a link is followed, so that a mirror is never left."""
    address, seen = url.partition("?")[0], set[str]()
    while url not in seen:
        if len(seen) == MAX_PAGES:
            raise FetchFailed(f"{address}: over {MAX_PAGES} pages")
        seen.add(url)
        document = Document.of(OctopusAgile.info.id, transport.get(url, max_bytes=MAX_BYTES), request.now)
        yield document
        link = required(exact_json(document.body), "next", address)
        if link is None:
            return
        url = f"{address}?{urlsplit(str(link)).query}"
    raise FetchFailed(f"{address}: its pages lead back to one another")


def _next_month(month: datetime) -> datetime:
    return (month + timedelta(days=31)).replace(day=1)


def _reading(row: Mapping[str, Any], name: str, area: str, locator: str) -> Reading:
    place, text = f"{locator}/{name}", json.dumps(row, default=str)[:500]
    pence, begins, ends = (required(row, key, locator) for key in (name, "valid_from", "valid_to"))
    paying = row.get("payment_method")
    if paying not in PAYING:
        return Rejected(f"paid by {str(paying)[:40]!r}; DIRECT_DEBIT or NON_DIRECT_DEBIT was expected", place, text)
    if PAYING[paying]:
        return Skipped(PAYING[paying], place)
    if pence is None:
        return Skipped("no_price", place)
    began = _moment(begins, locator)
    length = None if ends is None else _moment(ends, locator) - began
    if not isinstance(pence, Decimal) or length not in (None, HALF_HOUR):
        return Rejected(f"{str(pence)[:40]} pence for {length}; a number for half an hour was expected", place, text)
    return Observation(
        series=ElectricitySeries(
            source=OctopusAgile.info.id,
            area=area,
            sector="residential",
            basis=BASES[name],
            resolution="" if length is None else "PT30M",
        ),
        amount=pence * POUNDS,
        currency="GBP",
        unit=Unit.KWH,
        valid_from=began,
        published_amount=str(pence),
        published_unit=f"pence per kWh ({name})",
        locator=place,
    )


def _moment(text: Any, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as fault:
        raise ShapeChanged(f"{str(text)[:40]!r} is not a moment such as 2026-11-01T00:30:00Z", path=path) from fault
    if moment.tzinfo is None:
        raise ShapeChanged(f"{text} has no time zone", path=path)
    return moment.astimezone(UTC)
