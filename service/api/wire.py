"""What travels: exact numbers in, bytes out, parameters that mean one thing only."""

import json
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from fastapi import HTTPException, Query, Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute, APIRouter
from pydantic import AfterValidator, BeforeValidator, ValidatorFunctionWrapHandler, WithJsonSchema, WrapValidator
from typing_extensions import override

from service.api.problems import nearest
from service.domain.canonical import json_bytes
from service.errors import FieldProblem, Invalid

_EXACT: Final = msgspec.json.Decoder(float_hook=Decimal)
_NUMBER: Final = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
API: Final = "/api/v1"
LONGEST_TEXT: Final = 300
"""No name and no series key is longer."""
MOST_DIGITS: Final = 60
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+\- ]\d\d:\d\d)?")


def answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A domain value as JSON bytes: keys sorted, decimals as strings, times as RFC 3339."""
    return Response(json_bytes(value), status_code=status, media_type="application/json", headers=headers)


def moment(text: object) -> datetime:
    """Read an RFC 3339 time; a bare year or a naive time is refused, never guessed at.

    A `+` that a query string turned into a blank is read as the `+` it was.
    """
    if isinstance(text, datetime):
        return text
    if not isinstance(text, str) or not (found := _MOMENT.fullmatch(text)):
        raise ValueError("must be an RFC 3339 time such as 2026-03-01T00:00:00Z")
    if found[3] is None:
        raise ValueError("must carry a UTC offset, for example 2026-03-01T00:00:00Z")
    try:
        return datetime.fromisoformat(text.replace(" ", "+")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a date of the calendar; an RFC 3339 time such as 2026-03-01T00:00:00Z is") from None


def plain_text(text: str) -> str:
    """Refuse control characters: no key and no name has them, and PostgreSQL cannot store a NUL."""
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("must not contain control characters")
    return text


Moment = Annotated[datetime, BeforeValidator(moment), WithJsonSchema({"type": "string", "format": "date-time"})]
"""A time with an offset."""


def number_or_name(value: object, number: ValidatorFunctionWrapHandler) -> Decimal | str:
    """A number with every digit; a word, such as the name of a language model, as it is."""
    if isinstance(value, str) and value[:1].isalpha() and len(value) <= LONGEST_TEXT:
        return plain_text(value)
    return Decimal(number(value))


NumberOrName = Annotated[
    Decimal, WrapValidator(number_or_name), WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]})
]
"""What a formula takes. Declared as the number it mostly is, so that what is neither is refused as a number is."""
Text = Annotated[str, Query(max_length=LONGEST_TEXT), AfterValidator(plain_text)]
"""A short text in the query."""
Limit = Annotated[int, Query(ge=1, le=1000, description="At most this many, 1 to 1000.")]
"""Size of a page."""


class ExactRequest(Request):
    """A request whose JSON keeps every digit."""

    @override
    async def json(self) -> Any:
        """The body; numbers with a point are Decimal. Raises JSONDecodeError."""
        try:
            return _believable(_EXACT.decode(await self.body()))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise json.JSONDecodeError(str(error)[:200], "", 0) from None


class ExactRoute(APIRoute):
    """A route that reads exact numbers and refuses query parameters it does not know."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind those checks."""
        handle = super().get_route_handler()
        known = frozenset(
            parameter.alias
            for parameter in get_flat_params(self.dependant)
            if isinstance(parameter.field_info, params.Query)
        )
        takes_json = self.body_field is not None

        async def checked(request: Request) -> Response:
            _refuse_unknown(request, known)
            if takes_json:
                _refuse_other_than_json(request)
            return await handle(ExactRequest(request.scope, request.receive))

        return checked


def door(tag: str, *, under: str = API) -> APIRouter:
    """A router for the doors of one noun. The server takes its routes as they are, so they know their whole path."""
    return APIRouter(prefix=under, tags=[tag], route_class=ExactRoute)


def _refuse_unknown(request: Request, known: frozenset[str]) -> None:
    seen: set[str] = set()
    problems = []
    for name, _ in request.query_params.multi_items():
        if name not in known:
            shown = name[:60]
            problems.append(FieldProblem(shown, f"is not a query parameter here; {nearest(shown, known)}"))
        elif name in seen:
            problems.append(FieldProblem(name, "is given more than once; give it once"))
        seen.add(name)
    if problems:
        raise Invalid("; ".join(f"{one.field}: {one.message}" for one in problems), problems=tuple(problems))


def _refuse_other_than_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, "send the body as Content-Type: application/json")


def _believable(value: Any) -> Any:
    """The value, if every text and number in it could be meant. Raises ValueError."""
    match value:
        case dict():
            for key, inner in value.items():
                _believable(key)
                _believable(inner)
        case list():
            for inner in value:
                _believable(inner)
        case str():
            _refuse_text(value)
        case Decimal() | int():
            _refuse_number(Decimal(value))
        case _:
            pass  # true, false, null
    return value


def _refuse_text(text: str) -> None:
    if "\x00" in text:
        raise ValueError("a text contains U+0000, which no database can store")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"a text has more than {LONGEST_TEXT} characters")
    if _NUMBER.fullmatch(text):
        _refuse_number(Decimal(text))


def _refuse_number(number: Decimal) -> None:
    """Costs are exact products: without a limit, one number could fill the disk with digits."""
    if len(number.as_tuple().digits) > MOST_DIGITS or (number and abs(number.adjusted()) > MOST_DIGITS):
        raise ValueError(f"a number has more than {MOST_DIGITS} digits")
