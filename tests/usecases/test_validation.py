"""Tables people bring to be validated: read strictly, refused with what is missing."""

import csv
import os
import re
from io import StringIO
from math import isfinite
from pathlib import Path

import pytest

from service.domain.canonical import json_bytes
from service.errors import Invalid
from service.estimating.accuracy.facts import published_facts
from service.estimating.accuracy.report import LEFT_OUT, PREDICTED
from service.usecases.validation import (
    HEADLINES,
    NEEDED,
    TABLES,
    summarise_validations,
    validate_predictions,
    validate_published,
)

TRAINING = """\
model,params_active_b,tokens_b,accelerator,accel_count,accel_hours,arch
LLaMA-65B, 65.2 ,1400,A100-80,2048,1022362,dense
a run without hours,7,1000,A100-80,512,,dense
"""


def test_a_table_is_predicted_row_by_row() -> None:
    made = validate_predictions("training", TRAINING)
    assert [one.name for one in made.outcomes] == ["LLaMA-65B on A100-80"]
    assert [one.name for one in made.not_predicted] == ["a run without hours on A100-80"]


def test_a_report_is_plain_json() -> None:
    assert json_bytes(validate_predictions("training", TRAINING)).startswith(b'{"accuracy":[')


def test_a_byte_order_mark_and_windows_line_ends_are_no_obstacle() -> None:
    text = "\ufeff" + TRAINING.replace("\n", "\r\n")
    assert len(validate_predictions("training", text).outcomes) == 1


@pytest.mark.parametrize("table", TABLES)
def test_every_missing_column_is_named(table: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate_predictions(table, "model\nany\n")
    assert [one.field for one in caught.value.problems] == [one for one in NEEDED[table] if one != "model"]


@pytest.mark.parametrize(
    ("table", "text", "says"),
    [
        ("trainin", TRAINING, "training"),
        ("training", "", "params_active_b"),
        ("training", TRAINING.partition("\n")[0], "no row"),
        ("training", TRAINING + "x,1,2,3,4,5,6,7,8\n", "line 4"),
        ("training", TRAINING + 'x,"unclosed', "CSV"),
    ],
    ids=["unknown table", "empty", "header only", "too many values", "open quote"],
)
def test_what_is_no_table_is_refused(table: str, text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        validate_predictions(table, text)


@pytest.mark.parametrize("value", ["1e308", "1e-300", "inf", "nan", "-1", "0"])
@pytest.mark.parametrize("table", TABLES)
def test_a_number_beyond_this_world_is_no_number(table: str, value: str) -> None:
    rows = [dict(row) for row in published_facts(table)[0][:4]]
    for number, column in enumerate(NEEDED[table][1:]):
        rows[number % 4][column] = value
    text = StringIO()
    written = csv.DictWriter(text, sorted({column for row in rows for column in row}))
    written.writeheader()
    written.writerows(rows)
    made = validate_predictions(table, text.getvalue())
    assert made.not_predicted
    assert all(isfinite(one.p90_error) for one in made.accuracy)


@pytest.mark.parametrize("table", TABLES)
def test_every_shipped_fact_names_its_page_its_day_and_its_terms(table: str) -> None:
    rows, sources = published_facts(table)
    assert 15 <= len(rows) == sum(one.rows for one in sources) <= 100
    for one in sources:
        assert one.url.startswith("https://")
        assert re.fullmatch(r"20\d\d(-\d\d){0,2}", one.published)
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", one.read_on)
        assert "attribution" in one.terms
        assert one.publisher
        assert one.title
    for row in rows:
        assert set(NEEDED[table]) <= set(row)
        assert row["source"] in {one.url for one in sources}
        assert row["date"] != ""
    assert len({tuple(row.values()) for row in rows}) == len(rows)


@pytest.mark.parametrize("table", TABLES)
def test_the_shipped_facts_are_predicted_and_beat_the_rules_of_thumb(table: str) -> None:
    made = validate_published(table)
    assert made.sources
    assert all(one.name for one in made.not_predicted)
    assert len(made.not_predicted) <= len(made.outcomes) // 10
    errors = {(one.group, one.method): one.median_error for one in made.accuracy}
    most = {"training": 0.22, "mfu": 0.15, "inference": 0.18, "epoch": 0.05}[table]
    baseline = {
        "training": "6 N D at 40 % of peak",
        "mfu": "40 % of peak",
        "inference": "textbook efficiencies 0.8 / 0.5 / 0.4",
        "epoch": "straight line over 4 years",
    }[table]
    group = HEADLINES[table][-1]
    assert errors[group, PREDICTED] <= most
    assert errors[group, PREDICTED] < errors[group, baseline]
    if table != "epoch":
        assert errors[group, LEFT_OUT] < errors[group, baseline]


def test_the_summary_has_the_headlines_of_every_table_and_all_sources() -> None:
    made = summarise_validations()
    assert set(made.accuracy) == set(made.not_predicted) == set(TABLES)
    for table, lines in made.accuracy.items():
        assert {one.group for one in lines} == set(HEADLINES[table])
        assert set(lines) <= set(validate_published(table).accuracy)
    assert len(made.sources) == sum(len(published_facts(table)[1]) for table in TABLES)


def test_an_unknown_table_is_answered_with_the_nearest() -> None:
    with pytest.raises(Invalid, match="there is training"):
        validate_published("trainin")


FILES = {
    "training": ("training_runs.csv", ("model", "accelerator", "accel_hours")),
    "mfu": ("mfu_benchmarks.csv", ("model", "gpu", "n_gpu", "precision", "seq_len")),
    "inference": ("inference.csv", ("model", "accelerator", "n_accel", "isl", "osl", "concurrency")),
    "epoch": ("epoch_costs.csv", ("model", "chip_hours")),
}


@pytest.mark.parametrize("table", TABLES)
def test_the_shipped_facts_are_those_of_the_wider_table(table: str) -> None:
    folder = os.environ.get("COSTPLAN_TRUTH")  # noqa: TID251  tests only
    if not folder:
        pytest.skip("COSTPLAN_TRUTH is not set")
    name, key = FILES[table]
    with (Path(folder) / name).open(encoding="utf-8", newline="") as opened:
        wider = list(csv.DictReader(opened))
    rows, _ = published_facts(table)
    for row in rows:
        near = [one for one in wider if all(same(one[column], row.get(column, "")) for column in key)]
        own = {"source", "source_group", "date", "scenario", "engine"}
        shared = [column for column in row if column not in own and column in wider[0]]
        assert any(all(same(one[column], row[column]) for column in shared) for one in near), row


def same(one: str, other: str) -> bool:
    try:
        return float(one) == pytest.approx(float(other))
    except ValueError:
        return one == other
