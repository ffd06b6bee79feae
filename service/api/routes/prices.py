"""Prices: what they are, what they were, and as what they were known."""

from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import AfterValidator

from pricing_sources.observation import Kind
from service.api.deps import AsOfDep, NowDep, StoreDep
from service.api.shapes import History
from service.api.wire import Limit, Moment, Text, answer, door, plain_text
from service.domain.price_book import Price
from service.store.prices import PriceFilter
from service.usecases.prices import PricePage, as_of, get_price, price_history, search_prices
from service.usecases.sources import terms_of

router = door("prices")
SeriesKey = Annotated[
    str, Path(max_length=300, description="Key of a series, slashes included."), AfterValidator(plain_text)
]


@router.get("/prices", response_model=PricePage, summary="Search prices")
def search(
    store: StoreDep,
    question: AsOfDep,
    kind: Annotated[Kind | None, Query(description="Only this family of series.")] = None,
    source: Text = "",
    q: Text = "",
    after: Text = "",
    limit: Limit = 100,
) -> Response:
    """Prices in force that match, in key order; `next_after` leads to the next page."""
    wanted = PriceFilter(kind=kind, source=source, text=q, after=after, limit=limit)
    return answer(search_prices(store, question, wanted))


@router.get("/prices/{series:path}", response_model=Price, summary="Get one price")
def one(store: StoreDep, question: AsOfDep, series: SeriesKey) -> Response:
    """The price of a series in force at `valid_at`, using only what was known at `known_at`."""
    return answer(get_price(store, question, series))


@router.get("/price-history/{series:path}", response_model=History, summary="Get the history of one series")
def history(
    store: StoreDep,
    now: NowDep,
    series: SeriesKey,
    known_at: Annotated[Moment | None, Query(description="Only what was known then; now unless given.")] = None,
) -> Response:
    """Every row of a series: prices, corrections, retractions and absences, oldest first."""
    known = as_of(now, known_at=known_at).known_at
    points = price_history(store, series, known)
    return answer(History(series=series, known_at=known, points=tuple(points), terms=terms_of(store, [series])))
