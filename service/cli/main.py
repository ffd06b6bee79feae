"""The command `costplan`: its commands, and what becomes of an error."""

import sys
from importlib.metadata import version as version_of

import typer

from pricing_sources.errors import SourceError
from service.cli import estimates, feeds, formulas, ledger, prices, serving
from service.cli.output import BAD_INPUT, EXIT_CODES, UNEXPECTED, AsJson, fail, note, say, show
from service.errors import ServiceError

app = typer.Typer(
    name="costplan",
    help="What an LLM costs, where the price came from, and what it was before.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for name, group, words in (
    ("prices", prices.app, "Look prices up, now and then."),
    ("estimate", estimates.app, "Price a scenario, keep and find the answer."),
    ("scenario", estimates.scenarios, "Keep scenarios without pricing them."),
    ("formulas", formulas.app, "The equations, and trying them."),
    ("refreshes", ledger.refreshes, "What was checked, when, and how it ended."),
    ("quarantine", ledger.quarantine, "Rows that could not be believed."),
    ("documents", ledger.documents, "The raw documents prices were read from."),
    ("db", serving.database, "The database's schema."),
):
    app.add_typer(group, name=name, help=words, no_args_is_help=True)
app.command("serve")(serving.serve)
app.command("scheduler")(serving.scheduler)
app.command("settings")(serving.settings)
app.command("refresh")(feeds.refresh)
app.command("import")(feeds.import_files)
app.command("sources")(feeds.sources)


@app.command("version")
def version(*, as_json: AsJson = False) -> None:
    """Print the version."""
    number = version_of("llm-cost-planner")
    if as_json:
        show({"version": number})
    else:
        say(number)


def run() -> None:
    """Run a command; every expected error becomes a sentence and an exit code, never a traceback."""
    as_json = "--json" in sys.argv
    try:
        app(prog_name="costplan")
    except ServiceError as error:
        sys.exit(fail(error, as_json=as_json))
    except SourceError as error:
        note(str(error))
        sys.exit(BAD_INPUT)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        note(f"unexpected error: {type(error).__name__}: {error}")
        sys.exit(UNEXPECTED)
