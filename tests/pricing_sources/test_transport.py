import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pricing_sources.errors import FetchFailed
from pricing_sources.transport import HttpTransport, Limits, Validators, redacted

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


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b".")
        handler.wfile.flush()
        time.sleep(0.05)


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


def test_the_feeds_own_wish_to_wait_is_honoured(feed: Feed, transport: HttpTransport, slept: list[float]) -> None:
    feed.answers["/p"] = [reply(status=429, Retry_After="7"), reply(b"ok")]
    assert transport.get(feed.url("/p")).body == b"ok"
    assert slept == [7.0]


def test_azure_says_how_long_to_wait_in_a_header_of_its_own(
    feed: Feed, transport: HttpTransport, slept: list[float]
) -> None:
    feed.answers["/p"] = [reply(status=429, **{"x-ms-ratelimit-retailprices-retry-after": "5"}), reply(b"ok")]
    assert transport.get(feed.url("/p")).body == b"ok"
    assert slept == [5.0]


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


def test_a_steady_drip_ends_at_the_deadline(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [drip]
    with pytest.raises(FetchFailed, match=r"not finished after 0\.5 seconds"):
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


def test_a_gzip_bomb_is_stopped_early(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(gzip.compress(bytes(3_000_000)), Content_Encoding="gzip")]
    with pytest.raises(FetchFailed, match="over 100 times its size"):
        transport.get(feed.url("/p"))


def test_a_body_over_the_limit_is_refused(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(b"x" * 2_000)]
    with pytest.raises(FetchFailed, match="larger than the 1000 bytes allowed"):
        transport.get(feed.url("/p"), max_bytes=1_000)


def test_an_endless_redirect_ends(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(status=302, Location="/p")]
    with pytest.raises(FetchFailed, match="more than 5 redirects"):
        transport.get(feed.url("/p"))


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://x/"])
def test_a_redirect_out_of_http_is_refused(feed: Feed, transport: HttpTransport, location: str) -> None:
    feed.answers["/p"] = [reply(status=302, Location=location)]
    with pytest.raises(FetchFailed, match="not http or https"):
        transport.get(feed.url("/p"))


def test_credentials_do_not_follow_a_redirect_to_another_host(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(status=302, Location=feed.url("/q", host="localhost"))]
    feed.answers["/q"] = [reply(b"ok")]
    transport.get(feed.url("/p"), headers={"Authorization": "Bearer s3cret", "X-Mark": "kept"})

    assert feed.asked[0][1]["authorization"] == "Bearer s3cret"
    assert "authorization" not in feed.asked[1][1]
    assert feed.asked[1][1]["x-mark"] == "kept"


def test_no_error_tells_a_secret(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(status=404)]
    url = feed.url("/p?api_key=s3cret&geo=DE").replace("//", "//user:hunter2@")
    with pytest.raises(FetchFailed) as caught:
        transport.get(url, headers={"Authorization": "Bearer t0ken"})
    assert "geo=DE" in str(caught.value)
    for secret in ("s3cret", "hunter2", "t0ken"):
        assert secret not in str(caught.value)


def test_a_private_redirect_target_is_refused_from_a_public_host() -> None:
    import httpx2

    with HttpTransport() as transport, pytest.raises(FetchFailed, match="a private address"):
        transport._redirected(httpx2.Request("GET", "http://feed.example/p"), "http://169.254.169.254/latest")


def test_an_encrypted_request_is_not_redirected_in_the_clear() -> None:
    import httpx2

    with HttpTransport() as transport, pytest.raises(FetchFailed, match="not encrypted"):
        transport._redirected(httpx2.Request("GET", "https://feed.example/p"), "http://feed.example/p")


def test_a_json_question_is_posted(feed: Feed, transport: HttpTransport) -> None:
    feed.answers["/p"] = [reply(b"ok")]
    assert transport.post_json(feed.url("/p"), {"seriesid": ["A"]}).body == b"ok"
    assert feed.asked[0][1]["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x.example/a?token=1&b=2", "https://x.example/a?token=***&b=2"),
        ("https://x.example/a?securityToken=1", "https://x.example/a?securityToken=***"),
        ("https://me:pw@x.example/a", "https://***@x.example/a"),
        ("https://x.example/a?$filter=key%20eq%201", "https://x.example/a?$filter=key%20eq%201"),
    ],
)
def test_credentials_in_a_url_are_never_shown(url: str, shown: str) -> None:
    assert redacted(url) == shown
