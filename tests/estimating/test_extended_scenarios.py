"""Stores that grow, traffic, roles, labels, own hardware, electricity by the hour: priced line by line."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce

import pytest

from pricing_sources.units import Unit
from service.domain.canonical import canonical_bytes, content_id
from service.domain.estimate import Estimate, LineItem
from service.domain.price_book import Price, PriceBook
from service.domain.quantities import EXACT, plain
from service.domain.scenario import (
    DataPart,
    EngineeringPart,
    FactorInput,
    FineTuningPart,
    OwnHardware,
    Role,
    Scenario,
    Spread,
    Tariff,
    TariffWindow,
    Tier,
    TrainingPart,
)
from service.domain.scenario_places import inputs_of, nearest, value_at
from service.domain.timelines import Entry, Timeline
from service.errors import Invalid
from service.estimating.band import band
from service.estimating.bridge import bridge
from service.estimating.estimate import estimate, series_needed
from service.estimating.history import Past, cost_points
from service.estimating.tariff_hours import hours_by_window
from service.estimating.uncertainty import Evidence
from service.planning.ways import OwnHardware as PlannedHardware
from service.planning.ways import gpu_hour_cost
from service.usecases.scenario_files import in_currency
from tests.conftest import day
from tests.estimating.test_estimate import (
    BOOK,
    FULL,
    GPU,
    KWH,
    LOADING,
    NOW,
    SALARY,
    STORAGE,
    D,
    book,
    looked_up,
    price,
    stated,
)

EGRESS = price("cloud/egress", "0.09", Unit.GB)
P90 = price("oews/p90", "214670", Unit.PERSON_YEAR)
TEXT = price("archive/text", "750", Unit.TOKENS_1M)
HOURLY = price("oews/hourly", "20.50", Unit.PERSON_HOUR)
NIGHT = TariffWindow(name="night", price=stated("0.05"), begins="22:00", ends="06:00")
WORK = TariffWindow(
    name="work", price=stated("0.20"), days=("mon", "tue", "wed", "thu", "fri"), begins="08:00", ends="20:00"
)
BERLIN = Tariff(zone="Europe/Berlin", starts_at=day("2026-03-02"), windows=(NIGHT, WORK), otherwise=looked_up(KWH))
EXTENDED = Scenario(
    name="Extended",
    currency="EUR",
    data=DataPart(
        volume_tb=D(20),
        months=D(24),
        flat_licence=stated("250000"),
        licensed_million_tokens=D(200),
        licence_per_million_tokens=looked_up(TEXT),
        growth_tb_per_month=D(4),
        copies=D(2),
        storage_tiers=(Tier(price=looked_up(STORAGE)), Tier(price=stated("22"), above_tb=D(50))),
        egress_tb_per_month=D(12),
        egress_tiers=(Tier(price=stated("0")), Tier(price=looked_up(EGRESS), above_tb=D("0.1"))),
    ),
    training=TrainingPart(
        gpus=D(64),
        hours=D("500.4"),
        power_per_gpu_kw=D("0.7"),
        utilisation=D("0.75"),
        server_factor=FactorInput(value=D("1.8")),
        electricity_tariff=BERLIN,
        own_hardware=OwnHardware(
            price_per_gpu=stated("38000"),
            service_years=D(4),
            interest=D("0.08"),
            residual_share=D("0.1"),
            system_factor=FactorInput(value=D("1.25")),
            busy_share=D("0.7"),
            colocation_price=stated("130"),
        ),
    ),
    fine_tuning=FineTuningPart(
        gpus=D(8),
        hours=D(10),
        gpu_price=stated("2.5"),
        new_data_licence=stated("5000"),
        labels=D(3000),
        labels_per_item=D(3),
        reviewed_share=D("0.1"),
        minutes_per_label=D(2),
        labelling_hour_price=looked_up(HOURLY),
    ),
    engineering=EngineeringPart(
        years=D(2),
        loading=FactorInput(series=LOADING.series),
        roles=(
            Role(name="research", people=D(6), salary=looked_up(P90), ramp_up_years=D(1)),
            Role(name="support", people=D(2), salary=looked_up(SALARY), part_time=D("0.5"), years=D(1)),
            Role(name="contract", people=D(1), salary=stated("240000"), loading=FactorInput(value=D(1))),
        ),
    ),
)
PRICES = (GPU, STORAGE, KWH, SALARY, P90, HOURLY, EGRESS, LOADING, TEXT)


def book_of(**changed: str) -> PriceBook:
    """The prices, some of them changed by the last step of their name."""
    return book(*(replace(one, amount=D(changed.get(one.series.split("/")[-1], str(one.amount)))) for one in PRICES))


EXTENDED_BOOK = book_of()


def lines(answer: Estimate) -> dict[str, LineItem]:
    return {f"{one.part}.{one.name}": one for one in answer.line_items}


def quantity(scenario: Scenario, name: str) -> Decimal:
    return lines(estimate(scenario, EXTENDED_BOOK))[name].pricing_quantity


def add(amounts: Iterable[Decimal]) -> Decimal:
    return plain(reduce(EXACT.add, amounts, D(0)))


def test_what_was_asked_before_there_was_more_to_ask_has_the_same_names() -> None:
    assert content_id(canonical_bytes(FULL)) == "123c9e769e8b80fa44e7469ee217ce9ce954526c21462c33e2920f67c9f5e727"
    answer = content_id(canonical_bytes(estimate(FULL, BOOK)))
    assert answer == "4e66c302bd199579801761b916cf5767b539534d232d3a318b293b08a8aecef8"


def test_every_line_multiplies_out_and_says_where_its_price_came_from() -> None:
    answer = estimate(EXTENDED, EXTENDED_BOOK)

    assert not answer.lower_bound
    for line in answer.line_items:
        assert EXACT.multiply(line.pricing_quantity, line.list_unit_price) == line.list_cost
        assert EXACT.multiply(line.list_cost, line.fx_rate) == line.cost
    assert add(one.cost for one in answer.line_items) == answer.total
    assert {one.price.series for one in answer.prices} >= series_needed(EXTENDED)
    assert {one.formula for one in answer.line_items} >= {
        "data.growing_storage@1",
        "data.egress@1",
        "capital.gpus_used_up@1",
        "capital.colocation@1",
        "energy.in_window@1",
        "labelling.hours@1",
        "engineering.role_years@1",
        "engineering.beyond_salary@1",
    }


def test_a_growing_store_fills_its_tiers_as_it_grows() -> None:
    """Two copies of 20 TB, 4 TB more a month: 40 TB to 232 TB in 24 months, above 50 TB from the 1.25th month on."""
    low = D("1.25") * 45 + D("22.75") * 50
    whole = D(24) * (40 + 232) / 2
    assert quantity(EXTENDED, "data.storage.tier_1") == low
    assert quantity(EXTENDED, "data.storage.tier_2") == whole - low


def test_text_may_be_licensed_by_its_length() -> None:
    licensed = lines(estimate(EXTENDED, EXTENDED_BOOK))["data.licence_by_length"]
    assert (licensed.pricing_quantity, licensed.pricing_unit, licensed.list_cost) == (D(200), Unit.TOKENS_1M, D(150000))


def test_a_yearly_licence_is_paid_for_its_years() -> None:
    yearly = replace(EXTENDED, data=replace(EXTENDED.data, licence_years=D("2.5")))
    found = lines(estimate(yearly, EXTENDED_BOOK))["data.flat_licence"]
    assert (found.pricing_unit, found.list_cost) == (Unit.YEAR, D(625000))


def test_traffic_fills_its_tiers_anew_each_month() -> None:
    assert quantity(EXTENDED, "data.egress.tier_1") == D("0.1") * 24
    assert quantity(EXTENDED, "data.egress.tier_2") == D("11.9") * 24
    sent = lines(estimate(EXTENDED, EXTENDED_BOOK))["data.egress.tier_2"]
    assert (sent.list_unit_price, sent.pricing_unit) == (D(90), Unit.TB)


def test_one_price_of_traffic_and_of_a_store_that_is_kept_twice() -> None:
    data = DataPart(
        volume_tb=D(5), copies=D(2), months=D(3), storage_costs=looked_up(STORAGE),
        egress_tb_per_month=D(7), egress_price=stated("50"),
    )  # fmt: skip
    found = lines(estimate(Scenario(name="x", data=data), EXTENDED_BOOK))
    assert {name: one.list_cost for name, one in found.items()} == {"data.storage": D(690), "data.egress": D(1050)}


def test_roles_are_paid_as_far_as_they_are_filled_each_at_its_own_salary() -> None:
    found = lines(estimate(EXTENDED, EXTENDED_BOOK))
    work = {name: one.pricing_quantity for name, one in found.items() if name.startswith("engineering.salaries")}
    assert work == {
        "engineering.salaries.research": D(9),
        "engineering.salaries.support": D(1),
        "engineering.salaries.contract": D(2),
    }
    beyond = {name: one.pricing_quantity for name, one in found.items() if "beyond" in name}
    assert beyond == {
        "engineering.compensation_beyond_salary.research": D("3.8583"),
        "engineering.compensation_beyond_salary.support": D("0.4287"),
    }
    assert found["engineering.salaries.research"].list_unit_price == D(214670)


def test_engineers_and_roles_may_stand_side_by_side() -> None:
    both = replace(EXTENDED.engineering, engineers=D(2), average_annual_salary=stated("100000"))
    found = lines(estimate(replace(EXTENDED, engineering=both), EXTENDED_BOOK))
    assert found["engineering.salaries"].list_cost == 400000
    assert "engineering.salaries.research" in found


def test_labels_are_paid_by_the_label_or_by_the_hour() -> None:
    assert quantity(EXTENDED, "fine_tuning.human_labelling") == 310
    tuning = replace(EXTENDED.fine_tuning, minutes_per_label=None, labelling_hour_price=None, label_price=stated("0.5"))
    found = lines(estimate(replace(EXTENDED, fine_tuning=tuning), EXTENDED_BOOK))["fine_tuning.human_labelling"]
    assert (found.pricing_quantity, found.pricing_unit, found.list_cost) == (9300, Unit.LABEL, D(4650))


def test_own_hardware_costs_the_share_of_its_life_a_run_takes() -> None:
    """64 GPUs and a quarter of their price around them, for 500.4 of 8,760 x 0.7 hours, at 0.279729 of it a year."""
    found = lines(estimate(EXTENDED, EXTENDED_BOOK))
    assert float(found["training.own_hardware"].pricing_quantity) == pytest.approx(1.25 * 1.46094, rel=1e-5)
    assert float(found["training.colocation"].pricing_quantity) == pytest.approx(
        64 * 0.7 * 1.8 * 500.4 / 730 / 0.7, rel=1e-11
    )


def test_an_hour_on_own_hardware_costs_what_the_planner_says_of_it() -> None:
    """The same GPU, bought, with its electricity and its place in a data centre, in use 70 % of the time."""
    way = PlannedHardware(
        name="own",
        capital=D(40000),
        years=D(4),
        interest=D("0.08"),
        residual=D("0.1"),
        power_kw=D("1.26"),
        electricity=D("0.09"),
        colocation=D(130),
    )
    bought = OwnHardware(
        price_per_gpu=stated("32000"),
        system_factor=FactorInput(value=D("1.25")),
        service_years=D(4),
        interest=D("0.08"),
        residual_share=D("0.1"),
        busy_share=D("0.7"),
        colocation_price=stated("130"),
    )
    run = TrainingPart(
        gpus=D(1),
        hours=D(1),
        power_per_gpu_kw=D("0.7"),
        server_factor=FactorInput(value=D("1.8")),
        electricity_price=stated("0.09"),
        own_hardware=bought,
    )
    hour = estimate(Scenario(name="An hour", training=run), EXTENDED_BOOK).total
    assert float(hour) == pytest.approx(float(gpu_hour_cost(way, D("0.7"))), rel=1e-10)


def test_windows_hold_all_hours_of_a_run_and_the_first_that_fits_counts() -> None:
    """A week from Monday 01:00 in Berlin: 56 hours of night, 60 of work, the rest otherwise."""
    assert hours_by_window(BERLIN, D(168)) == [D(56), D(60), D(52)]
    overlapping = replace(BERLIN, windows=(WORK, replace(NIGHT, begins="18:00")))
    assert hours_by_window(overlapping, D(168)) == [D(60), D(74), D(34)]


@pytest.mark.parametrize(
    ("first_day", "hours", "night"),
    [
        ("2026-03-28T23:00", 23, 7),
        ("2026-10-24T22:00", 25, 9),
        ("2026-06-01T22:00", 24, 8),
    ],
    ids=["23 hours", "25 hours", "24 hours"],
)
def test_a_day_on_which_clocks_change_has_the_hours_it_has(first_day: str, hours: int, night: int) -> None:
    starts = datetime.fromisoformat(first_day).replace(tzinfo=UTC)
    tariff = replace(BERLIN, starts_at=starts, windows=(NIGHT,))
    assert hours_by_window(tariff, D(hours)) == [D(night), D(hours - night)]


def test_clocks_that_change_by_half_an_hour_are_followed_too() -> None:
    """Lord Howe Island, 2026-04-05: 02:00 becomes 01:30, so that the day has 24.5 hours."""
    lord_howe = replace(BERLIN, zone="Australia/Lord_Howe", starts_at=day("2026-04-04") + timedelta(hours=13))
    late = replace(NIGHT, begins="01:00", ends="02:00")
    assert hours_by_window(replace(lord_howe, windows=(late,)), D("24.5")) == [D("1.5"), D(23)]


def test_the_hours_of_the_windows_are_exactly_those_of_the_run() -> None:
    found = hours_by_window(BERLIN, D("500.4"))
    assert sum(found) == D("500.4")
    energy = [one for name, one in lines(estimate(EXTENDED, EXTENDED_BOOK)).items() if "electricity." in name]
    assert float(sum(one.pricing_quantity for one in energy)) == pytest.approx(0.7 * 0.75 * 64 * 500.4 * 1.8, rel=1e-11)


def test_every_input_of_a_line_has_a_place_in_the_scenario() -> None:
    places = dict(inputs_of(EXTENDED))
    assert places["engineering.roles.1.part_time"] == D("0.5")
    assert nearest(EXTENDED, "engineering.roles.0", "years") == ("engineering.years", D(2))
    assert nearest(EXTENDED, "engineering.roles.1", "years") == ("engineering.roles.1.years", D(1))
    assert nearest(EXTENDED, "training.own_hardware", "gpus") == ("training.gpus", D(64))
    assert nearest(EXTENDED, "data.storage_tiers.0", "up_to_tb") == ("data.storage_tiers.0.up_to_tb", None)
    assert value_at(EXTENDED, "engineering.roles.7.people") is None


@pytest.mark.parametrize(
    "place",
    [
        "data.volume_tb",
        "data.growth_tb_per_month",
        "data.egress_tb_per_month",
        "data.egress_tiers.1.price",
        "data.flat_licence",
        "data.licensed_million_tokens",
        "training.hours",
        "training.power_per_gpu_kw",
        "training.server_factor",
        "training.electricity_tariff.windows.0.price",
        "training.own_hardware.price_per_gpu",
        "training.own_hardware.interest",
        "training.own_hardware.system_factor",
        "training.own_hardware.busy_share",
        "training.own_hardware.colocation_price",
        "fine_tuning.labels",
        "fine_tuning.reviewed_share",
        "fine_tuning.labelling_hour_price",
        "engineering.years",
        "engineering.loading",
        "engineering.roles.0.people",
        "engineering.roles.0.ramp_up_years",
        "engineering.roles.1.salary",
        "engineering.roles.1.part_time",
    ],
)
def test_how_sure_you_are_of_any_input_reaches_the_total(place: str) -> None:
    shaken = replace(EXTENDED, spreads=(Spread(input=place, distribution="lognormal", relative_sd=D("0.05")),))
    found = band(estimate(shaken, EXTENDED_BOOK), Evidence(), seed=1, draws=200)
    assert [one.input for one in found.inputs] == [place]
    assert found.total.p10 < found.total.p90


def test_where_a_tier_begins_is_no_matter_of_chance() -> None:
    shaken = replace(
        EXTENDED, spreads=(Spread(input="data.storage_tiers.1.above_tb", distribution="lognormal", relative_sd=D(1)),)
    )
    with pytest.raises(Invalid, match="is no input of this scenario"):
        estimate(shaken, EXTENDED_BOOK)


@pytest.mark.parametrize(
    ("scenario", "prices", "causes"),
    [
        (EXTENDED, {"p90": "200000"}, {"staff"}),
        (EXTENDED, {"hourly": "25"}, {"staff"}),
        (EXTENDED, {"egress": "0.08", "s3": "0.02", "text": "700"}, {"data"}),
        (EXTENDED, {"US": "0.09"}, {"electricity"}),
        (EXTENDED, {"loading": "1.45"}, {"staff"}),
        (replace(EXTENDED, data=replace(EXTENDED.data, growth_tb_per_month=D(6))), {}, {"scope"}),
        (
            replace(EXTENDED, training=replace(EXTENDED.training, hours=D(600))),
            {"US": "0.09"},
            {"scope", "electricity"},
        ),
    ],
)
def test_what_moved_is_told_by_its_cause_to_the_last_digit(
    scenario: Scenario, prices: dict[str, str], causes: set[str]
) -> None:
    found = bridge(estimate(EXTENDED, EXTENDED_BOOK), estimate(scenario, book_of(**prices)))
    assert {one.cause for one in found.effects} == causes
    assert add(one.amount for one in found.effects) == found.difference
    assert add(one.difference for one in found.lines) == found.difference


def test_a_store_that_is_now_said_to_grow_is_more_scope_and_no_other_formula() -> None:
    still = Scenario(name="x", data=DataPart(volume_tb=D(5), months=D(12), storage_costs=stated("23")))
    growing = replace(still, data=replace(still.data, growth_tb_per_month=D(1)))
    found = bridge(estimate(still, BOOK), estimate(growing, BOOK))
    assert [(one.cause, one.amount) for one in found.effects] == [("scope", D(72 * 23))]


def test_a_tier_that_is_new_is_more_scope_beside_a_price_that_moved() -> None:
    """100 TB at 23: from 50 TB on they are now another tier, and what stays in the first costs 20."""
    first = Tier(price=looked_up(STORAGE))
    before = Scenario(name="x", data=DataPart(volume_tb=D(100), storage_tiers=(first,)))
    after = replace(before, data=replace(before.data, storage_tiers=(first, Tier(price=stated("10"), above_tb=D(50)))))
    found = bridge(estimate(before, EXTENDED_BOOK), estimate(after, book_of(s3="0.02")))
    assert found.difference == 50 * 20 + 50 * 10 - 100 * 23
    # The first tier is 100 TB at 23, then 50 at 20: half of what the price does is seen at each of the two sizes.
    assert {(one.cause, one.amount) for one in found.lines[0].effects} == {("scope", D(-1075)), ("data", D(-225))}


def test_prices_inside_roles_and_tiers_keep_their_currency_when_the_total_changes_its_own() -> None:
    dollars = in_currency(EXTENDED, "USD")
    assert value_at(dollars, "engineering.roles.2.salary").currency == "EUR"
    assert value_at(dollars, "data.storage_tiers.1.price").currency == "EUR"
    assert value_at(dollars, "training.electricity_tariff.windows.0.price").currency == "EUR"
    assert value_at(dollars, "engineering.roles.0.salary") == looked_up(P90)
    before, after = estimate(EXTENDED, EXTENDED_BOOK), estimate(dollars, EXTENDED_BOOK)
    assert float(after.total) == pytest.approx(float(before.total) * 1.1684, rel=1e-9)


def test_a_cost_history_says_of_every_line_what_an_estimate_says() -> None:
    later = day("2026-03-08")
    before, after = EXTENDED_BOOK, book_of(p90="200000", egress="0.08", loading="1.5", US="0.1")

    def timeline(series: str, first: Price, last: Price) -> Timeline:
        seen = [(day("2026-03-01"), first), *([(later, last)] if last.amount != first.amount else [])]
        return Timeline(
            series,
            tuple(
                Entry(valid_from=at, recorded_at=at, order=number, change="observed", price=one)
                for number, (at, one) in enumerate(seen)
            ),
        )

    past = Past(
        reading="known_now",
        known_at=NOW.known_at,
        timelines={name: timeline(name, one, after.prices[name]) for name, one in before.prices.items()},
        euro_rates={name: [timeline(one.series, one, one)] for name, one in before.euro_rates.items()},
        dollar_rates={},
    )
    points = list(cost_points(EXTENDED, past, [day("2026-03-05"), NOW.valid_at]))
    assert [one.total for one in points] == [estimate(EXTENDED, one).total for one in (before, after)]
    assert [one.parts for one in points] == [estimate(EXTENDED, one).parts for one in (before, after)]


def changed(part: str, **fields: object) -> Scenario:
    return replace(EXTENDED, **{part: replace(getattr(EXTENDED, part), **fields)})


def hardware(**fields: object) -> Scenario:
    return changed("training", own_hardware=replace(EXTENDED.training.own_hardware, **fields))


def tariff(**fields: object) -> Scenario:
    return changed("training", electricity_tariff=replace(BERLIN, **fields))


def role(**fields: object) -> Scenario:
    return changed("engineering", roles=(replace(EXTENDED.engineering.roles[0], **fields),))


@pytest.mark.parametrize(
    ("scenario", "field", "words"),
    [
        (changed("data", storage_costs=stated("1")), "data.storage_tiers", "either storage_costs or storage_tiers"),
        (changed("data", storage_tiers=()), "data.storage_tiers", "must be 1 to 20"),
        (
            changed("data", storage_tiers=(Tier(price=stated("1"), above_tb=D(1)),)),
            "data.storage_tiers.0.above_tb",
            "must be 0, for the first tier, not 1",
        ),
        (
            changed("data", egress_tiers=(Tier(price=stated("1")), Tier(price=stated("1")))),
            "data.egress_tiers.1.above_tb",
            "must be above the tier before, 0",
        ),
        (
            changed("data", licensed_million_tokens=None),
            "data.licensed_million_tokens",
            "is missing beside licence_per_million_tokens",
        ),
        (changed("data", egress_tiers=None), "data.egress_price", "is missing beside egress_tb_per_month"),
        (changed("data", egress_tb_per_month=None), "data.egress_tb_per_month", "is missing beside the price"),
        (changed("data", storage_tiers=None), "data.storage_costs", "is missing beside copies"),
        (
            changed("data", flat_licence=None, licence_years=D(1)),
            "data.flat_licence",
            "is missing beside licence_years",
        ),
        (
            hardware(system_factor=FactorInput(value=D("0.9"))),
            "training.own_hardware.system_factor.value",
            "must be 1 or more, not 0.9",
        ),
        (changed("data", growth_tb_per_month=D(-1)), "data.growth_tb_per_month", "must be a number from 0"),
        (changed("training", gpu_price=stated("2")), "training.own_hardware", "give gpu_price or own_hardware"),
        (hardware(busy_share=D("1.2")), "training.own_hardware.busy_share", "not 1.2; the nearest is 1"),
        (hardware(interest=D("1E-15")), "training.own_hardware.interest", "must be 0 or at least 0.000001"),
        (hardware(residual_share=D(2)), "training.own_hardware.residual_share", "must be 0 to 1"),
        (hardware(service_years=D("0.05")), "training.own_hardware.service_years", "which takes 0.0816 years"),
        (
            changed("training", power_per_gpu_kw=None, electricity_tariff=None),
            "training.power_per_gpu_kw",
            "is missing beside colocation_price",
        ),
        (
            changed("training", electricity_price=stated("1")),
            "training.electricity_tariff",
            "either electricity_price or electricity_tariff",
        ),
        (tariff(zone="Berlin"), "training.electricity_tariff.zone", "such as Europe/Berlin, not 'Berlin'"),
        (
            tariff(starts_at=BERLIN.starts_at.replace(tzinfo=None)),
            "training.electricity_tariff.starts_at",
            "must have an offset",
        ),
        (
            tariff(starts_at=BERLIN.starts_at.replace(minute=5)),
            "training.electricity_tariff.starts_at",
            "whole quarter-hour",
        ),
        (
            tariff(windows=(replace(NIGHT, ends="6:00"),)),
            "training.electricity_tariff.windows.0.ends",
            "such as 06:30, not '6:00'",
        ),
        (
            tariff(windows=(replace(NIGHT, begins="24:15"),)),
            "training.electricity_tariff.windows.0.begins",
            "must be a whole quarter-hour",
        ),
        (tariff(windows=(replace(NIGHT, days=()),)), "training.electricity_tariff.windows.0.days", "at least one of"),
        (tariff(windows=(NIGHT, NIGHT)), "training.electricity_tariff.windows.1.name", "night is there already"),
        (tariff(windows=()), "training.electricity_tariff.windows", "for one price use electricity_price"),
        (changed("training", hours=D(50_000)), "training.hours", "must be at most 43800"),
        (
            changed("fine_tuning", label_price=stated("1")),
            "fine_tuning.labelling_hour_price",
            "either label_price or labelling_hour_price",
        ),
        (changed("fine_tuning", minutes_per_label=None), "fine_tuning.minutes_per_label", "is missing beside"),
        (changed("fine_tuning", labels=D(0)), "fine_tuning.labels", "is missing beside labelling_hour_price"),
        (changed("fine_tuning", labels_per_item=D("0.5")), "fine_tuning.labels_per_item", "the nearest is 1"),
        (changed("engineering", roles=()), "engineering.engineers", "or give roles"),
        (changed("engineering", engineers=D(1)), "engineering.average_annual_salary", "is missing beside engineers"),
        (role(part_time=D("1.5")), "engineering.roles.0.part_time", "must be 0 to 1, not 1.5; the nearest is 1"),
        (role(loading=FactorInput(value=D("0.5"))), "engineering.roles.0.loading.value", "must be 1 or more"),
        (role(name="Research"), "engineering.roles.0.name", "must be 1 to 40 small letters"),
        (role(salary=stated("-1")), "engineering.roles.0.salary.amount", "must be a number from 0"),
    ],
)
def test_what_cannot_be_priced_is_named_by_its_place_with_what_would_work(
    scenario: Scenario, field: str, words: str
) -> None:
    with pytest.raises(Invalid) as caught:
        estimate(scenario, EXTENDED_BOOK)
    messages = {problem.field: problem.message for problem in caught.value.problems}
    assert words in messages[field]
