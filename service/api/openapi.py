"""The OpenAPI document: every operation may answer with a problem."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from typing_extensions import override

from service.api.problems import MEDIA_TYPE, Problem

PATH: Final = "/openapi.json"
_REPLACED: Final = ("HTTPValidationError", "ValidationError")
"""FastAPI's own error shapes, which we never send."""


class Described(FastAPI):
    """An application whose OpenAPI document is ours."""

    @override
    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _document(self)
        return self.openapi_schema


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    components = document.setdefault("components", {})
    shapes = components.setdefault("schemas", {})
    for name in _REPLACED:
        shapes.pop(name, None)
    problem = TypeAdapter(Problem).json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    shapes.update(problem.pop("$defs", {}))
    shapes["Problem"] = problem
    components["responses"] = {
        "Problem": {
            "description": "What went wrong (RFC 9457).",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
    return document
