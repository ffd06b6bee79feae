"""Refreshes asked for by hand: started at once, answered at once, never two of one source."""

import threading
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from service.errors import Conflict, Unavailable


class Refresher(Protocol):
    """Reads one source now; how it does so is the composition root's affair."""

    def __call__(self, source: str) -> object:
        """Refresh `source`; the outcome is in the refresh log."""


@dataclass(frozen=True, slots=True)
class RefreshDesk:
    """Runs refreshes one after another in the background."""

    refresher: Refresher | None
    """None where this server was not given a way to ask the feeds."""
    _running: set[str] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def start(self, source: str) -> None:
        """Begin refreshing `source`.

        Raises Conflict while it is being refreshed, Unavailable if this server cannot ask feeds.
        """
        if self.refresher is None:
            raise Unavailable(f"this server does not ask feeds; run: costplan refresh {source}")
        with self._changed:
            if source in self._running:
                raise Conflict(f"{source} is being refreshed; wait until it is done, then ask again")
            self._running.add(source)
        # A daemon: a download must not keep the server from stopping, and half a refresh leaves nothing behind.
        threading.Thread(target=self._run, args=(self.refresher, source), daemon=True).start()

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is being refreshed, at most `timeout` seconds; True if so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, timeout)

    def _run(self, refresher: Refresher, source: str) -> None:
        try:
            with self._turn:
                refresher(source)
        except Exception:  # noqa: BLE001  the thread's last resort: nobody else can report it
            structlog.get_logger().exception("refresh asked for by hand failed", source=source)
        finally:
            with self._changed:
                self._running.discard(source)
                self._changed.notify_all()
