"""The one HTTP client: timeouts, capped retries, size caps, conditional requests, redaction."""

import logging
import random
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol, Self

import httpx2
import msgspec

from pricing_sources.addresses import is_private, is_same_server, redacted
from pricing_sources.errors import FetchFailed


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


Excerpt = Callable[[Iterator[bytes]], bytes]
"""Makes of a document that arrives in pieces what is to be kept of it."""


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
        excerpt: Excerpt | None = None,
    ) -> Reply:
        """GET `url`; 2xx or 304, else FetchFailed. `excerpt` makes the body of what arrives, piece by piece."""

    def post_json(
        self,
        url: str,
        payload: object,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Reply:
        """POST `payload` as JSON; 2xx, else FetchFailed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much patience and room a feed gets."""

    connect_seconds: float = 10
    silence_seconds: float = 30
    """Longest wait for the next bytes."""
    deadline_seconds: float = 600
    """Longest one answer may take, redirects included, however steadily it drips; each attempt starts anew."""
    max_bytes: int = 512 * 1024 * 1024
    """Largest body, decompressed."""
    max_ratio: int = 300
    """Largest decompressed over received size, once over `ratio_from_bytes`."""
    ratio_from_bytes: int = 16 * 1024 * 1024
    redirects: int = 5
    attempts: int = 3
    backoff_seconds: float = 1
    """First wait between attempts; doubles, with jitter."""
    longest_wait_seconds: float = 60
    """A feed that asks for more patience than this is left alone until its next slot."""


RETRIED_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
RETRY_AFTER_HEADERS: Final = ("retry-after", "x-ms-ratelimit-retailprices-retry-after")
KEPT_HEADERS: Final = ("etag", "last-modified", "date", "content-type", "retry-after")
SECRET_HEADER: Final = re.compile(r"auth|cookie|key|token|secret|signature|password", re.IGNORECASE)
# The client would log every URL, credentials included, as soon as a program logs at level INFO.
logging.getLogger("httpx2").setLevel(logging.WARNING)


class HttpTransport:
    """The transport that really asks the world. Safe to use from several threads; close it when done."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        user_agent: str = "llm-cost-planner",
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._limits = limits or Limits()
        self._sleep, self._monotonic, self._jitter = sleep, monotonic, jitter
        timeout = httpx2.Timeout(self._limits.silence_seconds, connect=self._limits.connect_seconds)
        self._client = httpx2.Client(
            timeout=timeout,
            follow_redirects=False,
            headers={"user-agent": user_agent, "accept-encoding": "gzip"},
            # A connection of its own for each question: one that is used again is not announced to _Deadline.
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        known: Validators | None = None,
        max_bytes: int | None = None,
        excerpt: Excerpt | None = None,
    ) -> Reply:
        """GET `url`; 2xx, or 304 if `known` was given, else FetchFailed.

        A document too large for memory is given to `excerpt` as it arrives, and again from its
        beginning after a broken attempt; what it returns is the body.
        """
        asked = dict(headers or {})
        if known and known.etag:
            asked["if-none-match"] = known.etag
        if known and known.last_modified:
            asked["if-modified-since"] = known.last_modified
        request = self._request("GET", url, params=params, headers=asked)
        return self._with_retries(request, max_bytes, excerpt or b"".join)

    def post_json(
        self, url: str, payload: object, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None
    ) -> Reply:
        """POST `payload` as JSON; 2xx, else FetchFailed."""
        asked = {"content-type": "application/json", **(headers or {})}
        request = self._request("POST", url, content=msgspec.json.encode(payload), headers=asked)
        return self._with_retries(request, max_bytes, b"".join)

    def _request(self, method: str, url: str, **rest: Any) -> httpx2.Request:
        try:
            request = self._client.build_request(method, url, **rest)
        except (httpx2.InvalidURL, ValueError, TypeError):
            # Not the error's own words: they may quote a password or a header.
            asked = "the URL" if "@" in url else redacted(url)
            raise FetchFailed(f"{asked} cannot be asked: a valid URL and plain ASCII headers were expected") from None
        if request.url.scheme not in {"http", "https"}:
            raise FetchFailed(f"{redacted(url)} is not an http or https URL")
        return request

    def _with_retries(self, request: httpx2.Request, max_bytes: int | None, excerpt: Excerpt) -> Reply:
        # Not a retry library: the feed itself may name the wait, and a too long one must end the matter at once.
        for attempt in range(1, self._limits.attempts + 1):
            try:
                return self._follow(request, self._limits.max_bytes if max_bytes is None else max_bytes, excerpt)
            except _Passing as trouble:
                wait = trouble.wait if trouble.wait is not None else self._backoff(attempt)
                if attempt == self._limits.attempts or wait > self._limits.longest_wait_seconds:
                    raise FetchFailed(str(trouble), retry_after_seconds=trouble.wait) from None
                self._sleep(wait)
        raise FetchFailed(f"{redacted(str(request.url))}: no attempt was allowed")

    def _backoff(self, attempt: int) -> float:
        return self._limits.backoff_seconds * 2.0 ** (attempt - 1) * (0.5 + self._jitter())

    def _follow(self, request: httpx2.Request, max_bytes: int, excerpt: Excerpt) -> Reply:
        """Send, and follow redirects by hand: each next address is looked at before it is asked."""
        deadline = self._monotonic() + self._limits.deadline_seconds
        for _ in range(self._limits.redirects + 1):
            late = f"{redacted(str(request.url))}: not finished after {self._limits.deadline_seconds:g} seconds"
            with _Deadline(deadline - self._monotonic(), late) as watch:
                request.extensions["trace"] = watch.notice
                answer = self._send(request, max_bytes, excerpt)
            if isinstance(answer, Reply):
                return answer
            request = self._redirected(request, answer)
        raise FetchFailed(f"{redacted(str(request.url))}: more than {self._limits.redirects} redirects")

    def _send(self, request: httpx2.Request, max_bytes: int, excerpt: Excerpt) -> Reply | str:
        """One exchange: the reply, or where the server points."""
        where = redacted(str(request.url))
        try:
            response = self._client.send(request, stream=True)
            try:
                if response.has_redirect_location:
                    return response.headers["location"]
                _require_success(response, where)
                body = excerpt(self._pieces(response, where, max_bytes))
            finally:
                response.close()
        except httpx2.RemoteProtocolError as error:
            raise _Passing(f"{where}: the answer was cut short or garbled ({type(error).__name__})") from None
        except httpx2.TimeoutException as error:
            raise _Passing(f"{where}: no answer in time ({type(error).__name__})") from None
        except httpx2.ConnectError as error:
            raise _Passing(f"{where}: cannot be reached ({error})") from None
        except httpx2.TransportError as error:
            # Not in its own words: they may quote a header.
            raise _Passing(f"{where}: the exchange broke off ({type(error).__name__})") from None
        return Reply(
            url=where,
            status=response.status_code,
            body=body,
            media_type=response.headers.get("content-type", "").partition(";")[0].strip(),
            headers={name: response.headers[name] for name in KEPT_HEADERS if name in response.headers},
        )

    def _pieces(self, response: httpx2.Response, where: str, max_bytes: int) -> Iterator[bytes]:
        """The body, decompressed, as it arrives."""
        limits, size, received = self._limits, 0, 0
        encoding = response.headers.get("content-encoding", "").strip().lower() or "identity"
        if encoding not in {"gzip", "identity"}:
            raise FetchFailed(f"{where}: encoded as {encoding}, which was not asked for")
        gunzip = _Gunzip(where) if encoding == "gzip" else None
        for chunk in response.iter_raw():
            received += len(chunk)
            for piece in gunzip.pieces(chunk) if gunzip else [chunk]:
                size += len(piece)
                if size > max_bytes:
                    raise FetchFailed(f"{where}: larger than the {max_bytes} bytes allowed")
                if size > limits.ratio_from_bytes and size > limits.max_ratio * received:
                    raise FetchFailed(f"{where}: decompresses to over {limits.max_ratio} times its size")
                yield piece
        if gunzip and received and not gunzip.member.eof:
            raise _Passing(f"{where}: the compressed answer was cut short")

    def _redirected(self, request: httpx2.Request, location: str) -> httpx2.Request:
        try:
            target = request.url.join(location)
        except (httpx2.InvalidURL, ValueError):
            raise FetchFailed(f"{redacted(str(request.url))}: redirects to what is not a URL") from None
        where = f"{redacted(str(request.url))}: redirects to {redacted(str(target))}"
        if target.scheme not in {"http", "https"}:
            raise FetchFailed(f"{where}, which is not http or https")
        if request.url.scheme == "https" and target.scheme == "http":
            raise FetchFailed(f"{where}, which is not encrypted")
        if target.host != request.url.host and is_private(target.host) and not is_private(request.url.host):
            raise FetchFailed(f"{where}, a private address")
        headers = dict(request.headers)
        headers.pop("host", None)
        if not is_same_server(request.url, target):
            if request.method == "POST":
                # Its payload may carry a registration key.
                raise FetchFailed(f"{where}, another server than the question was posted to")
            headers = {name: value for name, value in headers.items() if not SECRET_HEADER.search(name)}
        return self._client.build_request(request.method, target, headers=headers, content=request.content or None)


class _Passing(Exception):
    """Trouble that may be over in a moment; `wait` is what the server asked for, in seconds."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class _Deadline:
    """Cuts the connection of one exchange when its time is up.

    The client's own timeout starts anew with every byte, so headers or chunk marks that drip would
    hold it for hours without ever returning to us.
    """

    def __init__(self, seconds: float, words: str) -> None:
        self._timer = threading.Timer(max(0.0, seconds), self._cut)
        self._timer.daemon = True
        self._words = words
        self._reached = False
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._timer.cancel()
        # Also without an exception: a body that ends with its connection looks whole when it is cut.
        if self._reached and (kind is None or issubclass(kind, _Passing)):
            raise FetchFailed(self._words) from None

    def notice(self, event: str, info: Mapping[str, Any]) -> None:
        """Remember the socket: told by the client of every step it takes."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self._reached:
                self._cut()

    def _cut(self) -> None:
        self._reached = True
        if self._socket is not None:
            # Not SSLSocket.shutdown: it takes the encryption from under a read in another thread.
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Gunzip:
    """Unpacks gzip as it arrives; unlike the client's own, in small pieces and noticing a cut-off end."""

    def __init__(self, where: str) -> None:
        self._where = where
        self.member = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """The chunk decompressed, at most a megabyte at a time."""
        try:
            while chunk:
                if self.member.eof:
                    self.member = zlib.decompressobj(zlib.MAX_WBITS | 16)
                yield self.member.decompress(chunk, 1024 * 1024)
                chunk = self.member.unconsumed_tail or self.member.unused_data
        except zlib.error as error:
            raise _Passing(f"{self._where}: the compressed answer is garbled ({error})") from None


def _require_success(response: httpx2.Response, where: str) -> None:
    status, asked = response.status_code, response.request.headers
    if 200 <= status < 300 and status != 206:  # 206: a part, and none was asked for
        return
    if status == 304 and ("if-none-match" in asked or "if-modified-since" in asked):
        return
    waits = (_seconds(response.headers.get(name, "")) for name in RETRY_AFTER_HEADERS)
    wait = next((wait for wait in waits if wait is not None), None)
    if status in RETRIED_STATUSES:
        raise _Passing(f"{where}: answered {status}", wait)
    raise FetchFailed(f"{where}: answered {status}", status=status)


def _seconds(retry_after: str) -> float | None:
    """Seconds to wait, from a number or an HTTP date."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())
