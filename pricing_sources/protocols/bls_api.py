"""The BLS public data API, version 1: one POST, one envelope, shared by every survey.

Without a key a day has 25 queries, a query 25 series and ten years (bls.gov/developers). The API
answers HTTP 200 to nearly everything: a quota that is used up, a series that does not exist and a
year without figures are told apart by `status` and by the sentences in `message`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pricing_sources.documents import exact_json, required
from pricing_sources.errors import Quarantined, ShapeChanged
from pricing_sources.observation import Rejected, Skipped
from pricing_sources.source import Document
from pricing_sources.transport import Reply, Transport

URL: Final = "https://api.bls.gov/publicAPI/v1/timeseries/data/"
SERIES_PER_QUERY: Final = 25
MAX_BYTES: Final = 8 * 1024 * 1024

LICENCE: Final = "Public domain (U.S. Bureau of Labor Statistics)"
ATTRIBUTION: Final = (
    "Source: U.S. Bureau of Labor Statistics. BLS.gov cannot vouch for the data or analyses derived from these data "
    "after the data have been retrieved from BLS.gov."
)

_UNKNOWN_SERIES: Final = re.compile(r"Series does not exist for Series (\S+)")
_NO_FIGURES: Final = re.compile(r"No Data Available for Series (\S+) Year: (\d{4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Footnote:
    """A remark on a figure; `text` is BLS's own sentence."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One value of one series in one period, still in the words of the document."""

    series_id: str
    year: str
    period: str
    """`A01` annual, `Q01` to `Q05` quarters and their mean, `M01` to `M13` likewise."""
    value: str
    """A number, or `-` where there is none to state."""
    footnotes: tuple[Footnote, ...]
    locator: str
    """JSON pointer of the row."""
    text: str
    """The row as it stood, shortened to 500 characters."""

    @property
    def preliminary(self) -> bool:
        """True if BLS marks the figure as preliminary."""
        return any(footnote.code == "P" for footnote in self.footnotes)

    def rejected(self, reason: str) -> Rejected:
        """This row, as one that cannot be believed."""
        return Rejected(reason, self.locator, f"{self.series_id}: {self.text}"[:500])

    def skipped(self, reason: str) -> Skipped:
        """This row, as one that is well understood and not kept."""
        return Skipped(reason, self.locator)


def ask(
    transport: Transport, url: str, series_ids: Sequence[str], *, first_year: int, last_year: int
) -> Iterator[Reply]:
    """Ask for the series, 25 to a query. Raises FetchFailed."""
    for start in range(0, len(series_ids), SERIES_PER_QUERY):
        query = {
            "seriesid": list(series_ids[start : start + SERIES_PER_QUERY]),
            "startyear": str(first_year),
            "endyear": str(last_year),
        }
        yield transport.post_json(url, query, max_bytes=MAX_BYTES)


def figures(document: Document) -> Iterator[Figure | Skipped | Rejected]:
    """Read the envelope: its messages first, then every row of every series.

    Raises Quarantined with BLS's own words where it refused the request, and ShapeChanged where the
    document is not such an envelope.
    """
    answer = exact_json(document.body)
    messages = _messages(answer)
    _check_status(required(answer, "status"), messages)
    explained = set()
    for position, message in enumerate(messages):
        series_id, reading = _read_message(message, f"/message/{position}")
        explained.add(series_id)
        yield reading
    for position, series in enumerate(_series(answer)):
        yield from _rows(series, f"/Results/series/{position}", explained)


def _messages(answer: Any) -> list[str]:
    messages = required(answer, "message")
    if not isinstance(messages, list) or not all(isinstance(message, str) for message in messages):
        raise ShapeChanged("a list of sentences was expected", path="/message")
    return messages


def _check_status(status: object, messages: Sequence[str]) -> None:
    if status == "REQUEST_SUCCEEDED":
        return
    if isinstance(status, str) and status.startswith("REQUEST_"):
        raise Quarantined(f"BLS refused the request: {' '.join(messages) or status}")
    raise ShapeChanged(f"REQUEST_SUCCEEDED was expected, not {status!r}", path="/status")


def _read_message(message: str, locator: str) -> tuple[str, Skipped | Rejected]:
    """The series a message speaks of, and what became of it."""
    if match := _UNKNOWN_SERIES.search(message):
        reason = "BLS knows no such series; the ids are listed in bls.gov/help/hlpforma.htm"
        return match[1], Rejected(reason, match[1], message[:500])
    if match := _NO_FIGURES.search(message):
        return match[1], Skipped("no_data_for_year", f"{match[1]}/{match[2]}")
    reason = "BLS says what we do not understand; it speaks of unknown series and of years without figures"
    return "", Rejected(reason, locator, message[:500])


def _series(answer: Mapping[str, Any]) -> list[Any]:
    series = required(required(answer, "Results"), "series", "/Results")
    if not isinstance(series, list) or not series:
        raise ShapeChanged("a list of series was expected", path="/Results/series")
    return series


def _rows(series: Any, path: str, explained: set[str]) -> Iterator[Figure | Skipped | Rejected]:
    series_id = required(series, "seriesID", path)
    rows = required(series, "data", path)
    if not isinstance(series_id, str) or not isinstance(rows, list):
        raise ShapeChanged("a series id and a list of rows were expected", path=path)
    if not rows and series_id not in explained:
        yield Skipped("no_data", series_id)
    periods: set[tuple[str, str]] = set()
    for position, row in enumerate(rows):
        figure = _figure(series_id, row, f"{path}/data/{position}")
        if (figure.year, figure.period) in periods:
            yield figure.rejected(f"{figure.year} {figure.period} stands twice in this series; once was expected")
        else:
            yield figure
        periods.add((figure.year, figure.period))


def _figure(series_id: str, row: Any, path: str) -> Figure:
    year, period, value = (required(row, name, path) for name in ("year", "period", "value"))
    if not isinstance(year, str) or not re.fullmatch(r"\d{4}", year):
        raise ShapeChanged(f"a year of four digits was expected, not {year!r}", path=f"{path}/year")
    if not isinstance(period, str) or not isinstance(value, str):
        raise ShapeChanged("period and value as text were expected", path=path)
    return Figure(
        series_id=series_id,
        year=year,
        period=period,
        value=value.strip(),
        footnotes=_footnotes(row.get("footnotes", []), f"{path}/footnotes"),
        locator=path,
        text=json.dumps(row, default=str, ensure_ascii=False)[:500],
    )


def _footnotes(listed: Any, path: str) -> tuple[Footnote, ...]:
    """The footnotes that say something; BLS writes `[{}]` for none."""
    if not isinstance(listed, list) or not all(isinstance(note, Mapping) for note in listed):
        raise ShapeChanged("a list of footnotes was expected", path=path)
    return tuple(Footnote(code=str(note.get("code", "")), text=str(note.get("text", ""))) for note in listed if note)
