"""Charges as people have them: a plain CSV of days and amounts, or rows of a FOCUS cost export."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from io import StringIO
from typing import Final, Literal
from zoneinfo import ZoneInfo

from pricing_sources.documents import exact_json
from pricing_sources.errors import ShapeChanged
from service.domain.quantities import EXACT
from service.domain.spend import Charge
from service.errors import FieldProblem, Invalid
from service.usecases.field_problems import invalid

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a document."""
MOST_PROBLEMS: Final = 20
LARGEST_AMOUNT: Final = Decimal(10) ** 15
MOST_DIGITS: Final = 40
Cost = Literal["effective", "billed", "contracted", "list"]
COSTS: Final[Mapping[str, str]] = {
    "effective": "EffectiveCost",
    "billed": "BilledCost",
    "contracted": "ContractedCost",
    "list": "ListCost",
}
"""Columns of FOCUS that may count as the cost; effective spreads commitments over the time they cover."""
PROVIDERS: Final = ("ServiceProviderName", "ProviderName", "PublisherName")
"""Who sold it, by the names the editions of FOCUS gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendFormat:
    """How a document of charges is meant."""

    cost: Cost = "effective"
    """Of FOCUS rows, the column that counts."""
    only: Mapping[str, str] = field(default_factory=dict)
    """Rows wanted: the text that each of these columns must hold; `Tags.project` is a key of the tags."""
    currency: str = "USD"
    """Of a plain CSV without a currency column."""
    zone: str = "UTC"
    """Whose days the dates of a plain CSV are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargesRead:
    """What a document of charges holds."""

    charges: tuple[Charge, ...]
    rows_read: int
    rows_kept: int


def read_charges(body: bytes, wanted: SpendFormat) -> ChargesRead:
    """Parse charges; FOCUS rows are known by their column ChargePeriodStart.

    Raises Invalid naming each row and column that cannot be believed; then nothing of the document counts.
    """
    rows = csv.DictReader(StringIO(_text(body), newline=""), strict=True)
    columns = [name for name in rows.fieldnames or () if name]
    reading = _Focus(columns, wanted) if "ChargePeriodStart" in columns else _Plain(columns, wanted)
    sums: dict[tuple[datetime, datetime, str, str, str], list[Decimal]] = defaultdict(list)
    problems: list[FieldProblem] = []
    read = 0
    for read, row in enumerate(_rows(rows), start=1):
        try:
            if not _is_wanted(row, wanted.only):
                continue
            one = reading.charge(row)
        except _Wrong as wrong:
            problems.append(FieldProblem(f"row {read + 1}, {wrong.column}", wrong.message))
            if len(problems) >= MOST_PROBLEMS:
                break
            continue
        sums[one.charge_from, one.charge_until, one.provider, one.service, one.currency].append(one.amount)
    if problems:
        raise invalid(problems)
    charges = tuple(_summed(key, amounts) for key, amounts in sorted(sums.items()))
    return ChargesRead(charges=charges, rows_read=read, rows_kept=sum(one.rows for one in charges))


def wanted_rows(pairs: Iterable[str]) -> dict[str, str]:
    """Filters as people write them: `COLUMN=VALUE`. Raises Invalid."""
    found = {}
    for pair in pairs:
        column, sign, value = pair.partition("=")
        if not sign or not column:
            raise Invalid.field("only", f"{pair[:60]!r} must be COLUMN=VALUE, for example ServiceName=Amazon EC2")
        found[column] = value
    return found


class _Wrong(Exception):
    """One cell that cannot be believed."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column, self.message = column, message


Row = Mapping[str, str | None]


class _Focus:
    """Rows of the FinOps Open Cost and Usage Specification."""

    def __init__(self, columns: Sequence[str], wanted: SpendFormat) -> None:
        self._cost = COSTS[wanted.cost]
        self._provider = next((name for name in PROVIDERS if name in columns), "")
        needed = ("ChargePeriodStart", "ChargePeriodEnd", self._cost, "BillingCurrency")
        _require(columns, (*needed, *wanted.only))

    def charge(self, row: Row) -> Charge:
        start, end = _moment(row, "ChargePeriodStart"), _moment(row, "ChargePeriodEnd")
        if end <= start:
            raise _Wrong("ChargePeriodEnd", "must be after ChargePeriodStart")
        return Charge(
            charge_from=start,
            charge_until=end,
            amount=_amount(row, self._cost),
            currency=_currency(row, "BillingCurrency"),
            provider=_words(row, self._provider),
            service=_words(row, "ServiceName"),
        )


class _Plain:
    """A date and an amount a row, perhaps a currency, a provider and a service."""

    def __init__(self, columns: Sequence[str], wanted: SpendFormat) -> None:
        _require(columns, ("date", "amount", *wanted.only))
        self._wanted, self._zone = wanted, ZoneInfo(wanted.zone)
        self._has_currency = "currency" in columns

    def charge(self, row: Row) -> Charge:
        day = _day(row, "date")
        return Charge(
            charge_from=self._midnight(day),
            charge_until=self._midnight(day + timedelta(days=1)),
            amount=_amount(row, "amount"),
            currency=_currency(row, "currency") if self._has_currency else self._wanted.currency,
            provider=_words(row, "provider"),
            service=_words(row, "service"),
        )

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self._zone).astimezone(UTC)


def _text(body: bytes) -> str:
    if len(body) > LARGEST:
        raise Invalid.field("charges", f"is over {LARGEST} bytes long; split it, or keep only the rows you want")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid.field("charges", "is not UTF-8 text; save the table as UTF-8 CSV") from None
    if "\0" in text:
        raise Invalid.field("charges", "contains U+0000; a CSV table was expected")
    return text


def _rows(rows: "csv.DictReader[str]") -> Iterator[Row]:
    try:
        yield from rows
    except csv.Error as error:
        raise Invalid.field("charges", f"is no CSV table: line {rows.line_num}: {error}") from None


def _require(columns: Sequence[str], needed: Sequence[str]) -> None:
    problems = []
    for name in needed:
        if name.partition(".")[0] not in columns:
            near = get_close_matches(name, columns, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(columns[:40]) or 'none'}"
            problems.append(FieldProblem(f"column {name}", f"is missing; {hint}"))
    if problems:
        raise invalid(problems)


def _is_wanted(row: Row, only: Mapping[str, str]) -> bool:
    return all(_cell(row, column) == value for column, value in only.items())


def _cell(row: Row, column: str) -> str:
    name, dot, key = column.partition(".")
    text = row.get(name) or ""
    if not dot:
        return text.strip()
    try:
        tags = exact_json((text or "{}").encode())
    except ShapeChanged:
        raise _Wrong(name, f"must be a JSON object of tags, not {text[:60]!r}") from None
    return str(tags.get(key, "")) if isinstance(tags, dict) else ""


def _moment(row: Row, column: str) -> datetime:
    text = (row.get(column) or "").strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _Wrong(column, f"must be a time such as 2026-03-01T00:00:00Z, not {text[:60]!r}") from None
    if found.tzinfo is None:
        raise _Wrong(column, f"must carry a UTC offset, for example {found.isoformat()}Z")
    return found.astimezone(UTC)


def _day(row: Row, column: str) -> date:
    text = (row.get(column) or "").strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _Wrong(column, f"must be a date such as 2026-03-01, not {text[:60]!r}") from None


def _amount(row: Row, column: str) -> Decimal:
    text = (row.get(column) or "").strip()
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or abs(found) > LARGEST_AMOUNT:
        raise _Wrong(column, f"must be a number such as 1234.56, not {text[:60]!r}")
    if len(found.as_tuple().digits) > MOST_DIGITS or (found and found.adjusted() < -MOST_DIGITS):
        raise _Wrong(column, f"must have at most {MOST_DIGITS} digits")
    return found


def _currency(row: Row, column: str) -> str:
    text = (row.get(column) or "").strip()
    if len(text) != 3 or not (text.isascii() and text.isalpha() and text.isupper()):
        raise _Wrong(column, f"must be an ISO 4217 code such as USD, not {text[:60]!r}")
    return text


def _words(row: Row, column: str) -> str:
    return (row.get(column) or "").strip()[:200]


def _summed(key: tuple[datetime, datetime, str, str, str], amounts: Sequence[Decimal]) -> Charge:
    start, end, provider, service, currency = key
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return Charge(
        charge_from=start,
        charge_until=end,
        amount=total,
        currency=currency,
        provider=provider,
        service=service,
        rows=len(amounts),
    )
