"""A workbook typed in the true shape of an LCA disclosure file, texts in one shared list; every person is made up."""

import io
import zipfile
from collections.abc import Iterable
from xml.sax.saxutils import escape

HEADER = (
    *("CASE_NUMBER", "CASE_STATUS", "RECEIVED_DATE", "DECISION_DATE", "VISA_CLASS", "JOB_TITLE", "SOC_CODE"),
    *("SOC_TITLE", "FULL_TIME_POSITION", "EMPLOYER_NAME", "EMPLOYER_POC_LAST_NAME", "EMPLOYER_POC_EMAIL"),
    *("AGENT_ATTORNEY_LAST_NAME", "AGENT_ATTORNEY_EMAIL_ADDRESS", "WORKSITE_ADDRESS1", "WORKSITE_CITY"),
    *("WORKSITE_STATE", "WAGE_RATE_OF_PAY_FROM", "WAGE_RATE_OF_PAY_TO", "WAGE_UNIT_OF_PAY"),
    *("PREVAILING_WAGE", "PW_UNIT_OF_PAY"),
)
PERSONAL = ("Mustermann", "erika.mustermann@example.com", "Nobody", "counsel@example.com", "Example Widgets", "12 Oak")
DECEMBER_1 = 46357
"""2026-12-01 as a worksheet counts days."""

Cell = str | float
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def application(number: int, **changed: Cell) -> list[Cell]:
    """One certified application for a software developer in California, with these columns changed."""
    usual: dict[str, Cell] = {
        "CASE_NUMBER": f"I-200-26{number:03}-{100000 + number}",
        "CASE_STATUS": "Certified",
        "RECEIVED_DATE": DECEMBER_1 - 7,
        "DECISION_DATE": DECEMBER_1,
        "VISA_CLASS": "H-1B",
        "JOB_TITLE": "Software Engineer",
        "SOC_CODE": "15-1252.00",
        "SOC_TITLE": "Software Developers",
        "FULL_TIME_POSITION": "Y",
        "EMPLOYER_NAME": f"Example Widgets {number} & Sons",
        "EMPLOYER_POC_LAST_NAME": "Mustermann",
        "EMPLOYER_POC_EMAIL": "erika.mustermann@example.com",
        "AGENT_ATTORNEY_LAST_NAME": "Nobody",
        "AGENT_ATTORNEY_EMAIL_ADDRESS": "counsel@example.com",
        "WORKSITE_ADDRESS1": "12 Oak Street",
        "WORKSITE_CITY": "Sunnyvale",
        "WORKSITE_STATE": "CA",
        "WAGE_RATE_OF_PAY_FROM": 150000,
        "WAGE_RATE_OF_PAY_TO": "",
        "WAGE_UNIT_OF_PAY": "Year",
        "PREVAILING_WAGE": 141000.5,
        "PW_UNIT_OF_PAY": "Year",
    }
    return list({**usual, **changed}.values())


def workbook(rows: Iterable[list[Cell]], header: tuple[str, ...] = HEADER, *, doctype: str = "") -> bytes:
    texts: dict[str, int] = {}
    sheet = [_row(1, header, texts), *(_row(number, row, texts) for number, row in enumerate(rows, start=2))]
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{shared}</sst>')
        body = f'{doctype}<worksheet xmlns="{MAIN}"><sheetData>{"".join(sheet)}</sheetData></worksheet>'
        archive.writestr("xl/worksheets/sheet1.xml", body)
    return out.getvalue()


def _row(number: int, row: Iterable[Cell], texts: dict[str, int]) -> str:
    return f'<row r="{number}">{"".join(_cell(place, number, cell, texts) for place, cell in enumerate(row))}</row>'


def _cell(place: int, number: int, cell: Cell, texts: dict[str, int]) -> str:
    letters = chr(ord("A") + place) if place < 26 else f"A{chr(ord('A') + place - 26)}"
    if cell == "":
        return ""
    if isinstance(cell, str):
        return f'<c r="{letters}{number}" t="s"><v>{texts.setdefault(cell, len(texts))}</v></c>'
    return f'<c r="{letters}{number}"><v>{cell!r}</v></c>'
