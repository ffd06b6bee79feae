"""A row that no reading speaks of is missed, whatever the shape of its document."""

import io
import json
import zipfile

import pytest

from pricing_sources.census import Census, census
from pricing_sources.errors import ShapeChanged


def js(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("document", "named", "expected"),
    [
        ({"rows": [{"p": 1}, {"p": 2}, {"p": 3}]}, ["/rows/0/p", "/rows/2"], Census(3, ("/rows/1",))),
        ({"rows": [{"p": 1, "q": 2}]}, ["/rows/0/p", "/rows/0/q"], Census(1, ())),
        ({"a": {"l": {"p": 1}, "w": {"p": 2}}}, ["/a/l/p"], Census(2, ("/a/w",))),
        ([{"pages": 1}, [{"v": 1}, {"v": 2}]], ["/1/0"], Census(2, ("/1/1",))),
        ([1, 2, 3], ["/0", "/1 over /2"], Census(3, ())),
    ],
    ids=["list", "two_prices_in_a_row", "object_that_is_a_list", "head_beside_the_rows", "figure_of_two_rows"],
)
def test_an_element_beside_the_rows_that_are_named_is_a_row(
    document: object, named: list[str], expected: Census
) -> None:
    assert census(js(document), named) == expected


@pytest.mark.parametrize(
    "document",
    [
        {"rows": [{"prices": {"a": 1}}], "page": {"number": 1}},
        {"rows": [{"prices": {"a": 1}, "constraint": {"since": 2}}]},
        {"rows": [{"prices": {"a": 1}, "tags": ["x"]}]},
    ],
)
def test_what_stands_beside_a_price_and_is_none_is_no_row(document: object) -> None:
    assert census(js(document), ["/rows/0/prices/a"]) == Census(1, ())


def test_a_group_without_rows_holds_none() -> None:
    groups = {"series": [{"id": "a", "data": [1]}, {"id": "b", "data": []}, {"id": "c", "data": [2]}]}
    assert census(js(groups), ["/series/0/data/0"]) == Census(2, ("/series/2",))


def test_a_name_with_a_slash_in_it_is_found_as_pointers_spell_it() -> None:
    rows = {"a/b": {"p": 1}, "c~d": {"p": 2}, "e": {"p": 3}}
    assert census(js({"rows": rows}), ["/rows/a~1b/p", "/rows/c~0d/p"]) == Census(3, ("/rows/e",))


def test_lines_are_counted_from_the_header_on() -> None:
    with_preamble = b'"Version","1"\n"Date","2"\n"sku","price","unit"\n"a","1","h"\n\n"b","2","h"\n"c","3","h"\n'
    assert census(with_preamble, ["line 4", "line 7, price"]) == Census(3, ("line 6",))
    assert census(b"sku,price\na,1\nb,2\n", ["line 3"]) == Census(2, ("line 2",))


def test_of_a_report_the_lines_with_figures_are_rows() -> None:
    report = b"C,NEMP\nI,T,PRICE,1,R\nD,T,PRICE,1,10\nD,T,PRICE,1,11\nC,END OF REPORT,6\n"
    assert census(report, ["line 3", "line 5"]) == Census(3, ("line 4",))


def packed(**members: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.csv", text)
    return made.getvalue()


def test_lines_are_counted_within_an_archive_and_within_each_of_its_members() -> None:
    assert census(packed(one="h\n1\n2\n"), ["line 2"]) == Census(2, ("line 3",))
    both = packed(one="h\n1\n2\n", two="h\n1\n")
    assert census(both, ["one.csv, line 2", "two.csv, line 2"]) == Census(3, ("one.csv, line 3",))


def test_elements_are_told_apart_by_number_or_by_attribute() -> None:
    market = b"<d><T><P/></T><T><P/><P/></T><T><P/></T></d>"
    assert census(market, ["T[1]/P[1]/position 1", "T[1]/P[1]/position 2", "T[2]/P[1]/position 1"]) == Census(
        5, ("T[2]/P[2]", "T[3]")
    )
    rates = b"<d><C time='1'><C currency='USD'/><C currency='JPY'/></C></d>"
    assert census(rates, ["C[@time='1']/C[@currency='USD']"]) == Census(2, ("C[@time='1']/C[@currency='JPY']",))


def test_a_place_in_no_known_form_is_a_row_of_its_own() -> None:
    assert census(b"{}", ["OEUN000000000000015113204", "OEUN000000000000015113204/2026"]) == Census(2, ())


def test_rows_of_a_document_that_cannot_be_read_are_not_counted() -> None:
    with pytest.raises(ShapeChanged):
        census(b"<html></html>", ["/rows/0"])
    with pytest.raises(ShapeChanged, match=r"no member 'two\.csv'"):
        census(packed(one="h\n1\n"), ["two.csv, line 2"])
