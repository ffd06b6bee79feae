"""The one HTTP client: timeouts, capped retries, size caps, conditional requests, redaction."""

import random
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit, urlunsplit

import httpx2
import msgspec

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much patience and room a feed gets."""

    connect_seconds: float = 10
    silence_seconds: float = 30
    """Longest wait for the next bytes."""
    deadline_seconds: float = 600
    """Longest one answer may take altogether, however steadily it drips."""
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
SECRET_HEADERS: Final = frozenset({"authorization", "x-api-key", "api-key", "ocp-apim-subscription-key", "cookie"})
SECRET_PARAMETER: Final = re.compile(
    r"^(api[-_]?key|key|token|access[-_]?token|security-?token|registration-?key|password|secret|sig|signature)$",
    re.IGNORECASE,
)


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
            timeout=timeout, follow_redirects=False, headers={"user-agent": user_agent, "accept-encoding": "gzip"}
        )

    def __enter__(self) -> Self:
        """Use as a context manager to close it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
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
    ) -> Reply:
        """GET `url`; 2xx or 304, else FetchFailed."""
        asked = dict(headers or {})
        if known and known.etag:
            asked["if-none-match"] = known.etag
        if known and known.last_modified:
            asked["if-modified-since"] = known.last_modified
        request = self._request("GET", url, params=params, headers=asked)
        return self._with_retries(request, max_bytes)

    def post_json(
        self,
        url: str,
        payload: object,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Reply:
        """POST `payload` as JSON; 2xx, else FetchFailed."""
        asked = {"content-type": "application/json", **(headers or {})}
        request = self._request("POST", url, content=msgspec.json.encode(payload), headers=asked)
        return self._with_retries(request, max_bytes)

    def _request(self, method: str, url: str, **rest: Any) -> httpx2.Request:
        try:
            request = self._client.build_request(method, url, **rest)
        except httpx2.InvalidURL as error:
            raise FetchFailed(f"{redacted(url)} is not a URL: {error}") from None
        if request.url.scheme not in {"http", "https"}:
            raise FetchFailed(f"{redacted(url)} is not an http or https URL")
        return request

    def _with_retries(self, request: httpx2.Request, max_bytes: int | None) -> Reply:
        # Not a retry library: the feed itself may name the wait, and a too long one must end the matter at once.
        for attempt in range(1, self._limits.attempts + 1):
            try:
                return self._follow(request, max_bytes or self._limits.max_bytes)
            except _Passing as trouble:
                wait = trouble.wait if trouble.wait is not None else self._backoff(attempt)
                if attempt == self._limits.attempts or wait > self._limits.longest_wait_seconds:
                    raise FetchFailed(str(trouble), retry_after_seconds=trouble.wait) from None
                self._sleep(wait)
        raise FetchFailed(f"{redacted(str(request.url))}: no attempt was allowed")

    def _backoff(self, attempt: int) -> float:
        return self._limits.backoff_seconds * 2.0 ** (attempt - 1) * (0.5 + self._jitter())

    def _follow(self, request: httpx2.Request, max_bytes: int) -> Reply:
        """Send, and follow redirects by hand: each next address is looked at before it is asked."""
        deadline = self._monotonic() + self._limits.deadline_seconds
        for _ in range(self._limits.redirects + 1):
            answer = self._send(request, max_bytes, deadline)
            if isinstance(answer, Reply):
                return answer
            request = self._redirected(request, answer)
        raise FetchFailed(f"{redacted(str(request.url))}: more than {self._limits.redirects} redirects")

    def _send(self, request: httpx2.Request, max_bytes: int, deadline: float) -> Reply | str:
        """One exchange: the reply, or where the server points."""
        where = redacted(str(request.url))
        try:
            response = self._client.send(request, stream=True)
            try:
                if response.is_redirect and response.status_code != 304:
                    return str(response.headers["location"])
                _require_success(response, where)
                body = self._body(response, where, max_bytes, deadline)
            finally:
                response.close()
        except (httpx2.DecodingError, httpx2.RemoteProtocolError) as error:
            raise _Passing(f"{where}: the answer was cut short or garbled ({type(error).__name__})") from None
        except httpx2.TimeoutException as error:
            raise _Passing(f"{where}: no answer in time ({type(error).__name__})") from None
        except httpx2.TransportError as error:
            raise _Passing(f"{where}: cannot be reached ({type(error).__name__}: {_cause(error)})") from None
        return Reply(
            url=where,
            status=response.status_code,
            body=body,
            media_type=response.headers.get("content-type", "").partition(";")[0].strip(),
            headers={name: response.headers[name] for name in KEPT_HEADERS if name in response.headers},
        )

    def _body(self, response: httpx2.Response, where: str, max_bytes: int, deadline: float) -> bytes:
        limits, body, received = self._limits, bytearray(), 0
        encoding = response.headers.get("content-encoding", "identity").lower()
        if encoding not in {"gzip", "identity"}:
            raise FetchFailed(f"{where}: encoded as {encoding}, which was not asked for")
        # Unpacked here, not by the client: it would neither stop a bomb early nor notice a truncated stream.
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding == "gzip" else None
        for chunk in response.iter_raw():
            received += len(chunk)
            for piece in _unpacked(chunk, unpacker, where):
                body += piece
                if len(body) > max_bytes:
                    raise FetchFailed(f"{where}: larger than the {max_bytes} bytes allowed")
                if len(body) > limits.ratio_from_bytes and len(body) > limits.max_ratio * received:
                    raise FetchFailed(f"{where}: decompresses to over {limits.max_ratio} times its size")
            if self._monotonic() > deadline:
                raise FetchFailed(f"{where}: not finished after {limits.deadline_seconds:g} seconds")
        if unpacker is not None and received and not unpacker.eof:
            raise _Passing(f"{where}: the compressed answer was cut short")
        return bytes(body)

    def _redirected(self, request: httpx2.Request, location: str) -> httpx2.Request:
        target = request.url.join(location)
        where = f"{redacted(str(request.url))}: redirects to {redacted(str(target))}"
        if target.scheme not in {"http", "https"}:
            raise FetchFailed(f"{where}, which is not http or https")
        if request.url.scheme == "https" and target.scheme == "http":
            raise FetchFailed(f"{where}, which is not encrypted")
        if _is_private(target.host) and not _is_private(request.url.host):
            raise FetchFailed(f"{where}, a private address")
        headers = dict(request.headers)
        headers.pop("host", None)
        if target.host != request.url.host:
            headers = {name: value for name, value in headers.items() if name.lower() not in SECRET_HEADERS}
        return self._client.build_request(request.method, target, headers=headers, content=request.content or None)


class _Passing(Exception):
    """Trouble that may be over in a moment; `wait` is what the server asked for, in seconds."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


def _unpacked(chunk: bytes, unpacker: Any, where: str) -> Iterator[bytes]:
    """The chunk decompressed, at most a megabyte at a time."""
    if unpacker is None:
        yield chunk
        return
    try:
        while chunk:
            yield unpacker.decompress(chunk, 1024 * 1024)
            chunk = unpacker.unconsumed_tail
    except zlib.error as error:
        raise _Passing(f"{where}: the compressed answer is garbled ({error})") from None


def redacted(url: str) -> str:
    """The URL without anybody's credentials.

    >>> redacted("https://u:p@feed.example/v1?api_key=abc&geo=DE")
    'https://***@feed.example/v1?api_key=***&geo=DE'
    """
    parts = urlsplit(url)
    host = f"***@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    query = "&".join(
        f"{name}=***" if SECRET_PARAMETER.match(name) else f"{name}{sign}{value}"
        for name, sign, value in (pair.partition("=") for pair in parts.query.split("&"))
    )
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def _require_success(response: httpx2.Response, where: str) -> None:
    status = response.status_code
    if 200 <= status < 300 or status == 304:
        return
    wait = next((_seconds(response.headers[name]) for name in RETRY_AFTER_HEADERS if name in response.headers), None)
    if status in RETRIED_STATUSES:
        raise _Passing(f"{where}: answered {status}", wait)
    raise FetchFailed(f"{where}: answered {status}")


def _seconds(retry_after: str) -> float | None:
    """Seconds to wait, from a number or an HTTP date."""
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False


def _cause(error: Exception) -> str:
    """The operating system's words, without a URL in them."""
    text = str(error)
    return text if "://" not in text else "see the URL"
