"""A cost history says at every point what an estimate as of it says, in either reading."""

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from pricing_sources.fx.ecb import SOURCE as ECB
from pricing_sources.source import Document
from service.domain.as_of import AsOf
from service.domain.cost_history import CostHistory
from service.domain.rate_card import RateCard, RateCardEntry
from service.domain.scenario import EngineeringPart, PriceInput, Scenario, TrainingPart
from service.domain.timelines import Reading
from service.errors import Invalid, NoData, NotFound
from service.store.store import Store
from service.usecases.cost_history import Period, cost_history
from service.usecases.estimates import price_scenario
from service.usecases.rate_cards import put_rate_card
from service.usecases.refresh import import_document
from tests.conftest import day
from tests.store.conftest import Learn

H100, A100 = "nimbus/h100/global/on_demand", "nimbus/a100/global/on_demand"
RUN = Scenario(
    name="A run and its people",
    currency="EUR",
    training=TrainingPart(gpus=Decimal(8), hours=Decimal("100.5"), gpu_price=PriceInput(series=H100)),
    engineering=EngineeringPart(
        engineers=Decimal(2),
        years=Decimal("0.25"),
        average_annual_salary=PriceInput(amount=Decimal(150_000), currency="USD"),
    ),
)
RATES = """Date, USD, JPY,
2026-03-02, 1.10, 160.5,
2026-03-20, 1.12, 161,
2026-04-08, 1.05, 163,
"""


def learn_rates(store: Store, clock, on: str, rates: str = RATES) -> None:
    clock.set(day(on))
    document = Document(source_id="ecb", url="file:rates.csv", body=rates.encode(), fetched_at=day(on))
    assert import_document(store, ECB, document, now=clock()).status == "sealed"


def asked(store: Store, start: str, end: str, reading: Reading = "known_now", step: str = "day", **more) -> CostHistory:
    period = Period(start=day(start), end=day(end), step=step, zone=more.pop("zone", "UTC"))
    return cost_history(store, more.pop("scenario", RUN), period, reading, day("2026-08-01"))


def assert_said_by_estimates(store: Store, found: CostHistory, scenario: Scenario) -> None:
    """Every point is what the estimate as of it says; where that says nothing was known, the point is a gap."""
    for point in found.points:
        known = day("2026-08-01") if found.reading == "known_now" else point.at
        try:
            one = price_scenario(store, scenario, AsOf(point.at, known))
        except (NoData, NotFound):
            assert (point.total, point.lower_bound) == (None, True)
            continue
        priced = any(part.cost or not part.lower_bound for part in one.parts)
        assert (point.total, point.lower_bound) == (one.total if priced else None, one.lower_bound)
        assert point.parts == one.parts


@pytest.mark.parametrize("reading", ["known_now", "known_then"])
def test_every_point_is_what_an_estimate_as_of_it_says(store: Store, learn: Learn, clock, reading: Reading) -> None:
    learn_rates(store, clock, "2026-04-10")
    learn("h100 2.50 2026-03-01", on="2026-04-11")
    learn("h100 2.40 2026-03-15", on="2026-04-12")
    learn("h100 2.45 2026-03-15", "a100 1.1 2026-03-01", on="2026-04-20")
    learn("h100 1.90 2026-05-01", on="2026-04-21")

    found = asked(store, "2026-02-25", "2026-05-10", reading)

    assert_said_by_estimates(store, found, RUN)
    assert {one.lower_bound for one in found.points} == {True, False}


def test_every_point_of_a_random_log_is_what_an_estimate_says(store: Store, learn: Learn, clock) -> None:
    random = Random(20260301)
    learn_rates(store, clock, "2026-04-09")
    for number in range(40):
        lines = [
            f"{sku} {random.randint(100, 400) / 100} 2026-0{random.randint(3, 6)}-{random.randint(1, 28):02}"
            for sku in ("h100", "a100")
            if random.random() < 0.8
        ]
        learn(*(lines or ["a100 1 2026-03-01"]), on=str((day("2026-04-10") + timedelta(days=number)).date()))
    run = Scenario(
        name="Two",
        training=RUN.training,
        currency="JPY",
        engineering=EngineeringPart(
            engineers=Decimal(1), years=Decimal(1), average_annual_salary=PriceInput(amount=Decimal(7), currency="EUR")
        ),
    )
    for reading in ("known_now", "known_then"):
        found = asked(store, "2026-03-01", "2026-06-20", reading, scenario=run)
        assert_said_by_estimates(store, found, run)


def test_the_two_readings_differ_just_where_we_have_learned_since(store: Store, learn: Learn) -> None:
    run = Scenario(name="run", training=RUN.training)
    learn("h100 2.50 2026-03-01", on="2026-03-01")
    learn("h100 2.40 2026-03-10", on="2026-03-20")
    now = {one.at: one.total for one in asked(store, "2026-03-02", "2026-03-25", scenario=run).points}
    then = {one.at: one.total for one in asked(store, "2026-03-02", "2026-03-25", "known_then", scenario=run).points}

    differing = [moment for moment in now if now[moment] != then[moment]]
    assert differing[0] == day("2026-03-10")
    assert differing[-1] == day("2026-03-20")
    assert len(differing) == 11


def test_a_rate_card_counts_for_its_period(store: Store, learn: Learn, clock) -> None:
    learn("h100 2.50 2026-03-01", on="2026-03-01")
    clock.set(day("2026-03-05"))
    quarter_off = RateCardEntry(
        provider="nimbus", discount=Decimal("0.25"), valid_from=day("2026-03-10"), valid_until=day("2026-03-20")
    )
    put_rate_card(store, RateCard(name="ours", entries=(quarter_off,)), now=clock())
    run = Scenario(name="run", rate_card="ours", training=RUN.training)

    for reading in ("known_now", "known_then"):
        found = asked(store, "2026-03-02", "2026-03-25", reading, scenario=run)
        assert_said_by_estimates(store, found, run)
    changes = asked(store, "2026-03-02", "2026-03-25", step="change", scenario=run)
    assert [one.at for one in changes.points] == [day("2026-03-02"), day("2026-03-10"), day("2026-03-20")]
    assert [one.total for one in changes.points] == [Decimal(2010), Decimal("1507.5"), Decimal(2010)]


def test_what_happened_is_told_change_by_change(store: Store, learn: Learn) -> None:
    learn("h100 2.50 2026-03-01", on="2026-03-01")
    learn("h100 2.40 2026-03-10", on="2026-03-11")
    learn("h100 2.45 2026-03-10", on="2026-03-12")
    learn("h100 1.90 2026-04-01", on="2026-03-15")
    told = asked(store, "2026-03-02", "2026-04-10", scenario=Scenario(name="run", training=RUN.training)).events

    assert [(one.kind, one.at, str(one.amount_before), str(one.amount_after)) for one in told] == [
        ("price_change", day("2026-03-10"), "2.5", "2.4"),
        ("correction", told[1].recorded_at, "2.4", "2.45"),
        ("announced", day("2026-04-01"), "2.45", "1.9"),
    ]


def test_a_day_is_a_day_across_a_change_of_clocks(store: Store, learn: Learn) -> None:
    learn("h100 2.50 2026-03-01", on="2026-03-01")
    start, end = day("2026-03-27T23:00"), day("2026-03-31T22:00")
    period = Period(start=start, end=end, zone="Europe/Berlin")
    found = cost_history(store, Scenario(name="run", training=RUN.training), period, "known_now", day("2026-08-01"))
    assert [one.at for one in found.points] == [
        day("2026-03-27T23:00"),
        day("2026-03-28T23:00"),
        day("2026-03-29T22:00"),
        day("2026-03-30T22:00"),
    ]


def test_months_end_where_months_end(store: Store, learn: Learn) -> None:
    learn("h100 2.50 2026-01-01", on="2026-01-01")
    run = Scenario(name="run", training=RUN.training)
    found = asked(store, "2026-01-31", "2026-05-01", step="month", scenario=run)
    assert [one.at for one in found.points] == [
        day("2026-01-31"), day("2026-02-28"), day("2026-03-31"), day("2026-04-30"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("period", "reading", "words"),
    [
        (Period(start=day("2026-03-02"), end=day("2026-03-01")), "known_now", "end: must be after start"),
        (Period(start=day("2026-03-02").replace(tzinfo=None), end=day("2026-03-09")), "known_now", "start: must carry"),
        (Period(start=day("2026-03-02"), end=day("2027-03-01")), "known_then", "nobody knows yet"),
        (Period(start=day("2026-03-02"), end=day("2026-03-09"), zone="Mars"), "known_now", "IANA"),
        (Period(start=day("1926-03-02"), end=day("2026-03-09"), step="hour"), "known_now", "longer step"),
    ],
)
def test_a_period_that_cannot_be_walked_is_refused(
    store: Store, learn: Learn, period: Period, reading: Reading, words: str
) -> None:
    learn("h100 2.50 2026-03-01", on="2026-03-01")
    with pytest.raises(Invalid, match=words):
        cost_history(store, RUN, period, reading, day("2026-08-01"))


def test_before_the_first_refresh_there_is_no_history(store: Store) -> None:
    with pytest.raises(NoData, match="no prices are recorded yet"):
        asked(store, "2026-03-01", "2026-03-02")
