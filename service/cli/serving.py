"""Running the server and the scheduler, the schema, the settings."""

import logging
import socket
import sys
from datetime import timedelta
from typing import Annotated, Final

import structlog
import typer

from service import clock
from service.cli.output import UNEXPECTED, AsJson, note, say, show, table
from service.cli.session import session
from service.errors import Conflict, Unavailable
from service.scheduling.clockwork import run_forever
from service.scheduling.feeds import sources
from service.settings import PER_SOURCE, PER_TARGET, PREFIX, SETTINGS, Setting, Settings
from service.store import jobs, migrating, schema

ALIVE: Final = timedelta(minutes=2)
"""A scheduler ticks every half minute."""

database = typer.Typer()


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = None,
) -> None:
    """Serve the API and the pages; refreshes the feeds too unless COSTPLAN_SCHEDULER is off."""
    # Here, not above: the web framework takes longer to load than most commands to run.
    import uvicorn

    from service.app import create

    settings = Settings()
    _log_as(settings)
    application = create()
    address = (host or settings.host, settings.port if port is None else port)
    listener = _listener(*address)
    where = f"[{address[0]}]" if ":" in address[0] else address[0]
    note(f"Serving on http://{where}:{listener.getsockname()[1]}/  (API at /api/v1, its description at /docs)")
    config = uvicorn.Config(application, access_log=False, log_level="warning", log_config=None)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except SystemExit as ended:
        # The library's own code for a failed start is 3, which here means that a feed failed.
        raise typer.Exit(UNEXPECTED if ended.code else 0) from None


def scheduler(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether a scheduler is alive; exit 6 if not.")
    ] = False,
) -> None:
    """Refresh the feeds on schedule, in a process of its own."""
    with session() as opened:
        _log_as(opened.settings)
        if not check:
            run_forever(opened.store, sources(), opened.settings, clock.now)
            return
        ticked = opened.store.read(jobs.last_tick)
        if ticked is None or opened.now() - ticked > ALIVE:
            when = f"last heard of at {ticked.isoformat()}" if ticked else "never heard of"
            raise Unavailable(f"no scheduler is alive ({when}); start one: costplan scheduler, or costplan serve")
        say(f"alive, last tick {ticked.isoformat()}")


def settings(*, as_json: AsJson = False) -> None:
    """List every setting, its default and the value in force; secrets are not shown."""
    current = Settings()
    rows = [_setting(one, current.text(one.name)) for one in SETTINGS]
    rows += [_setting(one, "") for one in (*PER_SOURCE, *PER_TARGET)]
    if as_json:
        show(rows)
    else:
        table("", ["Setting", "Value", "Default", "Meaning"], [tuple(row.values()) for row in rows])


@database.command("upgrade")
def upgrade(*, as_json: AsJson = False) -> None:
    """Bring the database to the schema this version needs."""
    with session(any_schema=True) as opened:
        before, after = migrating.upgrade(opened.store)
        if as_json:
            show({"database": opened.store.where, "before": before, "after": after})
        elif before == after:
            say(f"{opened.store.where} is up to date (revision {after})")
        else:
            say(f"{opened.store.where}: {before or 'empty'} → {after}")


@database.command("status")
def status(*, as_json: AsJson = False) -> None:
    """Say whether the database is at the schema this version needs; exit 6 if not."""
    with session() as opened:
        if as_json:
            show({"database": opened.store.where, "revision": schema.head()})
        else:
            say(f"{opened.store.where} is up to date (revision {schema.head()})")


def _listener(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises Conflict: the database is well, so it is not Unavailable."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
        )
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while ")[0]
        raise Conflict(
            f"cannot listen on {host} port {port}: {reason}; choose others with --host and --port, 0 takes a free one"
        ) from error


def _setting(one: Setting, value: str) -> dict[str, str]:
    shown = "***" if one.secret and value else value
    return {"name": PREFIX + one.name, "value": shown, "default": one.default, "help": one.help}


def _log_as(settings: Settings) -> None:
    """Every log line, the libraries' too, in one format on standard error."""
    plain = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    last = structlog.processors.JSONRenderer() if settings.log_format == "json" else plain
    steps: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if settings.log_format == "json":
        steps.append(structlog.processors.format_exc_info)
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(structlog.stdlib.ProcessorFormatter(processor=last, foreign_pre_chain=steps))
    logging.basicConfig(handlers=[libraries], level=logging.WARNING)
    structlog.configure(processors=[*steps, last], logger_factory=structlog.PrintLoggerFactory(sys.stderr))
