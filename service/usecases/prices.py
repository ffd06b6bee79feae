"""Look prices up: now, then, and as they were known then."""

from dataclasses import dataclass
from datetime import datetime

from pricing_sources.source import Document
from service.domain.as_of import AsOf
from service.domain.price_book import Price, Unpriced
from service.domain.refreshes import SeriesPoint
from service.errors import Invalid, NoData, NotFound
from service.store import documents, prices
from service.store.prices import PriceFilter
from service.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePage:
    """Prices in force, and the two clocks they answer for."""

    as_of: AsOf
    prices: tuple[Price, ...]
    next_after: str | None
    """Pass as `after` to get the next page; None on the last."""


def as_of(now: datetime, valid_at: datetime | None = None, known_at: datetime | None = None) -> AsOf:
    """The question's two clocks, both now unless said. Raises Invalid for naive times and the future."""
    moments = {"valid_at": valid_at or now, "known_at": known_at or now}
    for name, moment in moments.items():
        if moment.tzinfo is None:
            raise Invalid.field(name, "must carry a UTC offset, for example 2026-03-01T00:00:00Z")
    if moments["known_at"] > now:
        raise Invalid.field("known_at", "lies in the future; nobody knows yet what will be known then")
    return AsOf(**moments)


def search_prices(store: Store, question: AsOf, wanted: PriceFilter) -> PricePage:
    """Prices in force that match, in key order."""
    found, mark = store.read(lambda c: prices.search(c, question, wanted))
    full = len(found) == wanted.limit
    return PricePage(
        as_of=AsOf(question.valid_at, mark.recorded_at),
        prices=tuple(found),
        next_after=found[-1].series if found and full else None,
    )


def get_price(store: Store, question: AsOf, series: str) -> Price:
    """One price. Raises NotFound if there is no such series, NoData if it had no price then."""
    book = store.read(lambda c: prices.price_book(c, question, [series]))
    found = book.price(series)
    if isinstance(found, Unpriced):
        raise (NotFound if "no such series" in found.reason else NoData)(f"{series}: {found.reason}")
    return found


def price_history(store: Store, series: str, known_at: datetime) -> list[SeriesPoint]:
    """Every row of a series known at that moment, oldest first. Raises NotFound."""
    return store.read(lambda c: prices.history(c, series, known_at))


def get_document(store: Store, sha256: str) -> Document:
    """The raw document a price was read from. Raises NotFound."""
    return store.read(lambda c: documents.read(c, sha256))
