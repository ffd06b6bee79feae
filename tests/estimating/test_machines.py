"""Several kinds of machines side by side: a line each, exact, cited, bridged, as sure as one is of it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pricing_sources.units import Unit
from service.domain.canonical import canonical_bytes
from service.domain.estimate import Estimate, LineItem
from service.domain.price_book import PriceBook
from service.domain.quantities import EXACT
from service.domain.scenario import (
    FactorInput,
    Machines,
    OwnHardware,
    PriceInput,
    Scenario,
    Spread,
    Tariff,
    TariffWindow,
    TrainingPart,
)
from service.errors import Invalid
from service.estimating.band import band
from service.estimating.bridge import bridge
from service.estimating.estimate import estimate, series_needed
from service.estimating.uncertainty import Evidence
from tests.conftest import day
from tests.estimating.test_estimate import BOOK, FULL, GPU, KWH, D, book, looked_up, price, stated

H200 = price("cloud/h200", "3.75", Unit.GPU_HOUR, includes_power=True)
WHOLE = price("cloud/whole", "20", Unit.INSTANCE_HOUR)
PUE = price("survey/pue", "1.56", Unit.RATIO, None)
PRICES = (GPU, H200, WHOLE, KWH, PUE)
RENTED = Machines(name="h100", gpus=D(64), gpu_price=looked_up(GPU))
SPOT = Machines(name="h100_spot", gpus=D(16), hours=D(100), gpu_price=stated("1.20"))
OURS = Machines(
    name="ours",
    gpus=D(8),
    gpu_price=stated("1.60"),
    power_per_gpu_kw=D("1.2"),
    electricity_price=looked_up(KWH),
    pue=FactorInput(value=D("1.3")),
)
MIX = Scenario(name="A mix", training=TrainingPart(hours=D(730), machines=(RENTED, SPOT, OURS)))


def book_of(**changed: str) -> PriceBook:
    return book(*(replace(one, amount=D(changed.get(one.series.split("/")[-1], str(one.amount)))) for one in PRICES))


def with_machines(*machines: Machines, **more: object) -> Scenario:
    return replace(MIX, training=replace(MIX.training, machines=machines, **more))


def priced(scenario: Scenario, **changed: str) -> Estimate:
    return estimate(scenario, book_of(**changed))


def lines(answer: Estimate) -> dict[str, LineItem]:
    return {one.name: one for one in answer.line_items}


def effects(before: Estimate, after: Estimate) -> dict[str, Decimal]:
    return {one.cause: one.amount for one in bridge(before, after).effects if one.amount}


def test_each_kind_of_machines_is_a_line_that_multiplies_out() -> None:
    answer = priced(MIX)
    found = lines(answer)
    assert {name: (one.pricing_quantity, one.list_unit_price) for name, one in found.items()} == {
        "gpu_hours.h100": (D(64 * 730), D("2.50")),
        "gpu_hours.h100_spot": (D(1600), D("1.20")),
        "gpu_hours.ours": (D(8 * 730), D("1.60")),
        "electricity.ours": (D("9110.4"), D("0.0826")),
    }
    assert all(EXACT.multiply(one.pricing_quantity, one.list_unit_price) == one.cost for one in found.values())
    assert answer.total == sum(one.cost for one in found.values())
    assert {one.formula for one in found.values()} == {"training.gpu_hours@1", "training.energy@1"}
    assert [used.price.series for used in answer.prices] == [GPU.series, KWH.series]


def test_electricity_is_inside_a_rented_hour_and_never_added() -> None:
    assert [name for name in lines(priced(MIX)) if name.startswith("electricity")] == ["electricity.ours"]
    for price_of in ({"electricity_price": looked_up(KWH)}, {"electricity_tariff": tariff()}):
        both = replace(RENTED, power_per_gpu_kw=D("0.7"), **price_of)
        with pytest.raises(Invalid, match=r"training\.machines\.0\.electricity_.*already includes its electricity"):
            priced(with_machines(both))


def tariff(**more: object) -> Tariff:
    night = TariffWindow(name="night", price=stated("0.05"), begins="22:00", ends="06:00")
    return Tariff(zone="UTC", starts_at=day("2026-03-02"), windows=(night,), otherwise=looked_up(KWH), **more)


def test_electricity_by_the_hour_is_bought_over_the_hours_of_each_kind() -> None:
    by_hour = replace(OURS, electricity_price=None, electricity_tariff=tariff(), hours=D(24))
    found = lines(priced(with_machines(by_hour)))
    assert found["electricity.ours.night"].pricing_quantity == D("1.2") * 8 * 8 * D("1.3")
    assert found["electricity.ours.otherwise"].pricing_quantity == D("1.2") * 8 * 16 * D("1.3")


def test_the_machines_stand_beside_gpus_of_one_kind_and_share_their_hours_and_their_pue() -> None:
    ours = replace(OURS, pue=None)
    one_kind = {"gpus": D(4), "gpu_price": looked_up(GPU), "pue": FactorInput(series=PUE.series)}
    found = lines(priced(with_machines(ours, **one_kind)))
    assert found["gpu_hours"].pricing_quantity == 4 * 730
    assert found["electricity.ours"].pricing_quantity == D("1.2") * 8 * 730 * D("1.56")
    of_their_own = lines(priced(with_machines(OURS, **one_kind)))["electricity.ours"]
    assert of_their_own.pricing_quantity == D("9110.4")


def test_a_price_that_is_missing_makes_the_total_a_lower_bound() -> None:
    unknown = replace(RENTED, name="unknown", gpu_price=PriceInput(series="cloud/none"))
    answer = priced(with_machines(RENTED, unknown))
    assert answer.lower_bound
    assert [(one.name, one.pricing_quantity) for one in answer.unpriced] == [("gpu_hours.unknown", 64 * 730)]
    assert answer.total == D(64 * 730) * D("2.50")


def test_the_series_of_machines_are_looked_up_and_one_of_whole_machines_is_refused() -> None:
    assert series_needed(MIX) == {GPU.series, KWH.series}
    with pytest.raises(Invalid, match=r"training\.machines\.0\.gpu_price\.series: .*per Instance-Hours") as refused:
        priced(with_machines(replace(RENTED, gpu_price=looked_up(WHOLE))))
    assert refused.value.problems[0].field == "training.machines.0.gpu_price.series"


def test_what_was_asked_without_machines_has_no_word_of_them() -> None:
    assert b"machines" not in canonical_bytes(FULL)
    assert b"machines" not in canonical_bytes(estimate(FULL, BOOK))


@pytest.mark.parametrize(
    ("training", "field"),
    [
        (TrainingPart(hours=D(1)), "training"),
        (TrainingPart(hours=D(1), gpu_price=stated("2")), "training.gpus"),
        (TrainingPart(hours=D(1), machines=()), "training.gpus"),
        (TrainingPart(hours=D(1), gpu_price=stated("2"), machines=(RENTED,)), "training.gpus"),
        (TrainingPart(hours=D(1), gpus=D(8), machines=(RENTED,)), "training"),
        (
            TrainingPart(hours=D(1), own_hardware=OwnHardware(price_per_gpu=stated("1"), service_years=D(4))),
            "training.gpus",
        ),
        (TrainingPart(hours=D(1), machines=(RENTED, RENTED)), "training.machines.1.name"),
        (TrainingPart(hours=D(1), machines=(replace(RENTED, name="8 H100"),)), "training.machines.0.name"),
        (TrainingPart(hours=D(1), machines=(replace(RENTED, name="h" * 121),)), "training.machines.0.name"),
        (TrainingPart(hours=D(1), machines=(replace(RENTED, gpu_price=None),)), "training.machines.0.gpu_price"),
        (TrainingPart(hours=D(1), machines=(replace(RENTED, gpus=D(-1)),)), "training.machines.0.gpus"),
        (
            TrainingPart(hours=D(1), machines=(replace(OURS, electricity_price=None),)),
            "training.machines.0.electricity_price",
        ),
        (
            TrainingPart(hours=D(1), machines=(replace(OURS, power_per_gpu_kw=None),)),
            "training.machines.0.power_per_gpu_kw",
        ),
        (
            TrainingPart(hours=D(1), machines=(replace(OURS, pue=FactorInput(value=D("0.9"))),)),
            "training.machines.0.pue.value",
        ),
        (
            TrainingPart(hours=D(1), machines=(replace(OURS, electricity_tariff=tariff()),)),
            "training.machines.0.electricity_tariff",
        ),
        (
            TrainingPart(
                hours=D(10**6), machines=(replace(OURS, electricity_price=None, electricity_tariff=tariff()),)
            ),
            "training.machines.0.hours",
        ),
        (TrainingPart(hours=D(1), machines=(RENTED,) * 2001), "training.machines"),
        (
            TrainingPart(
                gpus=D(1),
                hours=D(1),
                power_per_gpu_kw=D(1),
                electricity_tariff=tariff(),
                machines=(replace(OURS, name="night"),),
            ),
            "training.machines.0.name",
        ),
    ],
)
def test_machines_that_cannot_be_priced_are_refused_by_field(training: TrainingPart, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        priced(Scenario(name="wrong", training=training))
    assert field in {one.field for one in refused.value.problems}


@pytest.mark.parametrize(
    "place",
    [
        "training.hours",
        "training.machines.0.gpus",
        "training.machines.0.gpu_price",
        "training.machines.1.hours",
        "training.machines.2.power_per_gpu_kw",
        "training.machines.2.electricity_price",
        "training.machines.2.pue",
    ],
)
def test_how_sure_you_are_of_any_kind_of_machines_reaches_the_total(place: str) -> None:
    shaken = replace(MIX, spreads=(Spread(input=place, distribution="lognormal", relative_sd=D("0.05")),))
    found = band(priced(shaken), Evidence(), seed=1, draws=200)
    assert [one.input for one in found.inputs] == [place]
    assert found.total.p10 < found.total.p90


def test_why_the_cost_of_a_mix_differs_is_told_by_its_cause() -> None:
    before = priced(MIX)
    assert effects(before, priced(MIX, h100="2.25")) == {"offer_price": D(64 * 730) * D("-0.25")}
    assert effects(before, priced(MIX, US="0.10")) == {"electricity": D("9110.4") * D("0.0174")}
    more = with_machines(replace(RENTED, gpus=D(80)), SPOT, OURS)
    assert effects(before, priced(more)) == {"scope": D(16 * 730) * D("2.50")}
    switched = with_machines(replace(RENTED, gpu_price=looked_up(H200)), SPOT, OURS)
    assert effects(before, priced(switched)) == {"offer_switch": D(64 * 730) * D("1.25")}


def test_machines_that_left_while_others_came_are_another_offer_and_those_that_only_left_are_less_work() -> None:
    before, other = priced(MIX), replace(RENTED, name="h200", gpus=D(48), gpu_price=looked_up(H200))
    switch = D(48 * 730) * D("3.75") - D(64 * 730) * D("2.50")
    assert effects(before, priced(with_machines(other, SPOT, OURS))) == {"offer_switch": switch}
    assert effects(before, priced(with_machines(SPOT, OURS))) == {"scope": D(64 * 730) * D("-2.50")}
    alone = Scenario(name="one kind", training=TrainingPart(gpus=D(64), hours=D(730), gpu_price=looked_up(GPU)))
    assert effects(priced(alone), priced(with_machines(other))) == {"offer_switch": switch}


def test_machines_that_have_a_price_at_last_or_no_more_are_no_switch() -> None:
    unknown = replace(RENTED, name="unknown", gpu_price=PriceInput(series="cloud/none"))
    before = priced(with_machines(SPOT, unknown))
    after = estimate(with_machines(unknown), book(*PRICES, price("cloud/none", "1", Unit.GPU_HOUR)))
    assert effects(before, after) == {"newly_priced": D(64 * 730), "scope": D("-1.20") * 1600}
    assert effects(after, before) == {"unpriced": -D(64 * 730), "scope": D("1.20") * 1600}
