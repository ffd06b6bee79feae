"""Keeping credentials out of what is printed."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from service.errors import Invalid
from service.settings import PREFIX, Settings

SHORTEST: Final = 4
"""A shorter secret would blot out ordinary words, and keeps nobody out."""


def without_secrets(text: str) -> str:
    """The text with every credential of the settings in force blotted out."""
    try:
        settings = Settings()
    except Invalid:
        return text
    for secret in sorted(_secrets(settings), key=len, reverse=True):
        if len(secret) >= SHORTEST:
            text = text.replace(secret, "***")
    return text


def _secrets(settings: Settings) -> Iterator[str]:
    for name, value in settings.environment.items():
        if name.startswith(f"{PREFIX}SOURCE_") and name.endswith("_KEY"):
            yield value
    url = urlsplit(settings.database_url)
    words = [url.password or "", *(value for name, value in parse_qsl(url.query) if name == "password")]
    for word in words:
        yield word
        yield unquote(word)
