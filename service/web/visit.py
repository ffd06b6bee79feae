"""What a page may ask for, and how it reads what a person typed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Request

from pricing_sources.observation import Kind
from service.errors import FieldProblem, Invalid
from service.store.store import Store
from service.usecases.sources import Feed


@dataclass(frozen=True, slots=True)
class Visit:
    """The store, the feeds and the time of one page view."""

    store: Store
    feeds: Sequence[Feed]
    now: datetime


async def _visit(request: Request) -> Visit:
    state = request.app.state
    return Visit(state.store, state.feeds, state.clock())


VisitDep = Annotated[Visit, Depends(_visit)]


def typed_moment(name: str, text: str) -> datetime | None:
    """A date (its first moment, UTC) or an RFC 3339 time; None where nothing was typed. Raises Invalid."""
    if not text:
        return None
    try:
        typed = datetime.fromisoformat(text.replace(" ", "+"))
        return typed.replace(tzinfo=UTC) if len(text) == len("2026-03-01") else typed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid.field(name, "must be a date such as 2026-03-01 or a time such as 2026-03-01T12:00Z") from None


def typed_kind(text: str) -> Kind | None:
    """A family of series; None where none was chosen. Raises Invalid."""
    if not text:
        return None
    if text not in list(Kind):
        raise Invalid.field("kind", f"must be one of {', '.join(Kind)}")
    return Kind(text)


def typed_number(name: str, text: str) -> Decimal:
    """A number a person typed, with or without thousands separators. Raises Invalid."""
    try:
        number = Decimal(text.replace(",", "").strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise Invalid.field(name, "must be a number such as 8 or 0.5")
    return number


def typed_form(body: bytes) -> dict[str, str]:
    """The fields of an HTML form, blanks around them removed. Raises Invalid."""
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20, errors="strict"))
    except ValueError:
        raise Invalid.field("form", "cannot be read; send it from the page it is on") from None
    return {name: clean(name, text) for name, text in fields.items()}


def clean(name: str, text: str) -> str:
    """Text without blanks around it. Raises Invalid for control characters and overlong text."""
    text = text.strip()
    if len(text) > 300 or any(ord(character) < 32 for character in text):
        raise Invalid(
            f"{name}: too long or unreadable",
            problems=(FieldProblem(name, "must be at most 300 characters without control characters"),),
        )
    return text


def require_same_origin(request: Request) -> None:
    """Refuse a form that another site sent in a visitor's name. Raises Invalid."""
    site = request.headers.get("sec-fetch-site", "")
    origin = request.headers.get("origin", "")
    same_host = bool(origin) and urlsplit(origin).netloc == request.headers.get("host", "")
    if site in {"same-origin", "none"} or (not site and same_host):
        return
    raise Invalid("this form must be sent from our own page; open the first page and send it there")
