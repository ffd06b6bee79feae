"""What planning without pause does to everybody else: a price asked over HTTP, alone, beside plans, and among them."""

import multiprocessing
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

import httpx2
import uvicorn

from pricing_sources.observation import GpuSeries, Kind, Observation, PricingCategory, Reading
from pricing_sources.source import Cadence, Document, SourceInfo
from pricing_sources.units import Unit
from service.app import create_app
from service.clock import now
from service.settings import Settings
from service.store import migrating
from service.store.store import Store
from service.usecases.planners import PlanningProcess, planning_here
from service.usecases.refresh import import_document

OFFERS: Final = 20_000
SECONDS: Final = 6
GOAL: Final = {
    "name": "bench",
    "pretraining": {"llm": "llama-2-7b", "tokens": 2e12},
    "within_hours": 720,
    "purchases": ["on_demand"],
}
Where = Literal["process", "thread"]


class Market:
    """So many offers of a dozen kinds of hardware."""

    info = SourceInfo(
        id="bench",
        title="Synthetic market",
        publisher="benchmark",
        kinds=(Kind.GPU,),
        homepage="https://example.invalid",
        url="https://example.invalid",
        licence="CC0-1.0",
        attribution="none",
        cadence=Cadence(cron="0 0 * * *"),
    )
    hardware = (
        "H100 SXM",
        "H200 SXM",
        "B200",
        "A100 SXM 80GB",
        "MI300X",
        "L40S",
        "L4",
        "T4",
        "V100 32GB",
        "A10",
        "A40",
    )

    def parse(self, document: Document) -> Iterator[Reading]:
        """One price an offer."""
        for number in range(OFFERS):
            label = self.hardware[number % len(self.hardware)]
            amount = Decimal(100 + number * 7919 % 1100) / 100
            yield Observation(
                series=GpuSeries(
                    source="bench",
                    provider=f"provider-{number % 40}",
                    sku=f"{label}-{number}",
                    region="eu-west-1",
                    purchase="on_demand",
                    pricing_category=PricingCategory.STANDARD,
                    accelerator=label,
                    gpu_count=Decimal(8),
                ),
                amount=amount,
                currency="USD",
                unit=Unit.GPU_HOUR,
                valid_from=document.fetched_at,
                published_amount=str(amount),
                published_unit="hour",
                locator=str(number),
            )


def report() -> None:
    """One server whose plans have a process of their own, one that plans in its threads; each idle and loaded."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        store = Store.open(url, now)
        migrating.upgrade(store)
        seen = now() - timedelta(minutes=1)
        document = Document(source_id="bench", url="file:bench", body=b"bench", fetched_at=seen)
        import_document(store, Market(), document, now=now())
        store.close()
        for where in ("process", "thread"):
            told(where, url)
    print()


def told(where: Where, url: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(where, url, port))
    server.start()
    base = f"http://127.0.0.1:{port}"
    try:
        _ready(base)
        httpx2.post(f"{base}/api/v1/plans", json=GOAL, timeout=60).raise_for_status()
        alone = asked(base)
        stop, made = threading.Event(), [0]
        load = threading.Thread(target=_plan_on, args=(base, stop, made))
        load.start()
        loaded = asked(base)
        stop.set()
        load.join()
    finally:
        server.terminate()
        server.join()
    print(f"plans of {OFFERS:,} offers in a {where}, {made[0] / SECONDS:.1f} a second; a price over HTTP: "
          f"alone p50 {alone[0]:.1f} p99 {alone[1]:.1f} ms, meanwhile p50 {loaded[0]:.1f} p99 {loaded[1]:.1f} ms, "
          f"ratio of the p99 {loaded[1] / alone[1]:.1f}")  # fmt: skip


def serve(where: Where, url: str, port: int) -> None:
    """A server in a process of its own."""
    store = Store.open(url, now)
    with ExitStack() as opened:
        opened.callback(store.close)
        beside = PlanningProcess(url)
        opened.callback(beside.close)
        planner = beside if where == "process" else planning_here(store)
        app = create_app(Settings({}), [], store, now, planner=planner, owned=opened.pop_all())
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


def asked(base: str) -> tuple[float, float]:
    """Median and 99th percentile of the milliseconds a page of prices takes, one after another."""
    times = []
    with httpx2.Client(base_url=base, timeout=30) as client:
        until = time.perf_counter() + SECONDS
        while time.perf_counter() < until:
            started = time.perf_counter()
            client.get("/api/v1/prices", params={"limit": 1, "q": "L4-6"}).raise_for_status()
            times.append((time.perf_counter() - started) * 1e3)
    cuts = statistics.quantiles(times, n=100)
    return cuts[49], cuts[98]


def _plan_on(base: str, stop: threading.Event, made: list[int]) -> None:
    while not stop.is_set():
        httpx2.post(f"{base}/api/v1/plans", json=GOAL, timeout=60).raise_for_status()
        made[0] += 1


def _ready(base: str) -> None:
    for _ in range(200):
        try:
            httpx2.get(f"{base}/livez").raise_for_status()
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(base)


if __name__ == "__main__":
    report()
