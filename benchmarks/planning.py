"""50,000 offers with 200 configurations, searched and explained, beside the same arithmetic in bare NumPy."""

import statistics
import time
import tracemalloc
from collections.abc import Callable
from math import nan
from typing import Final

import numpy as np

from service.planning.candidates import Limits, Offers, arrays_of, kinds, timing
from service.planning.configurations import Configuration, Configured
from service.planning.explanation import explained
from service.planning.front import contending, front, picks, robustness
from service.planning.search import PIECE, search

OFFERS: Final = 50_000
CONFIGURATIONS: Final = 200
LIMITS: Final = Limits(deadline_hours=720.0, budget=400_000.0)


def report() -> None:
    """All pairs on one kind of hardware, the worst there is; then on twenty, as a market is."""
    for hardware in (1, 20):
        offers, configured = market(hardware)
        pairs = OFFERS * CONFIGURATIONS // hardware
        whole = median(lambda: plan(offers, configured))  # noqa: B023  called before it changes
        searched = median(lambda: search(offers, configured, LIMITS))  # noqa: B023
        floor = median(lambda: bare(offers, configured))  # noqa: B023
        tracemalloc.start()
        plan(offers, configured)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        print(f"plan: {OFFERS:,} offers, {CONFIGURATIONS} configurations, {hardware} accelerators, {pairs:,} pairs: "
              f"search {searched * 1e3:,.0f} ms  floor (the costs and their least, in pieces) {floor * 1e3:,.0f} ms  "
              f"ratio {floor / searched:.2f}; with front, picks, robustness and explanation {whole * 1e3:,.0f} ms, "
              f"peak {peak:,.0f} MiB")  # fmt: skip
    print()


def plan(offers: Offers, configured: Configured) -> object:
    """Everything that is done for a goal once the market is known."""
    found = search(offers, configured, LIMITS)
    best = found.best()
    assert best is not None
    return (
        front(found),
        picks(found, best),
        explained(found, best),
        robustness(contending(found, best), {}, LIMITS.deadline_hours),
    )


def bare(offers: Offers, configured: Configured) -> float:
    """Price × GPU-hours + what is paid once, expected and at the upper end, and the least of what is within budget."""
    ways, least = arrays_of(configured.configurations), np.inf
    for kind, rows in kinds(offers):
        of = timing(configured.shape, kind, ways[kind.accelerator], LIMITS)
        step = PIECE // len(of.rows)
        for start in range(0, len(rows), step):
            piece = rows[start : start + step]
            costs = offers.prices[piece, None] * of.gpu_hours + offers.fixed[piece, None]
            high = offers.prices[piece, None] * of.gpu_hours_high + offers.fixed[piece, None]
            costs[high > LIMITS.budget] = np.inf
            least = min(least, costs.min())
    return float(least)


def market(hardware: int) -> tuple[Offers, Configured]:
    """Offers of eight sizes of machine, some taken away now and then, and the same number of configurations each."""
    random = np.random.default_rng(1)
    each = CONFIGURATIONS // hardware
    configurations = tuple(
        Configuration(
            accelerator=f"part-{part:02}",
            gpus=8 * (way + 1),
            together=8,
            hours=20_000 / (8 * (way + 1)) ** 0.9,
            spread=0.38,
            precision="bf16",
        )
        for part in range(hardware)
        for way in range(each)
    )
    parts = random.integers(0, hardware, OFFERS)
    offers = Offers(
        keys=tuple(f"bench/{number:06}" for number in range(OFFERS)),
        providers=tuple(f"provider-{number % 40}" for number in range(OFFERS)),
        regions=("r",) * OFFERS,
        purchases=("on_demand",) * OFFERS,
        currencies=("USD",) * OFFERS,
        accelerators=tuple(f"part-{part:02}" for part in parts),
        gpus=random.choice([1.0, 4.0, 8.0, 8.0, 8.0, 16.0], OFFERS),
        prices=random.uniform(1, 12, OFFERS),
        fixed=random.choice([0.0, 500.0], OFFERS),
        hazards=random.choice([0.0, 0.0, 0.001, 0.005], OFFERS),
        bound_hours=np.zeros(OFFERS),
        slot_hours=np.zeros(OFFERS),
        grid=np.full(OFFERS, nan),
        most_gpus=np.full(OFFERS, 16_384.0),
        reasons=np.full(OFFERS, -1, np.int8),
        counts=np.zeros(OFFERS, np.int8),
    )
    return offers, Configured("gang", configurations, {})


def median(work: Callable[[], object]) -> float:
    """Median seconds of wall time over seven runs."""
    times = []
    for _ in range(7):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


if __name__ == "__main__":
    report()
