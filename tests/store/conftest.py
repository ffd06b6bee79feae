"""A pretend feed whose document is one price a line, and short ways to let the store learn from it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

import pytest

from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import (
    GpuSeries,
    Kind,
    Observation,
    PricingCategory,
    Reading,
    Rejected,
    Skipped,
    Status,
)
from pricing_sources.source import Cadence, Document, FetchRequest, NotModified, SourceInfo
from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.canonical import canonical_bytes
from service.domain.estimate import Estimate
from service.domain.refreshes import Refresh
from service.domain.scenario import Scenario
from service.estimating.band import band
from service.estimating.uncertainty import Evidence
from service.store import bands
from service.store.plan_tables import plan
from service.store.store import Store
from service.usecases.refresh import import_document
from tests.conftest import day


class LineFeed:
    """`sku amount [YYYY-MM-DD]` a line; `sku -` is skipped, `sku ?` rejected; no date means: as seen."""

    def __init__(self, source_id: str = "nimbus", provider: str = "", **more: object) -> None:
        self.provider = provider or source_id
        self.info = SourceInfo(
            id=source_id,
            title="Nimbus price list",
            publisher="Nimbus",
            kinds=(Kind.GPU,),
            homepage="https://nimbus.example/docs",
            url="https://nimbus.example/prices",
            licence="CC0-1.0",
            attribution="Prices by Nimbus",
            cadence=Cadence(cron="0 6 * * *"),
            plausible={Unit.GPU_HOUR: (Decimal("0.01"), Decimal(1000))},
            **more,
        )
        self.answer = b""

    def fetch(self, transport: object, request: FetchRequest) -> Iterator[Document | NotModified]:
        yield Document(source_id=self.info.id, url=request.url, body=self.answer, fetched_at=request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        for number, line in enumerate(document.body.decode().splitlines(), start=1):
            sku, amount, *date = line.split()
            if sku == "broken":
                raise ShapeChanged("not a price line", path=f"line {number}")
            if amount in "-?":
                yield Skipped("blank", f"line {number}") if amount == "-" else Rejected("odd", f"line {number}", line)
                continue
            yield Observation(
                series=gpu(sku, self.info.id, self.provider),
                amount=Decimal(amount),
                currency="USD",
                unit=Unit.GPU_HOUR,
                valid_from=day(date[0]) if date else document.fetched_at,
                dated=bool(date),
                status=Status.FINAL,
                published_amount=amount,
                published_unit="per hour",
                locator=f"line {number}",
            )


class PagedFeed(LineFeed):
    """A price list of several pages; a page without text is confirmed as unmodified."""

    def fetch(self, transport: object, request: FetchRequest) -> Iterator[Document | NotModified]:
        for number, page in enumerate(self.pages):
            url = f"{request.url}/{number}"
            if page:
                yield Document(source_id=self.info.id, url=url, body=page.encode(), fetched_at=request.now)
            else:
                yield NotModified(url)


def gpu(sku: str, source: str = "nimbus", provider: str = "") -> GpuSeries:
    return GpuSeries(
        source=source,
        provider=provider or source,
        sku=sku,
        region="global",
        purchase="on_demand",
        pricing_category=PricingCategory.STANDARD,
        accelerator=sku,
        gpu_count=Decimal(1),
    )


@pytest.fixture
def feed() -> LineFeed:
    return LineFeed()


Learn = Callable[..., Refresh]


@pytest.fixture
def learn(store: Store, feed: LineFeed, clock) -> Learn:
    """`learn("h100 2.50 2026-03-01", on="2026-03-02")`: import a document, sealed on that day."""

    def _learn(*lines: str, on: str, fetched: str | None = None) -> Refresh:
        clock.set(day(on))
        document = Document(
            source_id=feed.info.id,
            url="file:prices.txt",
            body="\n".join(lines).encode(),
            fetched_at=day(fetched or on),
        )
        return import_document(store, feed, document, now=clock())

    return _learn


@pytest.fixture
def seeded_log(store: Store, learn: Learn) -> datetime:
    """A log with one of everything the append-only tables hold."""
    learn("h100 2.50", "a100 ?", on="2026-03-01")
    moment = day("2026-03-01")
    answer = Estimate(
        scenario=Scenario(name="x"),
        as_of=AsOf(moment, moment),
        currency="USD",
        total=Decimal(0),
        lower_bound=False,
        parts=(),
        line_items=(),
        unpriced=(),
        prices=(),
        fx_rates=(),
        formulas=(),
        assumptions=(),
    )
    assert canonical_bytes(answer)
    store.write(lambda c: bands.add_with_estimate(c, answer, band(answer, Evidence(), 0, 0), moment))
    kept = {"plan_id": "0" * 64, "name": "x", "created_at": moment, "valid_at": moment, "known_at": moment}
    kept |= {"currency": "USD", "cost": Decimal(0), "series": "x", "body": b"{}"}
    store.write(lambda c: c.execute(plan.insert().values(kept)))
    return moment
