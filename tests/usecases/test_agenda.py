"""What lies ahead: the same thing under the same name whenever it is asked for, as any calendar program reads it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from icalendar import Calendar

from service.domain.budget import Budget
from service.domain.rate_card import RateCard, RateCardEntry
from service.domain.scenario import PriceInput, Scenario, TrainingPart
from service.notifying.calendars import calendar_bytes
from service.settings import Settings
from service.store.store import Store
from service.usecases.agenda import agenda, tell_expiring
from service.usecases.budgets import put_budget
from service.usecases.events import list_events
from service.usecases.rate_cards import put_rate_card
from service.usecases.sources import Feed
from tests.conftest import day
from tests.store.conftest import Learn, LineFeed
from tests.usecases.test_cost_history import H100

NOW = day("2026-03-10T12:00")
RUN = Scenario(
    name="run", training=TrainingPart(gpus=Decimal(8), hours=Decimal(100), gpu_price=PriceInput(series=H100))
)
BUDGET = Budget(name="run", scenario=RUN, limit=Decimal(2000), start=day("2026-03-01").date(), repeats="month")
ENTRY = RateCardEntry(provider="nimbus", discount=Decimal("0.2"), valid_until=day("2026-04-01"))


@pytest.fixture
def kept(store: Store, learn: Learn) -> Store:
    learn("h100 2.50 2026-03-01", "h100 2.00 2026-06-01", "a100 1.00 2026-05-01", on="2026-03-02")
    put_budget(store, BUDGET, now=day("2026-03-03"))
    put_rate_card(store, RateCard(name="deal", entries=(ENTRY,)), now=day("2026-03-03"))
    return store


def feeds() -> list[Feed]:
    return [Feed.of(LineFeed().info, Settings({}))]


def test_refreshes_runs_period_ends_announced_prices_and_agreements_lie_ahead(kept: Store) -> None:
    items = agenda(kept, feeds(), NOW)
    assert [item.at for item in items] == sorted(item.at for item in items)
    titles = {item.title: item.at for item in items}
    assert titles["nimbus is read"] == day("2026-03-11T06:00")
    assert titles["Period of budget run ends"] == day("2026-04-01")
    assert titles[f"{H100} becomes 2 USD"] == day("2026-06-01")
    assert titles["nimbus/a100/global/on_demand becomes 1 USD"] == day("2026-05-01")
    assert titles["Agreement with nimbus ends"] == day("2026-04-01")
    runs = [item.at for item in items if item.title == "Budget run is priced again"]
    assert runs == [day(f"2026-03-{number}T07:00") for number in range(11, 16)]


def test_a_corrected_announcement_is_the_one_that_counts(kept: Store, learn: Learn) -> None:
    learn("h100 2.10 2026-06-01", on="2026-03-09")
    [one] = [item for item in agenda(kept, [], NOW) if item.at == day("2026-06-01")]
    assert one.title == f"{H100} becomes 2.1 USD"


def test_the_same_thing_keeps_its_name(kept: Store) -> None:
    soon, later = ({item.uid: item.at for item in agenda(kept, [], at)} for at in (NOW, NOW + timedelta(hours=3)))
    assert soon == later
    assert len(soon) == len(agenda(kept, [], NOW))


def test_a_calendar_program_reads_it_whatever_a_name_holds(kept: Store) -> None:
    put_budget(kept, replace(BUDGET, name="a, b; c\\ BEGIN:VEVENT über " + "x" * 30), now=day("2026-03-04"))
    body = calendar_bytes(agenda(kept, feeds(), NOW), NOW)
    lines = body.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert b"\n" not in body.replace(b"\r\n", b"")
    read = Calendar.from_ical(body)
    titles = [str(event["summary"]) for event in read.events]
    assert "Period of budget a, b; c\\ BEGIN:VEVENT über " + "x" * 30 + " ends" in titles
    assert {event["dtstart"].dt.utcoffset() for event in read.events} == {timedelta()}
    assert len({str(event["uid"]) for event in read.events}) == len(read.events)


def test_an_agreement_that_ends_soon_is_told_of_once(kept: Store) -> None:
    assert tell_expiring(kept, day("2026-03-01") - timedelta(days=1)) == 0, "not known then"
    put_rate_card(
        kept, RateCard(name="later", entries=(replace(ENTRY, valid_until=day("2027-01-01")),)), now=day("2026-03-04")
    )
    assert tell_expiring(kept, NOW) == 1
    assert tell_expiring(kept, NOW + timedelta(days=1)) == 1
    [told] = list_events(kept)
    assert (told.event.type, told.event.subject) == ("commitment.expiring", "deal")
    assert told.event.text == "the agreement with nimbus on * in rate card deal ends in 21 days"
