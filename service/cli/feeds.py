"""Asking the feeds, reading saved documents, seeing how every source stands."""

import mimetypes
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from pricing_sources.registry import SOURCES
from service.cli.output import FEED_FAILED, ROWS_LOST, AsJson, note, say, show, table, text
from service.cli.session import moment, session, source_named
from service.domain.refreshes import QuarantinedRow, Refresh, SourceStatus
from service.errors import Invalid
from service.scheduling.feeds import transport
from service.usecases.accounting import Account, account_for
from service.usecases.archive import Step
from service.usecases.archive import backfill as read_archive
from service.usecases.archive import reparse as read_again
from service.usecases.quarantine import list_quarantine
from service.usecases.refresh import import_saved
from service.usecases.refresh import refresh as refresh_source
from service.usecases.sources import Feed, feed_named, list_sources

REASONS_SHOWN: Final = 5
PIECE: Final = 1024 * 1024
"""Bytes read at a time from a file too large for memory."""

Tell = Callable[[str, str], None]
"""Told the name of what is worked on, and how far it is."""


def refresh(
    source: Annotated[list[str] | None, typer.Argument(help="Sources to ask; all enabled ones if none.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Ask feeds now and append what is new. One that cannot be reached is reported; the others are done."""
    with session() as opened, transport(opened.settings) as network, _progress(quiet=as_json) as tell:
        named = [source_named(one) for one in source or ()]
        done = []
        for one in named or SOURCES:
            feed = Feed.of(one.info, opened.settings)
            if not named and not (feed.enabled and feed.has_key):
                continue
            tell(one.info.id, "asking")
            key = opened.settings.source_key(one.info.id)
            result = refresh_source(
                opened.store,
                one,
                network,
                now=opened.now(),
                trigger="manual",
                url=feed.url,
                api_key=key,
                progress=partial(tell, one.info.id),
            )
            done.append(result)
        _report(done, as_json=as_json)
    _end(done)


def import_files(
    source: Annotated[str, typer.Argument(help="The source that published the documents.")],
    file: Annotated[list[Path], typer.Argument(help="Saved documents, each as the feed sent it.")],
    *,
    fetched_at: Annotated[str | None, typer.Option(help="When they were fetched (RFC 3339); now if absent.")] = None,
    report: Annotated[bool, typer.Option("--report", help="Print where every row ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read saved documents through exactly the path a refresh takes."""
    feed = source_named(source)
    for path in file:
        next(_pieces(path), b"")  # a file that cannot be opened ends the matter before any is read
    with session() as opened, _progress(quiet=as_json) as tell:
        when = moment("--fetched-at", fetched_at)
        done, accounts = [], []
        for path in file:
            tell(path.name, "reading")
            document, ended = import_saved(
                opened.store,
                feed,
                path.name,
                _pieces(path),
                fetched_at=when or opened.now(),
                now=opened.now(),
                media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
                progress=partial(tell, path.name),
            )
            done.append(ended)
            accounts += [account_for(opened.store, feed, document, ended)] if report else []
        held = list_quarantine(opened.store, source, sum(one.rejected for one in done)) if report else []
        _report(done, accounts, as_json=as_json)
        _reasons(held, {one.refresh_id for one in done})
    _end(done, accounts)


def backfill(
    source: Annotated[str, typer.Argument(help="A feed that keeps an archive.")],
    *,
    since: Annotated[str, typer.Option(help="Leave out chapters named before this, for example 202401.")] = "",
    as_json: AsJson = False,
) -> None:
    """Read a feed's past, piece by piece; what is in the log already is not read again."""
    feed = source_named(source)
    with session() as opened, transport(opened.settings) as network:
        steps = read_archive(
            opened.store,
            feed,
            network,
            now=opened.now(),
            url=opened.settings.source_url(source),
            api_key=opened.settings.source_key(source),
            since=since,
        )
        done = _watched(steps, source, quiet=as_json)
        _report(done, as_json=as_json)
    _end(done)


def reparse(
    source: Annotated[list[str] | None, typer.Argument(help="Sources; all if none.")] = None, *, as_json: AsJson = False
) -> None:
    """Read stored documents again that only an older parser has read; the old reading stays on record."""
    with session() as opened:
        done = []
        for one in [source_named(one) for one in source or ()] or SOURCES:
            done += _watched(read_again(opened.store, one, now=opened.now()), one.info.id, quiet=as_json)
        _report(done, as_json=as_json)
    _end(done)


def sources(
    source: Annotated[str | None, typer.Argument(help="One source; all if absent.")] = None, *, as_json: AsJson = False
) -> None:
    """Show how every source stands: fresh, stale or never read; of one, also where it is and under which licence."""
    with session() as opened:
        wanted = [feed_named(opened.feeds, source)] if source else opened.feeds
        found = list_sources(opened.store, wanted, opened.now())
        if as_json:
            show(found)
            return
        table(
            "",
            [
                *("Source", "Kind", "State", "#Missed", "#Series", "#Held back", "#Coverage", "Last good"),
                *("Next due", "Cadence", "Key", "Licence"),
            ],
            [
                (
                    one.source,
                    ", ".join(one.kinds),
                    _state(one),
                    one.missed_publications,
                    one.series,
                    one.quarantined_rows,
                    "" if one.coverage is None else f"{one.coverage:.0%}",
                    one.last_good_at,
                    one.next_due_at,
                    one.cadence,
                    _key(one),
                    one.licence if one.republish else f"not to be republished: {one.licence}",
                )
                for one in found
            ],
        )
        if source:
            _terms(found[0])
        for one in found:
            if one.last_error:
                note(f"{one.source}: {one.last_error}")


def _state(one: SourceStatus) -> str:
    if not one.enabled:
        return "disabled"
    return f"{one.freshness}, refused" if one.refused else one.freshness


def _key(one: SourceStatus) -> str:
    if not one.key_needed:
        return "no"
    return "needed, set" if one.has_key else "needed, not set"


def _terms(one: SourceStatus) -> None:
    for label, value in (
        ("newest figures", "" if one.newest_period is None else f"of {text(one.newest_period)}"),
        ("missed", f"{one.missed_publications} publications"),
        ("publisher", one.publisher),
        ("asked at", one.url),
        ("documented at", one.homepage),
        ("publishes", f"{one.cadence} ({one.timezone})"),
        ("licence", one.licence),
        ("attribution", one.attribution),
    ):
        say(f"  {label:15}{value}")


def _pieces(path: Path) -> Iterator[bytes]:
    """A file's bytes, no more of them at a time than fit into memory."""
    try:
        with path.open("rb") as file:
            yield from iter(partial(file.read, PIECE), b"")
    except OSError as error:
        raise Invalid.field("FILE", f"{path}: {error.strerror}") from error


def _report(done: list[Refresh], accounts: Sequence[Account] = (), *, as_json: bool) -> None:
    if as_json:
        show(accounts or done)
    else:
        table(
            "",
            ["Source", "Ended", "#Rows", "#Prices", "#New", "#Corrected", "#Unchanged", "#Skipped", "#Held back"],
            [
                (
                    one.source,
                    one.status,
                    one.rows_read,
                    one.observed,
                    one.added,
                    one.corrected,
                    one.unchanged,
                    sum(one.skipped.values()),
                    one.rejected,
                )
                for one in done
            ],
        )
        _ledger(accounts)
    for one in done:
        if one.error:
            note(f"{one.source}: {one.error}")


def _ledger(accounts: Sequence[Account]) -> None:
    rows: list[tuple[int, str, int | None]] = []
    for one in accounts:
        rows += [(one.refresh_id, "rows in the document", one.rows_in)]
        rows += [(one.refresh_id, "rows accounted for", one.rows_out), (one.refresh_id, "price", one.prices)]
        rows += [(one.refresh_id, f"skipped: {reason}", count) for reason, count in sorted(one.skipped.items())]
        rows += [(one.refresh_id, "held back", one.held_back)] if one.held_back else []
        rows += [(one.refresh_id, "rows read", one.readings)]
    if rows:
        table("", ["#Refresh", "Where the rows ended", "#Rows"], rows)
    for one in accounts:
        for place in one.lost:
            note(f"{one.document}: the row at {place} ended nowhere")
        if not one.lost and one.rows_in != one.rows_out:
            note(f"{one.document}: of {one.rows_in} rows that were sent, {one.rows_out} are accounted for")


def _end(done: Sequence[Refresh], accounts: Sequence[Account] = ()) -> None:
    if any(one.status != "sealed" for one in done):
        raise typer.Exit(FEED_FAILED)
    if not all(one.balanced for one in accounts):
        raise typer.Exit(ROWS_LOST)


def _reasons(held: list[QuarantinedRow], refresh_ids: set[int]) -> None:
    ours = [row for row in held if row.refresh_id in refresh_ids]
    for row in reversed(ours[-REASONS_SHOWN:]):
        note(f"held back at {row.locator}: {row.reason}")


def _watched(steps: Iterator[Step], source: str, *, quiet: bool) -> list[Refresh]:
    """Run every step under a bar that fills; silent where nobody looks."""
    shown = sys.stderr.isatty() and not quiet
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    done = []
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as bar:
        task = bar.add_task(source, total=None)
        for step in steps:
            bar.update(task, description=f"{source} {step.name}", total=step.of, completed=step.number)
            done.append(step.refresh)
    return done


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Tell]:
    """A line per source that moves while it works; silent where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield lambda _name, _words: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(name: str, words: str) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=None)
            bar.update(tasks[name], description=f"{name}: {words}")

        yield tell
