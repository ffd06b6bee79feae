"""What really happened: three years of one run, from recorded documents, each move with its cause."""

import csv
import shutil
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks.aws_shaped import PREAMBLE, head, offer_row
from pricing_sources.registry import source_by_id
from pricing_sources.source import Document
from service.domain.as_of import AsOf
from service.domain.scenario import EngineeringPart, PriceInput, Scenario, TrainingPart
from service.store.store import Store
from service.usecases.comparisons import bridge_estimates
from service.usecases.cost_history import Period, cost_history
from service.usecases.estimates import new_estimate
from service.usecases.refresh import import_document
from tests.conftest import TickingClock, day, recorded_folder

P5 = "aws_ec2_offers/p5.48xlarge/us-east-1/on_demand"
RUN = Scenario(
    name="Eight H100s for a quarter of a year, in euros",
    currency="EUR",
    training=TrainingPart(gpus=Decimal(8), hours=Decimal(2190), gpu_price=PriceInput(series=P5)),
    engineering=EngineeringPart(
        engineers=Decimal(2),
        years=Decimal("0.25"),
        average_annual_salary=PriceInput(series="bls_oews/15-1252/US/mean"),
    ),
)
OWN = Scenario(
    name="The same on our own machines, the electricity of it",
    training=TrainingPart(
        gpus=Decimal(8),
        hours=Decimal(2190),
        power_per_gpu_kw=Decimal("0.7"),
        electricity_price=PriceInput(series="eia_861m/US/industrial/retail_average"),
    ),
)


def price_lists(recorded: Path) -> dict[datetime, bytes]:
    """Every dated version of Amazon's recorded prices, in the shape of the feed, by publication."""
    versions: dict[datetime, list[bytes]] = defaultdict(list)
    with (recorded / "gpu/karpenter_aws/on_demand_gpu_history.csv").open() as rows:
        for number, row in enumerate(csv.DictReader(rows)):
            cells = {"Instance Type": row["instance_type"], "PricePerUnit": row["usd_per_instance_hour"]}
            versions[datetime.fromisoformat(row["generated_at"])].append(offer_row(number, cells))
    published = PREAMBLE.partition('"Publication Date","')[2].partition('"')[0]
    return {
        moment: head().replace(published.encode(), f"{moment:%Y-%m-%dT%H:%M:%SZ}".encode()) + b"".join(rows)
        for moment, rows in sorted(versions.items())
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Store]:
    """A service that has read Amazon's list since 2023, and everything else this summer."""
    recorded, clock = recorded_folder(), TickingClock(day("2023-09-01"))
    database = shutil.copy(migrated_file, tmp_path_factory.mktemp("real") / "costplan.db")
    store = Store.open(f"sqlite:///{database}", clock)
    for moment, body in price_lists(recorded).items():
        clock.set(moment)
        document = Document(source_id="aws_ec2_offers", url="file:list.csv", body=body, fetched_at=clock())
        assert import_document(store, source_by_id("aws_ec2_offers"), document, now=clock()).status == "sealed"
    clock.set(day("2026-07-25"))
    for source, name in (
        ("ecb", "other/ecb/eurofxref-hist.zip"),
        ("eia_861m", "other/eia-861m/sales_revenue.xlsx"),
        ("bls_oews", "other/bls/oews_v1_2026-07-22_abridged.json"),
    ):
        body = (recorded / name).read_bytes()
        document = Document(source_id=source, url=f"file:{name}", body=body, fetched_at=clock())
        assert import_document(store, source_by_id(source), document, now=clock()).status == "sealed"
    yield store
    store.close()


def causes(store: Store, before: str, after: str, scenario: Scenario = RUN) -> dict[str, Decimal]:
    now = day("2026-08-01")
    first, last = (new_estimate(store, scenario, AsOf(day(when), now), now=now) for when in (before, after))
    found = bridge_estimates(store, first.estimate_id, last.estimate_id).bridge
    assert found.before + sum(one.amount for one in found.effects) == found.after
    return {one.cause: one.amount for one in found.effects}


def test_the_cut_of_june_2025_the_currency_and_the_wages_each_show_as_what_they_are(world: Store) -> None:
    period = Period(start=day("2023-10-01"), end=day("2026-06-30"), step="day")
    found = cost_history(world, RUN, period, "known_now", day("2026-08-01"))

    told = [(one.kind, f"{one.at:%Y-%m}", one.series, one.amount_before, one.amount_after) for one in found.events]
    assert ("price_change", "2025-06", P5, Decimal("12.29"), Decimal("6.88")) in told
    assert {one.total is None for one in found.points} == {False}
    wages_known = [not one.lower_bound for one in found.points]
    assert wages_known == sorted(wages_known), "the wages of May 2025 begin to hold once, and no wage is known before"
    assert len({one.total for one in found.points}) > 500, "the dollar moves every working day"

    assert set(causes(world, "2024-01-15", "2025-04-15")) == {"fx"}
    cut = causes(world, "2025-06-20", "2025-06-27")
    assert set(cut) == {"offer_price", "fx"}
    assert cut["offer_price"] < -20 * abs(cut["fx"])
    assert set(causes(world, "2025-04-15", "2026-04-10")) == {"offer_price", "fx", "newly_priced"}


def test_electricity_moves_with_the_months_of_the_statistic(world: Store) -> None:
    period = Period(start=day("2023-10-01"), end=day("2025-05-01"), step="change")
    found = cost_history(world, OWN, period, "known_now", day("2026-08-01"))
    assert [f"{one.at:%Y-%m}" for one in found.points] == [
        *(f"2023-{month}" for month in range(10, 13)),
        *(f"2024-{month:02}" for month in range(1, 13)),
        *(f"2025-{month:02}" for month in range(1, 5)),
    ]
    assert set(causes(world, "2023-10-15", "2025-04-15", OWN)) == {"electricity"}


def test_what_we_would_have_said_then_knew_no_price_before_its_list_was_read(world: Store) -> None:
    period = Period(start=day("2025-06-01"), end=day("2025-07-01"), step="day")
    rented = Scenario(name="dollars", training=RUN.training)
    then = cost_history(world, rented, period, "known_then", day("2026-08-01"))
    assert [one.at for one in then.events] == [
        day("2025-06-23").replace(hour=13, minute=18, second=30, microsecond=then.events[0].at.microsecond)
    ]
