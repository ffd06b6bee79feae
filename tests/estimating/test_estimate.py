from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_sources.observation import Kind, Status
from pricing_sources.units import Unit
from service.domain.as_of import AsOf
from service.domain.canonical import canonical_bytes
from service.domain.estimate import Estimate
from service.domain.price_book import Citation, Price, PriceBook
from service.domain.quantities import EXACT, plain
from service.domain.scenario import (
    DataPart,
    EngineeringPart,
    FactorInput,
    FineTuningPart,
    InferencePart,
    PriceInput,
    Scenario,
    TrainingPart,
)
from service.errors import Invalid
from service.estimating.estimate import estimate, series_needed
from service.formulas.catalog import formula
from tests.conftest import day

NOW = AsOf(day("2026-03-10"), day("2026-03-10"))
D = Decimal


def price(series: str, amount: str, unit: Unit, currency: str | None = "USD", **more: object) -> Price:
    citation = Citation(
        source="x",
        publisher="X",
        licence="CC0-1.0",
        attribution="X",
        document_sha256="0" * 64,
        document_url="https://x.example",
        fetched_at=day("2026-03-01"),
        locator="1",
        published_amount=amount,
        published_unit="as published",
    )
    known = {"valid_from": day("2026-03-01"), "recorded_at": day("2026-03-02"), "checked_at": day("2026-03-02")}
    return Price(
        series=series,
        kind=Kind.RECORD,
        amount=D(amount),
        currency=currency,
        unit=unit,
        status=Status.FINAL,
        citation=citation,
        **(known | more),
    )


def book(*prices: Price) -> PriceBook:
    rates = {"USD": "1.1684", "GBP": "0.87058"}
    return PriceBook(
        NOW,
        {one.series: one for one in prices},
        {code: price(f"ecb/EUR/{code}", rate, Unit.EURO, code) for code, rate in rates.items()},
    )


GPU = price("cloud/h100", "2.50", Unit.GPU_HOUR, includes_power=True)
KWH = price("eia/US", "0.0826", Unit.KWH)
STORAGE = price("s3", "0.023", Unit.GB_MONTH)
SALARY = price("oews/mean", "148100", Unit.PERSON_YEAR)
LOADING = price("ecec/loading", "1.4287", Unit.RATIO, None)
BOOK = book(GPU, KWH, STORAGE, SALARY, LOADING)


def stated(amount: str, currency: str | None = None) -> PriceInput:
    return PriceInput(amount=D(amount), currency=currency)


def looked_up(price: Price) -> PriceInput:
    return PriceInput(series=price.series)


FULL = Scenario(
    name="Everything",
    currency="EUR",
    data=DataPart(volume_tb=D(5), licensing_fees=stated("100"), storage_costs=looked_up(STORAGE), months=D(12)),
    training=TrainingPart(
        gpus=D(8),
        hours=D("100.5"),
        power_per_gpu_kw=D("0.7"),
        electricity_price=looked_up(KWH),
        pue=FactorInput(value=D("1.25")),
    ),
    inference=InferencePart(
        users=D(1000),
        queries_per_user_per_day=D(5),
        days=D(30),
        input_tokens_per_query=D(500),
        input_token_price=stated("2"),
        output_tokens_per_query=D(300),
        output_token_price=stated("10", "GBP"),
    ),
    fine_tuning=FineTuningPart(
        gpus=D(8), hours=D(10), gpu_price=looked_up(GPU), labels=D(500), label_price=stated("0.5")
    ),
    engineering=EngineeringPart(
        engineers=D(3),
        average_annual_salary=looked_up(SALARY),
        years=D("0.5"),
        loading=FactorInput(series=LOADING.series),
    ),
)


def add(values: list[Decimal]) -> Decimal:
    total = D(0)
    for value in values:
        total = EXACT.add(total, value)
    return plain(total)


def test_every_line_multiplies_out_to_the_last_digit() -> None:
    answer = estimate(FULL, BOOK)

    assert len(answer.line_items) == 9
    for line in answer.line_items:
        assert EXACT.multiply(line.pricing_quantity, line.list_unit_price) == line.list_cost
        assert EXACT.multiply(line.list_cost, line.fx_rate) == line.cost
    assert add([line.cost for line in answer.line_items]) == answer.total == add([part.cost for part in answer.parts])
    assert not answer.lower_bound


def test_the_rate_of_every_conversion_is_shown_with_its_legs() -> None:
    rates = {rate.from_currency: rate for rate in estimate(FULL, BOOK).fx_rates}

    assert rates["USD"].rate == D("0.855871276960")
    assert [leg.series for leg in rates["USD"].legs] == ["ecb/EUR/USD"]
    assert [leg.series for leg in rates["GBP"].legs] == ["ecb/EUR/GBP"]


def test_a_currency_quoted_only_per_dollar_is_crossed_through_both_published_rates() -> None:
    taiwan = price("us_treasury/USD/TWD", "30.00", Unit.DOLLAR, "TWD")
    crossed = replace(BOOK, dollar_rates={"TWD": taiwan})
    rate = crossed.fx_rate("TWD", "EUR")
    assert (rate.rate, [leg.series for leg in rate.legs]) == (
        D("0.0285290425653"),
        ["us_treasury/USD/TWD", "ecb/EUR/USD"],
    )
    dollars = crossed.fx_rate("USD", "TWD")
    assert (dollars.rate, [leg.series for leg in dollars.legs]) == (D(30), ["ecb/EUR/USD", "us_treasury/USD/TWD"])
    assert "no reference rate for TWD" in BOOK.fx_rate("USD", "TWD").reason


def test_every_price_used_is_cited_once_with_its_age() -> None:
    used = estimate(FULL, BOOK).prices

    assert [one.price.series for one in used] == sorted(
        ["cloud/h100", "eia/US", "s3", "oews/mean", "ecec/loading", "ecb/EUR/USD", "ecb/EUR/GBP"]
    )
    assert {one.age_days for one in used} == {D("9.00")}


@pytest.mark.parametrize("part", ["data", "training", "inference", "fine_tuning", "engineering"])
def test_a_part_without_extensions_costs_what_the_mission_formula_says(part: str) -> None:
    published = {
        "data": DataPart(volume_tb=D(5), licensing_fees=stated("100"), storage_costs=stated("23")),
        "training": TrainingPart(gpus=D(8), hours=D(100), power_per_gpu_kw=D("0.7"), electricity_price=looked_up(KWH)),
        "inference": InferencePart(users=D(1000), queries_per_user_per_day=D(5), cost_per_query=stated("0.002")),
        "fine_tuning": FineTuningPart(
            gpus=D(8),
            hours=D(10),
            gpu_price=looked_up(GPU),
            new_data_tb=D(2),
            new_data_price=stated("50"),
            labels=D(100),
            label_price=stated("0.5"),
        ),
        "engineering": EngineeringPart(engineers=D(3), average_annual_salary=looked_up(SALARY), years=D(2)),
    }
    expected = {
        "data": ("data.cost", {"licensing_fees_per_tb": D(100), "storage_costs_per_tb": D(23), "volume_tb": D(5)}),
        "training": (
            "training.energy_cost",
            {"power_per_gpu_kw": D("0.7"), "gpus": D(8), "hours": D(100), "electricity_price": KWH.amount},
        ),
        "inference": (
            "inference.cost",
            {"cost_per_query": D("0.002"), "users": D(1000), "queries_per_user_per_day": D(5)},
        ),
        "fine_tuning": (
            "fine_tuning.cost",
            {"training_compute": 80 * GPU.amount, "new_data": D(100), "human_labelling": D(50)},
        ),
        "engineering": (
            "engineering.cost",
            {"engineers": D(3), "average_annual_salary": SALARY.amount, "years": D(2)},
        ),
    }
    formula_id, inputs = expected[part]
    answer = estimate(Scenario(name=part, **{part: published[part]}), BOOK)
    assert answer.total == formula(formula_id, 1).evaluate(inputs)


def test_loading_is_its_own_line_and_counted_once() -> None:
    engineering = replace(FULL, data=None, training=None, inference=None, fine_tuning=None, currency="USD")
    salaries, beyond = estimate(engineering, BOOK).line_items

    assert salaries.cost == D("222150")
    assert beyond.name == "compensation_beyond_salary"
    assert salaries.cost + beyond.cost == D("222150") * D("1.4287")


def test_a_price_per_gigabyte_month_buys_terabyte_months_and_says_so() -> None:
    answer = estimate(FULL, BOOK)
    storage = next(line for line in answer.line_items if line.name == "storage")

    assert (storage.pricing_quantity, storage.list_unit_price) == (D(60), D(23))
    assert "s3: one TB-Months counted as 1000 GB-Months" in [one.text for one in answer.assumptions]


def test_a_rented_hour_says_that_its_electricity_is_inside() -> None:
    texts = [one.text for one in estimate(FULL, BOOK).assumptions]
    assert "cloud/h100: the GPU-hour includes its electricity" in texts


def test_electricity_on_top_of_a_rented_hour_is_refused() -> None:
    twice = Scenario(
        name="Twice",
        training=TrainingPart(
            gpus=D(8), hours=D(1), gpu_price=looked_up(GPU), power_per_gpu_kw=D(1), electricity_price=looked_up(KWH)
        ),
    )
    with pytest.raises(Invalid, match=r"training\.electricity_price: a rented GPU-hour already includes"):
        estimate(twice, BOOK)


def test_a_missing_price_and_a_missing_rate_make_a_lower_bound_and_say_why() -> None:
    scenario = Scenario(
        name="Gaps",
        data=DataPart(volume_tb=D(1), licensing_fees=stated("5", "XAU"), storage_costs=PriceInput(series="no/such")),
        inference=InferencePart(users=D(1), queries_per_user_per_day=D(1), cost_per_query=stated("3")),
    )
    answer = estimate(scenario, BOOK)

    assert (answer.total, answer.lower_bound) == (D(3), True)
    assert [one.reason.reason for one in answer.unpriced] == [
        "no reference rate for XAU on or before that date",
        "no such series is recorded",
    ]
    assert [(part.part, part.cost, part.lower_bound) for part in answer.parts] == [
        ("data", D(0), True),
        ("inference", D(3), False),
    ]


@pytest.mark.parametrize(
    ("scenario", "field", "words"),
    [
        (Scenario(name="x"), "scenario", "has nothing to price"),
        (Scenario(name=" ", data=FULL.data), "name", "1 to 200 characters"),
        (replace(FULL, currency="usd"), "currency", "ISO 4217"),
        (replace(FULL, data=DataPart(volume_tb=D(-1), licensing_fees=stated("1"))), "data.volume_tb", "from 0 to 1e15"),
        (replace(FULL, data=DataPart(volume_tb=D(1))), "data", "give licensing_fees"),
        (replace(FULL, data=DataPart(volume_tb=D(1), licensing_fees=PriceInput())), "data.licensing_fees", "either"),
        (
            replace(FULL, data=DataPart(volume_tb=D("NaN"), licensing_fees=stated("1"))),
            "data.volume_tb",
            "must be a number",
        ),
        (
            replace(FULL, data=DataPart(volume_tb=D("0." + "1" * 60), licensing_fees=stated("1"))),
            "data.volume_tb",
            "at most 40 digits",
        ),
        (
            replace(FULL, data=DataPart(volume_tb=D(1), licensing_fees=PriceInput(series="x" * 301))),
            "data.licensing_fees.series",
            "1 to 300 characters",
        ),
        (replace(FULL, training=TrainingPart(gpus=D(1), hours=D(1))), "training", "give gpu_price"),
        (
            replace(FULL, training=replace(FULL.training, pue=FactorInput(value=D("0.9")))),
            "training.pue.value",
            "must be 1 or more",
        ),
        (
            replace(FULL, inference=InferencePart(users=D(1), queries_per_user_per_day=D(1))),
            "inference.cost_per_query",
            "is missing",
        ),
        (
            replace(FULL, fine_tuning=replace(FULL.fine_tuning, label_price=None)),
            "fine_tuning.label_price",
            "is missing beside labels",
        ),
    ],
)
def test_what_cannot_be_priced_is_named_by_its_field(scenario: Scenario, field: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        estimate(scenario, BOOK)
    messages = {problem.field: problem.message for problem in caught.value.problems}
    assert words in messages[field]


def test_all_problems_are_named_together() -> None:
    bad = Scenario(name="", currency="?", data=DataPart(volume_tb=D(-1)))
    with pytest.raises(Invalid) as caught:
        estimate(bad, BOOK)
    assert {problem.field for problem in caught.value.problems} == {"name", "currency", "data.volume_tb", "data"}


def test_a_series_of_another_unit_is_refused_with_both_units() -> None:
    wrong = Scenario(name="x", training=TrainingPart(gpus=D(1), hours=D(1), gpu_price=looked_up(KWH)))
    with pytest.raises(Invalid, match="eia/US is a price per kWh; a price per GPU-Hours is needed"):
        estimate(wrong, BOOK)


def test_the_price_of_a_whole_machine_is_not_taken_for_a_gpus() -> None:
    machine = price("azure/ND", "98.32", Unit.INSTANCE_HOUR)
    wrong = Scenario(name="x", training=TrainingPart(gpus=D(1), hours=D(1), gpu_price=looked_up(machine)))
    with pytest.raises(Invalid, match="its GPU count is not known"):
        estimate(wrong, book(machine))


def test_a_factor_without_a_value_is_an_error_not_a_one() -> None:
    part = replace(FULL.engineering, loading=FactorInput(series="no/such"))
    with pytest.raises(Invalid, match=r"engineering\.loading\.series: no/such: no such series"):
        estimate(replace(FULL, engineering=part), BOOK)


def test_only_the_series_a_scenario_names_are_needed() -> None:
    assert series_needed(FULL) == {"s3", "eia/US", "cloud/h100", "oews/mean", "ecec/loading"}


def test_the_same_scenario_and_book_give_the_same_bytes_in_any_order() -> None:
    shuffled = PriceBook(NOW, dict(reversed(list(BOOK.prices.items()))), dict(reversed(list(BOOK.euro_rates.items()))))
    assert canonical_bytes(estimate(FULL, BOOK)) == canonical_bytes(estimate(FULL, shuffled))


amounts = st.decimals(min_value="0.000001", max_value="100000", places=6)


@settings(max_examples=60)
@given(gpus=amounts, hours=amounts, unit_price=amounts, rate=amounts)
def test_whatever_is_multiplied_is_exact(gpus: Decimal, hours: Decimal, unit_price: Decimal, rate: Decimal) -> None:
    part = TrainingPart(gpus=gpus, hours=hours, gpu_price=PriceInput(amount=unit_price, currency="USD"))
    own = PriceBook(NOW, {}, {"USD": price("ecb/EUR/USD", str(rate), Unit.EURO, "USD")})
    answer: Estimate = estimate(Scenario(name="x", currency="EUR", training=part), own)

    [line] = answer.line_items
    assert EXACT.multiply(line.pricing_quantity, line.list_unit_price) == line.list_cost
    assert EXACT.multiply(line.list_cost, line.fx_rate) == line.cost == answer.total
    assert abs(line.pricing_quantity - gpus * hours) <= gpus * hours * D("1e-11")
