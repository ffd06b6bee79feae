"""What sending a message may come to."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One event as it is told: in words for people, as JSON for programs."""

    uid: str
    type: str
    subject: str
    text: str
    occurred_at: str
    """RFC 3339, UTC."""
    body: bytes
    """Canonical JSON."""
    details: tuple[tuple[str, str], ...] = ()
    """Figures worth a line each."""

    @property
    def message_id(self) -> str:
        """The same at every attempt: what a receiver knows a repetition by."""
        return f"msg_{self.uid[:32]}"


class NotSent(Exception):
    """A message that did not arrive, in words that hold no secret."""

    def __init__(self, words: str, *, wait: timedelta | None = None, for_good: bool = False) -> None:
        super().__init__(words)
        self.wait = wait
        """What the receiver asked for."""
        self.for_good = for_good
        """True if it is of no use to try again."""
