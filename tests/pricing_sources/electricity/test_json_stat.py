from decimal import Decimal
from typing import Any

import pytest

from pricing_sources.errors import ShapeChanged
from pricing_sources.protocols.json_stat import opened

TWO_BY_THREE: dict[str, Any] = {
    "version": "2.0",
    "class": "dataset",
    "id": ["geo", "time"],
    "size": [Decimal(2), Decimal(3)],
    "value": {"1": Decimal("0.1"), "3": Decimal("0.3")},
    "dimension": {
        "geo": {"category": {"index": {"FR": Decimal(1), "DE": Decimal(0)}, "label": {"DE": "Germany"}}},
        "time": {"category": {"index": ["2024", "2025", "2026"]}},
    },
}


def changed(**parts: Any) -> dict[str, Any]:
    return {**TWO_BY_THREE, **parts}


def cells(answer: Any) -> list[tuple[str, str, Any, str]]:
    return [(*cell.codes.values(), cell.value, cell.flags) for cell in opened(answer, ["time", "geo"]).cells()]


def test_the_last_dimension_runs_fastest_and_the_index_says_the_order() -> None:
    assert cells(TWO_BY_THREE) == [("DE", "2025", Decimal("0.1"), ""), ("FR", "2024", Decimal("0.3"), "")]
    assert [cell.locator for cell in opened(TWO_BY_THREE, []).cells()] == ["/value/1", "/value/3"]


def test_a_place_may_have_a_flag_and_no_figure() -> None:
    assert cells(changed(status={"1": "bp", "5": "c"})) == [
        ("DE", "2025", Decimal("0.1"), "bp"),
        ("FR", "2024", Decimal("0.3"), ""),
        ("FR", "2026", None, "c"),
    ]


def test_a_list_says_the_same_as_an_object_with_holes() -> None:
    listed = changed(value=[None, Decimal("0.1"), None, Decimal("0.3"), None, None])
    assert cells(listed) == cells(TWO_BY_THREE)


def test_one_text_as_status_holds_for_every_figure() -> None:
    assert [flags for *_, flags in cells(changed(status="e"))] == ["e", "e"]


def test_one_category_alone_needs_no_index() -> None:
    dimension = {**TWO_BY_THREE["dimension"], "geo": {"category": {"label": {"DE": "Germany"}}}}
    assert cells(changed(dimension=dimension, size=[1, 3], value={"2": Decimal(1)})) == [("DE", "2026", Decimal(1), "")]


def test_a_category_without_a_label_is_called_by_its_code() -> None:
    found = opened(TWO_BY_THREE, [])
    assert [found.label("geo", code) for code in found.dimensions["geo"]] == ["Germany", "FR"]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"version": "1.0"}, "a JSON-stat 2.0 dataset was expected"),
        ({"class": "collection"}, "a JSON-stat 2.0 dataset was expected"),
        ({"id": ["geo", "year"]}, "no dimension time; there are geo, year"),
        ({"id": ["geo", "geo"]}, "a dimension stands twice"),
        ({"id": [["geo"], "time"]}, "the names of dimensions were expected"),
        ({"size": [2]}, "a size for each of 2 dimensions was expected"),
        ({"size": [3, 3]}, "3 codes at positions 0, 1, 2… were expected (at /dimension/geo/category/index)"),
        ({"value": {"6": Decimal(1)}}, "'6' is no place in a table of 6"),
        ({"value": {"-1": Decimal(1)}}, "'-1' is no place in a table of 6"),
        ({"value": {"1": Decimal(1), "01": Decimal(2)}}, "the place 1 stands twice"),
        ({"value": [Decimal(1)]}, "1 entries where the sizes make 6"),
        ({"value": None}, "an object was expected, not NoneType (at /value)"),
        ({"status": {"1": Decimal(1)}}, "texts were expected (at /status)"),
        ({"dimension": {"geo": {}, "time": {}}}, "'category' is missing (at /dimension/geo)"),
    ],
)
def test_what_is_no_such_table_is_refused_with_the_place(parts: dict[str, Any], words: str) -> None:
    with pytest.raises(ShapeChanged) as caught:
        opened(changed(**parts), ["geo", "time"])
    assert words in str(caught.value)


@pytest.mark.parametrize("position", [Decimal(5), "1", True, None])
def test_a_position_that_leaves_a_hole_is_refused(position: Any) -> None:
    dimension = {**TWO_BY_THREE["dimension"], "geo": {"category": {"index": {"DE": Decimal(0), "FR": position}}}}
    with pytest.raises(ShapeChanged, match="2 codes at positions 0, 1, 2… were expected"):
        opened(changed(dimension=dimension), ["geo"])
