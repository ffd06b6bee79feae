"""The command `costplan`: its commands, and what becomes of an error."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version as version_of
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from service.cli import (
    accelerators,
    bands,
    budgets,
    estimates,
    events,
    feeds,
    formulas,
    gate,
    history,
    ledger,
    planning,
    predictions,
    prices,
    rate_cards,
    serving,
    validation,
)
from service.cli.output import BAD_INPUT, EXIT_CODES, UNEXPECTED, AsJson, complain, fail, say, show
from service.cli.secrets import without_secrets
from service.errors import ServiceError


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
        except typer.TyperException as error:
            code = _misused(error, as_json=as_json)
        except typer.Abort:
            code = UNEXPECTED
        except Exception as error:  # noqa: BLE001  the last resort of the process
            code = _unexpected(error, as_json=as_json, debug="--debug" in given)
        sys.exit(code if isinstance(code, int) else 0)

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
estimates.app.command("rerun")(history.rerun)
estimates.app.command("why")(history.why)
estimates.app.command("compare")(history.compare)
estimates.app.command("band")(bands.band)
estimates.app.command("difference")(bands.difference)
estimates.scenarios.command("history")(history.over_time)
estimates.scenarios.command("why")(history.why_then)
for name, group, words in (
    ("prices", prices.app, "Look prices up, now and then."),
    ("estimate", estimates.app, "Price a scenario, keep and find the answer."),
    ("plan", planning.app, "What to commit to, when to start, whether to buy or to rent."),
    ("accelerators", accelerators.app, "Hardware, and the labels feeds use for it."),
    ("rate-card", rate_cards.app, "Your own prices, laid over the public ones."),
    ("budget", budgets.app, "Limits, how they stand, what was charged."),
    ("scenario", estimates.scenarios, "Keep scenarios without pricing them."),
    ("formulas", formulas.app, "The equations, and trying them."),
    ("refreshes", ledger.refreshes, "What was checked, when, and how it ended."),
    ("quarantine", ledger.quarantine, "Rows that could not be believed."),
    ("documents", ledger.documents, "The raw documents prices were read from."),
    ("predict", predictions.app, "Predict training, serving, tuning, memory."),
    ("validate", validation.app, "Hold the predictions against published facts."),
    ("db", serving.database, "The database's schema."),
):
    app.add_typer(group, name=name, help=words, no_args_is_help=True)
app.command("check")(gate.check)
app.command("events")(events.events)
app.command("serve")(serving.serve)
app.command("scheduler")(serving.scheduler)
app.command("settings")(serving.settings)
app.command("refresh")(feeds.refresh)
app.command("import")(feeds.import_files)
app.command("backfill")(feeds.backfill)
app.command("reparse")(feeds.reparse)
app.command("sources")(feeds.sources)


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
