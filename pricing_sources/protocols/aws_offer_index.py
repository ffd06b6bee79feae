"""The indexes of the AWS Price List: which files there are, of which region and of which version.

A service has an index of its regions (`…/current/region_index.json`), an index of every version it
ever published (`…/index.json`), and one file for each version and region, as JSON and as CSV.
"""

import re
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit, urlunsplit

from pricing_sources.documents import exact_json, required
from pricing_sources.errors import FetchFailed, ShapeChanged
from pricing_sources.source import Chapter, Document, FetchRequest, NotModified
from pricing_sources.transport import Excerpt, Transport

OFFICIAL: Final = "https://pricing.us-east-1.amazonaws.com"
HOMEPAGE: Final = "https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html"
LICENCE: Final = (
    "Public and unauthenticated; no licence is stated. Every file says that it is for informational purposes only "
    "and that all prices are subject to the terms on AWS's pricing pages."
)
ATTRIBUTION: Final = "AWS Price List, Amazon Web Services, Inc."
REGION: Final = re.compile(r"[a-z]{2}-[a-z]+-[0-9]")
"""An ordinary region: 34 of the 106 listed. `us-east-1-atl-2` is a Local Zone, `us-gov-west-1` GovCloud."""
MAX_INDEX_BYTES: Final = 32 * 1024 * 1024
MAX_FILE_BYTES: Final = 4 * 1024 * 1024 * 1024
"""Read, not kept; the largest file of one region has 450 to 480 MB today."""
EARLIEST_VERSION: Final = "20201001"
"""The archive is read from here on: the oldest file of one region that is known to exist is of this month."""
SHORTEST_REIGN: Final = timedelta(seconds=2)

_VERSION: Final = re.compile(r"[0-9]{14}")
_LINK: Final = re.compile(r"/offers/v1\.0/aws/[A-Za-z0-9]+/[A-Za-z0-9/-]+/index\.json")
_MISSING: Final = frozenset({403, 404})
"""What the store of the files says of one that is not there."""


def region_index_url(service: str) -> str:
    """The address of a service's current region index."""
    return f"{OFFICIAL}/offers/v1.0/aws/{service}/current/region_index.json"


def current_files(
    transport: Transport, request: FetchRequest, source_id: str, defaults: Collection[str], keep: Excerpt
) -> Iterator[Document | NotModified]:
    """The current file of each wanted region, of which only what `keep` leaves is held.

    `?regions=eu-west-3,us-east-1`, or `all`, at the end of the asked address chooses other regions
    than the defaults. Raises FetchFailed; ShapeChanged if the index lacks a region.
    """
    for link in _wanted(transport, request, defaults).values():
        url = _csv_at_home(link, request.url)
        reply = transport.get(url, known=request.known.get(url), max_bytes=MAX_FILE_BYTES, excerpt=keep)
        yield NotModified(url) if reply.not_modified else Document.of(source_id, reply, request.now)


def monthly_chapters(transport: Transport, request: FetchRequest) -> list[Chapter]:
    """The first version published in each month since 2020-10, oldest first, of those ever in force.

    Several versions appear a week while list prices move a few times in years, so a month is fine
    enough; the first is taken because it stays the first when more appear. The index also keeps
    versions that were in force for a second or less: those are left out.
    """
    asked = urlsplit(request.url)
    path = f"{asked.path.partition('/current/')[0]}/index.json"
    index_url = urlunsplit((asked.scheme, asked.netloc, path, "", ""))
    versions = required(exact_json(transport.get(index_url, max_bytes=MAX_INDEX_BYTES).body), "versions")
    if not isinstance(versions, dict) or not versions:
        raise ShapeChanged("an object of versions was expected", path="/versions")
    months: dict[str, Chapter] = {}
    for name in sorted(versions):
        path = f"/versions/{name}"
        if not _VERSION.fullmatch(name):
            raise ShapeChanged("a version named such as 20260901120000 was expected", path=path)
        if name >= EARLIEST_VERSION and _was_in_force(versions[name], path):
            link = required(versions[name], "offerVersionUrl", path)
            months.setdefault(name[:6], Chapter(name, _csv_at_home(link, request.url)))
    return list(months.values())


def chapter_files(
    transport: Transport,
    request: FetchRequest,
    source_id: str,
    chapter: Chapter,
    defaults: Collection[str],
    keep: Excerpt,
) -> Iterator[Document]:
    """The file of each wanted region in one version; a region that did not exist then is left out.

    Raises FetchFailed if a file that is there cannot be read, or if none is there.
    """
    parts = urlsplit(chapter.url)
    folder = parts.path.rpartition("/")[0]
    missing: list[FetchFailed] = []
    regions = _wanted(transport, request, defaults)
    for region in regions:
        url = urlunsplit((parts.scheme, parts.netloc, f"{folder}/{region}/index.csv", "", ""))
        try:
            reply = transport.get(url, max_bytes=MAX_FILE_BYTES, excerpt=keep)
        except FetchFailed as failure:
            if failure.status not in _MISSING:
                raise
            missing.append(failure)
        else:
            yield Document.of(source_id, reply, request.now)
    if len(missing) == len(regions):
        raise missing[-1]


def _wanted(transport: Transport, request: FetchRequest, defaults: Collection[str]) -> dict[str, str]:
    """The regions the asked address names, else the defaults, each with its link in the index."""
    asked = urlsplit(request.url)
    index_url = urlunsplit((asked.scheme, asked.netloc, asked.path, "", ""))
    listed = _listed(exact_json(transport.get(index_url, max_bytes=MAX_INDEX_BYTES).body))
    named = [name for names in parse_qs(asked.query).get("regions", []) for name in names.split(",") if name]
    wanted = sorted(listed) if named == ["all"] else named or list(defaults)
    if unknown := [name for name in wanted if name not in listed]:
        raise ShapeChanged(f"no region {', '.join(unknown)}; there are {', '.join(sorted(listed))}", path="/regions")
    return {name: listed[name] for name in wanted}


def _listed(index: Any) -> dict[str, str]:
    regions = required(index, "regions")
    if not isinstance(regions, dict):
        raise ShapeChanged("an object of regions was expected", path="/regions")
    return {name: _link(entry, f"/regions/{name}") for name, entry in regions.items() if REGION.fullmatch(name)}


def _link(entry: Any, path: str) -> str:
    # The key was called currentRegionUrl for a time.
    older = isinstance(entry, dict) and "currentRegionUrl" in entry
    link = required(entry, "currentRegionUrl" if older else "currentVersionUrl", path)
    if not isinstance(link, str):
        raise ShapeChanged("an address was expected", path=path)
    return link


def _csv_at_home(link: Any, asked: str) -> str:
    """The CSV beside the JSON file a link leads to, on the host that was asked, so that a mirror is never left."""
    if not isinstance(link, str) or not _LINK.fullmatch(link):
        raise ShapeChanged(f"an address such as /offers/v1.0/aws/AmazonEC2/…/index.json was expected, not {link!r}")
    home = urlsplit(asked)
    prefix = home.path.partition("/offers/")[0]
    return urlunsplit((home.scheme, home.netloc, f"{prefix}{link.removesuffix('.json')}.csv", "", ""))


def _was_in_force(version: Any, path: str) -> bool:
    begin, end = (_moment(version, name, path) for name in ("versionEffectiveBeginDate", "versionEffectiveEndDate"))
    return begin is None or end is None or end - begin >= SHORTEST_REIGN


def _moment(version: Any, name: str, path: str) -> datetime | None:
    """A moment; None where it is blank, as the current version's end is."""
    text = version.get(name) if isinstance(version, dict) else None
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError) as fault:
        raise ShapeChanged(
            f"{name} is {text!r}; a moment such as 2026-07-01T00:00:00Z was expected", path=path
        ) from fault
