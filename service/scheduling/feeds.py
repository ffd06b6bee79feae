"""The feeds of this installation and how to reach them."""

from pricing_sources.registry import SOURCES, source_by_id
from pricing_sources.source import Source
from pricing_sources.transport import HttpTransport, Limits
from service.settings import Settings
from service.usecases.sources import Feed

__all__ = ["feeds", "source_by_id", "sources", "transport"]


def sources() -> tuple[Source, ...]:
    """Every source we know."""
    return SOURCES


def feeds(settings: Settings) -> tuple[Feed, ...]:
    """Every source under the settings in force."""
    return tuple(Feed.of(source.info, settings) for source in SOURCES)


def transport(settings: Settings) -> HttpTransport:
    """A transport with the patience and the room the settings give it."""
    return HttpTransport(
        Limits(
            silence_seconds=settings.number("HTTP_TIMEOUT_SECONDS"),
            deadline_seconds=settings.number("HTTP_DEADLINE_SECONDS"),
            max_bytes=int(settings.number("HTTP_MAX_MEGABYTES")) * 1024 * 1024,
        )
    )
