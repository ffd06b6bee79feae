"""What can go wrong with a source.

SourceError
├── FetchFailed     the feed could not be reached, or answered with a failure
├── ShapeChanged    the document is not what the feed has always sent
└── Quarantined     the document reads well but cannot be believed
"""


class SourceError(Exception):
    """A source could not be read; the last good prices stand."""

    code = "source_error"


class FetchFailed(SourceError):
    """The feed could not be reached, answered with a failure, or sent too much.

    `retry_after_seconds` is what the feed itself asked for, if it did; `status` what it answered with.
    """

    code = "fetch_failed"

    def __init__(self, message: str, *, retry_after_seconds: float | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.status = status


class ShapeChanged(SourceError):
    """The document is not in the feed's shape; `path` says where it first differs."""

    code = "shape_changed"

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(f"{message} (at {path})" if path else message)
        self.path = path


class Quarantined(SourceError):
    """The document is well formed but not believable (coverage collapsed, every row out of band…)."""

    code = "quarantined"
