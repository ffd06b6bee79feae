"""The bundled records: every input of the five formulas, each with its page."""

import re
import tomllib
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest

from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import (
    ElectricitySeries,
    FxSeries,
    GpuSeries,
    Observation,
    PricingCategory,
    RecordSeries,
    SalarySeries,
    Status,
)
from pricing_sources.records.baseline import SOURCE
from pricing_sources.screening import screened
from pricing_sources.source import Document, FetchRequest
from pricing_sources.transport import Reply
from pricing_sources.units import Unit

LEVELS = ("low", "central", "high")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

ONE = """
records = 1

[[fx]]
quote_currency = "USD"
amount = "1.1684"
currency = "USD"
unit = "EUR"
since = 2026-04-13
published_amount = "1.1684"
published_unit = "USD per EUR"
url = "https://example.org/rates"
read_on = 2026-04-14
"""


class Offline:
    """A transport that must not be asked."""

    def get(self, url: str, **_: object) -> Reply:
        raise AssertionError(url)

    def post_json(self, url: str, payload: object, **_: object) -> Reply:
        raise AssertionError((url, payload))


def packaged() -> Document:
    [document] = SOURCE.fetch(Offline(), FetchRequest(url=SOURCE.info.url, now=NOW))
    return document


def read(text: str) -> list[Observation]:
    document = Document(source_id="baseline", url=SOURCE.info.url, body=text.encode(), fetched_at=NOW)
    return [each for each in SOURCE.parse(document) if isinstance(each, Observation)]


def figures(record: Observation) -> list[Decimal]:
    """The numbers in the published words."""
    return [Decimal(number) for number in re.findall(r"\d+(?:\.\d+)?", record.published_amount)]


def millions(record: Observation) -> int:
    """What a published figure counts in."""
    return 1_000_000 if record.published_unit.startswith("million USD") else 1


@pytest.fixture(scope="module")
def records() -> list[Observation]:
    return [each for each in SOURCE.parse(packaged()) if isinstance(each, Observation)]


@pytest.fixture(scope="module")
def written() -> list[dict[str, Any]]:
    content = tomllib.loads(files("pricing_sources.records").joinpath("baseline.toml").read_text())
    del content["records"]
    return [record for table in content.values() for record in table]


def test_the_packaged_file_is_read_without_a_network() -> None:
    document = packaged()
    assert (document.url, document.fetched_at) == ("package:pricing_sources/records/baseline.toml", NOW)
    assert SOURCE.info.bundled


def test_every_record_is_manual_cites_a_page_and_is_above_zero(records: list[Observation]) -> None:
    assert len(records) >= 60
    for record in records:
        assert record.status is Status.MANUAL
        assert record.reference_url.startswith("http")
        assert record.amount > 0
        assert record.note.startswith("Read on 20")


def test_no_record_is_from_after_the_day_it_was_read_or_was_read_after_today(written: list[dict[str, Any]]) -> None:
    for record in written:
        since = record["since"].date() if isinstance(record["since"], datetime) else record["since"]
        assert since <= record["read_on"] <= date(2026, 11, 23)


def test_no_series_has_two_records_of_one_day(records: list[Observation]) -> None:
    assert [
        key for key, count in Counter((each.series.key, each.valid_from) for each in records).items() if count > 1
    ] == []


def test_every_record_is_plausible(records: list[Observation]) -> None:
    assert list(screened(records, SOURCE.info.plausible)) == records


def test_every_band_is_used(records: list[Observation]) -> None:
    assert {record.unit for record in records} == set(SOURCE.info.plausible)


def test_money_has_a_currency_and_a_ratio_or_a_power_has_none(records: list[Observation]) -> None:
    for record in records:
        assert (record.currency is None) == (record.unit in (Unit.RATIO, Unit.KW)), record.series.key


def test_the_records_cover_every_input_of_the_formulas(records: list[Observation]) -> None:
    keys = {record.series.key for record in records}
    assert {
        "baseline/p5.48xlarge/us-east-1/on_demand",
        "baseline/US/industrial/retail_average",
        "baseline/US/commercial/retail_average",
        "baseline/15-1252/US/mean",
        "baseline/loading/us_private_industry",
        "baseline/pue/survey_average",
        "baseline/server_factor/h100",
        "baseline/gpu_power/h100_sxm",
        "baseline/average_draw/gpu",
        "baseline/storage/aws_s3_standard",
        "baseline/labelling/preference_pair_generalist/low",
        "baseline/labelling/preference_pair_generalist/high",
        "baseline/labelling/preference_pair_expert/central",
        "baseline/data_licensing/news_publisher_offer/low",
        "baseline/data_licensing/publisher_deal/central",
        "baseline/data_licensing/text",
        "baseline/server_power/h100_8_gpu_server/rated",
        "baseline/gpu_purchase/h100_sxm",
        "baseline/storage/cloudflare_r2_standard",
        "baseline/storage/backblaze_b2",
        "baseline/egress/backblaze_b2",
        "baseline/llm_api/anthropic_claude_opus_5/input",
        "baseline/llm_api/anthropic_claude_opus_5/output",
    } <= keys


def test_ten_currencies_or_more_have_a_euro_rate(records: list[Observation]) -> None:
    quoted = {each.series.quote_currency: each for each in records if isinstance(each.series, FxSeries)}
    assert len(quoted) >= 10
    assert quoted["USD"].amount == Decimal("1.1684")
    assert quoted["USD"].valid_from == datetime(2026, 4, 13, 14, tzinfo=UTC), "16:00 in Frankfurt, not before"
    assert all(each.unit is Unit.EURO and each.currency == currency for currency, each in quoted.items())


def test_the_price_of_a_machine_is_the_price_of_its_gpus(records: list[Observation]) -> None:
    for record in records:
        if isinstance(record.series, GpuSeries):
            assert record.series.gpu_count is not None
            assert record.amount * record.series.gpu_count == Decimal(record.published_amount), record.series.key


def test_an_h100_of_aws_fell_from_12_29_to_6_88(records: list[Observation]) -> None:
    history = [each for each in records if each.series.key == "baseline/p5.48xlarge/us-east-1/on_demand"]
    assert [(each.valid_from.date(), each.amount) for each in history] == [
        (date(2023, 9, 18), Decimal("12.29")),
        (date(2025, 6, 23), Decimal("6.88")),
    ]
    assert isinstance(history[1].series, GpuSeries)
    assert history[1].series.includes_power
    assert history[1].series.pricing_category is PricingCategory.STANDARD


def test_cents_per_kwh_became_dollars(records: list[Observation]) -> None:
    for record in records:
        if isinstance(record.series, ElectricitySeries):
            assert record.published_unit == "Cents/kWh"
            assert record.amount * 100 == Decimal(record.published_amount)


def test_watts_became_kilowatts(records: list[Observation]) -> None:
    for record in records:
        if record.unit is Unit.KW:
            watts = 1000 if record.published_unit.startswith("W,") else 1
            assert [record.amount * watts] == figures(record)


def test_percents_became_ratios(records: list[Observation]) -> None:
    percents = [each for each in records if each.published_unit.startswith("%")]
    assert [each.series.key for each in percents] == ["baseline/average_draw/h100_8_gpu_server"]
    assert all([each.amount * 100] == figures(each) for each in percents)


def test_a_quotient_is_what_its_two_figures_give(records: list[Observation]) -> None:
    quotients = [each for each in records if " / " in each.published_amount]
    assert len(quotients) == 6
    for each in quotients:
        above, below = figures(each)
        assert abs(each.amount - above / below * millions(each)) < Decimal("1e-11"), each.series.key


def test_a_loading_is_total_compensation_over_wages(records: list[Observation]) -> None:
    loadings = [each for each in records if each.series.key == "baseline/loading/us_private_industry"]
    assert [round(each.amount, 4) for each in loadings] == [Decimal("1.4163"), Decimal("1.4234"), Decimal("1.4287")]


def test_text_sold_by_the_word_became_tokens_at_three_words_in_four(records: list[Observation]) -> None:
    [text] = [each for each in records if each.series.key == "baseline/data_licensing/text"]
    assert (text.unit, text.amount) == (Unit.TOKENS_1M, figures(text)[0] * 750_000)
    assert "0.75 English words a token" in text.note


def test_every_other_figure_is_the_published_one(records: list[Observation]) -> None:
    """Nothing is retyped wrong: the amount stands in the published words, but for the conversions tested by name."""
    converted = {Unit.KW, Unit.KWH, Unit.GPU_HOUR, Unit.GPU}
    for record in records:
        derived = " / " in record.published_amount or record.published_unit.startswith(("%", "USD per word"))
        if record.unit not in converted and not derived:
            assert record.amount in [each * millions(record) for each in figures(record)], record.series.key


def test_a_gpu_bought_alone_costs_what_is_published_and_one_of_a_system_its_share(records: list[Observation]) -> None:
    bought = [each for each in records if each.unit is Unit.GPU]
    shares = [each for each in bought if re.match(r"USD per (DGX|HGX|kit) of 8 GPUs", each.published_unit)]
    assert len(shares) == 10
    assert all([each.amount * 8] == figures(each) for each in shares)
    assert all(each.amount in figures(each) for each in bought if each not in shares)


def test_the_level_of_a_range_is_its_end(records: list[Observation]) -> None:
    ranges = [each for each in records if " to " in each.published_amount]
    assert len(ranges) == 18
    for record in ranges:
        assert isinstance(record.series, RecordSeries)
        low, high = (each * millions(record) for each in figures(record))
        assert record.amount == {"low": low, "high": high}[record.series.variant]


def test_low_is_not_above_central_nor_central_above_high(records: list[Observation]) -> None:
    levels: dict[tuple[str, str], dict[str, Decimal]] = {}
    for record in records:
        if isinstance(record.series, RecordSeries) and record.series.variant in LEVELS:
            levels.setdefault((record.series.topic, record.series.name), {})[record.series.variant] = record.amount
    assert levels["labelling", "preference_pair_expert"] == {"low": 15, "central": 25, "high": 50}
    for name, found in levels.items():
        ordered = [found[level] for level in LEVELS if level in found]
        assert ordered == sorted(ordered), name


def test_an_h100_server_draws_less_than_its_plate_says(records: list[Observation]) -> None:
    server = {each.series.key.rpartition("/")[2]: each.amount for each in records if "h100_8_gpu" in each.series.key}
    assert server["measured_maximum"] / 8 < server["rated"] / 8 == Decimal("1.275")
    factor = {each.series.key: each.amount for each in records if "/server_factor/" in each.series.key}
    assert factor["baseline/server_factor/h100_measured"] * Decimal("0.7") * 8 == server["measured_maximum"]
    assert factor["baseline/server_factor/h100"] == round(server["rated"] / 8 / Decimal("0.7"), 2)


def test_a_developer_earns_more_each_year(records: list[Observation]) -> None:
    means = [each for each in records if each.series.key == "baseline/15-1252/US/mean"]
    assert [(each.vintage, each.amount) for each in means] == [("2024", Decimal(144_570)), ("2025", Decimal(148_100))]
    assert all(isinstance(each.series, SalarySeries) and each.unit is Unit.PERSON_YEAR for each in means)


def test_a_record_says_where_and_when_it_was_read() -> None:
    [only] = read(ONE)
    assert only.reference_url == "https://example.org/rates"
    assert (only.note, only.locator) == ("Read on 2026-04-14.", "/fx/0")
    assert (only.valid_from, only.dated) == (datetime(2026, 4, 13, tzinfo=UTC), True)


def test_a_record_may_hold_from_an_hour_on() -> None:
    [only] = read(ONE.replace("since = 2026-04-13", "since = 2026-04-13T16:00:00+02:00"))
    assert only.valid_from == datetime(2026, 4, 13, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ('amount = "1.1684"\ncurr', "curr", r"amount is missing \(at /fx/0\)"),
        ('amount = "1.1684"\ncurr', "amount = 1.1684\ncurr", "amount is 1.1684; str was expected"),
        ('amount = "1.1684"\ncurr', 'amount = "1,16"\ncurr', "not a plain decimal"),
        ('amount = "1.1684"\ncurr', 'amount = "0"\ncurr', "a number above zero was expected"),
        ('unit = "EUR"', 'unit = "Euros"', "'Euros' is no unit"),
        ('"USD"\nunit', '"dollar"\nunit', "ISO 4217"),
        ("since = 2026-04-13", 'since = "2026-04-13"', "date was expected"),
        ("since = 2026-04-13", "since = 2026-04-13T00:00:00", "a time needs its offset"),
        ("since = 2026-04-13", "since = 2026-04-15", "after the day it was read"),
        ('url = "https://', 'url = "', "no address of a page"),
        ("read_on = 2026-04-14\n", "", r"read_on is missing \(at /fx/0\)"),
        ("read_on", 'vintge = "2026"\nread_on', "unknown fields vintge"),
        ("records = 1\n", "", "number of records"),
        ("records = 1", "records = 2", "1 records where the file says 2"),
        ("[[fx]]", "[fx]", "one of the lists"),
        ("[[fx]]", "[[exchange]]", "one of the lists gpu, electricity, salary, fx, record"),
    ],
)
def test_a_record_that_is_not_whole_is_refused_with_its_place(before: str, after: str, place: str) -> None:
    assert before in ONE
    with pytest.raises(ShapeChanged, match=place):
        read(ONE.replace(before, after))
