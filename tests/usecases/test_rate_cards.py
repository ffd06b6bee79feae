"""Your own prices: laid over the public book, versioned, never touching it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pricing_sources.units import Unit
from service.domain.rate_card import RateCard, RateCardEntry
from service.domain.scenario import PriceInput, Scenario, TrainingPart
from service.errors import Invalid, NotFound
from service.store.store import Store
from service.usecases.estimates import new_estimate, price_scenario
from service.usecases.prices import as_of, get_price
from service.usecases.rate_cards import get_rate_card, list_rate_cards, put_rate_card
from service.usecases.scenario_files import read_rate_card
from tests.conftest import TickingClock, day
from tests.store.conftest import Learn

KEY = "nimbus/h100/global/on_demand"
ON = day("2026-03-10")


def run(key: str = KEY, card: str | None = "acme") -> Scenario:
    part = TrainingPart(gpus=Decimal(8), hours=Decimal(100), gpu_price=PriceInput(series=key))
    return Scenario(name="Run", rate_card=card, training=part)


def entry(**fields: object) -> RateCardEntry:
    return RateCardEntry(**{"provider": "nimbus", **fields})


def keep(store: Store, clock: TickingClock, *entries: RateCardEntry, on: str = "2026-03-05") -> None:
    clock.set(day(on))
    put_rate_card(store, RateCard(name="acme", entries=entries), now=clock())


@pytest.fixture
def known(store: Store, learn: Learn) -> Store:
    learn("h100 2.50", "a100 1.00", on="2026-03-01")
    return store


def test_a_discount_is_taken_off_the_list_price_which_stays_beside_it(known: Store, clock: TickingClock) -> None:
    keep(known, clock, entry(discount=Decimal("0.25"), note="contract 7"))
    [line] = price_scenario(known, run(), as_of(ON)).line_items
    assert (line.list_unit_price, line.list_cost) == (Decimal("2.5"), Decimal(2000))
    assert (line.contracted_unit_price, line.contracted_cost, line.cost) == (Decimal("1.875"), Decimal(1500), 1500)
    assert line.contract == "contract 7"
    assert get_price(known, as_of(ON), KEY).amount == Decimal("2.50"), "the public book is as it was"


def test_without_its_card_a_scenario_is_priced_at_list(known: Store, clock: TickingClock) -> None:
    keep(known, clock, entry(discount=Decimal("0.25")))
    answer = price_scenario(known, run(card=None), as_of(ON))
    assert (answer.total, answer.rate_card) == (Decimal(2000), None)


def test_an_agreed_price_replaces_the_list_price_in_its_own_currency(known: Store, clock: TickingClock) -> None:
    keep(known, clock, entry(sku="h*", unit_price=Decimal("2.10"), currency="USD", unit=Unit.GPU_HOUR))
    [line] = price_scenario(known, run(), as_of(ON)).line_items
    assert (line.contracted_unit_price, line.contract) == (Decimal("2.10"), "nimbus h* * *")


def test_the_first_entry_that_covers_an_offer_counts_within_its_period(known: Store, clock: TickingClock) -> None:
    first = entry(sku="h100", discount=Decimal("0.5"), valid_from=day("2026-03-09"), valid_until=day("2026-03-11"))
    keep(known, clock, first, entry(purchase="spot", discount=Decimal("0.9")), entry(discount=Decimal("0.1")))

    def total(at: str) -> Decimal:
        return price_scenario(known, run(), as_of(day("2026-04-01"), day(at))).total

    assert [total("2026-03-08"), total("2026-03-09"), total("2026-03-11")] == [1800, 1000, 1800]


def test_own_hardware_needs_no_list_price(known: Store, clock: TickingClock) -> None:
    own = entry(provider="own", sku="dgx-1", unit_price=Decimal("1.20"), currency="USD", unit=Unit.GPU_HOUR)
    keep(known, clock, own)
    [line] = price_scenario(known, run("rate_card/own/dgx-1"), as_of(ON)).line_items
    assert (line.cost, line.price_series) == (Decimal(960), "rate_card/own/dgx-1")


def test_a_new_version_leaves_the_estimates_of_before_as_they_were(known: Store, clock: TickingClock) -> None:
    keep(known, clock, entry(discount=Decimal("0.25")))
    clock.set(ON)
    first = new_estimate(known, run(), as_of(ON), now=ON)
    keep(known, clock, entry(discount=Decimal("0.5")), on="2026-03-12")

    again = price_scenario(known, run(), first.estimate.as_of)
    now = price_scenario(known, run(), as_of(day("2026-03-13")))
    assert again == first.estimate
    assert (again.total, now.total) == (Decimal(1500), Decimal(1000))


def test_a_card_kept_after_the_last_refresh_is_part_of_what_was_known(known: Store, clock: TickingClock) -> None:
    keep(known, clock, entry(discount=Decimal("0.25")))
    answer = price_scenario(known, run(), as_of(ON))
    assert answer.rate_card is not None
    assert answer.as_of.known_at == answer.rate_card.recorded_at


def test_a_card_is_seen_as_it_was_known(known: Store, clock: TickingClock) -> None:
    keep(known, clock, entry(discount=Decimal("0.25")))
    keep(known, clock, entry(discount=Decimal("0.25")), on="2026-03-06")
    keep(known, clock, entry(discount=Decimal("0.5")), on="2026-03-12")
    then, now = (get_rate_card(known, "acme", day(on)) for on in ("2026-03-07", "2026-03-13"))
    assert [one.card.entries[0].discount for one in (then, now)] == [Decimal("0.25"), Decimal("0.5")]
    assert then.recorded_at < day("2026-03-06"), "the same card said again is no new version"
    assert list_rate_cards(known, day("2026-03-13")) == [now]
    with pytest.raises(NotFound, match="there is no rate card 'acme' known at 2026-03-04"):
        get_rate_card(known, "acme", day("2026-03-04"))
    with pytest.raises(NotFound, match="there are acme"):
        price_scenario(known, run(card="acne"), as_of(ON))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "entries.0: give either a discount or a unit_price"),
        ({"discount": Decimal(25)}, "entries.0.discount: must be 0 to 1"),
        ({"unit_price": Decimal(2)}, "entries.0.unit: is missing beside a unit_price"),
        ({"unit_price": Decimal(-2), "currency": "USD"}, "entries.0.unit_price: must be a number not below zero"),
        ({"discount": Decimal(0), "sku": ""}, "entries.0.sku: must have 1 to 200 characters"),
        (
            {"discount": Decimal(0), "valid_from": ON, "valid_until": ON},
            "entries.0.valid_until: must be after valid_from",
        ),
        ({"discount": Decimal(0), "valid_from": ON.replace(tzinfo=None)}, "entries.0.valid_from: must carry a UTC"),
    ],
)
def test_a_card_that_says_nothing_clear_is_refused(store: Store, fields: dict[str, object], problem: str) -> None:
    card = RateCard(name="acme", entries=(entry(discount=Decimal("0.1")), entry(**fields)))
    with pytest.raises(Invalid) as caught:
        put_rate_card(store, replace(card, entries=card.entries[1:]), now=ON)
    assert problem in str(caught.value)


def test_an_agreed_price_must_buy_what_the_line_needs(known: Store, clock: TickingClock) -> None:
    keep(known, clock, entry(unit_price=Decimal(2), currency="USD", unit=Unit.KWH))
    with pytest.raises(Invalid, match=r"nimbus .* of the rate card is a price per kWh; one per GPU-Hours is needed"):
        price_scenario(known, run(), as_of(ON))


def test_a_card_is_read_from_yaml_with_every_digit(tmp_path: object) -> None:
    text = """
name: acme
entries:
  - provider: aws
    sku: p5.*
    discount: 0.150
    valid_from: 2026-01-01T00:00:00Z
    note:
  - {provider: own, sku: dgx-1, unit_price: 1.20, currency: USD, unit: GPU-Hours}
"""
    card = read_rate_card(text)
    assert card.entries[0].discount == Decimal("0.150")
    assert card.entries[0].valid_from == day("2026-01-01")
    assert card.entries[1].own_key == "rate_card/own/dgx-1"
    with pytest.raises(Invalid, match=r"entries\.0\.discont"):
        read_rate_card("name: acme\nentries: [{provider: aws, discont: 1}]")
    with pytest.raises(Invalid, match="rate_card: must be a mapping with a name and a list of entries"):
        read_rate_card("- aws")
