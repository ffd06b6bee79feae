"""The contract every feed keeps: `fetch` talks to the world, `parse` thinks about bytes.

`parse` is pure: the same document gives the same readings for ever. That is what makes a stored
document worth keeping, a parser fix replayable, and a feed testable without a network.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol, runtime_checkable

from pricing_sources.observation import Kind, Reading
from pricing_sources.transport import Reply, Transport, Validators
from pricing_sources.units import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """When a feed is expected to have something new: both our schedule and its staleness clock."""

    cron: str
    """Five-field cron expression of the expected publications."""
    timezone: str = "UTC"
    """IANA zone the cron expression is read in."""
    jitter: timedelta = timedelta(0)
    """Spread of our request after a slot, so that replicas and users do not strike together."""
    stale_after: int = 2
    """How many expected publications may be missed before the feed is called stale."""
    newest_within: timedelta | None = None
    """How old the beginning of its newest period may be while all is well, where prices carry their own dates.

    From then on publications count as missed, however often the feed answers with what it said before.
    None where prices carry no dates, or where nobody says how late they are.
    """

    def __post_init__(self) -> None:
        """Refuse what schedulers read differently: to some, weekday 1 is Monday, to others Tuesday."""
        weekday = self.cron.split()[-1]
        if any(character.isdigit() for character in weekday):
            raise ValueError(f"write weekdays as mon, tue…, not {weekday!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """Everything about a feed that is not code."""

    id: str
    """Equals the module's name."""
    title: str
    publisher: str
    kinds: tuple[Kind, ...]
    homepage: str
    """Documentation of the feed, for people."""
    url: str
    """What `fetch` asks; the setting COSTPLAN_SOURCE_<ID>_URL overrides it."""
    licence: str
    attribution: str
    """The sentence the publisher wants to see beside its figures."""
    republish: bool = True
    """False where the figures may be stored for own use but not served to others."""
    cadence: Cadence
    parser_version: int = 1
    """Raised when `parse` changes its reading of the same bytes."""
    key_setting: str | None = None
    """Name of the setting that holds the credential, if the feed needs one."""
    plausible: Mapping[Unit, tuple[Decimal, Decimal]] = field(default_factory=dict)
    """Inclusive band per unit; an amount outside is quarantined, never stored as a price."""
    bundled: bool = False
    """True where the documents ship with the package and no network is needed."""
    snapshot: bool = False
    """True where each fetch lists all that is on offer: what is missing from it, again and again, is gone."""
    on_by_default: bool = True
    """False where somebody should first decide to ask: heavy, or not to be republished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One response of a feed: the bytes, and where and when they came from."""

    source_id: str
    url: str
    """Without credentials; `file:<name>` for an imported file."""
    body: bytes
    fetched_at: datetime
    status: int = 200
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Only those that matter: etag, last-modified, date, content-type, retry-after."""

    @property
    def sha256(self) -> str:
        """Hex digest of the bytes: the document's identity."""
        return hashlib.sha256(self.body).hexdigest()

    @classmethod
    def of(cls, source_id: str, reply: Reply, fetched_at: datetime) -> "Document":
        """Make a document of a transport's reply."""
        return cls(
            source_id=source_id,
            url=reply.url,
            body=reply.body,
            fetched_at=fetched_at,
            status=reply.status,
            media_type=reply.media_type,
            headers=reply.headers,
        )


@dataclass(frozen=True, slots=True)
class NotModified:
    """The feed confirmed (HTTP 304) that the document last read from `url` still stands."""

    url: str


@dataclass(frozen=True, slots=True)
class Missing:
    """One of a feed's documents could not be had, while others could: told, and no offer is gone because of it."""

    reason: str
    """Which one, and what went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """What a fetch may know: where to ask, what time it is, and what we have already."""

    url: str
    now: datetime
    api_key: str | None = field(default=None, repr=False)
    seed: bool = False
    """True while nothing of this feed has been stored yet: fetch its history where it has one."""
    known: Mapping[str, Validators] = field(default_factory=dict)
    """ETag and Last-Modified per URL of the last good documents."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One piece of a feed's archive, read and sealed at a time."""

    name: str
    """Stable, unique within the source, in order of time: `20240901`. What was sealed is not read again."""
    url: str


class Source(Protocol):
    """A feed."""

    @property
    def info(self) -> SourceInfo:
        """What this feed is."""

    def fetch(self, transport: Transport, request: FetchRequest) -> Iterator[Document | NotModified | Missing]:
        """Ask the feed; yield each document it sends. Raises FetchFailed, of several documents if none can be had."""

    def parse(self, document: Document) -> Iterator[Reading]:
        """Read one document. Raises ShapeChanged if it is not in the feed's shape."""


@runtime_checkable
class Archive(Source, Protocol):
    """A feed that also keeps its past."""

    def chapters(self, transport: Transport, request: FetchRequest) -> Sequence[Chapter]:
        """List what can be read back, oldest first. Raises FetchFailed, ShapeChanged."""

    def fetch_chapter(self, transport: Transport, request: FetchRequest, chapter: Chapter) -> Iterator[Document]:
        """Ask for one chapter; yield its documents, which `parse` reads. Raises FetchFailed."""


@runtime_checkable
class Excerpting(Protocol):
    """A feed whose documents are too large to keep: what cannot be a price is left out as they arrive.

    What is kept is the document that provenance leads back to. So it says itself what is missing
    from it, and `parse` reads that as rows skipped by name: read again, it gives the same account.
    """

    def excerpt(self, pieces: Iterator[bytes]) -> bytes:
        """What may be a price, in bounded memory, and how many rows were left out for which reason."""

    def rows_of_original(self, body: bytes) -> int | None:
        """How many rows were sent, counted before any was judged; None of a document that leaves out none."""


@runtime_checkable
class Wrapping(Protocol):
    """A feed that wraps what it says into something else, a script around an object."""

    def unwrapped(self, body: bytes) -> bytes:
        """What the locators of its readings point into. Raises ShapeChanged."""
