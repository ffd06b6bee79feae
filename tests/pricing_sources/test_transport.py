import gzip
import logging
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from pricing_sources.addresses import redacted
from pricing_sources.errors import FetchFailed
from pricing_sources.transport import HttpTransport, Limits, Validators

Answer = Callable[[BaseHTTPRequestHandler], None]


class Feed:
    """A feed over loopback that answers as a test says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                feed.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                queue = feed.answers[self.path.partition("?")[0]]
                answer = queue.pop(0) if len(queue) > 1 else queue[0]
                try:
                    answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.do_GET()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server.server_port}{path}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def reply(body: bytes = b"{}", status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def dripping(start: bytes) -> Answer:
    """Sends `start`, then a byte now and then, which never completes anything."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(start)
        for _ in range(60):
            handler.wfile.write(b"a")
            handler.wfile.flush()
            time.sleep(0.05)

    return answer


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        handler.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


def hang(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "10")
    handler.end_headers()
    time.sleep(1)


@pytest.fixture
def feed() -> Iterator[Feed]:
    opened = Feed()
    yield opened
    opened.close()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def transport(slept: list[float]) -> Iterator[HttpTransport]:
    limits = Limits(
        connect_seconds=0.5,
        silence_seconds=0.3,
        deadline_seconds=0.5,
        max_bytes=4_000_000,
        ratio_from_bytes=100_000,
        max_ratio=100,
    )
    with HttpTransport(limits, sleep=slept.append, jitter=lambda: 0.5) as opened:
        yield opened


def test_a_good_answer_keeps_its_bytes_and_the_headers_that_matter(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(b'{"a": 1}', ETag='"v1"', Content_Type="application/json; charset=utf-8", Server="x")]
    got = transport.get(feed.url("/p"), params={"geo": "DE"})

    assert (got.status, got.body, got.media_type) == (200, b'{"a": 1}', "application/json")
    assert got.url == feed.url("/p?geo=DE")
    assert got.headers["etag"] == '"v1"'
    assert "server" not in got.headers


def test_what_is_known_is_asked_for_conditionally(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(b"", status=304)]
    got = transport.get(feed.url("/p"), known=Validators('"v1"', "Mon, 02 Mar 2026 00:00:00 GMT"))

    assert got.not_modified
    assert feed.asked[0][1]["if-none-match"] == '"v1"'
    assert feed.asked[0][1]["if-modified-since"] == "Mon, 02 Mar 2026 00:00:00 GMT"


def test_a_passing_failure_is_tried_again_with_growing_waits(
    feed: Feed, transport: HttpTransport, slept: list[float]
) -> None:
    feed.answers["/p"] = [reply(status=500), reply(status=503), reply(b"ok")]

    assert transport.get(feed.url("/p")).body == b"ok"
    assert slept == [1.0, 2.0]


@pytest.mark.parametrize("header", ["Retry-After", "x-ms-ratelimit-retailprices-retry-after"])
def test_the_feeds_own_wish_to_wait_is_honoured(
    feed: Feed, transport: HttpTransport, slept: list[float], header: str
) -> None:
    feed.answers["/p"] = [reply(status=429, **{header: "7"}), reply(b"ok")]
    assert transport.get(feed.url("/p")).body == b"ok"
    assert slept == [7.0]


def test_a_feed_that_wants_an_hour_is_left_alone_at_once(
    feed: Feed, transport: HttpTransport, slept: list[float]
) -> None:
    feed.answers["/p"] = [reply(status=429, Retry_After="3600")]
    with pytest.raises(FetchFailed, match="answered 429") as caught:
        transport.get(feed.url("/p"))
    assert (caught.value.retry_after_seconds, len(feed.asked), slept) == (3600.0, 1, [])


def test_a_refusal_is_not_tried_again(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(status=404)]
    with pytest.raises(FetchFailed, match="answered 404"):
        transport.get(feed.url("/p"))
    assert len(feed.asked) == 1


def test_nobody_at_home_is_tried_three_times(transport: HttpTransport, slept: list[float]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(FetchFailed, match="cannot be reached"):
        transport.get(f"http://127.0.0.1:{port}/p")
    assert len(slept) == 2


def test_silence_after_the_headers_ends_in_time(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [hang]
    with pytest.raises(FetchFailed, match="no answer in time"):
        transport.get(feed.url("/p"))


def test_a_body_cut_short_is_no_document(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(b"half", Content_Length="8", Connection="close")]
    with pytest.raises(FetchFailed, match="cut short"):
        transport.get(feed.url("/p"))


def test_a_gzip_body_is_unpacked(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(gzip.compress(b"prices"), Content_Encoding="gzip")]
    assert transport.get(feed.url("/p")).body == b"prices"


@pytest.mark.parametrize("body", [gzip.compress(b"prices" * 500)[:-20], b"\x1f\x8bnot gzip at all"])
def test_a_broken_gzip_body_is_no_document(feed: Feed, transport: HttpTransport, body: bytes) -> None:
    feed.answers["/p"] = [reply(body, Content_Encoding="gzip")]
    with pytest.raises(FetchFailed, match="the compressed answer"):
        transport.get(feed.url("/p"))


def test_a_body_over_the_limit_is_refused(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(b"x" * 2_000)]
    with pytest.raises(FetchFailed, match="larger than the 1000 bytes allowed"):
        transport.get(feed.url("/p"), max_bytes=1_000)


def test_an_endless_redirect_ends(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(status=302, Location="/p")]
    with pytest.raises(FetchFailed, match="more than 5 redirects"):
        transport.get(feed.url("/p"))


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("file:///etc/passwd", "not http or https"),
        ("gopher://x/", "not http or https"),
        ("http://[::1", "redirects to what is not a URL"),
    ],
)
def test_a_redirect_out_of_http_is_refused(feed: Feed, transport: HttpTransport, location: str, words: str) -> None:
    feed.answers["/p"] = [reply(status=302, Location=location)]
    with pytest.raises(FetchFailed, match=words):
        transport.get(feed.url("/p"))


@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key", "X-Auth-Token", "Cookie"])
def test_credentials_do_not_follow_a_redirect_to_another_host(
    feed: Feed, transport: HttpTransport, header: str
) -> None:
    feed.answers["/p"] = [reply(status=302, Location=feed.url("/q", host="localhost"))]
    feed.answers["/q"] = [reply(b"ok")]
    transport.get(feed.url("/p"), headers={header: "Bearer s3cret", "X-Mark": "kept"})

    assert feed.asked[0][1][header.lower()] == "Bearer s3cret"
    assert header.lower() not in feed.asked[1][1]
    assert feed.asked[1][1]["x-mark"] == "kept"


def test_no_error_tells_a_secret(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(status=404)]
    url = feed.url("/p?api_key=s3cret&geo=DE").replace("//", "//user:hunter2@")
    with pytest.raises(FetchFailed) as caught:
        transport.get(url, headers={"Authorization": "Bearer t0ken"})
    assert "geo=DE" in str(caught.value)
    for secret in ("s3cret", "hunter2", "t0ken"):
        assert secret not in str(caught.value)


def resolve(monkeypatch: pytest.MonkeyPatch, **addresses: str) -> None:
    def getaddrinfo(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (addresses.get(host.partition(".")[0], host), 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("target", ["169.254.169.254", "[::1]", "[::ffff:10.0.0.7]", "inside.example"])
def test_a_private_redirect_target_is_refused_from_a_public_host(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    resolve(monkeypatch, feed="1.1.1.1", inside="10.0.0.7")
    with HttpTransport() as transport, pytest.raises(FetchFailed, match="a private address"):
        transport._redirected(httpx2.Request("GET", "http://feed.example/p"), f"http://{target}/latest")


def test_a_public_redirect_target_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, feed="1.1.1.1", other="1.0.0.1")
    with HttpTransport() as transport:
        next_request = transport._redirected(httpx2.Request("GET", "http://feed.example/p"), "https://other.example/q")
    assert str(next_request.url) == "https://other.example/q"


def test_an_encrypted_request_is_not_redirected_in_the_clear() -> None:
    with HttpTransport() as transport, pytest.raises(FetchFailed, match="not encrypted"):
        transport._redirected(httpx2.Request("GET", "https://feed.example/p"), "http://feed.example/p")


def test_a_json_question_is_posted(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(b"ok")]
    assert transport.post_json(feed.url("/p"), {"seriesid": ["A"]}).body == b"ok"
    assert feed.asked[0][1]["content-type"] == "application/json"


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;mark=",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
    ids=["header", "chunk mark", "body without an end"],
)
def test_nothing_that_drips_outlives_the_deadline(feed: Feed, transport: HttpTransport, start: bytes) -> None:
    feed.answers["/p"] = [dripping(start)]
    began = time.monotonic()
    with pytest.raises(FetchFailed, match=r"not finished after 0\.5 seconds"):
        transport.get(feed.url("/p"))
    assert time.monotonic() - began < 1.5


def test_an_endless_body_ends_at_the_size_limit(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [endless]
    with pytest.raises(FetchFailed, match="larger than the 1000000 bytes allowed"):
        transport.get(feed.url("/p"), max_bytes=1_000_000)


def test_a_gzip_bomb_is_stopped_before_it_takes_memory(feed: Feed, transport: HttpTransport) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    feed.answers["/p"] = [reply(bomb, Content_Encoding="gzip")]
    tracemalloc.start()
    with pytest.raises(FetchFailed, match="over 100 times its size"):
        transport.get(feed.url("/p"), max_bytes=100_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16_000_000


def test_a_body_of_several_gzip_members_is_unpacked_whole(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(gzip.compress(b"first ") + gzip.compress(b"second"), Content_Encoding="gzip")]
    assert transport.get(feed.url("/p")).body == b"first second"


@pytest.mark.parametrize("status", [300, 302, 206, 304])
def test_an_answer_nobody_asked_for_is_a_failure(feed: Feed, transport: HttpTransport, status: int) -> None:
    feed.answers["/p"] = [reply(b"", status=status)]
    with pytest.raises(FetchFailed, match=f"answered {status}"):
        transport.get(feed.url("/p"))


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [("Mon, 23 Nov 2026 00:01:00 GMT", 60.0), ("9" * 400, 999_999_999.0), ("\xb2", None), ("soon", None)],
)
def test_a_wish_to_wait_is_read_as_seconds_or_a_date(
    monkeypatch: pytest.MonkeyPatch, feed: Feed, wish: str, seconds: float | None
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_795_392_000.0)
    feed.answers["/p"] = [reply(status=503, Retry_After=wish)]
    limits = Limits(attempts=1, longest_wait_seconds=30)
    with HttpTransport(limits) as transport, pytest.raises(FetchFailed, match="answered 503") as caught:
        transport.get(feed.url("/p"))
    assert caught.value.retry_after_seconds == seconds


def test_a_posted_question_is_not_told_to_another_server(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(status=307, Location=feed.url("/q", host="localhost"))]
    with pytest.raises(FetchFailed, match="another server than the question was posted to"):
        transport.post_json(feed.url("/p"), {"registrationkey": "s3cret"})
    assert len(feed.asked) == 1


def test_a_posted_question_follows_a_redirect_on_its_own_server(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(status=307, Location="/q")]
    feed.answers["/q"] = [reply(b"ok")]
    assert transport.post_json(feed.url("/p"), {"seriesid": ["A"]}).body == b"ok"
    assert [path for path, _ in feed.asked] == ["/p", "/q"]


@pytest.mark.parametrize("api_key", ["s3cret\nx", "s3cr\N{EURO SIGN}t"])
def test_a_credential_that_cannot_be_sent_is_not_quoted(feed: Feed, transport: HttpTransport, api_key: str) -> None:
    feed.answers["/p"] = [reply(b"ok")]
    with pytest.raises(FetchFailed) as caught:
        transport.get(feed.url("/p"), headers={"Authorization": api_key})
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://user:hunter2@[::1", "http://user:hunter2@h:port", "file:///etc/passwd", "http://"]
)
def test_what_is_no_url_cannot_be_asked(transport: HttpTransport, url: str) -> None:
    with pytest.raises(FetchFailed) as caught:
        transport.get(url)
    assert "hunter2" not in str(caught.value)


def test_no_log_tells_a_secret(feed: Feed, transport: HttpTransport, caplog: pytest.LogCaptureFixture) -> None:
    feed.answers["/p"] = [reply(b"ok")]
    with caplog.at_level(logging.INFO):
        transport.get(feed.url("/p?api_key=s3cret"))
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x.example/a?api%5Fkey=1", "https://x.example/a?api%5Fkey=***"),
        ("https://x.example/a?X-Amz-Signature=1", "https://x.example/a?X-Amz-Signature=***"),
        ("https://x.example/a?sort_key=1", "https://x.example/a?sort_key=1"),
        ("https://x.example/a?token=1&b=2", "https://x.example/a?token=***&b=2"),
        ("https://x.example/a?securityToken=1", "https://x.example/a?securityToken=***"),
        ("https://me:pw@x.example/a", "https://***@x.example/a"),
        ("https://x.example/a?$filter=key%20eq%201", "https://x.example/a?$filter=key%20eq%201"),
    ],
)
def test_credentials_in_a_url_are_never_shown(url: str, shown: str) -> None:
    assert redacted(url) == shown
