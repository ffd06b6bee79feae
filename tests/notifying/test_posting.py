"""Posting to addresses people gave us: only where the settings allow, never for long, over real sockets."""

import socket
import threading
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address

import pytest

from service.notifying.network import CheckedBackend, is_public
from service.notifying.posting import Poster
from service.notifying.sending import NotSent
from tests.notifying.conftest import Receiver


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_open_internet_is_known_as_such(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_an_address_of_the_open_internet_is_known_too(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1:{port}/", "https://localhost:{port}/", "https://[::ffff:127.0.0.1]:{port}/",
     "https://2130706433:{port}/", "https://0x7f.1:{port}/"],
)  # fmt: skip
def test_a_private_address_is_not_called_however_it_is_spelt(receiver: Receiver, url: str) -> None:
    poster = Poster()
    with pytest.raises(NotSent, match=r"is a private address|cannot be resolved"):
        poster.post(url.format(port=receiver.server.server_port), {}, b"{}")
    poster.close()
    assert receiver.got == []


def test_one_private_address_among_several_is_enough_to_refuse() -> None:
    backend = CheckedBackend(private=False, seconds=1, resolve=lambda *_: ["93.184.215.14", "127.0.0.1"])
    with pytest.raises(NotSent, match="is a private address"):
        backend.connect_tcp("rebinding.example", 443)


def test_the_address_that_was_looked_at_is_the_one_that_is_called(receiver: Receiver) -> None:
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    backend = CheckedBackend(private=True, seconds=5, resolve=resolve)
    stream = backend.connect_tcp("rebinding.example", receiver.server.server_port)
    assert asked == [("rebinding.example", receiver.server.server_port)], "resolved once, and never again"
    stream.close()


def test_without_leave_only_https_is_spoken() -> None:
    poster = Poster()
    with pytest.raises(NotSent, match="not an https URL") as refused:
        poster.post("http://example.com/secret-path", {}, b"{}")
    assert refused.value.for_good
    assert "secret-path" not in str(refused.value)


def test_a_post_arrives_whole_and_says_what_was_answered(receiver: Receiver) -> None:
    poster = Poster(private=True)
    assert poster.post(receiver.url, {"webhook-id": "msg_1"}, b'{"a":1}') == "127.0.0.1 answered 204"
    [(path, headers, body)] = receiver.got
    assert (path, headers["webhook-id"], headers["content-type"], body) == (
        "/hook", "msg_1", "application/json", b'{"a":1}',
    )  # fmt: skip


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [(307, {"location": receiver.url + "/inside"})]
    with pytest.raises(NotSent, match="redirects are not followed"):
        Poster(private=True).post(receiver.url, {}, b"{}")
    assert [path for path, *_ in receiver.got] == ["/hook"]


def test_a_receiver_may_ask_for_patience_or_to_be_left_alone(receiver: Receiver) -> None:
    receiver.answers = [(503, {"retry-after": "120"}), (410, {})]
    poster = Poster(private=True)
    with pytest.raises(NotSent, match="answered 503") as busy:
        poster.post(receiver.url, {}, b"{}")
    with pytest.raises(NotSent, match="answered 410") as gone:
        poster.post(receiver.url, {}, b"{}")
    assert (busy.value.wait, busy.value.for_good, gone.value.for_good) == (timedelta(seconds=120), False, True)


def test_a_receiver_that_drips_is_cut_off() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.05):
                connection.sendall(b"x-drip: 1\r\n")

    dripping = threading.Thread(target=drip, daemon=True)
    dripping.start()
    with pytest.raises(NotSent, match="did not answer in time"):
        Poster(private=True, seconds=0.4).post(f"http://127.0.0.1:{server.getsockname()[1]}/", {}, b"{}")
    over.set()
    dripping.join(5)
    server.close()


def test_a_receiver_that_is_not_there_or_speaks_no_http_is_a_sentence(receiver: Receiver) -> None:
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    with pytest.raises(NotSent, match="cannot be reached"):
        Poster(private=True).post(f"http://127.0.0.1:{port}/", {}, b"{}")
    with pytest.raises(NotSent, match="cannot be reached"):
        Poster(private=True).post(f"https://127.0.0.1:{receiver.server.server_port}/", {}, b"{}")
