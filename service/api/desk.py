"""Refreshes asked for by hand: started at once, answered at once, never two of one source."""

import threading
from dataclasses import dataclass, field
from typing import Literal, Protocol

import structlog

from service.domain.refreshes import Refresh
from service.errors import Conflict, Unavailable

ReadWhat = Literal["feed", "archive", "stored"]
"""What of a source to read: what it says now, its past, or its stored documents once more."""


class Reader(Protocol):
    """Knows the sources and how to ask them; how it does so is the composition root's affair."""

    def read(self, source: str, what: ReadWhat) -> object:
        """Read `source` now; the outcome is in the refresh log."""

    def release(self, source: str, quarantine_id: int, reason: str) -> Refresh:
        """Let a held price of `source` through."""


@dataclass(frozen=True, slots=True)
class RefreshDesk:
    """Runs refreshes one after another in the background."""

    reader: Reader | None
    """None where this server was not given a way to ask the feeds."""
    _running: set[str] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def release(self, source: str, quarantine_id: int, reason: str) -> Refresh:
        """Let a held price through. Raises what `release_price` raises, Unavailable if this server cannot."""
        if self.reader is None:
            raise Unavailable(f"this server does not read documents; run: costplan quarantine release {quarantine_id}")
        return self.reader.release(source, quarantine_id, reason)

    def start(self, source: str, what: ReadWhat = "feed") -> None:
        """Begin reading `source`.

        Raises Conflict while it is being refreshed, Unavailable if this server cannot ask feeds.
        """
        if self.reader is None:
            raise Unavailable(f"this server does not ask feeds; run: costplan refresh {source}")
        with self._changed:
            if source in self._running:
                raise Conflict(f"{source} is being refreshed; wait until it is done, then ask again")
            self._running.add(source)
        # A daemon: a download must not keep the server from stopping, and half a refresh leaves nothing behind.
        threading.Thread(target=self._run, args=(self.reader, source, what), daemon=True).start()

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is being refreshed, at most `timeout` seconds; True if so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, timeout)

    def _run(self, reader: Reader, source: str, what: ReadWhat) -> None:
        try:
            with self._turn:
                reader.read(source, what)
        except Exception:  # noqa: BLE001  the thread's last resort: nobody else can report it
            structlog.get_logger().exception("refresh asked for by hand failed", source=source)
        finally:
            with self._changed:
                self._running.discard(source)
                self._changed.notify_all()
