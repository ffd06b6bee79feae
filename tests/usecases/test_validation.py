"""Tables people bring to be validated: read strictly, refused with what is missing."""

import pytest

from service.domain.canonical import json_bytes
from service.errors import Invalid
from service.usecases.validation import NEEDED, TABLES, validate_predictions

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
