"""Refreshes asked for by hand: started and answered at once, never two of one source, watched and cancelled."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import structlog

from service.domain.refreshes import Refresh
from service.errors import Cancelled, Conflict, NotFound, Unavailable

ReadWhat = Literal["feed", "archive", "stored"]
"""What of a source to read: what it says now, its past, or its stored documents once more."""


class Reader(Protocol):
    """Knows the sources and how to ask them; how it does so is the composition root's affair."""

    def read(self, source: str, what: ReadWhat, progress: Callable[[str], None]) -> object:
        """Read `source` now; the outcome is in the refresh log. What `progress` raises ends it and leaves nothing."""

    def release(self, source: str, quarantine_id: int, reason: str) -> Refresh:
        """Let a held price of `source` through."""

    def release_refresh(self, source: str, refresh_id: int, reason: str) -> Refresh:
        """Let the documents of a quarantined refresh of `source` through."""


@dataclass(slots=True, kw_only=True)
class Running:
    """A refresh that was asked for and has not ended."""

    source: str
    what: ReadWhat
    asked_at: datetime
    progress: str = "waiting for its turn"
    """Where it is, in a few words."""
    cancelled: bool = False
    """True once somebody asked for it to stop; it does so at its next step."""

    def told(self, progress: str) -> None:
        """Note where it is. Raises Cancelled if it is to stop."""
        if self.cancelled:
            raise Cancelled(f"reading {self.source} was cancelled")
        self.progress = progress


@dataclass(frozen=True, slots=True)
class RefreshDesk:
    """Runs refreshes one after another in the background."""

    reader: Reader | None
    """None where this server was not given a way to ask the feeds."""
    _running: dict[str, Running] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def release(self, source: str, quarantine_id: int, reason: str) -> Refresh:
        """Let a held price through. Raises what `release_price` raises, Unavailable if this server cannot."""
        if self.reader is None:
            raise Unavailable(f"this server does not read documents; run: costplan quarantine release {quarantine_id}")
        return self.reader.release(source, quarantine_id, reason)

    def release_refresh(self, source: str, refresh_id: int, reason: str) -> Refresh:
        """Let whole documents through. Raises what `release_refresh` raises, Unavailable if this server cannot."""
        if self.reader is None:
            command = f"costplan quarantine release --refresh {refresh_id}"
            raise Unavailable(f"this server does not read documents; run: {command}")
        return self.reader.release_refresh(source, refresh_id, reason)

    def start(self, source: str, what: ReadWhat, now: datetime) -> None:
        """Begin reading `source`.

        Raises Conflict while it is being refreshed, Unavailable if this server cannot ask feeds.
        """
        if self.reader is None:
            raise Unavailable(f"this server does not ask feeds; run: costplan refresh {source}")
        with self._changed:
            if source in self._running:
                raise Conflict(f"{source} is being refreshed; wait until it is done, then ask again")
            self._running[source] = asked = Running(source=source, what=what, asked_at=now)
        # A daemon: a download must not keep the server from stopping, and half a refresh leaves nothing behind.
        threading.Thread(target=self._run, args=(self.reader, asked), daemon=True).start()

    def running(self) -> tuple[Running, ...]:
        """What was asked for and has not ended, oldest first."""
        with self._changed:
            return tuple(self._running.values())

    def cancel(self, source: str) -> Running:
        """Have the reading of `source` stop at its next step. Raises NotFound if it is not being read."""
        with self._changed:
            if source not in self._running:
                raise NotFound(f"{source} is not being read by this server")
            self._running[source].cancelled = True
            return self._running[source]

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is being refreshed, at most `timeout` seconds; True if so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, timeout)

    def _run(self, reader: Reader, asked: Running) -> None:
        try:
            with self._turn:
                asked.told("asking")
                reader.read(asked.source, asked.what, asked.told)
        except Cancelled:
            structlog.get_logger().info("refresh cancelled", source=asked.source)
        except Exception:  # noqa: BLE001  the thread's last resort: nobody else can report it
            structlog.get_logger().exception("refresh asked for by hand failed", source=asked.source)
        finally:
            with self._changed:
                del self._running[asked.source]
                self._changed.notify_all()
