"""The command `costplan`: its commands, and what becomes of an error."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version as version_of
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group
from typing_extensions import override

from pricing_sources.errors import SourceError
from service.cli.output import (
    BAD_INPUT,
    CANCELLED,
    EXIT_CODES,
    FEED_FAILED,
    UNEXPECTED,
    AsJson,
    complain,
    fail,
    say,
    show,
)
from service.cli.secrets import without_secrets
from service.errors import ServiceError

COMMANDS: Final = {
    "prices": ("prices:app", "Look prices up, now and then."),
    "estimate": ("estimating:app", "Price a scenario, keep and find the answer."),
    "plan": ("planning:app", "Plan a goal; what to commit to, when to start, whether to buy or to rent."),
    "accelerators": ("accelerators:app", "Hardware, and the labels feeds use for it."),
    "rate-card": ("rate_cards:app", "Your own prices, laid over the public ones."),
    "budget": ("budgets:app", "Limits, how they stand, what was charged."),
    "scenario": ("estimating:scenarios", "Keep scenarios without pricing them."),
    "formulas": ("formulas:app", "The equations, and trying them."),
    "refreshes": ("ledger:refreshes", "What was checked, when, and how it ended."),
    "quarantine": ("ledger:quarantine", "Rows that could not be believed."),
    "documents": ("ledger:documents", "The raw documents prices were read from."),
    "predict": ("predictions:app", "Predict training, serving, tuning, memory."),
    "validate": ("validation:app", "Hold the predictions against published facts."),
    "db": ("serving:database", "The database's schema."),
    "check": ("gate:check", "Stop a change that costs too much, or prices too old to say."),
    "notify": ("notifications:app", "Who is told of events, and how it went."),
    "calendar": ("events:calendar", "What lies ahead, for calendar programs."),
    "events": ("events:events", "What happened, the last first."),
    "serve": ("serving:serve", "Serve the API and the pages, and refresh what is due."),
    "scheduler": ("serving:scheduler", "Refresh the feeds on schedule, in a process of its own."),
    "settings": ("serving:settings", "Every setting, its default and the value in force."),
    "refresh": ("feeds:refresh", "Ask feeds now and append what is new."),
    "import": ("feeds:import_files", "Read saved documents as a refresh would."),
    "backfill": ("feeds:backfill", "Read a feed's past, piece by piece."),
    "reparse": ("feeds:reparse", "Read stored documents again with today's parsers."),
    "sources": ("feeds:sources", "How every feed stands: fresh, stale or never read."),
}
"""Where each command lives, and what the list of commands says of it. A module is imported when its command is run."""


def _unloaded() -> None:
    """Stands for a command in the list of commands until it is asked for."""


class Commands(TyperGroup):
    """Runs a command; every expected error becomes a sentence and an exit code, never a traceback."""

    @override
    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and exit with a documented code."""
        given = list(sys.argv[1:] if args is None else args)
        as_json = "--json" in given
        try:
            code = super().main(given, "costplan", complete_var, standalone_mode=False, **extra)
        except ServiceError as error:
            code = fail(error, as_json=as_json)
        except SourceError as error:
            complain([without_secrets(str(error))], code=error.code, as_json=as_json)
            code = FEED_FAILED
        except typer.TyperException as error:
            code = _misused(error, as_json=as_json)
        except typer.Abort:
            code = CANCELLED
        except Exception as error:  # noqa: BLE001  the last resort of the process
            code = _unexpected(error, as_json=as_json, debug="--debug" in given)
        if code == CANCELLED:
            complain(["cancelled: what was finished stays, the rest left nothing"], code="cancelled", as_json=as_json)
        sys.exit(code if isinstance(code, int) else 0)

    @override
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that was asked for, and no other: most of a short command's time was spent on imports."""
        if args[0] in COMMANDS:
            self.commands[args[0]] = _loaded(args[0])
        return super().resolve_command(ctx, args)

    @override
    def invoke(self, ctx: Any) -> Any:
        """Run the command; a reader that has seen enough of it is no error."""
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        return answer


app = typer.Typer(
    cls=Commands,
    name="costplan",
    help="What an LLM costs, where the price came from, and what it was before.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _name, (_, _words) in COMMANDS.items():
    app.command(_name, help=_words)(_unloaded)


@app.callback()
def costplan(
    *, debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")] = False
) -> None:
    """What an LLM costs, where the price came from, and what it was before."""
    # `debug` is read where the error is caught, which no command can reach.


@app.command("version")
def version(*, as_json: AsJson = False) -> None:
    """Print the version."""
    number = version_of("llm-cost-planner")
    if as_json:
        show({"version": number})
    else:
        say(number)


def run() -> None:
    """Run the command line."""
    app()


def _loaded(name: str) -> Any:
    """The command called `name`, from the module it lives in."""
    place, words = COMMANDS[name]
    module, _, member = place.partition(":")
    found = getattr(import_module(f"service.cli.{module}"), member)
    holder = typer.Typer()
    if isinstance(found, typer.Typer):
        alone = found.registered_callback
        answers = bool(alone and alone.invoke_without_command)
        holder.add_typer(found, name=name, help=words, no_args_is_help=not answers)
    else:
        holder.command(name)(found)
    return get_group(holder).commands[name]


def _misused(error: typer.TyperException, *, as_json: bool) -> int:
    if as_json:
        complain([error.format_message()], code="usage", as_json=True)
    else:
        show_usage = getattr(error, "show", None)
        if show_usage is not None:
            show_usage()
    return BAD_INPUT


def _unexpected(error: Exception, *, as_json: bool, debug: bool) -> int:
    """One line: no traceback unless asked for, no secret in either."""
    if debug:
        sys.stderr.write(without_secrets("".join(traceback.format_exception(error))))
    first = next(iter(str(error).splitlines()), "")
    line = without_secrets(f"unexpected error: {type(error).__name__}: {first}")
    complain([line if debug else f"{line} (costplan --debug … shows where)"], code="unexpected", as_json=as_json)
    return UNEXPECTED
