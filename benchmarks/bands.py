"""A band of 4096 draws over a hundred lines, beside the bare multiplications it cannot do without."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from service.domain.as_of import AsOf
from service.domain.band import DEFAULT_DRAWS, PricePath
from service.domain.estimate import Estimate
from service.domain.price_book import PriceBook
from service.domain.scenario import PriceInput, Scenario, Spread, TrainingPart
from service.estimating.band import band, taken_apart
from service.estimating.draws import uniforms
from service.estimating.estimate import estimate
from service.estimating.uncertainty import Evidence, uncertainty

LINES: Final = 100
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


def report() -> None:
    """The simulation and the whole band with its tornado, each beside its floor."""
    priced, evidence = hundred_lines()
    taken = taken_apart(priced, evidence)
    uncertain = uncertainty(priced, taken, evidence).uncertain
    drawn = {one.input.name: one.at(uniforms(0, one.input.stream, DEFAULT_DRAWS)) for one in uncertain}
    arrays = [np.random.default_rng(line).random((3, DEFAULT_DRAWS)) for line in range(LINES)]

    floor = median(lambda: sum(one[0] * one[1] * one[2] for one in arrays))
    costs = median(lambda: taken.costs(drawn))
    draws = median(lambda: [one.at(uniforms(0, one.input.stream, DEFAULT_DRAWS)) for one in uncertain])
    whole = median(lambda: band(priced, evidence, 0, DEFAULT_DRAWS))
    print(f"band: {LINES} lines, {len(uncertain)} uncertain inputs, {DEFAULT_DRAWS} draws: costs {costs * 1e6:,.0f} us"
          f"  floor (per line two products and a sum) {floor * 1e6:,.0f} us  ratio {floor / costs:.2f}")  # fmt: skip
    print(f"band: the draws themselves {draws * 1e3:,.1f} ms; everything, with tornado and shares of variance, "
          f"{whole * 1e3:,.1f} ms\n")  # fmt: skip


def hundred_lines() -> tuple[Estimate, Evidence]:
    """One line repeated at a hundred prices, each with a past of its own."""
    run = TrainingPart(gpus=Decimal(8), hours=Decimal(100), gpu_price=PriceInput(amount=Decimal("2.5")))
    spreads = tuple(
        Spread(input=name, distribution="lognormal", relative_sd=Decimal("0.2"))
        for name in ("training.gpus", "training.hours")
    )
    scenario = Scenario(name="bench", training=run, spreads=spreads)
    priced = estimate(scenario, PriceBook(AsOf(NOW, NOW)))
    series = [f"bench/gpu-{number}" for number in range(LINES)]
    lines = tuple(replace(priced.line_items[0], price_series=one) for one in series)
    moments = tuple(NOW - timedelta(days=7 * step) for step in reversed(range(60)))
    amounts = tuple(Decimal(240 + step * step % 23) / 100 for step in range(60))
    return replace(priced, line_items=lines), Evidence({one: PricePath(one, moments, amounts) for one in series})


def median(work: Callable[[], object]) -> float:
    """Median seconds of wall time over twenty runs."""
    times = []
    for _ in range(20):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


if __name__ == "__main__":
    report()
