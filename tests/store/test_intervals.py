"""A market's price ends with its interval; nobody carries Tuesday's noon into Wednesday."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pricing_sources.observation import ElectricitySeries, Kind, Observation, Reading
from pricing_sources.source import Document
from pricing_sources.units import Unit
from service.errors import NoData
from service.store.prices import PriceFilter
from service.store.store import Store
from service.usecases.prices import as_of, get_price, search_prices
from service.usecases.refresh import import_document
from tests.conftest import TickingClock, day
from tests.store.conftest import LineFeed

KEY = "nimbus/DE-LU/all/wholesale_day_ahead/PT15M"


class Market(LineFeed):
    """`amount` a line: a quarter of an hour each from midnight on."""

    def __init__(self) -> None:
        super().__init__()
        band = {Unit.MWH: (Decimal(-500), Decimal(5000))}
        self.info = replace(self.info, kinds=(Kind.ELECTRICITY,), plausible=band)

    def parse(self, document: Document) -> Iterator[Reading]:
        for number, amount in enumerate(document.body.decode().split()):
            yield Observation(
                series=ElectricitySeries(
                    source="nimbus", area="DE-LU", sector="all", basis="wholesale_day_ahead", resolution="PT15M"
                ),
                amount=Decimal(amount),
                currency="EUR",
                unit=Unit.MWH,
                valid_from=day("2026-03-01") + number * timedelta(minutes=15),
                published_amount=amount,
                published_unit="EUR/MWh",
                locator=f"word {number}",
            )


@pytest.fixture
def learned(store: Store, clock: TickingClock) -> Store:
    clock.set(day("2026-03-01"))
    document = Document(source_id="nimbus", url="file:x", body=b"80 0.5 -20 900", fetched_at=day("2026-03-01"))
    refresh = import_document(store, Market(), document, now=day("2026-03-01"))
    assert (refresh.added, refresh.rejected) == (4, 0)
    return store


@pytest.mark.parametrize(("moment", "amount"), [("00:00", "80"), ("00:14", "80"), ("00:15", "0.5"), ("00:59", "900")])
def test_a_market_price_holds_for_its_interval(learned: Store, moment: str, amount: str) -> None:
    assert get_price(learned, as_of(day("2026-03-02"), day(f"2026-03-01T{moment}")), KEY).amount == Decimal(amount)


def test_after_the_last_interval_there_is_no_price(learned: Store) -> None:
    question = as_of(day("2026-03-02"), day("2026-03-01T01:00"))
    with pytest.raises(NoData, match="the interval before it began at 2026-03-01T00:45"):
        get_price(learned, question, KEY)
    page = search_prices(learned, question, PriceFilter(limit=1))
    assert (page.prices, page.next_after) == ((), None)
    assert len(search_prices(learned, as_of(day("2026-03-02"), day("2026-03-01")), PriceFilter()).prices) == 1


def test_a_market_may_swing_from_cents_to_hundreds_and_below_zero(store: Store, clock: TickingClock) -> None:
    for on, body in (("2026-03-01", b"80 0.5"), ("2026-03-02", b"-20 900")):
        clock.set(day(on))
        document = Document(source_id="nimbus", url="file:x", body=body, fetched_at=day(on))
        assert import_document(store, Market(), document, now=day(on)).rejected == 0


def test_an_interval_nobody_could_look_up_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one of PT5M, PT15M, PT30M, PT1H, not 'quarter'"):
        ElectricitySeries(source="n", area="DE", sector="all", basis="wholesale", resolution="quarter")
