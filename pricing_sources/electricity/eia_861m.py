"""US retail electricity prices by state and sector: the EIA-861M workbook.

The price is realised average revenue per kWh, not a tariff. EIA counts computing load as commercial;
multi-megawatt campuses often buy at industrial prices: both are kept.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from pricing_sources.documents import number_of, sheet
from pricing_sources.errors import ShapeChanged
from pricing_sources.observation import ElectricitySeries, Kind, Observation, Reading, Rejected, Skipped, Status
from pricing_sources.source import Cadence, Document, FetchRequest, NotModified, SourceInfo
from pricing_sources.transport import Transport
from pricing_sources.units import Unit

NATIONAL: Final = "US-YTD"
"""Despite its name it holds the monthly totals of the country, and is the one sheet without a State column."""
SHEETS: Final = ("Monthly-States", "Monthly-Ter", NATIONAL)
"""The sheets with monthly rows."""
SECTORS: Final = {
    "RESIDENTIAL": "residential",
    "COMMERCIAL": "commercial",
    "INDUSTRIAL": "industrial",
    "TRANSPORTATION": "transportation",
    "TOTAL": "all",
}
MEASURES: Final = {"Revenue": "Thousand Dollars", "Sales": "Megawatthours", "Price": "Cents/kWh"}
STATUSES: Final = {"Preliminary": Status.PRELIMINARY, "Final": Status.FINAL}
DIGITS: Final = 12
"""Cells are binary doubles, and arithmetic leaves noise at the 17th digit; EIA publishes at most nine."""
MISSING: Final = ("", ".", None)
CENTS: Final = Decimal("0.01")


class Eia861m:
    """Monthly electricity sales, revenue and prices, United States."""

    info = SourceInfo(
        id="eia_861m",
        title="Monthly electric power industry report (EIA-861M)",
        publisher="U.S. Energy Information Administration",
        kinds=(Kind.ELECTRICITY,),
        homepage="https://www.eia.gov/electricity/data/eia861m/",
        url="https://www.eia.gov/electricity/data/eia861m/xls/sales_revenue.xlsx",
        licence="US public domain",
        attribution="U.S. Energy Information Administration, Form EIA-861M",
        cadence=Cadence(
            cron="0 12 26 * *",
            timezone="America/New_York",
            jitter=timedelta(hours=2),
            # A month comes two months late (June on 26 August) and is the newest for one more.
            newest_within=timedelta(days=122),
        ),
        plausible={Unit.KWH: (Decimal("0.005"), Decimal(2))},
    )

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified]:
        """Ask for the workbook; the whole of it is republished every month."""
        reply = transport.get(request.url, known=request.known.get(request.url))
        if reply.not_modified:
            yield NotModified(request.url)
        else:
            yield Document.of(self.info.id, reply, request.now)

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one workbook: one reading per month, area and sector.

        Raises ShapeChanged if a sheet, a sector or a unit is not where the headers say.
        """
        for name in SHEETS:
            yield from _sheet_readings(name, sheet(document.body, name))


SOURCE: Final = Eia861m()


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where things stand on one sheet."""

    first_row: int
    month: int
    state: int | None
    status: int
    sectors: Mapping[str, Mapping[str, int]]
    """Per sector of ours: the column of each measure."""


def _sheet_readings(name: str, rows: Sequence[Sequence[Any]]) -> Iterator[Reading]:
    columns = _columns(name, rows)
    months = 0
    for number, row in enumerate(rows[columns.first_row :], start=columns.first_row + 1):
        if not any(isinstance(cell, float | int) for cell in row):
            yield Skipped("footnote" if any(row) else "blank_row", f"{name}!A{number}")
            continue
        if row[columns.month] == ".":
            yield from (Skipped("annual_total", _cell(name, at["Price"], number)) for at in columns.sectors.values())
            continue
        months += 1
        yield from _row_readings(name, number, row, columns)
    if months == 0:
        raise ShapeChanged("no monthly row where months were expected", path=name)


def _row_readings(name: str, number: int, row: Sequence[Any], columns: _Columns) -> Iterator[Reading]:
    valid_from = _month(name, number, row, columns)
    area = "US" if columns.state is None else _state(name, number, row[columns.state])
    status = STATUSES.get(str(row[columns.status]).strip())
    if status is None:
        words = ", ".join(STATUSES)
        raise ShapeChanged(
            f"data status {row[columns.status]!r}; known are {words}", path=_cell(name, columns.status, number)
        )
    for sector, at in columns.sectors.items():
        locator = _cell(name, at["Price"], number)
        blank = _blank(row, at)
        if blank:
            yield Skipped(blank, locator)
            continue
        price, sales, revenue = cells = [_cell_number(row[at[measure]]) for measure in ("Price", "Sales", "Revenue")]
        doubt = _contradiction(price, sales, revenue)
        if doubt or price is None:
            yield Rejected(doubt, locator, f"{area} {sector} {valid_from:%Y-%m}: {', '.join(map(str, cells))}")
            continue
        yield Observation(
            series=ElectricitySeries(source="eia_861m", area=area, sector=sector, basis="retail_average"),
            amount=price * CENTS,
            currency="USD",
            unit=Unit.KWH,
            valid_from=valid_from,
            status=status,
            vintage=f"{valid_from:%Y-%m}",
            published_amount=str(number_of(row[at["Price"]])),
            published_unit=MEASURES["Price"],
            locator=locator,
        )


def _columns(name: str, rows: Sequence[Sequence[Any]]) -> _Columns:
    """Find the columns by what the three header rows say, never by letter: the sheets differ."""
    header = next(
        (index for index, row in enumerate(rows[:10]) if str(row[0]).strip().upper() == "YEAR" and index >= 2), None
    )
    if header is None:
        raise ShapeChanged("no header row starting with 'Year' under two more", path=name)
    sectors, measures, units = ([str(cell).strip() for cell in row] for row in rows[header - 2 : header + 1])
    labels = [unit.upper() for unit in units]
    found: dict[str, dict[str, int]] = {}
    current = ""
    for index, unit in enumerate(units):
        current = sectors[index].upper() or current
        measure = measures[index]
        if current in SECTORS and measure in MEASURES:
            if unit != MEASURES[measure]:
                raise ShapeChanged(f"{measure} in {unit!r}; {MEASURES[measure]!r} is what can be read", path=name)
            if found.setdefault(SECTORS[current], {}).setdefault(measure, index) != index:
                raise ShapeChanged(f"{current} has two columns {measure!r}", path=f"{name}!{header}")
    for theirs, ours in SECTORS.items():
        if found.get(ours, {}).keys() != MEASURES.keys():
            raise ShapeChanged(f"the columns of {theirs} are incomplete", path=f"{name}!{header + 1}")
    return _Columns(
        first_row=header + 1,
        month=_position(labels, "MONTH", name),
        # A state sheet that lost this column would pass for the country.
        state=None if name == NATIONAL else _position(labels, "STATE", name),
        status=_position(labels, "DATA STATUS", name),
        sectors=found,
    )


def _position(labels: list[str], label: str, name: str) -> int:
    if label not in labels:
        raise ShapeChanged(f"no column {label!r}", path=name)
    return labels.index(label)


def _month(name: str, number: int, row: Sequence[Any], columns: _Columns) -> datetime:
    year, month = row[0], row[columns.month]
    try:
        found = datetime(int(year), int(month), 1, tzinfo=UTC)
    except (TypeError, ValueError) as error:
        raise ShapeChanged(f"{year!r}-{month!r} is not a month", path=f"{name}!A{number}") from error
    if (found.year, found.month) != (year, month):
        raise ShapeChanged(f"{year!r}-{month!r} is not a month", path=f"{name}!A{number}")
    return found


def _state(name: str, number: int, cell: Any) -> str:
    if not isinstance(cell, str) or not re.fullmatch(r"[A-Z]{2}", cell):
        raise ShapeChanged(f"{cell!r} where a state such as 'AK' was expected", path=f"{name}!{number}")
    return f"US-{cell}"


def _blank(row: Sequence[Any], at: Mapping[str, int]) -> str:
    """Why a cell holds no price, or nothing if it holds one: a sector without sales is shown as 0."""
    price, sales = row[at["Price"]], row[at["Sales"]]
    if price in MISSING:
        return "blank"
    return "no_sales" if price == 0 and sales == 0 else ""


def _cell_number(cell: Any) -> Decimal | None:
    if cell in MISSING or number_of(cell) is None:
        return None
    # The double itself is formatted: that leaves no trailing zeros where noise was cut.
    return Decimal(f"{cell:.{DIGITS}g}")


def _contradiction(price: Decimal | None, sales: Decimal | None, revenue: Decimal | None) -> str:
    """Cents/kWh × MWh ÷ 100 is thousand dollars: the three cells must say the same, to their rounding."""
    if price is None or sales is None or revenue is None:
        return "a price without the sales and the revenue it must agree with"
    if price <= 0:
        return f"{price} {MEASURES['Price']} for {sales} MWh sold; a price is above zero"
    implied = price * sales / 100
    # EIA rounds to three decimals and then to two: 12.2450 becomes 12.25, so half a cent is not quite enough.
    rounding = Decimal("0.0056") * sales / 100 + price / 100 + 1
    if abs(implied - revenue) <= rounding:
        return ""
    return f"price × sales gives {implied:.2f} thousand dollars, the workbook says {revenue}"


def _cell(name: str, column: int, number: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{name}!{letters}{number}"
