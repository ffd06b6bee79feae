"""One byte string per value: what makes an estimate content-addressed and reproducible."""

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="string")


def json_bytes(value: object) -> bytes:
    """JSON of frozen dataclasses: keys sorted, decimals as strings, times as RFC 3339, no blanks."""
    return _ENCODER.encode(value)


def canonical_bytes(value: object) -> bytes:
    """The same without what is None: a field that a later version adds leaves the bytes of before as they were."""
    return _ENCODER.encode(_without_none(msgspec.to_builtins(value, builtin_types=(datetime, Decimal))))


def content_id(body: bytes) -> str:
    """The SHA-256 of the bytes, in hex: the name of whatever they say."""
    return hashlib.sha256(body).hexdigest()


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(part) for name, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_without_none(part) for part in value]
    return value
