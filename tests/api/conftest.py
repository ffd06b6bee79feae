"""A server over a store that has learned a few prices from a pretend feed."""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pricing_sources.observation import (
    ElectricitySeries,
    FxSeries,
    Kind,
    Observation,
    Reading,
    Rejected,
    SalarySeries,
    Series,
    Status,
)
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.units import Unit
from service.app import create_app
from service.domain.refreshes import Refresh
from service.settings import Settings
from service.store.store import Store
from service.usecases.quarantine import release_price, release_refresh
from service.usecases.refresh import import_document
from service.usecases.sources import Feed
from tests.conftest import TickingClock, day
from tests.store.conftest import gpu

H100 = "baseline/h100/global/on_demand"
WRITTEN = b"""h100 2.50
a100 1.10
<script>alert(1)</script> ?
US 0.0826
engineer 148100
USD 1.1684
"""


class MixedFeed:
    """`name amount` a line: a GPU, `US` electricity, an `engineer`, or the `USD` for a euro; `?` is rejected."""

    def __init__(self) -> None:
        self.info = SourceInfo(
            id="baseline",
            title="Pretend <b>baseline</b>",
            publisher="Nimbus & Sons",
            kinds=tuple(Kind),
            homepage="javascript:alert(1)",
            url="https://nimbus.example/prices",
            licence="CC0-1.0",
            attribution="Prices by Nimbus",
            cadence=Cadence(cron="0 6 * * *"),
        )

    def fetch(self, transport: object, request: FetchRequest) -> Iterator[Document]:
        yield Document(source_id=self.info.id, url=request.url, body=WRITTEN, fetched_at=request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        for number, line in enumerate(document.body.decode().splitlines(), start=1):
            name, amount = line.rsplit(" ", 1)
            if amount == "?":
                yield Rejected("not a price; a number was expected", f"line {number}", line)
                continue
            series, currency, unit = meaning(name)
            yield Observation(
                series=series,
                amount=Decimal(amount),
                currency=currency,
                unit=unit,
                valid_from=document.fetched_at,
                dated=False,
                status=Status.FINAL,
                published_amount=amount,
                published_unit="as <em>typed</em>",
                locator=f"line {number}",
            )


def meaning(name: str) -> tuple[Series, str, Unit]:
    if name == "US":
        series = ElectricitySeries(source="baseline", area="US", sector="industrial", basis="retail_average")
        return series, "USD", Unit.KWH
    if name == "engineer":
        return (
            SalarySeries(source="baseline", occupation="15-1252", area="US", statistic="mean"),
            "USD",
            Unit.PERSON_YEAR,
        )
    if name == "USD":
        return FxSeries(source="baseline", base_currency="EUR", quote_currency="USD"), "USD", Unit.EURO
    return gpu(name, "baseline"), "USD", Unit.GPU_HOUR


class Refreshing:
    """A refresher that remembers, and can be held back."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.released: Callable[[int, str], Refresh]
        self.vouched: Callable[[int, str], Refresh]
        self.may_go = True
        self.wait: Callable[[], object] = lambda: None
        self.tell: Callable[[Callable[[str], None]], object] = lambda _: None

    def read(self, source: str, what: str, progress: Callable[[str], None]) -> object:
        self.wait()
        self.tell(progress)
        self.asked.append(source)
        return what

    def release(self, source: str, quarantine_id: int, reason: str) -> Refresh:
        assert source == "baseline"
        return self.released(quarantine_id, reason)

    def release_refresh(self, source: str, refresh_id: int, reason: str) -> Refresh:
        assert source == "baseline"
        return self.vouched(refresh_id, reason)


@pytest.fixture
def refreshing() -> Refreshing:
    return Refreshing()


@pytest.fixture
def feed() -> MixedFeed:
    return MixedFeed()


@pytest.fixture
def sqlite_store(sqlite_url: str, clock: Callable[[], datetime]) -> Iterator[Store]:
    opened = Store.open(sqlite_url, clock)
    yield opened
    opened.close()


def seed(store: Store, feed: MixedFeed, clock: TickingClock, body: bytes = WRITTEN, on: str = "2026-03-01") -> None:
    clock.set(day(on))
    document = Document(
        source_id="baseline", url="file:typed.txt", body=body, fetched_at=day(on), media_type="text/html"
    )
    import_document(store, feed, document, now=clock())
    clock.set(day("2026-11-01"))


@pytest.fixture
def empty_app(sqlite_store: Store, feed: MixedFeed, clock: TickingClock, refreshing: Refreshing) -> FastAPI:
    return app_over(sqlite_store, feed, clock, refreshing)


def app_over(store: Store, feed: MixedFeed, clock: TickingClock, refreshing: Refreshing) -> FastAPI:
    settings = Settings({})
    refreshing.released = lambda row, reason: release_price(store, feed, row, reason, now=clock())
    refreshing.vouched = lambda number, reason: release_refresh(store, feed, number, reason)
    return create_app(settings, [Feed.of(feed.info, settings)], store, clock, reader=refreshing)


@pytest.fixture
def empty(empty_app: FastAPI) -> TestClient:
    """A client of a server that knows no price."""
    return TestClient(empty_app, raise_server_exceptions=False)


@pytest.fixture
def client(empty: TestClient, sqlite_store: Store, feed: MixedFeed, clock: TickingClock) -> TestClient:
    """A client of a server that knows a few prices since 2026-03-01, asked on 2026-11-01."""
    seed(sqlite_store, feed, clock)
    return empty


@pytest.fixture
def either(store: Store, feed: MixedFeed, clock: TickingClock, refreshing: Refreshing) -> TestClient:
    """The same on SQLite and on PostgreSQL."""
    seed(store, feed, clock)
    return TestClient(app_over(store, feed, clock, refreshing), raise_server_exceptions=False)
