"""A workbook typed in the true shape of EIA-861M: three header rows, sectors in merged cells, newest month first."""

import io
import zipfile
from xml.sax.saxutils import escape

SECTORS = ("RESIDENTIAL", "COMMERCIAL", "INDUSTRIAL", "TRANSPORTATION", "TOTAL")
MEASURES = ("Revenue", "Sales", "Customers", "Price")
UNITS = ("Thousand Dollars", "Megawatthours", "Count", "Cents/kWh")
FOOTNOTE = "For October and November 2017 the utility supplied its figures in the aggregate."

Cell = str | float | int
Row = list[Cell]

US_APRIL: Row = [
    2025, 4, "Preliminary",
    17005840, 97467695, 143898013, 17.447668,
    14588900, 111465409, 19624594, 13.088276,
    6921965.6, 84347643, 1124287, 8.2064719,
    76900.76, 568693, 83, 13.522379,
    38593606, 293849440, 164646977, 13.133803,
]  # fmt: skip
US_YEAR: Row = [2010, ".", "Final", *US_APRIL[3:]]
AK_APRIL: Row = [
    2025, 4, "AK", "Preliminary",
    41954.56, 161624.5, 301774, 25.96,
    46908.63, 211664.88, 58095, 22.16,
    23504.5, 117493.04, 1233, 20.010000000000002,
    0, 0, 0, 0,
    112367.69, 490782.42, 361102, 22.9,
]  # fmt: skip


def header(*labels: str, unit: str = "Cents/kWh") -> list[Row]:
    blank: Row = [""] * len(labels)
    sectors = [cell for sector in SECTORS for cell in (sector, "", "", "")]
    units = (*UNITS[:3], unit)
    return [[*blank, *sectors], [*blank, *MEASURES * 5], [*labels, *units * 5]]


def workbook(states: list[Row] | None = None, us: list[Row] | None = None, unit: str = "Cents/kWh") -> bytes:
    """The three monthly sheets, with the rows given or one of each kind."""
    state_labels = ("Year", "Month", "State", "Data Status")
    return packed(
        {
            "Monthly-States": [*header(*state_labels, unit=unit), *(states or [AK_APRIL]), [FOOTNOTE]],
            "Monthly-Ter": [*header(*state_labels), [2025, 4, "PR", *AK_APRIL[3:]], [FOOTNOTE]],
            "US-YTD": [*header("Year", "MONTH", "Data Status"), *(us or [US_APRIL, US_YEAR]), [FOOTNOTE]],
        }
    )


def packed(sheets: dict[str, list[Row]]) -> bytes:
    """The least an xlsx file can be."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, start=1))
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>'
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships">{related}</Relationships>'
        )
        for n, rows in enumerate(sheets.values(), start=1):
            body = "".join(f'<row r="{r}">{_cells(row, r)}</row>' for r, row in enumerate(rows, start=1))
            archive.writestr(
                f"xl/worksheets/sheet{n}.xml", f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
            )
    return out.getvalue()


def _cells(row: Row, number: int) -> str:
    cells = []
    for index, cell in enumerate(row):
        where = f'r="{chr(ord("A") + index)}{number}"'
        if isinstance(cell, str):
            if cell:
                cells.append(f'<c {where} t="inlineStr"><is><t>{escape(cell)}</t></is></c>')
        else:
            cells.append(f"<c {where}><v>{cell!r}</v></c>")
    return "".join(cells)
