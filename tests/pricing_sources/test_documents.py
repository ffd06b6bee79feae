import io
import time
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_sources import documents
from pricing_sources.documents import (
    decimal_text,
    exact_csv,
    exact_json,
    exact_xml,
    number_of,
    required,
    sheet,
    sheet_names,
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


@pytest.mark.parametrize(
    "body",
    [b"PK\x03\x04", zipped(a_csv=b"x" * 1000)[:-60], zipped(a_txt=b"x")],
    ids=["only a header", "cut short", "without the member"],
)
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


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9))
def test_any_written_decimal_is_read_back_as_written(amount: Decimal) -> None:
    assert exact_json(f"[{amount:f}]".encode())[0].as_tuple() == amount.as_tuple()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\xef\xbb\xbf\n<html>", "an HTML page where JSON was expected"),
        (b"[0." + b"1" * 999 + b"]", "a number of 1001 digits"),
        (b"[1e999999]", "1e999999 is not a number a price could be"),
        (b"[1e-9999999999999999999]", "1e-9999999999999999999 is not a number a price could be"),
        (rb'["\ud800"]', "half a character"),
        (rb'{"\\\u0000": 1}', "a NUL character"),
    ],
)
def test_what_no_price_could_be_and_no_database_keeps_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=words):
        exact_json(body)


def test_a_number_of_a_thousand_digits_is_read() -> None:
    assert str(exact_json(b"[" + b"9" * 1000 + b"]")[0]) == "9" * 1000


def test_a_repeated_key_is_found_at_once_among_many() -> None:
    pairs = ",".join(f'"k{number}": 1' for number in range(30_000))
    began = time.process_time()
    with pytest.raises(ShapeChanged, match="'k29999' stands twice"):
        exact_json(f'{{{pairs}, "k29999": 2}}'.encode())
    assert time.process_time() - began < 1


def test_escaped_characters_and_backslashes_are_ordinary_text() -> None:
    assert exact_json(rb'["\ud83d\ude00", "\\u0000", "\\ud800"]') == ["\N{GRINNING FACE}", r"\u0000", r"\ud800"]


def test_a_quoted_cell_may_hold_commas_and_lines() -> None:
    assert list(exact_csv(b'a,b\n"1,5","x\ny"\n')) == [{"a": "1,5", "b": "x\ny"}]


def test_another_encoding_can_be_named() -> None:
    assert list(exact_csv("name\nCuraçao\n".encode("latin-1"), encoding="latin-1")) == [{"name": "Curaçao"}]


def test_rows_before_a_broken_one_have_been_read_by_then() -> None:
    rows = exact_csv(b"a,b\n1,2\n3\n")
    assert next(rows) == {"a": "1", "b": "2"}
    with pytest.raises(ShapeChanged, match=r"1 cells where the header has 2 \(at line 3\)"):
        next(rows)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"a,b,\n1,2\n", "2 cells where the header has 3 .at line 2"),
        (b"a,b,\n1,2,3\n", "a value in a column without a name .at line 2"),
        (b"a,a\n1,2\n", "two columns are named 'a' .at line 1"),
    ],
)
def test_no_csv_value_is_lost_without_a_word(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=words):
        list(exact_csv(body))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html><body/></html>", "an HTML page where XML was expected"),
        ('<!DOCTYPE z [<!ENTITY a "aaaa">]><z>&a;</z>'.encode("utf-16"), "XML in UTF-8 was expected"),
        (b"<a>\n<b>\n</a>", r"not XML: mismatched tag \(at line 3\)"),
        (b'<?xml version="1.0" encoding="shift_jis"?><a/>', "XML in UTF-8 was expected"),
        (b'<?xml version="1.0" encoding="none-such"?><a/>', "XML in UTF-8 was expected"),
    ],
)
def test_no_encoding_hides_what_xml_may_not_hold(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=words):
        exact_xml(body)


def workbook(rows: str, name: str = "Prices") -> bytes:
    """A minimal xlsx workbook with one worksheet."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"/>')
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            f'<sheet name="{name}" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
        )
    return kept.getvalue()


TWO_ROWS = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Industrial</t></is></c></row>'
    '<row r="3"><c r="A3" t="inlineStr"><is><t>US</t></is></c><c r="B3"><v>8.2064719</v></c></row>'
)


def test_a_worksheet_is_read_from_its_first_cell_with_blanks_in_place() -> None:
    body = workbook(TWO_ROWS)
    assert sheet_names(body) == ["Prices"]
    assert sheet(body, "Prices") == [["Industrial", ""], ["", ""], ["US", 8.2064719]]


def test_a_missing_worksheet_is_reported_with_those_there_are() -> None:
    with pytest.raises(ShapeChanged, match="no sheet 'Monthly'; there are Prices"):
        sheet(workbook(TWO_ROWS), "Monthly")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "an HTML page where a workbook was expected"),
        (workbook(TWO_ROWS)[:-30], "not a workbook"),
        (zipped(readme_txt=b"no sheets here"), "not a workbook"),
        (workbook('<row r="1"><c r="A1"><v>1'), r"not a whole worksheet: .* \(at Prices\)"),
    ],
)
def test_a_broken_workbook_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ShapeChanged, match=words):
        sheet(body, "Prices")


def test_two_cells_at_opposite_corners_of_a_worksheet_do_not_fill_the_memory() -> None:
    corners = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(ShapeChanged, match="a worksheet spans over 20000000 cells"):
        sheet(workbook(corners), "Prices")


def test_a_workbook_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_UNZIPPED", 1_000)
    with pytest.raises(ShapeChanged, match="the workbook unpacks to over 1000 bytes"):
        sheet(workbook(TWO_ROWS), "Prices")


@pytest.mark.parametrize("cell", ["NM", float("nan"), float("inf"), date(2026, 3, 1)])
def test_a_cell_that_is_no_number_is_refused(cell: object) -> None:
    with pytest.raises(ShapeChanged, match="where a number was expected"):
        number_of(cell)


@pytest.mark.parametrize(
    ("body", "there"), [(zipped(a_txt=b"x"), "a.txt"), (zipped(a_csv=b"", b_csv=b""), "a.csv, b.csv")]
)
def test_an_archive_with_none_or_several_such_members_is_refused(body: bytes, there: str) -> None:
    with pytest.raises(ShapeChanged, match=f"one member .*csv was expected; of its members the first are {there}"):
        unzipped(body, member_suffix=".csv")


def test_a_small_member_may_compress_as_well_as_it_likes() -> None:
    assert len(unzipped(zipped(a_csv=bytes(2_000_000)), member_suffix=".csv", max_ratio=2)) == 2_000_000


@given(st.data())
def test_a_damaged_archive_is_read_whole_or_refused(draw: st.DataObject) -> None:
    body = bytearray(zipped(a_csv=b"Date,USD\n2026-03-02,1.1684\n"))
    places = st.lists(st.tuples(st.integers(0, len(body) - 1), st.integers(0, 255)), min_size=1, max_size=4)
    for place, value in draw.draw(places):
        body[place] = value
    try:
        read = unzipped(bytes(body), member_suffix=".csv")
    except ShapeChanged:
        return
    assert read == b"Date,USD\n2026-03-02,1.1684\n"


def test_digits_of_another_script_are_no_plain_decimal() -> None:
    with pytest.raises(ValueError, match=r"at row 7 is not a plain decimal number such as 12\.34"):
        decimal_text("\u0661", "row 7")


def test_an_absurdly_long_number_is_refused_shortened() -> None:
    with pytest.raises(ValueError, match="not a plain decimal") as caught:
        decimal_text("9" * 1_001)
    assert len(str(caught.value)) < 150
