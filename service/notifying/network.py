"""Connections to addresses that people gave us: looked at when they are opened, and never open for long."""

import socket
import time
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

import httpcore2
from typing_extensions import override

from service.notifying.sending import NotSent

Address = IPv4Address | IPv6Address
NAT64: Final = IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """True for an address of the open internet; one IPv4 address in another's clothes counts as what it is.

    >>> is_public(ip_address("93.184.215.14")), is_public(ip_address("::ffff:10.0.0.1"))
    (True, False)
    """
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


class CheckedBackend(httpcore2.NetworkBackend):
    """Opens connections to public addresses only, and to the very address it has looked at.

    A name that means one address when it is looked at and another when it is called (DNS rebinding)
    gains nothing: it is resolved once.
    """

    def __init__(
        self, *, private: bool, seconds: float, resolve: Callable[[str, int], Iterable[str]] | None = None
    ) -> None:
        self._inner = httpcore2.SyncBackend()
        self._private = private
        self._seconds = seconds
        self._resolve = resolve or resolved

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection that is cut after the whole exchange's time. Raises NotSent for a private address."""
        found = [ip_address(one) for one in self._resolve(host, port)]
        if not self._private and not all(map(is_public, found)):
            raise NotSent(f"{host} is a private address; COSTPLAN_NOTIFY_PRIVATE_ADDRESSES=true allows them")
        until = time.monotonic() + self._seconds
        for place, address in enumerate(found, start=1):
            try:
                opened = self._inner.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except httpcore2.ConnectError:
                if place == len(found):
                    raise
            else:
                return _Timed(opened, until)
        raise NotSent(f"{host} has no address")


class _Timed(httpcore2.NetworkStream):
    """A stream that ends at a moment, however steadily it drips."""

    def __init__(self, inner: httpcore2.NetworkStream, until: float) -> None:
        self._inner, self._until = inner, until

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left(timeout))

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._left(timeout))

    @override
    def close(self) -> None:
        self._inner.close()

    @override
    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Timed(self._inner.start_tls(ssl_context, server_hostname, self._left(timeout)), self._until)

    @override
    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def _left(self, timeout: float | None) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("the exchange took too long")
        return left if timeout is None else min(left, timeout)


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a name. Raises NotSent if it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotSent(f"{host} cannot be resolved") from None
    return list(dict.fromkeys(str(place[0]).partition("%")[0] for *_, place in found))
