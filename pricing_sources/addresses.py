"""URLs: what may be shown of one, and where it leads."""

import re
import socket
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import unquote_plus, urlsplit, urlunsplit

import httpx2

SECRET_PARAMETER: Final = re.compile(
    r"^((api|subscription|registration)[-_]?key|key|(access[-_]?|x-amz-security-|security-?)?token|password"
    r"|(client[-_]?)?secret|sig|(x-amz-)?(signature|credential))$",
    re.IGNORECASE,
)


def redacted(url: str) -> str:
    """The URL without anybody's credentials.

    >>> redacted("https://u:p@feed.example/v1?api_key=abc&geo=DE")
    'https://***@feed.example/v1?api_key=***&geo=DE'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that cannot be read"
    host = f"***@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    query = "&".join(
        f"{name}=***" if SECRET_PARAMETER.match(unquote_plus(name)) else f"{name}{sign}{value}"
        for name, sign, value in (pair.partition("=") for pair in parts.query.split("&"))
    )
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def is_same_server(one: httpx2.URL, other: httpx2.URL) -> bool:
    """True for the same host and port, or where plain http moves on to https."""
    return one.host == other.host and (one.port == other.port or (one.scheme == "http" and other.port is None))


def is_private(host: str) -> bool:
    """True for an address, or a name of one, that only this machine or its network can reach."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False  # nowhere: asking it will fail, or a proxy knows better
    addresses = [ip_address(str(place[0]).partition("%")[0]) for *_, place in found]
    return any(
        not ((isinstance(address, IPv6Address) and address.ipv4_mapped) or address).is_global for address in addresses
    )
