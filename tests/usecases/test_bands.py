"""A band is made of what was known at its estimate's as-of, the same on both databases, and kept once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pricing_sources.observation import FxSeries, Kind, Observation, Reading, SalarySeries, Status
from pricing_sources.source import Document
from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.canonical import canonical_bytes, content_id
from service.domain.scenario import EngineeringPart, PriceInput, Scenario, Spread, TrainingPart
from service.errors import Invalid, NotFound
from service.store import bands
from service.store.store import Store
from service.usecases.bands import band_of, estimate_band
from service.usecases.comparisons import difference_band
from service.usecases.estimates import get_estimate, new_estimate
from service.usecases.refresh import import_document
from tests.conftest import TickingClock, day
from tests.store.conftest import Learn, LineFeed
from tests.usecases.test_cost_history import learn_rates

H100 = "nimbus/h100/global/on_demand"
NOW = AsOf(day("2026-03-02"), day("2026-03-02"))
RUN = Scenario(
    name="One run",
    training=TrainingPart(gpus=Decimal(8), hours=Decimal(100), gpu_price=PriceInput(series=H100)),
    spreads=(Spread(input="training.hours", distribution="lognormal", relative_sd=Decimal("0.2"), source="our runs"),),
)
WEEKS = [
    f"h100 2.{50 + step * step % 37} {day('2026-03-01') - timedelta(days=7 * step):%Y-%m-%d}" for step in range(60)
]
BYTES = "1f07e07d8abcba3351d953d069e5f7f9ae92204ba6bce4e9e900ffce64a37e63"
"""SHA-256 of the first band\'s canonical bytes, wherever it is computed."""


class SalaryFeed(LineFeed):
    """`statistic amount` a line: the salaries of one occupation; `>` before an amount is a lower bound."""

    def parse(self, document: Document) -> Iterator[Reading]:
        for number, line in enumerate(document.body.decode().splitlines(), start=1):
            statistic, amount = line.split()
            yield Observation(
                series=SalarySeries(source=self.info.id, occupation="15-1252", area="US", statistic=statistic),
                amount=Decimal(amount.lstrip(">")),
                currency="USD",
                unit=Unit.PERSON_YEAR,
                valid_from=day("2026-01-01"),
                status=Status.LOWER_BOUND if amount.startswith(">") else Status.FINAL,
                published_amount=amount,
                published_unit="per year",
                locator=f"line {number}",
            )


class RateFeed(LineFeed):
    """One amount: dollars per euro, in force since it was fetched."""

    def parse(self, document: Document) -> Iterator[Reading]:
        yield Observation(
            series=FxSeries(source=self.info.id, base_currency="EUR", quote_currency="USD"),
            amount=Decimal(document.body.decode()),
            currency="USD",
            unit=Unit.EURO,
            valid_from=document.fetched_at,
            published_amount=document.body.decode(),
            published_unit="per euro",
            locator="line 1",
        )


def learn_salaries(store: Store, clock: TickingClock, *lines: str, on: str) -> None:
    clock.set(day(on))
    feed = SalaryFeed("wages")
    feed.info = replace(
        feed.info, kinds=(Kind.SALARY,), plausible={Unit.PERSON_YEAR: (Decimal(10_000), Decimal(10**6))}
    )
    document = Document(source_id="wages", url="file:wages.txt", body="\n".join(lines).encode(), fetched_at=day(on))
    assert import_document(store, feed, document, now=clock()).status == "sealed"


def test_a_band_is_the_same_bytes_on_every_database_and_whatever_is_learned_later(store: Store, learn: Learn) -> None:
    learn(*WEEKS, on="2026-03-01")
    stored = new_estimate(store, RUN, NOW, now=day("2026-03-02"))
    first = band_of(store, stored).band

    assert content_id(canonical_bytes(first)) == BYTES
    assert [(one.input, one.evidence) for one in first.inputs] == [
        ("training.hours", "scenario"),
        (H100, "price_history"),
    ]
    assert first.inputs[0].source == "our runs"
    assert first.total.p10 < first.point < first.total.p90

    learn("h100 9.99 2026-02-25", "h100 0.10 2026-02-20", on="2026-04-01")
    other = estimate_band(store, stored.estimate_id[:12], draws=4096, seed=1, now=day("2026-04-02"))
    again = estimate_band(store, stored.estimate_id, draws=5000, seed=0, now=day("2026-04-02"))
    for found in (other.band, again.band):
        assert [one.source for one in found.inputs] == [one.source for one in first.inputs]
        assert float(found.total.p90) == pytest.approx(float(first.total.p90), rel=0.03)
        assert found.total.p90 != first.total.p90


def test_a_band_is_kept_with_its_estimate_and_found_again_by_its_seed_and_draws(store: Store, learn: Learn) -> None:
    learn(*WEEKS, on="2026-03-01")
    stored = new_estimate(store, RUN, NOW, now=day("2026-03-02"))
    kept = store.read(lambda c: bands.find(c, stored.estimate_id, 0, 4096, "monte_carlo@1"))
    assert kept is not None
    assert kept == band_of(store, stored) == estimate_band(store, stored.estimate_id, now=day("2026-03-03"))
    assert kept.band_id == bands.named(stored.estimate_id, kept.band).band_id

    for _ in range(2):
        mine = estimate_band(store, stored.estimate_id, draws=200, seed=7, now=day("2026-03-03"))
    assert store.read(lambda c: bands.find(c, stored.estimate_id, 7, 200, "monte_carlo@1")) == mine


def test_switched_off_a_band_is_the_estimate_and_is_not_kept(store: Store, learn: Learn) -> None:
    learn(*WEEKS, on="2026-03-01")
    stored = new_estimate(store, RUN, NOW, now=day("2026-03-02"))
    off = estimate_band(store, stored.estimate_id, draws=0, now=day("2026-03-03"))
    assert {off.band.total.p10, off.band.total.p50, off.band.total.p90} == {stored.estimate.total}
    assert store.read(lambda c: bands.find(c, stored.estimate_id, 0, 0, "monte_carlo@1")) is None
    assert get_estimate(store, stored.estimate_id).body == stored.body


def test_a_salary_is_drawn_through_the_percentiles_of_its_occupation(store: Store, clock: TickingClock) -> None:
    wages = ("mean 148100", "p10 80000", "p25 104000", "median 133000", "p75 173000", "p90 211000")
    learn_salaries(store, clock, *wages, on="2026-03-01")
    work = EngineeringPart(
        engineers=Decimal(2), average_annual_salary=PriceInput(series="wages/15-1252/US/mean"), years=Decimal(1)
    )
    staff = Scenario(name="Staff", engineering=work)
    found = band_of(store, new_estimate(store, staff, NOW, now=NOW.known_at)).band
    [one] = found.inputs
    assert one.evidence == "salary_percentiles"
    assert (one.spread.p10, one.spread.p50, one.spread.p90) == (80000, 133000, 211000)
    assert float(found.total.p50) == pytest.approx(266_000, rel=1e-3)

    learn_salaries(store, clock, "p90 >239200", on="2026-03-05")
    later = replace(NOW, known_at=day("2026-03-06"))
    bounded = band_of(store, new_estimate(store, staff, later, now=later.known_at)).band
    assert bounded.inputs == ()
    reasons = {one.input: one.reason for one in bounded.held_fixed}
    assert reasons["wages/15-1252/US/mean"] == (
        "the 10th or the 90th percentile of this salary is not published as a figure"
    )


def test_a_rate_moves_as_its_longest_known_past_whichever_source_states_it(store: Store, learn: Learn, clock) -> None:
    days = [day("2026-02-27") - timedelta(days=step) for step in range(300)]
    rates = [f"{one:%Y-%m-%d}, {1.10 + (number * number % 17) / 1000:.4f}," for number, one in enumerate(days)]
    learn_rates(store, clock, "2026-02-27", "\n".join(["Date, USD, ", *rates, ""]))
    learn("h100 2.50", on="2026-03-01")
    feed = RateFeed("bureau")
    feed.info = replace(feed.info, kinds=(Kind.FX,), plausible={})
    document = Document(source_id="bureau", url="file:rate.txt", body=b"1.12", fetched_at=day("2026-03-01"))
    assert import_document(store, feed, document, now=clock()).status == "sealed"
    euros = replace(RUN, currency="EUR", spreads=None)
    found = band_of(store, new_estimate(store, euros, NOW, now=NOW.known_at)).band
    [one] = found.inputs
    assert (one.input, one.point, one.evidence) == ("bureau/EUR/USD", Decimal("1.12"), "price_history")
    assert one.source.startswith("ecb/EUR/USD: 72 log-returns over 4.167 days each")
    assert found.total.p10 < found.point < found.total.p90


def test_the_band_of_a_difference_draws_shared_inputs_once(store: Store, learn: Learn) -> None:
    learn(*WEEKS, on="2026-03-01")
    larger = replace(RUN, training=replace(RUN.training, gpus=Decimal(9)))
    before, after = (new_estimate(store, one, NOW, now=NOW.known_at) for one in (RUN, larger))
    found = difference_band(store, before.estimate_id, after.estimate_id)

    assert found.point == before.estimate.total / 8
    assert found.share_of_draws_dearer == 1
    total = band_of(store, before).band.total
    assert float(found.difference.p90) == pytest.approx(float(total.p90) / 8, abs=0.01)


def test_draws_and_seeds_that_are_none_are_refused(store: Store, learn: Learn) -> None:
    with pytest.raises(Invalid, match="draws: must be 0, or 100 to 20000, not 5"):
        estimate_band(store, "abcd", draws=5, now=NOW.known_at)
    with pytest.raises(Invalid, match="seed: must be 0 to"):
        estimate_band(store, "abcd", seed=-1, now=NOW.known_at)
    with pytest.raises(NotFound):
        estimate_band(store, "abcd", now=NOW.known_at)
