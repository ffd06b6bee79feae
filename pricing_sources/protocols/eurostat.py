"""Eurostat's statistics API: one GET per dataset, answered as JSON-stat 2.0, without a key.

Four things to know. A code nobody knows is answered with HTTP 200 and a table without figures. What
went wrong may come as an object with `error` or `warning` (an answer put off, for a question too
large) instead of a table. The last periods stand on the time axis before they have figures. Greece
is EL and the United Kingdom UK here.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from pricing_sources.documents import exact_json
from pricing_sources.errors import Quarantined, ShapeChanged
from pricing_sources.observation import Skipped, Status
from pricing_sources.protocols import json_stat
from pricing_sources.source import Document, FetchRequest, NotModified
from pricing_sources.transport import Transport

URL: Final = "https://ec.europa.eu/eurostat/api/dissemination/statistics/1.0/data/"
"""To be followed by a dataset's code."""
LICENCE: Final = "CC BY 4.0 (European Commission reuse notice)"
MAX_BYTES: Final = 64 * 1024 * 1024

FLAGS: Final[Mapping[str, str]] = {
    "b": "break in time series",
    "c": "confidential",
    "d": "definition differs",
    "e": "estimated",
    "f": "forecast",
    "i": "see metadata",
    "m": "missing",
    "n": "not significant",
    "p": "provisional",
    "r": "revised",
    "s": "Eurostat estimate",
    "u": "low reliability",
    "z": "not applicable",
}
"""The flags of Eurostat's tables, in its own words; a figure may carry several."""
NOT_FIRM: Final = frozenset("efps")
"""Flags of figures that are still to be settled."""
NOT_STATED: Final[Mapping[str, str]] = {"c": "confidential", "z": "not_applicable", "n": "not_significant"}
"""Why a figure is withheld; `n` comes with a zero in its place."""
ISO: Final[Mapping[str, str]] = {"EL": "GR", "UK": "GB"}

_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_AGGREGATE: Final = re.compile(r"E(U|A|U\d{2}|A\d{2}|EA)(_\d{4}|_X_[A-Z]+)?")


def ask(
    transport: Transport, request: FetchRequest, source_id: str, filters: Sequence[tuple[str, str]]
) -> Iterator[Document | NotModified]:
    """Ask for the figures with these categories; a dimension may stand several times. Raises FetchFailed."""
    url = f"{request.url}?{urlencode([('format', 'JSON'), ('lang', 'EN'), *filters])}"
    reply = transport.get(url, known=request.known.get(url), max_bytes=MAX_BYTES)
    if reply.not_modified:
        yield NotModified(url)
    else:
        yield Document.of(source_id, reply, request.now)


def opened(body: bytes, dataset: str, dimensions: Collection[str]) -> json_stat.Table:
    """Open an answer about this dataset.

    Raises Quarantined in Eurostat's own words where it sent no table, and ShapeChanged where the
    document is another dataset's, has other dimensions or not one figure.
    """
    answer = exact_json(body)
    _require_answer(answer)
    table = json_stat.opened(answer, dimensions)
    code = str(table.extension.get("id", "")).lower()
    if code != dataset:
        raise ShapeChanged(f"the dataset {dataset} was expected, not {code[:40]!r}", path="/extension/id")
    if not table.values:
        raise ShapeChanged("not one figure; Eurostat answers so to categories it does not have", path="/value")
    return table


def area(geo: str) -> str | None:
    """The ISO code of a country, or Eurostat's own of an aggregate; None for what is neither.

    >>> area("EL"), area("EU27_2020"), area("EA20"), area("DE21")
    ('GR', 'EU27_2020', 'EA20', None)
    """
    known = _COUNTRY.fullmatch(geo) or _AGGREGATE.fullmatch(geo)
    return ISO.get(geo, geo) if known else None


def unstated(cell: json_stat.Cell) -> Skipped | None:
    """Why this place has no price to read, if it has none: withheld, missing, or a zero that stands for that."""
    for flag, reason in NOT_STATED.items():
        if flag in cell.flags and (cell.value is None or cell.value == 0 or flag == "c"):
            return Skipped(reason, cell.locator)
    if cell.value is None:
        return Skipped("no_price", cell.locator)
    return Skipped("zero_price", cell.locator) if cell.value == 0 else None


def status(flags: str) -> Status:
    """How firm a figure with these flags is."""
    return Status.PRELIMINARY if NOT_FIRM & set(flags) else Status.FINAL


def note(flags: str) -> str:
    """The flags in words.

    >>> note("bp")
    'break in time series, provisional'
    """
    return ", ".join(FLAGS.get(flag, flag) for flag in flags if not flag.isspace())


def _require_answer(answer: Any) -> None:
    if not isinstance(answer, Mapping):
        raise ShapeChanged(f"an object was expected, not {type(answer).__name__}")
    for trouble in ("error", "warning"):
        if trouble in answer:
            found = answer[trouble]
            listed = found if isinstance(found, list) else [found]
            words = [str(each.get("label", each) if isinstance(each, Mapping) else each) for each in listed]
            raise Quarantined(f"Eurostat sent no table: {'; '.join(words)}"[:500])
