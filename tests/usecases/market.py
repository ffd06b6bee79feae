"""A pretend market: a price a line, and short ways to let the store learn it."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from pricing_sources.observation import (
    FxSeries,
    GpuSeries,
    Kind,
    Observation,
    PricingCategory,
    Reading,
    RecordSeries,
    Status,
)
from pricing_sources.source import Cadence, Document, FetchRequest, SourceInfo
from pricing_sources.units import Unit
from service.domain.refreshes import Refresh
from service.store.store import Store
from service.usecases.refresh import import_document, refresh
from tests.conftest import day


class MarketFeed:
    """`provider sku region purchase accelerator gpus amount currency [statistic]`, or `fx EUR USD 1.25`,
    or `interrupted aws_p5_us-east-1 low 0.05`."""

    def __init__(self, answer: bytes = b"", *, snapshot: bool = False) -> None:
        self.info, self.answer = replace(self.info, snapshot=snapshot), answer

    info = SourceInfo(
        id="market",
        title="A pretend market",
        publisher="Nimbus",
        kinds=(Kind.GPU, Kind.FX, Kind.RECORD),
        homepage="https://nimbus.example/docs",
        url="https://nimbus.example/prices",
        licence="CC0-1.0",
        attribution="Prices by Nimbus",
        cadence=Cadence(cron="0 6 * * *"),
    )

    def fetch(self, transport: object, request: FetchRequest) -> Iterator[Document]:
        yield Document(source_id="market", url=request.url, body=self.answer, fetched_at=request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        for number, line in enumerate(document.body.decode().splitlines(), start=1):
            series, amount, currency, unit = meaning(line.split())
            yield Observation(
                series=series,
                amount=Decimal(amount),
                currency=currency,
                unit=unit,
                valid_from=document.fetched_at,
                dated=False,
                status=Status.FINAL,
                published_amount=amount,
                published_unit="as typed",
                locator=f"line {number}",
            )


def meaning(words: list[str]) -> tuple[object, str, str | None, Unit]:
    if words[0] == "fx":
        series = FxSeries(source="market", base_currency=words[1], quote_currency=words[2])
        return series, words[3], words[2], Unit.EURO
    if words[0] == "interrupted":
        return (
            RecordSeries(source="market", topic="interruption", name=words[1], variant=words[2]),
            words[3],
            None,
            Unit.RATIO,
        )
    provider, sku, region, purchase, accelerator, gpus, amount, currency, *statistic = words
    series = GpuSeries(
        source="market",
        provider=provider,
        sku=sku,
        region=region,
        purchase=purchase,
        pricing_category=PricingCategory.STANDARD,
        statistic="".join(statistic),
        accelerator=accelerator.replace("_", " "),
        gpu_count=None if gpus == "-" else Decimal(gpus),
        resold=True,
    )
    return series, amount, currency, Unit.INSTANCE_HOUR if gpus == "-" else Unit.GPU_HOUR


MARKET = """\
fx EUR USD 1.25
nimbus n8 eu-west-1 on_demand H100_SXM 8 2.00 USD
aws p5 eu-west-1 on_demand H100_SXM 8 4.00 USD
aws p5 eu-west-2 on_demand H100_SXM 8 3.10 USD
aws p5 us-east-1 on_demand H100_SXM 8 3.00 USD
aws p5 us-east-1 spot H100_SXM 8 1.20 USD
aws p5 us-east-1 reserved_1y H100_SXM 8 1.00 USD
cloud c8 eu-1 on_demand A100_SXM_80GB 8 1.20 EUR
cloud c8 eu-1 spot A100_SXM_80GB 8 0.30 EUR
hosts h1 FI on_demand H100_SXM 8 1.10 USD median
hosts h1 FI on_demand H100_SXM 8 0.10 USD min
odd x eu-1 on_demand H100_SXM - 9.00 USD
odd y eu-1 on_demand Mystery 8 0.01 USD
"""


def learn_market(store: Store, clock, text: str = MARKET, on: str = "2026-03-01") -> Refresh:
    clock.set(day(on))
    document = Document(source_id="market", url="file:market.txt", body=text.encode(), fetched_at=day(on))
    return import_document(store, MarketFeed(), document, now=clock())


def look_at_market(store: Store, clock, text: str, on: str) -> Refresh:
    """A look at all that is on offer: what it does not list, again and again, is gone."""
    clock.set(day(on))
    return refresh(store, MarketFeed(text.encode(), snapshot=True), None, now=clock(), trigger="manual")
