"""Tables that are sent as CSV rather than JSON."""

from typing import Annotated, Final

from fastapi import Depends, HTTPException, Request

CSV: Final = "text/csv"
CSV_BODY: Final = {"requestBody": {"required": True, "content": {CSV: {"schema": {"type": "string"}}}}}
"""What the OpenAPI document says of a route that takes one."""


async def _table(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CSV:
        raise HTTPException(415, f"send the table as Content-Type: {CSV}")
    return await request.body()


TableSent = Annotated[bytes, Depends(_table)]
"""The bytes of a table; 415 for anything else."""
