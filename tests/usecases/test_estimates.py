"""The promise: the same scenario at the same as-of gives the same bytes, whatever was learned since."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from pricing_sources.fx.ecb import SOURCE as ECB
from pricing_sources.source import Document
from service.domain.as_of import AsOf
from service.domain.canonical import canonical_bytes
from service.domain.scenario import PriceInput, Scenario, TrainingPart
from service.errors import Invalid, NoData, NotFound
from service.store.store import Store
from service.usecases.estimates import get_estimate, list_estimates, new_estimate, price_again, price_scenario
from service.usecases.prices import price_history
from service.usecases.refresh import import_document, refresh
from service.usecases.scenario_files import read_scenario
from tests.conftest import day
from tests.store.conftest import Learn, LineFeed

KEY = "nimbus/h100/global/on_demand"
RUN = Scenario(
    name="One run",
    training=TrainingPart(gpus=Decimal(8), hours=Decimal("100.5"), gpu_price=PriceInput(series=KEY)),
)


def asked(valid: str, known: str) -> AsOf:
    return AsOf(day(valid), day(known))


TEAM = """
name: A team, its store and its night shifts
currency: USD
data:
  volume_tb: 20
  months: 24
  growth_tb_per_month: 4
  storage_tiers: [{price: {amount: 23}}, {price: {amount: 22}, above_tb: 50}]
training:
  gpus: 8
  hours: 100.25
  power_per_gpu_kw: 0.7
  electricity_tariff:
    zone: Europe/Berlin
    starts_at: 2026-03-28T00:00:00+01:00
    windows: [{name: night, begins: "22:00", ends: "06:00", price: {amount: 0.05}}]
    otherwise: {amount: 0.1}
  own_hardware: {price_per_gpu: {amount: 38000}, service_years: 4, interest: 0.08}
fine_tuning: {gpus: 8, hours: 3, gpu_price: {series: nimbus/h100/global/on_demand}}
engineering:
  years: 2
  roles:
    - {name: research, people: 6, salary: {amount: 214670}, ramp_up_years: 1, loading: {value: 1.4}}
    - {name: support, people: 2, salary: {amount: 135980}, part_time: 0.5}
"""


def test_roles_tiers_and_tariffs_are_kept_and_make_the_same_bytes_again(store: Store, learn: Learn) -> None:
    learn("h100 2.50 2026-03-01", on="2026-03-01")
    kept = new_estimate(store, read_scenario(TEAM), asked("2026-03-10", "2026-03-10"), now=day("2026-03-10"))
    learn("h100 2.10 2026-03-12", on="2026-03-12")

    again = get_estimate(store, kept.estimate_id)
    assert again.estimate == kept.estimate
    assert again.estimate.scenario == read_scenario(TEAM)
    assert canonical_bytes(price_again(store, again.estimate, again.estimate.as_of)) == kept.body


def test_an_estimate_is_named_by_the_hash_of_its_bytes_and_kept_once(store: Store, learn: Learn) -> None:
    learn("h100 2.50", on="2026-03-01")
    first = new_estimate(store, RUN, asked("2026-03-02", "2026-03-02"), now=day("2026-03-02"))
    again = new_estimate(store, RUN, asked("2026-03-02", "2026-03-02"), now=day("2026-03-09"))

    assert first == again
    assert hashlib.sha256(first.body).hexdigest() == first.estimate_id
    assert canonical_bytes(first.estimate) == first.body
    assert first.estimate.total == Decimal(2010)
    assert [one.estimate_id for one in list_estimates(store)] == [first.estimate_id]
    assert get_estimate(store, first.estimate_id[:8]) == first


def test_every_estimate_reproduces_after_a_thousand_random_changes(store: Store, clock) -> None:
    """Later prices, corrections of the past, announcements, and offers that vanish: none moves an earlier answer."""
    dice, kept, feed = Random(11), [], LineFeed(snapshot=True)
    listed = {f"gpu{number}": f"gpu{number} {number}.50 2026-01-01" for number in range(1, 21)}
    changes, moment = 0, day("2026-02-01")
    while changes < 1_000:
        moment += timedelta(days=1)
        changes += change(listed, dice, moment)
        feed.answer = "\n".join(listed.values()).encode()
        clock.set(moment)
        assert refresh(store, feed, None, now=clock(), trigger="schedule").status == "sealed"
        if len(kept) < 40:
            question = AsOf(moment - timedelta(days=dice.randrange(20)), moment + timedelta(hours=1))
            kept.append(new_estimate(store, run_on(dice.randint(1, 20)), question, now=moment))
        early = dice.choice(kept)
        assert canonical_bytes(price_scenario(store, early.estimate.scenario, early.estimate.as_of)) == early.body
    for one in kept:
        assert canonical_bytes(price_scenario(store, one.estimate.scenario, one.estimate.as_of)) == one.body
        assert get_estimate(store, one.estimate_id).body == one.body
    happened = {point.change for gpu in range(1, 21) for point in price_history(store, key(f"gpu{gpu}"), moment)}
    assert happened == {"observed", "correction", "absent"}
    assert len({one.estimate.total for one in kept}) > 20


def change(listed: dict[str, str], dice: Random, moment: datetime) -> int:
    """Change about ten offers of a price list: what they cost, since when, or that they are listed at all."""
    for gpu in (changed := dice.sample(range(1, 21), 10)):
        since = moment + timedelta(days=dice.choice([-30, -7, -1, 0, 0, 0, 14]))
        listed[f"gpu{gpu}"] = f"gpu{gpu} {dice.randint(100, 900) / 100} {since:%Y-%m-%d}"
    for gpu in range(1, 21):
        # Gone for a week out of five, each at its own time: long enough to be believed.
        if (moment.toordinal() + gpu) % 35 < 7:
            listed.pop(f"gpu{gpu}", None)
    return len(changed)


def run_on(gpu: int) -> Scenario:
    price = PriceInput(series=key(f"gpu{gpu}"))
    return replace(RUN, training=replace(RUN.training, gpu_price=price))


def key(gpu: str) -> str:
    return f"nimbus/{gpu}/global/on_demand"


def test_known_at_is_resolved_to_a_seal_so_that_asking_again_is_exact(store: Store, learn: Learn) -> None:
    sealed = learn("h100 2.50", on="2026-03-01")
    answer = price_scenario(store, RUN, asked("2026-03-02", "2026-03-02"))

    assert answer.as_of.known_at == sealed.recorded_at
    assert price_scenario(store, RUN, answer.as_of) == answer


def test_every_price_of_an_estimate_leads_back_to_the_bytes(store: Store, learn: Learn) -> None:
    learn("h100 2.50", on="2026-03-01")
    [used] = price_scenario(store, RUN, asked("2026-03-04", "2026-03-04")).prices

    citation = used.price.citation
    assert (citation.document_url, citation.locator, citation.published_amount) == ("file:prices.txt", "line 1", "2.50")
    assert citation.document_sha256 == hashlib.sha256(b"h100 2.50").hexdigest()
    assert used.age_days == Decimal(3)


def test_a_missing_price_is_never_zero(store: Store, learn: Learn) -> None:
    learn("a100 1.10", on="2026-03-01")
    answer = price_scenario(store, RUN, asked("2026-03-02", "2026-03-02"))

    assert answer.lower_bound
    assert answer.line_items == ()
    [missing] = answer.unpriced
    assert missing.pricing_quantity == Decimal(804)
    assert "no such series was known then" in missing.reason.reason


def test_before_the_first_price_the_answer_says_what_is_covered(store: Store, learn: Learn) -> None:
    with pytest.raises(NoData, match="no prices are recorded yet; run: costplan refresh"):
        price_scenario(store, RUN, asked("2026-03-02", "2026-03-02"))
    learn("h100 2.50", on="2026-03-05")
    with pytest.raises(NoData, match="the first prices were recorded at 2026-03-05"):
        price_scenario(store, RUN, asked("2026-03-02", "2026-03-02"))


def test_an_estimate_is_found_by_an_unambiguous_start_of_its_id_only(store: Store, learn: Learn) -> None:
    learn("h100 2.50", on="2026-03-01")
    with pytest.raises(NotFound, match="there is no estimate abcdef"):
        get_estimate(store, "abcdef")
    with pytest.raises(Invalid, match="at least its first 4 hexadecimal digits"):
        get_estimate(store, "xyz")


def test_a_cost_of_noon_is_converted_at_the_rate_of_the_day_before(store: Store, learn: Learn, clock) -> None:
    learn("h100 2.50", on="2026-03-01")
    body = b"Date,USD,JPY,\n2026-03-10,1.2000,150,\n2026-03-09,1.1000,150,\n"
    document = Document(source_id="ecb", url="file:eurofxref-hist.csv", body=body, fetched_at=day("2026-03-11"))
    clock.set(day("2026-03-11"))
    import_document(store, ECB, document, now=clock())
    in_euro = replace(RUN, currency="EUR")

    def rate(valid: str) -> Decimal:
        [used] = price_scenario(store, in_euro, asked(valid, "2026-03-12")).fx_rates
        return Decimal(used.legs[0].amount)

    assert rate("2026-03-10T12:00") == Decimal("1.1000"), "that of the tenth is set at four in the afternoon"
    assert rate("2026-03-10T16:00") == Decimal("1.2000")
