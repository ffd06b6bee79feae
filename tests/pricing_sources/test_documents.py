import io
import zipfile
from decimal import Decimal

import pytest

from pricing_sources.documents import (
    decimal_text,
    exact_csv,
    exact_json,
    exact_xml,
    number_of,
    required,
    sheet,
    unzipped,
)
from pricing_sources.errors import ShapeChanged


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name.replace("_", "."), body)
    return out.getvalue()


def test_every_number_of_json_is_exact() -> None:
    assert exact_json(b'\xef\xbb\xbf{"a": 0.1234567890123456789, "b": 20, "c": [1e-9]}') == {
        "a": Decimal("0.1234567890123456789"),
        "b": Decimal(20),
        "c": [Decimal("1e-9")],
    }


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty document where JSON was expected"),
        (b"  <!DOCTYPE html><html>", "an HTML page where JSON was expected"),
        (b'{"a": ', "not JSON: Expecting value .at line 1 column"),
        (b'{"a": NaN}', "NaN where a number was expected"),
        (b'{"a": -Infinity}', "-Infinity where a number"),
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 5_000, "a number of 5000 digits"),
        ('{"a": "é"}'.encode("latin-1"), "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
    ],
)
def test_what_is_not_a_json_document_is_refused_with_the_place(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=words):
        exact_json(body)


def test_csv_rows_come_trimmed_and_without_the_empty_last_column() -> None:
    rows = list(exact_csv(b"Date, USD, JPY, \r\n13 April 2026, 1.1684, 186.75, \r\n\r\n"))
    assert rows == [{"Date": "13 April 2026", "USD": "1.1684", "JPY": "186.75"}]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html></html>", "an HTML page"),
        (b"\n", "an empty document"),
        (b"a,b\n1\n", "1 cells where the header has 2 .at line 2"),
        (b'a,b\n"1,2\n', "not CSV"),
        (b"a,b\n1,\xff\n", "not utf-8 text"),
        (b"a\n" + b"x" * 1_100_000, "not CSV: field larger than field limit"),
    ],
)
def test_what_is_not_a_csv_document_is_refused_with_the_place(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=words):
        list(exact_csv(body))


def test_xml_with_entities_is_refused_before_it_is_parsed() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE z [<!ENTITY a "aaaa">]><z>&a;</z>'
    with pytest.raises(ShapeChanged, match="entities"):
        exact_xml(bomb)
    with pytest.raises(ShapeChanged, match=r"not XML: .* .at line 1"):
        exact_xml(b"<a><b></a>")
    assert exact_xml(b"<a b='1'/>").attrib == {"b": "1"}


def test_an_archive_is_read_through_and_its_bounds_hold() -> None:
    assert unzipped(zipped(a_csv=b"x,y", b_txt=b"no"), member_suffix=".csv") == b"x,y"
    big = zipped(a_csv=bytes(20_000_000))
    with pytest.raises(ShapeChanged, match="over 1000000 bytes"):
        unzipped(big, member_suffix=".csv", max_bytes=1_000_000)
    with pytest.raises(ShapeChanged, match="over 300 times its size"):
        unzipped(big, member_suffix=".csv")


@pytest.mark.parametrize("body", [b"PK\x03\x04", zipped(a_csv=b"x" * 1000)[:-60], zipped(a_txt=b"x")])
def test_a_broken_archive_is_refused(body: bytes) -> None:
    with pytest.raises(ShapeChanged):
        unzipped(body, member_suffix=".csv")


def test_a_corrupted_member_is_refused() -> None:
    body = bytearray(zipped(a_csv=bytes(range(256)) * 40))
    body[60] ^= 0xFF
    with pytest.raises(ShapeChanged, match="not a whole zip archive"):
        unzipped(bytes(body), member_suffix=".csv")


def test_cells_become_the_number_they_show() -> None:
    assert number_of(8.2064719) == Decimal("8.2064719")
    assert number_of(3) == Decimal(3)
    assert number_of("") is None
    for wrong in ("12", True):
        with pytest.raises(ShapeChanged, match="where a number was expected"):
            number_of(wrong)


def test_a_workbook_that_is_none_is_refused() -> None:
    with pytest.raises(ShapeChanged, match="not a workbook"):
        sheet(b"PK\x03\x04", "x")


def test_a_missing_field_is_named_with_its_place() -> None:
    with pytest.raises(ShapeChanged, match=r"'price' is missing .at /rows/3"):
        required({"cost": 1}, "price", "/rows/3")
    with pytest.raises(ShapeChanged, match="an object with 'price' was expected, not list"):
        required([], "price")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["12,34", "$1.20", "NaN", "", "Infinity", "1_000", "0x10", "1e9999", "9" * 2000])
def test_only_plain_decimals_are_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="is not a plain decimal number such as"):
        decimal_text(text)


def test_plain_decimals_keep_their_digits() -> None:
    assert decimal_text(" 0.50 ") == Decimal("0.50")
    assert decimal_text("-1.5e-3") == Decimal("-0.0015")
