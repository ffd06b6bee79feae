"""Posting a body to an address that somebody gave us."""

import re
import ssl
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import httpcore2

from service.notifying.network import CheckedBackend
from service.notifying.sending import NotSent

SECONDS: Final = 15.0
"""For a whole exchange, as Standard Webhooks advises (15 to 30)."""
GONE: Final = 410


class Poster:
    """Posts, to public addresses over TLS unless private ones are allowed; it follows no redirect."""

    def __init__(self, *, private: bool = False, seconds: float = SECONDS) -> None:
        self._private = private
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            network_backend=CheckedBackend(private=private, seconds=seconds),
            max_keepalive_connections=0,
        )
        self._timeout = {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> str:
        """Post JSON; what the receiver answered, for the record. Raises NotSent unless it is 2xx.

        No message quotes the URL beyond its host: its path may be a secret.
        """
        host = self._host(url)
        sent = {"host": urlsplit(url).netloc.rpartition("@")[2], "content-type": "application/json"}
        sent |= {"content-length": str(len(body)), "user-agent": "llm-cost-planner", "connection": "close", **headers}
        try:
            with self._pool.stream(
                "POST", url, headers=list(sent.items()), content=body, extensions={"timeout": self._timeout}
            ) as response:
                return _accepted(host, response.status, dict(response.headers))
        except NotSent:
            raise
        except httpcore2.TimeoutException:
            raise NotSent(f"{host} did not answer in time") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise NotSent(f"{host}: {_named(error)}") from None
        except (httpcore2.UnsupportedProtocol, ValueError, TypeError):
            raise NotSent("the address of the target is no URL that can be asked", for_good=True) from None

    def _host(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ({"https", "http"} if self._private else {"https"}) or not parts.hostname:
            wanted = "an http or https URL" if self._private else "an https URL"
            raise NotSent(f"the address of the target is not {wanted}", for_good=True)
        return parts.hostname


def _accepted(host: str, status: int, headers: Mapping[bytes, bytes]) -> str:
    if 200 <= status < 300:
        return f"{host} answered {status}"
    if 300 <= status < 400:
        raise NotSent(f"{host} answered {status}: redirects are not followed; give the address it leads to")
    raise NotSent(f"{host} answered {status}", wait=_wait(headers), for_good=status == GONE)


def _wait(headers: Mapping[bytes, bytes]) -> timedelta | None:
    asked = next((value for name, value in headers.items() if name.lower() == b"retry-after"), b"")
    return timedelta(seconds=int(asked)) if re.fullmatch(rb"\d{1,7}", asked.strip()) else None


def _named(error: Exception) -> str:
    """What went wrong, in its own words where they are the system's and not a peer's."""
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {cause.verify_message}"
    return f"cannot be reached ({type(error).__name__})"
