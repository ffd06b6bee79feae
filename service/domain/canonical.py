"""One byte string per value: what makes an estimate content-addressed and reproducible."""

import hashlib

import msgspec

_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="string")


def canonical_bytes(value: object) -> bytes:
    """JSON of frozen dataclasses: keys sorted, decimals as strings, times as RFC 3339, no blanks."""
    return _ENCODER.encode(value)


def content_id(body: bytes) -> str:
    """The SHA-256 of the bytes, in hex: the name of whatever they say."""
    return hashlib.sha256(body).hexdigest()
