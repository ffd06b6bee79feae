"""Errors as RFC 9457 problems: the one place that knows which error is which HTTP status."""

import difflib
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from service.api.edge import SECURITY_HEADERS
from service.domain.canonical import json_bytes
from service.domain.plan import RejectedOffers, Relaxation
from service.errors import (
    Conflict,
    FieldProblem,
    Infeasible,
    Invalid,
    LeaseLost,
    NoData,
    NotFound,
    SchemaOutdated,
    ServiceError,
    Unavailable,
)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = "5"
_STATUS: Final[tuple[tuple[type[ServiceError], int], ...]] = (
    (Invalid, 422),
    (Infeasible, 422),
    (NotFound, 404),
    (NoData, 404),
    (Conflict, 409),
    (LeaseLost, 409),
    (SchemaOutdated, 503),
    (Unavailable, 503),
)
_WRAPPERS: Final = frozenset({"scenario", "inputs"})
"""Request fields that only wrap: `scenario.training.gpus` is called `training.gpus` by every door."""
_SHOWN: Final = 60
"""Characters of a refused value that are repeated to its sender."""
_MOST_DETAIL: Final = 2_000
_MOST_MESSAGE: Final = 500
_MOST_ERRORS: Final = 50
"""Whatever was sent, the problem stays short enough to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong (RFC 9457)."""

    type: str = "about:blank"
    title: str
    """The HTTP status in words."""
    status: int
    detail: str
    """What was asked and what would have worked."""
    instance: str
    """Path of the request."""
    code: str
    """Stable word for this kind of problem: `invalid`, `not_found`, `no_data`, `conflict`…"""
    request_id: str
    """Also in the X-Request-Id header and in the server's log."""
    errors: tuple[FieldProblem, ...] = ()
    """One entry per field that is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InfeasiblePlan(Problem):
    """A goal nothing meets, with what would have to give (RFC 9457 extension members)."""

    relaxations: tuple[Relaxation, ...]
    """The least to give up of one constraint, each of which alone would do."""
    rejected: tuple[RejectedOffers, ...]
    """Offers by the constraint that ruled them out."""


def problem_of(request: Request, error: Exception) -> Problem:
    """Say an error in the words of a problem; an unexpected one is named by its request id alone."""
    if isinstance(error, RequestValidationError):
        found = tuple(_field_problem(request, one) for one in error.errors())
        return _problem(request, 422, "invalid", "; ".join(f"{one.field}: {one.message}" for one in found), found)
    if isinstance(error, Infeasible):
        plain = _problem(request, 422, error.code, str(error))
        stated = {field.name: getattr(plain, field.name) for field in fields(plain)}
        return InfeasiblePlan(**stated, relaxations=error.relaxations, rejected=error.rejected)  # type: ignore[arg-type]
    if isinstance(error, ServiceError):
        named = error.problems if isinstance(error, Invalid) else ()
        return _problem(request, _status_of(error), error.code, str(error), named)
    if isinstance(error, HTTPException):
        return _problem(request, error.status_code, _slug(error.status_code), _router_words(request, error))
    return _problem(request, 500, "internal", "something went wrong on our side; the log names it by the request id")


def headers_of(problem: Problem, error: Exception) -> dict[str, str]:
    """What goes with it: an unexpected error is answered outside our middleware, so its headers are here too."""
    headers = {**SECURITY_HEADERS, "X-Request-Id": problem.request_id}
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    return headers | dict(getattr(error, "headers", None) or {})


def response_of(problem: Problem) -> Response:
    """The problem as a response."""
    return Response(json_bytes(problem), status_code=problem.status, media_type=MEDIA_TYPE)


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean …? ` where a known name is close, then the known ones."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}known: {', '.join(names) or 'none'}"


def shown(value: object) -> str:
    """A refused value as its sender may see it: short, on one line, nothing nested."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None or isinstance(value, str | int | float | Decimal):
        text = repr(value) if isinstance(value, str) else str(value)
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return "that"


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _problem(request: Request, status: int, code: str, detail: str, errors: tuple[FieldProblem, ...] = ()) -> Problem:
    return Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=_clipped(detail, _MOST_DETAIL),
        instance=request.url.path,
        code=code,
        request_id=request.scope.get("state", {}).get("request_id", ""),
        errors=tuple(
            FieldProblem(_clipped(one.field, _SHOWN), _clipped(one.message, _MOST_MESSAGE))
            for one in errors[:_MOST_ERRORS]
        ),
    )


def _status_of(error: ServiceError) -> int:
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def _slug(status: int) -> str:
    return HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")


def _router_words(request: Request, error: HTTPException) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND and error.detail == HTTPStatus.NOT_FOUND.phrase:
        return f"there is nothing at {request.url.path[:200]}; /openapi.json lists what there is"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        return f"{request.method[:20]} is not possible here{f'; use {allowed}' if allowed else ''}"
    return str(error.detail)


def _field_problem(request: Request, error: Mapping[str, Any]) -> FieldProblem:
    place, *path = error["loc"]
    kind = error["type"]
    if kind == "json_invalid":
        return FieldProblem("body", f"cannot be read as JSON: {error['ctx']['error']}")
    if not path:
        return FieldProblem(str(place), "a JSON object is required, sent as Content-Type: application/json")
    names = [str(name) for name in path]
    shape = _shape_at(request, names[:-1]) if place == "body" else None
    if len(names) > 1 and names[0] in _WRAPPERS:
        names = names[1:]
    return FieldProblem(".".join(names), _message(error, shape, names))


def _message(error: Mapping[str, Any], shape: type | None, names: Sequence[str]) -> str:
    kind = error["type"]
    if kind == "missing":
        return "is required"
    if kind in {"unexpected_keyword_argument", "extra_forbidden"}:
        known = [field.name for field in fields(shape)] if shape is not None and is_dataclass(shape) else []
        return f"is not a field of {'.'.join(names[:-1]) or 'the request'}; {nearest(names[-1], known)}"
    context = error.get("ctx", {})
    if kind == "value_error" and "error" in context:
        return str(context["error"])
    if kind == "dataclass_type":
        return f"must be an object, not {shown(error.get('input'))}"
    words = str(error["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    return f"must be {words}, not {shown(error.get('input'))}"


def _shape_at(request: Request, path: Sequence[str]) -> type | None:
    """The dataclass that the body of this route has at a path of field names."""
    body = getattr(request.scope.get("route"), "body_field", None)
    shape = _dataclass_in(body.field_info.annotation) if body is not None else None
    for name in path:
        shape = _dataclass_in(get_type_hints(shape).get(name)) if shape is not None else None
    return shape


def _dataclass_in(annotation: Any) -> type | None:
    if get_origin(annotation) in {Union, types.UnionType}:
        return next((found for found in map(_dataclass_in, get_args(annotation)) if found is not None), None)
    return annotation if isinstance(annotation, type) and is_dataclass(annotation) else None
