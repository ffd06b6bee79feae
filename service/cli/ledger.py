"""The logs behind the prices: refreshes, quarantine, documents."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from service.cli.output import AsJson, note, say, show, table, text
from service.cli.session import session, source_named
from service.errors import Invalid
from service.usecases.prices import get_document
from service.usecases.quarantine import get_quarantined, list_quarantine, release_price, release_refresh
from service.usecases.sources import get_refresh, list_refreshes

refreshes = typer.Typer()
quarantine = typer.Typer()
documents = typer.Typer()

OfSource = Annotated[str, typer.Option(help="Only this source.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Most rows to show.")]


@refreshes.command("ls")
def ls(*, source: OfSource = "", limit: Limit = 20, as_json: AsJson = False) -> None:
    """List the newest refreshes."""
    with session() as opened:
        found = list_refreshes(opened.store, source, limit)
        if as_json:
            show(found)
            return
        table(
            "",
            ["#Refresh", "Source", "Set off by", "Ended", "#New", "#Corrected", "#Unchanged", "#Held back", "Recorded"],
            [
                (
                    one.refresh_id,
                    one.source,
                    one.trigger,
                    one.status,
                    one.added,
                    one.corrected,
                    one.unchanged,
                    one.rejected,
                    one.recorded_at,
                )
                for one in found
            ],
        )


@refreshes.command("show")
def show_one(refresh: int, *, as_json: AsJson = False) -> None:
    """Show one refresh and where its rows ended."""
    with session() as opened:
        found = get_refresh(opened.store, refresh)
        if as_json:
            show(found)
            return
        say(f"refresh {found.refresh_id} of {found.source}: {found.status}, recorded {text(found.recorded_at)}")
        rows = [("price", found.observed), ("held back", found.rejected)]
        rows += [(f"skipped: {reason}", count) for reason, count in found.skipped.items()]
        table("", ["Where the rows ended", "#Rows"], [*rows, ("rows read", found.rows_read)])
        if found.error:
            say(found.error)


@quarantine.command("ls")
def ls_quarantine(*, source: OfSource = "", limit: Limit = 20, as_json: AsJson = False) -> None:
    """List rows that could not be believed, newest first."""
    with session() as opened:
        found = list_quarantine(opened.store, source, limit)
        if as_json:
            show(found)
        else:
            rows = [(one.quarantine_id, one.source, one.locator, one.reason, one.released_by) for one in found]
            table("", ["#Row", "Source", "Where", "Why", "#Released by"], rows)


@quarantine.command("release")
def release(
    row: Annotated[int | None, typer.Argument(help="Number of the row, from: costplan quarantine ls")] = None,
    *,
    refresh: Annotated[
        int | None,
        typer.Option(help="Instead of a row, a refresh that was quarantined as a whole, from: costplan refreshes ls"),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why it is true; kept beside it.")],
    as_json: AsJson = False,
) -> None:
    """Let a held price through, or whole documents: it is in the log from when its document was read."""
    with session() as opened:
        if row is not None and refresh is None:
            source = source_named(get_quarantined(opened.store, row).source)
            found = release_price(opened.store, source, row, reason, now=opened.now())
        elif refresh is not None and row is None:
            source = source_named(get_refresh(opened.store, refresh).source)
            found = release_refresh(opened.store, source, refresh, reason)
        else:
            raise Invalid.field("ROW", "give the number of a row, or of a refresh with --refresh: one of the two")
        if as_json:
            show(found)
        else:
            say(f"released by refresh {found.refresh_id}")


@documents.command("show")
def show_document(
    sha256: str,
    *,
    output: Annotated[Path | None, typer.Option(help="Write the bytes to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give back a raw document, byte for byte."""
    with session() as opened:
        found = get_document(opened.store, sha256)
        if as_json:
            known = {"sha256": found.sha256, "source": found.source_id, "url": found.url, "size": len(found.body)}
            show(known | {"fetched_at": found.fetched_at, "media_type": found.media_type})
        elif output:
            _write(output, found.body)
        elif sys.stdout.isatty():
            note(f"{len(found.body)} bytes; name a file with --output, or send them into a pipe")
        else:
            sys.stdout.buffer.write(found.body)


def _write(file: Path, body: bytes) -> None:
    try:
        file.write_bytes(body)
    except OSError as error:
        raise Invalid.field("--output", f"{file}: {error.strerror}") from error
