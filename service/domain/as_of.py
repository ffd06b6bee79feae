"""A question about prices carries two clocks."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class AsOf:
    """The prices in force at `valid_at`, using only what was known at `known_at`; both aware, kept in UTC."""

    valid_at: datetime
    known_at: datetime

    def __post_init__(self) -> None:
        """Refuse naive times: they mean a different moment on every machine."""
        for name in ("valid_at", "known_at"):
            moment: datetime = getattr(self, name)
            if moment.tzinfo is None:
                raise ValueError(f"{name} must carry a UTC offset, for example 2026-03-01T00:00:00Z")
            object.__setattr__(self, name, moment.astimezone(UTC))
