"""The one HTTP client: timeouts, capped retries, size caps, conditional requests, redaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Validators:
    """What a conditional request sends back."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A successful answer; `not_modified` means 304 and an empty body."""

    url: str
    """Final URL, credentials redacted."""
    status: int
    body: bytes
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def not_modified(self) -> bool:
        """True if the server answered 304."""
        return self.status == 304


class Transport(Protocol):
    """What a source may ask of the world."""

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        known: Validators | None = None,
        max_bytes: int | None = None,
    ) -> Reply:
        """GET `url`; 2xx or 304, else FetchFailed."""

    def post_json(
        self,
        url: str,
        payload: object,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Reply:
        """POST `payload` as JSON; 2xx, else FetchFailed."""
