"""Standard Webhooks signatures: a receiver can tell that a message is ours, whole and fresh.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a key."""


class BadSecret(Exception):
    """A secret that cannot sign; its words never quote it."""


def keys_of(secret: str) -> tuple[bytes, ...]:
    """The keys of a setting: `whsec_…`, or several with spaces between while one replaces another.

    Raises BadSecret.
    """
    found = tuple(_key(one) for one in re.split(r"\s+", secret.strip()) if one)
    if not found:
        raise BadSecret("no secret is set")
    return found


def signed_headers(keys: Sequence[bytes], message_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message; one signature per key, so that a receiver may know either."""
    stamp = str(int(sent_at.timestamp()))
    content = b".".join((message_id.encode(), stamp.encode(), body))
    signatures = (base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise BadSecret(f"a secret must be {PREFIX} and base64") from None
    if not SHORTEST <= len(key) <= LONGEST:
        raise BadSecret(f"a secret must hold {SHORTEST} to {LONGEST} bytes, not {len(key)}")
    return key
