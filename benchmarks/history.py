"""Cost over time beside its floors: three years of daily points, and the bridge between two estimates."""

import random
import statistics
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from pricing_sources.observation import GpuSeries, Kind, Observation, PricingCategory, Reading
from pricing_sources.source import Cadence, Document, SourceInfo
from pricing_sources.units import Unit
from service.clock import now
from service.domain.as_of import AsOf
from service.domain.scenario import EngineeringPart, FineTuningPart, PriceInput, Scenario, TrainingPart
from service.store import log
from service.store.log import Attempt
from service.store.store import Store
from service.store.tables import gpu_observation, gpu_series
from service.usecases.comparisons import bridge_estimates
from service.usecases.cost_history import Period, cost_history
from service.usecases.estimates import get_estimate, new_estimate, price_scenario

START, DAYS, TIMES = datetime(2023, 9, 1, tzinfo=UTC), 3 * 365, 7
INFO = SourceInfo(
    id="daily",
    title="Synthetic prices that move every day",
    publisher="benchmark",
    kinds=(Kind.GPU,),
    homepage="https://example.invalid",
    url="https://example.invalid",
    licence="CC0-1.0",
    attribution="none",
    cadence=Cadence(cron="0 0 * * *"),
)


def history(store: Store, engine: str) -> None:
    """Print the figures of one engine."""
    document = Document(source_id="daily", url="file:daily", body=b"x", fetched_at=START)
    attempt = Attempt(info=INFO, trigger="manual", scope="import", started_at=START, documents=(document,))
    store.write(lambda c: log.seal(c, attempt, lambda _: _readings(), now()))
    period = Period(start=START, end=START + timedelta(days=DAYS))
    passed = _median(lambda: cost_history(store, _scenario(), period, "known_now", now()))
    bare = _median(lambda: _bare(store))
    single = _median(lambda: price_scenario(store, _scenario(), AsOf(START + timedelta(days=500), now())))
    print(f"{engine}: cost history, {DAYS:,} days      {passed * 1e3:10,.1f} ms      floor {bare * 1e3:10,.1f} ms   "
          f"ratio {passed / bare:.1f}; {DAYS * single / passed:.0f} times faster than {DAYS:,} estimates")  # fmt: skip
    ids = [
        new_estimate(store, _scenario(), AsOf(START + timedelta(days=day), now()), now=now()).estimate_id
        for day in (100, 900)
    ]
    explained = _median(lambda: bridge_estimates(store, *ids))
    read = _median(lambda: [get_estimate(store, one) for one in ids])
    print(f"{engine}: bridge of two estimates       {explained * 1e3:10,.2f} ms      "
          f"reading them {read * 1e3:,.2f} ms   ratio {explained / read:.1f}")  # fmt: skip


def _scenario() -> Scenario:
    def price(name: str) -> PriceInput:
        return PriceInput(series=f"daily/{name}/global/on_demand")

    return Scenario(
        name="daily",
        training=TrainingPart(gpus=Decimal(64), hours=Decimal("700.5"), gpu_price=price("h100")),
        fine_tuning=FineTuningPart(gpus=Decimal(8), hours=Decimal(40), gpu_price=price("a100")),
        engineering=EngineeringPart(
            engineers=Decimal(3), years=Decimal("0.5"), average_annual_salary=PriceInput(amount=Decimal(150_000))
        ),
    )


def _readings() -> Iterator[Reading]:
    dice = random.Random(3)
    for day in range(DAYS):
        for name in ("h100", "a100"):
            amount = Decimal(dice.randrange(200, 400)) / 100
            yield Observation(
                series=GpuSeries(
                    source="daily",
                    provider="daily",
                    sku=name,
                    region="global",
                    purchase="on_demand",
                    pricing_category=PricingCategory.STANDARD,
                ),
                amount=amount,
                currency="USD",
                unit=Unit.GPU_HOUR,
                valid_from=START + timedelta(days=day),
                published_amount=str(amount),
                published_unit="hour",
                locator="1",
            )


def _bare(store: Store) -> list[Decimal]:
    """The floor: the same prices in one statement, and each day's total in plain decimals."""
    query = (
        select(gpu_series.c.sku, gpu_observation.c.valid_from, gpu_observation.c.amount)
        .join(gpu_series, gpu_series.c.series_id == gpu_observation.c.series_id)
        .where(gpu_series.c.source_id == "daily")
        .order_by(gpu_series.c.sku, gpu_observation.c.valid_from)
    )
    rows = store.read(lambda c: c.execute(query).all())
    found = {name: [(row.valid_from, row.amount) for row in rows if row.sku == name] for name in ("h100", "a100")}
    times = {name: [moment for moment, _ in steps] for name, steps in found.items()}
    weights = {"h100": Decimal(44832), "a100": Decimal(320)}
    totals = []
    for day in range(DAYS):
        moment = START + timedelta(days=day)
        costs = [found[name][bisect_right(times[name], moment) - 1][1] * weight for name, weight in weights.items()]
        totals.append(sum(costs, Decimal(225_000)))
    return totals


def _median(work: Callable[[], object]) -> float:
    """Median seconds of several runs."""
    taken = []
    for _ in range(TIMES):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
