"""Bodies that are too large, over a real connection: who sends one reads why it is refused."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import uvicorn

from pricing_sources.documents import exact_json
from service.api.edge import MOST_BODY_BYTES, MOST_DROPPED_BYTES
from service.app import create_app
from service.settings import Settings
from service.store.store import Store
from tests.conftest import TickingClock

PLANS = "/api/v1/plans"
MANY_REGIONS = b'{"name": "x", "regions": [' + b",".join(b'"region-%d"' % n for n in range(10**6)) + b"]}"


@pytest.fixture(params=["h11", "httptools"])
def port(request: pytest.FixtureRequest, sqlite_url: str, clock: TickingClock) -> Iterator[int]:
    """A server on a free port of this machine, with each of the two libraries that may read its requests."""
    store = Store.open(sqlite_url, clock)
    server = uvicorn.Server(
        uvicorn.Config(create_app(Settings({}), [], store, clock), http=request.param, log_level="error")
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()
    store.close()


@pytest.mark.parametrize("more", [{}, {"connection": "close"}])
def test_a_body_that_is_announced_too_large_is_refused_in_words_that_its_sender_reads(
    port: int, more: dict[str, str]
) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as line:
        for _ in range(2):
            line.request("POST", PLANS, MANY_REGIONS, {"content-type": "application/json", **more})
            refused(line)
        line.request("GET", "/livez")
        assert line.getresponse().status == 200, "what follows on the same connection is understood"


def test_a_body_that_grows_too_large_is_refused_in_words_that_its_sender_reads(port: int) -> None:
    parts = (MANY_REGIONS[at : at + 2**16] for at in range(0, len(MANY_REGIONS), 2**16))
    sent = {"content-type": "application/json", "transfer-encoding": "chunked", "connection": "close"}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as line:
        line.request("POST", PLANS, parts, sent, encode_chunked=True)
        refused(line)


def test_nobody_is_read_from_for_ever(port: int) -> None:
    def sent_until_closed() -> int:
        part, sent = b" " * 2**20, 0
        try:
            while sent < 4 * MOST_DROPPED_BYTES:
                line.sendall(part)
                sent += len(part)
        except OSError:
            pass
        return sent

    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as line:
        line.sendall(announcing(10**12, "connection: close"))
        assert MOST_DROPPED_BYTES // 2 < sent_until_closed() < 2 * MOST_DROPPED_BYTES


def test_who_asks_before_sending_is_refused_before_it_sends(port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as line:
        line.sendall(announcing(2 * MOST_BODY_BYTES, "expect: 100-continue"))
        assert line.recv(100).startswith(b"HTTP/1.1 413")


def refused(line: http.client.HTTPConnection) -> None:
    response = line.getresponse()
    problem = exact_json(response.read())
    assert (response.status, problem["status"]) == (413, 413)
    assert "send a smaller one" in problem["detail"]


def announcing(length: int, *more: str) -> bytes:
    lines = (
        f"POST {PLANS} HTTP/1.1",
        "host: x",
        "content-type: application/json",
        f"content-length: {length}",
        *more,
        "",
        "",
    )
    return "\r\n".join(lines).encode()
