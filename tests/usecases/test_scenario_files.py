"""Scenarios as people write them: every digit kept, every slip named, nothing built from a bomb."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import pytest
from pydantic import TypeAdapter, ValidationError

from service.domain.scenario import DataPart, PriceInput, Scenario
from service.errors import Invalid
from service.usecases.field_problems import invalid_from
from service.usecases.scenario_files import LARGEST, in_currency, read_scenario


def problems(text: str) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        read_scenario(text)
    return {problem.field: problem.message for problem in refused.value.problems}


def test_numbers_in_yaml_keep_the_digits_they_were_written_with() -> None:
    scenario = read_scenario("name: x\ndata: {volume_tb: 2.50, licensing_fees: {amount: 0.1000}}")
    assert str(scenario.data.volume_tb) == "2.50"
    assert str(scenario.data.licensing_fees.amount) == "0.1000"


def test_numbers_in_json_keep_the_digits_they_were_written_with() -> None:
    scenario = read_scenario('{"name": "x", "data": {"volume_tb": 2.50, "licensing_fees": {"amount": "0.1000"}}}')
    assert str(scenario.data.volume_tb) == "2.50"
    assert str(scenario.data.licensing_fees.amount) == "0.1000"


def test_json_and_yaml_of_the_same_scenario_are_the_same_scenario() -> None:
    from_json = read_scenario(
        '{\n\t"name": "caf\\u00e9 \\ud83d\\ude00",\n\t"data": {"volume_tb": 2, "months": null}\n}'
    )
    assert from_json == read_scenario('name: "café 😀"\ndata:\n  volume_tb: 2\n  months:\n')
    assert from_json == Scenario(name="café 😀", data=DataPart(volume_tb=Decimal(2)))


@pytest.mark.parametrize("blank", ["", "~", "null", "NULL"])
def test_an_empty_value_is_a_field_left_out(blank: str) -> None:
    assert read_scenario(f"name: x\ntraining: {blank}\ndata: {{volume_tb: 1}}").training is None


def test_a_quoted_null_is_a_name_like_any_other() -> None:
    assert read_scenario("name: 'null'\ndata: {volume_tb: 1}").name == "null"


def test_a_year_is_text_where_text_is_asked_for() -> None:
    assert read_scenario("name: 2026\ndata: {volume_tb: 1}").name == "2026"


def test_every_wrong_field_is_named_at_once() -> None:
    text = "name: x\ntraning: {}\ntraining: {gpus: eight, hourss: 3}\nengineering: 5\n"
    assert problems(text) == {
        "traning": "is not a field; did you mean training?",
        "training.gpus": "must be a number, not 'eight'",
        "training.hours": "is missing",
        "training.hourss": "is not a field; did you mean hours?",
        "engineering": "must be a mapping with engineers, average_annual_salary, years, loading, roles, not '5'",
    }


def test_a_price_without_its_mapping_says_what_a_price_is() -> None:
    found = problems("name: x\ntraining: {gpus: 8, hours: 1, gpu_price: 2.50}")
    assert found == {"training.gpu_price": "must be a mapping with series, amount, currency, not '2.50'"}


@pytest.mark.parametrize("number", ["true", "[1]", '{"a": 1}', '""'])
def test_what_is_no_number_in_json_is_refused(number: str) -> None:
    assert list(problems(f'{{"name": "x", "data": {{"volume_tb": {number}}}}}')) == ["data.volume_tb"]


def test_a_refused_value_is_shortened() -> None:
    assert len(problems(f"name: x\ndata: {{volume_tb: {'z' * 5000}}}")["data.volume_tb"]) < 100


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a mapping with a name"),
        ("- name: x", "must be a mapping with a name"),
        ("name: x\nname: y", "line 2 column 1: 'name' is given twice"),
        ("name: x\ndata: {volume_tb: 1, volume_tb: 2}", "line 2 column 22: 'volume_tb' is given twice"),
        ('{"name": "x", "name": "y"}', "'name' stands twice"),
        ("name: &a x", "line 1 column 7: anchors and aliases are not used"),
        ("name: x\ndata: *a", "line 2 column 7: anchors and aliases are not used"),
        ("name: !!python/object:os.system x", "are not used here"),
        ("name: !!str x", "are not used here"),
        ("? [a]\n: b", "the name of a field must be text"),
        ("name: x\n---\nname: y", "is not YAML or JSON: line 2"),
        ("name: [", "is not YAML or JSON: line 1"),
        ('{"name":', "is not YAML or JSON: not JSON"),
        ('{"name": NaN}', "is not YAML or JSON"),
        ("name: \udcff", "is not UTF-8 text"),
        ('{"name": "\\ud800"}', "half a character"),
        ("a: " + "[" * 5000, "is nested too deeply"),
        ("{" + '"a":{' * 5000, "nested too deeply"),
        ("#" * (LARGEST + 1), "bytes long"),
        ("#" + "é" * (LARGEST // 2), "bytes long"),
    ],
)
def test_what_is_no_scenario_is_refused_in_a_sentence(text: str, message: str) -> None:
    assert message in problems(text)["scenario"]


def test_an_explosion_of_aliases_is_refused_before_it_is_built() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    assert "aliases" in problems("\n".join(lines))["scenario"]


@pytest.mark.parametrize("name", ['"a\\0b"', '"a\\eb"', '"\\ud800"'])
def test_a_name_no_database_could_keep_is_refused(name: str) -> None:
    assert "control characters" in problems(f"name: {name}\ndata: {{volume_tb: 1}}")["name"]


def test_another_currency_of_the_totals_does_not_change_what_a_stated_price_is_in() -> None:
    scenario = read_scenario(
        "name: x\ncurrency: USD\n"
        "data: {volume_tb: 1, licensing_fees: {amount: 10}, storage_costs: {amount: 2, currency: GBP}}\n"
        "training: {gpus: 1, hours: 1, gpu_price: {series: a/b}}\n"
    )
    changed = in_currency(scenario, "EUR")
    assert changed.currency == "EUR"
    assert changed.data.licensing_fees == PriceInput(amount=Decimal(10), currency="USD")
    assert changed.data.storage_costs == PriceInput(amount=Decimal(2), currency="GBP")
    assert changed.training == scenario.training


def test_problems_are_named_for_any_dataclass_a_door_asks_for() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Asked:
        __pydantic_config__: ClassVar = {"extra": "forbid"}
        scenario: Scenario | None = None

    with pytest.raises(ValidationError) as wrong:
        TypeAdapter(Asked).validate_python({"scenario": {"name": "x", "data": {"volume": "1"}}, "scenaro": 1})
    found = {one.field: one.message for one in invalid_from(wrong.value.errors(), Asked).problems}
    assert found["scenaro"] == "is not a field; did you mean scenario?"
    assert found["scenario.data.volume"] == "is not a field; did you mean volume_tb?"


def test_slips_inside_roles_tiers_and_tariffs_are_named_by_their_place() -> None:
    text = """
    name: x
    data: {volume_tb: 1, storage_tiers: 5}
    training:
      gpus: 1
      hours: 1
      own_hardware: {price_per_gpu: 5}
      electricity_tariff:
        zone: UTC
        starts_at: soon
        windows: [{name: night, price: {amount: 1}, days: [monday]}]
        otherwise: {amount: 1}
    engineering:
      years: 1
      roles: [{name: a, peple: 3, salary: {amount: 5}}]
    """
    with pytest.raises(Invalid) as caught:
        read_scenario(text)
    messages = {problem.field: problem.message for problem in caught.value.problems}
    assert messages == {
        "data.storage_tiers": "must be a list, not '5'",
        "training.electricity_tariff.starts_at": "must be a time such as 2026-01-31T00:00:00Z, not 'soon'",
        "training.electricity_tariff.windows.0.days.0": (
            "must be 'mon', 'tue', 'wed', 'thu', 'fri', 'sat' or 'sun', not 'monday'"
        ),
        "training.own_hardware.price_per_gpu": "must be a mapping with series, amount, currency, not '5'",
        "training.own_hardware.service_years": "is missing",
        "engineering.roles.0.people": "is missing",
        "engineering.roles.0.peple": "is not a field; did you mean people?",
    }
